//! What is there again when the file is opened anew.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::graph::Graph;
use crate::graph::tests::now;
use crate::model::{MemoryChange, MemoryDraft, MemoryId, MemoryType, RelationshipDraft, RelationshipType};

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("memorygraph-store-{}", MemoryId::random()));
        fs::create_dir(&path).expect("can be made");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("memory.db")
    }

    fn open(&self) -> Graph {
        Graph::open(Place::File(&self.file())).expect("can be opened")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn draft(id: &str) -> MemoryDraft {
    MemoryDraft {
        id: Some(id.into()),
        ..MemoryDraft::new(MemoryType::Fix, format!("About {id}"), "Something.")
    }
}

/// Everything that a graph holds.
fn contents(graph: &Graph) -> (Vec<crate::model::Memory>, Vec<crate::model::Relationship>) {
    graph.read(|tables| {
        let memories = tables.memories().map(|(_, memory)| (**memory).clone()).collect();
        let relationships = tables.edges().iter().map(|(_, edge)| (*edge.relationship).clone()).collect();
        (memories, relationships)
    })
}

#[test]
fn whatever_was_written_is_there_again() {
    let folder = Folder::new();
    let graph = folder.open();
    for id in ["a", "b", "c", "d"] {
        now(graph.store(draft(id))).expect("sound");
    }
    let full = serde_json::json!({
        "id": "full", "type": "error", "title": "T", "content": "C", "summary": "S", "tags": ["x", "y"],
        "importance": 0.1, "confidence": 0.2, "effectiveness": 0.3, "usage_count": 4,
        "last_accessed": "2025-01-04T00:00:00Z", "created_at": "2025-01-01T00:00:00.000001Z",
        "updated_at": "2025-01-02T00:00:00Z", "updated_by": "me", "version": 7, "pinned": true,
        "archived_at": "2025-01-03T00:00:00Z", "context": { "project_path": "/srv" }, "mood": [1]
    });
    now(graph.store(serde_json::from_value(full.clone()).expect("a draft"))).expect("sound");
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "d")] {
        let related = RelationshipDraft::new(from.into(), RelationshipType::Follows, to.into())
            .with("context", Some("only on Mondays"))
            .with("mood", Some("calm"))
            .with("valid_from", Some("2025-02-01T00:00:00Z"));
        now(graph.relate(related)).expect("sound");
    }
    let change = MemoryChange { title: Some("Another".into()), ..MemoryChange::default() };
    now(graph.update("a".into(), change)).expect("is there");
    now(graph.delete("c".into())).expect("is there");
    graph.count_access(graph.read(|tables| tables.slot(&"b".into())).into_iter().collect());
    let before = contents(&graph);
    drop(graph);
    let again = folder.open();
    assert_eq!(contents(&again), before);
    assert_eq!(again.get(&"b".into()).expect("is there").usage_count, 1);
    let memory = serde_json::to_value(&*again.get(&"full".into()).expect("is there")).expect("serializes");
    assert_eq!(memory, full);
    assert_eq!(again.search(&"another".parse().expect("has words")).best.len(), 1);
    // What is stored now gets in nobody's way.
    now(again.store(draft("e"))).expect("sound");
    assert_eq!(again.size().memories, 5);
}

#[test]
fn a_change_that_breaks_down_half_way_is_as_if_it_had_not_begun() {
    let folder = Folder::new();
    let graph = folder.open();
    now(graph.store(draft("a"))).expect("sound");
    let broken: Result<(), GraphError> = now(graph.write(|writing| {
        writing.delete(&"a".into())?;
        writing.store(draft("b"), Moment::now())?;
        panic!("as if something were wrong");
    }));
    let error = broken.expect_err("it panicked");
    assert_eq!(
        error.to_string(),
        "The memory file failed: what was begun broke down, and nothing of it is kept"
    );
    let before = contents(&graph);
    assert_eq!((before.0.len(), before.0[0].id.as_str()), (1, "a"));
    now(graph.store(draft("c"))).expect("it goes on");
    let before = contents(&graph);
    drop(graph);
    assert_eq!(contents(&folder.open()), before);
}

