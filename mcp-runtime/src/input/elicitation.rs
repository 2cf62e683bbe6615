//! `cx.elicit::<T>(..)` and `cx.elicit_url(..)`: asking a person.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{InputError, InputMethod, InputRequest, form};
use crate::protocol::capabilities::Capability;
use crate::resource::is_uri;
use crate::task::Context;

/// What a person did with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elicited<T> {
    /// Filled the form in, or agreed to visit the page.
    Accepted(T),
    /// Said no.
    Declined,
    /// Closed the question without an answer.
    Cancelled,
}

impl<T> Elicited<T> {
    /// What was filled in, if it was.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(value) => Some(value),
            Self::Declined | Self::Cancelled => None,
        }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Elicited<U> {
        match self {
            Self::Accepted(value) => Elicited::Accepted(change(value)),
            Self::Declined => Elicited::Declined,
            Self::Cancelled => Elicited::Cancelled,
        }
    }
}

/// A form for a person, from [`Context::elicit`]. Await it.
#[must_use = "a question is asked when it is awaited"]
pub struct Elicit<'a, T> {
    cx: &'a Context,
    message: String,
    key: Option<String>,
    answer: PhantomData<fn() -> T>,
}

/// A page for a person to visit, from [`Context::elicit_url`]. Await it.
#[derive(Clone, Debug)]
#[must_use = "a question is asked when it is awaited"]
pub struct ElicitUrl<'a> {
    cx: &'a Context,
    message: String,
    url: String,
    key: Option<String>,
}

impl Context {
    /// Asks a person to fill in a form, whose fields are those of `T` (`elicitation/create`).
    ///
    /// `T` derives `Deserialize` and `JsonSchema`, and is flat: texts, numbers, booleans, enums without data, and lists of
    /// such enums. Doc comments are the descriptions of fields; the doc comment or `#[schemars(title = "..")]` of a variant
    /// is how it is shown; `#[serde(default = "..")]` fills a field in beforehand.
    ///
    /// ```
    /// use mcp_runtime::prelude::*;
    ///
    /// #[derive(Deserialize, JsonSchema)]
    /// struct Confirm {
    ///     /// Really delete it?
    ///     sure: bool,
    /// }
    ///
    /// /// Delete a file.
    /// #[tool(task)]
    /// async fn delete(
    ///     /// Its path.
    ///     path: String,
    ///     cx: Context,
    /// ) -> Result<String, ToolError> {
    ///     match cx.elicit::<Confirm>(format!("Delete {path}?")).await? {
    ///         Elicited::Accepted(Confirm { sure: true }) => Ok(format!("{path} is gone")),
    ///         _ => Ok(format!("{path} stays")),
    ///     }
    /// }
    /// # let _ = tools![delete];
    /// ```
    ///
    /// # How a function waits
    ///
    /// In a task, and for clients of the legacy wire, it just waits. A plain call of the modern wire ends here with
    /// `input_required`, and the client calls again with the answer: then the function runs once more from its beginning,
    /// and this gives the answer at once. So what stands before a question may run again; what must not is a
    /// [`step`](Self::step). Questions that are awaited together (`tokio::join!`) go out together.
    ///
    /// An answer belongs to the question as it was shown, so a question that says something else the next time is asked
    /// again: what changes by itself, such as the time, should come from a step, or the question should have a
    /// [key](Elicit::key). The same question, or key, is known by its turn where it is asked several times; branches that
    /// run side by side should not share one.
    ///
    /// Cancel safe: a question whose future is dropped is withdrawn.
    ///
    /// # Errors
    ///
    /// [`InputError::Unsupported`] if the client did not declare `elicitation`; see [`InputError`] for the others.
    pub fn elicit<T: DeserializeOwned + JsonSchema + Send>(
        &self,
        message: impl Into<String>,
    ) -> Elicit<'_, T> {
        Elicit { cx: self, message: message.into(), key: None, answer: PhantomData }
    }

    /// Asks a person to visit a page, for what must not go through the client: passwords, payments, consent of others.
    ///
    /// [`Elicited::Accepted`] means that the person agreed to go there, and not that they are done.
    ///
    /// # Errors
    ///
    /// [`InputError::Unsupported`] if the client did not declare `elicitation.url`; [`InputError::Malformed`] if the URL is
    /// none.
    pub fn elicit_url(&self, message: impl Into<String>, url: impl Into<String>) -> ElicitUrl<'_> {
        ElicitUrl { cx: self, message: message.into(), url: url.into(), key: None }
    }
}

impl<T> Elicit<'_, T> {
    /// What the question is called on the wire, and in what a call remembers. Default: `elicitation` and a digest of what is asked.
    ///
    /// A question with a key of its own is known by that alone: it may say something else each time.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl ElicitUrl<'_> {
    /// What the question is called on the wire, and in what a call remembers. Default: `elicitation` and a digest of what is asked.
    ///
    /// A question with a key of its own is known by that alone: it may say something else each time.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// Whether a text is a whole URL: "The `url` parameter MUST contain a valid URL". Where it leads is the author's affair.
fn is_absolute(url: &str) -> bool {
    is_uri(url) && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An `ElicitResult`.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Action<T> {
    Accept { content: Option<T> },
    Decline,
    Cancel,
}

impl<T> Action<T> {
    fn elicited(self) -> Elicited<Option<T>> {
        match self {
            Self::Accept { content } => Elicited::Accepted(content),
            Self::Decline => Elicited::Declined,
            Self::Cancel => Elicited::Cancelled,
        }
    }
}

impl<'a, T: DeserializeOwned + JsonSchema + Send + 'a> IntoFuture for Elicit<'a, T> {
    type Output = Result<Elicited<T>, InputError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let schema = form::of::<T>().map_err(InputError::NotAForm)?;
            // Without a mode, which is a form everywhere: revision 2025-06-18 has no modes.
            let params = json!({ "message": self.message, "requestedSchema": schema });
            let request = InputRequest::new(InputMethod::Elicit, &params)?;
            let response = self.cx.ask([Capability::Elicitation], self.key, request).await?;
            match response.read::<Action<T>>()?.elicited() {
                Elicited::Accepted(None) => Err(InputError::Unfit("`content` is missing".to_owned())),
                Elicited::Accepted(Some(content)) => Ok(Elicited::Accepted(content)),
                Elicited::Declined => Ok(Elicited::Declined),
                Elicited::Cancelled => Ok(Elicited::Cancelled),
            }
        })
    }
}

impl<'a> IntoFuture for ElicitUrl<'a> {
    type Output = Result<Elicited<()>, InputError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if !is_absolute(&self.url) {
                let what = format!("`{}` is no URL that a person could visit", self.url);
                return Err(InputError::Malformed(what));
            }
            let params = json!({ "mode": "url", "message": self.message, "url": self.url });
            let request = InputRequest::new(InputMethod::Elicit, &params)?;
            let response = self.cx.ask([Capability::ElicitationUrl], self.key, request).await?;
            Ok(response.read::<Action<serde::de::IgnoredAny>>()?.elicited().map(|_| ()))
        })
    }
}

impl<T> fmt::Debug for Elicit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elicit")
            .field("message", &self.message)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_a_whole_url() {
        for url in ["https://example.com/connect?id=1#here", "vscode://settings", "https://[::1]:8080/%20"] {
            assert!(is_absolute(url), "{url}");
        }
        for wrong in
            ["", "/connect", "example.com/connect", "https:", "https://a b", "https://ä.example", "1://a"]
        {
            assert!(!is_absolute(wrong), "{wrong}");
        }
    }
}
