//! Operators that lead to a choice between classes: softmax, comparisons, arg-max.

use std::rc::Rc;

use super::{
    Call, Chooser, Class, Ranked, Reader, Scale, Value,
    arithmetic::{apply, cells_of, then},
    cell::Cell,
    value::truth,
};
use crate::{ImportError, float::reduce, function::Function, tensor::Tensor};

impl Reader {
    pub(super) fn softmax(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let (dims, cells) = call.cells(0)?;
        let groups = reduce::softmax_groups(call.node, dims)?;
        let log = call.node.operator == "LogSoftmax";
        let rows = self.network.settle_all(call.node, &cells)?;
        let rows: Vec<Cell> =
            rows.into_iter().map(|row| Cell { row, curve: None, gain: 1.0, offset: 0.0 }).collect();
        if groups.len() == 1 && rows.len() > 2 {
            let scale = if log { Scale::LogSoftmax } else { Scale::Softmax };
            let misuse = call.misuse();
            return Ok(Value::Ranked(Ranked {
                dims: dims.to_vec(),
                cells: rows,
                scale,
                labels: None,
                misuse,
            }));
        }
        let mut result = vec![Cell::constant(if log { 0.0 } else { 1.0 }); rows.len()];
        for group in groups {
            match group.as_slice() {
                [] | [_] => {}
                &[a, b] => {
                    for (at, other) in [(a, b), (b, a)] {
                        let parts = [(1.0, rows[at].clone()), (-1.0, rows[other].clone())];
                        result[at] = two_class(call, &self.network.sum(call.node, &parts)?, log)?;
                    }
                }
                _ => return Err(call.node.refuse("a softmax over several groups is no decision")),
            }
        }
        Ok(cells_of(dims.to_vec(), result))
    }

    pub(super) fn compare(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let Value::Cells { dims, cells } = self.binary(call, "Sub", call.cells(0)?, call.cells(1)?)? else {
            return Err(call.node.refuse("its operands are no numbers"));
        };

        let (less, inclusive) = match call.node.operator.as_str() {
            "Greater" => (false, false),
            "GreaterOrEqual" => (false, true),
            "Less" => (true, false),
            _ => (true, true),
        };
        let cells: Vec<Cell> =
            cells.iter().map(|cell| if less { cell.affine(-1.0, 0.0) } else { cell.clone() }).collect();
        let [cell] = cells.as_slice() else {
            let step = if inclusive { Function::NotBelow } else { Function::Above };
            return Ok(cells_of(dims, apply(call, &cells, step)?));
        };
        let cell = cell.clone();
        let chooser = Rc::new(Chooser::Above { cell, threshold: 0.0, inclusive });
        Ok(Value::Class(Class { chooser, outcomes: truth(dims) }))
    }
}

/// The first place of a TopK as a choice; its value has no meaning of its own.
pub(super) fn top(call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
    let node = call.node;
    let (dims, cells) = match call.input(0)? {
        Value::Ranked(ranked) => (ranked.dims.as_slice(), ranked.cells.clone()),
        _ => call.cells(0)?,
    };
    let (axis, result) = reduce::top_axis(node, dims, &call.parameters())?;
    let sign = if node.integer("largest", 1)? == 0 { -1.0 } else { 1.0 };
    let value = Value::Refused(node.refuse("the largest value itself is used; only its position can be"));
    Ok(vec![value, largest(call, dims, axis, result, &cells, sign)?])
}

/// The probability of the first of two classes, by the difference of their scores.
pub(super) fn two_class(call: &Call<'_>, difference: &Cell, log: bool) -> Result<Cell, ImportError> {
    if log {
        return Ok(then(call, &difference.affine(-1.0, 0.0), Function::Softplus)?.affine(-1.0, 0.0));
    }
    then(call, difference, Function::Sigmoid)
}

pub(super) fn arg_max(call: &Call<'_>) -> Result<Value, ImportError> {
    let node = call.node;
    let (dims, cells) = match call.input(0)? {
        Value::Ranked(ranked) => (ranked.dims.as_slice(), ranked.cells.clone()),
        _ => call.cells(0)?,
    };
    let (axis, result) = reduce::arg_axis(node, dims)?;
    if node.integer("select_last_index", 0)? != 0 {
        return Err(node.refuse("the last of equal values is to win; the integer model takes the first"));
    }
    let sign = if node.operator == "ArgMin" { -1.0 } else { 1.0 };
    largest(call, dims, axis, result, &cells, sign)
}

/// The choice of the largest cell along an axis that holds all of them.
pub(super) fn largest(
    call: &Call<'_>,
    dims: &[usize],
    axis: usize,
    result: Vec<usize>,
    cells: &[Cell],
    sign: f64,
) -> Result<Value, ImportError> {
    if dims[axis] != cells.len() || cells.len() < 2 {
        return Err(call.node.refuse(format!("along axis {axis} of shape {dims:?} it chooses no class")));
    }
    let outcomes = (0..cells.len() as i64).map(|at| Tensor::whole(result.clone(), vec![at])).collect();
    let chooser = Rc::new(Chooser::Largest(cells.iter().map(|cell| cell.affine(sign, 0.0)).collect()));
    Ok(Value::Class(Class { chooser, outcomes }))
}
