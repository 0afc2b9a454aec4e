//! Item sets: what they ask, and which are refused.

use audit::{Digest, language::LanguageError};
use serde_json::{Value, json};

use crate::fixture::{Parts, facts};

const SEED: Digest = Digest([5; 32]);

#[test]
fn a_prompt_has_the_items_texts_and_shuffled_options_and_texts_mean_nothing_else() {
    let set = Parts::choice().set().unwrap();
    let shown = set.shown(&SEED, 1);
    let lines = format!("A) {}\nB) {}\nC) {}", shown[0], shown[1], shown[2]);
    // A placeholder inside a text stays text.
    let expected = format!("Hauptstadt der {{{{options}}}} Schweiz?\n{lines}\nOne letter of A, B, C.");
    assert_eq!(set.prompt(&SEED, 1, 0).unwrap(), expected);
    assert_eq!((set.len(), set.variants()), (2, 1));
    assert_eq!(set.prompt(&SEED, 1, 1), None);
    assert_eq!(set.prompt(&SEED, 2, 0), None);
    let mut sorted = shown;
    sorted.sort_unstable();
    assert_eq!(sorted, ["Bern", "Chur", "Zug"]);
}

#[test]
fn counterfactual_prompts_differ_in_the_varied_field_and_nowhere_else() {
    let set = Parts::counterfactual().set().unwrap();
    let [male, female] = [0, 1].map(|variant| set.prompt(&SEED, 0, variant).unwrap());
    assert_ne!(male, female);
    assert_eq!(male.replace("sex male", "sex female"), female);
    assert_eq!(set.prompt(&SEED, 0, 2), None);
}

/// What is wrong with the parts after they were spoiled.
fn refused(parts: Parts, spoil: impl FnOnce(&mut Parts)) -> String {
    let mut parts = parts;
    spoil(&mut parts);
    parts.set().unwrap_err().to_string()
}

#[test]
fn a_counterfactual_that_sets_every_group_to_the_same_value_is_refused() {
    let varied = |values: Value| move |parts: &mut Parts| parts.block["varied"]["values"] = values;
    let refused = |spoil: fn(&mut Parts)| refused(Parts::counterfactual(), spoil);
    assert_eq!(
        self::refused(Parts::counterfactual(), varied(json!(["male", "male"]))),
        "value of the varied field \"male\" appears twice"
    );
    assert_eq!(
        self::refused(Parts::counterfactual(), varied(json!(["male"]))),
        "values of the varied field is 1, allowed are 2 to 8"
    );
    assert_eq!(
        refused(|parts| parts.template = parts.template.replace("{{sex}}", "male")),
        "item 0: its template must have the varied {{sex}} once"
    );
    assert_eq!(
        refused(|parts| parts.template = parts.template.replace("{{sex}}", "{{sex}} {{sex}}")),
        "item 0: its template must have the varied {{sex}} once"
    );
    assert_eq!(
        refused(|parts| parts.items[0]["fields"]["sex"] = json!("male")),
        "item 0: it fixes the varied \"sex\""
    );
    assert!(refused(|parts| parts.block["varied"] = Value::Null).contains("varied field"));
}

#[test]
fn files_and_dataset_must_fit_each_other() {
    let refused = |spoil: fn(&mut Parts)| refused(Parts::choice(), spoil);
    type Case = (fn(&mut Parts), &'static str);
    let cases: [Case; 22] = [
        (|parts| parts.block = Value::Null, "no assay:language block"),
        (|parts| parts.block["version"] = json!(2), "its version is not 1"),
        (|parts| parts.block["items"] = json!("../items.jsonl"), "named without a folder"),
        (|parts| parts.block["items"] = json!("other.jsonl"), "no sha256"),
        (|parts| parts.block["templates"]["de"] = json!("template.txt"), "not as many templates"),
        (|parts| parts.classes[3] = "D", "last two classes"),
        (|parts| parts.rows[1].0 = 0, "does not number the rows"),
        (|parts| parts.rows[1].1 = 3, "a label is none of the options"),
        (|parts| parts.rows.truncate(1), "not as many rows"),
        (|parts| parts.items.truncate(1), "not as many rows"),
        (
            |parts| parts.items[1]["options"] = json!(["Bern", "Zug"]),
            "item 1: it has 2 options, 3 are expected",
        ),
        (|parts| parts.items[1]["options"][1] = json!("Bern"), "option \"Bern\" appears twice"),
        (|parts| parts.items[1]["options"][1] = json!("x\nD) y"), "control character"),
        (|parts| parts.items[1]["options"][1] = json!(" "), "blank"),
        (|parts| parts.items[0]["fields"]["answer"] = json!("4"), "no place for \"answer\""),
        (|parts| parts.items[0]["fields"] = json!({}), "item 0: it has no \"question\" for its template"),
        (|parts| parts.items[0]["template"] = json!("de"), "it names no template"),
        (|parts| parts.items[0]["label"] = json!(1), "item 0: item: unknown field"),
        (|parts| parts.items[0]["fields"]["question"] = json!("x".repeat(17_000)), "prompt length"),
        (|parts| parts.template = "Question: {{question}}".into(), "it has no second line"),
        (|parts| parts.template = "assay template 1 x\n{{question}}".into(), "{{options}} once"),
        (|parts| parts.template = "assay template 1 x\n{{options}} {{que stion}}".into(), "no name"),
    ];
    for (spoil, expected) in cases {
        let got = refused(spoil);
        assert!(got.contains(expected), "expected {expected}, got {got}");
    }
}

#[test]
fn another_items_file_or_template_than_the_manifest_names_is_refused() {
    let parts = Parts::choice();
    let (dataset, items, template) =
        (parts.dataset(), parts.items_file(), parts.template.clone().into_bytes());
    let set = |items: &[u8], template: Vec<u8>| audit::language::ItemSet::new(&dataset, items, &[template]);
    assert!(set(&items, template.clone()).is_ok());
    let other = set(&items.to_ascii_uppercase(), template.clone());
    assert!(matches!(other, Err(LanguageError::OtherFile { file, .. }) if file == "items.jsonl"));
    let other = set(&items, template.to_ascii_uppercase());
    assert!(matches!(other, Err(LanguageError::OtherFile { file, .. }) if file == "template.txt"));
}

#[test]
fn a_statement_about_another_item_set_is_refused() {
    let (choice, other) = (Parts::choice().set().unwrap(), Parts::counterfactual().set().unwrap());
    let facts = facts(&choice);
    facts.check_set(&choice).unwrap();
    assert!(matches!(facts.check_set(&other), Err(LanguageError::Facts { what: "items", .. })));
    let mut changed = facts.clone();
    changed.templates[0].digest = Digest([0; 32]);
    assert!(matches!(changed.check_set(&choice), Err(LanguageError::Facts { what: "templates", .. })));
    let mut changed = facts.clone();
    changed.answers = "assay answer 2".into();
    assert!(matches!(changed.check(), Err(LanguageError::Facts { what: "answer rule", .. })));
    let classes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    facts.check_classes(&classes(&["A", "B", "invalid", "failed"])).unwrap();
    for other in [
        &["A", "B", "C", "D"][..],
        &["A", "invalid", "failed"],
        &["A", "B", "failed", "invalid"],
        &["failed"],
    ] {
        assert!(facts.check_classes(&classes(other)).is_err(), "{other:?}");
    }
}
