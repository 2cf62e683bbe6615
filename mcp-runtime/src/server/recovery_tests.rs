//! Servers that go on with what others left behind.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::tests::{Made, made, server};
use super::*;
use crate::task::store::contract::ManualClock;
use crate::task::store::{Faults, Faulty, Memory};
use crate::tool::TaskSupport;
use crate::{Context, ToolResult};

/// A store, its clock, and the servers that come and go.
struct World {
    clock: ManualClock,
    store: Arc<Memory>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let store = Arc::new(Memory::with_clock(clock.clone()));
        Self { clock, store }
    }

    fn server(&self, tool: Made) -> Service {
        self.faulty_server(tool).0
    }

    fn faulty_server(&self, tool: Made) -> (Service, Faults) {
        let (store, faults) = Faulty::new(Arc::clone(&self.store));
        let tasks = Tasks::store(store.durable());
        (server().tasks(tasks).tool(tool).build().expect("it can be built"), faults)
    }

    /// Runs a server until the test is done with it, and then takes the ground from under it.
    fn until_it_dies<T>(&self, tool: Made, test: impl AsyncFnOnce(Service) -> T) -> T {
        let runtime = Runtime::new().expect("a runtime");
        let result = runtime.block_on(test(self.server(tool)));
        runtime.shutdown_background();
        // Its lease lapses.
        self.clock.advance(Duration::from_secs(60));
        result
    }

    fn next_server<T>(&self, tool: Made, test: impl AsyncFnOnce(Service) -> T) -> T {
        Runtime::new().expect("a runtime").block_on(test(self.server(tool)))
    }
}

async fn begin(service: &Service, tool: &str) -> String {
    // It can be asked, and does not answer at once.
    let mut client = service.test_client().answering(|_, _| Value::Null);
    let task = client.call_tool(tool, json!({})).await.expect("a task");
    task["taskId"].as_str().expect("an id").to_owned()
}

async fn get(service: &Service, id: &str) -> Value {
    service.test_client().request("tasks/get", json!({ "taskId": id })).await.expect("it is there")
}

async fn follow(service: &Service, id: &str) -> Value {
    service.test_client().follow(id).await.expect("it is there")
}

/// What was done, in order; and who waits to hear that a run hangs.
#[derive(Clone, Default)]
struct Marks {
    done: Arc<Mutex<Vec<&'static str>>>,
    hangs: Arc<Notify>,
}

impl Marks {
    fn done(&self) -> Vec<&'static str> {
        self.done.lock().expect("not poisoned").clone()
    }
}

/// A tool that does these steps, and hangs where it says `hang`.
fn stepper(marks: &Marks, steps: &'static [&'static str], retries: u32) -> Made {
    let marks = marks.clone();
    let mut tool = made("stepper", TaskSupport::Optional, move |cx: Context| {
        let marks = marks.clone();
        async move {
            for step in steps {
                if *step == "hang" {
                    marks.hangs.notify_one();
                    std::future::pending::<()>().await;
                }
                let note = || async { marks.done.lock().expect("not poisoned").push(*step) };
                if let Err(error) = cx.step(step, note).await {
                    return ToolResult::error(error.to_string());
                }
            }
            ToolResult::text("done")
        }
    });
    tool.task.retries = Some(retries);
    tool
}

#[test]
fn a_run_that_was_cut_off_goes_on_where_it_was() {
    let (world, marks) = (World::new(), Marks::default());
    let id = world.until_it_dies(stepper(&marks, &["a", "b", "hang", "c"], 1), async |service| {
        let id = begin(&service, "stepper").await;
        marks.hangs.notified().await;
        id
    });
    world.next_server(stepper(&marks, &["a", "b", "c"], 1), async |service| {
        let ended = follow(&service, &id).await;
        assert_eq!(ended["result"]["content"][0]["text"], "done", "{ended}");
    });
    assert_eq!(marks.done(), ["a", "b", "c"], "each step was done once");
}

#[test]
fn a_run_that_may_not_be_repeated_ends_with_what_happened_and_what_to_do() {
    let (world, marks) = (World::new(), Marks::default());
    for (retries, deaths, reason) in [(0, 1, "interrupted"), (2, 3, "retries_exhausted")] {
        let tool = || stepper(&marks, &["hang"], retries);
        let id = world.until_it_dies(tool(), async |service| {
            let id = begin(&service, "stepper").await;
            marks.hangs.notified().await;
            id
        });
        for _ in 1..deaths {
            world.until_it_dies(tool(), async |service| {
                let _ = get(&service, &id).await;
                marks.hangs.notified().await;
            });
        }
        world.next_server(tool(), async |service| {
            let ended = follow(&service, &id).await;
            assert_eq!(
                (&ended["status"], &ended["error"]["data"]["reason"]),
                (&json!("failed"), &json!(reason))
            );
            assert!(ended["error"]["message"].as_str().expect("a message").contains("call the tool again"));
        });
    }
}

