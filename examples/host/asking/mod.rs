//! What the server asks: put to whoever sits at the terminal, answered as the command line says, or declined.

mod field;
mod lines;
mod prepared;
mod typed;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use mcp_runtime::client::{Conversation, Form, ModelAnswer, Page};
use mcp_runtime::{Elicited, ProtocolError};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use self::prepared::Prepared;
use self::typed::Typed;
use crate::arguments::Manner;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::screen::text::one_line;

/// The code by which a person's no to a conversation is told, as the specification has it in its example.
const REJECTED: i64 = -1;

/// What the model is called that a person plays.
const PERSON: &str = "a person";

/// Who answers what the server asks, one question after the other.
#[derive(Debug)]
pub(crate) struct Asker {
    who: Who,
    screen: Arc<Screen>,
    turn: Mutex<()>,
}

#[derive(Debug)]
enum Who {
    Person(Typed),
    Prepared(Prepared),
    /// There is no terminal.
    Nobody,
}

impl Asker {
    /// `server` is what the server is called where somebody is asked.
    pub(crate) fn new(manner: &Manner, screen: &Arc<Screen>, server: &str) -> Result<Self, Failure> {
        let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let who = match &manner.answers {
            Some(answers) => Who::Prepared(Prepared::read(answers)?),
            None if is_terminal && !manner.json => Who::Person(Typed::new(server)),
            None => Who::Nobody,
        };
        Ok(Self { who, screen: Arc::clone(screen), turn: Mutex::new(()) })
    }

    /// A form is filled in.
    pub(crate) async fn form(&self, form: Form) -> Elicited<Value> {
        let _turn = self.turn.lock().await;
        self.asked("form", json!({ "message": form.message, "schema": form.schema }));
        let (answer, why) = match &self.who {
            Who::Person(typed) => (typed.form(&self.screen.hold(), &form).await, None),
            Who::Prepared(prepared) => prepared.fill_in(&form),
            Who::Nobody => (Elicited::Declined, Some(nobody())),
        };
        self.answered(&form.message, &answer, why.as_deref());
        answer
    }

    /// A page is agreed to.
    pub(crate) async fn page(&self, page: Page) -> Elicited<()> {
        let _turn = self.turn.lock().await;
        self.asked("url", json!({ "message": page.message, "url": page.url }));
        let (answer, why) = match &self.who {
            Who::Person(typed) => (typed.page(&self.screen.hold(), &page).await, None),
            Who::Prepared(prepared) if prepared.url => (Elicited::Accepted(()), None),
            Who::Prepared(_) => (Elicited::Declined, Some("--answers does not agree to pages".to_owned())),
            Who::Nobody => (Elicited::Declined, Some(nobody())),
        };
        self.answered(&page.message, &answer, why.as_deref());
        answer
    }

    /// A conversation is gone on with.
    pub(crate) async fn conversation(
        &self,
        conversation: Conversation,
    ) -> Result<ModelAnswer, ProtocolError> {
        let _turn = self.turn.lock().await;
        let Conversation { messages, system_prompt, max_tokens, .. } = &conversation;
        self.asked(
            "sampling",
            json!({ "messages": messages, "system_prompt": system_prompt, "max_tokens": max_tokens }),
        );
        let (answer, why) = match &self.who {
            Who::Person(typed) => (typed.conversation(&self.screen.hold(), &conversation).await, None),
            Who::Prepared(prepared) => {
                let why = prepared.sampling.is_none().then(|| "--answers has no `$sampling`".to_owned());
                (prepared.sampling.clone(), why)
            }
            Who::Nobody => (None, Some(nobody())),
        };
        let action = answer.clone().map_or(Elicited::Declined, Elicited::Accepted);
        self.answered("a conversation to go on with", &action, why.as_deref());
        match answer {
            Some(text) => Ok(ModelAnswer::text(PERSON, text)),
            None => Err(ProtocolError::new(REJECTED, "the user does not want the conversation to go on")),
        }
    }

    /// Tells scripts what is asked; people see it where they are asked.
    fn asked(&self, kind: &str, mut question: Value) {
        if self.screen.is_json() {
            question["kind"] = kind.into();
            self.screen.say("question", question, "");
        }
    }

    fn answered<T: serde::Serialize>(&self, message: &str, answer: &Elicited<T>, why: Option<&str>) {
        let (action, content) = match answer {
            Elicited::Accepted(content) => ("accept", json!(content)),
            Elicited::Declined => ("decline", Value::Null),
            Elicited::Cancelled => ("cancel", Value::Null),
        };
        let because = why.map_or_else(String::new, |why| format!(": {why}"));
        let what = match answer {
            Elicited::Accepted(_) => "answered",
            Elicited::Declined => "declined",
            Elicited::Cancelled => "closed without an answer",
        };
        let sentence = format!("{what} what the server asked ({}){because}", one_line(message));
        let members = json!({ "action": action, "content": content, "why": why });
        if why.is_some() {
            self.screen.say("answer", members, &sentence);
        } else if self.screen.is_json() || matches!(self.who, Who::Prepared(_)) {
            // Whoever typed it knows.
            self.screen.mention("answer", members, &sentence);
        }
    }
}

fn nobody() -> String {
    "there is no terminal to ask at; --answers can answer".to_owned()
}
