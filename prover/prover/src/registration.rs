//! Commits to a model's weights and proves their range: see `verifier::registration`.

use std::collections::BTreeMap;

use audit::Model;
use sha2::{Digest as _, Sha256};
use verifier::{
    Architecture, F, ModelCommitment, Tape as Name,
    ff::Field as _,
    layout::{ModelSlot, OPENING_DEGREE, model_rows, model_slots},
    registration::{RANGE_BITS, RANGE_DEGREE, RangeLayout, Values, claims},
};

use crate::{
    ProveError, ProverSetup, Randomness,
    audit_proof::{Closing, Committed, commit, finish},
    kernels::fast::invert,
    opening::Opened,
    sabotage::{Honest, Saboteur},
    sumcheck::{self, Mask, Part, Tables},
    tape::{Domain, EqTable, Tape},
    transcript::Writer,
};

/// What opens the commitment to a model. Whoever has it and the weights can prove things about the model.
#[derive(Clone, PartialEq, Eq)]
pub struct ModelSecret {
    seed: [u8; 32],
}

impl std::fmt::Debug for ModelSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ModelSecret")
    }
}

impl ModelSecret {
    /// A secret from 32 random bytes: [`Randomness::fresh`].
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    /// The bytes.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Index and blinding factor of each committed row of a model.
    ///
    /// They depend on everything that is committed to: were they those of the secret alone, two models under one
    /// secret would show the difference of their weights.
    pub fn blinds(&self, model: &Model, owner: &[u8]) -> Vec<(usize, F)> {
        let content = Sha256::new()
            .chain_update(b"assay model rows 1")
            .chain_update((owner.len() as u64).to_le_bytes())
            .chain_update(owner)
            .chain_update(model.to_bytes());
        let mut randomness = Randomness::new(&self.seed, &content.finalize());
        let (slots, _) = model_slots(&Architecture::of(model));
        model_rows(&slots).into_iter().map(|row| (row, randomness.scalar())).collect()
    }

    /// The commitment to a model of an owner.
    pub fn commit(&self, setup: &ProverSetup, model: &Model, owner: &[u8]) -> ModelCommitment {
        let architecture = Architecture::of(model);
        let (slots, _) = model_slots(&architecture);
        let (domain, cells) = model_cells(&slots, model);
        let tape = Tape::Small { cells, random: BTreeMap::new() };
        let blinds = self.blinds(model, owner);
        let rows: Vec<_> = blinds.iter().map(|&(row, blind)| tape.row_cells(&domain, row, blind)).collect();
        ModelCommitment { architecture, owner: owner.to_vec(), rows: setup.table.commit(&rows) }
    }
}

/// The values of tape `M`: weights, then the high and the low bias limbs, units as columns.
pub fn model_cells(slots: &[ModelSlot], model: &Model) -> (Domain, Vec<i32>) {
    let domain =
        Domain::new(slots.iter().map(|slot| slot.base..slot.base + ((slot.inputs + 2) << slot.unit_bits)));
    let mut cells = vec![0; domain.len()];
    for (slot, layer) in slots.iter().zip(&model.layers) {
        let cells = &mut cells[domain.position(slot.base)..];
        for (unit, weights) in layer.weights.chunks_exact(slot.inputs).enumerate() {
            for (row, &weight) in weights.iter().enumerate() {
                cells[(row << slot.unit_bits) + unit] = weight.into();
            }
            let bias = layer.bias[unit];
            let low = bias as i16;
            let high = (i64::from(bias) - i64::from(low)) >> 16;
            cells[(slot.inputs << slot.unit_bits) + unit] = high as i32;
            cells[((slot.inputs + 1) << slot.unit_bits) + unit] = low.into();
        }
    }
    (domain, cells)
}

/// Proves that every weight and bias limb of a commitment is a signed 16-bit integer.
pub fn prove(
    setup: &ProverSetup,
    model: &Model,
    secret: &ModelSecret,
    commitment: &ModelCommitment,
    seed: &[u8; 32],
) -> Result<Vec<u8>, ProveError> {
    prove_with(setup, model, secret, commitment, seed, &mut Honest)
}

