//! A document of format 2.0: read once, checked as a whole, its rows left as text until each one's turn.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{GraphError, Refusal};
use crate::fingerprint::Fingerprint;
use crate::model::MemoryId;

/// The format that is read and written.
pub(crate) const FORMAT_VERSION: &str = "2.0";

/// A document that may be imported. Each of its memories has an id of its own, a type, a title and a content.
#[derive(Debug)]
pub(crate) struct Document {
    ids: Vec<MemoryId>,
    memories: Vec<Box<RawValue>>,
    relationships: Vec<Box<RawValue>>,
    fingerprint: u64,
}

/// A document as it is written.
#[derive(Deserialize)]
#[serde(expecting = "an object with 'format_version', 'memories' and 'relationships'")]
struct Envelope {
    format_version: Option<Value>,
    memories: Option<Vec<Box<RawValue>>>,
    relationships: Option<Vec<Box<RawValue>>>,
}

/// What no memory of a document may lack.
#[derive(Deserialize)]
#[serde(expecting = "an object with 'id', 'type', 'title' and 'content'")]
struct Essence<'row> {
    id: Option<MemoryId>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'row RawValue>,
    #[serde(borrow)]
    title: Option<&'row RawValue>,
    #[serde(borrow)]
    content: Option<&'row RawValue>,
}

impl Document {
    /// Reads a document from `text`. It takes a while for a large one: call it where it may block.
    pub(crate) fn parse(text: &str) -> Result<Self, GraphError> {
        Self::parse_or_refuse(text).map_err(GraphError::Refused)
    }

    /// Reads a document from a file. It takes a while: call it where it may block.
    pub(crate) fn open(path: &Path) -> Result<Self, GraphError> {
        Self::parse(&read(path)?)
    }

    /// The ids of its memories, by row.
    pub(super) fn ids(&self) -> &[MemoryId] {
        &self.ids
    }

    pub(super) fn memories(&self) -> &[Box<RawValue>] {
        &self.memories
    }

    pub(super) fn relationships(&self) -> &[Box<RawValue>] {
        &self.relationships
    }

    /// By which it is known again, when an import goes on that was cut off.
    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn parse_or_refuse(text: &str) -> Result<Self, Refusal> {
        let envelope: Envelope = serde_json::from_str(text).map_err(Refusal::Malformed)?;
        match envelope.format_version {
            None => return Err(Refusal::MissingKey("format_version")),
            Some(version) if version == FORMAT_VERSION => {}
            Some(version) => return Err(Refusal::WrongVersion(version.to_string())),
        }
        let memories = envelope.memories.ok_or(Refusal::MissingKey("memories"))?;
        let relationships = envelope.relationships.ok_or(Refusal::MissingKey("relationships"))?;
        let ids = own_ids(&memories)?;
        Ok(Self { ids, memories, relationships, fingerprint: Fingerprint::of(text.as_bytes()).number() })
    }
}

/// The text of a file, without the mark that some programs begin theirs with.
pub(crate) fn read(path: &Path) -> Result<String, GraphError> {
    let text = fs::read_to_string(path);
    let mut text = text.map_err(|source| GraphError::Unreadable { path: path.to_owned(), source })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn own_ids(memories: &[Box<RawValue>]) -> Result<Vec<MemoryId>, Refusal> {
    let mut rows: HashMap<MemoryId, usize> = HashMap::with_capacity(memories.len());
    let mut ids = Vec::with_capacity(memories.len());
    for (row, memory) in (1..).zip(memories) {
        let essence: Essence<'_> =
            serde_json::from_str(memory.get()).map_err(|error| Refusal::BadMemory { row, error })?;
        let given = [("type", essence.kind), ("title", essence.title), ("content", essence.content)];
        let missing = given.into_iter().find(|(_, value)| value.is_none()).map(|(key, _)| key);
        let id = essence.id.ok_or(Refusal::IncompleteMemory { row, key: "id" })?;
        if let Some(key) = missing {
            return Err(Refusal::IncompleteMemory { row, key });
        }
        match rows.entry(id) {
            Entry::Occupied(first) => {
                let id = first.key().clone();
                return Err(Refusal::RepeatedId { id, first: *first.get(), second: row });
            }
            Entry::Vacant(vacant) => {
                ids.push(vacant.key().clone());
                vacant.insert(row);
            }
        }
    }
    Ok(ids)
}
