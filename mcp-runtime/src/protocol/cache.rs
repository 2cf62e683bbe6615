//! What caches may do with a result: the `ttlMs` and `cacheScope` of the modern wire (SEP-2549).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::payload::write_entry;

/// For how long a client may take what it read for fresh, and for whom.
///
/// It is a hint, and it is sent to clients of 2026-07-28 only; earlier revisions have no word for it.
///
/// ```
/// use std::time::Duration;
/// use mcp_runtime::CacheHint;
///
/// // The same for everybody, and good for an hour.
/// let manual = CacheHint::public(Duration::from_secs(3600));
/// // Somebody's own, and to be asked for every time: what holds where nothing is said.
/// assert_eq!(CacheHint::default(), CacheHint::private(Duration::ZERO));
/// # let _ = manual;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheHint {
    ttl_ms: u64,
    cache_scope: CacheScope,
}

/// Who may be given a cached result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// Anybody.
    Public,
    /// Only who asked for it.
    Private,
}

impl CacheHint {
    /// The same for everybody, so that caches on the way may serve it to anybody.
    pub fn public(ttl: Duration) -> Self {
        Self::new(ttl, CacheScope::Public)
    }

    /// Only for who asked.
    pub fn private(ttl: Duration) -> Self {
        Self::new(ttl, CacheScope::Private)
    }

    fn new(ttl: Duration, cache_scope: CacheScope) -> Self {
        // Larger numbers are not whole numbers any more for many clients.
        const LARGEST: u64 = (1 << 53) - 1;
        Self { ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(LARGEST).min(LARGEST), cache_scope }
    }

    /// Who may be given what was read.
    pub fn scope(self) -> CacheScope {
        self.cache_scope
    }

    /// For how long it is fresh.
    pub fn ttl(self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// Writes both members, with a comma before each.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        write_entry(out, "ttlMs", &self.ttl_ms);
        write_entry(out, "cacheScope", &self.cache_scope);
    }
}

impl Default for CacheHint {
    fn default() -> Self {
        Self::private(Duration::ZERO)
    }
}
