//! Audits by prediction logs, honest and not.

use audit::{
    Certificate, Counts, Engine, SAMPLE_RULE,
    certificate::{Level, Nanoseconds},
    draw_sample,
    dsse::{Envelope, Signature, pre_authentication},
    log::{
        CARD_FORMAT, Card, DecisionFacts, Draw, LOG_RULE, LogFacts, OPENINGS_FORMAT, Opening, Openings,
        Predictions, Record, Rows, RuntimeFacts, Statement, Tree, output_digest, salt, submission,
    },
};
use ed25519_dalek::{Signer as _, SigningKey as Key};
use ic_certification::{HashTree, LookupResult};
use interface::{
    AUDITOR_WAIT_S, AddKey, AuditState, CertificateState, DisputePrediction, LOG_WAIT_S, LogRequest,
    OPENINGS_WAIT_S, ReadRequest, ReportOpenings, RevokeKey, SigningKey, StateKind, SubmitLog,
    SubmitOpenings,
    certified::{TREE_LABEL, signing_key_json, signing_key_key},
    key_message,
};

use super::*;

const SECRET: [u8; 32] = [3; 32];
/// Half of the sample: fewer are no spot check.
const OPENED: u32 = 15;

fn key() -> Key {
    Key::from_bytes(&[9; 32])
}

fn public(key: &Key) -> DigestBytes {
    DigestBytes(key.verifying_key().to_bytes())
}

fn card() -> Card {
    Card {
        format: CARD_FORMAT.to_owned(),
        name: "forest".to_owned(),
        source: Digest([8; 32]),
        encoding: dataset(40).schema().encoding(),
        classes: 2,
        inputs: 3,
        decision: decision(),
        language: None,
    }
}

fn decision() -> DecisionFacts {
    DecisionFacts { output: "label".to_owned(), scores: None, threshold: None, labels: Vec::new() }
}

/// What an owner writes about an audit's sample.
struct Log {
    statement: Statement,
    records: Vec<Record>,
    key: Key,
}

impl Log {
    /// The log of an audit; `decide` says the class of a row from what the public model decides.
    fn new(world: &World, id: AuditId, decide: impl Fn(u32, u8) -> u8) -> Self {
        let audit = world.record(id);
        let dataset = dataset(40);
        let public = model(dataset.schema().encoding());
        let mut engine = Engine::new(&public);
        let seed = audit.seed.unwrap();
        let rows = Rows::Drawn { rule: SAMPLE_RULE.to_owned(), seed: seed.into(), size: audit.sample_size };
        let mut counts = Counts::new(dataset.schema());
        let mut records = Vec::new();
        for (index, row) in rows.expand(dataset.rows()).unwrap().into_iter().enumerate() {
            let labelled = dataset.row(row).unwrap();
            let class = decide(row, engine.decide(labelled.features()).unwrap());
            counts.record(labelled.groups, labelled.label, class).unwrap();
            let output = output_digest(&salt(&SECRET, index as u32), &[]);
            records.push(Record { row, input: Digest::of(dataset.record(row).unwrap()), output, class });
        }
        let schema = dataset.schema();
        let logged = world.state.model_entry(audit.model).unwrap().logged;
        let predicate = Predictions {
            log: LogFacts {
                rule: LOG_RULE.to_owned(),
                root: tree(&records).root(),
                size: records.len() as u32,
                scores: 0,
            },
            rows,
            dataset_rows: dataset.rows(),
            classes: schema.classes.clone(),
            favourable: "good".to_owned(),
            attributes: Predictions::attributes_of(schema),
            counters: counts.counters().to_vec(),
            decision: if logged { decision() } else { DecisionFacts::of_integer_model() },
            runtime: RuntimeFacts {
                name: "onnxruntime".to_owned(),
                version: "1.32.0".to_owned(),
                library: None,
                provider: "CPUExecutionProvider".to_owned(),
                fallback: false,
                batch: 64,
                threads: None,
            },
            language: None,
            signer: Digest(key().verifying_key().to_bytes()),
            created_at: Nanoseconds(START_NS),
        };
        let model = if logged { card().source } else { public.digest() };
        let statement = Statement::new(("forest", model), ("loans", dataset.digest()), predicate).unwrap();
        Self { statement, records, key: key() }
    }

