use std::convert::Infallible;

use mcp_runtime::prelude::*;

struct Farm;

struct Film;

impl Jobs for Farm {
    type Handle = u64;
    type Output = Film;
    type Error = Infallible;

    async fn poll(&self, _: &u64) -> Result<JobStatus<Film>, Infallible> {
        Ok(JobStatus::Done(Film))
    }

    async fn cancel(&self, _: &u64) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Mill;

/// Grind something.
#[tool(task)]
async fn grind() -> Job<Mill> {
    todo!()
}

fn main() {
    let _ = tools![grind];
}
