//! Proves an audit, or predictions: the phases in the order of the transcript.

use std::collections::BTreeMap;

use audit::Model;
use verifier::{
    Architecture, F, Layout, RegisteredModel, Statement, Tape as Name,
    audit_proof::FIRST_TAPES,
    layout::{
        CONTRACTION_DEGREE, Entry, Function, LOOKUP_DEGREE, MASK_CELLS, OPENING_DEGREE, SAMPLE_DEGREE,
        shift_tag,
    },
    lookup::Compression,
};

use crate::{
    ModelSecret, ProveError, ProverSetup, Randomness, Witness,
    closing::{Blinding, Combined},
    contraction, layers,
    lookup::{self, Lookups},
    opening::{self, Opened},
    registration::model_cells,
    sabotage::{Factors, Honest, Saboteur},
    sumcheck::Mask,
    tape::{Domain, Tape},
    transcript::Writer,
};

/// The committed values of one proof.
#[derive(Debug)]
pub struct Tapes<'a> {
    /// Where `Q`, `R`, `X` and `H` have values.
    pub domain: Domain,
    /// Requantized values and multiplicities.
    pub q: Tape,
    /// Remainders.
    pub r: Tape,
    /// Activations.
    pub x: Tape,
    /// Where `M` has values.
    pub model_domain: Domain,
    /// Weights and bias limbs.
    pub model: Vec<i32>,
    /// Two mask cells per layer, committed on `Z`.
    pub model_masks: &'a [F],
}

impl Tapes<'_> {
    /// The tape that equations read.
    pub fn tape(&self, name: Name) -> &Tape {
        match name {
            Name::Q => &self.q,
            Name::R => &self.r,
            _ => &self.x,
        }
    }
}