    fn bytes(&self) -> Vec<u8> {
        let json = self.statement.to_json().unwrap();
        let signature = self.key.sign(&pre_authentication(&json)).to_bytes();
        let envelope = Envelope::new(&json, Signature::new("key".to_owned(), &signature));
        submission(&serde_json::to_vec(&envelope).unwrap(), &self.records)
    }

    fn openings(&self, seed: DigestBytes, count: u32) -> Openings {
        let tree = tree(&self.records);
        let opening = |index: u32| {
            let record = self.records[index as usize];
            let (row, input, class) = (record.row, record.input, record.class);
            let path = tree.path(index).unwrap();
            Opening { index, row, input, class, salt: salt(&SECRET, index), output: Vec::new(), path }
        };
        let drawn = draw_sample(&seed.0, self.records.len() as u32, count);
        Openings {
            format: OPENINGS_FORMAT.to_owned(),
            root: tree.root(),
            draw: Some(Draw { rule: SAMPLE_RULE.to_owned(), seed: seed.into() }),
            openings: drawn.into_iter().map(opening).collect(),
        }
    }
}

fn tree(records: &[Record]) -> Tree {
    Tree::new(records.iter().map(|record| record.leaf()).collect())
}

impl World {
    /// Everybody who waits is counted, and nobody else.
    fn assert_counted(&self) {
        let audits = self.state.audits().range(..).map(|entry| entry.unwrap().1);
        let (mut awaiting, mut open) = (0, 0);
        for audit in audits {
            awaiting += u32::from(audit.state.is_awaiting());
            open += u32::from(audit.state.is_open() && !audit.state.is_awaiting());
        }
        assert_eq!(self.state.totals.get().unwrap().awaiting_proofs, awaiting);
        let owner = self.state.account(person(OWNER)).unwrap();
        assert_eq!((owner.awaiting_proofs, owner.open_audits), (awaiting, open));
    }

    /// A world with an audit of 30 rows that awaits its log: of a public model, or of one that stays with its owner.
    fn awaiting_log(logged: bool, openings: u32) -> (Self, AuditId) {
        let mut world = Self::new();
        let (mut model, dataset) = world.registered();
        if logged {
            model = world.register(OWNER, ArtefactKind::LoggedModel, &card().to_json().unwrap());
        }
        world.add_key(OWNER, &key()).unwrap();
        let id = world.request_log((model, dataset), openings).unwrap();
        world.finish();
        assert_eq!(world.record(id).state, AuditState::AwaitingLog { of: 30 });
        (world, id)
    }

    fn add_key(&mut self, by: u8, key: &Key) -> Result<(), Error> {
        let context = self.by(by);
        let signature = key.sign(&key_message(canister(), context.caller)).to_bytes().to_vec();
        self.state.add_key(&context, canister(), &AddKey { key: public(key), signature })
    }

    fn request_log(
        &mut self,
        (model, dataset): (DigestBytes, DigestBytes),
        openings: u32,
    ) -> Result<AuditId, Error> {
        let context = self.by(OWNER);
        let log = Some(LogRequest { openings });
        self.state
            .request_audit(&context, AuditRequest { log, sample_size: Some(30), ..request(model, dataset) })
    }

    fn submit_log(&mut self, audit: AuditId, bytes: &[u8]) -> Result<(), Error> {
        let log = self.put(OWNER, ArtefactKind::Log, bytes).digest;
        let context = self.by(OWNER);
        let result = self.state.submit_log(&context, SubmitLog { audit, log });
        self.assert_counted();
        self.finish();
        self.assert_counted();
        result
    }

