//! The HTTP gateway: what a canister certified is passed on, and nothing else.

use anyhow::Result;
use candid::{CandidType, Decode, Encode, Principal};
use ic_agent::Agent;
use ic_agent::identity::AnonymousIdentity;
use ic_http_certification::utils::{add_skip_certification_header, add_v2_certificate_header};
use ic_http_certification::{
    CERTIFICATE_EXPRESSION_HEADER_NAME, DefaultCelBuilder, DefaultResponseCertification, HttpCertification,
    HttpCertificationPath, HttpCertificationTree, HttpCertificationTreeEntry, HttpResponse, StatusCode,
};
use localnet::management_types::CanisterInstallMode;
use localnet::{Config, Node};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_bytes::ByteBuf;

use super::agent;
use super::support::PAGES;

const BODY: &str = "<p>what the canister certified</p>";

#[derive(CandidType, Clone)]
struct Reply {
    status_code: u16,
    headers: Vec<(String, String)>,
    body: ByteBuf,
    upgrade: Option<bool>,
    streaming_strategy: Option<Strategy>,
}

#[derive(CandidType, Clone)]
enum Strategy {
    Callback { callback: Rest, token: Token },
}

/// A token as canisters make them, which the gateway knows nothing about.
#[derive(CandidType, Deserialize, Clone)]
struct Token {
    key: String,
    index: candid::Nat,
    sha256: Option<ByteBuf>,
}

#[derive(CandidType, Deserialize, Clone)]
struct Part {
    body: ByteBuf,
    token: Option<Token>,
}

candid::define_function!(Rest : (Token) -> (Part) query);

/// What `http_request_update` was called with.
#[derive(CandidType, Deserialize)]
struct Seen {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: ByteBuf,
    certificate_version: Option<u16>,
}

/// A node with a canister that answers as it is told.
struct Site {
    node: Node,
    agent: Agent,
    canister: Principal,
}

impl Site {
    async fn start() -> Result<Self> {
        let node = Node::start(Config::default()).await?;
        let (wasm, owner) = (wat::parse_str(PAGES)?, Principal::anonymous());
        let installed = node.with_subnet(move |subnet| {
            let canister = subnet.create_canister(owner)?;
            subnet.install(owner, canister, CanisterInstallMode::Install, &wasm, b"").map(|()| canister)
        });
        let canister = installed.await??;
        let agent = agent(&node, AnonymousIdentity).await;
        Ok(Site { node, agent, canister })
    }

    async fn put(&self, slot: u8, value: impl CandidType) -> Result<()> {
        let argument = [&[slot], Encode!(&value)?.as_slice()].concat();
        self.agent.update(&self.canister, "put").with_arg(argument).call_and_wait().await?;
        Ok(())
    }

    /// Certifies this response for exactly this path and returns the reply with its witness and certificate.
    async fn certify(&self, path: &str, mut response: HttpResponse<'_>) -> Result<Reply> {
        let exclusions = DefaultResponseCertification::response_header_exclusions(vec!["x-uncertified"]);
        let expression =
            DefaultCelBuilder::response_only_certification().with_response_certification(exclusions).build();
        response.add_header((CERTIFICATE_EXPRESSION_HEADER_NAME.into(), expression.to_string()));
        let certification = HttpCertification::response_only(&expression, &response, None)?;
        let at = HttpCertificationPath::exact(path);
        let entry = HttpCertificationTreeEntry::new(&at, certification);
        let mut tree = HttpCertificationTree::default();
        tree.insert(&entry);
        let root = tree.root_hash().to_vec();
        self.agent.update(&self.canister, "certify").with_arg(root).call_and_wait().await?;
        let certificate = self.agent.query(&self.canister, "certificate").with_arg(vec![]).call().await?;
        add_v2_certificate_header(
            &certificate,
            &mut response,
            &tree.witness(&entry, path)?,
            &at.to_expr_path(),
        );
        Ok(reply(&response))
    }

    fn request(&self, method: Method, domain: &str, path: &str) -> RequestBuilder {
        let client = reqwest::Client::new().request(method, format!("{}{path}", self.node.url()));
        client.header("host", format!("{}{domain}:{}", self.canister, self.node.address().port()))
    }

    /// Status and body of a page.
    async fn get(&self, domain: &str, path: &str) -> Result<(u16, String)> {
        let response = self.request(Method::GET, domain, path).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}

fn reply(response: &HttpResponse<'_>) -> Reply {
    Reply {
        status_code: response.status_code().as_u16(),
        headers: response.headers().to_vec(),
        body: response.body().to_vec().into(),
        upgrade: None,
        streaming_strategy: None,
    }
}

fn page(body: &str) -> HttpResponse<'static> {
    let headers = vec![("content-type".into(), "text/html".into()), ("connection".into(), "x-hop".into())];
    HttpResponse::builder()
        .with_status_code(StatusCode::OK)
        .with_headers(headers)
        .with_body(body.as_bytes().to_vec())
        .build()
}

