//! Typed calls to the verifier canister.
//!
//! Every answer is authenticated up to the root key that was given: updates, and queries for one audit, dataset or model,
//! by the subnet's certificate; lists and contents by one node's signature. A certificate is checked by whoever asked for
//! it, contents by their digests; a list is only as honest as the node.

mod error;
mod transfer;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use audit::AuditError;
use candid::{CandidType, Principal, utils::ArgumentEncoder};
use check::{Trust, check_range, check_record};
use ic_agent::{Agent, AgentError, Identity, agent::RejectCode};
use interface::{
    AbandonAudit, Attest, Attestation, AuditId, AuditPage, AuditRecord, AuditRequest, AuditsRequest,
    CertificateId, CertificatePage, CertificatesRequest, CertifiedAttestations, CertifiedAudit,
    CertifiedCertificate, CertifiedDataset, CertifiedModel, DatasetDetails, DatasetPage, DatasetsRequest,
    DigestBytes, Limits, ModelPage, ModelRecord, ModelsRequest, Proof, RevokeCertificate, RoleChange,
    RoleHolder, Stats, SubmitProof, VerifyAudit, VerifyInference,
    certified::{
        attestation_json, attestation_key, attestation_range, audit_json, audit_key, dataset_json,
        dataset_key, model_json, model_key,
    },
    export::CertificateFile,
};
use serde::de::DeserializeOwned;

pub use error::ClientError;
pub use transfer::Outcome;

/// Oldest certificate of an answer, in seconds: clocks differ, and a subnet signs every few seconds.
const MAX_AGE_S: u64 = 600;
/// Tries of a call that may safely be repeated.
const TRIES: u32 = 4;
/// Pause after the first failed try; doubled each time.
const PAUSE: Duration = Duration::from_millis(250);

/// A verifier canister, as one caller sees it.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    canister: Principal,
    url: String,
}

impl Client {
    /// Prepares calls to `canister` through the node at `url`, whose answers must lead to `root_key` (DER).
    pub fn new(
        url: &str,
        root_key: Vec<u8>,
        canister: Principal,
        identity: Arc<dyn Identity>,
    ) -> Result<Self, ClientError> {
        let unreachable = |cause| ClientError::Unreachable { url: url.to_owned(), cause: Box::new(cause) };
        let agent =
            Agent::builder().with_url(url).with_arc_identity(identity).build().map_err(unreachable)?;
        agent.set_root_key(root_key);
        Ok(Self { agent, canister, url: url.to_owned() })
    }

    /// The root key that the node at `url` names. Whoever answers there can then forge everything.
    pub async fn fetch_root_key(url: &str) -> Result<Vec<u8>, ClientError> {
        let unreachable = |cause| ClientError::Unreachable { url: url.to_owned(), cause: Box::new(cause) };
        let agent = Agent::builder().with_url(url).build().map_err(unreachable)?;
        agent.fetch_root_key().await.map_err(unreachable)?;
        Ok(agent.read_root_key())
    }

    /// The canister.
    pub fn canister(&self) -> Principal {
        self.canister
    }

    /// Who calls.
    pub fn caller(&self) -> Principal {
        self.agent.get_principal().unwrap_or(Principal::anonymous())
    }

    /// All roles.
    pub async fn roles(&self) -> Result<Vec<RoleHolder>, ClientError> {
        self.query("roles", ()).await
    }

    /// Gives a role; controllers only.
    pub async fn add_role(&self, change: RoleChange) -> Result<(), ClientError> {
        self.update("add_role", (change,)).await
    }

    /// Takes a role away; controllers only.
    pub async fn remove_role(&self, change: RoleChange) -> Result<(), ClientError> {
        self.update("remove_role", (change,)).await
    }

    /// Limits and quotas.
    pub async fn limits(&self) -> Result<Limits, ClientError> {
        self.query("limits", ()).await
    }

    /// How much the canister holds.
    pub async fn stats(&self) -> Result<Stats, ClientError> {
        self.query("stats", ()).await
    }

    /// A page of datasets.
    pub async fn datasets(&self, request: DatasetsRequest) -> Result<DatasetPage, ClientError> {
        self.query("datasets", (request,)).await
    }

    /// A dataset's record and schema.
    pub async fn dataset(&self, digest: impl Into<DigestBytes>) -> Result<DatasetDetails, ClientError> {
        let digest = digest.into();
        let answer: CertifiedDataset = self.query("dataset", (digest,)).await?;
        let record = answer.dataset.as_ref().map(|dataset| dataset_json(&dataset.record));
        self.certified("dataset", &answer.proof, &dataset_key(digest), record)?;
        answer.dataset.ok_or_else(|| refused("dataset", interface::Error::not_found("dataset", digest)))
    }

