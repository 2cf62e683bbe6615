//! What the witness must notice, for a witness that notices nothing is worse than none.

use serde_json::{Value, json};

use super::Witness;
use crate::names;

fn request(id: i64, method: &str, mut params: Value, is_modern: bool) -> Value {
    if is_modern {
        params["_meta"][names::PROTOCOL_VERSION] = json!("2026-07-28");
        params["_meta"][names::CLIENT_CAPABILITIES] = json!({ "extensions": { (names::TASKS): {} } });
    }
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn answer(id: i64, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

fn task(status: &str) -> Value {
    let time = "2025-11-25T10:30:00Z";
    json!({ "taskId": "t", "status": status, "createdAt": time, "lastUpdatedAt": time, "ttl": 60000 })
}

/// What is said to the last message; all before it must pass.
fn said(sent: &[Value], received: &[Value]) -> Result<(), String> {
    let mut witness = Witness::default();
    for message in sent {
        witness.sent(message);
    }
    let (last, before) = received.split_last().expect("something was received");
    for message in before {
        witness.received(message).expect("nothing is wrong with it");
    }
    witness.received(last)
}

fn notices(sent: &[Value], received: &[Value], words: &str) {
    let wrong = said(sent, received).expect_err("something is wrong with it");
    assert!(wrong.contains(words), "{words:?} is not in {wrong:?}");
}

#[test]
fn answers_belong_to_requests() {
    let ping = request(1, "ping", json!({}), false);
    assert_eq!(said(std::slice::from_ref(&ping), &[answer(1, json!({}))]), Ok(()));
    notices(&[], &[answer(1, json!({}))], "nobody asked");
    notices(std::slice::from_ref(&ping), &[answer(1, json!({})), answer(1, json!({}))], "nobody asked");
    notices(
        std::slice::from_ref(&ping),
        &[answer(1, json!({ "resultType": "complete" }))],
        "belongs to 2026-07-28",
    );
    notices(&[ping], &[answer(1, json!({ "more": 1 }))], "answered with nothing");
}

#[test]
fn what_was_cancelled_is_silent_once_the_server_knows() {
    let cancel = notification("notifications/cancelled", json!({ "requestId": 1 }));
    let sent = [request(1, "ping", json!({}), false), cancel, request(2, "ping", json!({}), false)];
    assert_eq!(
        said(&sent, &[answer(1, json!({})), answer(2, json!({}))]),
        Ok(()),
        "it may have been on its way"
    );
    notices(&sent, &[answer(2, json!({})), answer(1, json!({}))], "was cancelled");
}

#[test]
fn progress_increases_and_ends() {
    let call = request(1, "tools/call", json!({ "name": "a", "_meta": { "progressToken": "t" } }), false);
    let progress = |value: i64| {
        notification("notifications/progress", json!({ "progressToken": "t", "progress": value }))
    };
    let result = answer(1, json!({ "content": [] }));
    assert_eq!(said(std::slice::from_ref(&call), &[progress(1), progress(2), result.clone()]), Ok(()));
    notices(std::slice::from_ref(&call), &[progress(2), progress(2)], "must increase");
    notices(std::slice::from_ref(&call), &[result, progress(1)], "has ended");
    notices(&[], &[progress(1)], "no request named");
    let related =
        json!({ "progressToken": "t", "progress": 1, "_meta": { (names::RELATED_TASK): { "taskId": "t" } } });
    notices(&[call], &[notification("notifications/progress", related)], "became no task");
}

#[test]
fn an_end_of_a_task_is_an_end() {
    let get = |id| request(id, "tasks/get", json!({ "taskId": "t" }), false);
    let sent = [get(1), get(2)];
    assert_eq!(said(&sent, &[answer(1, task("working")), answer(2, task("failed"))]), Ok(()));
    notices(&sent, &[answer(1, task("cancelled")), answer(2, task("completed"))], "had ended");
    let mut younger = task("working");
    younger["createdAt"] = json!("2025-11-25T10:29:00Z");
    notices(&sent, &[answer(1, task("working")), answer(2, younger)], "was created at");
    let mut timeless = task("working");
    timeless["lastUpdatedAt"] = json!("yesterday");
    notices(&sent, &[answer(1, timeless)], "no point in time");
    notices(
        &[],
        &[notification("notifications/tasks/status", task("working"))],
        "did not make this task nor ask for it",
    );
}

#[test]
fn results_of_the_stateless_revision_say_what_they_are_and_of_whom() {
    let call = [request(1, "tools/call", json!({ "name": "a" }), true)];
    let mut result = json!({
        "resultType": "complete", "content": [], "_meta": { (names::SERVER_INFO): { "name": "a", "version": "1" } }
    });
    assert_eq!(said(&call, &[answer(1, result.clone())]), Ok(()));
    result["resultType"] = json!("input_required");
    notices(&call, &[answer(1, result.clone())], "neither what is needed");
    result["_meta"] = json!({});
    notices(&call, &[answer(1, result)], "does not name the server");
    let unspoken = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32001, "message": "no" } });
    notices(&call, &[unspoken], "reserved");
}

