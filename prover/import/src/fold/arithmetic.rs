//! Operators of `ai.onnx` on cells.

use std::rc::Rc;

use super::{
    Call, Chooser, Class, Reader, Value,
    cell::Cell,
    choice,
    curve::{Curve, Join},
    value::truth,
};
use crate::{
    ImportError,
    float::{self, linear},
    function::Function,
    graph::Node,
    layout,
    tensor::{Element, Tensor},
};

impl Reader {
    pub(super) fn arithmetic(&mut self, call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
        let node = call.node;
        if let Some(function) = Function::of(node, &call.parameters())? {
            let (dims, cells) = call.cells(0)?;
            return Ok(vec![cells_of(dims.to_vec(), apply(call, &cells, function)?)]);
        }
        Ok(vec![match node.operator.as_str() {
            "Add" | "Sub" | "Mul" | "Div" | "Pow" => {
                self.binary(call, &node.operator, call.cells(0)?, call.cells(1)?)?
            }
            "Min" | "Max" | "Sum" | "Mean" => self.variadic(call)?,
            "PRelu" => self.prelu(call)?,
            "MatMul" => self.matmul(call, call.cells(0)?, call.cells(1)?)?,
            "Gemm" => self.gemm(call)?,
            "BatchNormalization" => {
                let (dims, cells) = call.cells(0)?;
                let scales = linear::normalization(node, &call.parameters())?;
                let channels = linear::channels(node, dims, scales.len())?;
                let scaled =
                    cells.iter().zip(channels).map(|(cell, at)| cell.affine(scales[at].0, scales[at].1));
                cells_of(dims.to_vec(), scaled.collect())
            }
            "ReduceSum" | "ReduceMean" => self.reduce(call)?,
            "Softmax" | "LogSoftmax" => self.softmax(call)?,
            "ArgMax" | "ArgMin" => choice::arg_max(call)?,
            "TopK" => return choice::top(call),
            "Where" => self.choose(call)?,
            "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => self.compare(call)?,
            "Dropout" => return dropout(call),
            "Cast" => cast(call)?,
            _ => {
                return Err(node.refuse(
                    "it is supported only among constants and chosen classes, not on these numbers",
                ));
            }
        }])
    }

    pub(super) fn binary(
        &mut self,
        call: &Call<'_>,
        operator: &str,
        (dims_a, a): (&[usize], Vec<Cell>),
        (dims_b, b): (&[usize], Vec<Cell>),
    ) -> Result<Value, ImportError> {
        let dims = layout::broadcast(dims_a, dims_b);
        let dims =
            dims.ok_or_else(|| call.node.refuse(format!("shapes {dims_a:?} and {dims_b:?} do not fit")))?;
        let pairs = layout::spread(dims_a, &dims).into_iter().zip(layout::spread(dims_b, &dims));
        let cells = pairs.map(|(i, j)| self.pair(call, operator, &a[i], &b[j])).collect::<Result<_, _>>()?;
        Ok(cells_of(dims, cells))
    }

    fn pair(&mut self, call: &Call<'_>, operator: &str, a: &Cell, b: &Cell) -> Result<Cell, ImportError> {
        let join = match (operator, b.as_constant()) {
            ("Add", _) => Join::Add,
            ("Sub", _) => return self.network.join(call.node, Join::Add, a, &b.affine(-1.0, 0.0)),
            ("Mul", _) => Join::Multiply,
            ("Div", None) => {
                check_divisor(call.node, b)?;
                match a.as_constant() {
                    Some(value) => return Ok(then(call, b, Function::Reciprocal)?.affine(value, 0.0)),
                    None => Join::Divide,
                }
            }
            ("Div", Some(_)) => Join::Divide,
            ("Pow", Some(1.0)) => return Ok(a.clone()),
            ("Pow", Some(exponent)) => return then(call, a, Function::Power(exponent)),
            ("Min", Some(bound)) => return then(call, a, Function::Clip(f64::NEG_INFINITY, bound)),
            ("Max", Some(bound)) => return then(call, a, Function::Clip(bound, f64::INFINITY)),
            ("Min" | "Max", None) if a.as_constant().is_some() => return self.pair(call, operator, b, a),
            ("Min", None) => Join::Min,
            ("Max", None) => Join::Max,
            _ => Join::Power,
        };
        self.network.join(call.node, join, a, b)
    }

