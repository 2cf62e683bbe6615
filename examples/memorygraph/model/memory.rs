//! One memory: what it may hold, and the check through which every one of them has come.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{MemoryId, Moment, Object, Weight, by_wire_name, wire_name};
use crate::error::GraphError;

const MAX_ID: usize = 200;
const MAX_TITLE: usize = 200;
const MAX_CONTENT: usize = 50_000;
const MAX_SUMMARY: usize = 500;
const MAX_TAGS: usize = 50;
const MAX_TAG: usize = 100;
const USUAL_IMPORTANCE: Weight = Weight::clamped(0.5);
const USUAL_CONFIDENCE: Weight = Weight::clamped(0.8);

// What a variant means is plain from its name, and a description of each would cost every agent that lists the tools.
/// What kind of knowledge a memory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum MemoryType {
    Task,
    CodePattern,
    Problem,
    Solution,
    Project,
    Technology,
    Error,
    Fix,
    Command,
    FileContext,
    Workflow,
    General,
    Conversation,
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        wire_name(self, f)
    }
}

impl FromStr for MemoryType {
    type Err = GraphError;

    fn from_str(name: &str) -> Result<Self, GraphError> {
        by_wire_name(name).ok_or_else(|| GraphError::UnknownMemoryType(name.to_owned()))
    }
}

/// Something worth remembering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Memory {
    pub(crate) id: MemoryId,
    /// What kind of knowledge it is.
    #[serde(rename = "type")]
    pub(crate) kind: MemoryType,
    pub(crate) title: String,
    pub(crate) content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<String>,
    /// Lower-case labels.
    pub(crate) tags: Vec<String>,
    /// How much it matters.
    pub(crate) importance: Weight,
    /// How sure it is.
    pub(crate) confidence: Weight,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    /// Counts the changes, from 1.
    #[schemars(range(min = 1))]
    pub(crate) version: u32,
    /// Where it comes from: `project_path`, `languages`, `files_involved` ...
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) context: Object,
}

impl Memory {
    /// The project that it belongs to.
    pub(crate) fn project_path(&self) -> Option<&str> {
        self.context.get("project_path")?.as_str()
    }
}

/// A memory as somebody gives it: unchecked, and with gaps where the usual will do.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MemoryDraft {
    pub(crate) id: Option<MemoryId>,
    #[serde(rename = "type", deserialize_with = "memory_type")]
    pub(crate) kind: MemoryType,
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) summary: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) importance: Option<f64>,
    pub(crate) confidence: Option<f64>,
    pub(crate) created_at: Option<Moment>,
    pub(crate) updated_at: Option<Moment>,
    pub(crate) version: Option<u32>,
    pub(crate) context: Option<Object>,
}

/// Says "'idea' is not a valid memory type", where a derived error would list all that are.
fn memory_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MemoryType, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl MemoryDraft {
    pub(crate) fn new(kind: MemoryType, title: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            id: None,
            kind,
            title: title.into(),
            content: content.into(),
            summary: None,
            tags: None,
            importance: None,
            confidence: None,
            created_at: None,
            updated_at: None,
            version: None,
            context: None,
        }
    }

    /// The memory that this draft describes, made at `now` if it does not say when.
    pub(crate) fn check(self, now: Moment) -> Result<Memory, GraphError> {
        let id = self.id.unwrap_or_else(MemoryId::random);
        says_something("Id", id.as_str(), MAX_ID)?;
        says_something("Title", &self.title, MAX_TITLE)?;
        says_something("Content", &self.content, MAX_CONTENT)?;
        if let Some(summary) = &self.summary {
            fits("Summary", summary, MAX_SUMMARY)?;
        }
        let weight =
            |what, value: Option<f64>, usual| value.map_or(Ok(usual), |value| Weight::new(what, value));
        let created_at = self.created_at.unwrap_or(now);
        Ok(Memory {
            id,
            kind: self.kind,
            title: self.title,
            content: self.content,
            summary: self.summary.filter(|summary| !summary.trim().is_empty()),
            tags: normalised(self.tags.unwrap_or_default())?,
            importance: weight("Importance", self.importance, USUAL_IMPORTANCE)?,
            confidence: weight("Confidence", self.confidence, USUAL_CONFIDENCE)?,
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
            version: self.version.unwrap_or(1).max(1),
            context: self.context.unwrap_or_default(),
        })
    }
}

