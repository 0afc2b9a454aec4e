use ic_certification::{HashTreeNode, hash_tree};

use super::*;

const CANISTER: &str = "ivg37-qiaaa-aaaab-aaaga-cai";

/// The certificate in a recorded answer to `read_state`.
fn recorded(name: &str) -> Vec<u8> {
    #[derive(serde::Deserialize)]
    struct Answer {
        certificate: ByteBuf,
    }
    let path = format!("{}/tests/ic-certificates/{name}.cbor", env!("CARGO_MANIFEST_DIR"));
    let answer: Answer = serde_cbor::from_slice(&std::fs::read(path).unwrap()).unwrap();
    answer.certificate.into_vec()
}

fn canister() -> Principal {
    Principal::from_text(CANISTER).unwrap()
}

#[test]
fn certificates_of_the_main_network_are_accepted() {
    for name in ["mainnet-shards", "mainnet-ranges"] {
        let certificate = IcCertificate::verify(&recorded(name), &MAINNET_ROOT_KEY).unwrap();
        certificate.covers(canister()).unwrap();
        assert!(certificate.time_ns().unwrap() > 1_600_000_000_000_000_000);
    }
}

#[test]
fn a_canister_of_another_subnet_is_refused() {
    let certificate = IcCertificate::verify(&recorded("mainnet-shards"), &MAINNET_ROOT_KEY).unwrap();
    let other = Principal::from_text("ryjl3-tyaaa-aaaaa-aaaba-cai").unwrap();
    assert_eq!(certificate.covers(other), Err(Failure::CanisterOutOfRange(other)));
}

#[test]
fn pruned_ranges_cover_no_canister() {
    for (name, path) in [
        ("mainnet-shards", &["canister_ranges", "SUBNET"][..]),
        ("mainnet-ranges", &["subnet", "SUBNET", "canister_ranges"]),
    ] {
        let mut certificate: Certificate = serde_cbor::from_slice(&recorded(name)).unwrap();
        let delegation = certificate.delegation.as_mut().unwrap();
        let subnet = delegation.subnet_id.as_slice();
        let path: Vec<_> =
            path.iter().map(|part| if *part == "SUBNET" { subnet } else { part.as_bytes() }).collect();
        let mut issuer: Certificate = serde_cbor::from_slice(&delegation.certificate).unwrap();
        issuer.tree = prune(issuer.tree, &path);
        delegation.certificate = serde_cbor::to_vec(&issuer).unwrap();
        // Pruning keeps every digest, so the signatures still hold.
        let bytes = serde_cbor::to_vec(&certificate).unwrap();
        let certificate = IcCertificate::verify(&bytes, &MAINNET_ROOT_KEY).unwrap();
        let error = certificate.covers(canister()).unwrap_err();
        assert!(matches!(error, Failure::NotInTree { what: "the subnet's canister ranges", .. }), "{error}");
    }
}

#[test]
fn every_changed_byte_of_a_mainnet_certificate_is_noticed() {
    let original = recorded("mainnet-ranges");
    // Each signature costs milliseconds: every byte is visited, with one of its bits.
    for position in 0..original.len() {
        let mut bytes = original.clone();
        bytes[position] ^= 1 << (position % 8);
        assert!(IcCertificate::verify(&bytes, &MAINNET_ROOT_KEY).is_err(), "byte {position}");
    }
}

#[test]
fn deep_nesting_and_trailing_bytes_are_errors() {
    let deep: Vec<u8> = b"\x83\x01".repeat(100_000);
    assert!(matches!(
        parse_cbor::<HashTree>("witness", &deep),
        Err(Failure::Malformed { what: "witness", .. })
    ));
    let trailing = [recorded("mainnet-ranges"), vec![0]].concat();
    assert!(matches!(
        IcCertificate::verify(&trailing, &MAINNET_ROOT_KEY),
        Err(Failure::Malformed { what: "IC certificate", .. })
    ));
    let large = vec![0; MAX_CERTIFICATE + 1];
    assert!(matches!(
        IcCertificate::verify(&large, &MAINNET_ROOT_KEY),
        Err(Failure::TooLarge { what: "IC certificate", .. })
    ));
}

#[test]
fn leb128_needs_a_complete_number() {
    assert_eq!(leb128(&[0xe5, 0x8e, 0x26]), Some(624_485));
    assert_eq!(leb128(&[]), None);
    assert_eq!(leb128(&[0x80]), None);
    assert_eq!(leb128(&[0x01, 0x01]), None);
    assert_eq!(leb128(&[0xff; 10]), None);
}

/// The tree with the node at `path` replaced by its digest.
fn prune(tree: HashTree, path: &[&[u8]]) -> HashTree {
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
