//! A live instance of a module, and how its heap is saved, restored and compared.
//!
//! An instance stays alive between messages. After a message its memory is compared, page by page, with the
//! state before: a success yields the changed pages, a failure or a query puts the old ones back. That costs
//! one pass over the memory per message (a few milliseconds per 100 MB) and needs no instrumentation.

use std::sync::Arc;

use wasmtime::{Global, Memory, Mutability, Ref, Store, Table, Trap, Val};

use super::Machine;
use super::env::{Closure, Effects, Env, Inputs, Stable, WASM_PAGE};
use super::halt::Halt;
use super::module::CompiledModule;
use super::pages::{PAGE, Page, PageMap};
use super::stack::with_large_stack;
use super::{rewrite, system_calls};

/// The value of a mutable global.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) enum GlobalValue {
    I32(i32),
    I64(i64),
    /// Bits of the float.
    F32(u32),
    /// Bits of the float.
    F64(u64),
    V128(u128),
}

/// Heap of a canister: pages, size in WebAssembly pages, and the mutable globals.
#[derive(Clone, Default)]
pub(crate) struct Heap {
    pub(crate) pages: PageMap,
    pub(crate) size: u64,
    pub(crate) globals: Vec<GlobalValue>,
}

/// What a message calls.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// An exported function.
    Export(String),
    /// A function of the table.
    Callback(Closure),
}

/// How the execution of one message ended.
pub(crate) struct Ran {
    /// The effects and the state of the memories after the message, or why it failed.
    pub(crate) result: Result<(Effects, Heap, Stable), Halt>,
    /// Instructions charged, also when it failed.
    pub(crate) instructions: u64,
    /// Lines printed, also when it failed.
    pub(crate) logs: Vec<Vec<u8>>,
}

/// A live instance. Between messages its memory equals `clean`.
pub(crate) struct Instance {
    module: Arc<CompiledModule>,
    store: Store<Env>,
    instance: wasmtime::Instance,
    memory: Option<Memory>,
    table: Option<Table>,
    globals: Vec<Global>,
    clean: Heap,
    usable: bool,
}

impl Instance {
    /// Builds an instance with the memory that the module's data segments describe.
    pub(crate) fn new(machine: &Machine, module: &Arc<CompiledModule>) -> Result<Self, Halt> {
        let mut store = Store::new(&machine.engine, Env::idle(Inputs::none()));
        store.limiter(|env| env);
        let internal = |error: wasmtime::Error| Halt::Trapped(format!("{error:#}"));
        let instance = module.instance.instantiate(&mut store).map_err(internal)?;
        let hidden = &module.hidden;
        let memory = hidden.memory.then(|| instance.get_memory(&mut store, rewrite::MEMORY)).flatten();
        let table = hidden.table.then(|| instance.get_table(&mut store, rewrite::TABLE)).flatten();
        let globals =
            hidden.globals.iter().filter_map(|name| instance.get_global(&mut store, name)).collect();
        store.data_mut().memory = memory;
        let module = module.clone();
        let clean = Heap::default();
        let mut built = Instance { module, store, instance, memory, table, globals, clean, usable: true };
        built.clean = built.changed();
        Ok(built)
    }

    /// The memory that the instance holds between messages.
    pub(crate) fn heap(&self) -> &Heap {
        &self.clean
    }

    /// Whether this instance can be brought to `heap`: memory never shrinks, and some modules change tables.
    pub(crate) fn can_become(&self, module: &Arc<CompiledModule>, heap: &Heap) -> bool {
        self.usable && Arc::ptr_eq(&self.module, module) && self.clean.size <= heap.size
    }

    /// Brings memory and globals to `heap`, touching only pages that differ.
    pub(crate) fn become_heap(&mut self, heap: &Heap) -> Result<(), Halt> {
        if let Some(memory) = self.memory {
            let missing = heap.size - self.clean.size;
            if missing > 0 {
                self.store.data_mut().inputs.heap_limit = u64::MAX;
                let bytes = missing * WASM_PAGE;
                memory.grow(&mut self.store, missing).map_err(|_| Halt::OutOfMemory(bytes))?;
            }
            let live = memory.data_mut(&mut self.store);
            self.clean.pages.for_each_unshared(&heap.pages, |index| {
                live[index * PAGE..(index + 1) * PAGE].copy_from_slice(heap.pages.page(index));
            });
        }
        self.write_globals(&heap.globals)?;
        self.clean = heap.clone();
        Ok(())
    }

