//! The example `host` as a program: over a pipe as scripts have it, and at a pseudo-terminal as people do.

mod lines;
mod tasks;
#[cfg(unix)]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::{Listening, example};

/// The program, with a file of tasks of its own.
struct Host {
    program: PathBuf,
    state: PathBuf,
}

/// What a run of it came to.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Host {
    /// For a test of this name. `None` if the program is not built, which is said.
    fn new(test: &str) -> Option<Self> {
        let program = example("host")?;
        let folder = folder(test);
        Some(Self { program, state: folder.join("tasks.json") })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--state").arg(&self.state).args(arguments).env("NO_COLOR", "1");
        command
    }

    /// Starts it over pipes.
    fn start(&self, arguments: &[&str]) -> std::process::Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program can be started")
    }

    /// Runs it to its end.
    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.start(arguments))
    }

    /// Runs it to its end, which is to be a good one.
    fn ok(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended
    }

    /// What is remembered, as the file has it.
    fn remembered(&self) -> Value {
        let text = std::fs::read_to_string(&self.state).expect("there is a file of tasks");
        serde_json::from_str(&text).expect("it is JSON")
    }
}

/// Waits for a program's end.
fn ended(child: std::process::Child) -> Ended {
    let output = child.wait_with_output().expect("a program can be waited for");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes text");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// The events of `--json`.
    fn events(&self) -> Vec<Value> {
        let event = |line| serde_json::from_str(line).expect("each line is JSON");
        self.stdout.lines().map(event).collect()
    }

    /// The first event of this name.
    fn event(&self, name: &str) -> Value {
        let event = self.events().into_iter().find(|event| event["event"] == name);
        event.unwrap_or_else(|| panic!("there is no `{name}`: {self:?}"))
    }

    /// The id of the task that was made.
    fn task(&self) -> String {
        self.event("task")["task"].as_str().expect("it has an id").to_owned()
    }
}

/// An empty folder for a test of this name.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("host-{test}"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// The fixture over HTTP, whose gates other runs can open.
fn fixture() -> Listening {
    Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &["--http", "127.0.0.1:0", "--asking"])
}

/// A program as `--stdio` has it.
fn quoted(program: &Path, arguments: &str) -> String {
    format!("'{}' {arguments}", program.display())
}
