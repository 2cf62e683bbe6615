//! An export as an agent hands it over: as an object, or as text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::GraphError;
use crate::import::Document;

/// A document that is still to be read.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Export(Box<RawValue>);

impl Export {
    /// Reads the document. It takes a while for a large one: call it where it may block.
    pub(super) fn read(&self) -> Result<Document, GraphError> {
        match serde_json::from_str::<String>(self.0.get()) {
            Ok(text) => Document::parse(&text),
            Err(_) => Document::parse(self.0.get()),
        }
    }
}

impl JsonSchema for Export {
    fn schema_name() -> Cow<'static, str> {
        "Export".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "object" }, { "type": "string" }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_may_be_an_object_or_its_text() {
        let object = r#"{ "format_version": "2.0", "memories": [], "relationships": [] }"#;
        let text = serde_json::to_string(object).expect("serializes");
        for given in [object, &text] {
            let export: Export = serde_json::from_str(given).expect("is JSON");
            export.read().expect("is a document");
        }
        let export: Export = serde_json::from_str("7").expect("is JSON");
        assert!(export.read().is_err());
    }
}