    /// Runs one message. Afterwards the instance holds the state after it, or the state before if it failed
    /// or its kind discards changes.
    pub(crate) fn run(&mut self, entry: &Entry, inputs: Inputs, stable: &Stable) -> Ran {
        let (limit, kind) = (inputs.kind.instruction_limit(), inputs.kind);
        self.store.data_mut().begin(inputs, stable.clone());
        let outcome = with_large_stack(|| self.call(entry, limit));
        let instructions = limit - self.store.get_fuel().unwrap_or(0).min(limit);
        let env = self.store.data_mut();
        system_calls::drop_pending(env);
        let logs = std::mem::take(&mut env.logs);
        let result = match outcome {
            Ok(()) => {
                let (effects, after) = (std::mem::take(&mut env.effects), std::mem::take(&mut env.stable));
                if kind.keeps_changes() {
                    self.clean = self.changed();
                    Ok((effects, self.clean.clone(), after))
                } else {
                    self.restore();
                    Ok((effects, self.clean.clone(), stable.clone()))
                }
            }
            Err(halt) => {
                self.restore();
                Err(halt)
            }
        };
        self.usable &= !self.module.single_use;
        Ran { result, instructions, logs }
    }

    fn call(&mut self, entry: &Entry, limit: u64) -> Result<(), Halt> {
        self.store.set_fuel(limit).map_err(|error| Halt::Internal(error.to_string()))?;
        let outcome = match entry {
            Entry::Export(name) => match self.instance.get_func(&mut self.store, name) {
                Some(function) => function.call(&mut self.store, &[], &mut []),
                None => return Err(Halt::NoMethod(method_text(name))),
            },
            Entry::Callback(closure) => {
                let function =
                    self.table.and_then(|table| table.get(&mut self.store, closure.function.into()));
                let Some(Ref::Func(Some(function))) = function else {
                    return Err(Halt::Violation(format!(
                        "function table has no function {}",
                        closure.function
                    )));
                };
                function.call(&mut self.store, &[Val::I32(closure.argument as i32)], &mut [])
            }
        };
        outcome.map_err(|error| explain(&error, limit))
    }

    /// The heap as it is now, sharing every page that did not change with `clean`.
    fn changed(&mut self) -> Heap {
        let mut heap = self.clean.clone();
        heap.globals = self.read_globals();
        if let Some(memory) = self.memory {
            heap.size = memory.size(&self.store);
            let (pages, _) = memory.data(&self.store).as_chunks::<PAGE>();
            for (index, live) in pages.iter().enumerate() {
                let live: &Page = live;
                if live != self.clean.pages.page(index) {
                    heap.pages.set(index, live);
                }
            }
        }
        heap
    }

    /// Puts back the state before the message.
    fn restore(&mut self) {
        let globals = self.clean.globals.clone();
        self.usable &= self.write_globals(&globals).is_ok();
        let Some(memory) = self.memory else { return };
        if memory.size(&self.store) > self.clean.size {
            // Memory cannot shrink: the next message gets a new instance.
            self.usable = false;
            return;
        }
        let (pages, _) = memory.data_mut(&mut self.store).as_chunks_mut::<PAGE>();
        for (index, live) in pages.iter_mut().enumerate() {
            let clean = self.clean.pages.page(index);
            if live != clean {
                *live = *clean;
            }
        }
    }

    fn read_globals(&mut self) -> Vec<GlobalValue> {
        let Instance { globals, store, .. } = self;
        let read = |global: &Global| match global.get(&mut *store) {
            Val::I32(value) => GlobalValue::I32(value),
            Val::I64(value) => GlobalValue::I64(value),
            Val::F32(bits) => GlobalValue::F32(bits),
            Val::F64(bits) => GlobalValue::F64(bits),
            Val::V128(value) => GlobalValue::V128(value.as_u128()),
            // The module was refused if a mutable global held a reference.
            _ => GlobalValue::I32(0),
        };
        globals.iter().map(read).collect()
    }

    fn write_globals(&mut self, values: &[GlobalValue]) -> Result<(), Halt> {
        if values.len() != self.globals.len() {
            return Err(Halt::Internal(format!("{} globals for {}", values.len(), self.globals.len())));
        }
        for (global, value) in self.globals.iter().zip(values) {
            debug_assert_eq!(global.ty(&self.store).mutability(), Mutability::Var);
            let value = match *value {
                GlobalValue::I32(value) => Val::I32(value),
                GlobalValue::I64(value) => Val::I64(value),
                GlobalValue::F32(bits) => Val::F32(bits),
                GlobalValue::F64(bits) => Val::F64(bits),
                GlobalValue::V128(value) => Val::V128(value.into()),
            };
            global.set(&mut self.store, value).map_err(|error| Halt::Internal(error.to_string()))?;
        }
        Ok(())
    }
}

fn method_text(export: &str) -> String {
    let update = export.strip_prefix("canister_update ");
    let query = export.strip_prefix("canister_query ");
    match update.or(query).or(export.strip_prefix("canister_composite_query ")) {
        Some(method) => format!("method '{method}'"),
        None => format!("export '{export}'"),
    }
}

fn explain(error: &wasmtime::Error, limit: u64) -> Halt {
    if let Some(halt) = error.downcast_ref::<Halt>() {
        return halt.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Halt::InstructionLimit(limit),
        Some(Trap::UnreachableCodeReached) => Halt::Trapped("unreachable".into()),
        Some(trap) => Halt::Trapped(trap.to_string()),
        None => Halt::Trapped(format!("{error:#}")),
    }
}
