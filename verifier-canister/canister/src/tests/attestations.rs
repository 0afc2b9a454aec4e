use ic_certification::{HashTree, LookupResult};
use interface::{
    Attest, Finding,
    certified::{TREE_LABEL, attestation_json, attestation_key},
};

use super::*;
use crate::attestations::MAX_ATTESTATIONS;

/// A certificate of [`OWNER`]'s model, and the digest of its body.
fn certified() -> (World, DigestBytes) {
    let mut world = World::new();
    let pair = world.registered();
    world.request(OWNER, pair).unwrap();
    world.finish();
    let digest = world.state.certificate_entry(1).unwrap().body_digest;
    (world, digest)
}

fn finding(finding: Finding, rerun: Option<DigestBytes>, note: &str) -> Attest {
    Attest { certificate: 1, finding, rerun, note: note.to_owned() }
}

#[test]
fn a_finding_is_certified_and_can_be_changed() {
    let (mut world, body) = certified();
    let by = world.by(AUDITOR);
    world.state.attest(&by, finding(Finding::NotReproduced, None, "out of memory")).unwrap();
    let by = world.by(AUDITOR);
    world.state.attest(&by, finding(Finding::Agrees, Some(body), "")).unwrap();
    world.upgrade();
    let answer = world.state.certified_attestations(1, None).unwrap();
    let [one] = answer.attestations.as_slice() else { panic!("{answer:?}") };
    assert_eq!((one.auditor, one.finding, one.revisions), (person(AUDITOR), Finding::Agrees, 1));
    assert_eq!(one.at_ns, by.now_ns);
    let tree: HashTree = serde_cbor::from_slice(&answer.proof.witness).unwrap();
    assert_eq!(tree.digest(), world.state.tree().root());
    let key = attestation_key(1, person(AUDITOR));
    let leaf = Digest::of(&attestation_json(one).unwrap());
    assert_eq!(tree.lookup_path([TREE_LABEL, key.as_bytes()]), LookupResult::Found(&leaf.0));
    // Nothing is hidden beside it.
    for other in ["attestation/0000000001/", "attestation/0000000001/~"] {
        assert_eq!(tree.lookup_path([TREE_LABEL, other.as_bytes()]), LookupResult::Absent);
    }
}

#[test]
fn a_finding_comes_from_an_auditor_about_anothers_model() {
    let (mut world, body) = certified();
    for stranger in [STRANGER, REGISTRAR, OWNER] {
        let by = world.by(stranger);
        let agrees = finding(Finding::Agrees, Some(body), "");
        let error = world.refused(by, |state, by| state.attest(by, agrees));
        assert!(matches!(error, Error::NotAllowed { .. }), "{error}");
    }
    let anonymous = world.anonymous();
    let agrees = finding(Finding::Agrees, Some(body), "");
    assert_eq!(world.refused(anonymous, |state, by| state.attest(by, agrees)), Error::Anonymous);
    let by = world.by(CONTROLLER);
    let role = RoleChange { role: Role::Auditor, principal: person(OWNER) };
    world.state.add_role(&by, role).unwrap();
    let by = world.by(OWNER);
    let agrees = finding(Finding::Agrees, Some(body), "");
    let error = world.refused(by, |state, by| state.attest(by, agrees));
    assert!(matches!(error, Error::NotAllowed { .. }), "the owner is no auditor of his own model");
}

#[test]
fn a_finding_says_what_it_rests_on() {
    let (mut world, body) = certified();
    let other = Digest::of(b"other").into();
    let long = "x".repeat(501);
    for wrong in [
        finding(Finding::Agrees, None, ""),
        finding(Finding::Agrees, Some(other), ""),
        finding(Finding::Disagrees, Some(body), "all of it"),
        finding(Finding::Disagrees, None, "all of it"),
        finding(Finding::Disagrees, Some(other), ""),
        finding(Finding::NotReproduced, Some(other), "why"),
        finding(Finding::NotReproduced, None, " "),
        finding(Finding::NotReproduced, None, &long),
        finding(Finding::Agrees, Some(body), "two\nlines"),
        Attest { certificate: 2, ..finding(Finding::Agrees, Some(body), "") },
    ] {
        let by = world.by(AUDITOR);
        let error = world.refused(by, |state, by| state.attest(by, wrong.clone()));
        let expected =
            matches!(error, Error::Invalid { .. } | Error::NotFound { .. } | Error::TooLarge { .. });
        assert!(expected, "{wrong:?}: {error}");
    }
}

#[test]
fn findings_are_bounded() {
    let (mut world, body) = certified();
    for number in 0..MAX_ATTESTATIONS {
        let auditor = 100 + number as u8;
        let by = world.by(CONTROLLER);
        let role = RoleChange { role: Role::Auditor, principal: person(auditor) };
        world.state.add_role(&by, role).unwrap();
        let by = world.by(auditor);
        world.state.attest(&by, finding(Finding::Agrees, Some(body), "")).unwrap();
    }
    let by = world.by(AUDITOR);
    let agrees = finding(Finding::Agrees, Some(body), "");
    let error = world.refused(by, |state, by| state.attest(by, agrees));
    assert!(matches!(error, Error::QuotaExceeded { .. }), "{error}");
    // Who is there may still change his mind.
    let by = world.by(100);
    world.state.attest(&by, finding(Finding::NotReproduced, None, "on another machine")).unwrap();
    world.upgrade();
    assert_eq!(world.state.attestations_of(1).unwrap().len() as u64, MAX_ATTESTATIONS);
}
