//! Registration of a private model: the commitment to its weights, and the proof that each is a 16-bit integer.
//!
//! logUp over `M`'s own address space: its slots, then one aligned slot with all signed 16-bit integers. The tape
//! `H` holds `1/(beta-M)` on weights and bias limbs and `-m/(beta-t)` on table cells, and sums to zero:
//!
//! ```text
//! 0 = sum of  EL·(H·(beta-M') - 1) + ET·(H·(beta-t) + Q) + kappa·S·H
//! ```
//!
//! `Q` holds the multiplicities m; `M'` is `M` with its mask rows, whose cells lie on `Z`.

use audit::{AuditError, Digest};
use sha2::{Digest as _, Sha256};

use crate::{
    Architecture, Check, F, Point, Setup, Statement, Tape, VerifyError,
    claims::{Claim, Functional, Term},
    closing::{self, CLOSING_BYTES},
    curve,
    dot::signed,
    error::in_range,
    ff::Field,
    group::GroupEncoding as _,
    layout::{
        MAX_ADDRESS_BITS, ModelSlot, OPENING_DEGREE, ROW_BITS, end_bits, model_rows, model_slots, rows_of,
        size,
    },
    mle,
    opening::{self, Rows},
    sumcheck::{self, Reduced},
    transcript::{ELEMENT, Reader},
};

/// Domain tag of a model's id.
const MODEL_MAGIC: &[u8; 8] = b"ASSAYPM\x01";
/// Domain tag of a registration's statement.
const REGISTRATION_MAGIC: &[u8; 8] = b"ASSAYRG\x01";
/// Degree of the range sumcheck.
pub const RANGE_DEGREE: usize = 3;
/// Bits of the table of all signed 16-bit integers.
pub const RANGE_BITS: usize = 16;
/// Most rows of a model's commitment: with those of a part, what a canister verifies in one message.
pub const MAX_MODEL_ROWS: usize = 1 << 14;
/// Most bytes of an owner's name.
pub const MAX_OWNER: usize = 64;

/// A commitment to a model's weights: what a private model publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCommitment {
    /// The public part.
    pub architecture: Architecture,
    /// Whose model it is (a principal's bytes).
    pub owner: Vec<u8>,
    /// A commitment to each row of tape `M`.
    pub rows: Vec<Point>,
}

impl ModelCommitment {
    /// Decodes compressed rows; their number must be the architecture's.
    pub fn parse(architecture: Architecture, owner: &[u8], bytes: &[u8]) -> Result<Self, VerifyError> {
        let expected = model_rows(&model_slots(&architecture).0).len() * ELEMENT;
        if bytes.len() != expected {
            return Err(VerifyError::Length { expected, got: bytes.len() });
        }
        in_range("bytes of the owner", 0, size(MAX_OWNER), size(owner.len()))?;
        let rows = curve::decompress(bytes.as_chunks::<ELEMENT>().0)
            .into_iter()
            .enumerate()
            .map(|(index, point)| point.ok_or(VerifyError::Encoding { what: "point", at: index * ELEMENT }));
        Ok(Self { architecture, owner: owner.to_vec(), rows: rows.collect::<Result<_, _>>()? })
    }

    /// The rows, compressed.
    pub fn row_bytes(&self) -> Vec<u8> {
        self.rows.iter().flat_map(|row| row.to_bytes()).collect()
    }

    /// The model's id.
    pub fn id(&self) -> Digest {
        model_id(&self.architecture, &self.owner, &self.row_bytes())
    }

    /// What a registration's transcript starts with.
    pub fn statement_digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(REGISTRATION_MAGIC).chain_update(self.id().0).finalize().into()
    }
}

/// A model's id: a digest of architecture, owner and compressed rows. The layout follows from the architecture.
pub fn model_id(architecture: &Architecture, owner: &[u8], rows: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    let architecture = architecture.to_bytes();
    hash.update(MODEL_MAGIC);
    hash.update(size(ROW_BITS).to_le_bytes());
    hash.update(size(architecture.len()).to_le_bytes());
    hash.update(architecture);
    hash.update(size(owner.len()).to_le_bytes());
    hash.update(owner);
    hash.update(size(rows.len() / ELEMENT).to_le_bytes());
    hash.update(rows);
    Digest(hash.finalize().into())
}

/// A commitment whose range proof was verified. Only [`verify`] and [`RegisteredModel::trusted`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredModel {
    commitment: ModelCommitment,
    id: Digest,
}

