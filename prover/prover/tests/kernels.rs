//! Fast kernels equal the reference.

mod common;

use common::setup;
use prover::{
    Randomness,
    kernels::{
        RowCells,
        fast::{Table, invert},
        reference,
    },
};
use verifier::{Curve, F, Point, ff::Field as _, layout::ROW};

/// Fails unless both commit to the same.
#[track_caller]
fn same(bases: &[Point], blinding: &Point, rows: &[RowCells]) {
    let expected: Vec<Point> = rows.iter().map(|row| reference::commit(bases, blinding, row)).collect();
    let got = Table::new(bases, blinding).commit(rows);
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert_eq!(got, expected, "row {index}: {:?}", rows[index]);
    }
    assert_eq!(got.len(), rows.len());
}

fn small(values: impl IntoIterator<Item = i32>, blind: F) -> RowCells {
    RowCells { small: values.into_iter().enumerate().collect(), full: Vec::new(), blind }
}

fn full(values: impl IntoIterator<Item = F>, blind: F) -> RowCells {
    RowCells { small: Vec::new(), full: values.into_iter().enumerate().collect(), blind }
}

/// Integers at the edges of digits, of 16 bits and of the type.
const EDGES: [i32; 22] = [
    0,
    1,
    -1,
    127,
    128,
    129,
    -127,
    -128,
    -129,
    255,
    256,
    -256,
    32_767,
    -32_768,
    32_768,
    65_535,
    65_536,
    8_388_607,
    8_388_608,
    -8_388_609,
    i32::MAX,
    i32::MIN,
];

/// Field elements with digits at their edges, carries through all of them, and the largest.
fn edges() -> Vec<F> {
    let two = F::from(2);
    let repeated = |byte: u64| (0..31).fold(F::ZERO, |value, _| value * F::from(256) + F::from(byte));
    let half = two.invert().unwrap();
    vec![
        F::ZERO,
        F::ONE,
        -F::ONE,
        half,
        -half,
        two.pow([254]),
        repeated(0x7f),
        repeated(0x80),
        repeated(0xff),
    ]
}

#[test]
fn edge_values_each_alone() {
    let bases = &setup().bases[..3];
    let rows = EDGES.map(|value| small([0, value], F::ONE)).to_vec();
    same(bases, &setup().blinding, &rows);
    let rows: Vec<_> = edges().into_iter().map(|value| full([F::ZERO, F::ZERO, value], value)).collect();
    same(bases, &setup().blinding, &rows);
}

#[test]
fn edge_values_together() {
    let bases = &setup().bases[..EDGES.len()];
    let mut rows = vec![small(EDGES, F::ONE), full(edges(), -F::ONE)];
    rows.extend(EDGES.map(|value| small([value; EDGES.len()], F::from(3))));
    rows.extend(edges().into_iter().map(|value| full(vec![value; EDGES.len()], value)));
    same(bases, &setup().blinding, &rows);
}

#[test]
fn empty_rows() {
    let nothing = |blind| small([], blind);
    let rows = [F::ZERO, F::ONE, -F::ONE].map(nothing);
    same(&setup().bases[..2], &setup().blinding, &rows);
    // A value of zero is no value, and a blinding factor of zero leaves the identity.
    same(&setup().bases[..2], &setup().blinding, &[small([0, 0], F::ZERO), full([F::ZERO], F::ZERO)]);
    assert_eq!(setup().table.commit(&[]), Vec::<Point>::new());
}

#[test]
fn random_rows_of_all_widths() {
    let mut randomness = Randomness::new(&[1; 32], b"kernels");
    let mut rows = Vec::new();
    for width in [1, 2, 3, 17, 100, 255, ROW] {
        let blind = randomness.scalar();
        let seeds = randomness.scalars(width);
        let small_values = seeds.iter().enumerate().map(|(index, seed)| {
            let value = integer(seed);
            // Some with 8 bits, some with 16, some with all.
            (index, value >> (8 * (index % 4)))
        });
        let cells = small_values.collect();
        // A row of tape X: integers, and random cells behind them.
        let masks: Vec<_> = seeds.iter().enumerate().take(width / 4).map(|(i, seed)| (i, *seed)).collect();
        rows.push(RowCells { small: cells, full: masks, blind });
        rows.push(full(seeds, blind));
    }
    same(&setup().bases[..ROW], &setup().blinding, &rows);
}

fn integer(seed: &F) -> i32 {
    let limbs = verifier::dot::limbs(seed);
    limbs[0] as u32 as i32
}

/// Bases with relations that generators never have, so that equal points and opposite ones meet in a bucket.
#[test]
fn sums_of_equal_and_of_opposite_points() {
    let one = setup().bases[0];
    let times = |factor: u64| -> Point { (one * F::from(factor)).into() };
    let same_point = vec![one; 16];
    let opposite: Vec<Point> = (0..16).map(|index| if index % 2 == 0 { one } else { -one }).collect();
    let shifted: Vec<Point> = (0..8).map(|index| times(1 << (8 * index % 32))).collect();
    let successive: Vec<Point> = (1..17).map(times).collect();
    for bases in [same_point, opposite, shifted, successive] {
        let count = bases.len();
        let mut rows: Vec<_> = [1, -1, 5, 257, -32_768].map(|value| small(vec![value; count], F::ONE)).into();
        rows.push(small((0..count as i32).map(|index| if index % 3 == 0 { 1 } else { -1 }), F::ONE));
        rows.extend(edges().into_iter().map(|value| full(vec![value; count], F::ONE)));
        same(&bases, &setup().blinding, &rows);
        // The blinding generator is one of them, too.
        same(&bases, &-one, &rows);
    }
}

#[test]
fn everything_cancels() {
    let one = setup().bases[0];
    let rows = [small([7, 7], F::ZERO), full([-F::ONE, -F::ONE], F::ZERO), small([3, 0], F::from(3))];
    let bases = [one, -one];
    same(&bases, &-one, &rows);
    let sums = Table::new(&bases, &-one).commit(&rows);
    assert!(sums.iter().all(|sum| Curve::from(*sum) == Curve::default()));
}

#[test]
fn the_provers_table_is_that_of_its_generators() {
    let rows = [small(0..256, F::from(9)), small(vec![-1; ROW], F::ONE)];
    let expected: Vec<Point> =
        rows.iter().map(|row| reference::commit(&setup().bases[..ROW], &setup().blinding, row)).collect();
    assert_eq!(setup().table.commit(&rows), expected);
}

#[test]
fn shared_inversions() {
    for zeros in [vec![], vec![0], vec![3, 4], (0..9).collect()] {
        let mut values = Randomness::new(&[2; 32], b"kernels").scalars(9);
        zeros.iter().for_each(|&zero: &usize| values[zero] = F::ZERO);
        let expected: Vec<F> = values.iter().map(|value| value.invert().unwrap_or(F::ZERO)).collect();
        invert(&mut values);
        assert_eq!(values, expected);
    }
    invert::<F>(&mut []);
}
