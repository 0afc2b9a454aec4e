use audit::{Certificate, Digest};
use candid::Principal;
use check::{Failure, Report, Standing, Trust, check, ic_certificate::MAX_CERTIFICATE};
use ic_certification::{
    HashTree,
    hash_tree::{fork, label, leaf, pruned},
};
use interface::{
    certified::{TREE_LABEL, certificate_key, status_key},
    export::CertificateFile,
};

use crate::{
    body::{CERTIFICATE, ISSUED_AT, VALID_FOR_S, body, body_of, canister, facts},
    network::*,
};

fn failure(file: &CertificateFile, trust: &Trust) -> Failure {
    let report = check(file, trust);
    assert!(report.authentic.is_none());
    report.failure().cloned().unwrap()
}

fn passes(report: &Report) -> &Standing {
    assert_eq!(report.failure(), None);
    &report.authentic.as_ref().unwrap().standing
}

fn other_canister() -> Principal {
    Principal::from_text("rrkah-fqaaa-aaaaa-aaaaq-cai").unwrap()
}

/// The same file with one of its parts replaced; its own digest fits, as an attacker's would.
fn with(file: &CertificateFile, change: impl FnOnce(&mut CertificateFile)) -> CertificateFile {
    let mut file = file.clone();
    change(&mut file);
    CertificateFile::new(
        file.canister,
        file.certificate,
        file.body,
        file.status,
        file.ic_certificate,
        file.witness,
    )
}

#[test]
fn an_honest_certificate_passes_every_step() {
    let world = World::honest();
    let report = check(&world.file(), &trust());
    assert_eq!(passes(&report), &Standing::Stands);
    let names: Vec<_> = report.steps.iter().map(|step| step.name).collect();
    let expected = ["signature", "canister", "age", "certified data", "body", "status", "form", "numbers"];
    assert_eq!(names, expected);
    assert_eq!(report.authentic.unwrap().signed_at_ns, SIGNED_AT);
}

#[test]
fn the_root_subnet_signs_without_delegation() {
    let world = World::honest();
    let state = state(canister(), Digest(world.witness().digest()), SIGNED_AT);
    let file = world.file_with(&sign(&key(ROOT), state, None), &world.witness());
    assert_eq!(passes(&check(&file, &trust())), &Standing::Stands);
}

#[test]
fn every_changed_byte_of_every_part_is_refused() {
    let file = World::honest().file();
    type Part = fn(&mut CertificateFile) -> &mut Vec<u8>;
    let parts: [(&str, Part, usize); 4] = [
        ("IC certificate", |file| &mut file.ic_certificate, 1),
        ("witness", |file| &mut file.witness, 1),
        ("status", |file| &mut file.status, 1),
        ("body", |file| &mut file.body, 97),
    ];
    for (name, part, step) in parts {
        let length = part(&mut file.clone()).len();
        for position in (0..length).step_by(step) {
            let changed = with(&file, |file| part(file)[position] ^= 1 << (position % 8));
            assert!(check(&changed, &trust()).authentic.is_none(), "{name}, byte {position}");
        }
        let longer = with(&file, |file| part(file).push(0));
        assert!(check(&longer, &trust()).authentic.is_none(), "{name} with a trailing byte");
        let shorter = with(&file, |file| {
            part(file).pop();
        });
        assert!(check(&shorter, &trust()).authentic.is_none(), "truncated {name}");
    }
}

#[test]
fn another_root_key_is_refused() {
    let file = World::honest().file();
    let stale = Trust { root_key: der(&key(9)), ..trust() };
    assert_eq!(failure(&file, &stale), Failure::Signature("root"));
    let short = Trust { root_key: vec![0; 133], ..trust() };
    assert_eq!(failure(&file, &short), Failure::NotAKey("root"));
}

