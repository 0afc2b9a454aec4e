//! What other tools get of one fixed certificate, byte by byte: `golden/`. The `clients` test shows that they read it.
//!
//! `UPDATE=1 cargo test --workspace --test exports` writes what is made now; read the difference before committing.

use std::{fs, path::Path};

use audit::{Certificate, certificate::Predicate};
use candid::Principal;
use certifier::export::{Checked, cyclonedx, model_index, vc};
use check::{Authentic, Report, Standing, Step, Trust, ic_certificate::MAINNET_ROOT_KEY};
use interface::{CertificateState, certified::status_json, export::CertificateFile};
use serde_json::Value;

const SIGNED_AT_NS: u64 = 1_790_000_000_000_000_000;

/// The audit crate's golden statement, in a file as the canister exports it. Its signature is none: what is made of a
/// file does not depend on it.
fn fixture() -> (CertificateFile, Authentic) {
    of(include_bytes!("../../verifier-canister/audit/tests/golden/certificate.json").to_vec())
}

fn of(body: Vec<u8>) -> (CertificateFile, Authentic) {
    let certificate = Certificate::parse(&body).unwrap();
    let Predicate { canister, certificate: id, .. } = &certificate.predicate;
    let status = status_json(*id, &CertificateState::Valid).unwrap();
    let canister = Principal::from_text(canister).unwrap();
    let file = CertificateFile::new(canister, *id, body, status, Vec::new(), Vec::new());
    (file, Authentic { certificate, standing: Standing::Stands, signed_at_ns: SIGNED_AT_NS })
}

fn same(name: &str, made: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, made).unwrap();
    }
    let golden = fs::read(&path).unwrap_or_default();
    assert!(golden == made, "{name} is made otherwise now; UPDATE=1 writes it");
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value).unwrap();
    json.push(b'\n');
    json
}

/// Every text under `value`, with the name that it stands under.
fn texts<'a>(name: &'a str, value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((name, text)),
        Value::Array(items) => items.iter().for_each(|item| texts(name, item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(name, value, found)),
        _ => {}
    }
}

#[test]
fn a_credential_stays_as_it_is() {
    let (file, authentic) = fixture();
    let public = vc::credential(&Checked { file: &file, authentic: &authentic, on_main_network: true });
    same("credential.json", &pretty(&public));
    // Elsewhere no address is claimed that leads to the canister.
    let local = vc::credential(&Checked { file: &file, authentic: &authentic, on_main_network: false });
    assert!(!local.to_string().contains("icp0.io"));
    assert_eq!(local["issuer"]["id"], format!("https://assay.invalid/canister/{}", file.canister));
    assert_eq!(local["evidence"], public["evidence"]);
}

#[test]
fn a_credential_says_that_its_certificate_was_revoked() {
    let (file, mut authentic) = fixture();
    let (by, reason) = ("aaaaa-aa".to_owned(), "wrong data".to_owned());
    authentic.standing = Standing::Revoked { by, reason, at_ns: SIGNED_AT_NS };
    let credential = vc::credential(&Checked { file: &file, authentic: &authentic, on_main_network: true });
    assert_eq!(credential["credentialStatus"]["state"], "revoked");
    assert_eq!(credential["credentialStatus"]["reason"], "wrong data");
}

#[test]
fn a_bill_of_materials_stays_as_it_is() {
    let (file, authentic) = fixture();
    let bill = cyclonedx::bill(&Checked { file: &file, authentic: &authentic, on_main_network: true });
    same("bill.json", &pretty(&bill));
}

#[test]
fn a_model_card_stays_as_it_is() {
    let (file, authentic) = fixture();
    let card = model_index::card(&Checked { file: &file, authentic: &authentic, on_main_network: true });
    same("card.md", card.as_bytes());
    assert!(!card.contains("verified"), "the mark is the hub's own");
}

