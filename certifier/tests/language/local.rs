//! A local model from end to end: the same numbers as in Python, rerun by whoever has its files.

use std::{fs, path::PathBuf};

use audit::{
    language::{Answer, CHANGED, LanguageFacts, LanguageModel},
    log::Signed,
};
use certifier::{
    identity,
    language::{
        Asked, Decided, Ended, Items, Job, LanguageRunError, Local, LocalFiles, NoAnswer, Respondent, run,
    },
    log::{LogRunError, Places, open, sign},
};
use runtime::{Device, Request, RuntimeError};
use tempfile::tempdir;

use crate::support::{Asking, asking, figure, repository, transcripts};

const AFTER: &str = "\nAnswer: ";

fn model(name: &str) -> PathBuf {
    repository("datasets/language/models/credit-letters").join(name)
}

fn local(before: &str, after: &str) -> Local {
    let files = LocalFiles::read(&model("model.onnx"), None).unwrap();
    let facts = files.facts("credit letters", before, after);
    let request = Request { device: Some(Device::Cpu), threads: Some(1), ..Request::default() };
    files.load(&facts, &request).unwrap()
}

async fn ran(asking: &Asking, local: Local, folder: &std::path::Path) -> Result<Ended, LanguageRunError> {
    let job = Job {
        dataset: &asking.dataset,
        set: &asking.set,
        rows: asking.rows.clone(),
        model: Respondent::Local(Box::new(local)),
        shuffle_seed: asking.seed(),
        retry_failed: asking.retry_failed,
    };
    run(folder, job, &mut |_| ()).await
}

fn listed(asking: &mut Asking, rows: &[u32]) {
    asking.rows = audit::log::Rows::Listed { rows: rows.to_vec() };
}

#[tokio::test]
async fn likelihoods_are_those_of_python() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    listed(&mut asking, &[0, 1, 2, 3, 4]);
    let ended = ran(&asking, local("", AFTER), folder.path()).await.unwrap();
    assert!(ended.root.is_some() && ended.spent.is_none());
    assert_eq!((ended.progress.done, ended.progress.invalid, ended.progress.failed), (10, 0, 0));
    // onnxruntime 1.32.0 and tokenizers 0.23.2 in Python, on the same prompts.
    let expected = [
        [[-2_789_057, -64_541], [-2_788_782, -64_558]],
        [[-1_311_751, -314_031], [-1_311_549, -314_106]],
        [[-123_015, -2_158_586], [-123_240, -2_156_857]],
        [[-1_306_459, -315_991], [-1_305_547, -316_330]],
        [[-698_678, -687_939], [-698_649, -687_967]],
    ];
    for (transcript, expected) in transcripts(folder.path()).iter().zip(expected) {
        for (call, expected) in transcript.calls.iter().zip(expected) {
            let Some(Answer { likelihoods, .. }) = &call.answer else { panic!("{call:?}") };
            let near =
                likelihoods.iter().zip(expected).all(|(found, one): (&i64, i64)| found.abs_diff(one) < 20);
            assert!(near, "item {}: {likelihoods:?}, expected {expected:?}", transcript.item);
        }
    }
    assert_eq!(figure(folder.path(), "coverage", None), "1");
    assert_eq!(figure(folder.path(), "change_rate", None), "0");
}

#[tokio::test]
async fn opened_items_are_run_again() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    listed(&mut asking, &(0..40).collect::<Vec<_>>());
    let log = folder.path().join("log");
    ran(&asking, local("", AFTER), &log).await.unwrap();
    let identity = identity::create(&folder.path().join("me.pem")).unwrap();
    let signed = Signed::verify(&sign(&log, identity.as_ref(), 1).unwrap()).unwrap();
    let openings = open(&log, &Places::Rows((0..40).step_by(3).collect())).unwrap();
    let folder = repository("datasets/language/german-sex");
    let items = Items::of(&folder, signed.statement()).unwrap();
    assert_eq!(items.check(&openings), []);
    let found = items.asked().rerun(&local("", AFTER), &openings, 1e-3).unwrap();
    assert!(found.differences.is_empty() && found.largest < 1e-3 && found.failed_too == 0, "{found:?}");
    // Asked otherwise than it says, some items are decided otherwise.
    let found = items.asked().rerun(&local("", "\nNot: "), &openings, 1e-3).unwrap();
    assert!(!found.differences.is_empty() && found.largest > 0.01);
    // A model that cannot be run on them says nothing about the log.
    let refused = items.asked().rerun(&local(&"Zq".repeat(500), AFTER), &openings, 1e-3).unwrap_err();
    assert!(matches!(refused, LanguageRunError::NotRun { row: 0, .. }), "{refused}");
}

