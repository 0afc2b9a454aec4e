//! Local models: what they choose, and which transcripts are refused.

use audit::{
    Digest,
    canonical::{from_canonical_json, to_canonical_json},
    language::{
        Answer, Call, ItemSet, LanguageFacts, LanguageModel, MAX_AROUND, Parsed, Transcript,
        answer::{ANSWER_RULE, Invalid},
        likelihood::{MAX_LIKELIHOOD, choose},
        order,
    },
};

use crate::fixture::{Parts, facts, local};

const SEED: Digest = Digest([5; 32]);

fn transcript(set: &ItemSet, answer: Option<Answer>) -> Transcript {
    let parsed = answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(set, &SEED, 0));
    let errors = if answer.is_none() { vec!["too long".to_owned()] } else { vec![] };
    let call = Call { prompt: set.prompt(&SEED, 0, 0).unwrap(), answer, errors, parsed };
    Transcript::new(set.plan().kind, 5, 0, vec![call])
}

#[test]
fn the_first_likeliest_option_is_chosen() {
    for (likelihoods, chosen) in [
        (vec![-3, -2, -5], Some(1)),
        (vec![-2, -2, -2], Some(0)),
        (vec![-9, 0, 0], Some(1)),
        (vec![i64::MIN, i64::MIN, -1], Some(2)),
        (vec![-1, -2], None),
        (vec![-1, -2, -3, -4], None),
        (vec![], None),
    ] {
        assert_eq!(choose(&likelihoods, 3), chosen, "{likelihoods:?}");
    }
}

#[test]
fn a_position_is_mapped_back_to_the_options_own_place() {
    let set = Parts::choice().set().unwrap();
    for (position, option) in order(&SEED, 0, 3).into_iter().enumerate() {
        let mut likelihoods = vec![-7_000_000; 3];
        likelihoods[position] = -50_000;
        let transcript = transcript(&set, Some(Answer::of_likelihoods(likelihoods)));
        assert_eq!(usize::from(transcript.class), option);
        transcript.check(&set, 5, &local(&set)).unwrap();
        assert_eq!(Transcript::parse(&transcript.to_json().unwrap()).unwrap(), transcript);
    }
}

#[test]
fn a_local_model_says_likelihoods_and_an_endpoint_says_words() {
    let set = Parts::choice().set().unwrap();
    let likelihoods = |likelihoods| Some(Answer::of_likelihoods(likelihoods));
    let words = Some(Answer { text: "A".into(), ..Answer::default() });
    let both = Some(Answer { text: "A".into(), ..Answer::of_likelihoods(vec![-1, -2, -3]) });
    let far = MAX_LIKELIHOOD + 1;
    for (answer, of_local, of_endpoint) in [
        (likelihoods(vec![-1, -2, -3]), true, false),
        (words, false, true),
        (both, false, false),
        (likelihoods(vec![-1, -2, -far]), false, false),
        (likelihoods(vec![-1, -2, i64::MIN]), false, false),
        // No probability is above 1.
        (likelihoods(vec![-1, -2, 1]), false, false),
        (None, true, true),
    ] {
        let transcript = transcript(&set, answer);
        assert_eq!(transcript.check(&set, 5, &local(&set)).is_ok(), of_local, "{transcript:?}");
        assert_eq!(transcript.check(&set, 5, &facts(&set)).is_ok(), of_endpoint, "{transcript:?}");
        // Without the items, as the canister has them, too.
        let class = transcript.class;
        assert_eq!(transcript.check_record(&local(&set), 5, 0, class).is_ok(), of_local);
        assert_eq!(transcript.check_record(&facts(&set), 5, 0, class).is_ok(), of_endpoint);
    }
}

