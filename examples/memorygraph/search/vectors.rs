//! A direction for each document, and how near each lies to another one.

/// Unit vectors by document, in a byte a number: their cosines come out exact to about a hundredth.
#[derive(Debug)]
pub(super) struct Vectors {
    dimension: usize,
    values: Vec<i8>,
    /// What the numbers of a document must be multiplied with; 0 if it has none.
    scales: Vec<f32>,
}

/// A direction in bytes, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Direction(Box<[i8]>);

impl Direction {
    /// That of `vector`; none, if it has none.
    pub(super) fn of(vector: &[f32]) -> Self {
        let mut bytes = vec![0; vector.len()];
        quantize(vector, &mut bytes);
        Self(bytes.into())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| byte.cast_signed()).collect())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|byte| byte.cast_unsigned()).collect()
    }
}

impl Vectors {
    pub(super) fn new(dimension: usize) -> Self {
        Self { dimension, values: Vec::new(), scales: Vec::new() }
    }

    /// Gives `doc` the direction of `vector`, or none if that has none.
    pub(super) fn set(&mut self, doc: u32, vector: &[f32]) {
        let (values, scale) = self.row(doc);
        *scale = quantize(vector, values);
    }

    /// Gives `doc` a direction that was kept, if it is of as many numbers as all others. Says whether it is.
    pub(super) fn restore(&mut self, doc: u32, Direction(bytes): &Direction) -> bool {
        let fits = bytes.len() == self.dimension;
        if fits {
            let (values, scale) = self.row(doc);
            values.copy_from_slice(bytes);
            *scale = to_unit(bytes);
        }
        fits
    }

    fn row(&mut self, doc: u32) -> (&mut [i8], &mut f32) {
        let index = doc as usize;
        if self.scales.len() <= index {
            self.scales.resize(index + 1, 0.0);
            self.values.resize((index + 1) * self.dimension, 0);
        }
        (&mut self.values[index * self.dimension..][..self.dimension], &mut self.scales[index])
    }

    /// Takes the direction of `doc` away.
    pub(super) fn clear(&mut self, doc: u32) {
        if let Some(scale) = self.scales.get_mut(doc as usize) {
            *scale = 0.0;
        }
    }

    /// The cosine between `vector` and each document, by document; 0 where one has no direction.
    pub(super) fn cosines(&self, vector: &[f32]) -> Vec<f32> {
        let mut query = vec![0; self.dimension];
        let scale = quantize(vector, &mut query);
        let rows = self.values.chunks_exact(self.dimension).zip(&self.scales);
        rows.map(|(row, row_scale)| dot(row, &query) as f32 * row_scale * scale).collect()
    }
}

/// Writes the direction of `vector` in bytes; gives what makes a unit vector of them.
fn quantize(vector: &[f32], bytes: &mut [i8]) -> f32 {
    let greatest = vector.iter().fold(0.0_f32, |greatest, value| greatest.max(value.abs()));
    if greatest <= 0.0 || !greatest.is_finite() {
        bytes.fill(0);
        return 0.0;
    }
    let to_byte = f32::from(i8::MAX) / greatest;
    for (byte, value) in bytes.iter_mut().zip(vector) {
        // Rounds to the nearest, in a way that many are rounded at once.
        *byte = (value * to_byte + 0.5_f32.copysign(*value)) as i8;
    }
    to_unit(bytes)
}

/// What makes a unit vector of these, or 0 of those that have no direction.
fn to_unit(bytes: &[i8]) -> f32 {
    match dot(bytes, bytes) {
        0 => 0.0,
        square => 1.0 / (square as f32).sqrt(),
    }
}

fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_are_near_the_exact_ones() {
        let wave = |step: f32| -> Vec<f32> { (0..256).map(|n| (n as f32 * step).sin()).collect() };
        let exact = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let mut vectors = Vectors::new(256);
        let all: Vec<Vec<f32>> = [0.1, 0.11, 0.3, 2.0].map(wave).to_vec();
        for (doc, vector) in (0..).zip(&all) {
            vectors.set(doc, vector);
        }
        for (cosine, vector) in vectors.cosines(&all[0]).iter().zip(&all) {
            assert!((cosine - exact(&all[0], vector)).abs() < 0.01, "{cosine}");
        }
    }

    #[test]
    fn what_has_no_direction_is_like_nothing() {
        let mut vectors = Vectors::new(2);
        vectors.set(1, &[3.0, 4.0]);
        vectors.set(2, &[0.0, 0.0]);
        vectors.set(3, &[f32::NAN, f32::INFINITY]);
        let cosines = vectors.cosines(&[3.0, 4.0]);
        assert!((cosines[1] - 1.0).abs() < 0.01, "{cosines:?}");
        assert!([0, 2, 3].iter().all(|doc| cosines[*doc].abs() <= 0.0), "{cosines:?}");
        vectors.clear(1);
        assert!(vectors.cosines(&[3.0, 4.0]).iter().all(|cosine| cosine.abs() <= 0.0));
    }
}
