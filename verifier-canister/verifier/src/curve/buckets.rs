//! Sums of many points, bucket by bucket, in affine coordinates.
//!
//! Points of a bucket are added in pairs, round by round; the slopes of a whole round share one inversion, so that an
//! addition costs six multiplications. Two additions go in lockstep.
#![allow(clippy::indexing_slicing, reason = "positions are counted here, never read from a proof")]

use std::ops::Range;

use super::{
    element::{Element, Fq, Fq2},
    projective::Affine,
};

/// A point to be added to a bucket: its number, and the point's position, doubled, plus one to subtract it.
pub type Entry = (u32, u32);

/// Buckets that hold at most one point each when they are made.
#[derive(Debug, Default)]
pub struct Buckets {
    points: Vec<Affine>,
    ranges: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Add,
    Double,
    /// Opposite points: nothing remains.
    Cancel,
}

/// Adds the points at `first` and after it.
#[derive(Debug, Clone, Copy)]
struct Addition {
    first: usize,
    to: usize,
    kind: Kind,
}

impl Buckets {
    /// Sums `entries` of `source` into `count` buckets.
    pub fn new(count: usize, entries: &[Entry], source: &[Affine]) -> Self {
        let mut buckets = Self::sorted(count, entries, source);
        let mut additions = Vec::new();
        let (mut denominators, mut products) = (Vec::new(), Vec::new());
        while buckets.round(&mut additions, &mut denominators, &mut products) {}
        buckets
    }

    /// The point in a bucket.
    pub fn get(&self, bucket: usize) -> Option<&Affine> {
        self.ranges.get(bucket).and_then(|range| self.points.get(range.clone())?.first())
    }

    /// All buckets that hold a point: number and position.
    pub fn filled(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.ranges
            .iter()
            .enumerate()
            .filter(|(_, range)| !range.is_empty())
            .map(|(at, range)| (at, range.start))
    }

    /// All points, of which only the positions of [`Self::filled`] count.
    pub fn points(&self) -> &[Affine] {
        &self.points
    }

    fn sorted(count: usize, entries: &[Entry], source: &[Affine]) -> Self {
        let mut next = vec![0_usize; count + 1];
        entries.iter().for_each(|&(bucket, _)| next[bucket as usize + 1] += 1);
        for bucket in 0..count {
            next[bucket + 1] += next[bucket];
        }
        let ranges = next.windows(2).map(|bounds| bounds[0]..bounds[1]).collect();
        let mut points = vec![Affine { x: Fq::ZERO, y: Fq::ZERO }; entries.len()];
        for &(bucket, signed) in entries {
            let from = &source[(signed >> 1) as usize];
            let place = &mut next[bucket as usize];
            let to = &mut points[*place];
            // Coordinate by coordinate: a whole point would be copied by an instruction that costs a hundred.
            to.x = from.x;
            to.y = if signed & 1 == 1 { from.y.negated() } else { from.y };
            *place += 1;
        }
        Self { points, ranges }
    }

    /// Halves the number of points of each bucket; false if no bucket has two.
    fn round(
        &mut self,
        additions: &mut Vec<Addition>,
        denominators: &mut Vec<Fq2>,
        products: &mut Vec<Fq2>,
    ) -> bool {
        additions.clear();
        let mut moves = Vec::new();
        for range in &mut self.ranges {
            let mut to = range.start;
            let mut first = range.start;
            while first + 1 < range.end {
                let kind = kind(&self.points[first], &self.points[first + 1]);
                additions.push(Addition { first, to, kind });
                to += usize::from(kind != Kind::Cancel);
                first += 2;
            }
            if first < range.end {
                if to != first {
                    moves.push((first, to));
                }
                to += 1;
            }
            range.end = to;
        }
        let Some(&last) = additions.last() else { return false };
        if additions.len() % 2 == 1 {
            // The same addition in both lanes gives the same point twice.
            additions.push(last);
        }
        // Grown once and written in place: pushing a pair of elements copies it, at twice a pair's weight.
        let count = additions.len() / 2;
        if denominators.len() < count {
            denominators.resize(count, Element::splat(&[0; 9]));
            products.resize(count + 1, Element::splat(&[0; 9]));
        }
        for (pair, denominator) in additions.as_chunks::<2>().0.iter().zip(denominators.iter_mut()) {
            *denominator = self.denominators(pair);
        }
        invert(&denominators[..count], products);
        for (pair, inverse) in additions.as_chunks::<2>().0.iter().zip(&*products) {
            self.add(pair, inverse);
        }
        for (from, to) in moves {
            self.points[to].x = self.points[from].x;
            self.points[to].y = self.points[from].y;
        }
        true
    }

