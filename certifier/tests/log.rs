//! Prediction logs from end to end: real models in both runtimes, interruptions, and resumption with something else.
//!
//! ONNX Runtime lies where `cargo xtask test` puts it; `cargo xtask onnx-runtime` does only that.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use audit::{
    Attribute, Column, Dataset, Digest, Schema,
    dataset::DatasetBuilder,
    log::{Record, Rows, Signed},
};
use certifier::{
    dataset, identity,
    log::{Job, LogRunError, Places, Source, open, rerun, run, sign},
};
use runtime::{Choice, Classifier, Device, Options, Request, RuntimeError, raw_row};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn embedded() -> Request {
    Request { choice: Choice::Embedded, ..Request::default() }
}

/// The CPU, which needs ONNX Runtime because it is asked for.
fn onnx_runtime() -> Request {
    Request { device: Some(Device::Cpu), ..Request::default() }
}

fn job<'a>(onnx: &'a [u8], dataset: &'a Dataset, request: Request) -> Job<'a> {
    Job {
        model_name: "model",
        source: Source::Onnx { bytes: onnx, request, options: Options::default() },
        dataset,
        rows: Rows::All {},
        batch: 256,
    }
}

/// Six numeric columns in eighths, as the tree ensemble reads them.
fn eighths(rows: i16) -> Dataset {
    let column = |index| Column {
        name: format!("x{index}"),
        offset: "0".parse().unwrap(),
        scale: "8".parse().unwrap(),
    };
    let schema = Schema {
        name: "eighths".into(),
        version: "1".into(),
        manifest: b"{}".to_vec(),
        columns: (0..6).map(column).collect(),
        classes: ["no", "yes"].map(String::from).to_vec(),
        favourable: 1,
        attributes: vec![Attribute {
            name: "half".into(),
            groups: vec!["a".into(), "b".into()],
            reference: None,
        }],
    };
    let mut builder = DatasetBuilder::new(schema).unwrap();
    for i in 0..rows {
        let features: Vec<i16> = (0..6).map(|j| (i * 7 + j * 13 + i * j) % 41 - 20).collect();
        builder.push(&features, 0, &[(i % 2) as u8]).unwrap();
    }
    builder.build().unwrap()
}

fn forest() -> Vec<u8> {
    fs::read(repository("prover/import/fixtures/unsupported/sklearn_decision_forest.onnx")).unwrap()
}

fn classes(onnx: &[u8], dataset: &Dataset, request: &Request, batch: usize) -> (Vec<u8>, Vec<f32>) {
    let mut classifier = Classifier::open(onnx, dataset, request, &Options::default()).unwrap();
    let columns = dataset.schema().columns.len();
    let mut values = Vec::new();
    (0..dataset.rows()).for_each(|row| assert!(raw_row(dataset, row, &mut values)));
    let (mut classes, mut scores) = (Vec::new(), Vec::new());
    for values in values.chunks(batch * columns) {
        let predictions = classifier.run(values).unwrap();
        classes.extend(predictions.classes);
        scores.extend(predictions.scores);
    }
    (classes, scores)
}

#[test]
fn a_tree_ensemble_that_cannot_be_imported_decides_as_in_python() {
    // onnxruntime 1.32.0 in Python, on the same rows.
    let expected = "1111111111111111111110111011011101101111111111111111111111111101";
    let (classes, scores) = classes(&forest(), &eighths(64), &onnx_runtime(), 10);
    assert_eq!(classes.iter().map(u8::to_string).collect::<String>(), expected);
    assert_eq!(scores[..4], [0.184_528_29, 0.815_471_7, 0.408_372_28, 0.591_627_7]);
}

