//! Relationships: made one by one or many at once, and followed.

use mcp_runtime::ServerHandle;
use mcp_runtime::prelude::*;

use super::answers::{Bulk, Neighbours, Related};
use crate::error::GraphError;
use crate::graph::{Direction, Graph, Neighbourhood};
use crate::model::{MemoryId, Moment, RelationshipDraft, RelationshipType, Weight};
use crate::resources;

/// Relationships that are written together.
const BATCH: usize = 500;
/// Memories around one that are told.
const TOLD: usize = 50;

/// Relate one memory to another: from SOLVES to, from CAUSES to ... Saying it again counts as evidence.
#[tool(destructive = false)]
pub(crate) async fn create_relationship(
    from_memory_id: MemoryId,
    to_memory_id: MemoryId,
    relationship_type: RelationshipType,
    /// The usual for its type unless given.
    strength: Option<Weight>,
    /// The usual for its type unless given.
    confidence: Option<Weight>,
    /// Under which circumstances it holds.
    context: Option<String>,
    graph: State<Graph>,
    server: State<ServerHandle>,
) -> Result<Worded<Related>, GraphError> {
    let ends = [from_memory_id.clone(), to_memory_id.clone()];
    let draft = RelationshipDraft::new(from_memory_id, relationship_type, to_memory_id)
        .with("strength", strength.map(Weight::get))
        .with("confidence", confidence.map(Weight::get))
        .with("context", context);
    let related = graph.relate(draft).await?;
    resources::changed(&server, &ends);
    Ok(Worded(Related::new(&related)))
}

/// A relationship to be made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct NewRelationship {
    from_memory_id: MemoryId,
    to_memory_id: MemoryId,
    relationship_type: RelationshipType,
    strength: Option<Weight>,
    confidence: Option<Weight>,
    context: Option<String>,
}

impl NewRelationship {
    fn draft(&self) -> RelationshipDraft {
        RelationshipDraft::new(self.from_memory_id.clone(), self.relationship_type, self.to_memory_id.clone())
            .with("strength", self.strength.map(Weight::get))
            .with("confidence", self.confidence.map(Weight::get))
            .with("context", self.context.clone())
    }
}

/// Relate many memories at once. Those that cannot be made are left out and reported.
#[tool(task(retries = 10), destructive = false)]
pub(crate) async fn create_relationships(
    #[arg(length(1..=10_000))] relationships: Vec<NewRelationship>,
    graph: State<Graph>,
    server: State<ServerHandle>,
    cx: Context,
) -> Result<Worded<Bulk>, ToolError> {
    let run = cx.step("begin", async || format!("relate {}", MemoryId::random())).await?;
    let total = relationships.len();
    let mut bulk = Bulk::default();
    for (turn, rows) in relationships.chunks(BATCH).enumerate() {
        let first = turn * BATCH;
        let (run, rows) = (run.clone(), rows.to_vec());
        let part = cx.try_step("rows", || {
            graph.write(move |writing| {
                writing.once(&run, &format!("from {first}"), |writing| {
                    let now = Moment::now();
                    let made = rows.iter().map(|row| writing.relate(row.draft(), now));
                    Ok(Bulk::of(first, made))
                })
            })
        });
        bulk.add(part.await?);
        let done = (first + BATCH).min(total);
        cx.progress(done, total, format!("Relating memories... ({done} of {total})"));
    }
    graph.write(move |writing| writing.forget_run(&run)).await?;
    resources::changed(
        &server,
        relationships.iter().flat_map(|row| [&row.from_memory_id, &row.to_memory_id]),
    );
    Ok(Worded(bulk))
}

/// Follow the relationships of a memory, nearest first.
#[tool(read_only)]
pub(crate) async fn get_related_memories(
    memory_id: MemoryId,
    /// Only relationships of these types.
    relationship_types: Option<Vec<RelationshipType>>,
    /// How many relationships to follow.
    #[arg(default = 2, range(1..=5))]
    max_depth: usize,
    /// Only away from the memory (forward) or towards it (backward).
    direction: Option<Direction>,
    /// Only relationships that are as strong.
    min_strength: Option<Weight>,
    /// Follow what held at this time.
    #[arg(rename = "asOf")]
    as_of: Option<Moment>,
    #[arg(default = TOLD, range(1..=1000))] limit: usize,
    graph: State<Graph>,
) -> Result<Worded<Neighbours>, GraphError> {
    let neighbourhood = Neighbourhood {
        depth: max_depth,
        kinds: relationship_types.unwrap_or_default(),
        direction,
        min_strength: min_strength.map_or(0.0, Weight::get),
        moment: as_of.unwrap_or_else(Moment::now),
        limit,
    };
    let around = graph.read(|tables| neighbourhood.around(&memory_id, tables))?;
    Ok(Worded(Neighbours::new(around)))
}
