use clap::Args;
use interface::{Attest, Attestation, CertificateId, Finding};
use serde_json::{Value, json};

use crate::{
    arguments::Global,
    failure::{Exit, Result},
    output::Output,
    session,
    table::Table,
    time::utc,
};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay attest 4\n  \
        assay rerun 4 --attest --note \"on an AMD machine\"\n  \
        assay attest 4 --not-reproduced \"the dataset does not fit into memory\"\n\n\
        Without an option it lists what auditors found; the canister proves that the list is whole. A \
        finding that agrees or disagrees comes from `assay rerun --attest`, with the digest that the rerun \
        gave.")]
pub struct AttestArguments {
    /// Number of the certificate
    certificate: CertificateId,
    /// Say that it could not be run again, and why
    #[arg(long, value_name = "WHY")]
    not_reproduced: Option<String>,
}

pub async fn run(global: &Global, arguments: AttestArguments, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let certificate = arguments.certificate;
    if let Some(note) = arguments.not_reproduced {
        let finding = Finding::NotReproduced;
        client.attest(Attest { certificate, finding, rerun: None, note }).await?;
    }
    let findings = client.attestations(certificate).await?;
    output.result(&document(&findings), || text(certificate, &findings))?;
    Ok(Exit::Ok)
}

fn document(findings: &[Attestation]) -> Value {
    let one = |one: &Attestation| {
        json!({
            "certificate": one.certificate,
            "auditor": one.auditor.to_text(),
            "finding": one.finding.name(),
            "rerun": one.rerun.map(|digest| digest.to_string()),
            "note": one.note,
            "at": one.at_ns.to_string(),
            "revisions": one.revisions,
        })
    };
    findings.iter().map(one).collect()
}

fn text(certificate: CertificateId, findings: &[Attestation]) -> String {
    if findings.is_empty() {
        return format!("no auditor has said anything about certificate {certificate}\n");
    }
    let mut table = Table::new(&["auditor", "finding", "when", "note"]);
    for one in findings {
        let finding = one.finding.name().to_owned();
        table.row([one.auditor.to_text(), finding, utc(one.at_ns), one.note.clone()]);
    }
    table.render(0)
}
