//! Who the server is, and the answers to `initialize` and `server/discover`, written once.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::protocol::cache::CacheHint;
use crate::protocol::jsonrpc::write_json;
use crate::protocol::names::{self, meta};
use crate::protocol::payload::write_entry;
use crate::wire::legacy::Version;
use crate::wire::{Offer, Offered};

/// How long a client may take what `server/discover` says for fresh.
const DISCOVER_TTL: Duration = Duration::from_secs(3600);

/// What the server says of itself: the author's program, never this library.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Info {
    pub(crate) name: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<Cow<'static, str>>,
    pub(crate) version: Cow<'static, str>,
    #[serde(skip)]
    pub(crate) instructions: Option<Cow<'static, str>>,
}

/// The answers that never change while the server runs.
#[derive(Debug)]
pub(crate) struct Introductions {
    /// The `_meta` entry that names the server, in each result of the modern wire.
    pub(crate) server_meta: Arc<str>,
    pub(crate) discover: Arc<[u8]>,
    /// For each revision, with each choice of what is offered.
    initialize: Vec<(&'static str, Offered, Arc<[u8]>)>,
}

impl Info {
    fn server_meta(&self) -> String {
        let mut entry = Vec::new();
        write_json(&mut entry, meta::SERVER_INFO);
        entry.push(b':');
        write_json(&mut entry, self);
        String::from_utf8_lossy(&entry).into_owned()
    }

    /// Writes what every cacheable result of the modern wire carries, with a comma before each member.
    pub(crate) fn write_modern_members(&self, out: &mut Vec<u8>, cache: CacheHint) {
        write_entry(out, "resultType", "complete");
        cache.write(out);
        out.extend_from_slice(br#","_meta":{"#);
        out.extend_from_slice(self.server_meta().as_bytes());
        out.push(b'}');
    }

    pub(crate) fn introductions(&self, offered: Offered) -> Introductions {
        // Not everybody can be offered everything: see `Connection::offered`.
        let fewer = [offered, offered.without(Offer::TaskList)]
            .into_iter()
            .flat_map(|offered| [offered, offered.without(Offer::Changes)]);
        let initialize = fewer
            .flat_map(|offered| Version::all().map(move |version| (version, offered)))
            .map(|(version, offered)| (version.as_str(), offered, self.initialize(version, offered)))
            .collect();
        Introductions { server_meta: self.server_meta().into(), discover: self.discover(offered), initialize }
    }

    fn discover(&self, offered: Offered) -> Arc<[u8]> {
        let mut capabilities = capabilities(offered);
        if offered.has(Offer::Completions) {
            capabilities.insert("completions".to_owned(), json!({}));
        }
        let extensions = extensions(offered);
        if !extensions.is_empty() {
            capabilities.insert("extensions".to_owned(), extensions.into());
        }
        let mut out = vec![b'{'];
        write_entry(&mut out, "supportedVersions", &names::SUPPORTED);
        write_entry(&mut out, "capabilities", &capabilities);
        self.write_instructions(&mut out);
        self.write_modern_members(&mut out, CacheHint::public(DISCOVER_TTL));
        out.push(b'}');
        out.into()
    }

    fn initialize(&self, version: Version, offered: Offered) -> Arc<[u8]> {
        let mut capabilities = capabilities(offered);
        if offered.has(Offer::Completions) && version.names_completions() {
            capabilities.insert("completions".to_owned(), json!({}));
        }
        if offered.has_tasks() && version.has_tasks() {
            let kinds = [
                (Offer::ToolTasks, "tools", "call"),
                (Offer::PromptTasks, "prompts", "get"),
                (Offer::ResourceTasks, "resources", "read"),
            ];
            let requests = kinds.into_iter().filter(|(offer, ..)| offered.has(*offer));
            let requests: Map<String, Value> =
                requests.map(|(_, kind, verb)| (kind.to_owned(), json!({ (verb): {} }))).collect();
            let mut tasks = json!({ "cancel": {}, "requests": requests });
            if offered.has(Offer::TaskList) {
                tasks["list"] = json!({});
            }
            capabilities.insert("tasks".to_owned(), tasks);
        }
        let mut out = vec![b'{'];
        write_entry(&mut out, "protocolVersion", version.as_str());
        write_entry(&mut out, "capabilities", &capabilities);
        write_entry(&mut out, "serverInfo", self);
        self.write_instructions(&mut out);
        out.push(b'}');
        out.into()
    }

    fn write_instructions(&self, out: &mut Vec<u8>) {
        if let Some(instructions) = &self.instructions {
            write_entry(out, "instructions", instructions);
        }
    }
}

/// The extensions of the modern wire.
fn extensions(offered: Offered) -> Map<String, Value> {
    let mut extensions = Map::new();
    if offered.has(Offer::ToolTasks) {
        // Clients take any setting in here for an extension that they do not know.
        extensions.insert(names::TASKS_EXTENSION.to_owned(), json!({}));
    }
    #[cfg(feature = "skills")]
    if offered.has(Offer::Skills) {
        extensions.insert(names::SKILLS_EXTENSION.to_owned(), json!({ "directoryRead": true }));
    }
    extensions
}

/// The capabilities that all wires name alike. What has no entry here has no methods either.
fn capabilities(offered: Offered) -> Map<String, Value> {
    let list_changed =
        || if offered.has(Offer::Changes) { json!({ "listChanged": true }) } else { json!({}) };
    let mut capabilities = Map::new();
    if offered.has(Offer::Tools) {
        capabilities.insert("tools".to_owned(), list_changed());
    }
    if offered.has(Offer::Prompts) {
        capabilities.insert("prompts".to_owned(), list_changed());
    }
    if offered.has(Offer::Resources) {
        let mut resources = list_changed();
        if offered.has(Offer::Changes) {
            resources["subscribe"] = true.into();
        }
        capabilities.insert("resources".to_owned(), resources);
    }
    // Any function may log.
    capabilities.insert("logging".to_owned(), json!({}));
    capabilities
}

impl Introductions {
    /// The answer to `initialize`.
    pub(crate) fn initialize(&self, version: Version, offered: Offered) -> Arc<[u8]> {
        let is_meant = |(named, with, _): &&(_, _, _)| (*named, *with) == (version.as_str(), offered);
        let found = self.initialize.iter().find(is_meant);
        found.map_or_else(|| Arc::from(&b"{}"[..]), |(_, _, answer)| Arc::clone(answer))
    }
}
