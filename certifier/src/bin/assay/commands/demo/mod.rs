//! The whole path on an embedded node. Every step is one that a user can take with another command.

mod private;
mod summary;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Instant,
};

use audit::{Certificate, Dataset, Digest, Policy};
use certifier::{client::Client, dataset, network::parse_root_key, node::CanisterNode, policy};
use check::{Trust, check, rerun::Comparison};
use clap::Args;
use import::{Imported, Options, Report, import};
use interface::{ArtefactKind, AuditId, AuditRecord, AuditRequest, AuditState, export::CertificateFile};
use private::{Proved, Prover};

use super::{audit::wait, certificate::accepted, localnet::read_module, model, rerun::run_again};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    show,
    time::now_ns,
};

/// Datasets of the summary, in order; the first is shown in full.
const DATASETS: [&str; 3] = ["german", "compas", "adult"];
/// File with the node's root key, as hex, beside the exported certificates.
const ROOT_KEY_NAME: &str = "root.key";
/// How long the demo's certificates are valid, in seconds.
const VALID_FOR_S: u64 = 365 * 86_400;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay demo\n  \
        assay demo --private\n  \
        assay demo --dataset adult --keep demo\n\n\
        Starts a node in a scratch folder, deploys the canister, registers datasets and imported ONNX \
        models, has them audited, checks every certificate with nothing but the exported file, the root key \
        and the canister's id, checks that a changed copy is refused, and runs every audit again. With \
        --private, only commitments to the weights are registered; every audit is proved in zero knowledge \
        and verified by the canister, a false proof is refused, and single predictions are proved too. Exit \
        code 0 only if all of that held; a model that does not reach its policy is a finding, not a failure.")]
pub struct DemoArguments {
    /// Keep the weights private: commit, prove in zero knowledge, let the canister verify
    #[arg(long)]
    private: bool,
    /// Only this dataset (may be repeated); a name in --datasets or a folder
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// Folder with dataset folders and policies
    #[arg(long, value_name = "FOLDER", default_value = "datasets")]
    datasets: PathBuf,
    /// The canister's module; target/canister/verifier.wasm.gz by default
    #[arg(long, env = "ASSAY_WASM", value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Keep node state, models and exported certificates in this folder
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

/// One certified model.
struct Certified {
    import: Report,
    certificate: Certificate,
    steps: usize,
    changed_copy: String,
    rerun: Comparison,
    file: PathBuf,
    file_digest: Digest,
    instructions: u64,
    proved: Option<Proved>,
}

pub async fn run(_: &Global, arguments: DemoArguments, output: Output) -> Result<Exit> {
    let start = Instant::now();
    let module = read_module(arguments.wasm.clone())?;
    let scratch = tempfile::tempdir()?;
    let folder = arguments.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let folders = dataset_folders(&arguments)?;

    let spinner = output.spinner("starting the node");
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let node = CanisterNode::start(&folder.join("state"), bind, &module).await?;
    drop(spinner);
    std::fs::write(folder.join(ROOT_KEY_NAME), &node.status.root_key)?;
    output.note(format!("node     {} with canister {}", node.status.url, node.canister()));
    let prover = arguments.private.then(Prover::new).transpose()?;
    let (client, certified) = (node.client()?, Vec::new());
    let mut demo = Demo { client, node: &node, folder: &folder, output, prover, certified };
    for dataset in &folders {
        demo.certify_all(dataset, &arguments.datasets).await?;
    }
    let certified = demo.certified;

    let equal = certified.iter().all(|certified| certified.rerun.is_equal());
    let seconds = start.elapsed().as_secs_f64();
    output.result(&summary::document(&node, &certified, seconds), || {
        let keep = arguments.keep.as_deref();
        summary::text(&node, &certified, keep)
            + &format!("\n{} in {seconds:.1} s\n", outcome(equal, certified.len()))
    })?;
    node.shutdown().await;
    Ok(if equal { Exit::Ok } else { Exit::Mismatch })
}

fn outcome(equal: bool, count: usize) -> String {
    if equal {
        format!("everything held: {count} models audited, certified, checked offline and run again")
    } else {
        "NOT everything held: a rerun gives something else".to_owned()
    }
}

fn dataset_folders(arguments: &DemoArguments) -> Result<Vec<PathBuf>> {
    let folder = |name: &str| {
        let inside = arguments.datasets.join(name);
        if inside.is_dir() { inside } else { PathBuf::from(name) }
    };
    if !arguments.dataset.is_empty() {
        return Ok(arguments.dataset.iter().map(|name| folder(name)).collect());
    }
    let found: Vec<PathBuf> =
        DATASETS.iter().map(|name| arguments.datasets.join(name)).filter(|folder| folder.is_dir()).collect();
    if found.is_empty() {
        let error = format!("there are no datasets in {}", arguments.datasets.display());
        return Err(Failure::new(error, "run the demo in the project's folder, or pass --datasets FOLDER"));
    }
    Ok(found)
}

struct Demo<'a> {
    client: Client,
    node: &'a CanisterNode,
    folder: &'a Path,
    output: Output,
    /// With `--private`.
    prover: Option<Prover>,
    certified: Vec<Certified>,
}

