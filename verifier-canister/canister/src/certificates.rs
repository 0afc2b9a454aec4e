//! Certificates: made from checked counts only, superseded, suspended or revoked but never removed.

use audit::{
    Body, Counts, Policy, Replay, Verdict, Verified,
    certificate::{DatasetFacts, Facts, Logged, ModelFacts, Nanoseconds},
    certificate_body,
    log::Card,
};
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    AuditId, AuditLog, AuditState, CertificateId, CertificateState, DigestBytes, Error, RevokeCertificate,
    certified::MAX_ID,
};
use verifier::Package;

use crate::{
    guards::{Context, SECOND_NS, check_range, check_reason},
    replay::reason,
    storage::{
        State,
        records::{Audit, Certificate, Model},
    },
};

impl<M: Memory> State<M> {
    /// Issues the certificate of an audit whose samples are all done; refuses the audit where that fails.
    pub fn certify(&mut self, id: AuditId, canister: Principal, now_ns: u64) -> Result<(), Error> {
        let mut audit = self.audit_entry(id)?;
        let AuditState::Running { done, of } = audit.state else { return Ok(()) };
        if done != of {
            return Ok(());
        }
        self.count_others(&mut audit)?;
        match self.make_certificate(id, &audit, canister, now_ns) {
            Ok((certificate, body)) => {
                let number = self.certificates().len() + 1;
                self.issue(number, &certificate, body)?;
                self.supersede(audit.supersedes, number, now_ns)?;
                self.close(id, audit, AuditState::Completed { certificate: number }, now_ns)
            }
            Err(cause) => self.refuse(id, audit, reason(cause), now_ns),
        }
    }

    fn make_certificate(
        &mut self,
        id: AuditId,
        audit: &Audit,
        canister: Principal,
        now_ns: u64,
    ) -> Result<(Certificate, Vec<u8>), Error> {
        let number = self.certificates().len() + 1;
        check_range("certificate number", 1, MAX_ID, number)?;
        let registered = self.model_entry(audit.model)?;
        let invalid = |cause| Error::invalid("audit", &cause);
        let progress = self.progress.get(&id)?.unwrap_or_default();
        let registered_at = Nanoseconds(registered.registered_at_ns);
        let (header, verified, model) = match (&audit.log, registered.commitment) {
            (None, None) => {
                let prepared = self.take_prepared(id, audit)?;
                let (header, model) = (&prepared.header, prepared.model());
                let model = model.ok_or_else(|| Error::internal("a replay without a model"))?;
                let counts = Counts::from_counters(&header.schema, progress.counters).map_err(invalid)?;
                let replay = Replay::resume(model, &header.schema, counts).map_err(invalid)?;
                let verified = replay.finish(audit.sample_size).map_err(invalid)?;
                let facts = ModelFacts::new(model, audit.model.into(), registered_at);
                (prepared.header, verified, facts)
            }
            // The counters were stored together with what showed that they hold: accepted proofs, or a counted log.
            (log, _) => {
                let header = self.header(&self.dataset_entry(audit.dataset)?)?;
                let counts = Counts::from_counters(&header.schema, progress.counters).map_err(invalid)?;
                let size = audit.sample_size;
                let verified = match log {
                    None => Verified::proved(counts, size),
                    Some(log) => Verified::logged(counts, size, log.checked.is_some()),
                };
                (header, verified.map_err(invalid)?, self.stored_facts(&registered, audit)?)
            }
        };
        let log = audit.log.as_ref().map(|log| self.logged(audit, log)).transpose()?;

        let policy = self.policies.get(&audit.policy.0)?;
        let policy = policy.ok_or_else(|| Error::internal("the audit's policy is missing"))?;
        let policy = Policy::from_json(policy.as_bytes()).map_err(invalid)?;
        let dataset = self.dataset_entry(audit.dataset)?;
        let valid_until_ns = audit.valid_for_s.map(|s| now_ns.saturating_add(s.saturating_mul(SECOND_NS)));
        let missing = || Error::internal("a running audit has no seed");
        let facts = Facts {
            certificate: number,
            audit: id,
            canister: canister.to_text(),
            runtime: crate::VERSION.to_owned(),
            owner: audit.owner.to_text(),
            requester: audit.requester.to_text(),
            model,
            dataset: DatasetFacts {
                digest: audit.dataset.into(),
                rows: dataset.rows,
                sealed_at: Nanoseconds(dataset.registered_at_ns),
            },
            seed: audit.seed.ok_or_else(missing)?.0,
            sample_size: audit.sample_size,
            requested_at: Nanoseconds(audit.requested_at_ns),
            drawn_at: Nanoseconds(audit.drawn_at_ns.ok_or_else(missing)?),
            issued_at: Nanoseconds(now_ns),
            valid_until: valid_until_ns.map(Nanoseconds),
            supersedes: audit.supersedes,
            audits_of_model: audit.audits_of_model,
            audits_of_owner: audit.audits_of_owner,
            proofs: audit.proofs.iter().copied().map(Into::into).collect(),
            log,
        };
        let Body { json, verdict } =
            certificate_body(&verified, &facts, &header.schema, &policy).map_err(invalid)?;
        let certificate = Certificate {
            audit: id,
            model: audit.model,
            model_name: registered.name,
            owner: audit.owner,
            dataset: audit.dataset,
            dataset_name: dataset.name,
            dataset_version: dataset.version,
            policy_name: policy.name,
            policy: audit.policy,
            verdict: match verdict {
                Verdict::Pass => interface::Verdict::Pass,
                Verdict::Fail => interface::Verdict::Fail,
                Verdict::Undefined => interface::Verdict::Undefined,
            },
            state: CertificateState::Valid,
            sample_size: audit.sample_size,
            issued_at_ns: now_ns,
            valid_until_ns,
            supersedes: audit.supersedes,
            body_digest: DigestBytes::from(audit::Digest::of(&json)),
        };
        Ok((certificate, json))
    }

