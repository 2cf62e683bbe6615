//! The program shows itself: a client in this very process leads the server through a day's work in half a minute,
//! through the protocol, and tells a person at the terminal what it sees.

mod pipe;
mod session;
mod story;

use std::env;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mcp_runtime::prelude::*;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

use crate::generate::Sample;
use crate::terminal::Terminal;
use session::{Progress, Session, SessionError};

const PROTOCOL_VERSION: &str = "2025-11-25";
const MEMORIES: usize = 10_000;
/// Time to read a paragraph.
const READING: Duration = Duration::from_secs(3);
/// How long the server keeps a task, in milliseconds.
const TTL: u64 = 600_000;

type Shown<T> = Result<T, Box<dyn Error>>;

/// Shows what a server can do that keeps its memories in a file, which is made for this and goes with it.
pub(crate) async fn run(server: impl FnOnce(&Path) -> Shown<Server>) -> Shown<()> {
    let (terminal, files) = (Terminal::of_stdout(), Files::new()?);
    let server = server(&files.0.join("memory.db"))?;
    let (client, transport) = pipe::connect()?;
    let serving = tokio::spawn(server.serve(transport));
    let shown = Demonstration { client, terminal, files, memories: MEMORIES, reading: READING }.show().await;
    // The client is gone, and so the server ends. If it did before, it knows best why.
    serving.await??;
    shown
}

struct Demonstration<W: Write> {
    client: Session,
    terminal: Terminal<W>,
    files: Files,
    /// How many are imported; there are twice as many relationships.
    memories: usize,
    /// Time to read a paragraph.
    reading: Duration,
}

/// A task that was begun.
struct Task {
    id: String,
    progress: UnboundedReceiver<Progress>,
    since: Instant,
    /// How much of it is done, from 0 to 1, as far as it was told.
    part: f64,
}

impl<W: Write> Demonstration<W> {
    async fn show(mut self) -> Shown<()> {
        self.terminal.heading(story::TITLE)?;
        self.say(story::OPENING).await?;
        self.greet().await?;
        self.import().await?;
        let recalled = self.recall().await?;
        self.cancel().await?;
        self.fetch_again(recalled).await?;
        self.terminal.heading("Your turn")?;
        self.terminal.say(&story::ending(&env::current_exe()?))?;
        Ok(())
    }

