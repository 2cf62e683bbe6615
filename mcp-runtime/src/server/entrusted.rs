//! What a task asks a client that makes a task of its own of it (2025-11-25): followed over polls to its end, found again
//! over another connection, and cancelled when nobody wants to know any more.
//!
//! Only what is asked on behalf of a task: that may outlive a connection, so what it asks should, too.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::questions::{Name, Questions, checked};
use crate::background;
use crate::input::{InputMethod, InputRequest, InputResponse};
use crate::protocol::{ProtocolError, digest};
use crate::task::store::Question;
use crate::task::{Record, TaskId};
use crate::transport::Outbox;
use crate::wire::legacy::{self, OnBehalf, Wanted};

/// How often a client is asked that does not say, and the most often that one is.
const POLL: Duration = Duration::from_secs(1);
const OFTENEST: Duration = Duration::from_millis(50);

/// How long an answer on how far a task is may take. Then it is asked again: it may have been lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often in a row a client may fail to say how far a task is.
const TRIES: u32 = 5;

/// The questions of tasks that one client makes tasks of its own of.
#[derive(Default)]
pub(super) struct Entrusted(Mutex<HashMap<Name, Arc<Pursuit>>>);

/// One of them.
struct Pursuit {
    /// The revision of the task in which it was open. What an earlier one says of it is nothing to go by.
    rev: u64,
    channel: Arc<dyn Outbox>,
    is_unwanted: AtomicBool,
    /// There may be something to see.
    woken: Notify,
    /// The client's task, once there is one.
    theirs: Mutex<Option<Arc<str>>>,
    run: Mutex<Option<AbortHandle>>,
}

/// The state of a task of the client's: as much of it as matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Theirs {
    task_id: Arc<str>,
    status: Box<str>,
    #[serde(default)]
    poll_interval: Option<f64>,
}

impl Theirs {
    /// How long to wait before asking again.
    fn pause(&self) -> Duration {
        let millis = self.poll_interval.filter(|millis| millis.is_finite() && *millis >= 0.0);
        millis.map_or(POLL, |millis| Duration::from_millis(millis as u64).max(OFTENEST))
    }
}

/// What came of following a task of the client's.
enum Followed {
    /// An answer to the question.
    Answer(InputResponse),
    /// The client's people, or the client, cancelled it.
    Cancelled,
    /// Nobody will read anything on this channel any more.
    Gone,
    /// The client does not know it.
    Unknown,
    /// Nobody wants to know any more.
    Unwanted,
}

impl Pursuit {
    fn theirs(&self) -> MutexGuard<'_, Option<Arc<str>>> {
        self.theirs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_unwanted(&self) -> bool {
        self.is_unwanted.load(Ordering::Acquire)
    }

    fn abort(&self) {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).take();
        run.iter().for_each(AbortHandle::abort);
    }
}

impl Entrusted {
    fn all(&self) -> MutexGuard<'_, HashMap<Name, Arc<Pursuit>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back what a task does not want to know any more: it was answered elsewhere, given up, or the task is over.
    pub(super) fn take_back(&self, record: &Record) {
        for ((task, key), pursuit) in self.all().iter() {
            let is_wanted = || record.open_questions().any(|question| question.key == *key);
            if *task == record.id && pursuit.rev < record.rev && !is_wanted() {
                pursuit.is_unwanted.store(true, Ordering::Release);
                pursuit.woken.notify_one();
            }
        }
    }

    /// Forgets what went over a channel that nobody reads any more, and gives it: it is to be asked for elsewhere.
    pub(super) fn lose(&self, channel: &Arc<dyn Outbox>) -> Vec<Name> {
        let is_lost = |_: &Name, pursuit: &mut Arc<Pursuit>| {
            std::ptr::addr_eq(Arc::as_ptr(&pursuit.channel), Arc::as_ptr(channel))
        };
        let lost: Vec<_> = self.all().extract_if(is_lost).collect();
        lost.into_iter()
            .map(|(name, pursuit)| {
                pursuit.abort();
                name
            })
            .collect()
    }

    /// Forgets everything.
    pub(super) fn give_up(&self) {
        let all = std::mem::take(&mut *self.all());
        for pursuit in all.values() {
            pursuit.abort();
        }
    }

    /// Looks at a task of the client's, which says that there is something to see. It may be one whose name is not read yet.
    fn look_at(&self, theirs: &str) {
        for pursuit in self.all().values() {
            if pursuit.theirs().as_deref().is_none_or(|known| known == theirs) {
                pursuit.woken.notify_one();
            }
        }
    }
}

impl Questions {
    /// Looks at a task of the client's, which says that there is something to see.
    pub(super) fn look_at(&self, theirs: &str) {
        self.entrusted.look_at(theirs);
    }

    /// Asks by a task of the client's: the one that there is, or a new one.
    pub(super) fn entrust(&self, task: TaskId, rev: u64, question: &Question, channel: &Arc<dyn Outbox>) {
        let Some(me) = self.me() else { return };
        let name = (task, Arc::clone(&question.key));
        let pursuit = Arc::new(Pursuit {
            rev,
            channel: Arc::clone(channel),
            is_unwanted: AtomicBool::new(false),
            woken: Notify::new(),
            theirs: Mutex::new(question.task.clone()),
            run: Mutex::default(),
        });
        // Held until it is entered, so that it leaves after that.
        let mut all = self.entrusted.all();
        let (request, own, entry) = (Arc::clone(&question.request), Arc::clone(&pursuit), name.clone());
        let run = background::spawn(async move {
            let answer = me.pursue(&name, &request, &own).await;
            me.entrusted.all().retain(|_, pursuit| !Arc::ptr_eq(pursuit, &own));
            if let Some(answer) = answer {
                me.deliver(name, checked(&request, answer)).await;
            }
        });
        *pursuit.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
        // What was there went over a channel that nobody reads any more.
        if let Some(before) = all.insert(entry, pursuit) {
            before.abort();
        }
    }

