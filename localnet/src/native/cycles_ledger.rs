//! The cycles ledger: accounts of cycles, from which users create canisters and top them up.
//!
//! Every account starts with [`INITIAL`] cycles, since nobody sells cycles here. There are no allowances and no blocks
//! to be read; a block's index only counts what happened. Transactions are not deduplicated by `created_at_time`.

use std::collections::BTreeMap;

use candid::{CandidType, Nat, Principal};
use ic_management_canister_types::CanisterSettings;
use serde::{Deserialize, Serialize};

use crate::machine::{RejectCode, Rejection};
use crate::management::amount;
use crate::subnet::{Subnet, fees};

/// What each transaction costs.
pub(super) const FEE: u128 = 100_000_000;
/// What an account holds before its first transaction.
const INITIAL: u128 = 1_000_000_000_000_000;

/// Balances of the accounts that have had a transaction.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    balances: BTreeMap<(Principal, Subaccount), u128>,
    blocks: u64,
}

type Subaccount = [u8; 32];

#[derive(CandidType, Deserialize)]
pub(super) struct Account {
    owner: Principal,
    subaccount: Option<Subaccount>,
}

#[derive(CandidType, Deserialize)]
pub(super) struct CreateCanister {
    from_subaccount: Option<Subaccount>,
    amount: Nat,
    creation_args: Option<CreationArgs>,
}

#[derive(CandidType, Deserialize)]
struct CreationArgs {
    subnet_selection: Option<SubnetSelection>,
    settings: Option<CanisterSettings>,
}

#[derive(CandidType, Deserialize)]
enum SubnetSelection {
    Subnet { subnet: Principal },
    Filter { subnet_type: Option<String> },
}

#[derive(CandidType)]
pub(super) struct Created {
    block_id: Nat,
    canister_id: Principal,
}

#[derive(CandidType)]
pub(super) enum CreateError {
    InsufficientFunds { balance: Nat },
    FailedToCreate { fee_block: Option<Nat>, refund_block: Option<Nat>, error: String },
}

#[derive(CandidType, Deserialize)]
pub(super) struct Withdraw {
    from_subaccount: Option<Subaccount>,
    to: Principal,
    amount: Nat,
}

#[derive(CandidType)]
pub(super) enum WithdrawError {
    InsufficientFunds { balance: Nat },
    InvalidReceiver { receiver: Principal },
}

#[derive(CandidType, Deserialize)]
pub(super) struct Transfer {
    from_subaccount: Option<Subaccount>,
    to: Account,
    amount: Nat,
    fee: Option<Nat>,
}

#[derive(CandidType)]
pub(super) enum TransferError {
    InsufficientFunds { balance: Nat },
    BadFee { expected_fee: Nat },
}

impl Ledger {
    pub(super) fn balance(&self, account: &Account) -> u128 {
        let key = (account.owner, account.subaccount.unwrap_or_default());
        self.balances.get(&key).copied().unwrap_or(INITIAL)
    }

    /// Takes `amount` and the fee out of an account. Returns the block's index, or the balance if it is too small.
    fn take(&mut self, account: &Account, amount: u128) -> Result<Nat, Nat> {
        let balance = self.balance(account);
        let after = amount.checked_add(FEE).and_then(|total| balance.checked_sub(total));
        let after = after.ok_or_else(|| Nat::from(balance))?;
        self.set(account, after);
        let block = self.blocks;
        self.blocks += 1;
        Ok(block.into())
    }

    fn give(&mut self, account: &Account, amount: u128) {
        self.set(account, self.balance(account).saturating_add(amount));
    }

    fn set(&mut self, account: &Account, balance: u128) {
        self.balances.insert((account.owner, account.subaccount.unwrap_or_default()), balance);
    }

    pub(super) fn transfer(&mut self, caller: Principal, args: Transfer) -> Result<Nat, TransferError> {
        if args.fee.is_some_and(|fee| fee != FEE) {
            return Err(TransferError::BadFee { expected_fee: FEE.into() });
        }
        let from = Account { owner: caller, subaccount: args.from_subaccount };
        let amount = in_range(&args.amount);
        let block =
            self.take(&from, amount).map_err(|balance| TransferError::InsufficientFunds { balance })?;
        self.give(&args.to, amount);
        Ok(block)
    }
}

impl Subnet {
    pub(super) fn ledger_create_canister(
        &mut self,
        caller: Principal,
        args: CreateCanister,
    ) -> Result<Created, CreateError> {
        let from = Account { owner: caller, subaccount: args.from_subaccount };
        let amount = in_range(&args.amount);
        let before = self.state.ledger.clone();
        let block_id = self.state.ledger.take(&from, amount);
        let block_id = block_id.map_err(|balance| CreateError::InsufficientFunds { balance })?;
        let created = self.pay_for_canister(caller, amount, args.creation_args);
        let canister_id = created.map_err(|rejection| {
            self.state.ledger = before;
            let error = rejection.to_string();
            CreateError::FailedToCreate { fee_block: None, refund_block: None, error }
        })?;
        Ok(Created { block_id, canister_id })
    }

    fn pay_for_canister(
        &mut self,
        caller: Principal,
        amount: u128,
        args: Option<CreationArgs>,
    ) -> Result<Principal, Rejection> {
        let args = args.unwrap_or(CreationArgs { subnet_selection: None, settings: None });
        let elsewhere = match args.subnet_selection {
            Some(SubnetSelection::Subnet { subnet }) if subnet != self.keys.subnet_id() => {
                Some(subnet.to_text())
            }
            Some(SubnetSelection::Filter { subnet_type: Some(kind) }) => Some(format!("of type {kind}")),
            _ => None,
        };
        if let Some(subnet) = elsewhere {
            let text = format!("there is no subnet {subnet}: this node has only {}", self.keys.subnet_id());
            return Err(Rejection::new(RejectCode::DestinationInvalid, 301, text));
        }
        let cycles = amount.checked_sub(fees::CREATE_CANISTER).ok_or_else(|| {
            Rejection::by_canister(format!(
                "creating a canister costs {} cycles, got {amount}",
                fees::CREATE_CANISTER
            ))
        })?;
        self.create(caller, args.settings, None, cycles)
    }

    pub(super) fn ledger_withdraw(
        &mut self,
        caller: Principal,
        args: Withdraw,
    ) -> Result<Nat, WithdrawError> {
        if self.canister(args.to).is_err() {
            return Err(WithdrawError::InvalidReceiver { receiver: args.to });
        }
        let from = Account { owner: caller, subaccount: args.from_subaccount };
        let amount = in_range(&args.amount);
        let block = self.state.ledger.take(&from, amount);
        let block = block.map_err(|balance| WithdrawError::InsufficientFunds { balance })?;
        if let Some(canister) = self.canister_mut(args.to) {
            canister.cycles = canister.cycles.saturating_add(amount);
        }
        Ok(block)
    }
}

/// The amount; what does not fit 128 bits is more than anyone has.
fn in_range(value: &Nat) -> u128 {
    amount(value).unwrap_or(u128::MAX)
}
