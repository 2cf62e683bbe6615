//! Over real sockets: what clients send that is broken, slow or large, and how connections end.

use serde_json::{Value, json};

use crate::raw::{Fixture, modern};

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let fixture = Fixture::start(&[]);
    let mut connection = fixture.connect();
    for id in 1..50 {
        let reply = connection.call(id, "add", &json!({ "a": id, "b": 1 }));
        assert_eq!(reply.status, 200);
        let message: Value = serde_json::from_str(&reply.body).expect("JSON");
        assert_eq!(message["id"], id);
        assert_eq!(tests::text(&message["result"]), (id + 1).to_string());
    }
    // Several at once are answered in order.
    for id in 1..10 {
        connection.begin_call(id, "add", &json!({ "a": id, "b": 1 }));
    }
    for id in 1..10 {
        let message: Value = serde_json::from_str(&connection.response().body).expect("JSON");
        assert_eq!(message["id"], id);
    }
}

#[test]
fn many_clients_are_served_side_by_side() {
    let fixture = Fixture::start(&[]);
    let mut waiting: Vec<_> = (0..100)
        .map(|id| {
            let mut connection = fixture.connect();
            connection.begin_call(id, "wait", &json!({ "gate": "all" }));
            connection
        })
        .collect();
    fixture.pass_gate("all-reached");
    assert!(fixture.is_well());
    fixture.open_gate("all");
    for connection in &mut waiting {
        assert_eq!(connection.response().status, 200);
    }
}

#[test]
fn a_client_for_which_there_is_no_connection_waits_for_one() {
    let fixture = Fixture::start(&["--http-connections=1"]);
    let mut first = fixture.connect();
    assert_eq!(first.call(1, "add", &json!({ "a": 1, "b": 2 })).status, 200);
    let mut second = fixture.connect();
    second.begin_call(2, "add", &json!({ "a": 1, "b": 2 }));
    assert_eq!(first.call(3, "add", &json!({ "a": 1, "b": 2 })).status, 200);
    first.close();
    assert_eq!(second.response().status, 200);
}

