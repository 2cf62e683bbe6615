//! A client that does one of everything, each in a few lines: what the client scenarios of the official conformance suite
//! ask for.
//!
//! ```text
//! MCP_CONFORMANCE_SCENARIO=tools_call cargo run --example everything-client -- http://localhost:3000/mcp
//! ```
//!
//! The suite names the scenario, the revision of the protocol and some context in the environment, and gives the address of
//! its server as the last argument.

use std::env;
use std::process::ExitCode;

use mcp_runtime::client::{Client, Conversation, Error, Form, ModelAnswer, Revisions};
use mcp_runtime::input::Root;
use mcp_runtime::{Elicited, ProtocolError};
use serde::Deserialize;
use serde_json::{Value, json};

/// Agrees to whatever is asked. What the form has defaults for is filled in with them.
async fn agree(form: Form) -> Elicited<Value> {
    let mut content = json!({});
    for (name, property) in form.schema["properties"].as_object().into_iter().flatten() {
        if property.get("default").is_none() {
            content[name] = match property["type"].as_str() {
                Some("boolean") => true.into(),
                Some("integer" | "number") => 1.into(),
                _ => "yes".into(),
            };
        }
    }
    Elicited::Accepted(content)
}

/// A model that is not much of one.
async fn think(_: Conversation) -> Result<ModelAnswer, ProtocolError> {
    Ok(ModelAnswer::text("none", "I would rather not say."))
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = env::args().next_back().filter(|url| url.starts_with("http")) else {
        eprintln!("usage: everything-client URL");
        return ExitCode::from(2);
    };
    let scenario = env::var("MCP_CONFORMANCE_SCENARIO").unwrap_or_default();
    match run(&scenario, &url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("everything-client: {scenario}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(scenario: &str, url: &str) -> Result<(), Error> {
    let revisions = match env::var("MCP_CONFORMANCE_PROTOCOL_VERSION").as_deref() {
        Ok("2026-07-28") => Revisions::Modern,
        Ok(_) => Revisions::Legacy,
        Err(_) => Revisions::Any,
    };
    let client = Client::http(url)
        .named("everything-client", env!("CARGO_PKG_VERSION"))
        .revisions(revisions)
        .elicitation(agree)
        .sampling(think)
        .roots([Root { uri: "file:///tmp".to_owned(), name: None }])
        .connect()
        .await?;
    let outcome = play(scenario, &client).await;
    client.close().await;
    outcome
}

async fn play(scenario: &str, client: &Client) -> Result<(), Error> {
    match scenario {
        "tools_call" => {
            client.list_tools().await?;
            let sum = client.call_tool("add_numbers", json!({ "a": 5, "b": 3 })).await?;
            println!("{}", sum.text());
        }
        "elicitation-sep1034-client-defaults" => {
            client.list_tools().await?;
            client.call_tool("test_client_elicitation_defaults", json!({})).await?;
        }
        "sse-retry" => {
            client.list_tools().await?;
            client.call_tool("test_reconnection", json!({})).await?;
        }
        "json-schema-2020-12-preservation" => {
            let tools = client.list_tools().await?;
            let schema = tools.into_iter().find(|tool| tool.name == "json_schema_2020_12_tool");
            let schema = schema.map(|tool| tool.input_schema).unwrap_or_default();
            client.call_tool("json_schema_echo", json!({ "schema": schema })).await?;
        }
        "sep-2322-client-request-state" => {
            for tool in [
                "test_mrtr_echo_state",
                "test_mrtr_no_state",
                "test_mrtr_unrelated",
                "test_mrtr_no_result_type",
            ] {
                client.call_tool(tool, json!({})).await?;
            }
        }
        "http-standard-headers" => use_everything(client).await?,
        "http-custom-headers" => {
            client.list_tools().await?;
            for Call { name, arguments } in context().tool_calls {
                client.call_tool(name, arguments).await?;
            }
        }
        "http-invalid-tool-headers" => {
            for tool in client.list_tools().await? {
                println!("{}", tool.name);
            }
            client.call_tool("valid_tool", json!({ "region": "us-west1" })).await?;
        }
        _ => drop(client.list_tools().await?),
    }
    Ok(())
}

/// Lists all that the server offers, and uses the first of each.
async fn use_everything(client: &Client) -> Result<(), Error> {
    if let Some(tool) = client.list_tools().await?.into_iter().next() {
        client.call_tool(tool.name, json!({})).await?;
    }
    for resource in client.list_resources().await?.iter().take(1) {
        client.read_resource(resource["uri"].as_str().unwrap_or_default()).await?;
    }
    for prompt in client.list_prompts().await?.iter().take(1) {
        client.get_prompt(prompt["name"].as_str().unwrap_or_default(), json!({})).await?;
    }
    Ok(())
}

/// What a scenario says beside its name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context {
    tool_calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    name: String,
    arguments: Value,
}

fn context() -> Context {
    let context = env::var("MCP_CONFORMANCE_CONTEXT").unwrap_or_default();
    serde_json::from_str(&context).unwrap_or_default()
}