#[test]
fn a_subnet_that_nobody_vouches_for_is_refused() {
    let world = World::honest();
    let state = state(canister(), Digest(world.witness().digest()), SIGNED_AT);
    // Signed by its own key, with the delegation of an honest subnet.
    let borrowed = delegation(ROOT, SUBNET, vouching(SUBNET, &only(canister())));
    let file = world.file_with(&sign(&key(8), state.clone(), Some(borrowed)), &world.witness());
    assert_eq!(failure(&file, &trust()), Failure::Signature("subnet"));
    // With a delegation that it signed itself.
    let own = delegation(8, 8, vouching(8, &only(canister())));
    let file = world.file_with(&sign(&key(8), state, Some(own)), &world.witness());
    assert_eq!(failure(&file, &trust()), Failure::Signature("root"));
}

#[test]
fn a_subnet_cannot_sign_for_a_canister_of_another() {
    let world = World::honest();
    let state = state(canister(), Digest(world.witness().digest()), SIGNED_AT);
    let elsewhere = vouching(SUBNET, &only(other_canister()));
    let file = |tree| {
        world.file_with(
            &sign(&key(SUBNET), state.clone(), Some(delegation(ROOT, SUBNET, tree))),
            &world.witness(),
        )
    };
    assert_eq!(failure(&file(elsewhere.clone()), &trust()), Failure::CanisterOutOfRange(canister()));

    // The same ranges, hidden: every digest and signature still holds.
    let HashTreeParts { rest, ranges } = split_ranges(elsewhere);
    let hidden = fork(pruned(ranges.digest()), rest.clone());
    let what = "the subnet's canister ranges";
    assert_eq!(failure(&file(hidden), &trust()), Failure::NotInTree { what, tree: "delegation" });
    let shard = fork(label("canister_ranges", label(subnet_id(SUBNET), pruned(shard_digest()))), rest);
    assert_eq!(failure(&file(shard), &trust()), Failure::NotInTree { what, tree: "delegation" });
}

struct HashTreeParts {
    ranges: HashTree,
    rest: HashTree,
}

fn split_ranges(tree: HashTree) -> HashTreeParts {
    let ic_certification::SubtreeLookupResult::Found(subnet) = tree.lookup_subtree([b"subnet".as_slice()])
    else {
        panic!("the tree has a subnet");
    };
    let ic_certification::LookupResult::Found(time) = tree.lookup_path([b"time"]) else {
        panic!("the tree has a time");
    };
    let ic_certification::SubtreeLookupResult::Found(ranges) =
        tree.lookup_subtree([b"canister_ranges".as_slice()])
    else {
        panic!("the tree has ranges");
    };
    let rest = fork(label("subnet", subnet), label("time", leaf(time.to_vec())));
    HashTreeParts { ranges: label("canister_ranges", ranges), rest }
}

fn shard_digest() -> [u8; 32] {
    let tree = vouching(SUBNET, &only(other_canister()));
    let subnet = subnet_id(SUBNET);
    match tree.lookup_subtree([b"canister_ranges".as_slice(), &subnet]) {
        ic_certification::SubtreeLookupResult::Found(shard) => shard.digest(),
        _ => panic!("the tree has the subnet's shard"),
    }
}

#[test]
fn a_delegated_delegation_is_refused() {
    let world = World::honest();
    let state = state(canister(), Digest(world.witness().digest()), SIGNED_AT);
    let inner = delegation(ROOT, 5, vouching(5, &only(canister())));
    let issuer = sign(&key(5), vouching(SUBNET, &only(canister())), Some(inner));
    let nested = ic_certification::Delegation { subnet_id: subnet_id(SUBNET), certificate: cbor(&issuer) };
    let file = world.file_with(&sign(&key(SUBNET), state, Some(nested)), &world.witness());
    assert_eq!(failure(&file, &trust()), Failure::NestedDelegation);
}

