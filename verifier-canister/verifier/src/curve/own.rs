//! The same as [`super::pasta`], with this crate's arithmetic.

use halo2_proofs::pasta::Fq as Base;

use super::{
    constants::{FIVE, ONE},
    element::{Element, Fq, Fq2},
    msm,
    projective::Affine,
    roots,
};
use crate::{
    F, Point,
    ff::PrimeField as _,
    group::{CurveAffine as _, ff::Field as _},
};

/// Reads compressed points: `None` for each that is malformed, not on the curve, or the identity.
pub fn decompress(bytes: &[[u8; 32]]) -> Vec<Option<Point>> {
    let mut points = Vec::with_capacity(bytes.len());
    for pair in bytes.chunks(2) {
        // Of what is no field element, and of the missing one of a last pair, the point is not asked for.
        let x = |index: usize| {
            pair.get(index).and_then(|bytes| Some((Fq::from_bytes(&without_sign(bytes))?, bytes)))
        };
        let both = [x(0), x(1)];
        let [a, b] = both.map(|x| x.map_or(Element(ONE), |(x, _)| x));
        let x = Fq2::pair(&a, &b);
        let minus_five = Fq2::splat(&FIVE).negated();
        let square = x.square().times_minus(&x, &minus_five);
        let roots = roots::square_roots(&square);
        let read = both.into_iter().zip(roots).map(|(x, y)| {
            let ((_, bytes), y) = (x?, y?);
            point(bytes, &y)
        });
        points.extend(read.take(pair.len()));
    }
    points
}

fn without_sign(bytes: &[u8; 32]) -> [u8; 32] {
    let mut bytes = *bytes;
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7f;
    }
    bytes
}

/// The point with this compressed form, given a root `y`; `None` for the identity.
fn point(bytes: &[u8; 32], y: &Fq) -> Option<Point> {
    if *bytes == [0; 32] {
        return None;
    }
    let sign = bytes.last().is_some_and(|last| last >> 7 == 1);
    let y = y.bytes();
    let odd = y.first().is_some_and(|first| first & 1 == 1);
    let x = Option::<Base>::from(Base::from_repr(without_sign(bytes)))?;
    let y = Option::<Base>::from(Base::from_repr(y))?;
    Some(Point::from_xy_unchecked(x, if odd == sign { y } else { -y }))
}

/// `sum of scalars[i]·points[i]`.
pub fn sum_of_products(scalars: &[F], points: &[Point]) -> Point {
    use halo2_proofs::arithmetic::CurveAffine as _;
    let (mut own_scalars, mut own_points) = (Vec::new(), Vec::new());
    for (scalar, point) in scalars.iter().zip(points) {
        let Some(coordinates) =
            Option::<halo2_proofs::arithmetic::Coordinates<Point>>::from(point.coordinates())
        else {
            continue;
        };
        let own = |value: &Base| Fq::from_bytes(&value.to_repr()).unwrap_or(Fq::ZERO);
        own_scalars.push(scalar.to_repr());
        own_points.push(Affine { x: own(coordinates.x()), y: own(coordinates.y()) });
    }
    let base = |value: Fq| Option::<Base>::from(Base::from_repr(value.bytes())).unwrap_or(Base::ZERO);
    msm::sum_of_products(&own_scalars, &own_points)
        .map(|sum| sum.to_affine())
        .map_or_else(Point::identity, |sum| Point::from_xy_unchecked(base(sum.x), base(sum.y)))
}
