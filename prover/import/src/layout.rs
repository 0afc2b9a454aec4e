//! Operators that only move elements: each becomes a list of source positions, so numbers, texts and symbolic
//! cells take the same way.

use crate::{
    ImportError,
    graph::{ML, Node},
    tensor::{self, Tensor},
};

/// One output: its shape, and for each element its position among the data inputs' elements, one input after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The output's shape.
    pub dims: Vec<usize>,
    /// Where each element comes from.
    pub sources: Vec<usize>,
}

impl Plan {
    /// Whether every element keeps its place.
    pub fn keeps_order(&self, count: usize) -> bool {
        self.sources.len() == count && self.sources.iter().enumerate().all(|(at, &source)| at == source)
    }
}

/// Number of leading inputs that are moved; the others say how. `None` when the operator does not only move elements.
pub fn data_inputs(node: &Node) -> Option<usize> {
    match (node.domain.as_str(), node.operator.as_str()) {
        (
            "",
            "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Slice" | "Gather"
            | "Expand" | "Split",
        ) => Some(1),
        ("", "Concat") | (ML, "FeatureVectorizer") => Some(node.inputs.len()),
        (ML, "ArrayFeatureExtractor") => Some(1),
        _ => None,
    }
}

/// Plans an operator for data inputs of the given shapes; `parameters[i]` is input `i` where it is a constant.
pub fn plan(
    node: &Node,
    dims: &[&[usize]],
    parameters: &[Option<&Tensor>],
) -> Result<Vec<Plan>, ImportError> {
    let first = *dims.first().ok_or_else(|| node.refuse("it has no input"))?;
    let count = tensor::elements(first).ok_or_else(|| node.refuse("its input is too large"))?;
    let same = |dims: Vec<usize>| Ok(vec![Plan { dims, sources: (0..count).collect() }]);
    match node.operator.as_str() {
        "Identity" => same(first.to_vec()),
        "Reshape" => same(reshape(node, first, count, parameters)?),
        "Flatten" => {
            let axis = node.integer("axis", 1)?;
            let axis = if axis == first.len() as i64 { first.len() } else { node.axis(axis, first.len())? };
            same(vec![first[..axis].iter().product(), first[axis..].iter().product()])
        }
        "Squeeze" => same(squeeze(node, first, parameters)?),
        "Unsqueeze" => same(unsqueeze(node, first, parameters)?),
        "Transpose" => transpose(node, first).map(one),
        "Slice" => slice(node, first, parameters).map(one),
        "Gather" | "ArrayFeatureExtractor" => gather(node, first, parameters).map(one),
        "Expand" => expand(node, first, parameters).map(one),
        "Split" => split(node, first, parameters),
        _ => concat(node, dims).map(one),
    }
}

fn one(plan: Plan) -> Vec<Plan> {
    vec![plan]
}

/// The integers of input `position`, or of the attribute that carried them in older operator sets.
fn list(
    node: &Node,
    parameters: &[Option<&Tensor>],
    position: usize,
    attribute: &str,
) -> Result<Option<Vec<i64>>, ImportError> {
    if node.inputs.get(position).copied().flatten().is_none() {
        return Ok(node.integers(attribute)?.map(<[i64]>::to_vec));
    }
    let tensor = parameters.get(position).copied().flatten();
    let tensor = tensor.ok_or_else(|| node.refuse(format!("input {position} must be constant")))?;
    let integers =
        tensor.integers().ok_or_else(|| node.refuse(format!("input {position} must hold integers")))?;
    Ok(Some(integers.to_vec()))
}

fn needed(node: &Node, what: &str, value: Option<Vec<i64>>) -> Result<Vec<i64>, ImportError> {
    value.ok_or_else(|| node.refuse(format!("{what} is missing")))
}

fn checked(node: &Node, dims: &[usize]) -> Result<usize, ImportError> {
    tensor::elements(dims).ok_or_else(|| node.refuse(format!("the result's shape {dims:?} is too large")))
}

fn reshape(
    node: &Node,
    input: &[usize],
    count: usize,
    parameters: &[Option<&Tensor>],
) -> Result<Vec<usize>, ImportError> {
    let shape = needed(node, "the shape", list(node, parameters, 1, "shape")?)?;
    let keep_zero = node.integer("allowzero", 0)? != 0;
    let bad = || node.refuse(format!("shape {shape:?} does not fit {input:?}"));
    let mut open = None;
    let mut dims = Vec::with_capacity(shape.len());
    for (at, &dim) in shape.iter().enumerate() {
        dims.push(match dim {
            0 if !keep_zero => *input.get(at).ok_or_else(bad)?,
            -1 if open.is_none() => {
                open = Some(at);
                1
            }
            _ => usize::try_from(dim).map_err(|_| bad())?,
        });
    }
    let known = checked(node, &dims)?;
    if let Some(at) = open {
        if known == 0 || !count.is_multiple_of(known) {
            return Err(bad());
        }
        dims[at] = count / known;
    }
    if checked(node, &dims)? != count {
        return Err(bad());
    }
    Ok(dims)
}

