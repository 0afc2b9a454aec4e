//! Private models: a sample is drawn as for any other, but the owner runs the model and hands in a proof.
//!
//! Features, labels, groups and sample come from the canister; the owner brings counters and proof, nothing else.

use std::ops::Range;

use audit::{Counts, DatasetHeader, Row, draw_sample};
use ic_stable_structures::Memory;
use interface::{
    ArtefactKind, AuditId, AuditState, DigestBytes, Error, PROOF_BYTES, ReadRequest, StateKind, SubmitProof,
    VerifyAudit, VerifyInference,
};
use verifier::{
    Architecture, AuditContext, Package, Parts, RegisteredModel, Sampled, Setup, Submission, audit_proof,
    statement::Inference,
};

use crate::{
    guards::{Context, check_quota, check_range},
    rows::RowReader,
    storage::{
        Content, State,
        records::{Audit, Dataset, Model, Turn},
    },
    uploads::stored,
};

/// Proofs of one audit that may be verified and refused, or logs, or openings. Its owner's own attempts are all that counts: no other caller
/// can use up what an awaited proof needs.
pub(crate) const MAX_REFUSED: u64 = 32;
/// Most parts of an audit: within the time for proofs, within an owner's bytes, and listed in a certificate.
pub const MAX_PARTS: u64 = 128;
/// Most samples whose predictions one query can verify.
const MAX_INFERENCES: u64 = 4096;

/// What was refused, as an error of the interface.
pub(crate) fn refused(what: &str, cause: impl ToString) -> Error {
    Error::Invalid { what: what.to_owned(), message: cause.to_string() }
}

fn wrong_state(id: AuditId, audit: &Audit) -> Error {
    audit.wrong_state(id, StateKind::AwaitingProof)
}

impl<M: Memory> State<M> {
    /// Generators and keys, made once after each start of the canister.
    pub fn setup(&self) -> Result<&Setup, Error> {
        match self.setup.get() {
            Some(setup) => Ok(setup),
            None => {
                let setup = Setup::new().map_err(Error::internal)?;
                Ok(self.setup.get_or_init(|| setup))
            }
        }
    }

    /// Fails when an audit of this size could not be proved to this canister.
    pub(crate) fn check_provable(
        &self,
        model: &Model,
        dataset: &Dataset,
        sample_size: u32,
    ) -> Result<(), Error> {
        let bytes = self.blocks.read_all(&model.content)?;
        let Package { architecture, .. } = Package::parse(&bytes).map_err(Error::internal)?;
        let schema = self.header(dataset)?.schema;
        schema
            .check_model(architecture.encoding, architecture.inputs(), architecture.classes)
            .map_err(|cause| Error::invalid("model", &cause))?;
        let parts =
            Parts::new(&architecture, sample_size as usize).map_err(|cause| refused("sample size", cause))?;
        check_range("parts of the sample that are proved", 1, MAX_PARTS, parts.count() as u64)?;
        let account = self.account(model.owner)?;
        let bytes = parts.count() as u64 * stored(PROOF_BYTES);
        check_quota("owner_bytes", self.quotas.get()?.owner_bytes, account.bytes, bytes)
    }

    /// Accepts the proof of an audit's next part; after the last, the audit goes on to its certificate. A proof that
    /// does not hold changes nothing.
    pub fn submit_proof(
        &mut self,
        context: &Context,
        canister: &[u8],
        request: SubmitProof,
        instructions: &dyn Fn() -> u64,
    ) -> Result<(), Error> {
        let caller = context.signed_in()?;
        let mut audit = self.audit_entry(request.audit)?;
        if caller != audit.owner {
            return Err(Error::not_allowed("the model's owner"));
        }
        let AuditState::AwaitingProof { .. } = audit.state else {
            return Err(wrong_state(request.audit, &audit));
        };
        let handed_in = self.handed_in(context, ArtefactKind::Proof, request.proof)?;
        let bytes = self.blocks.read_all(&handed_in.content)?;
        Self::check_deadline(context, request.audit, &audit)?;
        let mut progress = self.progress.get(&request.audit)?.unwrap_or_default();
        let parts = audit.proofs.len() as u64;
        check_quota("refused_proofs", MAX_REFUSED, u64::from(progress.attempts).saturating_sub(parts), 1)?;
        progress.attempts = progress.attempts.saturating_add(1);
        self.progress.put(request.audit, &progress)?;
        let start = instructions();
        let (submission, range) = self.check_submission(request.audit, &audit, canister, &bytes)?;
        if range.start != progress.position as usize {
            let message = format!("part {} is not the next one", submission.part);
            return Err(refused("proof", message));
        }
        audit.replay_instructions =
            audit.replay_instructions.saturating_add(instructions().saturating_sub(start));
        audit.replay_messages = audit.replay_messages.saturating_add(1);
        audit.proofs.push(request.proof);
        progress.add(range.end as u32, &submission.counters);
        let (done, of) = (progress.position, audit.sample_size);
        audit.state = match done < of {
            true => AuditState::AwaitingProof { done, of },
            false => {
                self.end_awaiting(&audit)?;
                AuditState::Running { done, of }
            }
        };
        self.uploads.remove(&handed_in.upload);
        self.proofs.put(request.proof.0, &handed_in.content)?;
        self.progress.put(request.audit, &progress)?;
        self.turns.put(request.audit, &Turn::default())?;
        self.put_audit(request.audit, &audit)
    }

    /// Whether a proof holds for a part of an audit whose sample is drawn, whatever has become of the audit.
    pub fn verify_audit(&self, canister: &[u8], request: &VerifyAudit) -> Result<(), Error> {
        let audit = self.audit_entry(request.audit)?;
        self.check_submission(request.audit, &audit, canister, &request.proof).map(drop)
    }

