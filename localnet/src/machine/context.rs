//! In which kind of message a system call may be made.

/// A set of message kinds, one bit each.
pub(crate) type Contexts = u16;

/// Start function.
pub(crate) const S: Contexts = 1;
/// `canister_init` and `canister_post_upgrade`.
pub(crate) const I: Contexts = 1 << 1;
/// `canister_pre_upgrade`.
pub(crate) const G: Contexts = 1 << 2;
/// Update method.
pub(crate) const U: Contexts = 1 << 3;
/// Query method called as an update.
pub(crate) const RQ: Contexts = 1 << 4;
/// Query method called as a query.
pub(crate) const NRQ: Contexts = 1 << 5;
/// Composite query method.
pub(crate) const CQ: Contexts = 1 << 6;
/// Reply callback.
pub(crate) const RY: Contexts = 1 << 7;
/// Reject callback.
pub(crate) const RT: Contexts = 1 << 8;
/// Cleanup callback.
pub(crate) const C: Contexts = 1 << 9;
/// `canister_inspect_message`.
pub(crate) const F: Contexts = 1 << 10;
/// Global timer.
pub(crate) const T: Contexts = 1 << 11;
/// Everything but the start function.
pub(crate) const ALL: Contexts = I | G | U | RQ | NRQ | CQ | RY | RT | C | F | T;
/// Everything.
pub(crate) const ANY: Contexts = ALL | S;

/// The kind of one message execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The start section, at installation and upgrade.
    Start,
    /// `canister_init`.
    Init,
    /// `canister_pre_upgrade`.
    PreUpgrade,
    /// `canister_post_upgrade`.
    PostUpgrade,
    /// An update method.
    Update,
    /// A query method in replicated mode; its changes are discarded.
    ReplicatedQuery,
    /// A query method.
    Query,
    /// A composite query method.
    CompositeQuery,
    /// The reply callback of a call.
    Reply,
    /// The reject callback of a call.
    Reject,
    /// The cleanup callback of a call.
    Cleanup,
    /// `canister_inspect_message`.
    Inspect,
    /// `canister_global_timer`.
    Timer,
}

impl Kind {
    pub(crate) fn bit(self) -> Contexts {
        match self {
            Kind::Start => S,
            Kind::Init | Kind::PostUpgrade => I,
            Kind::PreUpgrade => G,
            Kind::Update => U,
            Kind::ReplicatedQuery => RQ,
            Kind::Query => NRQ,
            Kind::CompositeQuery => CQ,
            Kind::Reply => RY,
            Kind::Reject => RT,
            Kind::Cleanup => C,
            Kind::Inspect => F,
            Kind::Timer => T,
        }
    }

    /// Whether the message runs on every node of a subnet, so that its effects count.
    pub(crate) fn is_replicated(self) -> bool {
        self.bit() & (NRQ | CQ | F) == 0
    }

    /// Whether changes to memory are kept when the message succeeds.
    pub(crate) fn keeps_changes(self) -> bool {
        self.bit() & (RQ | NRQ | CQ | F) == 0
    }

    /// Instruction limit of one message of this kind.
    pub(crate) fn instruction_limit(self) -> u64 {
        match self {
            Kind::Start | Kind::Init | Kind::PreUpgrade | Kind::PostUpgrade => 300_000_000_000,
            Kind::Query | Kind::CompositeQuery => 5_000_000_000,
            Kind::Inspect => 200_000_000,
            _ => 40_000_000_000,
        }
    }

    /// Largest reply in bytes.
    pub(crate) fn reply_limit(self) -> usize {
        if self.is_replicated() { 2 << 20 } else { 3 << 20 }
    }

    /// Bytes of stable memory that one message may read or write.
    pub(crate) fn stable_access_limit(self) -> u64 {
        match self {
            Kind::Start | Kind::Init | Kind::PreUpgrade | Kind::PostUpgrade => 8 << 30,
            Kind::Query | Kind::CompositeQuery | Kind::Inspect => 1 << 30,
            _ => 2 << 30,
        }
    }
}
