//! Work that goes on elsewhere: how a tool hands its task over to a job, and how the job is asked and stopped.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::ToolFuture;
use super::left::{Known, left_to_job};
use super::output::{Kind, OutputSchema, ToolError, ToolOutput, ToolResult};
use super::schema;
use super::state::{StateKey, States};
use crate::Context;
use crate::protocol::content::Content;
use crate::protocol::payload;
use crate::task::{Amount, AskJob, Engine, Total};

/// Where jobs run that tools begin: a render farm, a build service, a cluster, a workflow engine.
///
/// A tool that returns a [`Job`] of it leaves its task to that job. The handle is stored with the task, and no function
/// runs here any more. The job is asked how far it is when somebody wants to know: when a client asks for the task, waits
/// for its result or follows it, and at most once in the task's poll interval, however many ask. What it says becomes the
/// task's progress, status message and result. One that nobody asks is asked every few minutes, so that its task ends all
/// the same, and expires.
///
/// So the task survives every restart of this server, at no cost, if tasks are kept in a store that does. If they are kept
/// in memory, their jobs are stopped when the server is shut down.
///
/// A call of a client that takes no task waits here, asking in the same interval, and its job is cancelled with it.
///
/// The service is a [`State`](crate::State) of the server.
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// struct Farm;
///
/// #[derive(Serialize, Deserialize)]
/// struct RenderId(u64);
///
/// #[derive(Serialize, JsonSchema)]
/// struct Film {
///     url: String,
/// }
/// # impl Farm {
/// #     async fn submit(&self, _: &str) -> Result<RenderId, std::io::Error> { Ok(RenderId(1)) }
/// #     async fn frames(&self, _: &RenderId) -> Result<(u64, u64), std::io::Error> { Ok((5, 5)) }
/// #     async fn stop(&self, _: &RenderId) -> Result<(), std::io::Error> { Ok(()) }
/// # }
///
/// impl Jobs for Farm {
///     type Handle = RenderId;
///     type Output = Film;
///     type Error = std::io::Error;
///
///     async fn poll(&self, job: &RenderId) -> Result<JobStatus<Film>, std::io::Error> {
///         let (done, all) = self.frames(job).await?;
///         if done < all {
///             return Ok(JobStatus::progress(done, all, format!("rendered {done} frames")));
///         }
///         Ok(JobStatus::Done(Film { url: format!("https://farm.example/{}", job.0) }))
///     }
///
///     async fn cancel(&self, job: &RenderId) -> Result<(), std::io::Error> {
///         self.stop(job).await
///     }
/// }
///
/// /// Render a film.
/// #[tool(task(poll = "5s", retries = 3))]
/// async fn render(
///     /// What happens in it.
///     script: String,
///     farm: State<Farm>,
///     cx: Context,
/// ) -> Result<Job<Farm>, ToolError> {
///     // A step, so that a run which is cut off after it begins no second job.
///     let job = cx.try_step("submit", || farm.submit(&script)).await?;
///     Ok(Job::new(job))
/// }
///
/// let server = Server::new("films", "1.0.0").state(Farm).tools(tools![render]);
/// # let _ = server;
/// ```
///
/// # A crash in between
///
/// Between the moment in which the service takes the job and the one in which its handle is stored, this server may die.
/// A tool with `retries` is then run again. Submitting in a [step](crate::Context::step) makes that window small: a step
/// that was recorded is not done again. A service that takes a key of the caller's, such as the
/// [task's id](crate::Context::task_id), closes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` runs no jobs",
    label = "implement `Jobs` for it, which says how a job is asked and stopped",
    note = "a `Job<S>` is a job of the service `S`, which the server holds as `State<S>`"
)]
pub trait Jobs: Send + Sync + 'static {
    /// What names a job. It is stored as JSON.
    type Handle: Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What a job gives.
    type Output: JobOutput;
    /// Why the service could not be asked. The task goes on, and its status message says so.
    type Error: fmt::Display;

    /// Asks how far a job is. An answer that takes longer than half a minute counts as none.
    fn poll(
        &self,
        job: &Self::Handle,
    ) -> impl Future<Output = Result<JobStatus<Self::Output>, Self::Error>> + Send;

    /// Stops a job whose task was cancelled. If that fails, it is tried a few times more.
    ///
    /// The job may be over already, which is no error.
    fn cancel(&self, job: &Self::Handle) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A job that a tool began, and to which it leaves its task. See [`Jobs`].
#[must_use = "a job that is not returned is asked by nobody"]
pub struct Job<S> {
    handle: Result<Box<RawValue>, serde_json::Error>,
    service: PhantomData<fn() -> S>,
}

