//! Prediction logs: the owner runs the model and signs every prediction; the canister counts them against its own labels
//! and groups, then draws which are opened.
//!
//! The log is fixed before the second draw, so nobody could choose what will be looked at. What is opened is run again:
//! by the canister where the model is public, else by an auditor. `audit::log` decides what holds.

mod openings;

use audit::{
    DatasetHeader, Row,
    log::{Asked, Card, Entry, MAX_OPENINGS, Named, SubmissionHeader, Tally, odds},
};
use ic_stable_structures::Memory;
use interface::{
    ArtefactKind, AuditId, AuditLog, AuditState, DigestBytes, Error, LogRequest, OPENINGS_BYTES, ReadRequest,
    StateKind, SubmitLog, SubmittedLog,
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
/// What an opening costs in it, apart from running the model.
const OPENING_WORK: u64 = 170_000;
/// Most openings times parameters that the canister runs again, in one message.
const OPENINGS_WORK: u64 = 2_000_000_000;
/// Records that are counted between two looks at the instruction counter.
const BATCH: usize = 64;
/// Entries that are read at once.
const WINDOW: usize = 4096;

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
        context: &Context,
        (digest, model): (DigestBytes, &Model),
        (dataset_digest, dataset): (DigestBytes, &Dataset),
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
        if !model.logged && context.caller != model.owner {
            // Others ask for a replay, which needs nobody and says more.
            return Err(Error::not_allowed("the owner of a public model"));
        }
        check_range("openings", 0, MAX_OPENINGS.min(sample_size).into(), openings.into())?;
        let enough = odds::is_spot_check(sample_size, openings);
        if openings > 0 && !enough.map_err(|cause| Error::invalid("openings", &cause))? {
            let message =
                "too few: one lie in a hundred would rather not be opened; ask for more or for none";
            return Err(refused("openings", message));
        }
        let work = u64::from(openings).saturating_mul(model.parameters);
        check_range("openings times parameters", 0, OPENINGS_WORK, work)?;
        let schema = self.header(dataset)?.schema;
        schema
            .check_model(model.encoding.into(), model.inputs, model.classes)
            .map_err(|cause| Error::invalid("model", &cause))?;
        if let Some(language) = self.named(digest, model)?.language {
            language
                .check_dataset(&schema, dataset_digest.into())
                .map_err(|cause| refused("model", cause))?;
        }
        self.check_awaiting_quotas(model.owner)?;
        let account = self.account(model.owner)?;
        let bytes = stored(Self::log_bytes(sample_size)) + stored(OPENINGS_BYTES);
        check_quota("owner_bytes", self.quotas.get()?.owner_bytes, account.bytes, bytes)?;
        Ok(AuditLog {
            openings,
            submitted: None,
            seed: None,
            drawn_at_ns: None,
            draws: None,
            opened: None,
            checked: None,
        })
    }

    /// Most bytes of a log of so many predictions.
    fn log_bytes(sample_size: u32) -> u64 {
        SubmissionHeader::MAX_LEN + u64::from(sample_size) * Entry::LEN as u64
    }

    /// Work of an audit by a log.
    pub(crate) fn log_work(model: &Model, sample_size: u32, openings: u32) -> u64 {
        let opening = model.parameters.saturating_add(OPENING_WORK);
        let counting = u64::from(sample_size).saturating_mul(COUNTING_WORK);
        counting.saturating_add(u64::from(openings).saturating_mul(opening))
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
        self.count_attempt(request.audit)?;
        let (_, upload) = self.own_upload(context, ArtefactKind::Log, request.log)?;
        check_range("size of the log", 0, Self::log_bytes(of), upload.size)?;
        let handed_in = self.handed_in(context, ArtefactKind::Log, request.log)?;
        let StoredLog { content, header } = self.stored_log(handed_in.content)?;
        header.check_len(content.size).map_err(invalid)?;
        let statement = header.signed.statement();
        self.check_key(caller, statement.predicate.signer.into())?;
        let (dataset, model) = (self.dataset_entry(audit.dataset)?, self.model_entry(audit.model)?);
        let asked = Asked {
            model: &self.named(audit.model, &model)?,
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

    /// What a log must say about a model.
    fn named(&self, digest: DigestBytes, model: &Model) -> Result<Named, Error> {
        if !model.logged {
            return Ok(Named::of_integer_model(digest.into()));
        }
        let bytes = self.blocks.read_all(&model.content)?;
        Ok(Named::of_card(&Card::parse(&bytes).map_err(Error::internal)?))
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

    pub(super) fn entries(&self, log: &StoredLog, first: u32, count: usize) -> Result<Vec<Entry>, Error> {
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
        let mut entries = Vec::new().into_iter();
        loop {
            let left = sample.get(progress.position as usize..).unwrap_or_default();
            if left.is_empty() {
                tally.check(log.header.signed.statement()).map_err(invalid)?;
                break;
            }
            // Rows may lie far apart, and then come one by one; entries lie together.
            if entries.len() == 0 {
                entries = self.entries(log, progress.position, left.len().min(WINDOW))?.into_iter();
            }
            let done = reader.some(left, BATCH.min(entries.len()), |index, record| {
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
