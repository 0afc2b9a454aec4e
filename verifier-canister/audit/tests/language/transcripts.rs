//! Transcripts: what follows from answers, and which are refused.

use audit::{
    Digest,
    language::{
        Answer, Call, ItemSet, LanguageError, MAX_ANSWER, MAX_TRANSCRIPT, Parsed, Transcript, answer::Invalid,
    },
    log::Opening,
};
use proptest::prelude::*;

use crate::{
    fixture::{Parts, facts},
    golden::same,
};

const SEED: Digest = Digest([5; 32]);

/// A call that was answered so; no text is no answer.
fn call(set: &ItemSet, item: u32, variant: usize, text: Option<&str>) -> Call {
    let answer = text.map(|text| Answer { text: text.to_owned(), ..Answer::default() });
    let parsed = answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(set, &SEED, item));
    let errors = if answer.is_none() { vec!["status 500".to_owned()] } else { vec![] };
    Call { prompt: set.prompt(&SEED, item, variant).unwrap(), answer, errors, parsed }
}

/// The letter at which an option of the first item is shown.
fn letter(set: &ItemSet, option: &str) -> String {
    let position = set.shown(&SEED, 0).iter().position(|shown| *shown == option).unwrap();
    char::from(b'A' + position as u8).to_string()
}

#[test]
fn a_shuffled_answer_is_mapped_back_to_the_options_own_place() {
    let set = Parts::choice().set().unwrap();
    for (option, text) in ["3", "4", "5"].into_iter().enumerate() {
        let call = call(&set, 0, 0, Some(&letter(&set, text)));
        assert_eq!(call.parsed, Parsed::Option(option as u8));
        let transcript = Transcript::new(set.plan().kind, 5, 0, vec![call]);
        assert_eq!(usize::from(transcript.class), option);
        transcript.check(&set, 5, &facts(&set)).unwrap();
        assert_eq!(Transcript::parse(&transcript.to_json().unwrap()).unwrap(), transcript);
    }
}

#[test]
fn failed_parses_and_failed_calls_have_classes_of_their_own() {
    let set = Parts::choice().set().unwrap();
    for (text, class) in [(Some("no idea"), 3), (Some(""), 3), (None, 4)] {
        let transcript = Transcript::new(set.plan().kind, 5, 0, vec![call(&set, 0, 0, text)]);
        assert_eq!(transcript.class, class);
        transcript.check(&set, 5, &facts(&set)).unwrap();
    }
}

#[test]
fn a_counterfactual_compares_options_and_failures_win() {
    let set = Parts::counterfactual().set().unwrap();
    let (good, bad) = (letter(&set, "good"), letter(&set, "bad"));
    let (good, bad, other) = (Some(good.as_str()), Some(bad.as_str()), Some("maybe"));
    for (answers, class) in [
        ([good, good], 0),
        ([bad, bad], 1),
        ([good, bad], 2),
        ([bad, good], 2),
        ([good, other], 3),
        ([other, bad], 3),
        ([None, good], 4),
        ([other, None], 4),
    ] {
        let calls = answers.iter().enumerate().map(|(variant, text)| call(&set, 0, variant, *text)).collect();
        let transcript = Transcript::new(set.plan().kind, 5, 0, calls);
        assert_eq!(transcript.class, class, "{answers:?}");
        transcript.check(&set, 5, &facts(&set)).unwrap();
    }
}

#[test]
fn a_text_that_was_cut_off_is_invalid() {
    let set = Parts::choice().set().unwrap();
    for answer in [
        Answer { text: "A".into(), finish: Some("length".into()), ..Answer::default() },
        Answer { text: "A".into(), cut: true, ..Answer::default() },
    ] {
        assert_eq!(answer.parse(&set, &SEED, 0), Parsed::Invalid(Invalid::CutOff));
    }
}

/// Each way in which an operator could bend a transcript.
#[test]
fn a_bent_transcript_is_refused() {
    let set = Parts::counterfactual().set().unwrap();
    let (good, bad) = (letter(&set, "good"), letter(&set, "bad"));
    let calls = vec![call(&set, 0, 0, Some(&good)), call(&set, 0, 1, Some(&bad))];
    let honest = Transcript::new(set.plan().kind, 5, 0, calls);
    let refused = |bend: &dyn Fn(&mut Transcript)| {
        let mut transcript = honest.clone();
        bend(&mut transcript);
        match transcript.check(&set, 5, &facts(&set)) {
            Err(LanguageError::Transcript { problem, .. }) => problem,
            outcome => panic!("{outcome:?}"),
        }
    };
    assert_eq!(refused(&|bent| bent.class = 0), "its answers give class 2, not 0");
    assert_eq!(
        refused(&|bent| {
            bent.calls[1].parsed = Parsed::Option(0);
            bent.class = 0;
        }),
        "answer 1 comes to Option(1), not Option(0)"
    );
    assert_eq!(refused(&|bent| bent.calls[1].answer = None), "an outcome does not follow from its answer");
    assert_eq!(refused(&|bent| bent.calls[0].prompt.push('!')), "prompt 0 is not that of the item");
    assert_eq!(refused(&|bent| bent.calls.swap(0, 1)), "prompt 0 is not that of the item");
    assert_eq!(refused(&|bent| bent.calls.truncate(1)), "it has 1 calls, 2 are expected");
    assert_eq!(refused(&|bent| bent.item = 1), "prompt 0 is not that of the item");
    // With another seed the options were shown in another order, for some seed.
    let others = (0..20).map(|seed| {
        let mut facts = facts(&set);
        facts.shuffle.seed = Digest([seed; 32]);
        honest.check(&set, 5, &facts)
    });
    assert!(others.filter(Result::is_err).count() > 3);
}