    fn variadic(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let operator =
            if matches!(call.node.operator.as_str(), "Sum" | "Mean") { "Add" } else { &call.node.operator };
        let (dims, cells) = call.cells(0)?;
        let mut result = cells_of(dims.to_vec(), cells);
        for position in 1..call.inputs.len() {
            let Value::Cells { dims, cells } = result else { break };
            result = self.binary(call, operator, (&dims, cells), call.cells(position)?)?;
        }
        match result {
            Value::Cells { dims, cells } if call.node.operator == "Mean" => {
                let share = 1.0 / call.inputs.len() as f64;
                Ok(cells_of(dims, cells.iter().map(|cell| cell.affine(share, 0.0)).collect()))
            }
            result => Ok(result),
        }
    }

    /// One slope is a leaky relu; a slope per unit is `relu(x) - slope·relu(-x)`, two units each.
    fn prelu(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let ((dims, cells), (slope_dims, slopes)) = (call.cells(0)?, call.cells(1)?);
        let slopes: Option<Vec<f64>> = slopes.iter().map(Cell::as_constant).collect();
        let slopes = slopes.ok_or_else(|| call.node.refuse("the slope must be constant"))?;
        let full = layout::broadcast(dims, slope_dims).filter(|full| full == dims);
        let full = full.ok_or_else(|| call.node.refuse("the slope does not fit its input"))?;
        if slopes.windows(2).all(|pair| pair[0] == pair[1])
            && let Some(&slope) = slopes.first()
        {
            return Ok(cells_of(full, apply(call, &cells, Function::LeakyRelu(slope))?));
        }
        let relu = |cell: &Cell| then(call, cell, Function::Relu);
        let mut result = Vec::with_capacity(cells.len());
        for (cell, at) in cells.iter().zip(layout::spread(slope_dims, &full)) {
            let row =
                Cell { row: self.network.settle(call.node, cell)?, curve: None, gain: 1.0, offset: 0.0 };
            let (up, down) = (relu(&row)?, relu(&row.affine(-1.0, 0.0))?);
            result.push(self.network.sum(call.node, &[(1.0, up), (-slopes[at], down)])?);
        }
        Ok(cells_of(full, result))
    }

    /// One of two values, by a condition on the same pre-activation.
    fn choose(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let node = call.node;
        let condition =
            call.condition().ok_or_else(|| node.refuse("its condition is none that a curve can hold"))?;
        let ((dims_a, a), (dims_b, b)) = (call.cells(1)?, call.cells(2)?);
        let dims = layout::broadcast(dims_a, dims_b).and_then(|dims| layout::broadcast(&dims, &condition.0));
        let dims = dims.ok_or_else(|| node.refuse("its shapes do not fit"))?;
        let at = [&condition.0, dims_a, dims_b].map(|from| layout::spread(from, &dims));
        let mut cells = Vec::with_capacity(at[0].len());
        for (index, &at_condition) in at[0].iter().enumerate() {
            let (condition, a, b) = (&condition.1[at_condition], &a[at[1][index]], &b[at[2][index]]);
            cells.push(match condition.as_constant() {
                Some(0.0) => b.clone(),
                Some(_) => a.clone(),
                None => {
                    let curve = |cell: &Cell| match cell.as_constant() {
                        Some(value) => Some(Curve::constant(value)),
                        None => {
                            let (gain, offset) = condition.row.relate(&cell.row)?;
                            cell.whole()?.of_affine(gain, offset)
                        }
                    };
                    let whole = curve(condition).zip(curve(a)).zip(curve(b));
                    let whole = whole.and_then(|((condition, a), b)| Curve::choose(&condition, &a, &b));
                    let whole = whole
                        .ok_or_else(|| node.refuse("it chooses by another value than it chooses from"))?;
                    Cell { row: condition.row.clone(), curve: Some(whole), gain: 1.0, offset: 0.0 }
                }
            });
        }
        Ok(cells_of(dims, cells))
    }
}

