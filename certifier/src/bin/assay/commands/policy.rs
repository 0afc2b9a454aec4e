use std::path::{Path, PathBuf};

use audit::{Policy, policy::MAX_POLICY};
use certifier::{dataset, policy};
use clap::Subcommand;
use serde_json::json;

use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    show,
};

#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Check a policy file, and against a dataset if one is named (offline)
    #[command(after_help = "Example:\n  assay policy check policy.json --dataset datasets/german")]
    Check {
        /// The policy
        file: PathBuf,
        /// Dataset folder whose attributes and classes it must fit
        #[arg(long, value_name = "FOLDER")]
        dataset: Option<PathBuf>,
    },
    /// Print a policy to start from: four-fifths rule, equal opportunity and accuracy for a dataset
    #[command(after_help = "Example:\n  assay policy template datasets/german > policy.json")]
    Template {
        /// Dataset folder
        dataset: PathBuf,
    },
}

pub async fn run(_: &Global, command: PolicyCommand, output: Output) -> Result<Exit> {
    match command {
        PolicyCommand::Check { file, dataset } => {
            let policy = read(&file)?;
            if let Some(folder) = &dataset {
                let dataset = dataset::read(folder)?;
                policy.check(dataset.schema()).map_err(|cause| {
                    let hint = "names are compared exactly with those of the manifest; docs/policy.md lists the metrics";
                    Failure::new(format!("{}: {cause}", file.display()), hint)
                })?;
            }
            let digest = policy.digest().map_err(anyhow::Error::from)?;
            let document =
                json!({ "name": policy.name, "digest": digest, "criteria": policy.criteria.len() });
            output.result(&document, || format!("{}{digest}\n", show::policy_text(&policy)))?;
        }
        PolicyCommand::Template { dataset } => {
            let policy = policy::template(dataset::read(&dataset)?.schema());
            output.result(&policy, || serde_json::to_string_pretty(&policy).unwrap_or_default())?;
        }
    }
    Ok(Exit::Ok)
}

/// Reads and checks a policy file.
pub fn read(path: &Path) -> Result<Policy> {
    let failed = |cause: String| {
        Failure::new(
            format!("{}: {cause}", path.display()),
            "docs/policy.md describes policies; `assay policy template FOLDER` prints one to start from",
        )
    };
    let size = std::fs::metadata(path).map_err(|cause| failed(cause.to_string()))?.len();
    if size > MAX_POLICY as u64 {
        return Err(failed(format!("{size} bytes, at most {MAX_POLICY} are allowed")));
    }
    let bytes = std::fs::read(path).map_err(|cause| failed(cause.to_string()))?;
    Policy::from_json(&bytes).map_err(|cause| failed(cause.to_string()))
}
