//! Elements of Vesta's base field in nine signed limbs of 29 bits, in Montgomery form with `R = 2^261`.
//!
//! The prime is `q = 2^254 + q'` with `q' < 2^126` and `q = 1 mod 2^32`: of its limbs only 0 to 4 and 8 are not zero,
//! and `q^-1 = 1` modulo a limb. So a reduction step subtracts `m·q` with `m` the column's low bits themselves, which
//! clears them; five multiplications remain. Subtracting makes values negative, hence the signs.
//!
//! An element is *tidy* when limbs 0 to 7 are in `[0, 2^29)`, limb 8 has the sign, and its magnitude is below `2.2·q`.
//! Products take tidy elements, their negatives, and sums or differences of two of these, of which at least one factor
//! has all limbs of magnitude at most 2^29 (a tidy element, or a difference of two); a square's has. They return tidy
//! elements: a column is at most `9·2^29·2^30 + 4·2^29·2^29 + 2^51 + 2^35 < 2^63`, and a product of values of magnitude
//! below `x·q` and `y·q` is in `(-(1+e)·q, e·q)` with `e = x·y/128`, which is at most 0.16.

use super::{
    columns::{products, reduce, squares},
    lanes::{Lanes, One, Pair, Two},
};

/// Bits of a limb.
pub const LIMB_BITS: u32 = 29;
/// A limb's bits.
pub const MASK: i32 = (1 << LIMB_BITS) - 1;
/// Limbs 1 to 4 of the prime; limb 0 is 1, limbs 5 to 7 are 0 and limb 8 is `2^TOP_BITS`.
pub const PRIME: [i32; 4] = [37_181_704, 86_652_771, 221_378_579, 548];
/// The bit of limb 8 that is the prime's highest.
pub const TOP_BITS: u32 = 22;

/// One element, or two in lockstep.
#[derive(Debug, Clone, Copy)]
pub struct Element<L: Lanes>(pub [L::Limb; 9]);

/// One element.
pub type Fq = Element<One>;
/// Two elements.
pub type Fq2 = Element<Two>;

impl<L: Lanes> Element<L> {
    /// The same limbs in every lane.
    pub fn splat(limbs: &[i32; 9]) -> Self {
        Self(limbs.map(L::splat))
    }

    /// The limbs' sums; of two tidy elements they are below 2^30.
    #[inline]
    pub fn plus(&self, other: &Self) -> Self {
        self.zip(other, L::plus)
    }

    /// The limbs' differences; of two tidy elements their magnitudes are below 2^29.
    #[inline]
    pub fn minus(&self, other: &Self) -> Self {
        self.zip(other, L::minus)
    }

    /// The negative, whose limbs are those of a tidy element with the other sign.
    #[inline]
    pub fn negated(&self) -> Self {
        Self([L::splat(0); 9]).minus(self)
    }

    #[inline(always)]
    fn zip(&self, other: &Self, f: impl Fn(L::Limb, L::Limb) -> L::Limb) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.0;
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = other.0;
        Self([
            f(a0, b0),
            f(a1, b1),
            f(a2, b2),
            f(a3, b3),
            f(a4, b4),
            f(a5, b5),
            f(a6, b6),
            f(a7, b7),
            f(a8, b8),
        ])
    }

    /// The product.
    // Not inlined: hundreds of instructions, called from everywhere.
    #[inline(never)]
    pub fn times(&self, other: &Self) -> Self {
        reduce::<L>(products::<L>(&self.0, &other.0), None)
    }

    /// The square.
    #[inline(never)]
    pub fn square(&self) -> Self {
        reduce::<L>(squares::<L>(&self.0), None)
    }

    /// Multiplies in place, which copies less than `x = x.times(y)`.
    #[inline(never)]
    pub fn multiply(&mut self, factor: &Self) {
        *self = reduce::<L>(products::<L>(&self.0, &factor.0), None);
    }

    /// Writes the product where it belongs.
    #[inline(never)]
    pub fn times_to(&self, factor: &Self, product: &mut Self) {
        *product = reduce::<L>(products::<L>(&self.0, &factor.0), None);
    }

    /// Squares in place.
    #[inline(never)]
    pub fn square_once(&mut self) {
        *self = reduce::<L>(squares::<L>(&self.0), None);
    }

    /// Squares in place so many times.
    pub fn square_times(&mut self, times: u32) {
        (0..times).for_each(|_| self.square_once());
    }

    /// The product minus `other`, a tidy element, its negative, or the sum of two such. It is in `(-2.1·q, 0.1·q)`.
    #[inline(never)]
    pub fn times_minus(&self, factor: &Self, other: &Self) -> Self {
        reduce::<L>(products::<L>(&self.0, &factor.0), Some(&other.0))
    }

    /// The square minus `other`, likewise.
    #[inline(never)]
    pub fn square_minus(&self, other: &Self) -> Self {
        reduce::<L>(squares::<L>(&self.0), Some(&other.0))
    }

    /// The same value, tidy and in `(-1.1·q, 0.1·q)`, of a sum or difference of up to three tidy elements.
    pub fn tidy(&self) -> Self {
        let zero = L::widen(L::splat(0));
        // Subtracts the negative from zero: the multiple of the prime is chosen there.
        let tidy = reduce::<L>([zero; 17], Some(&self.0));
        reduce::<L>([zero; 17], Some(&tidy.0))
    }

    /// `self^exponent`, the lowest word first; the exponent is not zero.
    pub fn power(&self, exponent: &[u64; 4]) -> Self {
        let bit = |at: u32| exponent.get((at / 64) as usize).map_or(0, |word| word >> (at % 64) & 1);
        let square = self.square();
        let mut odd = [*self; 8];
        let mut last = *self;
        for power in odd.iter_mut().skip(1) {
            last.multiply(&square);
            *power = last;
        }
        // Sliding windows of up to four bits that start and end with a one. The first one starts the result.
        let mut result = *self;
        let mut started = false;
        let mut squares = 0;
        let mut at = 256_u32;
        while at > 0 {
            if bit(at - 1) == 0 {
                squares += 1;
                at -= 1;
                continue;
            }
            let mut length = at.min(4);
            while bit(at - length) == 0 {
                length -= 1;
            }
            let window =
                (1..=length).fold(0, |window, offset| window << 1 | usize::from(bit(at - offset) == 1));
            at -= length;
            let power = odd.get(window / 2).unwrap_or(self);
            if started {
                result.square_times(squares + length);
                result.multiply(power);
            } else {
                result = *power;
                started = true;
            }
            squares = 0;
        }
        result.square_times(squares);
        result
    }

    /// The inverse; zero's is zero.
    pub fn invert(&self) -> Self {
        self.power(&super::constants::INVERSE_EXPONENT)
    }
}

impl Fq2 {
    /// Two elements.
    #[inline(always)]
    pub fn pair(a: &Fq, b: &Fq) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = a.0;
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = b.0;
        Self([
            Two::pair(a0, b0),
            Two::pair(a1, b1),
            Two::pair(a2, b2),
            Two::pair(a3, b3),
            Two::pair(a4, b4),
            Two::pair(a5, b5),
            Two::pair(a6, b6),
            Two::pair(a7, b7),
            Two::pair(a8, b8),
        ])
    }

    /// The two elements.
    #[inline(always)]
    pub fn parts(&self) -> [Fq; 2] {
        let parts = self.0.map(Two::parts);
        [Element(parts.map(|[a, _]| a)), Element(parts.map(|[_, b]| b))]
    }
}
