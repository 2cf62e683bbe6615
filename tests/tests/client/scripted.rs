//! A server over HTTP that answers as a script says.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is said to a message: a status, headers, and a body.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: &'static str,
    pub(crate) body: String,
}

impl Said {
    /// An answer with this result.
    pub(crate) fn result(message: &Value, result: &Value) -> Self {
        let answer = serde_json::json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
        Self { status: 200, headers: "content-type: application/json\r\n", body: answer.to_string() }
    }

    /// An answer with this error.
    pub(crate) fn error(message: &Value, status: u16, error: &Value) -> Self {
        let answer = serde_json::json!({ "jsonrpc": "2.0", "id": message["id"], "error": error });
        Self { status, headers: "content-type: application/json\r\n", body: answer.to_string() }
    }

    /// Nothing, as notifications are answered.
    pub(crate) fn nothing() -> Self {
        Self { status: 202, headers: "", body: String::new() }
    }
}

/// What a script says to a message; nothing if it is to wait for ever.
type Script = dyn Fn(&Value) -> Option<Said> + Send + Sync;

/// The server, until it is dropped.
pub(crate) struct Scripted {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    accepting: JoinHandle<()>,
}

impl Scripted {
    pub(crate) async fn start(script: impl Fn(&Value) -> Option<Said> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("it is bound"));
        let (heard, script): (Arc<Mutex<Vec<Value>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let hearing = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&script), Arc::clone(&hearing)));
            }
        });
        Self { url, heard, accepting }
    }

    /// The messages that came, in order, that have this method, or are answers if there is none.
    pub(crate) fn heard(&self, method: Option<&str>) -> Vec<Value> {
        let heard = self.heard.lock().expect("nobody panicked");
        heard.iter().filter(|message| message["method"].as_str() == method).cloned().collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers one request; then the connection ends.
async fn serve(socket: TcpStream, script: Arc<Script>, heard: Arc<Mutex<Vec<Value>>>) {
    let mut socket = BufReader::new(socket);
    let (mut line, mut length, mut is_post) = (String::new(), 0, false);
    while socket.read_line(&mut line).await.is_ok_and(|count| count > 2) {
        is_post |= line.starts_with("POST ");
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if socket.read_exact(&mut body).await.is_err() {
        return;
    }
    let said = if is_post {
        let message: Value = serde_json::from_slice(&body).expect("JSON");
        heard.lock().expect("nobody panicked").push(message.clone());
        script(&message)
    } else {
        Some(Said { status: 405, headers: "", body: String::new() })
    };
    let Some(Said { status, headers, body }) = said else { return std::future::pending().await };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    // A client that is gone need not hear of it.
    let _ = socket.write_all(answer.as_bytes()).await;
}
