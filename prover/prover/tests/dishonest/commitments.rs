//! Commitments that hide something, and weights that are not the registered ones.
