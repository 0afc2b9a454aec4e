//! Limbs and columns, of one element or of two in lockstep.
//!
//! WebAssembly has no product of two 64-bit words, but its vectors multiply two pairs of 32-bit words at once. The
//! arithmetic of [`super::element`] is written once, over these operations. Nothing here checks for overflow: the
//! bounds are stated where the operations are used, and tests run the same arithmetic on lanes that do.

use super::element::{LIMB_BITS, MASK};

/// Signed 32-bit limbs and the signed 64-bit columns that their products are summed in.
pub trait Lanes: Copy {
    /// A limb.
    type Limb: Copy;
    /// A column.
    type Column: Copy;

    /// The same number in every lane.
    fn splat(limb: i32) -> Self::Limb;
    /// Sum of limbs.
    fn plus(a: Self::Limb, b: Self::Limb) -> Self::Limb;
    /// Difference of limbs.
    fn minus(a: Self::Limb, b: Self::Limb) -> Self::Limb;
    /// Limb shifted right by `BITS`, with its sign.
    fn shift<const BITS: u32>(a: Self::Limb) -> Self::Limb;
    /// Product of limbs.
    fn times(a: Self::Limb, b: Self::Limb) -> Self::Column;
    /// A limb as a column.
    fn widen(a: Self::Limb) -> Self::Column;
    /// Sum of columns.
    fn add(a: Self::Column, b: Self::Column) -> Self::Column;
    /// Difference of columns.
    fn sub(a: Self::Column, b: Self::Column) -> Self::Column;
    /// The lowest [`LIMB_BITS`] bits, not negative.
    fn low(a: Self::Column) -> Self::Limb;
    /// The rest, shifted down, with its sign.
    fn carry(a: Self::Column) -> Self::Column;
    /// A column that fits a limb.
    fn narrow(a: Self::Column) -> Self::Limb;
    /// The same limb, ready to be multiplied often.
    #[inline(always)]
    fn factor(a: Self::Limb) -> Self::Limb {
        a
    }
}

/// A single element.
#[derive(Debug, Clone, Copy)]
pub struct One;

#[allow(clippy::cast_possible_truncation, reason = "columns are cut to limbs after masking")]
impl Lanes for One {
    type Limb = i32;
    type Column = i64;