#[test]
fn an_opening_must_be_about_its_row_and_class() {
    let set = Parts::choice().set().unwrap();
    let facts = facts(&set);
    let transcript = Transcript::new(set.plan().kind, 5, 1, vec![call(&set, 1, 0, Some("A"))]);
    let opening = Opening {
        index: 1,
        row: 1,
        input: Digest([0; 32]),
        class: transcript.class,
        salt: [0; 16],
        output: transcript.to_json().unwrap(),
        path: vec![],
    };
    assert_eq!(set.check_opening(&facts, 5, &opening).unwrap(), transcript);
    for other in [Opening { row: 0, ..opening.clone() }, Opening { class: 4, ..opening.clone() }] {
        assert!(matches!(set.check_opening(&facts, 5, &other), Err(LanguageError::Transcript { .. })));
    }
    let mut spaced = opening;
    spaced.output.push(b' ');
    assert!(set.check_opening(&facts, 5, &spaced).is_err());
}

#[test]
fn bounds_are_checked_when_read() {
    let set = Parts::choice().set().unwrap();
    let parse = |bend: &dyn Fn(&mut Call)| {
        let mut call = call(&set, 0, 0, Some("A"));
        bend(&mut call);
        Transcript::parse(
            &audit::canonical::to_canonical_json("test", &Transcript::new(set.plan().kind, 5, 0, vec![call]))
                .unwrap(),
        )
    };
    assert!(parse(&|_| ()).is_ok());
    assert!(parse(&|call| call.answer.as_mut().unwrap().text = "x".repeat(MAX_ANSWER)).is_ok());
    assert!(parse(&|call| call.answer.as_mut().unwrap().text = "x".repeat(MAX_ANSWER + 1)).is_err());
    assert!(parse(&|call| call.errors = vec!["x".repeat(257)]).is_err());
    assert!(parse(&|call| call.errors = vec![String::new(); 33]).is_err());
    assert!(parse(&|call| call.answer = None).is_err());
    assert!(Transcript::parse(&vec![b' '; MAX_TRANSCRIPT + 1]).is_err());
}

#[test]
fn golden_bytes_stay_readable() {
    let set = Parts::counterfactual().set().unwrap();
    let (good, bad) = (letter(&set, "good"), format!("**{}**", letter(&set, "bad")));
    let mut calls = vec![call(&set, 0, 0, Some(&good)), call(&set, 0, 1, Some(&bad))];
    calls[1].errors = vec!["status 429: slower".into()];
    let answer = calls[1].answer.as_mut().unwrap();
    (answer.finish, answer.model) = (Some("stop".into()), Some("rule-2026".into()));
    answer.fingerprint = Some("fp_1".into());
    let transcript = Transcript::new(set.plan().kind, 5, 0, calls);
    let files = [
        ("language-transcript.json", transcript.to_json().unwrap()),
        ("language-facts.json", audit::canonical::to_canonical_json("facts", &facts(&set)).unwrap()),
    ];
    for (name, made) in files {
        same(name, &made);
    }
    Transcript::parse(&transcript.to_json().unwrap()).unwrap().check(&set, 5, &facts(&set)).unwrap();
}

proptest! {
    /// Nothing panics, and an answer is at most one option.
    #[test]
    fn any_text_is_an_option_or_none(text in ".{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let set = Parts::choice().set().unwrap();
        let parsed = call(&set, 0, 0, Some(&text)).parsed;
        prop_assert!(matches!(parsed, Parsed::Invalid(_) | Parsed::Option(0..=2)));
        let _ = Transcript::parse(&bytes);
    }

    /// Whatever stands around a letter, it is that letter or none.
    #[test]
    fn what_is_around_a_letter_never_makes_it_another(before in "[ *_`\"'(\\[A-D]{0,3}", after in "[ *_`\"')\\]A-D.]{0,3}") {
        let options = ["w", "x", "y", "z"];
        let text = format!("{before}B{after}");
        if let Ok(position) = audit::language::answer::parse(&text, false, &options) {
            let letters: Vec<char> = text.chars().filter(char::is_ascii_uppercase).collect();
            prop_assert_eq!((letters.as_slice(), position), (&['B'][..], 1));
        }
    }
}
