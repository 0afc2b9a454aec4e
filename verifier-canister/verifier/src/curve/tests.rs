//! This crate's arithmetic against `pasta_curves`, and against its own form that checks every bound.

use halo2_proofs::pasta::Fq as Base;

use super::{
    canonical,
    checked::Checked,
    constants::{FIVE, INVERSE_EXPONENT, ODD_PART, ONE, PRIME_WORDS, R2, ROOT_EXPONENT},
    element::{Element, Fq, Fq2, MASK, PRIME},
    lanes::Lanes,
    own, pasta,
};
use crate::{
    Curve, F, Point,
    ff::{Field as _, PrimeField as _},
    group::{Curve as _, CurveAffine as _, Group as _, GroupEncoding as _},
};

fn own(value: Base) -> Fq {
    Fq::from_bytes(&value.to_repr()).unwrap()
}

fn base(value: &Fq) -> Base {
    Base::from_repr(value.bytes()).unwrap()
}

/// Field elements at the edges, and some that look random.
fn values() -> Vec<Base> {
    let two = Base::from(2);
    let r = two.pow([261]);
    let mut values = vec![Base::ZERO, Base::ONE, -Base::ONE, r, -r, r.invert().unwrap(), r.square(), two];
    for exponent in [28, 29, 30, 58, 127, 128, 231, 232, 253, 254] {
        let power = two.pow([exponent]);
        values.extend([power, power - Base::ONE, -power, Base::ONE - power]);
    }
    values.extend((0..40).map(|seed| (Base::from(seed) + r).pow([1_000_003 + seed])));
    values
}

#[test]
fn constants_are_what_they_stand_for() {
    let r = Base::from(2).pow([261]);
    // An element's limbs stand for its value times R.
    assert_eq!(base(&Element(ONE)), Base::ONE);
    assert_eq!(base(&Element(R2)), r);
    assert_eq!(base(&Element(FIVE)), Base::from(5));
    let limb = |at: u32| {
        (-Base::ONE).to_repr()[..]
            .iter()
            .rev()
            .fold(Base::ZERO, |sum, &byte| sum * Base::from(256) + Base::from(u64::from(byte)))
            .pow([u64::from(at)])
    };
    assert_eq!(limb(2), Base::ONE);
    // q = 1 + q1·2^29 + ... is zero in the field; its words are those of -1, plus 1.
    let two = Base::from(2);
    let mut q = Base::ONE + two.pow([254]);
    for (at, limb) in PRIME.into_iter().enumerate() {
        q += Base::from(limb as u64) * two.pow([29 * (at as u64 + 1)]);
    }
    assert_eq!(q, Base::ZERO);
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip((-Base::ONE).to_repr().as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words[0] += 1;
    assert_eq!(words, PRIME_WORDS);
    words[0] = words[0].wrapping_sub(2);
    words[1] -= u64::from(words[0] > PRIME_WORDS[0]);
    assert_eq!(words, INVERSE_EXPONENT);
    let g = Base::from(5).pow(ODD_PART);
    assert_eq!((g.pow([1 << 31]), g.pow([1 << 32])), (-Base::ONE, Base::ONE));
    let twice = Base::from(3).pow(ROOT_EXPONENT).square() * Base::from(3);
    assert_eq!(twice, Base::from(3).pow(ODD_PART));
}

#[test]
fn bytes_are_canonical() {
    for value in values() {
        assert_eq!(base(&own(value)), value);
        assert_eq!(own(value).bytes(), value.to_repr());
    }
    let mut q = (-Base::ONE).to_repr();
    assert!(Fq::from_bytes(&q).is_some());
    q[0] += 1;
    assert!(Fq::from_bytes(&q).is_none(), "the prime itself");
    q[0] -= 1;
    q[31] |= 0x80;
    assert!(Fq::from_bytes(&q).is_none() && Fq::from_bytes(&[0xff; 32]).is_none());
}

fn checked(value: &Fq) -> Element<Checked> {
    Element(value.0)
}

/// All limbs at the ends of what is tidy, as well as values.
fn tidy() -> Vec<Fq> {
    let mut tidy: Vec<Fq> = values().into_iter().map(own).collect();
    let top = (22 << 22) / 10;
    for top in [-top, top] {
        for limb in [0, MASK] {
            let mut limbs = [limb; 9];
            limbs[8] = top;
            tidy.push(Element(limbs));
        }
    }
    tidy
}

fn is_tidy(value: &Fq) -> bool {
    let bound = (22 << 22) / 10;
    value.0[..8].iter().all(|&limb| (0..=MASK).contains(&limb)) && value.0[8].abs() <= bound
}

#[test]
fn products_are_pastas_within_all_bounds() {
    let tidy = tidy();
    let one = Element(ONE);
    for (at, a) in tidy.iter().enumerate() {
        for b in &tidy[at / 2..] {
            let (x, y) = (base(a), base(b));
            let difference = a.minus(b);
            for (value, expected) in [
                (a.times(b), x * y),
                (a.square(), x.square()),
                (difference.square(), (x - y).square()),
                (a.plus(b).times(&difference), x.square() - y.square()),
                (difference.times(&a.negated().minus(b)), y.square() - x.square()),
                (a.times_minus(b, &a.plus(b)), x * y - x - y),
                (a.square_minus(&b.negated()), x.square() + y),
                (difference.square_minus(&a.negated().minus(b)), (x - y).square() + x + y),
                (a.plus(b).tidy(), x + y),
                (a.plus(b).plus(b).tidy(), x + y + y),
                (a.negated().minus(b).tidy(), -x - y),
            ] {
                assert!(is_tidy(&value), "{value:?}");
                assert_eq!(base(&value), expected);
                assert_eq!(value.is_zero(), expected == Base::ZERO);
            }
            assert_eq!(difference.is_zero(), x == y);
            assert_eq!(
                Element(difference.canonical()).times(&one).canonical(),
                difference.times(&one).canonical()
            );
            // The same without a single overflow, and in both lanes of a pair.
            let (ca, cb) = (checked(a), checked(b));
            let cd = ca.minus(&cb);
            assert_eq!(ca.plus(&cb).times(&cd).0, a.plus(b).times(&difference).0);
            assert_eq!(
                ca.negated().minus(&cb).times_minus(&cd, &ca.plus(&cb)).0,
                a.negated().minus(b).times_minus(&difference, &a.plus(b)).0
            );
            assert_eq!(
                cd.square_minus(&ca.negated().minus(&cb)).0,
                difference.square_minus(&a.negated().minus(b)).0
            );
            let pair = Fq2::pair(a, b);
            let swapped = Fq2::pair(b, a);
            let [left, right] = pair.times_minus(&swapped, &pair).parts();
            assert_eq!((left.0, right.0), (a.times_minus(b, a).0, b.times_minus(a, b).0));
            let [left, right] = pair.square().parts();
            assert_eq!((left.0, right.0), (a.square().0, b.square().0));
        }
    }
    let _ = Checked::splat(0);
}

#[test]
fn powers_and_inverses() {
    for value in values() {
        let inverse = own(value).invert();
        assert_eq!(base(&inverse), value.invert().unwrap_or(Base::ZERO));
        for exponent in [[1, 0, 0, 0], [2, 0, 0, 0], [0xf0f0_0005, 7, 0, 0], ODD_PART] {
            assert_eq!(base(&own(value).power(&exponent)), value.pow(exponent));
        }
    }
}

fn points(count: u64) -> Vec<Point> {
    let points: Vec<Curve> = (0..count).map(|i| Curve::generator() * (F::from(i + 3)).pow([77])).collect();
    let mut affine = vec![Point::identity(); points.len()];
    Curve::batch_normalize(&points, &mut affine);
    affine
}

#[test]
fn decompression_accepts_what_pasta_accepts() {
    let mut bytes: Vec<[u8; 32]> = points(40).iter().map(|point| point.to_bytes()).collect();
    bytes.extend(bytes.clone().into_iter().map(|mut bytes| {
        bytes[31] ^= 0x80;
        bytes
    }));
    // About half of all abscissas have no point.
    let mut state = 1_u64;
    for _ in 0..200 {
        bytes.push(std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        }));
    }
    for value in values() {
        let mut value = value.to_repr();
        bytes.push(value);
        value[31] |= 0x80;
        bytes.push(value);
    }
    // The prime, values above it, the identity, and the identity with a sign.
    let mut prime = (-Base::ONE).to_repr();
    prime[0] += 1;
    let mut above = prime;
    above[0] += 5;
    let mut zero = [0; 32];
    zero[31] = 0x80;
    bytes.extend([prime, above, [0xff; 32], [0; 32], zero]);
    for bytes in [&bytes[..], &bytes[1..], &bytes[..1], &[]] {
        let expected = pasta::decompress(bytes);
        assert!(expected.iter().filter(|point| point.is_some()).count() >= expected.len() / 4);
        assert_eq!(own::decompress(bytes), expected);
    }
}

