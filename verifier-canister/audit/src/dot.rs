//! Products of a matrix of 16-bit weights with a vector, exact: the only arithmetic that takes time in a replay.
//!
//! Vectors come in blocks of [`LANES`] values, padded with zeros. No weight is `i16::MIN`, so the sum of two
//! products fits in 32 bits. Four rows are done at a time, so that the vector is loaded once for four of them. On
//! wasm32 the SIMD instructions are named, since the compiler does not find `i32x4.dot_i16x8_s` by itself;
//! elsewhere it does.

/// Values in a block.
pub(crate) const LANES: usize = 32;

/// A block of values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block([kernel::Eight; LANES / 8]);

/// How wide sums must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sums {
    /// No partial sum of any row leaves 32 bits.
    Narrow,
    /// Some may; they fit in 64 bits.
    Wide,
}

/// Splits `values` into blocks, the last one padded with zeros, and appends them to `out`.
pub(crate) fn append_blocks(out: &mut Vec<Block>, values: &[i16]) {
    for chunk in values.chunks(LANES) {
        let mut values = [[0; 8]; LANES / 8];
        values.as_flattened_mut()[..chunk.len()].copy_from_slice(chunk);
        out.push(Block(values.map(kernel::eight)));
    }
}

/// Appends `row · vector` to `out` for each row of `weights`; a row has as many blocks as the vector, at least one.
pub(crate) fn multiply(sums: Sums, weights: &[Block], vector: &[Block], out: &mut Vec<i64>) {
    match sums {
        Sums::Narrow => multiply_with::<kernel::Narrow>(weights, vector, out),
        Sums::Wide => multiply_with::<kernel::Wide>(weights, vector, out),
    }
}

/// A sum of products that is not finished.
trait Sum: Copy {
    const ZERO: Self;

    /// Adds the products of two blocks.
    fn add(self, x: &Block, w: &Block) -> Self;

    /// The sum.
    fn total(self) -> i64;
}

