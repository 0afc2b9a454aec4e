//! The lookup table's entries, and their multilinear extension in closed form.
//!
//! Entries come in blocks of `2^bits`, the largest first, so that each block starts at a multiple of its size: its
//! extension is that of its low bits times `eq(block, ·)` of the high ones. Functions other than tables, and the
//! ranges of remainders, are sums of a few products of their low bits.

use audit::Activation;

use crate::{
    Architecture, F, Layout,
    dot::{SmallDot, limbs, signed},
    ff::Field,
    layout::{Entry, Function, shift_tag},
    mle,
};

/// Most bits of an index of which the table of `eq` is kept as limbs.
const INNER_BITS: usize = 8;

/// The entries of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Index of the first, a multiple of `2^bits`.
    pub first: usize,
    /// Bits of an entry's index within the block.
    pub bits: usize,
    /// What they are.
    pub content: Content,
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `(q, f(q))` for `q` from `-2^(bits-1)` on; for arg-max, `(e, 0)` for `e` from 0 on.
    Function(Function),
    /// `(r, 0)` for `r` from 0 on.
    Shift(u8),
}

impl Content {
    /// The tag of its entries.
    pub fn tag(self) -> u64 {
        match self {
            Self::Function(function) => function.tag(),
            Self::Shift(shift) => shift_tag(shift),
        }
    }
}

/// Blocks of functions with `2^function_bits` entries and of shifts, the largest first; functions before a shift of
/// the same size.
pub(crate) fn blocks(
    functions: impl IntoIterator<Item = Function>,
    shifts: impl IntoIterator<Item = u8>,
    function_bits: u8,
) -> Vec<Block> {
    let functions = functions.into_iter().map(|function| (function_bits, Content::Function(function)));
    let shifts = shifts.into_iter().map(|shift| (shift, Content::Shift(shift)));
    let mut contents: Vec<_> = functions.chain(shifts).collect();
    contents.sort_by_key(|&(bits, _)| std::cmp::Reverse(bits));
    let mut end = 0;
    let mut block = |(bits, content)| {
        let first = end;
        end += 1_usize << bits;
        Block { first, bits: usize::from(bits), content }
    };
    contents.into_iter().map(&mut block).collect()
}

/// Number of entries of these blocks. Arg-max has one more, at the very end: the chosen unit's.
pub(crate) fn entry_count(blocks: &[Block]) -> usize {
    let size: usize = blocks.iter().map(|block| 1_usize << block.bits).sum();
    size + usize::from(has_arg_max(blocks))
}

/// The chosen unit's entry: only the largest is chosen.
fn chosen() -> Entry {
    Entry { key: 0, value: 1, tag: Function::ArgMax.tag() }
}

fn has_arg_max(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| block.content == Content::Function(Function::ArgMax))
}

impl Block {
    fn half(&self) -> i32 {
        1 << self.bits.saturating_sub(1)
    }

    fn entries<'a>(&self, architecture: &'a Architecture) -> impl Iterator<Item = Entry> + 'a {
        let (half, content, tag) = (self.half(), self.content, self.content.tag());
        (0..1_i32 << self.bits).map(move |index| match content {
            Content::Function(Function::Activation(id)) => {
                let key = index - half;
                Entry { key, value: apply(architecture, id.activation(), key, half), tag }
            }
            Content::Function(Function::ArgMax) | Content::Shift(_) => Entry { key: index, value: 0, tag },
        })
    }

    /// The extensions of keys and values at a point over the index within the block.
    fn extension(&self, architecture: &Architecture, point: &[F]) -> (F, F) {
        let index = index(point);
        let Content::Function(Function::Activation(id)) = self.content else { return (index, F::ZERO) };
        let key = index - signed(self.half().into());
        // Keys below zero have the top bit clear.
        let (top, low) = point.split_last().map_or((F::ZERO, point), |(&top, low)| (top, low));
        let value = match id.activation() {
            Activation::Identity => key,
            Activation::Relu => top * self::index(low),
            Activation::Step => top * (F::ONE - mle::zeros(low)),
            Activation::Table(table) => {
                let table = architecture.tables.get(usize::from(table));
                table.map_or(F::ZERO, |table| dense(&table.values, point))
            }
        };
        (key, value)
    }
}

/// The extension of `i` at a point over its bits.
fn index(point: &[F]) -> F {
    point.iter().rev().fold(F::ZERO, |sum, r| sum.double() + r)
}

/// The extension of `2^(point.len())` small integers.
///
/// The inner sums read one short table of `eq`, so a value costs eight small multiplications and nothing else.
fn dense(values: &[i16], point: &[F]) -> F {
    let (inner, outer) = point.split_at(INNER_BITS.min(point.len()));
    let inner: Vec<_> = mle::eq_table(inner).iter().map(limbs).collect();
    let outer = mle::eq_table(outer);
    let sums = values.chunks(inner.len()).map(|values| {
        let mut sum = SmallDot::default();
        inner.iter().zip(values).for_each(|(eq, &value)| sum.add(eq, value.into()));
        sum.finish()
    });
    outer.iter().zip(sums).map(|(eq, sum)| sum * eq).sum()
}

