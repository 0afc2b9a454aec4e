//! What zero-knowledge proofs cost: seconds, memory and bytes natively, instructions in the canister.
//!
//! Each case is proved in a process of its own, so that its peak memory is its own.

use std::{process::Command, time::Instant};

use anyhow::{Context as _, Result, bail, ensure};
use audit::{
    Activation, Attribute, Column, Dataset, Decision, Digest, Layer, Model, Schema, dataset::DatasetBuilder,
};
use certifier::private;
use interface::{ArtefactKind, AuditRequest, AuditState, SubmitProof};
use prover::{ModelSecret, ProverSetup, Randomness, Witness, audit_proof};
use serde_json::{Value, json};
use tests::{ACCURACY_POLICY, OWNER, REGISTRAR, STRANGER, World, repository};
use verifier::{F, Package, Parts, Sampled, ff::Field as _, halo2_proofs::pasta::Fq};

use super::print;

/// Before the name of a case that is to be proved by this process alone.
pub const ALONE: &str = "--alone=";

/// Bits of an activation: what models of this size need.
const BITS: u8 = 12;
/// Proofs of a case, of which the fastest counts.
const RUNS: usize = 3;

/// Cases by group, as `widths@samples`.
const GROUPS: [(&str, &[&str]); 4] = [
    ("mlp", &["16-32-16-1@1", "16-32-16-1@64", "16-32-16-1@256", "16-32-16-1@1024", "16-32-16-1@16384"]),
    ("mnist", &["784-128-10@1", "784-128-10@64", "784-128-10@256"]),
    ("adult-logistic", &["adult"]),
    (
        "growth",
        &[
            "16-32-16-1@2048",
            "16-32-16-1@4096",
            "16-32-16-1@8192",
            "16-64-1@1024",
            "16-128-1@1024",
            "16-256-1@1024",
            "16-512-1@512",
            "16-1024-1@256",
            "1000-1000-1000-1000-1000-1@16",
        ],
    ),
];

/// Runs every case of every wanted group, and one line each.
pub async fn run(wanted: &impl Fn(&str) -> bool) -> Result<()> {
    for (group, cases) in GROUPS.into_iter().filter(|(group, _)| wanted(group)) {
        for case in cases {
            let program = std::env::current_exe()?;
            let output = Command::new(program).arg(format!("{ALONE}{case}")).output()?;
            ensure!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
            let mut line: Value = serde_json::from_slice(&output.stdout)?;
            let (model, rows) = made(case)?;
            let (registration, audit) = in_the_canister(&model, &rows).await?;
            line["group"] = group.into();
            line["canister_instructions"] = audit.into();
            line["registration_instructions"] = registration.into();
            print(&line);
        }
    }
    Ok(())
}

/// Runs another prover's command for one inference of 16-32-16-1, as often as ours, and prints both side by side.
pub fn peer(command: &str) -> Result<()> {
    let fastest = |run: &mut dyn FnMut() -> Result<f64>| -> Result<f64> {
        (0..RUNS).try_fold(f64::INFINITY, |fastest, _| Ok(fastest.min(run()?)))
    };
    let peer_s = fastest(&mut || {
        let start = Instant::now();
        let status = Command::new("sh").args(["-c", command]).stdout(std::process::Stdio::null()).status()?;
        ensure!(status.success(), "`{command}` failed: {status}");
        Ok(start.elapsed().as_secs_f64())
    })?;
    // Whole processes on both sides: start, set-up, registration, proof and verification are in ours.
    let program = std::env::current_exe()?;
    let (mut proved, mut whole) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..RUNS {
        let start = Instant::now();
        let output = Command::new(&program).arg(format!("{ALONE}16-32-16-1@1")).output()?;
        whole = whole.min(start.elapsed().as_secs_f64());
        let line: Value = serde_json::from_slice(&output.stdout)?;
        proved = proved.min(line["prove_s"].as_f64().unwrap_or(f64::INFINITY));
    }
    print(&json!({
        "case": "peer", "command": command, "peer_s": round(peer_s), "prove_s": round(proved),
        "whole_process_s": round(whole), "ratio": (peer_s / proved * 10.0).round() / 10.0,
    }));
    Ok(())
}

