//! A labelled tree with its hashes, and witnesses that reveal chosen paths and prune the rest.
//!
//! The hashing is that of the interface specification. Labels are in increasing byte order, so a witness proves
//! absence by revealing the labels next to the gap.

use std::collections::BTreeMap;

use ic_certification::{Hash, HashTree, fork, fork_hash, labeled, labeled_hash, leaf, leaf_hash, pruned};

/// A tree of values under labels.
pub(crate) enum Node {
    Leaf(Vec<u8>),
    Map(BTreeMap<Vec<u8>, Node>),
}

impl Node {
    /// Puts a value under a path of labels, creating what is missing.
    pub(crate) fn insert(&mut self, path: &[&[u8]], value: Vec<u8>) {
        match (self, path) {
            (Node::Map(map), [label]) => {
                map.insert(label.to_vec(), Node::Leaf(value));
            }
            (Node::Map(map), [label, rest @ ..]) => {
                map.entry(label.to_vec()).or_insert_with(Node::empty).insert(rest, value);
            }
            (Node::Leaf(_), _) | (_, []) => debug_assert!(false, "a value cannot have children"),
        }
    }

    pub(crate) fn empty() -> Self {
        Node::Map(BTreeMap::new())
    }
}

/// Which part of a tree a witness reveals.
#[derive(Debug)]
pub(crate) enum Want {
    All,
    Paths(BTreeMap<Vec<u8>, Want>),
}

impl Want {
    /// The union of everything below these paths.
    pub(crate) fn paths<P: AsRef<[u8]>>(paths: &[Vec<P>]) -> Self {
        let mut want = Want::Paths(BTreeMap::new());
        for path in paths {
            let labels: Vec<&[u8]> = path.iter().map(AsRef::as_ref).collect();
            want.add(&labels);
        }
        want
    }

    fn add(&mut self, path: &[&[u8]]) {
        match (path, &mut *self) {
            (_, Want::All) => {}
            ([], _) => *self = Want::All,
            ([label, rest @ ..], Want::Paths(map)) => {
                map.entry(label.to_vec()).or_insert_with(|| Want::Paths(BTreeMap::new())).add(rest);
            }
        }
    }
}

/// A tree with the hash of every part.
pub(crate) struct Hashed {
    digest: Hash,
    part: Part,
}

enum Part {
    Leaf(Vec<u8>),
    Map(Branch, Vec<Vec<u8>>),
}

/// The binary tree over the entries of a map.
enum Branch {
    Empty,
    Entry(Hash, Vec<u8>, Box<Hashed>),
    Fork(Hash, Box<Branch>, Box<Branch>),
}

impl Branch {
    fn digest(&self) -> Hash {
        match self {
            Branch::Empty => ic_certification::empty().digest(),
            Branch::Entry(digest, ..) | Branch::Fork(digest, ..) => *digest,
        }
    }

    fn build(entries: &mut dyn Iterator<Item = (Vec<u8>, Node)>, count: usize) -> Branch {
        if count > 1 {
            let left = Branch::build(entries, count / 2);
            let right = Branch::build(entries, count - count / 2);
            return Branch::Fork(fork_hash(&left.digest(), &right.digest()), Box::new(left), Box::new(right));
        }
        match entries.next() {
            Some((label, node)) if count == 1 => {
                let child = Hashed::new(node);
                Branch::Entry(labeled_hash(&label, &child.digest), label, Box::new(child))
            }
            _ => Branch::Empty,
        }
    }

    /// The witness, and whether it reveals anything.
    fn witness(&self, reveal: &dyn Fn(&[u8], &Hashed) -> Option<HashTree>) -> (HashTree, bool) {
        match self {
            Branch::Empty => (ic_certification::empty(), true),
            Branch::Entry(digest, label, child) => match reveal(label, child) {
                Some(tree) => (labeled(label.as_slice(), tree), true),
                None => (pruned(*digest), false),
            },
            Branch::Fork(digest, left, right) => {
                let ((left, in_left), (right, in_right)) = (left.witness(reveal), right.witness(reveal));
                match in_left || in_right {
                    true => (fork(left, right), true),
                    false => (pruned(*digest), false),
                }
            }
        }
    }
}