#[test]
fn code_that_does_other_steps_than_those_that_are_remembered_fails_and_says_so() {
    let (world, marks) = (World::new(), Marks::default());
    let id = world.until_it_dies(stepper(&marks, &["reserve", "charge", "hang"], 1), async |service| {
        let id = begin(&service, "stepper").await;
        marks.hangs.notified().await;
        id
    });
    world.next_server(stepper(&marks, &["reserve", "pay", "send"], 1), async |service| {
        let ended = follow(&service, &id).await;
        assert_eq!(ended["result"]["isError"], true, "{ended}");
        let text = ended["result"]["content"][0]["text"].as_str().expect("a text");
        assert!(text.contains("`pay`") && text.contains("`charge`"), "{text}");
    });
    assert_eq!(marks.done(), ["reserve", "charge"], "nothing was done under another name");
}

#[test]
fn a_stop_hands_back_what_may_run_again_and_does_not_count_it_as_cut_off() {
    let (world, marks) = (World::new(), Marks::default());
    let id = world.next_server(stepper(&marks, &["a", "hang"], 1), async |service| {
        let id = begin(&service, "stepper").await;
        marks.hangs.notified().await;
        service.stop().await;
        for _ in 0..5 {
            let next = world.server(stepper(&marks, &["a", "hang"], 1));
            assert_eq!(get(&next, &id).await["status"], "working");
            marks.hangs.notified().await;
            next.stop().await;
        }
        id
    });
    world.next_server(stepper(&marks, &["a"], 1), async |service| {
        assert_eq!(follow(&service, &id).await["result"]["content"][0]["text"], "done");
    });
    assert_eq!(marks.done(), ["a"]);
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

/// Asks for a name; it may not be repeated.
fn asker(begun: &Arc<AtomicUsize>) -> Made {
    let begun = Arc::clone(begun);
    made("asker", TaskSupport::Optional, move |cx: Context| {
        begun.fetch_add(1, Ordering::SeqCst);
        async move {
            match cx.elicit::<Name>("Name?").key("who").await {
                Ok(answer) => ToolResult::text(answer.accepted().map_or("nobody".to_owned(), |it| it.name)),
                Err(error) => ToolResult::error(error.to_string()),
            }
        }
    })
}

#[test]
fn what_waits_for_its_client_goes_on_waiting_and_an_answer_wakes_it_in_another_process() {
    for is_graceful in [false, true] {
        let (world, begun) = (World::new(), Arc::new(AtomicUsize::new(0)));
        let id = world.until_it_dies(asker(&begun), async |service| {
            let id = begin(&service, "asker").await;
            while get(&service, &id).await["status"] != "input_required" {
                tokio::task::yield_now().await;
            }
            if is_graceful {
                service.stop().await;
            }
            id
        });
        world.next_server(asker(&begun), async |service| {
            let waiting = get(&service, &id).await;
            assert_eq!(waiting["status"], "input_required", "{waiting}");
            assert_eq!(waiting["inputRequests"]["who"]["params"]["message"], "Name?");
            assert_eq!(begun.load(Ordering::SeqCst), 1, "nothing runs until the answer is there");
            let answer = json!({ "action": "accept", "content": { "name": "Ada" } });
            let params = json!({ "taskId": id, "inputResponses": { "who": answer } });
            service.test_client().request("tasks/update", params).await.expect("acknowledged");
            assert_eq!(follow(&service, &id).await["result"]["content"][0]["text"], "Ada");
        });
    }
}

#[test]
fn a_worker_that_lost_its_lease_stops_what_another_took_over() {
    let (world, marks) = (World::new(), Marks::default());
    world.next_server(stepper(&marks, &["a", "hang", "b"], 3), async |slow| {
        let id = begin(&slow, "stepper").await;
        marks.hangs.notified().await;
        world.clock.advance(Duration::from_secs(60));
        let next = world.server(stepper(&marks, &["a", "b"], 3));
        assert_eq!(follow(&next, &id).await["result"]["content"][0]["text"], "done");
        // It finds out when it next says that it is alive.
        slow.0.engine.make_round().await;
        slow.0.engine.all_ended(&[].into()).await;
        assert_eq!(get(&slow, &id).await["status"], "completed");
    });
    assert_eq!(marks.done(), ["a", "b"]);
}
