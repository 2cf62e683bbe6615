//! What the program can be asked to do.

mod call;
mod list;
mod one;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use self::one::Named;
use crate::arguments::{Arguments, Command};
use crate::connecting::Host;
use crate::failure::Failure;
use crate::following::follow;
use crate::memory::Memory;
use crate::place::Place;
use crate::screen::Screen;

/// Does what the command line asks for, and gives the exit code.
pub(crate) async fn run(arguments: Arguments, screen: &Arc<Screen>) -> Result<u8, Failure> {
    let Arguments { server, manner, command } = arguments;
    let memory = Arc::new(Memory::of(&manner)?);
    let place = Place::of(&server)?;
    let ids: &[String] = match &command {
        Command::Forget { ids, gone } => return list::forget(&memory, place.as_ref(), screen, ids, *gone),
        Command::List if place.is_none() => return list::remembered(&memory, screen),
        Command::Follow { ids } | Command::Cancel { ids } => ids,
        Command::Result { id } | Command::Answer { id } => std::slice::from_ref(id),
        Command::Tools { .. } | Command::Call(_) | Command::List => &[],
    };
    let tasks = Named::all(ids, place.as_ref(), &memory)?;
    let place = place.or_else(|| tasks.first()?.entry.as_ref().map(|entry| entry.server.clone()));
    let place = place
        .ok_or_else(|| Failure::Usage("say where the server is: --stdio COMMAND or --http URL".to_owned()))?;
    let limit = manner.timeout;
    let host = within(limit, Host::connect(&server, manner, place, screen, &memory)).await?;
    let host = Arc::new(host);
    let done = match &command {
        Command::Call(call) => call::call(&host, call).await,
        Command::Follow { .. } => Ok(follow(&host, one::jobs(&tasks)).await),
        Command::Result { .. } => one::result(&host, &tasks).await,
        Command::Answer { .. } => one::answer(&host, &tasks).await,
        Command::Cancel { .. } => within(limit, one::cancel(&host, &tasks)).await,
        Command::Tools { name } => within(limit, tools::tools(&host, name.as_deref())).await,
        Command::List | Command::Forget { .. } => within(limit, list::list(&host)).await,
    };
    host.client.clone().close().await;
    done
}

/// Waits, but no longer than this.
async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or(Err(Failure::TooLong(limit))),
    }
}