#[test]
fn a_step_is_done_once() {
    let folder = Folder::new();
    for _ in 0..2 {
        let graph = folder.open();
        let done: u32 = now(graph.write(|writing| {
            writing.once("run", "first", |writing| writing.store(draft("a"), Moment::now()).map(|_| 7))
        }))
        .expect("done once");
        assert_eq!((done, graph.size().memories), (7, 1));
    }
    let graph = folder.open();
    now(graph.write(|writing| writing.forget_run("run"))).expect("is over");
    let again = now(graph.write(|writing| {
        writing.once("run", "first", |writing| writing.store(draft("a"), Moment::now()).map(|_| 7))
    }));
    assert_eq!(again.expect_err("another run").to_string(), "Memory already exists: a");
}

#[test]
fn a_file_has_one_process_that_writes_it() {
    let folder = Folder::new();
    let graph = folder.open();
    now(graph.store(draft("a"))).expect("sound");
    let sql = Connection::open(folder.file()).expect("a file");
    sql.busy_timeout(Duration::ZERO).expect("set");
    let read = sql.query_row("SELECT count(*) FROM memories", [], |row| row.get::<_, i64>(0));
    assert!(matches!(StoreError::from(read.expect_err("it is in use")), StoreError::InUse));
    drop(graph);
    folder.open();
}

#[test]
fn what_may_only_be_read_is_not_written() {
    let folder = Folder::new();
    now(folder.open().store(draft("a"))).expect("sound");
    let graph = Graph::open(Place::ReadOnly(&folder.file())).expect("can be read");
    assert_eq!(graph.get(&"a".into()).expect("is there").title, "About a");
    graph.count_access(vec![Slot::from(0)]);
    let error = now(graph.store(draft("b"))).expect_err("may not be written");
    assert_eq!(error.to_string(), "The memory file failed: it was opened with --read-only");
    drop(Graph::open(Place::ReadOnly(&folder.0.join("none.db"))).expect_err("is not there"));
}

#[test]
fn what_cannot_be_read_is_told_and_nobody_sees_a_part_of_it() {
    let folder = Folder::new();
    now(folder.open().store(draft("a"))).expect("sound");
    let sql = Connection::open(folder.file()).expect("a file");
    sql.execute("UPDATE memories SET type = 'idea'", []).expect("it is there");
    drop(sql);
    let (tell, told) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let place = folder.file();
    let graph = Graph::open_soon(Place::File(&place), None, move |read| {
        tell.send(read).expect("somebody waits for it");
        // As long as this takes, nobody can look.
        goes_on.recv().expect_err("nothing is sent");
    });
    let graph = graph.expect("the file itself is sound");
    let error = told.recv().expect("is told").expect_err("no such type");
    assert!(error.to_string().contains("'idea' is not a valid memory type"), "{error}");
    thread::scope(|scope| {
        let looks = scope.spawn(|| graph.size());
        assert!(!looks.is_finished());
        drop(go_on);
        looks.join().expect("it does not panic");
    });
}

#[test]
fn a_file_of_others_is_left_alone() {
    let folder = Folder::new();
    let sql = Connection::open(folder.file()).expect("a file");
    sql.execute_batch("CREATE TABLE nodes (id TEXT)").expect("sound");
    drop(sql);
    let told = |graph: Result<Graph, StoreError>| graph.expect_err("is not ours").to_string();
    let expected = "it is a file of another program; import its export instead";
    assert_eq!(told(Graph::open(Place::File(&folder.file()))), expected);
    assert_eq!(told(Graph::open(Place::ReadOnly(&folder.file()))), expected);
    fs::write(folder.0.join("text.db"), "no database at all, ".repeat(100)).expect("can be written");
    assert_eq!(told(Graph::open(Place::File(&folder.0.join("text.db")))), expected);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    drop(folder.open());
    let sql = Connection::open(folder.file()).expect("a file");
    sql.pragma_update(None, "user_version", 99).expect("set");
    drop(sql);
    let error = Graph::open(Place::File(&folder.file())).expect_err("is newer");
    assert_eq!(error.to_string(), "it was written by a newer version of this program");
}
