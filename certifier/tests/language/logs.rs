//! Logs of language models: signed, opened, checked; killed; and what a dishonest operator would try.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use audit::{
    Decimal, Digest,
    language::{LanguageError, Parsed, Transcript},
    log::{LogError, Record, Rows, Signed, output_digest, salt},
};
use certifier::{
    identity,
    language::{Items, LanguageRunError, report_folder, report_statement},
    log::{LogRunError, Places, open, sign},
};
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    server::{Reply, Server},
    support::{Asking, asking, figure, repository, transcripts},
};

/// A small complete log.
async fn german(folder: &Path) -> Asking {
    let mut asking = asking("german-sex");
    asking.rows = Rows::Listed { rows: (0..30).collect() };
    let rule = asking.chooses(|item, variant| usize::from(item % 4 == 0 && variant == 1));
    let server = Server::start(move |prompt, _| Reply::Says(rule(prompt))).await;
    asking.run(&server, folder).await.unwrap();
    asking
}

fn signed(folder: &Path) -> Signed {
    let key = tempdir().unwrap();
    let identity = identity::create(&key.path().join("me.pem")).unwrap();
    Signed::verify(&sign(folder, identity.as_ref(), 1).unwrap()).unwrap()
}

#[tokio::test]
async fn a_log_is_signed_opened_and_checked_by_anyone() {
    let folder = tempdir().unwrap();
    let asking = german(folder.path()).await;
    let signed = signed(folder.path());
    let openings = open(folder.path(), &Places::Drawn { seed: Digest([1; 32]), count: 10 }).unwrap();
    openings.verify(signed.statement()).unwrap();
    openings.check_inputs(&asking.dataset).unwrap();
    let items = Items::of(&repository("datasets/language/german-sex"), signed.statement()).unwrap();
    assert_eq!((openings.openings.len(), items.check(&openings)), (10, vec![]));
    let statement = report_statement(Path::new("x"), &signed).unwrap();
    assert_eq!(statement.measures, report_folder(folder.path()).unwrap().measures);
    // Another item set than the one that was asked.
    let other = Items::of(&repository("datasets/language/facts"), signed.statement()).err();
    assert!(matches!(other, Some(LanguageRunError::Items { cause: LanguageError::Dataset(_), .. })));
}

/// Puts another transcript into a log, as its operator could before signing: with a fitting record and counters.
fn forge(folder: &Path, asking: &Asking, index: usize, bend: impl FnOnce(&mut Transcript)) {
    let mut transcripts = transcripts(folder);
    let was = transcripts[index].class;
    bend(&mut transcripts[index]);
    let now = transcripts[index].class;
    let secret: Digest = fs::read_to_string(folder.join("secret")).unwrap().trim().parse().unwrap();
    let mut records = Record::parse_all(&fs::read(folder.join("records.bin")).unwrap()).unwrap();
    let json = audit::canonical::to_canonical_json("test", &transcripts[index]).unwrap();
    records[index].class = now;
    records[index].output = output_digest(&salt(&secret.0, index as u32), &json);
    let bytes: Vec<u8> = records.iter().flat_map(|record| record.to_bytes()).collect();
    fs::write(folder.join("records.bin"), bytes).unwrap();
    let lines = transcripts.iter().flat_map(|transcript| {
        [audit::canonical::to_canonical_json("test", transcript).unwrap(), b"\n".to_vec()].concat()
    });
    fs::write(folder.join("transcripts.jsonl"), lines.collect::<Vec<u8>>()).unwrap();
    let mut counters: Vec<u32> =
        serde_json::from_slice(&fs::read(folder.join("counters.json")).unwrap()).unwrap();
    let row = asking.dataset.row(records[index].row).unwrap();
    let cell = asking.dataset.schema().cell_of(&row) as usize * asking.dataset.schema().classes.len();
    counters[cell + usize::from(was)] -= 1;
    counters[cell + usize::from(now)] += 1;
    fs::write(folder.join("counters.json"), serde_json::to_vec(&counters).unwrap()).unwrap();
}

