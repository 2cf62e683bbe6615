//! What is offered, and what changes of it while the server runs, in the same process.

use serde_json::json;

use super::*;
use crate::completion::Completion;
use crate::prompt::{PromptCall, PromptDefinition, PromptFuture, PromptResult};
use crate::resource::{ResourceCall, ResourceDefinition, ResourceFuture, ResourceResult};
use crate::tool::{InvalidArguments, ParameterSpec, TaskPolicy, TaskSupport};
use crate::{Context, State};

/// A prompt or a resource that is what its definition says, and gives a word.
struct Made<D>(Box<dyn Fn() -> D + Send + Sync>);

fn made<D>(definition: impl Fn() -> D + Send + Sync + 'static) -> Made<D> {
    Made(Box::new(definition))
}

impl Prompt for Made<PromptDefinition> {
    fn definition(&self) -> PromptDefinition {
        (self.0)()
    }

    fn get(&self, _: PromptCall<'_>, _: Context) -> Result<PromptFuture, InvalidArguments> {
        Ok(Box::pin(async { Ok(PromptResult::new().user("a word")) }))
    }
}

impl Resource for Made<ResourceDefinition> {
    fn definition(&self) -> ResourceDefinition {
        (self.0)()
    }

    fn read(&self, _: ResourceCall<'_>, _: Context) -> Result<ResourceFuture, InvalidArguments> {
        Ok(Box::pin(async { Ok(Some(ResourceResult::text("a word"))) }))
    }
}

fn prompt(name: &'static str) -> Made<PromptDefinition> {
    made(move || PromptDefinition::new(name, "For tests."))
}

fn resource(uri: &'static str) -> Made<ResourceDefinition> {
    made(move || ResourceDefinition::new(uri, "for tests"))
}

fn server() -> Server {
    Server::new("test", "1.0.0")
}

fn suggest(_: Completion, _: State<u64>) -> Vec<String> {
    Vec::new()
}

#[test]
fn building_tells_what_is_wrong_with_prompts_and_resources() {
    let asking = || {
        let parameter = ParameterSpec::new::<String>("a", "").complete(suggest);
        PromptDefinition::new("asking", "For tests.").parameter(parameter)
    };
    let server = server()
        .prompt(prompt("twice"))
        .prompt(prompt("twice"))
        .prompt(made(asking))
        .resource(resource("a://b"))
        .resource(resource("a://b"))
        .resource(resource("a://{b}/c"))
        .resource(resource("a://{d}/c"))
        .resource(resource("a://{b}{c}"));
    let errors = server.build().expect_err("much is wrong").errors().to_vec();
    let expected = [
        "prompt `asking` asks for `State<u64>`",
        "resource `a://{b}{c}`: nothing stands between",
        "two prompts are named `twice`",
        "two resources have the URI `a://b`",
        "the URI templates `a://{d}/c` and `a://{b}/c` match the same URIs",
    ];
    assert_eq!(errors.len(), expected.len(), "{errors:?}");
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn an_empty_list_is_offered_and_can_grow() {
    let service = server().prompts([]).announces_changes().build().expect("it can be built");
    let mut client = service.test_client();
    assert_eq!(client.request("prompts/list", json!({})).await.expect("a list")["prompts"], json!([]));
    service.handle().add_prompt(prompt("late")).expect("it can be added");
    let list = client.request("prompts/list", json!({})).await.expect("a list");
    assert_eq!(list["prompts"][0]["name"], "late");
    assert_eq!(client.request("tools/list", json!({})).await.expect_err("there are none").code, -32601);
}

/// What a client may ask for is told once, so that nothing can be added that would need more.
#[tokio::test]
async fn what_was_not_announced_cannot_be_added() {
    let service = server().prompts([]).build().expect("it can be built");
    let handle = service.handle();
    let error = handle.add_resource(resource("a://b")).expect_err("there were none");
    assert!(error.to_string().contains("without resources"), "{error}");
    let task = TaskPolicy { support: TaskSupport::Optional, ..TaskPolicy::default() };
    let error = handle.add_prompt(made(move || PromptDefinition::new("a", "For tests.").task(task)));
    assert!(error.expect_err("there were none").to_string().contains("tasks of prompts"));
    handle.add_prompts([]).expect("nothing is wrong with nothing");
}

#[tokio::test]
async fn a_handle_of_a_server_that_is_gone_does_nothing() {
    let handle = server().prompts([]).build().expect("it can be built").handle();
    assert!(handle.add_prompt(prompt("late")).is_ok());
    assert!(!handle.remove_prompt("late"));
    handle.resource_updated("a://b");
}

#[tokio::test]
async fn a_removed_prompt_can_be_added_again() {
    let service = server().prompt(prompt("a")).prompt(prompt("b")).build().expect("it can be built");
    let handle = service.handle();
    assert!(handle.remove_prompt("a") && !handle.remove_prompt("a"));
    handle.add_prompt(prompt("a")).expect("its name is free");
    let list = service.test_client().request("prompts/list", json!({})).await.expect("a list");
    assert_eq!((&list["prompts"][0]["name"], &list["prompts"][1]["name"]), (&json!("b"), &json!("a")));
}
