//! A service that runs workflows, over HTTP. It keeps them in a file, and so goes on with them after a restart.
//!
//! It only pretends to work: how far a workflow is follows from when it began.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The service.
#[derive(Clone)]
pub(crate) struct Service(Arc<Inner>);

struct Inner {
    file: PathBuf,
    /// How long each step takes.
    step: Duration,
    workflows: Mutex<BTreeMap<String, Workflow>>,
}

#[derive(Serialize, Deserialize)]
struct Workflow {
    steps: Vec<String>,
    /// In milliseconds since 1970.
    began_at: u64,
    stopped_at: Option<u64>,
}

/// How far a workflow is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) steps: Vec<String>,
    /// How many of them are done.
    pub(crate) done: usize,
    pub(crate) stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Running,
    Done,
    Failed,
    Cancelled,
}

impl Workflow {
    fn progress(&self, step: Duration, now: u64) -> Progress {
        let worked = self.stopped_at.unwrap_or(now).saturating_sub(self.began_at);
        let passed = usize::try_from(u128::from(worked) / step.as_millis().max(1)).unwrap_or(usize::MAX);
        let fails = self.steps.iter().position(|step| step.starts_with("fail"));
        let (done, stage) = match fails {
            Some(at) if at < passed => (at, Stage::Failed),
            _ if passed >= self.steps.len() => (self.steps.len(), Stage::Done),
            _ if self.stopped_at.is_some() => (passed, Stage::Cancelled),
            _ => (passed, Stage::Running),
        };
        Progress { steps: self.steps.clone(), done, stage }
    }
}

impl Service {
    /// The service with the workflows of an earlier one that used the same file.
    pub(crate) fn open(file: impl Into<PathBuf>, step: Duration) -> io::Result<Self> {
        let file = file.into();
        let workflows = match fs::read(&file) {
            Ok(kept) => serde_json::from_slice(&kept)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self(Arc::new(Inner { file, step, workflows: Mutex::new(workflows) })))
    }

    pub(crate) async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let workflow = put(begin).get(show).delete(stop);
        axum::serve(listener, Router::new().route("/workflows/{name}", workflow).with_state(self)).await
    }

    /// Changes the workflows. When this returns, the change is in the file, as a whole.
    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Workflow>)) -> Result<(), StatusCode> {
        let mut workflows = self.0.workflows.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut workflows);
        let new = self.0.file.with_extension("new");
        let kept = serde_json::to_vec(&*workflows).map_err(io::Error::from);
        kept.and_then(|kept| fs::write(&new, kept)).and_then(|()| fs::rename(&new, &self.0.file)).map_err(
            |error| {
                eprintln!("{} cannot be written: {error}", self.0.file.display());
                StatusCode::INTERNAL_SERVER_ERROR
            },
        )
    }
}

/// `PUT /workflows/{name}`: begins a workflow of these steps, unless it was begun before.
async fn begin(
    State(service): State<Service>,
    Path(name): Path<String>,
    Json(steps): Json<Vec<String>>,
) -> Result<StatusCode, StatusCode> {
    if steps.is_empty() {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    service.change(|workflows| {
        workflows.entry(name).or_insert(Workflow { steps, began_at: now(), stopped_at: None });
    })?;
    Ok(StatusCode::CREATED)
}

/// `GET /workflows/{name}`: how far it is.
async fn show(
    State(service): State<Service>,
    Path(name): Path<String>,
) -> Result<Json<Progress>, StatusCode> {
    let workflows = service.0.workflows.lock().unwrap_or_else(PoisonError::into_inner);
    let workflow = workflows.get(&name).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(workflow.progress(service.0.step, now())))
}

/// `DELETE /workflows/{name}`: stops it, if it is not over.
async fn stop(State(service): State<Service>, Path(name): Path<String>) -> Result<StatusCode, StatusCode> {
    service.change(|workflows| {
        if let Some(workflow) = workflows.get_mut(&name) {
            workflow.stopped_at.get_or_insert_with(now);
        }
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