    /// A page of models.
    pub async fn models(&self, request: ModelsRequest) -> Result<ModelPage, ClientError> {
        self.query("models", (request,)).await
    }

    /// A model's record.
    pub async fn model(&self, digest: impl Into<DigestBytes>) -> Result<ModelRecord, ClientError> {
        let digest = digest.into();
        let answer: CertifiedModel = self.query("model", (digest,)).await?;
        self.certified("model", &answer.proof, &model_key(digest), answer.model.as_ref().map(model_json))?;
        answer.model.ok_or_else(|| refused("model", interface::Error::not_found("model", digest)))
    }

    /// Asks for an audit. Not repeated when it is unclear whether the canister got it.
    pub async fn request_audit(&self, request: AuditRequest) -> Result<AuditId, ClientError> {
        self.update_once("request_audit", (request,)).await
    }

    /// Stops an open audit.
    pub async fn abandon_audit(&self, request: AbandonAudit) -> Result<(), ClientError> {
        self.update("abandon_audit", (request,)).await
    }

    /// Hands in an uploaded proof.
    pub async fn submit_proof(&self, request: SubmitProof) -> Result<(), ClientError> {
        self.update_once("submit_proof", (request,)).await
    }

    /// Asks whether the canister would accept a proof of an audit.
    pub async fn verify_audit(&self, request: VerifyAudit) -> Result<(), ClientError> {
        self.query("verify_audit", (request,)).await
    }

    /// Asks whether the canister accepts a proof of predictions.
    pub async fn verify_inference(&self, request: VerifyInference) -> Result<(), ClientError> {
        self.query("verify_inference", (request,)).await
    }

    /// An audit's record.
    pub async fn audit(&self, id: AuditId) -> Result<AuditRecord, ClientError> {
        let answer: CertifiedAudit = self.query("audit", (id,)).await?;
        self.certified("audit", &answer.proof, &audit_key(id), answer.audit.as_ref().map(audit_json))?;
        answer.audit.ok_or_else(|| refused("audit", interface::Error::not_found("audit", id)))
    }

    /// A page of audits, newest first.
    pub async fn audits(&self, request: AuditsRequest) -> Result<AuditPage, ClientError> {
        self.query("audits", (request,)).await
    }

    /// A policy's canonical JSON.
    pub async fn policy(&self, digest: impl Into<DigestBytes>) -> Result<String, ClientError> {
        self.query("policy", (digest.into(),)).await
    }

    /// Records a finding on a certificate; auditors only.
    pub async fn attest(&self, request: Attest) -> Result<(), ClientError> {
        self.update("attest", (request,)).await
    }

    /// All auditors' findings on a certificate: the canister proves that there are no others.
    pub async fn attestations(&self, id: CertificateId) -> Result<Vec<Attestation>, ClientError> {
        let method = "attestations";
        let mut answer: CertifiedAttestations = self.query(method, (id,)).await?;
        let unclear = |cause: AuditError| ClientError::Answer { method, cause: cause.to_string() };
        let mut records = Vec::new();
        for one in &answer.attestations {
            let json = attestation_json(one).map_err(unclear)?;
            records.push((attestation_key(one.certificate, one.auditor), json));
        }
        records.sort();
        let (first, last) = attestation_range(id);
        check_range(self.canister, &self.trust(), &answer.proof, (&first, &last), &records)
            .map_err(|cause| ClientError::Uncertified { method, cause })?;
        answer.attestations.sort_by_key(|one| one.at_ns);
        Ok(answer.attestations)
    }

    /// A page of certificates, newest first.
    pub async fn certificates(&self, request: CertificatesRequest) -> Result<CertificatePage, ClientError> {
        self.query("certificates", (request,)).await
    }

    /// A certificate with everything needed to check it offline. Not checked here.
    pub async fn certificate(&self, id: CertificateId) -> Result<CertificateFile, ClientError> {
        let answer: CertifiedCertificate = self.query("certificate", (id,)).await?;
        let certificate = answer
            .certificate
            .ok_or_else(|| refused("certificate", interface::Error::not_found("certificate", id)))?;
        let ic_certificate = answer.proof.ic_certificate.ok_or(ClientError::NoCertificate)?;
        let witness = answer.proof.witness;
        let (body, status) = (certificate.body, certificate.status);
        Ok(CertificateFile::new(self.canister, id, body, status, ic_certificate.into_vec(), witness))
    }

    /// Withdraws a certificate.
    pub async fn revoke_certificate(&self, request: RevokeCertificate) -> Result<(), ClientError> {
        self.update("revoke_certificate", (request,)).await
    }