impl Hashed {
    /// Computes all hashes.
    pub(crate) fn new(node: Node) -> Self {
        match node {
            Node::Leaf(value) => Hashed { digest: leaf_hash(&value), part: Part::Leaf(value) },
            Node::Map(map) => {
                let labels = map.keys().cloned().collect();
                let count = map.len();
                let branch = Branch::build(&mut map.into_iter(), count);
                Hashed { digest: branch.digest(), part: Part::Map(branch, labels) }
            }
        }
    }

    pub(crate) fn digest(&self) -> Hash {
        self.digest
    }

    /// A tree with the same digest that shows only what is wanted, or its absence.
    pub(crate) fn witness(&self, want: &Want) -> HashTree {
        match (&self.part, want) {
            (Part::Leaf(value), _) => leaf(value.clone()),
            (Part::Map(branch, _), Want::All) => {
                branch.witness(&|_, child| Some(child.witness(&Want::All))).0
            }
            (Part::Map(branch, labels), Want::Paths(paths)) => {
                let mut neighbours: Vec<&[u8]> = Vec::new();
                for path in paths.keys() {
                    if let Err(gap) = labels.binary_search(path) {
                        neighbours
                            .extend(gap.checked_sub(1).and_then(|left| labels.get(left)).map(Vec::as_slice));
                        neighbours.extend(labels.get(gap).map(Vec::as_slice));
                    }
                }
                let reveal = |label: &[u8], child: &Hashed| match paths.get(label) {
                    Some(want) => Some(child.witness(want)),
                    None => neighbours.contains(&label).then(|| pruned(child.digest)),
                };
                branch.witness(&reveal).0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ic_certification::LookupResult;

    use super::*;

    fn tree() -> Hashed {
        let mut root = Node::empty();
        for name in ["a", "c", "e", "g", "i"] {
            root.insert(&[b"users", name.as_bytes(), b"secret"], name.repeat(3).into_bytes());
        }
        root.insert(&[b"time"], vec![7]);
        Hashed::new(root)
    }

    #[test]
    fn a_witness_has_the_same_digest_and_shows_only_the_path() {
        let tree = tree();
        let witness = tree.witness(&Want::paths(&[vec!["users", "c"], vec!["time"]]));
        assert_eq!(witness.digest(), tree.digest());
        assert_eq!(witness.lookup_path(["users", "c", "secret"]), LookupResult::Found(b"ccc"));
        assert_eq!(witness.lookup_path(["time"]), LookupResult::Found(&[7]));
        assert_eq!(witness.lookup_path(["users", "e", "secret"]), LookupResult::Unknown);
        assert!(!format!("{witness:?}").contains("656565"), "another user's value is in the witness");
    }

    #[test]
    fn absence_is_proved_in_every_gap_without_showing_the_neighbours_values() {
        let tree = tree();
        for missing in ["A", "b", "d", "h", "z"] {
            let witness = tree.witness(&Want::paths(&[vec!["users", missing]]));
            assert_eq!(witness.digest(), tree.digest());
            assert_eq!(witness.lookup_path(["users", missing]), LookupResult::Absent, "{missing}");
            assert_eq!(witness.lookup_path(["users", "c", "secret"]), LookupResult::Unknown);
        }
    }

    #[test]
    fn an_empty_map_proves_that_nothing_is_in_it() {
        let tree = Hashed::new(Node::Map(BTreeMap::from([(b"m".to_vec(), Node::empty())])));
        let witness = tree.witness(&Want::paths(&[vec!["m", "x"]]));
        assert_eq!(witness.digest(), tree.digest());
        assert_eq!(witness.lookup_path(["m", "x"]), LookupResult::Absent);
    }
}
