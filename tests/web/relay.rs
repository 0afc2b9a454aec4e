//! A canister whose code was replaced by code that plays back an answer of the verifier canister, as a node could that
//! does not run the canister at all. What the subnet certified for the canister stays what it was.

use anyhow::{Result, anyhow};
use candid::{Decode, Encode, Principal};
use certifier::deploy::deploy;
use interface::{HttpAnswer, HttpRequest};
use tests::{CONTROLLER, World, person, wasm};

/// Answers HTTP requests with whatever it was given before.
const PLAYER: &str = include_str!("../../localnet/tests/canisters/pages.wat");
/// The page that is played back.
const PATH: &str = "/about";

/// Makes a canister that plays back its page `/about`; with one letter changed if it is `forging`.
pub async fn start(world: &World, forging: bool) -> Result<Principal> {
    let (url, key) = (world.url(), || world.root_key.clone());
    let (canister, _) = deploy(url, key(), person(CONTROLLER), None, &wasm()?).await?;
    let agent = world.agent(CONTROLLER)?;
    let request = HttpRequest { method: "GET".to_owned(), url: PATH.to_owned(), ..HttpRequest::default() };
    let answer = agent.query(&canister, "http_request").with_arg(Encode!(&request)?).call().await?;
    let mut answer = Decode!(&answer, HttpAnswer)?;
    if forging {
        let said = answer.body.windows(8).position(|word| word == b"does not");
        let at = said.ok_or_else(|| anyhow!("{PATH} does not say what is not proved"))?;
        answer.body[at..at + 8].copy_from_slice(b"also may");
    }
    deploy(url, key(), person(CONTROLLER), Some(canister), &wat::parse_str(PLAYER)?).await?;
    let argument = [&[0], Encode!(&answer)?.as_slice()].concat();
    agent.update(&canister, "put").with_arg(argument).call_and_wait().await?;
    Ok(canister)
}
