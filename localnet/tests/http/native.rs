//! The canisters that tools expect on every network: where canisters are created, and who pays for them.

use anyhow::Result;
use candid::{CandidType, Decode, Encode, Nat, Principal};
use ic_agent::{Agent, Identity};
use localnet::management_types::{CanisterSettings, CanisterStatusResult};
use localnet::{Config, Node};
use serde::Deserialize;

use super::{agent, counter, identity};

const FEE: u64 = 100_000_000;

#[derive(CandidType)]
struct Account {
    owner: Principal,
    subaccount: Option<Vec<u8>>,
}

#[derive(CandidType)]
struct Create {
    from_subaccount: Option<Vec<u8>>,
    created_at_time: Option<u64>,
    amount: Nat,
    creation_args: Option<CreationArgs>,
}

#[derive(CandidType)]
struct CreationArgs {
    subnet_selection: Option<SubnetSelection>,
    settings: Option<CanisterSettings>,
}

#[derive(CandidType)]
enum SubnetSelection {
    Subnet { subnet: Principal },
}

#[derive(CandidType, Deserialize, Debug)]
struct Created {
    canister_id: Principal,
}

#[derive(CandidType, Deserialize, Debug, PartialEq)]
enum Error {
    InsufficientFunds { balance: Nat },
    FailedToCreate { error: String },
    InvalidReceiver { receiver: Principal },
    BadFee { expected_fee: Nat },
}

#[derive(CandidType)]
struct Withdraw {
    to: Principal,
    amount: Nat,
}

#[derive(CandidType)]
struct Transfer {
    to: Account,
    amount: Nat,
    fee: Option<Nat>,
}

fn ledger() -> Principal {
    Principal::from_text("um5iw-rqaaa-aaaaq-qaaba-cai").unwrap()
}

async fn balance(agent: &Agent, owner: Principal, subaccount: Option<Vec<u8>>) -> Result<Nat> {
    let account = Encode!(&Account { owner, subaccount })?;
    Ok(Decode!(&agent.query(&ledger(), "icrc1_balance_of").with_arg(account).call().await?, Nat)?)
}

fn create(amount: u64, subnet: Option<Principal>) -> Create {
    let subnet_selection = subnet.map(|subnet| SubnetSelection::Subnet { subnet });
    let creation_args = Some(CreationArgs { subnet_selection, settings: None });
    Create { from_subaccount: None, created_at_time: None, amount: amount.into(), creation_args }
}

#[tokio::test]
async fn a_canister_is_created_on_the_subnet_that_the_minting_canister_names_and_paid_for() -> Result<()> {
    let node = Node::start(Config::default()).await?;
    let owner = identity(1);
    let me = owner.sender().unwrap();
    let agent = agent(&node, owner).await;
    let minting = Principal::from_text("rkp4c-7iaaa-aaaaa-aaaca-cai")?;
    let subnets = agent.query(&minting, "get_default_subnets").with_arg(Encode!()?).call().await?;
    let subnets = Decode!(&subnets, Vec<Principal>)?;
    assert_eq!(subnets, [Principal::self_authenticating(node.root_key())]);

    let before = balance(&agent, me, None).await?;
    let call = async |args: Create| {
        let reply =
            agent.update(&ledger(), "create_canister").with_arg(Encode!(&args)?).call_and_wait().await?;
        Ok::<_, anyhow::Error>(Decode!(&reply, std::result::Result<Created, Error>)?)
    };
    let canister = call(create(2_000_000_000_000, Some(subnets[0]))).await?.unwrap().canister_id;
    let left = before - Nat::from(2_000_000_000_000u64 + FEE);
    assert_eq!(balance(&agent, me, None).await?, left);
    let management = Principal::management_canister();
    let record = localnet::management_types::CanisterIdRecord { canister_id: canister };
    let status = agent.update(&management, "canister_status").with_effective_canister_id(canister);
    let status = Decode!(&status.with_arg(Encode!(&record)?).call_and_wait().await?, CanisterStatusResult)?;
    assert_eq!(status.settings.controllers, [me]);
    assert_eq!(status.cycles, Nat::from(1_500_000_000_000u64));

    // What fails costs nothing.
    let error = call(create(2_000_000_000_000, Some(canister))).await?.unwrap_err();
    assert!(
        matches!(&error, Error::FailedToCreate { error } if error.contains("there is no subnet")),
        "{error:?}"
    );
    let error = call(create(499_999_999_999, None)).await?.unwrap_err();
    assert!(matches!(&error, Error::FailedToCreate { error } if error.contains("costs")), "{error:?}");
    let error = call(create(1_000_000_000_000_000, None)).await?.unwrap_err();
    assert_eq!(error, Error::InsufficientFunds { balance: left.clone() });
    assert_eq!(balance(&agent, me, None).await?, left);
    Ok(())
}

