//! What a browser shows when there is nothing of the canister to be shown.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Why the gateway answers instead of the canister.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    title: &'static str,
    reason: String,
}

impl Failure {
    /// The client's request cannot be passed on.
    pub(super) fn request(status: StatusCode, reason: impl Into<String>) -> Self {
        Failure { status, title: "The request cannot be passed on", reason: reason.into() }
    }

    /// The canister has no usable answer.
    pub(super) fn canister(status: StatusCode, reason: impl Into<String>) -> Self {
        Failure { status, title: "The canister did not answer", reason: reason.into() }
    }

    /// The canister's answer is not what the subnet certifies.
    pub(super) fn verification(reason: impl Into<String>) -> Self {
        let title = "The response failed verification and is not shown";
        Failure { status: StatusCode::BAD_GATEWAY, title, reason: reason.into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (title, reason) = (self.title, escape(&self.reason));
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n<h1>{title}</h1>\n<p>{reason}</p></html>\n"
        );
        let mut response = (self.status, page).into_response();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
            (header::CACHE_CONTROL, "no-store"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reason_cannot_bring_markup_in() {
        assert_eq!(super::escape("<script a=\"&\">"), "&lt;script a=&quot;&amp;&quot;&gt;");
    }
}
