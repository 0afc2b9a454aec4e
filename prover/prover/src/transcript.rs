//! Writes a proof and draws the challenges that the verifier will draw.

use halo2_proofs::transcript::{
    Blake2bWrite, Challenge255, EncodedChallenge as _, Transcript as _, TranscriptWrite as _,
};
use verifier::{F, Point, transcript::statement_scalars};

/// The transcript of the closing proof.
pub type Halo2Write = Blake2bWrite<Vec<u8>, Point, Challenge255<Point>>;

/// Writes proof elements front to back.
#[derive(Debug)]
pub struct Writer {
    inner: Halo2Write,
}

/// Writing to memory cannot fail, and the identity is never written: every commitment is blinded.
const WRITES: &str = "a blinded commitment is not the identity";

impl Writer {
    /// Starts a proof of the statement with this digest.
    pub fn new(statement: &[u8; 32]) -> Self {
        let mut inner = Halo2Write::init(Vec::new());
        for half in statement_scalars(statement) {
            inner.common_scalar(half).expect(WRITES);
        }
        Self { inner }
    }

    /// Sends a scalar.
    pub fn scalar(&mut self, value: F) {
        self.inner.write_scalar(value).expect(WRITES);
    }

    /// Sends scalars.
    pub fn scalars<'a>(&mut self, values: impl IntoIterator<Item = &'a F>) {
        values.into_iter().for_each(|value| self.scalar(*value));
    }

    /// Sends points.
    pub fn points<'a>(&mut self, points: impl IntoIterator<Item = &'a Point>) {
        points.into_iter().for_each(|point| self.inner.write_point(*point).expect(WRITES));
    }

    /// A challenge.
    pub fn challenge(&mut self) -> F {
        self.inner.squeeze_challenge().get_scalar()
    }

    /// `count` challenges.
    pub fn challenges(&mut self, count: usize) -> Vec<F> {
        (0..count).map(|_| self.challenge()).collect()
    }

    /// The transcript for the closing proof.
    pub fn halo2(&mut self) -> &mut Halo2Write {
        &mut self.inner
    }

    /// The proof.
    pub fn finish(self) -> Vec<u8> {
        self.inner.finalize()
    }
}