/// [`prove`], as dishonest as `saboteur`.
#[doc(hidden)]
pub fn prove_with(
    setup: &ProverSetup,
    model: &Model,
    secret: &ModelSecret,
    commitment: &ModelCommitment,
    seed: &[u8; 32],
    saboteur: &mut dyn Saboteur,
) -> Result<Vec<u8>, ProveError> {
    if saboteur.checks() && secret.commit(setup, model, &commitment.owner) != *commitment {
        return Err(ProveError::False("the commitment is not to this model with this secret"));
    }
    let layout = RangeLayout::new(&commitment.architecture)?;
    let digest = commitment.statement_digest();
    let mut randomness = Randomness::new(seed, &digest);
    let range_mask = Mask::random(layout.address_bits, RANGE_DEGREE, &mut randomness);
    let range_mask = range_mask.lying(saboteur.lies_about_masks());
    let opening_mask = Mask::random(layout.address_bits, OPENING_DEGREE, &mut randomness);
    let model_masks = randomness.scalars(2 * layout.model.len());
    let z_domain = Domain::below(layout.z_len);
    let z = Tape::Full { cells: [range_mask.coefficients(), &model_masks].concat() };

    let (m_domain, mut weights) = model_cells(&layout.model, model);
    // All weights, both mask rows of each layer, and the table.
    let slots = layout.model.iter().map(|slot| slot.base..slot.base + ((slot.inputs + 4) << slot.unit_bits));
    let table = layout.table..layout.table + (1 << RANGE_BITS);
    let domain = Domain::new(slots.chain(std::iter::once(table)));
    let table = domain.position(layout.table);
    let cells = weight_cells(&layout, &domain);
    let mut masked = vec![F::ZERO; domain.len()];
    let mut multiplicities = vec![0; domain.len()];
    for position in weight_cells(&layout, &m_domain) {
        multiplicities[table + (weights[position] + (1 << (RANGE_BITS - 1))) as usize] += 1;
    }
    saboteur.weights(&layout, &mut weights, &mut multiplicities[table..]);
    for (address, &weight) in m_domain.addresses().zip(&weights) {
        masked[domain.position(address)] = verifier::dot::signed(weight.into());
    }
    let m = Tape::Small { cells: weights, random: BTreeMap::new() };
    for (slot, masks) in layout.model.iter().zip(model_masks.chunks_exact(2)) {
        let first = slot.base + (slot.mask_row() << slot.unit_bits);
        masked[domain.position(first)] = masks[0];
        masked[domain.position(first + (1 << slot.unit_bits))] = masks[1];
    }
    let mask_position = domain.position(layout.mask_cell);
    let q =
        Tape::Small { cells: multiplicities, random: BTreeMap::from([(mask_position, randomness.scalar())]) };

    let mut writer = Writer::new(&digest);
    let mut blinds = BTreeMap::new();
    for (name, domain, tape) in [(Name::Q, &domain, &q), (Name::Z, &z_domain, &z)] {
        let to_rows = Committed { name, domain, tape, rows: &layout.rows(name) };
        blinds.insert(name, commit(setup, &mut writer, to_rows, &mut randomness, saboteur));
    }
    let closing = Closing::commit(setup, &mut writer, opening_mask, &mut randomness, saboteur);

    let beta = writer.challenge();
    let Tape::Small { cells: multiplicities, .. } = &q else { unreachable!("Q is a small tape") };
    let mut h = inverses(beta, &masked, &cells, &multiplicities[table..], table);
    h[mask_position] = randomness.scalar();
    let h = Tape::Full { cells: h };
    let to_rows = Committed { name: Name::H, domain: &domain, tape: &h, rows: &layout.rows(Name::H) };
    blinds.insert(Name::H, commit(setup, &mut writer, to_rows, &mut randomness, saboteur));
    blinds.insert(Name::M, secret.blinds(model, &commitment.owner));

    let columns = Columns { masked, cells, table, q: q.to_field(), h: h.to_field() };
    let claims = range(&mut writer, &layout, &domain, beta, columns, &range_mask);
    let opened = |name, domain, tape| Opened { name, domain, tape };
    let all = [
        opened(Name::Q, &domain, &q),
        opened(Name::H, &domain, &h),
        opened(Name::M, &m_domain, &m),
        opened(Name::Z, &z_domain, &z),
    ];
    finish(
        setup,
        &mut writer,
        layout.address_bits,
        claims,
        &all,
        &blinds,
        closing,
        &mut randomness,
        saboteur,
    )?;
    Ok(writer.finish())
}

