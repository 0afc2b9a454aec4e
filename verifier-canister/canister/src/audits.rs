//! Requests for audits. A request is counted for the model and its owner, and is never removed.

use audit::{DatasetHeader, Policy, dataset::MAX_HEADER};
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    AbandonAudit, AuditId, AuditRequest, AuditState, CertificateId, CertificateState, Error, POLICY_BYTES,
    Role, certified::MAX_ID,
};

use crate::{
    guards::{Context, check_quota, check_range, check_reason},
    storage::{
        State,
        records::{Audit, Dataset, Model, Turn},
    },
};

/// Ten years: what `valid_for_s` may say at most.
const MAX_VALID_S: u64 = 3_652 * 86_400;

impl<M: Memory> State<M> {
    /// Records a request. The seed is drawn later, so that nobody knows the sample when asking.
    pub fn request_audit(&mut self, context: &Context, request: AuditRequest) -> Result<AuditId, Error> {
        let requester = context.signed_in()?;
        let mut model = self.model_entry(request.model)?;
        let dataset = self.dataset_entry(request.dataset)?;
        self.may_request(context, &model)?;
        if model.encoding != dataset.encoding {
            return Err(Error::WrongEncoding { expected: model.encoding, got: dataset.encoding });
        }
        let sample_size = request.sample_size.unwrap_or(dataset.rows);
        check_range("sample size", 1, dataset.rows.into(), sample_size.into())?;
        if let Some(seconds) = request.valid_for_s {
            check_range("valid_for_s", 1, MAX_VALID_S, seconds)?;
        }
        let log = match request.log {
            Some(log) => {
                let (model, dataset) = ((request.model, &model), (request.dataset, &dataset));
                Some(self.check_log_request(context, model, dataset, sample_size, log)?)
            }
            None if model.logged => {
                let message = "only logs of its predictions are audited: ask for one".to_owned();
                return Err(Error::Invalid { what: "logged model".to_owned(), message });
            }
            None => None,
        };
        if model.commitment.is_some() {
            self.check_provable(&model, &dataset, sample_size)?;
            self.check_awaiting_quotas(model.owner)?;
        }
        let policy = self.check_policy(&request.policy, &dataset)?;
        if let Some(replaced) = request.supersedes {
            self.may_supersede(context, replaced, &model, &dataset)?;
        }
        let work = match &log {
            Some(log) => Self::log_work(&model, sample_size, log.openings),
            None => u64::from(sample_size).saturating_mul(model.parameters),
        };
        self.check_audit_quotas(context, work)?;
        let id = self.audits().len() + 1;
        check_range("audit number", 1, MAX_ID, id)?;

        let policy_text = policy.to_json().map_err(|cause| Error::invalid("policy", &cause))?;
        let policy_text = String::from_utf8(policy_text).map_err(Error::internal)?;
        let policy_digest = audit::Digest::of(policy_text.as_bytes());
        self.count_request(context, work)?;
        let mut owner = self.account(model.owner)?;
        owner.audits_of_models += 1;
        self.accounts.put(model.owner, &owner)?;
        model.audits += 1;
        self.put_model(request.model, &model)?;
        self.policies.put(policy_digest.0, &policy_text)?;
        self.turns.put(id, &Turn::default())?;
        let audit = Audit {
            model: request.model,
            dataset: request.dataset,
            owner: model.owner,
            requester,
            policy: policy_digest.into(),
            policy_name: policy.name,
            sample_size,
            valid_for_s: request.valid_for_s,
            supersedes: request.supersedes,
            audit_of_model: model.audits,
            audit_of_owner: owner.audits_of_models,
            audits_of_model: model.audits,
            audits_of_owner: owner.audits_of_models,
            requested_at_ns: context.now_ns,
            seed: None,
            drawn_at_ns: None,
            ended_at_ns: None,
            state: AuditState::Requested,
            replay_messages: 0,
            replay_instructions: 0,
            proofs: Vec::new(),
            log,
        };
        self.put_audit(id, &audit)?;
        Ok(id)
    }

    fn may_request(&self, context: &Context, model: &Model) -> Result<(), Error> {
        let allowed = context.caller == model.owner
            || self.has_role(context, Role::Registrar)
            || self.has_role(context, Role::Auditor);
        if allowed { Ok(()) } else { Err(Error::not_allowed("the model's owner, a registrar or an auditor")) }
    }

    /// A certificate is replaced only by one for the same owner and a dataset of the same name, on behalf of the
    /// owner, so that nobody else can end it.
    fn may_supersede(
        &self,
        context: &Context,
        replaced: CertificateId,
        model: &Model,
        dataset: &Dataset,
    ) -> Result<(), Error> {
        let certificate = self.certificate_entry(replaced)?;
        if context.caller != model.owner && !context.is_controller {
            return Err(Error::not_allowed("the model's owner"));
        }
        if certificate.owner != model.owner {
            return Err(Error::not_allowed("the owner of the certificate to replace"));
        }
        let wrong = |state: &str, needed: &str| Error::WrongState {
            what: format!("certificate {replaced}"),
            state: state.to_owned(),
            needed: needed.to_owned(),
        };
        if certificate.dataset_name != dataset.name {
            let needed = format!("for a dataset called {}", dataset.name);
            return Err(wrong(&format!("for dataset {}", certificate.dataset_name), &needed));
        }
        match certificate.state {
            CertificateState::Valid => Ok(()),
            CertificateState::Superseded { .. } => Err(wrong("superseded", "valid")),
            CertificateState::Suspended { .. } => Err(wrong("suspended", "valid")),
            CertificateState::Revoked { .. } => Err(wrong("revoked", "valid")),
        }
    }

