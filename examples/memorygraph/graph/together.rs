//! What several searches found, taken together.

use std::collections::HashMap;

use super::{Match, Matches};
use crate::model::Slot;
use crate::search::{MatchMode, Ranking, Why};

/// What each of several terms found. A memory's score is the average over all terms, so that one that speaks of more of
/// them comes first.
#[derive(Debug)]
pub(crate) struct Together {
    terms: usize,
    sums: HashMap<Slot, Sum>,
    ranking: Option<Ranking>,
}

/// How many terms a memory speaks of, and the sums of what they say of it.
#[derive(Debug, Clone, Copy)]
struct Sum {
    terms: usize,
    score: f64,
    why: Why,
}

impl Together {
    /// Of so many terms, none of which was looked for yet.
    pub(crate) fn of(terms: usize) -> Self {
        Self { terms, sums: HashMap::new(), ranking: None }
    }

    /// Takes in what one term found.
    pub(crate) fn add(&mut self, Matches { best, ranking }: Matches) {
        for Match { slot, score, why } in best {
            let none = Sum { terms: 0, score: 0.0, why: Why { lexical: 0.0, vector: None } };
            let sum = self.sums.entry(slot).or_insert(none);
            sum.terms += 1;
            sum.score += score;
            sum.why.lexical += why.lexical;
            sum.why.vector =
                why.vector.map(|vector| vector + sum.why.vector.unwrap_or_default()).or(sum.why.vector);
        }
        let Some(known) = &mut self.ranking else {
            self.ranking = Some(ranking);
            return;
        };
        for guess in ranking.guessed {
            if !known.guessed.contains(&guess) {
                known.guessed.push(guess);
            }
        }
    }

    /// Those that speak of any of the terms, or of all, in no order.
    pub(crate) fn matches(&self, match_mode: MatchMode) -> impl Iterator<Item = Match> {
        let fewest = if match_mode == MatchMode::All { self.terms } else { 1 };
        let terms = self.terms as f32;
        self.sums.iter().filter(move |(_, sum)| sum.terms >= fewest).map(move |(slot, sum)| {
            let why =
                Why { lexical: sum.why.lexical / terms, vector: sum.why.vector.map(|vector| vector / terms) };
            Match { slot: *slot, score: sum.score / f64::from(terms), why }
        })
    }

    /// How they were ranked, with all that was guessed; none if nothing was looked for.
    pub(crate) fn into_ranking(self) -> Option<Ranking> {
        self.ranking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Guess, Mode};

    fn matches(of: &[(u32, f32, Option<f32>)], guessed: &str) -> Matches {
        let matched = |(slot, lexical, vector): &(u32, f32, Option<f32>)| Match {
            slot: Slot::from(*slot),
            score: f64::from(vector.unwrap_or_default() + lexical / 2.0),
            why: Why { lexical: *lexical, vector: *vector },
        };
        let guess = Guess { word: guessed.to_owned(), taken_for: vec!["redis".to_owned()] };
        let ranking = Ranking { mode: Mode::Semantic, guessed: vec![guess], without_vector: 1 };
        Matches { best: of.iter().map(matched).collect(), ranking }
    }

    fn both() -> Together {
        let mut together = Together::of(2);
        together.add(matches(&[(0, 0.5, Some(0.25)), (1, 1.0, None)], "rdis"));
        together.add(matches(&[(0, 0.5, Some(0.75)), (2, 0.0, Some(1.0))], "rdis"));
        together
    }

    fn found(match_mode: MatchMode) -> Vec<(u32, f64, Why)> {
        let mut found: Vec<_> =
            both().matches(match_mode).map(|found| (found.slot.number(), found.score, found.why)).collect();
        found.sort_by_key(|(slot, ..)| *slot);
        found
    }

    #[test]
    fn a_score_is_the_average_over_all_terms() {
        let expected = [
            (0, 0.75, Why { lexical: 0.5, vector: Some(0.5) }),
            (1, 0.25, Why { lexical: 0.5, vector: None }),
            (2, 0.5, Why { lexical: 0.0, vector: Some(0.5) }),
        ];
        assert_eq!(found(MatchMode::Any), expected);
        assert_eq!(found(MatchMode::All), expected[..1]);
    }

    #[test]
    fn what_several_terms_guessed_is_told_once() {
        assert_eq!(both().into_ranking().map(|ranking| ranking.guessed.len()), Some(1));
        assert_eq!(Together::of(0).into_ranking(), None);
    }
}
