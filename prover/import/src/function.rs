//! The scalar functions of ONNX's elementwise operators, with what is known of their growth and range.
//!
//! `exp`, `log`, `tanh` and the like come from `libm`, so that tables made from them are equal on every machine.

use crate::{ImportError, graph::Node, tensor::Tensor};

/// A function of one number; parameters as in the ONNX standard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// `gain·x + offset`
    Affine(f64, f64),
    /// `x^p`
    Power(f64),
    /// `min(max(x, low), high)`
    Clip(f64, f64),
    /// `max(x, 0)`
    Relu,
    /// `x` above 0, `alpha·x` below
    LeakyRelu(f64),
    /// `x` above alpha, else 0
    ThresholdedRelu(f64),
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// `max(0, min(1, alpha·x + beta))`
    HardSigmoid(f64, f64),
    /// Hyperbolic tangent
    Tanh,
    /// `gamma·x` above 0, `gamma·alpha·(e^x - 1)` below: Elu and Selu
    Elu(f64, f64),
    /// `x` above 0, `alpha·(e^(x/alpha) - 1)` below
    Celu(f64),
    /// `ln(1 + e^x)`
    Softplus,
    /// `x / (1 + |x|)`
    Softsign,
    /// `x·Phi(x)`
    Gelu,
    /// Gelu's approximation by tanh
    GeluTanh,
    /// `x·sigmoid(alpha·x)`
    Swish(f64),
    /// `x·max(0, min(1, x/6 + 1/2))`
    HardSwish,
    /// `x·tanh(softplus(x))`
    Mish,
    /// Error function
    Erf,
    /// `e^x`
    Exp,
    /// Natural logarithm
    Log,
    /// Square root
    Sqrt,
    /// `|x|`
    Abs,
    /// `1/x`
    Reciprocal,
    /// Nearest integer, halves to even
    Round,
    /// Next integer towards 0
    Truncate,
    /// Next integer below
    Floor,
    /// Next integer above
    Ceil,
    /// -1, 0 or 1
    Sign,
    /// 1 above 0, else 0
    Above,
    /// 0 below 0, else 1
    NotBelow,
}

/// How a function grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It never falls; `strict`: it always rises.
    Rising {
        /// Different arguments have different values.
        strict: bool,
    },
    /// It never rises.
    Falling {
        /// Different arguments have different values.
        strict: bool,
    },
    /// It has one value.
    Constant,
}

impl Trend {
    /// The trend of `-f`.
    pub fn negated(self) -> Self {
        match self {
            Self::Rising { strict } => Self::Falling { strict },
            Self::Falling { strict } => Self::Rising { strict },
            Self::Constant => Self::Constant,
        }
    }
}

use Function::*;

impl Function {
    /// The function of a unary operator, `None` for any other operator; `parameters[i]` is input `i` where constant.
    pub fn of(node: &Node, parameters: &[Option<&Tensor>]) -> Result<Option<Self>, ImportError> {
        if !node.domain.is_empty() {
            return Ok(None);
        }
        let alpha = |default| node.float("alpha", default);
        Ok(Some(match node.operator.as_str() {
            "Relu" => Relu,
            "LeakyRelu" => LeakyRelu(alpha(0.01)?),
            "ThresholdedRelu" => ThresholdedRelu(alpha(1.0)?),
            "Sigmoid" => Sigmoid,
            "HardSigmoid" => HardSigmoid(alpha(0.2)?, node.float("beta", 0.5)?),
            "Tanh" => Tanh,
            "Elu" => Elu(alpha(1.0)?, 1.0),
            "Selu" => Elu(alpha(1.673_263_192_176_818_8)?, node.float("gamma", 1.050_701_022_148_132_3)?),
            "Celu" => Celu(alpha(1.0)?),
            "Softplus" => Softplus,
            "Softsign" => Softsign,
            "Gelu" => match node.text("approximate", "none")?.as_str() {
                "none" => Gelu,
                "tanh" => GeluTanh,
                other => return Err(node.refuse(format!("approximation {other:?}"))),
            },
            "Swish" => Swish(alpha(1.0)?),
            "HardSwish" => HardSwish,
            "Mish" => Mish,
            "Erf" => Erf,
            "Exp" => Exp,
            "Log" => Log,
            "Sqrt" => Sqrt,
            "Abs" => Abs,
            "Neg" => Affine(-1.0, 0.0),
            "Reciprocal" => Reciprocal,
            "Round" => Round,
            "Floor" => Floor,
            "Ceil" => Ceil,
            "Sign" => Sign,
            "Clip" => clip(node, parameters)?,
            _ => return Ok(None),
        }))
    }

