//! Opened predictions, and predictions that somebody disputes: what the canister can run again, it does itself.

use audit::{
    DatasetHeader, Engine, Row, draw_sample,
    log::{LogError, Openings},
};
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    ArtefactKind, AuditId, AuditState, CertificateState, CheckedOpenings, DisputePrediction, Error,
    ReportOpenings, Role, StateKind, SubmitOpenings, SubmittedOpenings,
};

use crate::{
    guards::{Context, check_range, check_reason},
    proofs::refused,
    replay::reason,
    rows::RowReader,
    storage::{
        State,
        records::{Audit, Model, Turn},
    },
};

impl<M: Memory> State<M> {
    /// Takes the openings that an audit waits for. Those that do not hold change nothing; a prediction that the public
    /// model does not make ends the audit as refused.
    pub fn submit_openings(
        &mut self,
        context: &Context,
        canister: Principal,
        request: SubmitOpenings,
        instructions: &dyn Fn() -> u64,
    ) -> Result<(), Error> {
        let caller = context.signed_in()?;
        let mut audit = self.audit_entry(request.audit)?;
        if caller != audit.owner {
            return Err(Error::not_allowed("the model's owner"));
        }
        let (AuditState::AwaitingOpenings { openings: count }, Some(asked)) = (&audit.state, &audit.log)
        else {
            return Err(audit.wrong_state(request.audit, StateKind::AwaitingOpenings));
        };
        let (count, seed) = (*count, asked.seed);
        Self::check_deadline(context, request.audit, &audit)?;
        self.count_attempt(request.audit)?;
        let handed_in = self.handed_in(context, ArtefactKind::Openings, request.openings)?;
        let start = instructions();
        let bytes = self.blocks.read_all(&handed_in.content)?;
        let wrong = |cause: LogError| refused("openings", cause);
        let openings = Openings::parse(&bytes).map_err(wrong)?;
        let seed = seed.ok_or_else(|| Error::internal("openings without a seed"))?.into();
        let log = self.log_of(&audit)?;
        openings.verify_drawn(log.header.signed.statement(), seed, count).map_err(wrong)?;
        let dataset = self.dataset_entry(audit.dataset)?;
        let header = self.header(&dataset)?;
        let model = self.model_entry(audit.model)?;
        let mut engine = match model.logged {
            true => None,
            false => Some(self.engine(&model)?),
        };
        let mut reader = RowReader::new(&self.blocks, &dataset.content, &header);
        let mut differs = None;
        for opening in &openings.openings {
            reader.some(&[opening.row], 1, |row, record| {
                opening.check_input(Some(record)).map_err(wrong)?;
                let Some(engine) = &mut engine else { return Ok(()) };
                let found = match decide(engine, &header, row, record) {
                    Ok(class) if class == opening.class => None,
                    Ok(class) => Some(other_class(&header, row, opening.class, class)),
                    Err(cause) => Some(reason(cause)),
                };
                differs = differs.take().or(found);
                Ok(())
            })?;
        }
        audit.replay_instructions =
            audit.replay_instructions.saturating_add(instructions().saturating_sub(start));
        audit.replay_messages = audit.replay_messages.saturating_add(1);
        let at_ns = context.now_ns;
        if let Some(log) = &mut audit.log {
            log.opened = Some(SubmittedOpenings { content: request.openings, at_ns });
        }
        self.uploads.remove(&handed_in.upload);
        self.logs.put(request.openings.0, &handed_in.content)?;
        if let Some(reason) = differs {
            return self.refuse(request.audit, audit, reason, at_ns);
        }
        match model.logged {
            // Nobody can have an endpoint say the same again: what was opened is there to be read.
            true if log.header.signed.statement().predicate.is_endpoint() => {
                self.go_on_to_certificate(request.audit, audit)
            }
            true => {
                audit.state = AuditState::AwaitingAuditor { openings: count };
                self.turns.put(request.audit, &Turn::default())?;
                self.put_audit(request.audit, &audit)
            }
            false => self.pass_openings(
                request.audit,
                audit,
                CheckedOpenings { by: canister, at_ns, note: String::new() },
            ),
        }
    }

    /// Notes who ran the openings again; the audit goes on to its certificate.
    fn pass_openings(&mut self, id: AuditId, mut audit: Audit, by: CheckedOpenings) -> Result<(), Error> {
        if let Some(log) = &mut audit.log {
            log.checked = Some(by);
        }
        self.go_on_to_certificate(id, audit)
    }

    fn go_on_to_certificate(&mut self, id: AuditId, mut audit: Audit) -> Result<(), Error> {
        self.end_awaiting(&audit)?;
        audit.state = AuditState::Running { done: audit.sample_size, of: audit.sample_size };
        self.turns.put(id, &Turn::default())?;
        self.put_audit(id, &audit)
    }