    /// Fails unless the subnet certified this record, or that there is none.
    fn certified(
        &self,
        method: &'static str,
        proof: &Proof,
        key: &str,
        record: Option<Result<Vec<u8>, AuditError>>,
    ) -> Result<(), ClientError> {
        let unclear = |cause: AuditError| ClientError::Answer { method, cause: cause.to_string() };
        let record = record.transpose().map_err(unclear)?;
        check_record(self.canister, &self.trust(), proof, key, record.as_deref())
            .map_err(|cause| ClientError::Uncertified { method, cause })
    }

    /// What answers are held to.
    fn trust(&self) -> Trust {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Trust {
            root_key: self.agent.read_root_key(),
            canister: Some(self.canister),
            now_ns: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            max_age_s: Some(MAX_AGE_S),
        }
    }

    async fn query<A, R>(&self, method: &'static str, arguments: A) -> Result<R, ClientError>
    where
        A: ArgumentEncoder,
        R: CandidType + DeserializeOwned,
    {
        let bytes = encode(method, arguments)?;
        let answer = self
            .repeat(async || self.agent.query(&self.canister, method).with_arg(bytes.clone()).call().await);
        self.decode(method, answer.await)
    }

    /// An update that does no harm when it arrives twice.
    async fn update<A, R>(&self, method: &'static str, arguments: A) -> Result<R, ClientError>
    where
        A: ArgumentEncoder,
        R: CandidType + DeserializeOwned,
    {
        let bytes = encode(method, arguments)?;
        let call =
            async || self.agent.update(&self.canister, method).with_arg(bytes.clone()).call_and_wait().await;
        self.decode(method, self.repeat(call).await)
    }

    async fn update_once<A, R>(&self, method: &'static str, arguments: A) -> Result<R, ClientError>
    where
        A: ArgumentEncoder,
        R: CandidType + DeserializeOwned,
    {
        self.signed_in(method)?;
        let bytes = encode(method, arguments)?;
        let answer = self.agent.update(&self.canister, method).with_arg(bytes).call_and_wait().await;
        self.decode(method, answer)
    }

    /// The canister would say the same, but nodes drop anonymous calls before it can.
    fn signed_in(&self, method: &'static str) -> Result<(), ClientError> {
        let anonymous = self.caller() == Principal::anonymous();
        if anonymous { Err(refused(method, interface::Error::Anonymous)) } else { Ok(()) }
    }

    async fn repeat<F>(&self, call: F) -> Result<Vec<u8>, AgentError>
    where
        F: AsyncFn() -> Result<Vec<u8>, AgentError>,
    {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match call().await {
                Err(cause) if is_transient(&cause) => tokio::time::sleep(pause).await,
                answer => return answer,
            }
            pause *= 2;
        }
        call().await
    }

    fn decode<R>(&self, method: &'static str, answer: Result<Vec<u8>, AgentError>) -> Result<R, ClientError>
    where
        R: CandidType + DeserializeOwned,
    {
        let bytes = answer.map_err(|cause| self.failed(method, cause))?;
        let answer: Result<R, interface::Error> = candid::decode_one(&bytes)
            .map_err(|cause| ClientError::Answer { method, cause: cause.to_string() })?;
        answer.map_err(|refusal| refused(method, refusal))
    }

    fn failed(&self, method: &'static str, cause: AgentError) -> ClientError {
        match cause {
            AgentError::CertifiedReject { reject, .. } | AgentError::UncertifiedReject { reject, .. } => {
                ClientError::Rejected {
                    method,
                    message: reject.reject_message,
                    code: reject.error_code.unwrap_or_default(),
                }
            }
            AgentError::TransportError(_)
            | AgentError::TimeoutWaitingForResponse()
            | AgentError::HttpError(_) => {
                ClientError::Unreachable { url: self.url.clone(), cause: Box::new(cause) }
            }
            cause => ClientError::Protocol { method, cause: Box::new(cause) },
        }
    }
}

fn encode(method: &'static str, arguments: impl ArgumentEncoder) -> Result<Vec<u8>, ClientError> {
    candid::encode_args(arguments).map_err(|cause| ClientError::Answer { method, cause: cause.to_string() })
}

fn refused(method: &'static str, refusal: interface::Error) -> ClientError {
    ClientError::Refused { method, refusal: Box::new(refusal) }
}

fn is_transient(cause: &AgentError) -> bool {
    match cause {
        AgentError::TransportError(_) | AgentError::TimeoutWaitingForResponse() => true,
        AgentError::HttpError(payload) => matches!(payload.status, 429 | 502 | 503 | 504),
        AgentError::CertifiedReject { reject, .. } | AgentError::UncertifiedReject { reject, .. } => {
            reject.reject_code == RejectCode::SysTransient
        }
        _ => false,
    }
}
