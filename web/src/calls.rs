//! The functions of the module, over plain bytes.

use std::collections::VecDeque;

use audit::certificate::Level;
use check::{
    Authentic, check, check_records,
    prediction::Prediction,
    proof::ProofError,
    rerun::{Comparison, Evidence, rerun},
};
use interface::export::{CERTIFICATE_FORMAT, CertificateFile, RECORDS_FORMAT, RecordsFile};
use serde_json::{Value, json};
use verifier::Setup;

use crate::{
    answer::{Answer, checked, error},
    options::Options,
};

/// A request and the byte strings that it is about.
pub type Inputs = Vec<Vec<u8>>;

/// `{version, formats}`.
pub fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    json!({ "version": version, "formats": [CERTIFICATE_FORMAT, RECORDS_FORMAT] }).to_string()
}

/// Inputs: options, exported certificate. `{steps, authentic, standing, standingDetail, summary}`.
pub fn check_certificate(inputs: Inputs) -> String {
    let mut inputs = VecDeque::from(inputs);
    let (Some(request), Some(file), None) = (inputs.pop_front(), inputs.pop_front(), inputs.pop_front())
    else {
        return error("expected options and a certificate");
    };
    let options = match Options::parse(&request) {
        Ok(options) => options,
        Err(message) => return error(&message),
    };
    let mut answer = Answer::new();
    let authentic = authentic(&mut answer, &file, &options);
    answer.document([checked(authentic.as_ref())])
}

/// Inputs: options, exported certificate, records, dataset, model or package, and the proofs, part by part. As
/// [`check_certificate`], with `equal`, `samples`, `parameters`, `proofs`, `values`, `differences`, `certificateDigest` and
/// `rerunDigest` once the certificate was made again.
pub fn rerun_certificate(inputs: Inputs, progress: &mut dyn FnMut(u64, u64)) -> String {
    let mut inputs = VecDeque::from(inputs);
    let mut next = || inputs.pop_front();
    let (Some(request), Some(file), Some(records), Some(dataset), Some(model)) =
        (next(), next(), next(), next(), next())
    else {
        return error("expected options, certificate, records, dataset, model and proofs");
    };
    let options = match Options::parse(&request) {
        Ok(options) => options,
        Err(message) => return error(&message),
    };
    let mut answer = Answer::new();
    let authentic = authentic(&mut answer, &file, &options);
    let comparison = authentic.as_ref().and_then(|authentic| {
        let records = RecordsFile::from_json(&records);
        let file = answer.step("records", "file", records, |file| about(file.certificate, file.canister))?;
        let report = check_records(&file, &authentic.certificate, &options.trust);
        answer.steps("records", report.steps);
        let evidence = Evidence::new(report.records?, dataset, model, inputs.into());
        again(&mut answer, authentic, &evidence, progress)
    });
    answer.document([checked(authentic.as_ref()), compared(comparison.as_ref())])
}

fn compared(comparison: Option<&Comparison>) -> Value {
    comparison.map_or_else(|| json!({ "equal": false }), Comparison::document)
}

/// Inputs: a prediction's file, the private model's package. `{steps, verified, prediction}`.
pub fn verify_prediction(inputs: Inputs) -> String {
    let mut inputs = VecDeque::from(inputs);
    let (Some(file), Some(package), None) = (inputs.pop_front(), inputs.pop_front(), inputs.pop_front())
    else {
        return error("expected a prediction and a package");
    };
    let mut answer = Answer::new();
    let verified = verified(&mut answer, &file, &package);
    let prediction = verified.unwrap_or_default();
    answer.document([json!({ "verified": !prediction.is_null(), "prediction": prediction })])
}

fn authentic(answer: &mut Answer, file: &[u8], options: &Options) -> Option<Authentic> {
    let file = CertificateFile::from_json(file).map_err(|cause| cause.to_string());
    let file = file.and_then(|file| match options.certificate {
        Some(asked) if asked != file.certificate => {
            Err(format!("it is of certificate {}, not {asked}", file.certificate))
        }
        _ => Ok(file),
    });
    let file = answer.step("certificate", "file", file, |file| about(file.certificate, file.canister))?;
    let report = check(&file, &options.trust);
    answer.steps("certificate", report.steps);
    report.authentic
}

fn about(certificate: u64, canister: candid::Principal) -> String {
    format!("it says: certificate {certificate} of {canister}")
}

