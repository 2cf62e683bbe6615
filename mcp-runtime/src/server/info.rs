//! Who the server is, and the answers to `initialize` and `server/discover`, written once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::protocol::jsonrpc::write_json;
use crate::protocol::names::{self, meta};
use crate::protocol::payload::write_entry;
use crate::wire::legacy::Version;

/// How long a client may take what `server/discover` says for fresh.
const DISCOVER_TTL_MS: u64 = 3_600_000;

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
    initialize: HashMap<&'static str, Arc<[u8]>>,
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
    pub(crate) fn write_modern_members(&self, out: &mut Vec<u8>, ttl_ms: u64) {
        write_entry(out, "resultType", "complete");
        write_entry(out, "ttlMs", &ttl_ms);
        write_entry(out, "cacheScope", "public");
        out.extend_from_slice(br#","_meta":{"#);
        out.extend_from_slice(self.server_meta().as_bytes());
        out.push(b'}');
    }

    pub(crate) fn introductions(&self, has_tasks: bool) -> Introductions {
        let initialize =
            Version::all().map(|version| (version.as_str(), self.initialize(version, has_tasks))).collect();
        Introductions {
            server_meta: self.server_meta().into(),
            discover: self.discover(has_tasks),
            initialize,
        }
    }

    fn discover(&self, has_tasks: bool) -> Arc<[u8]> {
        let mut capabilities = json!({"tools": {}});
        if has_tasks {
            // Clients take any setting in here for an extension that they do not know.
            capabilities["extensions"] = json!({ (names::TASKS_EXTENSION): {} });
        }
        let mut out = vec![b'{'];
        write_entry(&mut out, "supportedVersions", &names::SUPPORTED);
        write_entry(&mut out, "capabilities", &capabilities);
        self.write_instructions(&mut out);
        self.write_modern_members(&mut out, DISCOVER_TTL_MS);
        out.push(b'}');
        out.into()
    }

    fn initialize(&self, version: Version, has_tasks: bool) -> Arc<[u8]> {
        let mut capabilities: Value = json!({"tools": {}});
        if has_tasks && version.has_tasks() {
            capabilities["tasks"] = json!({"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}});
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

impl Introductions {
    /// The answer to `initialize`.
    pub(crate) fn initialize(&self, version: Version) -> Arc<[u8]> {
        self.initialize.get(version.as_str()).cloned().unwrap_or_else(|| Arc::from(&b"{}"[..]))
    }
}
