//! `server/discover`, what every request must carry, and in which order it is judged.

use serde_json::{Value, json};
use tests::{LEGACY, MODERN, Process, Refusal, Wire, fixture, names, text};

use crate::{plain, with_tasks};

/// A request whose parameters are sent as they are.
fn bare_request(server: &mut Process, method: &str, params: &Value) -> Result<Value, Refusal> {
    let id = server.next_id();
    server.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    server.answer(&id)
}

fn meta(version: &Value, capabilities: &Value) -> Value {
    json!({ "_meta": { (names::PROTOCOL_VERSION): version, (names::CLIENT_CAPABILITIES): capabilities } })
}

#[test]
fn discovery_tells_everything_of_the_server() {
    let result = plain().ok("server/discover", json!({}));
    assert_eq!(
        result["supportedVersions"],
        json!([MODERN, LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"])
    );
    assert!(result["capabilities"]["tools"].is_object());
    assert_eq!(result["instructions"], "Every tool here shows one thing.");
    let server = json!({ "name": "fixture", "title": "The fixture", "version": "1.2.3" });
    assert_eq!(result["_meta"][names::SERVER_INFO], server);
    assert_eq!((&result["resultType"], &result["cacheScope"]), (&json!("complete"), &json!("public")));
    assert!(result["ttlMs"].as_u64() > Some(0));
}

/// Clients take any setting in there for an extension that they do not know.
#[test]
fn the_tasks_extension_is_announced_with_no_settings() {
    let capabilities = plain().ok("server/discover", json!({}))["capabilities"].take();
    assert_eq!(capabilities["extensions"], json!({ (names::TASKS): {} }));
    assert!(capabilities.get("tasks").is_none(), "that is the word of {LEGACY}");
}

#[test]
fn a_server_without_task_tools_announces_no_extension() {
    let mut server = fixture!("--without-tasks").speaking(Wire::Tasks);
    let capabilities = server.ok("server/discover", json!({}))["capabilities"].take();
    assert!(
        capabilities.get("extensions").is_none_or(|known| known.get(names::TASKS).is_none()),
        "{capabilities}"
    );
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({ "taskId": "786512e2-9e0d-44bd-8f29-789f320fe840", "inputResponses": {} });
        assert_eq!(server.refused(method, params).code, -32601, "what was not announced does not exist");
    }
    assert_eq!(text(&server.call("greet", json!({ "name": "Ada" }))), "Hello, Ada!");
}

#[test]
fn no_request_needs_another_before_it() {
    let mut server = plain();
    assert_eq!(text(&server.call("add", json!({ "a": 1, "b": 2 }))), "3");
}

#[test]
fn a_request_without_what_every_request_carries_is_malformed() {
    let (version, nothing) = (json!(MODERN), json!({}));
    let mut server = plain();
    for params in [
        json!({}),
        json!({ "_meta": {} }),
        json!({ "_meta": null }),
        json!({ "_meta": { (names::PROTOCOL_VERSION): version } }),
        json!({ "_meta": { (names::CLIENT_CAPABILITIES): nothing } }),
        json!({ "_meta": { (names::PROTOCOL_VERSION): version, (names::CLIENT_CAPABILITIES): null } }),
        json!({ "_meta": { (names::PROTOCOL_VERSION): null, (names::CLIENT_CAPABILITIES): {} } }),
        json!({ "_meta": { (names::PROTOCOL_VERSION): 2026, (names::CLIENT_CAPABILITIES): {} } }),
        json!({ "_meta": { (names::PROTOCOL_VERSION): version, (names::CLIENT_CAPABILITIES): "all" } }),
        json!({ "_meta": "none" }),
    ] {
        for method in ["server/discover", "tools/list", "server/nonsense"] {
            let refusal = bare_request(&mut server, method, &params).expect_err("it is malformed");
            assert_eq!(refusal.code, -32602, "{method} {params}");
        }
    }
    bare_request(&mut server, "tools/list", &meta(&version, &nothing))
        .expect("the client need not name itself");
}

#[test]
fn metadata_that_is_no_object_is_malformed() {
    let mut server = plain();
    for params in [
        json!({ "_meta": [] }),
        json!({ "_meta": [null, MODERN, {}] }),
        json!({ "_meta": { (names::PROTOCOL_VERSION): MODERN, (names::CLIENT_CAPABILITIES): [] } }),
        json!([]),
    ] {
        let refusal = bare_request(&mut server, "tools/list", &params).expect_err("it is malformed");
        assert_eq!(refusal.code, -32602, "{params}");
    }
}

#[test]
fn a_version_that_is_not_spoken_is_refused_with_those_that_are() {
    let mut server = plain();
    let supported = server.ok("server/discover", json!({}))["supportedVersions"].take();
    for version in ["1900-01-01", "v999.0.0", "", "2026-07-29", "DRAFT-2026-v1"] {
        for method in
            ["server/discover", "tools/list", "tools/call", "tasks/get", "server/nonsense", "initialize"]
        {
            let params = meta(&json!(version), &json!({}));
            let refusal = bare_request(&mut server, method, &params).expect_err("it is not spoken");
            assert_eq!((refusal.code, &refusal.data["requested"]), (-32022, &json!(version)), "{method}");
            assert_eq!(refusal.data["supported"], supported);
        }
    }
}

#[test]
fn methods_that_are_unknown_or_were_removed_do_not_exist() {
    let mut server = with_tasks();
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "tasks/result",
        "tasks/list",
        "prompts/list",
        "resources/list",
        "completion/complete",
        "server/nonsense",
        "Tools/List",
        "",
    ] {
        let refusal = server.refused(method, json!({ "taskId": "786512e2-9e0d-44bd-8f29-789f320fe840" }));
        assert_eq!(refusal.code, -32601, "{method:?}");
    }
}

#[test]
fn what_a_client_can_do_counts_for_the_request_that_says_so_and_no_other() {
    let mut server = with_tasks();
    let task = server.task("wait", json!({ "gate": "a" }));
    server.speak(Wire::Modern);
    assert_eq!(server.refused("tasks/get", json!({ "taskId": task["taskId"] })).code, -32021);
    assert_eq!(text(&server.call("slow", json!({ "ms": 0 }))), "took 0 ms");
    server.speak(Wire::Tasks);
    assert_eq!(server.state(&task)["status"], "working");
}

#[test]
fn ids_of_requests_come_back_as_they_were() {
    let mut server = plain();
    for id in [json!("discover-1"), json!(""), json!(0), json!(-7), json!(9_007_199_254_740_993_i64)] {
        server.begin_as(id.clone(), "server/discover", json!({}));
        assert_eq!(server.response(&id)["id"], id);
    }
}
