//! Pages as a gateway gets them: verified against a subnet's signature, made here.

use ic_certification::{Certificate as IcCertificate, HashTree, fork, hash_tree};
use ic_http_certification::{HttpRequest as GatewayRequest, HttpResponse, StatusCode};
use ic_response_verification::verify_request_response_pair;
use ic_signature_verification::verify_canister_sig;
use ic_verify_bls_signature::PrivateKey;
use interface::{
    Attest, Finding, HttpAnswer, HttpRequest, ReadRequest, RevokeCertificate, signature::public_key,
};
use serde_json::Value;

use super::*;
use crate::site::signed_message;

/// A subnet with one canister.
struct Subnet {
    key: PrivateKey,
}

/// DER header of a BLS key, before its 96 bytes.
const DER_PREFIX: &[u8; 37] =
    b"\x30\x81\x82\x30\x1d\x06\x0d\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x01\x02\x01\
    \x06\x0c\x2b\x06\x01\x04\x01\x82\xdc\x7c\x05\x03\x02\x01\x03\x61\x00";

impl Subnet {
    fn new() -> Self {
        Self { key: PrivateKey::deserialize(&[7; 32]).unwrap() }
    }

    fn raw_key(&self) -> Vec<u8> {
        self.key.public_key().serialize().to_vec()
    }

    /// The certificate that a query of the canister gets.
    fn certificate(&self, root: [u8; 32], now_ns: u64) -> Vec<u8> {
        let mut time = Vec::new();
        let mut rest = now_ns;
        loop {
            let low = (rest & 0x7f) as u8;
            rest >>= 7;
            time.push(if rest == 0 { low } else { low | 0x80 });
            if rest == 0 {
                break;
            }
        }
        let data = hash_tree::label("certified_data", hash_tree::leaf(root.to_vec()));
        let own = hash_tree::label(canister().as_slice(), data);
        let tree: HashTree =
            fork(hash_tree::label("canister", own), hash_tree::label("time", hash_tree::leaf(time)));
        let message = [b"\x0Dic-state-root".as_slice(), &tree.digest()].concat();
        let signature = self.key.sign(&message).serialize().to_vec();
        let certificate = IcCertificate { tree, signature, delegation: None };
        let mut bytes = b"\xd9\xd9\xf7".to_vec();
        serde_cbor::to_writer(&mut bytes, &certificate).unwrap();
        bytes
    }
}

fn get(world: &World, url: &str) -> HttpAnswer {
    ask(world, url, "").unwrap()
}

/// A file or a search, from where gateways verify nothing.
fn file(world: &World, url: &str) -> HttpAnswer {
    let answer = ask(world, url, "x.raw.localhost:4944").unwrap();
    assert!(answer.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("ic-")), "{url}");
    answer
}

fn ask(world: &World, url: &str, host: &str) -> Result<HttpAnswer, Error> {
    let certificate = Subnet::new().certificate(world.state.tree().root(), world.now_ns);
    let headers = vec![("Host".to_owned(), host.to_owned())];
    let request =
        HttpRequest { method: "GET".to_owned(), url: url.to_owned(), headers, ..Default::default() };
    world.state.answer(&request, &certificate)
}

/// Whether a gateway passes the answer on.
fn verify(world: &World, url: &str, answer: &HttpAnswer) -> Result<(), String> {
    let request = GatewayRequest::get(url).with_certificate_version(2).build();
    let response = HttpResponse::builder()
        .with_status_code(StatusCode::from_u16(answer.status_code).unwrap())
        .with_headers(answer.headers.clone())
        .with_body(answer.body.as_slice())
        .build();
    let key = [DER_PREFIX.as_slice(), &Subnet::new().raw_key()].concat();
    let now = u128::from(world.now_ns);
    let verified =
        verify_request_response_pair(request, response, canister().as_slice(), now, 300_000_000_000, &key, 2);
    verified.map(drop).map_err(|cause| cause.to_string())
}