impl<S: Jobs> Job<S> {
    /// The job with this handle.
    pub fn new(handle: S::Handle) -> Self {
        Self { handle: payload::encode(&handle), service: PhantomData }
    }

    /// What names it, read from what is stored of it; for tests that call a tool's function themselves.
    pub fn handle(&self) -> Result<S::Handle, ToolError> {
        let handle = self.handle.as_ref().map_err(unwritten)?;
        Ok(serde_json::from_str(handle.get())?)
    }
}

impl<S> fmt::Debug for Job<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.handle).finish()
    }
}

fn unwritten(error: &serde_json::Error) -> ToolError {
    ToolError::message(format_args!("the handle of the job could not be written as JSON: {error}"))
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq)]
pub enum JobStatus<T> {
    /// It goes on.
    Working {
        /// How much is done, and of how much, if that is known.
        progress: Option<(f64, Option<f64>)>,
        /// What a person may read of it.
        message: Option<String>,
    },
    /// It is done, and gave this.
    Done(T),
    /// It failed, in words that a model may act on: a result with `isError`.
    Failed(String),
}

impl<T> JobStatus<T> {
    /// It goes on: how much is done, of how much, and what a person may read of it, as in
    /// [`Context::progress`](crate::Context::progress).
    pub fn progress(done: impl Amount, total: impl Total, message: impl Into<String>) -> Self {
        let message = Some(message.into()).filter(|message| !message.is_empty());
        Self::Working { progress: Some((done.amount(), total.total())), message }
    }

    /// It goes on: what a person may read of it, without numbers.
    pub fn message(message: impl Into<String>) -> Self {
        Self::Working { progress: None, message: Some(message.into()) }
    }

    fn map<U>(self, done: impl FnOnce(T) -> U) -> JobStatus<U> {
        match self {
            Self::Working { progress, message } => JobStatus::Working { progress, message },
            Self::Done(value) => JobStatus::Done(done(value)),
            Self::Failed(what) => JobStatus::Failed(what),
        }
    }
}

/// What a job can give: what a tool can return, other than lists of content.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a job gives",
    label = "derive `serde::Serialize` and `schemars::JsonSchema` for it, and for the types within it",
    note = "a job gives text, a number, `()`, `Content`, `ToolResult`, or a type that derives both"
)]
pub trait JobOutput: Sized + 'static {
    /// What the tool says of its structured content.
    #[doc(hidden)]
    fn schema() -> OutputSchema;

    /// The value as a result.
    #[doc(hidden)]
    fn into_result(self) -> Result<ToolResult, ToolError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema + 'static> JobOutput for T {
    fn schema() -> OutputSchema {
        OutputSchema::new((!is_plain(TypeId::of::<T>())).then(schema::of_output::<T>))
    }

    fn into_result(self) -> Result<ToolResult, ToolError> {
        match plain(&self) {
            Some(result) => Ok(result),
            None => ToolResult::structured(&self),
        }
    }
}

impl JobOutput for ToolResult {
    fn schema() -> OutputSchema {
        OutputSchema::default()
    }

    fn into_result(self) -> Result<ToolResult, ToolError> {
        Ok(self)
    }
}

impl JobOutput for Content {
    fn schema() -> OutputSchema {
        OutputSchema::default()
    }

    fn into_result(self) -> Result<ToolResult, ToolError> {
        Ok(ToolResult::empty().with(self))
    }
}

macro_rules! plain {
    ($($type:ty)*) => {
        /// Whether it is one of the types that are text, of which a schema says nothing.
        fn is_plain(id: TypeId) -> bool {
            id == TypeId::of::<()>() $(|| id == TypeId::of::<$type>())*
        }

        /// The result of such a type.
        fn plain(value: &dyn Any) -> Option<ToolResult> {
            if value.is::<()>() {
                return Some(ToolResult::empty());
            }
            $(if let Some(value) = value.downcast_ref::<$type>() {
                return Some(ToolResult::text(value.to_string()));
            })*
            None
        }
    };
}

plain! {
    String &'static str Cow<'static, str> Arc<str> Box<str> char bool
    i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64
}

/// The way of a [`Job`]: what the tool gives comes later.
#[derive(Clone, Copy, Debug)]
pub struct Later;

impl<S: Jobs> Kind<Job<S>> {
    /// That of what the job gives; with it, how the job is asked.
    pub fn schema(self) -> OutputSchema {
        OutputSchema { jobs: Some(Arc::new(Of::<S>(PhantomData))), ..S::Output::schema() }
    }
}

impl<S> Kind<Job<S>> {
    /// As a job, whose service may turn out to run none: that is the error to tell.
    pub fn way(self) -> Later {
        Later
    }
}

