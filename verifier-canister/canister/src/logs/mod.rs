//! Prediction logs: the owner runs the model and signs every prediction; the canister counts them against its own labels
//! and groups, then draws which are opened.
//!
//! The log is fixed before the second draw, so nobody could choose what will be looked at. What is opened is run again:
//! by the canister where the model is public, else by an auditor. `audit::log` decides what holds.

mod openings;

use audit::{
    DatasetHeader, Row,
    log::{Asked, Entry, MAX_OPENINGS, SubmissionHeader, Tally},
};
use ic_stable_structures::Memory;
use interface::{
    ArtefactKind, AuditId, AuditLog, AuditState, Error, LogRequest, OPENINGS_BYTES, ReadRequest, StateKind,
    SubmitLog, SubmittedLog,
};

use crate::{
    guards::{Context, check_quota, check_range},
    proofs::{MAX_REFUSED, refused},
    rows::RowReader,
    storage::{
        Content, State,
        records::{Audit, Dataset, Model, Progress, Turn},
    },
    uploads::stored,
};

/// What counting a prediction costs, in the unit of quotas for work, a parameter of a replay.
const COUNTING_WORK: u64 = 20_000;
/// Most openings times parameters that the canister runs again, in one message.
const OPENINGS_WORK: u64 = 2_000_000_000;
/// Records that are counted between two looks at the instruction counter.
const BATCH: usize = 64;

/// A log as the canister holds it.
pub struct StoredLog {
    pub content: Content,
    pub header: SubmissionHeader,
}

fn invalid(cause: impl ToString) -> Error {
    refused("log", cause)
}

impl<M: Memory> State<M> {
    /// Checks a request for an audit by a log; returns the audit's record of it.
    pub(crate) fn check_log_request(
        &self,
        model: &Model,
        dataset: &Dataset,
        sample_size: u32,
        LogRequest { openings }: LogRequest,
    ) -> Result<AuditLog, Error> {
        if model.commitment.is_some() {
            return Err(Error::WrongState {
                what: "model".to_owned(),
                state: "private".to_owned(),
                needed: "public or logged".to_owned(),
            });
        }
        check_range("openings", 0, MAX_OPENINGS.min(sample_size).into(), openings.into())?;
        let work = u64::from(openings).saturating_mul(model.parameters);
        check_range("openings times parameters", 0, OPENINGS_WORK, work)?;
        let schema = self.header(dataset)?.schema;
        schema
            .check_model(model.encoding.into(), model.inputs, model.classes)
            .map_err(|cause| Error::invalid("model", &cause))?;
        self.check_awaiting_quotas(model.owner)?;
        let account = self.account(model.owner)?;
        let bytes = stored(u64::from(sample_size) * Entry::LEN as u64) + stored(OPENINGS_BYTES);
        check_quota("owner_bytes", self.quotas.get()?.owner_bytes, account.bytes, bytes)?;
        Ok(AuditLog { openings, submitted: None, seed: None, drawn_at_ns: None, opened: None, checked: None })
    }

    /// Work of an audit by a log.
    pub(crate) fn log_work(sample_size: u32) -> u64 {
        u64::from(sample_size).saturating_mul(COUNTING_WORK)
    }

    /// Takes the log that an audit waits for, if it is signed with a key of the model's owner and about this audit. One
    /// that is not changes nothing. What it adds up to is counted in later messages.
    pub fn submit_log(&mut self, context: &Context, request: SubmitLog) -> Result<(), Error> {
        let caller = context.signed_in()?;
        let mut audit = self.audit_entry(request.audit)?;
        if caller != audit.owner {
            return Err(Error::not_allowed("the model's owner"));
        }
        let AuditState::AwaitingLog { of } = audit.state else {
            return Err(audit.wrong_state(request.audit, StateKind::AwaitingLog));
        };
        Self::check_deadline(context, request.audit, &audit)?;
        let handed_in = self.handed_in(context, ArtefactKind::Log, request.log)?;
        self.count_attempt(request.audit)?;
        let StoredLog { content, header } = self.stored_log(handed_in.content)?;
        header.check_len(content.size).map_err(invalid)?;
        let statement = header.signed.statement();
        self.check_key(caller, statement.predicate.signer.into())?;
        let (dataset, model) = (self.dataset_entry(audit.dataset)?, self.model_entry(audit.model)?);
        let asked = Asked {
            model: if model.logged { model.source.into() } else { audit.model.into() },
            dataset: audit.dataset.into(),
            schema: &self.header(&dataset)?.schema,
            dataset_rows: dataset.rows,
            seed: audit.seed.ok_or_else(|| Error::internal("a log without a sample"))?.0,
            size: of,
        };
        statement.check_asked(&asked).map_err(invalid)?;
        let submitted = SubmittedLog {
            content: request.log,
            statement: header.signed.digest().into(),
            root: statement.predicate.log.root.into(),
            signer: statement.predicate.signer.into(),
            at_ns: context.now_ns,
        };
        if let Some(log) = &mut audit.log {
            log.submitted = Some(submitted);
        }
        self.end_awaiting(&audit)?;
        audit.state = AuditState::Running { done: 0, of };
        self.uploads.remove(&handed_in.upload);
        self.logs.put(request.log.0, &content)?;
        self.progress.put(request.audit, &Progress::default())?;
        self.turns.put(request.audit, &Turn::default())?;
        self.put_audit(request.audit, &audit)
    }

