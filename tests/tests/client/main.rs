//! This project's client: over pipes and over HTTP, by the stateless protocol and by the revisions before it.

mod asking;
mod calls;
mod hostile;
mod in_process;
mod listening;
mod lists;
mod others;
mod proxy;
mod receiving;
mod restarts;
mod scripted;
mod secure;
mod tasks;
mod trouble;
mod typed;

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use mcp_runtime::client::{Client, Connect, Conversation, Form, ModelAnswer, Page, Revisions};
use mcp_runtime::input::Root;
use mcp_runtime::{Elicited, ProtocolError};
use serde_json::{Value, json};
use tests::Listening;

/// How a client reaches the fixture.
#[derive(Clone, Copy, Debug)]
struct Way {
    over_http: bool,
    revisions: Revisions,
}

const WAYS: [Way; 4] = [
    Way { over_http: false, revisions: Revisions::Modern },
    Way { over_http: true, revisions: Revisions::Modern },
    Way { over_http: false, revisions: Revisions::Legacy },
    Way { over_http: true, revisions: Revisions::Legacy },
];

impl Way {
    fn is_modern(self) -> bool {
        self.revisions == Revisions::Modern
    }
}

/// The fixture, and how to connect to it.
struct Fixture {
    way: Way,
    listening: Option<Listening>,
}

const ARGUMENTS: [&str; 2] = ["--asking", "--offers"];

impl Fixture {
    fn start(way: Way) -> Self {
        let start = || {
            let arguments = [&["--http", "127.0.0.1:0"][..], &ARGUMENTS].concat();
            Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &arguments)
        };
        Self { way, listening: way.over_http.then(start) }
    }

    fn connect(&self) -> Connect {
        let connect = match &self.listening {
            Some(listening) => Client::http(listening.url()),
            None => Client::process(program(&ARGUMENTS)),
        };
        connect.revisions(self.way.revisions).named("tests", "1.0.0")
    }

    async fn client(&self) -> Client {
        self.connect().connect().await.expect("the fixture is there")
    }
}

/// The fixture as a child process.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fixture"));
    command.args(arguments).stderr(Stdio::inherit());
    command
}

/// A test, in every way that there is to the fixture.
async fn everywhere(test: impl AsyncFn(Way, &Fixture)) {
    for way in WAYS {
        eprintln!("{way:?}");
        test(way, &Fixture::start(way)).await;
    }
}

/// What a client was asked, in order.
type Asked = Arc<Mutex<Vec<String>>>;

/// Somebody who answers everything, under a name.
fn answering(connect: Connect, asked: &Asked) -> Connect {
    let note = |asked: &Asked| {
        let asked = Arc::clone(asked);
        move |what: String| asked.lock().expect("nobody panicked").push(what)
    };
    let (form, page, model) = (note(asked), note(asked), note(asked));
    connect
        .elicitation(move |ask: Form| {
            form(ask.message);
            async { Elicited::Accepted(json!({ "name": "Ada" })) }
        })
        .elicitation_url(move |ask: Page| {
            page(ask.url);
            async { Elicited::Accepted(()) }
        })
        .sampling(move |ask: Conversation| {
            model(ask.messages[0]["content"]["text"].as_str().unwrap_or_default().to_owned());
            async { Ok::<_, ProtocolError>(ModelAnswer::text("test-model", "nothing")) }
        })
        .roots([Root { uri: "file:///tmp".to_owned(), name: None }])
}

fn asked(asked: &Asked) -> Vec<String> {
    asked.lock().expect("nobody panicked").clone()
}

/// Opens a gate of the fixture's.
async fn open(client: &Client, gate: &str) {
    client.call_tool("open", json!({ "gate": gate })).await.expect("a gate can be opened");
}

/// Waits for a gate of the fixture's.
async fn pass(client: &Client, gate: &str) {
    client.call_tool("pass", json!({ "gate": gate })).await.expect("the gate is opened");
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["name"].as_str()).collect()
}
