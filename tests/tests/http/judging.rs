//! What is wrong with a request, in the order in which it is judged.

use mcp_runtime::{Http, Limits};
use serde_json::{Value, json};
use tests::names;

use crate::inside::{Asking, End, Pieces, Session};
use crate::tools::{server, server_with};

fn http() -> Http {
    server().0.http()
}

/// A request whose `_meta` is this.
fn with_meta(method: &str, meta: Value) -> Asking {
    let message =
        json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": { "name": "add", "_meta": meta } });
    Asking::post(message.to_string()).header("MCP-Protocol-Version", "2026-07-28")
}

fn meta(version: &str) -> Value {
    json!({ (names::PROTOCOL_VERSION): version, (names::CLIENT_CAPABILITIES): {} })
}

async fn judged(asking: Asking) -> (u16, i64) {
    let reply = asking.to(&http()).await;
    let status = reply.status.as_u16();
    let message: Value = serde_json::from_str(&reply.text().await).expect("JSON");
    assert_eq!(message["id"], 7, "an error names the request that it is about");
    (status, message["error"]["code"].as_i64().expect("a code"))
}

#[tokio::test]
async fn a_request_is_judged_in_the_order_of_the_specification() {
    let version = names::PROTOCOL_VERSION;
    let capabilities = names::CLIENT_CAPABILITIES;
    // `_meta` before everything else, even before a version that nobody knows.
    for wrong in [json!({}), json!({ (version): "v999.0.0" }), json!({ (capabilities): {} })] {
        assert_eq!(judged(with_meta("nonsense", wrong)).await, (400, -32602));
    }
    // That header and body say the same version, before whether it is known.
    assert_eq!(judged(with_meta("nonsense", meta("v999.0.0"))).await, (400, -32020));
    let unknown = with_meta("nonsense", meta("v999.0.0")).header("MCP-Protocol-Version", "v999.0.0");
    assert_eq!(judged(unknown).await, (400, -32022));
    // `Mcp-Method` before whether the method exists.
    assert_eq!(judged(with_meta("nonsense", meta("2026-07-28"))).await, (400, -32020));
    let method = |method: &str| with_meta(method, meta("2026-07-28")).header("Mcp-Method", method);
    for removed in ["nonsense", "ping", "initialize", "logging/setLevel", "resources/subscribe", "tasks/list"]
    {
        assert_eq!(judged(method(removed)).await, (404, -32601), "{removed}");
    }
    // Whether it exists before what it names, and that before what it needs.
    assert_eq!(judged(method("tools/call")).await, (400, -32020), "`Mcp-Name` is missing");
    let named = method("tools/call").header("Mcp-Name", "add");
    assert_eq!(named.to(&http()).await.status, 200, "what is wrong with the arguments is a result");
}