    /// Takes what an auditor found who ran the model on the openings.
    pub fn report_openings(&mut self, context: &Context, request: ReportOpenings) -> Result<(), Error> {
        let by = context.signed_in()?;
        if !self.has_role(context, Role::Auditor) {
            return Err(Error::not_allowed("an auditor"));
        }
        let audit = self.audit_entry(request.audit)?;
        if by == audit.owner {
            return Err(Error::not_allowed("somebody else than the model's owner"));
        }
        let AuditState::AwaitingAuditor { .. } = audit.state else {
            return Err(audit.wrong_state(request.audit, StateKind::AwaitingAuditor));
        };
        if !request.agrees || !request.note.is_empty() {
            check_reason(&request.note)?;
        }
        Self::check_deadline(context, request.audit, &audit)?;
        match request.agrees {
            true => {
                let (at_ns, note) = (context.now_ns, request.note);
                self.pass_openings(request.audit, audit, CheckedOpenings { by, at_ns, note })
            }
            false => {
                let reason = format!("auditor {by} ran the openings and disagrees: {}", request.note);
                self.refuse(request.audit, audit, reason, context.now_ns)
            }
        }
    }

    /// Runs the public model on one prediction of a certified log. If it decides otherwise, the certificate is
    /// suspended, for good; if not, nothing changes.
    pub fn dispute_prediction(&mut self, context: &Context, request: DisputePrediction) -> Result<(), Error> {
        let by = context.signed_in()?;
        let mut certificate = self.certificate_entry(request.certificate)?;
        let what = || format!("certificate {}", request.certificate);
        let wrong = |what, state: &str, needed: &str| Error::WrongState {
            what,
            state: state.to_owned(),
            needed: needed.to_owned(),
        };
        // Revoking it must not keep others from showing what it was.
        if let CertificateState::Suspended { .. } = certificate.state {
            return Err(wrong(what(), "suspended", "not suspended"));
        }
        let audit = self.audit_entry(certificate.audit)?;
        if audit.log.is_none() {
            return Err(wrong(what(), "not made from a log", "attested or spot-checked"));
        }
        let model = self.model_entry(audit.model)?;
        if model.logged {
            return Err(wrong("model".to_owned(), "not public", "public"));
        }
        check_range("index", 0, u64::from(audit.sample_size) - 1, request.index.into())?;
        self.count_dispute(context)?;
        let dataset = self.dataset_entry(audit.dataset)?;
        let header = self.header(&dataset)?;
        let seed = audit.seed.ok_or_else(|| Error::internal("a log without a sample"))?;
        let sample = draw_sample(&seed.0, dataset.rows, audit.sample_size);
        let entries = self.entries(&self.log_of(&audit)?, request.index, 1)?;
        let (Some(&row), Some(entry)) = (sample.get(request.index as usize), entries.first()) else {
            return Err(Error::internal("a log without this entry"));
        };
        let mut engine = self.engine(&model)?;
        let mut decided = Some(entry.class);
        let mut reader = RowReader::new(&self.blocks, &dataset.content, &header);
        reader.some(&[row], 1, |row, record| {
            // A row that the model cannot be run on has no class, whatever the log says.
            decided = decide(&mut engine, &header, row, record).ok();
            Ok(())
        })?;
        if decided == Some(entry.class) {
            let message = format!("row {row}: the model decides what the log says");
            return Err(refused("dispute", message));
        }
        let at_ns = context.now_ns;
        certificate.state = CertificateState::Suspended { row, logged: entry.class, decided, by, at_ns };
        self.put_certificate(request.certificate, &certificate)
    }

    /// Charges a dispute to the caller, before it is looked at. Auditors are not bounded, so that nobody can use up what
    /// the public may.
    fn count_dispute(&mut self, context: &Context) -> Result<(), Error> {
        if self.has_role(context, Role::Auditor) {
            return Ok(());
        }
        let quotas = self.quotas.get()?;
        let (mut account, mut totals) = (self.account(context.caller)?, self.totals.get()?);
        let own = (&mut account.disputed_day, &mut account.disputes_today);
        context.count_today("disputes_per_day", quotas.disputes_per_day, own)?;
        let all = (&mut totals.disputed_day, &mut totals.disputes_today);
        context.count_today("disputes_per_day_total", quotas.disputes_per_day_total, all)?;
        self.accounts.put(context.caller, &account)?;
        self.totals.put(&totals)
    }

    fn engine(&self, model: &Model) -> Result<Engine, Error> {
        let bytes = self.blocks.read_all(&model.content)?;
        Ok(Engine::new(&audit::Model::parse(&bytes).map_err(Error::internal)?))
    }
}

fn other_class(header: &DatasetHeader, row: u32, logged: u8, decided: u8) -> String {
    let name = |class: u8| header.schema.classes.get(usize::from(class)).map_or("nothing", String::as_str);
    format!("row {row}: the log says {}, the model decides {}", name(logged), name(decided))
}

fn decide(engine: &mut Engine, header: &DatasetHeader, row: u32, record: &[u8]) -> Result<u8, Error> {
    let parsed = Row::parse(&header.schema, record).map_err(Error::internal)?;
    engine.decide(parsed.features()).map_err(|cause| Error::invalid("model", &cause.at(row)))
}