    /// What a certificate says about a model that was not replayed. Of a private one, its package's digest, never the
    /// ONNX file's.
    fn stored_facts(&self, registered: &Model, audit: &Audit) -> Result<ModelFacts, Error> {
        let bytes = self.blocks.read_all(&registered.content)?;
        let digest = audit.model.into();
        let registered_at = Nanoseconds(registered.registered_at_ns);
        if registered.logged {
            let card = Card::parse(&bytes).map_err(Error::internal)?;
            return Ok(ModelFacts::of_card(&card, digest, registered_at));
        }
        if registered.commitment.is_none() {
            let model = audit::Model::parse(&bytes).map_err(Error::internal)?;
            return Ok(ModelFacts::new(&model, digest, registered_at));
        }
        let architecture = Package::parse(&bytes).map_err(Error::internal)?.architecture;
        Ok(ModelFacts {
            digest,
            name: registered.name.clone(),
            source: None,
            encoding: registered.encoding.into(),
            parameters: registered.parameters,
            layers: architecture.describe_layers(),
            registered_at,
        })
    }

    /// What a certificate says about the log that its counters come from.
    fn logged(&self, audit: &Audit, log: &AuditLog) -> Result<Logged, Error> {
        let signed = self.log_of(audit)?.header.signed;
        log.facts(signed.statement()).ok_or_else(|| Error::internal("a log that is not complete"))
    }

    /// Marks the certificate that `by` replaces, unless it was revoked or replaced meanwhile.
    fn supersede(
        &mut self,
        replaced: Option<CertificateId>,
        by: CertificateId,
        at_ns: u64,
    ) -> Result<(), Error> {
        let Some(id) = replaced else { return Ok(()) };
        let mut certificate = self.certificate_entry(id)?;
        if certificate.state == CertificateState::Valid {
            certificate.state = CertificateState::Superseded { by, at_ns };
            self.put_certificate(id, &certificate)?;
        }
        Ok(())
    }

    /// Withdraws a certificate; for its owner and controllers. It stays, with the reason.
    pub fn revoke_certificate(&mut self, context: &Context, request: RevokeCertificate) -> Result<(), Error> {
        let by = context.signed_in()?;
        check_reason(&request.reason)?;
        let mut certificate = self.certificate_entry(request.id)?;
        if by != certificate.owner && !context.is_controller {
            return Err(Error::not_allowed("the certificate's owner or a controller"));
        }
        let state = match certificate.state {
            CertificateState::Valid | CertificateState::Superseded { .. } => None,
            CertificateState::Suspended { .. } => Some("suspended"),
            CertificateState::Revoked { .. } => Some("revoked"),
        };
        if let Some(state) = state {
            return Err(Error::WrongState {
                what: format!("certificate {}", request.id),
                state: state.to_owned(),
                needed: "valid or superseded".to_owned(),
            });
        }
        certificate.state = CertificateState::Revoked { reason: request.reason, by, at_ns: context.now_ns };
        self.put_certificate(request.id, &certificate)
    }
}
