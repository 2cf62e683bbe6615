//! What the server's tools really did, whatever its store remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// The marks that the tools left, by the name of the task's work.
#[derive(Default)]
pub(crate) struct Marks(BTreeMap<String, Work>);

#[derive(Default)]
struct Work {
    /// The tasks that did it.
    tasks: BTreeSet<String>,
    runs: usize,
    steps: BTreeMap<usize, Step>,
}

#[derive(Default)]
struct Step {
    begun: usize,
    /// What it gave, once it was recorded.
    recorded: Option<String>,
    begun_after: bool,
}

impl Marks {
    pub(crate) fn read(folder: &Path) -> Self {
        // One that died before it did anything left none.
        let text = std::fs::read_to_string(folder.join("marks")).unwrap_or_default();
        let mut marks = Self::default();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let work = marks.0.entry(words[1].to_owned()).or_default();
            if words[0] == "run" {
                work.runs += 1;
                work.tasks.insert(words[2].to_owned());
                continue;
            }
            let step = work.steps.entry(words[2].parse().expect("the number of a step")).or_default();
            match words[0] {
                "begun" => {
                    step.begun += 1;
                    step.begun_after |= step.recorded.is_some();
                }
                "recorded" => {
                    assert!(step.recorded.is_none(), "a step was recorded twice: {line}");
                    step.recorded = Some(words[3].to_owned());
                }
                other => panic!("no mark is called `{other}`"),
            }
        }
        marks
    }

    /// Checks that what was done was done once, but for what was cut off.
    pub(crate) fn check(&self) {
        for (name, work) in &self.0 {
            assert_eq!(work.tasks.len(), 1, "the work `{name}` has several tasks: {:?}", work.tasks);
            for (number, step) in &work.steps {
                assert!(!step.begun_after, "step {number} of `{name}` was recorded and done again");
            }
        }
    }

    /// The task that does this work, if it ever began.
    pub(crate) fn task(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.tasks.first().map(String::as_str)
    }

    pub(crate) fn runs(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |work| work.runs)
    }

    /// What the steps gave, with nothing for those that were not seen to be recorded.
    pub(crate) fn recorded(&self, name: &str, count: usize) -> Vec<Option<&str>> {
        let step = |number| self.0.get(name)?.steps.get(&number)?.recorded.as_deref();
        (0..count).map(step).collect()
    }
}

impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = || self.0.values().flat_map(|work| work.steps.values());
        let recorded = steps().filter(|step| step.recorded.is_some()).count();
        let again = steps().filter(|step| step.begun > 1).count();
        let resumed = self.0.values().filter(|work| work.runs > 1).count();
        write!(
            f,
            "{recorded} steps recorded, none done again; {again} cut off before that and done again; "
        )?;
        write!(f, "{resumed} tasks run more than once")
    }
}