/// Seconds that the stages of a proof took, in order.
pub type Stages = Vec<(&'static str, f64)>;

/// Measures stages.
#[derive(Debug)]
pub struct Stopwatch {
    stages: Stages,
    since: std::time::Instant,
}

impl Stopwatch {
    /// Starts the first stage.
    pub fn start() -> Self {
        Self { stages: Vec::new(), since: std::time::Instant::now() }
    }

    /// Ends a stage.
    pub fn lap(&mut self, stage: &'static str) {
        let now = std::time::Instant::now();
        self.stages.push((stage, (now - self.since).as_secs_f64()));
        self.since = now;
    }
}

/// Proves `statement` about the model that `secret` opens. `seed` must be fresh: [`Randomness::fresh`].
pub fn prove(
    setup: &ProverSetup,
    model: &Model,
    secret: &ModelSecret,
    registered: &RegisteredModel,
    statement: &Statement<'_>,
    seed: &[u8; 32],
) -> Result<(Vec<u8>, Stages), ProveError> {
    prove_with(setup, model, secret, registered, statement, seed, &mut Honest)
}

/// [`prove`], as dishonest as `saboteur`.
#[doc(hidden)]
pub fn prove_with(
    setup: &ProverSetup,
    model: &Model,
    secret: &ModelSecret,
    registered: &RegisteredModel,
    statement: &Statement<'_>,
    seed: &[u8; 32],
    saboteur: &mut dyn Saboteur,
) -> Result<(Vec<u8>, Stages), ProveError> {
    let mut watch = Stopwatch::start();
    statement.check()?;
    let architecture = statement.architecture;
    let foreign = Architecture::of(model) != *architecture || registered.id() != statement.model;
    if foreign && saboteur.checks() {
        return Err(ProveError::False("the model is not the registered one"));
    }
    let digest = statement.digest();
    let features = saboteur.features();
    let claimed = statement;
    let statement = &Statement { features: features.as_deref().unwrap_or(statement.features), ..*statement };
    let layout = Layout::new(architecture, statement.samples())?;
    let witness = Witness::new(model, statement.features)?;
    if saboteur.checks() {
        witness.check(model, statement)?;
    }
    let mut randomness = Randomness::new(seed, &digest);

    let lies = saboteur.lies_about_masks();
    let mut mask = |variables, degree| Mask::random(variables, degree, &mut randomness).lying(lies);
    let lookup_mask = mask(layout.address_bits, LOOKUP_DEGREE);
    let sample_mask = mask(layout.sample_bits, SAMPLE_DEGREE);
    let contraction_mask = mask(layout.contraction_bits, CONTRACTION_DEGREE);
    let opening_mask = Mask::random(layout.address_bits, OPENING_DEGREE, &mut randomness);
    let model_masks = randomness.scalars(2 * layout.dense);
    let z_domain = Domain::below(layout.masks.len);
    let z_cells = [&lookup_mask, &sample_mask, &contraction_mask].map(Mask::coefficients).concat();
    let z = Tape::Full { cells: [z_cells, model_masks.clone()].concat() };

    let mut tapes = fill(architecture, &layout, &witness, model, &model_masks, &mut randomness);
    saboteur.tapes(&layout, &mut tapes);
    watch.lap("witness");

    let mut writer = Writer::new(&digest);
    let mut blinds = BTreeMap::new();
    for name in FIRST_TAPES {
        let (domain, tape) = match name {
            Name::Z => (&z_domain, &z),
            name => (&tapes.domain, tapes.tape(name)),
        };
        let to_rows = Committed { name, domain, tape, rows: &layout.rows(name) };
        blinds.insert(name, commit(setup, &mut writer, to_rows, &mut randomness, saboteur));
    }
    let closing = Closing::commit(setup, &mut writer, opening_mask, &mut randomness, saboteur);
    watch.lap("commit values");

    let compression = Compression { alpha: writer.challenge(), beta: writer.challenge() };
    let fields = [&tapes.q, &tapes.r, &tapes.x].map(Tape::to_field);
    let [q, r, x] = fields.each_ref().map(Vec::as_slice);
    let lookups = Lookups::new(architecture, &layout, &tapes.domain, compression, [q, r, x]);
    let Tape::Small { cells: q_cells, .. } = &tapes.q else { unreachable!("Q is a small tape") };
    let table = tapes.domain.position(layout.table.base);
    let mask_positions = mask_positions(&layout, &tapes.domain);
    let random = randomness.scalars(mask_positions.len());
    let mut h = lookups.inverses(compression.beta, &q_cells[table..], &mask_positions, random);
    saboteur.inverses(&layout, &tapes.domain, &mut h);
    watch.lap("inverses");
    let to_rows = Committed { name: Name::H, domain: &tapes.domain, tape: &h, rows: &layout.rows(Name::H) };
    blinds.insert(Name::H, commit(setup, &mut writer, to_rows, &mut randomness, saboteur));
    watch.lap("commit inverses");

    let Tape::Full { cells: h_cells } = &h else { unreachable!("H is a full tape") };
    let values = [q, r, x, h_cells.as_slice()];
    let mut claims =
        lookup::prove(&mut writer, &layout, &tapes.domain, lookups, compression, values, &lookup_mask);
    watch.lap("lookups");
    let sampled = layers::prove(&mut writer, statement, &layout, &tapes, &sample_mask);
    claims.extend(sampled.claims.iter().cloned());
    watch.lap("samples");
    claims.extend(contraction::prove(
        &mut writer,
        claimed,
        statement,
        &layout,
        &tapes,
        &sampled,
        &contraction_mask,
    ));
    watch.lap("contraction");

    let own = || (tapes.model.clone(), secret.blinds(model, &registered.commitment().owner));
    let (m, model_blinds) = saboteur.opened_model().unwrap_or_else(own);
    blinds.insert(Name::M, model_blinds);
    let m = Tape::Small { cells: m, random: BTreeMap::new() };
    let opened = |name, domain, tape| Opened { name, domain, tape };
    let all = [
        opened(Name::Q, &tapes.domain, &tapes.q),
        opened(Name::R, &tapes.domain, &tapes.r),
        opened(Name::X, &tapes.domain, &tapes.x),
        opened(Name::H, &tapes.domain, &h),
        opened(Name::M, &tapes.model_domain, &m),
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
    watch.lap("opening and closing");
    Ok((writer.finish(), watch.stages))
}

/// What the closing proof needs that was committed at the start.
#[derive(Debug)]
pub struct Closing {
    /// Blinding values of the combined row.
    pub row_blinding: Blinding,
    /// Mask of the opening sumcheck.
    pub opening_mask: Mask,
    /// Its blinding values.
    pub mask_blinding: Blinding,
}

impl Closing {
    /// Draws the blinding values and sends both commitments, `C_d` and `C_z`.
    pub fn commit(
        setup: &ProverSetup,
        writer: &mut Writer,
        opening_mask: Mask,
        randomness: &mut Randomness,
        saboteur: &mut dyn Saboteur,
    ) -> Self {
        let row_blinding = Blinding::random(randomness);
        let mask_blinding = Blinding::random(randomness);
        let commitments = [
            saboteur.row_commitment(setup, &row_blinding),
            saboteur.mask_commitment(setup, opening_mask.coefficients(), &mask_blinding),
        ];
        writer.points(&commitments);
        Self { row_blinding, opening_mask, mask_blinding }
    }
}

/// Row index and blinding factor of each committed row of each tape.
pub type Blinds = BTreeMap<Name, Vec<(usize, F)>>;

/// Opens all claims and appends the closing proof.
#[allow(clippy::too_many_arguments)]
pub fn finish(
    setup: &ProverSetup,
    writer: &mut Writer,
    address_bits: usize,
    claims: Vec<verifier::claims::Claim>,
    tapes: &[Opened<'_>],
    blinds: &Blinds,
    closing: Closing,
    randomness: &mut Randomness,
    saboteur: &mut dyn Saboteur,
) -> Result<(), ProveError> {
    let opening::Proved { reduced, row, weights } =
        opening::prove(writer, address_bits, claims, tapes, &closing.opening_mask);
    let gamma = writer.challenge();
    let lhs = verifier::opening::row_weights(&reduced.point);
    let mut factor = gamma * closing.row_blinding.factor;
    for (name, weight) in weights {
        for (row, blind) in blinds.get(&name).into_iter().flatten() {
            factor += weight * lhs[*row] * blind;
        }
    }
    let rows = closing.row_blinding.rows.iter().map(|value| gamma * value).collect();
    let combined = Combined {
        reduced: &reduced,
        row,
        row_blinding: Blinding { rows, factor },
        mask: closing.opening_mask.coefficients(),
        mask_blinding: &closing.mask_blinding,
    };
    saboteur.close(setup, writer, combined, Factors { gamma, tapes: &weights }, randomness)
}

/// Rows of a tape that are committed to.
#[derive(Debug, Clone, Copy)]
pub struct Committed<'a> {
    /// Which tape.
    pub name: Name,
    /// Where it has values.
    pub domain: &'a Domain,
    /// Its values.
    pub tape: &'a Tape,
    /// The rows, in order.
    pub rows: &'a [usize],
}

/// Commits to rows of a tape, sends the commitments, and returns the blinding factors.
pub fn commit(
    setup: &ProverSetup,
    writer: &mut Writer,
    Committed { name, domain, tape, rows }: Committed<'_>,
    randomness: &mut Randomness,
    saboteur: &mut dyn Saboteur,
) -> Vec<(usize, F)> {
    let blinds: Vec<(usize, F)> = rows.iter().map(|&row| (row, randomness.scalar())).collect();
    let cells: Vec<_> = blinds.iter().map(|&(row, blind)| tape.row_cells(domain, row, blind)).collect();
    let mut commitments = setup.table.commit(&cells);
    saboteur.commitments(setup, name, &mut commitments);
    writer.points(&commitments);
    blinds
}

/// Positions of all mask cells in the tapes' domain.
fn mask_positions(layout: &Layout, domain: &Domain) -> Vec<usize> {
    let cells = layout.slots.iter().flat_map(|slot| layout.mask_cells(slot));
    cells.map(|address| domain.position(address)).collect()
}

/// Puts a run's values in their places.
fn fill<'a>(
    architecture: &Architecture,
    layout: &Layout,
    witness: &Witness,
    model: &Model,
    model_masks: &'a [F],
    randomness: &mut Randomness,
) -> Tapes<'a> {
    let table = layout.table.base..layout.table.base + layout.table.entries;
    let domain = Domain::new(layout.slots.iter().map(|slot| layout.active(slot)).chain([table]));
    let empty = || vec![0; domain.len()];
    let (mut q, mut r, mut x) = (empty(), empty(), empty());
    for (slot, values) in layout.slots.iter().zip(&witness.slots) {
        let start = domain.position(slot.base);
        for sample in 0..layout.samples {
            let from = sample * values.units..(sample + 1) * values.units;
            let to = start + (sample << slot.unit_bits);
            q[to..to + slot.units].copy_from_slice(&values.q[from.clone()]);
            r[to..to + slot.units].copy_from_slice(&values.r[from.clone()]);
            x[to..to + slot.units].copy_from_slice(&values.x[from]);
        }
    }
    let multiplicities = multiplicities(architecture, layout, witness);
    q[domain.position(layout.table.base)..][..multiplicities.len()].copy_from_slice(&multiplicities);
    let masks = mask_positions(layout, &domain);
    debug_assert_eq!(masks.len(), MASK_CELLS * layout.slots.len());
    let mut small = |cells| Tape::Small {
        cells,
        random: masks.iter().map(|&position| (position, randomness.scalar())).collect(),
    };
    let (q, r, x) = (small(q), small(r), small(x));
    let (model_domain, model) = model_cells(&layout.model, model);
    Tapes { domain, q, r, x, model_domain, model, model_masks }
}

/// How often each entry of the lookup table is looked up.
fn multiplicities(architecture: &Architecture, layout: &Layout, witness: &Witness) -> Vec<i32> {
    // Entries of one tag are consecutive keys; arg-max has one more at the very end, the chosen unit's.
    let mut first: BTreeMap<u64, (usize, i32)> = BTreeMap::new();
    for (index, Entry { key, tag, .. }) in layout.entries(architecture).enumerate() {
        first.entry(tag).or_insert((index, key));
    }
    let mut counts = vec![0; layout.table.entries];
    let last = layout.table.entries - 1;
    for (slot, values) in layout.slots.iter().zip(&witness.slots) {
        let (base, key) = first[&slot.function.tag()];
        for (&q, &x) in values.q.iter().zip(&values.x) {
            let chosen = slot.function == Function::ArgMax && x == 1;
            counts[if chosen { last } else { base + (q - key) as usize }] += 1;
        }
        let (base, _) = first[&shift_tag(slot.shift)];
        values.r.iter().for_each(|&r| counts[base + r as usize] += 1);
    }
    counts
}
