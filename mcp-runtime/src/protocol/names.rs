//! The protocol's fixed words: revisions, `_meta` keys, the extension's identifier.

/// The revision of the stateless protocol that this crate speaks.
pub(crate) const MODERN: &str = "2026-07-28";

/// The revision that introduced core tasks; the newest with an `initialize` handshake.
pub(crate) const LEGACY_WITH_TASKS: &str = "2025-11-25";

/// The revision whose messages may come in JSON-RPC batches.
pub(crate) const LEGACY_WITH_BATCHES: &str = "2025-03-26";

/// The first revision.
pub(crate) const FIRST: &str = "2024-11-05";

/// The revisions that open with `initialize`, newest first.
pub(crate) const LEGACY: [&str; 4] = [LEGACY_WITH_TASKS, "2025-06-18", LEGACY_WITH_BATCHES, FIRST];

/// Everything that `server/discover` and error -32022 may name.
pub(crate) const SUPPORTED: [&str; 5] = [MODERN, LEGACY_WITH_TASKS, "2025-06-18", LEGACY_WITH_BATCHES, FIRST];

/// The tasks extension of the modern wire (SEP-2663).
pub(crate) const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The skills extension of the modern wire (SEP-2640).
#[cfg(feature = "skills")]
pub(crate) const SKILLS_EXTENSION: &str = "io.modelcontextprotocol/skills";

/// `_meta` keys.
pub(crate) mod meta {
    pub(crate) const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    pub(crate) const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    #[cfg(feature = "client")]
    pub(crate) const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// By what a call is known again that is sent twice. No specification has such a key; this one is what projects use.
    pub(crate) const IDEMPOTENCY_KEY: &str = "io.modelcontextprotocol/idempotencyKey";
    pub(crate) const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    pub(crate) const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    pub(crate) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
    /// How far a task is, in numbers; the specification knows only its text.
    pub(crate) const PROGRESS: &str = "dev.mcp-runtime/progress";
    /// What was found so far.
    pub(crate) const PARTIAL: &str = "dev.mcp-runtime/partial";
    /// What a task is made of: the tasks that are parts of it.
    pub(crate) const CHILDREN: &str = "dev.mcp-runtime/children";
}
