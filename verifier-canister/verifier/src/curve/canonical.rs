//! Between elements and the canonical bytes of integers below the prime.

use super::{
    constants::{ONE, PRIME_WORDS, R2},
    element::{Element, Fq, LIMB_BITS, MASK, PRIME, TOP_BITS},
};

/// The prime's limbs.
pub(super) const Q: [i32; 9] = {
    let [q1, q2, q3, q4] = PRIME;
    [1, q1, q2, q3, q4, 0, 0, 0, 1 << TOP_BITS]
};

impl Fq {
    /// Zero.
    pub const ZERO: Self = Element([0; 9]);
    /// One.
    pub const ONE: Self = Element(ONE);

    /// Reads little-endian bytes; `None` unless below the prime.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let below = words.iter().rev().lt(PRIME_WORDS.iter().rev());
        below.then(|| Element(limbs(words)).times(&Element(R2)))
    }

    /// The canonical integer's limbs.
    pub fn integer(&self) -> [i32; 9] {
        let mut one = [0; 9];
        if let Some(first) = one.first_mut() {
            *first = 1;
        }
        self.times(&Element(one)).canonical()
    }

    /// The canonical integer's bytes.
    pub fn bytes(&self) -> [u8; 32] {
        let [l0, l1, l2, l3, l4, l5, l6, l7, l8] = self.integer().map(|limb| u64::from(limb.cast_unsigned()));
        let words = [
            l0 | l1 << 29 | l2 << 58,
            l2 >> 6 | l3 << 23 | l4 << 52,
            l4 >> 12 | l5 << 17 | l6 << 46,
            l6 >> 18 | l7 << 11 | l8 << 40,
        ];
        let mut bytes = [0; 32];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
        bytes
    }

    /// The limbs of the representative in `[0, q)` of a tidy element or a difference of two.
    pub fn canonical(&self) -> [i32; 9] {
        let limbs = carry(&self.0);
        // The top limb tells the multiple of the prime but for one.
        let k = limbs.last().map_or(0, |top| top >> TOP_BITS);
        let mut limbs = add_prime(&limbs, -k);
        // Now in (-q, 2·q).
        if limbs.last().is_some_and(|&top| top < 0) {
            limbs = add_prime(&limbs, 1);
        }
        let less = add_prime(&limbs, -1);
        if less.last().is_some_and(|&top| top < 0) { limbs } else { less }
    }

    /// Whether a tidy element, or a difference of two, is zero.
    pub fn is_zero(&self) -> bool {
        let [lowest, ..] = self.0;
        may_be_zero(lowest) && self.canonical() == [0; 9]
    }

    /// Whether two tidy elements, or negatives of such, are equal.
    #[inline(always)]
    pub fn equals(&self, other: &Self) -> bool {
        let ([a, ..], [b, ..]) = (self.0, other.0);
        may_be_zero(a.wrapping_sub(b)) && self.equals_exactly(other)
    }

    #[cold]
    #[inline(never)]
    fn equals_exactly(&self, other: &Self) -> bool {
        self.minus(other).canonical() == [0; 9]
    }
}

/// A difference that is zero in the field is `k·q` with `|k| <= 5`, and `q` is 1 modulo a limb.
#[inline(always)]
fn may_be_zero(lowest: i32) -> bool {
    lowest.wrapping_add(5) & MASK <= 10
}

/// `limbs + times·q` for a small `times`, carried.
fn add_prime(limbs: &[i32; 9], times: i32) -> [i32; 9] {
    let mut carry = 0_i64;
    let mut out = [0; 9];
    for ((out, &limb), prime) in out.iter_mut().zip(limbs).zip(Q) {
        carry += i64::from(limb) + i64::from(times) * i64::from(prime);
        *out = low(carry);
        carry >>= LIMB_BITS;
    }
    // The top limb keeps the sign.
    if let Some(top) = out.last_mut() {
        *top += i32::try_from(carry << LIMB_BITS).unwrap_or(0);
    }
    out
}

fn carry(limbs: &[i32; 9]) -> [i32; 9] {
    add_prime(limbs, 0)
}

#[allow(clippy::cast_possible_truncation, reason = "masked")]
fn low(value: i64) -> i32 {
    value as i32 & MASK
}

/// 256 bits in limbs.
#[allow(clippy::cast_possible_truncation, reason = "masked")]
fn limbs([w0, w1, w2, w3]: [u64; 4]) -> [i32; 9] {
    [
        w0,
        w0 >> 29,
        w0 >> 58 | w1 << 6,
        w1 >> 23,
        w1 >> 52 | w2 << 12,
        w2 >> 17,
        w2 >> 46 | w3 << 18,
        w3 >> 11,
        w3 >> 40,
    ]
    .map(|bits| bits as i32 & MASK)
}