/// Refuses divisors that can be 0: no table holds a pole.
fn check_divisor(node: &Node, cell: &Cell) -> Result<(), ImportError> {
    let (low, high) = match cell.as_constant() {
        Some(value) => (value, value),
        None => cell.whole().map_or((f64::NEG_INFINITY, f64::INFINITY), |curve| curve.range()),
    };
    if low <= 0.0 && high >= 0.0 {
        return Err(node.refuse("it divides by a value that can be 0"));
    }
    Ok(())
}

pub(super) fn cells_of(dims: Vec<usize>, cells: Vec<Cell>) -> Value {
    Value::Cells { dims, cells }
}

pub(super) fn then(call: &Call<'_>, cell: &Cell, function: Function) -> Result<Cell, ImportError> {
    if function == Function::Reciprocal {
        check_divisor(call.node, cell)?;
    }
    cell.then(function).ok_or_else(|| call.node.refuse("the activation function has too many parts"))
}

/// Applies one function to all cells; equal curves are shared, so that later comparisons are quick.
pub(super) fn apply(call: &Call<'_>, cells: &[Cell], function: Function) -> Result<Vec<Cell>, ImportError> {
    let mut last: Option<Rc<Curve>> = None;
    let mut result = Vec::with_capacity(cells.len());
    for cell in cells {
        let mut next = then(call, cell, function)?;
        match (&last, &mut next.curve) {
            (Some(shared), Some(curve)) if shared == curve => *curve = shared.clone(),
            (_, curve) => last = curve.clone(),
        }
        result.push(next);
    }
    Ok(result)
}

fn dropout(call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
    let (dims, cells) = call.cells(0)?;
    // The evaluator's check for training mode, on a stand-in for the data.
    let stand_in = Tensor::whole(dims.to_vec(), vec![0; cells.len()]);
    let mut parameters = call.parameters();
    parameters[0] = Some(&stand_in);
    let mask = float::evaluate(call.node, &parameters)?.pop();
    Ok([Some(cells_of(dims.to_vec(), cells)), mask.map(Value::Constant)].into_iter().flatten().collect())
}

fn cast(call: &Call<'_>) -> Result<Value, ImportError> {
    let to = i32::try_from(call.node.integer("to", 1)?).ok().and_then(Element::of);
    match (call.input(0)?, to) {
        (Value::Ranked(ranked), Some(Element::F32 | Element::F64)) => Ok(Value::Ranked(ranked.clone())),
        (_, Some(Element::F32 | Element::F64)) => {
            let (dims, cells) = call.cells(0)?;
            Ok(cells_of(dims.to_vec(), cells))
        }
        (_, Some(Element::Integer)) => {
            let (dims, cells) = call.cells(0)?;
            Ok(cells_of(dims.to_vec(), apply(call, &cells, Function::Truncate)?))
        }
        (_, Some(Element::Bool)) => {
            let (dims, cells) = call.cells(0)?;
            let [cell] = cells.as_slice() else {
                return Err(call.node.refuse("it makes several truth values"));
            };
            if !cell.whole().is_some_and(|curve| curve.range().0 >= 0.0) {
                return Err(call.node.refuse("it makes a truth value of a number that can be negative"));
            }
            let chooser = Chooser::Above { cell: cell.clone(), threshold: 0.0, inclusive: false };
            Ok(Value::Class(Class { chooser: Rc::new(chooser), outcomes: truth(dims.to_vec()) }))
        }
        _ => Err(call.node.refuse("it turns numbers into texts")),
    }
}
