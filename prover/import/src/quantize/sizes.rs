//! How far each unit of a layer reaches, and the shift and scales that follow from it.

use audit::model::{MAX_BIAS, MAX_WEIGHT};

use super::{Precision, range::Interval};
use crate::dense::Dense;

/// Sizes that limit the scales of one layer's units, each in float units.
pub struct Sizes {
    /// What `z` should be able to reach.
    reach: Vec<f64>,
    /// What `z` can reach at all within the columns' ranges.
    bound: Vec<f64>,
    /// What `z` reached on the calibration rows, times the margin.
    seen: Vec<f64>,
    /// Largest weight of one integer step of an input.
    weight: Vec<f64>,
    /// Bias.
    bias: Vec<f64>,
    /// Largest absolute `q`, with room for rounding.
    limit: f64,
}

/// How many times the calibrated range is covered where it can be bounded by interval arithmetic at that cost.
const CHEAP: f64 = 8.0;

impl Sizes {
    /// Works out the sizes of a layer.
    pub fn new(
        dense: &Dense,
        scales: &[f64],
        inputs: &[Interval],
        reach: &[f64],
        precision: Precision,
    ) -> Self {
        let rows: Vec<Vec<f64>> = dense
            .weights
            .chunks_exact(dense.inputs)
            .map(|row| row.iter().zip(scales).map(|(weight, scale)| weight * scale).collect())
            .collect();
        let bound = |(row, bias): (&Vec<f64>, &f64)| {
            let ends = |interval: &Interval, weight: &f64| {
                let ends = [weight * interval.low as f64, weight * interval.high as f64];
                (ends[0].min(ends[1]), ends[0].max(ends[1]))
            };
            let sums = inputs.iter().zip(row).map(|(interval, weight)| ends(interval, weight));
            let (low, high) = sums.fold((*bias, *bias), |sum, end| (sum.0 + end.0, sum.1 + end.1));
            low.abs().max(high.abs())
        };
        let bound: Vec<f64> = rows.iter().zip(&dense.bias).map(bound).collect();
        let seen: Vec<f64> = reach.iter().map(|reach| reach * precision.margin).collect();
        let cheap = if precision.bits >= 14 { CHEAP } else { precision.margin };
        let target = |(at, &bound): (usize, &f64)| {
            let allowed = seen[at].max(bound.min(reach[at] * cheap));
            // Rounding of weights can push a bounded value a little further.
            bound.min(allowed) * (1.0 + 1.0 / 256.0)
        };
        Self {
            reach: bound.iter().enumerate().map(target).collect(),
            weight: rows
                .iter()
                .map(|row| row.iter().fold(0.0, |top, weight| weight.abs().max(top)))
                .collect(),
            bias: dense.bias.iter().map(|bias| bias.abs()).collect(),
            limit: f64::from((1 << (precision.bits - 1)) - 2),
            bound,
            seen,
        }
    }

    /// The least scale of unit `at` at shift `w`.
    fn step(&self, at: usize, shift: u8) -> f64 {
        let one = f64::from(1_u32 << shift);
        let by_weight = self.weight[at] * one / f64::from(MAX_WEIGHT);
        let by_bias = self.bias[at] * one / (f64::from(MAX_BIAS) - 65536.0);
        let step = (self.reach[at] / self.limit).max(by_weight).max(by_bias);
        if step > 0.0 { step } else { 1.0 }
    }

    /// Shift and scale of each unit with the least expected error; `squares` is the sum of the inputs' mean squares.
    pub fn shift_and_steps(&self, squares: f64, shared: bool) -> (u8, Vec<f64>) {
        let units = self.reach.len();
        let mut best: Option<(f64, u8, Vec<f64>)> = None;
        for shift in 1..=16 {
            let mut steps: Vec<f64> = (0..units).map(|at| self.step(at, shift)).collect();
            if shared {
                let live = (0..units).filter(|&at| self.reach[at] > 0.0).map(|at| steps[at]);
                let largest = live.fold(0.0, f64::max);
                steps = vec![if largest > 0.0 { largest } else { 1.0 }; units];
            }
            let rounding = 1.0 + squares / f64::from(1_u32 << shift).powi(2);
            let relative =
                |at: usize| if self.reach[at] > 0.0 { (steps[at] / self.reach[at]).powi(2) } else { 0.0 };
            let error = rounding * if shared { steps[0].powi(2) } else { (0..units).map(relative).sum() };
            if best.as_ref().is_none_or(|(least, ..)| error < *least) {
                best = Some((error, shift, steps));
            }
        }
        best.map_or((1, vec![1.0; units]), |(_, shift, steps)| (shift, steps))
    }

    /// Float value of one accumulator unit of a step decision: the finest that 16-bit weights allow, made up to four
    /// times coarser if the accumulator is then bounded within the columns' ranges, and more only as the margin needs.
    pub fn step_unit(&self) -> f64 {
        let limit = self.limit * 65536.0;
        let finest = self.weight[0] / f64::from(MAX_WEIGHT);
        let bounded = self.bound[0] * (1.0 + 1.0 / 256.0) / limit;
        let needed = self.seen[0] / limit;
        let by_bias = self.bias[0] / (f64::from(MAX_BIAS) - 65536.0);
        let unit = finest.max(bounded.min(needed.max(4.0 * finest))).max(by_bias);
        if unit > 0.0 { unit } else { 1.0 }
    }
}
