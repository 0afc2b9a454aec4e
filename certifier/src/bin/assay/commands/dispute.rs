use check::check;
use clap::Args;
use interface::{CertificateId, CertificateState, CertificatesRequest, DisputePrediction};
use serde_json::json;

use super::{certificate::accepted, rerun::run_again};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay dispute 4\n  \
        assay dispute 4 --index 17\n\n\
        For certificates made from the log of a public model (levels attested and spot-checked). Without \
        --index the model is run here on every prediction of the log, and the first that it does not make \
        is disputed. The canister then runs the model itself: the certificate is suspended for good, or \
        nothing changes. Exit code 3 when no prediction is wrong.")]
pub struct DisputeArguments {
    /// Number of the certificate
    certificate: CertificateId,
    /// Place of the wrong prediction in the log, from 0
    #[arg(long)]
    index: Option<u32>,
}

pub async fn run(global: &Global, arguments: DisputeArguments, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let id = arguments.certificate;
    let index = match arguments.index {
        Some(index) => index,
        None => {
            let file = client.certificate(id).await?;
            let report = check(&file, &session::trust(global, None)?);
            let comparison = run_again(&client, &accepted(&report)?.certificate, None, output).await?;
            let logged = comparison.logged.filter(|logged| logged.ran).ok_or_else(|| {
                let hint = "only the log of a public model can be disputed; see `assay certificate show`";
                Failure::new(format!("certificate {id} does not come from the log of a public model"), hint)
            })?;
            match logged.wrong.first() {
                Some(wrong) => wrong.index,
                None => {
                    let document = json!({ "certificate": id, "suspended": false, "wrong": 0 });
                    output.result(&document, || {
                        format!("the model makes all {} predictions of the log\n", comparison.samples)
                    })?;
                    return Ok(Exit::Mismatch);
                }
            }
        }
    };
    client.dispute_prediction(DisputePrediction { certificate: id, index }).await?;
    let request = CertificatesRequest { before: Some(id + 1), limit: Some(1), ..Default::default() };
    let page = client.certificates(request).await?;
    let state = page.items.into_iter().find(|summary| summary.id == id).map(|summary| summary.state);
    let state = state.unwrap_or(CertificateState::Valid);
    let document = json!({
        "certificate": id, "index": index, "state": show::certificate_state_word(&state),
        "suspended": matches!(state, CertificateState::Suspended { .. }),
    });
    output.result(&document, || format!("certificate {id}: {}\n", show::certificate_state_word(&state)))?;
    Ok(Exit::Ok)
}
