//! Proves all claims at once: see `verifier::opening`.

use std::sync::Arc;

use verifier::{
    F, Tape as Name,
    claims::{Claim, Functional, combined_value, combined_weights},
    ff::Field as _,
    layout::{OPENING_DEGREE, ROW},
    mle,
    opening::row_weights,
    sumcheck::Reduced,
};

use crate::{
    sumcheck::{self, Mask, Part, Tables},
    tape::{Domain, EqTable, Tape},
    transcript::Writer,
};

/// A tape that claims speak about.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'a> {
    /// Which.
    pub name: Name,
    /// Where it has values.
    pub domain: &'a Domain,
    /// Its values.
    pub tape: &'a Tape,
}

/// What is left for the closing proof.
#[derive(Debug)]
pub struct Proved {
    /// The sumcheck's outcome.
    pub reduced: Reduced,
    /// The combined row without its blinding.
    pub row: Vec<F>,
    /// The weight of each tape in it.
    pub weights: [(Name, F); Name::ALL.len()],
}

/// Runs the sumcheck and combines the rows.
pub fn prove(
    writer: &mut Writer,
    address_bits: usize,
    claims: Vec<Claim>,
    tapes: &[Opened<'_>],
    mask: &Mask,
) -> Proved {
    let delta = writer.challenge();
    let claims = Arc::new(claims);
    let mut parts: Vec<Box<dyn Part>> = Vec::new();
    for tape in tapes {
        let weights = weights(&claims, delta, tape);
        let (claims, name) = (Arc::clone(&claims), tape.name);
        let outside = move |point: &[F]| {
            let weights = combined_weights(&claims, delta, point);
            let own = weights.into_iter().find(|(own, _)| *own == name);
            [own.map_or(F::ZERO, |(_, weight)| weight), F::ZERO]
        };
        let product = |[weight, value]: &[F; 2]| weight * value;
        let columns = [weights, tape.tape.to_field()];
        parts.push(Box::new(Tables::new(
            address_bits,
            tape.domain,
            columns,
            product,
            Some(Box::new(outside)),
        )));
    }
    let sum = combined_value(&claims, delta);
    let (reduced, _) = sumcheck::prove(writer, address_bits, OPENING_DEGREE, sum, &mut parts, mask);
    drop(parts);
    let lhs = row_weights(&reduced.point);
    let mut row = vec![F::ZERO; ROW];
    let weights = combined_weights(&claims, delta, &reduced.point);
    for (name, weight) in weights {
        for tape in tapes.iter().filter(|tape| tape.name == name) {
            tape.tape.combine(tape.domain, weight, &lhs, &mut row);
        }
    }
    Proved { reduced, row, weights }
}

/// The weights of all claims about a tape, over its domain.
fn weights(claims: &[Claim], delta: F, tape: &Opened<'_>) -> Vec<F> {
    let mut sums = vec![F::ZERO; tape.domain.len()];
    for (claim, power) in claims.iter().zip(mle::powers(delta, claims.len())) {
        for term in claim.terms.iter().filter(|term| term.tape == tape.name) {
            add(&mut sums, tape.domain, &term.functional, power);
        }
    }
    sums
}

fn add(sums: &mut [F], domain: &Domain, functional: &Functional, power: F) {
    match functional {
        Functional::Point(point) => {
            let eq = EqTable::new(point);
            for (sum, address) in sums.iter_mut().zip(domain.addresses()) {
                *sum += power * eq.at(address);
            }
        }
        Functional::Slot { base, rows, units } => {
            let bits = verifier::layout::bits(units.len());
            let rows = mle::eq_table(rows);
            let units: Vec<F> = units.iter().map(|unit| power * unit).collect();
            let end = base + (rows.len() << bits);
            let mut position = 0;
            for range in domain.ranges() {
                let (from, to) = (range.start.max(*base), range.end.min(end));
                if from < to {
                    let sums = &mut sums[position + from - range.start..position + to - range.start];
                    for (offset, sum) in (from - base..to - base).zip(sums) {
                        *sum += rows[offset >> bits] * units[offset & (units.len() - 1)];
                    }
                }
                position += range.len();
            }
        }
        Functional::Cells { start, weights } => {
            let first = domain.position(*start);
            sums[first..].iter_mut().zip(weights).for_each(|(sum, weight)| *sum += power * weight);
        }
    }
}