    /// Whether a proof shows these decisions of a registered private model.
    pub fn verify_inference(&self, request: &VerifyInference) -> Result<(), Error> {
        let samples = request.classes.len() as u64;
        check_range("number of samples", 1, MAX_INFERENCES, samples)?;
        let entry = self.model_entry(request.model)?;
        let model = self.private_model(&entry)?;
        let inference = Inference::new(
            &model,
            request.context.into(),
            &request.features,
            &request.classes,
            &request.outputs,
        )
        .map_err(|cause| refused("statement", cause))?;
        audit_proof::verify(self.setup()?, &model, &inference.statement(), &request.proof)
            .map_err(|cause| refused("proof", cause))
    }

    /// A stretch of an accepted proof.
    pub fn read_proof(&self, request: ReadRequest) -> Result<Vec<u8>, Error> {
        let content = self.proofs.get(&request.digest.0)?;
        let content = content.ok_or_else(|| Error::not_found("proof", request.digest))?;
        self.read_content(&content, request)
    }

    /// Verifies what is handed in for one part; returns it with the part's place in the sample.
    fn check_submission<'a>(
        &self,
        id: AuditId,
        audit: &Audit,
        canister: &[u8],
        bytes: &'a [u8],
    ) -> Result<(Submission<'a>, Range<usize>), Error> {
        let seed = audit.seed.ok_or_else(|| wrong_state(id, audit))?;
        let model = self.private_model(&self.model_entry(audit.model)?)?;
        let submission = Submission::parse(bytes).map_err(|cause| refused("proof", cause))?;
        let dataset = self.dataset_entry(audit.dataset)?;
        let header = self.header(&dataset)?;
        let counters = submission.counters.clone();
        Counts::from_counters(&header.schema, counters)
            .map_err(|cause| Error::invalid("counters", &cause))?;

        let architecture = &model.commitment().architecture;
        let sample = draw_sample(&seed.0, header.rows, audit.sample_size);
        let parts = Parts::new(architecture, sample.len()).map_err(|cause| refused("sample size", cause))?;
        let part = submission.part as usize;
        let range = parts.range(part).ok_or_else(|| {
            refused("proof", format!("there is no part {part}, the sample has {}", parts.count()))
        })?;
        let sampled =
            self.sampled(&dataset.content, &header, sample.get(range.clone()).unwrap_or_default())?;
        let context = AuditContext {
            canister,
            audit: id,
            seed: &seed.0,
            dataset: audit.dataset.into(),
            package: audit.model.into(),
        };
        let statement = sampled
            .statement(&model, &header.schema, context.of_part(&parts, part), &submission.counters)
            .map_err(|cause| refused("model", cause))?;
        audit_proof::verify(self.setup()?, &model, &statement, submission.proof)
            .map_err(|cause| refused("proof", cause))?;
        Ok((submission, range))
    }

    fn private_model(&self, model: &Model) -> Result<RegisteredModel, Error> {
        if model.commitment.is_none() {
            return Err(Error::WrongState {
                what: "model".to_owned(),
                state: "public".to_owned(),
                needed: "private".to_owned(),
            });
        }
        let bytes = self.blocks.read_all(&model.content)?;
        let package = Package::parse(&bytes).map_err(Error::internal)?;
        package.trusted().map_err(Error::internal)
    }

    /// The sampled rows: features, and each row's cell of groups and label.
    fn sampled(&self, content: &Content, header: &DatasetHeader, sample: &[u32]) -> Result<Sampled, Error> {
        let mut sampled = Sampled::default();
        let mut reader = RowReader::new(&self.blocks, content, header);
        let mut left = sample;
        while !left.is_empty() {
            let done = reader.some(left, usize::MAX, |_, record| {
                let row = Row::parse(&header.schema, record).map_err(Error::internal)?;
                sampled.push(&header.schema, &row);
                Ok(())
            })?;
            left = left.get(done..).unwrap_or_default();
        }
        Ok(sampled)
    }

    /// Charges a verification to the caller, before it is made: a proof that does not hold costs as much.
    fn count_verification(&mut self, context: &Context) -> Result<(), Error> {
        let quotas = self.quotas.get()?;
        let (mut account, mut totals) = (self.account(context.caller)?, self.totals.get()?);
        let own = (&mut account.verified_day, &mut account.verifications_today);
        context.count_today("verifications_per_day", quotas.verifications_per_day, own)?;
        let all = (&mut totals.verified_day, &mut totals.verifications_today);
        context.count_today("verifications_per_day_total", quotas.verifications_per_day_total, all)?;
        self.accounts.put(context.caller, &account)?;
        self.totals.put(&totals)
    }

    /// Adds what a message with a verification used, whatever came of it.
    pub fn add_verification(&mut self, instructions: u64) -> Result<(), Error> {
        let mut totals = self.totals.get()?;
        totals.verification_instructions = totals.verification_instructions.saturating_add(instructions);
        self.totals.put(&totals)
    }

    /// Checks a package and its range proof.
    pub(crate) fn check_private_model(
        &mut self,
        context: &Context,
        bytes: &[u8],
    ) -> Result<(Architecture, DigestBytes), Error> {
        let package = Package::parse(bytes).map_err(|cause| refused("private model", cause))?;
        if package.owner != context.caller.as_slice() {
            return Err(Error::not_allowed("the owner that the package names"));
        }
        if let Some(model) = self.commitments.get(&package.id().0)? {
            return Err(Error::WrongState {
                what: "this commitment".to_owned(),
                state: format!("registered as {model}"),
                needed: "new".to_owned(),
            });
        }
        self.count_verification(context)?;
        let registered = package.verify(self.setup()?).map_err(|cause| refused("private model", cause))?;
        Ok((package.architecture, registered.id().into()))
    }
}
