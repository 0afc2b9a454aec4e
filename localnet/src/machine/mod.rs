//! Runs canister modules: wasmtime with the settings and the metering of the Internet Computer.
//!
//! Settings: NaN bits canonical, SIMD on, relaxed SIMD, threads, 64-bit memories, multiple memories and extended
//! constants off. 64-bit canisters are therefore refused. The instruction count is wasmtime's fuel with the
//! weights of [`weights`], plus the charges of the system API.

mod context;
mod env;
mod halt;
mod instance;
mod module;
pub(crate) mod pages;
mod rewrite;
pub(crate) mod stack;
mod system;
mod system_calls;
mod system_canister;
mod system_message;
mod system_stable;
mod weights;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use wasmtime::{Config, Engine, Linker, OptLevel};

use crate::NodeError;

pub use context::Kind;
pub(crate) use env::MAX_HEAP_BYTES;
pub use env::Response;
pub(crate) use env::{Closure, Effects, Env, Inputs, OutgoingCall, Stable, WASM_PAGE};
pub(crate) use halt::Halt;
pub use halt::{RejectCode, Rejection};
pub(crate) use instance::{Entry, GlobalValue, Heap, Instance};
pub use module::ModuleError;
pub(crate) use module::{CompiledModule, MAX_MODULE_BYTES};

/// Bytes of native stack that a canister may use.
const WASM_STACK: usize = 4 << 20;

/// The engine and the linked system API; modules compiled by one machine run only in it.
pub(crate) struct Machine {
    engine: Engine,
    linker: Linker<Env>,
    imports: BTreeSet<String>,
    /// Modules compiled lately, so that several nodes of one process compile a module once.
    recent: Mutex<Vec<Arc<CompiledModule>>>,
}

impl Machine {
    /// The machine of this process.
    ///
    /// # Errors
    ///
    /// When wasmtime does not support the host.
    pub(crate) fn shared() -> Result<Arc<Self>, NodeError> {
        static SHARED: OnceLock<Result<Arc<Machine>, String>> = OnceLock::new();
        let machine =
            SHARED.get_or_init(|| Machine::new().map(Arc::new).map_err(|error| format!("{error:#}")));
        machine.clone().map_err(NodeError::Engine)
    }

    /// Sets up the engine.
    ///
    /// # Errors
    ///
    /// When wasmtime does not support the host.
    fn new() -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .operator_cost(weights::operator_cost())
            .cranelift_nan_canonicalization(true)
            .cranelift_opt_level(OptLevel::Speed)
            .wasm_bulk_memory(true)
            .wasm_reference_types(true)
            .wasm_simd(true)
            .wasm_relaxed_simd(false)
            .gc_support(false)
            .wasm_gc(false)
            .wasm_function_references(false)
            .wasm_tail_call(true)
            .wasm_memory64(false)
            .wasm_multi_memory(false)
            .wasm_extended_const(false)
            .wasm_backtrace_max_frames(None)
            .max_wasm_stack(WASM_STACK)
            .async_stack_size(WASM_STACK);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        system::link(&mut linker)?;
        let mut store = wasmtime::Store::new(&engine, Env::idle(Inputs::none()));
        let imports = linker.iter(&mut store).map(|(_, name, _)| name.to_owned()).collect();
        Ok(Machine { engine, linker, imports, recent: Mutex::default() })
    }
}
