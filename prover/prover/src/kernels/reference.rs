//! Commitments as they are defined, term by term.

use verifier::{Curve, Point, dot::signed, group::Group as _};

use super::RowCells;

/// `sum of value·base[column] + blind·blinding`.
pub fn commit(bases: &[Point], blinding: &Point, row: &RowCells) -> Point {
    let mut sum = Curve::identity();
    for &(column, value) in &row.small {
        sum += bases[column] * signed(value.into());
    }
    for &(column, value) in &row.full {
        sum += bases[column] * value;
    }
    Point::from(sum + *blinding * row.blind)
}