    #[inline(always)]
    fn splat(limb: i32) -> i32 {
        limb
    }
    #[inline(always)]
    fn plus(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn minus(a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn shift<const BITS: u32>(a: i32) -> i32 {
        a >> BITS
    }
    #[inline(always)]
    fn times(a: i32, b: i32) -> i64 {
        i64::from(a).wrapping_mul(i64::from(b))
    }
    #[inline(always)]
    fn widen(a: i32) -> i64 {
        i64::from(a)
    }
    #[inline(always)]
    fn add(a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn sub(a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn low(a: i64) -> i32 {
        a as i32 & MASK
    }
    #[inline(always)]
    fn carry(a: i64) -> i64 {
        a >> LIMB_BITS
    }
    #[inline(always)]
    fn narrow(a: i64) -> i32 {
        a as i32
    }
}

/// Two elements in lockstep.
#[derive(Debug, Clone, Copy)]
pub struct Two;

/// A limb of two elements, from and to its parts.
pub trait Pair: Lanes {
    /// Puts two limbs together.
    fn pair(a: i32, b: i32) -> Self::Limb;
    /// Takes them apart.
    fn parts(limb: Self::Limb) -> [i32; 2];
}

/// Limbs lie in the lowest two 32-bit lanes of a vector; the others hold whatever they hold.
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod simd {
    use core::arch::wasm32::{
        i8x16, i8x16_swizzle, i32x4_add, i32x4_extract_lane, i32x4_replace_lane, i32x4_shr, i32x4_splat,
        i32x4_sub, i64x2_add, i64x2_extend_low_i32x4, i64x2_extmul_low_i32x4, i64x2_shr, i64x2_sub,
        u8x16_avgr, v128, v128_and,
    };

    use super::{LIMB_BITS, Lanes, MASK, Pair, Two};

    /// Picks the lower words of two columns.
    const LOWEST_WORDS: v128 = i8x16(0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11);

    /// The same vector: the average of each byte and itself. The compiler does not know that. If it knew a limb for a
    /// load, a constant or a number without sign, it would extend it to 64 bits first, and the products would be those
    /// of 64-bit words, at four times the weight.
    #[inline(always)]
    fn hidden(a: v128) -> v128 {
        u8x16_avgr(a, a)
    }

    impl Lanes for Two {
        type Limb = v128;
        type Column = v128;

        #[inline(always)]
        fn splat(limb: i32) -> v128 {
            i32x4_splat(limb)
        }
        #[inline(always)]
        fn plus(a: v128, b: v128) -> v128 {
            i32x4_add(a, b)
        }
        #[inline(always)]
        fn minus(a: v128, b: v128) -> v128 {
            i32x4_sub(a, b)
        }
        #[inline(always)]
        fn shift<const BITS: u32>(a: v128) -> v128 {
            i32x4_shr(a, BITS)
        }
        #[inline(always)]
        fn times(a: v128, b: v128) -> v128 {
            i64x2_extmul_low_i32x4(a, b)
        }
        #[inline(always)]
        fn widen(a: v128) -> v128 {
            i64x2_extend_low_i32x4(a)
        }
        #[inline(always)]
        fn add(a: v128, b: v128) -> v128 {
            i64x2_add(a, b)
        }
        #[inline(always)]
        fn sub(a: v128, b: v128) -> v128 {
            i64x2_sub(a, b)
        }
        #[inline(always)]
        fn low(a: v128) -> v128 {
            Self::narrow(v128_and(a, i32x4_splat(MASK)))
        }
        #[inline(always)]
        fn carry(a: v128) -> v128 {
            i64x2_shr(a, LIMB_BITS)
        }
        #[inline(always)]
        fn narrow(a: v128) -> v128 {
            i8x16_swizzle(a, hidden(LOWEST_WORDS))
        }
        #[inline(always)]
        fn factor(a: v128) -> v128 {
            hidden(a)
        }
    }

    impl Pair for Two {
        #[inline(always)]
        fn pair(a: i32, b: i32) -> v128 {
            i32x4_replace_lane::<1>(i32x4_splat(a), b)
        }
        #[inline(always)]
        fn parts(limb: v128) -> [i32; 2] {
            [i32x4_extract_lane::<0>(limb), i32x4_extract_lane::<1>(limb)]
        }
    }
}

/// The same without vectors.
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
mod portable {
    use super::{Lanes, One, Pair, Two};

    #[inline(always)]
    fn both<A: Copy, B: Copy, C>([a, b]: [A; 2], [c, d]: [B; 2], f: impl Fn(A, B) -> C) -> [C; 2] {
        [f(a, c), f(b, d)]
    }

    impl Lanes for Two {
        type Limb = [i32; 2];
        type Column = [i64; 2];

        fn splat(limb: i32) -> [i32; 2] {
            [limb; 2]
        }
        fn plus(a: [i32; 2], b: [i32; 2]) -> [i32; 2] {
            both(a, b, One::plus)
        }
        fn minus(a: [i32; 2], b: [i32; 2]) -> [i32; 2] {
            both(a, b, One::minus)
        }
        fn shift<const BITS: u32>(a: [i32; 2]) -> [i32; 2] {
            a.map(One::shift::<BITS>)
        }
        fn times(a: [i32; 2], b: [i32; 2]) -> [i64; 2] {
            both(a, b, One::times)
        }
        fn widen(a: [i32; 2]) -> [i64; 2] {
            a.map(One::widen)
        }
        fn add(a: [i64; 2], b: [i64; 2]) -> [i64; 2] {
            both(a, b, One::add)
        }
        fn sub(a: [i64; 2], b: [i64; 2]) -> [i64; 2] {
            both(a, b, One::sub)
        }
        fn low(a: [i64; 2]) -> [i32; 2] {
            a.map(One::low)
        }
        fn carry(a: [i64; 2]) -> [i64; 2] {
            a.map(One::carry)
        }
        fn narrow(a: [i64; 2]) -> [i32; 2] {
            a.map(One::narrow)
        }
    }

    impl Pair for Two {
        fn pair(a: i32, b: i32) -> [i32; 2] {
            [a, b]
        }
        fn parts(limb: [i32; 2]) -> [i32; 2] {
            limb
        }
    }
}
