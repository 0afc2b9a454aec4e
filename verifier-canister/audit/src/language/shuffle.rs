use sha2::{Digest as _, Sha256};

use crate::{Digest, sample::Words};

/// Id of the rule that [`order`] follows; the generator's hash input starts with it.
pub const SHUFFLE_RULE: &str = "assay shuffle 1";

/// The options of an item in the order in which they are shown: entry `p` is the option at position `p`.
///
/// A Fisher–Yates shuffle from the first position on, with the generator of [`crate::draw_sample`] over tag, seed and the
/// item's number (`u32`, little-endian). Every order is equally likely over seeds, and independent between items.
pub fn order(seed: &Digest, item: u32, options: usize) -> Vec<usize> {
    let prefix = Sha256::new().chain_update(SHUFFLE_RULE).chain_update(seed.0);
    let mut words = Words::new(prefix.chain_update(item.to_le_bytes()));
    let mut order: Vec<usize> = (0..options).collect();
    for position in 0..options {
        let offset = words.below((options - position) as u64) as usize;
        order.swap(position, position + offset);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_appears_about_equally_often() {
        let mut seen = std::collections::BTreeMap::new();
        for item in 0..24_000 {
            *seen.entry(order(&Digest([3; 32]), item, 4)).or_insert(0_u32) += 1;
        }
        // 1,000 of each expected, standard deviation about 31.
        assert_eq!(seen.len(), 24);
        assert!(seen.values().all(|count| (850..1150).contains(count)), "{seen:?}");
    }

    #[test]
    fn every_option_stands_at_every_position_about_equally_often() {
        let mut hits = [[0_u32; 3]; 3];
        for item in 0..3000 {
            for (position, option) in order(&Digest([9; 32]), item, 3).into_iter().enumerate() {
                hits[position][option] += 1;
            }
        }
        assert!(hits.iter().flatten().all(|count| (900..1100).contains(count)), "{hits:?}");
    }

    #[test]
    fn seed_and_item_both_matter_and_nothing_else_does() {
        let orders = |seed| (0..50).map(|item| order(&Digest([seed; 32]), item, 4)).collect::<Vec<_>>();
        assert_eq!(orders(1), orders(1));
        assert_ne!(orders(1), orders(2));
        assert_eq!(order(&Digest([1; 32]), 0, 1), [0]);
        assert_eq!(order(&Digest([1; 32]), 0, 0), [0; 0]);
        // Fixed for ever: an opened transcript must stay checkable. From an implementation in Python.
        assert_eq!(
            (0..4).map(|item| order(&Digest([0; 32]), item, 4)).collect::<Vec<_>>(),
            [[2, 3, 0, 1], [0, 2, 1, 3], [2, 0, 3, 1], [1, 2, 3, 0]]
        );
    }
}
