//! Operators of `ai.onnx.ml` on cells.

use std::rc::Rc;

use super::{
    Call, Chooser, Class, Ranked, Reader, Scale, Value,
    arithmetic::{cells_of, then},
    cell::{Cell, Row},
    choice::two_class,
};
use crate::{
    ImportError,
    float::ml,
    function::Function,
    tensor::{Element, Tensor},
};

impl Reader {
    pub(super) fn ml(&mut self, call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
        let node = call.node;
        match node.operator.as_str() {
            "Scaler" => {
                let (dims, cells) = call.cells(0)?;
                let scaling = ml::scaling(node, dims)?;
                let scale = |(at, cell): (usize, &Cell)| {
                    let (gain, offset) = scaling[at % scaling.len()];
                    cell.affine(gain, -offset * gain)
                };
                Ok(vec![cells_of(dims.to_vec(), cells.iter().enumerate().map(scale).collect())])
            }
            "Normalizer" => Ok(vec![normalizer(call)?]),
            "LinearClassifier" => self.linear_classifier(call),
            "ZipMap" => Ok(vec![zip_map(call)?]),
            "Imputer" => {
                let (dims, cells) = call.cells(0)?;
                // Encoded features are never missing, so filling in for NaN changes nothing.
                if !node.float("replaced_value_float", 0.0)?.is_nan() {
                    return Err(
                        node.refuse("it replaces a number; only missing values (NaN) may be replaced")
                    );
                }
                Ok(vec![cells_of(dims.to_vec(), cells)])
            }
            "Binarizer" => {
                let (dims, cells) = call.cells(0)?;
                let [cell] = cells.as_slice() else {
                    return Err(node
                        .refuse(format!("it compares {} values; only one can be a decision", cells.len())));
                };
                let threshold = node.float("threshold", 0.0)?;
                let chooser = Rc::new(Chooser::Above { cell: cell.clone(), threshold, inclusive: false });
                let outcomes = [0.0, 1.0].map(|value| Tensor::real(dims.to_vec(), Element::F32, vec![value]));
                Ok(vec![Value::Class(Class { chooser, outcomes: outcomes.to_vec() })])
            }
            _ => Err(node.refuse("it is supported only on chosen classes, not on these numbers")),
        }
    }

    fn scores(&mut self, call: &Call<'_>) -> Result<Vec<Cell>, ImportError> {
        let (dims, cells) = call.cells(0)?;
        let width = dims.last().copied().unwrap_or(0);
        if cells.len() != width {
            return Err(call.node.refuse(format!("its input has shape {dims:?}, more than one row")));
        }
        let inputs = self.network.settle_all(call.node, &cells)?;
        let score = |(coefficients, intercept): (&[f64], f64)| {
            let sum = Row::sum(coefficients.iter().copied().zip(inputs.iter().map(Rc::as_ref)));
            Cell::of_row(sum.affine(1.0, intercept))
        };
        Ok(ml::linear(call.node, width)?.into_iter().map(score).collect())
    }

