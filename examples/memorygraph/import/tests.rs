//! What may be imported, what is refused, and what is told of it.

use serde_json::{Value, json};

use super::*;
use crate::graph::tests::now;
use crate::model::Weight;
use crate::store::Place;

fn memory(id: &str) -> Value {
    json!({ "id": id, "type": "fix", "title": format!("About {id}"), "content": "Something." })
}

fn relationship(from: &str, to: &str) -> Value {
    json!({ "from_memory_id": from, "to_memory_id": to, "type": "SOLVES", "properties": { "strength": 0.4 } })
}

fn document(memories: &[Value], relationships: &[Value]) -> Value {
    json!({ "format_version": "2.0", "memories": memories, "relationships": relationships })
}

fn graph() -> Graph {
    Graph::open(Place::Nowhere).expect("memory is there")
}

fn import(graph: &Graph, document: &Value, on_duplicate: OnDuplicate) -> Result<Report, GraphError> {
    let document = Document::parse(&document.to_string())?;
    now(run(graph, document, on_duplicate, &Context::detached())).map_err(|error| match error {
        TryStepError::Work(error) => error,
        TryStepError::Step(error) => panic!("{error}"),
    })
}

fn refusal(document: &Value) -> String {
    let graph = graph();
    let error = import(&graph, document, OnDuplicate::Skip).expect_err("the document should be refused");
    assert_eq!(graph.size().memories, 0, "nothing of a refused document is imported");
    error.to_string()
}

fn counts(imported: usize, replaced: usize, skipped: usize, failed: usize) -> Counts {
    Counts { imported, replaced, skipped, failed }
}

#[test]
fn a_document_is_imported_with_its_relationships() {
    let graph = graph();
    let document = document(&[memory("a"), memory("b")], &[relationship("a", "b")]);
    let report = import(&graph, &document, OnDuplicate::Skip).expect("a sound document");
    assert_eq!((report.memories, report.relationships), (counts(2, 0, 0, 0), counts(1, 0, 0, 0)));
    let neighbours = graph.neighbours(&"b".into(), Moment::now()).expect("is there");
    assert_eq!(neighbours[0].relationship.properties.strength, Weight::clamped(0.4));
}

#[test]
fn times_and_unknown_properties_are_kept() {
    let graph = graph();
    let mut old = memory("a");
    old["created_at"] = json!("2025-01-01T08:00:00.000000+00:00");
    let mut known = relationship("a", "b");
    known["properties"] = json!({ "valid_from": "2025-02-01T00:00:00", "recorded_at": "2025-03-01T00:00:00Z",
        "created_at": "2025-03-01T00:00:00Z", "mood": "calm" });
    import(&graph, &document(&[old, memory("b")], &[known]), OnDuplicate::Skip).expect("a sound document");
    let memory = graph.get(&"a".into()).expect("is there");
    assert_eq!(memory.created_at.to_string(), "2025-01-01T08:00:00Z");
    assert_eq!(memory.updated_at, memory.created_at);
    let properties =
        graph.neighbours(&"a".into(), Moment::now()).expect("is there")[0].relationship.properties.clone();
    assert_eq!(properties.valid_from.to_string(), "2025-02-01T00:00:00Z");
    assert_eq!(properties.recorded_at.to_string(), "2025-03-01T00:00:00Z");
    assert_eq!(properties.other["mood"], "calm");
}

#[test]
fn a_document_that_cannot_be_trusted_is_refused_as_a_whole() {
    let without = |key: &str| {
        let mut document = document(&[], &[]);
        document.as_object_mut().map(|document| document.remove(key));
        refusal(&document)
    };
    for key in ["format_version", "memories", "relationships"] {
        assert_eq!(without(key), format!("Nothing was imported: the document lacks '{key}'"));
    }
    let mut other = document(&[], &[]);
    other["format_version"] = json!("1.0");
    assert_eq!(refusal(&other), "Nothing was imported: format_version is \"1.0\", where \"2.0\" is needed");
    assert!(
        refusal(&json!([])).starts_with("Nothing was imported: the document is not a format 2.0 export: ")
    );
}

#[test]
fn a_memory_without_its_essentials_refuses_the_document() {
    for key in ["id", "type", "title", "content"] {
        let mut incomplete = memory("b");
        incomplete[key] = Value::Null;
        assert_eq!(
            refusal(&document(&[memory("a"), incomplete], &[])),
            format!("Nothing was imported: memory 2 of the document lacks '{key}'")
        );
    }
    assert_eq!(
        refusal(&document(&[memory("a"), memory("b"), memory("a")], &[])),
        "Nothing was imported: memories 1 and 3 of the document have the same id: a"
    );
    assert!(
        refusal(&document(&[json!(7)], &[]))
            .starts_with("Nothing was imported: memory 1 of the document is none")
    );
}

