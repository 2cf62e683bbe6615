//! One memory: what it may hold, and the check through which every one of them has come.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{MemoryId, Moment, Object, Weight, by_wire_name, wire_name};
use crate::error::GraphError;
use crate::search::{Digest, Text};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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
    /// How well it has served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) effectiveness: Option<Weight>,
    /// How often it was read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) usage_count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_accessed: Option<Moment>,
    pub(crate) created_at: Moment,
    pub(crate) updated_at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_by: Option<String>,
    /// Counts the changes, from 1.
    #[schemars(range(min = 1))]
    pub(crate) version: u32,
    /// Never fades, and is never cleaned away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) pinned: bool,
    /// Since when it is out of the way: kept, but not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archived_at: Option<Moment>,
    /// Where it comes from: `project_path`, `languages`, `files_involved` ...
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) context: Object,
    /// Whatever else a document said of it.
    #[serde(flatten)]
    pub(crate) other: Object,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Memory {
    /// Its words, ready to be indexed.
    pub(crate) fn digest(&self) -> Digest {
        self.tell(Digest::of)
    }

    /// Lets somebody hear what it says.
    pub(crate) fn tell<T>(&self, hear: impl FnOnce(&Text<'_>) -> T) -> T {
        let kind = self.kind.to_string();
        hear(&Text { kind: &kind, ..self.text() })
    }

    /// What it says, but for what kind of knowledge that is.
    pub(crate) fn text(&self) -> Text<'_> {
        let Self { title, summary, content, tags, .. } = self;
        Text { title, summary: summary.as_deref(), content, tags, kind: "" }
    }

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
    pub(crate) effectiveness: Option<f64>,
    pub(crate) usage_count: Option<u32>,
    pub(crate) last_accessed: Option<Moment>,
    pub(crate) updated_at: Option<Moment>,
    pub(crate) updated_by: Option<String>,
    pub(crate) version: Option<u32>,
    pub(crate) pinned: Option<bool>,
    pub(crate) archived_at: Option<Moment>,
    pub(crate) context: Option<Object>,
    #[serde(flatten)]
    pub(crate) other: Object,
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
            effectiveness: None,
            usage_count: None,
            last_accessed: None,
            updated_at: None,
            updated_by: None,
            version: None,
            pinned: None,
            archived_at: None,
            context: None,
            other: Object::new(),
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
            effectiveness: self.effectiveness.map(|value| Weight::new("Effectiveness", value)).transpose()?,
            usage_count: self.usage_count.unwrap_or_default(),
            last_accessed: self.last_accessed,
            created_at,
            updated_at: self.updated_at.unwrap_or(created_at),
            updated_by: self.updated_by,
            version: self.version.unwrap_or(1).max(1),
            pinned: self.pinned.unwrap_or_default(),
            archived_at: self.archived_at,
            context: self.context.map(checked_context).transpose()?.unwrap_or_default(),
            other: self.other,
        })
    }
}

/// What is to be different about a memory. What is not said stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryChange {
    pub(crate) title: Option<String>,
    pub(crate) content: Option<String>,
    /// An empty one takes it away.
    pub(crate) summary: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) importance: Option<Weight>,
    pub(crate) confidence: Option<Weight>,
    pub(crate) context: Option<Object>,
    pub(crate) pinned: Option<bool>,
    pub(crate) archived: Option<bool>,
}

impl MemoryChange {
    /// The memory as it is after the change: whole and checked, or not changed at all.
    pub(crate) fn apply(self, memory: &Memory, now: Moment) -> Result<Memory, GraphError> {
        let mut changed = memory.clone();
        if let Some(title) = self.title {
            says_something("Title", &title, MAX_TITLE)?;
            changed.title = title;
        }
        if let Some(content) = self.content {
            says_something("Content", &content, MAX_CONTENT)?;
            changed.content = content;
        }
        if let Some(summary) = self.summary {
            fits("Summary", &summary, MAX_SUMMARY)?;
            changed.summary = Some(summary).filter(|summary| !summary.trim().is_empty());
        }
        if let Some(tags) = self.tags {
            changed.tags = normalised(tags)?;
        }
        if let Some(context) = self.context {
            changed.context = checked_context(context)?;
        }
        changed.importance = self.importance.unwrap_or(changed.importance);
        changed.confidence = self.confidence.unwrap_or(changed.confidence);
        changed.pinned = self.pinned.unwrap_or(changed.pinned);
        match self.archived {
            Some(true) => changed.archived_at = changed.archived_at.or(Some(now)),
            Some(false) => changed.archived_at = None,
            None => {}
        }
        if changed != *memory {
            changed.updated_at = now;
            changed.version = changed.version.saturating_add(1);
        }
        Ok(changed)
    }
}

