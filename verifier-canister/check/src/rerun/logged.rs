//! Counts a prediction log again; where the model is at hand, each prediction is held against what it decides.

use audit::{
    Dataset, Digest, Engine, Model, Verified,
    certificate::{Logged, ModelFacts, Nanoseconds},
    draw_sample,
    log::{Asked, Card, Entry, LogError, Named, Openings, Statement, SubmissionHeader, Tally},
};
use interface::AuditRecord;

use super::{Evidence, RerunError, same, same_digest};

/// What came of counting a log again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LoggedRerun {
    /// Predictions that were opened.
    pub openings: u32,
    /// Whether the model was run; if not, the classes are the log's word.
    pub ran: bool,
    /// Predictions that the model does not make.
    pub wrong: Vec<WrongPrediction>,
}

/// A prediction that the model does not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct WrongPrediction {
    /// Place in the log.
    pub index: u32,
    /// Row of the dataset.
    pub row: u32,
    /// Class in the log.
    pub logged: u8,
    /// Class that the model decides; nothing where it cannot be run on the row.
    pub decided: Option<u8>,
}

/// The parts of a certificate that come from a log.
pub(super) struct Counted {
    pub model: ModelFacts,
    pub verified: Verified,
    pub log: Logged,
    pub rerun: LoggedRerun,
}