#[test]
fn a_certificate_of_another_canister_is_refused() {
    let file = World::honest().file();
    let expected = other_canister();
    assert_eq!(
        failure(&file, &Trust { canister: Some(expected), ..trust() }),
        Failure::OtherCanister { expected, got: canister().to_text() }
    );
    // The attacker names the canister that the checker trusts, and hands over what their own canister certified.
    let world = World::honest();
    let own = state(other_canister(), Digest(world.witness().digest()), SIGNED_AT);
    let everywhere = [only(canister())[0], only(other_canister())[0]];
    let vouched = delegation(ROOT, SUBNET, vouching(SUBNET, &everywhere));
    let file = world.file_with(&sign(&key(SUBNET), own, Some(vouched)), &world.witness());
    assert_eq!(failure(&file, &trust()), Failure::NoCertifiedData(canister()));
    // A file that names its own canister passes only for a checker who has not said which one to trust.
    let renamed = with(&World::honest().file(), |file| file.canister = other_canister());
    let careless = Trust { canister: None, ..trust() };
    assert_eq!(failure(&renamed, &careless), Failure::CanisterOutOfRange(other_canister()));
}

#[test]
fn a_witness_with_anything_hidden_or_changed_is_refused() {
    let world = World::honest();
    let signed = world.certificate_at(SIGNED_AT);
    let (body_key, status_key) = (certificate_key(CERTIFICATE), status_key(CERTIFICATE));
    let body_leaf = label(body_key.as_bytes(), leaf(Digest::of(&world.body).0.to_vec()));
    let status_leaf = label(status_key.as_bytes(), leaf(Digest::of(&world.status).0.to_vec()));
    let witness = |left: HashTree, right: HashTree| label(TREE_LABEL, fork(left, right));
    let check = |tree: &HashTree| failure(&world.file_with(&signed, tree), &trust());

    let hidden_body = witness(pruned(body_leaf.digest()), status_leaf.clone());
    assert_eq!(check(&hidden_body), Failure::Pruned(body_key.clone()));
    let hidden_status = witness(body_leaf.clone(), pruned(status_leaf.digest()));
    assert_eq!(check(&hidden_status), Failure::Pruned(status_key.clone()));
    assert_eq!(check(&pruned(world.witness().digest())), Failure::Pruned(body_key.clone()));

    let other_leaf = label(body_key.as_bytes(), leaf(vec![0; 32]));
    let altered = witness(other_leaf, status_leaf);
    let (certified, got) = (Digest(world.witness().digest()), Digest(altered.digest()));
    assert_eq!(check(&altered), Failure::OtherWitness { certified, got });

    // A real tree of the same canister that has no such certificate.
    let empty = tree(&[(status_key.clone(), Digest::of(&world.status))]);
    let state = state(canister(), Digest(empty.digest()), SIGNED_AT);
    let vouched = delegation(ROOT, SUBNET, vouching(SUBNET, &only(canister())));
    let file = world.file_with(&sign(&key(SUBNET), state, Some(vouched)), &empty);
    assert_eq!(failure(&file, &trust()), Failure::Absent(body_key));
}

#[test]
fn another_body_or_status_is_refused() {
    let file = World::honest().file();
    let other = with(&file, |file| file.body = body_of(&facts(), [1; 32]));
    assert!(matches!(failure(&other, &trust()), Failure::OtherContent { what: "body", .. }));
    let other = with(&file, |file| file.status = valid(CERTIFICATE + 1));
    assert!(matches!(failure(&other, &trust()), Failure::OtherContent { what: "status", .. }));
    let other = with(&file, |file| file.certificate += 1);
    assert!(matches!(failure(&other, &trust()), Failure::Absent(_)));
}