impl RegisteredModel {
    /// A model from a record of models that were verified when they were registered.
    pub fn trusted(commitment: ModelCommitment) -> Self {
        let id = commitment.id();
        Self { commitment, id }
    }

    /// The commitment.
    pub fn commitment(&self) -> &ModelCommitment {
        &self.commitment
    }

    /// The model's id.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Fails unless the statement is about this model.
    pub(crate) fn check(&self, statement: &Statement<'_>) -> Result<(), VerifyError> {
        let same = statement.model == self.id && *statement.architecture == self.commitment.architecture;
        in_range("statement about the registered model (1 = yes)", 1, 1, i64::from(same))
    }
}

/// Where everything of a registration lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeLayout {
    /// One slot per dense layer.
    pub model: Vec<ModelSlot>,
    /// First address of the table.
    pub table: usize,
    /// v, bits of an address.
    pub address_bits: usize,
    /// Address of the mask cell on `H` and on `Q`.
    pub mask_cell: usize,
    /// First of two cells per layer for `M` on tape `Z`; the sumcheck's mask starts at 0.
    pub model_masks: usize,
    /// Cells used on tape `Z`.
    pub z_len: usize,
}

impl RangeLayout {
    /// The map for a validated architecture.
    pub fn new(architecture: &Architecture) -> Result<Self, VerifyError> {
        let (model, end) = model_slots(architecture);
        let table = end.next_multiple_of(1 << RANGE_BITS);
        let address_bits = end_bits(table + (1 << RANGE_BITS));
        in_range("address bits", 0, size(MAX_ADDRESS_BITS), size(address_bits))?;
        in_range("rows of the model", 1, size(MAX_MODEL_ROWS), size(model_rows(&model).len()))?;
        let table = usize::try_from(table).unwrap_or(usize::MAX);
        let mask_cell = model.first().map_or(0, |slot| slot.base + (slot.mask_row() << slot.unit_bits));
        let model_masks = sumcheck::mask_len(address_bits, RANGE_DEGREE);
        let z_len = model_masks + 2 * model.len();
        Ok(Self { model, table, address_bits, mask_cell, model_masks, z_len })
    }

    /// The rows of a tape that are committed to, in order.
    pub fn rows(&self, tape: Tape) -> Vec<usize> {
        let table = self.table..self.table + (1 << RANGE_BITS);
        let mask = self.mask_cell..self.mask_cell + 1;
        match tape {
            Tape::Q => rows_of([table, mask]),
            Tape::H => {
                let mut rows = rows_of([table, mask]);
                rows.extend(model_rows(&self.model));
                rows.sort_unstable();
                rows.dedup();
                rows
            }
            Tape::M => model_rows(&self.model),
            Tape::Z => rows_of(std::iter::once(0..self.z_len)),
            Tape::R | Tape::X => Vec::new(),
        }
    }

    /// Bytes of a proof.
    pub fn proof_len(&self) -> usize {
        let rows: usize = [Tape::Q, Tape::Z, Tape::H].map(|tape| self.rows(tape).len()).iter().sum();
        let range = 2 + self.address_bits * RANGE_DEGREE + 3;
        let opening = 1 + self.address_bits * OPENING_DEGREE;
        (rows + 2 + range + opening) * ELEMENT + CLOSING_BYTES
    }
}

/// Values that the prover reveals at the end of the range sumcheck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values {
    /// `M'`, `H` and `Q` at the point.
    pub tapes: [F; 3],
    /// The mask at the point.
    pub mask: F,
}

/// Accepts a commitment whose weights are shown to be 16-bit integers.
pub fn verify(
    setup: &Setup,
    commitment: ModelCommitment,
    proof: &[u8],
) -> Result<RegisteredModel, VerifyError> {
    let invalid =
        |_: AuditError| VerifyError::Statement { what: "valid architecture", min: 1, max: 1, got: 0 };
    commitment.architecture.validate().map_err(invalid)?;
    let layout = RangeLayout::new(&commitment.architecture)?;
    let model_rows = layout.rows(Tape::M);
    in_range(
        "rows of the model",
        size(model_rows.len()),
        size(model_rows.len()),
        size(commitment.rows.len()),
    )?;
    let expected = layout.proof_len();
    if proof.len() != expected {
        return Err(VerifyError::Length { expected, got: proof.len() });
    }
    let mut reader = Reader::new(proof, &commitment.statement_digest())?;
    let mut tapes = Vec::new();
    for tape in [Tape::Q, Tape::Z] {
        let rows = layout.rows(tape);
        let commitments = reader.points(rows.len())?;
        tapes.push((tape, rows, commitments));
    }
    let blinding = reader.point()?;
    let opening_mask = reader.point()?;
    let beta = reader.challenge();
    let rows = layout.rows(Tape::H);
    let commitments = reader.points(rows.len())?;
    tapes.push((Tape::H, rows, commitments));
    tapes.push((Tape::M, model_rows, commitment.rows.clone()));

    let claims = range(&mut reader, &layout, beta)?;
    let rows: Vec<_> =
        tapes.iter().map(|(tape, rows, commitments)| Rows { tape: *tape, rows, commitments }).collect();
    let opened = opening::verify(&mut reader, layout.address_bits, &claims, &rows, &blinding)?;
    closing::verify(setup, reader, proof, &opened, &opening_mask)?;
    Ok(RegisteredModel::trusted(commitment))
}

