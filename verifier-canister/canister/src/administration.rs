//! Roles and quotas, which controllers decide, and figures that everyone may see.

use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    AUDITOR_WAIT_S, CHUNK_BYTES, DATASET_BYTES, Error, LOG_BYTES, LOG_WAIT_S, Limits, MODEL_BYTES,
    OPENINGS_BYTES, OPENINGS_WAIT_S, PAGE_ITEMS, POLICY_BYTES, PRIVATE_MODEL_BYTES, PROOF_BYTES,
    PROOF_WAIT_S, Quotas, REASON_BYTES, Role, RoleChange, RoleHolder, Stats, WITNESS_LEAVES,
};

use crate::{
    guards::{Context, SECOND_NS, check_quota, check_range, role_code},
    storage::State,
    uploads::EXPIRES_NS,
};

/// Most holders of roles, so that `roles` fits into a reply.
const MAX_HOLDERS: u64 = 1000;
/// The slice is between what one huge sample needs and what a message may use (40 billion).
const SLICE_INSTRUCTIONS: (u64, u64) = (1_000_000, 30_000_000_000);

impl<M: Memory> State<M> {
    /// Gives a role; controllers only. Giving it again changes nothing.
    pub fn add_role(&mut self, context: &Context, change: RoleChange) -> Result<(), Error> {
        context.controller()?;
        if change.principal == Principal::anonymous() {
            return Err(Error::Anonymous);
        }
        let key = (role_code(change.role), change.principal);
        if self.roles.contains(&key) {
            return Ok(());
        }
        check_quota("role holders", MAX_HOLDERS, self.roles.len(), 1)?;
        self.roles.put(key, &context.now_ns)
    }

    /// Takes a role away; controllers only.
    pub fn remove_role(&mut self, context: &Context, change: RoleChange) -> Result<(), Error> {
        context.controller()?;
        let key = (role_code(change.role), change.principal);
        if !self.roles.contains(&key) {
            return Err(Error::not_found("holder of this role", change.principal));
        }
        self.roles.remove(&key);
        Ok(())
    }

    /// Everyone with a role.
    pub fn roles(&self) -> Result<Vec<RoleHolder>, Error> {
        let holder = |entry: Result<((u8, Principal), u64), Error>| {
            let ((code, principal), since_ns) = entry?;
            let role = if code == role_code(Role::Registrar) { Role::Registrar } else { Role::Auditor };
            Ok(RoleHolder { role, principal, since_ns })
        };
        self.roles.range(..).map(holder).collect()
    }

    /// Changes the quotas; controllers only. What is already used stays.
    pub fn set_quotas(&mut self, context: &Context, quotas: Quotas) -> Result<(), Error> {
        context.controller()?;
        let (min, max) = SLICE_INSTRUCTIONS;
        check_range("slice_instructions", min, max, quotas.slice_instructions)?;
        check_range("uploads_total", 0, 1024, quotas.uploads_total.into())?;
        check_range("open_audits_total", 0, 1024, quotas.open_audits_total.into())?;
        check_range("awaiting_audits_total", 0, 1 << 14, quotas.awaiting_audits_total.into())?;
        check_range("audit_work", 0, 1 << 50, quotas.audit_work)?;
        self.quotas.put(&quotas)
    }

    /// Every limit.
    pub fn limits(&self) -> Result<Limits, Error> {
        Ok(Limits {
            chunk_bytes: CHUNK_BYTES,
            dataset_bytes: DATASET_BYTES,
            model_bytes: MODEL_BYTES,
            private_model_bytes: PRIVATE_MODEL_BYTES,
            proof_bytes: PROOF_BYTES,
            proof_wait_s: PROOF_WAIT_S,
            log_bytes: LOG_BYTES,
            openings_bytes: OPENINGS_BYTES,
            log_wait_s: LOG_WAIT_S,
            openings_wait_s: OPENINGS_WAIT_S,
            auditor_wait_s: AUDITOR_WAIT_S,
            policy_bytes: POLICY_BYTES,
            reason_bytes: REASON_BYTES,
            page_items: PAGE_ITEMS,
            witness_leaves: WITNESS_LEAVES,
            upload_expires_s: EXPIRES_NS / SECOND_NS,
            quotas: self.quotas.get()?,
        })
    }

    /// How much there is; `stable_bytes` is known only to the caller.
    pub fn stats(&self, version: &str, stable_bytes: u64) -> Result<Stats, Error> {
        let totals = self.totals.get()?;
        Ok(Stats {
            version: version.to_owned(),
            datasets: self.datasets().len(),
            models: self.models().len(),
            audits: self.audits().len(),
            open_audits: self.turns.len(),
            certificates: self.certificates().len(),
            uploads: self.uploads.len(),
            stored_bytes: totals.stored_bytes,
            stable_bytes,
            replay_instructions: totals.replay_instructions,
            verification_instructions: totals.verification_instructions,
            page_instructions: self.site.instructions,
            pages_pending: self.site.pending.len() as u64,
        })
    }
}
