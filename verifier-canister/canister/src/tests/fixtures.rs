//! Stable memory that earlier versions left must stay readable; see `fixtures/README.md`.

use std::io::{Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use interface::{
    AbandonAudit, AuditState, AuditsRequest, CertificateState, CertificatesRequest, RevokeCertificate,
    StateKind,
};

use super::*;

/// Every version's file.
const FILES: [&[u8]; 1] = [include_bytes!("../../fixtures/stable-memory-1.bin.gz")];

fn open(file: &[u8]) -> World {
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    let memory = VectorMemory::default();
    *memory.borrow_mut() = bytes;
    World {
        state: super::open(&memory, 1_900_000_000 * SECOND_NS),
        memory,
        now_ns: 1_900_000_000 * SECOND_NS,
    }
}

/// One of everything.
fn everything() -> World {
    let mut world = World::new();
    let pair = world.registered();
    world.put(STRANGER, ArtefactKind::Model, b"unfinished");
    let narrow = Model { name: "narrow".to_owned(), activation_bits: 6, ..model(schema("x", 3).encoding()) };
    let narrow = world.register(OWNER, ArtefactKind::Model, &narrow.to_bytes());
    let ask = |world: &mut World, model, supersedes| {
        let by = world.by(OWNER);
        let request = AuditRequest { supersedes, valid_for_s: Some(1_000), ..request(model, pair.1) };
        world.state.request_audit(&by, request).unwrap()
    };
    for supersedes in [None, Some(1), None] {
        ask(&mut world, pair.0, supersedes);
        world.finish();
    }
    let by = world.by(OWNER);
    world.state.revoke_certificate(&by, RevokeCertificate { id: 3, reason: "a reason".to_owned() }).unwrap();
    ask(&mut world, narrow, None);
    world.finish();
    let id = ask(&mut world, pair.0, None);
    world.state.abandon_audit(&by, AbandonAudit { id, reason: "a reason".to_owned() }).unwrap();
    let running = ask(&mut world, pair.0, None);
    world.perform(running, Step::Draw);
    ask(&mut world, pair.0, None);
    world
}

#[test]
#[ignore = "writes the file of a new version"]
fn write_stable_memory() {
    let path = format!("{}/fixtures/stable-memory-{}.bin.gz", env!("CARGO_MANIFEST_DIR"), FILES.len() + 1);
    let file = std::fs::File::create_new(path).unwrap();
    let mut file = GzEncoder::new(file, Compression::best());
    file.write_all(&everything().memory.borrow()).unwrap();
    file.finish().unwrap();
}

#[test]
fn stable_memory_of_earlier_versions_is_read() {
    for file in FILES {
        let mut world = open(file);
        let state = &world.state;
        assert_eq!(state.roles().unwrap().len(), 2);
        assert_eq!(state.uploads.len(), 1);
        state.limits().unwrap();
        let kinds = |world: &World| -> Vec<_> {
            let audits = world.state.list_audits(&AuditsRequest::default()).unwrap();
            audits.items.iter().map(|audit| audit.state.kind()).collect()
        };
        use StateKind::*;
        assert_eq!(kinds(&world), [Requested, Running, Abandoned, Refused, Completed, Completed, Completed]);
        let certificates = state.list_certificates(&CertificatesRequest::default(), world.now_ns).unwrap();
        let states: Vec<_> = certificates.items.into_iter().map(|certificate| certificate.state).collect();
        assert!(matches!(
            states.as_slice(),
            [CertificateState::Revoked { .. }, CertificateState::Valid, CertificateState::Superseded { .. }]
        ));
        for id in 1..=3 {
            let body = state.certified_certificate(id, None).unwrap().certificate.unwrap().body;
            audit::recompute(&audit::Certificate::parse(&body).unwrap()).unwrap();
        }
        world.finish();
        assert_eq!(kinds(&world)[..2], [Completed, Completed]);
        assert_eq!(world.record(7).state, AuditState::Completed { certificate: 5 });
        let dataset = world.record(7).dataset;
        let record = world.state.dataset_entry(dataset).unwrap();
        assert_eq!(world.state.header(&record).unwrap().rows, 40);
    }
}
