//! Commitments from precomputed multiples, bucket by bucket, with shared inversions.
//!
//! Every row has the same bases, so `2^(8w)·base` is kept for all 32 byte positions. A row is then one sum of
//! (digit, multiple) pairs with digits of 8 signed bits: each pair goes to the bucket of its digit's magnitude.
//! Buckets are summed pairwise in affine coordinates, one inversion for all pairs of a round.

use halo2_proofs::pasta::Fq;
use pasta_curves::arithmetic::CurveAffine;
use rayon::prelude::*;
use verifier::{
    Curve, F, Point,
    ff::{Field as _, PrimeField as _},
    group::{Curve as _, CurveAffine as _, Group as _},
};

use super::RowCells;

/// Signed digits of this many bits.
const WINDOW: usize = 8;
/// Digits of a full-size value.
const DIGITS: usize = 256 / WINDOW;
/// Largest magnitude of a digit.
const BUCKETS: usize = 1 << (WINDOW - 1);

#[derive(Debug, Clone, Copy)]
struct Affine {
    x: Fq,
    y: Fq,
}

impl Affine {
    fn of(point: &Point) -> Self {
        let coordinates = point.coordinates().expect("a generator's multiple is not the identity");
        Self { x: *coordinates.x(), y: *coordinates.y() }
    }

    fn curve(self) -> Curve {
        Point::from_xy_unchecked(self.x, self.y).to_curve()
    }
}

/// Multiples of all bases, the blinding generator last.
#[derive(Debug)]
pub struct Table {
    multiples: Vec<Affine>,
    bases: usize,
}

impl Table {
    /// Computes the multiples.
    pub fn new(bases: &[Point], blinding: &Point) -> Self {
        let all: Vec<&Point> = bases.iter().chain([blinding]).collect();
        let multiples = all
            .par_iter()
            .flat_map_iter(|base| {
                let mut multiple = base.to_curve();
                let mut multiples = Vec::with_capacity(DIGITS);
                for _ in 0..DIGITS {
                    multiples.push(multiple);
                    (0..WINDOW).for_each(|_| multiple = multiple.double());
                }
                let mut affine = vec![Point::identity(); DIGITS];
                Curve::batch_normalize(&multiples, &mut affine);
                affine.into_iter().map(|point| Affine::of(&point))
            })
            .collect();
        Self { multiples, bases: bases.len() }
    }

    /// Commits to each row.
    pub fn commit(&self, rows: &[RowCells]) -> Vec<Point> {
        let sums: Vec<Curve> =
            rows.par_iter().map_init(Scratch::default, |scratch, row| self.row(scratch, row)).collect();
        let mut points = vec![Point::identity(); sums.len()];
        Curve::batch_normalize(&sums, &mut points);
        points
    }

    fn row(&self, scratch: &mut Scratch, row: &RowCells) -> Curve {
        scratch.pairs.clear();
        for &(column, value) in &row.small {
            self.digits_of_small(&mut scratch.pairs, column, value.into());
        }
        for (column, value) in &row.full {
            self.digits_of_full(&mut scratch.pairs, *column, value);
        }
        self.digits_of_full(&mut scratch.pairs, self.bases, &row.blind);
        scratch.sort(&self.multiples);
        scratch.reduce();
        scratch.sum()
    }

    fn digits_of_small(&self, pairs: &mut Vec<(u8, u32)>, column: usize, mut value: i64) {
        let mut position = column * DIGITS;
        while value != 0 {
            let digit = value as i8;
            push(pairs, position, digit.into());
            value = (value - i64::from(digit)) >> WINDOW;
            position += 1;
        }
    }

    fn digits_of_full(&self, pairs: &mut Vec<(u8, u32)>, column: usize, value: &F) {
        let mut carry = 0;
        for (position, byte) in value.to_repr().into_iter().enumerate() {
            let digit = i32::from(byte) + carry;
            carry = i32::from(digit >= BUCKETS as i32);
            push(pairs, column * DIGITS + position, digit - (carry << WINDOW));
        }
        // The field's values are below 2^255, so the last digit carries nothing.
        debug_assert_eq!(carry, 0);
    }
}