#[test]
fn what_is_no_http_is_refused_and_harms_nobody() {
    let fixture = Fixture::start(&[]);
    for garbage in [
        "nonsense\r\n\r\n",
        "POST /mcp HTTP/9.9\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nHost localhost\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "\0\0\0\0\r\n\r\n",
    ] {
        let mut connection = fixture.connect();
        connection.send(garbage.as_bytes());
        let (status, _) = connection.response_head();
        assert!((400..=505).contains(&status), "{garbage:?}: {status}");
    }
    let mut connection = fixture.connect();
    connection.send(format!("GET /mcp HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(600_000)).as_bytes());
    assert_eq!(connection.response_head().0, 431);
    fixture.connect().close();
    assert!(fixture.is_well());
}

#[test]
fn only_the_endpoint_is_served() {
    let fixture = Fixture::start(&[]);
    let mut connection = fixture.connect();
    connection.send(b"POST /other HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(connection.response().status, 404);
}

#[test]
fn a_body_may_come_in_chunks() {
    let fixture = Fixture::start(&[]);
    let mut connection = fixture.connect();
    let body = modern(1, "server/discover", json!({}));
    let head = connection.head(
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: server/discover\r\nTransfer-Encoding: chunked\r\n",
    );
    connection.send(head.as_bytes());
    for piece in body.as_bytes().chunks(10) {
        connection.send(format!("{:x}\r\n", piece.len()).as_bytes());
        connection.send(piece);
        connection.send(b"\r\n");
    }
    connection.send(b"0\r\n\r\n");
    assert_eq!(connection.response().status, 200);
}

#[test]
fn a_large_body_arrives_and_one_too_large_is_refused_before_it_has() {
    let fixture = Fixture::start(&[]);
    let text = "ü".repeat(1_000_000);
    let reply = fixture.connect().call(1, "echo", &json!({ "text": text }));
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains(&text));

    let mut connection = fixture.connect();
    let head = connection.head("MCP-Protocol-Version: 2026-07-28\r\nContent-Length: 1000000000\r\n");
    connection.send(head.as_bytes());
    connection.try_send(b"{\"id\":5,\"jsonrpc\":\"2.0\",");
    let reply = connection.response();
    assert_eq!(reply.status, 413);
    assert!(reply.body.contains("max_message_size") && reply.body.contains("\"id\":5"), "{}", reply.body);
    assert!(fixture.is_well());
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let fixture = Fixture::start(&["--http-body-timeout=50"]);
    let mut connection = fixture.connect();
    let head = connection.head("MCP-Protocol-Version: 2026-07-28\r\nContent-Length: 100\r\n");
    connection.send(head.as_bytes());
    assert_eq!(connection.response().status, 408);
}

#[test]
fn a_client_that_closes_its_connection_cancels_its_call() {
    let fixture = Fixture::start(&[]);
    // In the middle of a stream.
    let mut connection = fixture.connect();
    connection.begin_call(1, "wait", &json!({ "gate": "a", "steps": 1 }));
    let (status, head) = connection.response_head();
    assert_eq!(status, 200);
    assert!(head.contains("text/event-stream"));
    assert!(connection.chunk().expect("progress").contains("step 1"));
    connection.close();
    fixture.pass_gate("a-left");
    // Before anything was said.
    let mut connection = fixture.connect();
    connection.begin_call(1, "wait", &json!({ "gate": "b" }));
    fixture.pass_gate("b-reached");
    connection.close();
    fixture.pass_gate("b-left");
}

#[test]
fn a_stream_comes_as_it_is_said_and_the_connection_goes_on_after_it() {
    let fixture = Fixture::start(&[]);
    let mut connection = fixture.connect();
    connection.begin_call(1, "wait", &json!({ "gate": "a", "steps": 2 }));
    connection.response_head();
    let mut said = String::new();
    while !said.contains("step 2") {
        said.push_str(&connection.chunk().expect("more"));
    }
    fixture.open_gate("a");
    while let Some(chunk) = connection.chunk() {
        said.push_str(&chunk);
    }
    assert!(
        said.contains("passed a") && said.lines().all(|line| line.is_empty() || line.starts_with("data: "))
    );
    assert_eq!(connection.call(2, "add", &json!({ "a": 1, "b": 2 })).status, 200);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let fixture = Fixture::start(&[]);
    let mut deaf: Vec<_> = (0..4).map(|_| fixture.connect()).collect();
    for connection in &mut deaf {
        connection.begin_call(1, "heavy", &json!({ "bytes": 4_000_000 }));
    }
    for _ in 0..20 {
        assert!(fixture.is_well());
    }
}

#[test]
fn a_client_that_never_reads_loses_its_connection() {
    let fixture = Fixture::start(&["--http-connections=1", "--http-write-timeout=50"]);
    let mut deaf = fixture.connect();
    // More than the system takes off the server's hands.
    deaf.begin_call(1, "heavy", &json!({ "bytes": 32_000_000 }));
    // There is a place for one.
    assert!(fixture.is_well());
}

/// The listener closes, streams end with their answer, running calls are finished, and the process ends well.
#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_stop_does_so_gracefully() {
    let fixture = Fixture::start(&[]);
    let mut listening = fixture.connect();
    listening.begin(7, "subscriptions/listen", json!({ "notifications": {} }));
    listening.response_head();
    assert!(listening.chunk().expect("an event").contains("acknowledged"));
    let mut idle = fixture.connect();
    assert_eq!(idle.call(1, "add", &json!({ "a": 1, "b": 2 })).status, 200);
    let mut calling = fixture.connect();
    calling.begin_call(1, "tidy", &json!({ "gate": "a" }));
    calling.response_head();
    let mut slow = fixture.connect();
    slow.begin_call(1, "slow", &json!({ "ms": 500 }));
    // It has begun once it says so.
    assert_eq!(slow.response_head().0, 200);
    fixture.pass_gate("a-reached");
    fixture.terminate();
    let mut said = String::new();
    while let Some(chunk) = listening.chunk() {
        said.push_str(&chunk);
    }
    assert!(said.contains("\"id\":7,\"result\""), "{said}");
    assert!(idle.is_closed());
    let mut said = String::new();
    while let Some(chunk) = slow.chunk() {
        said.push_str(&chunk);
    }
    assert!(said.contains("took 500 ms"), "{said}");
    // What waits for ever is given up; whoever waits for it as well.
    calling.close();
    assert!(fixture.wait().success());
}
