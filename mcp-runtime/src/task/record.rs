//! The state of one task, and the only rules by which it changes.
//!
//! ```text
//! working ◄──► input_required
//!    └──────────────┴──► completed | failed | cancelled
//! ```
//!
//! Everything here is pure: an event goes in, a changed record or a refusal comes out. A store loads, applies and
//! stores; no store has rules of its own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use super::store::NewTask;
use crate::input::{InputRequest, InputResponse};
use crate::protocol::payload::Ending;
use crate::protocol::time::Timestamp;

/// The name of a task: 122 random bits from the system's generator, derived from nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Uuid);

impl TaskId {
    /// A new id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Bits that differ between ids, for hash tables. Ids are random, so any eight bytes do.
    pub(crate) fn bits(self) -> u64 {
        self.0.as_u64_pair().1
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of reading a [`TaskId`] from something that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATaskId;

impl fmt::Display for NotATaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a task")
    }
}

impl std::error::Error for NotATaskId {}

impl FromStr for TaskId {
    type Err = NotATaskId;
    fn from_str(text: &str) -> Result<Self, NotATaskId> {
        let id = Uuid::try_parse(text).map_err(|_| NotATaskId)?;
        // One spelling names a task: the one that was given out.
        let is_ours = id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text;
        if is_ours { Ok(Self(id)) } else { Err(NotATaskId) }
    }
}

impl Serialize for TaskId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

/// Who asks. Tasks belong to a principal, and nobody else learns that they exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    const ANONYMOUS: &str = "anonymous";

    /// An identity that was authenticated.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Whoever started this process: the one client of a stdio server.
    pub fn local() -> Self {
        Self::new("local")
    }

    /// Nobody in particular: who came over a network, and was not asked for an identity. All of them are one, so that a
    /// task is protected by nothing but its id, which cannot be guessed.
    pub fn anonymous() -> Self {
        Self::new(Self::ANONYMOUS)
    }

    /// Whether this is [`anonymous`](Self::anonymous).
    pub fn is_anonymous(&self) -> bool {
        &*self.0 == Self::ANONYMOUS
    }

    /// The identity's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request asks for: the methods that a task can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// `tools/call`.
    CallTool,
    /// `prompts/get`.
    GetPrompt,
    /// `resources/read`.
    ReadResource,
}

impl RequestKind {
    /// The method's name.
    pub fn method(self) -> &'static str {
        match self {
            Self::CallTool => "tools/call",
            Self::GetPrompt => "prompts/get",
            Self::ReadResource => "resources/read",
        }
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}

/// Where a task stands, in the specification's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It runs, or waits for its turn to run.
    Working,
    /// It waits for answers of the client's: what [`Record::open_questions`] gives.
    InputRequired,
    /// It gave a result. Whether that result says that the tool failed is [`Record::tool_failed`].
    Completed,
    /// It ended with a JSON-RPC error.
    Failed,
    /// It was stopped by request.
    Cancelled,
}

impl Status {
    /// Whether nothing changes any more.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Working | Self::InputRequired)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// Which run of a task is meant. Each claim raises it, and what an earlier run still says is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of a task that was never taken over.
    pub const FIRST: Self = Self(1);

    /// The epoch of this number, for stores.
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number, for stores.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// The small, hot part of a task's state; its arguments and its ending are kept apart from it.
///
/// A store that keeps its members in columns makes one with [`Record::new`] and sets the members to what it kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Its name.
    pub id: TaskId,
    /// Whose it is.
    pub principal: Principal,
    /// What kind of request it stands for.
    pub kind: RequestKind,
    /// What was called: the name of the tool or prompt, or the URI of the resource.
    pub target: Arc<str>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long it is kept once it has ended.
    pub ttl: Duration,
    /// How often a client should ask.
    pub poll: Duration,
    /// Where it stands.
    pub status: Status,
    /// What a person may read of where it stands.
    pub message: Option<Arc<str>>,
    /// How much is done, and of how much.
    pub progress: Option<(f64, Option<f64>)>,
    /// Whether the result says that the tool failed (`isError`).
    pub tool_failed: bool,
    /// What the run asked of the client, in order, with the answers that came; nothing once the task has ended.
    pub questions: Option<Arc<Vec<Question>>>,
    /// Raised by each change.
    pub rev: u64,
    /// The run that may write.
    pub epoch: Epoch,
}

