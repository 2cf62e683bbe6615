//! Prompts: what a person may begin a conversation with, filled in from the graph.

use std::fmt::Write;

use mcp_runtime::prelude::*;

use crate::error::GraphError;
use crate::graph::{Direction, Graph, Neighbourhood};
use crate::model::{Category, MemoryId, Moment, RelationshipType};
use crate::tools::{Neighbours, Remembered, activity};

/// Days that a briefing looks back.
const DAYS: u32 = 30;
/// How far causes are followed.
const DEPTH: usize = 4;
/// Memories that are told of what may lie behind a problem.
const TOLD: usize = 30;

/// Begin a session with what is known of a project.
#[prompt]
pub(crate) async fn session_briefing(
    /// Its path, as memories have it in `project_path`.
    #[arg(rename = "projectPath")]
    project_path: String,
    graph: State<Graph>,
) -> String {
    let known = graph.read(|tables| activity(tables, DAYS, Some(project_path.clone())));
    format!(
        "We go on with the project {project_path}. This is what is remembered of its last {DAYS} days:\n\n{known}\n\n\
         Say in a few sentences where we stand and what is unresolved. Recall more with recall_memories where you need it, \
         and store what we learn."
    )
}

/// Look for what lies behind a problem.
#[prompt]
pub(crate) async fn root_cause(
    /// The memory of the problem or error.
    #[arg(rename = "memoryId")]
    memory_id: String,
    graph: State<Graph>,
) -> Result<String, GraphError> {
    let id = MemoryId::from(memory_id.as_str());
    let (moment, memory) = (Moment::now(), graph.get(&id)?);
    let look = |kinds, depth, direction| Neighbourhood {
        depth,
        kinds,
        direction,
        min_strength: 0.0,
        moment,
        limit: TOLD,
    };
    let causes = look(RelationshipType::of(Category::Causal), DEPTH, Some(Direction::Backward));
    let answers = look(RelationshipType::of(Category::Solution), 1, None);
    let (causes, answers) = graph
        .read(|tables| Ok::<_, GraphError>((causes.around(&id, tables)?, answers.around(&id, tables)?)))?;
    let mut text = format!("What is the root cause of this?\n\n{}\n", Remembered::new(&memory, &[]));
    for (heading, around) in [("What is known to lead to it", causes), ("What was tried against it", answers)]
    {
        // Writing to a text does not fail.
        let _ = write!(text, "\n## {heading}\n\n{}\n", Neighbours::new(around));
    }
    text.push_str(
        "\nFollow the causes back as far as they go, say which one is the root and how sure that is, and what would \
         show it. Recall more with recall_memories where the chain breaks off.",
    );
    Ok(text)
}
