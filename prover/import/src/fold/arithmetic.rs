//! Operators of `ai.onnx` on cells.

use std::rc::Rc;

use super::{
    Call, Chooser, Class, Ranked, Reader, Scale, Value,
    cell::{Cell, Row},
    curve::{Curve, Join},
    truth,
};
use crate::{
    ImportError,
    float::{self, linear, reduce},
    function::Function,
    graph::Node,
    layout,
    tensor::{Element, Tensor},
};

/// Most multiplications that one product of symbolic rows may take.
const MAX_WORK: u64 = 1 << 33;

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
            "ArgMax" | "ArgMin" => arg_max(call)?,
            "TopK" => return top(call),
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

    fn binary(
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

    fn matmul(
        &mut self,
        call: &Call<'_>,
        (dims_a, a): (&[usize], Vec<Cell>),
        (dims_b, b): (&[usize], Vec<Cell>),
    ) -> Result<Value, ImportError> {
        let shape = linear::product(call.node, dims_a, dims_b)?;
        let constants = |cells: &[Cell]| cells.iter().map(Cell::as_constant).collect::<Option<Vec<f64>>>();
        let (fixed_a, fixed_b) = (constants(&a), constants(&b));
        if fixed_a.is_none() && fixed_b.is_none() {
            return Err(call.node.refuse("it multiplies two values that both depend on the features"));
        }
        if fixed_a.is_some() && dims_a.len() > 2 || fixed_b.is_some() && dims_b.len() > 2 {
            return Err(call.node.refuse("its weights are no matrix"));
        }
        let rows = self.network.settle_all(call.node, if fixed_b.is_some() { &a } else { &b })?;
        let widest = rows.iter().map(|row| row.width() as u64).max().unwrap_or(1).max(1);
        let single = rows.iter().all(|row| !matches!(row.terms, super::cell::Terms::Many(_)));
        let work =
            shape.dims.iter().product::<usize>() as u64 * shape.k as u64 * if single { 1 } else { widest };
        if work > MAX_WORK {
            return Err(ImportError::Limit {
                what: "multiplications to compose two layers",
                max: MAX_WORK,
                got: work,
            });
        }
        let at_a = layout::spread(&shape.batches[0], &shape.batch);
        let at_b = layout::spread(&shape.batches[1], &shape.batch);
        let mut cells = Vec::new();
        for (&batch_a, &batch_b) in at_a.iter().zip(&at_b) {
            for (n, m) in (0..shape.n).flat_map(|n| (0..shape.m).map(move |m| (n, m))) {
                let index_a = |k: usize| (batch_a * shape.n + n) * shape.k + k;
                let index_b = |k: usize| (batch_b * shape.k + k) * shape.m + m;
                let parts = (0..shape.k).map(|k| match &fixed_b {
                    Some(fixed) => (fixed[index_b(k)], rows[index_a(k)].as_ref()),
                    None => {
                        (fixed_a.as_ref().map_or(0.0, |fixed| fixed[index_a(k)]), rows[index_b(k)].as_ref())
                    }
                });
                cells.push(Cell::of_row(Row::sum(parts)));
            }
        }
        Ok(cells_of(shape.dims, cells))
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

    fn gemm(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let node = call.node;
        let operand = |position: usize, flag: &str| {
            let (dims, cells) = call.cells(position)?;
            let &[rows, columns] = dims else { return Err(node.refuse("its operands are no matrices")) };
            if node.integer(flag, 0)? == 0 {
                return Ok((dims.to_vec(), cells));
            }
            let sources = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c));
            Ok((vec![columns, rows], sources.map(|at| cells[at].clone()).collect()))
        };
        let ((dims_a, a), (dims_b, b)) = (operand(0, "transA")?, operand(1, "transB")?);
        let alpha = node.float("alpha", 1.0)?;
        let product = self.matmul(call, (&dims_a, a), (&dims_b, b))?;
        let Value::Cells { dims, cells } = product else { return Ok(product) };
        let cells: Vec<Cell> = cells.iter().map(|cell| cell.affine(alpha, 0.0)).collect();
        if call.inputs.get(2).copied().flatten().is_none() {
            return Ok(cells_of(dims, cells));
        }
        let beta = node.float("beta", 1.0)?;
        let (dims_c, c) = call.cells(2)?;
        if layout::broadcast(dims_c, &dims).as_ref() != Some(&dims) {
            return Err(node.refuse(format!("C with shape {dims_c:?} does not fit {dims:?}")));
        }
        let c = c.iter().map(|cell| cell.affine(beta, 0.0)).collect();
        self.binary(call, "Add", (&dims, cells), (dims_c, c))
    }

    fn reduce(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let (dims, cells) = call.cells(0)?;
        let (result, axes) = reduce::axes(call.node, dims, &call.parameters())?;
        let mut sums = Vec::new();
        for group in reduce::groups(call.node, dims, &axes)? {
            let share = if call.node.operator == "ReduceMean" { 1.0 / group.len() as f64 } else { 1.0 };
            let parts: Vec<(f64, Cell)> = group.iter().map(|&at| (share, cells[at].clone())).collect();
            sums.push(self.network.sum(call.node, &parts)?);
        }
        Ok(cells_of(result, sums))
    }

    fn softmax(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
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

    fn compare(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
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
fn top(call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
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
fn apply(call: &Call<'_>, cells: &[Cell], function: Function) -> Result<Vec<Cell>, ImportError> {
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

fn arg_max(call: &Call<'_>) -> Result<Value, ImportError> {
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
fn largest(
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
