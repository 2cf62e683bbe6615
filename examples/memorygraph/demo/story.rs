//! The words of the demonstration, and what its client asks for.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::Written;
use crate::generate::Sample;

pub(super) const TITLE: &str = "MemoryGraph: a server that remembers";

pub(super) const OPENING: &str = "You started an MCP server at a terminal, so it shows itself instead of waiting \
    for a client: a client in this very process speaks to it in JSON-RPC, as any other would. It takes half a minute.";

pub(super) const RECALL: &str = "Nothing that was imported speaks of Black Friday. The note that was stored meanwhile \
    does, and it was just related to a Redis timeout. So recall_memories, again as a task, looks for \"redis timeout on \
    blak friday\" (people misspell), and follows three relationships from each memory that speaks of it:";

pub(super) const CANCEL: &str = "As many rows again are on their way in, when somebody thinks better of it: at a \
    third, tasks/cancel.";

pub(super) const TOO_LATE: &str = "The import was over before it could be cancelled.";

/// What the server said of itself.
pub(super) fn greeting(welcome: &Value, tools: &Value) -> String {
    let tools: Vec<&Value> = tools["tools"].as_array().into_iter().flatten().collect();
    let names = |tools: &[&Value]| {
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        names.join(", ")
    };
    let tasks: Vec<&Value> =
        tools.iter().copied().filter(|tool| tool["execution"]["taskSupport"] == "optional").collect();
    format!(
        "initialize: it is {} {}, speaks {}, and keeps tasks.\ntools/list: {}.\nAs tasks, if a client likes: {}.",
        text(&welcome["serverInfo"]["name"]),
        text(&welcome["serverInfo"]["version"]),
        text(&welcome["protocolVersion"]),
        names(&tools),
        names(&tasks),
    )
}

pub(super) fn import(sample: Sample, file: &Written) -> String {
    format!(
        "A file of {:.1} MB holds {} invented memories and {} relationships. tools/call asks for import_memories with a \
         task, and is answered at once; the work goes on behind it, and tells how far it is:",
        file.bytes as f64 / 1e6,
        grouped(sample.memories as u64),
        grouped(sample.relationships as u64),
    )
}

/// What became of the import, and how long another call took meanwhile.
pub(super) fn imported(report: &Value, took: Duration, meanwhile: Duration) -> String {
    let count = |table: &str, what: &str| grouped(report[table][what].as_u64().unwrap_or_default());
    format!(
        "tasks/result: {} memories and {} relationships imported in {:.2} s, {} rows refused. Meanwhile store_memory was \
         called, and answered in {:.1} ms: the server was at work, not busy.",
        count("memories", "imported"),
        count("relationships", "imported"),
        took.as_secs_f64(),
        count("memories", "failed"),
        meanwhile.as_secs_f64() * 1e3,
    )
}

/// The best of what was recalled, each with the way that led to it.
pub(super) fn recalled(recollection: &Value) -> String {
    const SHOWN: usize = 5;
    let memories: Vec<&Value> = recollection["memories"].as_array().into_iter().flatten().collect();
    let mut lines = vec![format!(
        "{} memories looked at, the best {} told; the first are:",
        grouped(recollection["traversed"].as_u64().unwrap_or_default()),
        grouped(memories.len() as u64),
    )];
    for memory in memories.iter().take(SHOWN) {
        let score = memory["score"].as_f64().unwrap_or_default();
        lines.push(format!("  {score:.2}  {} ({})", text(&memory["title"]), text(&memory["type"])));
        lines.extend(way(memory).map(|way| format!("        {way}")));
    }
    lines.join("\n")
}

/// "Black Friday" -REQUIRES-> "Redis" <-SOLVES- this
fn way(memory: &Value) -> Option<String> {
    let steps = memory["path"].as_array().filter(|steps| !steps.is_empty())?;
    let arrows = steps.iter().map(|step| {
        let kind = text(&step["relationship_type"]);
        let arrow = if step["direction"] == "forward" { format!("-{kind}->") } else { format!("<-{kind}-") };
        format!("\"{}\" {arrow} ", text(&step["title"]))
    });
    Some(arrows.chain(["this".to_owned()]).collect())
}