/// Tags in lower case, without blanks around them, empty ones and repetitions.
fn normalised(tags: Vec<String>) -> Result<Vec<String>, GraphError> {
    if tags.len() > MAX_TAGS {
        return Err(GraphError::TooManyTags { max: MAX_TAGS, got: tags.len() });
    }
    let mut kept: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = tag.trim().to_lowercase();
        if tag.chars().count() > MAX_TAG {
            return Err(GraphError::TagTooLong { tag, max: MAX_TAG });
        }
        if !tag.is_empty() && !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    Ok(kept)
}

pub(super) fn says_something(what: &'static str, text: &str, max: usize) -> Result<(), GraphError> {
    if text.trim().is_empty() { Err(GraphError::Empty { what }) } else { fits(what, text, max) }
}

pub(super) fn fits(what: &'static str, text: &str, max: usize) -> Result<(), GraphError> {
    // No text has more characters than bytes, so that most need no counting.
    if text.len() <= max {
        return Ok(());
    }
    match text.chars().count() {
        got if got > max => Err(GraphError::TooLong { what, max, got }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> MemoryDraft {
        MemoryDraft::new(MemoryType::Problem, "Redis timeout", "Under load the cache answers late.")
    }

    fn refusal(draft: MemoryDraft) -> String {
        draft.check(Moment::now()).expect_err("the draft should be refused").to_string()
    }

    #[test]
    fn gaps_are_filled_with_the_usual() {
        let now = Moment::now();
        let memory = draft().check(now).expect("a sound draft");
        assert_eq!((memory.importance.get(), memory.confidence.get(), memory.version), (0.5, 0.8, 1));
        assert_eq!((memory.created_at, memory.updated_at), (now, now));
        assert_eq!(memory.id.as_str().len(), 36);
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused_with_its_length() {
        assert_eq!(
            refusal(MemoryDraft { title: "x".repeat(201), ..draft() }),
            "Title exceeds 200 characters (got 201)"
        );
        assert_eq!(
            refusal(MemoryDraft { content: "x".repeat(50_001), ..draft() }),
            "Content exceeds 50000 characters (got 50001)"
        );
        assert_eq!(
            refusal(MemoryDraft { summary: Some("x".repeat(501)), ..draft() }),
            "Summary exceeds 500 characters (got 501)"
        );
        assert_eq!(refusal(MemoryDraft { title: "  ".into(), ..draft() }), "Title must not be empty");
    }

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        let memory = MemoryDraft { title: "é".repeat(200), ..draft() }.check(Moment::now());
        assert_eq!(memory.expect("200 characters fit").title.len(), 400);
    }

    #[test]
    fn tags_are_normalised() {
        let tags = ["  Redis ", "", "CACHE", "redis"].map(String::from).to_vec();
        let memory = MemoryDraft { tags: Some(tags), ..draft() }.check(Moment::now()).expect("a sound draft");
        assert_eq!(memory.tags, ["redis", "cache"]);
    }

    #[test]
    fn too_many_or_too_long_tags_are_refused() {
        let many = (0..51).map(|n| format!("tag{n}")).collect();
        assert_eq!(refusal(MemoryDraft { tags: Some(many), ..draft() }), "Too many tags (max 50, got 51)");
        let long = vec!["y".repeat(101)];
        assert_eq!(
            refusal(MemoryDraft { tags: Some(long), ..draft() }),
            "Tag 'yyyyyyyyyyyyyyyyyyyy...' exceeds 100 characters"
        );
    }

    #[test]
    fn types_go_by_their_name_on_the_wire() {
        assert_eq!("file_context".parse::<MemoryType>().ok(), Some(MemoryType::FileContext));
        assert_eq!(MemoryType::CodePattern.to_string(), "code_pattern");
        let error = "idea".parse::<MemoryType>().expect_err("no such type");
        assert_eq!(error.to_string(), "'idea' is not a valid memory type");
    }

    #[test]
    fn a_memory_survives_being_written_and_read() {
        let memory = draft().check(Moment::now()).expect("a sound draft");
        let text = serde_json::to_string(&memory).expect("serializes");
        assert_eq!(serde_json::from_str::<Memory>(&text).expect("deserializes"), memory);
    }

    #[test]
    fn its_schema_refers_to_nothing_elsewhere() {
        let schema = serde_json::to_string(&schemars::schema_for!(Memory)).expect("serializes");
        assert!(!schema.contains("$ref"), "{schema}");
    }
}
