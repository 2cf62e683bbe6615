//! What the server asked a client of the legacy wire, by requests of its own, and is not answered yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::Shared;
use super::entrusted::Entrusted;
use crate::background;
use crate::input::{ClientCapabilities, InputRequest, InputResponse, check};
use crate::protocol::jsonrpc::RequestId;
use crate::task::{Context, Principal, Record, TaskId};
use crate::transport::Outbox;
use crate::wire::legacy::{self, OnBehalf};

/// The open requests of this server to one client.
pub(super) struct Questions {
    me: Weak<Self>,
    shared: Weak<Shared>,
    principal: Principal,
    /// What the client declared. A task may be another client's, which can be asked more.
    client: Mutex<ClientCapabilities>,
    open: Mutex<HashMap<i64, Asker>>,
    last: AtomicI64,
    /// The questions of tasks that this client was asked, and where. Each is asked once, and again only when nobody reads
    /// any more where it was asked.
    of_tasks: Mutex<Heard>,
    /// Those of them that the client makes tasks of its own of.
    pub(super) entrusted: Entrusted,
}

/// A question of a task's: the task and the key.
pub(super) type Name = (TaskId, Arc<str>);

/// Where each question of a task was asked.
type Heard = HashMap<Name, Arc<dyn Outbox>>;

/// Who wants to know.
enum Asker {
    /// A call that waits, and the key of its question.
    Call(Context, Arc<str>, Arc<InputRequest>),
    /// A task.
    Task(OfTask, Arc<InputRequest>),
    /// Who follows a task of the client's.
    Follower(oneshot::Sender<InputResponse>),
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
    pub(super) fn new(shared: &Arc<Shared>, principal: &Principal) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            shared: Arc::downgrade(shared),
            principal: principal.clone(),
            client: Mutex::default(),
            open: Mutex::default(),
            last: AtomicI64::default(),
            of_tasks: Mutex::default(),
            entrusted: Entrusted::default(),
        })
    }

    pub(super) fn me(&self) -> Option<Arc<Self>> {
        self.me.upgrade()
    }

    pub(super) fn shared(&self) -> Option<Arc<Shared>> {
        self.shared.upgrade()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<i64, Asker>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_tasks(&self) -> MutexGuard<'_, Heard> {
        self.of_tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the client declared.
    pub(super) fn declare(&self, client: ClientCapabilities) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    fn send(&self, asker: Asker, channel: &dyn Outbox, write: impl FnOnce(&mut Vec<u8>, i64)) -> i64 {
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        let mut message = Vec::with_capacity(256);
        write(&mut message, id);
        // Entered first: the answer may be quick.
        self.open().insert(id, asker);
        channel.push(&message);
        channel.flush();
        id
    }

    /// Sends a request that has to do with a task of the client's, and waits for the answer. Cancel safe: then it is not
    /// waited for.
    pub(super) async fn exchange(
        &self,
        channel: &dyn Outbox,
        write: impl FnOnce(&mut Vec<u8>, i64),
    ) -> InputResponse {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { questions: self, id: self.send(Asker::Follower(answer), channel, write) };
        let answer = answered.await;
        drop(waiting);
        // Nobody else takes it out.
        answer.unwrap_or_else(|_| InputResponse::Unfit("there is no answer".to_owned()))
    }

    /// Sends a request whose answer says nothing new.
    pub(super) fn tell(&self, channel: &dyn Outbox, write: impl FnOnce(&mut Vec<u8>, i64)) {
        let (answer, _) = oneshot::channel();
        self.send(Asker::Follower(answer), channel, write);
    }

    /// Asks on behalf of a call; gives the id of the request.
    pub(super) fn ask(
        &self,
        cx: &Context,
        key: &Arc<str>,
        request: &Arc<InputRequest>,
        channel: &dyn Outbox,
    ) -> i64 {
        let asker = Asker::Call(cx.clone(), Arc::clone(key), Arc::clone(request));
        let write = |out: &mut Vec<u8>, id| legacy::write_request(out, id, request, None, Uuid::new_v4());
        self.send(asker, channel, write)
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
            if !self.claim(name, channel) {
                continue;
            }
            let (task, key, rev, request) = (record.id, &question.key, record.rev, &question.request);
            if request.may_be_task(client) {
                self.entrust(task, rev, question, channel);
                continue;
            }
            let of = OfTask { task, key: Arc::clone(key), rev, channel: Arc::clone(channel) };
            let write = |out: &mut Vec<u8>, id| {
                let on_behalf = OnBehalf { task, wanted: None };
                legacy::write_request(out, id, request, Some(on_behalf), Uuid::new_v4());
            };
            asked.push(self.send(Asker::Task(of, Arc::clone(request)), &**channel, write));
        }
        asked
    }

    /// A question is to be asked again where somebody reads it.
    pub(super) fn unclaim(&self, name: &Name) {
        self.of_tasks().remove(name);
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
        self.entrusted.take_back(record);
        let mut taken_back = Vec::new();
        self.open().retain(|id, open| {
            let Asker::Task(of, _) = open else { return true };
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
    fn lose(&self, ids: &[i64], channel: &Arc<dyn Outbox>) {
        for id in ids {
            let lost = self.open().remove(id);
            if let Some(Asker::Task(of, _)) = lost {
                self.unclaim(&(of.task, of.key));
            }
        }
        self.entrusted.lose(channel).iter().for_each(|name| self.unclaim(name));
    }

    /// The client is not there any more.
    pub(super) fn give_up(&self) {
        self.entrusted.give_up();
    }

    /// Takes a response of the client's, and gives it to whoever asked.
    pub(super) fn answer(&self, id: Option<&RequestId>, response: InputResponse) {
        let known = match id {
            Some(RequestId::Number(id)) => self.open().remove(id),
            _ => None,
        };
        match known {
            None => tracing::debug!(?id, "a response that nobody asked for"),
            Some(Asker::Call(cx, key, request)) => {
                cx.put_answer(&key, Arc::new(checked(&request, response)));
            }
            Some(Asker::Task(OfTask { task, key, .. }, request)) => {
                let Some(me) = self.me() else { return };
                let response = checked(&request, response);
                background::spawn(async move { me.deliver((task, key), response).await });
            }
            // Who does not wait for it any more does not want it.
            Some(Asker::Follower(follower)) => drop(follower.send(response)),
        }
    }

    /// Gives a task what it asked for.
    pub(super) async fn deliver(&self, (task, key): Name, response: InputResponse) {
        let Some(shared) = self.shared() else { return };
        let delivered = shared.engine.deliver_answer(task, &self.principal, key, Arc::new(response));
        if let Err(error) = delivered.await {
            tracing::warn!(%task, %error, "an answer could not be given to its task");
        }
    }
}

/// A response, if it fits what was asked: whoever asked must not wait for ever.
pub(super) fn checked(request: &InputRequest, response: InputResponse) -> InputResponse {
    match response {
        InputResponse::Result(result) => match check(request, &result) {
            Ok(()) => InputResponse::Result(result),
            Err(wrong) => InputResponse::Unfit(wrong),
        },
        other => other,
    }
}

/// A request whose answer somebody waits for.
struct Waiting<'a> {
    questions: &'a Questions,
    id: i64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.questions.open().remove(&self.id);
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
            self.questions.lose(&self.asked, &self.channel);
        }
    }
}

fn take_back(id: i64, channel: &dyn Outbox) {
    let mut message = Vec::with_capacity(128);
    legacy::write_cancelled(&mut message, id, "the answer is not needed any more");
    channel.push(&message);
    channel.flush();
}
