//! Answers to what tasks of the extension want to know. Each question is put to its handler once, however often it is seen.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::client::ask::Ask;
use crate::client::error::Error;
use crate::client::handlers::NoAnswer;
use crate::client::peer::Push;

/// The questions that were seen, by task and key.
#[derive(Debug, Default)]
pub(in crate::client) struct Answers(Mutex<HashMap<Arc<str>, HashMap<String, Answering>>>);

/// How far a question is.
#[derive(Clone, Debug)]
enum Answering {
    /// Somebody is asked, or the answer is on its way.
    Underway,
    /// There is an answer. If the question is seen again, the server has lost it.
    Known(Value),
}

/// What is to be done about a question.
enum Todo {
    /// Somebody is to be asked.
    Ask,
    /// The answer is to be sent.
    Send(Value),
}

impl Answers {
    fn questions(&self) -> MutexGuard<'_, HashMap<Arc<str>, HashMap<String, Answering>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes on a question, unless somebody is at it.
    fn take_on(&self, task: &Arc<str>, key: &str) -> Option<Todo> {
        match self.questions().entry(Arc::clone(task)).or_default().entry(key.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Answering::Underway);
                Some(Todo::Ask)
            }
            Entry::Occupied(mut occupied) => match occupied.insert(Answering::Underway) {
                Answering::Underway => None,
                Answering::Known(answer) => Some(Todo::Send(answer)),
            },
        }
    }

    fn put(&self, task: &Arc<str>, key: &str, answering: Option<Answering>) {
        let mut questions = self.questions();
        let Some(of_task) = questions.get_mut(task) else { return };
        match answering {
            Some(answering) => drop(of_task.insert(key.to_owned(), answering)),
            None => drop(of_task.remove(key)),
        }
    }

    /// The task is over.
    pub(super) fn forget(&self, task: &str) {
        self.questions().remove(task);
    }
}

/// Has all questions answered that nobody is at. What cannot be answered is told to the follower of the task.
pub(super) fn answer(
    client: &Client,
    task: &Arc<str>,
    questions: &Map<String, Value>,
    follower: &mpsc::Sender<Push>,
) {
    for (key, question) in questions {
        let Some(todo) = client.answers().take_on(task, key) else { continue };
        let (client, task, key) = (client.clone(), Arc::clone(task), key.clone());
        let (question, follower) = (question.clone(), follower.clone());
        tokio::spawn(async move {
            let answered = answer_one(&client, &task, &key, &question, todo).await;
            if let Err(error) = answered {
                // Whoever reads nothing more does not want to know.
                let _ = follower.send(Push::Unanswered(error)).await;
            }
        });
    }
}

async fn answer_one(
    client: &Client,
    task: &Arc<str>,
    key: &str,
    question: &Value,
    todo: Todo,
) -> Result<(), Error> {
    let answer = match todo {
        Todo::Send(answer) => answer,
        Todo::Ask => match ask(client, question).await {
            Ok(answer) => answer,
            Err(error) => {
                client.answers().put(task, key, None);
                return Err(error);
            }
        },
    };
    let params = json!({ "taskId": &**task, "inputResponses": { key: answer } });
    let sent = client.connection().request(&Ask::new("tasks/update", params, client.settings())).await;
    client.answers().put(task, key, Some(Answering::Known(answer)));
    match sent {
        Ok(_) => Ok(()),
        // A task that is over has no questions any more.
        Err(Error::Refused(error)) => {
            tracing::debug!(%error, task = &**task, key, "an answer came too late");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Puts a question of the stateless protocol to its handler.
pub(in crate::client) async fn ask(client: &Client, question: &Value) -> Result<Value, Error> {
    let method = question["method"].as_str().unwrap_or_default();
    let params = question.get("params").cloned().unwrap_or_else(|| json!({}));
    client
        .connection()
        .peer
        .handlers
        .answer(method, params)
        .await
        .map_err(|NoAnswer(error)| Error::Unanswered { method: method.to_owned(), reason: error.to_string() })
}
