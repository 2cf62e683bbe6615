//! What invented memories speak of.

/// A field of work, with what belongs to it, what goes wrong in it, and what helps.
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) things: &'static [&'static str],
    pub(super) troubles: &'static [&'static str],
    pub(super) cures: &'static [&'static str],
}

pub(super) const PLACES: &[&str] = &[
    "checkout",
    "billing",
    "ledger",
    "storefront",
    "warehouse",
    "catalogue",
    "gateway",
    "scheduler",
    "reporting",
    "accounts",
    "messaging",
    "delivery",
    "pricing",
    "onboarding",
    "archive",
    "analytics",
    "support",
    "mobile-app",
    "partner-portal",
    "build-farm",
];

pub(super) const OCCASIONS: &[&str] = &[
    "under load",
    "after the release",
    "during the migration",
    "at the end of the month",
    "on a Sunday night",
    "when traffic doubled",
    "once the new workers ran",
    "in the staging environment",
    "after a restart",
    "while backups were running",
    "in the first week of the sale",
    "only for the largest customers",
];

pub(super) const TOPICS: &[Topic] = &[
    Topic {
        name: "cache",
        things: &["Redis cluster", "cache", "eviction policy", "session store"],
        troubles: &["Redis timeout", "a cache stampede", "stale entries", "eviction of hot keys"],
        cures: &[
            "reuse connections from a pool",
            "add jitter to every TTL",
            "raise the timeout and retry once",
            "refresh entries before they expire",
        ],
    },
    Topic {
        name: "auth",
        things: &["login flow", "OAuth client", "token service", "session cookie"],
        troubles: &["expired tokens", "a login loop", "rejected signatures", "leaked credentials"],
        cures: &[
            "rotate the signing keys",
            "allow a minute of clock skew",
            "bind the session to the device",
            "renew tokens in the background",
        ],
    },
    Topic {
        name: "database",
        things: &["Postgres primary", "read replica", "migration script", "connection pool"],
        troubles: &["a deadlock between transactions", "a slow query", "table bloat", "replication lag"],
        cures: &[
            "take locks in one order",
            "add a partial index",
            "vacuum more often",
            "read your own writes from the primary",
        ],
    },
    Topic {
        name: "ci",
        things: &["build pipeline", "test runner", "artifact store", "coverage report"],
        troubles: &[
            "a flaky test",
            "a build without memory",
            "a poisoned build cache",
            "a queue of waiting builds",
        ],
        cures: &[
            "seed every random test",
            "split the suite by duration",
            "pin the toolchain",
            "cancel builds of old commits",
        ],
    },
    Topic {
        name: "memory",
        things: &["heap", "allocator", "garbage collector", "profiler"],
        troubles: &["a memory leak", "fragmentation of the heap", "long pauses", "an out-of-memory kill"],
        cures: &[
            "bound every queue",
            "drop listeners with their owner",
            "stream the export",
            "reuse buffers",
        ],
    },
    Topic {
        name: "network",
        things: &["load balancer", "DNS resolver", "TLS handshake", "socket pool"],
        troubles: &["packet loss", "a retry storm", "connection resets", "slow name resolution"],
        cures: &[
            "back off exponentially",
            "keep connections alive",
            "cache names for a minute",
            "limit retries by a budget",
        ],
    },
    Topic {
        name: "payments",
        things: &["invoice run", "refund process", "payment webhook", "currency table"],
        troubles: &["a double charge", "a lost webhook", "rounding differences", "refunds that never arrive"],
        cures: &[
            "make every charge idempotent",
            "count money in cents",
            "reconcile each night",
            "verify the signature of the webhook",
        ],
    },
    Topic {
        name: "kubernetes",
        things: &["deployment", "ingress", "node pool", "Helm chart"],
        troubles: &["crashing pods", "a stuck rollout", "evicted pods", "a failing readiness probe"],
        cures: &[
            "set requests and limits",
            "drain nodes one by one",
            "give the probe more time",
            "roll out to a canary first",
        ],
    },
    Topic {
        name: "observability",
        things: &["dashboard", "trace exporter", "alert rule", "log pipeline"],
        troubles: &["an alert storm", "missing spans", "a flood of logs", "metrics of unbounded cardinality"],
        cures: &[
            "alert on symptoms",
            "sample traces at the edge",
            "drop the label with user ids",
            "carry the trace context through the queue",
        ],
    },
    Topic {
        name: "frontend",
        things: &["component tree", "bundle", "state store", "service worker"],
        troubles: &[
            "an endless render loop",
            "a bundle too large",
            "a flash of stale content",
            "layout shifts",
        ],
        cures: &[
            "memoize the selector",
            "load routes lazily",
            "reserve space for images",
            "version the service worker",
        ],
    },
    Topic {
        name: "concurrency",
        things: &["worker pool", "channel", "mutex", "task queue"],
        troubles: &["a race condition", "thread starvation", "a lock held too long", "lost wake-ups"],
        cures: &[
            "shrink the critical section",
            "hand over ownership instead of sharing",
            "use a bounded channel",
            "yield between batches",
        ],
    },
    Topic {
        name: "search",
        things: &["index", "tokenizer", "ranking model", "synonym list"],
        troubles: &[
            "irrelevant results",
            "a slow reindex",
            "missing hits for plurals",
            "queries without results",
        ],
        cures: &[
            "stem both sides",
            "reindex into a copy and swap",
            "weigh titles higher",
            "forgive one slip of spelling",
        ],
    },
];
