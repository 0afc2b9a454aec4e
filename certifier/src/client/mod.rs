//! Typed calls to the verifier canister.
//!
//! Every answer is authenticated up to the root key that was given: updates, and queries for one audit, dataset or model,
//! by the subnet's certificate; lists and contents by one node's signature. A certificate is checked by whoever asked for
//! it, contents by their digests; a list is only as honest as the node.

mod call;
mod error;
mod logs;
mod transfer;

use std::{sync::Arc, time::SystemTime};

use audit::AuditError;
use candid::Principal;
use check::{Trust, check_range, check_record};
use ic_agent::{Agent, Identity};
use interface::{
    AbandonAudit, Attest, Attestation, AuditId, AuditPage, AuditRecord, AuditRequest, AuditsRequest,
    CertificateId, CertificatePage, CertificatesRequest, CertifiedAttestations, CertifiedAudit,
    CertifiedCertificate, CertifiedDataset, CertifiedModel, DatasetDetails, DatasetPage, DatasetsRequest,
    DigestBytes, HttpAnswer, HttpRequest, Limits, ModelPage, ModelRecord, ModelsRequest, Proof,
    RevokeCertificate, RoleChange, RoleHolder, Stats, SubmitProof, VerifyAudit, VerifyInference,
    certified::{
        attestation_json, attestation_key, attestation_range, audit_json, audit_key, dataset_json,
        dataset_key, model_json, model_key,
    },
    export::CertificateFile,
};

use call::encode;
pub use error::ClientError;
pub use transfer::Outcome;

/// Oldest certificate of an answer, in seconds: clocks differ, and a subnet signs every few seconds.
const MAX_AGE_S: u64 = 600;

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
        let record =
            |one: &Attestation| (attestation_key(one.certificate, one.auditor), attestation_json(one));
        let records = answer.attestations.iter().map(record).collect();
        self.certified_range(method, &answer.proof, attestation_range(id), records)?;
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

    /// A certificate's statement in an envelope that the canister signed. Not checked here; [`crate::export::dsse`] does.
    pub async fn envelope(&self, id: CertificateId) -> Result<Vec<u8>, ClientError> {
        let (method, url) = ("http_request", format!("/dsse/{id}.json"));
        // Files are answered at the gateways' unverified host.
        let headers = vec![("host".to_owned(), format!("{}.raw.icp0.io", self.canister))];
        let request = HttpRequest { method: "GET".to_owned(), url, headers, ..HttpRequest::default() };
        // Pages are served to gateways, and so their answer is no `Result`.
        let bytes = encode(method, (request,))?;
        let ask = async || self.agent.query(&self.canister, method).with_arg(bytes.clone()).call().await;
        let answer = self.repeat(ask).await.map_err(|cause| self.failed(method, cause))?;
        let answer: HttpAnswer = candid::decode_one(&answer)
            .map_err(|cause| ClientError::Answer { method, cause: cause.to_string() })?;
        match answer.status_code {
            200 => Ok(answer.body.into_vec()),
            404 => Err(refused("certificate", interface::Error::not_found("certificate", id))),
            status => Err(ClientError::Answer { method, cause: format!("status {status}") }),
        }
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

    /// Fails unless the subnet certified these records, and that there is no other in the range of keys.
    fn certified_range(
        &self,
        method: &'static str,
        proof: &Proof,
        (first, last): (String, String),
        records: Vec<(String, Result<Vec<u8>, AuditError>)>,
    ) -> Result<(), ClientError> {
        let unclear = |cause: AuditError| ClientError::Answer { method, cause: cause.to_string() };
        let records = records.into_iter().map(|(key, json)| Ok((key, json.map_err(unclear)?)));
        let mut records = records.collect::<Result<Vec<_>, ClientError>>()?;
        records.sort();
        check_range(self.canister, &self.trust(), proof, (&first, &last), &records)
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
}

fn refused(method: &'static str, refusal: interface::Error) -> ClientError {
    ClientError::Refused { method, refusal: Box::new(refusal) }
}
