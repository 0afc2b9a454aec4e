//! The records behind a certificate: others than the canister certified, or about something else.

use audit::{Certificate, Digest};
use check::{
    Failure, Records, RecordsReport, Trust, check_records,
    rerun::{Evidence, rerun},
};
use interface::{
    AuditState,
    certified::{audit_json, audit_key, dataset_json, dataset_key, model_json, model_key},
    export::{RecordTexts, RecordsFile},
};

use crate::{
    body::{CERTIFICATE, body, canister, evidence},
    network::{ROOT, SIGNED_AT, SUBNET, cbor, delegation, key, only, sign, state, tree, trust, vouching},
};

/// The file in which a canister that certified these records hands them over.
fn file_of(evidence: &Evidence) -> RecordsFile {
    let texts = RecordTexts {
        audit: audit_json(&evidence.audit).unwrap(),
        dataset: dataset_json(&evidence.dataset).unwrap(),
        model: model_json(&evidence.model).unwrap(),
        policy: evidence.policy.clone(),
        key: Vec::new(),
    };
    let keys = [audit_key(4), dataset_key(evidence.dataset.digest), model_key(evidence.model.digest)];
    let digests = [&texts.audit, &texts.dataset, &texts.model].map(|text| Digest::of(text));
    let witness = tree(&keys.into_iter().zip(digests).collect::<Vec<_>>());
    let vouched = delegation(ROOT, SUBNET, vouching(SUBNET, &only(canister())));
    let state = state(canister(), Digest(witness.digest()), SIGNED_AT);
    let signed = sign(&key(SUBNET), state, Some(vouched));
    RecordsFile::new(canister(), CERTIFICATE, texts, cbor(&signed), cbor(&witness))
}

fn checked(file: &RecordsFile, trust: &Trust) -> RecordsReport {
    check_records(file, &Certificate::parse(&body()).unwrap(), trust)
}

fn failure(file: &RecordsFile) -> Failure {
    let report = checked(file, &trust());
    assert!(report.records.is_none());
    report.steps.into_iter().find_map(|step| step.result.err()).unwrap()
}

#[test]
fn honest_records_pass_every_step_and_lead_to_the_same_certificate() {
    let made = evidence();
    let report = checked(&file_of(&made), &trust());
    let names: Vec<_> = report.steps.iter().map(|step| step.name).collect();
    let expected =
        ["signature", "canister", "age", "certified data", "audit", "dataset", "model", "policy", "records"];
    assert_eq!(names, expected);
    let records: Records = report.records.unwrap();
    assert_eq!((&records.audit, &records.dataset), (&made.audit, &made.dataset));
    let evidence = Evidence::new(records, made.dataset_bytes, made.model_bytes, Vec::new());
    let certificate = Certificate::parse(&body()).unwrap();
    assert!(rerun(&certificate, &canister().to_text(), &evidence, &mut |_, _| {}).unwrap().is_equal());
}

#[test]
fn every_changed_byte_of_every_part_is_refused() {
    let file = file_of(&evidence());
    type Part = fn(&mut RecordsFile) -> &mut Vec<u8>;
    let parts: [(&str, Part); 6] = [
        ("audit", |file| &mut file.audit),
        ("dataset", |file| &mut file.dataset),
        ("model", |file| &mut file.model),
        ("policy", |file| &mut file.policy),
        ("IC certificate", |file| &mut file.ic_certificate),
        ("witness", |file| &mut file.witness),
    ];
    for (name, part) in parts {
        for position in (0..part(&mut file.clone()).len()).step_by(7) {
            let mut changed = file.clone();
            part(&mut changed)[position] ^= 1 << (position % 8);
            assert!(checked(&changed, &trust()).records.is_none(), "{name}, byte {position}");
        }
    }
}

#[test]
fn records_of_another_canister_number_or_audit_are_refused() {
    let mut file = file_of(&evidence());
    file.certificate += 1;
    let field = "the records' certificate";
    assert!(matches!(failure(&file), Failure::Contradiction { field: got, .. } if got == field));

    let mut open = evidence();
    open.audit.state = AuditState::Running { done: 1, of: 40 };
    let field = "the audit's certificate";
    assert!(matches!(failure(&file_of(&open)), Failure::Contradiction { field: got, .. } if got == field));
    open.audit.state = AuditState::Completed { certificate: CERTIFICATE + 1 };
    assert!(matches!(failure(&file_of(&open)), Failure::Contradiction { field: got, .. } if got == field));

    let mut renamed = file_of(&evidence());
    renamed.canister = candid::Principal::management_canister();
    assert!(matches!(failure(&renamed), Failure::OtherCanister { .. }));
    let careless = Trust { canister: None, ..trust() };
    assert!(checked(&renamed, &careless).records.is_none());
}

#[test]
fn a_record_of_another_model_under_its_key_does_not_stand_in() {
    let mut other = evidence();
    other.model.digest = Digest([8; 32]).into();
    assert!(matches!(failure(&file_of(&other)), Failure::Absent(_)));
    let old = Trust { max_age_s: Some(60), ..trust() };
    assert!(checked(&file_of(&evidence()), &old).records.is_none());
}

/// The canister would have to be wrong; its own record then says so.
#[test]
fn an_audit_of_something_else_than_the_certificate_says_is_refused() {
    let certificate = Certificate::parse(&body()).unwrap();
    for (index, what) in ["audited dataset", "audited model", "policy asked for"].into_iter().enumerate() {
        let mut evidence = evidence();
        let audit = &mut evidence.audit;
        *[&mut audit.dataset, &mut audit.model, &mut audit.policy][index] = Digest([8; 32]).into();
        let error = rerun(&certificate, &canister().to_text(), &evidence, &mut |_, _| {}).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}