    /// Follows a question until it is answered, or nobody wants to know any more.
    async fn pursue(&self, name: &Name, request: &InputRequest, pursuit: &Pursuit) -> Option<InputResponse> {
        let mut known = pursuit.theirs().clone();
        // What is known from another connection is looked at at once.
        let mut pause = Duration::ZERO;
        loop {
            let is_new = known.is_none();
            let theirs = match known.take() {
                Some(theirs) => theirs,
                None => match self.create(name, request, pursuit).await {
                    Ok(created) => {
                        pause = created.pause();
                        created.task_id
                    }
                    // "Receivers that do not declare the task capability for a request type MUST process requests of that
                    // type normally": so do some that declare it.
                    Err(answer) => return Some(answer),
                },
            };
            match self.follow(&theirs, pursuit, pause).await {
                Followed::Answer(answer) => return Some(answer),
                Followed::Cancelled => return Some(dismissed(request)),
                Followed::Gone => {
                    self.unclaim(name);
                    return None;
                }
                Followed::Unknown if is_new => {
                    let error = ProtocolError::internal("the client does not know the task that it made");
                    return Some(InputResponse::Error(error));
                }
                // It has lost it. By the key it knows what it was asked, if it knows keys.
                Followed::Unknown => {}
                Followed::Unwanted => {
                    let cancel = |out: &mut Vec<u8>, id| {
                        legacy::write_task_request(out, id, "tasks/cancel", &theirs);
                    };
                    self.tell(&*pursuit.channel, cancel);
                    return None;
                }
            }
        }
    }

    /// Asks for a task; if there is none, there is an answer.
    async fn create(
        &self,
        (task, key): &Name,
        request: &InputRequest,
        pursuit: &Pursuit,
    ) -> Result<Theirs, InputResponse> {
        #[derive(Deserialize)]
        struct Created {
            task: Theirs,
        }
        let shared = self.shared();
        let ttl = shared.as_ref().map_or(Duration::MAX, |shared| shared.tasks.max_ttl);
        let again = digest(&format!("{task} {key}"));
        let write = |out: &mut Vec<u8>, id| {
            let wanted = Some(Wanted { key: &again, ttl });
            legacy::write_request(out, id, request, Some(OnBehalf { task: *task, wanted }), Uuid::new_v4());
        };
        let answer = self.exchange(&*pursuit.channel, write).await;
        let InputResponse::Result(result) = &answer else { return Err(answer) };
        let Ok(Created { task: theirs }) = serde_json::from_str(result.get()) else { return Err(answer) };
        *pursuit.theirs() = Some(Arc::clone(&theirs.task_id));
        if let Some(shared) = shared {
            shared.engine.entrust(*task, Arc::clone(key), Arc::clone(&theirs.task_id)).await;
        }
        Ok(theirs)
    }

    /// Follows a task of the client's to its end.
    async fn follow(&self, theirs: &str, pursuit: &Pursuit, mut pause: Duration) -> Followed {
        let (mut method, mut failures) = ("tasks/get", 0);
        loop {
            if !pause.is_zero() {
                // Whichever comes first: something to see, or the time to look.
                let _ = tokio::time::timeout(pause, pursuit.woken.notified()).await;
            }
            if pursuit.is_unwanted() {
                return Followed::Unwanted;
            }
            if !pursuit.channel.is_open() {
                return Followed::Gone;
            }
            pause = POLL;
            if !pursuit.channel.is_read() {
                continue;
            }
            let write = |out: &mut Vec<u8>, id| legacy::write_task_request(out, id, method, theirs);
            let answer = tokio::time::timeout(PATIENCE, self.exchange(&*pursuit.channel, write)).await;
            let answer = match answer {
                // It may have been lost with its connection.
                Err(_) => continue,
                Ok(answer) if method == "tasks/result" => return Followed::Answer(answer),
                Ok(InputResponse::Error(error)) if is_unknown(&error) => return Followed::Unknown,
                Ok(answer) => answer,
            };
            let state = match &answer {
                InputResponse::Result(state) => serde_json::from_str::<Theirs>(state.get()).ok(),
                _ => None,
            };
            let Some(state) = state else {
                failures += 1;
                if failures == TRIES {
                    let wrong = "the client does not say how far its task is".to_owned();
                    return Followed::Answer(match answer {
                        InputResponse::Result(_) => InputResponse::Unfit(wrong),
                        failure => failure,
                    });
                }
                continue;
            };
            failures = 0;
            match &*state.status {
                "cancelled" => return Followed::Cancelled,
                "completed" | "failed" => (method, pause) = ("tasks/result", Duration::ZERO),
                _ => pause = state.pause(),
            }
        }
    }
}

/// The answer of somebody who does not want to be asked.
fn dismissed(request: &InputRequest) -> InputResponse {
    let no_answer = RawValue::from_string(r#"{"action":"cancel"}"#.to_owned());
    match (request.method, no_answer) {
        (InputMethod::Elicit, Ok(no_answer)) => InputResponse::Result(no_answer),
        _ => InputResponse::Error(ProtocolError::new(-1, "the client cancelled what it was asked")),
    }
}

/// Whether a client says that it has no such task, or nothing to do with tasks any more.
fn is_unknown(error: &ProtocolError) -> bool {
    [ProtocolError::INVALID_PARAMS, ProtocolError::METHOD_NOT_FOUND].contains(&error.code())
}
