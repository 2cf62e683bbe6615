//! Where each document points, by what a model knows its words to mean.

use std::sync::Arc;

use super::semantic::{Meaning, Model};
use super::vectors::Vectors;
use super::{Index, Text};
use crate::fingerprint::Fingerprint;

/// What a model says of the documents that it was shown.
#[derive(Debug)]
pub(super) struct Meanings {
    model: Arc<Model>,
    vectors: Vectors,
    /// The text that the model was shown, by document.
    texts: Vec<Option<Fingerprint>>,
    /// How many it was shown.
    count: usize,
}

impl Meanings {
    fn new(model: Arc<Model>) -> Self {
        let vectors = Vectors::new(model.dimension());
        Self { model, vectors, texts: Vec::new(), count: 0 }
    }

    /// Keeps what the model says of `doc`. Says whether it can.
    fn set(&mut self, doc: u32, meaning: &Meaning) -> bool {
        let index = doc as usize;
        let fits = self.vectors.restore(doc, &meaning.direction);
        if fits {
            self.texts.resize(self.texts.len().max(index + 1), None);
            self.count += usize::from(self.texts[index].replace(meaning.text).is_none());
        }
        fits
    }

    pub(super) fn clear(&mut self, doc: u32) {
        let known = self.texts.get_mut(doc as usize).and_then(Option::take);
        self.count -= usize::from(known.is_some());
        self.vectors.clear(doc);
    }

    fn text(&self, doc: u32) -> Option<Fingerprint> {
        self.texts.get(doc as usize).copied().flatten()
    }

    /// How near what each document says is to what `query` means, by document; nothing of those that the model was not
    /// shown.
    pub(super) fn cosines(&self, query: &str) -> Vec<Option<f32>> {
        let cosines = self.vectors.cosines(&self.model.vector(query));
        cosines.into_iter().zip(&self.texts).map(|(cosine, text)| text.map(|_| cosine)).collect()
    }
}

impl Index {
    /// An index that finds what a query means, as far as `model` knows.
    pub(crate) fn with(model: Arc<Model>) -> Self {
        Self { meanings: Some(Meanings::new(model)), ..Self::default() }
    }

    /// The model by which it knows what texts mean, if it has one.
    pub(crate) fn model(&self) -> Option<&Arc<Model>> {
        self.meanings.as_ref().map(|meanings| &meanings.model)
    }

    /// Shows the text of `doc` to the model, unless it knows it. Gives what is new of it.
    pub(crate) fn understand(&mut self, doc: u32, text: &Text<'_>) -> Option<Meaning> {
        let meanings = self.meanings.as_mut()?;
        if meanings.text(doc).is_some_and(|known| known == text.fingerprint()) {
            return None;
        }
        let meaning = meanings.model.meaning(text);
        meanings.set(doc, &meaning).then_some(meaning)
    }

    /// Takes over what the model said of `text`, if it has not been shown `doc` itself. Says whether it did.
    pub(crate) fn take_over(&mut self, doc: u32, text: &Text<'_>, meaning: &Meaning) -> bool {
        match &mut self.meanings {
            Some(meanings) if meanings.text(doc).is_none() && meaning.text == text.fingerprint() => {
                meanings.set(doc, meaning)
            }
            _ => false,
        }
    }

    /// Whether there is a model that was not shown `doc`.
    pub(crate) fn lacks_meaning(&self, doc: u32) -> bool {
        self.meanings.as_ref().is_some_and(|meanings| meanings.text(doc).is_none())
    }

    /// How many documents the model, if there is one, was not shown.
    pub(crate) fn without_meaning(&self) -> usize {
        self.meanings.as_ref().map_or(0, |meanings| self.lexical.count() - meanings.count)
    }
}
