//! Checks a certificate offline: from one file and a root key that the checker already has.
mod failure;
pub mod ic_certificate;

pub use failure::Failure;

#[cfg(test)]
mod tests;
