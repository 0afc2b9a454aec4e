//! Dot products of 16-bit vectors, exact: the only arithmetic that takes time in a replay.
//!
//! Vectors come in blocks of [`LANES`] values, padded with zeros. No weight is `i16::MIN`, so the sum of two
//! products fits in 32 bits. On wasm32 the SIMD instructions are named, since the
//! compiler does not find `i32x4.dot_i16x8_s` by itself; elsewhere it does.

/// Values in a block.
pub(crate) const LANES: usize = 32;

/// A block of values, as four vectors of eight.
pub(crate) type Block = [[i16; 8]; LANES / 8];

/// Splits `values` into blocks, the last one padded with zeros, and appends them to `out`.
pub(crate) fn append_blocks(out: &mut Vec<Block>, values: &[i16]) {
    for chunk in values.chunks(LANES) {
        let mut block = Block::default();
        block.as_flattened_mut()[..chunk.len()].copy_from_slice(chunk);
        out.push(block);
    }
}

pub(crate) use kernel::{dot_narrow, dot_wide};

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod kernel {
    use super::Block;

    /// `sum x·y`; the caller knows that no partial sum leaves 32 bits.
    pub(crate) fn dot_narrow(x: &[Block], y: &[Block]) -> i64 {
        x.iter().zip(y).map(|(x, y)| block(x, y)).fold(0, i32::wrapping_add).into()
    }

    /// `sum x·y`, where one side holds weights.
    pub(crate) fn dot_wide(x: &[Block], y: &[Block]) -> i64 {
        let pairs = |x: &Block, y: &Block| {
            flat(x).zip(flat(y)).map(|(x, y)| i64::from(x.wrapping_mul(y))).sum::<i64>()
        };
        x.iter().zip(y).map(|(x, y)| pairs(x, y)).sum()
    }

    fn block(x: &Block, y: &Block) -> i32 {
        flat(x).zip(flat(y)).map(|(x, y)| x.wrapping_mul(y)).fold(0, i32::wrapping_add)
    }

    fn flat(block: &Block) -> impl Iterator<Item = i32> {
        block.as_flattened().iter().map(|&value| value.into())
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod kernel {
    use core::arch::wasm32::{
        i16x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, i64x2_add,
        i64x2_extend_high_i32x4, i64x2_extend_low_i32x4, i64x2_extract_lane, i64x2_splat, v128,
    };

    use super::Block;

    /// `sum x·y`; the caller knows that no partial sum leaves 32 bits.
    pub(crate) fn dot_narrow(x: &[Block], y: &[Block]) -> i64 {
        let mut sums = i32x4_splat(0);
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.iter().zip(y) {
                sums = i32x4_add(sums, i32x4_dot_i16x8(load(x), load(y)));
            }
        }
        let low = i32x4_extract_lane::<0>(sums).wrapping_add(i32x4_extract_lane::<1>(sums));
        low.wrapping_add(i32x4_extract_lane::<2>(sums)).wrapping_add(i32x4_extract_lane::<3>(sums)).into()
    }

    /// `sum x·y`, where one side holds weights.
    pub(crate) fn dot_wide(x: &[Block], y: &[Block]) -> i64 {
        let mut sums = i64x2_splat(0);
        for (x, y) in x.iter().zip(y) {
            for (x, y) in x.iter().zip(y) {
                let pairs = i32x4_dot_i16x8(load(x), load(y));
                sums = i64x2_add(sums, i64x2_extend_low_i32x4(pairs));
                sums = i64x2_add(sums, i64x2_extend_high_i32x4(pairs));
            }
        }
        i64x2_extract_lane::<0>(sums).wrapping_add(i64x2_extract_lane::<1>(sums))
    }

    /// Eight values as one vector; compiles to a single load.
    #[inline(always)]
    fn load(v: &[i16; 8]) -> v128 {
        i16x8(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extreme_values_do_not_overflow() {
        let (mut high, mut low) = (Vec::new(), Vec::new());
        append_blocks(&mut high, &[i16::MAX; 4096]);
        append_blocks(&mut low, &[-i16::MAX; 4096]);
        let square = i64::from(i16::MAX).pow(2);
        assert_eq!(dot_wide(&high, &high), 4096 * square);
        assert_eq!(dot_wide(&low, &low), 4096 * square);
        assert_eq!(dot_wide(&high, &low), -4096 * square);
    }

    #[test]
    fn narrow_equals_wide_and_padding_counts_nothing() {
        let values: Vec<i16> = (0..77).map(|i| i * 31 - 900).collect();
        let mut blocks = Vec::new();
        append_blocks(&mut blocks, &values);
        assert_eq!(blocks.len(), 3);
        let expected: i64 = values.iter().map(|&v| i64::from(v).pow(2)).sum();
        assert_eq!(dot_narrow(&blocks, &blocks), expected);
        assert_eq!(dot_wide(&blocks, &blocks), expected);
    }
}
