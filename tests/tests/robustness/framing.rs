//! Lines that are no messages: each is answered as far as it can be, and the next one is read.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture, text};

use crate::{both_ways, opened};

/// The answer to a line that is no request, and then whether the server goes on.
fn answer_to(server: &mut Process, line: &str) -> Value {
    server.send_text(line);
    let answer = server.next_message().expect("an answer");
    goes_on(server);
    answer
}

fn goes_on(server: &mut Process) {
    assert_eq!(text(&server.call("add", json!({ "a": 1, "b": 2 }))), "3");
}

#[test]
fn what_is_no_json_is_a_parse_error() {
    for mut server in both_ways() {
        for line in [
            "nonsense",
            "{",
            "}",
            "{\"jsonrpc\":\"2.0\",\"id\":",
            "{'id': 1}",
            "\u{feff}{}",
            "\0",
            "{}{}",
            "// 1",
        ] {
            let answer = answer_to(&mut server, line);
            assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32700), None), "{line:?}");
        }
    }
}

#[test]
fn json_that_is_no_message_is_an_invalid_request() {
    for mut server in both_ways() {
        for line in [
            "7",
            "\"text\"",
            "null",
            "true",
            "{}",
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"id":null,"jsonrpc":"2.0","method":"ping"}"#,
            r#"{"id":1.5,"jsonrpc":"2.0","method":"ping"}"#,
            r#"{"id":{},"jsonrpc":"2.0","method":"ping"}"#,
            r#"{"id":true,"jsonrpc":"2.0","method":"ping"}"#,
        ] {
            let answer = answer_to(&mut server, line);
            assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None), "{line}");
        }
    }
}

#[test]
fn an_invalid_request_is_answered_under_its_id_where_it_has_one() {
    for mut server in both_ways() {
        for (line, code) in [
            (r#"{"jsonrpc":"1.0","id":5,"method":"ping"}"#, -32600),
            (r#"{"id":5,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":5}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":5,"method":7}"#, -32600),
            (r#"{"jsonrpc":2,"id":5,"method":"ping"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":7}"#, -32602),
            (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":"text"}"#, -32602),
            (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":7}}"#, -32602),
            (r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"add""#, -32700),
        ] {
            let answer = answer_to(&mut server, line);
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &json!(5)), "{line}");
        }
    }
}

/// In MCP parameters have names; a list of them means nothing.
#[test]
fn parameters_by_position_are_refused() {
    let mut server = opened();
    for line in [
        r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":["add",{"a":1,"b":2}]}"#,
        r#"{"jsonrpc":"2.0","id":5,"method":"ping","params":[]}"#,
    ] {
        assert_eq!(answer_to(&mut server, line)["error"]["code"], -32602, "{line}");
    }
    let params = json!({ "name": "slow", "arguments": { "ms": 0 }, "task": [60000] });
    assert_eq!(server.refused("tools/call", params).code, -32602);
}

#[test]
fn a_method_that_is_unknown_is_unknown_whatever_its_parameters_are() {
    let mut server = opened();
    for params in [json!({ "name": 7 }), json!({ "cursor": {} }), json!({ "task": "x", "taskId": 1 })] {
        assert_eq!(server.refused("com.example/method", params.clone()).code, -32601, "{params}");
    }
}

/// "The receiver MUST NOT send a response" to a notification, and "Malformed notifications" are ignored.
#[test]
fn notifications_are_never_answered() {
    for mut server in both_ways() {
        for line in [
            r#"{"jsonrpc":"2.0","method":"notifications/nonsense"}"#,
            r#"{"jsonrpc":"2.0","method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"a":1}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":987654321}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"x","reason":7}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":"x","task":7}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}"#,
        ] {
            server.send_text(line);
        }
        goes_on(&mut server);
        assert!(server.close().messages.is_empty());
    }
}

#[test]
fn responses_that_nobody_asked_for_are_never_answered() {
    let mut server = opened();
    for line in [
        r#"{"jsonrpc":"2.0","id":5,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"x","error":{"code":-32601,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","id":"x","error":{"code":-32601,"message":"no"},"result":null}"#,
        // Without an id it belongs to a message that the client could not read.
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"cannot be read"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"cannot be read"}}"#,
    ] {
        server.send_text(line);
    }
    goes_on(&mut server);
    assert!(server.close().messages.is_empty(), "two sides that answer errors with errors never end");
}

#[test]
fn a_batch_is_refused_where_there_are_none() {
    for mut server in both_ways() {
        for line in [r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "[]", "[1]"] {
            let answer = answer_to(&mut server, line);
            assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None), "{line}");
        }
        assert_eq!(answer_to(&mut server, "[{]")["error"]["code"], -32700);
    }
}

