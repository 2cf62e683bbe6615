//! What clients are told of tasks: nothing twice, nothing in a wrong order, and always the end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::tests::{Made, made, server};
use super::*;
use crate::testing::TestClient;
use crate::tool::TaskSupport;
use crate::{Context, ToolResult};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

async fn pause(dice: &mut Dice) {
    match dice.below(8) {
        0 => tokio::time::sleep(Duration::from_millis(dice.below(20))).await,
        1..4 => tokio::task::yield_now().await,
        _ => {}
    }
}

/// A tool that counts up, gives what it counts, calls itself now and then, and ends in one way or another.
fn busy(name: &'static str, seeds: &Arc<AtomicU64>) -> Made {
    let seeds = Arc::clone(seeds);
    made(name, TaskSupport::Optional, move |cx: Context| {
        let mut dice = Dice(seeds.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst) | 1);
        async move {
            for step in 1..=dice.below(60) {
                cx.progress(step, 60, format!("step {step}"));
                cx.partial(step - 1);
                if dice.below(80) == 0 {
                    let _ = cx.call("part", ()).await;
                }
                pause(&mut dice).await;
            }
            match dice.below(40) {
                0 => panic!("as planned"),
                1..12 => ToolResult::error("no luck"),
                _ => ToolResult::text(format!("done with {}", dice.below(1000))),
            }
        }
    })
}

/// What a client was told of one task.
#[derive(Default)]
struct Told {
    step: f64,
    updated_at: String,
    partials: u64,
    end: Option<Value>,
}

impl Told {
    fn hear(&mut self, state: &Value) {
        let id = &state["taskId"];
        assert!(self.end.is_none(), "{id} had ended, and then came {state}");
        let step = state["_meta"]["dev.mcp-runtime/progress"]["progress"].as_f64().unwrap_or_default();
        assert!(step >= self.step, "{id} was at {} and then came {state}", self.step);
        let updated_at = state["lastUpdatedAt"].as_str().expect("a time");
        assert!(updated_at >= self.updated_at.as_str(), "{id} went back in time: {state}");
        (self.step, self.updated_at) = (step, updated_at.to_owned());
        let partial = &state["_meta"]["dev.mcp-runtime/partial"];
        for value in partial["values"].as_array().into_iter().flatten() {
            assert_eq!(value.as_u64(), Some(self.partials), "each once, and in order: {state}");
            self.partials += 1;
        }
        if !matches!(state["status"].as_str(), Some("working" | "input_required")) {
            self.end = Some(state.clone());
        }
    }
}

/// Listens until every one of these tasks has ended; gives what was told last of each.
async fn listen(mut client: TestClient, method: &str, tasks: Vec<String>) -> HashMap<String, Told> {
    let mut told: HashMap<String, Told> = tasks.into_iter().map(|task| (task, Told::default())).collect();
    while told.values().any(|told| told.end.is_none()) {
        let message = client.next_message().await.expect("the server is there");
        if message["method"] != method {
            continue;
        }
        let state = &message["params"];
        if let Some(told) = state["taskId"].as_str().and_then(|id| told.get_mut(id)) {
            told.hear(state);
        }
    }
    // Nothing comes after the end.
    let ping = client.begin("tools/list", json!({}));
    loop {
        let message = client.next_message().await.expect("the server is there");
        if message["id"] == ping {
            return told;
        }
        let id = message["params"]["taskId"].as_str().unwrap_or_default();
        assert!(message["method"] != method || !told.contains_key(id), "after the end: {message}");
    }
}

fn subscribe(service: &Service, tasks: &[String]) -> TestClient {
    let mut client = service.test_client();
    client.begin("subscriptions/listen", json!({ "notifications": { "taskIds": tasks } }));
    client
}

async fn legacy(service: &Service) -> TestClient {
    service.test_client().legacy("2025-11-25").await.expect("a session")
}

