//! Symbolic numbers: an affine form of one layer's outputs, with a curve on top.

use std::rc::Rc;

use super::curve::Curve;
use crate::function::Function;

/// Coefficients of a row; `Many` may be shorter than the layer is wide, the rest is 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Terms {
    /// A constant.
    None,
    /// One coefficient.
    One(usize, f64),
    /// One coefficient per output of the layer.
    Many(Vec<f64>),
}

/// `sum_k terms_k·x_k + constant`, where `x` are the outputs of layer `base` (0: the features).
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The layer whose outputs are read.
    pub base: usize,
    /// Coefficients.
    pub terms: Terms,
    /// Constant.
    pub constant: f64,
}

impl Row {
    /// A constant.
    pub fn constant(value: f64) -> Self {
        Self { base: 0, terms: Terms::None, constant: value }
    }

    /// Output `index` of layer `base`, times `gain`.
    pub fn one(base: usize, index: usize, gain: f64) -> Self {
        Self { base, terms: Terms::One(index, gain), constant: 0.0 }
    }

    /// Whether it reads nothing.
    pub fn is_constant(&self) -> bool {
        matches!(self.terms, Terms::None)
    }

    /// The coefficient of output `index`.
    pub fn coefficient(&self, index: usize) -> f64 {
        match &self.terms {
            Terms::One(at, gain) if *at == index => *gain,
            Terms::Many(values) => values.get(index).copied().unwrap_or(0.0),
            _ => 0.0,
        }
    }

    /// One more than the largest index it may read.
    pub fn width(&self) -> usize {
        match &self.terms {
            Terms::None => 0,
            Terms::One(at, _) => at + 1,
            Terms::Many(values) => values.len(),
        }
    }

    /// `gain·self + offset`
    pub fn affine(&self, gain: f64, offset: f64) -> Self {
        let terms = match &self.terms {
            _ if gain == 0.0 => Terms::None,
            Terms::None => Terms::None,
            Terms::One(at, value) => Terms::One(*at, value * gain),
            Terms::Many(values) => Terms::Many(values.iter().map(|value| value * gain).collect()),
        };
        Self { base: self.base, terms, constant: self.constant * gain + offset }
    }

    /// The sum of `gain_i·row_i`; all rows that are not constant must have the same base.
    pub fn sum<'a>(parts: impl Iterator<Item = (f64, &'a Row)> + Clone) -> Self {
        let mut base = 0;
        let mut width = 0;
        let mut readers = 0;
        for (_, row) in parts.clone().filter(|(gain, row)| *gain != 0.0 && !row.is_constant()) {
            base = row.base;
            width = width.max(row.width());
            readers += 1;
        }
        let constant = parts.clone().map(|(gain, row)| gain * row.constant).sum();
        let mut reading = parts.filter(|(gain, row)| *gain != 0.0 && !row.is_constant());
        if readers <= 1 {
            return match reading.next() {
                None => Self::constant(constant),
                Some((gain, row)) => Self { constant, ..row.affine(gain, 0.0) },
            };
        }
        let mut values = vec![0.0; width];
        for (gain, row) in reading {
            match &row.terms {
                Terms::None => {}
                Terms::One(at, value) => values[*at] += gain * value,
                Terms::Many(terms) => {
                    values.iter_mut().zip(terms).for_each(|(sum, term)| *sum += gain * term)
                }
            }
        }
        Self { base, terms: Terms::Many(values), constant }
    }

    /// `(gain, offset)` with `other = gain·self + offset`, if there are such.
    pub fn relate(&self, other: &Self) -> Option<(f64, f64)> {
        if self == other {
            return Some((1.0, 0.0));
        }
        if self.is_constant() || other.is_constant() || self.base != other.base {
            return None;
        }
        let width = self.width().max(other.width());
        let largest = (0..self.width())
            .max_by(|&a, &b| self.coefficient(a).abs().total_cmp(&self.coefficient(b).abs()))?;
        let gain = other.coefficient(largest) / self.coefficient(largest);
        let close = |at| {
            let (expected, got) = (gain * self.coefficient(at), other.coefficient(at));
            (expected - got).abs() <= 1e-12 * expected.abs().max(got.abs())
        };
        let fits = gain.is_finite() && gain != 0.0 && (0..width).all(close);
        fits.then_some((gain, other.constant - gain * self.constant))
    }

    /// Whether every coefficient and the constant are finite.
    pub fn is_finite(&self) -> bool {
        let terms = match &self.terms {
            Terms::None => true,
            Terms::One(_, gain) => gain.is_finite(),
            Terms::Many(values) => values.iter().all(|value| value.is_finite()),
        };
        terms && self.constant.is_finite()
    }
}

