//! A private model as it is registered: whose it is, its architecture, the commitment, and the range proof.
//!
//! Bytes: magic `ASSAYPK` 01, `owner: u8 length, bytes`, `architecture: u32 length, bytes`, rows, proof. The numbers of
//! rows and of proof bytes follow from the architecture.

use audit::{AuditError, Digest, codec::Reader};

use crate::{
    Architecture, ModelCommitment, RegisteredModel, Setup, Tape, VerifyError, registration,
    registration::{MAX_OWNER, RangeLayout, model_id},
    transcript::ELEMENT,
};

/// First eight bytes of a package.
pub const PACKAGE_MAGIC: &[u8; 8] = b"ASSAYPK\x01";
/// Longest architecture: eight tables of 16 bits, with room for names and layers.
const MAX_ARCHITECTURE: u32 = 2 << 20;

/// Why a package is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// It cannot be read.
    #[error(transparent)]
    Malformed(#[from] AuditError),
    /// Its commitment or proof is refused.
    #[error(transparent)]
    Refused(#[from] VerifyError),
}

/// A private model's package, borrowed from its bytes.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    /// The owner's principal.
    pub owner: &'a [u8],
    /// The public part of the model.
    pub architecture: Architecture,
    /// Compressed commitments to the rows of the model.
    pub rows: &'a [u8],
    /// The proof that all weights are 16-bit integers.
    pub proof: &'a [u8],
}

impl<'a> Package<'a> {
    /// Reads a package; trailing bytes are refused, commitments and proof are not looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PackageError> {
        let mut reader = Reader::new(bytes);
        reader.magic("a private model", PACKAGE_MAGIC)?;
        let max = u8::try_from(MAX_OWNER).unwrap_or(u8::MAX);
        let length = reader.u8_in("bytes of the owner", 1, max)?;
        let owner = reader.take("owner", length.into())?;
        let length = reader.u32_in("bytes of the architecture", 1, MAX_ARCHITECTURE)?;
        let architecture = Architecture::parse(reader.take("architecture", length as usize)?)?;
        let layout = RangeLayout::new(&architecture)?;
        let rows = reader.take("rows", layout.rows(Tape::M).len() * ELEMENT)?;
        let proof = reader.take("proof", layout.proof_len())?;
        reader.end("private model")?;
        Ok(Self { owner, architecture, rows, proof })
    }

    /// The bytes of a package.
    pub fn to_bytes(commitment: &ModelCommitment, proof: &[u8]) -> Vec<u8> {
        let architecture = commitment.architecture.to_bytes();
        let mut out = PACKAGE_MAGIC.to_vec();
        out.push(u8::try_from(commitment.owner.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&commitment.owner);
        out.extend_from_slice(&u32::try_from(architecture.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&architecture);
        out.extend_from_slice(&commitment.row_bytes());
        out.extend_from_slice(proof);
        out
    }

    /// The model's id, whether or not its commitments can be decoded.
    pub fn id(&self) -> Digest {
        model_id(&self.architecture, self.owner, self.rows)
    }

    /// Verifies the range proof.
    pub fn verify(&self, setup: &Setup) -> Result<RegisteredModel, PackageError> {
        Ok(registration::verify(setup, self.commitment()?, self.proof)?)
    }

    /// The model of a package that was verified when it was registered.
    pub fn trusted(&self) -> Result<RegisteredModel, PackageError> {
        Ok(RegisteredModel::trusted(self.commitment()?))
    }

    fn commitment(&self) -> Result<ModelCommitment, PackageError> {
        Ok(ModelCommitment::parse(self.architecture.clone(), self.owner, self.rows)?)
    }
}