#[test]
fn an_outcome_that_does_not_follow_is_refused_without_the_items() {
    let set = Parts::choice().set().unwrap();
    let honest = transcript(&set, Some(Answer::of_likelihoods(vec![-3, -1, -2])));
    honest.check_record(&local(&set), 5, 0, honest.class).unwrap();
    let bent = |facts: &LanguageFacts, bend: &dyn Fn(&mut Transcript)| {
        let mut bent = honest.clone();
        bend(&mut bent);
        bent.check_record(facts, 5, 0, bent.class).unwrap_err().to_string()
    };
    let other = (honest.class + 1) % 3;
    let message = bent(&local(&set), &|transcript| {
        transcript.calls[0].parsed = Parsed::Option(other);
        transcript.class = other;
    });
    assert!(message.contains("an outcome does not follow"), "{message}");
    let message = bent(&local(&set), &|transcript| {
        transcript.calls[0].parsed = Parsed::Failed;
        transcript.class = 4;
    });
    assert!(message.contains("an outcome does not follow"), "{message}");
    let message = bent(&local(&set), &|transcript| {
        transcript.calls[0].answer = None;
        transcript.calls[0].errors = vec!["none".into()];
    });
    assert!(message.contains("an outcome does not follow"), "{message}");
    let message = bent(&local(&set), &|transcript| transcript.calls.push(transcript.calls[0].clone()));
    assert!(message.contains("it has 2 calls, 1 are expected"), "{message}");
    // What an endpoint's words say, only who has the items can tell, but not every outcome is one.
    let words = |transcript: &mut Transcript, option| {
        transcript.calls[0].answer = Some(Answer { text: "A".into(), ..Answer::default() });
        transcript.calls[0].parsed = Parsed::Option(option);
        transcript.class = option;
    };
    let message = bent(&facts(&set), &|transcript| words(transcript, 3));
    assert!(message.contains("an outcome does not follow"), "{message}");
    let mut plausible = honest.clone();
    words(&mut plausible, other);
    assert!(plausible.check_record(&facts(&set), 5, 0, other).is_ok());
}

#[test]
fn likelihoods_of_other_options_are_no_answer() {
    let set = Parts::choice().set().unwrap();
    let few = transcript(&set, Some(Answer::of_likelihoods(vec![-1, -2])));
    assert_eq!(few.calls[0].parsed, Parsed::Invalid(Invalid::NoSuchOption));
    let mut claimed = few;
    claimed.calls[0].parsed = Parsed::Option(0);
    claimed.class = 0;
    assert!(claimed.check(&set, 5, &local(&set)).is_err());
    let many = transcript(&set, Some(Answer::of_likelihoods(vec![0; 27])));
    assert!(Transcript::parse(&to_canonical_json("test", &many).unwrap()).is_err());
}

#[test]
fn another_file_or_text_around_the_prompt_is_another_model() {
    let set = Parts::choice().set().unwrap();
    let honest = local(&set);
    let digest = honest.model.digest().unwrap();
    let bent = |bend: &dyn Fn(&mut audit::language::LocalFacts)| {
        let mut facts: LanguageFacts = honest.clone();
        let LanguageModel::Local(local) = &mut facts.model else { panic!("a local model") };
        bend(local);
        facts
    };
    let others = [
        bent(&|local| local.file = Digest([1; 32])),
        bent(&|local| local.tokenizer = Digest([1; 32])),
        bent(&|local| local.before = "You decide about loans.\n".into()),
        bent(&|local| local.after = "\nThe answer is ".into()),
        bent(&|local| local.name = "larger".into()),
    ];
    for other in others {
        assert!(other.check().is_ok());
        assert_ne!(other.model.digest().unwrap(), digest);
        let json = to_canonical_json("facts", &other).unwrap();
        assert_eq!(from_canonical_json::<LanguageFacts>("facts", 1 << 14, &json).unwrap(), other);
    }
    // What is put around a prompt does not make it another model for the register, the file does.
    assert_eq!(bent(&|local| local.after = "x".into()).model.identity(), honest.model.identity());
    assert_ne!(bent(&|local| local.file = Digest([1; 32])).model.identity(), honest.model.identity());
    for bad in [
        bent(&|local| local.after = "x".repeat(MAX_AROUND + 1)),
        bent(&|local| local.before = "x".repeat(MAX_AROUND + 1)),
        bent(&|local| local.name = String::new()),
        bent(&|local| local.before = "you see\u{202e}".into()),
        bent(&|local| local.after = "\r\nAnswer: ".into()),
        LanguageFacts { calls: 2, ..honest.clone() },
        LanguageFacts { answers: ANSWER_RULE.to_owned(), ..honest.clone() },
    ] {
        assert!(bad.check().is_err());
    }
}
