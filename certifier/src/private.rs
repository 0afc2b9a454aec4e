//! Private models on their owner's side, and proofs on everyone's: what a statement is made of, and the files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use audit::{Dataset, Digest, draw_sample};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use candid::Principal;
use interface::AuditRecord;
use prover::{ModelSecret, ProveError, Randomness};
use serde::{Deserialize, Serialize};
use verifier::{
    Package, RegisteredModel, Setup, Statement, VerifyError, audit_proof, package::PackageError, statement,
};

/// First line of a secret's file.
const SECRET_HEADER: &str = "assay model secret 1";
/// Longest file with a secret that is read, in bytes.
const MAX_SECRET: u64 = 1024;
/// Value of a prediction's `format` field.
const PREDICTION_FORMAT: &str = "assay-prediction/1";
/// Longest file with a prediction that is read, in bytes.
const MAX_PREDICTION: u64 = 64 << 20;

/// Why a private model or a proof cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// A file cannot be made.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// Not a secret that `assay model register --private` made.
    #[error("{} holds no model secret", .0.display())]
    NotASecret(PathBuf),
    /// Others than the owner may read the secret.
    #[error("{} is readable by others (mode {mode:03o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a prediction with its proof.
    #[error("not a proved prediction: {0}")]
    NotAPrediction(String),
    /// Weights and secret do not open the registered commitment.
    #[error("this model with this secret is not the registered one")]
    OtherModel,
    /// The audit cannot be proved (yet).
    #[error("audit {id} is {state}")]
    NotAwaiting {
        /// The audit.
        id: u64,
        /// Its state.
        state: &'static str,
    },
    /// A package is refused.
    #[error("the private model is refused: {0}")]
    Package(#[from] PackageError),
    /// A proof is refused.
    #[error("{0}")]
    Refused(#[from] VerifyError),
    /// No proof could be made.
    #[error("no proof could be made: {0}")]
    Prove(#[from] ProveError),
}

impl PrivateError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "pass the file that the command before wrote".to_owned(),
            Self::Write { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists => {
                "a secret is never overwritten: choose another --secret, or use the existing one".to_owned()
            }
            Self::Write { .. } => "check that the folder exists and is writable".to_owned(),
            Self::NotASecret(_) => "`assay model register --private` makes one".to_owned(),
            Self::Exposed { path, .. } => {
                format!("`chmod 600 {}`: with weights and secret, anyone can make proofs", path.display())
            }
            Self::NotAPrediction(_) => "`assay infer --prove` makes one".to_owned(),
            Self::OtherModel => "pass --model and --secret of this very registration".to_owned(),
            Self::NotAwaiting { id, .. } => format!("`assay audit status {id}` says how it stands"),
            Self::Package(_) | Self::Refused(_) => "do not rely on it".to_owned(),
            Self::Prove(ProveError::Sample { .. }) => {
                "a value left its table: import the model with a larger --margin or more --activation-bits"
                    .to_owned()
            }
            Self::Prove(_) => "check that model and secret are those of the registration".to_owned(),
        }
    }
}

/// Makes a secret in a new file with mode 0600, or reads an existing one.
pub fn secret(path: &Path) -> Result<ModelSecret, PrivateError> {
    if path.exists() {
        return read_secret(path);
    }
    let failed = |cause| PrivateError::Write { path: path.to_owned(), cause };
    let seed = Randomness::fresh()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    writeln!(file, "{SECRET_HEADER}\n{}", hex::encode(seed))
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    Ok(ModelSecret::new(seed))
}

/// Reads a secret that only its owner can read.
pub fn read_secret(path: &Path) -> Result<ModelSecret, PrivateError> {
    #[cfg(unix)]
    {
        let failed = |cause| PrivateError::Read { path: path.to_owned(), cause };
        let metadata = fs::metadata(path).map_err(failed)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(PrivateError::Exposed { path: path.to_owned(), mode });
        }
    }
    let text = String::from_utf8_lossy(&read(path, MAX_SECRET)?).into_owned();
    let seed = text.strip_prefix(SECRET_HEADER).and_then(|rest| hex::decode(rest.trim()).ok());
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    seed.map(ModelSecret::new).ok_or_else(|| PrivateError::NotASecret(path.to_owned()))
}

/// Reads a file of bounded size.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, PrivateError> {
    let failed = |cause| PrivateError::Read { path: path.to_owned(), cause };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(failed(io::Error::other(format!("it has more than {max} bytes"))));
    }
    Ok(bytes)
}

/// Reads a package and verifies its range proof.
pub fn registered(setup: &Setup, package: &[u8]) -> Result<RegisteredModel, PrivateError> {
    Ok(Package::parse(package)?.verify(setup)?)
}

/// The public side of an audit's statement, all of it from the canister's record and public bytes.
#[derive(Debug)]
pub struct AuditInputs {
    context: Digest,
    features: Vec<i16>,
    cell_of: Vec<u32>,
}

impl AuditInputs {
    /// Draws the sample again and reads its rows.
    pub fn new(canister: Principal, audit: &AuditRecord, dataset: &Dataset) -> Result<Self, PrivateError> {
        let not_drawn = || PrivateError::NotAwaiting { id: audit.id, state: audit.state.kind().name() };
        let seed = audit.seed.ok_or_else(not_drawn)?.0;
        let (mut features, mut cell_of) = (Vec::new(), Vec::new());
        for row in draw_sample(&seed, dataset.rows(), audit.sample_size) {
            let Some(row) = dataset.row(row) else { continue };
            features.extend(row.features());
            cell_of.push(dataset.schema().cell_of(&row));
        }
        let context = statement::audit_context(
            canister.as_slice(),
            audit.id,
            &seed,
            &audit.dataset.into(),
            &audit.model.into(),
        );
        Ok(Self { context, features, cell_of })
    }

    /// Features of the sampled rows.
    pub fn features(&self) -> &[i16] {
        &self.features
    }

    /// Cell of each sampled row.
    pub fn cell_of(&self) -> &[u32] {
        &self.cell_of
    }

    /// "This model makes these counts."
    pub fn statement<'a>(&'a self, model: &'a RegisteredModel, counts: &'a [u32]) -> Statement<'a> {
        Statement {
            model: model.id(),
            architecture: &model.commitment().architecture,
            context: self.context,
            features: &self.features,
            cell_of: &self.cell_of,
            counts,
        }
    }
}

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
    proof: String,
}

impl Prediction {
    /// Puts a file together.
    pub fn new(
        model: Digest,
        context: Digest,
        features: Vec<Vec<i16>>,
        classes: Vec<u8>,
        proof: &[u8],
    ) -> Self {
        let (format, proof) = (PREDICTION_FORMAT.to_owned(), STANDARD.encode(proof));
        Self { format, model, context, features, classes, proof }
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

    /// All features, one sample after the other.
    pub fn flat_features(&self) -> Vec<i16> {
        self.features.concat()
    }

    /// Checks the proof against a package, which must be the one that the file names.
    pub fn verify(&self, setup: &Setup, package: &[u8]) -> Result<RegisteredModel, PrivateError> {
        if Digest::of(package) != self.model {
            return Err(PrivateError::NotAPrediction("the package has another digest".to_owned()));
        }
        let model = registered(setup, package)?;
        let features = self.flat_features();
        let inference = statement::Inference::new(&model, self.context, &features, &self.classes)?;
        audit_proof::verify(setup, &model, &inference.statement(), &self.proof()?)?;
        Ok(model)
    }
}
