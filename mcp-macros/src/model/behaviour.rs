//! How what is declared behaves: what a tool changes, how it is shown, and whether and for how long it runs as a task.

use std::time::Duration;

use syn::{LitInt, LitStr};

use crate::attr::{Flag, IconWords, TaskWords, ToolWords};
use crate::diagnostics::Mistakes;

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
    pub(crate) ttl: Option<Duration>,
    pub(crate) poll: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) concurrency: Option<usize>,
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
    pub(super) fn new(task: Option<TaskWords>, timeout: Option<LitStr>, mistakes: &mut Mistakes) -> Self {
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
        Self {
            support,
            begins_as_call: task.detach.is_some(),
            ttl: task.ttl.and_then(|literal| duration(&literal, mistakes)),
            poll: task.poll.and_then(|literal| duration(&literal, mistakes)),
            timeout: timeout.or(task.timeout).and_then(|literal| duration(&literal, mistakes)),
            concurrency: task.concurrency.and_then(|literal| count(&literal, mistakes)),
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.support.is_none() && self.timeout.is_none()
    }
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
