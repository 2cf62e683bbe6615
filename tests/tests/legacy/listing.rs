//! `tools/list`: what is shown to whom, and page by page.

use serde_json::{Value, json};
use tests::{LEGACY, fixture};

use crate::{REVISIONS, opened};

fn tool<'a>(list: &'a Value, name: &str) -> &'a Value {
    let tools = list["tools"].as_array().expect("a list");
    tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("`{name}` is not listed"))
}

#[test]
fn a_tool_is_listed_with_everything_that_its_author_said() {
    let list = opened().ok("tools/list", json!({}));
    let add = tool(&list, "add");
    assert_eq!(add["title"], "Addition");
    assert_eq!(add["description"], "Add two numbers.");
    let hints = json!({
        "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false
    });
    assert_eq!(add["annotations"], hints);
    assert_eq!(add["icons"], json!([{ "src": "data:image/png;base64,iVBORw0KGgo=" }]));
    assert_eq!(add["inputSchema"]["type"], "object");
    assert_eq!(add["inputSchema"]["required"], json!(["a", "b"]));
    assert_eq!(add["inputSchema"]["properties"]["a"]["type"], "integer");
    assert_eq!(add["inputSchema"]["properties"]["a"]["description"], "The first term.");
    assert!(add.get("outputSchema").is_none(), "text has no schema");
}

#[test]
fn what_its_author_did_not_say_is_absent() {
    let list = opened().ok("tools/list", json!({}));
    let echo = tool(&list, "echo").as_object().expect("an object");
    let members: Vec<&str> = echo.keys().map(String::as_str).collect();
    assert_eq!(members, ["name", "description", "inputSchema"]);
}

#[test]
fn task_support_is_shown_to_the_revision_that_knows_it() {
    for revision in REVISIONS {
        let mut server = fixture!();
        server.initialize(revision);
        let list = server.ok("tools/list", json!({}));
        let of = |name| tool(&list, name)["execution"]["taskSupport"].clone();
        if revision == LEGACY {
            assert_eq!((of("slow"), of("required")), (json!("optional"), json!("required")));
        }
        // "If `execution.taskSupport` is not present or `forbidden`" the tool is no task.
        assert!(matches!(of("add").as_str(), None | Some("forbidden")));
    }
}

#[test]
fn results_that_are_no_objects_are_promised_as_the_result_of_one() {
    let list = opened().ok("tools/list", json!({}));
    let report = &tool(&list, "report")["outputSchema"];
    assert_eq!(
        (&report["type"], &report["properties"]["count"]["type"]),
        (&json!("object"), &json!("integer"))
    );
    let items = &tool(&list, "items")["outputSchema"];
    assert_eq!(items["type"], "object");
    assert_eq!(items["properties"]["result"]["type"], "array");
    assert_eq!(items["required"], json!(["result"]));
    assert_eq!(tool(&list, "lookup")["outputSchema"]["type"], "object");
}

#[test]
fn schemas_are_such_as_hosts_accept() {
    let list = opened().ok("tools/list", json!({}));
    for tool in list["tools"].as_array().expect("a list") {
        let input = tool["inputSchema"].to_string();
        for stranger in ["$ref", "$defs", "\"null\"", "uint", "$schema"] {
            assert!(!input.contains(stranger), "{stranger} in {tool}");
        }
        assert!(tool["description"].as_str().is_some_and(|text| !text.is_empty()), "{tool}");
    }
}

#[test]
fn rules_of_arguments_are_in_the_schema() {
    let list = opened().ok("tools/list", json!({}));
    let schema = &tool(&list, "limited")["inputSchema"];
    assert_eq!(schema["required"], json!(["maxDepth", "name"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    let properties = &schema["properties"];
    assert_eq!(
        (&properties["maxDepth"]["minimum"], &properties["maxDepth"]["maximum"]),
        (&json!(0), &json!(5))
    );
    assert_eq!((&properties["name"]["minLength"], &properties["name"]["maxLength"]), (&json!(1), &json!(8)));
    assert_eq!((&properties["limit"]["default"], &properties["limit"]["minimum"]), (&json!(3), &json!(1)));
    assert_eq!(properties["limit"]["exclusiveMaximum"], 100);
    assert_eq!(
        (&properties["mode"]["default"], &properties["mode"]["type"]),
        (&json!("exact"), &json!("string"))
    );
    assert_eq!(properties["mode"]["enum"], json!(["exact", "fuzzy"]));
    assert_eq!((&properties["tags"]["type"], &properties["tags"]["maxItems"]), (&json!("array"), &json!(2)));
    let region = &tool(&list, "regional")["inputSchema"]["properties"]["region"];
    assert_eq!(region["x-mcp-header"], "Region");
}

#[test]
fn methods_are_listed_among_functions() {
    let list = opened().ok("tools/list", json!({}));
    assert_eq!(tool(&list, "increase")["inputSchema"]["properties"]["by"]["default"], 1);
    assert_eq!(tool(&list, "total")["execution"]["taskSupport"], "optional");
    assert_eq!(tool(&list, "total")["inputSchema"]["additionalProperties"], json!(false));
}

#[test]
fn the_pages_together_are_the_whole_list_in_its_order() {
    let names = |list: &Value| -> Vec<String> {
        let tools = list["tools"].as_array().expect("a list");
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    };
    let whole = opened().ok("tools/list", json!({}));
    assert!(whole.get("nextCursor").is_none());

    let mut server = fixture!("--page-size=4");
    server.initialize(LEGACY);
    let mut together = Vec::new();
    let mut params = json!({});
    loop {
        let page = server.ok("tools/list", params.clone());
        assert_eq!(page, server.ok("tools/list", params), "the same cursor leads to the same page");
        assert!((1..=4).contains(&names(&page).len()));
        together.extend(names(&page));
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    assert_eq!(together, names(&whole));
}

#[test]
fn a_cursor_that_was_never_given_is_refused() {
    let mut server = opened();
    for cursor in ["", "nonsense", "tools_", "tools_999999", "-1"] {
        assert_eq!(server.refused("tools/list", json!({ "cursor": cursor })).code, -32602, "{cursor:?}");
    }
}
