//! What a local model chooses: rule `assay likelihood 1`.
//!
//! A prompt's text is what stands before it, the prompt, and what stands behind it; an option's is that with the option's
//! letter behind it. Each is tokenized whole; what the tokenizer's own template puts behind a text is left out. The tokens
//! that all options' texts begin with are the context; an option's
//! likelihood is the sum of the logarithms of the probabilities that the model gives the tokens which follow, in millionths of a
//! natural logarithm, rounded to the nearest. The option with the largest one is chosen, the first one shown of equal ones.
//!
//! So there is no answer that cannot be read, and nothing depends on chance.

/// Id of the rule.
pub const LIKELIHOOD_RULE: &str = "assay likelihood 1";

/// Most that a likelihood can be from 0.
pub const MAX_LIKELIHOOD: i64 = 1_000_000_000_000_000;

/// The position of the first largest likelihood of so many options, or `None` where there are not as many.
pub fn choose(likelihoods: &[i64], options: usize) -> Option<usize> {
    if likelihoods.len() != options {
        return None;
    }
    let largest = likelihoods.iter().max()?;
    likelihoods.iter().position(|likelihood| likelihood == largest)
}