/// Positions of weights and bias limbs.
fn weight_cells(layout: &RangeLayout, domain: &Domain) -> Vec<usize> {
    let mut cells = Vec::new();
    for slot in &layout.model {
        let start = domain.position(slot.base);
        for row in 0..slot.inputs + 2 {
            let first = start + (row << slot.unit_bits);
            cells.extend(first..first + slot.units);
        }
    }
    cells
}

fn inverses(beta: F, masked: &[F], cells: &[usize], multiplicities: &[i32], table: usize) -> Vec<F> {
    let mut h = vec![F::ZERO; masked.len()];
    let mut inverses: Vec<F> = cells.iter().map(|&position| beta - masked[position]).collect();
    invert(&mut inverses);
    cells.iter().zip(inverses).for_each(|(&position, inverse)| h[position] = inverse);
    let used: Vec<usize> = (0..1 << RANGE_BITS).filter(|&entry| multiplicities[entry] != 0).collect();
    let mut inverses: Vec<F> = used.iter().map(|&entry| beta - entry_value(entry)).collect();
    invert(&mut inverses);
    for (entry, inverse) in used.into_iter().zip(inverses) {
        h[table + entry] = -inverse * F::from(multiplicities[entry] as u64);
    }
    h
}

fn entry_value(entry: usize) -> F {
    verifier::dot::signed(entry as i64 - (1 << (RANGE_BITS - 1)))
}

struct Columns {
    masked: Vec<F>,
    cells: Vec<usize>,
    table: usize,
    q: Vec<F>,
    h: Vec<F>,
}

/// Runs the range sumcheck; returns its claims.
fn range(
    writer: &mut Writer,
    layout: &RangeLayout,
    domain: &Domain,
    beta: F,
    Columns { masked, cells, table, q, h }: Columns,
    mask: &Mask,
) -> Vec<verifier::claims::Claim> {
    let tau = writer.challenges(layout.address_bits);
    let kappa = writer.challenge();
    let eq = EqTable::new(&tau);
    let addresses: Vec<usize> = domain.addresses().collect();
    let mut weighted = vec![F::ZERO; domain.len()];
    let mut weighted_table = vec![F::ZERO; domain.len()];
    let mut selected = vec![F::ZERO; domain.len()];
    let mut entries = vec![F::ZERO; domain.len()];
    for position in cells {
        weighted[position] = eq.at(addresses[position]);
        selected[position] = kappa;
    }
    for entry in 0..1 << RANGE_BITS {
        let position = table + entry;
        weighted_table[position] = eq.at(addresses[position]);
        selected[position] = kappa;
        entries[position] = entry_value(entry);
    }
    let columns = [weighted, weighted_table, selected, h, masked, entries, q];
    let polynomial = move |[layer, table, selected, h, m, entry, q]: &[F; 7]| {
        layer * (h * (beta - m) - F::ONE) + table * (h * (beta - entry) + q) + selected * h
    };
    let tables = Tables::new(layout.address_bits, domain, columns, polynomial, None);
    let mut parts: Vec<Box<dyn Part>> = vec![Box::new(tables)];
    let (reduced, mask_value) =
        sumcheck::prove(writer, layout.address_bits, RANGE_DEGREE, F::ZERO, &mut parts, mask);
    let values = parts[0].values();
    let values = Values { tapes: [values[4], values[3], values[6]], mask: mask_value };
    writer.scalars(&values.tapes);
    writer.scalar(values.mask);
    claims(layout, &reduced, values)
}
