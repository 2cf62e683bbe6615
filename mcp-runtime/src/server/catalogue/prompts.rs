//! One prompt: how it is got, and how `prompts/list` shows it.

use std::sync::Arc;

use serde::Serialize;

use super::Check;
use super::listing::Audience;
use super::named::Entry;
use crate::prompt::{DescribedArgument, DescribedPrompt, Prompt, PromptCall, PromptResult};
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::write_json;
use crate::protocol::payload::Ending;
use crate::server::callee::{Callee, Traits};
use crate::server::run::{Begin, Work};
use crate::task::Context;
use crate::tool::States;
use crate::tool::{Arguments, Icon, Of};
use crate::wire::Call;

/// One prompt.
pub(crate) struct PromptEntry {
    prompt: Arc<dyn Prompt>,
    described: DescribedPrompt,
    traits: Traits,
}

impl PromptEntry {
    pub(super) fn new(prompt: Arc<dyn Prompt>, check: &mut Check<'_>) -> Self {
        let (described, wrong) = prompt.definition().describe();
        check((Self::NOUN, &described.name, &described.states), wrong);
        let traits = Traits::new(described.name.as_ref().into(), described.task, true);
        Self { prompt, described, traits }
    }

    pub(super) fn arguments(&self) -> &Arc<[DescribedArgument]> {
        &self.described.arguments
    }
}

impl Callee for PromptEntry {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn begin(&self, call: &Call<'_>, states: &States, cx: &Context) -> Result<Begin, ProtocolError> {
        let arguments = Arguments::new(Of::Prompt, call.arguments, &self.described.input);
        let getting = self
            .prompt
            .get(PromptCall { arguments, states }, cx.clone())
            .map_err(|invalid| ProtocolError::invalid_params(invalid.to_string()))?;
        Ok(Begin::Work(Work::Other(Box::pin(async move {
            Ending::encoded(getting.await.map(PromptResult::into_payload))
        }))))
    }
}

impl Entry for PromptEntry {
    const NOUN: &'static str = "prompt";
    const MEMBER: &'static str = "prompts";

    fn write(&self, out: &mut Vec<u8>, _: Audience) {
        let DescribedPrompt { name, title, description, icons, arguments, .. } = &self.described;
        write_json(out, &Listed { name, title: title.as_deref(), description, arguments, icons });
    }
}

/// A prompt as `prompts/list` shows it.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    description: &'a str,
    #[serde(skip_serializing_if = "<[DescribedArgument]>::is_empty")]
    arguments: &'a [DescribedArgument],
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
}