/// Six token ids below 50, or halves of them.
fn tokens(rows: u32, scale: &str) -> Dataset {
    let column = |index| Column {
        name: format!("t{index}"),
        offset: "0".parse().unwrap(),
        scale: scale.parse().unwrap(),
    };
    let schema = Schema { columns: (0..6).map(column).collect(), ..eighths(1).schema().clone() };
    let mut builder = DatasetBuilder::new(schema).unwrap();
    for row in 0..rows {
        let ids: Vec<i16> = (0..6).map(|column| ((row * 37 + column * 11) % 50) as i16).collect();
        builder.push(&ids, 0, &[0]).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn whole_numbers_are_given_as_such() {
    let onnx = fs::read(repository("prover/import/fixtures/unsupported/hand_token_input.onnx")).unwrap();
    let (classes, scores) = classes(&onnx, &tokens(64, "1"), &onnx_runtime(), 10);
    // onnxruntime 1.32.0 in Python, on the same rows.
    let expected = "0010011011010010000011000000000000010000010010010100100110110100";
    assert_eq!(classes.iter().map(u8::to_string).collect::<String>(), expected);
    let expected = [0.566_328_8, 0.433_671_2, 0.799_467_3, 0.200_532_7];
    assert!(
        scores.iter().zip(expected).all(|(score, expected): (&f32, f32)| (score - expected).abs() < 1e-6)
    );
    let mut classifier =
        Classifier::open(&onnx, &tokens(1, "2"), &onnx_runtime(), &Options::default()).unwrap();
    assert!(matches!(classifier.run(&[1.0, 2.0, 3.0, 4.0, 5.0, 5.5]), Err(RuntimeError::NotWhole(5.5))));
}

#[test]
fn both_runtimes_decide_alike_on_the_example_models() {
    for name in [
        "german/models/logistic",
        "german/models/mlp-16-8",
        "compas/models/logistic",
        "compas/models/linear-svc",
    ] {
        let path = repository("datasets").join(name).with_extension("onnx");
        let dataset = dataset::read(path.parent().unwrap().parent().unwrap()).unwrap();
        let onnx = fs::read(&path).unwrap();
        let (left, left_scores) = classes(&onnx, &dataset, &onnx_runtime(), 100);
        let (right, right_scores) = classes(&onnx, &dataset, &embedded(), 100);
        assert_eq!(left.len(), dataset.rows() as usize);
        assert!(left == right, "{name}");
        let far = left_scores.iter().zip(&right_scores).any(|(a, b)| (a - b).abs() > 1e-4);
        assert!(left_scores.len() == right_scores.len() && !far, "{name}");
    }
}

#[test]
fn a_log_is_signed_opened_and_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let (onnx, dataset) = (forest(), eighths(64));
    let log = folder.path().join("log");
    let made = run(&log, &Job { batch: 10, ..job(&onnx, &dataset, onnx_runtime()) }, &mut |_, _| ()).unwrap();
    assert_eq!((made.size, made.resumed_at, made.parameters.runtime.name.as_str()), (64, 0, "onnxruntime"));
    assert!(made.parameters.runtime.library.is_some());
    let key = folder.path().join("me.pem");
    let envelope = sign(&log, identity::create(&key).unwrap().as_ref(), 1).unwrap();
    let signed = Signed::verify(&envelope).unwrap();
    assert_eq!(signed.statement().predicate.log.root, made.root);
    assert_eq!(
        (signed.statement().model(), signed.statement().dataset()),
        (Digest::of(&onnx), dataset.digest())
    );
    signed.check_records(&fs::read(log.join("records.bin")).unwrap()).unwrap();

    for places in [Places::Rows(vec![17, 3, 17]), Places::Drawn { seed: Digest([1; 32]), count: 20 }] {
        let openings = open(&log, &places).unwrap();
        openings.verify(signed.statement()).unwrap();
        openings.check_inputs(&dataset).unwrap();
        let again = rerun(&onnx, &dataset, signed.statement(), &openings, &onnx_runtime(), 0.0).unwrap();
        assert_eq!(again, (vec![], 0.0));
    }
    assert!(matches!(open(&log, &Places::Rows(vec![64])), Err(LogRunError::NoRow(64))));
}

#[test]
fn a_lie_in_the_log_is_found_when_it_is_opened_and_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let (honest, dataset) = (forest(), eighths(64));
    // The liar runs another model, and signs a statement about the honest one.
    let lying =
        fs::read(repository("prover/import/fixtures/unsupported/sklearn_boosted_trees.onnx")).unwrap();
    let log = folder.path().join("log");
    run(&log, &job(&lying, &dataset, onnx_runtime()), &mut |_, _| ()).unwrap();
    let path = log.join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&Digest::of(&lying).to_string(), &Digest::of(&honest).to_string()))
        .unwrap();
    let envelope = sign(&log, identity::create(&folder.path().join("me.pem")).unwrap().as_ref(), 1).unwrap();
    let signed = Signed::verify(&envelope).unwrap();
    assert_eq!(signed.statement().model(), Digest::of(&honest));
    let openings = open(&log, &Places::Rows((0..64).collect())).unwrap();
    openings.verify(signed.statement()).unwrap();
    let (found, _) = rerun(&honest, &dataset, signed.statement(), &openings, &onnx_runtime(), 1e-4).unwrap();
    assert!(!found.is_empty());
}

