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
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::identity::{Epoch, Principal, TaskId, WorkerId};
use super::store::NewTask;
use crate::input::{InputRequest, InputResponse};
use crate::protocol::payload::Ending;
use crate::protocol::time::Timestamp;

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
    /// `sampling/createMessage`, which a server asks its client.
    CreateMessage,
    /// `elicitation/create`, which a server asks its client.
    Elicit,
}

impl RequestKind {
    /// The method's name.
    pub fn method(self) -> &'static str {
        match self {
            Self::CallTool => "tools/call",
            Self::GetPrompt => "prompts/get",
            Self::ReadResource => "resources/read",
            Self::CreateMessage => "sampling/createMessage",
            Self::Elicit => "elicitation/create",
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

/// How a task is related to others. Most are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// The task that runs this one as a part of itself.
    pub parent: Option<TaskId>,
    /// The task above all of them. A child is kept as long as that one is.
    pub root: Option<TaskId>,
    /// How many tasks this one has begun as parts of itself.
    pub children: u32,
}

/// Work that goes on elsewhere, and that a task stands for.
#[derive(Clone, Debug)]
pub struct Job {
    /// What names it there: the author's value, as JSON.
    pub handle: Arc<RawValue>,
    /// When somebody last asked how far it is.
    pub polled_at: Option<Timestamp>,
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
    /// How often a run was cut off in the middle of its work and another took over.
    pub attempts: u32,
    /// How many partial results there were so far.
    pub partials: u32,
    /// Who runs it. Nobody does when it was handed back, or is a job elsewhere.
    pub worker: Option<WorkerId>,
    /// How it is related to others, if it is.
    pub family: Option<Box<Family>>,
    /// The job elsewhere that it stands for, if it does.
    pub job: Option<Arc<Job>>,
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
    /// The task that the client made of it, by its name there. It may be asked for by it again over another connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Arc<str>>,
}

impl Question {
    /// A question without an answer.
    pub fn new(key: impl Into<Arc<str>>, request: Arc<InputRequest>) -> Self {
        Self { key: key.into(), request, answer: None, task: None }
    }
}

/// Something that happens to a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A worker takes the task over: it gets a new epoch, and every earlier run is shut out.
    Claim(WorkerId),
    /// The worker hands the task back: whoever claims it next goes on with it.
    Release(Epoch),
    /// The run began a job elsewhere, which is what the task waits for from now on: no worker has it, and nothing that was
    /// asked is open any more.
    Hand(Epoch, Arc<RawValue>),
    /// Somebody is about to ask how far the job is, and gets a new epoch to say so. At most once in a poll interval.
    Poll,
    /// The run gave a partial result, which the store keeps beside the record.
    Partial(Epoch),
    /// The run began another task as a part of itself.
    Adopt(Epoch),
    /// The run says how far it is.
    Report(Epoch, Report),
    /// The run asks the client something. The same key again changes nothing.
    Ask(Epoch, Question),
    /// The run does not want to know any more what it asked under this key.
    Withdraw(Epoch, Arc<str>),
    /// The client made a task of its own, of this name, of what was asked under this key.
    Entrust(Arc<str>, Arc<str>),
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
    /// The task stands for no job elsewhere.
    NoJob,
    /// The last poll was less than a poll interval ago.
    TooSoon,
    /// This is remembered already.
    Remembered,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal(status) => write!(f, "the task is already in terminal status '{status}'"),
            Self::Stale => f.write_str("this run of the task was replaced by a later one"),
            Self::NotAsked => f.write_str("the task did not ask this, or has its answer"),
            Self::NoJob => f.write_str("the task stands for no job elsewhere"),
            Self::TooSoon => f.write_str("the job was asked less than a poll interval ago"),
            Self::Remembered => f.write_str("the task remembers something under this key already"),
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

impl Event {
    /// The run that this comes from, if it must be the one that may write.
    fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Release(epoch)
            | Self::Hand(epoch, _)
            | Self::Partial(epoch)
            | Self::Adopt(epoch)
            | Self::Report(epoch, _)
            | Self::Ask(epoch, _)
            | Self::Withdraw(epoch, _)
            | Self::End(epoch, _) => Some(*epoch),
            Self::Claim(_) | Self::Poll | Self::Entrust(..) | Self::Answer(_) | Self::Cancel => None,
        }
    }
}

