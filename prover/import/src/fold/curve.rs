//! A function of one number, built while the graph is read: what stands between a pre-activation and a value.

use std::rc::Rc;

use crate::function::{Function, Trend};

/// Most parts of a curve; more are no activation function.
const MAX_SIZE: u32 = 128;

/// Two values of the same pre-activation joined by an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// `a + b`
    Add,
    /// `a·b`
    Multiply,
    /// `a / b`
    Divide,
    /// `min(a, b)`
    Min,
    /// `max(a, b)`
    Max,
    /// `a^b`
    Power,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Input,
    Constant(f64),
    Apply(Function, Rc<Curve>),
    Join(Join, Rc<Curve>, Rc<Curve>),
    /// The second where the first is not 0, else the third.
    Choose(Rc<Curve>, Rc<Curve>, Rc<Curve>),
}

/// The function, as a tree.
#[derive(Debug, PartialEq)]
pub struct Curve {
    kind: Kind,
    size: u32,
}

impl Curve {
    /// `x`
    pub fn input() -> Rc<Self> {
        Rc::new(Self { kind: Kind::Input, size: 1 })
    }

    /// A constant.
    pub fn constant(value: f64) -> Rc<Self> {
        Rc::new(Self { kind: Kind::Constant(value), size: 1 })
    }

    /// `function(self(x))`; `None` when it grows too large.
    pub fn then(self: &Rc<Self>, function: Function) -> Option<Rc<Self>> {
        match (function, &self.kind) {
            (Function::Affine(gain, offset), _) if gain == 1.0 && offset == 0.0 => Some(self.clone()),
            (
                Function::Affine(gain, offset),
                Kind::Apply(Function::Affine(inner_gain, inner_offset), inner),
            ) => inner.then(Function::Affine(gain * inner_gain, gain * inner_offset + offset)),
            _ => Self::bounded(Kind::Apply(function, self.clone()), self.size),
        }
    }

    /// `join(a(x), b(x))`; `None` when it grows too large.
    pub fn join(join: Join, a: &Rc<Self>, b: &Rc<Self>) -> Option<Rc<Self>> {
        Self::bounded(Kind::Join(join, a.clone(), b.clone()), a.size + b.size)
    }

    /// `a(x)` where the condition is not 0, else `b(x)`; `None` when it grows too large.
    pub fn choose(condition: &Rc<Self>, a: &Rc<Self>, b: &Rc<Self>) -> Option<Rc<Self>> {
        let size = condition.size + a.size + b.size;
        Self::bounded(Kind::Choose(condition.clone(), a.clone(), b.clone()), size)
    }