/// Counts the log behind a certificate. What is rebuilt has the classes that the model decides where it was run, and so
/// the root and the counters that a true log would have had.
pub(super) fn count(
    expected: &Logged,
    evidence: &Evidence,
    dataset: &Dataset,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Counted, RerunError> {
    let audit = &evidence.audit;
    let failed = |what| move |cause| RerunError::Audit { what, cause };
    let refused = |cause: LogError| RerunError::Log(cause);
    let (submission, openings) = match (evidence.handed_in.as_slice(), &expected.openings) {
        ([log], None) => (log, None),
        ([log, openings], Some(opened)) => (log, Some((openings, opened))),
        _ => return Err(RerunError::NoLog),
    };
    same_digest("log", expected.content, submission)?;
    let (model, named, engine) = model(evidence)?;
    let header = signed(audit, &named, dataset, submission)?;
    let statement = header.signed.statement();
    let seed = audit.seed.ok_or(RerunError::NoSeed(audit.id))?.0;

    let sample = draw_sample(&seed, dataset.rows(), audit.sample_size);
    let entries = header.entries(submission).map_err(refused)?;
    let logged: Vec<u8> = entries.iter().map(|entry| entry.class).collect();
    let tally = tally(dataset, &sample, &entries, &logged)?;
    tally.check(statement).map_err(refused)?;

    let decided = match (engine, &evidence.classes) {
        (Some(engine), _) => Some(decide(engine, dataset, &sample, progress)?),
        (None, Some(classes)) if classes.len() == sample.len() => {
            Some(classes.iter().copied().map(Some).collect())
        }
        (None, Some(_)) => return Err(RerunError::NoLog),
        (None, None) => None,
    };
    let ran = decided.is_some();
    let decided = decided.unwrap_or_else(|| logged.iter().copied().map(Some).collect());
    let places = (0..).zip(&sample).zip(logged.iter().zip(&decided));
    let wrong: Vec<_> = places
        .filter(|(_, (logged, decided))| Some(**logged) != **decided)
        .map(|((index, &row), (&logged, &decided))| WrongPrediction { index, row, logged, decided })
        .collect();
    let tally = match wrong.is_empty() {
        true => tally,
        false => {
            // A row without a class keeps the log's: there is no other to count.
            let classes: Vec<u8> =
                decided.iter().zip(&logged).map(|(decided, logged)| decided.unwrap_or(*logged)).collect();
            self::tally(dataset, &sample, &entries, &classes)?
        }
    };
    if let Some((bytes, opened)) = openings {
        same_digest("openings", opened.content, bytes)?;
        let openings = Openings::parse(bytes).map_err(refused)?;
        opened_of(&header, &openings, dataset, (opened.seed, opened.count))?;
    }
    let mut log = facts(audit, statement)?;
    same("signed statement", expected.statement, header.signed.digest())?;
    same("signer's key", expected.signer, statement.predicate.signer)?;
    log.root = tally.frontier().root().unwrap_or(log.root);
    let verified = Verified::logged(tally.counts().clone(), audit.sample_size, log.is_checked());
    let rerun = LoggedRerun { openings: expected.openings.as_ref().map_or(0, |one| one.count), ran, wrong };
    Ok(Counted { model, verified: verified.map_err(failed("counters"))?, log, rerun })
}

/// Verifies the log and the openings of an audit, each by the digest in its record: signature, that they are about this
/// audit, that these are the openings drawn, their paths and inputs. What the model decides is the caller's to find out.
pub fn verify_opened(
    audit: &AuditRecord,
    model: &Named,
    dataset: &Dataset,
    log: &[u8],
    openings: &[u8],
) -> Result<(SubmissionHeader, Openings), RerunError> {
    let record = audit.log.as_ref().ok_or(RerunError::NoLog)?;
    let (Some(submitted), Some(opened), Some(seed)) = (&record.submitted, &record.opened, record.seed) else {
        return Err(RerunError::NoLog);
    };
    same("dataset", audit.dataset.into(), dataset.digest())?;
    same_digest("log", submitted.content.into(), log)?;
    same_digest("openings", opened.content.into(), openings)?;
    let header = signed(audit, model, dataset, log)?;
    same("signed statement", submitted.statement.into(), header.signed.digest())?;
    let openings = Openings::parse(openings).map_err(RerunError::Log)?;
    opened_of(&header, &openings, dataset, (seed.into(), record.openings))?;
    Ok((header, openings))
}

/// The statement of a log, if it is signed and about this audit.
fn signed(
    audit: &AuditRecord,
    model: &Named,
    dataset: &Dataset,
    log: &[u8],
) -> Result<SubmissionHeader, RerunError> {
    let header = SubmissionHeader::parse(log).map_err(RerunError::Log)?;
    header.check_len(log.len() as u64).map_err(RerunError::Log)?;
    let asked = Asked {
        model,
        dataset: dataset.digest(),
        schema: dataset.schema(),
        dataset_rows: dataset.rows(),
        seed: audit.seed.ok_or(RerunError::NoSeed(audit.id))?.0,
        size: audit.sample_size,
    };
    header.signed.statement().check_asked(&asked).map_err(RerunError::Log)?;
    Ok(header)
}

fn opened_of(
    header: &SubmissionHeader,
    openings: &Openings,
    dataset: &Dataset,
    (seed, count): (Digest, u32),
) -> Result<(), RerunError> {
    let verified = openings.verify_drawn(header.signed.statement(), seed, count);
    verified.and_then(|()| openings.check_inputs(dataset)).map_err(RerunError::Log)
}

/// The model's facts, what a log must say about it, and what runs it where its bytes are public.
fn model(evidence: &Evidence) -> Result<(ModelFacts, Named, Option<Engine>), RerunError> {
    let failed = |cause| RerunError::Audit { what: "model", cause };
    let registered_at = Nanoseconds(evidence.model.registered_at_ns);
    let digest: Digest = evidence.model.digest.into();
    if evidence.model.logged {
        let card = Card::parse(&evidence.model_bytes).map_err(RerunError::Log)?;
        let facts = ModelFacts::of_card(&card, digest, registered_at);
        return Ok((facts, Named::of_card(&card), None));
    }
    let model = Model::parse(&evidence.model_bytes).map_err(failed)?;
    let facts = ModelFacts::new(&model, digest, registered_at);
    Ok((facts, Named::of_integer_model(digest), Some(Engine::new(&model))))
}

fn decide(
    mut engine: Engine,
    dataset: &Dataset,
    sample: &[u32],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Option<u8>>, RerunError> {
    let mut classes = Vec::with_capacity(sample.len());
    for &index in sample {
        let row = dataset.row(index).ok_or(RerunError::NoLog)?;
        classes.push(engine.decide(row.features()).ok());
        progress(classes.len() as u64, sample.len() as u64);
    }
    Ok(classes)
}

/// The log's entries, with these classes.
fn tally(dataset: &Dataset, sample: &[u32], entries: &[Entry], classes: &[u8]) -> Result<Tally, RerunError> {
    let mut tally = Tally::new(dataset.schema());
    for ((&index, entry), &class) in sample.iter().zip(entries).zip(classes) {
        let (Some(row), Some(record)) = (dataset.row(index), dataset.record(index)) else { continue };
        tally.add(index, row, record, Entry { class, ..*entry }).map_err(RerunError::Log)?;
    }
    Ok(tally)
}

fn facts(audit: &AuditRecord, statement: &Statement) -> Result<Logged, RerunError> {
    audit.log.as_ref().and_then(|log| log.facts(statement)).ok_or(RerunError::NoLog)
}
