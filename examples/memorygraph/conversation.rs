//! Chats as memories: each message is one, and follows the one before.
//!
//! Four forms are understood: JSON lines of messages, an object with `messages`, and what Claude and `ChatGPT` export. A
//! message is known again by its conversation, who said it, and what; so a chat that is imported again, and has grown
//! meanwhile, brings only what is new.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::error::{GraphError, Refusal};
use crate::import::{Document, FORMAT_VERSION};
use crate::model::Moment;

/// Characters of a message that are its title.
const TITLE: usize = 80;

/// A chat.
struct Conversation {
    /// By which it is known again; without one, its first message is.
    id: Option<String>,
    title: Option<String>,
    messages: Vec<Message>,
}

struct Message {
    role: String,
    text: String,
    at: Option<Moment>,
}

/// The chats of `text` as a document to be imported, in this project if one is given.
pub(crate) fn document(text: &str, project_path: Option<&str>) -> Result<Document, GraphError> {
    let mut memories = Vec::new();
    let mut relationships = Vec::new();
    for conversation in read(text)? {
        let mut before: Option<String> = None;
        for (id, message) in conversation.named() {
            if let Some(before) = before.replace(id.clone()) {
                relationships
                    .push(json!({ "from_memory_id": id, "to_memory_id": before, "type": "FOLLOWS" }));
            }
            memories.push(conversation.memory(&id, message, project_path));
        }
    }
    let document =
        json!({ "format_version": FORMAT_VERSION, "memories": memories, "relationships": relationships });
    Document::parse(&document.to_string())
}

impl Conversation {
    /// Its messages, each with the id of its memory.
    fn named(&self) -> impl Iterator<Item = (String, &Message)> {
        let first = self.messages.first().map_or("", |message| message.text.as_str());
        let key = self.id.as_deref().unwrap_or(first);
        let mut said: HashMap<(&str, &str), usize> = HashMap::new();
        self.messages.iter().map(move |message| {
            // Who says the same twice in a conversation has said two things.
            let times = said.entry((&message.role, &message.text)).or_default();
            *times += 1;
            let name = [key, &message.role, &message.text, &times.to_string()].join("\u{0}");
            (format!("chat-{:032x}", fingerprint(&name)), message)
        })
    }

    fn memory(&self, id: &str, message: &Message, project_path: Option<&str>) -> Value {
        let start: String = message.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = format!("{}: {start}", message.role).chars().take(TITLE).collect();
        let mut context = Map::new();
        let known = [
            ("project_path", project_path),
            ("session_id", self.id.as_deref()),
            ("conversation", self.title.as_deref()),
        ];
        context.extend(known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
        json!({
            "id": id, "type": "conversation", "title": title, "content": message.text,
            "tags": ["conversation", message.role], "created_at": message.at, "context": context,
        })
    }
}

/// FNV-1a of 128 bits, which is the same in every build.
fn fingerprint(text: &str) -> u128 {
    let mix = |hash: u128, byte: u8| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    };
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, mix)
}

/// The chats of a text, whichever form it has.
fn read(text: &str) -> Result<Vec<Conversation>, GraphError> {
    let malformed = |error| GraphError::Refused(Refusal::NoConversation(error));
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(items)) if items.iter().any(|item| item["role"].is_string()) => {
            Ok(vec![plain(&Value::Null, &items)])
        }
        Ok(Value::Array(items)) => Ok(items.iter().map(conversation).collect()),
        Ok(whole) if whole["role"].is_null() => Ok(vec![conversation(&whole)]),
        // One line of many, or the only one.
        _ => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let lines: Vec<Value> =
                lines.map(serde_json::from_str).collect::<Result<_, _>>().map_err(malformed)?;
            // Lines of several sessions may stand in one file.
            let mut sessions: Vec<(Value, Vec<Value>)> = Vec::new();
            for line in lines {
                let session = line["session_id"].clone();
                match sessions.iter_mut().find(|(known, _)| *known == session) {
                    Some((_, lines)) => lines.push(line),
                    None => sessions.push((session, vec![line])),
                }
            }
            Ok(sessions.iter().map(|(session, lines)| plain(&json!({ "id": session }), lines)).collect())
        }
    }
}

/// A chat as an object.
fn conversation(value: &Value) -> Conversation {
    match (&value["chat_messages"], &value["mapping"], &value["messages"]) {
        (Value::Array(messages), ..) => plain(value, messages),
        (_, Value::Object(nodes), _) => tree(value, nodes),
        (.., Value::Array(messages)) => plain(value, messages),
        _ => plain(value, &[]),
    }
}

fn plain(whole: &Value, messages: &[Value]) -> Conversation {
    Conversation {
        id: text_of(whole, &["uuid", "conversation_id", "session_id", "id"]),
        title: text_of(whole, &["title", "name"]),
        messages: messages.iter().filter_map(message).collect(),
    }
}

