//! The example whose tasks are jobs of a service, while both the server and the service are killed and started again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{LEGACY, Listening, Process, Wire, example, text};

/// The example, its service, and what the two keep.
struct Bench {
    program: PathBuf,
    folder: PathBuf,
    address: String,
    /// How long a step takes, in milliseconds.
    step: &'static str,
}

impl Bench {
    /// The bench, with the service running.
    fn new(name: &str, step: &'static str) -> Option<(Self, Listening)> {
        let program = example("workflow")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("workflow-{name}"));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
        }
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let bench = Self { program, folder, address: "127.0.0.1:0".to_owned(), step };
        let service = bench.service();
        let address = service.url().trim_start_matches("http://").to_owned();
        Some((Self { address, ..bench }, service))
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn service(&self) -> Listening {
        let file = self.file("workflows.json");
        let arguments = ["service", &self.address, "--file", &file, "--step", self.step];
        Listening::start_with(&self.program, &arguments)
    }

    fn server(&self) -> Process {
        let address = format!("http://{}", self.address);
        Process::start(&self.program, &[&address, "--tasks", &self.file("tasks.db")]).speaking(Wire::Tasks)
    }
}

/// Asks for a task until its status message has this in it.
fn says(server: &mut Process, task: &Value, what: &str) {
    eventually(|| {
        let state = server.state(task);
        assert_eq!(state["status"], "working", "{state}");
        state["statusMessage"].as_str().is_some_and(|said| said.contains(what))
    });
}

/// Looks until something is so, but not for ever.
fn eventually(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it takes too long");
        std::thread::yield_now();
    }
}

fn id(task: &Value) -> Value {
    json!({ "taskId": task["taskId"] })
}

#[test]
fn a_workflow_is_a_task_for_who_takes_one_and_a_call_for_who_does_not() {
    let Some((bench, _service)) = Bench::new("plain", "100") else { return };
    let mut server = bench.server();
    let steps = json!({ "steps": ["build", "test"] });
    let task = server.task("run_workflow", steps.clone());
    let ended = server.ended(&task);
    assert_eq!(ended["result"]["structuredContent"], steps, "{ended}");
    let task = server.task("run_workflow", json!({ "steps": ["build", "fail here"] }));
    let ended = server.ended(&task);
    assert_eq!(text(&ended["result"]), "The step `fail here` failed.");
    server.speak(Wire::Modern);
    assert_eq!(server.call("run_workflow", steps.clone())["structuredContent"], steps);
    drop(server);
    let mut server = bench.server().speaking(Wire::Legacy);
    server.initialize(LEGACY);
    let task = server.task("run_workflow", steps.clone());
    assert_eq!(server.ok("tasks/result", id(&task))["structuredContent"], steps);
}

#[test]
fn the_task_survives_whatever_is_killed() {
    let Some((bench, service)) = Bench::new("killed", "1000") else { return };
    let steps = json!({ "steps": ["fetch", "build", "test", "sign", "publish"] });
    let mut server = bench.server();
    let task = server.task("run_workflow", steps.clone());
    // At once: the workflow may not have begun, or nobody may know yet that it did.
    server.kill();
    let mut server = bench.server();
    assert_eq!(server.state(&task)["taskId"], task["taskId"]);
    says(&mut server, &task, "at `");
    drop(service);
    says(&mut server, &task, "cannot be asked");
    server.kill();
    let _service = bench.service();
    let mut server = bench.server();
    let ended = server.ended(&task);
    assert_eq!(ended["result"]["structuredContent"], steps, "{ended}");
    server.kill();
    assert_eq!(
        bench.server().state(&task)["result"]["structuredContent"],
        steps,
        "for as long as it is kept"
    );
}

#[test]
fn a_task_that_is_cancelled_stops_its_workflow() {
    let Some((bench, _service)) = Bench::new("cancelled", "1000") else { return };
    let mut server = bench.server();
    let long: Vec<String> = (0..20).map(|step| format!("step {step}")).collect();
    let task = server.task("run_workflow", json!({ "steps": long }));
    says(&mut server, &task, "at `");
    server.ok("tasks/cancel", id(&task));
    assert_eq!(server.state(&task)["status"], "cancelled");
    let kept = bench.file("workflows.json");
    eventually(|| {
        let kept = std::fs::read_to_string(&kept).expect("the service keeps it");
        let kept: Value = serde_json::from_str(&kept).expect("it is JSON");
        kept.as_object().expect("by name").values().all(|workflow| workflow["stopped_at"].is_u64())
    });
}
