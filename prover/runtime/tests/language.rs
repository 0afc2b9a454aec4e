//! Language models in ONNX Runtime, by a model whose probabilities can be computed by hand (`fixtures/make.py`).
//!
//! ONNX Runtime lies where `cargo xtask test` puts it.

use std::{fs, path::Path};

use runtime::{Choice, LanguageModel, Request, RuntimeError};

const LETTERS: &str = "abcdefg ";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

fn bigrams() -> LanguageModel {
    opened("bigrams.onnx", &fixture("bigrams.json"))
}

fn opened(model: &str, tokenizer: &[u8]) -> LanguageModel {
    LanguageModel::open(&fixture(model), tokenizer, &Request::default()).unwrap()
}

/// By hand: that `ending` follows `text`, letter by letter.
fn expected(text: &str, ending: &str) -> f64 {
    let letters: Vec<usize> =
        format!("{text}{ending}").chars().map(|letter| LETTERS.find(letter).unwrap()).collect();
    let probability = |place: usize| {
        let logit = |letter: usize| {
            let bigram = ((7 * letters[place - 1] + 3 * letter) % 11) as f64 / 4.0;
            bigram + if letter == 0 { 0.25 * (place - 1) as f64 } else { 0.0 }
        };
        let sum: f64 = (0..LETTERS.len()).map(|letter| logit(letter).exp()).sum();
        logit(letters[place]) - sum.ln()
    };
    (text.len()..letters.len()).map(probability).sum()
}

fn likelihoods(text: &str, endings: &[&str]) -> Result<Vec<f64>, RuntimeError> {
    likelihoods_of(&mut bigrams(), text, endings)
}

fn likelihoods_of(model: &mut LanguageModel, text: &str, endings: &[&str]) -> Result<Vec<f64>, RuntimeError> {
    let endings: Vec<String> = endings.iter().map(|ending| (*ending).to_owned()).collect();
    model.likelihoods(text, &endings)
}

#[test]
fn every_usual_input_is_given_what_it_means() {
    for (text, endings) in [
        // One token each, one run for all.
        ("bad cab", &["a", "b", "c"][..]),
        // Of different lengths, one run each.
        ("feed a ", &["cab", "g", "dead"]),
        ("a", &["g", "fa"]),
        ("deaf", &["b"]),
    ] {
        let found = likelihoods(text, endings).unwrap();
        for (ending, found) in endings.iter().zip(&found) {
            let expected = expected(text, ending);
            assert!((found - expected).abs() < 1e-6, "{text}|{ending}: {found}, expected {expected}");
        }
    }
}

#[test]
fn endings_that_begin_alike_share_their_beginning_with_the_text() {
    // The first letter is the same, and so tells nothing about which ending it is.
    let found = likelihoods("a bad ", &["bag", "bee"]).unwrap();
    for (found, ending) in found.iter().zip(["ag", "ee"]) {
        assert!((found - expected("a bad b", ending)).abs() < 1e-6);
    }
}

#[test]
fn endings_that_cannot_be_told_apart_have_no_likelihood() {
    let alike = [
        ("a", &["b", "b"][..]),
        ("a", &["b", "bc"]),
        ("a", &["", "b"]),
        ("", &["a", "b"]),
        // Two of three.
        ("a", &["b", "c", "c"]),
        ("a", &["c", "ba", "b"]),
    ];
    for (text, endings) in alike {
        assert!(matches!(likelihoods(text, endings), Err(RuntimeError::Endings)), "{text}|{endings:?}");
    }
    assert!(likelihoods("a", &[]).unwrap().is_empty());
}

#[test]
fn a_model_that_gives_the_last_logits_only_is_asked_once_per_token() {
    let mut model = opened("bigrams-last.onnx", &fixture("bigrams.json"));
    for (text, endings) in [("bad cab", &["a", "b", "c"][..]), ("feed a ", &["cab", "g", "dead"])] {
        let found = likelihoods_of(&mut model, text, endings).unwrap();
        assert_eq!(found, likelihoods(text, endings).unwrap());
    }
}

#[test]
fn what_the_tokenizers_template_puts_around_a_text_is_no_ending() {
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&fixture("bigrams.json")).unwrap();
    tokenizer["post_processor"] = serde_json::json!({
        "type": "TemplateProcessing",
        "single": [
            { "SpecialToken": { "id": "^", "type_id": 0 } },
            { "Sequence": { "id": "A", "type_id": 0 } },
            { "SpecialToken": { "id": "$", "type_id": 0 } },
        ],
        "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
        "special_tokens": {
            "^": { "id": "^", "ids": [5], "tokens": ["f"] },
            "$": { "id": "$", "ids": [6], "tokens": ["g"] },
        },
    });
    let mut model = opened("bigrams.onnx", &serde_json::to_vec(&tokenizer).unwrap());
    for (text, endings) in [("bad cab", &["a", "b"][..]), ("deaf ", &["bag", "g"])] {
        let found = likelihoods_of(&mut model, text, endings).unwrap();
        // The token before the text is read, as the template wants it; the one behind it is not.
        assert_eq!(found, likelihoods(&format!("f{text}"), endings).unwrap());
    }
}

#[test]
fn a_token_can_be_run_whatever_the_text() {
    let mut model = bigrams();
    model.probe().unwrap();
    // Longer than any text that is run.
    let long = "a".repeat((1 << 15) + 1);
    assert!(matches!(likelihoods_of(&mut model, &long, &["b", "c"]), Err(RuntimeError::TooLong { .. })));
    model.probe().unwrap();
}

#[test]
fn what_is_no_language_model_is_refused() {
    let open = |model: &[u8], tokenizer: &[u8], request: &Request| {
        LanguageModel::open(model, tokenizer, request).err().map(|cause| cause.to_string()).unwrap()
    };
    let (model, tokenizer) = (fixture("bigrams.onnx"), fixture("bigrams.json"));
    let classifier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/german/models/logistic.onnx");
    let classifier = fs::read(classifier).unwrap();
    let found = Request::default();
    assert!(open(&classifier, &tokenizer, &found).contains("is not known"));
    assert!(open(&model, b"{}", &found).contains("tokenizer"));
    assert!(open(b"no model", &tokenizer, &found).contains("ONNX"));
    let embedded = Request { choice: Choice::Embedded, ..found };
    assert!(open(&model, &tokenizer, &embedded).contains("embedded"));
}
