//! Square roots. `q - 1 = 2^32·t` with odd `t`, so `u^t` is some `g^e` with `g` of order `2^32`: `u` is a square if
//! `e` is even, with the root `u^((t+1)/2)·g^(-e/2)`. `e` is found eight bits at a time in a table.

use std::sync::LazyLock;

use super::{
    constants::{FIVE, ODD_PART, ROOT_EXPONENT},
    element::{Element, Fq, Fq2},
};

/// Bits of a digit of the logarithm.
const DIGIT: u32 = 8;

/// Powers of `g`, the generator 5 to the power `t`.
struct Powers {
    /// `g^(-i·2^(8k))` for the digit `k` and all `i` below `2^8`.
    inverse: [Vec<Fq>; 4],
    /// Lowest limb of the canonical form of `g^(i·2^24)`, and `i`, sorted. All 256 limbs are different.
    logarithms: Vec<(i32, u8)>,
}

static POWERS: LazyLock<Powers> = LazyLock::new(|| {
    let root = Element(FIVE).power(&ODD_PART);
    let mut base = root.invert();
    let row = |base: &Fq| -> Vec<Fq> {
        std::iter::successors(Some(Fq::ONE), |power| Some(power.times(base))).take(1 << DIGIT).collect()
    };
    let inverse = std::array::from_fn(|_| {
        let powers = row(&base);
        base = squared(&base, DIGIT);
        powers
    });
    let top = squared(&root, 3 * DIGIT);
    let mut logarithms: Vec<_> =
        row(&top).iter().zip(0..=u8::MAX).map(|(power, i)| (key(power), i)).collect();
    logarithms.sort_unstable();
    Powers { inverse, logarithms }
});

fn squared<L: super::lanes::Lanes>(value: &Element<L>, times: u32) -> Element<L> {
    let mut power = *value;
    power.square_times(times);
    power
}

fn key(value: &Fq) -> i32 {
    let [lowest, ..] = value.canonical();
    lowest
}

impl Powers {
    /// `g^(-digit·2^(8k))` in each lane.
    fn inverse(&self, k: usize, [a, b]: [u8; 2]) -> Fq2 {
        let power = |digit: u8| self.inverse.get(k).and_then(|row| row.get(usize::from(digit)));
        let [a, b] = [a, b].map(|digit| power(digit).copied().unwrap_or(Fq::ONE));
        Fq2::pair(&a, &b)
    }

    /// The digits `i` of `g^(i·2^24)`. Anything else, which is zero alone, has none.
    fn digits(&self, powers: &Fq2) -> [Option<u8>; 2] {
        powers.parts().map(|power| {
            let place = self.logarithms.binary_search_by_key(&key(&power), |&(key, _)| key).ok()?;
            self.logarithms.get(place).map(|&(_, digit)| digit)
        })
    }
}

/// A square root of each that has one and is not zero. No `x` makes `x³ + 5` zero: Vesta's order is odd.
pub fn square_roots(values: &Fq2) -> [Option<Fq>; 2] {
    let half = values.power(&ROOT_EXPONENT);
    let root = values.times(&half);
    let rest = root.times(&half);
    // The powers g^(e·2^(8(3-k))), of which digits 0 to k-1 are divided away.
    let eighth = squared(&rest, DIGIT);
    let sixteenth = squared(&eighth, DIGIT);
    let last = squared(&sixteenth, DIGIT);
    let powers = &*POWERS;
    let known = |digits: [Option<u8>; 2]| digits.map(Option::unwrap_or_default);

    let first = powers.digits(&last);
    let d0 = known(first);
    let d1 = known(powers.digits(&sixteenth.times(&powers.inverse(2, d0))));
    let d2 = known(powers.digits(&eighth.times(&powers.inverse(1, d0)).times(&powers.inverse(2, d1))));
    let without =
        rest.times(&powers.inverse(0, d0)).times(&powers.inverse(1, d1)).times(&powers.inverse(2, d2));
    let d3 = known(powers.digits(&without));

    let exponents: [u32; 2] = {
        let [[a0, b0], [a1, b1], [a2, b2], [a3, b3]] = [d0, d1, d2, d3];
        [u32::from_le_bytes([a0, a1, a2, a3]), u32::from_le_bytes([b0, b1, b2, b3])]
    };
    let [a, b] = exponents.map(|exponent| (exponent >> 1).to_le_bytes());
    let mut roots = root;
    for (k, (a, b)) in a.into_iter().zip(b).enumerate() {
        roots.multiply(&powers.inverse(k, [a, b]));
    }
    let [a, b] = roots.parts();
    let found = |root, first: Option<u8>| first.filter(|digit| digit & 1 == 0).map(|_| root);
    let [first_a, first_b] = first;
    [found(a, first_a), found(b, first_b)]
}
