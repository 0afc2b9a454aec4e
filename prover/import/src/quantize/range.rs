//! What values can reach: on the calibration rows, and at most within the ranges of the dataset's columns.
//!
//! A table must hold every value of every row that is audited later. Two figures are known: the largest value on the
//! calibration rows, and a bound by interval arithmetic from the columns' smallest and largest entries. The table
//! covers the bound where that is at most eight times the calibrated range (at 14 bits and more), and at least the
//! calibrated range times the margin, or the bound if that is less.

use audit::{Dataset, Layer};

use crate::dense::FloatModel;

/// Smallest and largest integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Smallest.
    pub low: i64,
    /// Largest.
    pub high: i64,
}

/// What one layer saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Largest absolute pre-activation of each unit.
    pub reach: Vec<f64>,
    /// Mean of each input.
    means: Vec<f64>,
    /// Mean square of each input.
    squares: Vec<f64>,
}

impl Seen {
    /// Sum over the inputs of the mean square of `(x - centre)/scale`.
    pub fn input_squares(&self, scales: &[f64], centre: f64) -> f64 {
        let moved = self
            .means
            .iter()
            .zip(&self.squares)
            .map(|(mean, square)| (square - 2.0 * centre * mean + centre * centre).max(0.0));
        moved.zip(scales).map(|(square, scale)| square / (scale * scale)).sum()
    }
}

/// What the float model did on the calibration rows.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// Range of each column over all rows of the dataset.
    pub columns: Vec<Interval>,
    /// One entry per layer.
    pub layers: Vec<Seen>,
    /// Pre-activations of the last layer, by calibration row.
    pub scores: Vec<Vec<f64>>,
}

/// `count` row numbers spread evenly over `0..rows`; all of them when there are no more.
pub fn spread(rows: u32, count: u32) -> impl Iterator<Item = u32> + Clone {
    let taken = rows.min(count.max(1));
    (0..taken).map(move |at| (u64::from(at) * u64::from(rows) / u64::from(taken)) as u32)
}

/// Runs the float model on the given rows of the dataset.
pub fn calibrate(float: &FloatModel, dataset: &Dataset, rows: impl Iterator<Item = u32>) -> Calibration {
    let mut columns = vec![Interval { low: i64::MAX, high: i64::MIN }; dataset.schema().columns.len()];
    for row in (0..dataset.rows()).filter_map(|row| dataset.row(row)) {
        for (interval, value) in columns.iter_mut().zip(row.features()) {
            interval.low = interval.low.min(value.into());
            interval.high = interval.high.max(value.into());
        }
    }
    let mut layers: Vec<Seen> = float
        .layers
        .iter()
        .map(|layer| Seen {
            reach: vec![0.0; layer.units],
            means: vec![0.0; layer.inputs],
            squares: vec![0.0; layer.inputs],
        })
        .collect();
    let mut scores = Vec::new();
    for row in rows.filter_map(|row| dataset.row(row)) {
        let mut x: Vec<f64> = row.features().map(f64::from).collect();
        let trace = float.trace(&x);
        for ((seen, layer), z) in layers.iter_mut().zip(&float.layers).zip(&trace) {
            seen.means.iter_mut().zip(&x).for_each(|(sum, x)| *sum += x);
            seen.squares.iter_mut().zip(&x).for_each(|(sum, x)| *sum += x * x);
            seen.reach.iter_mut().zip(z).for_each(|(reach, z)| *reach = reach.max(z.abs()));
            x = z.iter().map(|&z| layer.curve.at(z)).collect();
        }
        scores.extend(trace.into_iter().next_back());
    }
    let count = scores.len().max(1) as f64;
    for seen in &mut layers {
        seen.means.iter_mut().chain(&mut seen.squares).for_each(|sum| *sum /= count);
    }
    Calibration { columns, layers, scores }
}

/// The exact range of a unit's requantized value when the layer's inputs lie in `inputs`.
pub fn requantized(layer: &Layer, unit: usize, inputs: &[Interval]) -> Interval {
    let width = layer.inputs as usize;
    let row = &layer.weights[unit * width..][..width];
    let half = 1_i64 << (layer.shift - 1);
    let start = i64::from(layer.bias[unit]) + half;
    let mut sum = Interval { low: start, high: start };
    for (&weight, input) in row.iter().zip(inputs) {
        let ends = [i64::from(weight) * input.low, i64::from(weight) * input.high];
        sum.low += ends[0].min(ends[1]);
        sum.high += ends[0].max(ends[1]);
    }
    Interval { low: sum.low >> layer.shift, high: sum.high >> layer.shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_evenly() {
        assert_eq!(spread(3, 10).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(spread(10, 3).collect::<Vec<_>>(), [0, 3, 6]);
        assert_eq!(spread(1 << 20, 2).collect::<Vec<_>>(), [0, 1 << 19]);
    }

    #[test]
    fn the_bound_of_a_unit_is_reached_and_not_passed() {
        let layer = Layer {
            inputs: 2,
            units: 1,
            shift: 1,
            activation: audit::Activation::Identity,
            weights: vec![3, -5],
            bias: vec![1],
        };
        let inputs = [Interval { low: -1, high: 2 }, Interval { low: 0, high: 4 }];
        assert_eq!(requantized(&layer, 0, &inputs), Interval { low: (-3 - 20 + 2) >> 1, high: (6 + 2) >> 1 });
    }
}
