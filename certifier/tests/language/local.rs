//! A local model from end to end: the same numbers as in Python, rerun by whoever has its files.

use std::{fs, path::PathBuf};

use audit::{
    language::{Answer, LanguageModel},
    log::Signed,
};
use certifier::{
    identity,
    language::{Ended, Job, LanguageRunError, Local, LocalFiles, Respondent, check, read_items, rerun, run},
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
    let items = repository("datasets/language/german-sex");
    assert_eq!(check(&items, signed.statement(), &openings).unwrap().len(), 14);
    let (differences, largest) =
        rerun(&items, &local("", AFTER), signed.statement(), &openings, 1e-3).unwrap();
    assert!(differences.is_empty() && largest < 1e-3, "{differences:?}");
    // Asked otherwise than it says, some items are decided otherwise.
    let (differences, largest) =
        rerun(&items, &local("", "\nNot: "), signed.statement(), &openings, 1e-3).unwrap();
    assert!(!differences.is_empty() && largest > 0.01);
    // All of them, and which class each comes to.
    let (dataset, set) = read_items(&items).unwrap();
    let facts = signed.statement().predicate.language.clone().unwrap();
    assert_eq!(facts.model, LanguageModel::Local(local("", AFTER).facts().clone()));
    let rows: Vec<u32> = (0..40).collect();
    let classes = dataset.schema().classes.len();
    let decided = local("", AFTER).decide(&set, &facts, classes, &rows, &mut |_, _| ()).unwrap();
    let logged: Vec<u8> = transcripts(&log).iter().map(|transcript| transcript.class).collect();
    assert_eq!(decided, logged);
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
    let LanguageRunError::Unreachable { calls: 2, last } = refused else { panic!("{refused}") };
    assert!(last.contains("ONNX Runtime"), "{last}");
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
