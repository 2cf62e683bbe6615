//! A server over HTTP that ends and is there again: sessions are begun anew, and what it forgot is told.

use std::net::TcpListener;
use std::time::Duration;

use mcp_runtime::client::{Client, Error, Revisions};
use serde_json::json;
use tests::Listening;

/// An address that nobody listens at.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").to_string()
}

fn start(address: &str) -> Listening {
    Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &["--http", address])
}

#[tokio::test]
async fn a_server_that_is_there_again_is_gone_on_with() {
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let address = free_address();
        let server = start(&address);
        let connect = Client::http(server.url()).revisions(revisions).persistence(Duration::from_millis(500));
        let client = connect.connect().await.expect("a server");
        let task = client.call_tool("wait", json!({ "gate": "g" })).create_task(true).send().await;
        let task = task.expect("a task");

        drop(server);
        let gone = client.call_tool("greet", json!({ "name": "Ada" })).await;
        assert!(matches!(gone, Err(Error::Lost(_))), "{gone:?}");

        let _server = start(&address);
        let greeting = client.call_tool("greet", json!({ "name": "Ada" })).await.expect("a greeting");
        assert!(greeting.text().contains("Ada"));
        // Its tasks were in its memory.
        let forgotten = client.get_task_status(task.id()).await;
        assert!(matches!(forgotten, Err(Error::TaskExpired { .. })), "{forgotten:?}");
    }
}
