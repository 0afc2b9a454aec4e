use interface::{AbandonAudit, AuditState, POLICY_BYTES};

use super::*;

#[test]
fn strangers_request_nothing() {
    let mut world = World::new();
    let (model, dataset) = world.registered();
    let by = world.by(STRANGER);
    let error = world.refused(by, |state, by| state.request_audit(by, request(model, dataset)));
    assert_eq!(error, Error::not_allowed("the model's owner, a registrar or an auditor"));
    let by = world.anonymous();
    let error = world.refused(by, |state, by| state.request_audit(by, request(model, dataset)));
    assert_eq!(error, Error::Anonymous);
    for (count, number) in [CONTROLLER, REGISTRAR, AUDITOR, OWNER].into_iter().enumerate() {
        assert_eq!(world.request(number, (model, dataset)), Ok(count as u64 + 1));
    }
}

#[test]
fn a_request_is_counted_for_model_and_owner() {
    let mut world = World::new();
    let first = world.registered();
    let other = Model { name: "other".to_owned(), ..model(dataset(40).schema().encoding()) };
    let other = world.register(OWNER, ArtefactKind::Model, &other.to_bytes());
    world.request(OWNER, first).unwrap();
    world.request(AUDITOR, (other, first.1)).unwrap();
    world.request(OWNER, first).unwrap();
    let numbers = |id| {
        let record = world.record(id);
        (record.audit_of_model, record.audit_of_owner)
    };
    assert_eq!([1, 2, 3].map(numbers), [(1, 1), (1, 2), (2, 3)]);
    assert_eq!(world.state.model_entry(first.0).unwrap().audits, 2);
}

#[test]
fn a_request_must_fit() {
    let mut world = World::new();
    let (model_digest, dataset_digest) = world.registered();
    let misfit = model(schema("another", 4).encoding());
    let misfit_digest = world.register(OWNER, ArtefactKind::Model, &misfit.to_bytes());
    let good = request(model_digest, dataset_digest);
    let unknown = DigestBytes([9; 32]);
    let range = |what: &str, min, max, got| Error::OutOfRange { what: what.to_owned(), min, max, got };
    let cases = [
        (AuditRequest { model: unknown, ..good.clone() }, Error::not_found("model", unknown)),
        (AuditRequest { dataset: unknown, ..good.clone() }, Error::not_found("dataset", unknown)),
        (
            AuditRequest { model: misfit_digest, ..good.clone() },
            Error::WrongEncoding {
                expected: misfit.encoding.into(),
                got: dataset(40).schema().encoding().into(),
            },
        ),
        (AuditRequest { sample_size: Some(0), ..good.clone() }, range("sample size", 1, 40, 0)),
        (AuditRequest { sample_size: Some(41), ..good.clone() }, range("sample size", 1, 40, 41)),
        (AuditRequest { valid_for_s: Some(0), ..good.clone() }, range("valid_for_s", 1, 315_532_800, 0)),
        (
            AuditRequest { valid_for_s: Some(u64::MAX), ..good.clone() },
            range("valid_for_s", 1, 315_532_800, u64::MAX),
        ),
        (
            AuditRequest { policy: " ".repeat(POLICY_BYTES as usize + 1), ..good.clone() },
            Error::TooLarge {
                what: "policy".to_owned(),
                max: POLICY_BYTES.into(),
                got: u64::from(POLICY_BYTES) + 1,
            },
        ),
        (AuditRequest { supersedes: Some(1), ..good.clone() }, Error::not_found("certificate", 1)),
    ];
    for (wrong, expected) in cases {
        let by = world.by(OWNER);
        assert_eq!(world.refused(by, |state, by| state.request_audit(by, wrong)), expected);
    }
    for policy in ["", "{}", "[", &POLICY.replace("sex", "age"), &POLICY.replace("parity_d", "d")] {
        let wrong = AuditRequest { policy: policy.to_owned(), ..good.clone() };
        let by = world.by(OWNER);
        let error = world.refused(by, |state, by| state.request_audit(by, wrong));
        assert!(matches!(&error, Error::Invalid { what, .. } if what == "policy"), "{policy}: {error}");
    }
}

#[test]
fn every_audit_quota_holds() {
    type Change = fn(&mut Quotas);
    let cases: [(&str, Change); 6] = [
        ("open_audits", |quotas| quotas.open_audits = 1),
        ("open_audits_total", |quotas| quotas.open_audits_total = 1),
        ("audits_per_day", |quotas| quotas.audits_per_day = 1),
        ("audits_per_day_total", |quotas| quotas.audits_per_day_total = 1),
        ("audit_work", |quotas| quotas.audit_work = 40 * 21 - 1),
        ("work_per_day_total", |quotas| quotas.work_per_day_total = 40 * 21 * 2 - 1),
    ];
    for (name, change) in cases {
        let mut world = World::new();
        let pair = world.registered();
        world.request(OWNER, pair).unwrap();
        world.quotas(change);
        let by = world.by(OWNER);
        let error = world.refused(by, |state, by| state.request_audit(by, request(pair.0, pair.1)));
        assert!(matches!(&error, Error::QuotaExceeded { quota, .. } if quota == name), "{name}: {error}");
        // The next day, with the first audit done, only what one audit may cost still counts.
        world.finish();
        world.now_ns += 86_400 * SECOND_NS;
        assert_eq!(world.request(OWNER, pair).is_err(), name == "audit_work", "{name}");
    }
}

#[test]
fn an_abandoned_audit_stays_visible() {
    let mut world = World::new();
    let pair = world.registered();
    let id = world.request(AUDITOR, pair).unwrap();
    let abandon = |reason: &str| AbandonAudit { id, reason: reason.to_owned() };
    let by = world.by(STRANGER);
    let error = world.refused(by, |state, by| state.abandon_audit(by, abandon("why not")));
    assert_eq!(error, Error::not_allowed("who requested the audit, or the model's owner"));
    let by = world.anonymous();
    let error = world.refused(by, |state, by| state.abandon_audit(by, abandon("why not")));
    assert_eq!(error, Error::Anonymous);
    let by = world.by(OWNER);
    let error = world.refused(by, |state, by| state.abandon_audit(by, abandon("")));
    assert!(matches!(error, Error::Invalid { .. }));
    let unknown = AbandonAudit { id: 9, reason: "x".to_owned() };
    let error = world.refused(by, |state, by| state.abandon_audit(by, unknown));
    assert_eq!(error, Error::not_found("audit", 9));

    assert!(world.step(), "the seed is drawn");
    let by = world.by(OWNER);
    world.state.abandon_audit(&by, abandon("the model was wrong")).unwrap();
    world.upgrade();
    assert!(!world.step());
    let record = world.record(id);
    let reason = "the model was wrong".to_owned();
    assert_eq!(record.state, AuditState::Abandoned { reason, by: person(OWNER) });
    assert_eq!((record.ended_at_ns, record.seed.is_some()), (Some(by.now_ns), true));
    let error = world.refused(by, |state, by| state.abandon_audit(by, abandon("again")));
    let needed = "open".to_owned();
    let what = "audit 1".to_owned();
    assert_eq!(error, Error::WrongState { what, state: "abandoned".to_owned(), needed });
    assert_eq!(world.state.account(person(AUDITOR)).unwrap().open_audits, 0);
    assert_eq!(world.state.model_entry(pair.0).unwrap().audits, 1, "it counts");
}
