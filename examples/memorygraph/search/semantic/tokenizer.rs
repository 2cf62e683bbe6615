//! From text to pieces of words, as Llama 2 cuts it: byte-pair encoding over the whole text.
//!
//! A blank is written `▁`, and one stands before the text. Each letter is a piece at first; of all neighbours that may be
//! merged, those of the lowest rank are, until there are none. A letter that the vocabulary lacks is its bytes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::iter;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Wrong;
use super::files::Content;

/// What stands for a blank.
const BLANK: char = '\u{2581}';
/// A piece that was merged into the one before it, and no piece of any vocabulary.
const MERGED: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Tokenizer {
    /// The pieces that letters are.
    letters: HashMap<char, u32>,
    /// The pieces that bytes are.
    bytes: Box<[u32; 256]>,
    /// What two neighbours become, and its rank.
    merges: HashMap<(u32, u32), Merge>,
    /// How many pieces there are.
    pieces: usize,
}

#[derive(Debug, Clone, Copy)]
struct Merge {
    rank: u32,
    into: u32,
}

/// The file of a tokenizer, as far as it matters.
#[derive(Deserialize)]
struct File {
    normalizer: Value,
    pre_tokenizer: Value,
    model: Value,
}

#[derive(Deserialize)]
struct Bpe {
    vocab: HashMap<String, u32>,
    merges: Vec<Pair>,
    #[serde(default)]
    byte_fallback: bool,
}

/// `"a b"`, or in newer files `["a", "b"]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Pair {
    Text(String),
    Parts(String, String),
}

impl Tokenizer {
    pub(super) fn read(file: &Content) -> Result<Self, Wrong> {
        let no_tokenizer = |error| Wrong::NoTokenizer { file: file.name.clone(), error };
        let bad = |what: String| Wrong::BadTokenizer { file: file.name.clone(), what };
        let File { normalizer, pre_tokenizer, model } =
            serde_json::from_slice(&file.bytes).map_err(no_tokenizer)?;
        if model["type"] != "BPE" {
            return Err(bad(format!("is a tokenizer of type {}, where \"BPE\" is needed", model["type"])));
        }
        let blanks = json!({ "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": BLANK },
            { "type": "Replace", "pattern": { "String": " " }, "content": BLANK },
        ] });
        let bpe: Bpe = serde_json::from_value(model).map_err(no_tokenizer)?;
        if normalizer != blanks || !pre_tokenizer.is_null() || !bpe.byte_fallback {
            return Err(bad("does not cut words as Llama 2 does, which is needed".to_owned()));
        }
        Self::of(&bpe).map_err(bad)
    }

    fn of(bpe: &Bpe) -> Result<Self, String> {
        let piece = |text: &str| {
            bpe.vocab.get(text).copied().ok_or_else(|| format!("lacks the piece {text:?} in its vocabulary"))
        };
        let mut bytes = Box::new([0; 256]);
        for (byte, place) in bytes.iter_mut().enumerate() {
            *place = piece(&format!("<0x{byte:02X}>"))?;
        }
        let mut merges = HashMap::with_capacity(bpe.merges.len());
        for (rank, pair) in (0..).zip(&bpe.merges) {
            let (left, right) = match pair {
                Pair::Text(text) => {
                    text.split_once(' ').ok_or_else(|| format!("has a merge that is no pair: {text:?}"))?
                }
                Pair::Parts(left, right) => (left.as_str(), right.as_str()),
            };
            let into = piece(&format!("{left}{right}"))?;
            merges.entry((piece(left)?, piece(right)?)).or_insert(Merge { rank, into });
        }
        let only_letter = |text: &str| {
            let mut letters = text.chars();
            letters.next().filter(|_| letters.next().is_none())
        };
        let letters = bpe.vocab.iter().filter_map(|(text, id)| Some((only_letter(text)?, *id))).collect();
        let pieces = bpe.vocab.values().max().map_or(0, |greatest| *greatest as usize + 1);
        Ok(Self { letters, bytes, merges, pieces })
    }

    /// How many pieces it knows: each is a number below.
    pub(super) fn pieces(&self) -> usize {
        self.pieces
    }

    /// The pieces of a text, in order; none of one that is empty.
    pub(super) fn cut(&self, text: &str) -> Vec<u32> {
        let mut pieces = Vec::with_capacity(text.len() + 1);
        let start = iter::once(BLANK).filter(|_| !text.is_empty());
        for letter in start.chain(text.chars()).map(|letter| if letter == ' ' { BLANK } else { letter }) {
            if let Some(piece) = self.letters.get(&letter) {
                pieces.push(*piece);
            } else {
                let mut utf8 = [0; 4];
                pieces
                    .extend(letter.encode_utf8(&mut utf8).bytes().map(|byte| self.bytes[usize::from(byte)]));
            }
        }
        self.merge(&mut pieces);
        pieces
    }

    /// Merges neighbours, the lowest rank first and of one rank from left to right.
    fn merge(&self, pieces: &mut Vec<u32>) {
        // Beside each piece, where the ones before and after it stand.
        let mut before: Vec<usize> = (0..pieces.len()).map(|at| at.wrapping_sub(1)).collect();
        let mut after: Vec<usize> = (1..=pieces.len()).collect();
        let merge_at = |pieces: &[u32], at: usize, next: usize| {
            self.merges.get(&(*pieces.get(at)?, *pieces.get(next)?)).copied()
        };
        let mut open: BinaryHeap<Reverse<(u32, usize)>> = (0..pieces.len())
            .filter_map(|at| Some(Reverse((merge_at(pieces, at, at + 1)?.rank, at))))
            .collect();
        while let Some(Reverse((rank, at))) = open.pop() {
            let next = after[at];
            // What has become of the two in the meantime has another rank, or none.
            let Some(merge) = merge_at(pieces, at, next).filter(|merge| merge.rank == rank) else { continue };
            pieces[at] = merge.into;
            pieces[next] = MERGED;
            after[at] = after[next];
            if let Some(before) = before.get_mut(after[at]) {
                *before = at;
            }
            for (left, right) in [(before[at], at), (at, after[at])] {
                open.extend(merge_at(pieces, left, right).map(|merge| Reverse((merge.rank, left))));
            }
        }
        pieces.retain(|piece| *piece != MERGED);
    }
}