/// The certificate has undefined figures of every kind; none may become a number, or vanish without a word.
#[test]
fn what_is_undefined_stays_undefined_everywhere() {
    let (file, authentic) = fixture();
    let checked = Checked { file: &file, authentic: &authentic, on_main_network: true };
    let predicate = &authentic.certificate.predicate;
    let records = predicate.groups.iter().flat_map(|group| &group.metrics);
    let compared = predicate.comparisons.iter().flat_map(|comparison| &comparison.metrics);
    let undefined = records.chain(compared).filter(|record| record.value.undefined.is_some()).count();
    assert!(undefined > 50, "{undefined}");

    let bill = cyclonedx::bill(&checked);
    let metrics = &bill["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"];
    let mut found = Vec::new();
    texts("", metrics, &mut found);
    let said = |(name, text): &&(&str, &str)| *name == "value" && text.starts_with("undefined: ");
    assert_eq!(found.iter().filter(said).count(), undefined);

    let credential = vc::credential(&checked);
    let criteria = credential["credentialSubject"]["criteria"].as_array().unwrap();
    let of_criteria = predicate.criteria.iter().filter(|record| record.value.undefined.is_some()).count();
    assert!(of_criteria > 0);
    assert_eq!(criteria.iter().filter(|one| one["undefined"].is_string()).count(), of_criteria);
    assert!(criteria.iter().all(|one| one["undefined"].is_string() != one["decimalValue"].is_string()));

    let card = model_index::card(&checked);
    let (front, text) = card.trim_start_matches("---\n").split_once("---\n").unwrap();
    assert!(!front.contains("undefined") && !front.contains("value: \n"));
    assert!(text.contains(
        "- `recall`, region = islands (fewer samples than the policy\\'s minimum): undefined: no sample"
    ));
}

#[test]
fn a_language_models_documents_have_what_its_answers_add_up_to() {
    let body = include_bytes!("../../verifier-canister/audit/tests/golden/language-counterfactual.json");
    let (file, authentic) = of(body.to_vec());
    let checked = Checked { file: &file, authentic: &authentic, on_main_network: true };
    let measures = authentic.certificate.predicate.language_measures().unwrap();
    let undefined = measures.iter().filter(|measure| measure.value.is_err()).count();
    assert!(undefined > 0 && undefined < measures.len());

    let bill = cyclonedx::bill(&checked);
    same("language/bill.json", &pretty(&bill));
    let model = &bill["components"][0];
    let metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"].as_array().unwrap();
    for (metric, measure) in metrics.iter().zip(&measures) {
        assert_eq!(metric["type"], measure.id);
        assert_eq!(metric["slice"].as_str(), measure.group.as_deref());
        let undefined = metric["value"].as_str().unwrap().starts_with("undefined: ");
        assert_eq!(undefined, measure.value.is_err());
    }
    assert!(model["description"].as_str().unwrap().starts_with("Language model small in the ONNX file"));

    let credential = vc::credential(&checked);
    same("language/credential.json", &pretty(&credential));
    let answers = credential["credentialSubject"]["answers"].as_array().unwrap();
    assert_eq!(answers.len(), measures.len());
    assert_eq!(answers.iter().filter(|one| one["undefined"].is_string()).count(), undefined);

    let card = model_index::card(&checked);
    same("language/card.md", card.as_bytes());
    let (front, text) = card.trim_start_matches("---\n").split_once("---\n").unwrap();
    assert!(front.contains("- type: \"change_rate\"\n      value: 0.200000\n      name: \"change_rate\""));
    assert!(!front.contains("tabular"));
    assert!(text.contains("- `change_rate`, group=female: undefined: no answer is one of the options"));
}

#[test]
fn a_report_stays_as_it_is_and_loads_nothing() {
    let (file, authentic) = fixture();
    let step = |name, found: &str| Step { name, result: Ok(found.to_owned()) };
    let steps = vec![step("signature", "signed by <someone>"), step("numbers", "all recomputed")];
    let check = Report { steps, authentic: Some(authentic.clone()) };
    let root_key = MAINNET_ROOT_KEY.to_vec();
    let trust = Trust { root_key, canister: None, now_ns: SIGNED_AT_NS + 60_000_000_000, max_age_s: None };
    let report = certifier::report::report(&file, &check, &authentic, &trust, "it stands".to_owned());
    let text = String::from_utf8(report.clone()).unwrap();
    for loads in ["<script", "<link", "<img", "<iframe", "url(", "@import", "href=", "src="] {
        assert!(!text.contains(loads), "{loads}");
    }
    assert!(text.contains("default-src 'none'"));
    assert!(text.contains("signed by &lt;someone&gt;"), "what was found is text");
    assert!(!text.contains("<details>"), "everything is open");
    assert!(text.contains("undefined: no sample (region = islands)"), "the Theil index too");
    same("report.html", &report);
}