#[test]
fn bytes_that_are_no_text_are_a_parse_error() {
    for mut server in both_ways() {
        for bytes in
            [&b"\xff\xfe\xfd\n"[..], b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}\n", b"\x80\n"]
        {
            server.send_bytes(bytes);
            let answer = server.next_message().expect("an answer");
            assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32700), None));
            goes_on(&mut server);
        }
    }
}

#[test]
fn empty_lines_and_other_line_ends_are_no_messages() {
    for mut server in both_ways() {
        server.send_bytes(b"\n\r\n  \t \n");
        goes_on(&mut server);
        server.send_bytes(b"  {\"jsonrpc\":\"2.0\",\"method\":\"notifications/nonsense\"}  \r\n");
        goes_on(&mut server);
        assert!(server.close().messages.is_empty());
    }
}

#[test]
fn a_message_may_come_in_pieces() {
    let mut server = opened();
    for piece in [r#"{"jsonrpc":"2.0","#, r#""id":"pieces","#, r#""method":"pi"#, "ng\"}\n"] {
        server.send_bytes(piece.as_bytes());
    }
    assert_eq!(server.next_message().expect("an answer")["id"], "pieces");
}

#[test]
fn a_message_over_the_limit_is_refused_and_the_next_one_is_served() {
    for size in [1_001, 2_000, 100_000, 3_000_000] {
        for wire in [Wire::Legacy, Wire::Modern] {
            let mut server = fixture!("--max-message-size=1000");
            if wire == Wire::Legacy {
                server.initialize(LEGACY);
            }
            let filler = "x".repeat(size);
            let line =
                format!(r#"{{"jsonrpc":"2.0","id":5,"method":"ping","params":{{"filler":"{filler}"}}}}"#);
            let answer = answer_to(&mut server, &line);
            assert_eq!(answer["error"]["code"], -32600, "{size} bytes");
            let message = answer["error"]["message"].as_str().expect("a message");
            assert!(message.contains("max_message_size") && message.contains("1000"), "{message}");
            assert_eq!(answer["id"], 5, "the id was among what was read");
        }
    }
}

#[test]
fn a_message_within_the_limit_is_served() {
    let mut server = opened();
    for size in [1_000, 65_536, 70_000, 1_000_000] {
        let filler = "é".repeat(size / 2);
        assert_eq!(text(&server.call("echo", json!({ "text": filler }))), filler);
    }
}

#[test]
fn a_message_over_the_limit_as_the_last_one_is_refused() {
    let mut server = fixture!("--max-message-size=1000");
    server.send_bytes("x".repeat(5_000).as_bytes());
    let messages = server.close().messages;
    assert_eq!((messages.len(), &messages[0]["error"]["code"]), (1, &json!(-32600)));
}

#[test]
fn json_that_is_nested_deep_is_no_harm() {
    for mut server in both_ways() {
        for depth in [100, 127, 128, 129, 1_000, 100_000] {
            let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            // As an argument, as a parameter that nobody knows, as a whole message.
            let line = format!(
                r#"{{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{{"name":"echo","arguments":{{"text":{nested}}}}}}}"#
            );
            assert_eq!(answer_to(&mut server, &line)["id"], 5, "{depth} levels");
            let line =
                format!(r#"{{"jsonrpc":"2.0","id":5,"method":"ping","params":{{"nested":{nested}}}}}"#);
            assert_eq!(answer_to(&mut server, &line)["id"], 5, "{depth} levels");
            assert!(answer_to(&mut server, &nested).get("error").is_some());
            answer_to(&mut server, &"{\"a\":".repeat(depth));
        }
    }
}

#[test]
fn text_of_every_kind_comes_back_as_it_was() {
    for mut server in both_ways() {
        for said in [
            "",
            "\"\\/\u{8}\u{c}\n\r\t",
            "\0\u{1f}\u{7f}",
            "日本語 🦀 \u{10ffff}",
            "\u{2028}\u{2029}\u{85}",
            "</script>",
        ] {
            assert_eq!(text(&server.call("echo", json!({ "text": said }))), said);
        }
    }
}

#[test]
fn escapes_mean_what_they_stand_for() {
    let mut server = opened();
    let line = r#"{"\u006asonrpc":"2.\u0030","\u0069d":"\u0061\n","m\u0065thod":"tools\/\u0063all","params":{"n\u0061me":"\u0061dd","arguments":{"\u0061":1,"b":2}}}"#;
    let answer = answer_to(&mut server, line);
    assert_eq!((&answer["id"], text(&answer["result"])), (&json!("a\n"), "3"));
    // Half of a surrogate pair is no character.
    let line = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":{"text":"\ud800"}}}"#;
    assert_eq!(answer_to(&mut server, line)["id"], 5);
}
