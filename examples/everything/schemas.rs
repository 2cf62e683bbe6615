//! What a client is told of arguments beyond their types: headers that repeat them, and schemas written by hand.

use mcp_runtime::dynamic::{InvalidArguments, ToolCall, ToolDefinition, ToolFuture};
use mcp_runtime::prelude::*;
use serde_json::{Value, json};

/// Take a text that HTTP clients repeat as a header, so that a proxy may route by it.
#[tool(read_only)]
pub(crate) async fn test_custom_header(
    /// The text, which is also the header `Mcp-Param-Value`.
    #[arg(header = "Value")]
    value: String,
) -> String {
    format!("The value is '{value}'.")
}

/// A tool whose schema is known as JSON only, as those of a document that is read at start are.
///
/// Where a function's parameters can say it, `#[tool]` on a function is simpler.
pub(crate) struct Contact;

impl Tool for Contact {
    fn definition(&self) -> ToolDefinition {
        ToolDefinition::new(
            "json_schema_2020_12_tool",
            "Take a person's address, by a schema that says all it can.",
        )
        .input_schema(contact_schema())
    }

    fn call(&self, call: ToolCall<'_>, _cx: Context) -> Result<ToolFuture, InvalidArguments> {
        // The arguments are held against the schema here.
        let contact: Value = call.arguments.whole()?;
        Ok(Box::pin(async move { Ok(ToolResult::text(format!("Known: {contact}"))) }))
    }
}

fn contact_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } }
            }
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" }
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false
    })
}
