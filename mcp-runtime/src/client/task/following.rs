//! Following one task: what the server says of it by itself, and polls where it says nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::answers;
use super::status::{TaskState, TaskStatus};
use crate::client::Client;
use crate::client::ask::Ask;
use crate::client::backoff::{Backoff, jittered};
use crate::client::connection::Fault;
use crate::client::error::Error;
use crate::client::peer::{Listening, Push, Subscriber};

/// How often a task is polled of which the server tells: what it tells may be lost.
const BACKSTOP: Duration = Duration::from_secs(30);

/// The shortest interval: a server that wishes for less does not know what it asks for.
const SHORTEST: Duration = Duration::from_millis(10);

/// The longest interval: a server that wishes for more would not be asked for its result in time.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A reader of one task.
pub(super) struct Following {
    client: Client,
    id: Arc<str>,
    is_modern: bool,
    /// Where this reader is told of the task.
    follower: mpsc::Sender<Push>,
    pushes: mpsc::Receiver<Push>,
    _listening: Listening,
    /// The request that keeps the subscription open.
    _subscription: Option<Guarded>,
    /// Whether the server tells of the task.
    is_told: bool,
    next_poll: Instant,
    /// The request for the result, which is how a legacy server gets to ask.
    fetching: Option<Guarded>,
}

/// A task of this program's that ends with its owner.
struct Guarded(AbortHandle);

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl std::fmt::Debug for Following {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Following").field("is_told", &self.is_told).finish_non_exhaustive()
    }
}

impl Following {
    /// Begins to listen. Nothing is missed between what is known and what comes: the first poll is due at once, unless the
    /// status is new.
    pub(super) async fn begin(client: &Client, status: &TaskStatus) -> Result<Self, Error> {
        let is_modern = client.is_modern().await?;
        let id = Arc::clone(&status.id);
        let (follower, pushes, listening) = client.connection().peer.follow(&id);
        let subscription = is_modern.then(|| {
            let (client, id, follower) = (client.clone(), Arc::clone(&id), follower.clone());
            let subscribing = tokio::spawn(async move {
                let mut backoff = Backoff::new();
                loop {
                    let ended = client
                        .connection()
                        .subscribe(json!({ "taskIds": [&*id] }), Subscriber::Follower(follower.clone()))
                        .await;
                    tracing::debug!(task = &*id, ?ended, "a subscription has ended");
                    let _ = follower.send(Push::Granted(false)).await;
                    // A server that does not offer this need not be asked again.
                    if matches!(ended, Err(Fault::Final(_))) {
                        return;
                    }
                    tokio::time::sleep(backoff.wait()).await;
                }
            });
            Guarded(subscribing.abort_handle())
        });
        let mut following = Self {
            client: client.clone(),
            id,
            is_modern,
            follower,
            pushes,
            _listening: listening,
            _subscription: subscription,
            is_told: false,
            next_poll: Instant::now(),
            fetching: None,
        };
        if status.state == TaskState::InputRequired {
            following.answer(status);
        } else {
            following.schedule(status);
        }
        Ok(following)
    }

    /// When the server is to be asked again.
    fn schedule(&mut self, status: &TaskStatus) {
        let interval = self.interval(status);
        let interval = if self.is_told { interval.max(BACKSTOP) } else { interval };
        self.next_poll = Instant::now() + jittered(interval);
    }

    /// Waits for something that was not known.
    pub(super) async fn next(
        &mut self,
        last: &TaskStatus,
        next_partial: &mut u64,
    ) -> Result<TaskStatus, Error> {
        loop {
            let push = tokio::select! {
                biased;
                push = self.pushes.recv() => push,
                () = tokio::time::sleep_until(self.next_poll) => None,
            };
            let mut status = match push {
                Some(Push::Granted(is_granted)) => {
                    self.is_told = is_granted;
                    // What happened before the subscription is not told by it.
                    self.next_poll =
                        if is_granted { Instant::now() } else { self.next_poll.min(self.soon(last)) };
                    continue;
                }
                Some(Push::Look) => {
                    self.next_poll = Instant::now();
                    continue;
                }
                Some(Push::Unanswered(error)) => return Err(error),
                Some(Push::State(state)) => match TaskStatus::read(state) {
                    Ok(mut status) if self.is_news(&status, last, *next_partial) => {
                        // A task that has parts has them to the end; not everything that is told names them.
                        if status.children.is_empty() {
                            status.children.clone_from(&last.children);
                        }
                        status
                    }
                    Ok(_) => continue,
                    Err(error) => {
                        tracing::warn!(%error, task = &*self.id, "the server tells what cannot be read");
                        continue;
                    }
                },
                None => {
                    let polled = self.client.task_status(&self.id, Some(*next_partial)).await;
                    match polled {
                        Ok(status) => status,
                        Err(error) => {
                            self.schedule(last);
                            return Err(error);
                        }
                    }
                }
            };
            self.schedule(&status);
            take_new(&mut status, next_partial);
            if status.state == TaskState::InputRequired {
                self.answer(&status);
            }
            if !status.says_as_much_as(last) {
                return Ok(status);
            }
        }
    }

    /// When it is to be polled if nothing is told any more.
    fn soon(&self, last: &TaskStatus) -> Instant {
        Instant::now() + jittered(self.interval(last))
    }

    /// How often the server wishes to be asked, within reason.
    fn interval(&self, status: &TaskStatus) -> Duration {
        status.poll_interval.unwrap_or(self.client.settings().poll_interval).clamp(SHORTEST, LONGEST)
    }

    /// Whether what was told is to be believed as it is. If something is missing before it, the server is asked at once.
    fn is_news(&mut self, status: &TaskStatus, last: &TaskStatus, next_partial: u64) -> bool {
        let is_old = status.updated_at < last.updated_at && !status.state.is_over();
        let has_gap = !status.partials.is_empty() && status.first_partial > next_partial;
        if has_gap {
            self.next_poll = Instant::now();
        }
        !is_old && !has_gap
    }

    /// Sees to it that what the task asks is answered.
    fn answer(&mut self, status: &TaskStatus) {
        if self.is_modern {
            answers::answer(&self.client, &self.id, &status.questions, &self.follower);
            return;
        }
        // "When the requestor encounters the `input_required` status, it SHOULD preemptively call `tasks/result`": some
        // servers ask on its stream alone.
        let is_fetching = self.fetching.as_ref().is_some_and(|Guarded(fetching)| !fetching.is_finished());
        if is_fetching {
            return;
        }
        let (client, id, follower) = (self.client.clone(), Arc::clone(&self.id), self.follower.clone());
        let fetching = tokio::spawn(async move {
            let mut ask = Ask::call("tasks/result", json!({ "taskId": &*id }), client.settings());
            ask.may_repeat = true;
            let ended = client.connection().request(&ask).await;
            tracing::debug!(task = &*id, is_ok = ended.is_ok(), "the result was waited for");
            // It is over, most likely: the next poll says so.
            let _ = follower.send(Push::Look).await;
        });
        self.fetching = Some(Guarded(fetching.abort_handle()));
    }
}

/// Keeps of the partial results those that were not given yet.
fn take_new(status: &mut TaskStatus, next_partial: &mut u64) {
    let count = status.partials.len() as u64;
    let known = next_partial.saturating_sub(status.first_partial).min(count);
    status.partials.drain(..usize::try_from(known).unwrap_or(usize::MAX).min(status.partials.len()));
    if count > 0 {
        *next_partial = (*next_partial).max(status.first_partial + count);
        status.first_partial = *next_partial - status.partials.len() as u64;
    }
}
