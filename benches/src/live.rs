//! A server with many tasks that wait for ever, and what one more costs there.

use std::time::Instant;

use crate::Result;
use crate::driver::{Connection, Request};
use crate::measure;

pub(crate) struct Live {
    connection: Connection,
    ids: Vec<String>,
}

impl Live {
    /// Creates `tasks` tasks on a server that has none.
    pub(crate) fn start(mut connection: Connection, tasks: u32) -> Result<Self> {
        let wait = Request::call("wait", "{}");
        let ids: Result<Vec<String>> =
            connection.stream(tasks, 16, &wait)?.iter().map(|answer| task_id(answer)).collect();
        Ok(Self { connection, ids: ids? })
    }

    /// Creates that many tasks more, one after the other, and gives the microseconds that each took.
    pub(crate) fn create(&mut self, tasks: u32) -> Result<f64> {
        let wait = Request::call("wait", "{}");
        let start = Instant::now();
        for _ in 0..tasks {
            self.ids.push(task_id(self.connection.ask(&wait)?)?);
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(tasks))
    }

    /// Polls tasks from all over, one after the other, and gives the microseconds of CPU for each poll.
    pub(crate) fn poll(&mut self, polls: u32) -> Result<f64> {
        let ids = &self.ids;
        measure::cpu(&mut self.connection, polls, &|connection, polls| {
            // A prime stride visits them all, and not in the order in which they were made.
            (0..polls as usize).try_for_each(|n| connection.ask(&get(&ids[(n * 7919) % ids.len()])).map(drop))
        })
    }

    /// Bytes that a task here takes more than one on `fewer`, the server's own memory cancelled out.
    pub(crate) fn memory(&self, fewer: &Self) -> Result<f64> {
        let bytes = measure::resident(&self.connection)? - measure::resident(&fewer.connection)?;
        Ok(bytes / (self.ids.len() - fewer.ids.len()) as f64)
    }
}

/// `tasks/get`.
pub(crate) fn get(id: &str) -> Request {
    Request::new("tasks/get", format!(r#""taskId":"{id}""#)).named(id)
}

/// The id of the task that an answer speaks of.
pub(crate) fn task_id(answer: &str) -> Result<String> {
    let id = answer.split_once(r#""taskId":""#).and_then(|(_, rest)| rest.split_once('"'));
    id.map(|(id, _)| id.to_owned()).ok_or_else(|| format!("no task in {}", answer.trim_end()).into())
}
