//! The example policies fit the example datasets, by their manifests.

mod fixture;

use std::path::PathBuf;

use audit::{Attribute, Policy, Schema};
use serde_json::Value;

fn read(path: &str) -> Vec<u8> {
    let datasets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    std::fs::read(datasets.join(path)).unwrap()
}

/// Classes and attributes as in the manifest's audit block.
fn schema(dataset: &str) -> Schema {
    let manifest: Value = serde_json::from_slice(&read(&format!("{dataset}/croissant.json"))).unwrap();
    let audit = &manifest["assay:audit"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let classes: Vec<String> = audit["label"]["classes"].as_array().unwrap().iter().map(text).collect();
    let favourable = text(&audit["label"]["favourable"]);
    let attributes = audit["attributes"].as_array().unwrap().iter().map(|attribute| {
        let groups = attribute["groups"].as_array().unwrap();
        let reference = groups.iter().position(|group| group["reference"] == true).map(|index| index as u8);
        let groups = groups.iter().map(|group| text(&group["name"])).collect();
        Attribute { name: text(&attribute["name"]), groups, reference }
    });
    Schema {
        favourable: classes.iter().position(|class| *class == favourable).unwrap() as u8,
        classes,
        attributes: attributes.collect(),
        ..fixture::schema()
    }
}

#[test]
fn each_example_fits_its_dataset() {
    for (policy, dataset) in [
        ("german", "german"),
        ("compas", "compas"),
        ("adult", "adult"),
        ("facts", "language/facts"),
        ("german-sex", "language/german-sex"),
    ] {
        let policy = Policy::from_json(&read(&format!("policies/{policy}.json"))).unwrap();
        policy.check(&schema(dataset)).unwrap_or_else(|error| panic!("{dataset}: {error}"));
    }
}