#[tokio::test]
async fn an_operator_who_bends_a_transcript_is_found_out_when_it_is_opened() {
    let bent = async |bend: fn(&mut Transcript)| {
        let folder = tempdir().unwrap();
        let asking = german(folder.path()).await;
        forge(folder.path(), &asking, 4, bend);
        let signed = signed(folder.path());
        let openings = open(folder.path(), &Places::Rows(vec![4])).unwrap();
        // Signature, tree and row are in order: only what was said is not. That the class does not follow from the
        // outcomes, anyone sees; the rest, who has the items.
        match openings.verify(signed.statement()) {
            Err(LogError::Language(LanguageError::Transcript { item: 4, problem })) => return problem,
            verified => verified.unwrap(),
        }
        openings.check_inputs(&asking.dataset).unwrap();
        let items = Items::of(&repository("datasets/language/german-sex"), signed.statement()).unwrap();
        let wrong = items.check(&openings).into_iter().map(|one| (one.row, one.cause));
        match wrong.collect::<Vec<_>>().as_slice() {
            [(4, LanguageError::Transcript { item: 4, problem })] => problem.clone(),
            wrong => panic!("{wrong:?}"),
        }
    };
    // A changed decision is told as unchanged.
    let problem = bent(|transcript| transcript.class = 0).await;
    assert_eq!(problem, "its answers give class 2, not 0");
    let problem = bent(|transcript| {
        transcript.calls[1].parsed = Parsed::Option(0);
        transcript.class = 0;
    })
    .await;
    assert_eq!(problem, "answer 1 comes to Option(1), not Option(0)");
    // Both prompts were about a man.
    let problem = bent(|transcript| {
        transcript.calls[1] = transcript.calls[0].clone();
        transcript.class = 0;
    })
    .await;
    assert_eq!(problem, "prompt 1 is not that of the item");
    let problem = bent(|transcript| {
        transcript.calls.truncate(1);
        transcript.class = 0;
    })
    .await;
    assert_eq!(problem, "it has 1 calls, 2 are expected");
}

#[tokio::test]
async fn what_was_written_is_not_taken_over_when_it_was_edited() {
    let folder = tempdir().unwrap();
    let asking = german(folder.path()).await;
    let server = Server::start(|_, _| Reply::Says("A".into())).await;
    // Not even asked: everything is there, but under another base URL it is another run.
    let other = asking.run(&server, folder.path()).await;
    let Err(LanguageRunError::Log(LogRunError::OtherRun { field, .. })) = other else { panic!("{other:?}") };
    assert_eq!(field, "language.model.endpoint.base_url");
    let outputs = folder.path().join("transcripts.jsonl");
    let text = fs::read_to_string(&outputs).unwrap();
    fs::write(&outputs, text.replacen("assay transcript 1", "assay transcript 2", 1)).unwrap();
    let opened = open(folder.path(), &Places::Rows(vec![0]));
    assert!(matches!(opened, Err(LogRunError::Damaged { index: 0, .. })));
}

#[tokio::test]
async fn another_run_does_not_go_on_in_the_same_folder_and_an_edited_journal_is_refused() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.limits.max_requests = Some(20);
    let server = Server::start(|_, _| Reply::Says("A".into())).await;
    asking.run(&server, folder.path()).await.unwrap();
    asking.temperature = Some("0.5".parse::<Decimal>().unwrap());
    let other = asking.run(&server, folder.path()).await;
    let Err(LanguageRunError::Log(LogRunError::OtherRun { field, was, now, .. })) = other else {
        panic!("{other:?}")
    };
    assert_eq!(
        (field.as_str(), was.as_str(), now.as_str()),
        ("language.model.endpoint.temperature", "\"0\"", "\"0.5\"")
    );
    asking.temperature = Some(Decimal(0));

    let journal = folder.path().join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"parsed\":{\"option\":", "\"parsed\":{\"option\":1", 1)).unwrap();
    let damaged = asking.run(&server, folder.path()).await;
    assert!(
        matches!(damaged, Err(LanguageRunError::Log(LogRunError::Damaged { index: 0, .. }))),
        "{damaged:?}"
    );
    // The same line twice is no journal of ours either.
    let first = text.lines().next().unwrap();
    fs::write(&journal, format!("{text}{first}\n")).unwrap();
    let damaged = asking.run(&server, folder.path()).await;
    assert!(matches!(damaged, Err(LanguageRunError::Log(LogRunError::Damaged { .. }))), "{damaged:?}");
}

#[test]
fn the_log_of_a_classifier_is_none_of_a_language_model() {
    let folder = tempdir().unwrap();
    let onnx = fs::read(repository("datasets/german/models/logistic.onnx")).unwrap();
    let dataset = certifier::dataset::read(&repository("datasets/german")).unwrap();
    let job = certifier::log::Job {
        model_name: "logistic",
        source: certifier::log::Source::Onnx {
            bytes: &onnx,
            request: runtime::Request { choice: runtime::Choice::Embedded, ..Default::default() },
            options: runtime::Options::default(),
        },
        dataset: &dataset,
        rows: Rows::Listed { rows: vec![1, 2] },
        batch: 2,
    };
    certifier::log::run(folder.path(), &job, &mut |_, _| ()).unwrap();
    assert!(matches!(report_folder(folder.path()), Err(LanguageRunError::NotLanguage(_))));
    let signed = signed(folder.path());
    assert!(matches!(report_statement(folder.path(), &signed), Err(LanguageRunError::NotLanguage(_))));
    let items = Items::of(&repository("datasets/language/facts"), signed.statement()).err();
    assert!(matches!(items, Some(LanguageRunError::NotLanguage(_))));
}