#[tokio::test]
async fn every_item_is_decided_again_and_a_tie_is_no_lie() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    listed(&mut asking, &(0..20).collect::<Vec<_>>());
    ran(&asking, local("", AFTER), folder.path()).await.unwrap();
    let model = LanguageModel::Local(local("", AFTER).facts().clone());
    let facts = LanguageFacts::new(&asking.set, model, asking.dataset.digest()).unwrap();
    let asked = Asked { set: &asking.set, facts: &facts, classes: asking.dataset.schema().classes.len() };
    let logged = transcripts(folder.path());
    let mut items: Vec<_> = logged.iter().map(|one| Decided { row: one.item, class: one.class }).collect();
    let honest: Vec<u8> = items.iter().map(|item| item.class).collect();
    let decide = |items: &[Decided], tolerance| {
        asked.decide(&local("", AFTER), items, tolerance, &mut |_, _| ()).unwrap()
    };
    assert_eq!(decide(&items, 1e-4), honest);
    // Item 4 is nearly a tie: its options' likelihoods differ by 0.0107 and 0.0107 (`likelihoods_are_those_of_python`).
    for lie in [0, 1, CHANGED].into_iter().filter(|&class| class != honest[4]) {
        items[4].class = lie;
        assert_eq!(decide(&items, 0.005), honest);
        assert_eq!(decide(&items, 0.02)[4], lie);
    }
    // Not for an item that is none, and not for a class that no answer gives.
    items[4].class = 4;
    items[1].class ^= 1;
    assert_eq!(decide(&items, 0.02), honest);
}

#[tokio::test]
async fn a_run_goes_on_where_it_stopped_but_not_with_another_model() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    listed(&mut asking, &[5, 6, 7]);
    ran(&asking, local("", AFTER), folder.path()).await.unwrap();
    let journal = folder.path().join("journal.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();
    // Killed in the middle of the fourth call's line.
    let end = whole.match_indices('\n').nth(2).unwrap().0;
    fs::write(&journal, &whole[..end + 30]).unwrap();
    let ended = ran(&asking, local("", AFTER), folder.path()).await.unwrap();
    assert_eq!((ended.resumed_at, ended.progress.done), (3, 6));
    assert_eq!(fs::read_to_string(&journal).unwrap(), whole);

    let refused = ran(&asking, local("You decide.\n", AFTER), folder.path()).await.unwrap_err();
    assert!(
        matches!(refused, LanguageRunError::Log(LogRunError::OtherRun { ref field, .. }) if field == "language.model.local.before"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_failed_and_nothing_but_failures_is_no_log() {
    let (mut asking, folder) = (asking("german-sex"), tempdir().unwrap());
    listed(&mut asking, &[0]);
    // More tokens than the model has places.
    let long = "Zq".repeat(500);
    let refused = ran(&asking, local(&long, AFTER), folder.path()).await.unwrap_err();
    assert!(matches!(refused, LanguageRunError::Runtime(RuntimeError::NotRun { .. })), "{refused}");
    // Where one text is too long, others still have an answer.
    let (too_long, prompt) = (local("", AFTER), asking.set.prompt(&asking.dataset.digest(), 0, 0).unwrap());
    assert!(matches!(too_long.answer(&asking.set, 0, &long), Err(NoAnswer::Text(_))));
    assert!(too_long.answer(&asking.set, 0, &prompt).is_ok());
    // Many of them end the run before the whole set is gone through.
    listed(&mut asking, &(0..100).collect::<Vec<_>>());
    let folder = tempdir().unwrap();
    ran(&asking, local(&long, AFTER), folder.path()).await.unwrap_err();
    assert_eq!(fs::read_to_string(folder.path().join("journal.jsonl")).unwrap().lines().count(), 8);
}

#[test]
fn letters_that_the_tokenizer_does_not_tell_apart_end_a_run_at_once() {
    let (set, seed) = (asking("german-sex").set, asking("german-sex").dataset.digest());
    let tokenizer = tempdir().unwrap();
    let path = tokenizer.path().join("tokenizer.json");
    // One unknown token for every word that is not there.
    let words = r#"{"version":"1.0","pre_tokenizer":{"type":"Whitespace"},
        "model":{"type":"WordLevel","vocab":{"Answer":0,"[UNK]":1},"unk_token":"[UNK]"}}"#;
    fs::write(&path, words).unwrap();
    let files = LocalFiles::read(&model("model.onnx"), Some(&path)).unwrap();
    let facts = files.facts("m", "", AFTER);
    let local = files.load(&facts, &Request::default()).unwrap();
    let answer = local.answer(&set, 0, &set.prompt(&seed, 0, 0).unwrap());
    assert!(matches!(answer, Err(NoAnswer::Text(RuntimeError::Endings))), "{answer:?}");
}

#[test]
fn other_files_than_those_that_are_meant_are_refused() {
    let files = || LocalFiles::read(&model("model.onnx"), None).unwrap();
    let facts = files().facts("m", "", AFTER);
    let other = |bend: fn(&mut audit::language::LocalFacts)| {
        let mut facts = facts.clone();
        bend(&mut facts);
        files().load(&facts, &Request::default()).err()
    };
    let outcome = other(|facts| facts.file.0[0] ^= 1);
    assert!(matches!(outcome, Some(LanguageRunError::OtherFile { what: "ONNX file", .. })));
    let outcome = other(|facts| facts.tokenizer.0[0] ^= 1);
    assert!(matches!(outcome, Some(LanguageRunError::OtherFile { what: "tokenizer", .. })));
    // A classifier is no language model.
    let classifier = repository("datasets/german/models/logistic.onnx");
    let files = LocalFiles::read(&classifier, Some(&model("tokenizer.json"))).unwrap();
    let facts = files.facts("m", "", AFTER);
    let outcome = files.load(&facts, &Request::default()).err();
    assert!(matches!(outcome, Some(LanguageRunError::Runtime(RuntimeError::NotLanguage(_)))));
    assert!(LocalFiles::read(&classifier, None).is_err());
}
