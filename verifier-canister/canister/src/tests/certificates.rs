use audit::{Policy, certificate::Certificate as Body, recompute};
use interface::{AuditState, CertificateState, CertifiedCertificate, RevokeCertificate, Verdict, certified};

use super::*;

fn certified(world: &World, id: u64) -> CertifiedCertificate {
    world.state.certified_certificate(id, None).unwrap()
}

/// A finished audit's certificate.
fn issue(world: &mut World, pair: (DigestBytes, DigestBytes), supersedes: Option<u64>) -> u64 {
    let by = world.by(OWNER);
    let request = AuditRequest { supersedes, ..request(pair.0, pair.1) };
    let id = world.state.request_audit(&by, request).unwrap();
    world.finish();
    match world.record(id).state {
        AuditState::Completed { certificate } => certificate,
        state => panic!("{state:?}"),
    }
}

fn state(world: &World, id: u64) -> CertificateState {
    world.state.certificate_entry(id).unwrap().state
}

#[test]
fn a_certificate_says_what_was_done() {
    let mut world = World::new();
    let pair = world.registered();
    let by = world.by(AUDITOR);
    let request = AuditRequest { sample_size: Some(30), valid_for_s: Some(60), ..request(pair.0, pair.1) };
    world.state.request_audit(&by, request).unwrap();
    world.finish();
    world.upgrade();
    let certificate = certified(&world, 1).certificate.unwrap();
    let body = Body::parse(&certificate.body).unwrap();
    recompute(&body).unwrap();
    let predicate = &body.predicate;
    assert_eq!((predicate.certificate, predicate.audit), (1, 1));
    assert_eq!(predicate.canister, canister().to_text());
    assert_eq!(predicate.requester, person(AUDITOR).to_text());
    assert_eq!(predicate.owner, person(OWNER).to_text());
    let policy = Policy::from_json(POLICY.as_bytes()).unwrap();
    assert_eq!(world.state.policy(policy.digest().unwrap().into()).unwrap(), POLICY);
    let summary = world.state.certificate_entry(1).unwrap().summary(1);
    assert_eq!(summary.body_digest, Digest::of(&certificate.body).into());
    assert_eq!(summary.valid_until_ns, Some(summary.issued_at_ns + 60 * SECOND_NS));
    assert_eq!((summary.sample_size, summary.policy_name.as_str()), (30, "parity"));
    assert!(matches!(summary.verdict, Verdict::Pass | Verdict::Fail));
    assert_eq!(certificate.status, br#"{"certificate":1,"state":"valid"}"#);
}

#[test]
fn a_newer_certificate_supersedes() {
    let mut world = World::new();
    let pair = world.registered();
    let first = issue(&mut world, pair, None);
    let second = issue(&mut world, pair, Some(first));
    let at_ns = world.now_ns;
    assert_eq!(state(&world, first), CertificateState::Superseded { by: second, at_ns });
    assert_eq!(state(&world, second), CertificateState::Valid);
    world.upgrade();
    let status = certified::status_json(first, &state(&world, first)).unwrap();
    assert_eq!(certified(&world, first).certificate.unwrap().status, status);

    let again = AuditRequest { supersedes: Some(first), ..request(pair.0, pair.1) };
    let by = world.by(OWNER);
    let error = world.refused(by, |state, by| state.request_audit(by, again));
    assert!(matches!(&error, Error::WrongState { state, .. } if state == "superseded"), "{error}");
}

#[test]
fn nobody_else_ends_a_certificate() {
    let mut world = World::new();
    let pair = world.registered();
    let id = issue(&mut world, pair, None);
    let revoke = RevokeCertificate { id, reason: "envy".to_owned() };
    for number in [STRANGER, AUDITOR, REGISTRAR] {
        let by = world.by(number);
        let error = world.refused(by, |state, by| state.revoke_certificate(by, revoke.clone()));
        assert_eq!(error, Error::not_allowed("the certificate's owner or a controller"));
    }
    let by = world.anonymous();
    assert_eq!(world.refused(by, |state, by| state.revoke_certificate(by, revoke)), Error::Anonymous);

    // An auditor may ask for audits of the model, but not so that they replace the owner's certificate.
    let replace = AuditRequest { supersedes: Some(id), ..request(pair.0, pair.1) };
    let by = world.by(AUDITOR);
    let error = world.refused(by, |state, by| state.request_audit(by, replace.clone()));
    assert_eq!(error, Error::not_allowed("the model's owner"));
    // Nor can another owner do it with another model.
    let other = Model { name: "other".to_owned(), ..model(dataset(40).schema().encoding()) };
    let other = world.register(STRANGER, ArtefactKind::Model, &other.to_bytes());
    let by = world.by(STRANGER);
    let error =
        world.refused(by, |state, by| state.request_audit(by, AuditRequest { model: other, ..replace }));
    assert_eq!(error, Error::not_allowed("the owner of the certificate to replace"));
    assert_eq!(state(&world, id), CertificateState::Valid);
}

#[test]
fn a_certificate_is_superseded_only_on_a_dataset_of_the_same_name() {
    let mut world = World::new();
    let pair = world.registered();
    let id = issue(&mut world, pair, None);
    let renamed = dataset_of(schema("renamed", 3), 40);
    let renamed = world.register(REGISTRAR, ArtefactKind::Dataset, renamed.bytes());
    let request = AuditRequest { supersedes: Some(id), ..request(pair.0, renamed) };
    let by = world.by(OWNER);
    let error = world.refused(by, |state, by| state.request_audit(by, request));
    assert!(matches!(&error, Error::WrongState { state, .. } if state.contains("synthetic")), "{error}");
}

#[test]
fn a_revoked_certificate_stays_with_its_reason() {
    let mut world = World::new();
    let pair = world.registered();
    let id = issue(&mut world, pair, None);
    let body = certified(&world, id).certificate.unwrap().body;
    let revoke = |reason: &str| RevokeCertificate { id, reason: reason.to_owned() };
    let by = world.by(OWNER);
    let error = world.refused(by, |state, by| state.revoke_certificate(by, revoke(" ")));
    assert!(matches!(error, Error::Invalid { .. }));
    let unknown = RevokeCertificate { id: 9, reason: "x".to_owned() };
    let error = world.refused(by, |state, by| state.revoke_certificate(by, unknown));
    assert_eq!(error, Error::not_found("certificate", 9));
    world.state.revoke_certificate(&by, revoke("mislabelled rows")).unwrap();
    world.upgrade();
    let reason = "mislabelled rows".to_owned();
    let revoked = CertificateState::Revoked { reason, by: person(OWNER), at_ns: by.now_ns };
    assert_eq!(state(&world, id), revoked);
    assert_eq!(certified(&world, id).certificate.unwrap().body, body);
    let error = world.refused(by, |state, by| state.revoke_certificate(by, revoke("again")));
    assert!(matches!(error, Error::WrongState { .. }));

    let again = AuditRequest { supersedes: Some(id), ..request(pair.0, pair.1) };
    let by = world.by(OWNER);
    let error = world.refused(by, |state, by| state.request_audit(by, again));
    assert!(matches!(&error, Error::WrongState { state, .. } if state == "revoked"), "{error}");
}

#[test]
fn revoking_wins_over_an_audit_under_way() {
    let mut world = World::new();
    let pair = world.registered();
    let id = issue(&mut world, pair, None);
    let by = world.by(OWNER);
    let replace = AuditRequest { supersedes: Some(id), ..request(pair.0, pair.1) };
    world.state.request_audit(&by, replace).unwrap();
    let by = world.by(CONTROLLER);
    world.state.revoke_certificate(&by, RevokeCertificate { id, reason: "wrong".to_owned() }).unwrap();
    world.finish();
    assert!(matches!(state(&world, id), CertificateState::Revoked { .. }));
    assert_eq!(state(&world, 2), CertificateState::Valid);
}
