//! What a run asks, and what its client answers.

use std::sync::Arc;

use super::super::{Event, InputResponse, Record, Refusal, Status, StoreError, TaskStore, WorkerId};
use super::{answer, create, get, new_task, question};

/// The keys of what is open, and how many answers there are.
fn asked(record: &Record) -> (Vec<String>, usize) {
    let all = record.questions.as_ref().map_or(0, |questions| questions.len());
    let open: Vec<String> = record.open_questions().map(|question| question.key.to_string()).collect();
    let answered = all - open.len();
    (open, answered)
}

pub(super) async fn questions_and_answers_are_kept<S: TaskStore>(store: &S) {
    let task = create(store, new_task("a")).await;
    for key in ["b", "a"] {
        store.apply(task.id, Event::Ask(task.epoch, question(key))).await.expect("it asks");
    }
    let again = store.apply(task.id, Event::Ask(task.epoch, question("a"))).await;
    assert!(matches!(again, Err(StoreError::Refused(Refusal::NotAsked))), "a key is one question");
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!(found.status, Status::InputRequired);
    assert_eq!(
        asked(&found),
        (vec!["b".to_owned(), "a".to_owned()], 0),
        "in the order in which they were asked"
    );
    store.apply(task.id, Event::Entrust("b".into(), "theirs".into())).await.expect("it is open");
    let unasked = store.apply(task.id, Event::Entrust("z".into(), "theirs".into())).await;
    assert!(matches!(unasked, Err(StoreError::Refused(Refusal::NotAsked))), "nobody asked that");
    let partly = Event::Answer(vec![("a".into(), answer("first")), ("nobody's".into(), answer("lost"))]);
    let found = store.apply(task.id, partly).await.expect("one of them is open");
    assert_eq!((found.status, asked(&found)), (Status::InputRequired, (vec!["b".to_owned()], 1)));
    let late = store.apply(task.id, Event::Answer(vec![("a".into(), answer("second"))])).await;
    assert!(matches!(late, Err(StoreError::Refused(Refusal::NotAsked))), "an answer counts once");
    let claimed = store.apply(task.id, Event::Claim(WorkerId::random())).await.expect("it can be taken over");
    let stale = store.apply(task.id, Event::Withdraw(task.epoch, "b".into())).await;
    assert!(matches!(stale, Err(StoreError::Refused(Refusal::Stale))), "an old run takes nothing back");
    let found = get(store, task.id).await.expect("it is there");
    assert_eq!((found.status, asked(&found).1), (Status::InputRequired, 1), "who takes it over finds both");
    let theirs = found.open_questions().next().and_then(|question| question.task.clone());
    assert_eq!(theirs.as_deref(), Some("theirs"), "and what the client made of what is open");
    let first =
        found.questions.iter().flat_map(|questions| questions.iter()).find(|asked| &*asked.key == "a");
    let first = first.and_then(|question| question.answer.clone()).expect("its answer is kept");
    assert!(matches!(&*first, InputResponse::Error(error) if error.message() == "first"), "as it was");
    let found = store.apply(task.id, Event::Withdraw(claimed.epoch, "b".into())).await.expect("it is open");
    assert_eq!((found.status, asked(&found)), (Status::Working, (Vec::new(), 1)));
    store.apply(task.id, Event::Ask(claimed.epoch, question("c"))).await.expect("it asks again");
    let ended = store.apply(task.id, Event::Cancel).await.expect("it is cancelled");
    assert!(ended.questions.is_none(), "who is over asks nothing");
}

pub(super) async fn a_question_is_answered_once<S: TaskStore>(store: Arc<S>) {
    for round in 0..20 {
        let task = create(&*store, new_task(&format!("round {round}"))).await;
        store.apply(task.id, Event::Ask(task.epoch, question("a"))).await.expect("it asks");
        let racers: Vec<_> = (0..4)
            .map(|racer| {
                let (store, event) =
                    (Arc::clone(&store), Event::Answer(vec![("a".into(), answer(&racer.to_string()))]));
                tokio::spawn(async move { store.apply(task.id, event).await.is_ok() })
            })
            .collect();
        let mut accepted = 0;
        for racer in racers {
            accepted += usize::from(racer.await.expect("no panic"));
        }
        assert_eq!(accepted, 1, "one of several answers counts");
    }
}
