//! Prompts, resources and completions, and being told when any of it changes.

use serde_json::{Value, json};
use tests::{Process, Wire, fixture, names};

/// The fixture with prompts and resources.
fn offering() -> Process {
    fixture!("--offers").speaking(Wire::Modern)
}

fn names_of(list: &Value, member: &str, name: &str) -> Vec<String> {
    let items = list[member].as_array().expect("a list");
    items.iter().map(|item| item[name].as_str().expect("a name").to_owned()).collect()
}

fn read(server: &mut Process, uri: &str) -> Value {
    server.ok("resources/read", json!({ "uri": uri }))
}

fn completed(server: &mut Process, reference: &Value, argument: &str, value: &str) -> Value {
    let params = json!({ "ref": reference, "argument": { "name": argument, "value": value } });
    server.ok("completion/complete", params)["completion"].take()
}

/// Listens, and gives what is honoured.
fn listen(server: &mut Process, filter: &Value) -> (Value, Value) {
    let id = server.begin("subscriptions/listen", json!({ "notifications": filter }));
    let mut agreed = server.notification_that(|message| {
        message["method"] == "notifications/subscriptions/acknowledged"
            && message["params"]["_meta"][names::SUBSCRIPTION_ID] == id
    });
    (id, agreed["params"]["notifications"].take())
}

#[test]
fn the_capabilities_are_what_is_offered() {
    let capabilities = offering().ok("server/discover", json!({}))["capabilities"].take();
    let changing = json!({ "listChanged": true });
    assert_eq!((&capabilities["tools"], &capabilities["prompts"]), (&changing, &changing));
    assert_eq!(capabilities["resources"], json!({ "listChanged": true, "subscribe": true }));
    assert_eq!((&capabilities["completions"], &capabilities["logging"]), (&json!({}), &json!({})));
    assert!(capabilities.get("tasks").is_none());

    let mut without = fixture!().speaking(Wire::Modern);
    let capabilities = without.ok("server/discover", json!({}))["capabilities"].take();
    for (capability, methods) in [
        ("prompts", vec!["prompts/list", "prompts/get"]),
        ("resources", vec!["resources/list", "resources/templates/list", "resources/read"]),
        ("completions", vec!["completion/complete"]),
    ] {
        assert!(capabilities.get(capability).is_none());
        for method in methods {
            assert_eq!(
                without.refused(method, json!({ "name": "a", "uri": "a:b" })).code,
                -32601,
                "{method}"
            );
        }
    }
    for method in ["resources/subscribe", "resources/unsubscribe", "logging/setLevel"] {
        let params = json!({ "uri": "test://static-text", "level": "debug" });
        assert_eq!(offering().refused(method, params).code, -32601, "{method} is of earlier revisions");
    }
}

#[test]
fn prompts_are_listed_with_everything_that_their_author_said() {
    let list = offering().ok("prompts/list", json!({}));
    assert_eq!(names_of(&list, "prompts", "name"), ["welcome", "review", "broken", "ponder"]);
    let welcome = &list["prompts"][0];
    assert_eq!(
        (&welcome["title"], &welcome["description"]),
        (&json!("Welcome"), &json!("Say what this server is for."))
    );
    assert_eq!(welcome["icons"][0]["src"], "data:image/png;base64,iVBORw0KGgo=");
    assert!(welcome.get("arguments").is_none());
    let arguments = &list["prompts"][1]["arguments"];
    assert_eq!(arguments[0], json!({ "name": "code", "description": "The code.", "required": true }));
    assert_eq!((&arguments[1]["title"], &arguments[1]["required"]), (&json!("Strictness"), &json!(false)));
    assert_eq!(arguments[2]["required"], false);
    assert_eq!((&list["cacheScope"], list["ttlMs"].as_u64() > Some(0)), (&json!("public"), true));
}

#[test]
fn a_prompt_gives_its_messages() {
    let mut server = offering();
    let welcome = server.ok("prompts/get", json!({ "name": "welcome" }));
    let said = json!({ "role": "user", "content": { "type": "text", "text": "What is this server for?" } });
    assert_eq!(welcome["messages"], json!([said]));
    let arguments = json!({ "code": "x = 1", "strictness": "5", "tone": "formal", "language": "" });
    let review = server.ok("prompts/get", json!({ "name": "review", "arguments": arguments }));
    assert_eq!((&review["description"], &review["resultType"]), (&json!("A review"), &json!("complete")));
    assert_eq!(review["_meta"]["com.example/model"], "large");
    assert_eq!(review["messages"][0]["content"]["resource"]["text"], "x = 1");
    let text = r#"Review this Some("") None formally, with strictness 5."#;
    assert_eq!(review["messages"][1]["content"]["text"], text);
    assert_eq!(
        (&review["messages"][2]["role"], &review["messages"][2]["content"]["data"]),
        (&json!("assistant"), &json!("AQID"))
    );
}

