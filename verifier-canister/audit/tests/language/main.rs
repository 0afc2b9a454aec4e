//! Item sets, transcripts and figures of language-model audits, and the mistakes that they are made against.

mod answers;
mod figures;
mod fixture;
mod likelihoods;
mod sets;
mod statements;
mod transcripts;
