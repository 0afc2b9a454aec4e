use candid::CandidType;
use serde::Deserialize;
use serde_bytes::ByteBuf;

/// A request for a page, as HTTP gateways pass it on.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct HttpRequest {
    /// `GET` and the like.
    pub method: String,
    /// Path and query.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Nothing, for a page.
    pub body: ByteBuf,
    /// The newest version of response certification that the gateway verifies.
    pub certificate_version: Option<u16>,
}

/// The answer to a gateway.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status_code: u16,
    /// Names and values, among them what the gateway verifies the answer by.
    pub headers: Vec<(String, String)>,
    /// The page.
    pub body: ByteBuf,
}