    /// A coordinate of the points at these positions, in lanes.
    #[inline(always)]
    fn lanes(&self, [a, b]: [usize; 2], coordinate: impl Fn(&Affine) -> &Fq) -> Fq2 {
        Fq2::pair(coordinate(&self.points[a]), coordinate(&self.points[b]))
    }

    /// The denominators of two additions' slopes.
    #[inline(always)]
    fn denominators(&self, pair: &[Addition; 2]) -> Fq2 {
        if pair.iter().all(|addition| addition.kind == Kind::Add) {
            let firsts = pair.map(|addition| addition.first);
            self.lanes(firsts.map(|first| first + 1), |p| &p.x).minus(&self.lanes(firsts, |p| &p.x))
        } else {
            self.special(pair, denominator)
        }
    }

    /// What is different for doublings.
    #[cold]
    fn special(&self, pair: &[Addition; 2], part: impl Fn(Kind, &Affine, &Affine) -> Fq) -> Fq2 {
        let [a, b] =
            pair.map(|Addition { first, kind, .. }| part(kind, &self.points[first], &self.points[first + 1]));
        Fq2::pair(&a, &b)
    }

    /// Two additions, given the inverses of their slopes' denominators. Writes only what both have read.
    #[inline(always)]
    fn add(&mut self, pair: &[Addition; 2], inverse: &Fq2) {
        let firsts = pair.map(|addition| addition.first);
        let seconds = firsts.map(|first| first + 1);
        let y1 = self.lanes(firsts, |p| &p.y);
        let numerator = if pair.iter().all(|addition| addition.kind == Kind::Add) {
            self.lanes(seconds, |p| &p.y).minus(&y1)
        } else {
            self.special(pair, numerator)
        };
        let slope = inverse.times(&numerator);
        let x1 = self.lanes(firsts, |p| &p.x);
        let x = slope.square_minus(&x1.plus(&self.lanes(seconds, |p| &p.x)));
        let y = slope.times_minus(&x1.minus(&x), &y1);
        let sums = x.parts().into_iter().zip(y.parts());
        for (addition, (x, y)) in pair.iter().zip(sums) {
            if addition.kind != Kind::Cancel {
                let to = &mut self.points[addition.to];
                to.x = x;
                to.y = y;
            }
        }
    }
}

fn kind(a: &Affine, b: &Affine) -> Kind {
    if !b.x.equals(&a.x) {
        Kind::Add
    } else if b.y.equals(&a.y) {
        Kind::Double
    } else {
        Kind::Cancel
    }
}

fn denominator(kind: Kind, a: &Affine, b: &Affine) -> Fq {
    match kind {
        Kind::Add => b.x.minus(&a.x),
        Kind::Double => a.y.plus(&a.y),
        Kind::Cancel => Fq::ONE,
    }
}

fn numerator(kind: Kind, a: &Affine, b: &Affine) -> Fq {
    match kind {
        Kind::Add => b.y.minus(&a.y),
        Kind::Double => {
            let square = a.x.square();
            square.plus(&square).plus(&square).tidy()
        }
        Kind::Cancel => Fq::ONE,
    }
}

/// Inverts all values, none of which is zero, with one inversion; the inverses are put where the products were, which
/// are one longer. A value may be the double of a tidy one.
fn invert(values: &[Fq2], products: &mut [Fq2]) {
    products[0] = Element::splat(&super::constants::ONE);
    for (at, value) in values.iter().enumerate() {
        let (before, after) = products.split_at_mut(at + 1);
        before[at].times_to(value, &mut after[0]);
    }
    let mut inverse = products[values.len()].invert();
    for (value, product) in values.iter().zip(products).rev() {
        product.multiply(&inverse);
        inverse.multiply(value);
    }
}
