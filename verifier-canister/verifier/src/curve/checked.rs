//! Lanes for tests.

use super::{
    element::{LIMB_BITS, MASK},
    lanes::Lanes,
};

/// A single element whose arithmetic panics where a bound is not kept.
#[derive(Debug, Clone, Copy)]
pub struct Checked;

impl Lanes for Checked {
    type Limb = i32;
    type Column = i64;

    fn splat(limb: i32) -> i32 {
        limb
    }
    fn plus(a: i32, b: i32) -> i32 {
        a.checked_add(b).unwrap()
    }
    fn minus(a: i32, b: i32) -> i32 {
        a.checked_sub(b).unwrap()
    }
    fn shift<const BITS: u32>(a: i32) -> i32 {
        a >> BITS
    }
    fn times(a: i32, b: i32) -> i64 {
        i64::from(a) * i64::from(b)
    }
    fn widen(a: i32) -> i64 {
        a.into()
    }
    fn add(a: i64, b: i64) -> i64 {
        a.checked_add(b).unwrap()
    }
    fn sub(a: i64, b: i64) -> i64 {
        a.checked_sub(b).unwrap()
    }
    fn low(a: i64) -> i32 {
        a as i32 & MASK
    }
    fn carry(a: i64) -> i64 {
        a >> LIMB_BITS
    }
    fn narrow(a: i64) -> i32 {
        i32::try_from(a).unwrap()
    }
}
