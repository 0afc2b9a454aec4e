//! The hash tree behind certified data. Keys and leaves are those of [`interface::certified`].

use audit::Digest;
use ic_certification::{AsHashTree, HashTree, RbTree, hash_tree, labeled_hash, merge_hash_trees};
use interface::{Error, certified::TREE_LABEL};

/// A tree from keys to digests, in heap memory.
#[derive(Default)]
pub struct Tree {
    leaves: RbTree<Vec<u8>, [u8; 32]>,
}

impl Tree {
    /// Sets the leaf `key`.
    pub fn set(&mut self, key: String, leaf: impl Into<Digest>) {
        self.leaves.insert(key.into_bytes(), leaf.into().0);
    }

    /// All leaves in the order of their keys.
    #[cfg(test)]
    pub fn leaves(&self) -> Vec<(String, Digest)> {
        let leaf =
            |(key, digest): (&[u8], &[u8; 32])| (String::from_utf8(key.to_vec()).unwrap(), Digest(*digest));
        self.leaves.iter().map(|(key, digest)| leaf((key.as_ref(), digest))).collect()
    }

    /// What goes into certified data: the root of `labeled("assay", tree)`. It depends on the order in which
    /// leaves were set, so it may be another one after an upgrade, over the same leaves.
    pub fn root(&self) -> [u8; 32] {
        labeled_hash(TREE_LABEL, &self.leaves.root_hash())
    }

    /// CBOR of the tree, pruned to these keys and, where a key is absent, to its neighbours.
    pub fn witness(&self, keys: &[impl AsRef<str>]) -> Result<Vec<u8>, Error> {
        let witnesses = keys.iter().map(|key| self.leaves.witness(key.as_ref().as_bytes()));
        encode(witnesses.reduce(merge_hash_trees).unwrap_or_else(|| self.leaves.key_range(b"", b"")))
    }

    /// CBOR of the tree, pruned to all leaves between two keys, and what proves that there are no others.
    pub fn range_witness(&self, first: &str, last: &str) -> Result<Vec<u8>, Error> {
        encode(self.leaves.value_range(first.as_bytes(), last.as_bytes()))
    }
}

fn encode(tree: HashTree) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&hash_tree::label(TREE_LABEL, tree), &mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use ic_certification::LookupResult;

    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        for id in 1..=20 {
            tree.set(format!("audit/{id:010}"), Digest::of(&[id]));
        }
        tree
    }

    fn decode(witness: &[u8]) -> HashTree {
        serde_cbor::from_slice(witness).unwrap()
    }

    fn look<'a>(tree: &'a HashTree, key: &str) -> LookupResult<'a> {
        tree.lookup_path([TREE_LABEL, key.as_bytes()])
    }

    #[test]
    fn witness_of_present_and_absent_keys() {
        let tree = tree();
        let witness = decode(&tree.witness(&["audit/0000000003", "audit/0000000021", "a"]).unwrap());
        assert_eq!(witness.digest(), tree.root());
        assert_eq!(look(&witness, "audit/0000000003"), LookupResult::Found(&Digest::of(&[3]).0));
        assert_eq!(look(&witness, "audit/0000000021"), LookupResult::Absent);
        assert_eq!(look(&witness, "a"), LookupResult::Absent);
        assert_eq!(look(&witness, "audit/0000000010"), LookupResult::Unknown);
    }

    #[test]
    fn range_witness_leaves_no_gap() {
        let tree = tree();
        let witness = decode(&tree.range_witness("audit/0000000005", "audit/0000000009").unwrap());
        assert_eq!(witness.digest(), tree.root());
        for id in 5..=9 {
            let found = look(&witness, &format!("audit/{id:010}"));
            assert_eq!(found, LookupResult::Found(&Digest::of(&[id]).0));
        }
        assert_eq!(look(&witness, "audit/0000000005x"), LookupResult::Absent);
        assert_eq!(look(&witness, "audit/0000000020"), LookupResult::Unknown);
    }

    #[test]
    fn empty_tree_proves_absence() {
        let tree = Tree::default();
        for witness in [tree.witness(&["x"]), tree.witness(&[] as &[&str]), tree.range_witness("a", "z")] {
            let witness = decode(&witness.unwrap());
            assert_eq!(witness.digest(), tree.root());
            assert_eq!(look(&witness, "x"), LookupResult::Absent);
        }
    }

    #[test]
    fn no_keys_still_give_the_root() {
        let tree = tree();
        let witness = decode(&tree.witness(&[] as &[&str]).unwrap());
        assert_eq!(witness.digest(), tree.root());
    }
}