/// Appends the pair of a digit other than zero: bucket, and position with the sign as lowest bit.
fn push(pairs: &mut Vec<(u8, u32)>, position: usize, digit: i32) {
    if digit != 0 {
        pairs.push(((digit.unsigned_abs() - 1) as u8, (position as u32) << 1 | u32::from(digit < 0)));
    }
}

/// Space for one row, reused.
#[derive(Debug, Default)]
struct Scratch {
    pairs: Vec<(u8, u32)>,
    points: Vec<Affine>,
    /// Where each bucket's points lie.
    buckets: Vec<std::ops::Range<usize>>,
    denominators: Vec<Fq>,
    /// Sums that affine addition cannot do: equal points, or opposite ones.
    special: Vec<(usize, Curve)>,
}

impl Scratch {
    /// Sorts the points by bucket.
    fn sort(&mut self, multiples: &[Affine]) {
        let mut counts = [0; BUCKETS + 1];
        self.pairs.iter().for_each(|&(bucket, _)| counts[usize::from(bucket) + 1] += 1);
        for bucket in 0..BUCKETS {
            counts[bucket + 1] += counts[bucket];
        }
        self.buckets.clear();
        self.buckets.extend(counts.windows(2).map(|bounds| bounds[0]..bounds[1]));
        self.points.clear();
        self.points.resize(self.pairs.len(), Affine { x: Fq::ZERO, y: Fq::ZERO });
        let mut next = counts;
        for &(bucket, signed) in &self.pairs {
            let mut point = multiples[(signed >> 1) as usize];
            if signed & 1 == 1 {
                point.y = -point.y;
            }
            let place = &mut next[usize::from(bucket)];
            self.points[*place] = point;
            *place += 1;
        }
        self.special.clear();
    }

    /// Adds pairs within each bucket until one point is left.
    fn reduce(&mut self) {
        while self.buckets.iter().any(|bucket| bucket.len() > 1) {
            self.denominators.clear();
            for bucket in &self.buckets {
                for pair in self.points[bucket.clone()].as_chunks::<2>().0 {
                    self.denominators.push(pair[1].x - pair[0].x);
                }
            }
            invert(&mut self.denominators);
            let mut inverses = self.denominators.iter();
            for (index, bucket) in self.buckets.iter_mut().enumerate() {
                let mut end = bucket.start;
                let mut start = bucket.start;
                while start + 1 < bucket.end {
                    let (a, b) = (self.points[start], self.points[start + 1]);
                    let inverse = *inverses.next().expect("one inverse a pair");
                    start += 2;
                    if inverse == Fq::ZERO {
                        self.special.push((index, a.curve() + b.curve()));
                        continue;
                    }
                    let slope = (b.y - a.y) * inverse;
                    let x = slope.square() - a.x - b.x;
                    self.points[end] = Affine { x, y: slope * (a.x - x) - a.y };
                    end += 1;
                }
                if start < bucket.end {
                    self.points[end] = self.points[start];
                    end += 1;
                }
                bucket.end = end;
            }
        }
    }

    /// `sum of (bucket + 1)·point`.
    fn sum(&self) -> Curve {
        let (mut running, mut sum) = (Curve::identity(), Curve::identity());
        for (index, bucket) in self.buckets.iter().enumerate().rev() {
            for point in &self.points[bucket.clone()] {
                running += Point::from_xy_unchecked(point.x, point.y);
            }
            for (_, special) in self.special.iter().filter(|(own, _)| *own == index) {
                running += special;
            }
            sum += running;
        }
        sum
    }
}

/// Inverts all values other than zero with one inversion.
pub fn invert<Value: verifier::ff::Field>(values: &mut [Value]) {
    let mut products = Vec::with_capacity(values.len());
    let mut product = Value::ONE;
    for value in values.iter() {
        products.push(product);
        if !value.is_zero_vartime() {
            product *= value;
        }
    }
    let mut inverse = product.invert().expect("a product of values other than zero");
    for (value, before) in values.iter_mut().zip(products).rev() {
        if !value.is_zero_vartime() {
            let own = inverse * before;
            inverse *= *value;
            *value = own;
        }
    }
}
