//! The records behind a certificate, each on the way from the subnet's signature to its leaf.

use audit::{
    Certificate, Digest,
    certificate::{Logged, Predicate},
};
use candid::Principal;
use ic_certification::{HashTree, HashTreeNode, LookupResult, SubtreeLookupResult};
use interface::{
    AuditRecord, AuditState, DatasetRecord, ModelRecord, Proof, SigningKey,
    certified::{TREE_LABEL, audit_key, dataset_key, model_key, parse_audit, parse_dataset, parse_model},
    certified::{parse_signing_key, signing_key_key},
    export::RecordsFile,
};

use crate::{
    Failure, Trust,
    ic_certificate::IcCertificate,
    steps::{Step, Steps, age, equal, leaf, witness},
};

/// Checks an answer about one record: that `canister` had certified just these bytes under `key`, or that there is
/// nothing under it. The signature, the canister's place in the subnet, the age and the witness are checked as for a
/// certificate.
pub fn check_record(
    canister: Principal,
    trust: &Trust,
    proof: &Proof,
    key: &str,
    record: Option<&[u8]>,
) -> Result<(), Failure> {
    let witness = proved(canister, trust, proof)?;
    match record {
        Some(record) => leaf(&witness, "record", key, record).map(drop),
        None => absent(&witness, key),
    }
}

/// Checks an answer about all records between two keys: that `canister` had certified just these, in order, and no
/// other that lies from `first` to `last`. Records are keys and bytes; neither end is a record's key.
pub fn check_range(
    canister: Principal,
    trust: &Trust,
    proof: &Proof,
    range: (&str, &str),
    records: &[(String, Vec<u8>)],
) -> Result<(), Failure> {
    complete(&proved(canister, trust, proof)?, range, records)
}

fn complete(
    witness: &HashTree,
    (first, last): (&str, &str),
    records: &[(String, Vec<u8>)],
) -> Result<(), Failure> {
    let SubtreeLookupResult::Found(tree) = witness.lookup_subtree([TREE_LABEL]) else {
        return Err(Failure::Pruned(first.to_owned()));
    };
    let mut expected = records.iter();
    // Whether something may be hidden between the last label seen and the next.
    let mut hidden = false;
    for node in in_order(tree.as_ref()) {
        let HashTreeNode::Labeled(label, _) = node else {
            hidden = true;
            continue;
        };
        let label = label.as_bytes();
        if label > first.as_bytes() && hidden {
            return Err(Failure::Pruned(first.to_owned()));
        }
        hidden = false;
        if label <= first.as_bytes() || label >= last.as_bytes() {
            if label >= last.as_bytes() {
                break;
            }
            continue;
        }
        let key = String::from_utf8_lossy(label);
        match expected.next() {
            Some((expected, record)) if *expected == key => {
                leaf(witness, "record", expected, record).map(drop)?
            }
            Some((expected, _)) if expected.as_bytes() < label => {
                return Err(Failure::OutOfOrder(expected.clone()));
            }
            _ => return Err(Failure::Present(key.into_owned())),
        }
    }
    if hidden {
        return Err(Failure::Pruned(last.to_owned()));
    }
    expected.next().map_or(Ok(()), |(key, _)| Err(Failure::OutOfOrder(key.clone())))
}

/// Labels and pruned parts of a tree, from left to right, not looking below labels.
fn in_order(root: &HashTreeNode) -> Vec<&HashTreeNode> {
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(node) = open.pop() {
        match node {
            HashTreeNode::Fork(halves) => open.extend([&halves.1, &halves.0]),
            HashTreeNode::Labeled(..) | HashTreeNode::Pruned(_) => found.push(node),
            HashTreeNode::Empty() | HashTreeNode::Leaf(_) => {}
        }
    }
    found
}

/// The witness of an answer that the subnet certified.
fn proved(canister: Principal, trust: &Trust, proof: &Proof) -> Result<HashTree, Failure> {
    let certificate = proof.ic_certificate.as_ref().map_or(&[][..], |bytes| bytes);
    let ic = IcCertificate::verify(certificate, &trust.root_key)?;
    ic.covers(canister)?;
    age(trust, &ic)?;
    Ok(witness(canister, &proof.witness, &ic)?.0)
}

