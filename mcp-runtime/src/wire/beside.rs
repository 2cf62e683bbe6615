//! What is said of a task beside what the specification has words for, in `_meta`: how far it is in numbers, what it has
//! found so far, and what tasks it is made of.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::write_numbers;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::write_json;
use crate::protocol::names::meta;
use crate::protocol::params::Params;
use crate::protocol::payload::write_entry;
use crate::task::{Partials, Record, Status};

/// What is said of a task beside its record.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// The partial results that the reader has not seen, if the task gives any.
    pub(crate) partials: Option<Partials>,
    /// The tasks that are parts of it, if it ever began any.
    pub(crate) children: Option<Vec<Record>>,
}

/// How many parts of a task are named; the others are counted.
const MOST_CHILDREN: usize = 64;

impl Beside {
    /// Writes the entries, with commas between them and none before, and says whether there are any. `status` is where a
    /// task stands in the words of the dialect.
    pub(super) fn write(&self, out: &mut Vec<u8>, record: &Record, status: fn(&Record) -> Status) -> bool {
        let start = out.len();
        write_progress(out, record);
        self.write_partials(out, start);
        if let Some(children) = &self.children {
            if out.len() > start {
                out.push(b',');
            }
            write_children(out, children, status);
        }
        out.len() > start
    }

    /// Writes the partial results, if there are any; what stands from `start` on comes before them.
    fn write_partials(&self, out: &mut Vec<u8>, start: usize) -> bool {
        let Some(partials) = &self.partials else { return false };
        if out.len() > start {
            out.push(b',');
        }
        let values = partials.values.iter().map(|value| &**value);
        write_partials(out, values, partials.first, partials.next());
        true
    }

    /// Writes what goes with the result of a task: the partial results, if they were asked for.
    pub(super) fn write_with_result(&self, out: &mut Vec<u8>) -> bool {
        self.write_partials(out, out.len())
    }
}

/// Writes `"dev.mcp-runtime/progress":{…}` if the task said any.
fn write_progress(out: &mut Vec<u8>, record: &Record) {
    let Some((done, total)) = record.progress else { return };
    write_json(out, meta::PROGRESS);
    out.extend_from_slice(b":{");
    write_numbers(out, done, total);
    out.push(b'}');
}

/// Writes `"dev.mcp-runtime/partial":{…}`.
pub(super) fn write_partials<'a>(
    out: &mut Vec<u8>,
    values: impl Iterator<Item = &'a RawValue>,
    first: u32,
    next: u32,
) {
    write_json(out, meta::PARTIAL);
    out.extend_from_slice(br#":{"values":["#);
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value.get().as_bytes());
    }
    out.push(b']');
    write_entry(out, "first", &first);
    write_entry(out, "cursor", &next);
    out.push(b'}');
}

/// Writes `"dev.mcp-runtime/children":{…}`: those at work first.
fn write_children(out: &mut Vec<u8>, children: &[Record], status: fn(&Record) -> Status) {
    let ended = children.iter().filter(|child| child.status.is_terminal());
    let at_work = children.iter().filter(|child| !child.status.is_terminal());
    write_json(out, meta::CHILDREN);
    out.extend_from_slice(b":{");
    write_entry(out, "count", &children.len());
    write_entry(out, "ended", &ended.clone().count());
    out.extend_from_slice(br#","tasks":["#);
    for (index, child) in at_work.chain(ended).take(MOST_CHILDREN).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.push(b'{');
        write_entry(out, "taskId", &child.id);
        write_entry(out, "tool", &child.target);
        write_entry(out, "status", &status(child));
        if let Some(message) = &child.message {
            write_entry(out, "statusMessage", message);
        }
        if let Some((done, total)) = child.progress {
            out.extend_from_slice(br#","progress":{"#);
            write_numbers(out, done, total);
            out.push(b'}');
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

/// Reads where a reader of partial results left off, if it says so.
pub(super) fn cursor(params: &Params<'_>) -> Result<Option<u32>, ProtocolError> {
    #[derive(Deserialize)]
    struct Asked {
        cursor: f64,
    }
    let Some(raw) = params.meta.as_ref().and_then(|meta| meta.partial) else { return Ok(None) };
    let is_number = |cursor: &f64| cursor.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(cursor);
    let asked = if raw.get().starts_with('{') { serde_json::from_str(raw.get()).ok() } else { None };
    match asked.map(|Asked { cursor }| cursor).filter(is_number) {
        Some(cursor) => Ok(Some(cursor as u32)),
        None => Err(ProtocolError::invalid_params(format!(
            "`_meta[\"{}\"]` must be an object whose `cursor` is one that this server gave: a whole number from 0 to {}",
            meta::PARTIAL,
            u32::MAX
        ))),
    }
}