#[test]
fn a_subscription_is_acknowledged_first_and_keeps_to_its_tasks() {
    let listen = [request(1, "subscriptions/listen", json!({ "notifications": { "taskIds": ["t"] } }), true)];
    let of = |id: i64| json!({ (names::SUBSCRIPTION_ID): id });
    let acknowledged = |tasks: Value| {
        let params = json!({ "_meta": of(1), "notifications": { "taskIds": tasks } });
        notification("notifications/subscriptions/acknowledged", params)
    };
    let told = |task: &str| {
        let time = "2025-11-25T10:30:00Z";
        let params = json!({
            "_meta": of(1), "taskId": task, "status": "working", "createdAt": time, "lastUpdatedAt": time, "ttlMs": null
        });
        notification("notifications/tasks", params)
    };
    assert_eq!(said(&listen, &[acknowledged(json!(["t"])), told("t")]), Ok(()));
    notices(&listen, &[told("t")], "not acknowledged");
    notices(&listen, &[acknowledged(json!(["t"])), told("u")], "does not cover");
    notices(&listen, &[acknowledged(json!(["u"]))], "nobody wanted");
    notices(&listen, &[acknowledged(json!([])), acknowledged(json!([]))], "already");
    notices(&[], &[acknowledged(json!([]))], "no subscription");
}

#[test]
fn tools_keep_their_promises() {
    let schema = json!({ "type": "object", "required": ["n"] });
    let tool = json!({ "name": "a", "inputSchema": { "type": "object" }, "outputSchema": schema });
    let sent =
        [request(1, "tools/list", json!({}), false), request(2, "tools/call", json!({ "name": "a" }), false)];
    let listed = answer(1, json!({ "tools": [tool] }));
    let gave = |result: Value| answer(2, result);
    let kept = json!({ "content": [], "structuredContent": { "n": 1 } });
    assert_eq!(said(&sent, &[listed.clone(), gave(kept)]), Ok(()));
    notices(&sent, &[listed.clone(), gave(json!({ "content": [] }))], "promised structured content");
    let broken = json!({ "content": [], "structuredContent": {} });
    notices(&sent, &[listed.clone(), gave(broken)], "breaks its schema");
    let failed = json!({ "content": [], "isError": true });
    assert_eq!(said(&sent, &[listed, gave(failed)]), Ok(()));
    let tool = json!({ "name": "a", "inputSchema": { "type": "nonsense" } });
    let wrong = said(&sent, &[answer(1, json!({ "tools": [tool] }))]).expect_err("that is no schema");
    assert!(wrong.contains("inputSchema"), "{wrong}");
}

#[test]
fn servers_tell_nothing_unasked_and_batches_have_their_revision() {
    notices(&[], &[json!([answer(1, json!({}))])], "it is a batch");
    notices(
        &[],
        &[notification("notifications/message", json!({ "level": "info", "data": 1 }))],
        "nobody asked",
    );
}

fn opening(capabilities: Value) -> (Value, Value) {
    let client = json!({ "name": "a", "version": "1" });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client });
    let answered = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": client });
    (request(1, "initialize", params, false), answer(1, answered))
}

#[test]
fn a_session_is_asked_what_its_client_declared_and_nothing_else() {
    let call = request(2, "tools/call", json!({ "name": "a" }), false);
    let elicitation = |id: i64, mode: &str| {
        let mut params = json!({ "mode": mode, "message": "?", "requestedSchema": { "type": "object", "properties": {} } });
        if mode == "url" {
            params =
                json!({ "mode": mode, "message": "?", "url": "https://example.com", "elicitationId": "e" });
        }
        request(id, "elicitation/create", params, false)
    };
    let roots = request(7, "roots/list", json!({}), false);
    notices(&[], std::slice::from_ref(&roots), "does not have");
    let (open, opened) = opening(json!({ "elicitation": {} }));
    let sent = [open, call];
    let heard = [opened.clone(), elicitation(5, "form")];
    assert_eq!(said(&sent, &heard), Ok(()));
    notices(&sent, &[opened.clone(), roots], "did not declare");
    notices(&sent, &[opened.clone(), elicitation(5, "url")], "did not declare");
    notices(&sent, &[opened.clone(), elicitation(5, "form"), elicitation(5, "form")], "before");
    notices(&sent[..1], &heard, "on behalf of");
    notices(&sent, &[opened.clone(), request(5, "sampling/secret", json!({}), false)], "no server asks");
    let taken_back = notification("notifications/cancelled", json!({ "requestId": 5 }));
    assert_eq!(said(&sent, &[opened.clone(), elicitation(5, "form"), taken_back.clone()]), Ok(()));
    notices(&sent, &[opened.clone(), taken_back.clone()], "nobody was asked");
    notices(
        &sent,
        &[opened.clone(), elicitation(5, "form"), taken_back.clone(), taken_back],
        "taken back before",
    );
    let mut related = elicitation(5, "form");
    related["params"]["_meta"] = json!({ (names::RELATED_TASK): { "taskId": "t" } });
    notices(&sent, &[opened, related], "knows no task");
}

