//! `cx.roots()`: where the client works.

use std::future::IntoFuture;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{InputError, InputMethod, InputRequest};
use crate::protocol::capabilities::Capability;
use crate::task::Context;

/// A place that the client works in, for a server that should keep to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Where it is; today always a `file://` URI.
    pub uri: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A question for the client's roots, from [`Context::roots`]. Await it.
#[derive(Clone, Debug)]
#[must_use = "a question is asked when it is awaited"]
pub struct ListRoots<'a> {
    cx: &'a Context,
    key: Option<String>,
}

impl Context {
    /// Asks the client for its roots (`roots/list`).
    ///
    /// Fails with [`InputError::Unsupported`] if the client did not declare them. See [`elicit`](Self::elicit) on how
    /// a function waits for an answer.
    pub fn roots(&self) -> ListRoots<'_> {
        ListRoots { cx: self, key: None }
    }
}

impl ListRoots<'_> {
    /// What the question is called on the wire. Default: `roots`.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl<'a> IntoFuture for ListRoots<'a> {
    type Output = Result<Vec<Root>, InputError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        #[derive(Deserialize)]
        struct Roots {
            roots: Vec<Root>,
        }
        Box::pin(async move {
            let request = InputRequest::new(InputMethod::ListRoots, &json!({}))?;
            let response = self.cx.ask([Capability::Roots], self.key, request).await?;
            response.read::<Roots>().map(|roots| roots.roots)
        })
    }
}
