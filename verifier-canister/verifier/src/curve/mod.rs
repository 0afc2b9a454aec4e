//! The two computations that a verification spends its instructions on: reading compressed points, and one sum of
//! products of scalars and points.
//!
//! WebAssembly has no product of two 64-bit words, so that `pasta_curves` takes thousands of instructions for a
//! multiplication there. There, this module's own arithmetic of Vesta's base field is used; natively,
//! `pasta_curves`. Both accept the same bytes and return the same points: tests compare them. All values are public,
//! so nothing here takes constant time.

mod buckets;
mod canonical;
#[cfg(test)]
mod checked;
mod columns;
mod constants;
mod element;
mod lanes;
mod msm;
pub mod own;
mod projective;
mod roots;
#[cfg(test)]
mod tests;

use crate::{F, Point};

/// What `pasta_curves` does.
pub mod pasta {
    use crate::{
        Curve, F, Point,
        group::{CurveAffine as _, GroupEncoding as _},
    };

    /// Reads compressed points: `None` for each that is malformed, not on the curve, or the identity.
    pub fn decompress(bytes: &[[u8; 32]]) -> Vec<Option<Point>> {
        let point = |bytes| Option::<Point>::from(Point::from_bytes(bytes));
        bytes.iter().map(|bytes| point(bytes).filter(|point| !bool::from(point.is_identity()))).collect()
    }

    /// `sum of scalars[i]·points[i]`.
    pub fn sum_of_products(scalars: &[F], points: &[Point]) -> Point {
        let sum: Curve = halo2_proofs::arithmetic::best_multiexp(scalars, points);
        Point::from(sum)
    }
}

/// Reads compressed points: `None` for each that is malformed, not on the curve, or the identity.
pub fn decompress(bytes: &[[u8; 32]]) -> Vec<Option<Point>> {
    if cfg!(target_family = "wasm") { own::decompress(bytes) } else { pasta::decompress(bytes) }
}

/// `sum of scalars[i]·points[i]`; as many scalars as points.
pub fn sum_of_products(scalars: &[F], points: &[Point]) -> Point {
    if cfg!(target_family = "wasm") {
        own::sum_of_products(scalars, points)
    } else {
        pasta::sum_of_products(scalars, points)
    }
}
