//! `tasks/list`: everything that can be had, once, page by page.

use serde_json::{Value, json};

use crate::opened;

fn ids(list: &Value) -> Vec<Value> {
    list["tasks"].as_array().expect("a list").iter().map(|task| task["taskId"].clone()).collect()
}

#[test]
fn no_tasks_are_an_empty_list() {
    assert_eq!(opened().ok("tasks/list", json!({})), json!({ "tasks": [] }));
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition_while_tasks_are_made() {
    let mut server = opened();
    let mut made: Vec<Value> =
        (0..250).map(|_| server.task("slow", json!({ "ms": 0 }))["taskId"].clone()).collect();
    let mut listed = Vec::new();
    let mut params = json!({});
    loop {
        let page = server.ok("tasks/list", params);
        listed.extend(ids(&page));
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
        if made.len() < 255 {
            made.push(server.task("slow", json!({ "ms": 0 }))["taskId"].clone());
        }
    }
    for list in [&mut made, &mut listed] {
        list.sort_by_key(Value::to_string);
    }
    assert_eq!(listed, made, "each task that can be had is listed, once");
}

#[test]
fn a_cursor_that_was_never_given_is_refused() {
    let mut server = opened();
    for cursor in ["", "nonsense", "tools_4", "ffff_nonsense"] {
        assert_eq!(server.refused("tasks/list", json!({ "cursor": cursor })).code, -32602, "{cursor:?}");
    }
}

#[test]
fn a_listed_task_is_what_asking_for_it_gives() {
    let mut server = opened();
    let tasks = [
        server.task("wait", json!({ "gate": "never" })),
        server.task("slow", json!({ "ms": 0 })),
        server.task("failing", json!({})),
    ];
    server.ended(&tasks[1]);
    server.ended(&tasks[2]);
    let list = server.ok("tasks/list", json!({}));
    let states: Vec<Value> = tasks.iter().map(|task| server.state(task)).collect();
    for state in states {
        assert!(list["tasks"].as_array().expect("a list").contains(&state), "{state} is not in {list}");
    }
}
