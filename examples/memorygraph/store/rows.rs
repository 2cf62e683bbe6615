//! Memories and relationships as rows: each field a column, times in microseconds since 1970, lists and objects as JSON.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fingerprint::Fingerprint;
use crate::graph::Tables;
use crate::model::{
    Memory, MemoryId, Moment, Properties, Relationship, RelationshipId, RelationshipType, Slot, Weight,
};
use crate::search::semantic::{Direction, Meaning};

/// A memory and the place where it stands.
pub(crate) type StoredMemory = (Slot, Arc<Memory>);

/// A relationship, its key, and its ends.
pub(crate) struct StoredRelationship {
    pub(crate) key: u32,
    pub(crate) from: Slot,
    pub(crate) to: Slot,
    pub(crate) relationship: Relationship,
}

type Sql<T> = Result<T, rusqlite::Error>;

pub(crate) fn put_memory(sql: &Connection, slot: Slot, memory: &Memory) -> Sql<()> {
    let mut put = sql.prepare_cached(
        "INSERT INTO memories VALUES (
            :key, :id, :type, :title, :content, :summary, :tags, :importance, :confidence, :effectiveness, :usage_count,
            :last_accessed, :created_at, :updated_at, :updated_by, :version, :pinned, :archived_at, :context, :other
         ) ON CONFLICT (key) DO UPDATE SET
            id = excluded.id, type = excluded.type, title = excluded.title, content = excluded.content,
            summary = excluded.summary, tags = excluded.tags, importance = excluded.importance,
            confidence = excluded.confidence, effectiveness = excluded.effectiveness,
            usage_count = excluded.usage_count, last_accessed = excluded.last_accessed,
            created_at = excluded.created_at, updated_at = excluded.updated_at, updated_by = excluded.updated_by,
            version = excluded.version, pinned = excluded.pinned, archived_at = excluded.archived_at,
            context = excluded.context, other = excluded.other",
    )?;
    put.execute(named_params! {
        ":key": slot.number(),
        ":id": memory.id.as_str(),
        ":type": memory.kind.to_string(),
        ":title": memory.title,
        ":content": memory.content,
        ":summary": memory.summary,
        ":tags": json(&memory.tags)?,
        ":importance": memory.importance.get(),
        ":confidence": memory.confidence.get(),
        ":effectiveness": memory.effectiveness.map(Weight::get),
        ":usage_count": memory.usage_count,
        ":last_accessed": memory.last_accessed.map(Moment::micros),
        ":created_at": memory.created_at.micros(),
        ":updated_at": memory.updated_at.micros(),
        ":updated_by": memory.updated_by,
        ":version": memory.version,
        ":pinned": memory.pinned,
        ":archived_at": memory.archived_at.map(Moment::micros),
        ":context": json(&memory.context)?,
        ":other": json(&memory.other)?,
    })?;
    Ok(())
}

/// Writes how often a memory was read, and nothing else of it.
pub(crate) fn put_access(sql: &Connection, slot: Slot, memory: &Memory) -> Sql<()> {
    let mut put =
        sql.prepare_cached("UPDATE memories SET usage_count = ?2, last_accessed = ?3 WHERE key = ?1")?;
    put.execute((slot.number(), memory.usage_count, memory.last_accessed.map(Moment::micros)))?;
    Ok(())
}

/// Takes a memory away, and with it the relationships that it is an end of.
pub(crate) fn remove_memory(sql: &Connection, slot: Slot) -> Sql<()> {
    sql.prepare_cached("DELETE FROM memories WHERE key = ?")?.execute([slot.number()])?;
    Ok(())
}

/// Writes what a model said of a memory, in place of what any has said before.
pub(crate) fn put_meaning(sql: &Connection, slot: Slot, model: Fingerprint, meaning: &Meaning) -> Sql<()> {
    let mut put = sql.prepare_cached("INSERT OR REPLACE INTO meanings VALUES (?, ?, ?, ?)")?;
    let [model, text] = [model, meaning.text].map(|of| of.number().cast_signed());
    put.execute((slot.number(), model, text, meaning.direction.to_bytes()))?;
    Ok(())
}

/// Hands over what this model said of memories.
pub(crate) fn each_meaning(
    sql: &Connection,
    model: Fingerprint,
    mut take: impl FnMut(Slot, Meaning),
) -> Sql<()> {
    let mut all = sql.prepare("SELECT key, text, direction FROM meanings WHERE model = ?")?;
    let mut rows = all.query([model.number().cast_signed()])?;
    while let Some(row) = rows.next()? {
        let text = row.get::<_, i64>(1)?.cast_unsigned().into();
        let direction = Direction::from_bytes(row.get_ref(2)?.as_blob()?);
        take(row.get::<_, u32>(0)?.into(), Meaning { text, direction });
    }
    Ok(())
}

pub(crate) fn put_relationship(
    sql: &Connection,
    key: u32,
    (from, to): (Slot, Slot),
    relationship: &Relationship,
) -> Sql<()> {
    let mut put = sql.prepare_cached(
        "INSERT OR REPLACE INTO relationships VALUES (
            :key, :id, :from_key, :to_key, :type, :strength, :confidence, :context, :evidence_count, :success_rate,
            :created_at, :last_validated, :valid_from, :valid_until, :recorded_at, :invalidated_by, :other, :description,
            :bidirectional
         )",
    )?;
    let properties = &relationship.properties;
    put.execute(named_params! {
        ":key": key,
        ":id": relationship.id.as_str(),
        ":from_key": from.number(),
        ":to_key": to.number(),
        ":type": relationship.kind.to_string(),
        ":strength": properties.strength.get(),
        ":confidence": properties.confidence.get(),
        ":context": properties.context.as_ref().map(json).transpose()?,
        ":evidence_count": properties.evidence_count,
        ":success_rate": properties.success_rate.map(Weight::get),
        ":created_at": properties.created_at.micros(),
        ":last_validated": properties.last_validated.map(Moment::micros),
        ":valid_from": properties.valid_from.micros(),
        ":valid_until": properties.valid_until.map(Moment::micros),
        ":recorded_at": properties.recorded_at.micros(),
        ":invalidated_by": properties.invalidated_by.as_ref().map(RelationshipId::as_str),
        ":other": json(&properties.other)?,
        ":description": relationship.description,
        ":bidirectional": relationship.bidirectional,
    })?;
    Ok(())
}

