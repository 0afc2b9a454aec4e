//! Private models: a sample is drawn as for any other, but the owner runs the model and hands in a proof.
//!
//! Features, labels, groups and sample come from the canister; the owner brings counters and proof, nothing else.

use audit::{Counts, DatasetHeader, Digest, draw_sample};
use ic_stable_structures::Memory;
use interface::{
    ArtefactKind, AuditId, AuditState, DigestBytes, Error, ReadRequest, SubmitProof, VerifyAudit,
    VerifyInference,
};
use verifier::{Layout, Package, RegisteredModel, Setup, Statement, audit_proof, statement};

use crate::{
    guards::{Context, SECOND_NS, check_range},
    rows::RowReader,
    storage::{
        State,
        records::{Audit, Model, Progress, Turn},
    },
};

/// How long a proof is waited for after the sample was drawn.
pub const PROOF_WAIT_NS: u64 = 7 * 86_400 * SECOND_NS;
/// Most rows that a proof may commit to: what one message can verify with room to spare.
pub const MAX_PROOF_ROWS: u64 = 16_000;
/// Most samples whose predictions one query can verify.
const MAX_INFERENCES: u64 = 4096;

/// What was refused, as an error of the interface.
fn refused(what: &str, cause: impl ToString) -> Error {
    Error::Invalid { what: what.to_owned(), message: cause.to_string() }
}

/// The public side of an audit's statement.
struct Sampled {
    features: Vec<i16>,
    cell_of: Vec<u32>,
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
    pub(crate) fn check_provable(&self, model: &Model, sample_size: u32) -> Result<(), Error> {
        let bytes = self.blocks.read_all(&model.content)?;
        let package = Package::parse(&bytes).map_err(Error::internal)?;
        let layout = Layout::new(&package.architecture, sample_size as usize)
            .map_err(|cause| refused("sample size", cause))?;
        check_range("rows of the proof", 1, MAX_PROOF_ROWS, layout.sent_rows() as u64)
    }

    /// Accepts a proof: the audit goes on to its certificate. Otherwise nothing changes.
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
        let (id, upload) = self.own_upload(context, ArtefactKind::Proof, request.proof)?;
        let content = upload.complete()?;
        let proof = self.blocks.read_all(&content)?;
        let got = Digest::of(&proof).into();
        if got != request.proof {
            return Err(Error::DigestMismatch { expected: request.proof, got });
        }
        let start = instructions();
        self.check_proof(request.audit, &audit, canister, &request.counters, &proof)?;
        audit.replay_instructions = instructions().saturating_sub(start);
        audit.proof = Some(request.proof);
        audit.state = AuditState::Running { done: audit.sample_size, of: audit.sample_size };
        let progress = Progress { position: audit.sample_size, counters: request.counters };
        self.uploads.remove(&id);
        self.proofs.put(request.proof.0, &content)?;
        self.progress.put(request.audit, &progress)?;
        self.turns.put(request.audit, &Turn::default())?;
        self.put_audit(request.audit, &audit)
    }

    /// Whether [`State::submit_proof`] would accept this proof.
    pub fn verify_audit(&self, canister: &[u8], request: &VerifyAudit) -> Result<(), Error> {
        let audit = self.audit_entry(request.audit)?;
        self.check_proof(request.audit, &audit, canister, &request.counters, &request.proof)
    }

    /// Whether a proof shows these decisions of a registered private model.
    pub fn verify_inference(&self, request: &VerifyInference) -> Result<(), Error> {
        let samples = request.classes.len() as u64;
        check_range("number of samples", 1, MAX_INFERENCES, samples)?;
        let entry = self.model_entry(request.model)?;
        let model = self.private_model(&entry)?;
        let inference =
            statement::Inference::new(&model, request.context.into(), &request.features, &request.classes)
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

    fn check_proof(
        &self,
        id: AuditId,
        audit: &Audit,
        canister: &[u8],
        counters: &[u32],
        proof: &[u8],
    ) -> Result<(), Error> {
        let (AuditState::AwaitingProof { .. }, Some(seed)) = (&audit.state, audit.seed) else {
            return Err(Error::WrongState {
                what: format!("audit {id}"),
                state: audit.state.kind().name().to_owned(),
                needed: "awaiting proof".to_owned(),
            });
        };
        let dataset = self.dataset_entry(audit.dataset)?;
        let header = self.header(&dataset)?;
        Counts::from_counters(&header.schema, counters.to_vec())
            .map_err(|e| Error::invalid("counters", &e))?;
        let model = self.private_model(&self.model_entry(audit.model)?)?;
        let sample = draw_sample(&seed.0, header.rows, audit.sample_size);
        let sampled = self.sampled(&dataset.content, &header, &sample)?;
        let context =
            statement::audit_context(canister, id, &seed.0, &audit.dataset.into(), &audit.model.into());
        let statement = Statement {
            model: model.id(),
            architecture: &model.commitment().architecture,
            context,
            features: &sampled.features,
            cell_of: &sampled.cell_of,
            counts: counters,
        };
        audit_proof::verify(self.setup()?, &model, &statement, proof).map_err(|cause| refused("proof", cause))
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
    fn sampled(
        &self,
        content: &crate::storage::Content,
        header: &DatasetHeader,
        sample: &[u32],
    ) -> Result<Sampled, Error> {
        let mut features = Vec::with_capacity(sample.len() * header.schema.columns.len());
        let mut cell_of = Vec::with_capacity(sample.len());
        let mut reader = RowReader::new(&self.blocks, content, header);
        let mut left = sample;
        while !left.is_empty() {
            let done = reader.some(left, usize::MAX, |_, row| {
                let row = row.map_err(Error::internal)?;
                features.extend(row.features());
                cell_of.push(header.schema.cell_of(&row));
                Ok(())
            })?;
            left = left.get(done..).unwrap_or_default();
        }
        Ok(Sampled { features, cell_of })
    }

    /// When an audit that awaits a proof ends without one.
    pub(crate) fn proof_deadline_ns(audit: &Audit) -> u64 {
        audit.drawn_at_ns.unwrap_or_default().saturating_add(PROOF_WAIT_NS)
    }

    /// Checks a package and its range proof.
    pub(crate) fn check_private_model(
        &self,
        context: &Context,
        bytes: &[u8],
    ) -> Result<(verifier::Architecture, DigestBytes), Error> {
        let package = Package::parse(bytes).map_err(|cause| refused("private model", cause))?;
        if package.owner != context.caller.as_slice() {
            return Err(Error::not_allowed("the owner that the package names"));
        }
        let registered = package.verify(self.setup()?).map_err(|cause| refused("private model", cause))?;
        Ok((package.architecture, registered.id().into()))
    }
}