/// Nanoseconds of what proving is made of, on one thread: to hold stages against the cost of their operations.
pub fn operations() {
    const COUNT: u64 = 4_000_000;
    let nanoseconds = |start: Instant| start.elapsed().as_secs_f64() * 1e9 / COUNT as f64;
    let scalars: Vec<F> = (1..=1024).map(|value| F::from(value).square().square()).collect();
    let start = Instant::now();
    let mut sums = [F::ZERO; 4];
    for round in 0..COUNT / 4 {
        let factor = scalars[(round % 1024) as usize];
        sums.iter_mut().for_each(|sum| *sum = *sum * factor + factor);
    }
    let scalar_ns = nanoseconds(start);
    let start = Instant::now();
    let mut products = [Fq::from(3), Fq::from(5), Fq::from(7), Fq::from(11)];
    for _ in 0..COUNT / 4 {
        let factor = products[3];
        products.iter_mut().for_each(|product| *product *= factor);
    }
    let base_ns = nanoseconds(start);
    print(&json!({
        "case": "ops", "scalar_multiply_add_ns": round(scalar_ns), "base_multiply_ns": round(base_ns),
        "not_optimized_away": sums.iter().sum::<F>() != F::ZERO && products[0] != Fq::ZERO,
    }));
}

/// Proves and verifies one case, part by part, in this process.
pub fn alone(case: &str) -> Result<()> {
    let (model, rows) = made(case)?;
    let setup = ProverSetup::new()?;
    let secret = ModelSecret::new(Randomness::fresh()?);
    let start = Instant::now();
    let package = private::package(&setup, &model, &secret, candid::Principal::anonymous())?;
    let registration_s = start.elapsed().as_secs_f64();
    let registered = Package::parse(&package)?.verify(&setup.verifier)?;
    let parts = Parts::new(&registered.commitment().architecture, rows.rows() as usize)?;
    let runs = if rows.rows() > 4096 { 1 } else { RUNS };
    let (mut prove_s, mut verify_s, mut bytes) = (0.0, 0.0, 0);
    let mut stages: audit_proof::Stages = Vec::new();
    for part in 0..parts.count() {
        let mut sampled = Sampled::default();
        for row in parts.range(part).context("the part exists")? {
            sampled.push(rows.schema(), &rows.row(row as u32).context("the row exists")?);
        }
        let context = Digest([0; 32]);
        let blank = sampled.statement(&registered, rows.schema(), context, &[])?;
        let witness = Witness::new(&model, blank.features)?;
        let counts = witness.counts(blank.cell_of, blank.cells, blank.classes());
        let statement = verifier::Statement { counts: &counts, ..blank };
        let mut best: Option<(f64, f64, audit_proof::Stages)> = None;
        let mut length = 0;
        for _ in 0..runs {
            let (start, seed) = (Instant::now(), Randomness::fresh()?);
            let (proof, stages) =
                audit_proof::prove(&setup, &model, &secret, &registered, &statement, &seed)?;
            let proved = start.elapsed().as_secs_f64();
            let start = Instant::now();
            verifier::audit_proof::verify(&setup.verifier, &registered, &statement, &proof)?;
            let verified = start.elapsed().as_secs_f64();
            if best.as_ref().is_none_or(|best| proved < best.0) {
                best = Some((proved, verified, stages));
            }
            length = proof.len();
        }
        let (proved, verified, own) = best.context("there was a run")?;
        bytes += length;
        prove_s += proved;
        verify_s += verified;
        for (index, (stage, seconds)) in own.into_iter().enumerate() {
            match stages.get_mut(index) {
                Some(sum) => sum.1 += seconds,
                None => stages.push((stage, seconds)),
            }
        }
    }
    let stages: serde_json::Map<String, Value> =
        stages.into_iter().map(|(stage, seconds)| (stage.to_owned(), json!(round(seconds)))).collect();
    print(&json!({
        "case": case, "n": rows.rows(), "parts": parts.count(), "prove_s": round(prove_s),
        "verify_s": round(verify_s), "peak_mb": peak_mb(), "proof_bytes": bytes,
        "registration_s": round(registration_s), "package_bytes": package.len(),
        "threads": std::thread::available_parallelism().map_or(1, usize::from), "stages": stages,
    }));
    Ok(())
}

fn round(seconds: f64) -> f64 {
    (seconds * 1e4).round() / 1e4
}

/// The most memory this process ever held, where the system tells.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

