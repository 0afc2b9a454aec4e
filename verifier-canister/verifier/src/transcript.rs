//! Reads a proof and draws challenges: halo2's BLAKE2b transcript, with positions for errors.
//!
//! Every message is absorbed when it is read; a challenge depends on everything before it. The order of all
//! messages and challenges is the inventory in `docs/protocol.md`.

use std::io;

use halo2_proofs::{
    arithmetic::{Coordinates, CurveAffine as _},
    transcript::{Challenge255, EncodedChallenge as _, Transcript, TranscriptRead},
};

use crate::{F, Point, VerifyError, curve, ff::PrimeField};

/// Bytes of a point or scalar.
pub const ELEMENT: usize = 32;

/// What halo2 hashes before a challenge, a point and a scalar.
const CHALLENGE: u8 = 0;
const POINT: u8 = 1;
const SCALAR: u8 = 2;

/// The transcript of the closing proof, which goes on where the reader stops.
///
/// It absorbs what halo2's `Blake2bRead` does, byte for byte. That one decompresses each point on its own; this one
/// takes many that were decompressed together.
#[derive(Debug, Clone)]
pub struct Halo2Read<'a> {
    state: blake2b_simd::State,
    rest: &'a [u8],
}

impl<'a> Halo2Read<'a> {
    /// Starts with the bytes to be read.
    pub fn new(proof: &'a [u8]) -> Self {
        let state = blake2b_simd::Params::new().hash_length(64).personal(b"Halo2-Transcript").to_state();
        Self { state, rest: proof }
    }

    fn element(&mut self) -> io::Result<[u8; ELEMENT]> {
        let (element, rest) = self.rest.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.rest = rest;
        Ok(*element)
    }

    /// Up to `count` elements: all that are left, if they are fewer.
    fn elements(&mut self, count: usize) -> &'a [[u8; ELEMENT]] {
        let (elements, _) = self.rest.as_chunks::<ELEMENT>();
        let elements = elements.get(..count).unwrap_or(elements);
        self.rest = self.rest.get(elements.len() * ELEMENT..).unwrap_or_default();
        elements
    }
}

impl Transcript<Point, Challenge255<Point>> for Halo2Read<'_> {
    fn squeeze_challenge(&mut self) -> Challenge255<Point> {
        self.state.update(&[CHALLENGE]);
        Challenge255::new(self.state.finalize().as_array())
    }

    fn common_point(&mut self, point: Point) -> io::Result<()> {
        let coordinates: Coordinates<Point> = Option::from(point.coordinates())
            .ok_or_else(|| io::Error::other("the identity cannot be absorbed"))?;
        self.state.update(&[POINT]);
        self.state.update(&coordinates.x().to_repr());
        self.state.update(&coordinates.y().to_repr());
        Ok(())
    }

    fn common_scalar(&mut self, scalar: F) -> io::Result<()> {
        self.state.update(&[SCALAR]);
        self.state.update(&scalar.to_repr());
        Ok(())
    }
}

impl TranscriptRead<Point, Challenge255<Point>> for Halo2Read<'_> {
    fn read_point(&mut self) -> io::Result<Point> {
        let bytes = self.element()?;
        let point = curve::decompress(&[bytes]).into_iter().flatten().next();
        let point = point.ok_or_else(|| io::Error::other("not a point"))?;
        self.common_point(point)?;
        Ok(point)
    }

    fn read_scalar(&mut self) -> io::Result<F> {
        let scalar = Option::from(F::from_repr(self.element()?));
        let scalar = scalar.ok_or_else(|| io::Error::other("not a scalar"))?;
        self.common_scalar(scalar)?;
        Ok(scalar)
    }
}

/// Reads proof elements front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    inner: Halo2Read<'a>,
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts a proof of the statement with this digest.
    pub fn new(proof: &'a [u8], statement: &[u8; 32]) -> Result<Self, VerifyError> {
        let mut reader = Self { inner: Halo2Read::new(proof), position: 0 };
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

    /// The next `count` points, none the identity; `count` follows from the statement.
    pub fn points(&mut self, count: usize) -> Result<Vec<Point>, VerifyError> {
        let read = curve::decompress(self.inner.elements(count));
        // Fewer than asked for: the first that is missing is the error, if no earlier one is.
        let points = read.into_iter().map(Some).chain(std::iter::repeat(None)).take(count);
        let mut next = |point: Option<Option<Point>>| {
            let at = self.advance();
            let error = VerifyError::Encoding { what: "point", at };
            let point = point.flatten().ok_or(error.clone())?;
            self.inner.common_point(point).map_err(|_| error)?;
            Ok(point)
        };
        points.map(&mut next).collect()
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

#[cfg(test)]
mod tests {
    use halo2_proofs::transcript::Blake2bRead;

    use super::*;

    /// Three points, a scalar, two more points, and half an element.
    fn proof() -> Vec<u8> {
        let points = crate::setup::GENERATORS[4..4 + 5 * ELEMENT].as_chunks::<ELEMENT>().0;
        let scalar = F::from(77).to_repr();
        [points[0], points[1], points[2], scalar, points[3], points[4]].concat()
    }

    #[test]
    fn is_halo2s_transcript() {
        let proof = [proof(), vec![9; 16]].concat();
        let mut own = Reader::new(&proof, &[3; 32]).unwrap();
        let mut theirs = Blake2bRead::<_, Point, Challenge255<Point>>::init(&proof[..]);
        for half in statement_scalars(&[3; 32]) {
            theirs.common_scalar(half).unwrap();
        }
        let draw =
            |theirs: &mut Blake2bRead<_, _, Challenge255<Point>>| theirs.squeeze_challenge().get_scalar();
        let points: Vec<_> = (0..3).map(|_| theirs.read_point().unwrap()).collect();
        assert_eq!(own.points(3).unwrap(), points);
        assert_eq!([own.challenge(), own.challenge()], [draw(&mut theirs), draw(&mut theirs)]);
        assert_eq!(own.scalar().unwrap(), theirs.read_scalar().unwrap());
        assert_eq!(own.point().unwrap(), theirs.read_point().unwrap());
        assert_eq!((own.challenge(), own.position()), (draw(&mut theirs), 5 * ELEMENT));
        // Where halo2 goes on.
        let mut own = own.into_halo2();
        assert_eq!(own.read_point().unwrap(), theirs.read_point().unwrap());
        assert_eq!(own.squeeze_challenge().get_scalar(), draw(&mut theirs));
        assert!(own.read_point().is_err() && own.read_scalar().is_err() && theirs.read_scalar().is_err());
    }

    #[test]
    fn the_first_bad_point_is_the_error() {
        let read = |proof: &[u8], count| Reader::new(proof, &[3; 32]).unwrap().points(count);
        let error = |at| Err(VerifyError::Encoding { what: "point", at });
        let good = proof();
        assert!(read(&good, 3).is_ok() && read(&good, 0).is_ok());
        assert_eq!(read(&good[..96], 5), error(96), "missing");
        assert_eq!(read(&good[..95], 3), error(64), "cut off");
        for (bad, bytes) in [("above the prime", [0xff; 32]), ("the identity", [0; 32])] {
            let mut proof = good.clone();
            proof[32..64].copy_from_slice(&bytes);
            assert_eq!(read(&proof, 3), error(32), "{bad}");
            assert_eq!(read(&proof, 9), error(32), "{bad}, and fewer than asked for");
            let mut reader = Reader::new(&proof[32..], &[3; 32]).unwrap();
            assert_eq!(reader.point(), Err(VerifyError::Encoding { what: "point", at: 0 }), "{bad}");
        }
    }
}
