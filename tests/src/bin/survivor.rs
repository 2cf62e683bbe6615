//! A server that is killed again and again. It keeps its tasks in a folder, and its tools leave marks there of what they do.
//!
//! `survivor FOLDER` serves on standard input and output. `FOLDER/tasks.db` is its store, and `FOLDER/marks` holds a line
//! for everything that was done, in order: `run NAME TASK`, `begun NAME STEP`, `recorded NAME STEP VALUE`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use mcp_runtime::prelude::*;
use mcp_runtime::{Context, TaskId};
use serde_json::json;
use tokio::task::JoinSet;

/// The file of marks.
struct Marks(File);

impl Marks {
    /// Leaves a mark. What is written is kept when the process is killed, and two marks do not mix.
    fn leave(&self, mark: &str) {
        (&self.0).write_all(format!("{mark}\n").as_bytes()).expect("a mark can be written");
    }

    fn run(&self, name: &str, cx: &Context) {
        let task = cx.task_id().map(|id: TaskId| id.to_string()).unwrap_or_default();
        self.leave(&format!("run {name} {task}"));
    }

    /// Does a step that takes some milliseconds and gives a value that no other does.
    async fn step(&self, name: &str, number: u64, cx: &Context) -> Result<String, ToolError> {
        let mut was_done_now = false;
        let work = async || {
            was_done_now = true;
            self.leave(&format!("begun {name} {number}"));
            tokio::time::sleep(Duration::from_millis(number % 4)).await;
            TaskId::random().to_string()
        };
        let value = cx.step("part", work).await?;
        if was_done_now {
            self.leave(&format!("recorded {name} {number} {value}"));
        }
        Ok(value)
    }
}

/// Do some steps, one after the other, and tell what each gave.
#[tool(task(retries = 3))]
async fn steps(name: String, count: u64, marks: State<Marks>, cx: Context) -> Result<String, ToolError> {
    marks.run(&name, &cx);
    let mut values = Vec::new();
    for number in 0..count {
        let value = marks.step(&name, number, &cx).await?;
        cx.partial(&value);
        cx.progress(number + 1, count, format!("did {number}"));
        values.push(value);
    }
    Ok(values.join(" "))
}

#[derive(Deserialize, JsonSchema)]
struct Reply {
    /// Anything.
    text: String,
}

/// Do a step, ask, do a step, and tell the answer.
#[tool(task(retries = 3))]
async fn ask(name: String, marks: State<Marks>, cx: Context) -> Result<String, ToolError> {
    marks.run(&name, &cx);
    marks.step(&name, 0, &cx).await?;
    let reply = cx.elicit::<Reply>("What do you say?").key("reply").await?.accepted();
    marks.step(&name, 1, &cx).await?;
    Ok(reply.map_or_else(|| "nothing".to_owned(), |reply| reply.text))
}

/// Have others do some steps, all at once, and tell what they gave.
#[tool(task(retries = 3))]
async fn family(name: String, children: u64, marks: State<Marks>, cx: Context) -> Result<String, ToolError> {
    marks.run(&name, &cx);
    let mut calls: JoinSet<_> = (0..children)
        .map(|number| cx.call("steps", json!({ "name": format!("{name}/{number}"), "count": 3 })))
        .collect();
    let mut told = Vec::new();
    while let Some(called) = calls.join_next().await {
        told.push(called.map_err(ToolError::message)??.text());
    }
    // They end in any order.
    told.sort_unstable();
    Ok(told.join(","))
}

/// Take some milliseconds, and never run twice.
#[tool(task)]
async fn once(name: String, marks: State<Marks>, cx: Context) -> String {
    marks.run(&name, &cx);
    tokio::time::sleep(Duration::from_millis(20)).await;
    format!("once {name}")
}

/// End at once.
#[tool(task)]
async fn quick(name: String, marks: State<Marks>, cx: Context) -> String {
    marks.run(&name, &cx);
    format!("quick {name}")
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("the folder is the one argument"));
    let marks = OpenOptions::new().create(true).append(true).open(folder.join("marks"));
    Server::new("survivor", "1.0.0")
        .state(Marks(marks.expect("the marks can be opened")))
        .tools(tools![steps, ask, family, once, quick])
        .tasks(Tasks::sqlite(folder.join("tasks.db")))
        .serve(stdio())
        .await
}
