//! Lookup tables of activation functions.

use audit::Table;

use crate::{ImportError, fold::curve::Curve};

/// A table, and what its values mean: `centre + unit·value`.
pub struct Tabulated {
    /// The table.
    pub table: Table,
    /// Float value of one unit.
    pub unit: f64,
    /// Float value of 0.
    pub centre: f64,
}

/// The table of `curve` over `q·step`. `centred` moves 0 to the middle of the function's values, so that they fill
/// the table whatever their offset; smallest and largest value stay exact.
pub fn build(
    curve: &Curve,
    step: f64,
    bits: u8,
    layer: usize,
    centred: bool,
) -> Result<Tabulated, ImportError> {
    let half = 1_i64 << (bits - 1);
    let exact: Vec<f64> = (-half..half).map(|q| curve.at(q as f64 * step)).collect();
    if exact.iter().any(|value| !value.is_finite()) {
        let place =
            format!("the activation function of layer {} ({}), within its table,", layer + 1, curve.name());
        return Err(ImportError::NonFinite { place });
    }
    let (low, high) = exact
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (value.min(low), value.max(high)));
    let centre = if centred { low + (high - low) / 2.0 } else { 0.0 };
    let largest = (high - centre).abs().max((low - centre).abs());
    let unit = if largest > 0.0 { largest / (half - 1) as f64 } else { 1.0 };
    let values = exact.iter().map(|value| ((value - centre) / unit).round() as i16).collect();
    Ok(Tabulated { table: Table { name: curve.name(), values }, unit, centre })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::Function;

    #[test]
    fn a_sigmoid_fills_the_table() {
        let curve = Curve::input().then(Function::Sigmoid).unwrap();
        let found = build(&curve, 0.01, 12, 0, true).unwrap();
        let values = &found.table.values;
        assert_eq!((values.len(), found.table.name.as_str()), (4096, "sigmoid"));
        assert!((found.centre - 0.5).abs() < 1e-6);
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!((values[0], values[2048], values[4095]), (-2047, 0, 2047));
    }

    #[test]
    fn a_small_piece_of_a_function_fills_the_table_too() {
        let curve = Curve::input().then(Function::Softplus).unwrap();
        let found = build(&curve, 1e-6, 12, 0, true).unwrap();
        assert!(found.unit < 1e-6, "softplus is near 0.69 all over this table");
    }

    #[test]
    fn a_function_that_is_undefined_in_its_table_is_refused() {
        let curve = Curve::input().then(Function::Log).unwrap();
        assert!(matches!(build(&curve, 1.0, 8, 2, true), Err(ImportError::NonFinite { .. })));
    }

    #[test]
    fn a_flat_function_is_a_table_of_zeros() {
        let curve = Curve::input().then(Function::Affine(0.0, 0.0)).unwrap();
        assert!(build(&curve, 1.0, 8, 0, true).unwrap().table.values.iter().all(|&value| value == 0));
    }
}
