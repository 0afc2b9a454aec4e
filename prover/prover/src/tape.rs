//! Committed values, only where they may be other than zero.

use std::{collections::BTreeMap, ops::Range};

use verifier::{
    F,
    dot::{self, signed},
    ff::Field as _,
    layout::{ROW, ROW_BITS},
};

use crate::kernels::RowCells;

/// Sorted, disjoint ranges of addresses; tables over it are stored back to back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    ranges: Vec<Range<usize>>,
}

impl Domain {
    /// A domain of these ranges, in any order.
    pub fn new(ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().collect();
        ranges.sort_by_key(|range| range.start);
        Self { ranges }
    }

    /// The addresses `0..end`.
    pub fn below(end: usize) -> Self {
        Self::new(std::iter::once(0..end))
    }

    /// Number of addresses.
    pub fn len(&self) -> usize {
        self.ranges.iter().map(Range::len).sum()
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ranges.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// All addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// Where an address of the domain is stored.
    pub fn position(&self, address: usize) -> usize {
        let mut before = 0;
        for range in &self.ranges {
            if range.contains(&address) {
                return before + address - range.start;
            }
            before += range.len();
        }
        panic!("address {address} is not in the domain");
    }

    /// The parts of a row in the domain: where they are stored, and the first one's column.
    fn row(&self, row: usize) -> impl Iterator<Item = (Range<usize>, usize)> + '_ {
        let mut before = 0;
        self.ranges.iter().filter_map(move |range| {
            let start = range.start.max(row * ROW);
            let end = range.end.min((row + 1) * ROW);
            let offset = before;
            before += range.len();
            (start < end).then(|| (offset + start - range.start..offset + end - range.start, start % ROW))
        })
    }
}

/// The values of a tape over a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tape {
    /// Small integers with a few random cells, where the integer is zero.
    Small {
        /// One per address of the domain.
        cells: Vec<i32>,
        /// Random cells by their position.
        random: BTreeMap<usize, F>,
    },
    /// Field elements.
    Full {
        /// One per address of the domain.
        cells: Vec<F>,
    },
}

impl Tape {
    /// The values as field elements.
    pub fn to_field(&self) -> Vec<F> {
        match self {
            Self::Small { cells, random } => {
                let mut values: Vec<F> = cells.iter().map(|&cell| signed(cell.into())).collect();
                random.iter().for_each(|(&position, value)| values[position] = *value);
                values
            }
            Self::Full { cells } => cells.clone(),
        }
    }

    /// What a row's commitment is to, by column.
    pub fn row_cells(&self, domain: &Domain, row: usize, blind: F) -> RowCells {
        let mut out = RowCells { small: Vec::new(), full: Vec::new(), blind };
        for (stored, column) in domain.row(row) {
            match self {
                Self::Small { cells, random } => {
                    for (offset, &cell) in cells[stored.clone()].iter().enumerate() {
                        if cell != 0 {
                            out.small.push((column + offset, cell));
                        }
                    }
                    let random = random.range(stored.clone());
                    out.full
                        .extend(random.map(|(position, value)| (column + position - stored.start, *value)));
                }
                Self::Full { cells } => {
                    for (offset, cell) in cells[stored].iter().enumerate() {
                        if !cell.is_zero_vartime() {
                            out.full.push((column + offset, *cell));
                        }
                    }
                }
            }
        }
        out
    }

    /// Adds `weight · sum over rows of lhs[row]·row` to a combined row.
    pub fn combine(&self, domain: &Domain, weight: F, lhs: &[F], row: &mut [F]) {
        let mut position = 0;
        let mut small: Vec<dot::SmallDot> = vec![dot::SmallDot::default(); ROW];
        for range in domain.ranges() {
            let mut start = range.start;
            while start < range.end {
                let end = range.end.min((start | (ROW - 1)) + 1);
                let factor = weight * lhs[start >> ROW_BITS];
                let (stored, column) = (position..position + end - start, start % ROW);
                match self {
                    Self::Small { cells, random } => {
                        let limbs = dot::limbs(&factor);
                        for (sum, &cell) in small[column..].iter_mut().zip(&cells[stored.clone()]) {
                            wide(sum, &limbs, cell);
                        }
                        for (at, value) in random.range(stored.clone()) {
                            row[column + at - stored.start] += factor * value;
                        }
                    }
                    Self::Full { cells } => {
                        for (sum, cell) in row[column..].iter_mut().zip(&cells[stored]) {
                            *sum += factor * cell;
                        }
                    }
                }
                position += end - start;
                start = end;
            }
        }
        row.iter_mut().zip(small).for_each(|(sum, small)| *sum += small.finish());
    }
}

/// Multiplicities may exceed 17 bits: they are added in parts.
fn wide(sum: &mut dot::SmallDot, limbs: &dot::Limbs, cell: i32) {
    const LIMIT: i32 = 1 << 17;
    if cell == 0 {
    } else if cell.abs() <= LIMIT {
        sum.add(limbs, cell);
    } else {
        let (mut rest, step) = (cell, if cell < 0 { -LIMIT } else { LIMIT });
        while rest.abs() > LIMIT {
            sum.add(limbs, step);
            rest -= step;
        }
        sum.add(limbs, rest);
    }
}

/// `eq(point, address)` from two tables of about half the bits each.
#[derive(Debug, Clone)]
pub struct EqTable {
    low: Vec<F>,
    high: Vec<F>,
    bits: usize,
}

impl EqTable {
    /// Tables for a point.
    pub fn new(point: &[F]) -> Self {
        let bits = point.len() / 2;
        let (low, high) = point.split_at(bits);
        Self { low: verifier::mle::eq_table(low), high: verifier::mle::eq_table(high), bits }
    }

    /// `eq(point, address)`.
    pub fn at(&self, address: usize) -> F {
        self.low[address & ((1 << self.bits) - 1)] * self.high[address >> self.bits]
    }
}
