//! Measuring in turns: A B A B, so that whatever else the machine does meets all that are compared.

use crate::{Result, said};

/// What one subject took in each round; empty if it could not be measured.
#[derive(Default)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    pub(crate) fn median(&self) -> Option<f64> {
        median(self.0.clone())
    }

    /// The median, over the rounds, of this against `other`.
    pub(crate) fn ratio(&self, other: &Self) -> Option<f64> {
        median(self.0.iter().zip(&other.0).map(|(this, other)| this / other).collect())
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Measures the subjects in turn, round after round. The first round warms up and is not kept. A subject that fails is
/// said aloud, and drops out.
pub(crate) fn interleave<S, const N: usize>(
    mut subjects: [Option<S>; N],
    rounds: u32,
    mut measure: impl FnMut(&mut S) -> Result<f64>,
) -> [Rounds; N] {
    let mut values = [const { Rounds(Vec::new()) }; N];
    for round in 0..=rounds {
        for (place, values) in subjects.iter_mut().zip(&mut values) {
            let Some(subject) = place else { continue };
            match said("left out", measure(subject)) {
                Some(value) if round > 0 => values.0.push(value),
                Some(_) => (),
                None => {
                    *place = None;
                    *values = Rounds::default();
                }
            }
        }
    }
    values
}
