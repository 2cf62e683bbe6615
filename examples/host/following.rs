//! Following several calls and tasks at once, and leaving them.
//!
//! The first Ctrl-C leaves tasks to themselves; a second one soon after cancels them, and waits for the server to say so.

use std::panic;
use std::sync::Arc;
use std::time::Duration;

use console::style;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::connecting::Host;
use crate::event::Event;
use crate::failure::{Failure, LEFT};
use crate::interrupts::{Interrupt, Interrupts};
use crate::job::{Job, Stage};

/// What is far enough away to be never.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What is going on.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Following,
    /// It is left at this time, unless somebody wants it cancelled before.
    Leaving(Instant),
    /// The server was asked to cancel, and what becomes of it is waited for.
    Cancelling,
}

/// Follows jobs to their end, or until somebody leaves them. Gives the exit code.
pub(crate) async fn follow(host: &Arc<Host>, jobs: Vec<Job>) -> u8 {
    let jobs: Vec<Arc<Job>> = jobs.into_iter().map(Arc::new).collect();
    let mut interrupts = Interrupts::listen();
    let mut running: JoinSet<u8> = jobs.iter().map(|job| Arc::clone(job).run(Arc::clone(host))).collect();
    let (mut phase, mut code) = (Phase::Following, 0);
    let never = Instant::now() + NEVER;
    let limit = host.manner.timeout;
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit)).unwrap_or(never);
    loop {
        let left_at = if let Phase::Leaving(at) = phase { at } else { never };
        let interrupt = tokio::select! {
            biased;
            done = running.join_next() => match done {
                Some(Ok(done)) => {
                    code = code.max(done);
                    continue;
                }
                // Nobody aborts them but `shutdown`, below, after which nobody waits for them here.
                Some(Err(error)) => panic::resume_unwind(error.into_panic()),
                None => return code,
            },
            interrupt = interrupts.next() => interrupt,
            () = sleep_until(left_at) => Interrupt::Stop,
            () = sleep_until(deadline) => {
                let failure = Failure::TooLong(limit.unwrap_or_default());
                let sentence = failure.to_string();
                let members = json!({ "code": failure.code(), "kind": failure.kind(), "message": sentence });
                host.screen.say("failed", members, &sentence);
                leave(host, &jobs, "");
                running.shutdown().await;
                return failure.code();
            }
        };
        match (interrupt, phase) {
            (Interrupt::CtrlC, Phase::Following) if jobs.iter().any(|job| is_task(job)) => {
                let wait = host.manner.leave_after;
                let more =
                    format!("\nCtrl-C again within {} cancels instead.", humantime::format_duration(wait));
                leave(host, &jobs, &more);
                phase = Phase::Leaving(Instant::now().checked_add(wait).unwrap_or(never));
            }
            (Interrupt::CtrlC, Phase::Leaving(_)) => {
                phase = Phase::Cancelling;
                // Beside, so that one more Ctrl-C is heard even if the server is not.
                let (host, jobs) = (Arc::clone(host), jobs.clone());
                running.spawn(async move {
                    cancel(&host, &jobs).await;
                    0
                });
            }
            (Interrupt::Stop, Phase::Leaving(_)) => {
                running.shutdown().await;
                return LEFT;
            }
            // Calls that are no tasks are given up, and whoever does not wait for the end of a cancelled task need not.
            (Interrupt::CtrlC | Interrupt::Stop, Phase::Following | Phase::Cancelling) => {
                leave(host, &jobs, "");
                running.shutdown().await;
                return LEFT;
            }
        }
    }
}

fn is_task(job: &Job) -> bool {
    matches!(job.stage(), Stage::Task(_))
}

/// Says how to come back to what is left, what becomes of it meanwhile, and what else there is to say.
fn leave(host: &Host, jobs: &[Arc<Job>], more: &str) {
    let left: Vec<(&Arc<Job>, Arc<str>)> = jobs.iter().filter_map(|job| Some((job, job.handle()?))).collect();
    if left.is_empty() {
        return;
    }
    let handles: Vec<&str> = left.iter().map(|(_, handle)| &**handle).collect();
    let command = host.come_back("follow", &handles);
    if host.screen.is_json() {
        for (job, _) in &left {
            job.tell(host, Event::Left { command: &command });
        }
        return;
    }
    let them = if left.len() == 1 { "it" } else { "them" };
    let fate = if host.place.is_child() {
        format!(
            "The server ends with this program. If it keeps its tasks in a file, this starts it again and\n\
             comes back to {them}:"
        )
    } else {
        format!("Left to go on at the server. This comes back to {them}:")
    };
    let command = style(command).for_stderr().cyan();
    host.screen.urgent(&format!("{fate}\n  {command}{more}"));
}

/// Asks the server to cancel all tasks, and says whether it does.
async fn cancel(host: &Host, jobs: &[Arc<Job>]) {
    for job in jobs {
        let Stage::Task(id) = job.stage() else { continue };
        let said = match host.client.cancel_task(&id).await {
            Ok(()) => format!("The server was asked to cancel task {id}, and took note."),
            Err(error) => format!("Task {id} cannot be cancelled: {error}"),
        };
        host.screen.urgent(&said);
    }
}