    /// Whether both are the same function, up to rounding of their constants.
    pub fn is_close(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Input, Kind::Input) => true,
            (Kind::Constant(a), Kind::Constant(b)) => near(*a, *b),
            (Kind::Apply(f, a), Kind::Apply(g, b)) => {
                let same = match (f, g) {
                    (Function::Affine(a, b), Function::Affine(c, d)) => near(*a, *c) && near(*b, *d),
                    _ => f == g,
                };
                same && a.is_close(b)
            }
            (Kind::Join(f, a, b), Kind::Join(g, c, d)) => f == g && a.is_close(c) && b.is_close(d),
            (Kind::Choose(a, b, c), Kind::Choose(d, e, f)) => a.is_close(d) && b.is_close(e) && c.is_close(f),
            _ => false,
        }
    }

    /// `self(gain·x + offset)`; `None` when it grows too large.
    pub fn of_affine(self: &Rc<Self>, gain: f64, offset: f64) -> Option<Rc<Self>> {
        if gain == 1.0 && offset == 0.0 {
            return Some(self.clone());
        }
        match &self.kind {
            Kind::Input => self.then(Function::Affine(gain, offset)),
            Kind::Constant(_) => Some(self.clone()),
            Kind::Apply(function, inner) => inner.of_affine(gain, offset)?.then(*function),
            Kind::Join(join, a, b) => {
                Self::join(*join, &a.of_affine(gain, offset)?, &b.of_affine(gain, offset)?)
            }
            Kind::Choose(condition, a, b) => {
                let [condition, a, b] = [condition, a, b].map(|part| part.of_affine(gain, offset));
                Self::choose(&condition?, &a?, &b?)
            }
        }
    }

    fn bounded(kind: Kind, size: u32) -> Option<Rc<Self>> {
        (size < MAX_SIZE).then(|| Rc::new(Self { kind, size: size + 1 }))
    }

    /// Its value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        match &self.kind {
            Kind::Input => x,
            Kind::Constant(value) => *value,
            Kind::Apply(function, inner) => function.apply(inner.at(x)),
            Kind::Join(join, a, b) => {
                let (a, b) = (a.at(x), b.at(x));
                match join {
                    Join::Add => a + b,
                    Join::Multiply => a * b,
                    Join::Divide => a / b,
                    Join::Min => a.min(b),
                    Join::Max => a.max(b),
                    Join::Power => libm::pow(a, b),
                }
            }
            Kind::Choose(condition, a, b) => if condition.at(x) == 0.0 { b } else { a }.at(x),
        }
    }

    /// Bounds of its values over all numbers.
    pub fn range(&self) -> (f64, f64) {
        const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
        let bounds = match &self.kind {
            Kind::Input => ALL,
            Kind::Constant(value) => (*value, *value),
            Kind::Apply(function, inner) => {
                let (low, high) = inner.range();
                function.range(low, high)
            }
            Kind::Join(join, a, b) => {
                let (a, b) = (a.range(), b.range());
                match join {
                    Join::Add => (a.0 + b.0, a.1 + b.1),
                    Join::Min => (a.0.min(b.0), a.1.min(b.1)),
                    Join::Max => (a.0.max(b.0), a.1.max(b.1)),
                    Join::Multiply if a.0 >= 0.0 && b.0 >= 0.0 => (a.0 * b.0, a.1 * b.1),
                    Join::Divide if a.0 >= 0.0 && b.0 > 0.0 => (a.0 / b.1, a.1 / b.0),
                    _ => ALL,
                }
            }
            Kind::Choose(_, a, b) => {
                let (a, b) = (a.range(), b.range());
                (a.0.min(b.0), a.1.max(b.1))
            }
        };
        if bounds.0.is_nan() || bounds.1.is_nan() { ALL } else { bounds }
    }

    /// How it grows over all numbers; `None` where that is not known.
    pub fn trend(&self) -> Option<Trend> {
        match &self.kind {
            Kind::Input => Some(Trend::Rising { strict: true }),
            Kind::Constant(_) => Some(Trend::Constant),
            Kind::Apply(function, inner) => {
                let (low, high) = inner.range();
                compose(function.trend(low, high)?, inner.trend()?)
            }
            Kind::Join(join, a, b) => {
                let (first, second) = (a.trend()?, b.trend()?);
                let positive = a.range().0 >= 0.0 && b.range().0 >= 0.0;
                match join {
                    Join::Add => both(first, second, true),
                    Join::Min | Join::Max => both(first, second, false),
                    Join::Multiply if positive => both(first, second, false),
                    Join::Divide if positive && b.range().0 > 0.0 => both(first, second.negated(), false),
                    _ => None,
                }
            }
            Kind::Choose(..) => None,
        }
    }

    /// The one function, when it is one function of `x` itself.
    pub fn single(&self) -> Option<Function> {
        match &self.kind {
            Kind::Apply(function, inner) if inner.kind == Kind::Input => Some(*function),
            _ => None,
        }
    }

    /// The degree `d` with `f(c·x) = c^d·f(x)` for every `c > 0`, if one is known.
    pub fn degree(&self) -> Option<f64> {
        match &self.kind {
            Kind::Input => Some(1.0),
            Kind::Apply(function, inner) => Some(function.degree()? * inner.degree()?),
            Kind::Join(Join::Add | Join::Min | Join::Max, a, b) => {
                a.degree().filter(|degree| Some(*degree) == b.degree())
            }
            Kind::Join(Join::Multiply, a, b) => Some(a.degree()? + b.degree()?),
            Kind::Constant(_) | Kind::Join(..) | Kind::Choose(..) => None,
        }
    }

    /// A short name for reports and tables.
    pub fn name(&self) -> String {
        match (&self.kind, self.single()) {
            (Kind::Input, _) => "identity".to_owned(),
            (_, Some(Function::Clip(low, high))) => format!("clip {low} to {high}"),
            (_, Some(Function::LeakyRelu(alpha))) => format!("leaky relu {alpha:.6}"),
            (_, Some(Function::Elu(alpha, gamma))) => format!("elu {alpha:.6} {gamma:.6}"),
            (_, Some(function)) => {
                let text = format!("{function:?}").to_lowercase();
                text.split('(').next().unwrap_or_default().to_owned()
            }
            _ => "composed".to_owned(),
        }
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn compose(outer: Trend, inner: Trend) -> Option<Trend> {
    Some(match (outer, inner) {
        (Trend::Constant, _) | (_, Trend::Constant) => Trend::Constant,
        (Trend::Rising { strict: a }, Trend::Rising { strict: b })
        | (Trend::Falling { strict: a }, Trend::Falling { strict: b }) => Trend::Rising { strict: a && b },
        (Trend::Rising { strict: a }, Trend::Falling { strict: b })
        | (Trend::Falling { strict: a }, Trend::Rising { strict: b }) => Trend::Falling { strict: a && b },
    })
}

/// Trend of a join that grows with either part; `either`: one strict part makes it strict.
fn both(a: Trend, b: Trend, either: bool) -> Option<Trend> {
    let strictness = |a: bool, b: bool| if either { a || b } else { a && b };
    match (a, b) {
        (Trend::Rising { strict: a }, Trend::Rising { strict: b }) => {
            Some(Trend::Rising { strict: strictness(a, b) })
        }
        (Trend::Falling { strict: a }, Trend::Falling { strict: b }) => {
            Some(Trend::Falling { strict: strictness(a, b) })
        }
        (Trend::Rising { .. }, Trend::Falling { .. }) | (Trend::Falling { .. }, Trend::Rising { .. }) => None,
        (Trend::Constant, Trend::Constant) => Some(Trend::Constant),
        (Trend::Constant, Trend::Rising { strict }) | (Trend::Rising { strict }, Trend::Constant) => {
            Some(Trend::Rising { strict: strict && either })
        }
        (Trend::Constant, Trend::Falling { strict }) | (Trend::Falling { strict }, Trend::Constant) => {
            Some(Trend::Falling { strict: strict && either })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sigmoid_made_of_parts_is_known_to_rise_between_0_and_1() {
        let exp = Curve::input().then(Function::Affine(-1.0, 0.0)).unwrap().then(Function::Exp).unwrap();
        let whole = exp.then(Function::Affine(1.0, 1.0)).unwrap().then(Function::Reciprocal).unwrap();
        assert_eq!(whole.trend(), Some(Trend::Rising { strict: true }));
        assert_eq!(whole.range(), (0.0, 1.0));
        assert!((whole.at(0.3) - Function::Sigmoid.apply(0.3)).abs() < 1e-15);
    }

    #[test]
    fn joined_values_keep_their_trend_where_it_is_known() {
        let sigmoid = Curve::input().then(Function::Sigmoid).unwrap();
        let other = sigmoid.then(Function::Affine(-1.0, 1.0)).unwrap();
        let ratio = Curve::join(Join::Divide, &sigmoid, &other).unwrap();
        assert_eq!(ratio.trend(), None, "its divisor can reach 0");
        let difference =
            Curve::join(Join::Add, &sigmoid, &other.then(Function::Affine(-1.0, 0.0)).unwrap()).unwrap();
        assert_eq!(difference.trend(), Some(Trend::Rising { strict: true }));
        assert_eq!(Curve::join(Join::Multiply, &Curve::input(), &sigmoid).unwrap().trend(), None);
    }

    #[test]
    fn endless_growth_is_refused() {
        let mut curve = Curve::input();
        let mut steps = 0;
        while let Some(next) = Curve::join(Join::Multiply, &curve, &curve) {
            curve = next;
            steps += 1;
        }
        assert!(steps < 10);
    }

    #[test]
    fn homogeneity_is_seen_through_parts() {
        let negative = Curve::input().then(Function::Affine(-0.2, 0.0)).unwrap();
        let leaky = Curve::join(Join::Max, &Curve::input(), &negative).unwrap();
        assert_eq!(leaky.degree(), Some(1.0));
        assert_eq!(Curve::join(Join::Multiply, &leaky, &Curve::input()).unwrap().degree(), Some(2.0));
        assert_eq!(Curve::input().then(Function::Clip(0.0, 6.0)).unwrap().degree(), None);
    }
}
