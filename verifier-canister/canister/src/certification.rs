//! The hash tree behind certified data: records, pages and signatures.
//!
//! ```text
//! certified data = root of ┬ assay      records; keys and leaves are those of [`interface::certified`]
//!                          ├ http_expr  pages, as HTTP gateways verify them
//!                          └ sig        envelopes that this canister signed, as anyone verifies canister signatures
//! ```
//!
//! The labels are in the order that hash trees need. A witness of one part has the other two pruned.

use audit::Digest;
use ic_certification::{
    AsHashTree, HashTree, RbTree, fork, fork_hash, hash_tree, labeled_hash, merge_hash_trees, pruned,
};
use ic_http_certification::{HttpCertificationTree, HttpCertificationTreeEntry};
use interface::{Error, certified::TREE_LABEL, signature::SIGNATURE_SEED};

/// Label of canister signatures, by the interface specification.
const SIGNATURE_LABEL: &[u8] = b"sig";

/// What is certified, in heap memory.
#[derive(Default)]
pub struct Tree {
    records: RbTree<Vec<u8>, [u8; 32]>,
    pages: HttpCertificationTree,
    /// Digests of signed messages.
    signed: RbTree<[u8; 32], Vec<u8>>,
}

impl Tree {
    /// Sets the leaf `key`.
    pub fn set(&mut self, key: String, leaf: impl Into<Digest>) {
        self.records.insert(key.into_bytes(), leaf.into().0);
    }

    /// Signs the message with this digest, for ever.
    pub fn sign(&mut self, message: impl Into<Digest>) {
        self.signed.insert(message.into().0, Vec::new());
    }

    /// Signs it no longer.
    pub fn unsign(&mut self, message: impl Into<Digest>) {
        self.signed.delete(&message.into().0);
    }

    /// The pages.
    #[cfg(test)]
    pub fn pages(&self) -> &HttpCertificationTree {
        &self.pages
    }

    /// The pages, to change them.
    pub fn pages_mut(&mut self) -> &mut HttpCertificationTree {
        &mut self.pages
    }

    /// All leaves in the order of their keys.
    #[cfg(test)]
    pub fn leaves(&self) -> Vec<(String, Digest)> {
        let leaf =
            |(key, digest): (&[u8], &[u8; 32])| (String::from_utf8(key.to_vec()).unwrap(), Digest(*digest));
        self.records.iter().map(|(key, digest)| leaf((key.as_ref(), digest))).collect()
    }

    /// What goes into certified data. It depends on the order in which leaves were set, so it may be another one
    /// after an upgrade, over the same leaves.
    pub fn root(&self) -> [u8; 32] {
        fork_hash(&self.records_hash(), &fork_hash(&self.pages.root_hash(), &self.signed_hash()))
    }

    fn records_hash(&self) -> [u8; 32] {
        labeled_hash(TREE_LABEL, &self.records.root_hash())
    }

    fn signed_hash(&self) -> [u8; 32] {
        let seed = Digest::of(SIGNATURE_SEED).0;
        labeled_hash(SIGNATURE_LABEL, &labeled_hash(&seed, &self.signed.root_hash()))
    }

    /// CBOR of the tree, pruned to these records and, where one is absent, to its neighbours.
    pub fn witness(&self, keys: &[impl AsRef<str>]) -> Result<Vec<u8>, Error> {
        let witnesses = keys.iter().map(|key| self.records.witness(key.as_ref().as_bytes()));
        let witness = witnesses.reduce(merge_hash_trees);
        self.records_witness(witness.unwrap_or_else(|| self.records.key_range(b"", b"")))
    }

    /// CBOR of the tree, pruned to all records between two keys, and what proves that there are no others.
    pub fn range_witness(&self, first: &str, last: &str) -> Result<Vec<u8>, Error> {
        self.records_witness(self.records.value_range(first.as_bytes(), last.as_bytes()))
    }

    fn records_witness(&self, records: HashTree) -> Result<Vec<u8>, Error> {
        let rest = pruned(fork_hash(&self.pages.root_hash(), &self.signed_hash()));
        encode(&fork(hash_tree::label(TREE_LABEL, records), rest))
    }

    /// The tree, pruned to one page as it answers `path`.
    pub fn page_witness(
        &self,
        entry: &HttpCertificationTreeEntry<'_>,
        path: &str,
    ) -> Result<HashTree, Error> {
        let page = self.pages.witness(entry, path).map_err(Error::internal)?;
        Ok(fork(pruned(self.records_hash()), fork(page, pruned(self.signed_hash()))))
    }

    /// The tree, pruned to the signature of a message, if it was signed.
    pub fn signature_witness(&self, message: impl Into<Digest>) -> Option<HashTree> {
        let message = message.into().0;
        self.signed.get(&message)?;
        let seed = Digest::of(SIGNATURE_SEED).0;
        let signed = hash_tree::label(SIGNATURE_LABEL, hash_tree::label(seed, self.signed.witness(&message)));
        let pages = pruned(self.pages.root_hash());
        Some(fork(pruned(self.records_hash()), fork(pages, signed)))
    }
}

/// CBOR of a tree.
pub fn encode(tree: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    ciborium::into_writer(tree, &mut bytes).map_err(Error::internal)?;
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
