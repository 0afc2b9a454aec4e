use interface::{DATASET_BYTES, MODEL_BYTES};

use super::*;
use crate::uploads::EXPIRES_NS;

const MODEL: ArtefactKind = ArtefactKind::Model;
const DATASET: ArtefactKind = ArtefactKind::Dataset;

fn begin(kind: ArtefactKind, digest: u8, size: u64) -> BeginUpload {
    BeginUpload { kind, digest: DigestBytes([digest; 32]), size }
}

fn model_bytes() -> Vec<u8> {
    model(Digest([1; 32])).to_bytes()
}

#[test]
fn the_anonymous_caller_uploads_nothing() {
    let mut world = World::new();
    let key = world.put(OWNER, MODEL, &model_bytes());
    let chunk = PutChunk { kind: MODEL, digest: key.digest, index: 0, bytes: model_bytes() };
    let by = world.anonymous();
    assert_eq!(world.refused(by, |state, by| state.begin_upload(by, begin(MODEL, 1, 10))), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.put_chunk(by, chunk)), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.seal_upload(by, key)), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.abort_upload(by, key)), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.upload_status(by, key)), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.uploads(by)), Error::Anonymous);
}

#[test]
fn only_registrars_upload_datasets() {
    let mut world = World::new();
    let needed = Error::not_allowed("a registrar");
    for number in [AUDITOR, OWNER] {
        let by = world.by(number);
        assert_eq!(world.refused(by, |state, by| state.begin_upload(by, begin(DATASET, 1, 10))), needed);
    }
    // A registrar who loses the role cannot go on.
    let key = world.put(REGISTRAR, DATASET, dataset(4).bytes());
    let by = world.by(CONTROLLER);
    let change = RoleChange { role: Role::Registrar, principal: person(REGISTRAR) };
    world.state.remove_role(&by, change).unwrap();
    let chunk = PutChunk { kind: DATASET, digest: key.digest, index: 0, bytes: dataset(4).bytes().to_vec() };
    let by = world.by(REGISTRAR);
    assert_eq!(world.refused(by, |state, by| state.put_chunk(by, chunk)), needed);
    assert_eq!(world.refused(by, |state, by| state.seal_upload(by, key)), needed);
    world.state.abort_upload(&by, key).unwrap();
}

#[test]
fn a_strangers_upload_is_out_of_reach() {
    let mut world = World::new();
    let key = world.put(OWNER, MODEL, &model_bytes());
    let chunk = PutChunk { kind: MODEL, digest: key.digest, index: 0, bytes: model_bytes() };
    let by = world.by(STRANGER);
    let unknown = Error::not_found("upload of yours for", key.digest);
    assert_eq!(world.refused(by, |state, by| state.put_chunk(by, chunk)), unknown);
    assert_eq!(world.refused(by, |state, by| state.seal_upload(by, key)), unknown);
    assert_eq!(world.refused(by, |state, by| state.abort_upload(by, key)), unknown);
    assert_eq!(world.refused(by, |state, by| state.upload_status(by, key)), unknown);
    assert_eq!(world.state.uploads(&by), Ok(Vec::new()));
}

#[test]
fn sizes_are_bounded() {
    let mut world = World::new();
    for (kind, size) in
        [(MODEL, 0), (MODEL, MODEL_BYTES + 1), (DATASET, DATASET_BYTES + 1), (MODEL, u64::MAX)]
    {
        let by = world.by(REGISTRAR);
        let error = world.refused(by, |state, by| state.begin_upload(by, begin(kind, 1, size)));
        assert!(matches!(error, Error::OutOfRange { .. }), "{error}");
    }
}