impl Record {
    /// Applies an event, or says why it changes nothing; then the record is as it was.
    pub fn apply(&mut self, event: &Event, now: Timestamp) -> Result<Change, Refusal> {
        match event.epoch() {
            Some(epoch) => self.may_write(epoch)?,
            None if self.status.is_terminal() => return Err(Refusal::Terminal(self.status)),
            None => {}
        }
        let change = match event {
            Event::Claim(worker) => {
                // A run that waited for the client was not in the middle of anything.
                if self.worker.is_some() && self.status == Status::Working {
                    self.attempts = self.attempts.saturating_add(1);
                }
                self.worker = Some(*worker);
                self.shut_out();
                Change::Record
            }
            Event::Release(_) => {
                self.worker = None;
                self.shut_out();
                Change::Record
            }
            Event::Hand(_, handle) => {
                self.job = Some(Arc::new(Job { handle: Arc::clone(handle), polled_at: None }));
                self.worker = None;
                // Whatever is asked, nobody is there any more to hear the answer.
                if let Some(questions) = &mut self.questions {
                    Arc::make_mut(questions).retain(|question| question.answer.is_some());
                }
                self.wait_or_work();
                self.shut_out();
                Change::Record
            }
            Event::Poll => {
                let Some(job) = &mut self.job else { return Err(Refusal::NoJob) };
                // A clock that steps back must not silence the job.
                if job.polled_at.is_some_and(|last| last <= now && now.since(last) < self.poll) {
                    return Err(Refusal::TooSoon);
                }
                Arc::make_mut(job).polled_at = Some(now);
                self.shut_out();
                // Nothing that a client sees.
                return Ok(Change::Record);
            }
            Event::Partial(_) => {
                self.partials = self.partials.saturating_add(1);
                Change::Record
            }
            Event::Adopt(_) => {
                let family = self.family.get_or_insert_default();
                family.children = family.children.saturating_add(1);
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
            Event::Entrust(key, task) => {
                let is_meant = |question: &Question| question.key == *key && question.answer.is_none();
                if !self.questions().any(is_meant) {
                    return Err(Refusal::NotAsked);
                }
                for question in
                    self.questions.iter_mut().flat_map(Arc::make_mut).filter(|asked| is_meant(asked))
                {
                    question.task = Some(Arc::clone(task));
                }
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

    /// Whether a run may still say something, and why not: for what a store keeps beside the record.
    pub fn may_write(&self, epoch: Epoch) -> Result<(), Refusal> {
        if self.status.is_terminal() {
            return Err(Refusal::Terminal(self.status));
        }
        if epoch == self.epoch { Ok(()) } else { Err(Refusal::Stale) }
    }

    fn end(&mut self, now: Timestamp) -> Change {
        self.ended_at = Some(now);
        self.questions = None;
        self.worker = None;
        Change::Ended
    }

    /// Whatever an earlier run still says is refused from now on.
    fn shut_out(&mut self) {
        self.epoch = self.epoch.next();
    }

    /// The task that runs this one as a part of itself.
    pub fn parent(&self) -> Option<TaskId> {
        self.family.as_ref().and_then(|family| family.parent)
    }

    /// The task above this one, with which it is kept and removed.
    pub fn root(&self) -> Option<TaskId> {
        self.family.as_ref().and_then(|family| family.root)
    }

    /// Whether nobody works at it who should: its worker is gone, as far as the store knows. What waits for the client
    /// waits, whoever runs it; a job elsewhere needs nobody; and a child is its parent's business.
    pub fn is_orphan(&self, is_alive: impl FnOnce(WorkerId) -> bool) -> bool {
        self.status == Status::Working
            && self.job.is_none()
            && self.parent().is_none()
            && !self.worker.is_some_and(is_alive)
    }

    /// Whether the task stands for a job that nobody has asked for this long.
    pub fn is_forgotten(&self, span: Duration, now: Timestamp) -> bool {
        let asked_at = self.job.as_ref().map(|job| job.polled_at.unwrap_or(self.updated_at));
        !self.status.is_terminal() && asked_at.is_some_and(|at| now.since(at) >= span)
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
            attempts: 0,
            partials: 0,
            worker: task.worker,
            family: task.parent.map(|parent| {
                Box::new(Family { parent: Some(parent.id), root: Some(parent.root), children: 0 })
            }),
            job: None,
        }
    }

    /// When the task may be removed; never while it works. A child goes when its root does, and not before.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.parent().is_none()).map(|ended| ended.after(self.ttl))
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
            2 => (1u64..3).prop_map(|worker| Event::Claim(WorkerId::new(worker).expect("not zero"))),
            2 => (0u32..4).prop_map(|epoch| Event::Release(Epoch::new(epoch))),
            1 => (0u32..4).prop_map(|epoch| Event::Hand(Epoch::new(epoch), Arc::from(RawValue::NULL.to_owned()))),
            2 => Just(Event::Poll),
            1 => (0u32..4).prop_map(|epoch| Event::Partial(Epoch::new(epoch))),
            1 => (0u32..4).prop_map(|epoch| Event::Adopt(Epoch::new(epoch))),
            4 => (0u32..4, "[a-z]{0,3}").prop_map(|(epoch, text)| {
                let report = Report { progress: None, message: Some(text.into()) };
                Event::Report(Epoch::new(epoch), report)
            }),
            4 => (0u32..4, 0usize..3).prop_map(|(epoch, key)| Event::Ask(Epoch::new(epoch), question(key))),
            2 => (0u32..4, 0usize..3).prop_map(|(epoch, key)| Event::Withdraw(Epoch::new(epoch), KEYS[key].into())),
            4 => prop::collection::vec(0usize..3, 0..3).prop_map(|keys| {
                let answer = InputResponse::Error(ProtocolError::internal("no"));
                let answer = Arc::new(answer);
                Event::Answer(keys.into_iter().map(|key| (KEYS[key].into(), Arc::clone(&answer))).collect())
            }),
            2 => (0usize..3).prop_map(|key| Event::Entrust(KEYS[key].into(), "theirs".into())),
            1 => (0u32..4).prop_map(move |epoch| Event::End(Epoch::new(epoch), ending.clone())),
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
                        let is_seen = !matches!(event, Event::Poll);
                        prop_assert_eq!(record.rev, before.rev + u64::from(is_seen));
                        prop_assert_eq!(change == Change::Ended, record.status.is_terminal());
                        if let Some(epoch) = event.epoch() {
                            prop_assert_eq!(epoch, before.epoch, "an old epoch wrote");
                        }
                        let shuts_out =
                            matches!(event, Event::Claim(_) | Event::Release(_) | Event::Hand(..) | Event::Poll);
                        prop_assert_eq!(record.epoch > before.epoch, shuts_out);
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
                    let withdraws = matches!(&event, Event::Withdraw(..) | Event::Hand(..));
                    let withdrawn = withdraws && !answered(asked);
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
}