#[tokio::test]
async fn headers_say_what_the_body_says_to_the_letter() {
    let list = || Asking::modern(1, "tools/list", json!({}));
    let call = |name: &str| {
        Asking::modern(1, "tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }))
            .header("Mcp-Name", name)
    };
    for wrong in [
        list().header("Mcp-Method", "prompts/list"),
        list().header("Mcp-Method", "TOOLS/LIST"),
        list().without("Mcp-Method"),
        list().and_header("Mcp-Method", "tools/list"),
        list().without("MCP-Protocol-Version").and_header("MCP-Protocol-Version", "2026-07-27"),
        call("wrong_tool_name"),
        call("Add"),
        call("x").without("Mcp-Name"),
        call("=?base64?YWRk=?="),
        call("=?base64?!!!?="),
        call("=?BASE64?YWRk?="),
        call("=?base64?YWR?="),
    ] {
        let reply = wrong.to(&http()).await;
        let status = reply.status;
        let text = reply.text().await;
        let message: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((status.as_u16(), &message["error"]["code"]), (400, &json!(-32020)), "{text}");
    }
    for right in [list().header("mcp-method", "tools/list"), call("  add  "), call("=?base64?YWRk?=")] {
        let reply = right.to(&http()).await;
        assert_eq!(reply.status, 200);
        assert!(reply.json().await["error"].is_null());
    }
}

#[tokio::test]
async fn arguments_that_headers_repeat_are_the_same_there() {
    let http = http();
    let call = |arguments: Value| {
        Asking::modern(1, "tools/call", json!({ "name": "regional", "arguments": arguments }))
    };
    let region = |value: &str| call(json!({ "region": value }));
    for right in [
        region("Hello").header("Mcp-Param-Region", "=?base64?SGVsbG8=?="),
        region("SGVsbG8=").header("Mcp-Param-Region", "SGVsbG8="),
        region("=?base64?SGVsbG8=").header("mcp-param-region", "=?base64?SGVsbG8="),
        region("Grüße").header("Mcp-Param-Region", "=?base64?R3LDvMOfZQ==?="),
        region("tab\\\"").header("Mcp-Param-Region", "tab\\\""),
        call(json!({ "zone": 42 })).header("Mcp-Param-Zone", "42.0"),
        call(json!({ "zone": -7 })).header("Mcp-Param-Zone", "-7"),
        call(json!({ "dry": true })).header("Mcp-Param-Dry-Run", "true"),
        call(json!({ "address": { "city": "Ulm" } })).header("Mcp-Param-City", "Ulm"),
        call(json!({ "region": null })),
        call(json!({})).header("Mcp-Param-Unknown", "ignored"),
    ] {
        let shown = format!("{right:?}");
        let reply = right.to(&http).await;
        assert_eq!(reply.status, 200, "{shown}");
        let message = reply.json().await;
        assert!(message["error"].is_null() && message["result"]["isError"].is_null(), "{shown}: {message}");
    }
    for wrong in [
        region("Hello"),
        region("Hello").header("Mcp-Param-Region", "hello"),
        region("Hello").header("Mcp-Param-Region", "=?base64?SGVsbG8?="),
        region("Hello").header("Mcp-Param-Region", "=?base64?SGVs!!!bG8=?="),
        region("Hello").header("Mcp-Param-Region", "=?base64?SGVsbG9=?="),
        region("Hello").header("Mcp-Param-Region", "Hello").and_header("Mcp-Param-Region", "Hello"),
        region("Grüße").header("Mcp-Param-Region", "Grüße"),
        call(json!({ "zone": 42 })).header("Mcp-Param-Zone", "43"),
        call(json!({ "zone": 42 })).header("Mcp-Param-Zone", "forty-two"),
        call(json!({ "dry": true })).header("Mcp-Param-Dry-Run", "True"),
        call(json!({ "address": { "city": "Ulm" } })),
        call(json!({})).header("Mcp-Param-Region", "Hello"),
    ] {
        let shown = format!("{wrong:?}");
        let reply = wrong.to(&http).await;
        assert_eq!(reply.status, 400, "{shown}");
        assert_eq!(reply.code().await, -32020, "{shown}");
    }
    let session = Session::open(&http).await;
    let reply = session.call(1, "regional", json!({ "region": "Hello" })).to(&http).await;
    assert_eq!(reply.status, 200, "earlier revisions know no such headers");
}

#[tokio::test]
async fn a_request_about_a_task_may_leave_its_name_out_but_not_name_another() {
    let (service, gates) = server();
    let http = service.http();
    let call = json!({ "name": "wait", "arguments": { "gate": "a" } });
    let task = Asking::with_tasks(1, "tools/call", call).to(&http).await.json().await;
    let id = task["result"]["taskId"].as_str().expect("a task");
    let get = || Asking::with_tasks(2, "tasks/get", json!({ "taskId": id }));
    assert_eq!(get().to(&http).await.status, 200);
    assert_eq!(get().without("Mcp-Name").to(&http).await.status, 200);
    let reply = get().header("Mcp-Name", "another").to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.code().await), (400, -32020));
    let strict = service.http().strict_names();
    assert_eq!(get().to(&strict).await.status, 200);
    assert_eq!(get().without("Mcp-Name").to(&strict).await.code().await, -32020);
    gates.open("a");
}

