//! `call`: a tool is called, once or several times at once, and followed.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::JoinSet;
use uuid::Uuid;

use super::tools;
use crate::arguments;
use crate::connecting::Host;
use crate::failure::Failure;
use crate::following::follow;
use crate::given;
use crate::job::{Call, Job};
use crate::memory::Entry;

/// The first revision on which it is for the server to say what becomes a task.
const SERVERS_DECIDE: &str = "2026-07-28";

pub(super) async fn call(host: &Arc<Host>, said: &arguments::Call) -> Result<u8, Failure> {
    let listed = host.client.list_tools().await?;
    let tool = tools::named(&listed, &said.name)?;
    let calls = given::arguments(&said.arguments, &tool.input_schema)?;
    if said.key.is_some() && calls.len() > 1 {
        return Err(Failure::Usage(
            "one key is for one call: several would be the same to the server".to_owned(),
        ));
    }
    let as_task = said.task || said.detach;
    let is_offered = host.client.offers_tasks().await?;
    if as_task && !is_offered {
        let message = "the server makes no tasks; call without --task and --detach";
        return Err(Failure::Client(mcp_runtime::client::Error::Unsupported(message.to_owned())));
    }
    let becomes_one = host.client.protocol_version().await?.as_str() >= SERVERS_DECIDE
        || tool.task_support() == Some("required");
    let jobs = calls.into_iter().enumerate().map(|(number, arguments)| {
        let entry = Entry {
            key: said.key.clone().unwrap_or_else(|| Uuid::new_v4().to_string()),
            server: host.place.clone(),
            tool: tool.name.clone(),
            arguments,
            as_task,
            ttl_ms: said.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
            sent: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            task: None,
            state: None,
            message: None,
        };
        let is_noted = is_offered && !said.no_task && (as_task || becomes_one);
        Job::call(
            number,
            Call { entry, task: as_task.then_some(true).or(said.no_task.then_some(false)), is_noted },
        )
    });
    if !said.detach {
        return Ok(follow(host, jobs.collect()).await);
    }
    let mut leaving: JoinSet<u8> = jobs
        .map(|job| {
            let host = Arc::clone(host);
            async move { job.detach(&host).await }
        })
        .collect();
    let mut code = 0;
    while let Some(left) = leaving.join_next().await {
        // Nobody aborts them.
        code = code.max(left.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    }
    Ok(code)
}
