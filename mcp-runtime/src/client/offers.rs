//! What else a server offers: prompts, resources, completions; and lists, which come in pages.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::Client;
use super::ask::Ask;
use super::error::Error;
use super::tools::Pages;

/// Pages that a list may have; more is a server that does not come to an end.
const PAGES: usize = 10_000;

impl Client {
    /// The server's prompts, all pages of them, as the specification writes them.
    pub async fn list_prompts(&self) -> Result<Vec<Value>, Error> {
        self.pages("prompts/list", "prompts").await.map(|pages| pages.items)
    }

    /// The server's resources, all pages of them, as the specification writes them.
    pub async fn list_resources(&self) -> Result<Vec<Value>, Error> {
        self.pages("resources/list", "resources").await.map(|pages| pages.items)
    }

    /// The templates of the server's resources, all pages of them, as the specification writes them.
    pub async fn list_resource_templates(&self) -> Result<Vec<Value>, Error> {
        self.pages("resources/templates/list", "resourceTemplates").await.map(|pages| pages.items)
    }

    /// A prompt, filled in: its `messages`, and a `description` if there is one. `arguments` is an object of texts.
    ///
    /// What the server asks meanwhile is answered by the client's handlers.
    pub async fn get_prompt(&self, name: &str, arguments: Value) -> Result<Value, Error> {
        let params = json!({ "name": name, "arguments": arguments });
        self.complete_result(Ask::new("prompts/get", params, self.settings())).await
    }

    /// What a resource holds: its `contents`.
    ///
    /// What the server asks meanwhile is answered by the client's handlers.
    pub async fn read_resource(&self, uri: &str) -> Result<Value, Error> {
        let params = json!({ "uri": uri });
        self.complete_result(Ask::new("resources/read", params, self.settings())).await
    }

    /// The result of a request that is never a task.
    async fn complete_result(&self, ask: Ask) -> Result<Value, Error> {
        let method = ask.method;
        let result = self.with_rounds(Ask { patience: None, ..ask }).await?;
        // "A `resultType` of any value unrecognized by the client MUST be considered invalid."
        match result["resultType"].as_str() {
            None | Some("complete") => Ok(result),
            Some(other) => Err(Error::malformed(format_args!(
                "the answer to {method} is of the unknown type \"{other}\""
            ))),
        }
    }

    /// What an argument of a prompt or a variable of a template may go on with (`completion/complete`). `reference` and
    /// `argument` are as the specification writes them.
    pub async fn complete(&self, reference: Value, argument: Value) -> Result<Vec<String>, Error> {
        let params = json!({ "ref": reference, "argument": argument });
        let result =
            self.connection().request(&Ask::new("completion/complete", params, self.settings())).await?;
        serde_json::from_value(result["completion"]["values"].clone()).map_err(Error::malformed)
    }

    /// Sends any other request of the protocol, and gives its result as it is. What the revision wants in `_meta` is added.
    ///
    /// If the answer is lost, the request is not sent again.
    pub async fn request(&self, method: &'static str, params: Value) -> Result<Value, Error> {
        self.connection().request(&Ask::call(method, params, self.settings())).await
    }

    /// All pages of a list.
    pub(super) async fn pages(&self, method: &'static str, member: &str) -> Result<Pages, Error> {
        let (mut items, mut ttl, mut seen) = (Vec::new(), None, HashSet::new());
        let mut params = json!({});
        for _ in 0..PAGES {
            let mut page = self.connection().request(&Ask::new(method, params, self.settings())).await?;
            match page[member].take() {
                Value::Array(more) => items.extend(more),
                _ => return Err(Error::malformed(format_args!("the answer to {method} has no `{member}`"))),
            }
            let fresh = Duration::from_millis(page["ttlMs"].as_u64().unwrap_or(0));
            ttl = Some(ttl.map_or(fresh, |ttl: Duration| ttl.min(fresh)));
            match page["nextCursor"].take() {
                Value::String(cursor) => {
                    if !seen.insert(cursor.clone()) {
                        break;
                    }
                    params = json!({ "cursor": cursor });
                }
                _ => return Ok(Pages { items, ttl: ttl.unwrap_or_default() }),
            }
        }
        Err(Error::malformed(format_args!("the pages of {method} do not come to an end")))
    }
}