    /// Bounds how often an owner may try.
    fn count_attempt(&mut self, id: AuditId) -> Result<(), Error> {
        let mut progress = self.progress.get(&id)?.unwrap_or_default();
        check_quota("refused logs or openings", MAX_REFUSED, progress.attempts.into(), 1)?;
        progress.attempts = progress.attempts.saturating_add(1);
        self.progress.put(id, &progress)
    }

    /// The log of an audit, from where it is stored.
    pub(crate) fn log_of(&self, audit: &Audit) -> Result<StoredLog, Error> {
        let missing = || Error::internal("the audit's log is missing");
        let submitted = audit.log.as_ref().and_then(|log| log.submitted.as_ref()).ok_or_else(missing)?;
        self.stored_log(self.logs.get(&submitted.content.0)?.ok_or_else(missing)?)
    }

    fn stored_log(&self, content: Content) -> Result<StoredLog, Error> {
        let mut prefix = vec![0; content.size.min(SubmissionHeader::MAX_LEN) as usize];
        self.blocks.read(&content, 0, &mut prefix)?;
        let header = SubmissionHeader::parse(&prefix).map_err(invalid)?;
        Ok(StoredLog { content, header })
    }

    fn entries(&self, log: &StoredLog, first: u32, count: usize) -> Result<Vec<Entry>, Error> {
        let mut bytes = vec![0; count * Entry::LEN];
        self.blocks.read(&log.content, log.header.entry_offset(first), &mut bytes)?;
        let entries = bytes.chunks_exact(Entry::LEN).map(Entry::parse);
        entries.collect::<Result<_, _>>().map_err(|cause| Error::invalid("log", &cause))
    }

    /// Counts the next records of a log. After the last, they must be those that were signed.
    pub(crate) fn count_log(
        &self,
        (log, header, content): (&StoredLog, &DatasetHeader, &Content),
        sample: &[u32],
        mut progress: Progress,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Progress, Error> {
        let schema = &header.schema;
        let mut tally = match progress.counters.is_empty() {
            true => Tally::new(schema),
            false => {
                let counts = audit::Counts::from_counters(schema, std::mem::take(&mut progress.counters));
                let roots = progress.roots.iter().copied().map(Into::into).collect();
                let resumed = Tally::resume(counts.map_err(Error::internal)?, roots);
                resumed.ok_or_else(|| Error::internal("a log's progress does not fit together"))?
            }
        };
        let mut reader = RowReader::new(&self.blocks, content, header);
        loop {
            let left = sample.get(progress.position as usize..).unwrap_or_default();
            if left.is_empty() {
                tally.check(log.header.signed.statement()).map_err(invalid)?;
                break;
            }
            let entries = self.entries(log, progress.position, left.len().min(BATCH))?;
            let mut entries = entries.into_iter();
            let done = reader.some(left, BATCH, |index, record| {
                let row = Row::parse(schema, record).map_err(Error::internal)?;
                let entry = entries.next().ok_or_else(|| Error::internal("a log without entry"))?;
                tally.add(index, row, record, entry).map_err(invalid)
            })?;
            progress.position += done as u32;
            if !go_on() && (progress.position as usize) < sample.len() {
                break;
            }
        }
        progress.counters = tally.counts().counters().to_vec();
        progress.roots = tally.frontier().roots().iter().copied().map(Into::into).collect();
        Ok(progress)
    }

    /// What a log's audit is after `done` of its records are counted.
    pub(crate) fn counted(log: &AuditLog, done: u32, of: u32) -> AuditState {
        match log.openings {
            openings if done == of && openings > 0 => AuditState::Counted { openings },
            _ => AuditState::Running { done, of },
        }
    }

    /// A stretch of a log or of openings.
    pub fn read_log(&self, request: ReadRequest) -> Result<Vec<u8>, Error> {
        let content = self.logs.get(&request.digest.0)?;
        self.read_content(&content.ok_or_else(|| Error::not_found("log", request.digest))?, request)
    }
}
