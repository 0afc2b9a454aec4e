//! Audits by prediction logs, honest and not.

mod disputes;
mod events;
mod keys;
mod refused;

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
        assert_eq!(self.state.totals.get().unwrap().awaiting_audits, awaiting);
        let owner = self.state.account(person(OWNER)).unwrap();
        assert_eq!((owner.awaiting_audits, owner.open_audits), (awaiting, open));
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
    assert_eq!(world.state.account(person(OWNER)).unwrap().awaiting_audits, 0);
    assert_eq!(world.state.account(person(OWNER)).unwrap().open_audits, 0);
    assert_eq!(world.state.totals.get().unwrap().awaiting_audits, 0);
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
