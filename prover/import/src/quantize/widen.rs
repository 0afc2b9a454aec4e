//! A first layer that multiplies every column by a power of two, so that all of them use the table's width.
//!
//! It costs a weight per pair of columns, so it is used only where a model misses its bound without it. With 16 bits
//! it is exact; with fewer, columns too wide for a table lose their last bits.

use audit::{
    Activation, Layer,
    model::{MAX_PARAMETERS, MAX_UNITS},
};

use super::{LayerReport, Precision, range::Interval};
use crate::ImportError;

/// The layer and what it makes.
pub struct Wide {
    /// The layer.
    pub layer: Layer,
    /// Range of each unit.
    pub outputs: Vec<Interval>,
    /// Encoded units of one integer step of each unit.
    pub scales: Vec<f64>,
    /// For the report.
    pub report: LayerReport,
}

/// Largest exponent of a weight.
const TOP: i32 = 14;

/// Makes the layer for columns with these ranges.
pub fn layer(columns: &[Interval], precision: Precision) -> Result<Wide, ImportError> {
    let count = columns.len();
    let got = (count as u64) * (count as u64 + 1);
    if got > MAX_PARAMETERS || count as u64 > MAX_UNITS.into() {
        return Err(ImportError::Limit { what: "weights", max: MAX_PARAMETERS, got });
    }
    let half = 1_i64 << (precision.bits - 1);
    let largest = |interval: &Interval| interval.low.abs().max(interval.high.abs());
    let exponent = |interval: &Interval| {
        // What no encoded entry can pass needs no margin.
        let reach = (largest(interval) as f64 * precision.margin).min(f64::from(i16::MAX)).max(1.0);
        let mut exponent = TOP - 1;
        while exponent > -15 && reach * libm::exp2(f64::from(exponent)) > (half - 1) as f64 {
            exponent -= 1;
        }
        exponent
    };
    let exponents: Vec<i32> = columns.iter().map(exponent).collect();
    let shift = exponents.iter().map(|exponent| -exponent).max().unwrap_or(0).clamp(1, 15);
    let exponents: Vec<i32> = exponents.into_iter().map(|exponent| exponent.min(TOP - shift)).collect();
    let mut weights = vec![0; count * count];
    for (at, exponent) in exponents.iter().enumerate() {
        weights[at * count + at] = 1_i16 << (exponent + shift);
    }
    let layer = Layer {
        inputs: count as u32,
        units: count as u32,
        shift: shift as u8,
        activation: Activation::Identity,
        weights,
        bias: vec![0; count],
    };
    let gains = exponents.iter().map(|&exponent| libm::exp2(f64::from(exponent)));
    let room = columns.iter().zip(gains.clone()).filter(|(interval, _)| largest(interval) > 0);
    let headroom = room.map(|(interval, gain)| half as f64 / (largest(interval) as f64 * gain));
    let report = LayerReport {
        inputs: layer.inputs,
        units: layer.units,
        activation: "widen columns".to_owned(),
        shift: layer.shift,
        largest_weight: layer.weights.iter().copied().max().unwrap_or(0),
        largest_value: columns.iter().map(|interval| largest(interval) as f64).fold(0.0, f64::max),
        headroom: headroom.fold(f64::from(u16::MAX), f64::min),
        guaranteed: true,
    };
    let outputs = (0..count).map(|at| super::range::requantized(&layer, at, columns)).collect();
    Ok(Wide { outputs, scales: gains.map(f64::recip).collect(), layer, report })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_columns_grow_and_large_ones_stay() {
        let columns = [
            Interval { low: 0, high: 1 },
            Interval { low: -20_000, high: 300 },
            Interval { low: 0, high: 0 },
        ];
        let wide = layer(&columns, Precision { bits: 16, margin: 2.0 }).unwrap();
        assert_eq!(wide.scales[..2], [1.0 / 8192.0, 1.0]);
        assert_eq!(wide.outputs[..2], [Interval { low: 0, high: 8192 }, columns[1]]);
        assert!(wide.report.headroom > 1.0);
    }

    #[test]
    fn wide_columns_shrink_into_few_bits() {
        let columns = [Interval { low: 0, high: 1 }, Interval { low: -20_000, high: 300 }];
        let wide = layer(&columns, Precision { bits: 12, margin: 2.0 }).unwrap();
        assert_eq!(wide.scales[1], 32.0);
        assert!(wide.outputs.iter().all(|interval| interval.low >= -2048 && interval.high < 2048));
    }

    #[test]
    fn too_many_columns_are_refused() {
        let columns = vec![Interval { low: 0, high: 1 }; 2048];
        assert!(layer(&columns, Precision { bits: 16, margin: 2.0 }).is_err());
    }
}
