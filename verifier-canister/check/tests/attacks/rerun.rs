use audit::Certificate;
use check::rerun::{Comparison, Evidence, RerunError, rerun};
use interface::DigestBytes;

use crate::body::{body, body_of, canister, evidence, facts};

fn run(body: &[u8], evidence: &Evidence) -> Result<Comparison, RerunError> {
    let certificate = Certificate::parse(body).unwrap();
    rerun(&certificate, &canister().to_text(), evidence, &mut |_, _| {})
}

fn different(comparison: &Comparison) -> Vec<&str> {
    assert!(!comparison.is_equal());
    comparison.differences().map(|difference| difference.path.as_str()).collect()
}

#[test]
fn an_honest_audit_gives_the_same_bytes() {
    let mut progress = Vec::new();
    let certificate = Certificate::parse(&body()).unwrap();
    let comparison =
        rerun(&certificate, &canister().to_text(), &evidence(), &mut |done, of| progress.push((done, of)))
            .unwrap();
    assert!(comparison.is_equal());
    assert_eq!(comparison.differences().count(), 0);
    assert!(comparison.values() > 200);
    assert_eq!(progress.last(), Some(&(40, 40)));
}

#[test]
fn counters_that_the_model_does_not_make_are_found() {
    // Everything in this certificate follows from its counters, but they are those of another sample.
    let cooked = body_of(&facts(), [1; 32]);
    audit::recompute(&Certificate::parse(&cooked).unwrap()).unwrap();
    let comparison = run(&cooked, &evidence()).unwrap();
    let paths = different(&comparison);
    assert!(paths.iter().any(|path| path.starts_with("predicate.counters[")), "{paths:?}");
    assert!(comparison.sections["groups"].differences.len() > 10);
    assert!(comparison.sections["dataset"].differences.is_empty());
}

#[test]
fn a_changed_part_is_refused_before_anything_is_run() {
    type Part = fn(&mut Evidence) -> &mut Vec<u8>;
    let parts: [(&str, Part); 3] = [
        ("dataset", |evidence| &mut evidence.dataset_bytes),
        ("model", |evidence| &mut evidence.model_bytes),
        ("policy", |evidence| &mut evidence.policy),
    ];
    for (name, part) in parts {
        let mut changed = evidence();
        *part(&mut changed).last_mut().unwrap() ^= 1;
        let error = run(&body(), &changed).unwrap_err();
        assert!(matches!(error, RerunError::OtherPart { what, .. } if what == name), "{error}");
    }
}

#[test]
fn facts_that_the_record_does_not_bear_out_are_found() {
    let body = body();
    let differing = |change: fn(&mut Evidence)| {
        let mut evidence = evidence();
        change(&mut evidence);
        let comparison = run(&body, &evidence).unwrap();
        different(&comparison).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(differing(|evidence| evidence.audit.audits_of_model += 1), ["predicate.audits_of_model"]);
    assert_eq!(differing(|evidence| evidence.audit.requested_at_ns -= 1), ["predicate.requested_at"]);
    assert_eq!(differing(|evidence| evidence.audit.valid_for_s = None), ["predicate.valid_until"]);
    assert_eq!(differing(|evidence| evidence.dataset.registered_at_ns -= 1), ["predicate.dataset.sealed_at"]);
    assert!(differing(|evidence| evidence.audit.seed = Some(DigestBytes([1; 32]))).len() > 10);
}

#[test]
fn without_a_seed_there_is_nothing_to_run() {
    let mut evidence = evidence();
    evidence.audit.seed = None;
    assert!(matches!(run(&body(), &evidence), Err(RerunError::NoSeed(4))));
}

#[test]
fn a_part_that_its_digest_fits_but_no_reader_is_an_error() {
    let mut certificate = Certificate::parse(&body()).unwrap();
    let mut evidence = evidence();
    evidence.model_bytes = b"not a model".to_vec();
    certificate.predicate.model.digest = audit::Digest::of(&evidence.model_bytes);
    evidence.audit.model = certificate.predicate.model.digest.into();
    let error = rerun(&certificate, "aaaaa-aa", &evidence, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, RerunError::Audit { what: "model", .. }), "{error}");
}