fn absent(witness: &HashTree, key: &str) -> Result<(), Failure> {
    match witness.lookup_path([TREE_LABEL, key.as_bytes()]) {
        LookupResult::Absent => Ok(()),
        LookupResult::Found(_) => Err(Failure::Present(key.to_owned())),
        LookupResult::Unknown | LookupResult::Error => Err(Failure::Pruned(key.to_owned())),
    }
}

/// What came of a check of records.
#[derive(Debug, Clone)]
pub struct RecordsReport {
    /// The steps up to the end or the first failure.
    pub steps: Vec<Step>,
    /// The records, if every step holds.
    pub records: Option<Records>,
}

/// Records that the canister certified, and the policy that the certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The audit's record.
    pub audit: AuditRecord,
    /// The dataset's record.
    pub dataset: DatasetRecord,
    /// The model's record.
    pub model: ModelRecord,
    /// The policy's canonical JSON.
    pub policy: Vec<u8>,
}

/// Checks the records behind an authentic certificate: signature, canister, age and certified data as for the
/// certificate itself, then each record's digest in the tree, and that they are about this certificate.
pub fn check_records(file: &RecordsFile, certificate: &Certificate, trust: &Trust) -> RecordsReport {
    let mut steps = Steps(Vec::new());
    let records = take_all(&mut steps, file, certificate, trust);
    RecordsReport { steps: steps.0, records }
}

fn take_all(
    steps: &mut Steps,
    file: &RecordsFile,
    certificate: &Certificate,
    trust: &Trust,
) -> Option<Records> {
    let predicate = &certificate.predicate;
    let (witness, _) = steps.certified(file.canister, &file.ic_certificate, &file.witness, trust)?;
    let (audit, dataset, model) = (
        audit_key(predicate.audit),
        dataset_key(predicate.dataset.digest),
        model_key(predicate.model.digest),
    );
    steps.take("audit", leaf(&witness, "audit's record", &audit, &file.audit))?;
    steps.take("dataset", leaf(&witness, "dataset's record", &dataset, &file.dataset))?;
    steps.take("model", leaf(&witness, "model's record", &model, &file.model))?;
    if let Some(log) = &predicate.log {
        steps.take("key", key(&witness, file, predicate, log))?;
    }
    steps.take("policy", policy(&file.policy, predicate.policy_digest))?;
    steps.take("records", records(file, certificate))
}

/// That the key which signed a log was its owner's, and not revoked, when the log was handed in.
fn key(
    witness: &HashTree,
    file: &RecordsFile,
    predicate: &Predicate,
    log: &Logged,
) -> Result<((), String), Failure> {
    let owner = Principal::from_text(&predicate.owner).unwrap_or(Principal::anonymous());
    leaf(witness, "key's record", &signing_key_key(owner, log.signer.into()), &file.key)?;
    let malformed =
        |cause: audit::AuditError| Failure::Malformed { what: "key's record", cause: cause.to_string() };
    let key = parse_signing_key(&file.key).map_err(malformed)?;
    let found = held(&key, log)?;
    Ok(((), found))
}

/// Fails unless a key was registered, and not revoked, when the log that it signed was handed in. The key's record must be
/// certified, and its owner's who is the certificate's.
pub fn held(key: &SigningKey, log: &Logged) -> Result<String, Failure> {
    let revoked = key.revoked.as_ref().map_or(u64::MAX, |revoked| revoked.at_ns);
    let held = key.added_at_ns <= log.submitted_at.0 && log.submitted_at.0 <= revoked;
    let word = |held: bool| if held { "registered" } else { "not registered" }.to_owned();
    equal([
        ("the signer's key", log.signer.to_string(), key.key.to_string()),
        ("the signer's key when the log was handed in", word(true), word(held)),
    ])?;
    let since = key.revoked.as_ref().map(|revoked| format!("; it was revoked since: {}", revoked.reason));
    Ok(format!("{} was the owner's when the log was handed in{}", log.signer, since.unwrap_or_default()))
}

fn policy(text: &[u8], expected: Digest) -> Result<((), String), Failure> {
    let got = Digest::of(text);
    if got != expected {
        return Err(Failure::OtherContent { what: "policy", certified: expected.to_string(), got });
    }
    Ok(((), format!("it has the digest {got} that the certificate names")))
}