/// Follows the range sumcheck and returns its claims about tapes.
fn range(reader: &mut Reader<'_>, layout: &RangeLayout, beta: F) -> Result<Vec<Claim>, VerifyError> {
    let tau = reader.challenges(layout.address_bits);
    let kappa = reader.challenge();
    let reduced = sumcheck::verify(reader, layout.address_bits, RANGE_DEGREE, F::ZERO)?;
    let tapes = [reader.scalar()?, reader.scalar()?, reader.scalar()?];
    let values = Values { tapes, mask: reader.scalar()? };
    let [m, h, q] = tapes;

    let (mut weighted, mut selected) = (F::ZERO, F::ZERO);
    for slot in &layout.model {
        let (rows, units) = (slot.inputs + 2, slot.units);
        let tau = split(&tau, slot.unit_bits, slot.row_bits);
        let r = split(&reduced.point, slot.unit_bits, slot.row_bits);
        let index = slot.base >> (slot.unit_bits + slot.row_bits);
        let prefix = mle::eq_index(index, r.2);
        weighted += prefix
            * mle::eq_index(index, tau.2)
            * mle::eq_below(units, tau.0, r.0)
            * mle::eq_below(rows, tau.1, r.1);
        selected += prefix * mle::below(units, r.0) * mle::below(rows, r.1);
    }
    let tau = split(&tau, RANGE_BITS, 0);
    let (low, _, high) = split(&reduced.point, RANGE_BITS, 0);
    let index = layout.table >> RANGE_BITS;
    let prefix = mle::eq_index(index, high);
    let weighted_table = prefix * mle::eq_index(index, tau.2) * mle::eq(tau.0, low);
    // Entry e is e - 2^15, so the extension is the sum of 2^b·r_b over the bits, minus 2^15.
    let place = |(bit, r): (usize, &F)| F::from(1 << bit) * r;
    let entries: F = low.iter().enumerate().map(place).sum::<F>() - signed(1 << (RANGE_BITS - 1));
    let expected = weighted * (h * (beta - m) - F::ONE)
        + weighted_table * (h * (beta - prefix * entries) + q)
        + kappa * (selected + prefix) * h;
    if !reduced.holds(expected, values.mask) {
        return Err(VerifyError::Failed(Check::WeightRange));
    }
    Ok(claims(layout, &reduced, values))
}

/// Unit, row and slot coordinates.
fn split(point: &[F], units: usize, rows: usize) -> (&[F], &[F], &[F]) {
    let (units, rest) = point.split_at(units.min(point.len()));
    let (rows, slot) = rest.split_at(rows.min(rest.len()));
    (units, rows, slot)
}

/// What the revealed values say about the tapes.
pub fn claims(layout: &RangeLayout, reduced: &Reduced, values: Values) -> Vec<Claim> {
    let point = || Functional::Point(reduced.point.clone());
    let mut masks = Vec::new();
    for slot in &layout.model {
        let first = slot.base + (slot.mask_row() << slot.unit_bits);
        for address in [first, first + (1 << slot.unit_bits)] {
            masks.push(mle::eq_index(address, &reduced.point));
        }
    }
    let masks = Functional::Cells { start: layout.model_masks, weights: masks };
    let [m, h, q] = values.tapes;
    vec![
        Claim {
            terms: vec![
                Term { tape: Tape::M, functional: point() },
                Term { tape: Tape::Z, functional: masks },
            ],
            value: m,
        },
        Claim::one(Tape::H, point(), h),
        Claim::one(Tape::Q, point(), q),
        Claim::mask(0, &reduced.point, RANGE_DEGREE, values.mask),
    ]
}