    async fn greet(&mut self) -> Shown<()> {
        self.terminal.heading("1. A client says hello")?;
        let client = json!({ "name": "memorygraph-demo", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": client });
        let welcome = self.client.request("initialize", hello).await?;
        self.client.notify("notifications/initialized")?;
        let tools = self.client.request("tools/list", json!({})).await?;
        self.say(&story::greeting(&welcome, &tools)).await
    }

    async fn import(&mut self) -> Shown<()> {
        self.terminal.heading("2. An import, as a task")?;
        let sample = self.sample(7);
        let file = self.files.write(sample)?;
        self.say(&story::import(sample, &file)).await?;
        let task = self.begin("import_memories", json!({ "file": file.path })).await?;
        // Something else, while the import goes on.
        let since = Instant::now();
        let note = self.call("store_memory", story::a_memory()).await?;
        let answered = since.elapsed();
        let (task, result) = self.follow(task).await?;
        self.terminal.say(&story::imported(&result, task.since.elapsed(), answered))?;
        let neighbour = self.call("recall_memories", story::a_query_for_one()).await?;
        self.call("create_relationship", story::a_relationship(&note, &neighbour)).await?;
        sleep(self.reading).await;
        Ok(())
    }

    /// The task of the recall, and what it gave.
    async fn recall(&mut self) -> Shown<(String, Value)> {
        self.terminal.heading("3. A recall, three relationships deep")?;
        self.say(story::RECALL).await?;
        let task = self.begin("recall_memories", story::a_query()).await?;
        let (task, result) = self.follow(task).await?;
        self.say(&story::recalled(&result)).await?;
        Ok((task.id, result))
    }

    async fn cancel(&mut self) -> Shown<()> {
        self.terminal.heading("4. A change of mind")?;
        let file = self.files.write(self.sample(8))?;
        self.say(story::CANCEL).await?;
        let mut task = self.begin("import_memories", json!({ "file": file.path })).await?;
        if self.watch(&mut task, 1.0 / 3.0).await?.is_some() {
            return self.say(story::TOO_LATE).await;
        }
        let ended = self.client.request("tasks/cancel", json!({ "taskId": task.id })).await;
        let after = task.since.elapsed();
        match ended {
            Ok(ended) => {
                let status = ended["status"].as_str().unwrap_or_default();
                self.terminal.finish_bar(task.part, status)?;
                self.say(&story::cancelled(status, after)).await
            }
            Err(SessionError::Refused { .. }) => self.say(story::TOO_LATE).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn fetch_again(&mut self, (task, first): (String, Value)) -> Shown<()> {
        self.terminal.heading("5. A result that stays")?;
        let second = self.client.request("tasks/result", json!({ "taskId": task })).await?;
        self.say(&story::fetched_again(&first, &structured(second)?)).await
    }

    /// Calls a tool and waits for its structured result.
    async fn call(&self, tool: &str, arguments: Value) -> Shown<Value> {
        let result =
            self.client.request("tools/call", json!({ "name": tool, "arguments": arguments })).await?;
        structured(result)
    }

    /// Calls a tool as a task.
    async fn begin(&self, tool: &str, arguments: Value) -> Shown<Task> {
        let (token, progress) = self.client.progress();
        let since = Instant::now();
        let created = self
            .client
            .request(
                "tools/call",
                json!({
                    "name": tool, "arguments": arguments, "task": { "ttl": TTL }, "_meta": { "progressToken": token }
                }),
            )
            .await?;
        let id = created["task"]["taskId"].as_str().ok_or("the server made no task")?.to_owned();
        Ok(Task { id, progress, since, part: 0.0 })
    }

    /// Draws the progress of a task until it has a result.
    async fn follow(&mut self, mut task: Task) -> Shown<(Task, Value)> {
        let result = self.watch(&mut task, f64::INFINITY).await?.ok_or("the task was left alone")?;
        let took = task.since.elapsed().as_millis();
        self.terminal.finish_bar(1.0, &format!("done in {took} ms"))?;
        Ok((task, structured(result)?))
    }

    /// Draws the progress of a task until it has a result, which is given, or more than `enough` of it is done.
    async fn watch(&mut self, task: &mut Task, enough: f64) -> Shown<Option<Value>> {
        let result = self.client.request("tasks/result", json!({ "taskId": task.id }));
        tokio::pin!(result);
        let mut told = true;
        while task.part <= enough {
            tokio::select! {
                biased;
                progress = task.progress.recv(), if told => match progress {
                    Some(progress) => {
                        task.part = progress.total.map_or(0.0, |total| progress.done / total);
                        self.terminal.draw_bar(task.part, &progress.message)?;
                    }
                    None => told = false,
                },
                result = &mut result => return Ok(Some(result?)),
            }
        }
        Ok(None)
    }

    fn sample(&self, seed: u64) -> Sample {
        Sample { memories: self.memories, relationships: 2 * self.memories, seed }
    }

    /// Says something, and leaves time to read it.
    async fn say(&mut self, text: &str) -> Shown<()> {
        self.terminal.say(text)?;
        sleep(self.reading).await;
        Ok(())
    }
}

/// The structured content of a tool's result.
fn structured(mut result: Value) -> Shown<Value> {
    if result["isError"] == true {
        return Err(result["content"][0]["text"].as_str().unwrap_or("the tool failed").into());
    }
    Ok(result["structuredContent"].take())
}

/// A place for the files of a demonstration, which goes when that ends.
struct Files(PathBuf);

/// A file that was written.
struct Written {
    path: PathBuf,
    bytes: usize,
}

impl Files {
    fn new() -> Shown<Self> {
        let path = env::temp_dir().join(format!("memorygraph-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn write(&self, sample: Sample) -> Shown<Written> {
        let document = sample.document()?;
        let path = self.0.join(format!("export-{}.json", sample.seed));
        fs::write(&path, &document)?;
        Ok(Written { path, bytes: document.len() })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[tokio::test]
    async fn the_demonstration_runs_to_its_end() {
        let (client, transport) = pipe::connect().expect("two pipes");
        let options = Options::of(std::iter::empty(), true).expect("nothing is said");
        let serving = tokio::spawn(crate::server(&options).expect("nothing is wrong").serve(transport));
        let mut told = Vec::new();
        let demonstration = Demonstration {
            client,
            terminal: Terminal::new(&mut told, 80),
            files: Files::new().expect("a folder"),
            memories: 2_000,
            reading: Duration::ZERO,
        };
        demonstration.show().await.expect("nothing goes wrong");
        serving.await.expect("the server does not panic").expect("the server ends when its client does");
        let told = String::from_utf8(told).expect("text");
        for words in [
            "As tasks, if a client likes: recall_memories,",
            "tasks/result: 2,000 memories and 4,000 relationships imported",
            "\"What we said after Black Friday\" -BUILDS_ON-> this",
            "gives the very same",
            "--stdio",
        ] {
            assert!(told.contains(words), "{words:?} is missing in:\n{told}");
        }
    }
}
