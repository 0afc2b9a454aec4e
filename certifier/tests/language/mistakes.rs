//! Mistakes known from elsewhere: items never asked, empty groups shown as fair, counterfactuals that vary nothing,
//! answers dropped, orders that are not shuffled.

use std::collections::BTreeMap;

use audit::log::Rows;
use certifier::language::report_folder;
use tempfile::tempdir;

use crate::{
    server::{Reply, Server},
    support::{asking, figure, transcripts},
};

#[tokio::test]
async fn every_item_is_asked_exactly_once_in_every_language() {
    let (asking, folder) = (asking("facts"), tempdir().unwrap());
    let right = asking.right();
    let server = Server::start(move |prompt, _| Reply::Says(right(prompt))).await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert!(ended.root.is_some());
    assert_eq!((ended.size, ended.progress.done, ended.spent), (160, 160, Some((160, 16_000))));
    let expected: BTreeMap<String, u32> = asking.prompts().into_keys().map(|prompt| (prompt, 1)).collect();
    assert_eq!(expected.len(), 160);
    assert_eq!(server.seen(|seen| seen.prompts.clone()), expected);
    for group in [None, Some("language=en"), Some("language=de"), Some("language=fr"), Some("language=es")] {
        assert_eq!(figure(folder.path(), "accuracy", group), "1", "{group:?}");
        assert_eq!(figure(folder.path(), "coverage", group), "1", "{group:?}");
    }
    let report = report_folder(folder.path()).unwrap();
    let counted = report
        .measures
        .iter()
        .filter(|measure| measure.id == "accuracy")
        .map(|measure| measure.counted.unwrap().1);
    // All, four languages, four subjects.
    assert_eq!(counted.collect::<Vec<_>>(), [160, 40, 40, 40, 40, 40, 40, 40, 40]);
}

#[tokio::test]
async fn a_model_that_always_says_a_is_right_about_once_in_four() {
    let (asking, folder) = (asking("facts"), tempdir().unwrap());
    let server = Server::start(|_, _| Reply::Says("A".into())).await;
    asking.run(&server, folder.path()).await.unwrap();
    let conversation = report_folder(folder.path()).unwrap().conversation.unwrap();
    assert_eq!(conversation.positions, BTreeMap::from([('A', 160)]));
    // Its answers are spread over the options, since those were shuffled; 40 expected of each.
    let mut classes = [0; 6];
    transcripts(folder.path()).iter().for_each(|transcript| classes[usize::from(transcript.class)] += 1);
    assert!(classes[..4].iter().all(|count| (20..=60).contains(count)), "{classes:?}");
    let right: u32 = figure(folder.path(), "accuracy", None)
        .parse::<audit::Fraction>()
        .map(|share| (&share * &audit::Fraction::whole(160)).to_string().parse().unwrap())
        .unwrap();
    assert!((20..=60).contains(&right), "{right} of 160");
}

#[tokio::test]
async fn groups_that_were_never_asked_are_undefined_and_not_fair() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    // Items go English, German, French, Spanish: only English ones.
    asking.rows = Rows::Listed { rows: (0..40).map(|fact| 4 * fact).collect() };
    let right = asking.right();
    let server = Server::start(move |prompt, _| Reply::Says(right(prompt))).await;
    asking.run(&server, folder.path()).await.unwrap();
    assert_eq!(figure(folder.path(), "accuracy", Some("language=en")), "1");
    for id in ["accuracy", "coverage", "failure_rate"] {
        let group = Some("language=de");
        assert_eq!(figure(folder.path(), id, group), "undefined: no item was asked (language=de)");
    }
}

#[tokio::test]
async fn a_counterfactual_sees_a_model_that_treats_groups_differently() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    asking.rows = Rows::Listed { rows: (0..60).collect() };
    // Every third applicant is refused as a woman only.
    let rule = asking.chooses(|item, variant| usize::from(item % 3 == 0 && variant == 1));
    let server = Server::start(move |prompt, _| Reply::Says(rule(prompt))).await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert_eq!((ended.size, ended.progress.done), (60, 120));
    assert_eq!(figure(folder.path(), "change_rate", None), "1/3");
    let conversation = report_folder(folder.path()).unwrap().conversation.unwrap();
    assert_eq!(conversation.favourable_when_changed, [20, 0]);
    // What was sent differs in one line, and there in the one word.
    for transcript in transcripts(folder.path()) {
        let [male, female] =
            [0, 1].map(|variant| transcript.calls[variant].prompt.lines().collect::<Vec<_>>());
        let different: Vec<_> = male.iter().zip(&female).filter(|(one, other)| one != other).collect();
        assert_eq!(different, [(&"Sex: male", &"Sex: female")]);
        assert_eq!(male.len(), female.len());
    }
}

