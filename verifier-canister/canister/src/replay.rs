//! Runs open audits, one step per message: draw the seed, replay a slice of the sample or count a slice of a log, draw
//! what is opened, certify.
//!
//! A step is *begun* in one message, which stores the attempt, and *done* in the next. If that one traps, its
//! changes are undone but the attempt stays counted; after a few the audit is refused, so nothing can make the
//! queue stand still. Open audits take turns. Everything needed to go on is in stable memory, so an upgrade
//! between two steps loses nothing.

use std::ops::Bound;

use audit::{Counts, DatasetHeader, Engine, Replay, Row, draw_sample};
use ic_stable_structures::Memory;
use interface::{AuditId, AuditState, DigestBytes, Error};

use crate::{
    guards::SECOND_NS,
    logs::StoredLog,
    rows::RowReader,
    storage::{
        Content, State,
        records::{Audit, Progress, Turn},
    },
};

/// Attempts to get randomness before an audit is refused; the waits between them add up to more than an hour.
pub const MAX_DRAWS: u32 = 12;
/// Attempts at one slice or certificate before an audit is refused.
pub const MAX_ATTEMPTS: u32 = 5;
/// How long a step is waited for before it counts as lost.
const LEASE_NS: u64 = 60 * SECOND_NS;
/// The first wait for randomness; it doubles with every attempt.
const DRAW_WAIT_NS: u64 = 10 * SECOND_NS;
/// The longest wait for randomness.
const MAX_DRAW_WAIT_NS: u64 = 600 * SECOND_NS;
/// Instructions, roughly, between two looks at the instruction counter.
const BATCH: u64 = 1_000_000;
/// Instructions that a sample costs, roughly, apart from two per parameter.
const SAMPLE: u64 = 5_000;

/// What an open audit needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 32 random bytes; hand them to [`State::draw`].
    Draw,
    /// [`State::replay`].
    Replay,
    /// [`State::certify`].
    Certify,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This step of this audit.
    Do(AuditId, Step),
    /// Nothing before this time.
    Wait {
        /// Nanoseconds since 1970.
        until_ns: u64,
    },
    /// No audit is open.
    Idle,
}

/// One audit's inputs, parsed.
pub struct Prepared {
    audit: AuditId,
    content: Content,
    pub(crate) header: DatasetHeader,
    /// Row numbers, increasing.
    sample: Vec<u32>,
    subject: Subject,
}

/// Where the decisions come from.
enum Subject {
    /// The canister makes them.
    Model(Box<(audit::Model, Engine)>),
    /// The model's owner signed them.
    Log(Box<StoredLog>),
}

impl Prepared {
    /// The model that is replayed.
    pub(crate) fn model(&self) -> Option<&audit::Model> {
        match &self.subject {
            Subject::Model(replayed) => Some(&replayed.0),
            Subject::Log(_) => None,
        }
    }
}

fn step_of(state: &AuditState) -> Option<Step> {
    match state {
        AuditState::Requested | AuditState::Counted { .. } => Some(Step::Draw),
        AuditState::Running { done, of } if done < of => Some(Step::Replay),
        AuditState::Running { .. } => Some(Step::Certify),
        // Somebody else goes on with it, not the queue.
        AuditState::AwaitingProof { .. }
        | AuditState::AwaitingLog { .. }
        | AuditState::AwaitingOpenings { .. }
        | AuditState::AwaitingAuditor { .. } => None,
        AuditState::Completed { .. } | AuditState::Refused { .. } | AuditState::Abandoned { .. } => None,
    }
}

/// What everyone gets to know about an audit that could not go on.
pub(crate) fn reason(cause: Error) -> String {
    match cause {
        Error::Invalid { message, .. } => message,
        cause => cause.to_string(),
    }
}

fn gave_up(step: Step) -> &'static str {
    match step {
        Step::Draw => "the subnet gave no randomness",
        Step::Replay => "the replay failed again and again at the same place",
        Step::Certify => "the certificate could not be made",
    }
}