/// What a run says of how far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// How much is done, and of how much.
    pub progress: Option<(f64, Option<f64>)>,
    /// What a person may read; `None` keeps what stands.
    pub message: Option<Arc<str>>,
}

/// Something that a run asks of the client, under a key that is its own for as long as the task lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Question {
    /// Its key in `inputRequests`.
    pub key: Arc<str>,
    /// What is asked.
    pub request: Arc<InputRequest>,
    /// The answer, once it is there.
    pub answer: Option<Arc<InputResponse>>,
}

impl Question {
    /// A question without an answer.
    pub fn new(key: impl Into<Arc<str>>, request: Arc<InputRequest>) -> Self {
        Self { key: key.into(), request, answer: None }
    }
}

/// Something that happens to a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker takes the task over: it gets a new epoch, and every earlier run is shut out.
    Claim,
    /// The run says how far it is.
    Report(Epoch, Report),
    /// The run asks the client something. The same key again changes nothing.
    Ask(Epoch, Question),
    /// The run does not want to know any more what it asked under this key.
    Withdraw(Epoch, Arc<str>),
    /// The client answers. Keys under which nothing is open are ignored.
    Answer(Vec<(Arc<str>, Arc<InputResponse>)>),
    /// The run is over.
    End(Epoch, Arc<Ending>),
    /// Its owner wants it stopped.
    Cancel,
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The task has ended, and stays as it is.
    Terminal(Status),
    /// The event comes from a run that was replaced.
    Stale,
    /// Nothing of this is open.
    NotAsked,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal(status) => write!(f, "the task is already in terminal status '{status}'"),
            Self::Stale => f.write_str("this run of the task was replaced by a later one"),
            Self::NotAsked => f.write_str("the task did not ask this, or has its answer"),
        }
    }
}

/// What a change asks of the store beside the record itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the record changed.
    Record,
    /// The task has ended just now.
    Ended,
}