pub(crate) fn remove_relationship(sql: &Connection, key: u32) -> Sql<()> {
    sql.prepare_cached("DELETE FROM relationships WHERE key = ?")?.execute([key])?;
    Ok(())
}

/// What a step of long work came to, if it was done.
pub(crate) fn outcome(sql: &Connection, run: &str, step: &str) -> Sql<Option<String>> {
    let mut find = sql.prepare_cached("SELECT outcome FROM steps WHERE run = ? AND step = ?")?;
    let mut rows = find.query((run, step))?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

pub(crate) fn put_outcome(sql: &Connection, run: &str, step: &str, outcome: &str, at: Moment) -> Sql<()> {
    let mut put = sql.prepare_cached("INSERT INTO steps VALUES (?, ?, ?, ?)")?;
    put.execute((run, step, outcome, at.micros()))?;
    Ok(())
}

pub(crate) fn forget_run(sql: &Connection, run: &str) -> Sql<()> {
    sql.prepare_cached("DELETE FROM steps WHERE run = ?")?.execute([run])?;
    Ok(())
}

/// Forgets the steps of work that nobody went on with.
pub(crate) fn forget_runs_before(sql: &Connection, moment: Moment) -> Sql<()> {
    sql.execute("DELETE FROM steps WHERE at < ?", [moment.micros()])?;
    Ok(())
}

/// Hands over every memory, in the order of their places.
pub(crate) fn each_memory(sql: &Connection, mut take: impl FnMut(StoredMemory)) -> Sql<()> {
    let mut all = sql.prepare("SELECT * FROM memories ORDER BY key")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        take(memory(row)?);
    }
    Ok(())
}

/// Puts every relationship back between its ends, which are in `tables`.
pub(crate) fn read_relationships(sql: &Connection, tables: &mut Tables) -> Sql<()> {
    let mut all = sql.prepare("SELECT * FROM relationships ORDER BY key")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (from, to) = (Slot::from(row.get::<_, u32>(2)?), Slot::from(row.get::<_, u32>(3)?));
        // The file lets no memory go without its relationships.
        if let (Some(begins), Some(ends)) = (tables.at(from), tables.at(to)) {
            let relationship = relationship(row, begins.id.clone(), ends.id.clone())?;
            tables.restore_relationship(StoredRelationship { key: row.get(0)?, from, to, relationship });
        }
    }
    Ok(())
}

fn memory(row: &Row<'_>) -> Sql<StoredMemory> {
    let memory = Memory {
        id: row.get_ref(1)?.as_str()?.into(),
        kind: named(row, 2)?,
        title: row.get(3)?,
        content: row.get(4)?,
        summary: row.get(5)?,
        tags: from_json(row, 6)?,
        importance: weight(row, 7)?,
        confidence: weight(row, 8)?,
        effectiveness: row.get::<_, Option<f64>>(9)?.map(Weight::clamped),
        usage_count: row.get(10)?,
        last_accessed: moment(row, 11)?,
        created_at: Moment::from_micros(row.get(12)?),
        updated_at: Moment::from_micros(row.get(13)?),
        updated_by: row.get(14)?,
        version: row.get(15)?,
        pinned: row.get(16)?,
        archived_at: moment(row, 17)?,
        context: from_json(row, 18)?,
        other: from_json(row, 19)?,
    };
    Ok((Slot::from(row.get::<_, u32>(0)?), Arc::new(memory)))
}

fn relationship(row: &Row<'_>, from_memory_id: MemoryId, to_memory_id: MemoryId) -> Sql<Relationship> {
    let kind: RelationshipType = named(row, 4)?;
    let properties = Properties {
        strength: weight(row, 5)?,
        confidence: weight(row, 6)?,
        context: if row.get_ref(7)?.as_str_or_null()?.is_some() { Some(from_json(row, 7)?) } else { None },
        evidence_count: row.get(8)?,
        success_rate: row.get::<_, Option<f64>>(9)?.map(Weight::clamped),
        created_at: Moment::from_micros(row.get(10)?),
        last_validated: moment(row, 11)?,
        valid_from: Moment::from_micros(row.get(12)?),
        valid_until: moment(row, 13)?,
        recorded_at: Moment::from_micros(row.get(14)?),
        invalidated_by: row.get_ref(15)?.as_str_or_null()?.map(RelationshipId::from),
        other: from_json(row, 16)?,
    };
    Ok(Relationship {
        id: row.get_ref(1)?.as_str()?.into(),
        from_memory_id,
        to_memory_id,
        kind,
        properties,
        description: row.get(17)?,
        bidirectional: row.get(18)?,
    })
}

fn weight(row: &Row<'_>, column: usize) -> Sql<Weight> {
    Ok(Weight::clamped(row.get(column)?))
}

fn moment(row: &Row<'_>, column: usize) -> Sql<Option<Moment>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Moment::from_micros))
}

fn named<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> Sql<T> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error| unfit(column, Box::new(error)))
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Sql<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| unfit(column, Box::new(error)))
}

fn unfit(column: usize, why: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why)
}

fn json(value: &(impl Serialize + ?Sized)) -> Sql<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