impl<S: Jobs> ToolOutput<Later> for Job<S> {
    fn convert(_: Later, job: Self) -> Result<ToolResult, ToolError> {
        ToolResult::job(job)
    }
}

/// What a job is asked, with the reason why it could not be.
pub(super) type JobFuture<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// A job, whatever its types are.
pub(super) trait AnyJob: Send + Sync {
    fn poll(self: Arc<Self>) -> JobFuture<JobStatus<Result<ToolResult, ToolError>>>;
    fn cancel(self: Arc<Self>) -> JobFuture<()>;
}

/// Makes a job of its handle, or says why it cannot.
pub(super) type OpenJob = Box<dyn Fn(&RawValue) -> Result<Arc<dyn AnyJob>, String> + Send + Sync>;

/// The jobs of one service, whatever its type is.
pub(crate) trait AnyJobs: fmt::Debug + Send + Sync {
    /// The service, which the server must hold.
    fn state(&self) -> StateKey;

    /// Has an engine look after the jobs of its tasks. Only what is behind this, and behind what follows, does that: a
    /// program of which no tool begins jobs does not carry it.
    fn keep(&self, engine: &Arc<Engine>);

    /// The job with this handle, in the words of the engine.
    fn known(&self, states: &States, handle: &RawValue, wraps: bool) -> Result<Arc<dyn AskJob>, String>;

    /// What comes of a tool that begins such a job.
    fn left(
        &self,
        states: &States,
        work: ToolFuture,
        wraps: bool,
        interval: Duration,
        cx: Context,
    ) -> ToolFuture;
}

struct Of<S>(PhantomData<fn() -> S>);

impl<S> fmt::Debug for Of<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<S>())
    }
}

impl<S: Jobs> AnyJobs for Of<S> {
    fn state(&self) -> StateKey {
        StateKey::of::<S>()
    }

    fn keep(&self, engine: &Arc<Engine>) {
        engine.keep_jobs();
    }

    fn known(&self, states: &States, handle: &RawValue, wraps: bool) -> Result<Arc<dyn AskJob>, String> {
        Ok(Arc::new(Known { job: open::<S>(states)(handle)?, wraps }))
    }

    fn left(
        &self,
        states: &States,
        work: ToolFuture,
        wraps: bool,
        interval: Duration,
        cx: Context,
    ) -> ToolFuture {
        Box::pin(left_to_job(work, open::<S>(states), wraps, interval, cx))
    }
}

fn open<S: Jobs>(states: &States) -> OpenJob {
    let service = states.get::<S>().into_inner();
    Box::new(move |handle| match serde_json::from_str(handle.get()) {
        Ok(handle) => Ok(Arc::new(Opened { service: Arc::clone(&service), handle })),
        Err(error) => Err(format!("its handle {handle} cannot be read: {error}")),
    })
}

struct Opened<S: Jobs> {
    service: Arc<S>,
    handle: S::Handle,
}

impl<S: Jobs> AnyJob for Opened<S> {
    fn poll(self: Arc<Self>) -> JobFuture<JobStatus<Result<ToolResult, ToolError>>> {
        Box::pin(async move {
            let polled = self.service.poll(&self.handle).await;
            polled.map(|status| status.map(JobOutput::into_result)).map_err(|error| format!("{error:#}"))
        })
    }

    fn cancel(self: Arc<Self>) -> JobFuture<()> {
        Box::pin(async move { self.service.cancel(&self.handle).await.map_err(|error| format!("{error:#}")) })
    }
}

impl ToolResult {
    /// A job that a tool has begun, which is to give the result; for tools that are written by hand, and say so in their
    /// definition ([`ToolDefinition::job`](crate::dynamic::ToolDefinition::job)).
    ///
    /// Fails if the handle's `Serialize` does.
    pub fn job<S: Jobs>(job: Job<S>) -> Result<Self, ToolError> {
        job.handle.map(Self::of_job).map_err(|error| unwritten(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Film {
        url: &'static str,
    }

    #[test]
    fn what_a_job_gives_is_what_a_tool_that_returned_it_would_give() {
        let film = Film { url: "a" }.into_result().expect("it is JSON");
        assert_eq!(film.content(), [Content::text(r#"{"url":"a"}"#)]);
        assert!(Film::schema().schema.is_some());
        assert_eq!("text".to_owned().into_result().expect("text").content(), [Content::text("text")]);
        assert_eq!(5u8.into_result().expect("a number").content(), [Content::text("5")]);
        assert!(().into_result().expect("nothing").content().is_empty());
        assert!(String::schema().schema.is_none() && <()>::schema().schema.is_none());
    }
}
