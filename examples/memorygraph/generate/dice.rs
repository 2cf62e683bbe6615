//! Chance that repeats itself: `SplitMix64`, from a seed.

use std::ops::RangeInclusive;

/// A sequence of numbers that look random and depend on the seed alone.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        // The high half of the product spreads the roll evenly over the range.
        ((u128::from(self.roll()) * end as u128) >> 64) as usize
    }

    /// One of `choices`, of which there must be one.
    pub(super) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// One of `choices`, each as often as its weight says.
    pub(super) fn weighted<'c, T>(&mut self, choices: &'c [(T, usize)]) -> &'c T {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        let mut choices = choices.iter();
        loop {
            // The weights left sum up to more than `left`, so that one of them is reached.
            match choices.as_slice() {
                [(choice, _)] => return choice,
                [(choice, weight), ..] if left < *weight => return choice,
                [(_, weight), ..] => left -= weight,
                [] => unreachable!("weighed nothing"),
            }
            choices.next();
        }
    }

    /// A number of two decimals, from a range told in hundredths.
    pub(super) fn hundredths(&mut self, range: RangeInclusive<usize>) -> f64 {
        (range.start() + self.below(range.end() - range.start() + 1)) as f64 / 100.0
    }

    pub(super) fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.roll()) << 64 | u128::from(self.roll())).to_be_bytes()
    }
}
