//! Where every committed value lies: a function of architecture and number of samples, nothing else.
//!
//! All tapes share one address space of `2^v` cells, cut into rows of `2^c`. Each layer has an aligned slot with
//! addresses `[slot][sample: n bits][unit: h bits]`; one more slot holds the lookup table.

use std::{collections::BTreeSet, ops::Range};

use audit::{Activation, Decision};

use crate::{
    Architecture, VerifyError,
    error::in_range,
    table::{self, Block},
};

/// Bits of a row: 256 cells.
pub const ROW_BITS: usize = 8;
/// Cells of a row.
pub const ROW: usize = 1 << ROW_BITS;
/// Fresh random cells in each slot.
pub const MASK_CELLS: usize = 8;
/// Most samples of one proof.
pub const MAX_SAMPLES: usize = 1 << 16;
/// Most address bits: 64 million cells.
pub const MAX_ADDRESS_BITS: usize = 26;

/// Degree of the lookup sumcheck.
pub const LOOKUP_DEGREE: usize = 4;
/// Degree of the sample sumcheck.
pub const SAMPLE_DEGREE: usize = 2;
/// Degree of the contraction sumcheck.
pub const CONTRACTION_DEGREE: usize = 3;
/// Degree of the opening sumcheck.
pub const OPENING_DEGREE: usize = 2;

/// A committed table of `2^v` cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tape {
    /// Requantized values; multiplicities in the table slot.
    Q,
    /// Remainders of the requantization.
    R,
    /// Activations.
    X,
    /// Inverses for the lookup argument.
    H,
    /// Weights and bias limbs; committed at registration.
    M,
    /// Coefficients of the sumchecks' masks and the mask cells of `M`.
    Z,
}

impl Tape {
    /// All, in the order in which they are combined.
    pub const ALL: [Self; 6] = [Self::Q, Self::R, Self::X, Self::H, Self::M, Self::Z];
}

/// Where one layer's activations lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// First address.
    pub base: usize,
    /// H, units that are used.
    pub units: usize,
    /// h, bits of the unit's index.
    pub unit_bits: usize,
    /// Which function's entries its cells are looked up in.
    pub function: Function,
    /// w: the remainders are below `2^w`.
    pub shift: u8,
}

/// Where one layer's weights lie: rows `k < D`, then the high and the low bias limbs, units as columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSlot {
    /// First address.
    pub base: usize,
    /// D, activations read.
    pub inputs: usize,
    /// d, bits of the row's index.
    pub row_bits: usize,
    /// H, units.
    pub units: usize,
    /// h, bits of the unit's index.
    pub unit_bits: usize,
}

impl ModelSlot {
    /// `k*`, the first of two rows that exist on tape `Z` only and mask what is revealed about the weights.
    pub fn mask_row(&self) -> usize {
        self.inputs + 2
    }
}

/// A set of lookup entries. Each has its own tag, so no value can be looked up in another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// `(q, f(q))` for a layer's function.
    Activation(ActivationId),
    /// `(e, 0)` for `0 <= e < 2^B`, and `(0, 1)`: only the largest unit is chosen.
    ArgMax,
}

/// An activation by its number, for a fixed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivationId(u8);

impl ActivationId {
    fn of(activation: Activation) -> Self {
        Self(match activation {
            Activation::Identity => 0,
            Activation::Relu => 1,
            Activation::Step => 2,
            Activation::Table(index) => index.saturating_add(3),
        })
    }

    /// The activation with this number.
    pub fn activation(self) -> Activation {
        match self.0 {
            0 => Activation::Identity,
            1 => Activation::Relu,
            2 => Activation::Step,
            index => Activation::Table(index - 3),
        }
    }
}

impl Function {
    /// Its tag, from 1 to 32.
    pub fn tag(self) -> u64 {
        match self {
            Self::Activation(id) => u64::from(id.0) + 1,
            Self::ArgMax => 32,
        }
    }
}

/// The tag of remainders below `2^shift`, from 65 to 80.
pub fn shift_tag(shift: u8) -> u64 {
    64 + u64::from(shift)
}

/// One entry of the lookup table: `key + alpha·value + alpha²·tag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Requantized value or remainder.
    pub key: i32,
    /// Function value; 0 for a remainder.
    pub value: i32,
    /// Tag of the function or of the shift.
    pub tag: u64,
}

/// The lookup table's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSlot {
    /// First address.
    pub base: usize,
    /// Bits of an entry's index.
    pub bits: usize,
    /// Number of entries.
    pub entries: usize,
}

