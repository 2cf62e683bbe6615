//! What the command line asks for.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "usage: memorygraph [--db FILE] [--stdio | --http ADDRESS] [--import-dir DIR] [--model PATH] [--read-only]

  --db FILE          keep memories in this file, and tasks in FILE-tasks beside it; without it, they are gone with the
                     process
  --stdio            serve a client on stdin and stdout
  --http ADDRESS     serve clients at http://ADDRESS/mcp
  --import-dir DIR   files that clients name lie below this folder; over HTTP none may be named without it
  --model PATH       find what words mean, too, by the model in this folder or wheel (.whl) of WordLlama's layout
  --evaluate [MEMORIES QUESTIONS]
                     print how good the search is, on a document of memories and a list of questions to it
  --read-only        offer no tool that changes anything

Without --stdio and --http, a person at a terminal is shown what it does.";

/// What the program was started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Show itself to a person.
    Demonstrate,
    /// Serve a client on stdin and stdout.
    Serve,
    /// Serve clients over HTTP, at this address.
    ServeHttp(String),
    /// Say how good its search is: on these memories and these questions, or on its own.
    Evaluate(Option<(PathBuf, PathBuf)>),
    /// Say how it is used.
    Help,
}

/// Everything that the command line may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) db: Option<PathBuf>,
    pub(crate) import_dir: Option<PathBuf>,
    /// Where the model lies by which meanings are known.
    pub(crate) model: Option<PathBuf>,
    pub(crate) read_only: bool,
}

impl Options {
    /// What the command line asks for; the error says what of it is not understood.
    pub(crate) fn of(args: impl Iterator<Item = String>, at_a_terminal: bool) -> Result<Self, String> {
        let mut options =
            Self { mode: Mode::Help, db: None, import_dir: None, model: None, read_only: false };
        let (mut mode, mut said) = (None, false);
        let mut args = args.peekable();
        while let Some(flag) = args.next() {
            said = true;
            let mut value = || {
                args.next().filter(|value| !value.is_empty()).ok_or_else(|| format!("'{flag}' needs a value"))
            };
            let asked = match flag.as_str() {
                "--db" => {
                    once(&mut options.db, &flag, value()?)?;
                    continue;
                }
                "--import-dir" => {
                    once(&mut options.import_dir, &flag, value()?)?;
                    continue;
                }
                "--model" => {
                    options.model = Some(value()?.into());
                    continue;
                }
                "--read-only" => {
                    options.read_only = true;
                    continue;
                }
                "--stdio" => Mode::Serve,
                "--http" => Mode::ServeHttp(value()?),
                "--evaluate" => {
                    let mut file = || args.next_if(|arg| !arg.starts_with("--")).map(PathBuf::from);
                    match (file(), file()) {
                        (Some(memories), Some(questions)) => Mode::Evaluate(Some((memories, questions))),
                        (Some(_), None) => return Err("'--evaluate' needs two files, or none".to_owned()),
                        (None, _) => Mode::Evaluate(None),
                    }
                }
                "--help" | "-h" => Mode::Help,
                _ => return Err(format!("'{flag}' is not understood")),
            };
            if mode.replace(asked).is_some() {
                return Err(format!("'{flag}' comes too late: it was said before what to serve"));
            }
        }
        if options.read_only && options.db.is_none() {
            return Err("'--read-only' needs '--db'".to_owned());
        }
        let usual = if at_a_terminal && !said { Mode::Demonstrate } else { Mode::Serve };
        Ok(Self { mode: mode.unwrap_or(usual), ..options })
    }

    /// Where tasks are kept: beside the memories.
    pub(crate) fn tasks(&self) -> Option<PathBuf> {
        let mut path = self.db.clone()?.into_os_string();
        path.push("-tasks");
        Some(path.into())
    }
}

/// Takes the value of a flag that may be said once.
fn once(option: &mut Option<PathBuf>, flag: &str, value: String) -> Result<(), String> {
    match option.replace(value.into()) {
        None => Ok(()),
        Some(_) => Err(format!("'{flag}' is said twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str], at_a_terminal: bool) -> Result<Options, String> {
        Options::of(args.iter().map(|arg| (*arg).to_owned()), at_a_terminal)
    }

    fn mode(args: &[&str], at_a_terminal: bool) -> Result<Mode, String> {
        options(args, at_a_terminal).map(|options| options.mode)
    }

    #[test]
    fn a_person_at_a_terminal_is_shown_the_demonstration_and_a_client_is_served() {
        assert_eq!(mode(&[], true), Ok(Mode::Demonstrate));
        assert_eq!(mode(&[], false), Ok(Mode::Serve));
        assert_eq!(mode(&["--stdio"], true), Ok(Mode::Serve));
        assert_eq!(mode(&["--db", "m.db"], true), Ok(Mode::Serve));
        assert_eq!(mode(&["--evaluate"], true), Ok(Mode::Evaluate(None)));
        let files = Some(("m.json".into(), "q.json".into()));
        assert_eq!(mode(&["--evaluate", "m.json", "q.json"], true), Ok(Mode::Evaluate(files)));
        let address = "127.0.0.1:8080";
        assert_eq!(mode(&["--http", address], true), Ok(Mode::ServeHttp(address.to_owned())));
    }

    #[test]
    fn what_is_said_besides_is_kept() {
        let said = "--db m.db --http [::1]:80 --import-dir in --model m.whl --read-only";
        let said = options(&said.split(' ').collect::<Vec<_>>(), false);
        let expected = Options {
            mode: Mode::ServeHttp("[::1]:80".to_owned()),
            db: Some("m.db".into()),
            import_dir: Some("in".into()),
            model: Some("m.whl".into()),
            read_only: true,
        };
        assert_eq!(expected.tasks(), Some("m.db-tasks".into()));
        assert_eq!(said, Ok(expected));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(mode(&["--port"], true), Err("'--port' is not understood".to_owned()));
        assert_eq!(mode(&["--stdio", "extra"], false), Err("'extra' is not understood".to_owned()));
        assert_eq!(
            mode(&["--evaluate", "m.json"], false),
            Err("'--evaluate' needs two files, or none".to_owned())
        );
        assert_eq!(mode(&["--db", ""], false), Err("'--db' needs a value".to_owned()));
        assert_eq!(mode(&["--db", "a", "--db", "b"], false), Err("'--db' is said twice".to_owned()));
        assert_eq!(mode(&["--http"], false), Err("'--http' needs a value".to_owned()));
        assert_eq!(mode(&["--read-only"], false), Err("'--read-only' needs '--db'".to_owned()));
        let twice = Err("'--http' comes too late: it was said before what to serve".to_owned());
        assert_eq!(mode(&["--stdio", "--http", "[::1]:80"], false), twice);
    }
}