impl<M: Memory> State<M> {
    /// Begins the next step of the audit whose turn it is, and stores the attempt.
    pub fn begin_step(&mut self, now_ns: u64) -> Result<Next, Error> {
        let last = self.totals.get()?.last_turn;
        let later = self.turns.keys((Bound::Excluded(last), Bound::Unbounded));
        let ids: Vec<AuditId> = later.chain(self.turns.keys(..=last)).collect::<Result<_, _>>()?;
        let mut until_ns = None;
        for id in ids {
            let turn = self.turns.get(&id)?.unwrap_or_default();
            if turn.not_before_ns > now_ns {
                until_ns = Some(until_ns.unwrap_or(u64::MAX).min(turn.not_before_ns));
                continue;
            }
            // A record that cannot be read must not hold up the others.
            let Ok(audit) = self.audit_entry(id) else { continue };
            let audit = match audit.deadline_ns() {
                Some(deadline_ns) if deadline_ns > now_ns => {
                    until_ns = Some(until_ns.unwrap_or(u64::MAX).min(deadline_ns));
                    self.turns.put(id, &Turn { attempts: 0, not_before_ns: deadline_ns })?;
                    continue;
                }
                Some(_) => {
                    self.end_wait(id, audit, now_ns)?;
                    self.audit_entry(id)?
                }
                None => audit,
            };
            let Some(step) = step_of(&audit.state) else {
                self.turns.remove(&id);
                continue;
            };
            let most = if step == Step::Draw { MAX_DRAWS } else { MAX_ATTEMPTS };
            if turn.attempts >= most {
                self.refuse(id, audit, gave_up(step).to_owned(), now_ns)?;
                continue;
            }
            let wait_ns = match step {
                Step::Draw => (DRAW_WAIT_NS << turn.attempts).min(MAX_DRAW_WAIT_NS),
                Step::Replay | Step::Certify => LEASE_NS,
            };
            let begun = Turn { attempts: turn.attempts + 1, not_before_ns: now_ns.saturating_add(wait_ns) };
            self.turns.put(id, &begun)?;
            let mut totals = self.totals.get()?;
            totals.last_turn = id;
            self.totals.put(&totals)?;
            return Ok(Next::Do(id, step));
        }
        Ok(until_ns.map_or(Next::Idle, |until_ns| Next::Wait { until_ns }))
    }

    /// Lets every open audit go on at once: what was begun before an upgrade will not be done any more.
    pub fn resume_all(&mut self) -> Result<(), Error> {
        let ids: Vec<AuditId> = self.turns.keys(..).collect::<Result<_, _>>()?;
        for id in ids {
            let turn = self.turns.get(&id)?.unwrap_or_default();
            self.turns.put(id, &Turn { not_before_ns: 0, ..turn })?;
        }
        Ok(())
    }

    /// Takes randomness for an audit that waits for it. Later answers to earlier attempts change nothing.
    pub fn draw(&mut self, id: AuditId, random: [u8; 32], now_ns: u64) -> Result<(), Error> {
        let mut audit = self.audit_entry(id)?;
        let seed = Some(DigestBytes(random));
        match (&audit.state, &mut audit.log) {
            (AuditState::Requested, log) => {
                let of = audit.sample_size;
                let private = self.model_entry(audit.model)?.commitment.is_some();
                audit.state = match log {
                    Some(_) => AuditState::AwaitingLog { of },
                    None if private => AuditState::AwaitingProof { done: 0, of },
                    None => AuditState::Running { done: 0, of },
                };
                (audit.seed, audit.drawn_at_ns) = (seed, Some(now_ns));
                self.progress.put(id, &Progress::default())?;
            }
            (AuditState::Counted { openings }, Some(log)) => {
                audit.state = AuditState::AwaitingOpenings { openings: *openings };
                (log.seed, log.drawn_at_ns) = (seed, Some(now_ns));
            }
            _ => return Ok(()),
        }
        if audit.state.is_awaiting() {
            self.begin_awaiting(&audit)?;
        }
        self.turns.put(id, &Turn::default())?;
        self.put_audit(id, &audit)
    }