fn records(file: &RecordsFile, certificate: &Certificate) -> Result<(Records, String), Failure> {
    let malformed =
        |what| move |cause: audit::AuditError| Failure::Malformed { what, cause: cause.to_string() };
    let records = Records {
        audit: parse_audit(&file.audit).map_err(malformed("audit's record"))?,
        dataset: parse_dataset(&file.dataset).map_err(malformed("dataset's record"))?,
        model: parse_model(&file.model).map_err(malformed("model's record"))?,
        policy: file.policy.clone(),
    };
    let (predicate, audit) = (&certificate.predicate, &records.audit);
    let number = |certificate: u64| certificate.to_string();
    let issued = match audit.state {
        AuditState::Completed { certificate } => number(certificate),
        _ => audit.state.kind().name().to_owned(),
    };
    equal([
        ("the records' canister", predicate.canister.clone(), file.canister.to_text()),
        ("the records' certificate", number(predicate.certificate), number(file.certificate)),
        ("the audit's certificate", number(predicate.certificate), issued),
    ])?;
    Ok((records, format!("audit {} led to certificate {}", predicate.audit, predicate.certificate)))
}

#[cfg(test)]
mod tests {
    use ic_certification::{AsHashTree as _, RbTree, hash_tree::label, merge_hash_trees};

    use super::*;

    const RANGE: (&str, &str) = ("finding/1/", "finding/1/~");

    fn records() -> Vec<(String, Vec<u8>)> {
        (0..9).map(|number| (format!("finding/1/{number}"), vec![number])).collect()
    }

    fn tree() -> RbTree<Vec<u8>, [u8; 32]> {
        let mut tree = RbTree::default();
        for key in ["audit/1", "finding/0/5", "finding/2/0", "model/1"] {
            tree.insert(key.into(), Digest::of(key.as_bytes()).0);
        }
        for (key, record) in records() {
            tree.insert(key.into_bytes(), Digest::of(&record).0);
        }
        tree
    }

    fn labelled(tree: HashTree) -> HashTree {
        label(TREE_LABEL, tree)
    }

    #[test]
    fn all_records_of_a_range_are_accepted() {
        let (tree, records) = (tree(), records());
        let (first, last) = RANGE;
        let witness = labelled(tree.value_range(first.as_bytes(), last.as_bytes()));
        assert_eq!(complete(&witness, RANGE, &records), Ok(()));
        assert_eq!(complete(&labelled(tree.as_hash_tree()), RANGE, &records), Ok(()));
        let empty = ("finding/3/", "finding/3/~");
        let witness = labelled(tree.value_range(empty.0.as_bytes(), empty.1.as_bytes()));
        assert_eq!(complete(&witness, empty, &[]), Ok(()));
        assert_eq!(
            complete(&labelled(RbTree::<Vec<u8>, [u8; 32]>::default().as_hash_tree()), empty, &[]),
            Ok(())
        );
    }

    /// Whichever record is left out, with a witness of all or of the others only, it is noticed.
    #[test]
    fn a_record_that_is_left_out_is_noticed() {
        let tree = tree();
        let (first, last) = RANGE;
        for left_out in 0..9 {
            let mut others = records();
            others.remove(left_out);
            let whole = labelled(tree.value_range(first.as_bytes(), last.as_bytes()));
            assert!(complete(&whole, RANGE, &others).is_err(), "{left_out}");
            let own = others.iter().map(|(key, _)| tree.witness(key.as_bytes()));
            let ends = [first, last].map(|end| tree.witness(end.as_bytes()));
            let pruned = own.chain(ends).reduce(merge_hash_trees).unwrap();
            assert!(complete(&labelled(pruned), RANGE, &others).is_err(), "{left_out}, pruned");
        }
        let nothing = labelled(tree.witness(first.as_bytes()));
        assert!(complete(&nothing, RANGE, &[]).is_err());
    }

    #[test]
    fn other_records_and_another_order_are_refused() {
        let tree = labelled(tree().as_hash_tree());
        let mut swapped = records();
        swapped.swap(2, 3);
        assert!(matches!(complete(&tree, RANGE, &swapped), Err(Failure::Present(_))));
        let mut twice = records();
        twice.push(twice[8].clone());
        assert!(matches!(complete(&tree, RANGE, &twice), Err(Failure::OutOfOrder(_))));
        let mut outside = records();
        outside.push(("model/1".to_owned(), b"model/1".to_vec()));
        assert!(matches!(complete(&tree, RANGE, &outside), Err(Failure::OutOfOrder(_))));
        let mut changed = records();
        changed[4].1 = vec![99];
        assert!(matches!(complete(&tree, RANGE, &changed), Err(Failure::OtherContent { .. })));
    }
}