/// `gain·curve(row) + offset`; without a curve the cell is the row itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The pre-activation.
    pub row: Rc<Row>,
    /// The function on it, if any.
    pub curve: Option<Rc<Curve>>,
    /// 1 without a curve.
    pub gain: f64,
    /// 0 without a curve.
    pub offset: f64,
}

impl Cell {
    /// A cell without curve.
    pub fn of_row(row: Row) -> Self {
        Self { row: Rc::new(row), curve: None, gain: 1.0, offset: 0.0 }
    }

    /// A constant cell.
    pub fn constant(value: f64) -> Self {
        Self::of_row(Row::constant(value))
    }

    /// Its value, when it is a constant.
    pub fn as_constant(&self) -> Option<f64> {
        (self.curve.is_none() && self.row.is_constant()).then_some(self.row.constant)
    }

    /// `gain·self + offset`
    pub fn affine(&self, gain: f64, offset: f64) -> Self {
        if gain == 1.0 && offset == 0.0 {
            return self.clone();
        }
        match &self.curve {
            Some(_) if gain != 0.0 => Self {
                row: self.row.clone(),
                curve: self.curve.clone(),
                gain: self.gain * gain,
                offset: self.offset * gain + offset,
            },
            Some(_) => Self::constant(offset),
            None => Self::of_row(self.row.affine(gain, offset)),
        }
    }

    /// The whole function of the row, gain and offset included; `None` when it grows too large.
    pub fn whole(&self) -> Option<Rc<Curve>> {
        match &self.curve {
            None => Some(Curve::input()),
            Some(curve) => curve.then(Function::Affine(self.gain, self.offset)),
        }
    }

    /// `function(self)`; `None` when the curve grows too large.
    pub fn then(&self, function: Function) -> Option<Self> {
        if let Some(value) = self.as_constant() {
            return Some(Self::constant(function.apply(value)));
        }
        if let Function::Affine(gain, offset) = function {
            return Some(self.affine(gain, offset));
        }
        Some(Self {
            row: self.row.clone(),
            curve: Some(self.whole()?.then(function)?),
            gain: 1.0,
            offset: 0.0,
        })
    }

    /// Its value for a value of its row.
    pub fn at(&self, row: f64) -> f64 {
        self.curve.as_ref().map_or(row, |curve| self.gain * curve.at(row) + self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_single_terms_single() {
        let a = Row::one(1, 3, 2.0);
        let sum = Row::sum([(0.5, &a), (1.0, &Row::constant(4.0))].into_iter());
        assert_eq!(sum, Row { base: 1, terms: Terms::One(3, 1.0), constant: 4.0 });
        let both = Row::sum([(1.0, &a), (1.0, &Row::one(1, 0, 1.0))].into_iter());
        assert_eq!(both.terms, Terms::Many(vec![1.0, 0.0, 0.0, 2.0]));
    }

    #[test]
    fn proportional_rows_are_related_and_others_not() {
        let a = Row { base: 0, terms: Terms::Many(vec![1.0, -2.0]), constant: 3.0 };
        assert_eq!(a.relate(&a.affine(-2.0, 1.0)), Some((-2.0, 1.0)));
        let b = Row { terms: Terms::Many(vec![1.0, -2.1]), ..a.clone() };
        assert_eq!(a.relate(&b), None);
        assert_eq!(a.relate(&Row { base: 1, ..a.clone() }), None);
        assert_eq!(a.relate(&Row::constant(1.0)), None);
    }

    #[test]
    fn a_cell_keeps_affine_steps_outside_its_curve() {
        let cell = Cell::of_row(Row::one(0, 0, 1.0)).then(Function::Relu).unwrap();
        let scaled = cell.affine(3.0, 1.0);
        assert!(Rc::ptr_eq(cell.curve.as_ref().unwrap(), scaled.curve.as_ref().unwrap()));
        assert_eq!(scaled.at(2.0), 7.0);
        assert_eq!(scaled.then(Function::Affine(-1.0, 0.0)).unwrap().at(-5.0), -1.0);
    }
}
