//! The way to the server: who answers it, what it says beside, and what is known of it.

use std::env;
use std::sync::Arc;

use mcp_runtime::client::{self, Client, Connect};
use mcp_runtime::input::Root;
use serde_json::{Value, json};

use crate::arguments::{Manner, Revisions, Server};
use crate::asking::Asker;
use crate::failure::Failure;
use crate::memory::Memory;
use crate::place::{Place, Way, with_variables};
use crate::screen::Screen;
use crate::screen::text::{one_line, short};

/// A server that was connected to, and all that a command needs.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) client: Client,
    pub(crate) place: Place,
    pub(crate) screen: Arc<Screen>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) manner: Manner,
    way: Way,
}

impl Host {
    pub(crate) async fn connect(
        server: &Server,
        manner: Manner,
        place: Place,
        screen: &Arc<Screen>,
        memory: &Arc<Memory>,
    ) -> Result<Self, Failure> {
        let way = Way::to(&place, server, &manner);
        let asker = Arc::new(Asker::new(&manner, screen, &place.to_string())?);
        let connect = match place.command() {
            Some(command) => {
                let screen = Arc::clone(screen);
                Client::process(command).on_stderr(move |line| {
                    screen.mention(
                        "stderr",
                        json!({ "line": line }),
                        &format!("server: {}", one_line(&line)),
                    );
                })
            }
            None => Client::http(place.to_string()),
        };
        let connect = dressed(connect, server)?;
        let client = answered(connect, &asker).on_log({
            let screen = Arc::clone(screen);
            move |log| told(&screen, &log)
        });
        let client = client.named("host", env!("CARGO_PKG_VERSION")).connect().await?;
        Ok(Self { client, place, screen: Arc::clone(screen), memory: Arc::clone(memory), manner, way })
    }

    /// The command by which to come back to tasks.
    pub(crate) fn come_back(&self, command: &str, ids: &[&str]) -> String {
        self.way.command(command, ids)
    }

    /// Says that something cannot be remembered: what there is to do is done all the same.
    pub(crate) fn remembering<T>(&self, done: Result<T, Failure>) {
        if let Err(failure) = done {
            let sentence = format!("this is not remembered: {failure}");
            self.screen.say("note", json!({ "text": sentence }), &sentence);
        }
    }
}

/// What every request says.
fn dressed(mut connect: Connect, server: &Server) -> Result<Connect, Failure> {
    let variable = |name: &str| env::var(name).ok();
    for header in &server.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::Usage(format!("--header {header}: a header is `Name: value`")))?;
        connect = connect.header(name.trim(), with_variables(value.trim(), variable)?);
    }
    if let Some(bearer) = &server.bearer {
        connect = connect.bearer(with_variables(bearer, variable)?);
    }
    if !server.roots.is_empty() {
        let root = |folder: &std::path::PathBuf| {
            let whole = folder
                .canonicalize()
                .map_err(|error| Failure::File(format!("--root {}: {error}", folder.display())))?;
            let name = whole.file_name().map(|name| name.to_string_lossy().into_owned());
            Ok(Root { uri: file_uri(&whole), name })
        };
        connect = connect.roots(server.roots.iter().map(root).collect::<Result<Vec<_>, Failure>>()?);
    }
    let revisions = match server.revisions {
        Revisions::Any => client::Revisions::Any,
        Revisions::Modern => client::Revisions::Modern,
        Revisions::Legacy => client::Revisions::Legacy,
    };
    Ok(connect.revisions(revisions).persistence(server.persist))
}

/// A folder as a URI: what is no letter, digit or usual sign is written as `%XX`.
fn file_uri(path: &std::path::Path) -> String {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let written =
        |byte: u8| if is_usual(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let path: String = path.to_string_lossy().bytes().map(written).collect();
    format!("file://{path}")
}

/// The client with somebody who answers what it is asked.
fn answered(connect: Connect, asker: &Arc<Asker>) -> Connect {
    let (forms, pages, conversations) = (Arc::clone(asker), Arc::clone(asker), Arc::clone(asker));
    connect
        .elicitation(move |form| {
            let asker = Arc::clone(&forms);
            async move { asker.form(form).await }
        })
        .elicitation_url(move |page| {
            let asker = Arc::clone(&pages);
            async move { asker.page(page).await }
        })
        .sampling(move |conversation| {
            let asker = Arc::clone(&conversations);
            async move { asker.conversation(conversation).await }
        })
}

/// Shows what the server logs.
fn told(screen: &Screen, log: &Value) {
    let level = one_line(log["level"].as_str().unwrap_or("log"));
    let logger = log["logger"].as_str().map_or_else(String::new, |name| format!(" ({})", one_line(name)));
    screen.mention("log", json!({ "log": log }), &format!("{level}{logger}: {}", short(&log["data"])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_uri() {
        assert_eq!(file_uri("/home/ada/my work".as_ref()), "file:///home/ada/my%20work");
        assert_eq!(file_uri("/größe".as_ref()), "file:///gr%C3%B6%C3%9Fe");
    }
}
