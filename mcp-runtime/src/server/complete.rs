//! Suggests values for an argument, from what its type says or from its author's function.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Map;

use super::Shared;
use super::call::Begun;
use super::catalogue::shortened;
use crate::completion::Completions;
use crate::prompt::Suggestions;
use crate::protocol::ProtocolError;
use crate::protocol::payload::Payload;
use crate::wire::{Complete, Outcome, Reference};

impl Shared {
    /// Begins to complete. A function of the author's runs on another thread than the one that reads requests: it may
    /// take its time before it first waits.
    pub(super) fn complete(self: &Arc<Self>, request: Complete<'_>) -> Result<Begun, ProtocolError> {
        let Complete { reference, argument, typed } = request;
        let catalogue = self.catalogue();
        let (arguments, whose) = match &reference {
            Reference::Prompt { name } => (catalogue.arguments_of_prompt(name)?, name),
            Reference::Resource { uri } => (catalogue.variables_of_resource(uri)?, uri),
        };
        let Some(index) = arguments.iter().position(|known| known.name == *argument) else {
            return Err(ProtocolError::invalid_params(format!(
                "`{}` has no argument `{}`",
                shortened(whose),
                shortened(&argument)
            )));
        };
        match &arguments[index].suggestions {
            Suggestions::None => answer(Completions::default()).map(Begun::Now),
            Suggestions::Choices(values) => {
                answer(Completions::new(typed.among(values.iter().map(String::as_str)))).map(Begun::Now)
            }
            Suggestions::Function(_) => {
                let shared = Arc::clone(self);
                Ok(Begun::Look(Box::pin(async move {
                    tokio::task::yield_now().await;
                    match &arguments[index].suggestions {
                        Suggestions::Function(completer) => {
                            answer(completer.complete(typed, &shared.states).await?)
                        }
                        Suggestions::None | Suggestions::Choices(_) => answer(Completions::default()),
                    }
                })))
            }
        }
    }
}

fn answer(completion: Completions) -> Result<Outcome, ProtocolError> {
    #[derive(Serialize)]
    struct Completed {
        completion: Completions,
    }
    Payload::of_members(&Completed { completion }, &Map::new(), None)
        .map(Outcome::Result)
        .map_err(|error| ProtocolError::internal(error.to_string()))
}
