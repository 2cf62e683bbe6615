//! What the tools answer: of each thing no more than an agent needs, as data and in words.

mod brief;
mod consolidated;
mod curated;
mod embedded;
mod found;
mod overview;
mod recalled;
mod related;
mod remembered;

pub(super) use brief::Brief;
pub(super) use consolidated::Consolidated;
pub(super) use curated::Curated;
pub(super) use embedded::Embedded;
pub(super) use found::{Found, FoundMemory, Meant};
pub(super) use overview::{Activity, Statistics};
pub(super) use recalled::{Recalled, Recollection};
pub(crate) use related::Neighbours;
pub(super) use related::{Bulk, Related};
pub(crate) use remembered::Remembered;
pub(super) use remembered::{Deleted, Stored, Updated};

use crate::graph::Direction;
use crate::model::{Memory, RelationshipType};

/// Characters of a content that stand in for a summary.
const EXCERPT: usize = 150;

/// A summary, or the start of the content.
fn summary(memory: &Memory) -> String {
    memory.summary.clone().unwrap_or_else(|| excerpt(&memory.content))
}

/// The start of a content, cut between characters.
fn excerpt(content: &str) -> String {
    match content.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}...", &content[..end]),
        None => content.to_owned(),
    }
}

/// To three decimals, which say all that a score means.
fn rounded(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// -SOLVES-> or <-SOLVES-; where a type can be told from the other end, as that.
fn arrow(kind: RelationshipType, direction: Direction) -> String {
    match (direction, kind.inverse()) {
        (Direction::Forward, _) => format!("-{kind}->"),
        (Direction::Backward, Some(inverse)) => format!("-{inverse}->"),
        (Direction::Backward, None) => format!("<-{kind}-"),
    }
}

/// "1 memory", "2 memories".
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
