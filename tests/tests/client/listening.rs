//! What changes on a server is heard of, over connections that come and go.

use std::process::Command;
use std::time::Duration;

use mcp_runtime::client::{Change, Changes, Client, Error, Revisions};
use mcp_runtime::prelude::*;
use serde_json::json;
use tests::Listening;

use crate::{everywhere, restarts};

const URI: &str = "file:///watched";

fn watched() -> Change {
    Change::Resource(URI.to_owned())
}

async fn extend(client: &Client, kind: &str, name: &str) {
    let arguments = json!({ "kind": kind, "names": [name] });
    let extended = client.call_tool("extend", arguments).await.expect("a result");
    assert!(!extended.is_error(), "{extended:?}");
}

async fn touch(client: &Client, uri: &str) {
    client.call_tool("touch", json!({ "uris": [uri] })).await.expect("a result");
}

/// Reads until this has changed.
async fn heard(changes: &mut Changes, change: &Change) {
    while changes.next().await.expect("it goes on") != *change {}
}

#[tokio::test]
async fn changes_of_lists_and_resources_are_heard_of() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let lists = [Change::Tools, Change::Prompts, Change::Resources];
        let wanted = lists.clone().into_iter().chain([watched()]);
        let mut changes = client.listen(wanted).await.expect("it is offered");
        assert_eq!(changes.granted().len(), 4, "{changes:?}");
        let before = client.list_tools().await.expect("tools").len();
        for (kind, list) in ["tool", "prompt", "resource"].into_iter().zip(&lists) {
            extend(&client, kind, "another").await;
            assert_eq!(changes.next().await.expect("it goes on"), *list);
        }
        assert_eq!(client.list_tools().await.expect("tools").len(), before + 1);
        // What nobody listens for is not told.
        touch(&client, "file:///other").await;
        touch(&client, URI).await;
        assert_eq!(changes.next().await.expect("it goes on"), watched());
    })
    .await;
}

#[tokio::test]
async fn who_listens_for_something_else_does_not_hear_of_it() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        let mut tools = client.listen([Change::Tools]).await.expect("it is offered");
        let mut resource = client.listen([watched()]).await.expect("it is offered");
        extend(&client, "tool", "another").await;
        touch(&client, URI).await;
        assert_eq!(tools.next().await.expect("it goes on"), Change::Tools);
        assert_eq!(resource.next().await.expect("it goes on"), watched());
        // Another one takes over where one has left.
        let mut again = client.listen([watched()]).await.expect("it is offered");
        drop(resource);
        touch(&client, URI).await;
        assert_eq!(again.next().await.expect("it goes on"), watched());
    })
    .await;
}

#[tokio::test]
async fn everything_counts_as_changed_when_the_server_is_there_again() {
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let address = restarts::free_address();
        let start = || {
            let arguments = ["--http", &address, "--offers", "--asking"];
            Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &arguments)
        };
        let server = start();
        let client = Client::http(server.url()).revisions(revisions).connect().await.expect("a server");
        let mut changes = client.listen([Change::Prompts, watched()]).await.expect("it is offered");
        drop(server);
        let _server = start();
        heard(&mut changes, &watched()).await;
        touch(&client, URI).await;
        heard(&mut changes, &watched()).await;
    }
}

#[tokio::test]
async fn a_process_that_ended_is_started_again_for_who_listens() {
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_fixture"));
        program.arg("--offers");
        let client = Client::process(program).revisions(revisions).connect().await.expect("a server");
        let mut changes = client.listen([Change::Tools]).await.expect("it is offered");
        client.clone().close().await;
        assert_eq!(changes.next().await.expect("it goes on"), Change::Tools);
        extend(&client, "tool", "another").await;
        assert_eq!(changes.next().await.expect("it goes on"), Change::Tools);
    }
}

#[tokio::test]
async fn a_server_that_tells_nothing_is_not_listened_to() {
    let service = Server::new("silent", "1.0.0").build().expect("it builds");
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let connect = Client::in_process(&service).revisions(revisions);
        let client = connect.request_timeout(Duration::from_secs(5)).connect().await.expect("a server");
        let refused = client.listen([Change::Tools]).await;
        assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
        assert!(matches!(client.listen([]).await, Err(Error::Invalid(_))));
    }
}
