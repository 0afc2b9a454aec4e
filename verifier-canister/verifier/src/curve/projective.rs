//! Points of Vesta, `y² = x³ + 5`, in affine and in extended Jacobian coordinates; the identity is no value of these.

use super::element::Fq;

/// A point with tidy coordinates, or a tidy `y` negated.
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    /// Abscissa.
    pub x: Fq,
    /// Ordinate.
    pub y: Fq,
}

/// `(x/zz, y/zzz)` with `zz³ = zzz²`, all tidy.
#[derive(Debug, Clone, Copy)]
pub struct Extended {
    x: Fq,
    y: Fq,
    zz: Fq,
    zzz: Fq,
}

impl From<&Affine> for Extended {
    fn from(point: &Affine) -> Self {
        Self { x: point.x, y: point.y, zz: Fq::ONE, zzz: Fq::ONE }
    }
}

impl Extended {
    /// Twice the point. No point has order 2.
    pub fn double(&self) -> Self {
        let u = self.y.plus(&self.y).tidy();
        let v = u.square();
        let w = u.times(&v);
        let s = self.x.times(&v);
        let square = self.x.square();
        let m = square.plus(&square).plus(&square).tidy();
        let x = m.square_minus(&s.plus(&s));
        let y = m.times(&s.minus(&x)).minus(&w.times(&self.y)).tidy();
        Self { x, y, zz: v.times(&self.zz), zzz: w.times(&self.zzz) }
    }

    /// The sum with any point; `None` for the identity.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let u = self.x.times(&other.zz);
        let s = self.y.times(&other.zzz);
        let p = other.x.times(&self.zz).minus(&u);
        let r = other.y.times(&self.zzz).minus(&s);
        if p.is_zero() {
            return r.is_zero().then(|| self.double());
        }
        let pp = p.square();
        let ppp = p.times(&pp);
        let q = u.times(&pp);
        let x = r.square_minus(&q.plus(&q)).minus(&ppp).tidy();
        let y = r.times(&q.minus(&x)).minus(&s.times(&ppp)).tidy();
        let (zz, zzz) = (self.zz.times(&other.zz), self.zzz.times(&other.zzz));
        Some(Self { x, y, zz: zz.times(&pp), zzz: zzz.times(&ppp) })
    }

    /// The affine coordinates.
    pub fn to_affine(self) -> Affine {
        let inverse = self.zz.times(&self.zzz).invert();
        let (zz, zzz) = (inverse.times(&self.zzz), inverse.times(&self.zz));
        Affine { x: self.x.times(&zz), y: self.y.times(&zzz) }
    }
}

/// Sum of two points, each of which may be the identity.
pub fn sum(a: Option<Extended>, b: Option<Extended>) -> Option<Extended> {
    match (a, b) {
        (Some(a), Some(b)) => a.plus(&b),
        (a, b) => a.or(b),
    }
}

/// `2^times·point`.
pub fn doubled(point: Option<Extended>, times: u32) -> Option<Extended> {
    point.map(|point| (0..times).fold(point, |point, _| point.double()))
}
