//! Predictions that somebody points out.

use super::*;

#[test]
fn a_lie_that_was_not_opened_suspends_the_certificate() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    let rows = draw_sample(&world.record(id).seed.unwrap().0, 40, 30);
    // The second draw is known here only to place the lie beside it.
    let opened = draw_sample(&[id as u8; 32], 30, OPENED);
    let index = (0..30).find(|index| !opened.contains(index)).unwrap();
    let opened = opened[0];
    let lie = rows[index as usize];
    let log = Log::new(&world, id, |row, class| if row == lie { 1 - class } else { class });
    world.submit_log(id, &log.bytes()).unwrap();
    world.submit_openings(id, &log.openings(world.seed_of_openings(id), OPENED)).unwrap();
    assert_eq!(world.body().predicate.level, Level::SpotChecked);
    let signed = world.state.figures_entry(1).unwrap().signed;
    assert!(world.state.tree().signature_witness(signed).is_some());

    let error = world.dispute(opened).unwrap_err();
    assert!(matches!(&error, Error::Invalid { what, .. } if what == "dispute"), "{error}");
    assert!(matches!(world.dispute(30).unwrap_err(), Error::OutOfRange { .. }));
    assert_eq!(world.state.certificate_entry(1).unwrap().state, CertificateState::Valid);

    world.dispute(index).unwrap();
    world.upgrade();
    let class = log.records[index as usize].class;
    let (by, at_ns) = (person(STRANGER), world.now_ns);
    let suspended =
        CertificateState::Suspended { row: lie, logged: class, decided: Some(1 - class), by, at_ns };
    assert_eq!(world.state.certificate_entry(1).unwrap().state, suspended);
    assert!(world.state.tree().signature_witness(signed).is_none());
    assert!(matches!(world.dispute(index).unwrap_err(), Error::WrongState { .. }));
    let by = world.by(OWNER);
    let revoke = interface::RevokeCertificate { id: 1, reason: "never mind".to_owned() };
    let error = world.refused(by, |state, by| state.revoke_certificate(by, revoke));
    assert!(matches!(error, Error::WrongState { .. }), "evidence is not written over: {error}");
}

/// A model that cannot be run on a row has no class there: a replay would have said so.
#[test]
fn a_prediction_that_the_model_cannot_make_is_disputed_too() {
    let mut world = World::new();
    let (_, dataset) = world.registered();
    let narrow =
        Model { name: "narrow".to_owned(), activation_bits: 6, ..model(schema("synthetic", 3).encoding()) };
    let digest = world.register(OWNER, ArtefactKind::Model, &narrow.to_bytes());
    world.add_key(OWNER, &key()).unwrap();
    let id = world.request_log((digest, dataset), 0).unwrap();
    world.finish();
    let mut log = Log::new(&world, id, honest);
    log.statement.subject[0].digest.sha256 = digest.into();
    world.submit_log(id, &log.bytes()).unwrap();
    let mut engine = Engine::new(&narrow);
    let rows = self::dataset(40);
    let fails = |record: &Record| engine.decide(rows.row(record.row).unwrap().features()).is_err();
    let index = log.records.iter().position(fails).expect("some row is out of its range") as u32;
    world.dispute(index).unwrap();
    let state = world.state.certificate_entry(1).unwrap().state;
    assert!(matches!(state, CertificateState::Suspended { decided: None, .. }), "{state:?}");
}

#[test]
fn disputes_are_bounded_but_not_those_of_auditors_or_of_revoked_certificates() {
    let (mut world, id) = World::awaiting_log(false, 0);
    let log = Log::new(&world, id, |row, class| if row % 2 == 0 { 1 - class } else { class });
    world.submit_log(id, &log.bytes()).unwrap();
    world.quotas(|quotas| quotas.disputes_per_day = 1);
    let right = log.records.iter().position(|record| record.row % 2 == 1).unwrap() as u32;
    let wrong = log.records.iter().position(|record| record.row % 2 == 0).unwrap() as u32;
    assert!(matches!(world.dispute(right).unwrap_err(), Error::Invalid { .. }));
    assert!(matches!(world.dispute(wrong).unwrap_err(), Error::QuotaExceeded { .. }));
    // Its owner sees it coming.
    let by = world.by(OWNER);
    let revoke = interface::RevokeCertificate { id: 1, reason: "a newer version is planned".to_owned() };
    world.state.revoke_certificate(&by, revoke).unwrap();
    let by = world.by(AUDITOR);
    let request = |index| DisputePrediction { certificate: 1, index };
    assert!(matches!(
        world.state.dispute_prediction(&by, request(right)).unwrap_err(),
        Error::Invalid { .. }
    ));
    world.state.dispute_prediction(&by, request(wrong)).unwrap();
    assert!(matches!(world.state.certificate_entry(1).unwrap().state, CertificateState::Suspended { .. }));
}
