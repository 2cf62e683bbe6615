//! Calls with the types of the functions that are the tools, on both wires.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_runtime::client::{Begun, CallResult, Client, Error, Revisions, TaskState};
use mcp_runtime::prelude::*;
use serde_json::json;

/// The tools of a library, as its servers and its clients know them.
mod library {
    use mcp_runtime::prelude::*;

    #[derive(Serialize, Deserialize, JsonSchema, PartialEq, Debug)]
    pub(crate) struct Memory {
        pub(crate) text: String,
        pub(crate) depth: Option<u8>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Query {
        pub(crate) text: String,
    }

    /// Add two numbers.
    #[tool]
    pub(crate) async fn add(a: i64, b: i64) -> i64 {
        a + b
    }

    /// Say it again.
    #[tool(name = "say")]
    pub(crate) async fn say_again(text: String) -> String {
        text
    }

    /// Find memories.
    #[tool(task)]
    pub(crate) async fn find(
        query: String,
        #[arg(rename = "maxDepth", default = 3)] depth: u8,
        limit: Option<usize>,
        cx: Context,
    ) -> Result<Vec<Memory>, ToolError> {
        cx.progress(1, 2, "looking");
        if query.is_empty() {
            return Err(ToolError::message("there is nothing to look for"));
        }
        Ok((0..limit.unwrap_or(1)).map(|_| Memory { text: query.clone(), depth: Some(depth) }).collect())
    }

    /// Find a memory, if there is one.
    #[tool]
    pub(crate) async fn find_one(Args(query): Args<Query>) -> Option<Memory> {
        (query.text == "one").then_some(Memory { text: query.text, depth: None })
    }

    /// Forget everything.
    #[tool]
    pub(crate) async fn forget() {}

    /// Show a picture.
    #[tool]
    pub(crate) async fn show() -> Content {
        Content::text("a picture")
    }

    pub(crate) struct Farm;

    impl Jobs for Farm {
        type Handle = u8;
        type Output = Memory;
        type Error = std::io::Error;

        async fn poll(&self, job: &u8) -> std::io::Result<JobStatus<Memory>> {
            Ok(JobStatus::Done(Memory { text: format!("job {job}"), depth: None }))
        }

        async fn cancel(&self, _: &u8) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Render a film.
    #[tool(task(poll = "10ms"))]
    pub(crate) async fn render() -> Result<Job<Farm>, ToolError> {
        Ok(Job::new(7))
    }
}

use library::{Farm, Memory, Query, add, find, find_one, forget, render, say_again, show};

async fn clients(server: impl Fn() -> Server) -> [(Client, bool); 2] {
    let connect = async |revisions| {
        let service = server().build().expect("it builds");
        Client::in_process(&service).revisions(revisions).connect().await.expect("it is there")
    };
    [(connect(Revisions::Modern).await, true), (connect(Revisions::Legacy).await, false)]
}

fn server() -> Server {
    Server::new("library", "1.0.0")
        .state(Farm)
        .tools(tools![add, say_again, find, find_one, forget, show, render])
}

fn memory(text: &str, depth: impl Into<Option<u8>>) -> Memory {
    Memory { text: text.to_owned(), depth: depth.into() }
}

#[tokio::test]
async fn a_call_gives_what_the_function_returns() {
    for (client, _) in clients(server).await {
        assert_eq!(client.call(add { a: 1, b: 2 }).await.expect("a sum"), 3);
        // A text that looks like JSON is a text.
        for text in ["7", "\"quoted\"", "null", ""] {
            assert_eq!(client.call(say_again { text: text.to_owned() }).await.expect("a text"), text);
        }
        let found = client.call(find { query: "a".to_owned(), depth: None, limit: None }).await;
        assert_eq!(found.expect("memories"), [memory("a", 3)]);
        let found = client.call(find { query: "a".to_owned(), depth: Some(5), limit: Some(2) }).await;
        assert_eq!(found.expect("memories"), [memory("a", 5), memory("a", 5)]);
        let one = async |text: &str| client.call(find_one { args: Query { text: text.to_owned() } }).await;
        assert_eq!(one("one").await.expect("a memory"), Some(memory("one", None)));
        assert_eq!(one("two").await.expect("none"), None);
        client.call(forget {}).await.expect("it is done");
        let shown: CallResult = client.call(show {}).await.expect("content");
        assert_eq!(shown.text(), "a picture");
    }
}

#[tokio::test]
async fn a_typed_call_is_a_task_as_any_other() {
    for (client, _) in clients(server).await {
        let call = client.call(find { query: "a".to_owned(), depth: None, limit: None });
        let call = call.create_task(true).ttl(Duration::from_secs(60)).idempotency_key("one");
        let mut task = call.send().await.expect("a task");
        assert_eq!(task.result().await.expect("memories"), [memory("a", 3)]);
        assert_eq!(task.status().state, TaskState::Completed);
        // The same key is the same task.
        let again = client.call(find { query: "a".to_owned(), depth: None, limit: None });
        let again = again.create_task(true).ttl(Duration::from_secs(60)).idempotency_key("one").begin().await;
        match again.expect("it began") {
            Begun::Task(again) => assert_eq!(again.id(), task.id()),
            Begun::Done(found) => panic!("no task: {found:?}"),
        }
        let mut resumed = client.resume(task.id()).await.expect("it is there").of::<find, _, _>();
        assert_eq!(resumed.result().await.expect("memories"), [memory("a", 3)]);
        let film = client.call(render {}).await.expect("what the job gives");
        assert_eq!(film, memory("job 7", None));
    }
}

#[tokio::test]
async fn progress_is_heard_of_a_typed_call() {
    for (client, _) in clients(server).await {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&steps);
        let call =
            client.call(find { query: "a".to_owned(), depth: None, limit: Some(1) }).create_task(false);
        let call = call.on_progress(move |step| heard.lock().expect("nobody panicked").push(step.message));
        call.await.expect("memories");
        assert_eq!(*steps.lock().expect("nobody panicked"), [Some("looking".to_owned())]);
    }
}

#[tokio::test]
async fn a_tool_that_fails_is_an_error_of_a_typed_call() {
    for (client, _) in clients(server).await {
        for as_task in [true, false] {
            let call = client.call(find { query: String::new(), depth: None, limit: None });
            let failed = call.create_task(as_task).await;
            let Err(Error::ToolFailed(result)) = &failed else { panic!("{failed:?}") };
            assert!(result.is_error() && result.text().contains("nothing to look for"), "{result:?}");
        }
    }
}

/// What is called the same on a server of another version.
mod later {
    use mcp_runtime::prelude::*;

    /// Add two numbers, and tell how.
    #[tool]
    pub(super) async fn add(a: i64, b: i64) -> String {
        format!("{a} and {b}")
    }
}

#[tokio::test]
async fn a_result_of_another_type_is_told_with_the_result() {
    let later = || Server::new("library", "2.0.0").tools(tools![later::add]);
    for (client, _) in clients(later).await {
        let other = client.call(add { a: 1, b: 2 }).await;
        let Err(Error::OtherResult { expected: "i64", result, .. }) = &other else { panic!("{other:?}") };
        assert_eq!(result.text(), "1 and 2");
        let error = other.expect_err("it is one").to_string();
        assert!(error.starts_with("the tool's result cannot be read as `i64`: "), "{error}");
        let unknown = client.call(forget {}).await;
        assert_eq!(unknown.err().and_then(|error| error.code()), Some(-32602));
        let untyped = client.call_tool("add", json!({ "a": 1, "b": 2 })).await.expect("a result");
        assert_eq!(untyped.text(), "1 and 2");
    }
}
