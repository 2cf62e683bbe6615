//! How what is declared behaves: what a tool changes, how it is shown, and whether and for how long it runs as a task.

use std::time::Duration;

use syn::{LitInt, LitStr};

use crate::attr::{Flag, IconWords, TaskWords, ToolWords};
use crate::diagnostics::Mistakes;
use crate::kind::Kind;

/// What the attribute says of what a tool changes.
pub(crate) struct ToolAnnotations {
    pub(crate) read_only: Option<bool>,
    pub(crate) destructive: Option<bool>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) open_world: Option<bool>,
}

/// A picture.
pub(crate) struct Icon {
    pub(crate) src: String,
    pub(crate) mime_type: Option<String>,
    pub(crate) sizes: Vec<String>,
}

/// What the attribute says of tasks; all of it may be nothing.
pub(crate) struct TaskPolicy {
    pub(crate) support: Option<TaskSupport>,
    /// A call becomes a task where the function says so, and not before.
    pub(crate) begins_as_call: bool,
    /// A call becomes a task when it has taken this long, and not before.
    pub(crate) after: Option<Duration>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) poll: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) concurrency: Option<usize>,
    /// How often a run that was cut off is run again.
    pub(crate) retries: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskSupport {
    Optional,
    Required,
}

impl ToolAnnotations {
    pub(super) fn new(words: ToolWords, mistakes: &mut Mistakes) -> Self {
        let ToolWords { read_only, destructive, idempotent, open_world } = words;
        if let (Some(Flag { value: true, .. }), Some(Flag { word, value: true })) = (&read_only, &destructive)
        {
            mistakes.on(word, "a tool that is `read_only` destroys nothing: leave one of the two out");
        }
        let value = |flag: Option<Flag>| flag.map(|flag| flag.value);
        Self {
            read_only: value(read_only),
            destructive: value(destructive),
            idempotent: value(idempotent),
            open_world: value(open_world),
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        [self.read_only, self.destructive, self.idempotent, self.open_world].iter().all(Option::is_none)
    }
}

impl Icon {
    pub(super) fn new(words: &IconWords, mistakes: &mut Mistakes) -> Self {
        let src = words.src.value();
        if !["https:", "http:", "data:"].iter().any(|scheme| src.starts_with(scheme)) {
            mistakes.on(
                &words.src,
                "clients show icons from `https:` and `data:` addresses: write a whole address",
            );
        }
        for size in &words.sizes {
            let text = size.value();
            let is_number = |side: &str| !side.is_empty() && side.bytes().all(|byte| byte.is_ascii_digit());
            let is_size =
                text.split_once('x').is_some_and(|(width, height)| is_number(width) && is_number(height));
            if !is_size && text != "any" {
                mistakes.on(size, "write a size as `\"48x48\"`, or `\"any\"` for a picture that scales");
            }
        }
        Self {
            src,
            mime_type: words.mime_type.as_ref().map(LitStr::value),
            sizes: words.sizes.iter().map(LitStr::value).collect(),
        }
    }
}

impl TaskPolicy {
    pub(super) fn new(
        kind: Kind,
        task: Option<TaskWords>,
        timeout: Option<LitStr>,
        mistakes: &mut Mistakes,
    ) -> Self {
        let support = task
            .as_ref()
            .map(|task| if task.required { TaskSupport::Required } else { TaskSupport::Optional });
        let task = task.unwrap_or_default();
        if let (Some(_), Some(again)) = (&timeout, &task.timeout) {
            mistakes.on(again, "`timeout` is said twice: leave one of them out");
        }
        if let Some(word) = task.detach.as_ref().filter(|_| task.required) {
            mistakes.on(
                word,
                "a task that is `required` is one from its begin, and `detach` makes it one later: leave one of the two \
                 out",
            );
        }
        let ttl = task.ttl.as_ref().and_then(|literal| duration(literal, mistakes));
        let poll = task.poll.as_ref().and_then(|literal| duration(literal, mistakes));
        let timeout = timeout.as_ref().or(task.timeout.as_ref());
        let timeout = timeout.and_then(|literal| duration(literal, mistakes));
        let after = task.after.as_ref().and_then(|literal| after(kind, literal, &task, timeout, mistakes));
        Self {
            support,
            begins_as_call: task.detach.is_some(),
            after,
            ttl,
            poll,
            timeout,
            concurrency: task.concurrency.and_then(|literal| count(&literal, mistakes)),
            retries: task.retries.and_then(|literal| retries(&literal, mistakes)),
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.support.is_none() && self.timeout.is_none()
    }
}

/// When a call becomes a task, if that can ever be.
fn after(
    kind: Kind,
    literal: &LitStr,
    task: &TaskWords,
    timeout: Option<Duration>,
    mistakes: &mut Mistakes,
) -> Option<Duration> {
    let after = duration(literal, mistakes)?;
    let senseless = if kind != Kind::Tool {
        format!("only a tool can be answered directly or by a task, and this is a {kind}: leave `after` out")
    } else if task.required {
        "a task that is `required` is one from its begin, and `after` makes it one later: leave one of the two out"
            .to_owned()
    } else if task.detach.is_some() {
        "a call becomes a task by itself with `after`, and only where the function says so with `detach`: leave one of \
         the two out"
            .to_owned()
    } else if timeout.is_some_and(|timeout| timeout <= after) {
        "a run is over at its `timeout`, before this has passed, so no call would ever become a task: write a shorter time"
            .to_owned()
    } else {
        return Some(after);
    };
    mistakes.on(literal, senseless);
    None
}

/// A time that is not nothing.
pub(super) fn duration(literal: &LitStr, mistakes: &mut Mistakes) -> Option<Duration> {
    match humantime::parse_duration(&literal.value()) {
        Ok(duration) if !duration.is_zero() => return Some(duration),
        Ok(_) => {
            mistakes.on(literal, "this is no time at all: write one such as `\"30s\"`, or leave the word out")
        }
        Err(_) => {
            mistakes.on(literal, "write a time such as `\"500ms\"`, `\"30s\"`, `\"5min\"` or `\"1h 30min\"`")
        }
    };
    None
}

fn count(literal: &LitInt, mistakes: &mut Mistakes) -> Option<usize> {
    match literal.base10_parse() {
        Ok(0) => mistakes
            .on(literal, "with 0 at once no task would ever run: write 1 or more, or leave the word out"),
        Ok(count) => return Some(count),
        Err(error) => mistakes.add(error),
    };
    None
}

fn retries(literal: &LitInt, mistakes: &mut Mistakes) -> Option<u32> {
    let wrong = |_| mistakes.on(literal, "write how often, as a number from 0 to 4294967295");
    literal.base10_parse().map_err(wrong).ok()
}
