//! What is between the MCP server and the service: a tool that begins a workflow, and how the workflow is asked and stopped.

use std::fmt;

use mcp_runtime::prelude::*;
use reqwest::{Client, Response};
use uuid::Uuid;

use crate::service::{Progress, Stage};

/// The service, as the MCP server sees it.
pub(crate) struct Workflows {
    address: String,
    client: Client,
}

/// Why the service did not do what was asked.
#[derive(Debug)]
pub(crate) struct Unavailable(reqwest::Error);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the workflow service cannot be asked: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

impl From<reqwest::Error> for Unavailable {
    fn from(error: reqwest::Error) -> Self {
        Self(error)
    }
}

impl Workflows {
    pub(crate) fn at(address: &str) -> Self {
        Self { address: address.trim_end_matches('/').to_owned(), client: Client::new() }
    }

    fn url(&self, name: &str) -> String {
        format!("{}/workflows/{name}", self.address)
    }

    /// Begins a workflow. One of the same name that was begun before is the same.
    async fn begin(&self, name: &str, steps: &[String]) -> Result<(), Unavailable> {
        self.client.put(self.url(name)).json(steps).send().await.and_then(Response::error_for_status)?;
        Ok(())
    }
}

/// What a workflow comes to.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Finished {
    /// The steps that were done, in order.
    steps: Vec<String>,
}

impl Jobs for Workflows {
    type Handle = String;
    type Output = Finished;
    type Error = Unavailable;

    async fn poll(&self, name: &String) -> Result<JobStatus<Finished>, Unavailable> {
        let asked = self.client.get(self.url(name)).send().await?;
        if asked.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(JobStatus::Failed("The service does not know this workflow any more.".into()));
        }
        let Progress { steps, done, stage } = asked.error_for_status()?.json().await?;
        let at = steps.get(done).map_or("the end", String::as_str);
        Ok(match stage {
            Stage::Running => JobStatus::progress(done, steps.len(), format!("at `{at}`")),
            Stage::Done => JobStatus::Done(Finished { steps }),
            Stage::Failed => JobStatus::Failed(format!("The step `{at}` failed.")),
            Stage::Cancelled => JobStatus::Failed("Somebody stopped the workflow.".into()),
        })
    }

    async fn cancel(&self, name: &String) -> Result<(), Unavailable> {
        self.client.delete(self.url(name)).send().await.and_then(Response::error_for_status)?;
        Ok(())
    }
}

/// Run a workflow: its steps, one after the other.
#[tool(task(poll = "500ms", retries = 5))]
pub(crate) async fn run_workflow(
    /// The names of the steps. One that begins with "fail" does.
    #[arg(length(1..=20))]
    steps: Vec<String>,
    workflows: State<Workflows>,
    cx: Context,
) -> Result<Job<Workflows>, ToolError> {
    // The name is chosen once and remembered. If this server dies before it has told that the workflow began, the tool runs
    // again, and begins the same one.
    let name = cx.step("name the workflow", || async { Uuid::new_v4().to_string() }).await?;
    workflows.begin(&name, &steps).await?;
    Ok(Job::new(name))
}
