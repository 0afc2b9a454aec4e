//! A private model's predictions in one file, with the proof that the model makes them.

use audit::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use interface::VerifyInference;
use serde::{Deserialize, Serialize};
use verifier::{RegisteredModel, Setup, statement::Inference};

use crate::proof::{ProofError, registered};

/// Value of a prediction's `format` field.
const PREDICTION_FORMAT: &str = "assay-prediction/1";
/// Longest file with a prediction that is read, in bytes.
pub const MAX_PREDICTION: u64 = 64 << 20;

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
    /// Puts a file together from what was asked, decided and proved.
    pub fn new(
        model: Digest,
        context: Digest,
        features: Vec<Vec<i16>>,
        classes: Vec<u8>,
        outputs: Vec<Vec<i16>>,
        proof: &[u8],
    ) -> Self {
        let (format, proof) = (PREDICTION_FORMAT.to_owned(), STANDARD.encode(proof));
        Self { format, model, context, features, classes, outputs, proof }
    }

    /// Reads a file's bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() as u64 > MAX_PREDICTION {
            let message = format!("{} bytes, at most {MAX_PREDICTION} are read", bytes.len());
            return Err(ProofError::NotAPrediction(message));
        }
        let prediction: Self =
            serde_json::from_slice(bytes).map_err(|cause| ProofError::NotAPrediction(cause.to_string()))?;
        if prediction.format != PREDICTION_FORMAT {
            let message = format!("the format is {:?}, expected {PREDICTION_FORMAT:?}", prediction.format);
            return Err(ProofError::NotAPrediction(message));
        }
        Ok(prediction)
    }

    /// The proof's bytes.
    pub fn proof(&self) -> Result<Vec<u8>, ProofError> {
        STANDARD.decode(&self.proof).map_err(|cause| ProofError::NotAPrediction(cause.to_string()))
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The file as a question to the canister.
    pub fn request(&self) -> Result<VerifyInference, ProofError> {
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
    fn check_shape(&self, model: &RegisteredModel) -> Result<(), ProofError> {
        let architecture = &model.commitment().architecture;
        let (inputs, rows) = (architecture.inputs() as usize, self.classes.len());
        let units = architecture.layers.last().map_or(0, |layer| layer.units as usize);
        let wrong = |what: &str| Err(ProofError::NotAPrediction(what.to_owned()));
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
    pub fn verify(&self, setup: &Setup, package: &[u8]) -> Result<RegisteredModel, ProofError> {
        if Digest::of(package) != self.model {
            return Err(ProofError::NotAPrediction("the package has another digest".to_owned()));
        }
        let model = registered(setup, package)?;
        self.check_shape(&model)?;
        let (features, outputs) = (self.features.concat(), self.outputs.concat());
        let inference = Inference::new(&model, self.context, &features, &self.classes, &outputs)?;
        verifier::audit_proof::verify(setup, &model, &inference.statement(), &self.proof()?)?;
        Ok(model)
    }
}
