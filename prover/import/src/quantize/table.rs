//! Lookup tables of activation functions.

use audit::Table;

use crate::{ImportError, fold::curve::Curve};

/// The table of `curve` over `q·step`, and the float value of one of its units.
pub fn build(curve: &Curve, step: f64, bits: u8, layer: usize) -> Result<(Table, f64), ImportError> {
    let half = 1_i64 << (bits - 1);
    let exact: Vec<f64> = (-half..half).map(|q| curve.at(q as f64 * step)).collect();
    if exact.iter().any(|value| !value.is_finite()) {
        let place =
            format!("the activation function of layer {} ({}), within its table,", layer + 1, curve.name());
        return Err(ImportError::NonFinite { place });
    }
    let largest = exact.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let unit = if largest > 0.0 { largest / (half - 1) as f64 } else { 1.0 };
    let values = exact.iter().map(|value| (value / unit).round() as i16).collect();
    Ok((Table { name: curve.name(), values }, unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::Function;

    #[test]
    fn a_sigmoid_fills_the_table() {
        let curve = Curve::input().then(Function::Sigmoid).unwrap();
        let (table, unit) = build(&curve, 0.01, 12, 0).unwrap();
        assert_eq!((table.values.len(), table.name.as_str()), (4096, "sigmoid"));
        assert_eq!(table.values[2048], (0.5 / unit).round() as i16);
        assert!(table.values.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(table.values[4095], 2047);
    }

    #[test]
    fn a_function_that_is_undefined_in_its_table_is_refused() {
        let curve = Curve::input().then(Function::Log).unwrap();
        assert!(matches!(build(&curve, 1.0, 8, 2), Err(ImportError::NonFinite { .. })));
    }

    #[test]
    fn a_flat_function_is_a_table_of_zeros() {
        let curve = Curve::input().then(Function::Affine(0.0, 0.0)).unwrap();
        assert!(build(&curve, 1.0, 8, 0).unwrap().0.values.iter().all(|&value| value == 0));
    }
}