#[test]
fn what_is_wrong_with_the_arguments_of_a_prompt_is_told() {
    let mut server = offering();
    for (arguments, says) in [
        (json!({}), "`code` is required"),
        (json!({ "code": "a", "strictness": "9" }), "at most 5"),
        (json!({ "code": "a", "tone": "loud" }), "formal"),
        (json!({ "code": "a", "cod": "b" }), "not an argument of this prompt"),
    ] {
        let refusal = server.refused("prompts/get", json!({ "name": "review", "arguments": arguments }));
        assert_eq!(refusal.code, -32602, "{arguments}");
        assert!(refusal.message.contains(says), "{refusal}");
    }
    assert_eq!(server.refused("prompts/get", json!({ "name": "nobody" })).code, -32602);
    assert_eq!(server.refused("prompts/get", json!({})).code, -32602);
}

#[test]
fn an_error_of_a_prompt_is_a_json_rpc_error() {
    let mut server = offering();
    let broken = |own_code: &str| json!({ "name": "broken", "arguments": { "own_code": own_code } });
    let refusal = server.refused("prompts/get", broken("false"));
    assert_eq!((refusal.code, refusal.message.as_str()), (-32603, "it broke"));
    assert_eq!(server.refused("prompts/get", broken("true")).code, -7);
}

#[test]
fn resources_and_templates_are_listed_apart() {
    let mut server = offering();
    let list = server.ok("resources/list", json!({}));
    let uris = ["test://static-text", "test://static-binary", "test://value", "note://0"];
    assert_eq!(names_of(&list, "resources", "uri"), uris);
    assert_eq!(
        list["resources"][0],
        json!({
            "uri": "test://static-text", "name": "static_text", "title": "Text", "description": "A text.",
            "mimeType": "text/markdown", "annotations": { "audience": ["user"], "priority": 0.5 }
        })
    );
    let templates = server.ok("resources/templates/list", json!({}));
    let uris = ["note://{number}", "file:///{+path}", "file:///docs/{name}.md", "slow://{gate}"];
    assert_eq!(names_of(&templates, "resourceTemplates", "uriTemplate"), uris);
}

#[test]
fn what_is_read_says_what_it_is_and_for_how_long() {
    let mut server = offering();
    let text = read(&mut server, "test://static-text");
    assert_eq!(
        text["contents"],
        json!([{ "uri": "test://static-text", "mimeType": "text/markdown", "text": "# Text" }])
    );
    assert_eq!((&text["ttlMs"], &text["cacheScope"]), (&json!(0), &json!("private")));
    let binary = read(&mut server, "test://static-binary");
    assert_eq!(
        binary["contents"],
        json!([{ "uri": "test://static-binary", "mimeType": "image/png", "blob": "AQID" }])
    );
    assert_eq!((&binary["ttlMs"], &binary["cacheScope"]), (&json!(3_600_000), &json!("public")));
    let value = read(&mut server, "test://value")["contents"].take();
    assert_eq!((&value[0]["mimeType"], &value[0]["text"]), (&json!("application/json"), &json!("[1,2,3]")));
}

#[test]
fn the_narrowest_of_what_matches_is_read() {
    let mut server = offering();
    for (uri, text) in [
        ("note://0", "the very first"),
        ("note://1", "second"),
        ("file:///docs/a.md", "doc a"),
        ("file:///docs/a/b.md", "docs/a/b.md"),
        ("file:///caf%C3%A9/%20", "café/ "),
    ] {
        let contents = read(&mut server, uri)["contents"].take();
        assert_eq!((&contents[0]["text"], &contents[0]["uri"]), (&json!(text), &json!(uri)));
    }
}

