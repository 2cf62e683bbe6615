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
    notices(&[], &[notification("notifications/tasks/status", task("working"))], "did not make this task");
}

#[test]
fn results_of_the_stateless_revision_say_what_they_are_and_of_whom() {
    let call = [request(1, "tools/call", json!({ "name": "a" }), true)];
    let mut result = json!({
        "resultType": "complete", "content": [], "_meta": { (names::SERVER_INFO): { "name": "a", "version": "1" } }
    });
    assert_eq!(said(&call, &[answer(1, result.clone())]), Ok(()));
    result["resultType"] = json!("input_required");
    notices(&call, &[answer(1, result.clone())], "is of the type");
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
fn servers_ask_for_nothing_and_batches_have_their_revision() {
    notices(&[], &[request(1, "roots/list", json!({}), false)], "it is a request");
    notices(&[], &[json!([answer(1, json!({}))])], "it is a batch");
    notices(
        &[],
        &[notification("notifications/message", json!({ "level": "info", "data": 1 }))],
        "nobody asked",
    );
}
