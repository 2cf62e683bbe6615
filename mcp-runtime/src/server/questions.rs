//! What the server asked a client of the legacy wire, by requests of its own, and is not answered yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Shared;
use crate::background;
use crate::input::{ClientCapabilities, InputRequest, InputResponse, check};
use crate::protocol::jsonrpc::RequestId;
use crate::task::{Context, Principal, Record, TaskId};
use crate::transport::Outbox;
use crate::wire::legacy;

/// The open requests of this server to one client.
#[derive(Default)]
pub(super) struct Questions {
    /// What the client declared. A task may be another client's, which can be asked more.
    client: Mutex<ClientCapabilities>,
    open: Mutex<HashMap<i64, Open>>,
    last: AtomicI64,
    /// The questions of tasks that this client was asked, and where. Each is asked once, and again only when nobody reads
    /// any more where it was asked.
    of_tasks: Mutex<Heard>,
}

/// Where each question of a task was asked.
type Heard = HashMap<(TaskId, Arc<str>), Arc<dyn Outbox>>;

struct Open {
    asker: Asker,
    request: Arc<InputRequest>,
}

/// Who wants to know.
enum Asker {
    /// A call that waits, and the key of its question.
    Call(Context, Arc<str>),
    /// A task.
    Task(OfTask),
}

/// A question of a task's.
struct OfTask {
    task: TaskId,
    key: Arc<str>,
    /// The revision of the task in which it was open. What an earlier one says of it is nothing to go by.
    rev: u64,
    /// Where it was asked.
    channel: Arc<dyn Outbox>,
}

impl Questions {
    fn open(&self) -> MutexGuard<'_, HashMap<i64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_tasks(&self) -> MutexGuard<'_, Heard> {
        self.of_tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the client declared.
    pub(super) fn declare(&self, client: ClientCapabilities) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    fn send(&self, asker: Asker, request: &Arc<InputRequest>, channel: &dyn Outbox) -> i64 {
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        let related = if let Asker::Task(of) = &asker { Some(of.task) } else { None };
        let mut message = Vec::with_capacity(256);
        let page = Uuid::new_v4();
        legacy::write_request(&mut message, id, request, related, page);
        // Entered first: the answer may be quick.
        self.open().insert(id, Open { asker, request: Arc::clone(request) });
        channel.push(&message);
        channel.flush();
        id
    }

    /// Asks on behalf of a call; gives the id of the request.
    pub(super) fn ask(
        &self,
        cx: &Context,
        key: &Arc<str>,
        request: &Arc<InputRequest>,
        channel: &dyn Outbox,
    ) -> i64 {
        self.send(Asker::Call(cx.clone(), Arc::clone(key)), request, channel)
    }

    /// Takes back what a call asked.
    pub(super) fn withdraw(&self, id: i64, channel: &dyn Outbox) {
        if self.open().remove(&id).is_some() {
            take_back(id, channel);
        }
    }

    /// Asks whatever a task wants to know and this client was not asked yet, and takes back what it does not want to know
    /// any more. Gives what was asked now.
    pub(super) fn ask_for_task(&self, record: &Record, channel: &Arc<dyn Outbox>) -> Vec<i64> {
        self.take_back_for_task(record);
        if record.status.is_terminal() {
            self.of_tasks().retain(|(asked, _), _| *asked != record.id);
            return Vec::new();
        }
        let mut asked = Vec::new();
        let client = *self.client.lock().unwrap_or_else(PoisonError::into_inner);
        for question in record.open_questions().filter(|question| question.request.suits(client)) {
            let name = (record.id, Arc::clone(&question.key));
            if self.claim(name, channel) {
                let (key, channel) = (Arc::clone(&question.key), Arc::clone(channel));
                let of = OfTask { task: record.id, key, rev: record.rev, channel: Arc::clone(&channel) };
                asked.push(self.send(Asker::Task(of), &question.request, &*channel));
            }
        }
        asked
    }

    /// Whether a question is to be asked on this channel: then whoever else looks at the same moment finds it asked.
    fn claim(&self, name: (TaskId, Arc<str>), channel: &Arc<dyn Outbox>) -> bool {
        let mut of_tasks = self.of_tasks();
        let is_heard = of_tasks.get(&name).is_some_and(|before| before.is_read());
        if !is_heard {
            of_tasks.insert(name, Arc::clone(channel));
        }
        !is_heard
    }

    /// Takes back what a task asked and does not want to know any more: it was answered elsewhere, or given up.
    fn take_back_for_task(&self, record: &Record) {
        let mut taken_back = Vec::new();
        self.open().retain(|id, open| {
            let Asker::Task(of) = &open.asker else { return true };
            let is_wanted = || record.open_questions().any(|question| question.key == of.key);
            let stays = of.task != record.id || of.rev >= record.rev || is_wanted();
            if !stays {
                taken_back.push((*id, Arc::clone(&of.channel)));
            }
            stays
        });
        for (id, channel) in taken_back {
            if channel.is_read() {
                take_back(id, &*channel);
            }
        }
    }

    /// Forgets requests that went out on a stream that is gone. What of them is still open is asked again elsewhere.
    fn lose(&self, ids: &[i64]) {
        for id in ids {
            let lost = self.open().remove(id);
            if let Some(Open { asker: Asker::Task(of), .. }) = lost {
                self.of_tasks().remove(&(of.task, of.key));
            }
        }
    }

    /// Takes a response of the client's, and gives it to whoever asked.
    pub(super) fn answer(
        &self,
        id: Option<&RequestId>,
        response: InputResponse,
        shared: &Arc<Shared>,
        principal: &Principal,
    ) {
        let known = match id {
            Some(RequestId::Number(id)) => self.open().remove(id),
            _ => None,
        };
        let Some(Open { asker, request }) = known else {
            tracing::debug!(?id, "a response that nobody asked for");
            return;
        };
        let response = match response {
            InputResponse::Result(result) => match check(&request, &result) {
                Ok(()) => InputResponse::Result(result),
                // Whoever asked must not wait for ever.
                Err(wrong) => InputResponse::Unfit(wrong),
            },
            other => other,
        };
        let response = Arc::new(response);
        match asker {
            Asker::Call(cx, key) => drop(cx.put_answer(&key, response)),
            Asker::Task(OfTask { task, key, .. }) => {
                let (shared, principal) = (Arc::clone(shared), principal.clone());
                background::spawn(async move {
                    if let Err(error) = shared.engine.deliver_answer(task, &principal, key, response).await {
                        tracing::warn!(%task, %error, "an answer could not be given to its task");
                    }
                });
            }
        }
    }
}

/// The questions of a task that go out on the stream of a `tasks/result`, for as long as that is there.
pub(super) struct Asking {
    pub(super) questions: Arc<Questions>,
    pub(super) channel: Arc<dyn Outbox>,
    pub(super) asked: Vec<i64>,
}

impl Asking {
    pub(super) fn ask(&mut self, record: &Record) {
        self.asked.extend(self.questions.ask_for_task(record, &self.channel));
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Where the stream is the client's only one, it still reads it, and somebody may be thinking about the answer.
        if !self.channel.is_read() {
            self.questions.lose(&self.asked);
        }
    }
}

fn take_back(id: i64, channel: &dyn Outbox) {
    let mut message = Vec::with_capacity(128);
    legacy::write_cancelled(&mut message, id, "the answer is not needed any more");
    channel.push(&message);
    channel.flush();
}