#[test]
fn a_body_about_something_else_is_refused_even_if_it_is_certified() {
    let mut about = facts();
    about.certificate += 1;
    let world = World { body: body_of(&about, about.seed), ..World::honest() };
    let field = "the body's number";
    assert!(
        matches!(failure(&world.file(), &trust()), Failure::Contradiction { field: got, .. } if got == field)
    );

    let mut about = facts();
    about.canister = other_canister().to_text();
    let world = World { body: body_of(&about, about.seed), ..World::honest() };
    let field = "the body's canister";
    assert!(
        matches!(failure(&world.file(), &trust()), Failure::Contradiction { field: got, .. } if got == field)
    );

    let world = World { status: valid(CERTIFICATE + 1), ..World::honest() };
    let field = "the status's number";
    assert!(
        matches!(failure(&world.file(), &trust()), Failure::Contradiction { field: got, .. } if got == field)
    );
}

#[test]
fn a_canister_cannot_certify_numbers_that_do_not_follow() {
    let mut certificate = Certificate::parse(&body()).unwrap();
    certificate.predicate.groups[0].true_positives += 1;
    let world = World { body: certificate.to_json().unwrap(), ..World::honest() };
    assert!(matches!(failure(&world.file(), &trust()), Failure::Numbers(_)));

    let mut certificate = Certificate::parse(&body()).unwrap();
    certificate.predicate.caveats.pop();
    let world = World { body: certificate.to_json().unwrap(), ..World::honest() };
    assert!(matches!(failure(&world.file(), &trust()), Failure::Numbers(_)));

    let spaced = String::from_utf8(body()).unwrap().replacen(':', ": ", 1);
    let world = World { body: spaced.into_bytes(), ..World::honest() };
    assert!(matches!(failure(&world.file(), &trust()), Failure::Malformed { what: "body", .. }));

    let world = World { status: b"{}".to_vec(), ..World::honest() };
    assert!(matches!(failure(&world.file(), &trust()), Failure::Malformed { what: "status", .. }));
}

#[test]
fn oversized_parts_are_not_parsed() {
    let file = World::honest().file();
    let large = with(&file, |file| file.witness = vec![0; MAX_CERTIFICATE + 1]);
    assert!(matches!(failure(&large, &trust()), Failure::TooLarge { what: "witness", .. }));
    let large = with(&file, |file| file.ic_certificate = vec![0; MAX_CERTIFICATE + 1]);
    assert!(matches!(failure(&large, &trust()), Failure::TooLarge { what: "IC certificate", .. }));
}

#[test]
fn age_is_measured_at_the_signature() {
    let file = World::honest().file();
    let aged = |max_age_s| Trust { max_age_s: Some(max_age_s), ..trust() };
    assert_eq!(passes(&check(&file, &aged(3600))), &Standing::Stands);
    assert_eq!(failure(&file, &aged(3599)), Failure::TooOld { age_s: 3600, max_s: 3599 });
    let early = |ahead_s: u64| Trust { now_ns: SIGNED_AT - ahead_s * 1_000_000_000, ..trust() };
    assert_eq!(passes(&check(&file, &early(300))), &Standing::Stands);
    assert_eq!(failure(&file, &early(301)), Failure::InTheFuture { ahead_s: 301 });
}

#[test]
fn what_no_longer_stands_is_authentic_but_says_so() {
    let world = |status: &str| World { status: status.as_bytes().to_vec(), ..World::honest() };
    let end = ISSUED_AT + VALID_FOR_S * 1_000_000_000;
    let late = Trust { now_ns: end, ..trust() };
    assert_eq!(passes(&check(&World::honest().file(), &late)), &Standing::Expired { at_ns: end });

    let superseded = world(r#"{"at":"5","by":9,"certificate":7,"state":"superseded"}"#).file();
    assert_eq!(passes(&check(&superseded, &trust())), &Standing::Superseded { by: 9, at_ns: 5 });

    let text = r#"{"at":"5","by":"aaaaa-aa","certificate":7,"reason":"wrong data","state":"revoked"}"#;
    let (by, reason) = ("aaaaa-aa".to_owned(), "wrong data".to_owned());
    assert_eq!(passes(&check(&world(text).file(), &late)), &Standing::Revoked { by, reason, at_ns: 5 });
}
