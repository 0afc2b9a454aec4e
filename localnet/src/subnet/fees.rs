//! What things cost in cycles, with the published prices of a 13-node application subnet.
//!
//! Approximations: the cost of a response is charged by its real size when it arrives instead of being prepaid
//! and refunded, and storage is charged for heap, stable memory, code and chunks together.

/// Nodes that the subnet pretends to have.
pub(crate) const NODES: u64 = 13;
/// Creation of a canister.
pub(crate) const CREATE_CANISTER: u128 = 500_000_000_000;

const BASE_EXECUTION: u128 = 5_000_000;
const INGRESS_BASE: u128 = 1_200_000;
const INGRESS_BYTE: u128 = 2_000;
const CALL_BASE: u128 = 260_000;
const CALL_BYTE: u128 = 1_000;
const STORAGE_GIB_SECOND: u128 = 127_000;
const COMPUTE_PERCENT_SECOND: u128 = 10_000_000;
const RESPONSE_BYTES: usize = 2 << 20;
const RESPONSE_INSTRUCTIONS: u64 = 40_000_000_000;

/// Execution of one update message.
pub(crate) fn execution(instructions: u64) -> u128 {
    BASE_EXECUTION + u128::from(instructions)
}

/// Reception of a message from a user.
pub(crate) fn ingress(bytes: usize) -> u128 {
    INGRESS_BASE + INGRESS_BYTE * bytes as u128
}

/// Transmission of a call.
pub(crate) fn call(bytes: usize) -> u128 {
    CALL_BASE + bytes_in_call(bytes)
}

/// Transmission of a response.
pub(crate) fn bytes_in_call(bytes: usize) -> u128 {
    CALL_BYTE * bytes as u128
}

/// What a caller must still have for the largest response and its callback.
pub(crate) fn response_reserve() -> u128 {
    bytes_in_call(RESPONSE_BYTES) + execution(RESPONSE_INSTRUCTIONS)
}

/// Storage and compute allocation over a time in nanoseconds.
pub(crate) fn idle(bytes: u64, compute_percent: u64, nanoseconds: u64) -> u128 {
    let per_second = u128::from(compute_percent) * COMPUTE_PERCENT_SECOND;
    let storage = (u128::from(bytes) * STORAGE_GIB_SECOND * u128::from(nanoseconds)) >> 30;
    (per_second * u128::from(nanoseconds) + storage) / 1_000_000_000
}

/// An HTTP outcall with the given sizes.
pub(crate) fn http_request(request: u64, response: u64) -> u128 {
    let nodes = u128::from(NODES);
    (3_000_000 + 60_000 * nodes + 400 * u128::from(request) + 800 * u128::from(response)) * nodes
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_gibibyte_for_a_second_costs_the_published_price() {
        assert_eq!(super::idle(1 << 30, 0, 1_000_000_000), 127_000);
        assert_eq!(super::idle(0, 3, 2_000_000_000), 60_000_000);
        assert_eq!(super::http_request(0, 0), 49_140_000);
    }
}
