//! Where a server is, how it is reached, and how to say so on a command line.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::arguments;
use crate::failure::Failure;

/// Where a server is; what it is known by in the file of tasks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Place {
    /// A program that is started in a folder: another folder may be another server, since paths may be relative.
    Program {
        stdio: Vec<String>,
        folder: PathBuf,
    },
    Url {
        http: String,
    },
}

impl Place {
    /// What the command line says, if it says anything.
    pub(crate) fn of(server: &arguments::Server) -> Result<Option<Self>, Failure> {
        match (&server.stdio, &server.http) {
            (Some(_), Some(_)) => {
                Err(Failure::Usage("a server is reached by --stdio or by --http, and not by both".to_owned()))
            }
            (Some(command), None) => Self::program(command).map(Some),
            (None, Some(url)) => Ok(Some(Self::url(url))),
            (None, None) => Ok(None),
        }
    }

    fn program(command: &str) -> Result<Self, Failure> {
        let stdio = shell_words::split(command)
            .map_err(|error| Failure::Usage(format!("--stdio {command}: {error}")))?;
        if stdio.is_empty() {
            return Err(Failure::Usage("--stdio names no program".to_owned()));
        }
        let folder = env::current_dir()
            .map_err(|error| Failure::File(format!("the current folder cannot be told: {error}")))?;
        Ok(Self::Program { stdio, folder })
    }

    fn url(url: &str) -> Self {
        let mut http = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let path = http.split_once("://").and_then(|(_, rest)| rest.find(['/', '?']));
        if path.is_none() {
            http.push_str("/mcp");
        }
        Self::Url { http }
    }

    /// Whether the server ends with this program.
    pub(crate) fn is_child(&self) -> bool {
        matches!(self, Self::Program { .. })
    }

    /// How to say it on a command line of this program.
    fn options(&self) -> [String; 2] {
        match self {
            Self::Program { stdio, .. } => ["--stdio".to_owned(), shell_words::join(stdio)],
            Self::Url { http } => ["--http".to_owned(), http.clone()],
        }
    }

    /// The program as a command to be started, if it is one.
    pub(crate) fn command(&self) -> Option<Command> {
        let Self::Program { stdio, folder } = self else { return None };
        let (program, arguments) = stdio.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder);
        // Ctrl-C is for this program to deal with: a terminal sends it to the whole group of processes.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(windows)]
        {
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
            std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NEW_PROCESS_GROUP);
        }
        Some(command)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { stdio, .. } => f.write_str(&shell_words::join(stdio)),
            Self::Url { http } => f.write_str(http),
        }
    }
}

/// How to come back to a server: this program with the options that lead there.
#[derive(Clone, Debug)]
pub(crate) struct Way(Vec<String>);

impl Way {
    pub(crate) fn to(place: &Place, server: &arguments::Server, manner: &arguments::Manner) -> Self {
        let mut words = vec![env::args().next().unwrap_or_else(|| "host".to_owned())];
        words.extend(place.options());
        for header in &server.headers {
            words.extend(["--header".to_owned(), header.clone()]);
        }
        if let Some(bearer) = &server.bearer {
            words.extend(["--bearer".to_owned(), bearer.clone()]);
        }
        if let Some(state) = &manner.state {
            words.extend(["--state".to_owned(), state.display().to_string()]);
        }
        Self(words)
    }

    /// The command line that does this, as a shell reads it.
    pub(crate) fn command(&self, command: &str, ids: &[&str]) -> String {
        let words = self.0.iter().map(String::as_str).chain([command]).chain(ids.iter().copied());
        shell_words::join(words)
    }
}

/// Puts variables of the environment where a text has `${NAME}`.
pub(crate) fn with_variables(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, Failure> {
    let mut rest = text;
    let mut whole = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after
            .split_once('}')
            .ok_or_else(|| Failure::Usage(format!("`{text}` has a `${{` without its `}}`")))?;
        whole.push_str(before);
        whole.push_str(
            &variable(name)
                .ok_or_else(|| Failure::Usage(format!("the environment has no variable `{name}`")))?,
        );
        rest = behind;
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_short() {
        for (said, meant) in [
            ("127.0.0.1:8001", "http://127.0.0.1:8001/mcp"),
            ("http://a:1", "http://a:1/mcp"),
            ("http://a:1/", "http://a:1/"),
            ("a:1/other?x=1", "http://a:1/other?x=1"),
            ("https://a", "https://a/mcp"),
        ] {
            assert_eq!(Place::url(said), Place::Url { http: meant.to_owned() });
        }
    }

    #[test]
    fn a_program_is_written_as_it_is_read() {
        let place = Place::program("memorygraph --db 'my memories.db' --stdio").expect("a program");
        let Place::Program { stdio, .. } = &place else { panic!("{place:?}") };
        assert_eq!(stdio, &["memorygraph", "--db", "my memories.db", "--stdio"]);
        let way = Way(["host".to_owned()].into_iter().chain(place.options()).collect());
        let line = way.command("follow", &["a"]);
        assert_eq!(
            shell_words::split(&line).expect("words")[2],
            "memorygraph --db 'my memories.db' --stdio",
            "{line}"
        );
        assert!(Place::program("  ").is_err() && Place::program("a 'b").is_err());
        let written = serde_json::to_string(&place).expect("JSON");
        assert_eq!(serde_json::from_str::<Place>(&written).ok(), Some(place));
    }

    #[test]
    fn secrets_come_from_the_environment() {
        let variable = |name: &str| (name == "TOKEN").then(|| "t-1".to_owned());
        assert_eq!(with_variables("X-Key: ${TOKEN}!", variable).ok().as_deref(), Some("X-Key: t-1!"));
        assert_eq!(with_variables("$5 {}", variable).ok().as_deref(), Some("$5 {}"));
        assert!(with_variables("${NOTHING}", variable).is_err());
        assert!(with_variables("${TOKEN", variable).is_err());
    }
}