    fn submit_openings(&mut self, audit: AuditId, openings: &Openings) -> Result<(), Error> {
        let bytes = serde_json::to_vec(openings).unwrap();
        let openings = self.put(OWNER, ArtefactKind::Openings, &bytes).digest;
        let context = self.by(OWNER);
        let request = SubmitOpenings { audit, openings };
        let result = self.state.submit_openings(&context, canister(), request, &|| 0);
        self.assert_counted();
        self.finish();
        self.assert_counted();
        result
    }

    fn report(&mut self, by: u8, audit: AuditId, agrees: bool, note: &str) -> Result<(), Error> {
        let context = self.by(by);
        let request = ReportOpenings { audit, agrees, note: note.to_owned() };
        let result = self.state.report_openings(&context, request);
        self.assert_counted();
        self.finish();
        self.assert_counted();
        result
    }

    fn dispute(&mut self, index: u32) -> Result<(), Error> {
        let context = self.by(STRANGER);
        self.state.dispute_prediction(&context, DisputePrediction { certificate: 1, index })
    }

    fn seed_of_openings(&self, audit: AuditId) -> DigestBytes {
        self.record(audit).log.unwrap().seed.unwrap()
    }

    fn body(&self) -> Certificate {
        let body = Certificate::parse(&self.state.body(1).unwrap().unwrap()).unwrap();
        audit::recompute(&body).unwrap();
        body
    }

    fn wait(&mut self, seconds: u64) {
        self.now_ns += seconds * SECOND_NS;
        self.finish();
        self.assert_counted();
    }
}

fn honest(_: u32, class: u8) -> u8 {
    class
}

fn reason(world: &World, audit: AuditId) -> String {
    match world.record(audit).state {
        AuditState::Refused { reason } => reason,
        state => panic!("{state:?}"),
    }
}

#[test]
fn a_log_without_openings_is_attested() {
    let (mut world, id) = World::awaiting_log(true, 0);
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    assert_eq!(world.record(id).state, AuditState::Completed { certificate: 1 });
    world.upgrade();
    let predicate = world.body().predicate;
    assert_eq!((predicate.level, predicate.model.digest), (Level::Attested, world.record(id).model.into()));
    assert_eq!(predicate.model.source, Some(card().source));
    assert_eq!((predicate.counters, predicate.odds), (log.statement.predicate.counters.clone(), Vec::new()));
    let facts = predicate.log.unwrap();
    assert_eq!(facts.root, log.statement.predicate.log.root);
    let content = world.record(id).log.unwrap().submitted.unwrap().content;
    let request = ReadRequest { digest: content, offset: 0, length: CHUNK_BYTES };
    assert_eq!(world.state.read_log(request).unwrap(), log.bytes());
}

#[test]
fn the_canister_checks_openings_of_a_public_model_itself() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    assert_eq!(world.record(id).state, AuditState::AwaitingOpenings { openings: OPENED });
    world.upgrade();
    let openings = log.openings(world.seed_of_openings(id), OPENED);
    world.submit_openings(id, &openings).unwrap();
    let predicate = world.body().predicate;
    assert_eq!(predicate.level, Level::SpotChecked);
    let opened = predicate.log.unwrap().openings.unwrap();
    assert_eq!(opened.checked.unwrap().by, canister().to_text());
    // One lie in 30, 15 opened; a twentieth is two.
    let odds: Vec<_> = predicate.odds.iter().map(|odds| (odds.lies, odds.detected.as_str())).collect();
    assert_eq!(odds, [(1, "0.500000"), (2, "0.758620")]);
    // The counters are those of a replay of the same rows.
    let replayed = Log::new(&world, id, honest).statement.predicate.counters;
    assert_eq!(predicate.counters, replayed);
}

#[test]
fn an_opened_lie_refuses_the_audit() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    let log = Log::new(&world, id, |_, class| 1 - class);
    world.submit_log(id, &log.bytes()).unwrap();
    let openings = log.openings(world.seed_of_openings(id), OPENED);
    world.submit_openings(id, &openings).unwrap();
    let reason = reason(&world, id);
    assert!(reason.contains("the log says") && reason.contains("the model decides"), "{reason}");
    assert_eq!(world.state.certificates().len(), 0);
}

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

