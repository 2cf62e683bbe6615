use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use serde_json::value::RawValue;

use super::super::contract::{self, ManualClock, new_task};
use super::super::{Bounds, Parent, Refusal, Status};
use super::*;
use crate::protocol::ProtocolError;
use crate::tool::ToolResult;

/// A directory that is gone when the test is over.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mcp-runtime-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tasks.db")
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(self.file()).expect("it opens")
    }

    fn refusal(&self) -> String {
        Sqlite::open(self.file()).expect_err("it is refused").to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ending(bytes: usize) -> Arc<Ending> {
    let payload = ToolResult::text("x".repeat(bytes)).into_payload(false).expect("JSON");
    Arc::new(Ending::Result(payload))
}

fn failure<T>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(error @ StoreError::Failed(..)) => error.to_string(),
        Err(other) => panic!("the file was to fail, and not: {other}"),
        Ok(_) => panic!("the file was to fail"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_keeps_the_contract() {
    let mut directories = Vec::new();
    contract::check(|clock| {
        let directory = Directory::new();
        let store = Sqlite::at(directory.file()).open_with_clock(clock).expect("it opens");
        directories.push(directory);
        async move { store }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_keeps_what_a_durable_one_must() {
    let directory = Directory::new();
    contract::check_durable(|clock| {
        let store = Sqlite::at(directory.file()).open_with_clock(clock).expect("it opens");
        async move { store }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_does_by_chance_what_a_list_does() {
    let mut directories = Vec::new();
    let open = |clock| {
        let directory = Directory::new();
        let store = Sqlite::at(directory.file()).synchronous(Synchronous::Normal).open_with_clock(clock);
        directories.push(directory);
        async move { store.expect("it opens") }
    };
    contract::check_by_chance(open, 0..50).await;
}

#[tokio::test]
async fn everything_of_a_task_is_there_after_a_restart() {
    let directory = Directory::new();
    let store = directory.open();
    let worker = WorkerId::random();
    let entry = |key: &str| JournalEntry {
        key: key.into(),
        value: RawValue::from_string("[1]".to_owned()).expect("JSON"),
    };
    let task =
        NewTask { worker: Some(worker), key: Some("key".into()), journal: vec![entry("a")], ..new_task("a") };
    let created = store.create(task.clone()).await.expect("created").record;
    store.remember(task.id, created.epoch, entry("b")).await.expect("remembered");
    let again = store.remember(task.id, created.epoch, entry("b")).await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::Remembered))));
    let request = serde_json::from_str(r#"{"method":"roots/list","params":{}}"#).expect("a request");
    let question = super::super::Question::new("q", Arc::new(request));
    store.apply(task.id, Event::Ask(created.epoch, question)).await.expect("it asks");
    let report = Report { progress: Some((1.0, Some(2.5))), message: Some("half".into()) };
    store.report(task.id, created.epoch, report);
    for index in 0..3 {
        let value = Arc::from(RawValue::from_string(index.to_string()).expect("JSON"));
        store.partial(
            task.id,
            created.epoch,
            Partial { index, value, keep: Bounds { count: 2, bytes: 100 } },
        );
    }
    let before = store.get(task.id).await.expect("no failure").expect("it is there");
    assert_eq!((before.status, before.partials), (Status::InputRequired, 3));
    assert_eq!((before.progress, before.message.as_deref()), (Some((1.0, Some(2.5))), Some("half")));
    drop(store);

    let store = directory.open();
    let after = store.get(task.id).await.expect("no failure").expect("it is there");
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    let partials = store.partials(task.id, 0).await.expect("no failure");
    let values: Vec<&str> = partials.values.iter().map(|value| value.get()).collect();
    assert_eq!((values, partials.first), (vec!["1", "2"], 1));
    let other = Lease { worker: WorkerId::random(), span: Duration::from_secs(10) };
    let claimed = store.claim(other, Some(task.id), 1).await.expect("no failure");
    let keys: Vec<&str> = claimed[0].journal.iter().map(|entry| &*entry.key).collect();
    assert_eq!((keys, claimed[0].arguments.get()), (vec!["a", "b"], task.arguments.get()));
    let repeated = store.create(NewTask { id: TaskId::random(), ..task.clone() }).await.expect("no failure");
    assert!(repeated.existing && repeated.record.id == task.id);
    let epoch = claimed[0].record.epoch;
    store.apply(task.id, Event::End(epoch, ending(200_000))).await.expect("it ends");
    drop(store);

    let store = directory.open();
    let kept = store.ending(task.id).await.expect("no failure").expect("its ending is kept");
    assert_eq!(kept.to_bytes(), ending(200_000).to_bytes());
}

#[tokio::test]
async fn nothing_is_left_of_a_family_that_has_expired() {
    let (directory, clock) = (Directory::new(), ManualClock::default());
    let store = Sqlite::at(directory.file()).open_with_clock(clock.clone()).expect("it opens");
    let root =
        store.create(NewTask { key: Some("key".into()), ..new_task("a") }).await.expect("created").record;
    let parent = |of: &Record| Some(Parent { id: of.id, epoch: of.epoch, root: root.id });
    let child =
        store.create(NewTask { parent: parent(&root), ..new_task("b") }).await.expect("created").record;
    let grandchild = NewTask { parent: parent(&child), ..new_task("c") };
    let grandchild = store.create(grandchild).await.expect("created").record;
    store.apply(child.id, Event::End(child.epoch, ending(10))).await.expect("it ends");
    store.apply(root.id, Event::Cancel).await.expect("cancelled");
    clock.advance(Duration::from_secs(60));
    assert!(store.get(grandchild.id).await.expect("no failure").is_none());
    assert_eq!(store.expire(10).await.expect("no failure").removed, 1);
    let sql = store.shared.readers.get();
    for table in ["tasks", "inputs", "endings", "questions", "jobs", "journal", "partials", "accounts"] {
        let rows: i64 =
            sql.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0)).expect("a table");
        assert_eq!(rows, 0, "{table}");
    }
    let total: i64 =
        sql.query_row("SELECT running + kept FROM totals", (), |row| row.get(0)).expect("a total");
    assert_eq!(total, 0);
}

#[tokio::test]
async fn a_full_disk_fails_what_is_too_large_and_nothing_else() {
    let directory = Directory::new();
    let store = directory.open();
    let kept = store.create(new_task("kept")).await.expect("created").record;
    let pages: i64 = limit_pages(&store, 0).await;
    limit_pages(&store, pages + 20).await;
    let large = NewTask {
        arguments: RawValue::from_string(format!("\"{}\"", "x".repeat(1_000_000))).expect("JSON"),
        ..new_task("large")
    };
    // In one transaction with others, which must not suffer for it.
    let (failed, created) = tokio::join!(store.create(large.clone()), store.create(new_task("small")));
    let words = failure(failed);
    assert!(words.starts_with("recording a task failed: `"), "{words}");
    assert!(words.contains("the disk is full"), "{words}");
    let created = created.expect("a small one has room").record;
    let failed = store.apply(kept.id, Event::End(kept.epoch, ending(1_000_000))).await;
    assert!(failure(failed).contains("the disk is full"));
    for id in [kept.id, created.id] {
        let record = store.get(id).await.expect("no failure").expect("it is there");
        assert_eq!((record.status, record.rev), (Status::Working, 1), "nothing is half-written");
    }
    assert!(store.get(large.id).await.expect("no failure").is_none());
    limit_pages(&store, i64::from(u32::MAX) - 1).await;
    store.create(large).await.expect("there is room again");
    store.apply(kept.id, Event::End(kept.epoch, ending(1_000_000))).await.expect("there is room again");
}

/// Limits how large the file may become, as a disk does. Gives how large it is.
async fn limit_pages(store: &Sqlite, pages: i64) -> i64 {
    let limit = store.shared.write("limiting the file", move |writing| {
        writing.sql.query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(()))?;
        Ok(writing.sql.query_row("PRAGMA page_count", (), |row| row.get(0))?)
    });
    limit.await.expect("no failure")
}

#[tokio::test]
async fn what_was_said_while_the_disk_was_full_is_written_when_it_is_not() {
    let directory = Directory::new();
    let store = directory.open();
    let task = store.create(new_task("a")).await.expect("created").record;
    let pages = limit_pages(&store, 0).await;
    limit_pages(&store, pages).await;
    let message = "long ".repeat(10_000);
    store.report(task.id, task.epoch, Report { progress: None, message: Some(message.as_str().into()) });
    let failed = store.apply(task.id, Event::End(task.epoch, ending(100_000))).await;
    assert!(failure(failed).contains("the disk is full"));
    store.report(task.id, task.epoch, Report { progress: Some((1.0, None)), message: None });
    let seen = store.get(task.id).await.expect("no failure").expect("it is there");
    assert_eq!((seen.rev, seen.message.as_deref()), (3, Some(message.as_str())));
    limit_pages(&store, i64::from(u32::MAX) - 1).await;
    drop(store);
    let kept = directory.open().get(task.id).await.expect("no failure").expect("it is there");
    assert_eq!(format!("{kept:?}"), format!("{seen:?}"));
}

#[tokio::test]
async fn a_file_that_became_read_only_is_named() {
    let directory = Directory::new();
    let store = directory.open();
    store
        .shared
        .write("setting", |writing| Ok(writing.sql.execute_batch("PRAGMA query_only = ON")?))
        .await
        .expect("no failure");
    let words = failure(store.create(new_task("a")).await);
    assert!(words.contains("tasks.db`: the file or its directory is read-only"), "{words}");
    // What can be read, is.
    assert!(store.list(&Principal::local(), None, 1).await.expect("no failure").is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    drop(directory.open());
    fs::set_permissions(directory.file(), fs::Permissions::from_mode(0o444)).expect("its owner may");
    // Who may do anything, may write.
    if fs::OpenOptions::new().append(true).open(directory.file()).is_err() {
        let words = directory.refusal();
        assert!(words.contains("the file or its directory is read-only"), "{words}");
    }
}

#[test]
fn a_path_where_no_file_can_be_is_named() {
    let error = Sqlite::open("/nowhere/at/all/tasks.db").expect_err("there is no such directory");
    let words = error.to_string();
    assert!(words.starts_with("`/nowhere/at/all/tasks.db`: the file cannot be opened"), "{words}");
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = Directory::new();
    let sql = Connection::open(directory.file()).expect("it opens");
    sql.execute_batch("CREATE TABLE theirs (a)").expect("a table");
    drop(sql);
    let before = fs::read(directory.file()).expect("a file");
    assert!(directory.refusal().contains("the file is a database of another program"));
    assert_eq!(fs::read(directory.file()).expect("a file"), before);

    let directory = Directory::new();
    fs::write(directory.file(), "Dear diary, this is no database. ".repeat(100)).expect("a file");
    assert!(
        directory.refusal().contains("the file is damaged, or is no database"),
        "{}",
        directory.refusal()
    );
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let directory = Directory::new();
    drop(directory.open());
    let sql = Connection::open(directory.file()).expect("it opens");
    sql.execute_batch("PRAGMA user_version = 99").expect("a version");
    drop(sql);
    let words = directory.refusal();
    assert!(words.contains("written by a later version of this program"), "{words}");
    assert!(words.contains("version 99"), "{words}");
}

#[tokio::test]
async fn a_damaged_file_fails_what_needs_it_and_the_store_lives() {
    let directory = Directory::new();
    let store = directory.open();
    let task = store.create(new_task("a")).await.expect("created").record;
    store.apply(task.id, Event::End(task.epoch, ending(100_000))).await.expect("it ends");
    drop(store);
    let mut file = fs::OpenOptions::new().read(true).write(true).open(directory.file()).expect("a file");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("its bytes");
    // A part of the result.
    let at = bytes.windows(4000).position(|part| part.iter().all(|byte| *byte == b'x')).expect("the result");
    file.seek(SeekFrom::Start(at as u64)).expect("a place");
    file.write_all(&[0; 4000]).expect("damage");
    let store = directory.open();
    let words = failure(store.ending(task.id).await);
    assert!(words.contains("the file is damaged"), "{words}");
    store.get(task.id).await.expect("what is whole can be read");
    drop(store);
    // Everything but the first page.
    file.seek(SeekFrom::Start(4096)).expect("a place");
    file.write_all(&vec![0xa5; bytes.len() - 4096]).expect("damage");
    match Sqlite::open(directory.file()) {
        Ok(store) => {
            let words = failure(store.create(new_task("b")).await);
            assert!(words.contains("the file is damaged"), "{words}");
            assert!(failure(store.get(task.id).await).contains("the file is damaged"));
        }
        Err(error) => assert!(error.to_string().contains("the file is damaged"), "{error}"),
    }
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_an_error() {
    let directory = Directory::new();
    let store = directory.open();
    for _ in 0..100 {
        store.create(new_task(&"x".repeat(2000))).await.expect("created");
    }
    drop(store);
    let file = fs::OpenOptions::new().write(true).open(directory.file()).expect("a file");
    file.set_len(file.metadata().expect("its size").len() / 2).expect("it is cut");
    let wrong = match Sqlite::open(directory.file()) {
        Ok(store) => failure(store.list(&Principal::local(), None, 1000).await),
        Err(error) => error.to_string(),
    };
    assert!(wrong.contains("the file is damaged"), "{wrong}");
}

#[tokio::test]
async fn two_stores_on_one_file_share_its_tasks_and_hear_of_each_other() {
    let directory = Directory::new();
    let (one, other) = (directory.open(), directory.open());
    let lease = |worker| Lease { worker, span: Duration::from_secs(3600) };
    let (first, second) = (WorkerId::random(), WorkerId::random());
    one.heartbeat(lease(first)).await.expect("no failure");
    let task = NewTask { worker: Some(first), ..new_task("a") };
    let task = one.create(task).await.expect("created").record;
    assert!(other.get(task.id).await.expect("no failure").is_some());
    assert!(other.claim(lease(second), None, 10).await.expect("no failure").is_empty(), "its worker lives");
    other.apply(task.id, Event::Cancel).await.expect("cancelled");
    assert_eq!(one.changes().await.expect("no failure"), [task.id], "what the other did is heard of");
    let task = NewTask { worker: Some(first), ..new_task("b") };
    let task = one.create(task).await.expect("created").record;
    // A third one does not take those who live for dead.
    let third = directory.open();
    assert!(third.claim(lease(second), None, 10).await.expect("no failure").is_empty());
    drop((one, other, third));
    // Nobody is left, whatever the leases say.
    let next = directory.open();
    let claimed = next.claim(lease(second), None, 10).await.expect("no failure");
    assert_eq!(claimed.iter().map(|claimed| claimed.record.id).collect::<Vec<_>>(), [task.id]);
}

#[test]
fn several_may_open_a_new_file_at_the_same_time() {
    for _ in 0..20 {
        let directory = Directory::new();
        let start = std::sync::Barrier::new(4);
        let stores: Vec<_> = thread::scope(|scope| {
            let open = || {
                start.wait();
                Sqlite::open(directory.file())
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for store in stores {
            store.expect("it opens");
        }
    }
}

#[tokio::test]
async fn stores_on_one_file_may_create_at_the_same_time() {
    let directory = Directory::new();
    let stores = [directory.open(), directory.open()].map(Arc::new);
    let mut creations = Vec::new();
    for index in 0..100 {
        let store = Arc::clone(&stores[index % 2]);
        creations.push(tokio::spawn(async move {
            store.create(NewTask { key: Some((index / 4).to_string().into()), ..new_task("a") }).await
        }));
    }
    let mut made = 0;
    for creation in creations {
        made += usize::from(!creation.await.expect("no panic").expect("created").existing);
    }
    assert_eq!(made, 25, "a key makes one task, whoever is asked");
}

#[tokio::test]
async fn a_locked_file_is_named_and_nothing_is_lost() {
    let directory = Directory::new();
    let store = directory.open();
    store
        .shared
        .write("setting", |writing| Ok(writing.sql.busy_timeout(Duration::from_millis(1))?))
        .await
        .expect("no failure");
    let sql = Connection::open(directory.file()).expect("it opens");
    sql.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let words = failure(store.create(new_task("a")).await);
    assert!(words.contains("another program keeps the file locked"), "{words}");
    sql.execute_batch("COMMIT").expect("no lock");
    store.create(new_task("a")).await.expect("it is free");
}

#[tokio::test]
async fn a_creation_that_nobody_waits_for_happens_in_whole_or_not_at_all() {
    let directory = Directory::new();
    let store = directory.open();
    let task = new_task("a");
    {
        let mut creation = std::pin::pin!(store.create(task.clone()));
        let waker = std::task::Waker::noop();
        let _ = creation.as_mut().poll(&mut std::task::Context::from_waker(waker));
    }
    // Whatever is asked later is done later.
    store.create(new_task("b")).await.expect("created");
    if store.get(task.id).await.expect("no failure").is_some() {
        let lease = Lease { worker: WorkerId::random(), span: Duration::from_secs(1) };
        let claimed = store.claim(lease, Some(task.id), 1).await.expect("no failure");
        assert_eq!(claimed[0].arguments.get(), task.arguments.get());
    }
}

#[tokio::test]
async fn a_run_that_does_the_same_again_adds_no_partial_results() {
    let directory = Directory::new();
    let store = directory.open();
    let task = store.create(new_task("a")).await.expect("created").record;
    let partial = |index: u32, text: &str| Partial {
        index,
        value: Arc::from(RawValue::from_string(text.to_owned()).expect("JSON")),
        keep: Bounds { count: 10, bytes: 1000 },
    };
    for index in 0..3 {
        store.partial(task.id, task.epoch, partial(index, &index.to_string()));
    }
    let again = store.apply(task.id, Event::Claim(WorkerId::random())).await.expect("claimed");
    assert_eq!(again.partials, 3);
    store.partial(task.id, task.epoch, partial(3, "9"));
    for (index, text) in [(0, "0"), (1, "1"), (2, "8"), (4, "4")] {
        store.partial(task.id, again.epoch, partial(index, text));
    }
    let record = store.get(task.id).await.expect("no failure").expect("it is there");
    assert_eq!((record.partials, record.rev), (5, again.rev + 2));
    let texts =
        |partials: Partials| partials.values.iter().map(|value| value.get().to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(store.partials(task.id, 1).await.expect("no failure")), ["1", "2", "8", "4"]);
    let ended = store
        .apply(task.id, Event::End(again.epoch, Arc::new(Ending::Error(ProtocolError::internal("over")))))
        .await
        .expect("it ends");
    assert_eq!((ended.partials, ended.rev), (5, record.rev + 1));
    assert_eq!(texts(store.partials(task.id, 3).await.expect("no failure")), ["8", "4"]);
}

#[test]
fn a_server_whose_file_cannot_be_opened_is_not_built() {
    let tasks = crate::Tasks::sqlite("/nowhere/tasks.db");
    let error = crate::Server::new("archive", "1.0.0").tasks(tasks).build().expect_err("it has no file");
    assert!(error.errors()[0].starts_with("the tasks cannot be kept in `/nowhere/tasks.db`: "), "{error}");
}