#[test]
fn a_task_asks_each_thing_once() {
    let (open, opened) = opening(json!({ "roots": {} }));
    let call = request(2, "tools/call", json!({ "name": "a", "task": {} }), false);
    let made = answer(2, json!({ "task": task("working") }));
    let asks = |id: i64| {
        let related = json!({ "_meta": { (names::RELATED_TASK): { "taskId": "t" } } });
        request(id, "roots/list", related, false)
    };
    let sent = [open, call, request(3, "tasks/get", json!({ "taskId": "t" }), false)];
    assert_eq!(said(&sent, &[opened.clone(), made.clone(), asks(5)]), Ok(()));
    notices(&sent, &[opened.clone(), made.clone(), asks(5), asks(6)], "already");
    notices(&sent, &[opened, made, answer(3, task("failed")), asks(5)], "has ended");
}

#[test]
fn a_round_ends_with_what_may_be_asked() {
    let server = json!({ (names::SERVER_INFO): { "name": "a", "version": "1" } });
    let round = |requests: Value| {
        let result = json!({ "resultType": "input_required", "inputRequests": requests, "_meta": server });
        answer(1, result)
    };
    let mut call = request(1, "tools/call", json!({ "name": "a" }), true);
    call["params"]["_meta"][names::CLIENT_CAPABILITIES] = json!({ "roots": {} });
    let calls = [call];
    let roots = json!({ "a": { "method": "roots/list", "params": {} } });
    assert_eq!(said(&calls, &[round(roots.clone())]), Ok(()));
    let sampling = json!({ "messages": [], "maxTokens": 1 });
    let sampling = json!({ "a": { "method": "sampling/createMessage", "params": sampling } });
    notices(&calls, &[round(sampling)], "did not declare");
    let nothing = json!({ "resultType": "input_required", "_meta": server });
    notices(&calls, &[answer(1, nothing)], "neither what is needed");
    let list = [request(1, "tools/list", json!({}), true)];
    notices(&list, &[round(roots)], "is of the type");
}

#[test]
fn who_wants_to_hear_of_nothing_hears_nothing() {
    let says = |level: &str| notification("notifications/message", json!({ "level": level, "data": 1 }));
    let (open, opened) = opening(json!({}));
    let level = request(2, "logging/setLevel", json!({ "level": "error" }), false);
    let sent = [open, level];
    assert_eq!(said(&sent, &[opened.clone(), says("debug"), answer(2, json!({})), says("alert")]), Ok(()));
    notices(&sent, &[opened, answer(2, json!({})), says("warning")], "nobody asked");
    let mut call = request(1, "tools/call", json!({ "name": "a" }), true);
    notices(std::slice::from_ref(&call), &[says("alert")], "nobody asked");
    call["params"]["_meta"][names::LOG_LEVEL] = json!("error");
    assert_eq!(said(std::slice::from_ref(&call), &[says("error")]), Ok(()));
    notices(&[call], &[says("warning")], "nobody asked");
}

#[test]
fn the_answer_is_the_last_that_is_said_of_a_subscription() {
    let listen = [request(1, "subscriptions/listen", json!({ "notifications": {} }), true)];
    let mut meta = json!({ (names::SUBSCRIPTION_ID): 1 });
    let cancelled = notification("notifications/cancelled", json!({ "requestId": 1, "_meta": meta }));
    meta[names::SERVER_INFO] = json!({ "name": "a", "version": "1" });
    let over = answer(1, json!({ "resultType": "complete", "_meta": meta }));
    assert_eq!(said(&listen, &[cancelled.clone(), over.clone()]), Ok(()));
    notices(&listen, &[over, cancelled.clone()], "had ended");
    notices(&listen, &[cancelled.clone(), cancelled], "had ended");
}