#[test]
fn a_resource_that_is_not_there_is_named_in_the_refusal() {
    let mut server = offering();
    for uri in ["test://nonexistent", "note://7", "file:///a/../../etc/passwd", "file:///%2e%2e/etc"] {
        let refusal = server.refused("resources/read", json!({ "uri": uri }));
        assert_eq!((refusal.code, &refusal.data), (-32602, &json!({ "uri": uri })), "{uri}");
    }
    let refusal = server.refused("resources/read", json!({ "uri": "note://many" }));
    assert_eq!((refusal.code, &refusal.data["uri"]), (-32602, &json!("note://many")));
    assert!(refusal.message.contains("`number`"), "{refusal}");
    let refusal = server.refused("resources/read", json!({ "uri": "file:///docs/broken.md" }));
    assert_eq!((refusal.code, refusal.message.as_str()), (-32603, "the disk is gone"));
}

#[test]
fn arguments_are_completed_by_their_author_or_by_their_type() {
    let mut server = offering();
    let review = json!({ "type": "ref/prompt", "name": "review" });
    assert_eq!(
        completed(&mut server, &review, "language", "py"),
        json!({ "values": ["Python", "PyPy"], "total": 2, "hasMore": false })
    );
    assert_eq!(completed(&mut server, &review, "tone", "f")["values"], json!(["formal", "friendly"]));
    assert_eq!(completed(&mut server, &review, "tone", "fr")["values"], json!(["friendly"]));
    assert_eq!(completed(&mut server, &review, "code", "x")["values"], json!([]));
    let broken = json!({ "type": "ref/prompt", "name": "broken" });
    assert_eq!(completed(&mut server, &broken, "own_code", "")["values"], json!(["true", "false"]));
    for uri in ["file:///{+path}", "file:///Ru"] {
        let file = json!({ "type": "ref/resource", "uri": uri });
        assert_eq!(completed(&mut server, &file, "path", "ru")["values"], json!(["Rust"]), "{uri}");
    }
    let known = server.ok(
        "completion/complete",
        json!({
            "ref": review, "argument": { "name": "framework", "value": "fa" },
            "context": { "arguments": { "language": "Python" } }
        }),
    );
    assert_eq!(known["completion"]["values"], json!(["FastAPI"]));
}

#[test]
fn what_cannot_be_completed_is_refused() {
    let mut server = offering();
    let argument = json!({ "name": "language", "value": "" });
    for params in [
        json!({ "ref": { "type": "ref/prompt", "name": "nobody" }, "argument": argument }),
        json!({ "ref": { "type": "ref/resource", "uri": "nobody://there" }, "argument": argument }),
        json!({ "ref": { "type": "ref/prompt", "name": "welcome" }, "argument": argument }),
        json!({ "ref": { "type": "ref/tool", "name": "review" }, "argument": argument }),
        json!({ "ref": { "type": "ref/prompt", "name": "review" } }),
        json!({ "argument": argument }),
    ] {
        assert_eq!(server.refused("completion/complete", params.clone()).code, -32602, "{params}");
    }
}

#[test]
fn a_listener_hears_of_the_lists_that_it_named_and_of_no_other() {
    let mut server = offering();
    let (tools, agreed) = listen(&mut server, &json!({ "toolsListChanged": true }));
    assert_eq!(agreed, json!({ "toolsListChanged": true }));
    let (others, _) =
        listen(&mut server, &json!({ "promptsListChanged": true, "resourcesListChanged": true }));
    for (kind, method, subscription) in [
        ("tool", "notifications/tools/list_changed", &tools),
        ("prompt", "notifications/prompts/list_changed", &others),
        ("resource", "notifications/resources/list_changed", &others),
    ] {
        server.call("extend", json!({ "kind": kind, "names": [format!("extra_{kind}")] }));
        // The witness would tell of any that nobody asked for.
        let told = server.notification();
        assert_eq!(
            (&told["method"], &told["params"]["_meta"][names::SUBSCRIPTION_ID]),
            (&json!(method), subscription)
        );
    }
    let list = server.ok("tools/list", json!({}));
    assert!(names_of(&list, "tools", "name").contains(&"extra_tool".to_owned()));
    assert_eq!(read(&mut server, "extra://extra_resource")["contents"][0]["text"], "extra");
    server.ok("prompts/get", json!({ "name": "extra_prompt" }));
}

#[test]
fn many_changes_at_once_are_told_as_one() {
    let mut server = offering();
    listen(&mut server, &json!({ "toolsListChanged": true, "promptsListChanged": true }));
    let many: Vec<String> = (0..20).map(|number| format!("extra_{number}")).collect();
    server.call("extend", json!({ "kind": "tool", "names": many }));
    assert_eq!(server.notification()["method"], "notifications/tools/list_changed");
    // What comes next is another's: of the burst there is nothing left to tell.
    server.call("extend", json!({ "kind": "prompt", "names": ["extra"] }));
    assert_eq!(server.notification()["method"], "notifications/prompts/list_changed");
}