#[tokio::test]
async fn a_log_that_is_not_complete_can_be_neither_signed_nor_reported() {
    let (mut asking, folder) = (asking("facts"), tempdir().unwrap());
    asking.limits.max_requests = Some(9);
    let server = Server::start(|_, _| Reply::Says("A".into())).await;
    asking.run(&server, folder.path()).await.unwrap();
    let incomplete = |error: &LogRunError| matches!(error, LogRunError::Incomplete { expected: 160, .. });
    let key = tempdir().unwrap();
    let identity = identity::create(&key.path().join("me.pem")).unwrap();
    assert!(incomplete(&sign(folder.path(), identity.as_ref(), 1).unwrap_err()));
    let report = report_folder(folder.path());
    assert!(matches!(report, Err(LanguageRunError::Log(error)) if incomplete(&error)));
}

fn assay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(arguments).env_remove("OPENAI_API_KEY").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn language_run(base_url: &str, log: &Path) -> Command {
    let items = repository("datasets/language/facts");
    let mut command = assay(&["language", "run", "--quiet", "--model", "rule", "--concurrency", "4"]);
    command.args(["--base-url", base_url, "--key-env", ""]);
    command.arg("--items").arg(items).arg("-o").arg(log);
    command
}

fn succeeded(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_without_losing_or_repeating_an_answer() {
    let asking = asking("facts");
    let right = asking.right();
    let server = Server::start(move |prompt, _| Reply::Slow(Duration::from_millis(4), right(prompt))).await;
    let folder = tempdir().unwrap();
    let log = folder.path().join("log");
    let lines = || fs::read_to_string(log.join("journal.jsonl")).map_or(0, |text| text.lines().count());
    let mut kills = 0;
    loop {
        let before = lines();
        let mut child = language_run(&server.base_url, &log).spawn().unwrap();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if lines() >= before + 25 {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        };
        if let Some(status) = ended {
            assert!(status.success());
            break;
        }
        kills += 1;
        // What a crash in the middle of a write leaves.
        let mut text = fs::read(log.join("journal.jsonl")).unwrap();
        text.extend_from_slice(b"{\"call\":{\"answer\":{\"te");
        fs::write(log.join("journal.jsonl"), text).unwrap();
    }
    assert!(kills > 1, "it was killed {kills} times");
    assert_eq!(figure(&log, "accuracy", None), "1");
    assert_eq!(transcripts(&log).len(), 160);
    // Only what was under way when it was killed is asked again: at most four calls each time.
    let repeated = server.requests() - 160;
    assert!(repeated <= 4 * kills, "{repeated} after {kills} kills");

    // And the rest of the way on the command line.
    let (me, statement, openings) = ("me.pem", "log/statement.json", "openings.json");
    let run = |arguments: &[&str]| assay(arguments).current_dir(folder.path()).output().unwrap();
    succeeded(&run(&["identity", "new", me]));
    succeeded(&run(&["log", "sign", "log", "--identity", me]));
    let seed = "11".repeat(32);
    succeeded(&run(&["log", "open", "log", "--seed", &seed, "--count", "20", "-o", openings]));
    let items = repository("datasets/language/facts").to_string_lossy().into_owned();
    let checked = succeeded(&run(&[
        "log",
        "check",
        statement,
        openings,
        "--seed",
        &seed,
        "--dataset",
        &items,
        "--records",
        "log/records.bin",
        "--json",
    ]));
    assert_eq!((&checked["transcripts_checked"], &checked["records_checked"]), (&20.into(), &true.into()));
    let report = succeeded(&run(&["language", "report", statement, "--json"]));
    assert_eq!(report["measures"][3]["id"], "accuracy");
    assert_eq!(report["measures"][3]["counted"], serde_json::json!([160, 160]));
    let shown = run(&["language", "report", "log"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("rule-2026 160"));
    let refused = run(&["log", "check", statement, openings, "--dataset", &items, "--model", statement]);
    assert_eq!(refused.status.code(), Some(1));
}
