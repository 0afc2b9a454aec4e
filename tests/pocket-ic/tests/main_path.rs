//! The main path on a PocketIC server, which runs the replica's own execution. Needs `POCKET_IC_BIN`.

use anyhow::{Context, Result};
use candid::Encode;
use pocket_ic::PocketIcBuilder;
use tests::{CONTROLLER, World, main_path::certify_and_check, principal, wasm};

/// Cycles for a few audits.
const CYCLES: u128 = 1_000_000_000_000_000;

#[test]
fn the_main_path_holds_on_pocket_ic() -> Result<()> {
    let mut server = PocketIcBuilder::new().with_application_subnet().with_nns_subnet().build();
    let controller = Some(principal(CONTROLLER));
    let canister = server.create_canister_with_settings(controller, None);
    server.add_cycles(canister, CYCLES);
    server.install_canister(canister, wasm()?, Encode!()?, controller);
    let root_key = server.root_key().context("there is an NNS subnet, so there is a root key")?;
    let url = server.make_live(None).to_string();
    tokio::runtime::Runtime::new()?.block_on(async {
        let world = World::elsewhere(url.trim_end_matches('/').to_owned(), root_key, canister).await?;
        certify_and_check(&world).await
    })
}
