use std::time::{Duration, SystemTime};

use audit::{
    Decimal,
    codec::check_text,
    language::{Answer, EndpointFacts, is_base_url},
};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect,
};
use serde_json::{Value, json};

use super::{LanguageRunError, reply};

/// Most bytes of a response that are read.
pub const MAX_BODY: usize = 1 << 20;

/// An OpenAI-compatible endpoint.
pub struct Endpoint {
    http: Client,
    url: Url,
    facts: EndpointFacts,
    /// Taken out of error messages, should the endpoint repeat it.
    key: Option<String>,
}

/// How to reach an endpoint.
#[derive(Clone)]
pub struct EndpointOptions {
    /// Where and with which parameters.
    pub facts: EndpointFacts,
    /// What `Authorization: Bearer` says.
    pub key: Option<String>,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Whether the key may be sent over plain HTTP to another computer.
    pub insecure_http: bool,
}

/// What one request came to.
pub(super) enum Attempt {
    /// An answer, and the tokens that the endpoint counted.
    Answered(Answer, Option<u64>),
    /// It may work later, after the pause that the endpoint asks for.
    Again { error: String, pause: Option<Duration>, billed: bool },
    /// This prompt will never be answered.
    Never { error: String, billed: bool },
    /// No prompt will be answered.
    Stop(LanguageRunError),
}

/// An endpoint's facts with the address in its one spelling; fails where it has what must not be published.
pub fn checked(mut facts: EndpointFacts) -> Result<(EndpointFacts, Url), LanguageRunError> {
    let given = facts.base_url.clone();
    let wrong = |problem| LanguageRunError::BaseUrl { url: given.clone(), problem };
    let mut base = Url::parse(given.trim_end_matches('/')).map_err(|_| wrong("it cannot be read"))?;
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        return Err(wrong("it must begin with http:// or https:// and a host"));
    }
    // It is published in the statement.
    if !base.username().is_empty() || base.password().is_some() {
        let _ = base.set_username("").and_then(|()| base.set_password(None));
        let problem = "a name or password must not be in it";
        return Err(LanguageRunError::BaseUrl { url: base.to_string(), problem });
    }
    if base.query().is_some() || base.fragment().is_some() || given.contains('@') {
        return Err(wrong("it must not have a ?, # or @"));
    }
    facts.base_url = base.as_str().trim_end_matches('/').to_owned();
    if !is_base_url(&facts.base_url) {
        return Err(wrong(
            "it must not have empty parts, a dot at the host's end, or characters that are written as %",
        ));
    }
    check_text("base URL", &facts.base_url).map_err(|_| wrong("it is longer than 128 bytes"))?;
    Ok((facts, base))
}

impl Endpoint {
    /// Checks URL and key; nothing is sent.
    pub fn new(options: EndpointOptions) -> Result<Self, LanguageRunError> {
        let EndpointOptions { facts, key, timeout, insecure_http } = options;
        let (facts, base) = checked(facts)?;
        let wrong = |problem| LanguageRunError::BaseUrl { url: facts.base_url.clone(), problem };
        let url = Url::parse(&format!("{}/chat/completions", facts.base_url))
            .map_err(|_| wrong("it cannot be read"))?;
        let local = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if key.is_some() && base.scheme() == "http" && !local && !insecure_http {
            return Err(LanguageRunError::ClearText(base.host_str().unwrap_or_default().to_owned()));
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = &key {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value = value.map_err(|_| LanguageRunError::KeyForm)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let http = Client::builder()
            .default_headers(headers)
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(20)))
            // A redirect would take prompts, and perhaps the key, to another host than the one that is stated.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("assay/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| LanguageRunError::Client(cause.to_string()))?;
        Ok(Self { http, url, facts, key })
    }

    /// Where and with which parameters it is asked.
    pub fn facts(&self) -> &EndpointFacts {
        &self.facts
    }

    /// Most tokens that a request can cost: no tokenizer makes more tokens than there are bytes, plus a few for the form.
    pub(super) fn most_tokens(&self, prompt: &str) -> u64 {
        prompt.len() as u64 + 64 + u64::from(self.facts.max_tokens)
    }

