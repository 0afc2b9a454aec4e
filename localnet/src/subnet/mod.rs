//! The subnet: canisters, their messages, time, and the entry points for users.
//!
//! One value owns everything and executes one message at a time. [`Subnet`] can be used directly in tests; the
//! node runs one on a thread of its own.

mod answer;
mod execute;
pub(crate) mod fees;
mod ingress;
mod query;
pub(crate) mod random;
mod record;
pub(crate) mod state;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use candid::Principal;

use crate::NodeError;
use crate::certificate::Keys;
use crate::machine::{CompiledModule, Halt, Instance, Machine, Rejection};

pub(crate) use execute::Task;
pub(crate) use ingress::Ingress;
pub(crate) use query::{Queries, QueryCall};
use random::Random;
pub use record::Executed;
pub(crate) use record::Executions;
use state::{Canister, Heap, State};
pub use state::{LogLine, RequestId};
pub use time::Clock;
pub(crate) use time::wall;

/// First canister id that the subnet gives out, as a number.
pub(crate) const FIRST_CANISTER: u64 = 0x8000_0000_0010_0000;

/// A subnet of one node, without network interface and without disk.
pub struct Subnet {
    pub(crate) machine: Arc<Machine>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) state: State,
    pub(crate) executions: Executions,
    instances: Instances,
    queries: Queries,
    clock: Clock,
    /// The canister that had its turn last.
    turn: Principal,
}

impl Subnet {
    /// A subnet without canisters. The same seed gives the same keys and the same `raw_rand`.
    ///
    /// # Errors
    ///
    /// When the host is not supported, or the system gives no randomness for the missing seed.
    pub fn new(seed: Option<[u8; 32]>, clock: Clock) -> Result<Self, NodeError> {
        let seed = match seed {
            Some(seed) => seed,
            None => random::system_seed()?,
        };
        let keys = Keys::from_seed(seed)?;
        let state = State {
            canisters: BTreeMap::new(),
            requests: BTreeMap::new(),
            management: Default::default(),
            ledger: Default::default(),
            time: clock.now(),
            next_canister: FIRST_CANISTER,
            random: Random::from_seed(random::derive(b"localnet raw_rand", &[&seed])),
        };
        Ok(Self::with_state(keys, state, clock, Machine::shared()?))
    }

    pub(crate) fn with_state(keys: Keys, state: State, clock: Clock, machine: Arc<Machine>) -> Self {
        let (keys, executions) = (Arc::new(keys), Executions::default());
        Subnet {
            queries: Queries::new(machine.clone(), keys.clone(), executions.clone()),
            machine,
            keys,
            state,
            executions,
            instances: Instances::default(),
            clock,
            turn: Principal::management_canister(),
        }
    }

    /// DER encoding of the root key, 133 bytes.
    pub fn root_key(&self) -> Vec<u8> {
        self.keys.root_key_der().to_vec()
    }

    /// What was executed, oldest first; the last few thousand messages.
    pub fn executed(&self) -> Vec<Executed> {
        self.executions.all()
    }

    /// Instructions of the last message that belonged to a call of `method`.
    pub fn last_instructions(&self, method: &str) -> Option<u64> {
        let executed = self.executions.all();
        executed.iter().rev().find(|executed| executed.method == method).map(|executed| executed.instructions)
    }

    /// The canister's log lines.
    pub fn logs(&self, canister: Principal) -> Vec<LogLine> {
        let lines = self.state.canisters.get(&canister).map(|canister| canister.calls.logs.iter().cloned());
        lines.into_iter().flatten().collect()
    }

    /// Cycles of a canister, if it exists.
    pub fn cycles(&self, canister: Principal) -> Option<u128> {
        Some(self.state.canisters.get(&canister)?.cycles)
    }

    /// Changes a canister in place, if it exists.
    pub(crate) fn canister_mut(&mut self, id: Principal) -> Option<&mut Canister> {
        self.state.canisters.get_mut(&id).map(Arc::make_mut)
    }

    pub(crate) fn canister(&self, id: Principal) -> Result<&Canister, Rejection> {
        self.state.canisters.get(&id).map(Arc::as_ref).ok_or_else(|| no_canister(id))
    }

    /// Forgets the live instance of a canister whose code or memory was replaced.
    pub(crate) fn drop_instance(&mut self, id: Principal) {
        self.instances.live.remove(&id);
    }
}

pub(crate) fn no_canister(id: Principal) -> Rejection {
    Rejection::new(crate::machine::RejectCode::DestinationInvalid, 301, format!("Canister {id} not found"))
}

/// Live instances, one per canister.
#[derive(Default)]
pub(crate) struct Instances {
    live: BTreeMap<Principal, Instance>,
}

impl Instances {
    /// The canister's instance, brought to the given heap.
    pub(crate) fn ready(
        &mut self,
        machine: &Machine,
        id: Principal,
        module: &Arc<CompiledModule>,
        heap: &Heap,
    ) -> Result<&mut Instance, Halt> {
        if !self.live.get(&id).is_some_and(|instance| instance.can_become(module, heap)) {
            self.live.remove(&id);
            self.live.insert(id, Instance::new(machine, module)?);
        }
        let Some(instance) = self.live.get_mut(&id) else {
            return Err(Halt::Internal("the instance is missing".into()));
        };
        instance.become_heap(heap)?;
        Ok(instance)
    }
}
