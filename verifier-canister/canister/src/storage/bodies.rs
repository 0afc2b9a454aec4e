use ic_stable_structures::{Log, Memory};
use interface::{CertificateId, Error};
use serde_bytes::ByteBuf;

use super::Table;

/// Bodies of certificates: written once, in the order of their numbers, and so one behind the other. In a map they would
/// take five times as much.
pub struct Bodies<M: Memory> {
    log: Log<Vec<u8>, M, M>,
}

impl<M: Memory> Bodies<M> {
    /// Opens what the memories hold. Earlier versions kept bodies in a table; what is there and not here is taken over.
    pub fn open(index: M, data: M, earlier: &Table<CertificateId, ByteBuf, M>) -> Result<Self, Error> {
        let mut bodies = Self { log: Log::init(index, data) };
        while let Some(body) = earlier.get(&(bodies.log.len() + 1))? {
            bodies.push(bodies.log.len() + 1, body.into_vec())?;
        }
        Ok(bodies)
    }

    /// The body of a certificate.
    pub fn get(&self, id: CertificateId) -> Option<Vec<u8>> {
        self.log.get(id.checked_sub(1)?)
    }

    /// Writes the body of the next certificate, which must have this number.
    pub fn push(&mut self, id: CertificateId, body: Vec<u8>) -> Result<(), Error> {
        if id != self.log.len() + 1 {
            return Err(Error::internal("a certificate's body is out of order"));
        }
        self.log.append(&body).map(drop).map_err(|_| Error::internal("stable memory cannot grow"))
    }
}
