use sha2::{Digest as _, Sha256};

/// Id of the rule that [`draw_sample`] follows; the generator's hash input starts with it.
pub const SAMPLE_RULE: &str = "assay sample 1";

/// Draws `size` distinct rows out of `rows`, uniformly, and returns them in increasing order.
///
/// The generator is SHA-256 of tag, seed and a block counter (`u32`), read as four little-endian `u64` per block.
/// A partial Fisher–Yates shuffle swaps position `i` with `i + (word mod (rows - i))`; a word in the last,
/// incomplete stretch of `2^64` is skipped, so no row is favoured. Asking for all rows (or more) returns all.
pub fn draw_sample(seed: &[u8; 32], rows: u32, size: u32) -> Vec<u32> {
    let mut indices: Vec<u32> = (0..rows).collect();
    if size >= rows {
        return indices;
    }
    let mut words = Words::new(Sha256::new().chain_update(SAMPLE_RULE).chain_update(seed));
    for position in 0..size as usize {
        let offset = words.below(u64::from(rows) - position as u64);
        indices.swap(position, position + offset as usize);
    }
    indices.truncate(size as usize);
    indices.sort_unstable();
    indices
}

/// Uniform numbers from SHA-256 of a prefix and a block counter.
pub(crate) struct Words {
    prefix: Sha256,
    block: u32,
    buffer: [u64; 4],
    used: usize,
}

impl Words {
    /// The numbers that follow from whatever was hashed so far; each use needs a tag of its own in it.
    pub(crate) fn new(prefix: Sha256) -> Self {
        Self { prefix, block: 0, buffer: [0; 4], used: 4 }
    }

    fn next(&mut self) -> u64 {
        if self.used == self.buffer.len() {
            let hash = self.prefix.clone().chain_update(self.block.to_le_bytes());
            let hash: [u8; 32] = hash.finalize().into();
            for (word, bytes) in self.buffer.iter_mut().zip(hash.chunks_exact(8)) {
                *word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
            }
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }

    /// Uniform in `[0, bound)`; `bound` is positive.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let word = self.next();
            if word < limit {
                return word % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_is_sorted_distinct_and_in_range() {
        for (rows, size) in [(1, 1), (2, 1), (1000, 999), (48_842, 1024)] {
            let sample = draw_sample(&[7; 32], rows, size);
            assert_eq!(sample.len(), size as usize);
            assert!(sample.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(sample.iter().all(|&row| row < rows));
        }
    }

    #[test]
    fn asking_for_everything_returns_everything() {
        assert_eq!(draw_sample(&[0; 32], 5, 5), [0, 1, 2, 3, 4]);
        assert_eq!(draw_sample(&[0; 32], 5, 50), [0, 1, 2, 3, 4]);
        assert!(draw_sample(&[0; 32], 5, 0).is_empty());
    }

    #[test]
    fn another_seed_draws_another_sample() {
        assert_ne!(draw_sample(&[1; 32], 1000, 10), draw_sample(&[2; 32], 1000, 10));
    }

    #[test]
    fn every_row_is_drawn_about_equally_often() {
        let mut hits = [0_u32; 20];
        for seed in 0..2000_u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&seed.to_le_bytes());
            draw_sample(&bytes, 20, 5).iter().for_each(|&row| hits[row as usize] += 1);
        }
        // 500 expected, standard deviation about 19.
        assert!(hits.iter().all(|&count| (400..600).contains(&count)), "{hits:?}");
    }
}