#[test]
fn an_auditor_checks_openings_of_a_model_that_stays_with_its_owner() {
    for agrees in [true, false] {
        let (mut world, id) = World::awaiting_log(true, OPENED);
        let log = Log::new(&world, id, honest);
        world.submit_log(id, &log.bytes()).unwrap();
        world.submit_openings(id, &log.openings(world.seed_of_openings(id), OPENED)).unwrap();
        assert_eq!(world.record(id).state, AuditState::AwaitingAuditor { openings: OPENED });
        world.upgrade();
        for other in [OWNER, STRANGER, REGISTRAR] {
            assert!(matches!(world.report(other, id, true, "").unwrap_err(), Error::NotAllowed { .. }));
        }
        assert!(matches!(world.report(AUDITOR, id, false, "").unwrap_err(), Error::Invalid { .. }));
        world.report(AUDITOR, id, agrees, "onnxruntime 1.32 on CPU: row 4 differs").unwrap();
        match agrees {
            true => {
                let predicate = world.body().predicate;
                assert_eq!(predicate.level, Level::SpotChecked);
                let by = predicate.log.unwrap().openings.unwrap().checked.unwrap().by;
                assert_eq!(by, person(AUDITOR).to_text());
                let error = world.dispute(0).unwrap_err();
                assert!(matches!(error, Error::WrongState { .. }), "{error}");
            }
            false => {
                let reason = reason(&world, id);
                assert!(reason.contains(&person(AUDITOR).to_text()) && reason.contains("row 4"), "{reason}");
            }
        }
    }
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let (mut world, id) = World::awaiting_log(true, OPENED);
    world.wait(LOG_WAIT_S);
    assert_eq!(reason(&world, id), "no log was handed in in time");

    let (mut world, id) = World::awaiting_log(true, OPENED);
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    let bytes = serde_json::to_vec(&log.openings(world.seed_of_openings(id), OPENED)).unwrap();
    let openings = world.put(OWNER, ArtefactKind::Openings, &bytes).digest;
    world.now_ns += OPENINGS_WAIT_S * SECOND_NS;
    let by = world.by(OWNER);
    let late = SubmitOpenings { audit: id, openings };
    let error = world.refused(by, |state, by| state.submit_openings(by, canister(), late, &|| 0));
    assert!(matches!(error, Error::WrongState { .. }), "{error}");
    world.finish();
    assert_eq!(reason(&world, id), "the predictions that were drawn were not opened in time");

    // Without an auditor it is attested, with its openings, and without odds.
    let (mut world, id) = World::awaiting_log(true, OPENED);
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    world.submit_openings(id, &log.openings(world.seed_of_openings(id), OPENED)).unwrap();
    world.wait(AUDITOR_WAIT_S);
    let predicate = world.body().predicate;
    assert_eq!((predicate.level, predicate.odds), (Level::Attested, Vec::new()));
    assert!(predicate.log.unwrap().openings.unwrap().checked.is_none());
    // Who waited takes no place any more.
    assert_eq!(world.state.account(person(OWNER)).unwrap().awaiting_proofs, 0);
    assert_eq!(world.state.account(person(OWNER)).unwrap().open_audits, 0);
    assert_eq!(world.state.totals.get().unwrap().awaiting_proofs, 0);
}

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
fn keys_are_their_owners_and_can_be_revoked() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    assert!(matches!(world.add_key(OWNER, &key()).unwrap_err(), Error::AlreadyRegistered { .. }));
    assert!(
        matches!(world.add_key(STRANGER, &key()).unwrap_err(), Error::NotAllowed { .. }),
        "owns no model"
    );
    let by = world.by(OWNER);
    let other = Key::from_bytes(&[1; 32]);
    // A signature that was made for somebody else, or another canister.
    for message in [key_message(canister(), person(STRANGER)), key_message(person(7), person(OWNER))] {
        let signature = other.sign(&message).to_bytes().to_vec();
        let request = AddKey { key: public(&other), signature };
        let error = world.refused(by, |state, by| state.add_key(by, canister(), &request));
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
    let log = Log::new(&world, id, honest).bytes();
    let revoke = |reason: &str| RevokeKey { key: public(&key()), reason: reason.to_owned() };
    let error = world.refused(by, |state, by| state.revoke_key(by, revoke(" ")));
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    let by = world.by(OWNER);
    world.state.revoke_key(&by, revoke("stolen")).unwrap();
    let error = world.refused(by, |state, by| state.revoke_key(by, revoke("again")));
    assert!(matches!(error, Error::WrongState { .. }), "{error}");
    assert!(matches!(world.submit_log(id, &log).unwrap_err(), Error::WrongState { .. }));
    assert!(world.add_key(OWNER, &key()).is_err(), "a revoked key does not come back");
    // The next key takes its place.
    world.add_key(OWNER, &other).unwrap();
    let mut log = Log::new(&world, id, honest);
    log.statement.predicate.signer = public(&other).into();
    log.key = other;
    world.submit_log(id, &log.bytes()).unwrap();
    world.upgrade();

    let answer = world.state.certified_keys(person(OWNER), None).unwrap();
    assert_eq!(answer.keys.iter().filter(|key| key.revoked.is_some()).count(), 1);
    let tree: HashTree = serde_cbor::from_slice(&answer.proof.witness).unwrap();
    assert_eq!(tree.digest(), world.state.tree().root());
    for one in &answer.keys {
        let SigningKey { owner, key, .. } = one;
        let leaf = Digest::of(&signing_key_json(one).unwrap());
        let path = signing_key_key(*owner, *key);
        assert_eq!(tree.lookup_path([TREE_LABEL, path.as_bytes()]), LookupResult::Found(&leaf.0));
    }
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

/// An answer to the first draw that comes late does not say what is opened.
#[test]
fn late_randomness_draws_nothing() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    let log = Log::new(&world, id, honest);
    let digest = world.put(OWNER, ArtefactKind::Log, &log.bytes()).digest;
    let by = world.by(OWNER);
    world.state.submit_log(&by, SubmitLog { audit: id, log: digest }).unwrap();
    while !matches!(world.record(id).state, AuditState::Counted { .. }) {
        assert!(world.step());
    }
    let before = world.record(id);
    world.state.draw(id, [99; 32], world.now_ns).unwrap();
    assert_eq!(world.record(id), before);
    world.state.draw_openings(id, [98; 32], world.now_ns).unwrap();
    let drawn = world.record(id);
    assert_eq!(drawn.log.as_ref().unwrap().seed, Some(DigestBytes([98; 32])));
    world.state.draw_openings(id, [97; 32], world.now_ns).unwrap();
    world.state.draw(id, [97; 32], world.now_ns).unwrap();
    assert_eq!(world.record(id), drawn);
}

/// Who ends an audit whose draw went against him has another draw, and that is counted.
#[test]
fn draws_are_counted_whatever_becomes_of_them() {
    let (mut world, id) = World::awaiting_log(true, OPENED);
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    let by = world.by(OWNER);
    let abandon = interface::AbandonAudit { id, reason: "an unkind draw".to_owned() };
    world.state.abandon_audit(&by, abandon).unwrap();
    world.assert_counted();
    let (model, dataset) = (world.record(id).model, world.record(id).dataset);
    let id = world.request_log((model, dataset), OPENED).unwrap();
    world.finish();
    let log = Log::new(&world, id, honest);
    world.submit_log(id, &log.bytes()).unwrap();
    world.submit_openings(id, &log.openings(world.seed_of_openings(id), OPENED)).unwrap();
    world.report(AUDITOR, id, true, "onnxruntime 1.32 on CPU").unwrap();
    let opened = world.body().predicate.log.unwrap().openings.unwrap();
    assert_eq!((opened.draws, opened.checked.unwrap().note.as_str()), (2, "onnxruntime 1.32 on CPU"));
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
