//! What a resource is: its definition, its URI or URI template, and what it holds.

mod definition;
mod output;
mod template;

use std::pin::Pin;

pub use definition::ResourceDefinition;
pub(crate) use definition::{DescribedResource, is_uri};
pub use output::{AsJson, Present, Readable, ResourceOutput, ResourceResult, Unreadable, Whole};
pub(crate) use template::Template;

use crate::Context;
use crate::protocol::ProtocolError;
use crate::tool::{Arguments, InvalidArguments, States};

/// What runs when a resource is read. `None` says that there is no such resource.
pub type ResourceFuture = Pin<Box<dyn Future<Output = Result<Option<ResourceResult>, ProtocolError>> + Send>>;

/// One `resources/read`: what came from the client, and what the server holds.
#[derive(Debug)]
pub struct ResourceCall<'a> {
    /// The URI that was asked for.
    pub uri: &'a str,
    /// The values of the template's variables; none if the URI is fixed.
    pub arguments: Arguments<'a>,
    /// The values given to [`Server::state`](crate::Server::state).
    pub states: &'a States,
}

/// A resource that a server can offer, or a template that stands for many.
///
/// `#[resource]` writes this for a function. Write it by hand for resources that are only known when the program runs:
///
/// ```
/// use mcp_runtime::dynamic::{InvalidArguments, ResourceCall, ResourceDefinition, ResourceFuture};
/// use mcp_runtime::prelude::*;
///
/// struct Page { name: String, text: String }
///
/// impl Resource for Page {
///     fn definition(&self) -> ResourceDefinition {
///         ResourceDefinition::new(format!("manual://{}", self.name), self.name.clone()).mime_type("text/markdown")
///     }
///
///     fn read(&self, _call: ResourceCall<'_>, _cx: Context) -> Result<ResourceFuture, InvalidArguments> {
///         let text = self.text.clone();
///         Ok(Box::pin(async move { Ok(Some(ResourceResult::text(text))) }))
///     }
/// }
/// # let _ = Page { name: "intro".into(), text: "# Welcome".into() };
/// ```
///
/// # Which one is read
///
/// A URI that is offered as it is goes before every template. Of the templates that match, the one with the most
/// characters outside of variables is read. Two that match exactly the same URIs are an error when the server is built.
///
/// # Templates
///
/// [RFC 6570](https://www.rfc-editor.org/rfc/rfc6570) as far as a URI can be read back by it: `{name}` is one or more
/// characters other than `/`, `?` and `#`; one `{+name}` (or `{name*}`) in a template is one or more of any. Values are
/// percent-decoded. A value with `..` between slashes matches nothing, so that a path made of it stays where it should.
pub trait Resource: Send + Sync + 'static {
    /// What `resources/list` or `resources/templates/list` says of this resource. Asked once, when it is offered.
    fn definition(&self) -> ResourceDefinition;

    /// Takes the variables, and gives the future that reads.
    ///
    /// Nothing may be done before the future is first polled. Dropping the future is how the request is cancelled.
    fn read(&self, call: ResourceCall<'_>, cx: Context) -> Result<ResourceFuture, InvalidArguments>;
}