#[tokio::test]
async fn cycles_go_to_canisters_and_to_accounts() -> Result<()> {
    let node = Node::start(Config::default()).await?;
    let owner = identity(1);
    let (me, you) = (owner.sender().unwrap(), identity(2).sender().unwrap());
    let canister = counter(&node, me).await;
    let agent = agent(&node, owner).await;
    let before = node.with_subnet(move |subnet| subnet.cycles(canister)).await?.unwrap();
    let call = async |method: &str, argument: Vec<u8>| {
        let reply = agent.update(&ledger(), method).with_arg(argument).call_and_wait().await?;
        Ok::<_, anyhow::Error>(Decode!(&reply, std::result::Result<Nat, Error>)?)
    };
    call("withdraw", Encode!(&Withdraw { to: canister, amount: 7u8.into() })?).await?.unwrap();
    assert_eq!(node.with_subnet(move |subnet| subnet.cycles(canister)).await?, Some(before + 7));
    let error = call("withdraw", Encode!(&Withdraw { to: you, amount: 7u8.into() })?).await?.unwrap_err();
    assert_eq!(error, Error::InvalidReceiver { receiver: you });

    let subaccount = Some(vec![3; 32]);
    let transfer = |fee: Option<u64>, amount: Nat| Transfer {
        to: Account { owner: you, subaccount: Some(vec![3; 32]) },
        amount,
        fee: fee.map(Nat::from),
    };
    let start = balance(&agent, you, subaccount.clone()).await?;
    call("icrc1_transfer", Encode!(&transfer(Some(FEE), 5u8.into()))?).await?.unwrap();
    assert_eq!(balance(&agent, you, subaccount).await?, start.clone() + 5u8);
    assert_eq!(balance(&agent, you, None).await?, start);
    let error = call("icrc1_transfer", Encode!(&transfer(Some(1), 5u8.into()))?).await?.unwrap_err();
    assert_eq!(error, Error::BadFee { expected_fee: FEE.into() });
    let all = Nat::from(u128::MAX) + 1u8;
    let error = call("icrc1_transfer", Encode!(&transfer(None, all))?).await?.unwrap_err();
    assert!(matches!(error, Error::InsufficientFunds { .. }));

    for (method, argument) in [("no_such_method", Encode!()?), ("withdraw", b"junk".to_vec())] {
        let error = agent.update(&ledger(), method).with_arg(argument).call_and_wait().await;
        assert!(error.is_err(), "{method}");
    }
    Ok(())
}

/// Asks the ledger for its fee and forwards the answer.
const ASKER: &str = r#"(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_data_append" (func $call_data (param i32 i32)))
  (import "ic0" "call_perform" (func $perform (result i32)))
  (memory 1)
  (table 1 1 funcref)
  (elem (i32.const 0) $forward)
  (data (i32.const 0) "\00\00\00\00\02\10\00\02\01\01icrc1_feeDIDL\00\00")
  (func $forward (param i32)
    (call $arg_copy (i32.const 100) (i32.const 0) (call $arg_size))
    (call $append (i32.const 100) (call $arg_size))
    (call $reply))
  (func (export "canister_update ask")
    (call $call_new (i32.const 0) (i32.const 10) (i32.const 10) (i32.const 9)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $call_data (i32.const 19) (i32.const 6))
    (drop (call $perform))))"#;

#[test]
fn canisters_call_them_too() -> Result<()> {
    let (mut subnet, canister) = super::support::install(ASKER);
    let reply = subnet.update(super::support::user(), canister, "ask", b"").map_err(anyhow::Error::from)?;
    assert_eq!(Decode!(&reply, Nat)?, Nat::from(FEE));
    Ok(())
}

#[tokio::test]
async fn balances_survive_a_restart() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("localnet-ledger-{}", std::process::id()));
    let config = Config { state_dir: Some(directory.clone()), ..Config::default() };
    let node = Node::start(config.clone()).await?;
    let me = identity(1).sender().unwrap();
    let first = agent(&node, identity(1)).await;
    let argument = Encode!(&create(2_000_000_000_000, None))?;
    first.update(&ledger(), "create_canister").with_arg(argument).call_and_wait().await?;
    let left = balance(&first, me, None).await?;
    node.shutdown().await;
    let node = Node::start(config).await?;
    assert_eq!(balance(&agent(&node, identity(1)).await, me, None).await?, left);
    node.shutdown().await;
    std::fs::remove_dir_all(directory)?;
    Ok(())
}
