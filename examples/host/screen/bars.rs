//! A bar for each call and for each part of a task, below everything else that is written.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::style::TemplateError;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::margin::Margin;
use super::text::{cut, one_line};
use crate::event::{Child, Numbers};

/// The parts of one task that have a bar each.
const MOST_CHILDREN: usize = 8;
/// How wide the name before a bar may be.
const NAME: usize = 20;
/// What a bar is full at.
const FULL: u64 = 1000;
/// What follows the name, if it is known how much there is to do.
const MEASURED: &str = "{bar:22.cyan/dim} {percent:>3} %  {wide_msg}";
/// And if it is not.
const UNMEASURED: &str = "{spinner:.cyan} {wide_msg}";
/// How often a second all bars are drawn, at most.
const REDRAWS: u8 = 20;
/// How often a bar moves of whose work nobody knows how much there is.
const TICK: Duration = Duration::from_millis(120);

#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
    calls: HashMap<usize, Call>,
}

#[derive(Debug)]
struct Call {
    bar: Bar,
    children: HashMap<String, Bar>,
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    is_measured: bool,
}

fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(Margin::of_stderr()), REDRAWS)
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::with_draw_target(target()), calls: HashMap::new() }
    }

    /// Writes while no bar is in the way.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.all.suspend(write);
    }

    /// Takes the bars away until they are shown again.
    pub(super) fn hide(&self) {
        // What cannot be cleared stands there a little longer.
        let _ = self.all.clear();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }

    pub(super) fn show(&self) {
        self.all.set_draw_target(target());
    }

    /// Leaves the bars as they are, in what was written, and says whether there are any.
    pub(super) fn freeze(&mut self) -> bool {
        let calls = std::mem::take(&mut self.calls);
        for Call { bar, children } in calls.values() {
            for Bar { bar, .. } in children.values().chain([bar]) {
                bar.abandon();
            }
        }
        !calls.is_empty()
    }

    /// Moves the bar of a call.
    pub(super) fn update(
        &mut self,
        call: usize,
        name: &str,
        numbers: Option<Numbers>,
        message: &str,
        children: &[Child<'_>],
    ) {
        let all = &self.all;
        let call = self.calls.entry(call).or_insert_with(|| Call {
            bar: Bar::new(all.add(ProgressBar::new(FULL)), name),
            children: HashMap::new(),
        });
        call.bar.update(numbers, message);
        let is_at_work = |child: &&Child<'_>| matches!(child.status.state, "working" | "input_required");
        let at_work: Vec<_> = children.iter().filter(is_at_work).take(MOST_CHILDREN).collect();
        call.children.retain(|id, bar| {
            let stays = at_work.iter().any(|child| child.id == id);
            if !stays {
                bar.bar.finish_and_clear();
                all.remove(&bar.bar);
            }
            stays
        });
        for child in at_work {
            let parent = &call.bar.bar;
            let bar = call.children.entry(child.id.to_owned()).or_insert_with(|| {
                let bar = all.insert_after(parent, ProgressBar::new(FULL));
                Bar::new(bar, &format!("  {}", one_line(child.tool)))
            });
            bar.update(child.status.progress, child.status.message.unwrap_or(child.status.state));
        }
    }

    /// The call is over, or nobody looks at it any more.
    pub(super) fn remove(&mut self, call: usize) {
        let Some(Call { bar, children }) = self.calls.remove(&call) else { return };
        for Bar { bar, .. } in children.into_values().chain([bar]) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

impl Bar {
    /// A bar that has its place already.
    fn new(bar: ProgressBar, name: &str) -> Self {
        bar.set_style(style(UNMEASURED));
        bar.set_prefix(cut(name, NAME));
        bar.enable_steady_tick(TICK);
        Self { bar, is_measured: false }
    }

    fn update(&mut self, numbers: Option<Numbers>, message: &str) {
        let part = numbers.and_then(Numbers::part);
        if part.is_some() != self.is_measured {
            self.is_measured = part.is_some();
            self.bar.set_style(style(if self.is_measured { MEASURED } else { UNMEASURED }));
        }
        match (part, numbers) {
            (Some(part), _) => {
                self.bar.set_position((part * FULL as f64) as u64);
                self.bar.set_message(one_line(message));
            }
            (None, Some(numbers)) if message.is_empty() => self.bar.set_message(numbers.done.to_string()),
            (None, _) => self.bar.set_message(one_line(message)),
        }
    }
}

/// A template with the name before it.
fn template(template: &str) -> Result<ProgressStyle, TemplateError> {
    ProgressStyle::with_template(&format!("{{prefix:{NAME}.bold}} {template}"))
}

fn style(of: &str) -> ProgressStyle {
    // There are two templates, and a test reads them.
    let style = template(of).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─").tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Status;

    #[test]
    fn the_templates_are_understood() {
        assert!(template(MEASURED).is_ok() && template(UNMEASURED).is_ok());
    }

    #[test]
    fn a_call_has_a_bar_and_so_has_each_part_that_is_at_work() {
        let mut bars = Bars::new();
        bars.hide();
        let child = |id, state| {
            let status = Status { state, message: None, progress: None, children: Vec::new() };
            Child { id, tool: "part", status }
        };
        let children = [child("a", "working"), child("b", "input_required"), child("c", "completed")];
        bars.update(0, "whole", Some(Numbers { done: 1.0, total: Some(4.0) }), "at it", &children);
        let call = &bars.calls[&0];
        assert_eq!((call.bar.bar.position(), call.bar.bar.message().as_str()), (250, "at it"));
        assert_eq!(call.children.len(), 2);
        bars.update(0, "whole", Some(Numbers { done: 3.0, total: None }), "", &[child("b", "working")]);
        let call = &bars.calls[&0];
        assert_eq!((call.children.len(), call.bar.bar.message().as_str()), (1, "3"));
        bars.remove(0);
        assert!(bars.calls.is_empty());
    }
}
