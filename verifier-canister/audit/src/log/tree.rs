//! Merkle trees as in section 2.1 of RFC 9162 (and RFC 6962), with SHA-256.
//!
//! A leaf hash is SHA-256 of `00` and the leaf's bytes, a node's of `01` and its two children. A tree of `n` leaves
//! splits at the largest power of two below `n`. Pairing neighbours level by level, and taking a last one without
//! neighbour up as it is, gives the same tree.

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// Hash of one leaf.
pub fn leaf(bytes: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], bytes])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], &left.0, &right.0])
}

/// All hashes of a tree, for paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Leaves first; the last level has one hash, or none without leaves.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree over leaf hashes, in order.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                alone => alone[0],
            });
            levels.push(above.collect());
        }
        Self { levels }
    }

    /// The root; SHA-256 of nothing for a tree without leaves.
    pub fn root(&self) -> Digest {
        let root = self.levels.last().and_then(|level| level.first());
        root.copied().unwrap_or_else(|| Digest(Sha256::new().finalize().into()))
    }

    /// The inclusion path of a leaf, from its sibling upwards; `None` behind the last.
    pub fn path(&self, index: u32) -> Option<Vec<Digest>> {
        let mut index = index as usize;
        self.levels.first()?.get(index)?;
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(index ^ 1));
            index /= 2;
        }
        Some(path)
    }
}

/// A tree that leaves are added to from left to right, with one hash per complete subtree: small enough to be kept
/// between messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    /// Leaves so far.
    size: u32,
    /// Roots of the complete subtrees, one for each bit set in `size`, the largest first.
    roots: Vec<Digest>,
}

impl Frontier {
    /// Goes on with `size` leaves; `None` unless there is one root for each bit set in it.
    pub fn resume(size: u32, roots: Vec<Digest>) -> Option<Self> {
        (roots.len() as u32 == size.count_ones()).then_some(Self { size, roots })
    }

    /// Leaves so far.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Roots of the complete subtrees, the largest first.
    pub fn roots(&self) -> &[Digest] {
        &self.roots
    }

    /// Adds a leaf hash on the right; at most [`super::MAX_RECORDS`] are ever added.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        // Each subtree that is complete now takes its left neighbour of the same size in.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            hash = node(&left, &hash);
        }
        self.roots.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree over all leaves so far; `None` without any.
    pub fn root(&self) -> Option<Digest> {
        self.roots.iter().rev().copied().reduce(|right, left| node(&left, &right))
    }
}

/// Whether `path` leads from the leaf hash at `index` of `size` leaves to `root`: section 2.1.3.2 of RFC 9162.
pub fn is_included(leaf: Digest, index: u32, size: u32, path: &[Digest], root: Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node(sibling, &hash);
            // A node without right neighbour goes up as it is.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}