    fn check_policy(&self, text: &str, dataset: &Dataset) -> Result<Policy, Error> {
        let (max, got) = (POLICY_BYTES.into(), text.len() as u64);
        if got > max {
            return Err(Error::TooLarge { what: "policy".to_owned(), max, got });
        }
        let invalid = |cause| Error::invalid("policy", &cause);
        let policy = Policy::from_json(text.as_bytes()).map_err(invalid)?;
        policy.check(&self.header(dataset)?.schema).map_err(invalid)?;
        Ok(policy)
    }

    /// The header of a registered dataset.
    pub fn header(&self, dataset: &Dataset) -> Result<DatasetHeader, Error> {
        let mut prefix = vec![0; dataset.header_bytes.min(MAX_HEADER as u64) as usize];
        self.blocks.read(&dataset.content, 0, &mut prefix)?;
        DatasetHeader::parse(&prefix).map_err(Error::internal)
    }

    fn check_audit_quotas(&self, context: &Context, work: u64) -> Result<(), Error> {
        let quotas = self.quotas.get()?;
        let account = self.account(context.caller)?;
        let totals = self.totals.get()?;
        check_quota("audit_work", quotas.audit_work, 0, work)?;
        check_quota("open_audits", quotas.open_audits.into(), account.open_audits.into(), 1)?;
        let open = self.turns.len().saturating_sub(totals.awaiting_audits.into());
        check_quota("open_audits_total", quotas.open_audits_total.into(), open, 1)?;
        let (today, own) =
            if account.day == context.day() { (account.audits_today, account.work_today) } else { (0, 0) };
        check_quota("work_per_day", quotas.work_per_day, own, work)?;
        check_quota("audits_per_day", quotas.audits_per_day.into(), today.into(), 1)?;
        let (audits, done) =
            if totals.day == context.day() { (totals.audits_today, totals.work_today) } else { (0, 0) };
        check_quota("audits_per_day_total", quotas.audits_per_day_total.into(), audits.into(), 1)?;
        check_quota("work_per_day_total", quotas.work_per_day_total, done, work)
    }

    fn count_request(&mut self, context: &Context, work: u64) -> Result<(), Error> {
        let day = context.day();
        let mut account = self.account(context.caller)?;
        let mut totals = self.totals.get()?;
        if account.day != day {
            (account.day, account.audits_today, account.work_today) = (day, 0, 0);
        }
        if totals.day != day {
            (totals.day, totals.audits_today, totals.work_today) = (day, 0, 0);
        }
        account.open_audits += 1;
        account.audits_today += 1;
        account.work_today = account.work_today.saturating_add(work);
        totals.audits_today += 1;
        totals.work_today += work;
        self.accounts.put(context.caller, &account)?;
        self.totals.put(&totals)
    }

    /// Stops an open audit. It stays in the list, with its reason and with its seed if that was drawn: whoever
    /// stopped it then could already have computed the result.
    pub fn abandon_audit(&mut self, context: &Context, request: AbandonAudit) -> Result<(), Error> {
        let by = context.signed_in()?;
        check_reason(&request.reason)?;
        let audit = self.audit_entry(request.id)?;
        if by != audit.owner && by != audit.requester && !context.is_controller {
            return Err(Error::not_allowed("who requested the audit, or the model's owner"));
        }
        if !audit.state.is_open() {
            return Err(Error::WrongState {
                what: format!("audit {}", request.id),
                state: audit.state.kind().name().to_owned(),
                needed: "open".to_owned(),
            });
        }
        self.close(request.id, audit, AuditState::Abandoned { reason: request.reason, by }, context.now_ns)
    }

    /// Ends an open audit for good.
    pub fn close(
        &mut self,
        id: AuditId,
        mut audit: Audit,
        state: AuditState,
        now_ns: u64,
    ) -> Result<(), Error> {
        if audit.state.is_awaiting() {
            self.end_awaiting(&audit)?;
        }
        self.count_others(&mut audit)?;
        audit.state = state;
        audit.ended_at_ns = Some(now_ns);
        self.put_audit(id, &audit)?;
        self.turns.remove(&id);
        self.progress.remove(&id);
        self.forget_prepared(id);
        self.end_open(audit.requester)
    }

    /// Notes how many audits of this model and owner were requested until now. Whoever can keep one open while trying
    /// others must not end up with a certificate that says it was the first.
    pub(crate) fn count_others(&self, audit: &mut Audit) -> Result<(), Error> {
        audit.audits_of_model = self.model_entry(audit.model)?.audits;
        audit.audits_of_owner = self.account(audit.owner)?.audits_of_models;
        Ok(())
    }

    pub(crate) fn end_open(&mut self, requester: Principal) -> Result<(), Error> {
        let mut account = self.account(requester)?;
        account.open_audits = account.open_audits.saturating_sub(1);
        self.accounts.put(requester, &account)
    }
}
