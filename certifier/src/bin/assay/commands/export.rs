use std::path::{Path, PathBuf};

use certifier::export::{Checked, cyclonedx, dsse, model_index, vc};
use check::{Standing, Trust, check, ic_certificate::MAINNET_ROOT_KEY};
use clap::{Args, ValueEnum};
use interface::export::CertificateFile;
use serde_json::{Value, json};

use super::certificate::{accepted, fetch};
use crate::{
    arguments::Global,
    failure::{Failure, Result},
    output::Output,
    session,
};

#[derive(Args)]
#[command(
    after_help = "Only the form `assay` can be checked offline by itself; `dsse` is signed too, by the canister. The \
        others are made from a checked certificate and name the digest of its statement (docs/exports.md)."
)]
pub struct ExportArguments {
    /// Its number, or an exported file
    certificate: String,
    /// Form to write
    #[arg(long, value_enum, default_value_t = Format::Assay)]
    format: Format,
    /// File to write; stdout by default
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What an exported certificate can look like.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// All that an offline check needs
    Assay,
    /// The in-toto statement in a DSSE envelope, signed by the canister; by number only
    Dsse,
    /// W3C Verifiable Credentials Data Model 2.0, without a proof of its own
    Vc,
    /// CycloneDX 1.6 bill of materials with a model card
    Cyclonedx,
    /// Hugging Face model card with `model-index`
    ModelIndex,
}

pub async fn run(global: &Global, arguments: &ExportArguments, output: Output) -> Result<()> {
    let by_number = arguments.certificate.parse::<u64>();
    if by_number.is_err() && arguments.format == Format::Dsse {
        return Err(Failure::new(
            "an exported file does not hold the signature of an envelope",
            "name the certificate by its number: the canister makes the envelope",
        ));
    }
    let file = fetch(global, &arguments.certificate, output).await?;
    // A canister that was asked is the one to be trusted; a file's own word is not enough.
    let canister = by_number.is_ok().then_some(file.canister).or(global.canister);
    let trust = session::trust_in(global, canister, None)?;
    // What leaves here is checked first, so that a bad export is noticed by whoever can still repeat it.
    let report = check(&file, &trust);
    let authentic = accepted(&report)?;
    if authentic.standing != Standing::Stands && arguments.format != Format::Assay {
        output.warn(format!("the certificate is {}", authentic.standing.word()));
    }
    let on_main_network = trust.root_key == MAINNET_ROOT_KEY;
    let checked = Checked { file: &file, authentic, on_main_network };
    let text = match arguments.format {
        Format::Assay => file.to_json(),
        Format::Dsse => envelope(global, &file, &trust, output).await?,
        Format::Vc => pretty(&vc::credential(&checked))?,
        Format::Cyclonedx => pretty(&cyclonedx::bill(&checked))?,
        Format::ModelIndex => model_index::card(&checked).into_bytes(),
    };
    written(&text, arguments.output.as_deref(), &file, output)
}

async fn envelope(global: &Global, file: &CertificateFile, trust: &Trust, output: Output) -> Result<Vec<u8>> {
    let mut envelope = session::client(global, output).await?.envelope(file.certificate).await?;
    dsse::verify(&envelope, &file.body, file.canister, &trust.root_key)?;
    envelope.push(b'\n');
    Ok(envelope)
}

fn pretty(document: &Value) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(document)?;
    json.push(b'\n');
    Ok(json)
}

/// Writes what was made of a certificate to a file, or to stdout.
pub fn written(bytes: &[u8], path: Option<&Path>, file: &CertificateFile, output: Output) -> Result<()> {
    let Some(path) = path else {
        let text = String::from_utf8_lossy(bytes);
        // With --json, what is no JSON becomes one text.
        let document = serde_json::from_slice(bytes).unwrap_or_else(|_| json!(text));
        return output.result(&document, || text.into_owned());
    };
    std::fs::write(path, bytes).map_err(|cause| {
        Failure::new(format!("cannot write {}: {cause}", path.display()), "choose another --output")
    })?;
    let canister = file.canister.to_text();
    let document = json!({ "file": path, "certificate": file.certificate, "canister": canister });
    output.result(&document, || path.display().to_string())
}
