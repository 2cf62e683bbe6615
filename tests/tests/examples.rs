//! The example programs on both wires, with every message held against the specification.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, example, text};

/// A program, spoken to by a client of each wire that takes tasks.
fn both(name: &str, arguments: &[&str]) -> Vec<Process> {
    let Some(program) = example(name) else { return Vec::new() };
    let mut opened = Process::start(&program, arguments);
    opened.initialize(LEGACY);
    let mut servers = vec![opened, Process::start(&program, arguments).speaking(Wire::Tasks)];
    // From now on structured content is held against what the tools promise.
    for server in &mut servers {
        server.ok("tools/list", json!({}));
    }
    servers
}

/// The result of a task.
fn result(server: &mut Process, task: &Value) -> Value {
    let mut ended = server.ended(task);
    match server.wire() {
        Wire::Legacy => server.ok("tasks/result", json!({ "taskId": task["taskId"] })),
        Wire::Modern | Wire::Tasks => ended["result"].take(),
    }
}

#[test]
fn the_counter_tells_every_number() {
    for mut server in both("counter", &[]) {
        let task = server.task("count", json!({ "to": 3 }));
        assert_eq!(text(&result(&mut server, &task)), "Counted to 3.");
    }
    let Some(program) = example("counter") else { return };
    let mut server = Process::start(program, &[]);
    server.initialize("2024-11-05");
    let params = json!({ "name": "count", "arguments": { "to": 3 }, "_meta": { "progressToken": "t" } });
    assert_eq!(text(&server.ok("tools/call", params)), "Counted to 3.");
    let told: Vec<Value> =
        server.notifications().iter_mut().map(|message| message["params"]["message"].take()).collect();
    assert_eq!(told, ["counted to 1", "counted to 2", "counted to 3"]);
}

#[test]
fn the_counter_stops_when_it_is_told_to() {
    for mut server in both("counter", &[]) {
        let task = server.task("count", json!({ "to": 1000 }));
        server.ok("tasks/cancel", json!({ "taskId": task["taskId"] }));
        assert_eq!(server.ended(&task)["status"], "cancelled");
    }
}

#[test]
fn memorygraph_keeps_what_it_promises() {
    for mut server in both("memorygraph", &["--stdio"]) {
        let mut ids = Vec::new();
        for (kind, title) in [("problem", "Redis timeout"), ("solution", "Pool the connections")] {
            let memory =
                json!({ "type": kind, "title": title, "content": "Seen under load.", "tags": ["redis"] });
            ids.push(server.call("store_memory", memory)["structuredContent"]["memory_id"].take());
        }
        let related =
            json!({ "from_memory_id": ids[1], "to_memory_id": ids[0], "relationship_type": "SOLVES" });
        assert_eq!(server.call("create_relationship", related)["structuredContent"]["new"], true);
        let told = server.call("get_memory", json!({ "memory_id": ids[0] }));
        assert_eq!(told["structuredContent"]["relationship_count"], 1);

        let task = server.task("recall_memories", json!({ "query": "redis timeout", "maxDepth": 1 }));
        let recalled = result(&mut server, &task);
        assert_eq!(recalled["structuredContent"]["memories"][1]["path"][0]["relationship_type"], "SOLVES");

        let export = json!({
            "format_version": "2.0",
            "memories": [{ "id": "a", "type": "fix", "title": "A", "content": "." }],
            "relationships": []
        });
        let task = server.task("import_memories", json!({ "data": export }));
        let report = result(&mut server, &task);
        assert_eq!(report["structuredContent"]["memories"]["imported"], 1, "{report}");
    }
}

#[test]
fn memorygraph_says_what_is_wrong() {
    for mut server in both("memorygraph", &["--stdio"]) {
        for (tool, arguments, word) in [
            ("get_memory", json!({ "memory_id": "nope" }), "nope"),
            ("store_memory", json!({ "type": "nonsense", "title": "a", "content": "b" }), "nonsense"),
            ("recall_memories", json!({ "query": "a", "maxDepth": 9 }), "`maxDepth`"),
            ("recall_memories", json!({ "query": "a", "max_depth": 1 }), "`maxDepth`"),
        ] {
            let result = server.ok("tools/call", json!({ "name": tool, "arguments": arguments }));
            assert!(result["isError"] == true && text(&result).contains(word), "{tool}: {result}");
        }
    }
}

#[test]
fn everything_that_is_offered_can_be_called_read_and_got() {
    for mut server in both("everything", &[]) {
        for (tool, kinds) in [
            ("test_simple_text", &["text"][..]),
            ("test_image_content", &["image"]),
            ("test_audio_content", &["audio"]),
            ("test_embedded_resource", &["resource"]),
            ("test_multiple_content_types", &["text", "image", "resource"]),
            ("test_tool_with_progress", &["text"]),
        ] {
            let result = server.call(tool, json!({}));
            let content = result["content"].as_array().into_iter().flatten();
            assert!(content.map(|item| &item["type"]).eq(kinds), "{tool}: {result}");
        }
        for resource in server.ok("resources/list", json!({}))["resources"].as_array().into_iter().flatten() {
            let read = server.ok("resources/read", json!({ "uri": resource["uri"] }));
            assert_eq!(read["contents"][0]["uri"], resource["uri"]);
        }
        let template = server.ok("resources/templates/list", json!({}))["resourceTemplates"][0].take();
        assert_eq!(template["uriTemplate"], "test://template/{id}/data");
        let read = server.ok("resources/read", json!({ "uri": "test://template/7/data" }));
        assert_eq!(read["contents"][0]["text"], r#"{"id":"7","templateTest":true,"data":"Data for ID: 7"}"#);
        for (prompt, arguments) in [
            ("test_simple_prompt", json!({})),
            ("test_prompt_with_arguments", json!({ "arg1": "a", "arg2": "b" })),
            ("test_prompt_with_embedded_resource", json!({ "resourceUri": "test://a" })),
            ("test_prompt_with_image", json!({})),
        ] {
            let got = server.ok("prompts/get", json!({ "name": prompt, "arguments": arguments }));
            assert_eq!(got["messages"][0]["role"], "user", "{prompt}");
        }
        let typed = json!({
            "ref": { "type": "ref/prompt", "name": "test_prompt_with_arguments" },
            "argument": { "name": "arg1", "value": "testi" }
        });
        assert_eq!(server.ok("completion/complete", typed)["completion"]["values"], json!(["testing"]));
    }
}