impl Record {
    /// Applies an event, or says why it changes nothing; then the record is as it was.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Result<Change, Refusal> {
        if self.status.is_terminal() {
            return Err(Refusal::Terminal(self.status));
        }
        if let Event::Report(epoch, _)
        | Event::Ask(epoch, _)
        | Event::Withdraw(epoch, _)
        | Event::End(epoch, _) = event
            && *epoch != self.epoch
        {
            return Err(Refusal::Stale);
        }
        let change = match event {
            Event::Claim => {
                self.epoch = Epoch(self.epoch.0.saturating_add(1));
                Change::Record
            }
            Event::Report(_, report) => {
                if report.progress.is_some() {
                    self.progress = report.progress;
                }
                if report.message.is_some() {
                    self.message.clone_from(&report.message);
                }
                Change::Record
            }
            Event::Ask(_, question) => {
                if self.questions().any(|asked| asked.key == question.key) {
                    return Err(Refusal::NotAsked);
                }
                Arc::make_mut(self.questions.get_or_insert_default()).push(question.clone());
                self.wait_or_work();
                Change::Record
            }
            Event::Withdraw(_, key) => {
                let is_meant = |question: &Question| question.key == *key && question.answer.is_none();
                if !self.questions().any(is_meant) {
                    return Err(Refusal::NotAsked);
                }
                if let Some(questions) = &mut self.questions {
                    Arc::make_mut(questions).retain(|question| !is_meant(question));
                }
                self.wait_or_work();
                Change::Record
            }
            Event::Answer(answers) => {
                if !self.open_questions().any(|asked| answers.iter().any(|(key, _)| *key == asked.key)) {
                    return Err(Refusal::NotAsked);
                }
                for question in self.questions.iter_mut().flat_map(Arc::make_mut) {
                    if question.answer.is_none() {
                        let answer = answers.iter().find(|(key, _)| *key == question.key);
                        question.answer = answer.map(|(_, answer)| Arc::clone(answer));
                    }
                }
                self.wait_or_work();
                Change::Record
            }
            Event::End(_, ending) => {
                match &**ending {
                    Ending::Result(payload) => {
                        self.status = Status::Completed;
                        self.tool_failed = payload.is_error();
                        self.message = payload.error_text().map(status_message);
                    }
                    Ending::Error(error) => {
                        self.status = Status::Failed;
                        self.message = Some(status_message(error.message()));
                    }
                }
                self.end(now)
            }
            Event::Cancel => {
                self.status = Status::Cancelled;
                self.message = Some("The task was cancelled by request.".into());
                self.end(now)
            }
        };
        self.rev += 1;
        // A clock that steps back must not make a task older than it was.
        self.updated_at = self.updated_at.max(now);
        Ok(change)
    }

    fn end(&mut self, now: Timestamp) -> Change {
        self.ended_at = Some(now);
        self.questions = None;
        Change::Ended
    }

    fn questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().flat_map(|questions| questions.iter())
    }

    /// What the client has still to answer, in the order in which it was asked.
    pub fn open_questions(&self) -> impl Iterator<Item = &Question> {
        self.questions().filter(|question| question.answer.is_none())
    }

    fn wait_or_work(&mut self) {
        let waits = self.open_questions().next().is_some();
        self.status = if waits { Status::InputRequired } else { Status::Working };
    }

    /// A task as it begins, for stores.
    pub fn new(task: &NewTask, now: Timestamp) -> Self {
        Self {
            id: task.id,
            principal: task.principal.clone(),
            kind: task.kind,
            target: Arc::clone(&task.target),
            created_at: now,
            updated_at: now,
            ended_at: None,
            ttl: task.ttl,
            poll: task.poll,
            status: Status::Working,
            message: None,
            progress: None,
            tool_failed: false,
            questions: None,
            rev: 1,
            epoch: Epoch::FIRST,
        }
    }

    /// When the task may be removed; never while it works.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.ended_at.map(|ended| ended.after(self.ttl))
    }

    /// Whether the task is to be treated as if it were not there any more.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// The lifetime that the wire speaks of, which counts from creation.
    ///
    /// While the task works it grows in steps of half a TTL, so that it always lies ahead; at the end it becomes exact.
    pub fn ttl_from_creation(&self, now: Timestamp) -> Duration {
        if let Some(ended) = self.ended_at {
            return ended.since(self.created_at).saturating_add(self.ttl);
        }
        let step = self.ttl.as_millis() / 2;
        let steps = now.since(self.created_at).as_millis().checked_div(step).unwrap_or(0);
        let grown = step.saturating_mul(steps);
        self.ttl.saturating_add(Duration::from_millis(u64::try_from(grown).unwrap_or(u64::MAX)))
    }
}

