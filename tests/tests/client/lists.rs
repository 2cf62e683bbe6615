//! Lists, prompts, resources, and the headers that repeat arguments.

use mcp_runtime::client::{Client, Revisions};
use serde_json::json;
use tests::Listening;

use crate::{everywhere, names, program};

#[tokio::test]
async fn lists_are_put_together_from_their_pages() {
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let paged = Client::process(program(&["--offers", "--page-size=2"])).revisions(revisions);
        let whole = Client::process(program(&["--offers"])).revisions(revisions);
        let paged = paged.connect().await.expect("a server");
        let whole = whole.connect().await.expect("a server");
        let (some, all) =
            (paged.list_tools().await.expect("tools"), whole.list_tools().await.expect("tools"));
        assert!(all.len() > 20 && some == all, "{} and {}", some.len(), all.len());
        assert_eq!(
            paged.list_prompts().await.expect("prompts"),
            whole.list_prompts().await.expect("prompts")
        );
    }
}

#[tokio::test]
async fn prompts_and_resources_are_had_on_every_way() {
    everywhere(async |_, fixture| {
        let client = fixture.client().await;
        assert!(names(&client.list_prompts().await.expect("prompts")).contains(&"welcome"));
        let prompt = client.get_prompt("welcome", json!({})).await.expect("a prompt");
        assert!(prompt["messages"][0]["role"].is_string(), "{prompt}");
        let resources = client.list_resources().await.expect("resources");
        let uri = resources[0]["uri"].as_str().expect("a URI");
        let contents = client.read_resource(uri).await.expect("contents");
        assert_eq!(contents["contents"][0]["uri"], uri);
        assert!(!client.list_resource_templates().await.expect("templates").is_empty());
    })
    .await;
}

#[tokio::test]
async fn arguments_are_repeated_in_headers_whether_or_not_tools_were_listed() {
    let arguments = ["--http", "127.0.0.1:0", "--http-strict"];
    let server = Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &arguments);
    for is_listed in [true, false] {
        let client = Client::http(server.url()).connect().await.expect("a server");
        if is_listed {
            client.list_tools().await.expect("tools");
        }
        for region in ["us-west1", "Größe", " padded ", ""] {
            let result = client.call_tool("regional", json!({ "region": region })).await.expect("a result");
            assert_eq!(result.text(), region);
        }
    }
}
