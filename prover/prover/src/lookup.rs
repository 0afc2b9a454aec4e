//! Proves the lookups: see `verifier::lookup`.

use verifier::{
    Architecture, F, Layout,
    claims::Claim,
    ff::Field as _,
    layout::{LOOKUP_DEGREE, shift_tag},
    lookup::{Combination, Compression, Values, claims, compress},
};

use rayon::prelude::*;

use crate::{
    kernels::fast::invert,
    sumcheck::{self, Mask, Part, Tables},
    tape::{Domain, EqTable, Tape},
    transcript::Writer,
};

/// The tables of the lookup argument over the tapes' domain.
#[derive(Debug)]
pub struct Lookups {
    /// `L1`: Q, X and the tag on layer cells; elsewhere Q and X alone, which the selectors leave out.
    first: Vec<F>,
    /// `L2`.
    second: Vec<F>,
    /// Compressed entries, zero outside of the table.
    entries: Vec<F>,
    /// Positions of layer cells: inside the samples and units.
    cells: Vec<u32>,
    /// Position of the first entry.
    table: usize,
    /// Number of entries.
    table_len: usize,
}

impl Lookups {
    /// Compresses keys, values and tags.
    pub fn new(
        architecture: &Architecture,
        layout: &Layout,
        domain: &Domain,
        Compression { alpha, .. }: Compression,
        [q, r, x]: [&[F]; 3],
    ) -> Self {
        let cells = layer_cells(layout, domain);
        let table = domain.position(layout.table.base);
        let mut first: Vec<F> = q.par_iter().zip(x).map(|(q, x)| q + alpha * x).collect();
        let mut second = r.to_vec();
        for slot in &layout.slots {
            let function = alpha.square() * F::from(slot.function.tag());
            let shift = alpha.square() * F::from(shift_tag(slot.shift));
            let start = domain.position(slot.base);
            for sample in 0..layout.samples {
                for position in
                    start + (sample << slot.unit_bits)..start + (sample << slot.unit_bits) + slot.units
                {
                    first[position] += function;
                    second[position] += shift;
                }
            }
        }
        let mut entries = vec![F::ZERO; domain.len()];
        for (value, entry) in entries[table..].iter_mut().zip(layout.entries(architecture)) {
            *value = compress(alpha, entry.key.into(), entry.value.into(), entry.tag);
        }
        Self { first, second, entries, cells, table, table_len: layout.table.entries }
    }

    /// The tape `H`; `random` fills its mask cells.
    pub fn inverses(
        &self,
        beta: F,
        multiplicities: &[i32],
        mask_positions: &[usize],
        random: Vec<F>,
    ) -> Tape {
        let mut cells = vec![F::ZERO; self.first.len()];
        let inverses: Vec<F> = self
            .cells
            .par_chunks(4096)
            .flat_map_iter(|positions| {
                let pair = |position: &u32| {
                    let (a, b) =
                        (beta - self.first[*position as usize], beta - self.second[*position as usize]);
                    (a + b, a * b)
                };
                let pairs: Vec<_> = positions.iter().map(pair).collect();
                let mut products: Vec<F> = pairs.iter().map(|pair| pair.1).collect();
                invert(&mut products);
                pairs.into_iter().zip(products).map(|((sum, _), inverse)| sum * inverse)
            })
            .collect();
        for (&position, value) in self.cells.iter().zip(inverses) {
            cells[position as usize] = value;
        }
        let used: Vec<usize> = (0..self.table_len).filter(|&entry| multiplicities[entry] != 0).collect();
        let mut inverses: Vec<F> = used.iter().map(|entry| beta - self.entries[self.table + entry]).collect();
        invert(&mut inverses);
        for (entry, inverse) in used.into_iter().zip(inverses) {
            cells[self.table + entry] = -inverse * F::from(multiplicities[entry] as u64);
        }
        for (&position, value) in mask_positions.iter().zip(random) {
            cells[position] = value;
        }
        Tape::Full { cells }
    }
}

/// Positions of the cells that are looked up.
fn layer_cells(layout: &Layout, domain: &Domain) -> Vec<u32> {
    let mut cells = Vec::new();
    for slot in &layout.slots {
        let start = domain.position(slot.base);
        for sample in 0..layout.samples {
            let first = start + (sample << slot.unit_bits);
            cells.extend((first..first + slot.units).map(|position| position as u32));
        }
    }
    cells
}

/// Runs the sumcheck; returns its claims.
pub fn prove(
    writer: &mut Writer,
    layout: &Layout,
    domain: &Domain,
    lookups: Lookups,
    compression: Compression,
    [q, r, x, h]: [&[F]; 4],
    mask: &Mask,
) -> Vec<Claim> {
    let combination = Combination { tau: writer.challenges(layout.address_bits), kappa: writer.challenge() };
    let Compression { beta, .. } = compression;
    let eq = EqTable::new(&combination.tau);
    let addresses: Vec<usize> = domain.addresses().collect();
    let mut weighted_layers = vec![F::ZERO; domain.len()];
    let mut weighted_table = vec![F::ZERO; domain.len()];
    let mut selected = vec![F::ZERO; domain.len()];
    for &position in &lookups.cells {
        let position = position as usize;
        weighted_layers[position] = eq.at(addresses[position]);
        selected[position] = combination.kappa;
    }
    for position in lookups.table..lookups.table + lookups.table_len {
        weighted_table[position] = eq.at(addresses[position]);
        selected[position] = combination.kappa;
    }
    // On layer cells Q is part of L1; the table needs its multiplicities.
    let columns = [
        weighted_layers,
        weighted_table,
        selected,
        h.to_vec(),
        lookups.first,
        lookups.second,
        lookups.entries,
        q.to_vec(),
    ];
    let polynomial = move |[layer, table, selected, h, first, second, entry, q]: &[F; 8]| {
        let (first, second) = (beta - first, beta - second);
        layer * (h * (first * second) - first - second) + table * (h * (beta - entry) + q) + selected * h
    };
    let tables = Tables::new(layout.address_bits, domain, columns, polynomial, None);
    let mut parts: Vec<Box<dyn Part>> = vec![Box::new(tables)];
    let (reduced, mask_value) =
        sumcheck::prove(writer, layout.address_bits, LOOKUP_DEGREE, F::ZERO, &mut parts, mask);
    let eq = EqTable::new(&reduced.point);
    let at = |values: &[F]| {
        addresses.par_iter().zip(values).map(|(&address, value)| eq.at(address) * value).sum::<F>()
    };
    let values = Values { tapes: [at(q), at(r), at(x), at(h)], mask: mask_value };
    writer.scalars(&values.tapes);
    writer.scalar(values.mask);
    claims(layout, &reduced, values)
}