/// The text of a failure as every poll and every notification repeats it: short. The whole is in the ending.
fn status_message(text: &str) -> Arc<str> {
    const LONGEST: usize = 1000;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::protocol::ProtocolError;
    use proptest::prelude::*;

    pub(crate) fn new(now: u64) -> Record {
        Record::new(&crate::store::contract::new_task("a"), Timestamp::from_millis(now))
    }

    const KEYS: [&str; 3] = ["a", "b", "c"];

    fn question(key: usize) -> Question {
        let request = r#"{"method":"roots/list","params":{}}"#;
        Question::new(KEYS[key], Arc::new(serde_json::from_str(request).expect("a request")))
    }

    fn events() -> impl Strategy<Value = Vec<(Event, u64)>> {
        let ending = Arc::new(Ending::Error(ProtocolError::internal("broken")));
        let event = prop_oneof![
            2 => Just(Event::Claim),
            4 => (0u32..4, "[a-z]{0,3}").prop_map(|(epoch, text)| {
                let report = Report { progress: None, message: Some(text.into()) };
                Event::Report(Epoch(epoch), report)
            }),
            4 => (0u32..4, 0usize..3).prop_map(|(epoch, key)| Event::Ask(Epoch(epoch), question(key))),
            2 => (0u32..4, 0usize..3).prop_map(|(epoch, key)| Event::Withdraw(Epoch(epoch), KEYS[key].into())),
            4 => prop::collection::vec(0usize..3, 0..3).prop_map(|keys| {
                let answer = InputResponse::Error(ProtocolError::internal("no"));
                let answer = Arc::new(answer);
                Event::Answer(keys.into_iter().map(|key| (KEYS[key].into(), Arc::clone(&answer))).collect())
            }),
            1 => (0u32..4).prop_map(move |epoch| Event::End(Epoch(epoch), ending.clone())),
            1 => Just(Event::Cancel),
        ];
        prop::collection::vec((event, 0u64..100_000), 0..40)
    }

    proptest! {
        #[test]
        fn no_sequence_of_events_breaks_the_rules(events in events()) {
            let mut record = new(50_000);
            for (event, now) in events {
                let before = record.clone();
                let outcome = record.apply(&event, Timestamp::from_millis(now));
                match outcome {
                    Ok(change) => {
                        prop_assert!(!before.status.is_terminal(), "a terminal state was left");
                        prop_assert_eq!(record.rev, before.rev + 1);
                        prop_assert_eq!(change == Change::Ended, record.status.is_terminal());
                        if let Event::Report(epoch, _)
                        | Event::Ask(epoch, _)
                        | Event::Withdraw(epoch, _)
                        | Event::End(epoch, _) = &event
                        {
                            prop_assert_eq!(*epoch, before.epoch, "an old epoch wrote");
                        }
                    }
                    Err(refusal) => {
                        prop_assert_eq!(format!("{record:?}"), format!("{before:?}"), "a refusal changed something");
                        let terminal = before.status.is_terminal();
                        prop_assert_eq!(terminal, matches!(refusal, Refusal::Terminal(_)));
                    }
                }
                prop_assert!(record.epoch >= before.epoch);
                prop_assert!(record.updated_at >= before.updated_at);
                prop_assert_eq!(record.ended_at.is_some(), record.status.is_terminal());
                let waits = record.open_questions().next().is_some();
                prop_assert_eq!(waits, record.status == Status::InputRequired);
                for asked in before.questions() {
                    let now = record.questions().find(|question| question.key == asked.key);
                    let answered = |question: &Question| question.answer.is_some();
                    let kept = now.is_some_and(|now| answered(now) >= answered(asked));
                    let withdrawn = matches!(&event, Event::Withdraw(..)) && !answered(asked);
                    prop_assert!(kept || withdrawn || record.status.is_terminal(), "an answer was lost");
                }
            }
        }
    }

    #[test]
    fn the_ttl_never_ends_before_the_work_and_counts_on_from_its_end() {
        let mut record = new(0);
        let ttl = |record: &Record, now| record.ttl_from_creation(Timestamp::from_millis(now)).as_secs();
        assert_eq!((ttl(&record, 0), ttl(&record, 29_000), ttl(&record, 600_000)), (60, 60, 660));
        assert!(!record.is_expired(Timestamp::from_millis(10_000_000)));
        record.apply(&Event::Cancel, Timestamp::from_millis(90_000)).expect("it works");
        assert_eq!(ttl(&record, 100_000), 150);
        assert!(!record.is_expired(Timestamp::from_millis(149_999)));
        assert!(record.is_expired(Timestamp::from_millis(150_000)));
    }

    #[test]
    fn only_the_spelling_that_was_given_out_names_a_task() {
        let id = TaskId::random();
        assert_eq!(id.to_string().parse::<TaskId>().ok(), Some(id));
        for other in
            [id.to_string().to_uppercase() + "", format!("{{{id}}}"), id.0.simple().to_string(), "x".into()]
        {
            if other != id.to_string() {
                assert!(other.parse::<TaskId>().is_err(), "{other}");
            }
        }
    }
}