fn squeeze(node: &Node, input: &[usize], parameters: &[Option<&Tensor>]) -> Result<Vec<usize>, ImportError> {
    let Some(axes) = list(node, parameters, 1, "axes")? else {
        return Ok(input.iter().copied().filter(|&dim| dim != 1).collect());
    };
    let axes = axes.iter().map(|&axis| node.axis(axis, input.len())).collect::<Result<Vec<_>, _>>()?;
    if let Some(&axis) = axes.iter().find(|&&axis| input[axis] != 1) {
        return Err(node.refuse(format!("axis {axis} has extent {}, not 1", input[axis])));
    }
    Ok(input.iter().enumerate().filter(|(at, _)| !axes.contains(at)).map(|(_, &dim)| dim).collect())
}

fn unsqueeze(
    node: &Node,
    input: &[usize],
    parameters: &[Option<&Tensor>],
) -> Result<Vec<usize>, ImportError> {
    let axes = needed(node, "axes", list(node, parameters, 1, "axes")?)?;
    let rank = input.len() + axes.len();
    if rank > tensor::MAX_RANK {
        return Err(node.refuse("too many dimensions"));
    }
    let axes = axes.iter().map(|&axis| node.axis(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut rest = input.iter();
    let dims = (0..rank).map(|at| if axes.contains(&at) { Some(1) } else { rest.next().copied() });
    let dims: Option<Vec<usize>> = dims.collect();
    dims.filter(|_| rest.next().is_none()).ok_or_else(|| node.refuse("an axis appears twice"))
}

/// Row-major strides of a shape.
fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for at in (1..dims.len()).rev() {
        strides[at - 1] = strides[at] * dims[at];
    }
    strides
}

/// Row-major positions `offset + sum_d start_d + i_d·step_d` for all `i` below `dims`.
fn walk(dims: &[usize], offset: i64, steps: &[i64]) -> Vec<usize> {
    let mut positions = vec![offset];
    for (&dim, &step) in dims.iter().zip(steps) {
        positions = positions.iter().flat_map(|&at| (0..dim as i64).map(move |i| at + i * step)).collect();
    }
    positions.into_iter().map(|at| at as usize).collect()
}

fn transpose(node: &Node, input: &[usize]) -> Result<Plan, ImportError> {
    let order = match node.integers("perm")? {
        Some(order) => {
            order.iter().map(|&axis| node.axis(axis, input.len())).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..input.len()).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..input.len()) {
        return Err(node.refuse(format!("{order:?} is no permutation of {} axes", input.len())));
    }
    let strides = strides(input);
    let dims: Vec<usize> = order.iter().map(|&axis| input[axis]).collect();
    let steps: Vec<i64> = order.iter().map(|&axis| strides[axis] as i64).collect();
    Ok(Plan { sources: walk(&dims, 0, &steps), dims })
}

fn slice(node: &Node, input: &[usize], parameters: &[Option<&Tensor>]) -> Result<Plan, ImportError> {
    let starts = needed(node, "starts", list(node, parameters, 1, "starts")?)?;
    let ends = needed(node, "ends", list(node, parameters, 2, "ends")?)?;
    let axes = list(node, parameters, 3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(node, parameters, 4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(node.refuse("starts, ends, axes and steps have different lengths"));
    }
    let strides = strides(input);
    let mut dims = input.to_vec();
    let mut walk_steps: Vec<i64> = strides.iter().map(|&stride| stride as i64).collect();
    let mut offset = 0;
    for at in 0..starts.len() {
        let axis = node.axis(axes[at], input.len())?;
        let (extent, step) = (input[axis] as i64, steps[at]);
        if step == 0 || step.unsigned_abs() > tensor::MAX_ELEMENTS {
            return Err(node.refuse(format!("step {step}")));
        }
        let resolve = |position: i64| if position < 0 { position.saturating_add(extent) } else { position };
        let (low, high) = if step > 0 { (0, extent) } else { (-1, extent - 1) };
        let start = resolve(starts[at]).clamp(low.max(0), high.max(0));
        let end = resolve(ends[at]).clamp(low, high);
        let length =
            if step > 0 { (end - start + step - 1) / step } else { (start - end - step - 1) / -step };
        dims[axis] = length.max(0) as usize;
        offset += start * strides[axis] as i64;
        walk_steps[axis] *= step;
    }
    checked(node, &dims)?;
    Ok(Plan { sources: walk(&dims, offset, &walk_steps), dims })
}

fn gather(node: &Node, input: &[usize], parameters: &[Option<&Tensor>]) -> Result<Plan, ImportError> {
    let extractor = node.operator == "ArrayFeatureExtractor";
    let indices =
        parameters.get(1).copied().flatten().ok_or_else(|| node.refuse("the indices must be constant"))?;
    let positions = indices.integers().ok_or_else(|| node.refuse("the indices must be integers"))?;
    if input.is_empty() {
        return Err(node.refuse("its input is a scalar"));
    }
    let axis = if extractor { input.len() - 1 } else { node.axis(node.integer("axis", 0)?, input.len())? };
    let positions = positions.iter().map(|&at| node.axis(at, input[axis])).collect::<Result<Vec<_>, _>>()?;
    let (outer, inner): (usize, usize) = (input[..axis].iter().product(), input[axis + 1..].iter().product());
    let mut dims = input[..axis].to_vec();
    if extractor {
        // ONNX Runtime returns a row for a vector, whatever the indices' shape.
        dims =
            if input.len() == 1 { vec![1, positions.len()] } else { [dims, vec![positions.len()]].concat() };
    } else {
        dims.extend(&indices.dims);
        dims.extend(&input[axis + 1..]);
    }
    checked(node, &dims)?;
    let at = |o: usize, p: usize| (0..inner).map(move |i| (o * input[axis] + p) * inner + i);
    let sources = (0..outer).flat_map(|o| positions.iter().flat_map(move |&p| at(o, p))).collect();
    Ok(Plan { dims, sources })
}

fn expand(node: &Node, input: &[usize], parameters: &[Option<&Tensor>]) -> Result<Plan, ImportError> {
    let shape = needed(node, "the shape", list(node, parameters, 1, "shape")?)?;
    let shape: Result<Vec<usize>, _> = shape.into_iter().map(usize::try_from).collect();
    let shape = shape.map_err(|_| node.refuse("the shape is negative"))?;
    let dims = broadcast(input, &shape)
        .ok_or_else(|| node.refuse(format!("{input:?} does not expand to {shape:?}")))?;
    Ok(Plan { sources: spread(input, &dims), dims })
}

fn split(node: &Node, input: &[usize], parameters: &[Option<&Tensor>]) -> Result<Vec<Plan>, ImportError> {
    let axis = node.axis(node.integer("axis", 0)?, input.len())?;
    let extent = input[axis];
    let parts = match list(node, parameters, 1, "split")? {
        Some(parts) => {
            parts.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>().unwrap_or_default()
        }
        None => {
            let number = node.outputs.len().max(1);
            let part = extent.div_ceil(number);
            (0..number).map(|at| part.min(extent.saturating_sub(at * part))).collect()
        }
    };
    if parts.iter().try_fold(0_usize, |sum, &part| sum.checked_add(part)) != Some(extent) {
        return Err(node.refuse(format!("parts {parts:?} do not cover the extent {extent}")));
    }
    let strides = strides(input);
    let steps: Vec<i64> = strides.iter().map(|&stride| stride as i64).collect();
    let mut start = 0;
    let plan = |part: usize| {
        let mut dims = input.to_vec();
        dims[axis] = part;
        let offset = (start * strides[axis]) as i64;
        start += part;
        Plan { sources: walk(&dims, offset, &steps), dims }
    };
    Ok(parts.into_iter().map(plan).collect())
}

fn concat(node: &Node, inputs: &[&[usize]]) -> Result<Plan, ImportError> {
    let first = inputs[0];
    let axis = if node.operator == "Concat" { node.integer("axis", 1)? } else { first.len() as i64 - 1 };
    let axis = node.axis(axis, first.len())?;
    let fits = |dims: &&[usize]| {
        dims.len() == first.len()
            && dims.iter().zip(first).enumerate().all(|(at, (a, b))| at == axis || a == b)
    };
    if !inputs.iter().all(fits) {
        return Err(node.refuse(format!("shapes {inputs:?} do not join on axis {axis}")));
    }
    let mut dims = first.to_vec();
    dims[axis] = inputs.iter().map(|dims| dims[axis]).sum();
    checked(node, &dims)?;
    let (outer, inner): (usize, usize) = (first[..axis].iter().product(), first[axis + 1..].iter().product());
    let mut sources = Vec::new();
    for o in 0..outer {
        let mut offset = 0;
        for dims in inputs {
            let block = dims[axis] * inner;
            sources.extend(offset + o * block..offset + (o + 1) * block);
            offset += outer * block;
        }
    }
    Ok(Plan { dims, sources })
}

/// The shape that two shapes broadcast to.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let extent = |dims: &[usize], at: usize| (at + dims.len()).checked_sub(rank).map_or(1, |at| dims[at]);
    let dims: Option<Vec<usize>> = (0..rank)
        .map(|at| match (extent(a, at), extent(b, at)) {
            (a, b) if a == b => Some(a),
            (1, other) | (other, 1) => Some(other),
            _ => None,
        })
        .collect();
    dims.filter(|dims| tensor::elements(dims).is_some())
}

/// For each element of the broadcast shape `to`, the element of `from` it repeats.
pub fn spread(from: &[usize], to: &[usize]) -> Vec<usize> {
    let strides = strides(from);
    let missing = to.len() - from.len();
    let steps: Vec<i64> = (0..to.len())
        .map(|at| if at < missing || from[at - missing] == 1 { 0 } else { strides[at - missing] as i64 })
        .collect();
    walk(to, 0, &steps)
}