#[test]
fn sums_of_products_are_the_naive_ones() {
    let scalar = |i: u64| (F::from(i) + F::from(12)).pow([1_000_003]);
    let naive = |scalars: &[F], points: &[Point]| {
        let products = scalars.iter().zip(points).map(|(scalar, point)| *point * scalar);
        Point::from(products.sum::<Curve>())
    };
    let check = |scalars: &[F], points: &[Point]| {
        let expected = naive(scalars, points);
        assert_eq!(own::sum_of_products(scalars, points), expected);
        assert_eq!(pasta::sum_of_products(scalars, points), expected);
    };
    let all = points(150);
    let scalars: Vec<F> = (0..150).map(scalar).collect();
    for count in [1, 2, 3, 17, 150] {
        check(&scalars[..count], &all[..count]);
    }
    assert_eq!(own::sum_of_products(&[], &[]), Point::identity());
    // Edges of scalars.
    let edges = [F::ZERO, F::ONE, -F::ONE, F::from(2), -F::from(2), F::from(1 << 15), F::from(2).pow([254])];
    for edge in edges {
        check(&[edge], &all[..1]);
        check(&[edge; 5], &all[..5]);
        check(&[edge; 6], &[all[0]; 6]);
    }
    check(&edges, &all[..edges.len()]);
    // Equal points, opposite points with equal scalars, the identity.
    check(&scalars, &vec![all[7]; 150]);
    let opposite: Vec<Point> = (0..150).map(|i| if i % 2 == 0 { all[3] } else { -all[3] }).collect();
    check(&scalars, &opposite);
    check(&[scalars[0]; 4], &opposite[..4]);
    check(&[scalars[0]; 3], &opposite[..3]);
    check(&scalars[..3], &[all[0], Point::identity(), all[1]]);
    // Multiples of one point, so that sums of sums meet again.
    let multiples: Vec<Point> = (1..100).map(|i| Point::from(Curve::generator() * F::from(i))).collect();
    let small: Vec<F> = (1..100).map(|i| F::from(100 - i)).collect();
    check(&small, &multiples);
}

#[test]
fn a_difference_of_negated_ordinates_is_canonical() {
    let a = own(Base::from(7));
    assert_eq!(a.negated().minus(&a.negated()).canonical(), [0; 9]);
    assert!(!a.negated().minus(&a).is_zero() && a.minus(&a).is_zero());
    let _ = canonical::Q;
}