#[tokio::test]
async fn a_certified_page_is_shown_with_its_certified_headers_only() -> Result<()> {
    let site = Site::start().await?;
    let mut good = site.certify("/page", page(BODY)).await?;
    good.headers.push(("x-uncertified".into(), "forged".into()));
    site.put(0, good).await?;
    let response = site.request(Method::GET, ".localhost", "/page?query=any").send().await?;
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers["content-length"], BODY.len().to_string());
    assert!(headers.contains_key("ic-certificate"), "the certificate can be checked again");
    assert!(!headers.contains_key("x-uncertified") && !headers.contains_key("connection"), "{headers:?}");
    assert_eq!(response.text().await?, BODY);

    let head = site.request(Method::HEAD, ".localhost", "/page").send().await?;
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &headers["content-length"])
    );
    assert_eq!(head.text().await?, "");
    Ok(())
}

#[tokio::test]
async fn a_response_that_is_not_certified_is_never_shown() -> Result<()> {
    let site = Site::start().await?;
    let good = site.certify("/page", page(BODY)).await?;
    let forged: [(&str, fn(&mut Reply)); 7] = [
        ("body", |reply| reply.body.push(b' ')),
        ("status", |reply| reply.status_code = 404),
        ("header", |reply| reply.headers[0].1 = "text/plain".into()),
        ("new header", |reply| reply.headers.push(("location".into(), "http://evil.example".into()))),
        ("no certificate", |reply| reply.headers.retain(|(name, _)| name != "IC-Certificate")),
        ("version 1", |reply| {
            let certificate = reply.headers.iter_mut().find(|(name, _)| name == "IC-Certificate").unwrap();
            certificate.1 = certificate.1.replace(", version=2", "");
        }),
        ("junk", |reply| {
            let certificate = reply.headers.iter_mut().find(|(name, _)| name == "IC-Certificate").unwrap();
            certificate.1 = "certificate=:AAAA:, tree=:AAAA:, expr_path=:AAAA:, version=2".into();
        }),
    ];
    for (name, forge) in forged {
        let mut reply = good.clone();
        forge(&mut reply);
        site.put(0, reply).await?;
        let response = site.request(Method::GET, ".localhost", "/page").send().await?;
        assert_eq!(response.status(), 502, "{name}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        let text = response.text().await?;
        assert!(
            text.contains("failed verification") && !text.contains("what the canister"),
            "{name}: {text}"
        );
        // Without verification it is what the canister says.
        assert!(site.get(".raw.localhost", "/page").await?.1.contains("what the canister"), "{name}");
    }
    // The right answer to another question.
    site.put(0, good.clone()).await?;
    assert_eq!(site.get(".localhost", "/other").await?.0, 502);
    assert_eq!(site.get(".localhost", "/page").await?, (200, BODY.into()));
    // The certificate of other data.
    site.certify("/page", page("newer")).await?;
    assert_eq!(
        site.get(".localhost", "/page").await?.0,
        200,
        "an older certificate of its own is still valid"
    );
    // Another canister's page.
    let other = Site::start().await?;
    other.put(0, good).await?;
    assert_eq!(other.get(".localhost", "/page").await?.0, 502);
    Ok(())
}

#[tokio::test]
async fn what_a_canister_certifies_as_uncertified_is_passed_on() -> Result<()> {
    let site = Site::start().await?;
    let root = ic_http_certification::utils::skip_certification_certified_data().to_vec();
    site.agent.update(&site.canister, "certify").with_arg(root).call_and_wait().await?;
    let certificate = site.agent.query(&site.canister, "certificate").with_arg(vec![]).call().await?;
    let mut response = page("changes all the time");
    add_skip_certification_header(certificate, &mut response);
    site.put(0, reply(&response)).await?;
    assert_eq!(site.get(".localhost", "/any").await?, (200, "changes all the time".into()));
    Ok(())
}

#[tokio::test]
async fn an_upgraded_request_is_answered_by_an_update_which_gets_no_header_of_the_connection() -> Result<()> {
    let site = Site::start().await?;
    site.put(0, Reply { upgrade: Some(true), ..reply(&page("")) }).await?;
    site.put(1, Reply { status_code: 201, ..reply(&page("agreed upon")) }).await?;
    let request = site.request(Method::POST, ".localhost", "/form?a=b").header("x-kept", "yes");
    let request = request.header("connection", "x-hop, close").header("x-hop", "no").header("te", "trailers");
    let response = request.body("field=1").send().await?;
    assert_eq!((response.status().as_u16(), response.text().await?.as_str()), (201, "agreed upon"));
    let seen = site.agent.query(&site.canister, "seen").with_arg(vec![]).call().await?;
    let seen = Decode!(&seen, Seen)?;
    assert_eq!(
        (seen.method.as_str(), seen.url.as_str(), &seen.body[..]),
        ("POST", "/form?a=b", &b"field=1"[..])
    );
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"x-kept") && names.contains(&"host"), "{names:?}");
    for dropped in ["connection", "x-hop", "te"] {
        assert!(!names.contains(&dropped), "{names:?}");
    }
    assert_eq!(seen.certificate_version, None);
    Ok(())
}

