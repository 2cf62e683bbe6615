//! What words mean, as it was learnt elsewhere: a model in `WordLlama`'s layout.
//!
//! A text is cut into pieces of words, each of which has a vector; a text points where these do on average.

mod error;
mod files;
mod matrix;
#[cfg(test)]
pub(crate) mod tests;
mod tokenizer;

use std::path::Path;

pub(crate) use super::vectors::Direction;
pub(crate) use error::ModelError;

use super::digest::Text;
use crate::fingerprint::Fingerprint;
use error::Wrong;
use files::Files;
use matrix::Matrix;
use tokenizer::Tokenizer;

/// Characters of a content that are read: of more, the average says less and less.
const READ: usize = 4_000;
/// Counts the ways in which a memory was made a vector so far.
const WAY: u8 = 1;
/// Stands between the parts of a document, and in none of them.
const BETWEEN: &[u8] = &[0xff];

/// A model that says where a text points.
#[derive(Debug)]
pub(crate) struct Model {
    fingerprint: Fingerprint,
    tokenizer: Tokenizer,
    matrix: Matrix,
}

/// Where a text points, and which text that was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) text: Fingerprint,
    pub(crate) direction: Direction,
}

impl Model {
    /// Reads a model from a folder or from a wheel. It takes a while.
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        Self::read(path).map_err(|wrong| ModelError { path: path.to_owned(), wrong })
    }

    fn read(path: &Path) -> Result<Self, Wrong> {
        let Files { matrix, tokenizer } = Files::read(path)?;
        let fingerprint = Fingerprint::of(&[WAY]).and(&matrix.bytes).and(&tokenizer.bytes);
        let (matrix, tokenizer) = (Matrix::read(&matrix)?, Tokenizer::read(&tokenizer)?);
        if matrix.rows() < tokenizer.pieces() {
            return Err(Wrong::TooFewRows { rows: matrix.rows(), pieces: tokenizer.pieces() });
        }
        Ok(Self { fingerprint, tokenizer, matrix })
    }

    /// By which vectors are known that this model made.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// How many numbers a vector has.
    pub(super) fn dimension(&self) -> usize {
        self.matrix.columns()
    }

    /// Where a query points, whether it begins with a capital or not.
    pub(super) fn vector(&self, text: &str) -> Vec<f32> {
        self.sum(&text.to_lowercase())
    }

    /// The sum of the vectors of all pieces of a text, which points where their average does.
    fn sum(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimension()];
        self.tokenizer.cut(text).iter().for_each(|piece| self.matrix.add(*piece as usize, &mut sum));
        sum
    }

    /// Where a document points: its title with its tags counts as much as its content with its summary.
    pub(crate) fn meaning(&self, text: &Text<'_>) -> Meaning {
        let mut sum = vec![0.0; self.dimension()];
        let parts = parts(text);
        for part in &parts {
            let vector = self.vector(part);
            let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length > 0.0 {
                sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value / length);
            }
        }
        Meaning { text: fingerprint(&parts), direction: Direction::of(&sum) }
    }
}

/// What is read of a document: its heading and its body.
fn parts(text: &Text<'_>) -> [String; 2] {
    let mut heading = text.title.to_owned();
    text.tags.iter().for_each(|tag| heading.extend([" ", tag]));
    let end = text.content.char_indices().nth(READ).map_or(text.content.len(), |(end, _)| end);
    let content = &text.content[..end];
    [heading, text.summary.map_or_else(|| content.to_owned(), |summary| format!("{summary} {content}"))]
}

impl Text<'_> {
    /// By which is known whether a vector is still that of this text.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&parts(self))
    }
}

fn fingerprint([heading, body]: &[String; 2]) -> Fingerprint {
    Fingerprint::of(heading.as_bytes()).and(BETWEEN).and(body.as_bytes())
}