impl Demo<'_> {
    async fn certify_all(&mut self, folder: &Path, datasets: &Path) -> Result<()> {
        let data = dataset::read(folder)?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.upload(ArtefactKind::Dataset, data.bytes()).await?;
        self.output.note(format!("dataset  {name}: {} rows, SHA-256 {}", data.rows(), data.digest()));
        let policy_file = datasets.join("policies").join(format!("{name}.json"));
        let policy = match policy_file.is_file() {
            true => super::policy::read(&policy_file)?,
            false => policy::template(data.schema()),
        };
        let models = onnx_files(&folder.join("models"))?;
        for onnx in &models {
            let certified = self.certify(onnx, &name, &data, &policy).await?;
            self.certified.push(certified);
        }
        Ok(())
    }

    async fn upload(&self, kind: ArtefactKind, bytes: &[u8]) -> Result<()> {
        let bar = self.output.bar(&format!("uploading {kind}"), true);
        self.client.upload(kind, bytes, &mut |done, total| bar.set(done, total)).await?;
        Ok(())
    }

    async fn certify(&self, onnx: &Path, set: &str, data: &Dataset, policy: &Policy) -> Result<Certified> {
        let stem = onnx.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let options = Options { name: Some(stem.clone()), ..Options::default() };
        let spinner = self.output.spinner(&format!("importing {stem}"));
        let Imported { model, report } = import(&model::read_onnx(onnx)?, data.schema(), data, &options)?;
        drop(spinner);
        let file = self.folder.join(format!("{set}-{stem}.assay-model"));
        std::fs::write(&file, model.to_bytes())?;
        self.output.note(format!(
            "model    {set}/{stem}: {} parameters, {:.2} % of decisions as in ONNX",
            report.parameters,
            100.0 * report.share_equal()
        ));
        let (audited, proved) = match &self.prover {
            None => {
                self.upload(ArtefactKind::Model, &model.to_bytes()).await?;
                (self.audit(model.digest(), data, policy).await?, None)
            }
            Some(prover) => {
                let (audited, proved) = self.audit_private(prover, &model, &file, data, policy).await?;
                (audited, Some(proved))
            }
        };
        let (file, instructions) = audited;
        let path = self.folder.join(format!("certificate-{}.json", file.certificate));
        std::fs::write(&path, file.to_json())?;
        let (certificate, steps, changed_copy) = self.check_as_a_stranger(&path)?;
        let rerun = run_again(&self.client, &certificate, None, self.output).await?;
        self.output.note(format!("checked  {}", show::verdict_line(&certificate).trim_end()));
        let file_digest = Digest::of(&file.to_json());
        Ok(Certified {
            import: report,
            certificate,
            steps,
            changed_copy,
            rerun,
            file: path,
            file_digest,
            instructions,
            proved,
        })
    }

    /// Has the canister audit a sample of three fifths of the rows.
    async fn audit(&self, model: Digest, data: &Dataset, policy: &Policy) -> Result<(CertificateFile, u64)> {
        let id = self.request(model, data, policy).await?;
        self.completed(&wait(&self.client, id, None, self.output).await?).await
    }

    async fn request(&self, model: Digest, data: &Dataset, policy: &Policy) -> Result<AuditId> {
        let policy = policy.to_json().map_err(anyhow::Error::from)?;
        let request = AuditRequest {
            model: model.into(),
            dataset: data.digest().into(),
            sample_size: Some((data.rows() * 3).div_ceil(5)),
            policy: String::from_utf8(policy).map_err(anyhow::Error::from)?,
            valid_for_s: Some(VALID_FOR_S),
            supersedes: None,
            log: None,
        };
        Ok(self.client.request_audit(request).await?)
    }

    async fn completed(&self, record: &AuditRecord) -> Result<(CertificateFile, u64)> {
        let AuditState::Completed { certificate } = record.state else {
            let hint = "the report of `assay model import` says how well the model fits the integer format";
            let what = format!("audit {}: {}", record.id, show::state_text(&record.state));
            return Err(Failure::new(what, hint));
        };
        Ok((self.client.certificate(certificate).await?, record.replay_instructions))
    }

    /// Checks the exported file with what a stranger would have: the file, the root key, the canister's id.
    fn check_as_a_stranger(&self, path: &Path) -> Result<(Certificate, usize, String)> {
        let file = CertificateFile::from_json(&std::fs::read(path)?)?;
        let root_key = parse_root_key(&self.node.status.root_key)?;
        let canister = Some(self.node.canister());
        let trust = Trust { root_key, canister, now_ns: now_ns(), max_age_s: Some(3600) };
        let changed_copy = refused_copy(&file, &trust)?;
        let report = check(&file, &trust);
        let steps = report.steps.len();
        Ok((accepted(&report)?.certificate.clone(), steps, changed_copy))
    }
}

/// Changes the verdict in a copy and returns how the check refuses it; fails if it does not.
fn refused_copy(file: &CertificateFile, trust: &Trust) -> Result<String> {
    let body = String::from_utf8_lossy(&file.body);
    let changed = match body.contains("\"verdict\":\"fail\"") {
        true => body.replace("\"verdict\":\"fail\"", "\"verdict\":\"pass\""),
        false => body.replace("\"verdict\":\"pass\"", "\"verdict\":\"fail\""),
    };
    let copy = CertificateFile::new(
        file.canister,
        file.certificate,
        changed.into_bytes(),
        file.status.clone(),
        file.ic_certificate.clone(),
        file.witness.clone(),
    );
    match check(&copy, trust).failure() {
        Some(failure) => Ok(failure.to_string()),
        None => Err(Failure {
            exit: Exit::Mismatch,
            ..Failure::new(
                "a certificate with another verdict passes the check",
                "report this: the check is broken",
            )
        }),
    }
}

fn onnx_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|cause| {
        Failure::new(
            format!("cannot read {}: {cause}", folder.display()),
            "models/ holds a dataset's ONNX files",
        )
    })?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "onnx"));
    files.sort();
    if files.is_empty() {
        let hint = "put an ONNX file in it; datasets/README.md says how the examples were made";
        return Err(Failure::new(format!("there is no .onnx file in {}", folder.display()), hint));
    }
    Ok(files)
}