#[tokio::test]
async fn errors_of_the_method_itself_are_answers() {
    let unknown = Asking::modern(1, "tools/call", json!({ "name": "nothing" })).to(&http()).await;
    assert_eq!((unknown.status.as_u16(), unknown.code().await), (200, -32602));
    let refused = Asking::modern(1, "tools/call", json!({ "name": "refuse" })).to(&http()).await;
    assert_eq!((refused.status.as_u16(), refused.code().await), (200, -32601), "the method was there");
    let undeclared = Asking::modern(1, "tasks/get", json!({ "taskId": "a" })).to(&http()).await;
    assert_eq!((undeclared.status.as_u16(), undeclared.code().await), (400, -32021));
    let http = http();
    let session = Session::open(&http).await;
    let unknown = session.ask(1, "nothing", json!({})).to(&http).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().await),
        (200, -32601),
        "as earlier revisions have it"
    );
}

#[tokio::test]
async fn bodies_that_are_no_messages_are_refused() {
    let http = http();
    for (text, code) in [("{", -32700), ("", -32700), ("7", -32600), ("{}", -32600), ("[]", -32600)] {
        let reply = Asking::post(text).header("MCP-Protocol-Version", "2026-07-28").to(&http).await;
        assert_eq!((reply.status.as_u16(), reply.code().await), (400, code), "{text:?}");
    }
    let bytes = Asking::post("").body(Pieces::new([&b"\xff\xfe"[..]], End::Whole)).to(&http).await;
    assert_eq!((bytes.status.as_u16(), bytes.code().await), (400, -32700));
    let plain = Asking::post("{}").header("Content-Type", "text/plain").to(&http).await;
    assert_eq!(plain.status, 415);
    assert_eq!(Asking::post("{}").without("Content-Type").to(&http).await.status, 415);
    assert_eq!(Asking::post("{}").header("Accept", "text/html").to(&http).await.status, 406);
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_word() {
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {} });
    let reply =
        Asking::post(notification.to_string()).header("MCP-Protocol-Version", "2026-07-28").to(&http()).await;
    assert_eq!((reply.status.as_u16(), reply.text().await.as_str()), (202, ""));
}

#[tokio::test]
async fn a_body_is_as_large_as_it_may_be_and_may_come_in_pieces() {
    let http = server_with(Limits { max_message_size: 2000, ..Limits::default() }).0.http();
    let message = |length: usize| {
        let params = json!({ "name": "echo", "arguments": { "text": "x".repeat(length) }, "_meta": meta("2026-07-28") });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
    };
    let in_pieces = |text: String, piece: usize| {
        let pieces: Vec<Vec<u8>> = text.as_bytes().chunks(piece).map(<[u8]>::to_vec).collect();
        Asking::modern(1, "tools/call", json!({ "name": "echo" })).body(Pieces::new(pieces, End::Whole))
    };
    for piece in [1, 7, 1000, 5000] {
        let reply = in_pieces(message(1500), piece).to(&http).await;
        assert_eq!(reply.status, 200);
        let reply = in_pieces(message(2500), piece).to(&http).await;
        let status = reply.status;
        let message: Value = serde_json::from_str(&reply.text().await).expect("JSON");
        assert_eq!(status, 413);
        assert!(message["error"]["message"].as_str().is_some_and(|text| text.contains("max_message_size")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
    let reply = Asking::post("").body(Pieces::new(["{"], End::Never)).to(&http()).await;
    assert_eq!(reply.status, 408);
    let reply = Asking::post("").body(Pieces::new(["{"], End::Broken)).to(&http()).await;
    assert_eq!(reply.status, 400);
}
