//! The official JSON schemas, and the check of a value against one of their definitions.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::program::skipped;

/// The schemas of all revisions.
#[derive(Debug)]
pub struct Schemas {
    documents: BTreeMap<String, Value>,
    validators: Mutex<HashMap<(String, String), Arc<Validator>>>,
}

/// Names of definitions that an earlier revision spells otherwise.
const EARLIER_NAMES: [(&str, &str); 2] =
    [("JSONRPCResultResponse", "JSONRPCResponse"), ("JSONRPCErrorResponse", "JSONRPCError")];

impl Schemas {
    /// The schemas in the folder that `MCP_SCHEMA_DIR` names; `None`, said aloud once, if it names none.
    pub fn get() -> Option<&'static Self> {
        static SCHEMAS: OnceLock<Option<Schemas>> = OnceLock::new();
        let read = || {
            let folder = std::env::var_os("MCP_SCHEMA_DIR");
            if folder.is_none() {
                skipped("schemas: `MCP_SCHEMA_DIR` is not set, so no message is held against its schema");
            }
            folder.map(|folder| Self::read(folder.as_ref()))
        };
        SCHEMAS.get_or_init(read).as_ref()
    }

    fn read(folder: &Path) -> Self {
        let mut documents = BTreeMap::new();
        let files = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("the schemas in {} cannot be read: {error}", folder.display()));
        for file in files {
            let path = file.expect("the folder of the schemas can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(revision) = name.strip_suffix(".schema.json") {
                let text = std::fs::read_to_string(&path).expect("a schema can be read");
                let document = serde_json::from_str(&text).expect("a schema is JSON");
                documents.insert(revision.to_owned(), document);
            }
        }
        for needed in [crate::LEGACY, crate::MODERN, "ext-tasks"] {
            assert!(documents.contains_key(needed), "{} has no {needed}.schema.json", folder.display());
        }
        Self { documents, validators: Mutex::default() }
    }

    /// What is wrong with a value, in the eyes of a definition. A revision without a schema of its own is judged by
    /// the next later one.
    pub fn check(&self, revision: &str, definition: &str, value: &Value) -> Result<(), String> {
        let wrong: Vec<String> = self
            .validator(revision, definition)
            .iter_errors(value)
            .map(|error| format!("at `{}`: {error}", error.instance_path()))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("it is no {definition} of {revision}:\n  {}", wrong.join("\n  ")))
    }

    fn validator(&self, revision: &str, definition: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (revision.to_owned(), definition.to_owned());
        Arc::clone(validators.entry(key).or_insert_with(|| Arc::new(self.compile(revision, definition))))
    }

    fn compile(&self, revision: &str, definition: &str) -> Validator {
        let (_, document) =
            self.documents.range(revision.to_owned()..).next().expect("later revisions have schemas");
        let place = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
        let definitions = &document[place];
        let earlier = EARLIER_NAMES.iter().find(|(name, _)| *name == definition).map(|(_, earlier)| *earlier);
        let name = [Some(definition), earlier]
            .into_iter()
            .flatten()
            .find(|name| definitions.get(name).is_some())
            .unwrap_or_else(|| panic!("the schema of {revision} defines no {definition}"));
        let schema = json!({
            "$schema": document["$schema"],
            place: definitions,
            "allOf": [{ "$ref": format!("#/{place}/{name}") }]
        });
        jsonschema::validator_for(&schema).expect("the official schemas are schemas")
    }
}
