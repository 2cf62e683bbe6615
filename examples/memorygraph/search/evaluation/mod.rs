//! How good a search is, in numbers: questions of which it is known what answers them.
//!
//! The own set has 60 memories and 75 questions: lexical (words that stand there), inflected, misspelt, and paraphrased
//! (the matter in other words). Another set may be read from files: a document of format 2.0, and a list of questions.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::semantic::Model;
use super::{Digest, Index, Mode, Query, Text};

const OWN_MEMORIES: &str = include_str!("memories.json");
const OWN_QUESTIONS: &str = include_str!("questions.json");
/// How many hits a precision looks at.
const LOOKED_AT: usize = 10;

/// Memories, and questions to them.
#[derive(Debug)]
pub(crate) struct Set {
    memories: Vec<Memory>,
    questions: Vec<Question>,
    index: Index,
    /// The same memories with a model, if there is one.
    semantic: Option<Index>,
}

#[derive(Debug, Deserialize)]
struct Document {
    memories: Vec<Memory>,
}

#[derive(Debug, Deserialize)]
struct Memory {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    content: String,
    summary: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Question {
    kind: String,
    query: String,
    /// The memories that answer it.
    relevant: HashSet<String>,
    /// Those that are taken out of the ranking before it is judged.
    #[serde(default)]
    ignore: HashSet<String>,
}

/// How good the answers to some questions are, on average.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Quality {
    /// One by the rank of the first memory that answers the question (MRR).
    pub(crate) reciprocal_rank: f64,
    /// How many of the first ten answer it.
    pub(crate) precision: f64,
    questions: usize,
}

impl Set {
    /// The set that comes with the program.
    pub(crate) fn own(model: Option<Arc<Model>>) -> Result<Self, serde_json::Error> {
        Self::parse(OWN_MEMORIES, OWN_QUESTIONS, model)
    }

    /// A set in two files.
    pub(crate) fn open(memories: &Path, questions: &Path, model: Option<Arc<Model>>) -> Result<Self, String> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
        };
        Self::parse(&read(memories)?, &read(questions)?, model)
            .map_err(|error| format!("the set cannot be used: {error}"))
    }

    fn parse(memories: &str, questions: &str, model: Option<Arc<Model>>) -> Result<Self, serde_json::Error> {
        let Document { memories } = serde_json::from_str(memories)?;
        let (mut index, mut semantic) = (Index::default(), model.map(Index::with));
        for (doc, memory) in (0..).zip(&memories) {
            let Memory { kind, title, content, summary, tags, .. } = memory;
            let text = Text { title, summary: summary.as_deref(), content, tags, kind };
            let digest = Digest::of(&text);
            index.put(doc, &digest);
            if let Some(semantic) = &mut semantic {
                semantic.put(doc, &digest);
                semantic.understand(doc, &text);
            }
        }
        index.learn();
        Ok(Self { memories, questions: serde_json::from_str(questions)?, index, semantic })
    }

    /// The modes that can be judged, each with the index that has it.
    fn modes(&self) -> Vec<(Mode, &Index)> {
        let own = [(Mode::Lexical, &self.index), (Mode::Associative, &self.index)];
        own.into_iter().chain(self.semantic.as_ref().map(|index| (Mode::Semantic, index))).collect()
    }

    /// The quality of a mode, by the kind of the questions.
    fn judge(&self, (mode, index): (Mode, &Index)) -> BTreeMap<&str, Quality> {
        let mut kinds: BTreeMap<&str, Quality> = BTreeMap::new();
        for question in &self.questions {
            let quality = kinds.entry(&question.kind).or_default();
            let (reciprocal_rank, precision) = self.ask(question, mode, index);
            quality.reciprocal_rank += reciprocal_rank;
            quality.precision += precision;
            quality.questions += 1;
        }
        for quality in kinds.values_mut() {
            quality.reciprocal_rank /= quality.questions as f64;
            quality.precision /= quality.questions as f64;
        }
        kinds
    }

    /// The reciprocal rank of the first answer, and the part of the first ten that are answers.
    fn ask(&self, question: &Question, mode: Mode, index: &Index) -> (f64, f64) {
        let Ok(query) = question.query.parse::<Query>() else { return (0.0, 0.0) };
        let wanted = |doc: u32| !question.ignore.contains(&self.memories[doc as usize].id);
        let words_only = mode == Mode::Lexical;
        let hits = index.search(&Query { words_only, limit: 1000, ..query }, &wanted).best;
        let answers: Vec<bool> =
            hits.iter().map(|hit| question.relevant.contains(&self.memories[hit.doc as usize].id)).collect();
        let first = answers.iter().position(|answers| *answers);
        let among_the_first = answers.iter().take(LOOKED_AT).filter(|answers| **answers).count();
        let expected = LOOKED_AT.min(question.relevant.len()).max(1);
        (first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64), among_the_first as f64 / expected as f64)
    }
}

/// A table of MRR and precision, by kind and mode.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let judged: Vec<(String, BTreeMap<&str, Quality>)> =
            self.modes().into_iter().map(|of| (of.0.to_string(), self.judge(of))).collect();
        writeln!(
            f,
            "{} memories; MRR and, in brackets, how many of the first ten answer",
            self.memories.len()
        )?;
        write!(f, "{:24}", "questions")?;
        judged.iter().try_for_each(|(name, _)| write!(f, "{name:>16}"))?;
        for (kind, quality) in &judged[0].1 {
            write!(f, "\n{:24}", format!("{} {kind}", quality.questions))?;
            for (_, judged) in &judged {
                let Quality { reciprocal_rank, precision, .. } = judged[kind];
                write!(f, "{:>16}", format!("{reciprocal_rank:.2} ({precision:.2})"))?;
            }
        }
        Ok(())
    }
}
