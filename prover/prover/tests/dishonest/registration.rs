//! Weights outside of 16 bits, and commitments taken for another model's.