#[test]
fn an_upload_is_resumed_with_what_is_missing() {
    let mut world = World::new();
    let size = 2 * u64::from(CHUNK_BYTES) + 5;
    let by = world.by(OWNER);
    let request = begin(MODEL, 1, size);
    assert_eq!(world.state.begin_upload(&by, request).unwrap().missing, [0, 1, 2]);
    let mut chunk =
        PutChunk { kind: MODEL, digest: request.digest, index: 1, bytes: vec![1; CHUNK_BYTES as usize] };
    world.state.put_chunk(&by, chunk.clone()).unwrap();
    world.upgrade();
    let status = world.state.begin_upload(&by, request).unwrap();
    assert_eq!((status.missing.as_slice(), status.chunks, status.size), ([0, 2].as_slice(), 3, size));
    assert_eq!(world.state.uploads(&by), Ok(vec![status]));

    let key = UploadKey { kind: MODEL, digest: request.digest };
    let error = world.refused(by, |state, by| state.seal_upload(by, key));
    assert_eq!(error, Error::Incomplete { missing: 2, first: 0 });
    let error = world.refused(by, |state, by| state.begin_upload(by, begin(MODEL, 1, size - 1)));
    assert_eq!(error, Error::WrongSize { expected: size, got: size - 1 });
    for (index, length, expected) in [(0, 4, CHUNK_BYTES), (2, 4, 5), (2, 6, 5)] {
        (chunk.index, chunk.bytes) = (index, vec![0; length]);
        let error = world.refused(by, |state, by| state.put_chunk(by, chunk.clone()));
        assert_eq!(error, Error::WrongChunk { index, expected, got: length as u32 });
    }
    chunk.index = 3;
    let error = world.refused(by, |state, by| state.put_chunk(by, chunk));
    assert_eq!(error, Error::OutOfRange { what: "chunk index".to_owned(), min: 0, max: 2, got: 3 });
}

#[test]
fn one_changed_byte_is_not_sealed_and_can_be_put_right() {
    let mut world = World::new();
    let bytes = dataset(10).bytes().to_vec();
    let key = UploadKey { kind: DATASET, digest: Digest::of(&bytes).into() };
    for index in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut wrong = bytes.clone();
        wrong[index] ^= 1;
        world.put_as(REGISTRAR, key, &wrong);
        let by = world.by(REGISTRAR);
        let error = world.refused(by, |state, by| state.seal_upload(by, key));
        assert_eq!(error, Error::DigestMismatch { expected: key.digest, got: Digest::of(&wrong).into() });
    }
    world.put_as(REGISTRAR, key, &bytes);
    let by = world.by(REGISTRAR);
    world.state.seal_upload(&by, key).unwrap();
    // And now nothing changes it any more.
    let chunk = PutChunk { kind: DATASET, digest: key.digest, index: 0, bytes };
    let error = world.refused(by, |state, by| state.put_chunk(by, chunk));
    assert_eq!(error, Error::not_found("upload of yours for", key.digest));
}

#[test]
fn bytes_that_are_no_dataset_or_model_are_not_sealed() {
    let mut world = World::new();
    let good = dataset(10).bytes().to_vec();
    let mut wrong_label = good.clone();
    let label = good.len() - 2;
    wrong_label[label] = 9;
    let truncated = good[..good.len() - 1].to_vec();
    let header_only = good[..20].to_vec();
    let trailing = [good.as_slice(), &[0]].concat();
    let model = model_bytes();
    let cases = [
        (DATASET, wrong_label),
        (DATASET, truncated),
        (DATASET, header_only),
        (DATASET, trailing),
        (DATASET, model.clone()),
        (MODEL, good),
        (MODEL, model[..model.len() - 1].to_vec()),
        (MODEL, [model.as_slice(), &[0]].concat()),
    ];
    for (kind, bytes) in cases {
        let key = world.put(REGISTRAR, kind, &bytes);
        let by = world.by(REGISTRAR);
        let error = world.refused(by, |state, by| state.seal_upload(by, key));
        assert!(matches!(&error, Error::Invalid { what, .. } if *what == kind.to_string()), "{error}");
        world.state.abort_upload(&by, key).unwrap();
    }
    assert_eq!(world.state.totals.get().unwrap().stored_bytes, 0);
}

#[test]
fn the_same_bytes_are_registered_once() {
    let mut world = World::new();
    let bytes = model_bytes();
    let digest = world.put(STRANGER, MODEL, &bytes).digest;
    world.register(OWNER, MODEL, &bytes);
    let registered = Error::AlreadyRegistered { what: "model".to_owned(), digest };
    let by = world.by(STRANGER);
    let key = UploadKey { kind: MODEL, digest };
    assert_eq!(world.refused(by, |state, by| state.seal_upload(by, key)), registered);
    let again = BeginUpload { kind: MODEL, digest, size: bytes.len() as u64 };
    assert_eq!(world.refused(by, |state, by| state.begin_upload(by, again)), registered);
    world.state.abort_upload(&by, key).unwrap();
    assert_eq!(world.state.model_entry(digest).unwrap().owner, person(OWNER));
}