/// Makes the certificate again from what was certified.
fn again(
    answer: &mut Answer,
    authentic: &Authentic,
    evidence: &Evidence,
    progress: &mut dyn FnMut(u64, u64),
) -> Option<Comparison> {
    let (certificate, canister) = (&authentic.certificate, &authentic.certificate.predicate.canister);
    let name = match certificate.predicate.level {
        Level::Replayed => "replay",
        Level::Proved => "proofs",
        Level::Attested | Level::SpotChecked => "log",
    };
    let compared = rerun(certificate, canister, evidence, progress);
    let compared =
        answer.step("rerun", name, compared, |compared| match (compared.proofs, &compared.logged) {
            (_, Some(logged)) => format!(
                "{} predictions counted, {} openings hold{}",
                compared.samples,
                logged.openings,
                if logged.ran { "; the public model was run on all of them" } else { "" }
            ),
            (0, None) => format!("{} samples run on {} parameters", compared.samples, compared.parameters),
            (proofs, None) => {
                format!("proofs hold: of the weights' range, and {proofs} about {} samples", compared.samples)
            }
        })?;
    let same = if compared.is_equal() { Ok(()) } else { Err(different(&compared)) };
    answer.step("rerun", "comparison", same, |()| {
        format!("{} values and every byte are equal, SHA-256 {}", compared.values(), compared.rerun_digest)
    });
    Some(compared)
}

fn different(compared: &Comparison) -> String {
    let first = compared.differences().next().map(|difference| difference.path.as_str()).unwrap_or_default();
    format!("{} of {} values differ, first {first}", compared.differences().count(), compared.values())
}

fn verified(answer: &mut Answer, file: &[u8], package: &[u8]) -> Option<Value> {
    let prediction = answer.step("prediction", "file", Prediction::from_json(file), |prediction| {
        format!("{} predictions of model {}", prediction.classes.len(), prediction.model)
    })?;
    let verified =
        Setup::new().map_err(ProofError::from).and_then(|setup| prediction.verify(&setup, package));
    let model = answer.step("prediction", "proof", verified, |_| "package and proof hold".to_owned())?;
    let commitment = model.commitment();
    let owner = candid::Principal::try_from_slice(&commitment.owner).ok().map(|owner| owner.to_text());
    Some(json!({
        "model": prediction.model,
        "name": commitment.architecture.name,
        "owner": owner,
        "context": prediction.context,
        "features": prediction.features,
        "classes": prediction.classes,
        "outputs": prediction.outputs,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(answer: String) -> Value {
        serde_json::from_str(&answer).unwrap()
    }

    #[test]
    fn requests_that_cannot_be_understood_are_errors() {
        for (inputs, what) in [
            (vec![], "expected options"),
            (vec![b"{}".to_vec(), vec![], vec![]], "expected options"),
            (vec![b"{}".to_vec(), vec![]], "nowMs"),
            (vec![br#"{"nowMs":1,"rootKey":"x"}"#.to_vec(), vec![]], "rootKey"),
            (vec![br#"{"nowMs":1,"canister":"x"}"#.to_vec(), vec![]], "canister"),
            (vec![br#"{"nowMs":1,"certificate":-1}"#.to_vec(), vec![]], "-1"),
            (vec![br#"{"nowMs":1,"rootkey":""}"#.to_vec(), vec![]], "rootkey"),
        ] {
            let answer = parsed(check_certificate(inputs));
            assert!(answer["error"].as_str().unwrap().contains(what), "{answer}");
        }
        assert!(parsed(rerun_certificate(vec![b"{}".to_vec()], &mut |_, _| ()))["error"].is_string());
        assert!(parsed(verify_prediction(vec![]))["error"].is_string());
    }

    #[test]
    fn garbage_is_a_failed_step() {
        let options = br#"{"nowMs":1}"#.to_vec();
        let answer = parsed(check_certificate(vec![options.clone(), b"garbage".to_vec()]));
        assert_eq!((&answer["authentic"], &answer["steps"][0]["ok"]), (&false.into(), &false.into()));
        let answer = parsed(rerun_certificate(vec![options, vec![], vec![], vec![], vec![]], &mut |_, _| ()));
        assert_eq!((&answer["equal"], &answer["steps"][0]["ok"]), (&false.into(), &false.into()));
        let answer = parsed(verify_prediction(vec![vec![0xff; 100], vec![]]));
        assert_eq!((&answer["verified"], &answer["steps"][0]["ok"]), (&false.into(), &false.into()));
    }
}
