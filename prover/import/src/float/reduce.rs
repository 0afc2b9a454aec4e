//! Reductions over axes, softmax and arg-max.

use super::{numbers, precision};
use crate::{
    ImportError,
    graph::Node,
    tensor::{Element, Tensor},
};

/// The axes a reduction runs over, and its result's shape.
pub fn axes(
    node: &Node,
    dims: &[usize],
    inputs: &[Option<&Tensor>],
) -> Result<(Vec<usize>, Vec<usize>), ImportError> {
    let given = match inputs.get(1).copied().flatten() {
        Some(tensor) => {
            Some(tensor.integers().ok_or_else(|| node.refuse("the axes must be integers"))?.to_vec())
        }
        None if node.inputs.get(1).copied().flatten().is_some() => {
            return Err(node.refuse("the axes must be constant"));
        }
        None => node.integers("axes")?.map(<[i64]>::to_vec),
    };
    let given = given.filter(|axes| !axes.is_empty());
    let axes = match given {
        Some(axes) => axes.iter().map(|&axis| node.axis(axis, dims.len())).collect::<Result<Vec<_>, _>>()?,
        None if node.integer("noop_with_empty_axes", 0)? != 0 => vec![],
        None => (0..dims.len()).collect(),
    };
    Ok((reduced(dims, &axes, node.integer("keepdims", 1)? != 0), axes))
}

fn reduced(dims: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    let extent =
        |(at, &dim): (usize, &usize)| if !axes.contains(&at) { Some(dim) } else { keep.then_some(1) };
    dims.iter().enumerate().filter_map(extent).collect()
}

/// Most elements that are grouped.
const MAX_GROUPED: usize = 1 << 20;

/// For each element of the result, the input elements it is made of, in order.
pub fn groups(node: &Node, dims: &[usize], axes: &[usize]) -> Result<Vec<Vec<usize>>, ImportError> {
    if dims.iter().map(|&dim| dim.max(1)).product::<usize>() > MAX_GROUPED {
        return Err(node.refuse(format!("its input has more than {MAX_GROUPED} elements")));
    }
    let count: usize =
        dims.iter().enumerate().filter(|(at, _)| !axes.contains(at)).map(|(_, &dim)| dim).product();
    let mut groups = vec![Vec::new(); count];
    for at in 0..dims.iter().product() {
        let (mut rest, mut target, mut stride): (usize, usize, usize) = (at, 0, 1);
        for (axis, &dim) in dims.iter().enumerate().rev() {
            if !axes.contains(&axis) {
                target += rest % dim * stride;
                stride *= dim;
            }
            rest /= dim;
        }
        groups[target].push(at);
    }
    Ok(groups)
}

/// ReduceSum and its kin.
pub fn reduce(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Tensor, ImportError> {
    let x = super::input(node, inputs, 0)?;
    let (dims, axes) = axes(node, &x.dims, inputs)?;
    let values = numbers(node, x)?;
    let fold = |group: Vec<usize>| {
        let members = group.iter().map(|&at| values[at]);
        match node.operator.as_str() {
            "ReduceMean" => members.sum::<f64>() / group.len() as f64,
            "ReduceMax" => members.fold(f64::NEG_INFINITY, f64::max),
            "ReduceMin" => members.fold(f64::INFINITY, f64::min),
            "ReduceProd" => members.product(),
            "ReduceL1" => members.map(f64::abs).sum(),
            "ReduceL2" => members.map(|value| value * value).sum::<f64>().sqrt(),
            _ => members.sum(),
        }
    };
    let values: Vec<f64> = groups(node, &x.dims, &axes)?.into_iter().map(fold).collect();
    Ok(match x.element {
        Element::Integer => Tensor::whole(dims, values.into_iter().map(|value| value as i64).collect()),
        element => Tensor::real(dims, precision(element), values),
    })
}

/// The groups that a softmax works on: one axis since operator set 13, all from an axis on before.
pub fn softmax_groups(node: &Node, dims: &[usize]) -> Result<Vec<Vec<usize>>, ImportError> {
    let axis = node.integer("axis", if node.opset < 13 { 1 } else { -1 })?;
    if node.opset < 13 {
        let axis = if axis == dims.len() as i64 { dims.len() } else { node.axis(axis, dims.len())? };
        return groups(node, dims, &(axis..dims.len()).collect::<Vec<_>>());
    }
    groups(node, dims, &[node.axis(axis, dims.len())?])
}

/// Softmax and LogSoftmax.
pub fn softmax(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let mut values = numbers(node, x)?;
    for group in softmax_groups(node, &x.dims)? {
        let top = group.iter().map(|&at| values[at]).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = group.iter().map(|&at| libm::exp(values[at] - top)).sum();
        for at in group {
            let shifted = values[at] - top;
            let log = node.operator == "LogSoftmax";
            values[at] = if log { shifted - libm::log(total) } else { libm::exp(shifted) / total };
        }
    }
    Ok(Tensor::real(x.dims.clone(), precision(x.element), values))
}

/// The axis of ArgMax, and its result's shape.
pub fn arg_axis(node: &Node, dims: &[usize]) -> Result<(usize, Vec<usize>), ImportError> {
    let axis = node.axis(node.integer("axis", 0)?, dims.len())?;
    Ok((axis, reduced(dims, &[axis], node.integer("keepdims", 1)? != 0)))
}

/// ArgMax and ArgMin.
pub fn arg_max(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let (axis, dims) = arg_axis(node, &x.dims)?;
    let values = numbers(node, x)?;
    let last = node.integer("select_last_index", 0)? != 0;
    let sign = if node.operator == "ArgMin" { -1.0 } else { 1.0 };
    let pick = |group: Vec<usize>| {
        let mut best = 0;
        for (index, &at) in group.iter().enumerate() {
            let (value, top) = (sign * values[at], sign * values[group[best]]);
            if value > top || last && value == top {
                best = index;
            }
        }
        best as i64
    };
    Ok(Tensor::whole(dims, groups(node, &x.dims, &[axis])?.into_iter().map(pick).collect()))
}

/// The axis of a TopK that takes one element, and its result's shape.
pub fn top_axis(
    node: &Node,
    dims: &[usize],
    inputs: &[Option<&Tensor>],
) -> Result<(usize, Vec<usize>), ImportError> {
    let axis = node.axis(node.integer("axis", -1)?, dims.len())?;
    let count = match inputs.get(1).copied().flatten() {
        Some(tensor) => tensor.integers().and_then(|values| values.first().copied()),
        None => Some(node.integer("k", 0)?),
    };
    if count != Some(1) {
        return Err(node.refuse("only the first place (k = 1) is supported"));
    }
    let mut result = dims.to_vec();
    result[axis] = 1;
    Ok((axis, result))
}

/// TopK for k = 1: value and position.
pub fn top(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, ImportError> {
    let x = super::input(node, inputs, 0)?;
    let (axis, dims) = top_axis(node, &x.dims, inputs)?;
    let sign = if node.integer("largest", 1)? == 0 { -1.0 } else { 1.0 };
    let values = numbers(node, x)?;
    let (mut sources, mut positions) = (Vec::new(), Vec::new());
    for group in groups(node, &x.dims, &[axis])? {
        let better = |best: usize, at: usize| sign * values[group[at]] > sign * values[group[best]];
        let best = (0..group.len()).fold(0, |best, at| if better(best, at) { at } else { best });
        sources.push(*group.get(best).ok_or_else(|| node.refuse("its input is empty"))?);
        positions.push(best as i64);
    }
    Ok(vec![x.pick(dims.clone(), &sources), Tensor::whole(dims, positions)])
}
