use ic_certification::{HashTree, LookupResult};
use interface::{
    AuditsRequest, CertificatesRequest, DatasetsRequest, ModelsRequest, PAGE_ITEMS, ReadRequest, StateKind,
    Verdict, WITNESS_LEAVES, WitnessRequest,
    certified::{TREE_LABEL, audit_json, audit_key, certificate_key, dataset_json, dataset_key, model_json},
    certified::{model_key, status_key},
};

use super::*;

const NONE: [AuditId; 0] = [];

fn leaf<'a>(witness: &'a HashTree, key: &str) -> LookupResult<'a> {
    witness.lookup_path([TREE_LABEL, key.as_bytes()])
}

fn parse(world: &World, witness: &[u8]) -> HashTree {
    let tree: HashTree = serde_cbor::from_slice(witness).unwrap();
    assert_eq!(tree.digest(), world.state.tree().root());
    tree
}

/// Five finished audits of one model, two of which were requested by the auditor.
fn audited() -> (World, DigestBytes, DigestBytes) {
    let mut world = World::new();
    let pair = world.registered();
    for number in [OWNER, AUDITOR, OWNER, AUDITOR, OWNER] {
        world.request(number, pair).unwrap();
        world.finish();
    }
    (world, pair.0, pair.1)
}

#[test]
fn audits_come_newest_first_in_pages() {
    let (world, ..) = audited();
    let mut request = AuditsRequest { limit: Some(2), ..AuditsRequest::default() };
    let mut pages = Vec::new();
    loop {
        let page = world.state.list_audits(&request).unwrap();
        pages.push(page.items.iter().map(|audit| audit.id).collect::<Vec<_>>());
        request.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
}

#[test]
fn filters_select() {
    let (mut world, model, dataset) = audited();
    let open = world.request(OWNER, (model, dataset)).unwrap();
    let ids = |request: AuditsRequest| -> Vec<AuditId> {
        world.state.list_audits(&request).unwrap().items.iter().map(|audit| audit.id).collect()
    };
    let all = AuditsRequest::default;
    let none = Some(DigestBytes([9; 32]));
    assert_eq!(ids(AuditsRequest { requester: Some(person(AUDITOR)), ..all() }), [4, 2]);
    assert_eq!(ids(AuditsRequest { state: Some(StateKind::Requested), ..all() }), [open]);
    assert_eq!(ids(AuditsRequest { model: Some(model), dataset: Some(dataset), ..all() }).len(), 6);
    assert_eq!(ids(AuditsRequest { owner: Some(person(STRANGER)), ..all() }), NONE);
    assert_eq!(ids(AuditsRequest { model: none, ..all() }), NONE);
    assert_eq!(ids(AuditsRequest { before: Some(3), ..all() }), [2, 1]);
    assert_eq!(ids(AuditsRequest { before: Some(0), ..all() }), NONE);

    let found = |request: CertificatesRequest| {
        world.state.list_certificates(&request, world.now_ns).unwrap().items.len()
    };
    let all = CertificatesRequest::default;
    let text = |text: &str| CertificatesRequest { text: Some(text.to_owned()), ..all() };
    assert_eq!(found(all()), 5);
    assert_eq!(found(text("SYNTH")), 5);
    assert_eq!(found(text("parity")), 5);
    assert_eq!(found(text("nothing")), 0);
    assert_eq!(found(CertificatesRequest { standing: Some(false), ..all() }), 0);
    assert_eq!(found(CertificatesRequest { verdict: Some(Verdict::Undefined), ..all() }), 0);
    assert_eq!(found(CertificatesRequest { model: Some(model), dataset: Some(dataset), ..all() }), 5);
    assert_eq!(found(CertificatesRequest { owner: Some(person(AUDITOR)), ..all() }), 0);

    let datasets = |request: DatasetsRequest| world.state.list_datasets(&request).unwrap().items.len();
    let record = world.state.dataset_entry(dataset).unwrap();
    let all = DatasetsRequest::default;
    assert_eq!(datasets(DatasetsRequest { encoding: Some(record.encoding), ..all() }), 1);
    assert_eq!(datasets(DatasetsRequest { text: Some("x".to_owned()), ..all() }), 0);
    assert_eq!(datasets(DatasetsRequest { after: Some(dataset), ..all() }), 0);
    let models = |request: ModelsRequest| world.state.list_models(&request).unwrap().items.len();
    let all = ModelsRequest::default;
    assert_eq!(models(ModelsRequest { owner: Some(person(OWNER)), ..all() }), 1);
    assert_eq!(models(ModelsRequest { encoding: Some(model), ..all() }), 0);
}

#[test]
fn expired_certificates_do_not_stand() {
    let mut world = World::new();
    let (model, dataset) = world.registered();
    let by = world.by(OWNER);
    let request = AuditRequest { valid_for_s: Some(100), ..request(model, dataset) };
    world.state.request_audit(&by, request).unwrap();
    world.finish();
    let standing = |world: &World, standing| {
        let request = CertificatesRequest { standing: Some(standing), ..CertificatesRequest::default() };
        world.state.list_certificates(&request, world.now_ns).unwrap().items.len()
    };
    assert_eq!((standing(&world, true), standing(&world, false)), (1, 0));
    world.now_ns += 101 * SECOND_NS;
    assert_eq!((standing(&world, true), standing(&world, false)), (0, 1));
}

#[test]
fn pages_are_bounded() {
    let (world, ..) = audited();
    for limit in [0, PAGE_ITEMS + 1] {
        let error = world.state.list_audits(&AuditsRequest { limit: Some(limit), ..Default::default() });
        assert!(matches!(error, Err(Error::OutOfRange { .. })), "{limit}");
        let error = world.state.list_models(&ModelsRequest { limit: Some(limit), ..Default::default() });
        assert!(matches!(error, Err(Error::OutOfRange { .. })), "{limit}");
    }
    let text = Some("x".repeat(1000));
    let error = world.state.list_datasets(&DatasetsRequest { text, ..Default::default() });
    assert!(matches!(error, Err(Error::TooLarge { .. })));
}

#[test]
fn registered_bytes_are_read_back() {
    let (world, _, digest) = audited();
    let bytes = dataset(40).bytes().to_vec();
    let read = |offset, length| world.state.read_dataset(ReadRequest { digest, offset, length });
    assert_eq!(read(0, CHUNK_BYTES), Ok(bytes.clone()));
    assert_eq!(read(10, 5), Ok(bytes[10..15].to_vec()));
    assert_eq!(read(bytes.len() as u64 - 1, 5), Ok(bytes[bytes.len() - 1..].to_vec()));
    assert_eq!(read(bytes.len() as u64, 5), Ok(Vec::new()));
    for (offset, length) in [(bytes.len() as u64 + 1, 1), (u64::MAX, 1), (0, 0), (0, CHUNK_BYTES + 1)] {
        assert!(matches!(read(offset, length), Err(Error::OutOfRange { .. })), "{offset} {length}");
    }
    let error = world.state.read_model(ReadRequest { digest, offset: 0, length: 1 });
    assert_eq!(error, Err(Error::not_found("model", digest)));
    assert_eq!(world.state.policy(digest), Err(Error::not_found("policy", digest)));
}

#[test]
fn every_record_has_its_proof() {
    let (world, model, dataset) = audited();
    let shown = world.state.certified_dataset(dataset, None).unwrap();
    let record = shown.dataset.unwrap().record;
    let witness = parse(&world, &shown.proof.witness);
    let expected = Digest::of(&dataset_json(&record).unwrap());
    assert_eq!(leaf(&witness, &dataset_key(dataset)), LookupResult::Found(&expected.0));

    let shown = world.state.certified_model(model, None).unwrap();
    let record = shown.model.unwrap();
    assert_eq!(record.audits, 5);
    let witness = parse(&world, &shown.proof.witness);
    let expected = Digest::of(&model_json(&record).unwrap());
    assert_eq!(leaf(&witness, &model_key(model)), LookupResult::Found(&expected.0));

    let shown = world.state.certified_audit(3, None).unwrap();
    let witness = parse(&world, &shown.proof.witness);
    let expected = Digest::of(&audit_json(&shown.audit.unwrap()).unwrap());
    assert_eq!(leaf(&witness, &audit_key(3)), LookupResult::Found(&expected.0));

    let shown = world.state.certified_certificate(2, Some(vec![1])).unwrap();
    assert_eq!(shown.proof.ic_certificate.unwrap().as_ref(), [1]);
    let witness = parse(&world, &shown.proof.witness);
    let certificate = shown.certificate.unwrap();
    let (body, status) = (Digest::of(&certificate.body), Digest::of(&certificate.status));
    assert_eq!(leaf(&witness, &certificate_key(2)), LookupResult::Found(&body.0));
    assert_eq!(leaf(&witness, &status_key(2)), LookupResult::Found(&status.0));
}

#[test]
fn what_is_not_there_is_proved_absent() {
    let (world, ..) = audited();
    let unknown = DigestBytes([9; 32]);
    let shown = world.state.certified_certificate(6, None).unwrap();
    let witness = parse(&world, &shown.proof.witness);
    assert_eq!(shown.certificate, None);
    assert_eq!(leaf(&witness, &certificate_key(6)), LookupResult::Absent);
    assert_eq!(leaf(&witness, &status_key(6)), LookupResult::Absent);
    let shown = world.state.certified_audit(u64::MAX, None).unwrap();
    assert_eq!(shown.audit, None);
    assert_eq!(leaf(&parse(&world, &shown.proof.witness), &audit_key(u64::MAX)), LookupResult::Absent);
    let shown = world.state.certified_model(unknown, None).unwrap();
    assert_eq!(leaf(&parse(&world, &shown.proof.witness), &model_key(unknown)), LookupResult::Absent);
    let shown = world.state.certified_dataset(unknown, None).unwrap();
    assert_eq!(leaf(&parse(&world, &shown.proof.witness), &dataset_key(unknown)), LookupResult::Absent);
}

#[test]
fn a_range_shows_that_no_audit_is_missing() {
    let (world, model, _) = audited();
    let range = |first: &str, last: &str| {
        let (first, last) = (first.to_owned(), last.to_owned());
        world.state.witness(&WitnessRequest::Range { first, last }, None)
    };
    let witness = parse(&world, &range(&audit_key(1), &audit_key(9_999_999_999)).unwrap().witness);
    for id in 1..=5 {
        let expected = Digest::of(&audit_json(&world.record(id)).unwrap());
        assert_eq!(leaf(&witness, &audit_key(id)), LookupResult::Found(&expected.0));
    }
    assert_eq!(leaf(&witness, &audit_key(6)), LookupResult::Absent);
    let zeros = model_key(DigestBytes([0; 32]));
    let witness = parse(&world, &range(&zeros, &model_key(DigestBytes([255; 32]))).unwrap().witness);
    assert!(matches!(leaf(&witness, &model_key(model)), LookupResult::Found(_)));

    let upper = format!("model/{}", "AA".repeat(32));
    let one = audit_key(1);
    let wrong =
        [("", ""), ("audit/1", "audit/2"), (&one, "status/0000000001"), (&zeros, &upper), ("x/a", "x/b")];
    for (first, last) in wrong {
        assert!(matches!(range(first, last), Err(Error::Malformed { .. })), "{first} {last}");
    }
    assert!(matches!(range(&audit_key(2), &one), Err(Error::Malformed { .. })));
}

#[test]
fn witnesses_are_bounded() {
    let (world, ..) = audited();
    let keys = |count: u32| (0..count).map(|id| audit_key(id.into())).collect::<Vec<_>>();
    let ask = |keys| world.state.witness(&WitnessRequest::Keys(keys), None);
    parse(&world, &ask(keys(WITNESS_LEAVES)).unwrap().witness);
    for wrong in [keys(WITNESS_LEAVES + 1), Vec::new(), vec!["x".repeat(1000)]] {
        assert!(matches!(ask(wrong), Err(Error::OutOfRange { .. })));
    }
}