    fn linear_classifier(&mut self, call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
        let node = call.node;
        let labels = ml::class_labels(node)?;
        let scores = self.scores(call)?;
        let transform = node.text("post_transform", "NONE")?;
        let one_row = scores.len() == 1;
        if labels.len() != if one_row { 2 } else { scores.len() } {
            return Err(node.refuse(format!(
                "{} rows of coefficients for {} classes",
                scores.len(),
                labels.len()
            )));
        }
        let chooser = match scores.as_slice() {
            [cell] => Chooser::Above { cell: cell.clone(), threshold: 0.0, inclusive: false },
            _ => Chooser::Largest(scores.clone()),
        };
        let outcomes = (0..labels.len()).map(|at| labels.pick(vec![1], &[at])).collect();
        let label = Value::Class(Class { chooser: Rc::new(chooser), outcomes });
        let sigmoid = |cell: &Cell| then(call, cell, Function::Sigmoid);
        let dims = vec![1, labels.len()];
        let probabilities = match (transform.as_str(), scores.as_slice()) {
            ("LOGISTIC", [score]) => {
                cells_of(dims, vec![sigmoid(&score.affine(-1.0, 0.0))?, sigmoid(score)?])
            }
            ("LOGISTIC", _) => cells_of(dims, scores.iter().map(sigmoid).collect::<Result<_, _>>()?),
            (_, [score]) => cells_of(dims, vec![score.affine(-1.0, 1.0), score.clone()]),
            ("NONE", _) => cells_of(dims, scores),
            ("SOFTMAX", [a, b]) => {
                let difference = self.network.sum(node, &[(1.0, b.clone()), (-1.0, a.clone())])?;
                let reverse = difference.affine(-1.0, 0.0);
                cells_of(dims, vec![two_class(call, &reverse, false)?, two_class(call, &difference, false)?])
            }
            ("SOFTMAX", _) => {
                let misuse = call.misuse();
                Value::Ranked(Ranked {
                    dims,
                    cells: scores,
                    scale: Scale::Softmax,
                    labels: Some(labels),
                    misuse,
                })
            }
            (other, _) => Value::Refused(node.refuse(format!("scores with post_transform {other}"))),
        };
        Ok(vec![label, probabilities])
    }
}

/// Division by a positive norm keeps the order of scores; probabilities that add up to 1 stay as they are.
fn normalizer(call: &Call<'_>) -> Result<Value, ImportError> {
    let norm = call.node.text("norm", "MAX")?;
    if let Value::Ranked(ranked) = call.input(0)? {
        let scale =
            if norm == "L1" && ranked.scale == Scale::Softmax { Scale::Softmax } else { Scale::Order };
        if norm == "MAX" && ranked.scale != Scale::Softmax {
            return Err(call.node.refuse("norm MAX of scores that may be negative"));
        }
        return Ok(Value::Ranked(Ranked { scale, ..ranked.clone() }));
    }
    let (dims, cells) = call.cells(0)?;
    let bounds = |cell: &Cell| cell.whole().map_or(f64::NEG_INFINITY, |curve| curve.range().0);
    let positive = cells.iter().all(|cell| bounds(cell) >= 0.0);
    if let ("L1", true, [a, b]) = (norm.as_str(), positive, cells.as_slice())
        && complementary(a, b)
    {
        return Ok(cells_of(dims.to_vec(), cells));
    }
    let scores = cells.iter().all(|cell| cell.curve.is_some()) && positive;
    if cells.len() < 2 || dims.last() != Some(&cells.len()) || !scores {
        return Err(call.node.refuse(
            "dividing features or layers by their norm is no affine step; it is exact only after probabilities",
        ));
    }
    let misuse = call.misuse();
    Ok(Value::Ranked(Ranked { dims: dims.to_vec(), cells, scale: Scale::Order, labels: None, misuse }))
}

/// Whether two probabilities add up to 1, as `sigmoid(x)` and `sigmoid(-x)` do.
fn complementary(a: &Cell, b: &Cell) -> bool {
    let plain = |cell: &Cell| cell.whole().and_then(|curve| curve.single()) == Some(Function::Sigmoid);
    plain(a) && plain(b) && a.row.relate(&b.row) == Some((-1.0, 0.0))
}

fn zip_map(call: &Call<'_>) -> Result<Value, ImportError> {
    let labels = ml::class_labels_of(call.node, "classlabels_strings", "classlabels_int64s")?;
    let ranked = match call.input(0)? {
        Value::Ranked(ranked) => ranked.clone(),
        _ => {
            let (dims, cells) = call.cells(0)?;
            Ranked { dims: dims.to_vec(), cells, scale: Scale::Exact, labels: None, misuse: call.misuse() }
        }
    };
    if labels.len() != ranked.cells.len() {
        let (labels, scores) = (labels.len(), ranked.cells.len());
        return Err(call.node.refuse(format!("{labels} labels for {scores} scores")));
    }
    Ok(Value::Ranked(Ranked { labels: Some(labels), ..ranked }))
}
