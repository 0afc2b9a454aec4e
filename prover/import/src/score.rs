//! Which number of the float model's outputs the integer model's scores can be compared with.
//!
//! The integer model has the value of its last layer: the amount by which class 1 wins, or one value per class. Where
//! an output of the graph is a known function of just that (a probability, a margin, a softmax), the integer value is
//! taken through that function and compared with what the runtime returned. Otherwise the last layer's value is
//! compared with that of the folded float model.

use crate::{
    dense::Choice,
    fold::{
        self, Ranked, Reading, Scale, Value,
        cell::Cell,
        decision::{Decision, Rule},
    },
    graph::Graph,
    tensor::Tensor,
};

/// What is compared.
#[derive(Debug)]
pub enum Score {
    /// One element of an output, a function of the decision's row.
    Element {
        /// Position among the graph's outputs.
        output: usize,
        /// Element of the output.
        element: usize,
        /// Factor from the decision value to the cell's row.
        gain: f64,
        /// Added after it.
        offset: f64,
        /// The function of the row.
        cell: Cell,
    },
    /// All classes' scores.
    All {
        /// Position among the graph's outputs.
        output: usize,
        /// How they follow from the last layer's values.
        scale: Scale,
        /// Class of each element.
        classes: Vec<u8>,
    },
    /// The last layer's value in the folded float model.
    Folded,
}

impl Score {
    /// Finds the best score of the graph for a decision whose outcome `i` is class `classes[i]`.
    pub fn find(graph: &Graph, decision: &Decision, classes: &[u8], columns: usize) -> Self {
        for (output, &slot) in graph.outputs.iter().enumerate() {
            let Ok(reading) = fold::read(graph, slot, columns) else { continue };
            if !same_layers(&reading, decision) {
                continue;
            }
            if let Some(score) = link(&reading.value, output, decision, classes) {
                return score;
            }
        }
        Self::Folded
    }

    /// The output it reads.
    pub fn output(&self) -> Option<usize> {
        match self {
            Self::Element { output, .. } | Self::All { output, .. } => Some(*output),
            Self::Folded => None,
        }
    }

    /// What the score is, for the report.
    pub fn unit(&self, class_names: &[String], output_names: &[&str]) -> String {
        match self {
            Self::Element { output, cell, gain, .. } => {
                let (low, high) =
                    cell.whole().map_or((f64::NEG_INFINITY, f64::INFINITY), |curve| curve.range());
                let class = &class_names[usize::from(*gain > 0.0)];
                match low >= 0.0 && high <= 1.0 {
                    true => format!("probability of {class:?}, output {:?}", output_names[*output]),
                    false => format!("score of {class:?}, output {:?}", output_names[*output]),
                }
            }
            Self::All { output, scale: Scale::Softmax, .. } => {
                format!("probability of each class, output {:?}", output_names[*output])
            }
            Self::All { output, scale: Scale::LogSoftmax, .. } => {
                format!("log probability of each class, output {:?}", output_names[*output])
            }
            Self::All { output, .. } => {
                format!("score of each class less their mean, output {:?}", output_names[*output])
            }
            Self::Folded => "decision value of the last layer in double precision".to_owned(),
        }
    }

    /// Absolute differences for one row: `integer` are the integer model's last values in float units, by class, or
    /// the step's; `outputs` are the runtime's outputs, `folded` the folded float model's values.
    pub fn differences(&self, integer: &[f64], outputs: &[Option<&Tensor>], folded: &[f64]) -> Vec<f64> {
        let numbers = |output: usize| outputs.get(output).copied().flatten().and_then(Tensor::numbers);
        match self {
            Self::Element { output, element, gain, offset, cell } => {
                let expected = numbers(*output).and_then(|numbers| numbers.get(*element).copied());
                let got = integer.first().map(|value| cell.at(gain * value + offset));
                expected.zip(got).map(|(expected, got)| (expected - got).abs()).into_iter().collect()
            }
            Self::All { output, scale, classes } => {
                let Some(mut expected) = numbers(*output) else { return vec![] };
                let mut got: Vec<f64> = classes.iter().map(|&class| integer[usize::from(class)]).collect();
                match scale {
                    Scale::Softmax | Scale::LogSoftmax => softmax(&mut got, *scale == Scale::LogSoftmax),
                    Scale::Exact | Scale::Order => {
                        centre(&mut expected);
                        centre(&mut got);
                    }
                }
                expected.iter().zip(&got).map(|(expected, got)| (expected - got).abs()).collect()
            }
            Self::Folded => {
                integer.iter().zip(folded).map(|(integer, folded)| (integer - folded).abs()).collect()
            }
        }
    }
}

fn centre(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter_mut().for_each(|value| *value -= mean);
}

fn softmax(values: &mut [f64], log: bool) {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = values.iter().map(|value| libm::exp(value - top)).sum();
    let share =
        |value: f64| if log { value - top - libm::log(total) } else { libm::exp(value - top) / total };
    values.iter_mut().for_each(|value| *value = share(*value));
}

/// Whether both were read through the same layers, so that their rows mean the same.
fn same_layers(reading: &Reading, decision: &Decision) -> bool {
    let layers = reading.network.layers.iter().zip(&decision.network.layers);
    layers.into_iter().all(|(a, b)| a.curve == b.curve && a.units == b.units)
}

fn link(value: &Value, output: usize, decision: &Decision, classes: &[u8]) -> Option<Score> {
    match (&decision.rule, value) {
        (
            Rule::Step { row, .. },
            Value::Cells { cells, .. } | Value::Ranked(Ranked { cells, scale: Scale::Exact, .. }),
        ) => {
            // The model's value is the row, or its negative where the labels are swapped.
            let sign = if classes.first() == Some(&1) { -1.0 } else { 1.0 };
            let found = cells
                .iter()
                .enumerate()
                .rev()
                .find_map(|(at, cell)| Some((at, cell, row.relate(&cell.row)?)));
            let (element, cell, (gain, offset)) = found?;
            Some(Score::Element { output, element, gain: sign * gain, offset, cell: cell.clone() })
        }
        (Rule::Largest(rows), Value::Ranked(Ranked { cells, scale, .. })) => {
            let same = rows.len() == cells.len()
                && rows
                    .iter()
                    .zip(cells)
                    .all(|(row, cell)| cell.curve.is_none() && row.relate(&cell.row) == Some((1.0, 0.0)));
            (same && *scale != Scale::Order).then(|| Score::All {
                output,
                scale: *scale,
                classes: classes.to_vec(),
            })
        }
        (Rule::Largest(rows), Value::Cells { cells, .. }) => {
            let same = rows.len() == cells.len()
                && rows
                    .iter()
                    .zip(cells)
                    .all(|(row, cell)| cell.curve.is_none() && row.relate(&cell.row) == Some((1.0, 0.0)));
            same.then(|| Score::All { output, scale: Scale::Exact, classes: classes.to_vec() })
        }
        _ => None,
    }
}

/// The float value of the last layer's accumulators.
pub fn values(accumulators: &[i64], carried: i64, unit: f64, choice: Choice) -> Vec<f64> {
    let carried = if matches!(choice, Choice::Step { .. }) { carried } else { 0 };
    accumulators.iter().map(|&sum| (sum - carried) as f64 * unit).collect()
}
