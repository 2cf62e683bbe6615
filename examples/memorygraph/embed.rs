//! Showing the model every memory that it does not know: those that were stored without a model, or with another one.
//!
//! What is stored or changed while a model is there is shown to it at once, so that this is for what was there before. It
//! goes in parts, each kept in the file when it is done; cut off, it goes on with what is left.

use std::sync::Arc;

use mcp_runtime::{Context, TryStepError};
use serde::{Deserialize, Serialize};

use crate::blocking::blocking;
use crate::error::GraphError;
use crate::graph::{Graph, Tables};
use crate::model::{Memory, MemoryId, Slot};

/// Memories that are shown to the model, and written, together.
const BATCH: usize = 200;

/// What is settled before it begins, and kept to if it is cut off.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    /// By which the graph knows it again.
    run: String,
    /// How many memories are to be shown.
    total: usize,
}

/// What became of some memories.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    embedded: usize,
    /// Whether there were any.
    any: bool,
}

/// Shows the model what it does not know, tells how far it is, and says how many memories that were.
pub(crate) async fn run(graph: &Graph, cx: &Context) -> Result<usize, TryStepError<GraphError>> {
    let begin = async || {
        let total = graph.read(Tables::without_meaning);
        Ok(Begun { run: format!("embed {}", MemoryId::random()), total })
    };
    let Begun { run, total } = cx.try_step("begin", begin).await?;
    let mut done = 0;
    for turn in 0.. {
        let part = cx.try_step("memories", || embed(graph, run.clone(), turn)).await?;
        done += part.embedded;
        if !part.any {
            break;
        }
        cx.progress(done, total, format!("Embedding memories... ({done} of {total})"));
        // Others get their turn, and a cancelled task ends here, between two parts.
        tokio::task::yield_now().await;
    }
    graph.write(move |writing| writing.forget_run(&run)).await.map_err(TryStepError::Work)?;
    Ok(done)
}

/// Shows it a few memories that it does not know.
async fn embed(graph: &Graph, run: String, turn: usize) -> Result<Part, GraphError> {
    let (model, memories) =
        graph.read(|tables| (tables.model().cloned(), tables.some_without_meaning(BATCH)));
    // Where there is no model, no memory lacks what it would say.
    let Some(model) = model else { return Ok(Part { embedded: 0, any: false }) };
    let any = !memories.is_empty();
    let read = move |(slot, memory): (Slot, Arc<Memory>)| (slot, model.meaning(&memory.text()));
    let meanings: Vec<_> = blocking(move || memories.into_iter().map(read).collect()).await;
    let embedded = graph.write(move |writing| {
        writing.once(&run, &format!("part {turn}"), |writing| writing.take_over(&meanings))
    });
    Ok(Part { embedded: embedded.await?, any })
}

#[cfg(test)]
mod tests;
