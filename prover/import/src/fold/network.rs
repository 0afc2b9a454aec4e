//! The layers found so far: every unit a row of the layer below, one curve for all units of a layer.

use std::{collections::BTreeMap, rc::Rc};

use audit::model::{MAX_LAYERS, MAX_PARAMETERS, MAX_UNITS};

use super::{
    cell::{Cell, Row},
    curve::{Curve, Join},
};
use crate::{ImportError, function::Function, graph::Node};

/// One layer while it grows.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The activation function of all its units.
    pub curve: Rc<Curve>,
    /// What each unit computes before it.
    pub units: Vec<Rc<Row>>,
    /// Units by address of their row; the rows above keep the addresses taken.
    by_row: BTreeMap<*const Row, usize>,
}

/// All layers so far.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Layer `l` reads the outputs of layer `l - 1`; layer 0 reads the features.
    pub layers: Vec<Draft>,
}

impl Network {
    /// A unit with this curve on this row; returns a row that reads the unit.
    pub fn unit(&mut self, node: &Node, row: &Rc<Row>, curve: &Rc<Curve>) -> Result<Row, ImportError> {
        if row.is_constant() {
            return Ok(Row::constant(curve.at(row.constant)));
        }
        let base = row.base;
        if base == self.layers.len() {
            // The decision needs a layer of its own.
            if base + 1 >= usize::from(MAX_LAYERS) {
                return Err(ImportError::Limit {
                    what: "layers",
                    max: MAX_LAYERS.into(),
                    got: base as u64 + 2,
                });
            }
            self.layers.push(Draft { curve: curve.clone(), units: Vec::new(), by_row: BTreeMap::new() });
        }
        let layer = &mut self.layers[base];
        if !layer.curve.is_close(curve) {
            return Err(node.refuse(format!(
                "layer {} has two activation functions, {} and {}; one per layer is supported",
                base + 1,
                layer.curve.name(),
                curve.name()
            )));
        }
        let next = layer.units.len();
        let index = *layer.by_row.entry(Rc::as_ptr(row)).or_insert(next);
        if index == next {
            if next as u64 >= MAX_UNITS.into() {
                return Err(ImportError::Limit {
                    what: "units of a layer",
                    max: MAX_UNITS.into(),
                    got: next as u64 + 1,
                });
            }
            layer.units.push(row.clone());
        }
        Ok(Row::one(base + 1, index, 1.0))
    }

    /// The cell as a row of the next layer's outputs, or of its own where it has no curve.
    pub fn settle(&mut self, node: &Node, cell: &Cell) -> Result<Rc<Row>, ImportError> {
        match &cell.curve {
            None => Ok(cell.row.clone()),
            Some(curve) => Ok(Rc::new(self.unit(node, &cell.row, curve)?.affine(cell.gain, cell.offset))),
        }
    }

    /// All cells as rows of one base, so that they can be added.
    pub fn settle_all(&mut self, node: &Node, cells: &[Cell]) -> Result<Vec<Rc<Row>>, ImportError> {
        let rows = cells.iter().map(|cell| self.settle(node, cell)).collect::<Result<Vec<_>, _>>()?;
        let base = rows.iter().filter(|row| !row.is_constant()).map(|row| row.base).max().unwrap_or(0);
        rows.into_iter().map(|row| self.lift(node, row, base)).collect()
    }

    /// Carries a row past the layers up to `base`, for skip connections: `x = f(x) - f(-x)` for relu and its kin.
    fn lift(&mut self, node: &Node, row: Rc<Row>, base: usize) -> Result<Rc<Row>, ImportError> {
        if row.is_constant() || row.base == base {
            return Ok(row);
        }
        let curve = self.layers[row.base].curve.clone();
        let slope = match curve.single() {
            Some(Function::Relu) => 0.0,
            Some(Function::LeakyRelu(alpha)) if alpha > -1.0 => alpha,
            _ => {
                return Err(node.refuse(format!(
                    "it joins outputs of layers {} and {}; a connection past a layer with {} is not supported",
                    row.base,
                    base,
                    curve.name()
                )));
            }
        };
        let up = self.unit(node, &row, &curve)?;
        let down = self.unit(node, &Rc::new(row.affine(-1.0, 0.0)), &curve)?;
        let gain = 1.0 / (1.0 + slope);
        let lifted = Row::sum([(gain, &up), (-gain, &down)].into_iter());
        self.lift(node, Rc::new(lifted), base)
    }

