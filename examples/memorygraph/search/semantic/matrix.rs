//! A row of numbers for each piece of a word: the half-precision numbers of a `safetensors` file, held as they are.
//!
//! Single precision would take twice the room, and says nothing more.

use safetensors::{Dtype, SafeTensors};

use super::error::Wrong;
use super::files::Content;

/// What the matrix is called in its file.
const TENSOR: &str = "embedding.weight";
/// Rows and columns beyond which it is something else.
const MAX_ROWS: usize = 1 << 20;
const MAX_COLUMNS: usize = 1 << 12;

/// The sign, the exponent and the fraction of a half-precision number.
const SIGN: u16 = 0x8000;
const EXPONENT: u16 = 0x7c00;

#[derive(Debug)]
pub(super) struct Matrix {
    halves: Box<[u16]>,
    columns: usize,
}

impl Matrix {
    pub(super) fn read(file: &Content) -> Result<Self, Wrong> {
        let name = || file.name.clone();
        let bad = |what: String| Wrong::BadMatrix { file: name(), what };
        let no_matrix = |error| Wrong::NoMatrix { file: name(), error };
        let tensors = SafeTensors::deserialize(&file.bytes).map_err(no_matrix)?;
        let tensor = tensors
            .tensor(TENSOR)
            .map_err(|_| bad(format!("holds no tensor '{TENSOR}', but {:?}", tensors.names())))?;
        if tensor.dtype() != Dtype::F16 {
            return Err(bad(format!("holds numbers of type {:?}, where F16 is needed", tensor.dtype())));
        }
        let columns = match *tensor.shape() {
            [rows @ 1..=MAX_ROWS, columns @ 1..=MAX_COLUMNS] if rows > 0 => columns,
            ref other => {
                return Err(bad(format!("has the shape {other:?}, where [pieces, numbers] is needed")));
            }
        };
        let halves: Box<[u16]> =
            tensor.data().as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
        if let Some(at) = halves.iter().position(|half| half & EXPONENT == EXPONENT) {
            return Err(bad(format!("holds something in row {} that is no finite number", at / columns)));
        }
        Ok(Self { halves, columns })
    }

    pub(super) fn rows(&self) -> usize {
        self.halves.len() / self.columns
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Adds a row to a sum.
    pub(super) fn add(&self, row: usize, sum: &mut [f32]) {
        let halves = &self.halves[row * self.columns..][..self.columns];
        sum.iter_mut().zip(halves).for_each(|(sum, half)| *sum += single(*half));
    }
}

/// A finite half-precision number in single precision. Both have a sign, an exponent and a fraction, in this order: moved
/// to their places they make a number that is too small by the difference of what exponents count from.
fn single(half: u16) -> f32 {
    const TOO_SMALL: f32 = f32::from_bits((127 + 112) << 23);
    let moved = u32::from(half & !SIGN) << 13;
    let sign = u32::from(half & SIGN) << 16;
    f32::from_bits((f32::from_bits(moved) * TOO_SMALL).to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_as_it_is_meant() {
        let cases: [(u16, f32); 9] = [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xbc00, -1.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65_504.0),
            (0xc500, -5.0),
            (0x0400, 0.000_061_035_156),
            (0x0001, 0.000_000_059_604_645),
            (0x83ff, -0.000_060_975_55),
        ];
        for (half, expected) in cases {
            assert_eq!(single(half).to_bits(), expected.to_bits(), "{half:#06x}");
        }
    }
}
