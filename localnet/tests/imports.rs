//! Every function of the system API can be imported with the signature that canister development kits use.

mod support;

use support::{install, user};

/// Parameters, result, names.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("", "", "msg_reply accept_message"),
    (
        "",
        "i32",
        "msg_arg_data_size msg_caller_size msg_caller_info_data_size msg_caller_info_signer_size \
         msg_reject_code msg_reject_msg_size canister_self_size canister_status subnet_self_size \
         subnet_self_node_count msg_method_name_size call_perform root_key_size \
         data_certificate_present data_certificate_size in_replicated_execution env_var_count \
         stable_size",
    ),
    (
        "",
        "i64",
        "msg_deadline canister_version stable64_size time msg_cycles_available msg_cycles_refunded \
         canister_cycle_balance",
    ),
    (
        "i32",
        "",
        "msg_cycles_available128 msg_cycles_refunded128 canister_cycle_balance128 \
         canister_liquid_cycle_balance128 call_with_best_effort_response cost_create_canister",
    ),
    ("i32", "i32", "env_var_name_size stable_grow"),
    ("i32", "i64", "performance_counter"),
    ("i64", "", "call_cycles_add"),
    ("i64", "i64", "stable64_grow global_timer_set msg_cycles_accept"),
    (
        "i32 i32",
        "",
        "msg_reply_data_append msg_reject call_on_cleanup call_data_append certified_data_set \
         debug_print trap",
    ),
    ("i32 i32", "i32", "is_controller env_var_name_exists env_var_value_size"),
    ("i64 i64", "", "call_cycles_add128"),
    (
        "i32 i32 i32",
        "",
        "msg_arg_data_copy msg_caller_copy msg_caller_info_data_copy msg_caller_info_signer_copy \
         msg_reject_msg_copy canister_self_copy subnet_self_copy msg_method_name_copy root_key_copy \
         data_certificate_copy cost_http_request_v2 stable_write stable_read",
    ),
    ("i64 i64 i32", "", "msg_cycles_accept128 cycles_burn128 cost_call cost_http_request"),
    ("i64 i64 i64", "", "stable64_write stable64_read"),
    ("i32 i32 i32 i32", "", "env_var_name_copy"),
    ("i32 i32 i32 i32", "i32", "cost_sign_with_ecdsa cost_sign_with_schnorr cost_vetkd_derive_key"),
    ("i32 i32 i32 i32 i32", "", "env_var_value_copy"),
    ("i32 i32 i32 i32 i32 i32 i32 i32", "", "call_new"),
];

#[test]
fn every_function_is_there() {
    let mut imports = String::new();
    let mut count = 0;
    for (parameters, result, names) in FUNCTIONS {
        for name in names.split_whitespace() {
            let result = if result.is_empty() { String::new() } else { format!("(result {result})") };
            imports += &format!(r#"(import "ic0" "{name}" (func (param {parameters}) {result}))"#);
            count += 1;
        }
    }
    assert_eq!(count, 76);
    let (mut subnet, canister) = install(&format!(
        r#"(module {imports} (import "ic0" "msg_reply" (func $reply)) (func (export "canister_query ok") (call $reply)))"#
    ));
    assert_eq!(subnet.query(user(), canister, "ok", b"").unwrap(), b"");
}
