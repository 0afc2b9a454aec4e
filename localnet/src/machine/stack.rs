//! Gives canister code a native stack that is large enough, whoever calls.

use std::cell::Cell;

use super::WASM_STACK;

/// Native stack of a thread that runs canister code: the canister's share and room for the node's own frames.
pub(crate) const THREAD_STACK: usize = WASM_STACK + (4 << 20);

thread_local! {
    static LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Declares that this thread was started with [`THREAD_STACK`].
pub(crate) fn declare_large() {
    LARGE.set(true);
}

/// Runs `work` here if the stack is known to suffice, and on a thread of its own otherwise.
pub(super) fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if LARGE.get() {
        return work();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(THREAD_STACK).spawn_scoped(scope, || {
            declare_large();
            work()
        });
        match thread.map(|thread| thread.join()) {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("cannot start a thread for canister code: {error}"),
        }
    })
}
