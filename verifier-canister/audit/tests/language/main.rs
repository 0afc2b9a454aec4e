//! Item sets, transcripts and figures of language-model audits, and the mistakes that they are made against.

mod answers;
mod certificates;
mod endpoints;
mod figures;
mod fixture;
#[path = "../fixture/golden.rs"]
mod golden;
mod likelihoods;
mod sets;
mod statements;
mod transcripts;
