//! `sum of scalar·point` by buckets: every scalar is cut into signed digits of `c` bits, and for each position of a
//! digit the points are summed by the digits' magnitudes `k`.
//!
//! A position's `sum of k·bucket` goes the same way once more: `k = low + 2^h·high` puts each bucket's sum into one of
//! few buckets for `low` and one for `high`, of which running sums are short.
#![allow(clippy::indexing_slicing, reason = "positions are counted here, never read from a proof")]

use super::{
    buckets::{Buckets, Entry},
    projective::{Affine, Extended, doubled, sum},
};

/// Most digits that are sorted at a time: 72 bytes each.
const BATCH: usize = 1 << 16;
/// Bits of a scalar, and one for the sign.
const BITS: u32 = 256;

/// How digits are cut.
#[derive(Debug, Clone, Copy)]
struct Digits {
    /// c.
    bits: u32,
    /// h.
    low: u32,
    /// Positions of digits.
    positions: u32,
}

impl Digits {
    fn new(bits: u32) -> Self {
        Self { bits, low: bits / 2, positions: BITS.div_ceil(bits) }
    }

    /// The width with the least multiplications for `count` points.
    fn best(count: usize) -> Self {
        (3..=15).map(Self::new).min_by_key(|digits| digits.cost(count)).unwrap_or(Self::new(8))
    }

    /// Multiplications in lockstep: six for each addition to a bucket, which are one for each point and about one for
    /// each bucket; 40 for each step of a running sum (two additions of 14, not in lockstep); 600 for each of about 16
    /// shared inversions.
    fn cost(self, count: usize) -> usize {
        let positions = self.positions as usize;
        let batches = positions.div_ceil(self.per_batch(count));
        let position = 6 * (count + self.buckets().min(count)) + 40 * (self.lows() + self.highs());
        positions * position + batches * 16 * 600
    }

    /// Positions that are sorted at a time.
    fn per_batch(self, count: usize) -> usize {
        (BATCH / count.max(1)).clamp(1, self.positions as usize)
    }

    /// Magnitudes other than zero.
    fn buckets(self) -> usize {
        1 << (self.bits - 1)
    }

    /// Values of `low` other than zero.
    fn lows(self) -> usize {
        (1 << self.low) - 1
    }

    /// Values of `high` other than zero.
    fn highs(self) -> usize {
        1 << (self.bits - 1 - self.low)
    }

    /// A scalar's digits, the lowest first, in `-2^(c-1) < digit <= 2^(c-1)`. Scalars are below 2^255, so that the
    /// last digit carries nothing.
    fn of(self, scalar: &[u8; 32]) -> impl Iterator<Item = i32> {
        let mut padded = [0; 36];
        padded[..32].copy_from_slice(scalar);
        let half = 1_i32 << (self.bits - 1);
        let mut carry = 0;
        (0..self.positions).map(move |position| {
            let bit = position * self.bits;
            let byte = (bit / 8) as usize;
            let word = i32::from_le_bytes([padded[byte], padded[byte + 1], padded[byte + 2], 0]);
            let digit = (word >> (bit % 8) & ((1 << self.bits) - 1)) + carry;
            carry = i32::from(digit > half);
            digit - (carry << self.bits)
        })
    }
}

/// `sum of scalars[i]·points[i]` for canonical scalars below 2^255; `None` for the identity.
pub fn sum_of_products(scalars: &[[u8; 32]], points: &[Affine]) -> Option<Extended> {
    with_digits(Digits::best(scalars.len()), scalars, points)
}

fn with_digits(cut: Digits, scalars: &[[u8; 32]], points: &[Affine]) -> Option<Extended> {
    let positions = cut.positions as usize;
    let digits: Vec<i32> = scalars.iter().flat_map(|scalar| cut.of(scalar)).collect();
    let mut sums = Vec::with_capacity(positions);
    let mut entries = Vec::new();
    let per_batch = cut.per_batch(scalars.len());
    for start in (0..positions).step_by(per_batch) {
        let batch = start..positions.min(start + per_batch);
        entries.clear();
        for (index, digits) in (0_u32..).zip(digits.chunks(positions)) {
            for (position, &digit) in (0_u32..).zip(&digits[batch.clone()]) {
                if digit != 0 {
                    let bucket = position << (cut.bits - 1) | (digit.unsigned_abs() - 1);
                    entries.push((bucket, index << 1 | u32::from(digit < 0)));
                }
            }
        }
        let buckets = Buckets::new(batch.len() << (cut.bits - 1), &entries, points);
        sums.extend(weighted(cut, batch.len(), &buckets, &mut entries));
    }
    sums.into_iter().rev().fold(None, |total, position| sum(doubled(total, cut.bits), position))
}

/// `sum of (k+1)·bucket` of each position's buckets.
fn weighted(
    cut: Digits,
    positions: usize,
    buckets: &Buckets,
    entries: &mut Vec<Entry>,
) -> Vec<Option<Extended>> {
    let (lows, highs) = (cut.lows(), cut.highs());
    entries.clear();
    for (bucket, at) in buckets.filled() {
        let first = (bucket >> (cut.bits - 1)) * (lows + highs);
        let magnitude = (bucket & (cut.buckets() - 1)) + 1;
        let (low, high) = (magnitude & lows, magnitude >> cut.low);
        let places = [(low, first), (high, first + lows)];
        entries.extend(
            places
                .into_iter()
                .filter(|&(digit, _)| digit != 0)
                .map(|(digit, first)| entry(first + digit - 1, at)),
        );
    }
    let small = Buckets::new(positions * (lows + highs), entries, buckets.points());
    let position = |position: usize| {
        let first = position * (lows + highs);
        let low = running(&small, first, lows);
        let high = running(&small, first + lows, highs);
        sum(low, doubled(high, cut.low))
    };
    (0..positions).map(position).collect()
}

#[allow(clippy::cast_possible_truncation, reason = "numbers of buckets and points fit 31 bits")]
fn entry(bucket: usize, at: usize) -> Entry {
    (bucket as u32, (at as u32) << 1)
}

/// `sum of (i+1)·bucket[first+i]`.
fn running(buckets: &Buckets, first: usize, count: usize) -> Option<Extended> {
    let (mut running, mut total) = (None, None);
    for bucket in (first..first + count).rev() {
        running = sum(running, buckets.get(bucket).map(Extended::from));
        total = sum(total, running);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_add_up() {
        let mut scalar = [0xff; 32];
        scalar[31] = 0x7f;
        for scalar in [scalar, [0x80; 32].map(|byte: u8| byte >> 1), [0; 32]] {
            for bits in 3..=15 {
                let digits: Vec<_> = Digits::new(bits).of(&scalar).collect();
                let half = 1 << (bits - 1);
                assert!(digits.iter().all(|&digit| -half < digit && digit <= half));
                let mut carry = 0_i64;
                let mut bit_at = 0;
                for digit in digits {
                    carry += i64::from(digit);
                    for _ in 0..bits {
                        let expected = if bit_at < 256 { scalar[bit_at / 8] >> (bit_at % 8) & 1 } else { 0 };
                        assert_eq!(carry & 1, i64::from(expected), "bit {bit_at}");
                        carry >>= 1;
                        bit_at += 1;
                    }
                }
                assert_eq!(carry, 0);
            }
        }
    }
}