/// `ChatGPT` keeps every branch of a chat; the one that ends at `current_node` is what was read.
fn tree(whole: &Value, nodes: &Map<String, Value>) -> Conversation {
    let mut path = Vec::new();
    let mut at = whole["current_node"].as_str();
    // A chat whose nodes go round in circles ends when each was met once.
    while let Some(node) = at.and_then(|id| nodes.get(id)).filter(|_| path.len() < nodes.len()) {
        path.push(node["message"].clone());
        at = node["parent"].as_str();
    }
    path.reverse();
    plain(whole, &path)
}

/// A message with something in it.
fn message(value: &Value) -> Option<Message> {
    let role = text_of(value, &["role", "sender"]).or_else(|| text_of(&value["author"], &["role"]))?;
    let text = ["content", "text", "parts"]
        .iter()
        .map(|key| words(&value[*key]))
        .find(|text| !text.trim().is_empty())?;
    let at = ["timestamp", "created_at", "create_time"].iter().find_map(|key| moment(&value[*key]));
    Some(Message { role, text, at })
}

/// A text, the texts of a list, or what an object has as `text` or `parts`.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts = items.iter().map(words).filter(|text| !text.is_empty());
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Object(object) => {
            object.get("text").or_else(|| object.get("parts")).map(words).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn text_of(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| value[*key].as_str()).map(str::to_owned)
}

/// ISO 8601, or seconds since 1970.
fn moment(value: &Value) -> Option<Moment> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => {
            let micros = seconds.as_f64().map(|seconds| seconds * 1e6)?;
            (0.0..9e15).contains(&micros).then(|| Moment::from_micros(micros as i64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::now;
    use crate::graph::{Graph, OnDuplicate};
    use crate::import::{self, Report};
    use crate::store::Place;
    use mcp_runtime::Context;

    fn import(graph: &Graph, text: &str) -> Report {
        let document = document(text, Some("/srv/shop")).expect("a chat");
        now(import::run(graph, document, OnDuplicate::Skip, &Context::detached())).expect("is imported")
    }

    fn graph() -> Graph {
        Graph::open(Place::Nowhere).expect("memory is there")
    }

    /// What was said, in the order of places.
    fn said(graph: &Graph) -> Vec<String> {
        graph.read(|tables| tables.memories().map(|(_, memory)| memory.content.clone()).collect())
    }

    #[test]
    fn a_chat_is_understood_in_each_form() {
        let lines =
            "{\"role\":\"user\",\"content\":\"Hello?\"}\n\n{\"role\":\"assistant\",\"content\":\"Yes.\"}\n";
        let messages = json!({ "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "Hello?" }] },
            { "role": "assistant", "content": "Yes." }
        ] });
        let claude = json!([{ "uuid": "u", "name": "A chat", "chat_messages": [
            { "sender": "human", "text": "Hello?", "created_at": "2026-01-01T00:00:00Z" },
            { "sender": "assistant", "text": "Yes." }
        ] }]);
        let chatgpt = json!([{ "title": "A chat", "current_node": "c", "mapping": {
            "root": { "message": null, "parent": null },
            "a": { "message": { "author": { "role": "user" }, "content": { "parts": ["Hello?"] }, "create_time": 1.5 }, "parent": "root" },
            "b": { "message": { "author": { "role": "assistant" }, "content": { "parts": ["No."] } }, "parent": "a" },
            "c": { "message": { "author": { "role": "assistant" }, "content": { "parts": ["Yes."] } }, "parent": "a" }
        } }]);
        for form in [
            lines.to_owned(),
            messages["messages"].to_string(),
            messages.to_string(),
            claude.to_string(),
            chatgpt.to_string(),
        ] {
            let graph = graph();
            let report = import(&graph, &form);
            assert_eq!((report.memories.imported, report.relationships.imported), (2, 1), "{form}");
            assert_eq!(said(&graph), ["Hello?", "Yes."], "{form}");
        }
    }

    #[test]
    fn a_chat_that_has_grown_brings_only_what_is_new() {
        let graph = graph();
        let chat = |said: &[&str]| {
            let lines = said
                .iter()
                .map(|text| json!({ "role": "user", "content": text, "session_id": "s" }).to_string());
            lines.collect::<Vec<_>>().join("\n")
        };
        import(&graph, &chat(&["One", "ok", "Two"]));
        let report = import(&graph, &chat(&["One", "ok", "Two", "ok"]));
        assert_eq!((report.memories.imported, report.memories.skipped), (1, 3));
        assert_eq!((report.relationships.imported, report.relationships.failed), (1, 0));
        assert_eq!(said(&graph), ["One", "ok", "Two", "ok"], "who says the same again has said two things");
    }

    #[test]
    fn what_is_no_chat_is_refused() {
        let error = document("no chat at all", None).expect_err("is none");
        assert!(
            error.to_string().starts_with("Nothing was imported: the text is no conversation"),
            "{error}"
        );
    }
}
