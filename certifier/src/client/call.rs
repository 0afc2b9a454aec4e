//! Calls as such: encoded, signed, repeated where that does no harm, and their answers.

use std::time::Duration;

use candid::{CandidType, Principal, utils::ArgumentEncoder};
use ic_agent::{AgentError, agent::RejectCode};
use serde::de::DeserializeOwned;

use super::{Client, ClientError, refused};

/// Tries of a call that may safely be repeated.
const TRIES: u32 = 4;
/// Pause after the first failed try; doubled each time.
const PAUSE: Duration = Duration::from_millis(250);

impl Client {
    pub(super) async fn query<A, R>(&self, method: &'static str, arguments: A) -> Result<R, ClientError>
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
    pub(super) async fn update<A, R>(&self, method: &'static str, arguments: A) -> Result<R, ClientError>
    where
        A: ArgumentEncoder,
        R: CandidType + DeserializeOwned,
    {
        let bytes = encode(method, arguments)?;
        let call =
            async || self.agent.update(&self.canister, method).with_arg(bytes.clone()).call_and_wait().await;
        self.decode(method, self.repeat(call).await)
    }

    pub(super) async fn update_once<A, R>(&self, method: &'static str, arguments: A) -> Result<R, ClientError>
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

    pub(super) async fn repeat<F>(&self, call: F) -> Result<Vec<u8>, AgentError>
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

    pub(super) fn failed(&self, method: &'static str, cause: AgentError) -> ClientError {
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

pub(super) fn encode(method: &'static str, arguments: impl ArgumentEncoder) -> Result<Vec<u8>, ClientError> {
    candid::encode_args(arguments).map_err(|cause| ClientError::Answer { method, cause: cause.to_string() })
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
