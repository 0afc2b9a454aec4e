//! Operators of `ai.onnx.ml`; rows are the last dimension.

use super::{numbers, precision};
use crate::{
    ImportError,
    function::Function,
    graph::Node,
    tensor::{Data, Element, Tensor},
};

/// Entry `at` of a per-column list that may also hold one value for all.
fn entry(list: &[f64], at: usize, default: f64) -> f64 {
    match list {
        [] => default,
        [one] => *one,
        many => many[at],
    }
}

/// Number of columns; lists with neither one value nor one per column are refused.
fn columns(node: &Node, dims: &[usize], lists: &[&[f64]]) -> Result<usize, ImportError> {
    let columns = dims
        .last()
        .copied()
        .filter(|&columns| columns > 0)
        .ok_or_else(|| node.refuse("its input is empty"))?;
    if lists.iter().any(|list| list.len() > 1 && list.len() != columns) {
        return Err(node.refuse(format!("a list has neither one value nor {columns}, one per column")));
    }
    Ok(columns)
}

/// Gain and offset of each column of a Scaler: `(x - offset)·scale`.
pub fn scaling(node: &Node, dims: &[usize]) -> Result<Vec<(f64, f64)>, ImportError> {
    let (offset, scale) = (node.floats("offset")?, node.floats("scale")?);
    let columns = columns(node, dims, &[offset, scale])?;
    Ok((0..columns).map(|at| (entry(scale, at, 1.0), entry(offset, at, 0.0))).collect())
}

/// Scaler.
pub fn scaler(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let scaling = scaling(node, &x.dims)?;
    let value = |(at, x): (usize, f64)| (x - scaling[at % scaling.len()].1) * scaling[at % scaling.len()].0;
    let values = numbers(node, x)?.into_iter().enumerate().map(value).collect();
    Ok(Tensor::real(x.dims.clone(), Element::F32, values))
}

/// Normalizer; a row that cannot be divided stays as it is.
pub fn normalizer(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let columns = columns(node, &x.dims, &[])?;
    let norm = node.text("norm", "MAX")?;
    let mut values = numbers(node, x)?;
    for row in values.chunks_exact_mut(columns) {
        let divisor = match norm.as_str() {
            "MAX" => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            "L1" => row.iter().map(|value| value.abs()).sum(),
            "L2" => row.iter().map(|value| value * value).sum::<f64>().sqrt(),
            other => return Err(node.refuse(format!("norm {other:?}"))),
        };
        if divisor != 0.0 {
            row.iter_mut().for_each(|value| *value /= divisor);
        }
    }
    Ok(Tensor::real(x.dims.clone(), Element::F32, values))
}

/// A linear model's rows of coefficients, each with its intercept.
pub fn linear(node: &Node, width: usize) -> Result<Vec<(&[f64], f64)>, ImportError> {
    let (coefficients, intercepts) = (node.floats("coefficients")?, node.floats("intercepts")?);
    if width == 0 || coefficients.is_empty() || !coefficients.len().is_multiple_of(width) {
        let count = coefficients.len();
        return Err(node.refuse(format!("{count} coefficients do not make rows of {width} features")));
    }
    let rows = coefficients.chunks_exact(width);
    if !intercepts.is_empty() && intercepts.len() != rows.len() {
        return Err(node.refuse(format!(
            "{} intercepts for {} rows of coefficients",
            intercepts.len(),
            rows.len()
        )));
    }
    Ok(rows.enumerate().map(|(at, row)| (row, intercepts.get(at).copied().unwrap_or(0.0))).collect())
}

/// The class labels of a LinearClassifier, as a vector.
pub fn class_labels(node: &Node) -> Result<Tensor, ImportError> {
    class_labels_of(node, "classlabels_strings", "classlabels_ints")
}

/// The class labels in whichever of two attributes has them, as a vector.
pub fn class_labels_of(node: &Node, texts: &str, integers: &str) -> Result<Tensor, ImportError> {
    let texts = node.texts(texts)?;
    let integers = node.integers(integers)?.unwrap_or_default();
    match (texts.is_empty(), integers.is_empty()) {
        (false, _) => Ok(Tensor::text(vec![texts.len()], texts)),
        (true, false) => Ok(Tensor::whole(vec![integers.len()], integers.to_vec())),
        (true, true) => Err(node.refuse("it has no class labels")),
    }
}

/// Scores of each row.
fn scores(node: &Node, x: &Tensor) -> Result<Vec<Vec<f64>>, ImportError> {
    let width = x.dims.last().copied().unwrap_or(0);
    let rows = linear(node, width)?;
    let score = |x: &[f64], (row, intercept): &(&[f64], f64)| {
        row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>() + intercept
    };
    let of_row = |x: &[f64]| rows.iter().map(|row| score(x, row)).collect();
    Ok(numbers(node, x)?.chunks_exact(width).map(of_row).collect())
}

/// LinearClassifier: label and scores.
pub fn linear_classifier(node: &Node, x: &Tensor) -> Result<Vec<Tensor>, ImportError> {
    let labels = class_labels(node)?;
    let transform = node.text("post_transform", "NONE")?;
    let (mut winners, mut outputs) = (Vec::new(), Vec::new());
    for scores in scores(node, x)? {
        let (best, transformed) = classify(node, &labels, &transform, &scores)?;
        winners.push(best);
        outputs.extend(transformed);
    }
    let rows = winners.len();
    let columns = outputs.len() / rows.max(1);
    Ok(vec![labels.pick(vec![rows], &winners), Tensor::real(vec![rows, columns], Element::F32, outputs)])
}