    /// Sends one prompt once.
    pub(super) async fn attempt(&self, prompt: &str) -> Attempt {
        // The endpoint may have written an answer, and count it, though none came here.
        let again = |error: String, billed| Attempt::Again { error: self.error(&error), pause: None, billed };
        let body = self.request(prompt).to_string();
        let request = self.http.post(self.url.clone()).header("content-type", "application/json").body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(cause) => {
                let billed = !cause.is_connect();
                return again(reason(cause), billed);
            }
        };
        let (status, pause) = (response.status(), pause(response.headers()));
        let body = match body_of(response).await {
            Ok(Some(body)) => body,
            Ok(None) if status.is_success() => {
                return Attempt::Never {
                    error: format!("an answer of more than {MAX_BODY} bytes"),
                    billed: true,
                };
            }
            Ok(None) => Vec::new(),
            Err(cause) => return again(reason(cause), true),
        };
        if status.is_success() {
            return match reply::read(&body) {
                Ok((answer, tokens)) => Attempt::Answered(answer, tokens),
                Err(error) => again(error, true),
            };
        }
        let message = reply::message(&body);
        let error = self.error(&format!("status {}: {message}", status.as_u16()));
        match status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => Attempt::Again { error, pause, billed: false },
            _ if status.is_server_error() => Attempt::Again { error, pause, billed: false },
            StatusCode::UNAUTHORIZED
            | StatusCode::PAYMENT_REQUIRED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED => self.stop(status, &message),
            _ if status.is_redirection() => self.stop(status, "it redirects"),
            _ => Attempt::Never { error, billed: false },
        }
    }

    fn stop(&self, status: StatusCode, message: &str) -> Attempt {
        Attempt::Stop(LanguageRunError::Refused { status: status.as_u16(), message: self.error(message) })
    }

    fn error(&self, text: &str) -> String {
        reply::error(text, self.key.as_deref())
    }

    fn request(&self, prompt: &str) -> Value {
        let facts = &self.facts;
        let field = serde_json::to_value(facts.max_tokens_field).unwrap_or_default();
        let mut body = json!({
            "model": facts.model, "messages": [{ "role": "user", "content": prompt }], "stream": false,
        });
        body[field.as_str().unwrap_or("max_tokens")] = facts.max_tokens.into();
        if let Some(temperature) = facts.temperature {
            body["temperature"] = (temperature.0 as f64 / Decimal::ONE as f64).into();
        }
        if let Some(seed) = facts.seed {
            body["seed"] = seed.into();
        }
        body
    }
}

/// The body, or `None` when it is longer than [`MAX_BODY`].
async fn body_of(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Why a request failed, without its URL, with what caused it.
fn reason(cause: reqwest::Error) -> String {
    if cause.is_timeout() {
        return "no answer in time".to_owned();
    }
    let cause = cause.without_url();
    let mut text = cause.to_string();
    let mut source = std::error::Error::source(&cause);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// The pause that the endpoint asks for: `Retry-After` in seconds or as a date.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use audit::language::TokenField;

    use super::*;

    fn options(base_url: &str, key: Option<&str>) -> EndpointOptions {
        let facts = EndpointFacts {
            base_url: base_url.to_owned(),
            model: "m".to_owned(),
            temperature: Some("0.7".parse().unwrap()),
            seed: None,
            max_tokens: 9,
            max_tokens_field: TokenField::MaxCompletionTokens,
        };
        EndpointOptions {
            facts,
            key: key.map(str::to_owned),
            timeout: Duration::from_secs(1),
            insecure_http: false,
        }
    }

    #[test]
    fn a_url_that_would_be_published_with_a_secret_or_that_is_none_is_refused() {
        for url in [
            "",
            "example.org/v1",
            "ftp://a/v1",
            "https://me:pw@a/v1",
            "https://a/v1?key=1",
            "https://a/v1#x",
            "http://",
        ] {
            let outcome = Endpoint::new(options(url, None));
            assert!(matches!(outcome, Err(LanguageRunError::BaseUrl { .. })), "{url}");
        }
        let endpoint = Endpoint::new(options("https://a/v1/", None)).unwrap();
        assert_eq!(
            (endpoint.facts().base_url.as_str(), endpoint.url.as_str()),
            ("https://a/v1", "https://a/v1/chat/completions")
        );
    }

    #[test]
    fn a_key_does_not_travel_in_the_clear() {
        let outcome = Endpoint::new(options("http://example.org/v1", Some("k")));
        assert!(matches!(outcome, Err(LanguageRunError::ClearText(host)) if host == "example.org"));
        for url in
            ["http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]/v1", "https://example.org/v1"]
        {
            assert!(Endpoint::new(options(url, Some("k"))).is_ok(), "{url}");
        }
        assert!(Endpoint::new(options("http://example.org/v1", None)).is_ok());
        let two_lines = Endpoint::new(options("https://example.org/v1", Some("k\nX-Other: 1")));
        assert!(matches!(two_lines, Err(LanguageRunError::KeyForm)));
        let insecure = EndpointOptions { insecure_http: true, ..options("http://example.org/v1", Some("k")) };
        assert!(Endpoint::new(insecure).is_ok());
    }

    #[test]
    fn parameters_are_sent_as_they_are_stated() {
        let request = Endpoint::new(options("https://a/v1", None)).unwrap().request("Hello");
        let expected = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hello" }], "stream": false,
            "max_completion_tokens": 9, "temperature": 0.7 });
        assert_eq!(request, expected);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked =
            |text: &str| pause(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]));
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!((90..=100).contains(&asked(&later).unwrap().as_secs()));
        assert_eq!(asked("soon"), None);
    }
}
