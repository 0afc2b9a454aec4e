use candid::Principal;
use check::{Trust, ic_certificate::MAINNET_ROOT_KEY};
use serde::Deserialize;

const NANOSECONDS_PER_MS: f64 = 1e6;

/// What the caller asks for and trusts.
#[derive(Debug)]
pub struct Options {
    /// Number that the certificate must have.
    pub certificate: Option<u64>,
    /// What it is held against.
    pub trust: Trust,
}

/// The same as JSON.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    /// Number that the certificate must have.
    certificate: Option<u64>,
    /// DER as hex; the main network's if absent.
    root_key: Option<String>,
    /// The canister to be trusted.
    canister: Option<String>,
    /// Milliseconds since 1970, as JavaScript's clock tells them.
    now_ms: f64,
    /// Oldest signature accepted.
    max_age_seconds: Option<u64>,
}

impl Options {
    /// Reads the request; the message names what is wrong.
    pub fn parse(request: &[u8]) -> Result<Self, String> {
        let request: Request = serde_json::from_slice(request)
            .map_err(|cause| format!("the options cannot be read: {cause}"))?;
        let root_key = match request.root_key {
            Some(hex) => hex::decode(hex).map_err(|cause| format!("rootKey is not hex: {cause}"))?,
            None => MAINNET_ROOT_KEY.to_vec(),
        };
        let canister = request.canister.map(Principal::from_text).transpose();
        let canister = canister.map_err(|cause| format!("canister is no principal: {cause}"))?;
        // A clock before 1970 or beyond 2554 saturates, and then no signature is of its time.
        let now_ns = (request.now_ms * NANOSECONDS_PER_MS) as u64;
        let trust = Trust { root_key, canister, now_ns, max_age_s: request.max_age_seconds };
        Ok(Self { certificate: request.certificate, trust })
    }
}
