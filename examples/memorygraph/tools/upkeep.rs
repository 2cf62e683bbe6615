//! Upkeep: what keeps the graph small and sound as it grows.

use mcp_runtime::ServerHandle;
use mcp_runtime::prelude::*;

use super::answers::{Consolidated, Curated, counted};
use crate::blocking::blocking;
use crate::consolidate::{Among, Plan, Strategy};
use crate::curate::{self, CurationStep};
use crate::error::GraphError;
use crate::graph::Graph;
use crate::model::{MemoryId, MemoryType, Weight};
use crate::resources;

/// The part of their words that two memories share at least, unless it is said.
const USUAL_SIMILARITY: f64 = 0.8;
/// With less, memories are taken for the same that are not.
const LEAST_SIMILARITY: f64 = 0.5;

/// What a person is asked before memories are deleted.
#[derive(Debug, Deserialize, JsonSchema)]
struct Consent {
    /// Delete them for ever?
    delete: bool,
}

/// Merge memories of one type and project that say nearly the same. Look with `dryRun` first.
#[tool(task(retries = 100))]
pub(crate) async fn consolidate_memories(
    /// The part of their words that two must share; 0.8 unless given, at least 0.5.
    threshold: Option<Weight>,
    /// What becomes of the others: archive and delete move their relationships, link only relates them.
    #[arg(default = Strategy::Archive)]
    strategy: Strategy,
    /// Only tell what would be done.
    #[arg(default = false, rename = "dryRun")]
    dry_run: bool,
    /// To delete where nobody can be asked: how many memories a `dryRun` said would go.
    confirmed: Option<usize>,
    /// Only memories of these types.
    memory_types: Option<Vec<MemoryType>>,
    /// Only memories of this project.
    project_path: Option<String>,
    graph: State<Graph>,
    server: State<ServerHandle>,
    cx: Context,
) -> Result<Worded<Consolidated>, ToolError> {
    let threshold = threshold.map_or(USUAL_SIMILARITY, Weight::get);
    if threshold < LEAST_SIMILARITY {
        return Err(
            GraphError::TooLittle { what: "threshold", least: LEAST_SIMILARITY, value: threshold }.into()
        );
    }
    let among = Among { kinds: memory_types.unwrap_or_default(), project_path };
    let looking = graph.clone();
    let plan = cx.step("plan", || blocking(move || Plan::of(&looking, &among, threshold as f32))).await?;
    if dry_run || plan.groups.is_empty() {
        return Ok(Worded(Consolidated::planned(&plan, strategy)));
    }
    if strategy == Strategy::Delete {
        let (count, groups) = (plan.duplicates(), plan.groups.len());
        let question = format!(
            "Delete {} for ever? What they say, {} nearly the same; their relationships move there.",
            counted(count, "memory", "memories"),
            counted(groups, "other memory says", "other memories say"),
        );
        if !may_delete(count, question, confirmed, &cx).await? {
            return Ok(Worded(Consolidated::planned(&plan, strategy)));
        }
    }
    let mut consolidated = Consolidated::planned(&plan, strategy);
    consolidated.done(plan.carry_out(&graph, strategy, &cx).await?);
    resources::changed::<MemoryId>(&server, []);
    Ok(Worded(consolidated))
}

/// Let unused memories fade, summarise long ones, delete what was archived long ago. Look with `dryRun` first.
#[tool(task(retries = 100))]
pub(crate) async fn curate_memories(
    /// Decay, summarise and optimise unless given; only cleanup deletes.
    steps: Option<Vec<CurationStep>>,
    /// Only tell what would be done.
    #[arg(default = false, rename = "dryRun")]
    dry_run: bool,
    /// To delete where nobody can be asked: how many memories a `dryRun` said would go.
    confirmed: Option<usize>,
    /// Only memories of this project.
    project_path: Option<String>,
    graph: State<Graph>,
    server: State<ServerHandle>,
    cx: Context,
) -> Result<Worded<Curated>, ToolError> {
    let steps =
        steps.unwrap_or_else(|| vec![CurationStep::Decay, CurationStep::Summarise, CurationStep::Optimise]);
    let looking = graph.clone();
    let look = move || curate::Plan::of(&looking, &steps, project_path.as_deref());
    let plan = cx.step("plan", || blocking(look)).await?;
    let mut curated = Curated::planned(&plan);
    if dry_run {
        return Ok(Worded(curated));
    }
    let count = curated.counts.deleted;
    if count > 0 {
        let memories = counted(count, "memory", "memories");
        let question =
            format!("Delete {memories} for ever, with all relationships? Archived for 90 days or longer.");
        if !may_delete(count, question, confirmed, &cx).await? {
            return Ok(Worded(curated));
        }
    }
    curated.done(plan.carry_out(&graph, &cx).await?);
    resources::changed::<MemoryId>(&server, []);
    Ok(Worded(curated))
}

/// Whether somebody wants so many memories to be deleted: a person is asked, and where nobody can be, the call must say
/// itself how many.
async fn may_delete(
    count: usize,
    question: String,
    confirmed: Option<usize>,
    cx: &Context,
) -> Result<bool, ToolError> {
    if !cx.client().elicitation() {
        let said = confirmed == Some(count);
        return if said { Ok(true) } else { Err(GraphError::Unconfirmed { count }.into()) };
    }
    let consent = cx.elicit::<Consent>(question).await?.accepted();
    Ok(consent.is_some_and(|consent| consent.delete))
}

#[cfg(test)]
mod tests;