fn apply(architecture: &Architecture, activation: Activation, key: i32, half: i32) -> i32 {
    match activation {
        Activation::Identity => key,
        Activation::Relu => key.max(0),
        Activation::Step => i32::from(key > 0),
        Activation::Table(index) => {
            let table = architecture.tables.get(usize::from(index));
            let position = usize::try_from(key + half).unwrap_or(usize::MAX);
            table.and_then(|table| table.values.get(position)).copied().map_or(0, i32::from)
        }
    }
}

/// The lookup table, entry by entry.
pub(crate) fn entries<'a>(
    blocks: &'a [Block],
    architecture: &'a Architecture,
) -> impl Iterator<Item = Entry> + 'a {
    let chosen = has_arg_max(blocks).then(chosen);
    blocks.iter().flat_map(|block| block.entries(architecture)).chain(chosen)
}

/// The extension of the compressed entries at a point over the table's index.
pub(crate) fn extension(architecture: &Architecture, layout: &Layout, alpha: F, point: &[F]) -> F {
    let compress = |key, value, tag| key + alpha * (value + alpha * F::from(tag));
    let block = |block: &Block| {
        let (low, high) = point.split_at(block.bits.min(point.len()));
        let (key, value) = block.extension(architecture, low);
        mle::eq_index(block.first >> block.bits, high) * compress(key, value, block.content.tag())
    };
    let mut sum: F = layout.blocks().iter().map(block).sum();
    if has_arg_max(layout.blocks()) {
        let Entry { key, value, tag } = chosen();
        let last = mle::eq_index(layout.table.entries - 1, point);
        sum += last * compress(signed(key.into()), signed(value.into()), tag);
    }
    sum
}

#[cfg(test)]
mod tests {
    use audit::{Decision, Digest, Table};

    use super::*;
    use crate::{LayerShape, lookup::compress};

    /// A model of one unit per layer with these functions and shifts; arg-max where `classes` says so.
    fn architecture(bits: u8, layers: &[(Activation, u8)], arg_max: bool) -> Architecture {
        let half = 1_i64 << (bits - 1);
        let value = |table: i64, key: i64| ((key * key * (7 + table) + table) % half) as i16;
        let tables = (0..2)
            .map(|table| Table {
                name: format!("table {table}"),
                values: (-half..half).map(|key| value(table, key)).collect(),
            })
            .collect();
        let layer = |&(activation, shift)| LayerShape { inputs: 2, units: 2, shift, activation };
        Architecture {
            name: "table".to_owned(),
            encoding: Digest([0; 32]),
            classes: 2,
            activation_bits: bits,
            tables,
            decision: if arg_max { Decision::ArgMax } else { Decision::Step },
            layers: layers.iter().map(layer).collect(),
        }
    }

    #[test]
    fn closed_forms_are_the_sum_over_the_entries() {
        let functions = [
            Activation::Identity,
            Activation::Relu,
            Activation::Step,
            Activation::Table(0),
            Activation::Table(1),
        ];
        let mut checked = 0;
        for bits in 2..=16_u8 {
            for arg_max in [false, true] {
                // Each function alone and all together, shifts below, at and above B.
                let shifts = [1, bits - 1, bits, (bits + 1).min(16), 16];
                let alone = functions.iter().zip(shifts).map(|(&function, shift)| vec![(function, shift)]);
                let all = functions.into_iter().zip(shifts).collect();
                let sizes = if bits > 12 { 5..6 } else { 0..6 };
                for layers in alone.chain([all]).skip(sizes.start) {
                    let architecture = architecture(bits, &layers, arg_max);
                    let layout = Layout::new(&architecture, 1).unwrap();
                    assert_eq!(layout.entries(&architecture).count(), layout.table.entries);
                    assert!(layout.blocks().iter().all(|block| block.first % (1 << block.bits) == 0));
                    let seed = F::from(1000 + u64::from(bits)).pow([99]);
                    let point = mle::powers(seed, layout.table.bits);
                    let alpha = seed.square() + F::ONE;
                    let eq = mle::eq_table(&point);
                    let entries = layout.entries(&architecture);
                    let naive = entries.zip(&eq).map(|(entry, eq)| {
                        compress(alpha, entry.key.into(), entry.value.into(), entry.tag) * eq
                    });
                    assert_eq!(
                        extension(&architecture, &layout, alpha, &point),
                        naive.sum::<F>(),
                        "{layers:?}"
                    );
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 2 * (11 * 6 + 4));
    }

    #[test]
    fn blocks_are_ordered_by_size_and_the_chosen_units_entry_is_the_last() {
        let layers =
            [(Activation::Step, 3), (Activation::Identity, 5), (Activation::Relu, 4), (Activation::Relu, 9)];
        let architecture = architecture(4, &layers, true);
        let layout = Layout::new(&architecture, 1).unwrap();
        let blocks: Vec<_> =
            layout.blocks().iter().map(|block| (block.first, block.bits, block.content.tag())).collect();
        assert_eq!(
            blocks,
            [
                (0, 9, 73),
                (512, 5, 69),
                (544, 4, 1),
                (560, 4, 2),
                (576, 4, 3),
                (592, 4, 32),
                (608, 4, 68),
                (624, 3, 67)
            ]
        );
        assert_eq!(layout.table.entries, 633);
        assert_eq!(layout.entries(&architecture).last(), Some(Entry { key: 0, value: 1, tag: 32 }));
    }
}