    /// The sum of `gain_i·cell_i`, in exact affine arithmetic where no cell has a curve.
    pub fn sum(&mut self, node: &Node, parts: &[(f64, Cell)]) -> Result<Cell, ImportError> {
        let cells: Vec<Cell> = parts.iter().map(|(_, cell)| cell.clone()).collect();
        let rows = self.settle_all(node, &cells)?;
        Ok(Cell::of_row(Row::sum(parts.iter().map(|(gain, _)| *gain).zip(rows.iter().map(Rc::as_ref)))))
    }

    /// Two cells joined; both must be functions of one pre-activation unless the join is affine.
    pub fn join(&mut self, node: &Node, join: Join, a: &Cell, b: &Cell) -> Result<Cell, ImportError> {
        match (join, a.as_constant(), b.as_constant()) {
            (Join::Add, _, Some(value)) => return Ok(a.affine(1.0, value)),
            (Join::Add, Some(value), _) => return Ok(b.affine(1.0, value)),
            (Join::Multiply, _, Some(value)) => return Ok(a.affine(value, 0.0)),
            (Join::Multiply, Some(value), _) => return Ok(b.affine(value, 0.0)),
            (Join::Divide, _, Some(value)) => return Ok(a.affine(1.0 / value, 0.0)),
            (Join::Add, None, None) if a.curve.is_none() && b.curve.is_none() => {
                return self.sum(node, &[(1.0, a.clone()), (1.0, b.clone())]);
            }
            _ => {}
        }
        let too_large = || node.refuse("the activation function has too many parts");
        let joined = |row: &Rc<Row>, a: Rc<Curve>, b: Rc<Curve>| {
            let curve = Some(Curve::join(join, &a, &b).ok_or_else(too_large)?);
            Ok(Cell { row: row.clone(), curve, gain: 1.0, offset: 0.0 })
        };
        if let Some(value) = b.as_constant() {
            return joined(&a.row, a.whole().ok_or_else(too_large)?, Curve::constant(value));
        }
        if let Some(value) = a.as_constant() {
            return joined(&b.row, Curve::constant(value), b.whole().ok_or_else(too_large)?);
        }
        // A sum of two units is a curve only where they are the same unit, or mirror images as the two classes of a
        // logistic regression are; with one feature all rows are related, and yet they are units of their own.
        let sum_of_units =
            |(gain, offset): &(f64, f64)| join == Join::Add && (gain.abs() != 1.0 || *offset != 0.0);
        if let Some((gain, offset)) = a.row.relate(&b.row).filter(|relation| !sum_of_units(relation)) {
            let b = b.whole().and_then(|curve| curve.of_affine(gain, offset)).ok_or_else(too_large)?;
            return joined(&a.row, a.whole().ok_or_else(too_large)?, b);
        }
        if join == Join::Add {
            return self.sum(node, &[(1.0, a.clone()), (1.0, b.clone())]);
        }
        Err(node.refuse(
            "it joins two values that depend on the features in different ways; only sums are supported",
        ))
    }

    /// Fails when a value's rows hold more numbers than a model may have weights.
    pub fn check_size(&self, node: &Node, cells: &[Cell]) -> Result<(), ImportError> {
        let got: u64 = cells.iter().map(|cell| cell.row.width() as u64).sum();
        let dense = cells.iter().any(|cell| matches!(cell.row.terms, super::cell::Terms::Many(_)));
        if dense && got > MAX_PARAMETERS {
            return Err(ImportError::Limit { what: "weights", max: MAX_PARAMETERS, got });
        }
        if cells
            .iter()
            .any(|cell| !cell.row.is_finite() || !cell.gain.is_finite() || !cell.offset.is_finite())
        {
            return Err(ImportError::NonFinite {
                place: format!("the result of node {} ({:?})", node.index, node.name),
            });
        }
        Ok(())
    }
}