/// A verified answer's status and body.
fn page(world: &World, url: &str) -> (u16, String) {
    let answer = get(world, url);
    verify(world, url, &answer).unwrap_or_else(|cause| panic!("{url}: {cause}"));
    (answer.status_code, String::from_utf8_lossy(&answer.body).into_owned())
}

fn text_of(answer: &HttpAnswer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Two certificates on one dataset, the second of a newer version of the model.
fn site() -> (World, DigestBytes, [DigestBytes; 2]) {
    let mut world = World::new();
    let (first, dataset) = world.registered();
    let mut newer = model(world.state.dataset_entry(dataset).unwrap().encoding.into());
    newer.layers[0].weights[0] = 2;
    let second = world.register(OWNER, ArtefactKind::Model, &newer.to_bytes());
    for (model, valid_for_s) in [(first, None), (second, Some(1000))] {
        let by = world.by(OWNER);
        let request = AuditRequest { valid_for_s, ..request(model, dataset) };
        world.state.request_audit(&by, request).unwrap();
        world.finish();
    }
    world.refresh();
    (world, dataset, [first, second])
}

fn urls(dataset: DigestBytes, models: [DigestBytes; 2]) -> Vec<String> {
    let mut urls: Vec<String> = ["/", "/about", "/certificates/0", "/assets/style.css", "/assets/icon.svg"]
        .map(str::to_owned)
        .to_vec();
    for id in [1, 2] {
        urls.extend(["", "/body.json", "/badge.svg"].map(|rest| format!("/certificate/{id}{rest}")));
    }
    urls.extend(models.map(|model| format!("/model/{model}")));
    urls.extend(["", "/croissant.json", "/by/accuracy"].map(|rest| format!("/dataset/{dataset}{rest}")));
    urls.push(format!("/dataset/{dataset}/by/equalized-odds-difference-1"));
    urls
}

#[test]
fn a_gateway_verifies_every_page() {
    let (world, dataset, models) = site();
    for url in urls(dataset, models) {
        let (status, body) = page(&world, &url);
        assert_eq!(status, 200, "{url}");
        assert!(!body.is_empty(), "{url}");
        // A query string is not part of what is certified.
        assert_eq!(page(&world, &format!("{url}?x=1")), (status, body), "{url}");
    }
    assert_eq!(page(&world, "//"), page(&world, "/"));
    assert_eq!(page(&world, "/certificate//1"), page(&world, "/certificate/1"));
    let body = world.state.body(1).unwrap().unwrap();
    assert_eq!(page(&world, "/certificate/1/body.json").1.as_bytes(), body);
}

#[test]
fn a_gateway_refuses_what_was_changed() {
    let (world, ..) = site();
    let answer = get(&world, "/certificate/1");
    let mut changed = answer.clone();
    let at = changed.body.len() / 2;
    changed.body[at] ^= 1;
    verify(&world, "/certificate/1", &changed).unwrap_err();
    let mut changed = answer.clone();
    changed.status_code = 404;
    verify(&world, "/certificate/1", &changed).unwrap_err();
    let mut changed = answer.clone();
    let policy = changed.headers.iter().position(|(name, _)| name == "content-security-policy").unwrap();
    changed.headers.remove(policy);
    verify(&world, "/certificate/1", &changed).unwrap_err();
    // Another page's answer, or that there is none.
    verify(&world, "/certificate/2", &answer).unwrap_err();
    verify(&world, "/certificate/1", &get(&world, "/nothing")).unwrap_err();
}

#[test]
fn what_is_not_there_is_certified_too() {
    let (world, dataset, _) = site();
    let gone = format!("/model/{}", Digest::of(b"gone"));
    let other = format!("/dataset/{dataset}/by/equalized-odds-difference-2");
    let three = format!("/dataset/{dataset}/by/multiclass-accuracy");
    for url in [
        "/certificate/3",
        "/certificate/0",
        "/certificate/01",
        "/certificates/1",
        "/x",
        "/x/y/z",
        "/about/",
        "/%20",
        "/certificate/1/",
        "/assets/none.js",
        "/index.html",
        "/certificate/1/body.json/x",
        &gone,
        &other,
        &three,
    ] {
        let (status, body) = page(&world, url);
        assert_eq!(status, 404, "{url}");
        assert!(body.contains("no such page"), "{url}");
    }
}

/// Nothing that is asked for traps, and every answer passes or fails cleanly.
#[test]
fn odd_requests_are_answered() {
    let (world, ..) = site();
    for long in [format!("/{}", "a/".repeat(9)), format!("/{}", "\u{e4}".repeat(2000))] {
        let refused = ask(&world, &long, "").unwrap_err();
        assert!(matches!(refused, Error::TooLarge { .. }), "{refused}");
    }
    for url in [
        "",
        "?",
        "/?",
        "x",
        "/\u{e4}\u{f6}",
        "/%",
        "/%zz",
        "/<script>",
        "/search",
        "/searchx",
        "/search/x",
        "/search?q=%ff%fe",
        "/search?q",
        "/bytes",
        "/bytes/",
        "/bytes/model/x/0",
        "/export",
        "/dsse/0.json",
        "/dsse/99999999999999999999.json",
        "/certificate/18446744073709551616",
        "/certificates/18446744073709551615",
    ] {
        for host in ["", "x.localhost", "x.raw.localhost", "x.raw.<script>", ".raw.", "x.raw.icp0.io:1"] {
            let answer = ask(&world, url, host).unwrap();
            assert!([200, 404].contains(&answer.status_code), "{url:?}: {}", answer.status_code);
        }
    }
}

/// On the origin of the pages, a gateway lets nothing pass that was not certified.
#[test]
fn files_are_on_another_origin() {
    let (world, dataset, _) = site();
    let bytes = format!("/bytes/dataset/{dataset}/0");
    for url in ["/search?q=x", "/export/1.json", "/records/1.json", "/dsse/1.json", &bytes] {
        assert_eq!(page(&world, url).0, 404, "{url}");
        let answer = file(&world, url);
        assert_eq!(answer.status_code, 200, "{url}");
        verify(&world, url, &answer).unwrap_err();
    }
    let search = text_of(&file(&world, "/search?q=x"));
    assert!(search.contains("<base href=\"http://x.localhost:4944/\">") && !search.contains("<script"));
}

#[test]
fn text_of_others_is_escaped() {
    let mut world = World::new();
    let schema = Schema {
        manifest: br#"{"description":"<script>x</script>","url":"javascript:x","license":"\"><b>"}"#.to_vec(),
        ..schema("<i>&\"'", 3)
    };
    let dataset = dataset_of(schema, 40);
    let mut model = model(dataset.schema().encoding());
    model.name = "<img src=x onerror=y>".to_owned();
    let dataset = world.register(REGISTRAR, ArtefactKind::Dataset, dataset.bytes());
    let model = world.register(OWNER, ArtefactKind::Model, &model.to_bytes());
    world.request(OWNER, (model, dataset)).unwrap();
    world.finish();
    world.refresh();
    for url in urls(dataset, [model, model])
        .into_iter()
        .filter(|url| !url.contains("/certificate/2") && !url.ends_with(".json"))
    {
        let (_, body) = page(&world, &url);
        for bad in ["<i>", "<img src=x", "<script>x", "href=\"javascript", "\"><b>"] {
            assert!(!body.contains(bad), "{url} has {bad}");
        }
    }
    let found = text_of(&file(&world, "/search?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    assert!(found.contains("&lt;script&gt;") && !found.contains("<script>alert"));
}

#[test]
fn a_revoked_certificate_says_so_everywhere() {
    let (mut world, dataset, models) = site();
    let board = format!("/dataset/{dataset}/by/accuracy");
    assert!(page(&world, &board).1.contains("/certificate/1\""));
    let by = world.by(OWNER);
    world
        .state
        .revoke_certificate(&by, RevokeCertificate { id: 1, reason: "wrong <data>".to_owned() })
        .unwrap();
    world.refresh();
    assert!(page(&world, "/certificate/1").1.contains("wrong &lt;data&gt;"));
    assert!(page(&world, "/certificate/1/badge.svg").1.contains("revoked"));
    assert!(!page(&world, &board).1.contains("/certificate/1\""), "only what stands is ranked");
    for url in ["/".to_owned(), "/certificates/0".to_owned(), format!("/model/{}", models[1])] {
        assert!(page(&world, &url).1.contains("revoked"), "{url}");
    }
}

#[test]
fn findings_stand_beside_the_certificate() {
    let (mut world, ..) = site();
    assert!(page(&world, "/certificate/1").1.contains("No auditor"));
    let by = world.by(AUDITOR);
    let rerun = Some(Digest::of(b"other").into());
    let note = "row 3 <differs>".to_owned();
    let request = Attest { certificate: 1, finding: Finding::Disagrees, rerun, note };
    world.state.attest(&by, request).unwrap();
    world.refresh();
    let body = page(&world, "/certificate/1").1;
    assert!(body.contains("row 3 &lt;differs&gt;") && body.contains(&person(AUDITOR).to_text()));
}

#[test]
fn a_certificate_expires_on_its_pages() {
    let (mut world, dataset, _) = site();
    let until = world.state.certificate_entry(2).unwrap().valid_until_ns.unwrap();
    assert_eq!(world.state.expire(world.now_ns), Ok(Some(until)));
    let before = page(&world, "/certificate/2/badge.svg").1;
    assert!(!before.contains("expired"));
    // As long as nothing notices, what was certified stays.
    world.now_ns = until;
    assert_eq!(page(&world, "/certificate/2/badge.svg").1, before);
    assert_eq!(world.state.expire(until), Ok(None));
    world.refresh();
    assert!(page(&world, "/certificate/2/badge.svg").1.contains("expired"));
    assert!(page(&world, "/certificate/2").1.contains("Its time is over"));
    assert!(!page(&world, &format!("/dataset/{dataset}")).1.contains("/certificate/2\""));
    world.upgrade();
}

#[test]
fn a_leaderboard_has_the_newest_standing_certificate_of_each_model() {
    let (mut world, dataset, [first, _]) = site();
    world.request(OWNER, (first, dataset)).unwrap();
    world.finish();
    world.refresh();
    let board = format!("/dataset/{dataset}/by/demographic-parity-difference-1");
    let body = page(&world, &board).1;
    assert!(body.contains("/certificate/3\"") && body.contains("/certificate/2\""));
    assert!(!body.contains("/certificate/1\""));
    // Revoking does not bring the one before back: that would choose the best of many.
    let by = world.by(OWNER);
    let revoke = RevokeCertificate { id: 3, reason: "mistake".to_owned() };
    world.state.revoke_certificate(&by, revoke).unwrap();
    world.refresh();
    let body = page(&world, &board).1;
    assert!(!body.contains("/certificate/1\"") && !body.contains("/certificate/3\""));
    assert!(body.contains("/certificate/2\""));
    world.upgrade();
}

#[test]
fn what_does_not_fit_into_a_message_is_answered_by_a_notice() {
    let (mut world, dataset, models) = site();
    let pages = world.state.certified_pages();
    world.state = open(&world.memory, world.now_ns);
    let budget = std::cell::Cell::new(5u64);
    let instructions = || {
        budget.set(budget.get().saturating_sub(1));
        if budget.get() == 0 { u64::MAX } else { 0 }
    };
    world.state.refresh(&instructions).unwrap();
    assert!(world.state.is_preparing());
    let statuses: Vec<u16> = urls(dataset, models).iter().map(|url| page(&world, url).0).collect();
    assert!(statuses.contains(&503) && statuses.contains(&200), "{statuses:?}");
    // Nothing proves that a page is not there.
    assert_eq!(page(&world, "/nothing").0, 503);
    world.refresh();
    assert_eq!(page(&world, "/nothing").0, 404);
    assert!(world.state.certified_pages() == pages);
    // A page that changes while it waits is made as it is then.
    world.state = open(&world.memory, world.now_ns);
    world.state.refresh(&|| u64::MAX).unwrap();
    let by = world.by(OWNER);
    let revoke = RevokeCertificate { id: 1, reason: "mistake".to_owned() };
    world.state.revoke_certificate(&by, revoke).unwrap();
    world.refresh();
    assert!(page(&world, "/certificate/1").1.contains("Revoked"));
}

#[test]
fn a_search_finds_names_numbers_and_digests() {
    let (world, dataset, [first, _]) = site();
    let find = |text: &str| text_of(&file(&world, &format!("/search?q={text}")));
    assert!(find("SYNTH").contains(&format!("/dataset/{dataset}")));
    assert!(find("parity").contains("/certificate/2\""));
    assert!(find("2").contains("/certificate/2\""));
    assert!(find(&first.to_string()).contains(&format!("/model/{first}")));
    assert!(find("nothing+like+it").contains("Nothing is called"));
    assert!(find(&"x".repeat(500)).contains("Search"));
}

#[test]
fn bytes_come_in_parts() {
    let (world, dataset, [first, _]) = site();
    let whole =
        world.state.read_dataset(ReadRequest { digest: dataset, offset: 0, length: CHUNK_BYTES }).unwrap();
    let url = format!("/bytes/dataset/{dataset}/0");
    let answer = file(&world, &url);
    assert_eq!(answer.body.as_slice(), whole);
    assert_eq!(file(&world, &format!("/bytes/dataset/{dataset}/1")).status_code, 404);
    assert_eq!(file(&world, &format!("/bytes/model/{first}/0")).status_code, 200);
    for other in [
        format!("/bytes/dataset/{first}/0"),
        format!("/bytes/x/{first}/0"),
        format!("/bytes/model/{first}/-1"),
    ] {
        assert_eq!(file(&world, &other).status_code, 404, "{other}");
    }
}

/// The envelope is checked as anyone would: DSSE's encoding, and a library for canister signatures.
#[test]
fn a_statement_is_signed_by_the_canister() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (mut world, ..) = site();
    world.upgrade();
    let envelope: Value = serde_json::from_slice(&file(&world, "/dsse/2.json").body).unwrap();
    let text = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let payload = text(&envelope["payload"]);
    assert_eq!(payload, world.state.body(2).unwrap().unwrap());
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let head = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len());
    let message = [head.as_bytes(), &payload].concat();
    assert_eq!(signed_message(&payload), Digest::of(&message).into());
    let signature = text(&envelope["signatures"][0]["sig"]);
    let (key, root) = (public_key(canister()), Subnet::new().raw_key());
    let key_id = Principal::self_authenticating(&key).to_text();
    assert_eq!(envelope["signatures"][0]["keyid"], key_id);
    verify_canister_sig(&message, &signature, &key, &root).unwrap();
    verify_canister_sig(&[message.as_slice(), b" "].concat(), &signature, &key, &root).unwrap_err();
    verify_canister_sig(&message, &signature, &public_key(Principal::management_canister()), &root)
        .unwrap_err();
    assert_eq!(file(&world, "/dsse/3.json").status_code, 404);
    // What is revoked is no longer signed.
    let by = world.by(OWNER);
    let revoke = RevokeCertificate { id: 2, reason: "mistake".to_owned() };
    world.state.revoke_certificate(&by, revoke).unwrap();
    world.refresh();
    assert_eq!(file(&world, "/dsse/2.json").status_code, 404);
    world.upgrade();
    assert_eq!(file(&world, "/dsse/2.json").status_code, 404);
}