    /// Runs the model on the next rows of the sample, or counts what a log says of them, until `instructions`, which counts those of this message,
    /// reaches the quota. A row that the model cannot be run on ends the audit as refused.
    pub fn replay(&mut self, id: AuditId, now_ns: u64, instructions: &dyn Fn() -> u64) -> Result<(), Error> {
        let mut audit = self.audit_entry(id)?;
        if step_of(&audit.state) != Some(Step::Replay) {
            return Ok(());
        }
        let attempts = self.turns.get(&id)?.unwrap_or_default().attempts;
        let slice = self.quotas.get()?.slice_instructions >> attempts.saturating_sub(1).min(8);
        let start = instructions();
        let outcome = self.slice(id, &audit, &|| instructions().saturating_sub(start) < slice);
        let used = instructions().saturating_sub(start);
        audit.replay_messages = audit.replay_messages.saturating_add(1);
        audit.replay_instructions = audit.replay_instructions.saturating_add(used);
        let mut totals = self.totals.get()?;
        totals.replay_instructions = totals.replay_instructions.saturating_add(used);
        self.totals.put(&totals)?;
        match outcome {
            Ok(progress) => {
                let (done, of) = (progress.position, audit.sample_size);
                audit.state = match &audit.log {
                    Some(log) => Self::counted(log, done, of),
                    None => AuditState::Running { done, of },
                };
                self.progress.put(id, &progress)?;
                self.turns.put(id, &Turn::default())?;
                self.put_audit(id, &audit)
            }
            Err(cause) => self.refuse(id, audit, reason(cause), now_ns),
        }
    }

    fn slice(&mut self, id: AuditId, audit: &Audit, go_on: &dyn Fn() -> bool) -> Result<Progress, Error> {
        let mut prepared = self.take_prepared(id, audit)?;
        let progress = self.progress.get(&id)?.unwrap_or_default();
        let result = self.run(&mut prepared, progress, go_on);
        self.prepared = Some(prepared);
        result
    }

    fn run(
        &self,
        prepared: &mut Prepared,
        mut progress: Progress,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Progress, Error> {
        let Prepared { content, header, sample, subject, .. } = prepared;
        let (model, engine) = match subject {
            Subject::Model(replayed) => (&replayed.0, &mut replayed.1),
            Subject::Log(log) => return self.count_log((log, header, content), sample, progress, go_on),
        };
        let refused = |cause| Error::invalid("replay", &cause);
        let counters = std::mem::take(&mut progress.counters);
        let counts = match counters.is_empty() {
            true => Counts::new(&header.schema),
            false => Counts::from_counters(&header.schema, counters).map_err(Error::internal)?,
        };
        let mut replay = Replay::resume(model, &header.schema, counts).map_err(refused)?;
        let batch = (BATCH / (SAMPLE + 2 * model.parameters())).max(1) as usize;
        let mut reader = RowReader::new(&self.blocks, content, header);
        loop {
            let left = sample.get(progress.position as usize..).unwrap_or_default();
            if left.is_empty() {
                break;
            }
            let done = reader.some(left, batch, |sample, record| {
                let row = Row::parse(&header.schema, record).map_err(Error::internal)?;
                replay.step(engine, sample, row).map(|_| ()).map_err(refused)
            })?;
            progress.position += done as u32;
            if !go_on() {
                break;
            }
        }
        progress.counters = replay.counts().counters().to_vec();
        Ok(progress)
    }

    /// The audit's inputs, from the last message or parsed again.
    pub(crate) fn take_prepared(&mut self, id: AuditId, audit: &Audit) -> Result<Prepared, Error> {
        if let Some(prepared) = self.prepared.take_if(|prepared| prepared.audit == id) {
            return Ok(prepared);
        }
        self.prepared = None;
        let dataset = self.dataset_entry(audit.dataset)?;
        let header = self.header(&dataset)?;
        let subject = match &audit.log {
            Some(_) => Subject::Log(Box::new(self.log_of(audit)?)),
            None => {
                let bytes = self.blocks.read_all(&self.model_entry(audit.model)?.content)?;
                let model = audit::Model::parse(&bytes).map_err(Error::internal)?;
                let engine = Engine::new(&model);
                Subject::Model(Box::new((model, engine)))
            }
        };
        let seed = audit.seed.ok_or_else(|| Error::internal("a running audit has no seed"))?;
        let sample = draw_sample(&seed.0, header.rows, audit.sample_size);
        Ok(Prepared { audit: id, content: dataset.content, header, sample, subject })
    }

    /// Frees the memory of an audit that has ended.
    pub(crate) fn forget_prepared(&mut self, id: AuditId) {
        self.prepared.take_if(|prepared| prepared.audit == id);
    }

    /// Ends an audit that cannot be completed, for all to see.
    pub(crate) fn refuse(
        &mut self,
        id: AuditId,
        audit: Audit,
        reason: String,
        now_ns: u64,
    ) -> Result<(), Error> {
        self.close(id, audit, AuditState::Refused { reason }, now_ns)
    }
}