async fn chaos(seed: u64) {
    let mut dice = Dice(seed | 1);
    let seeds = Arc::new(AtomicU64::new(seed));
    let service =
        server().tool(busy("busy", &seeds)).tool(busy("part", &seeds)).build().expect("it can be built");
    let mut maker = service.test_client();
    let mut old_maker = legacy(&service).await;
    let (mut tasks, mut old) = (Vec::new(), Vec::new());
    let mut listeners = Vec::new();
    for _ in 0..40 {
        if dice.below(3) == 0 {
            let params = json!({ "name": "busy", "task": {} });
            let made = old_maker.request("tools/call", params).await.expect("a task");
            old.push(made["task"]["taskId"].as_str().expect("an id").to_owned());
        } else {
            let made = maker.call_tool("busy", json!({})).await.expect("a task");
            tasks.push(made["taskId"].as_str().expect("an id").to_owned());
        }
        let all: Vec<String> = tasks.iter().chain(&old).cloned().collect();
        if dice.below(3) == 0 {
            let some: Vec<String> = all.iter().filter(|_| dice.below(2) == 0).cloned().collect();
            listeners.push(tokio::spawn(listen(subscribe(&service, &some), "notifications/tasks", some)));
        }
        if dice.below(5) == 0 {
            // A client that comes back, and asks for what was made in an earlier session.
            let mut client = legacy(&service).await;
            let mut at_work = Vec::new();
            let mut first: HashMap<String, Told> = HashMap::new();
            for id in all.iter().filter(|_| dice.below(2) == 0) {
                let state = client.request("tasks/get", json!({ "taskId": id })).await.expect("it is there");
                if state["status"] == "working" {
                    at_work.push(id.clone());
                    let step = state["_meta"]["dev.mcp-runtime/progress"]["progress"].as_f64();
                    first.insert(id.clone(), Told { step: step.unwrap_or_default(), ..Told::default() });
                }
            }
            // What was told before its listener begins to read.
            for message in client.notifications() {
                if let Some(told) = message["params"]["taskId"].as_str().and_then(|id| first.get_mut(id)) {
                    told.hear(&message["params"]);
                }
            }
            at_work.retain(|id| first[id].end.is_none());
            listeners.push(tokio::spawn(follow_on(client, first, at_work)));
        }
        if dice.below(6) == 0 {
            let id = &all[usize::try_from(dice.below(all.len() as u64)).expect("small")];
            let _ = maker.request("tasks/cancel", json!({ "taskId": id })).await;
        }
        pause(&mut dice).await;
    }
    let mut expected = HashMap::new();
    for id in tasks.iter().chain(&old) {
        expected.insert(id.clone(), maker.follow(id).await.expect("it ends"));
    }
    // Who comes after the end is told of it at once.
    let all: Vec<String> = expected.keys().cloned().collect();
    listeners.push(tokio::spawn(listen(subscribe(&service, &all), "notifications/tasks", all)));
    for listener in listeners {
        for (id, told) in listener.await.expect("no panic") {
            let (end, expected) = (told.end.expect("it ended"), &expected[&id]);
            if end.get("ttlMs").is_some() {
                for member in ["status", "result", "error", "statusMessage"] {
                    assert_eq!(end.get(member), expected.get(member), "{member} of {end}");
                }
                let partials = expected["_meta"]["dev.mcp-runtime/partial"]["cursor"].as_u64();
                assert_eq!(told.partials, partials.unwrap_or_default(), "all that it gave: {end}");
            }
        }
    }
}

/// The same as [`listen`], of tasks of which something was told before.
async fn follow_on(
    mut client: TestClient,
    mut told: HashMap<String, Told>,
    at_work: Vec<String>,
) -> HashMap<String, Told> {
    while at_work.iter().any(|id| told[id].end.is_none()) {
        let message = client.next_message().await.expect("the server is there");
        if message["method"] == "notifications/tasks/status"
            && let Some(told) = message["params"]["taskId"].as_str().and_then(|id| told.get_mut(id))
        {
            told.hear(&message["params"]);
        }
    }
    told.retain(|_, told| told.end.is_some());
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscriber_hears_every_end_and_nothing_after_it() {
    for seed in 1..=8_u64 {
        // Shown if it fails, or hangs.
        eprintln!("seed {seed}");
        chaos(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).await;
    }
}

#[tokio::test]
async fn a_session_is_told_of_a_task_that_it_asked_for_and_did_not_make() {
    let may_end = Arc::new(tokio::sync::Semaphore::new(0));
    let tool = made("tool", TaskSupport::Optional, {
        let may_end = Arc::clone(&may_end);
        move |_| {
            let may_end = Arc::clone(&may_end);
            async move {
                drop(may_end.acquire().await);
                ToolResult::text("done")
            }
        }
    });
    let service = server().tool(tool).build().expect("it can be built");
    let made = legacy(&service).await.request("tools/call", json!({ "name": "tool", "task": {} })).await;
    let id = made.expect("a task")["task"]["taskId"].clone();
    let mut later = legacy(&service).await;
    for _ in 0..3 {
        later.request("tasks/get", json!({ "taskId": id })).await.expect("it is there");
    }
    may_end.add_permits(1);
    let told = later.notification().await.expect("a notification");
    assert_eq!(told["method"], "notifications/tasks/status");
    assert_eq!((&told["params"]["taskId"], &told["params"]["status"]), (&id, &json!("completed")));
    later.request("tasks/get", json!({ "taskId": id })).await.expect("it is there");
    assert!(later.notifications().is_empty(), "its end is told once");
}
