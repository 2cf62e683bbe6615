//! `tools/list` and `tools/call` where no task comes of it.

use serde_json::{Value, json};
use tests::{Wire, fixture, names, text};

use crate::{plain, with_tasks};

fn tool<'a>(list: &'a Value, name: &str) -> &'a Value {
    let tools = list["tools"].as_array().expect("a list");
    tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("`{name}` is not listed"))
}

#[test]
fn the_list_says_how_long_and_by_whom_it_may_be_kept() {
    let mut server = plain();
    let list = server.ok("tools/list", json!({}));
    assert_eq!(list["cacheScope"], "public");
    assert!(list["ttlMs"].as_u64() > Some(0));
    assert_eq!(server.ok("tools/list", json!({})), list, "a fixed order, whoever asks, however often");
    server.speak(Wire::Tasks);
    assert_eq!(server.ok("tools/list", json!({})), list);
}

#[test]
fn every_page_says_the_same_of_itself_and_together_they_are_the_list() {
    let whole = plain().ok("tools/list", json!({}));
    let mut server = fixture!("--page-size=5").speaking(Wire::Modern);
    let mut together = Vec::new();
    let mut params = json!({});
    loop {
        let page = server.ok("tools/list", params);
        assert_eq!((&page["cacheScope"], &page["ttlMs"]), (&whole["cacheScope"], &whole["ttlMs"]));
        together.extend(page["tools"].as_array().expect("a list").iter().cloned());
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(json!(together), whole["tools"]);
    assert_eq!(server.refused("tools/list", json!({ "cursor": "nonsense" })).code, -32602);
}

#[test]
fn the_list_does_not_say_which_tools_are_tasks() {
    let list = plain().ok("tools/list", json!({}));
    let tools = list["tools"].as_array().expect("a list");
    assert!(tools.iter().all(|tool| tool.get("execution").is_none()));
}

#[test]
fn results_of_any_json_type_are_promised_and_given_as_they_are() {
    let mut server = plain();
    let list = server.ok("tools/list", json!({}));
    assert_eq!(tool(&list, "items")["outputSchema"]["type"], "array");
    assert_eq!(tool(&list, "report")["outputSchema"]["type"], "object");
    let items = server.call("items", json!({}));
    assert_eq!(items["structuredContent"][1]["standing"], json!({ "state": "under_way", "share": 0.5 }));
    let shown: Value = serde_json::from_str(text(&items)).expect("the text is JSON");
    assert_eq!(shown, items["structuredContent"]);
    assert_eq!(server.call("report", json!({}))["structuredContent"]["count"], 2);
    let found = server.call("lookup", json!({ "name": "second" }));
    assert_eq!(found["structuredContent"]["note"], "half");
    let missing = server.call("lookup", json!({ "name": "third" }));
    assert_eq!(missing.get("structuredContent"), Some(&json!(null)), "nothing is a result as well");
}

#[test]
fn every_result_is_complete_and_names_the_server() {
    let mut server = plain();
    for (tool, arguments) in [
        ("add", json!({ "a": 1, "b": 2 })),
        ("nothing", json!({})),
        ("picture", json!({})),
        ("fail", json!({ "reason": "no" })),
        ("badge", json!({})),
    ] {
        let result = server.call(tool, arguments);
        assert_eq!(result["resultType"], "complete", "{tool}");
        assert_eq!(result["_meta"][names::SERVER_INFO]["name"], "fixture", "{tool}");
    }
    assert_eq!(
        server.call("badge", json!({}))["_meta"]["com.example/badge"],
        "gold",
        "beside what the author says"
    );
}

#[test]
fn failures_are_what_they_are_on_every_wire() {
    let mut server = plain();
    let failed = server.call("fail", json!({ "reason": "no such city" }));
    assert_eq!((text(&failed), &failed["isError"]), ("no such city", &json!(true)));
    let refusal = server.refused("tools/call", json!({ "name": "refuse" }));
    assert_eq!((refusal.code, refusal.data), (4711, json!("not today")));
    let panicked = server.refused("tools/call", json!({ "name": "explode" }));
    assert!(panicked.code == -32603 && !panicked.to_string().contains("1234"), "{panicked}");
    assert_eq!(server.refused("tools/call", json!({ "name": "nonsense" })).code, -32602);
    assert_eq!(server.refused("tools/call", json!({})).code, -32602);
}

#[test]
fn progress_comes_before_the_answer() {
    let mut server = plain();
    let params = json!({
        "name": "wait", "arguments": { "gate": "a", "steps": 2 }, "_meta": { "progressToken": "abc123" }
    });
    let id = server.begin("tools/call", params);
    for step in 1..=2 {
        let params = server.notification()["params"].take();
        assert_eq!((&params["progress"], &params["total"]), (&json!(step), &json!(3)));
    }
    server.open_gate("a");
    assert_eq!(text(&server.answer(&id).expect("a result")), "passed a");
    assert_eq!(server.notifications().len(), 1);
}

/// "Progress notifications MUST stop after completion."
#[test]
fn progress_stops_when_the_call_is_answered() {
    let mut server = plain();
    let params = json!({ "name": "linger", "arguments": { "gate": "a" }, "_meta": { "progressToken": "t" } });
    assert_eq!(text(&server.ok("tools/call", params)), "gone");
    server.open_gate("a");
    server.pass_gate("a-said");
    server.call("nothing", json!({}));
}

/// "The progress value MUST increase with each notification."
#[test]
fn progress_increases_even_if_several_threads_report_it() {
    let mut server = plain();
    let params = json!({ "name": "rush", "arguments": { "to": 20_000 }, "_meta": { "progressToken": "t" } });
    server.ok("tools/call", params);
    // That it only ever increases is what every notification is held to; a client that is slow to read sees less of it.
    let last = server.notifications().pop().expect("there was some progress");
    assert!(last["params"]["progress"].as_u64().is_some_and(|progress| progress <= 20_000), "{last}");
}

#[test]
fn a_client_that_knows_no_tasks_gets_the_result_of_a_task_tool() {
    let mut server = plain();
    assert_eq!(text(&server.call("slow", json!({ "ms": 1 }))), "took 1 ms");
    assert_eq!(server.call("failing", json!({}))["isError"], true);
    assert_eq!(server.refused("tools/call", json!({ "name": "protocol_error" })).data, "gone");
    assert_eq!(text(&server.call("total", json!({}))), "0");
}

#[test]
fn a_tool_that_is_no_task_gives_its_result_to_a_client_that_knows_tasks() {
    let mut server = with_tasks();
    assert_eq!(text(&server.call("greet", json!({ "name": "Ada" }))), "Hello, Ada!");
    // The word of the earlier dialect means nothing here.
    let params = json!({ "name": "greet", "arguments": { "name": "Ada" }, "task": { "ttl": 60000, "pollInterval": 100 } });
    assert_eq!(text(&server.ok("tools/call", params)), "Hello, Ada!");
}

#[test]
fn a_tool_that_is_only_a_task_asks_for_the_extension_before_it_runs() {
    let mut server = plain();
    for arguments in [json!({}), json!({ "name": 7 })] {
        let refusal = server.refused("tools/call", json!({ "name": "required", "arguments": arguments }));
        assert_eq!(refusal.code, -32021);
        assert_eq!(refusal.data, json!({ "requiredCapabilities": { "extensions": { (names::TASKS): {} } } }));
    }
    let params = json!({ "name": "required", "task": { "ttl": 60000 } });
    assert_eq!(
        server.refused("tools/call", params).code,
        -32021,
        "the word of the earlier dialect is no way in"
    );
    server.speak(Wire::Tasks);
    let task = server.task("required", json!({ "name": "Ada" }));
    assert_eq!(text(&server.ended(&task)["result"]), "ran for Ada");
}
