//! Prints measured figures, one JSON line per case: `cargo xtask bench [CASE…]`.
//!
//! Instructions are the node's count, with the weights of the Internet Computer; seconds are this machine's.

mod logs;
mod pages;
mod proofs;
mod runtime;

use std::time::Instant;

use anyhow::{Result, bail};
use audit::{Activation, Dataset, Layer, Model};
use flate2::read::GzDecoder;
use interface::AuditState;
use serde_json::{Value, json};
use tests::{World, linear_model, repository, showcase::Showcase, wasm};

/// Instructions that one update message may take.
const MESSAGE_INSTRUCTIONS: f64 = 40e9;

/// The example models.
const MODELS: [(&str, &str); 6] = [
    ("german", "logistic"),
    ("german", "mlp-16-8"),
    ("compas", "logistic"),
    ("compas", "linear-svc"),
    ("adult", "logistic"),
    ("adult", "mlp-64-32"),
];

const CASES: [&str; 14] = [
    "wasm",
    "runtime",
    "logs",
    "import",
    "replay",
    "wide",
    "pages",
    "pages-browser",
    "mlp",
    "mnist",
    "adult-logistic",
    "growth",
    "peer",
    "ops",
];

/// Numbers of certificates that pages are measured with; `ASSAY_CERTIFICATES` takes others.
const CERTIFICATES: &str = "100,1000,10000";

#[tokio::main]
async fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(case) = asked.first().and_then(|first| first.strip_prefix(proofs::ALONE)) {
        return proofs::alone(case);
    }
    if let Some(unknown) = asked.iter().find(|case| !CASES.contains(&case.as_str())) {
        bail!("there is no case {unknown:?}; there are {}", CASES.join(", "));
    }
    let wanted = |case: &str| asked.is_empty() || asked.iter().any(|asked| asked == case);
    if wanted("wasm") {
        let module = wasm()?;
        let unpacked = std::io::copy(&mut GzDecoder::new(module.as_slice()), &mut std::io::sink())?;
        print(&json!({ "case": "wasm", "bytes": unpacked, "gzipped_bytes": module.len() }));
    }
    if wanted("runtime") {
        runtime::compare()?;
    }
    if wanted("logs") {
        logs::costs().await?;
    }
    if wanted("import") {
        for (dataset, name) in MODELS {
            import(dataset, name)?;
        }
    }
    if wanted("replay") {
        let mut world = Bench::start().await?;
        for (dataset, name) in MODELS {
            let rows = world.dataset(dataset).await?;
            let model = tests::import_model(&path(dataset, name), &rows)?;
            world.replay("replay", &model, &rows, None).await?;
        }
    }
    if wanted("wide") {
        let mut world = Bench::start().await?;
        let rows = world.dataset("adult").await?;
        for width in [64, 256, 1024] {
            world.replay("wide", &wide_model(&rows, width), &rows, Some(2000)).await?;
        }
    }
    if wanted("pages") {
        let numbers = std::env::var("ASSAY_CERTIFICATES").unwrap_or_else(|_| CERTIFICATES.to_owned());
        pages::growth(&numbers.split(',').map(str::parse).collect::<Result<Vec<u64>, _>>()?).await?;
    }
    if wanted("pages-browser") {
        Showcase::start().await?.run("measure.mjs", "pages-browser").await?;
    }
    if wanted("ops") {
        proofs::operations();
    }
    proofs::run(&wanted).await?;
    // Another prover, where one is installed: `ASSAY_PEER` is a shell command that proves one inference.
    if let (true, Some(command)) = (wanted("peer"), std::env::var("ASSAY_PEER").ok()) {
        proofs::peer(&command)?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures are this program's output")]
fn print(line: &Value) {
    println!("{line}");
}

fn path(dataset: &str, name: &str) -> String {
    format!("datasets/{dataset}/models/{name}.onnx")
}

/// How close the integer model is to its ONNX file.
fn import(dataset: &str, name: &str) -> Result<()> {
    let rows = certifier::dataset::read(&repository("datasets").join(dataset))?;
    let onnx = std::fs::read(repository(&path(dataset, name)))?;
    let start = Instant::now();
    let report = import::import(&onnx, rows.schema(), &rows, &import::Options::default())?.report;
    print(&json!({
        "case": "import", "dataset": dataset, "model": name, "rows": report.rows,
        "equal_decisions": report.equal_decisions, "share_equal": report.share_equal(),
        "largest_score_error": report.score.largest, "score_unit": report.score.unit,
        "oracle": report.runtime, "seconds": start.elapsed().as_secs_f64(),
    }));
    Ok(())
}

struct Bench {
    world: World,
}

impl Bench {
    async fn start() -> Result<Self> {
        Ok(Self { world: World::start().await? })
    }

    async fn dataset(&mut self, name: &str) -> Result<Dataset> {
        self.world.register_dataset(name).await
    }

    /// Audits the model in the canister and prints what the replay took.
    async fn replay(&mut self, case: &str, model: &Model, rows: &Dataset, size: Option<u32>) -> Result<()> {
        let digest = self.world.register_model(model).await?;
        let start = Instant::now();
        let audit = self.world.request(digest, rows, size).await?;
        let record = self.world.ended(audit).await?;
        let seconds = start.elapsed().as_secs_f64();
        if !matches!(record.state, AuditState::Completed { .. }) {
            bail!("{} ended as {:?}", model.name, record.state);
        }
        let samples = f64::from(record.sample_size);
        let multiplies = model.layers.iter().map(|layer| layer.weights.len()).sum::<usize>() as f64;
        let per_sample = record.replay_instructions as f64 / samples;
        print(&json!({
            "case": case, "dataset": rows.schema().name, "model": model.name, "samples": record.sample_size,
            "parameters": model.parameters(), "messages": record.replay_messages,
            "instructions": record.replay_instructions, "instructions_per_sample": per_sample,
            "instructions_per_multiply": per_sample / multiplies,
            "samples_per_update_message": (MESSAGE_INSTRUCTIONS / per_sample).floor(),
            "samples_x_parameters_per_message":
                (MESSAGE_INSTRUCTIONS / per_sample).floor() * model.parameters() as f64,
            "seconds": seconds,
        }));
        Ok(())
    }
}

/// Two hidden layers of `width` units, for how the cost grows.
fn wide_model(rows: &Dataset, width: u32) -> Model {
    let last = linear_model(rows, &format!("wide {width}"), 1, 8);
    let layer = |inputs: u32, units: u32, shift| Layer {
        inputs,
        units,
        shift,
        activation: Activation::Relu,
        weights: (0..inputs * units).map(|index| (index % 17) as i16 - 8).collect(),
        bias: vec![0; units as usize],
    };
    let inputs = rows.schema().columns.len() as u32;
    let output =
        Layer { inputs: width, weights: vec![1; width as usize], shift: 16, ..last.layers[0].clone() };
    Model { layers: vec![layer(inputs, width, 8), layer(width, width, 8), output], ..last }
}