#[test]
fn a_change_that_would_be_wrong_changes_nothing() {
    let mut server = offering();
    let before = server.ok("tools/list", json!({}));
    let result = server.call("extend", json!({ "kind": "tool", "names": ["touch"] }));
    assert_eq!(result["isError"], true);
    assert!(tests::text(&result).contains("two tools are named `touch`"), "{result}");
    assert_eq!(server.ok("tools/list", json!({})), before);
    assert_eq!(tests::text(&server.call("retire", json!({ "kind": "tool", "name": "nobody" }))), "false");
}

#[test]
fn what_was_taken_away_is_not_there_any_more() {
    let mut server = offering();
    for (kind, name) in [
        ("tool", "touch"),
        ("prompt", "welcome"),
        ("resource", "test://value"),
        ("resource", "note://{number}"),
    ] {
        assert_eq!(tests::text(&server.call("retire", json!({ "kind": kind, "name": name }))), "true");
    }
    assert_eq!(server.refused("tools/call", json!({ "name": "touch", "arguments": {} })).code, -32602);
    assert_eq!(server.refused("prompts/get", json!({ "name": "welcome" })).code, -32602);
    assert_eq!(server.refused("resources/read", json!({ "uri": "note://1" })).code, -32602);
    assert_eq!(read(&mut server, "note://0")["contents"][0]["text"], "the very first");
}

#[test]
fn a_listener_hears_of_the_resources_that_it_named() {
    let mut server = offering();
    let uris = json!(["test://static-text", "note://2", "test://nonexistent", "note://2"]);
    let (id, agreed) = listen(&mut server, &json!({ "resourceSubscriptions": uris }));
    assert_eq!(agreed, json!({ "resourceSubscriptions": ["test://static-text", "note://2"] }));
    server.call("touch", json!({ "uris": ["test://value", "note://2", "note://2"] }));
    let told = server.notification();
    assert_eq!(told["method"], "notifications/resources/updated");
    assert_eq!(told["params"], json!({ "_meta": { (names::SUBSCRIPTION_ID): id }, "uri": "note://2" }));
    server.cancel(&id);
    let (_, agreed) = listen(&mut server, &json!({ "resourceSubscriptions": [] }));
    assert_eq!(agreed, json!({ "resourceSubscriptions": [] }));
}

#[test]
fn too_many_resources_of_one_subscription_are_refused() {
    let mut server = fixture!("--offers", "--max-resource-subscriptions=1").speaking(Wire::Modern);
    let params = json!({ "notifications": { "resourceSubscriptions": ["note://1", "note://2"] } });
    assert!(server.refused("subscriptions/listen", params).message.contains("max_resource_subscriptions"));
}

#[test]
fn a_prompt_or_a_resource_that_can_be_a_task_answers_directly() {
    let mut server = fixture!("--offers").speaking(Wire::Tasks);
    server.open_gate("a");
    let pondered = server.ok("prompts/get", json!({ "name": "ponder", "arguments": { "gate": "a" } }));
    assert_eq!(pondered["messages"][0]["content"]["text"], "passed a");
    assert_eq!(read(&mut server, "slow://a")["contents"][0]["text"], "read a");
}

#[test]
fn the_pages_of_each_list_together_are_the_whole_of_it() {
    for (method, member, name) in [
        ("prompts/list", "prompts", "name"),
        ("resources/list", "resources", "uri"),
        ("resources/templates/list", "resourceTemplates", "uriTemplate"),
    ] {
        let whole = offering().ok(method, json!({}));
        let mut server = fixture!("--offers", "--page-size=3").speaking(Wire::Modern);
        let first = server.ok(method, json!({}));
        let second = server.ok(method, json!({ "cursor": first["nextCursor"] }));
        assert!(second.get("nextCursor").is_none());
        let together = [names_of(&first, member, name), names_of(&second, member, name)].concat();
        assert_eq!(together, names_of(&whole, member, name));
        for cursor in ["", "nonsense", "tools_3", "prompts_999"] {
            assert_eq!(server.refused(method, json!({ "cursor": cursor })).code, -32602, "{cursor:?}");
        }
    }
}
