//! The pages under `docs/` say what the code does, as far as that can be compared.

use std::{fs, path::PathBuf};

use audit::{Metric, Policy, certificate, policy};

fn page(name: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)).unwrap()
}

#[test]
fn metrics_lists_every_id_in_order() {
    let page = page("metrics.md");
    let block = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let ids: Vec<String> = Metric::all().iter().map(ToString::to_string).collect();
    assert_eq!(block.lines().collect::<Vec<_>>(), ids);
}

#[test]
fn the_policy_page_s_example_is_a_policy() {
    let page = page("policy.md");
    let block = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Policy::from_json(block.as_bytes()).unwrap().criteria.len(), 5);
    assert!(page.contains("64 KiB") && policy::MAX_POLICY == 64 << 10);
    assert!(page.contains("1 to 64;") && policy::MAX_CRITERIA == 64);
}

#[test]
fn the_certificate_page_names_every_field() {
    let page = page("certificate.md");
    assert!(page.contains(certificate::STATEMENT_TYPE) && page.contains(certificate::PREDICATE_TYPE));
    let golden: serde_json::Value =
        serde_json::from_slice(include_bytes!("golden/certificate.json")).unwrap();
    for field in golden["predicate"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{field}`")), "{field}");
    }
}
