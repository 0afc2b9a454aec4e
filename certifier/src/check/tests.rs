use ic_certification::{HashTree, HashTreeNode, hash_tree};

/// The tree with the node at `path` replaced by its digest.
pub(super) fn prune(tree: HashTree, path: &[&[u8]]) -> HashTree {
    prune_node(tree.into(), path)
}

fn prune_node(node: HashTreeNode, path: &[&[u8]]) -> HashTree {
    match (node, path) {
        (node, []) => hash_tree::pruned(node.digest()),
        (HashTreeNode::Fork(children), path) => {
            let (left, right) = *children;
            hash_tree::fork(prune_node(left, path), prune_node(right, path))
        }
        (HashTreeNode::Labeled(label, child), path) => {
            let same = label.as_bytes() == path[0];
            let child = if same { prune_node(*child, &path[1..]) } else { unpruned(*child) };
            hash_tree::label(label, child)
        }
        (node, _) => unpruned(node),
    }
}

fn unpruned(node: HashTreeNode) -> HashTree {
    match node {
        HashTreeNode::Empty() => hash_tree::empty(),
        HashTreeNode::Fork(children) => {
            let (left, right) = *children;
            hash_tree::fork(unpruned(left), unpruned(right))
        }
        HashTreeNode::Labeled(label, child) => hash_tree::label(label, unpruned(*child)),
        HashTreeNode::Leaf(bytes) => hash_tree::leaf(bytes),
        HashTreeNode::Pruned(digest) => hash_tree::pruned(digest),
    }
}
