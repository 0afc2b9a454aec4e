use std::path::Path;

use audit::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use interface::VerifyInference;
use prover::{ProverSetup, Randomness, Witness, audit_proof};
use serde::{Deserialize, Serialize};
use verifier::{RegisteredModel, Setup, statement::Inference};

use super::{Owned, PrivateError, read, registered};

/// Value of a prediction's `format` field.
const PREDICTION_FORMAT: &str = "assay-prediction/1";
/// Longest file with a prediction that is read, in bytes.
const MAX_PREDICTION: u64 = 64 << 20;

/// Predictions with the proof that a registered private model made them: JSON, the proof in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    format: String,
    /// SHA-256 of the private model's package.
    pub model: Digest,
    /// What the proof is bound to, chosen by whoever asked for it; zeros if nobody did.
    pub context: Digest,
    /// Integer features of each sample, in the order of the dataset's columns.
    pub features: Vec<Vec<i16>>,
    /// The class of each sample.
    pub classes: Vec<u8>,
    /// Requantized values of the last layer for each sample, before its function.
    pub outputs: Vec<Vec<i16>>,
    proof: String,
}

impl Prediction {
    /// Runs the model on the samples and proves what comes out.
    pub fn prove(
        setup: &ProverSetup,
        owned: &Owned,
        context: Digest,
        features: Vec<Vec<i16>>,
    ) -> Result<Self, PrivateError> {
        let flat = features.concat();
        let witness = Witness::new(&owned.model, &flat)?;
        let outputs = witness.outputs(&owned.model);
        let registered = &owned.registered;
        let inference = Inference::new(registered, context, &flat, &witness.decisions, &outputs)?;
        let (proof, _) = audit_proof::prove(
            setup,
            &owned.model,
            &owned.secret,
            registered,
            &inference.statement(),
            &Randomness::fresh()?,
        )?;
        let units = inference.statement().units();
        Ok(Self {
            format: PREDICTION_FORMAT.to_owned(),
            model: owned.digest,
            context,
            features,
            classes: witness.decisions,
            outputs: outputs.chunks_exact(units).map(<[i16]>::to_vec).collect(),
            proof: STANDARD.encode(proof),
        })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, PrivateError> {
        let prediction: Self = serde_json::from_slice(&read(path, MAX_PREDICTION)?)
            .map_err(|cause| PrivateError::NotAPrediction(cause.to_string()))?;
        if prediction.format != PREDICTION_FORMAT {
            let message = format!("the format is {:?}, expected {PREDICTION_FORMAT:?}", prediction.format);
            return Err(PrivateError::NotAPrediction(message));
        }
        Ok(prediction)
    }

    /// The proof's bytes.
    pub fn proof(&self) -> Result<Vec<u8>, PrivateError> {
        STANDARD.decode(&self.proof).map_err(|cause| PrivateError::NotAPrediction(cause.to_string()))
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The file as a question to the canister.
    pub fn request(&self) -> Result<VerifyInference, PrivateError> {
        Ok(VerifyInference {
            model: self.model.into(),
            features: self.features.concat(),
            classes: self.classes.clone(),
            outputs: self.outputs.concat(),
            context: self.context.into(),
            proof: self.proof()?,
        })
    }

    /// Fails unless what is shown row by row is what is proved row by row.
    fn check_shape(&self, model: &RegisteredModel) -> Result<(), PrivateError> {
        let architecture = &model.commitment().architecture;
        let (inputs, rows) = (architecture.inputs() as usize, self.classes.len());
        let units = architecture.layers.last().map_or(0, |layer| layer.units as usize);
        let wrong = |what: &str| Err(PrivateError::NotAPrediction(what.to_owned()));
        if self.features.len() != rows || self.outputs.len() != rows {
            return wrong("features, classes and outputs are of different numbers of rows");
        }
        if self.features.iter().any(|row| row.len() != inputs) {
            return wrong("a row has another number of features than the model reads");
        }
        if self.outputs.iter().any(|row| row.len() != units) {
            return wrong("a row has another number of outputs than the model makes");
        }
        Ok(())
    }

    /// Checks the proof against a package, which must be the one that the file names.
    pub fn verify(&self, setup: &Setup, package: &[u8]) -> Result<RegisteredModel, PrivateError> {
        if Digest::of(package) != self.model {
            return Err(PrivateError::NotAPrediction("the package has another digest".to_owned()));
        }
        let model = registered(setup, package)?;
        self.check_shape(&model)?;
        let (features, outputs) = (self.features.concat(), self.outputs.concat());
        let inference = Inference::new(&model, self.context, &features, &self.classes, &outputs)?;
        verifier::audit_proof::verify(setup, &model, &inference.statement(), &self.proof()?)?;
        Ok(model)
    }
}
