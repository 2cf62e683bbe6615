//! Coming to terms: on the stateless revision, by `initialize`, and by trying.

use rmcp::ClientLifecycleMode;
use rmcp::model::ProtocolVersion;
use serde_json::json;

use crate::{call, connect, discover, fixture, text, within_a_minute};

#[tokio::test]
async fn the_client_discovers_who_the_server_is_and_that_it_knows_tasks() {
    within_a_minute(async {
        let client = fixture(true).await;
        let server = client.peer().peer_info().expect("the server told of itself");
        let name = server.server_info.as_ref().map(|server| (server.name.as_str(), server.version.as_str()));
        assert_eq!(name, Some(("fixture", "1.2.3")));
        assert_eq!(server.protocol_version, ProtocolVersion::V_2026_07_28);
        assert_eq!(server.instructions.as_deref(), Some("Every tool here shows one thing."));
        assert!(server.capabilities.supports_tasks() && server.capabilities.tools.is_some());
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_tries_finds_the_stateless_revision() {
    within_a_minute(async {
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        };
        let client = connect(env!("CARGO_BIN_EXE_fixture"), &[], false, lifecycle).await;
        let server = client.peer().peer_info().expect("the server told of itself");
        assert_eq!(server.protocol_version, ProtocolVersion::V_2026_07_28);
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_initializes_is_served_as_it_wishes() {
    within_a_minute(async {
        let client =
            connect(env!("CARGO_BIN_EXE_fixture"), &[], false, ClientLifecycleMode::Initialize).await;
        let server = client.peer().peer_info().expect("the server told of itself");
        assert_eq!(server.protocol_version, ProtocolVersion::V_2025_11_25);
        let sum = client.call_tool(call("add", json!({ "a": 40, "b": 2 }))).await.expect("a result");
        assert_eq!(text(&sum), "42");
        let slow = client.call_tool(call("slow", json!({ "ms": 5 }))).await.expect("a result");
        assert_eq!(text(&slow), "took 5 ms");
        client.cancel().await.expect("the client ends");
    })
    .await;
}

#[tokio::test]
async fn every_page_of_tools_is_found() {
    within_a_minute(async {
        let whole = fixture(false).await;
        let paged = connect(env!("CARGO_BIN_EXE_fixture"), &["--page-size=3"], false, discover()).await;
        let names = |tools: Vec<rmcp::model::Tool>| -> Vec<String> {
            tools.into_iter().map(|tool| tool.name.into_owned()).collect()
        };
        let all = names(whole.peer().list_all_tools().await.expect("a list"));
        assert!(all.iter().any(|name| name == "add") && all.iter().any(|name| name == "total"));
        assert_eq!(names(paged.peer().list_all_tools().await.expect("a list")), all);
        whole.cancel().await.expect("the client ends");
        paged.cancel().await.expect("the client ends");
    })
    .await;
}
