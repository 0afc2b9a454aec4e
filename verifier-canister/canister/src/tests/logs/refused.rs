//! Logs and openings that must not pass.

use super::*;

/// Each changes an honest log in one way that its signature covers.
#[test]
fn logs_about_something_else_are_refused() {
    type Change = fn(&mut Log);
    let changes: [(&str, Change); 8] = [
        ("another threshold", |log| {
            log.statement.predicate.decision.threshold = Some("0.4".parse().unwrap());
        }),
        ("another model", |log| log.statement.subject[0].digest.sha256 = Digest([1; 32])),
        ("another dataset", |log| log.statement.subject[1].digest.sha256 = Digest([1; 32])),
        ("another sample", |log| {
            let rule = SAMPLE_RULE.to_owned();
            log.statement.predicate.rows = Rows::Drawn { rule, seed: Digest([9; 32]), size: 30 };
        }),
        ("other classes", |log| log.statement.predicate.classes.swap(0, 1)),
        ("another favourable class", |log| log.statement.predicate.favourable = "bad".to_owned()),
        ("another attribute", |log| log.statement.predicate.attributes[0].reference = None),
        ("a key that is not registered", |log| {
            log.key = Key::from_bytes(&[1; 32]);
            log.statement.predicate.signer = Digest(log.key.verifying_key().to_bytes());
        }),
    ];
    let (mut world, id) = World::awaiting_log(false, OPENED);
    for (what, change) in changes {
        let mut log = Log::new(&world, id, honest);
        change(&mut log);
        let error = world.submit_log(id, &log.bytes()).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. } | Error::NotFound { .. }), "{what}: {error}");
    }
    let honest_bytes = Log::new(&world, id, honest).bytes();
    let mut forged = Log::new(&world, id, honest);
    forged.key = Key::from_bytes(&[1; 32]);
    for bytes in [
        forged.bytes(),
        honest_bytes[..honest_bytes.len() - 1].to_vec(),
        [honest_bytes.as_slice(), &[0; 33]].concat(),
        b"ASSAYLG\x02".to_vec(),
        vec![0; 100],
    ] {
        let error = world.submit_log(id, &bytes).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
    assert_eq!(world.record(id).state, AuditState::AwaitingLog { of: 30 });
    world.submit_log(id, &honest_bytes).unwrap();
    assert_eq!(world.record(id).state.kind(), StateKind::AwaitingOpenings);
}

/// What was signed and what was handed in do not fit: seen when it is counted, and for all to see.
#[test]
fn logs_that_do_not_add_up_end_the_audit() {
    type Change = fn(&mut Log);
    let changes: [(&str, Change); 4] = [
        ("root", |log| log.records[7].output = Digest([1; 32])),
        ("root", |log| log.records[7].class = 1 - log.records[7].class),
        ("root", |log| log.records.swap(3, 4)),
        ("counters", |log| {
            let counters = &mut log.statement.predicate.counters;
            let at = counters.iter().position(|counter| *counter > 0).unwrap();
            let other = (at + 1) % counters.len();
            (counters[at], counters[other]) = (counters[at] - 1, counters[other] + 1);
        }),
    ];
    for (what, change) in changes {
        let (mut world, id) = World::awaiting_log(false, 0);
        let mut log = Log::new(&world, id, honest);
        change(&mut log);
        world.submit_log(id, &log.bytes()).unwrap();
        let reason = reason(&world, id);
        assert!(reason.contains(what), "{what}: {reason}");
    }
}

#[test]
fn openings_that_do_not_hold_are_refused() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    let seed = world.seed_of_openings(id);
    type Change = fn(&mut Openings);
    let changes: [(&str, Change); 7] = [
        ("root", |openings| openings.root = Digest([1; 32])),
        ("no draw", |openings| openings.draw = None),
        ("one left out", |openings| drop(openings.openings.pop())),
        ("another class", |openings| openings.openings[2].class ^= 1),
        ("another row", |openings| openings.openings[2].row ^= 1),
        ("another salt", |openings| openings.openings[2].salt[0] ^= 1),
        ("another path", |openings| openings.openings[2].path[0].0[0] ^= 1),
    ];
    for (what, change) in changes {
        let mut openings = log.openings(seed, OPENED);
        change(&mut openings);
        let error = world.submit_openings(id, &openings).unwrap_err();
        assert!(matches!(&error, Error::Invalid { what, .. } if what == "openings"), "{what}: {error}");
    }
    let other = log.openings(DigestBytes([77; 32]), OPENED);
    assert!(matches!(world.submit_openings(id, &other).unwrap_err(), Error::Invalid { .. }));
    assert_eq!(world.record(id).state, AuditState::AwaitingOpenings { openings: OPENED });
    world.submit_openings(id, &log.openings(seed, OPENED)).unwrap();
    assert_eq!(world.body().predicate.level, Level::SpotChecked);
}

#[test]
fn tries_are_bounded() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    for attempt in 0..32_u8 {
        let error = world.submit_log(id, &[attempt; 20]).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{attempt}: {error}");
    }
    assert!(matches!(world.submit_log(id, &[99; 20]).unwrap_err(), Error::QuotaExceeded { .. }));
}

#[test]
fn who_may_ask_for_what() {
    let (mut world, _) = World::awaiting_log(true, OPENED);
    let dataset = dataset(40).digest().into();
    let logged = Digest::of(&card().to_json().unwrap()).into();
    assert!(matches!(world.request(OWNER, (logged, dataset)).unwrap_err(), Error::Invalid { .. }));
    assert!(matches!(world.request_log((logged, dataset), 31).unwrap_err(), Error::OutOfRange { .. }));
    assert!(
        matches!(world.request_log((logged, dataset), 14).unwrap_err(), Error::Invalid { .. }),
        "too few"
    );
    // Another name or threshold for the same file would begin its counts anew.
    for other in [
        Card { name: "forest 2".to_owned(), ..card() },
        Card { decision: DecisionFacts { threshold: Some("0.4".parse().unwrap()), ..decision() }, ..card() },
    ] {
        let key = world.put(OWNER, ArtefactKind::LoggedModel, &other.to_json().unwrap());
        let by = world.by(OWNER);
        let error = world.refused(by, |state, by| state.seal_upload(by, key));
        assert!(matches!(error, Error::WrongState { .. }), "{error}");
        world.state.abort_upload(&by, key).unwrap();
    }
    assert!(matches!(world.request(STRANGER, (logged, dataset)).unwrap_err(), Error::NotAllowed { .. }));
    // Nobody else hands in, and only when it is asked for.
    let by = world.by(STRANGER);
    let request = SubmitLog { audit: 1, log: DigestBytes([0; 32]) };
    assert!(matches!(world.refused(by, |state, by| state.submit_log(by, request)), Error::NotAllowed { .. }));
    let by = world.by(OWNER);
    let request = SubmitOpenings { audit: 1, openings: DigestBytes([0; 32]) };
    let error = world.refused(by, |state, by| state.submit_openings(by, canister(), request, &|| 0));
    assert!(matches!(error, Error::WrongState { .. }), "{error}");
    assert!(matches!(world.report(AUDITOR, 1, true, "").unwrap_err(), Error::WrongState { .. }));
    let bad = Card { format: "assay logged model 2".to_owned(), ..card() };
    let bytes = serde_json::to_vec(&bad).unwrap();
    let key = world.put(OWNER, ArtefactKind::LoggedModel, &bytes);
    let by = world.by(OWNER);
    assert!(matches!(world.refused(by, |state, by| state.seal_upload(by, key)), Error::Invalid { .. }));
}
