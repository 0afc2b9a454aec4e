//! What an offline check and a rerun must not be fooled by. Keys and trees are made here, so every attacker has
//! all that a real one could have: a canister of their own, a subnet of their own, old and foreign certificates.

mod answers;
mod body;
mod fixture;
mod network;
mod offline_check;
mod records;
mod rerun;
