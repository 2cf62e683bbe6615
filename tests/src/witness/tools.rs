//! What tools promise of themselves when they are listed, and whether they keep it.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::Value;

use super::{Checked, wrong};
use crate::MODERN;

/// The output schemas of the tools that were listed, by wire and name.
#[derive(Debug, Default)]
pub(super) struct Tools(HashMap<(bool, String), Option<Validator>>);

fn compile(tool: &Value, member: &str) -> Result<Option<Validator>, String> {
    let Some(schema) = tool.get(member) else { return Ok(None) };
    let validator = jsonschema::draft202012::options().build(schema);
    validator.map(Some).map_err(|error| format!("`{member}` of {} is no schema: {error}", tool["name"]))
}

impl Tools {
    /// Judges what `tools/list` says.
    pub(super) fn listed(&mut self, revision: &str, result: &Value) -> Checked {
        for tool in result["tools"].as_array().into_iter().flatten() {
            let name = tool["name"].as_str().unwrap_or_default();
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            if !(1..=128).contains(&name.len()) || !name.chars().all(allowed) {
                return wrong(format!("{name:?} is no name for a tool"));
            }
            if tool.get("execution").is_some() && revision != crate::LEGACY {
                return wrong(format!("`execution` is a word of {}", crate::LEGACY));
            }
            compile(tool, "inputSchema")?;
            self.0.insert((revision == MODERN, name.to_owned()), compile(tool, "outputSchema")?);
        }
        Ok(())
    }

    /// Judges a result: "Servers MUST provide structured results that conform to this schema."
    pub(super) fn gave(&self, revision: &str, tool: &Value, result: &Value) -> Checked {
        let key = (revision == MODERN, tool.as_str().unwrap_or_default().to_owned());
        let Some(Some(validator)) = self.0.get(&key) else { return Ok(()) };
        if result["isError"] == true {
            return Ok(());
        }
        let Some(structured) = result.get("structuredContent") else {
            return wrong(format!("{tool} promised structured content"));
        };
        if let Some(error) = validator.iter_errors(structured).next() {
            return wrong(format!("the structured content of {tool} breaks its schema: {error}"));
        }
        Ok(())
    }
}