/// Where the masks lie on tape `Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masks {
    /// Mask of the lookup (or range) sumcheck.
    pub lookup: usize,
    /// Mask of the sample sumcheck.
    pub samples: usize,
    /// Mask of the contraction sumcheck.
    pub contraction: usize,
    /// First of two cells per layer for `M`.
    pub model: usize,
    /// Cells used.
    pub len: usize,
}

/// The whole map for one proof of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// N, samples.
    pub samples: usize,
    /// n, bits of a sample's index; leaves room for the mask cells.
    pub sample_bits: usize,
    /// v, bits of an address.
    pub address_bits: usize,
    /// One slot per dense layer, then one for arg-max if that is the decision.
    pub slots: Vec<Slot>,
    /// Number of dense layers.
    pub dense: usize,
    /// The lookup table.
    pub table: TableSlot,
    /// One slot per dense layer on tape `M`.
    pub model: Vec<ModelSlot>,
    /// Bits of a contraction index: the largest `row_bits`.
    pub contraction_bits: usize,
    /// Places on tape `Z`.
    pub masks: Masks,
    /// Blocks of the table, in order.
    blocks: Vec<Block>,
}

impl Layout {
    /// The map for `samples` samples of a validated architecture.
    pub fn new(architecture: &Architecture, samples: usize) -> Result<Self, VerifyError> {
        in_range("samples", 1, size(MAX_SAMPLES), size(samples))?;
        let mut slots: Vec<Slot> = architecture
            .layers
            .iter()
            .map(|layer| {
                slot(layer.units, Function::Activation(ActivationId::of(layer.activation)), layer.shift)
            })
            .collect();
        let dense = slots.len();
        if let (Decision::ArgMax, Some(last)) = (architecture.decision, architecture.layers.last()) {
            slots.push(slot(last.units, Function::ArgMax, last.shift));
        }
        let narrowest = slots.iter().map(|slot| slot.unit_bits).min().unwrap_or(0);
        let sample_bits = bits(samples + MASK_CELLS.div_ceil(1 << narrowest));

        let functions: BTreeSet<_> = slots.iter().map(|slot| slot.function).collect();
        let shifts: BTreeSet<_> = slots.iter().map(|slot| slot.shift).collect();
        let blocks = table::blocks(functions, shifts, architecture.activation_bits);
        let entries = table::entry_count(&blocks);
        let mut table = TableSlot { base: 0, bits: bits(entries), entries };

        let mut places: Vec<(usize, &mut usize)> =
            slots.iter_mut().map(|slot| (sample_bits + slot.unit_bits, &mut slot.base)).collect();
        places.push((table.bits, &mut table.base));
        let end = place(places);

        let (model, model_end) = model_slots(architecture);
        let address_bits = end_bits(end.max(model_end)).max(ROW_BITS + 1);
        in_range("address bits", 0, size(MAX_ADDRESS_BITS), size(address_bits))?;
        let contraction_bits = model.iter().map(|slot| slot.row_bits).max().unwrap_or(0);
        let masks = {
            let lookup = 0;
            let samples = lookup + crate::sumcheck::mask_len(address_bits, LOOKUP_DEGREE);
            let contraction = samples + crate::sumcheck::mask_len(sample_bits, SAMPLE_DEGREE);
            let model = contraction + crate::sumcheck::mask_len(contraction_bits, CONTRACTION_DEGREE);
            Masks { lookup, samples, contraction, model, len: model + 2 * dense }
        };
        Ok(Self {
            samples,
            sample_bits,
            address_bits,
            slots,
            dense,
            table,
            model,
            contraction_bits,
            masks,
            blocks,
        })
    }

    /// The lookup table, entry by entry.
    pub fn entries<'a>(&'a self, architecture: &'a Architecture) -> impl Iterator<Item = Entry> + 'a {
        table::entries(&self.blocks, architecture)
    }

    /// Its blocks, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Addresses of a slot's data and mask cells: everything that may be other than zero.
    pub fn active(&self, slot: &Slot) -> Range<usize> {
        slot.base..slot.base + (self.samples << slot.unit_bits) + MASK_CELLS
    }

    /// Addresses of a slot's mask cells.
    pub fn mask_cells(&self, slot: &Slot) -> Range<usize> {
        let end = self.active(slot).end;
        end - MASK_CELLS..end
    }

    /// The rows of a tape that are committed to, in order.
    pub fn rows(&self, tape: Tape) -> Vec<usize> {
        rows_of(self.ranges(tape))
    }

    /// Addresses of a tape that may hold other values than zero.
    fn ranges(&self, tape: Tape) -> Vec<Range<usize>> {
        let table = self.table.base..self.table.base + self.table.entries;
        let slots = self.slots.iter().map(|slot| self.active(slot));
        match tape {
            Tape::Q | Tape::H => slots.chain(std::iter::once(table)).collect(),
            Tape::R | Tape::X => slots.collect(),
            Tape::M => model_ranges(&self.model),
            Tape::Z => std::iter::once(0..self.masks.len).collect(),
        }
    }