fn multiply_with<S: Sum>(weights: &[Block], vector: &[Block], out: &mut Vec<i64>) {
    let width = vector.len();
    let fours = weights.chunks_exact(4 * width);
    let rest = fours.remainder();
    for four in fours {
        let (ab, cd) = four.split_at(2 * width);
        let ((a, b), (c, d)) = (ab.split_at(width), cd.split_at(width));
        let (mut sum_a, mut sum_b, mut sum_c, mut sum_d) = (S::ZERO, S::ZERO, S::ZERO, S::ZERO);
        for ((((x, a), b), c), d) in vector.iter().zip(a).zip(b).zip(c).zip(d) {
            sum_a = sum_a.add(x, a);
            sum_b = sum_b.add(x, b);
            sum_c = sum_c.add(x, c);
            sum_d = sum_d.add(x, d);
        }
        out.extend([sum_a.total(), sum_b.total(), sum_c.total(), sum_d.total()]);
    }
    for row in rest.chunks_exact(width) {
        out.push(vector.iter().zip(row).fold(S::ZERO, |sum, (x, w)| sum.add(x, w)).total());
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod kernel {
    use super::{Block, Sum};

    /// Eight values.
    pub(super) type Eight = [i16; 8];

    pub(super) fn eight(values: [i16; 8]) -> Eight {
        values
    }

    #[derive(Clone, Copy)]
    pub(super) struct Narrow(i32);

    #[derive(Clone, Copy)]
    pub(super) struct Wide(i64);

    impl Sum for Narrow {
        const ZERO: Self = Self(0);

        fn add(self, x: &Block, w: &Block) -> Self {
            Self(products(x, w).fold(self.0, i32::wrapping_add))
        }

        fn total(self) -> i64 {
            self.0.into()
        }
    }

    impl Sum for Wide {
        const ZERO: Self = Self(0);

        fn add(self, x: &Block, w: &Block) -> Self {
            Self(self.0 + products(x, w).map(i64::from).sum::<i64>())
        }

        fn total(self) -> i64 {
            self.0
        }
    }

    fn products(x: &Block, w: &Block) -> impl Iterator<Item = i32> {
        let pairs = x.0.as_flattened().iter().zip(w.0.as_flattened());
        pairs.map(|(&x, &w)| i32::from(x).wrapping_mul(i32::from(w)))
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod kernel {
    use core::arch::wasm32::{
        i16x8, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i64x2, i64x2_add,
        i64x2_extend_high_i32x4, i64x2_extend_low_i32x4, i64x2_extract_lane, v128,
    };

    use super::{Block, Sum};

    /// Eight values.
    pub(super) type Eight = v128;

    pub(super) fn eight(v: [i16; 8]) -> Eight {
        i16x8(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
    }

    /// Four sums of 32 bits.
    #[derive(Clone, Copy)]
    pub(super) struct Narrow(v128);

    /// Two sums of 64 bits.
    #[derive(Clone, Copy)]
    pub(super) struct Wide(v128);

    impl Sum for Narrow {
        const ZERO: Self = Self(i32x4(0, 0, 0, 0));

        #[inline(always)]
        fn add(self, x: &Block, w: &Block) -> Self {
            let pairs = x.0.iter().zip(&w.0).map(|(&x, &w)| i32x4_dot_i16x8(x, w));
            Self(pairs.fold(self.0, |sums, pairs| i32x4_add(sums, pairs)))
        }

        fn total(self) -> i64 {
            let low = i32x4_extract_lane::<0>(self.0).wrapping_add(i32x4_extract_lane::<1>(self.0));
            let high = i32x4_extract_lane::<2>(self.0).wrapping_add(i32x4_extract_lane::<3>(self.0));
            low.wrapping_add(high).into()
        }
    }

    impl Sum for Wide {
        const ZERO: Self = Self(i64x2(0, 0));

        #[inline(always)]
        fn add(self, x: &Block, w: &Block) -> Self {
            let pairs = x.0.iter().zip(&w.0).map(|(&x, &w)| i32x4_dot_i16x8(x, w));
            Self(pairs.fold(self.0, |sums, pairs| {
                i64x2_add(i64x2_add(sums, i64x2_extend_low_i32x4(pairs)), i64x2_extend_high_i32x4(pairs))
            }))
        }

        fn total(self) -> i64 {
            i64x2_extract_lane::<0>(self.0).wrapping_add(i64x2_extract_lane::<1>(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(rows: &[Vec<i16>]) -> Vec<Block> {
        let mut blocks = Vec::new();
        rows.iter().for_each(|row| append_blocks(&mut blocks, row));
        blocks
    }

    fn multiplied(sums: Sums, rows: &[Vec<i16>], vector: &[i16]) -> Vec<i64> {
        let mut out = Vec::new();
        multiply(sums, &blocks(rows), &blocks(&[vector.to_vec()]), &mut out);
        out
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let (high, low) = (vec![i16::MAX; 4096], vec![-i16::MAX; 4096]);
        let square = 4096 * i64::from(i16::MAX).pow(2);
        let rows = [high.clone(), low.clone()];
        assert_eq!(multiplied(Sums::Wide, &rows, &high), [square, -square]);
        assert_eq!(multiplied(Sums::Wide, &rows, &low), [-square, square]);
    }

    #[test]
    fn every_shape_gives_the_plain_sum() {
        for width in [1, 7, 31, 32, 33, 64, 77] {
            for height in 1..=9 {
                let value = |row: usize, column: usize| ((row * 131 + column * 31) % 401) as i16 - 200;
                let rows: Vec<Vec<i16>> =
                    (0..height).map(|row| (0..width).map(|column| value(row, column)).collect()).collect();
                let vector: Vec<i16> = (0..width).map(|column| value(97, column * 3)).collect();
                let plain = |row: &Vec<i16>| -> i64 {
                    row.iter().zip(&vector).map(|(&w, &x)| i64::from(w) * i64::from(x)).sum()
                };
                let expected: Vec<i64> = rows.iter().map(plain).collect();
                assert_eq!(multiplied(Sums::Narrow, &rows, &vector), expected, "{height} x {width}");
                assert_eq!(multiplied(Sums::Wide, &rows, &vector), expected, "{height} x {width}");
            }
        }
    }
}
