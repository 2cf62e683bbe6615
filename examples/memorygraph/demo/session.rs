//! A client for the demonstration: JSON-RPC in messages of text.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

/// A conversation with a server.
pub(super) struct Session {
    to_server: UnboundedSender<String>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
}

/// Who waits for what.
#[derive(Default)]
struct Waiting {
    /// For an answer, by the number of the request; nobody may, once the server is gone.
    answers: Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>,
    /// For progress, by token.
    progress: Mutex<HashMap<u64, UnboundedSender<Progress>>>,
}

type Answer = Result<Value, SessionError>;

/// How far a request is, as the server tells it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Progress {
    #[serde(rename = "progress")]
    pub(super) done: f64,
    pub(super) total: Option<f64>,
    #[serde(default)]
    pub(super) message: String,
}

/// Why a request has no result.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The server answered with an error.
    Refused { method: &'static str, message: String },
    /// The server went away.
    Closed,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { method, message } => write!(f, "the server refused {method}: {message}"),
            Self::Closed => f.write_str("the server went away"),
        }
    }
}

impl std::error::Error for SessionError {}

impl Session {
    /// Talks to the server that gets what is sent `to_server`, and sends what comes `from_server`.
    pub(super) fn over(to_server: UnboundedSender<String>, from_server: UnboundedReceiver<String>) -> Self {
        let waiting = Arc::new(Waiting { answers: Mutex::new(Some(HashMap::new())), ..Waiting::default() });
        tokio::spawn(listen(from_server, Arc::clone(&waiting)));
        Self { to_server, waiting, next: AtomicU64::new(1) }
    }

    /// Asks for something, and waits for the answer.
    pub(super) async fn request(&self, method: &'static str, params: Value) -> Answer {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting.answers).as_mut().ok_or(SessionError::Closed)?.insert(id, answer);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        match answered.await.unwrap_or(Err(SessionError::Closed)) {
            Err(SessionError::Refused { message, .. }) => Err(SessionError::Refused { method, message }),
            answer => answer,
        }
    }

    /// Tells something that nobody answers.
    pub(super) fn notify(&self, method: &'static str) -> Result<(), SessionError> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method }))
    }

    /// A token to send along with a request, and the progress that the server tells of it.
    pub(super) fn progress(&self) -> (u64, UnboundedReceiver<Progress>) {
        let token = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.waiting.progress).insert(token, sender);
        (token, receiver)
    }

    fn send(&self, message: &Value) -> Result<(), SessionError> {
        self.to_server.send(message.to_string()).map_err(|_| SessionError::Closed)
    }
}

/// Hands on what the server says to whoever waits for it, until the server goes away.
async fn listen(mut from_server: UnboundedReceiver<String>, waiting: Arc<Waiting>) {
    while let Some(text) = from_server.recv().await {
        if let Ok(message) = serde_json::from_str(&text) {
            waiting.hand_on(message);
        }
    }
    // Nobody will be answered any more.
    lock(&waiting.answers).take();
    lock(&waiting.progress).clear();
}

impl Waiting {
    fn hand_on(&self, mut message: Value) {
        if message["method"] == "notifications/progress" {
            let params = message["params"].take();
            let token = params["progressToken"].as_u64().unwrap_or_default();
            if let (Some(to), Ok(progress)) =
                (lock(&self.progress).get(&token), serde_json::from_value(params))
            {
                // Whoever has stopped to listen needs no progress.
                let _ = to.send(progress);
            }
            return;
        }
        let asked = message["id"].as_u64().and_then(|id| lock(&self.answers).as_mut()?.remove(&id));
        let Some(asked) = asked else { return };
        let answer = match message["error"]["message"].as_str() {
            Some(error) => Err(SessionError::Refused { method: "", message: error.to_owned() }),
            None => Ok(message["result"].take()),
        };
        // Whoever has stopped to wait needs no answer.
        let _ = asked.send(answer);
    }
}

/// Nothing that is done under these locks can panic half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session with a server that answers each message as `answer` does, and goes away when that gives none.
    fn session(answer: impl Fn(Value) -> Option<Vec<Value>> + Send + 'static) -> Session {
        let (to_server, mut asked) = mpsc::unbounded_channel::<String>();
        let (answers, from_server) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(text) = asked.recv().await {
                let Some(told) = answer(serde_json::from_str(&text).expect("JSON")) else { return };
                for message in told {
                    answers.send(message.to_string()).expect("the session listens");
                }
            }
        });
        Session::over(to_server, from_server)
    }

    #[tokio::test]
    async fn each_request_gets_its_own_answer() {
        let session = session(|asked| {
            Some(vec![json!({ "jsonrpc": "2.0", "id": asked["id"], "result": asked["method"] })])
        });
        let (ping, list) =
            tokio::join!(session.request("ping", json!({})), session.request("tools/list", json!({})));
        assert_eq!((ping.expect("answered"), list.expect("answered")), (json!("ping"), json!("tools/list")));
    }

    #[tokio::test]
    async fn progress_reaches_whoever_has_its_token() {
        let session = session(|asked| {
            let told = json!({ "progressToken": asked["params"]["token"], "progress": 3, "total": 9, "message": "on" });
            let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": told });
            Some(vec![progress, json!({ "jsonrpc": "2.0", "id": asked["id"], "result": {} })])
        });
        let (token, mut progress) = session.progress();
        session.request("work", json!({ "token": token })).await.expect("answered");
        let told = Progress { done: 3.0, total: Some(9.0), message: "on".into() };
        assert_eq!(progress.recv().await, Some(told));
    }

    #[tokio::test]
    async fn an_error_names_the_request_and_says_why() {
        let session = session(|asked| {
            let error = json!({ "code": -32601, "message": "no such method" });
            Some(vec![json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error })])
        });
        let error = session.request("walk/dog", json!({})).await.expect_err("refused");
        assert_eq!(error.to_string(), "the server refused walk/dog: no such method");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_server_that_went_away() {
        let session = session(|_| None);
        assert!(session.request("ping", json!({})).await.is_err());
        assert!(session.request("ping", json!({})).await.is_err());
    }
}