/// Registers the model as a private one, has all rows audited, and returns what both verifications took.
async fn in_the_canister(model: &Model, rows: &Dataset) -> Result<(u64, u64)> {
    let world = World::start().await?;
    world.client(REGISTRAR)?.upload(ArtefactKind::Dataset, rows.bytes(), &mut |_, _| ()).await?;
    let (setup, client) = (ProverSetup::new()?, world.client(OWNER)?);
    let secret = ModelSecret::new([1; 32]);
    let package = private::package(&setup, model, &secret, client.caller())?;
    client.upload(ArtefactKind::PrivateModel, &package, &mut |_, _| ()).await?;
    let registration = world.client(STRANGER)?.stats().await?.verification_instructions;
    let owned = private::Owned::new(&setup, model.clone(), secret, &package)?;
    let request = AuditRequest {
        model: owned.digest.into(),
        dataset: rows.digest().into(),
        sample_size: None,
        policy: ACCURACY_POLICY.to_owned(),
        valid_for_s: None,
        supersedes: None,
        log: None,
    };
    let audit = client.request_audit(request).await?;
    let record = world.until(audit, |record| record.seed.is_some()).await?;
    let inputs = check::proof::AuditInputs::new(world.canister, &record, rows)?;
    for part in 0..inputs.parts(&owned.registered)?.count() {
        let proof = owned.prove_part(&setup, &inputs, part)?;
        client.put(ArtefactKind::Proof, &proof, &mut |_, _| ()).await?;
        client.submit_proof(SubmitProof { audit, proof: Digest::of(&proof).into() }).await?;
    }
    let record = world.ended(audit).await?;
    if !matches!(record.state, AuditState::Completed { .. }) {
        bail!("the audit ended as {:?}", record.state);
    }
    world.stop().await;
    Ok((registration, record.replay_instructions))
}

/// Model and dataset of a case.
fn made(case: &str) -> Result<(Model, Dataset)> {
    if case == "adult" {
        let rows = certifier::dataset::read(&repository("datasets/adult"))?;
        return Ok((tests::import_model("datasets/adult/models/logistic.onnx", &rows)?, rows));
    }
    let (widths, samples) = case.split_once('@').context("a case is widths@samples")?;
    let widths: Vec<u32> = widths.split('-').map(str::parse).collect::<Result<_, _>>()?;
    let mut numbers = Numbers(88_172_645_463_325_252);
    let rows = rows(&widths, samples.parse()?, &mut numbers)?;
    Ok((network(&widths, rows.schema(), &mut numbers), rows))
}

/// Random features and labels in two groups.
fn rows(widths: &[u32], count: u32, numbers: &mut Numbers) -> Result<Dataset> {
    let column =
        |index: u32| Ok(Column { name: format!("x{index}"), offset: "0".parse()?, scale: "1".parse()? });
    let classes = widths.last().copied().unwrap_or(1).max(2);
    let schema = Schema {
        name: "synthetic".to_owned(),
        version: "1".to_owned(),
        manifest: b"{}".to_vec(),
        columns: (0..widths[0]).map(column).collect::<Result<_>>()?,
        classes: (0..classes).map(|class| format!("class {class}")).collect(),
        favourable: 1,
        attributes: vec![Attribute {
            name: "group".to_owned(),
            groups: vec!["a".to_owned(), "b".to_owned()],
            reference: None,
        }],
    };
    let mut builder = DatasetBuilder::new(schema)?;
    for row in 0..count {
        let features: Vec<i16> = (0..widths[0]).map(|_| numbers.next(500) as i16).collect();
        builder.push(&features, (row % classes) as u8, &[(row / classes % 2) as u8])?;
    }
    Ok(builder.build()?)
}

/// Relu layers with random weights; one output is a step, more are an arg-max.
fn network(widths: &[u32], schema: &Schema, numbers: &mut Numbers) -> Model {
    let last = widths.len() - 2;
    let layers = widths.windows(2).enumerate().map(|(index, pair)| {
        let (inputs, units) = (pair[0], pair[1]);
        let most = (4000.0 / f64::from(inputs).sqrt()) as i64;
        Layer {
            inputs,
            units,
            shift: 12,
            activation: match units {
                _ if index < last => Activation::Relu,
                1 => Activation::Step,
                _ => Activation::Identity,
            },
            weights: (0..inputs * units).map(|_| numbers.next(most) as i16).collect(),
            bias: (0..units).map(|_| numbers.next(9000) as i32).collect(),
        }
    });
    Model {
        name: "synthetic".to_owned(),
        encoding: schema.encoding(),
        source: Digest([0; 32]),
        classes: schema.classes.len() as u8,
        activation_bits: BITS,
        tables: Vec::new(),
        decision: if widths[last + 1] == 1 { Decision::Step } else { Decision::ArgMax },
        layers: layers.collect(),
    }
}

/// Numbers that look random and are the same every time (xorshift).
struct Numbers(u64);

impl Numbers {
    /// From `-most` to `most`.
    fn next(&mut self, most: i64) -> i64 {
        for shift in [13_i32, -7, 17] {
            self.0 ^= if shift > 0 { self.0 << shift } else { self.0 >> -shift };
        }
        (self.0 % (2 * most as u64 + 1)) as i64 - most
    }
}