/// The winning class and the transformed scores of one row.
fn classify(
    node: &Node,
    labels: &Tensor,
    transform: &str,
    scores: &[f64],
) -> Result<(usize, Vec<f64>), ImportError> {
    let logistic = |score: f64| Function::Sigmoid.apply(score);
    if let &[score] = scores {
        if labels.len() != 2 {
            return Err(node.refuse(format!("one row of coefficients for {} classes", labels.len())));
        }
        // ONNX Runtime's rule for one row: the other class gets the complement.
        let outputs = match transform {
            "LOGISTIC" => vec![logistic(-score), logistic(score)],
            _ => vec![1.0 - score, score],
        };
        return Ok((usize::from(score > 0.0), outputs));
    }
    if labels.len() != scores.len() {
        return Err(node.refuse(format!(
            "{} rows of coefficients for {} classes",
            scores.len(),
            labels.len()
        )));
    }
    let best = (0..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best });
    let outputs = match transform {
        "NONE" => scores.to_vec(),
        "LOGISTIC" => scores.iter().map(|&score| logistic(score)).collect(),
        "SOFTMAX" => {
            let exps: Vec<f64> = scores.iter().map(|score| libm::exp(score - scores[best])).collect();
            let total: f64 = exps.iter().sum();
            exps.into_iter().map(|exp| exp / total).collect()
        }
        other => return Err(node.refuse(format!("post_transform {other}"))),
    };
    Ok((best, outputs))
}

/// Imputer: replaces NaN, or one value.
pub fn imputer(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let (filling, replaced) =
        (node.floats("imputed_value_floats")?, node.float("replaced_value_float", 0.0)?);
    let columns = columns(node, &x.dims, &[filling])?;
    let missing = |x: f64| x == replaced || x.is_nan() && replaced.is_nan();
    let value = |(at, x): (usize, f64)| if missing(x) { entry(filling, at % columns, x) } else { x };
    let values = numbers(node, x)?.into_iter().enumerate().map(value).collect();
    Ok(Tensor::real(x.dims.clone(), precision(x.element), values))
}

/// Binarizer.
pub fn binarizer(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let threshold = node.float("threshold", 0.0)?;
    let values = numbers(node, x)?.into_iter().map(|x| f64::from(u8::from(x > threshold))).collect();
    Ok(Tensor::real(x.dims.clone(), precision(x.element), values))
}

/// LabelEncoder: keys and values as lists, or (version 1) class names by position.
pub fn label_encoder(node: &Node, x: &Tensor) -> Result<Tensor, ImportError> {
    let classes = node.texts("classes_strings")?;
    if !classes.is_empty() {
        return by_position(node, x, classes);
    }
    let list = |side: &str| -> Result<Option<Tensor>, ImportError> {
        let texts = node.texts(&format!("{side}_strings"))?;
        let floats = node.floats(&format!("{side}_floats"))?.to_vec();
        let integers = node.integers(&format!("{side}_int64s"))?.map(<[i64]>::to_vec);
        Ok(match (texts.is_empty(), floats.is_empty(), integers) {
            (false, ..) => Some(Tensor::text(vec![texts.len()], texts)),
            (_, false, _) => Some(Tensor::real(vec![floats.len()], Element::F32, floats)),
            (.., Some(integers)) => Some(Tensor::whole(vec![integers.len()], integers)),
            _ => None,
        })
    };
    let (Some(keys), Some(values)) = (list("keys")?, list("values")?) else {
        return Err(node.refuse("its keys and values are not given as lists"));
    };
    if keys.len() != values.len() {
        return Err(node.refuse(format!("{} keys for {} values", keys.len(), values.len())));
    }
    let find = |at: usize| {
        let position = (0..keys.len()).find(|&key| keys.label(key) == x.label(at));
        position.ok_or_else(|| node.refuse(format!("{:?} is none of its keys", x.label(at))))
    };
    let sources = (0..x.len()).map(find).collect::<Result<Vec<_>, _>>()?;
    Ok(values.pick(x.dims.clone(), &sources))
}

fn by_position(node: &Node, x: &Tensor, classes: Vec<String>) -> Result<Tensor, ImportError> {
    match &x.data {
        Data::Whole(positions) => {
            let class = |&at: &i64| usize::try_from(at).ok().and_then(|at| classes.get(at)).cloned();
            let texts: Option<Vec<String>> = positions.iter().map(class).collect();
            let texts = texts.ok_or_else(|| node.refuse("an integer is no position of a class"))?;
            Ok(Tensor::text(x.dims.clone(), texts))
        }
        Data::Text(texts) => {
            let position = |text: &String| classes.iter().position(|class| class == text).map(|at| at as i64);
            let positions: Option<Vec<i64>> = texts.iter().map(position).collect();
            let positions = positions.ok_or_else(|| node.refuse("a text is none of the classes"))?;
            Ok(Tensor::whole(x.dims.clone(), positions))
        }
        Data::Real(_) => Err(node.refuse("floats where labels are needed")),
    }
}