    /// The function's value.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Affine(gain, offset) => {
                if gain == 0.0 {
                    offset
                } else {
                    gain * x + offset
                }
            }
            Power(exponent) => libm::pow(x, exponent),
            Clip(low, high) => x.max(low).min(high),
            Relu => x.max(0.0),
            LeakyRelu(alpha) => {
                if x < 0.0 {
                    alpha * x
                } else {
                    x
                }
            }
            ThresholdedRelu(alpha) => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
            Sigmoid => sigmoid(x),
            HardSigmoid(alpha, beta) => Affine(alpha, beta).apply(x).clamp(0.0, 1.0),
            Tanh => libm::tanh(x),
            Elu(alpha, gamma) => {
                if x < 0.0 {
                    gamma * alpha * libm::expm1(x)
                } else {
                    gamma * x
                }
            }
            Celu(alpha) => {
                if x < 0.0 {
                    alpha * libm::expm1(x / alpha)
                } else {
                    x
                }
            }
            Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Softsign => {
                if x.is_infinite() {
                    x.signum()
                } else {
                    x / (1.0 + x.abs())
                }
            }
            Gelu => x * 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            GeluTanh => x * 0.5 * (1.0 + libm::tanh(0.797_884_560_802_865_4 * (x + 0.044715 * x * x * x))),
            Swish(alpha) => x * sigmoid(alpha * x),
            HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Mish => x * libm::tanh(Softplus.apply(x)),
            Erf => libm::erf(x),
            Exp => libm::exp(x),
            Log => libm::log(x),
            Sqrt => x.sqrt(),
            Abs => x.abs(),
            Reciprocal => 1.0 / x,
            Round => x.round_ties_even(),
            Truncate => x.trunc(),
            Floor => x.floor(),
            Ceil => x.ceil(),
            Above => f64::from(u8::from(x > 0.0)),
            NotBelow => f64::from(u8::from(x >= 0.0)),
            Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
        }
    }

    /// How it grows on `[low, high]`; `None` where it does both, or where that is not known.
    pub fn trend(self, low: f64, high: f64) -> Option<Trend> {
        let rising = |strict| Some(Trend::Rising { strict });
        let falling = |strict| Some(Trend::Falling { strict });
        match self {
            Affine(0.0, _) => Some(Trend::Constant),
            Affine(gain, _) => {
                if gain > 0.0 {
                    rising(true)
                } else {
                    falling(true)
                }
            }
            Sigmoid | Tanh | Softplus | Softsign | Erf | Exp => rising(true),
            Log | Sqrt if low >= 0.0 => rising(true),
            LeakyRelu(alpha) if alpha >= 0.0 => rising(alpha > 0.0),
            Elu(alpha, gamma) if alpha >= 0.0 && gamma > 0.0 => rising(alpha > 0.0),
            Celu(alpha) if alpha > 0.0 => rising(true),
            HardSigmoid(alpha, _) if alpha >= 0.0 => rising(false),
            ThresholdedRelu(alpha) if alpha >= 0.0 => rising(false),
            Relu | Clip(..) | Round | Truncate | Floor | Ceil | Sign | Above | NotBelow => rising(false),
            Power(exponent) if low >= 0.0 && exponent > 0.0 => rising(true),
            Power(exponent) if low > 0.0 && exponent < 0.0 => falling(true),
            Power(exponent) if exponent > 0.0 && exponent % 2.0 == 1.0 => rising(true),
            Abs if low >= 0.0 => rising(true),
            Abs if high <= 0.0 => falling(true),
            Reciprocal if low > 0.0 || high < 0.0 => falling(true),
            _ => None,
        }
    }

    /// Bounds of its values on `[low, high]`; infinite where none are known.
    pub fn range(self, low: f64, high: f64) -> (f64, f64) {
        let bounds = match (self.trend(low, high), self) {
            (Some(Trend::Rising { .. } | Trend::Constant), _) => (self.apply(low), self.apply(high)),
            (Some(Trend::Falling { .. }), _) => (self.apply(high), self.apply(low)),
            (None, Abs) => (0.0, low.abs().max(high.abs())),
            (None, Power(exponent)) if exponent % 2.0 == 0.0 && exponent > 0.0 => (0.0, f64::INFINITY),
            (None, Gelu | GeluTanh | HardSwish | Mish) => (-0.4, high.max(0.0)),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        if bounds.0.is_nan() || bounds.1.is_nan() { (f64::NEG_INFINITY, f64::INFINITY) } else { bounds }
    }

    /// The degree `d` with `f(c·x) = c^d·f(x)` for every `c > 0`, if there is one.
    pub fn degree(self) -> Option<f64> {
        match self {
            Affine(_, offset) => (offset == 0.0).then_some(1.0),
            Relu | LeakyRelu(_) | Abs => Some(1.0),
            Clip(low, high) => {
                [low, high].iter().all(|bound| *bound == 0.0 || bound.is_infinite()).then_some(1.0)
            }
            Power(exponent) => (exponent > 0.0 && exponent <= 4.0).then_some(exponent),
            Sqrt => Some(0.5),
            _ => None,
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// Clip's bounds: attributes up to operator set 10, optional inputs after.
fn clip(node: &Node, parameters: &[Option<&Tensor>]) -> Result<Function, ImportError> {
    let mut bounds = [f64::NEG_INFINITY, f64::INFINITY];
    if node.opset < 11 {
        // The defaults of older sets are the largest finite numbers.
        bounds = [node.float("min", bounds[0])?, node.float("max", bounds[1])?];
    }
    for (position, bound) in bounds.iter_mut().enumerate() {
        if node.opset < 11 || node.inputs.get(position + 1).copied().flatten().is_none() {
            continue;
        }
        let tensor = parameters.get(position + 1).copied().flatten();
        let values = tensor.and_then(Tensor::numbers).filter(|values| values.len() == 1);
        *bound = *values
            .as_deref()
            .and_then(<[f64]>::first)
            .ok_or_else(|| node.refuse("a bound is no constant number"))?;
    }
    if bounds.iter().any(|bound| bound.is_nan()) {
        return Err(node.refuse("a bound is not a number"));
    }
    Ok(Clip(bounds[0], bounds[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Function; 34] = [
        Affine(2.0, 1.0),
        Affine(-2.0, 1.0),
        Power(3.0),
        Power(2.0),
        Power(0.5),
        Clip(-1.0, 6.0),
        Relu,
        LeakyRelu(0.1),
        LeakyRelu(-0.1),
        ThresholdedRelu(1.0),
        Sigmoid,
        HardSigmoid(0.2, 0.5),
        Tanh,
        Elu(1.0, 1.0),
        Celu(0.5),
        Softplus,
        Softsign,
        Gelu,
        GeluTanh,
        Swish(1.0),
        HardSwish,
        Mish,
        Erf,
        Exp,
        Log,
        Sqrt,
        Abs,
        Reciprocal,
        Round,
        Truncate,
        Floor,
        Sign,
        Above,
        NotBelow,
    ];

    /// Trends, ranges and homogeneity are claims about `apply`: check them on a grid.
    #[test]
    fn trends_ranges_and_homogeneity_hold() {
        for function in ALL {
            for (low, high) in [(-9.0, 9.0), (0.0, 9.0), (0.5, 9.0), (-9.0, -0.5)] {
                let grid: Vec<f64> = (0..=400).map(|i| low + (high - low) * f64::from(i) / 400.0).collect();
                let values: Vec<f64> = grid.iter().map(|&x| function.apply(x)).collect();
                let (min, max) = function.range(low, high);
                let inside = values.iter().all(|&value| value.is_nan() || (min <= value && value <= max));
                assert!(inside, "{function:?} on [{low}, {high}] leaves [{min}, {max}]");
                let holds = match function.trend(low, high) {
                    Some(Trend::Rising { .. }) => values.windows(2).all(|pair| pair[0] <= pair[1]),
                    Some(Trend::Falling { .. }) => values.windows(2).all(|pair| pair[0] >= pair[1]),
                    Some(Trend::Constant) => values.windows(2).all(|pair| pair[0] == pair[1]),
                    None => true,
                };
                assert!(holds, "{function:?} on [{low}, {high}]");
                let Some(degree) = function.degree() else { continue };
                let near = |a: f64, b: f64| (a - b).abs() < 1e-9 || a.is_nan() && b.is_nan();
                let scales = |&x: &f64| near(function.apply(4.0 * x), 4_f64.powf(degree) * function.apply(x));
                assert!(grid.iter().all(scales), "{function:?}");
            }
        }
    }

    #[test]
    fn known_values() {
        for (function, x, expected) in [
            (Sigmoid, 0.0, 0.5),
            (Elu(1.0, 1.0), -1.0, -0.632_120_558_828_557_7),
            (Elu(1.673_263_192_176_818_8, 1.050_701_022_148_132_3), 2.0, 2.101_402_044_296_264_6),
            (HardSigmoid(0.2, 0.5), 1.0, 0.7),
            (Softplus, 0.0, std::f64::consts::LN_2),
            (Gelu, 1.0, 0.841_344_746_068_542_9),
            (HardSwish, 1.0, 2.0 / 3.0),
            (Round, 2.5, 2.0),
            (Celu(2.0), -2.0, -1.264_241_117_657_115_4),
        ] {
            assert!((function.apply(x) - expected).abs() < 1e-12, "{function:?}");
        }
    }
}
