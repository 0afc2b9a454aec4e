//! One endpoint has one spelling, and nothing secret is in it.

use audit::language::{LanguageFacts, LanguageModel, is_base_url};

use crate::fixture::{Parts, facts};

#[test]
fn an_endpoint_has_one_spelling() {
    for url in [
        "https://api.openai.com/v1",
        "http://127.0.0.1:8000/v1",
        "http://localhost:11434",
        "https://[::1]:8443/v1",
        "https://[::1]",
        "https://example.org:80/a/b-c_d~e",
        "http://example.org/V1",
    ] {
        assert!(is_base_url(url), "{url}");
    }
    for url in [
        "",
        "api.openai.com/v1",
        "ftp://api.openai.com",
        "HTTPS://api.openai.com/v1",
        "https://API.openai.com/v1",
        "https://api.openai.com./v1",
        "https://api.openai.com:443/v1",
        "https://api.openai.com:/v1",
        "https://api.openai.com:0444/v1",
        "https://api.openai.com:99999/v1",
        "http://api.openai.com:80",
        "https://api.openai.com/v1/",
        "https://api.openai.com/",
        "https://api.openai.com//v1",
        "https://api.openai.com/./v1",
        "https://api.openai.com/a/../v1",
        "https://api.openai.com/%761",
        "https://api.openai.com\\v1",
        "https://api.openai.com/v1?key=1",
        "https://api.openai.com/v1#a",
        "https://me:key@api.openai.com/v1",
        "https://api openai.com/v1",
        "https://älter.example/v1",
        "https:///v1",
    ] {
        assert!(!is_base_url(url), "{url}");
        let set = Parts::choice().set().unwrap();
        let mut facts: LanguageFacts = facts(&set);
        let LanguageModel::Endpoint(endpoint) = &mut facts.model else { panic!("an endpoint") };
        endpoint.base_url = url.to_owned();
        assert!(facts.check().is_err(), "{url}");
    }
}
