//! Tools that leave their work to jobs elsewhere.

use std::convert::Infallible;

use mcp_runtime::prelude::*;

struct Farm;

#[derive(Serialize, JsonSchema)]
struct Film {
    url: String,
}

impl Jobs for Farm {
    type Handle = (u64, String);
    type Output = Film;
    type Error = Infallible;

    async fn poll(&self, _: &Self::Handle) -> Result<JobStatus<Film>, Infallible> {
        Ok(JobStatus::Done(Film { url: String::new() }))
    }

    async fn cancel(&self, _: &Self::Handle) -> Result<(), Infallible> {
        Ok(())
    }
}

type Rendering = Result<Job<Farm>, ToolError>;

/// Render a film.
#[tool(task)]
async fn render() -> Job<Farm> {
    Job::new((1, String::new()))
}

/// Render a film, perhaps.
#[tool(task(after = "500ms", retries = 3))]
async fn try_to_render(farm: State<Farm>) -> Rendering {
    let _ = farm;
    Ok(Job::new((2, String::new())))
}

/// Render a film, blocking a thread.
#[tool(blocking)]
fn submit() -> Result<Job<Farm>, std::io::Error> {
    Ok(Job::new((3, String::new())))
}

#[tool]
impl Farm {
    /// Render a film here.
    #[tool(task)]
    async fn render_here(&self) -> Job<Self> {
        Job::new((4, String::new()))
    }
}

fn main() {
    let server = Server::new("films", "1.0.0").state(Farm);
    let server = server.tools(tools![render, try_to_render, submit]).tools(Farm::tools());
    server.build().expect("the farm is there");
    let server = Server::new("films", "1.0.0").tools(tools![render]);
    let error = server.build().expect_err("there is no farm");
    assert!(error.to_string().contains("Farm"), "{error}");
}
