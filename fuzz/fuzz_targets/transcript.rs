//! Transcripts have one spelling, any answer is one option or none, and what a local model chose follows from its likelihoods.
#![no_main]

use std::sync::LazyLock;

use audit::{
    canonical::from_canonical_json,
    language::{LanguageFacts, LanguageModel, LocalFacts, Parsed, Transcript, answer, likelihood, order},
};
use libfuzzer_sys::fuzz_target;

const OPTIONS: [&str; 4] = ["Rome", "Paris", "B", "or B"];
const CLASSES: usize = 5;

/// An endpoint's log.
static ENDPOINT: LazyLock<LanguageFacts> = LazyLock::new(|| {
    let json = include_bytes!("../../verifier-canister/audit/tests/golden/language-facts.json");
    from_canonical_json("facts", json.len(), json).unwrap()
});
/// The same of a local model.
static LOCAL: LazyLock<LanguageFacts> = LazyLock::new(|| {
    let digest = ENDPOINT.items;
    let (name, before, after) = ("m".to_owned(), String::new(), "\nAnswer: ".to_owned());
    let local = LocalFacts { name, file: digest, tokenizer: digest, before, after };
    LanguageFacts {
        model: LanguageModel::Local(local),
        answers: likelihood::LIKELIHOOD_RULE.to_owned(),
        ..ENDPOINT.clone()
    }
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(transcript) = Transcript::parse(bytes) {
        assert_eq!(transcript.to_json().as_deref(), Ok(bytes));
        held(&transcript);
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(position) = answer::parse(&text, false, &OPTIONS) {
        assert!(position < OPTIONS.len());
        assert!(text.contains(char::from(b'A' + position as u8)));
    }
});

fn held(transcript: &Transcript) {
    let (item, class) = (transcript.item, transcript.class);
    let of_endpoint = transcript.check_record(&ENDPOINT, CLASSES, item, class).is_ok();
    if transcript.check_record(&LOCAL, CLASSES, item, class).is_err() {
        return;
    }
    let mut answers = transcript.calls.iter().filter_map(|call| Some((call.answer.as_ref()?, call.parsed)));
    assert!(answers.clone().next().is_none() || !of_endpoint);
    let options = LOCAL.kind.options(CLASSES).unwrap();
    assert!(answers.all(|(answer, parsed)| {
        let chosen = likelihood::choose(&answer.likelihoods, options).unwrap();
        parsed == Parsed::Option(order(&LOCAL.shuffle.seed, item, options)[chosen] as u8)
    }));
}
