//! The pages of a list, written once for each audience.

use std::sync::Arc;
use std::time::Duration;

use super::Setting;
use crate::ProtocolError;
use crate::protocol::cache::CacheHint;
use crate::protocol::payload::write_entry;
use crate::server::info::Info;
use crate::wire::{Dialect, bad_cursor};

/// How long a client may take a list for fresh that never changes while the server runs.
const FIXED: Duration = Duration::from_secs(300);

/// How long it may take one that does: who listens is told sooner.
const CHANGING: Duration = Duration::from_secs(60);

/// To whom a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Legacy,
    LegacyWithTasks,
    Modern,
}

impl Audience {
    const ALL: [Self; 3] = [Self::Legacy, Self::LegacyWithTasks, Self::Modern];

    /// Who asks by this wire.
    pub(crate) fn of(dialect: &Dialect) -> Self {
        match dialect {
            Dialect::Modern(_) => Self::Modern,
            Dialect::Legacy(version) if version.has_tasks() => Self::LegacyWithTasks,
            Dialect::Legacy(_) => Self::Legacy,
        }
    }
}

/// How pages are written.
#[derive(Clone, Copy)]
pub(super) struct Writing<'a> {
    info: &'a Info,
    page_size: usize,
    cache: CacheHint,
}

impl<'a> Writing<'a> {
    pub(super) fn new(setting: Setting<'a>) -> Self {
        let ttl = if setting.changes { CHANGING } else { FIXED };
        Self { info: setting.info, page_size: setting.page_size, cache: CacheHint::public(ttl) }
    }

    /// Writes what every cacheable result of the modern wire carries, with a comma before each member.
    pub(super) fn write_modern_members(self, out: &mut Vec<u8>) {
        self.info.write_modern_members(out, self.cache);
    }
}

/// All pages of one list.
pub(super) struct Pages {
    by_audience: [Vec<Arc<[u8]>>; 3],
    member: &'static str,
    page_size: usize,
}

impl Pages {
    /// Writes the pages. `member` is the result's member that has the items, and `write` writes one of them.
    pub(super) fn new<T>(
        member: &'static str,
        items: &[T],
        write: impl Fn(&mut Vec<u8>, &T, Audience),
        writing: Writing<'_>,
    ) -> Self {
        let chunks: Vec<&[T]> =
            if items.is_empty() { vec![&[]] } else { items.chunks(writing.page_size).collect() };
        let last = chunks.len() - 1;
        let by_audience = Audience::ALL.map(|audience| {
            let page = |(index, chunk): (usize, &&[T])| {
                let mut out = format!(r#"{{"{member}":["#).into_bytes();
                for (index, item) in chunk.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write(&mut out, item, audience);
                }
                out.push(b']');
                if index < last {
                    write_entry(
                        &mut out,
                        "nextCursor",
                        &write_cursor(member, (index + 1) * writing.page_size),
                    );
                }
                if audience == Audience::Modern {
                    writing.write_modern_members(&mut out);
                }
                out.push(b'}');
                out.into()
            };
            chunks.iter().enumerate().map(page).collect()
        });
        Self { by_audience, member, page_size: writing.page_size }
    }

    /// The page that a cursor leads to.
    pub(super) fn get(&self, audience: Audience, cursor: Option<&str>) -> Result<Arc<[u8]>, ProtocolError> {
        let index = match cursor {
            None => 0,
            Some(cursor) => self.read_cursor(cursor).ok_or_else(bad_cursor)? / self.page_size,
        };
        self.by_audience[audience as usize].get(index).cloned().ok_or_else(bad_cursor)
    }

    fn read_cursor(&self, cursor: &str) -> Option<usize> {
        let next = cursor.strip_prefix(self.member)?.strip_prefix('_')?.parse().ok()?;
        (next > 0).then_some(next)
    }
}

fn write_cursor(member: &str, next: usize) -> String {
    format!("{member}_{next}")
}
