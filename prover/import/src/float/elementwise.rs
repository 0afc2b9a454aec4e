//! Operators that work on each element by itself, with broadcasting.

use super::{numbers, precision};
use crate::{
    ImportError,
    function::Function,
    graph::Node,
    layout,
    tensor::{Data, Element, Tensor},
};

/// One function on every element.
pub fn unary(node: &Node, function: Function, tensor: &Tensor) -> Result<Tensor, ImportError> {
    let values = numbers(node, tensor)?.into_iter().map(|value| function.apply(value)).collect();
    if matches!(tensor.element, Element::Integer | Element::Bool) {
        return Ok(integers(tensor.dims.clone(), values));
    }
    Ok(Tensor::real(tensor.dims.clone(), tensor.element, values))
}

fn integers(dims: Vec<usize>, values: Vec<f64>) -> Tensor {
    Tensor::whole(dims, values.into_iter().map(|value| value as i64).collect())
}

/// Positions of both operands' elements for each element of the result, and its shape.
type Spread = (Vec<usize>, Vec<usize>, Vec<usize>);

fn spread(node: &Node, a: &Tensor, b: &Tensor) -> Result<Spread, ImportError> {
    let dims = layout::broadcast(&a.dims, &b.dims);
    let dims = dims.ok_or_else(|| node.refuse(format!("shapes {:?} and {:?} do not fit", a.dims, b.dims)))?;
    Ok((layout::spread(&a.dims, &dims), layout::spread(&b.dims, &dims), dims))
}

/// Add, Sub, Mul, Div, Mod and Pow; integers stay integers.
pub fn binary(node: &Node, operator: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, ImportError> {
    let (at_a, at_b, dims) = spread(node, a, b)?;
    if let (Data::Whole(a), Data::Whole(b)) = (&a.data, &b.data) {
        let pairs = at_a.iter().zip(&at_b).map(|(&i, &j)| (a[i], b[j]));
        let values: Option<Vec<i64>> = match operator {
            "Add" => pairs.map(|(a, b)| a.checked_add(b)).collect(),
            "Sub" => pairs.map(|(a, b)| a.checked_sub(b)).collect(),
            "Mul" => pairs.map(|(a, b)| a.checked_mul(b)).collect(),
            "Div" => pairs.map(|(a, b)| a.checked_div(b)).collect(),
            "Mod" if node.integer("fmod", 0)? == 0 => {
                // The sign follows the divisor.
                pairs.map(|(a, b)| a.checked_rem(b)?.checked_add(b)?.checked_rem(b)).collect()
            }
            "Mod" => pairs.map(|(a, b)| a.checked_rem(b)).collect(),
            _ => pairs.map(|(a, b)| a.checked_pow(u32::try_from(b).ok()?)).collect(),
        };
        return Ok(Tensor::whole(
            dims,
            values.ok_or_else(|| node.refuse("integer overflow or division by zero"))?,
        ));
    }
    let element = if a.element.is_float() { a.element } else { b.element };
    let (a, b) = (numbers(node, a)?, numbers(node, b)?);
    let value = |a: f64, b: f64| match operator {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Mod" => a % b,
        _ => libm::pow(a, b),
    };
    let values = at_a.iter().zip(&at_b).map(|(&i, &j)| value(a[i], b[j])).collect();
    Ok(Tensor::real(dims, precision(element), values))
}

/// Min, Max, Sum and Mean of any number of tensors.
pub fn variadic(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Tensor, ImportError> {
    let mut tensors = inputs.iter().flatten();
    let first = *tensors.next().ok_or_else(|| node.refuse("it has no input"))?;
    let mut result = first.clone();
    let mut count = 1.0;
    for tensor in tensors {
        count += 1.0;
        result = if matches!(node.operator.as_str(), "Sum" | "Mean") {
            binary(node, "Add", &result, tensor)?
        } else {
            let (at_a, at_b, dims) = spread(node, &result, tensor)?;
            let (a, b) = (numbers(node, &result)?, numbers(node, tensor)?);
            let pick = |a: f64, b: f64| if node.operator == "Min" { a.min(b) } else { a.max(b) };
            let values = at_a.iter().zip(&at_b).map(|(&i, &j)| pick(a[i], b[j])).collect();
            match result.element {
                Element::Integer => integers(dims, values),
                element => Tensor::real(dims, element, values),
            }
        };
    }
    if node.operator == "Mean" {
        let values = numbers(node, &result)?.into_iter().map(|value| value / count).collect();
        return Ok(Tensor::real(result.dims, precision(first.element), values));
    }
    Ok(result)
}

/// Comparisons and logic.
pub fn compare(node: &Node, a: &Tensor, b: &Tensor) -> Result<Tensor, ImportError> {
    let (at_a, at_b, dims) = spread(node, a, b)?;
    if let (Data::Text(a), Data::Text(b), "Equal") = (&a.data, &b.data, node.operator.as_str()) {
        let values = at_a.iter().zip(&at_b).map(|(&i, &j)| a[i] == b[j]).collect();
        return Ok(Tensor::truth(dims, values));
    }
    let (a, b) = (numbers(node, a)?, numbers(node, b)?);
    let holds = |a: f64, b: f64| match node.operator.as_str() {
        "Greater" => a > b,
        "GreaterOrEqual" => a >= b,
        "Less" => a < b,
        "LessOrEqual" => a <= b,
        "And" => a != 0.0 && b != 0.0,
        "Or" => a != 0.0 || b != 0.0,
        "Xor" => (a != 0.0) != (b != 0.0),
        _ => a == b,
    };
    Ok(Tensor::truth(dims, at_a.iter().zip(&at_b).map(|(&i, &j)| holds(a[i], b[j])).collect()))
}

/// Logical not.
pub fn not(node: &Node, tensor: &Tensor) -> Result<Tensor, ImportError> {
    let values = numbers(node, tensor)?.into_iter().map(|value| value == 0.0).collect();
    Ok(Tensor::truth(tensor.dims.clone(), values))
}

/// Where.
pub fn choose(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Tensor, ImportError> {
    let (condition, a, b) =
        (super::input(node, inputs, 0)?, super::input(node, inputs, 1)?, super::input(node, inputs, 2)?);
    let (_, _, dims) = spread(node, a, b)?;
    let dims =
        layout::broadcast(&dims, &condition.dims).ok_or_else(|| node.refuse("its shapes do not fit"))?;
    let truth = numbers(node, condition)?;
    let (at_a, at_b) = (layout::spread(&a.dims, &dims), layout::spread(&b.dims, &dims));
    let both = super::join(node, &[a, b])?;
    let at_condition = layout::spread(&condition.dims, &dims);
    let pick = |at: usize| if truth[at_condition[at]] != 0.0 { at_a[at] } else { a.len() + at_b[at] };
    let sources: Vec<usize> = (0..at_condition.len()).map(pick).collect();
    Ok(both.pick(dims, &sources))
}

/// PRelu: the slope broadcasts to the input.
pub fn prelu(node: &Node, x: &Tensor, slope: &Tensor) -> Result<Tensor, ImportError> {
    let (at_x, at_slope, dims) = spread(node, x, slope)?;
    let (values, slopes) = (numbers(node, x)?, numbers(node, slope)?);
    let value = |x: f64, slope: f64| if x < 0.0 { slope * x } else { x };
    let values = at_x.iter().zip(&at_slope).map(|(&i, &j)| value(values[i], slopes[j])).collect();
    Ok(Tensor::real(dims, precision(x.element), values))
}