#[test]
fn other_bad_rows_are_left_out_and_reported_by_number() {
    let graph = graph();
    let mut idea = memory("b");
    idea["type"] = json!("idea");
    let mut vital = memory("c");
    vital["importance"] = json!(1.5);
    let mut unknown = relationship("a", "d");
    unknown["type"] = json!("solves");
    let memories = [memory("a"), idea, vital, memory("d")];
    let relationships =
        [relationship("a", "d"), unknown, relationship("a", "x"), relationship("d", "a"), json!({})];
    let report =
        import(&graph, &document(&memories, &relationships), OnDuplicate::Skip).expect("a sound document");
    assert_eq!((report.memories, report.relationships), (counts(2, 0, 0, 2), counts(1, 0, 0, 4)));
    let told: Vec<_> =
        report.errors.iter().map(|error| (error.table, error.row, error.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (Table::Memories, 2, "'idea' is not a valid memory type"),
            (Table::Memories, 3, "Importance must be between 0 and 1 (got 1.5)"),
            (Table::Relationships, 2, "'solves' is not a valid relationship type"),
            (Table::Relationships, 3, "One or both memories not found: a, x"),
            (
                Table::Relationships,
                4,
                "Cannot create relationship d -> a: Would create a cycle in the SOLVES relationship graph"
            ),
            (Table::Relationships, 5, "missing field `from_memory_id`"),
        ]
    );
}

#[test]
fn only_the_first_bad_rows_are_reported_but_all_are_counted() {
    let rows: Vec<Value> = (0..100).map(|_| json!({})).collect();
    let report = import(&graph(), &document(&[], &rows), OnDuplicate::Skip).expect("a sound document");
    assert_eq!((report.relationships.failed, report.errors.len()), (100, REPORTED_ROWS));
}

#[test]
fn skipping_keeps_what_is_there() {
    let graph = graph();
    let first = document(&[memory("a"), memory("b")], &[relationship("a", "b")]);
    import(&graph, &first, OnDuplicate::Skip).expect("a sound document");
    let mut changed = memory("a");
    changed["title"] = json!("Another title");
    let second = document(&[changed, memory("c")], &[relationship("a", "b"), relationship("b", "c")]);
    let report = import(&graph, &second, OnDuplicate::Skip).expect("a sound document");
    assert_eq!((report.memories, report.relationships), (counts(1, 0, 1, 0), counts(1, 0, 1, 0)));
    assert_eq!(graph.get(&"a".into()).expect("is there").title, "About a");
}

#[test]
fn replacing_puts_the_new_in_the_place_of_the_old_and_keeps_its_relationships() {
    let graph = graph();
    let first = document(&[memory("a"), memory("b")], &[relationship("a", "b")]);
    import(&graph, &first, OnDuplicate::Skip).expect("a sound document");
    let mut changed = memory("a");
    changed["title"] = json!("Kubernetes");
    let mut stronger = relationship("a", "b");
    stronger["properties"] = json!({ "strength": 1.0 });
    let second = document(&[changed], &[stronger]);
    let report = import(&graph, &second, OnDuplicate::Replace).expect("a sound document");
    assert_eq!((report.memories, report.relationships), (counts(0, 1, 0, 0), counts(0, 1, 0, 0)));
    let neighbours = graph.neighbours(&"b".into(), Moment::now()).expect("is there");
    assert_eq!(neighbours[0].memory.title, "Kubernetes");
    assert_eq!(neighbours[0].relationship.properties.strength, Weight::clamped(1.0));
    assert_eq!(graph.search(&"kubernetes".parse().expect("has words")).best.len(), 1);
}

#[test]
fn where_duplicates_are_errors_one_refuses_the_document() {
    let graph = graph();
    import(&graph, &document(&[memory("a"), memory("b")], &[]), OnDuplicate::Error).expect("all are new");
    let again = document(&[memory("c"), memory("a"), memory("b")], &[]);
    let error = import(&graph, &again, OnDuplicate::Error).expect_err("two are there");
    assert_eq!(
        error.to_string(),
        "Nothing was imported: memory 2 of the document and 1 more already exist: a, ..."
    );
    assert_eq!(graph.size().memories, 2);
}

#[test]
fn an_import_that_was_cut_off_goes_on_and_does_nothing_twice() {
    let graph = graph();
    let memories: Vec<Value> = (0..1200).map(|id| memory(&id.to_string())).collect();
    let text = document(&memories, &[relationship("0", "1"), json!({})]).to_string();
    let read = || Document::parse(&text).expect("a sound document");
    let begun = Begun::with(&graph, &read(), OnDuplicate::Error).expect("all are new");
    let first = Import::go_on(read(), begun.clone()).expect("the same");
    for part in first.parts().take(2) {
        now(first.bring(&graph, part)).expect("brought");
    }
    assert_eq!(graph.size().memories, 1000, "what was imported before it was cut off is whole, and stays");
    let second = Import::go_on(read(), begun.clone()).expect("the same");
    let mut report = Report::default();
    for part in second.parts() {
        report.add(now(second.bring(&graph, part)).expect("brought"));
    }
    assert_eq!((report.memories, report.relationships), (counts(1200, 0, 0, 0), counts(1, 0, 0, 1)));
    assert_eq!(report.errors[0].row, 2);
    assert_eq!(graph.size().memories, 1200);
    let other = Document::parse(&document(&memories, &[]).to_string()).expect("sound");
    let error = Import::go_on(other, begun).expect_err("another document");
    assert!(error.to_string().starts_with("The document has changed since its import began"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Document::open("/nowhere/export.json".as_ref()).expect_err("is not there");
    assert!(error.to_string().starts_with("Cannot read /nowhere/export.json: "), "{error}");
}