#[test]
fn nothing_else_is_used_than_what_was_asked_for() {
    let (onnx, dataset) = (forest(), eighths(4));
    let open = |request: Request| Classifier::open(&onnx, &dataset, &request, &Options::default());
    let cuda = Request { device: Some(Device::Cuda), ..Request::default() };
    assert!(matches!(open(cuda.clone()), Err(RuntimeError::Device { device: Device::Cuda, .. })));
    let fallback = open(Request { allow_fallback: true, ..cuda }).unwrap();
    assert_eq!((fallback.facts().provider, fallback.facts().fallback), ("CPUExecutionProvider", true));
    let embedded_device = Request { device: Some(Device::Cpu), ..embedded() };
    assert!(matches!(open(embedded_device), Err(RuntimeError::NoLibrary)));
    let missing =
        Request { choice: Choice::Library("/nowhere/libonnxruntime.so".into()), ..Request::default() };
    assert!(matches!(open(missing), Err(RuntimeError::Library { .. })));
    let text = tempfile::NamedTempFile::new().unwrap();
    let other = Request { choice: Choice::Library(text.path().to_owned()), ..Request::default() };
    assert!(matches!(open(other), Err(RuntimeError::Load { .. } | RuntimeError::OtherLibrary(_))));
}

#[test]
fn another_run_does_not_go_on_in_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (onnx, dataset, other) = (forest(), eighths(64), eighths(63));
    let begin = |job: &Job| run(folder.path(), job, &mut |_, _| ());
    begin(&job(&onnx, &dataset, embedded())).unwrap();
    let field = |job: &Job| match begin(job) {
        Err(LogRunError::OtherRun { field, .. }) => field,
        outcome => panic!("{outcome:?}"),
    };
    let same = || job(&onnx, &dataset, embedded());
    assert_eq!(field(&job(&onnx, &other, embedded())), "dataset");
    assert_eq!(field(&job(&onnx, &dataset, onnx_runtime())), "runtime");
    assert_eq!(field(&Job { batch: 10, ..same() }), "runtime");
    assert_eq!(field(&Job { rows: Rows::Listed { rows: vec![1] }, ..same() }), "rows");
    let boosted =
        fs::read(repository("prover/import/fixtures/unsupported/sklearn_boosted_trees.onnx")).unwrap();
    assert_eq!(field(&job(&boosted, &dataset, onnx_runtime())), "model");
    assert_eq!(begin(&same()).unwrap().resumed_at, 64);

    // An edited record is not taken over.
    let records = folder.path().join("records.bin");
    let mut bytes = fs::read(&records).unwrap();
    bytes[Record::LEN + 40] ^= 1;
    fs::write(&records, bytes).unwrap();
    assert!(matches!(begin(&same()), Err(LogRunError::Damaged { index: 1, .. })));
    let stranger = tempfile::tempdir().unwrap();
    fs::write(stranger.path().join("notes.txt"), "mine").unwrap();
    assert!(matches!(run(stranger.path(), &same(), &mut |_, _| ()), Err(LogRunError::NotALog(_))));
}

fn assay(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.args(["log", "run", "--quiet", "--device", "cpu", "--threads", "1", "--batch", "50", "--model"]);
    command.arg(repository("datasets/german/models/mlp-16-8.onnx"));
    command.arg("--dataset").arg(repository("datasets/german")).arg("-o").arg(folder);
    command.env_remove("ORT_DYLIB_PATH").stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_killed_run_goes_on_without_losing_or_repeating_a_prediction() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, log) = (folder.path().join("whole"), folder.path().join("log"));
    succeeded(&assay(&whole).output().unwrap());
    let expected = fs::read(whole.join("outputs.bin")).unwrap();
    let length = |name: &str| fs::metadata(log.join(name)).map_or(0, |file| file.len());

    // Killed as soon as one more batch is written, until nothing is left to do.
    let batch = 50 * Record::LEN as u64;
    let mut kills = 0;
    loop {
        let before = length("records.bin") / batch;
        let mut child = assay(&log).spawn().unwrap();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if length("records.bin") >= (before + 1) * batch {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        if let Some(status) = ended {
            assert!(status.success());
            break;
        }
        kills += 1;
        // What a crash in the middle of a write leaves.
        for name in ["records.bin", "outputs.bin"] {
            OpenOptions::new().append(true).open(log.join(name)).unwrap().write_all(&[7; 30]).unwrap();
        }
    }
    assert!(kills > 1, "it was killed {kills} times");
    assert_eq!(fs::read(log.join("outputs.bin")).unwrap(), expected);
    let records = Record::parse_all(&fs::read(log.join("records.bin")).unwrap()).unwrap();
    assert!(records.iter().map(|record| record.row).eq(0..1000));
    let signed = sign(&log, identity::create(&folder.path().join("me.pem")).unwrap().as_ref(), 1).unwrap();
    assert_eq!(Signed::verify(&signed).unwrap().statement().predicate.log.size, 1000);
}