    /// Number of rows sent with the proof.
    pub fn sent_rows(&self) -> usize {
        let rows = |&tape: &Tape| row_ranges(self.ranges(tape)).iter().map(Range::len).sum::<usize>();
        Tape::ALL.iter().filter(|&&tape| tape != Tape::M).map(rows).sum()
    }
}

/// The rows of `M` that hold weights or bias limbs, in order.
pub fn model_rows(model: &[ModelSlot]) -> Vec<usize> {
    rows_of(model_ranges(model))
}

fn model_ranges(model: &[ModelSlot]) -> Vec<Range<usize>> {
    model.iter().map(|slot| slot.base..slot.base + ((slot.inputs + 2) << slot.unit_bits)).collect()
}

/// Slots on tape `M` for a validated architecture, and the end of the last.
pub fn model_slots(architecture: &Architecture) -> (Vec<ModelSlot>, u64) {
    let slot = |layer: &crate::LayerShape| {
        let (inputs, units) = (layer.inputs as usize, layer.units as usize);
        ModelSlot { base: 0, inputs, row_bits: bits(inputs + 4), units, unit_bits: bits(units) }
    };
    let mut slots: Vec<ModelSlot> = architecture.layers.iter().map(slot).collect();
    let end = place(slots.iter_mut().map(|slot| (slot.row_bits + slot.unit_bits, &mut slot.base)).collect());
    (slots, end)
}

/// Rows that meet one of these address ranges, in order.
pub(crate) fn rows_of(ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<usize> {
    row_ranges(ranges).into_iter().flatten().collect()
}

/// The same as disjoint ranges of rows.
fn row_ranges(ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut rows: Vec<_> =
        ranges.into_iter().map(|range| range.start / ROW..range.end.div_ceil(ROW)).collect();
    rows.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(rows.len());
    for range in rows {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Smallest `b` with `2^b >= count`.
pub fn bits(count: usize) -> usize {
    count.next_power_of_two().trailing_zeros() as usize
}

/// Bits of an address below `end`.
pub(crate) fn end_bits(end: u64) -> usize {
    (u64::BITS - end.saturating_sub(1).leading_zeros()) as usize
}

fn slot(units: u32, function: Function, shift: u8) -> Slot {
    let units = units as usize;
    Slot { base: 0, units, unit_bits: bits(units), function, shift }
}

/// Gives slots of `2^bits` cells aligned places, the largest first, and returns where the last ends.
///
/// Counts in 64 bits: before the address bits are checked, the end may lie beyond what 32 bits hold.
fn place(mut slots: Vec<(usize, &mut usize)>) -> u64 {
    slots.sort_by_key(|&(bits, _)| std::cmp::Reverse(bits));
    let mut end = 0_u64;
    for (bits, base) in slots {
        *base = usize::try_from(end).unwrap_or(usize::MAX);
        end += 1 << bits;
    }
    end
}

/// A size as the type of error messages.
pub(crate) fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use audit::Digest;

    use super::*;
    use crate::LayerShape;

    fn relu(widths: &[u32]) -> Architecture {
        let layer = |pair: &[u32]| LayerShape {
            inputs: pair[0],
            units: pair[1],
            shift: 8,
            activation: Activation::Relu,
        };
        let mut layers: Vec<_> = widths.windows(2).map(layer).collect();
        layers.last_mut().unwrap().activation = Activation::Step;
        Architecture {
            name: "wide".to_owned(),
            encoding: Digest([0; 32]),
            classes: 2,
            activation_bits: 8,
            tables: Vec::new(),
            decision: Decision::Step,
            layers,
        }
    }

    #[test]
    fn slots_beyond_32_bits_are_refused() {
        // Few weights, but four slots of 2^29 cells: their end is no 32-bit number's power of two.
        let architecture = relu(&[1, 4096, 1, 4096, 1, 4096, 1, 4096, 1]);
        assert_eq!(architecture.validate(), Ok(()));
        let refused = VerifyError::Statement { what: "address bits", min: 0, max: 26, got: 32 };
        assert_eq!(Layout::new(&architecture, MAX_SAMPLES), Err(refused));
        assert!(Layout::new(&architecture, 500).is_ok());
    }

    #[test]
    fn bits_of_an_end() {
        for (end, bits) in [(0, 0), (1, 0), (2, 1), (3, 2), (256, 8), (257, 9), ((1 << 31) + 1, 32)] {
            assert_eq!(end_bits(end), bits, "{end}");
        }
    }
}