pub(super) fn cancelled(status: &str, after: Duration) -> String {
    format!(
        "The task is {status} after {:.2} s. What was imported until then is whole, row by row; the rest never was.",
        after.as_secs_f64()
    )
}

/// Whether a result that was fetched twice is the same.
pub(super) fn fetched_again(first: &Value, second: &Value) -> String {
    let same = if first == second { "the very same" } else { "another" };
    format!(
        "The task of the recall is long over, but its result is kept. tasks/result once more gives {same}, {} bytes \
         of it.",
        grouped(second.to_string().len() as u64)
    )
}

/// How to go on from here.
pub(super) fn ending(program: &Path) -> String {
    let program = program.display().to_string();
    let settings = json!({ "mcpServers": { "memorygraph": { "command": program, "args": ["--db", "memory.db", "--stdio"] } } });
    format!(
        "To let an agent remember, tell its host how to start this server. On a command line:\n\n  claude mcp add \
         memorygraph -- {program} --db memory.db --stdio\n\nor in a file of settings, as most hosts read it:\n\n  {settings}\n"
    )
}

/// What is stored while the import runs.
pub(super) fn a_memory() -> Value {
    json!({
        "type": "conversation",
        "title": "What we said after Black Friday",
        "content": "Orders piled up for an hour. The shop waited for its sessions, and nobody was paged.",
        "tags": ["retrospective"],
        "importance": 0.9
    })
}

/// Finds one memory to relate the note to.
pub(super) fn a_query_for_one() -> Value {
    json!({ "query": "Redis timeout in checkout", "includeRelated": false, "limit": 1, "memory_types": ["problem"] })
}

pub(super) fn a_relationship(note: &Value, found: &Value) -> Value {
    json!({
        "from_memory_id": note["memory_id"],
        "to_memory_id": found["memories"][0]["id"],
        "relationship_type": "BUILDS_ON",
        "strength": 1.0
    })
}

pub(super) fn a_query() -> Value {
    json!({ "query": "redis timeout on blak friday", "maxDepth": 3 })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A number with a comma at each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_says_which_tools_may_be_tasks() {
        let welcome = json!({ "protocolVersion": "2025-11-25", "serverInfo": { "name": "memorygraph", "version": "1.0.0" } });
        let tools = json!({ "tools": [
            { "name": "get_memory" },
            { "name": "recall_memories", "execution": { "taskSupport": "optional" } }
        ] });
        assert_eq!(
            greeting(&welcome, &tools),
            "initialize: it is memorygraph 1.0.0, speaks 2025-11-25, and keeps tasks.\n\
             tools/list: get_memory, recall_memories.\n\
             As tasks, if a client likes: recall_memories."
        );
    }

    #[test]
    fn what_was_recalled_is_told_with_its_way() {
        let path = json!([
            { "title": "Note", "relationship_type": "BUILDS_ON", "direction": "forward" },
            { "title": "Timeout", "relationship_type": "SOLVES", "direction": "backward" }
        ]);
        let told = recalled(&json!({ "traversed": 1450, "memories": [
            { "title": "Note", "type": "conversation", "score": 0.9 },
            { "title": "Pool", "type": "fix", "score": 0.3, "path": path }
        ] }));
        assert_eq!(
            told,
            "1,450 memories looked at, the best 2 told; the first are:\n  0.90  Note (conversation)\n  0.30  Pool (fix)\n        \
             \"Note\" -BUILDS_ON-> \"Timeout\" <-SOLVES- this"
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_ending_names_the_program() {
        assert!(
            ending("/opt/memorygraph".as_ref())
                .contains("memorygraph -- /opt/memorygraph --db memory.db --stdio")
        );
    }
}
