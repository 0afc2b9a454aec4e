//! Reads a proof and draws challenges: halo2's BLAKE2b transcript, with positions for errors.
//!
//! Every message is absorbed when it is read; a challenge depends on everything before it. The order of all
//! messages and challenges is the inventory in `docs/protocol.md`.

use halo2_proofs::transcript::{
    Blake2bRead, Challenge255, EncodedChallenge as _, Transcript as _, TranscriptRead as _,
};

use crate::{F, Point, VerifyError, ff::PrimeField};

/// Bytes of a point or scalar.
pub const ELEMENT: usize = 32;

/// The transcript of the closing proof, which goes on where the reader stops.
pub type Halo2Read<'a> = Blake2bRead<&'a [u8], Point, Challenge255<Point>>;

/// Reads proof elements front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    inner: Halo2Read<'a>,
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts a proof of the statement with this digest.
    pub fn new(proof: &'a [u8], statement: &[u8; 32]) -> Result<Self, VerifyError> {
        let mut reader = Self { inner: Blake2bRead::init(proof), position: 0 };
        for half in statement_scalars(statement) {
            reader
                .inner
                .common_scalar(half)
                .map_err(|_| VerifyError::Setup("cannot absorb the statement"))?;
        }
        Ok(reader)
    }

    /// The next scalar.
    pub fn scalar(&mut self) -> Result<F, VerifyError> {
        let at = self.advance();
        self.inner.read_scalar().map_err(|_| VerifyError::Encoding { what: "scalar", at })
    }

    /// The next `count` scalars; `count` follows from the statement.
    pub fn scalars(&mut self, count: usize) -> Result<Vec<F>, VerifyError> {
        (0..count).map(|_| self.scalar()).collect()
    }

    /// The next point, not the identity.
    pub fn point(&mut self) -> Result<Point, VerifyError> {
        let at = self.advance();
        self.inner.read_point().map_err(|_| VerifyError::Encoding { what: "point", at })
    }

    /// The next `count` points; `count` follows from the statement.
    pub fn points(&mut self, count: usize) -> Result<Vec<Point>, VerifyError> {
        (0..count).map(|_| self.point()).collect()
    }

    /// A challenge.
    pub fn challenge(&mut self) -> F {
        self.inner.squeeze_challenge().get_scalar()
    }

    /// `count` challenges.
    pub fn challenges(&mut self, count: usize) -> Vec<F> {
        (0..count).map(|_| self.challenge()).collect()
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The transcript for the closing proof.
    pub fn into_halo2(self) -> Halo2Read<'a> {
        self.inner
    }

    fn advance(&mut self) -> usize {
        let at = self.position;
        self.position += ELEMENT;
        at
    }
}

/// A digest as two scalars of 128 bits, low half first: no two digests give the same ones.
pub fn statement_scalars(digest: &[u8; 32]) -> [F; 2] {
    let (low, high) = digest.split_at(16);
    [low, high].map(|half| {
        half.iter().rev().fold(F::from(0), |value, &byte| value * F::from(256) + F::from(u64::from(byte)))
    })
}

/// The canonical bytes of a scalar.
pub fn scalar_bytes(value: &F) -> [u8; ELEMENT] {
    value.to_repr()
}
