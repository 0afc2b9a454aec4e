//! Audits that wait for somebody: an owner's proof, log or openings, or an auditor.
//!
//! They do not stand in the queue and are counted apart from those that do, so that nobody is kept out by others'
//! leisure. Each wait has an end.

use audit::Digest;
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    AUDITOR_WAIT_S, ArtefactKind, AuditId, AuditState, DigestBytes, Error, LOG_WAIT_S, OPENINGS_WAIT_S,
    PROOF_WAIT_S, StateKind,
};

use crate::{
    guards::{Context, SECOND_NS, check_quota},
    storage::{Content, State, UploadId, records::Audit},
};

/// An upload that is complete and has its digest.
pub struct HandedIn {
    pub upload: UploadId,
    pub content: Content,
}

impl Audit {
    /// When an audit that waits for somebody goes on without; `None` of one that does not wait.
    pub fn deadline_ns(&self) -> Option<u64> {
        let log = self.log.as_ref();
        let (since, wait_s) = match self.state {
            AuditState::AwaitingProof { .. } => (self.drawn_at_ns, PROOF_WAIT_S),
            AuditState::AwaitingLog { .. } => (self.drawn_at_ns, LOG_WAIT_S),
            AuditState::AwaitingOpenings { .. } => (log.and_then(|log| log.drawn_at_ns), OPENINGS_WAIT_S),
            AuditState::AwaitingAuditor { .. } => {
                (log.and_then(|log| log.opened.as_ref()).map(|opened| opened.at_ns), AUDITOR_WAIT_S)
            }
            AuditState::Requested
            | AuditState::Running { .. }
            | AuditState::Counted { .. }
            | AuditState::Completed { .. }
            | AuditState::Refused { .. }
            | AuditState::Abandoned { .. } => return None,
        };
        Some(since.unwrap_or_default().saturating_add(wait_s * SECOND_NS))
    }

    /// The error that it is not in the state that a call needs.
    pub fn wrong_state(&self, id: AuditId, needed: StateKind) -> Error {
        Error::WrongState {
            what: format!("audit {id}"),
            state: self.state.kind().name().to_owned(),
            needed: needed.name().to_owned(),
        }
    }
}

impl<M: Memory> State<M> {
    /// The audit goes on, or ends, without what it waited for.
    pub(crate) fn end_wait(&mut self, id: AuditId, mut audit: Audit, now_ns: u64) -> Result<(), Error> {
        let reason = match audit.state {
            AuditState::AwaitingProof { .. } => "no proof was handed in in time",
            AuditState::AwaitingLog { .. } => "no log was handed in in time",
            AuditState::AwaitingOpenings { .. } => "the predictions that were drawn were not opened in time",
            // The log and its openings hold; nobody has run the model on them.
            AuditState::AwaitingAuditor { .. } => {
                self.end_awaiting(&audit)?;
                audit.state = AuditState::Running { done: audit.sample_size, of: audit.sample_size };
                return self.put_audit(id, &audit);
            }
            _ => return Ok(()),
        };
        self.refuse(id, audit, reason.to_owned(), now_ns)
    }

    /// Fails when it is too late to bring what an audit waits for.
    pub(crate) fn check_deadline(context: &Context, id: AuditId, audit: &Audit) -> Result<(), Error> {
        if audit.deadline_ns().is_none_or(|deadline_ns| context.now_ns < deadline_ns) {
            return Ok(());
        }
        let needed = audit.state.kind().name();
        Err(Error::WrongState {
            what: format!("audit {id}"),
            state: "past its time".to_owned(),
            needed: needed.to_owned(),
        })
    }

    /// The caller's upload, if it is complete and has its digest.
    pub(crate) fn handed_in(
        &self,
        context: &Context,
        kind: ArtefactKind,
        digest: DigestBytes,
    ) -> Result<HandedIn, Error> {
        let (upload, entry) = self.own_upload(context, kind, digest)?;
        let content = entry.complete()?;
        let got: Digest = self.digest_of(&content)?;
        if got != digest.into() {
            return Err(Error::DigestMismatch { expected: digest, got: got.into() });
        }
        Ok(HandedIn { upload, content })
    }

    /// Fails when too many audits wait for somebody already: of this owner, or of all.
    pub(crate) fn check_awaiting_quotas(&self, owner: Principal) -> Result<(), Error> {
        let (quotas, account, totals) = (self.quotas.get()?, self.account(owner)?, self.totals.get()?);
        let used = account.awaiting_audits.into();
        check_quota("awaiting_audits", quotas.awaiting_audits.into(), used, 1)?;
        let used = totals.awaiting_audits.into();
        check_quota("awaiting_audits_total", quotas.awaiting_audits_total.into(), used, 1)
    }

    /// An audit's sample is drawn: from now on it takes the place of its model's owner, not its requester's.
    pub(crate) fn begin_awaiting(&mut self, audit: &Audit) -> Result<(), Error> {
        self.end_open(audit.requester)?;
        self.change_awaiting(audit.owner, |count| count.saturating_add(1))
    }

    /// What was awaited has come, or the audit ends without it.
    pub(crate) fn end_awaiting(&mut self, audit: &Audit) -> Result<(), Error> {
        self.change_awaiting(audit.owner, |count| count.saturating_sub(1))?;
        let mut account = self.account(audit.requester)?;
        account.open_audits = account.open_audits.saturating_add(1);
        self.accounts.put(audit.requester, &account)
    }

    fn change_awaiting(&mut self, owner: Principal, change: impl Fn(u32) -> u32) -> Result<(), Error> {
        let (mut account, mut totals) = (self.account(owner)?, self.totals.get()?);
        account.awaiting_audits = change(account.awaiting_audits);
        totals.awaiting_audits = change(totals.awaiting_audits);
        self.accounts.put(owner, &account)?;
        self.totals.put(&totals)
    }
}
