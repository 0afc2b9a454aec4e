//! Prediction logs, and the keys that they are signed with.

use candid::Principal;
use interface::{
    AddKey, CertifiedKeys, DisputePrediction, ReportOpenings, RevokeKey, SigningKey, SubmitLog,
    SubmitOpenings,
    certified::{signing_key_json, signing_key_key, signing_key_range},
};

use super::{Client, ClientError};

impl Client {
    /// Hands in an uploaded log.
    pub async fn submit_log(&self, request: SubmitLog) -> Result<(), ClientError> {
        self.update_once("submit_log", (request,)).await
    }

    /// Hands in uploaded openings.
    pub async fn submit_openings(&self, request: SubmitOpenings) -> Result<(), ClientError> {
        self.update_once("submit_openings", (request,)).await
    }

    /// Says what came of running the model on openings; auditors only.
    pub async fn report_openings(&self, request: ReportOpenings) -> Result<(), ClientError> {
        self.update_once("report_openings", (request,)).await
    }

    /// Has the canister run the public model on a prediction of a certified log.
    pub async fn dispute_prediction(&self, request: DisputePrediction) -> Result<(), ClientError> {
        self.update_once("dispute_prediction", (request,)).await
    }

    /// Registers a key of the caller.
    pub async fn add_key(&self, request: AddKey) -> Result<(), ClientError> {
        self.update_once("add_key", (request,)).await
    }

    /// Withdraws a key of the caller.
    pub async fn revoke_key(&self, request: RevokeKey) -> Result<(), ClientError> {
        self.update_once("revoke_key", (request,)).await
    }

    /// All keys of an owner: the canister proves that there are no others.
    pub async fn keys(&self, owner: Principal) -> Result<Vec<SigningKey>, ClientError> {
        let method = "keys";
        let mut answer: CertifiedKeys = self.query(method, (owner,)).await?;
        let record = |one: &SigningKey| (signing_key_key(one.owner, one.key), signing_key_json(one));
        let records = answer.keys.iter().map(record).collect();
        self.certified_range(method, &answer.proof, signing_key_range(owner), records)?;
        answer.keys.sort_by_key(|key| key.added_at_ns);
        Ok(answer.keys)
    }
}
