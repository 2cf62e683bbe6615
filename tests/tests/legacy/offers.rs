//! Prompts, resources and completions, subscriptions to resources, and tasks of prompts and resources.

use serde_json::{Value, json};
use tests::{LEGACY, Process, fixture, names};

use crate::{REVISIONS, session};

/// The fixture with prompts and resources.
fn offering() -> Process {
    session(fixture!("--offers"))
}

fn subscribe(server: &mut Process, uri: &str) -> Value {
    server.ok("resources/subscribe", json!({ "uri": uri }))
}

#[test]
fn each_revision_is_told_what_it_knows() {
    for revision in REVISIONS {
        let mut capabilities = fixture!("--offers").initialize(revision)["capabilities"].take();
        let changing = json!({ "listChanged": true });
        assert_eq!((&capabilities["tools"], &capabilities["prompts"]), (&changing, &changing));
        assert_eq!(capabilities["resources"], json!({ "listChanged": true, "subscribe": true }));
        assert_eq!(capabilities["logging"], json!({}));
        assert_eq!(capabilities.get("completions").is_some(), revision != "2024-11-05");
        let tasks = if revision == LEGACY {
            json!({ "tools": { "call": {} }, "prompts": { "get": {} }, "resources": { "read": {} } })
        } else {
            Value::Null
        };
        assert_eq!(capabilities["tasks"]["requests"].take(), tasks, "{revision}");
    }
}

#[test]
fn every_revision_reads_gets_and_completes() {
    for revision in REVISIONS {
        let mut server = fixture!("--offers");
        server.initialize(revision);
        assert_eq!(server.ok("prompts/list", json!({}))["prompts"][0]["name"], "welcome");
        assert_eq!(server.ok("prompts/get", json!({ "name": "welcome" }))["messages"][0]["role"], "user");
        assert_eq!(server.ok("resources/list", json!({}))["resources"][0]["uri"], "test://static-text");
        server.ok("resources/templates/list", json!({}));
        let read = server.ok("resources/read", json!({ "uri": "test://static-binary" }));
        assert_eq!(
            read,
            json!({ "contents": [{ "uri": "test://static-binary", "mimeType": "image/png", "blob": "AQID" }] })
        );
        let reference = json!({ "type": "ref/prompt", "name": "review" });
        let argument = json!({ "name": "language", "value": "r" });
        let completed = server.ok("completion/complete", json!({ "ref": reference, "argument": argument }));
        assert_eq!(completed["completion"]["values"], json!(["Rust"]));
        assert_eq!(server.ok("logging/setLevel", json!({ "level": "warning" })), json!({}));
    }
}

#[test]
fn a_resource_that_is_not_there_has_the_code_of_these_revisions() {
    let refusal = offering().refused("resources/read", json!({ "uri": "note://7" }));
    assert_eq!((refusal.code, refusal.data), (-32002, json!({ "uri": "note://7" })));
    let refusal = offering().refused("resources/subscribe", json!({ "uri": "test://nonexistent" }));
    assert_eq!(refusal.code, -32002);
}

#[test]
fn a_level_that_there_is_not_is_refused() {
    let mut server = offering();
    for params in [json!({ "level": "loud" }), json!({})] {
        assert_eq!(server.refused("logging/setLevel", params).code, -32602);
    }
}

#[test]
fn every_list_that_changes_is_told_unasked() {
    let mut server = offering();
    for (kind, method) in [
        ("tool", "notifications/tools/list_changed"),
        ("prompt", "notifications/prompts/list_changed"),
        ("resource", "notifications/resources/list_changed"),
    ] {
        server.call("extend", json!({ "kind": kind, "names": ["extra_1", "extra_2"] }));
        let told = server.notification();
        assert_eq!(told["method"], method);
        assert!(told["params"].get("_meta").is_none());
    }
}

#[test]
fn who_subscribed_to_a_resource_hears_of_it_until_unsubscribing() {
    let mut server = offering();
    assert_eq!(subscribe(&mut server, "test://static-text"), json!({}));
    subscribe(&mut server, "note://1");
    subscribe(&mut server, "note://1");
    server.call("touch", json!({ "uris": ["note://2", "note://1"] }));
    assert_eq!(server.notification()["params"], json!({ "uri": "note://1" }));
    assert_eq!(server.ok("resources/unsubscribe", json!({ "uri": "note://1" })), json!({}));
    assert_eq!(server.ok("resources/unsubscribe", json!({ "uri": "nobody://there" })), json!({}));
    server.call("touch", json!({ "uris": ["note://1", "test://static-text"] }));
    assert_eq!(server.notification()["params"], json!({ "uri": "test://static-text" }));
}

#[test]
fn subscriptions_are_as_many_as_the_limit_says() {
    let mut server = session(fixture!("--offers", "--max-resource-subscriptions=4"));
    subscribe(&mut server, "note://1");
    let refusal = server.refused("resources/subscribe", json!({ "uri": "note://2" }));
    assert!(refusal.message.contains("max_resource_subscriptions"), "{refusal}");
    let long = format!("file:///{}", "a".repeat(10_000));
    assert_eq!(server.refused("resources/subscribe", json!({ "uri": long })).code, -32602);
}

#[test]
fn a_prompt_and_a_resource_become_tasks_where_the_client_asks_for_it() {
    let mut server = offering();
    for (method, params, member) in [
        ("prompts/get", json!({ "name": "ponder", "arguments": { "gate": "a" }, "task": {} }), "messages"),
        ("resources/read", json!({ "uri": "slow://a", "task": { "ttl": 60_000 } }), "contents"),
    ] {
        let task = server.ok(method, params)["task"].take();
        assert_eq!(task["status"], "working");
        server.open_gate("a");
        let result = server.ok("tasks/result", json!({ "taskId": task["taskId"] }));
        assert!(result.get(member).is_some(), "{result}");
        assert_eq!(result["_meta"][names::RELATED_TASK]["taskId"], task["taskId"]);
        assert_eq!(server.state(&task)["status"], "completed");
    }
    let refusal = server.refused("prompts/get", json!({ "name": "welcome", "task": {} }));
    assert_eq!(refusal.code, -32601, "it cannot be one");
}

/// A template stands for many resources, and a key of an idempotent request is of one of them.
#[test]
fn one_key_for_two_resources_makes_two_tasks() {
    let mut server = offering();
    let mut read = |uri: &str| {
        let params = json!({ "uri": uri, "task": {}, "idempotencyKey": "once" });
        server.ok("resources/read", params)["task"]["taskId"].take()
    };
    let (one, other) = (read("slow://a"), read("slow://b"));
    assert_ne!(one, other);
    assert_eq!(read("slow://a"), one);
}

#[test]
fn reading_as_a_task_can_be_cancelled() {
    let mut server = offering();
    let task = server.ok("resources/read", json!({ "uri": "slow://a", "task": {} }))["task"].take();
    server.ok("tasks/cancel", json!({ "taskId": task["taskId"] }));
    assert_eq!(server.refused("tasks/result", json!({ "taskId": task["taskId"] })).code, -32603);
}