#[tokio::test]
async fn a_streamed_page_is_verified_as_a_whole_and_must_end() -> Result<()> {
    let site = Site::start().await?;
    let token = Token { key: "k".into(), index: 1u8.into(), sha256: Some(ByteBuf::from([7; 32])) };
    let callback = Rest::new(site.canister, "rest".into());
    let whole = site.certify("/page", page("first part, second part")).await?;
    let strategy = Some(Strategy::Callback { callback, token: token.clone() });
    let first = Reply { body: ByteBuf::from("first part, "), streaming_strategy: strategy, ..whole };
    site.put(0, first).await?;
    site.put(2, Part { body: ByteBuf::from("second part"), token: None }).await?;
    assert_eq!(site.get(".localhost", "/page").await?, (200, "first part, second part".into()));
    site.put(2, Part { body: ByteBuf::from("second forged"), token: None }).await?;
    assert_eq!(site.get(".localhost", "/page").await?.0, 502);
    site.put(2, Part { body: ByteBuf::from("again"), token: Some(token) }).await?;
    let (status, text) = site.get(".raw.localhost", "/page").await?;
    assert_eq!((status, text.contains("more than 64 parts")), (502, true), "{text}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_asked_or_answered_gets_a_page_that_says_why() -> Result<()> {
    let site = Site::start().await?;
    let response =
        site.request(Method::POST, ".localhost", "/page").body(vec![0; (2 << 20) + 1]).send().await?;
    assert_eq!(response.status(), 413);
    assert_eq!(site.get(".localhost", &format!("/{}", "x".repeat(8192))).await?.0, 414);
    // Nothing was put into slot 0, so the canister answers with nothing.
    let (status, text) = site.get(".localhost", "/page").await?;
    assert_eq!((status, text.contains("not an HTTP response")), (502, true), "{text}");
    site.put(0, Reply { status_code: 99, ..reply(&page(BODY)) }).await?;
    assert_eq!(site.get(".raw.localhost", "/page").await?.0, 502);
    site.put(0, Reply { headers: vec![("a b".into(), "c".into())], ..reply(&page(BODY)) }).await?;
    assert_eq!(site.get(".raw.localhost", "/page").await?.0, 502);

    let missing = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1]);
    let client = reqwest::Client::new().get(site.node.url());
    let response = client.header("host", format!("{missing}.localhost")).send().await?;
    assert_eq!(response.status(), 404);
    let text = response.text().await?;
    assert!(text.contains(&format!("Canister {missing} not found")), "{text}");
    Ok(())
}

#[tokio::test]
async fn the_interface_is_reached_on_every_host_and_from_every_origin() -> Result<()> {
    let site = Site::start().await?;
    for domain in [".localhost", ".raw.localhost"] {
        let response = site.request(Method::GET, domain, "/api/v2/status").send().await?;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["content-type"], "application/cbor");
        assert_eq!(site.get(domain, "/api/v9/unknown").await?.0, 404);
    }
    let path = format!("/api/v4/canister/{}/call", site.canister);
    let preflight = site.request(Method::OPTIONS, ".localhost", &path).header("origin", "http://a.example");
    let response = preflight.header("access-control-request-method", "POST").send().await?;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-methods"], "HEAD, GET, POST");
    assert!(response.headers()["access-control-allow-headers"].to_str()?.contains("content-type"));

    // What a canister says about its own pages stays.
    let mut own = page(BODY);
    own.add_header(("access-control-allow-origin".into(), "https://own.example".into()));
    site.put(0, site.certify("/page", own).await?).await?;
    let response = site.request(Method::GET, ".localhost", "/page").send().await?;
    assert_eq!(response.headers()["access-control-allow-origin"], "https://own.example");
    let greeting = reqwest::get(site.node.url()).await?.text().await?;
    assert!(greeting.contains("Internet Computer node"), "{greeting}");
    assert_eq!(reqwest::get(format!("{}/page", site.node.url())).await?.status(), 404);
    Ok(())
}