/// The known entries of a context, each with the kind that it must have.
const CONTEXT: &[(&str, Entry)] = &[
    ("project_path", Entry::Text),
    ("files_involved", Entry::Texts),
    ("languages", Entry::Texts),
    ("frameworks", Entry::Texts),
    ("technologies", Entry::Texts),
    ("git_commit", Entry::Text),
    ("git_branch", Entry::Text),
    ("working_directory", Entry::Text),
    ("session_id", Entry::Text),
    ("user_id", Entry::Text),
    ("additional_metadata", Entry::Object),
    ("tenant_id", Entry::Text),
    ("team_id", Entry::Text),
    ("created_by", Entry::Text),
];
const VISIBILITIES: [&str; 4] = ["private", "project", "team", "public"];

#[derive(Clone, Copy)]
enum Entry {
    Text,
    Texts,
    Object,
}

/// A context whose known entries are of the kind that they must be. Others may be anything; those of nothing go.
fn checked_context(mut context: Object) -> Result<Object, GraphError> {
    context.retain(|_, value| !value.is_null());
    for (name, entry) in CONTEXT {
        let Some(value) = context.get(*name) else { continue };
        let (fits, expected) = match entry {
            Entry::Text => (value.is_string(), "a text"),
            Entry::Texts => {
                let texts = value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
                (texts, "a list of texts")
            }
            Entry::Object => (value.is_object(), "an object"),
        };
        if !fits {
            return Err(GraphError::BadProperty { name, expected });
        }
    }
    match context.get("visibility") {
        Some(visibility) if !VISIBILITIES.iter().any(|known| visibility == known) => {
            Err(GraphError::BadProperty { name: "visibility", expected: "private, project, team or public" })
        }
        _ => Ok(context),
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
    fn a_change_is_made_whole_or_not_at_all() {
        let now = Moment::now();
        let memory = draft().check(now).expect("a sound draft");
        let change = MemoryChange { importance: Some(Weight::clamped(0.9)), ..MemoryChange::default() };
        let changed = change.clone().apply(&memory, now).expect("a sound change");
        assert_eq!((changed.importance.get(), changed.version), (0.9, 2));
        assert_eq!(change.clone().apply(&changed, now).expect("sound").version, 2, "nothing is different");
        let error = MemoryChange { title: Some("x".repeat(201)), ..change }.apply(&memory, now);
        assert_eq!(error.expect_err("too long").to_string(), "Title exceeds 200 characters (got 201)");
    }

    #[test]
    fn what_is_archived_comes_back_as_it_was() {
        let now = Moment::now();
        let memory = draft().check(now).expect("a sound draft");
        let set = |archived| MemoryChange { archived: Some(archived), ..MemoryChange::default() };
        let archived = set(true).apply(&memory, now).expect("sound");
        assert_eq!(archived.archived_at, Some(now));
        assert_eq!(set(false).apply(&archived, now).expect("sound").archived_at, None);
    }

    #[test]
    fn a_context_is_free_but_for_what_is_known() {
        let context = |text: &str| serde_json::from_str::<Object>(text).expect("an object");
        let refusal = |text: &str| checked_context(context(text)).expect_err("wrong").to_string();
        assert_eq!(checked_context(context(r#"{"mood": 7, "git_branch": null}"#)).expect("free").len(), 1);
        assert_eq!(refusal(r#"{"languages": "rust"}"#), "Property 'languages' must be a list of texts");
        assert_eq!(
            refusal(r#"{"visibility": "secret"}"#),
            "Property 'visibility' must be private, project, team or public"
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