#[test]
fn blocks_of_an_aborted_upload_hold_the_next() {
    let mut world = World::new();
    let key = world.put(OWNER, MODEL, &model_bytes());
    let by = world.by(OWNER);
    world.state.abort_upload(&by, key).unwrap();
    let digest = world.register(OWNER, MODEL, &model_bytes());
    assert_eq!(world.state.model_entry(digest).unwrap().content.blocks, [0]);
    let account = world.state.account(person(OWNER)).unwrap();
    assert_eq!((account.bytes, account.models), (CHUNK_BYTES.into(), 1));
}

#[test]
fn every_upload_quota_holds() {
    // The first upload's one block, and a little.
    let size = u64::from(CHUNK_BYTES);
    type Change = fn(&mut Quotas, u64);
    let cases: [(&str, Change); 6] = [
        ("uploads", |quotas, _| quotas.uploads = 1),
        ("uploads_total", |quotas, _| quotas.uploads_total = 1),
        ("owner_bytes", |quotas, size| quotas.owner_bytes = size + 9),
        ("registrar_bytes", |quotas, size| quotas.registrar_bytes = size + 9),
        ("bytes_total", |quotas, size| quotas.bytes_total = size + 9),
        ("models", |quotas, _| quotas.models = 0),
    ];
    for (name, change) in cases {
        let mut world = World::new();
        let number = if name == "registrar_bytes" { REGISTRAR } else { OWNER };
        world.put(number, MODEL, &model_bytes());
        world.quotas(|quotas| change(quotas, size));
        let by = world.by(number);
        let error = world.refused(by, |state, by| state.begin_upload(by, begin(MODEL, 1, 10)));
        assert!(matches!(&error, Error::QuotaExceeded { quota, .. } if quota == name), "{name}: {error}");
    }
}

#[test]
fn the_number_of_models_is_checked_at_the_seal_too() {
    let mut world = World::new();
    let key = world.put(OWNER, MODEL, &model_bytes());
    world.quotas(|quotas| quotas.models = 0);
    let by = world.by(OWNER);
    let error = world.refused(by, |state, by| state.seal_upload(by, key));
    assert_eq!(error, Error::QuotaExceeded { quota: "models".to_owned(), limit: 0, used: 0, requested: 1 });
}

#[test]
fn expired_uploads_make_room() {
    let mut world = World::new();
    world.quotas(|quotas| quotas.uploads_total = 1);
    world.put(OWNER, MODEL, &model_bytes());
    world.now_ns += EXPIRES_NS - 10 * SECOND_NS;
    let by = world.by(STRANGER);
    let error = world.refused(by, |state, by| state.begin_upload(by, begin(MODEL, 1, 10)));
    assert!(matches!(error, Error::QuotaExceeded { .. }));
    world.now_ns += 20 * SECOND_NS;
    let by = world.by(STRANGER);
    world.state.begin_upload(&by, begin(MODEL, 1, 10)).unwrap();
    let owner = world.by(OWNER);
    assert_eq!(world.state.uploads(&owner), Ok(Vec::new()));
    assert_eq!(world.state.account(person(OWNER)).unwrap().bytes, 0);
}

#[test]
fn a_dataset_of_several_chunks_is_sealed() {
    let mut world = World::new();
    let dataset = dataset_of(schema("large", 50), 12_000);
    assert!(dataset.bytes().len() > CHUNK_BYTES as usize);
    let digest = world.register(REGISTRAR, DATASET, dataset.bytes());
    let record = world.state.dataset_entry(digest).unwrap().record(digest);
    assert_eq!((record.rows, record.columns, record.bytes), (12_000, 50, dataset.bytes().len() as u64));
    assert_eq!(record.header_bytes, dataset.header().len);
    assert_eq!(record.encoding, dataset.schema().encoding().into());
}
