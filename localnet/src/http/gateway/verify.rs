//! Whether a response is the one that the canister certified, and which of its headers are.

use axum::http::{Method, StatusCode};
use candid::Principal;
use ic_http_certification::{
    CERTIFICATE_EXPRESSION_HEADER_NAME, CERTIFICATE_HEADER_NAME, HttpRequest, HttpResponse,
};
use ic_response_verification::verify_request_response_pair;

use super::certificate_header::{bounded_certificate, check_expression};
use super::exchange::{Reply, Request};
use super::page::Failure;

/// How old a certificate may be, and how far ahead of this machine's clock.
const MAX_OFFSET_NS: u128 = 300_000_000_000;
/// The first version that certifies status and headers.
const MIN_VERSION: u8 = 2;

/// Verifies the response to a request at `now` (nanoseconds) and returns the headers that may be passed on: the certified
/// ones, or all where the canister certified that the response is not certified.
///
/// # Errors
///
/// The page that tells what does not hold.
pub(super) fn verified_headers(
    request: &Request,
    reply: &Reply,
    canister: Principal,
    root_key: &[u8],
    now: u64,
) -> Result<Vec<(String, String)>, Failure> {
    let headers = bounded(&reply.headers).map_err(Failure::verification)?;
    let method = Method::from_bytes(request.method.as_bytes());
    let method = method.map_err(|error| Failure::verification(error.to_string()))?;
    let status = StatusCode::from_u16(reply.status);
    let status = status.map_err(|error| Failure::verification(error.to_string()))?;
    let asked = HttpRequest::builder()
        .with_method(method)
        .with_url(request.url.as_str())
        .with_headers(request.headers.clone())
        .with_body(request.body.as_slice())
        .build();
    let answered = HttpResponse::builder()
        .with_status_code(status)
        .with_headers(headers.clone())
        .with_body(reply.body.as_slice())
        .build();
    let verified = verify_request_response_pair(
        asked,
        answered,
        canister.as_slice(),
        now.into(),
        MAX_OFFSET_NS,
        root_key,
        MIN_VERSION,
    );
    let verified = verified.map_err(|error| Failure::verification(error.to_string()))?;
    Ok(verified.response.map_or(headers, |response| response.headers))
}

/// The headers, with those that tell of certification within bounds and given only once.
fn bounded(headers: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    let mut bounded = headers.to_vec();
    for name in [CERTIFICATE_HEADER_NAME, CERTIFICATE_EXPRESSION_HEADER_NAME] {
        let mut found = bounded.iter_mut().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = found.next().ok_or_else(|| format!("the response has no header {name}"))?;
        if name == CERTIFICATE_HEADER_NAME {
            *value = bounded_certificate(value)?;
        } else {
            check_expression(value)?;
        }
        if found.next().is_some() {
            return Err(format!("the response has the header {name} twice"));
        }
    }
    Ok(bounded)
}

#[cfg(test)]
mod tests {
    use ic_http_certification::utils::add_v2_certificate_header;
    use ic_http_certification::{
        DefaultCelBuilder, DefaultResponseCertification, HttpCertification, HttpCertificationPath,
        HttpCertificationTree, HttpCertificationTreeEntry,
    };

    use super::*;
    use crate::certificate::Snapshot;
    use crate::subnet::{Clock, Subnet, wall};

    fn get(url: &str) -> Request {
        Request {
            method: "GET".into(),
            url: url.into(),
            headers: vec![],
            body: vec![].into(),
            certificate_version: Some(2),
        }
    }

    /// A page that a canister certified for `/page`, with the canister and the root key.
    fn certified() -> (Reply, Principal, Vec<u8>) {
        let expression = DefaultCelBuilder::response_only_certification()
            .with_response_certification(DefaultResponseCertification::response_header_exclusions(vec![]))
            .build();
        let headers = vec![(CERTIFICATE_EXPRESSION_HEADER_NAME.to_owned(), expression.to_string())];
        let mut response = HttpResponse::ok(b"body", headers).build();
        let certification = HttpCertification::response_only(&expression, &response, None).unwrap();
        let path = HttpCertificationPath::exact("/page");
        let entry = HttpCertificationTreeEntry::new(&path, certification);
        let mut tree = HttpCertificationTree::default();
        tree.insert(&entry);

        let mut subnet = Subnet::new(Some([1; 32]), Clock::Wall(0)).unwrap();
        let canister = subnet.create_canister(Principal::anonymous()).unwrap();
        subnet.canister_mut(canister).unwrap().calls.certified_data = tree.root_hash().to_vec();
        let certificate =
            Snapshot::new(subnet.state.clone()).certified(&subnet.keys).data_certificate(canister);
        let witness = tree.witness(&entry, "/page").unwrap();
        add_v2_certificate_header(&certificate, &mut response, &witness, &path.to_expr_path());
        let reply = Reply {
            status: 200,
            headers: response.headers().to_vec(),
            body: response.body().to_vec(),
            upgrade: false,
            next: None,
        };
        (reply, canister, subnet.root_key())
    }

    #[test]
    fn a_certificate_holds_for_its_time_its_canister_its_subnet_and_its_path() {
        let (reply, canister, root_key) = certified();
        let (now, minutes) = (wall(), 60_000_000_000);
        let check = |url: &str, canister, root_key: &[u8], now| {
            verified_headers(&get(url), &reply, canister, root_key, now)
        };
        let headers = check("/page", canister, &root_key, now + 4 * minutes).unwrap();
        assert!(headers.iter().any(|(name, _)| name == CERTIFICATE_HEADER_NAME), "{headers:?}");
        for (what, checked) in [
            ("older than five minutes", check("/page", canister, &root_key, now + 6 * minutes)),
            ("of the future", check("/page", canister, &root_key, now - 6 * minutes)),
            ("of another canister", check("/page", Principal::anonymous(), &root_key, now)),
            (
                "of another subnet",
                check(
                    "/page",
                    canister,
                    &Subnet::new(Some([2; 32]), Clock::Wall(0)).unwrap().root_key(),
                    now,
                ),
            ),
            ("for another path", check("/pages", canister, &root_key, now)),
        ] {
            assert!(checked.is_err(), "{what}");
        }
    }

    #[test]
    fn a_damaged_certificate_is_refused_and_never_panics() {
        let (good, canister, root_key) = certified();
        let now = wall();
        let at = good.headers.iter().position(|(name, _)| name == CERTIFICATE_HEADER_NAME).unwrap();
        // Which CBOR tag precedes a part does not matter.
        let tags: Vec<usize> = good.headers[at].1.match_indices(":2dn3").map(|(at, _)| at).collect();
        let in_tag = |index: &usize| tags.iter().any(|tag| (*tag..tag + 5).contains(index));
        // Each pairing costs milliseconds, so not every byte is damaged.
        for index in (0..good.headers[at].1.len()).step_by(5).filter(|index| !in_tag(index)) {
            let mut damaged =
                Reply { headers: good.headers.clone(), body: good.body.clone(), next: None, ..good };
            let value = &mut damaged.headers[at].1;
            let replaced = if value.as_bytes()[index] == b'A' { "B" } else { "A" };
            value.replace_range(index..=index, replaced);
            assert!(
                verified_headers(&get("/page"), &damaged, canister, &root_key, now).is_err(),
                "byte {index} of {}",
                good.headers[at].1
            );
        }
    }
}
