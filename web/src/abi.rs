//! What JavaScript calls. Rust owns all memory and reads no address that it is given.
//!
//! The caller asks for a buffer per input ([`input`]), fills it, and calls a function, which takes all inputs, leaves its
//! JSON as the output and returns its length; [`output`] is where it lies. One instance serves one call at a time.
// Exported names are what the lint is about; there is no unsafe block.
#![allow(unsafe_code)]

use std::cell::RefCell;

use crate::calls::{self, Inputs};

#[link(wasm_import_module = "assay")]
unsafe extern "C" {
    /// Work done, of how much.
    safe fn progress(done: u32, of: u32);
}

thread_local! {
    static INPUTS: RefCell<Inputs> = const { RefCell::new(Inputs::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A new input of `length` bytes, all zero; its address, or 0 if there is not so much memory.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length).is_err() {
        return std::ptr::null_mut();
    }
    bytes.resize(length, 0);
    let address = bytes.as_mut_ptr();
    INPUTS.with_borrow_mut(|inputs| inputs.push(bytes));
    address
}

/// Where the output of the last call lies.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    OUTPUT.with_borrow(Vec::as_ptr)
}

/// See [`calls::version`].
#[unsafe(no_mangle)]
pub extern "C" fn version() -> usize {
    call(|_, _| calls::version())
}

/// See [`calls::check_certificate`].
#[unsafe(no_mangle)]
pub extern "C" fn check_certificate() -> usize {
    call(|inputs, _| calls::check_certificate(inputs))
}

/// See [`calls::rerun_certificate`].
#[unsafe(no_mangle)]
pub extern "C" fn rerun_certificate() -> usize {
    call(calls::rerun_certificate)
}

/// See [`calls::verify_prediction`].
#[unsafe(no_mangle)]
pub extern "C" fn verify_prediction() -> usize {
    call(|inputs, _| calls::verify_prediction(inputs))
}

fn call(function: impl FnOnce(Inputs, &mut dyn FnMut(u64, u64)) -> String) -> usize {
    let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let answer = function(INPUTS.take(), &mut |done, of| progress(count(done), count(of))).into_bytes();
    let length = answer.len();
    OUTPUT.set(answer);
    length
}