#[tokio::test]
async fn a_counterfactual_of_a_model_that_treats_groups_alike_has_no_change() {
    let (mut asking, folder) = (asking("compas-race"), tempdir().unwrap());
    asking.rows = Rows::Listed { rows: (0..40).collect() };
    let rule = asking.chooses(|item, _| usize::from(item % 2 == 0));
    let server = Server::start(move |prompt, _| Reply::Says(rule(prompt))).await;
    asking.run(&server, folder.path()).await.unwrap();
    assert_eq!(figure(folder.path(), "change_rate", None), "0");
    assert_eq!(figure(folder.path(), "change_rate", Some("race=African-American")), "0");
    // Among the first 40 there is no such defendant.
    let missing = figure(folder.path(), "change_rate", Some("race=Native American"));
    assert_eq!(missing, "undefined: no answer is one of the options (race=Native American)");
    for transcript in transcripts(folder.path()) {
        let [one, other] = [0, 1].map(|variant| &transcript.calls[variant].prompt);
        assert_eq!(&one.replace("Race: African-American\n", "Race: Caucasian\n"), other);
        assert_ne!(one, other);
    }
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_counted_and_not_dropped() {
    let (asking, folder) = (asking("facts"), tempdir().unwrap());
    let (right, item_of) = (asking.right(), asking.item_of());
    let server = Server::start(move |prompt, _| match item_of(prompt) % 10 {
        0 => Reply::Says("I cannot answer that.".into()),
        1 => Reply::Says("A or B".into()),
        2 => Reply::Says(String::new()),
        3 => Reply::CutOff(right(prompt)),
        _ => Reply::Says(right(prompt)),
    })
    .await;
    let ended = asking.run(&server, folder.path()).await.unwrap();
    assert_eq!((ended.progress.done, ended.progress.invalid, ended.progress.failed), (160, 64, 0));
    assert_eq!(figure(folder.path(), "coverage", None), "3/5");
    assert_eq!(figure(folder.path(), "format_error_rate", None), "2/5");
    assert_eq!(figure(folder.path(), "accuracy", None), "3/5");
    assert_eq!(figure(folder.path(), "accuracy_of_valid", None), "1");
    let conversation = report_folder(folder.path()).unwrap().conversation.unwrap();
    let expected = [("cut-off", 16), ("empty", 16), ("form", 16), ("other-text", 16)];
    assert_eq!(conversation.invalid, expected.map(|(reason, count)| (reason.to_owned(), count)).into());
    // The raw answers are there.
    let raw = |item: usize| transcripts(folder.path())[item].calls[0].answer.clone().unwrap().text;
    assert_eq!((raw(0).as_str(), raw(1).as_str(), raw(2).as_str()), ("I cannot answer that.", "A or B", ""));
}

#[tokio::test]
async fn stereotypes_are_scored_by_bias_type() {
    let (asking, folder) = (asking("stereoset-excerpt"), tempdir().unwrap());
    // Always the stereotype about gender, always unrelated about religion, else alternating.
    let gender: Vec<u8> = (0..40).map(|row| asking.dataset.row(row).unwrap().groups[0]).collect();
    let groups = gender.clone();
    let rule = asking.chooses(move |item, _| match groups[item as usize] {
        0 => 0,
        3 => 2,
        _ => item as usize % 2,
    });
    let server = Server::start(move |prompt, _| Reply::Says(rule(prompt))).await;
    asking.run(&server, folder.path()).await.unwrap();
    let of = |id: &str, group| figure(folder.path(), &format!("stereoset.{id}.letter_choice"), group);
    let gender = Some("bias_type=gender");
    assert_eq!(
        (of("lms", gender), of("ss", gender), of("icat", gender)),
        ("1".into(), "1".into(), "0".into())
    );
    let religion = Some("bias_type=religion");
    assert_eq!(of("lms", religion), "0");
    let none = "undefined: no answer is a stereotype or an anti-stereotype (bias_type=religion)";
    assert_eq!((of("ss", religion).as_str(), of("icat", religion).as_str()), (none, none));
    assert_eq!(of("lms", None), "3/4");
    assert_eq!(of("lms", Some("mean over bias_type")), "3/4");
    assert_eq!(of("icat", Some("mean over bias_type")), none);
}
