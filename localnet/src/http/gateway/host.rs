//! Which canister a host name stands for.

use candid::Principal;

/// A canister named by a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CanisterHost {
    pub(super) canister: Principal,
    /// Whether responses are passed on without verification (`<canister>.raw.localhost`).
    pub(super) raw: bool,
}

/// Reads `<canister>.localhost` or `<canister>.raw.localhost`, with or without a port.
pub(super) fn parse(host: &str) -> Option<CanisterHost> {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let name = name.strip_suffix(".localhost")?;
    let (id, raw) = match name.strip_suffix(".raw") {
        Some(id) => (id, true),
        None => (name, false),
    };
    Some(CanisterHost { canister: Principal::from_text(id).ok()?, raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_canister_below_localhost_is_a_canister() {
        let id = "bkyz2-fmaaa-aaaaa-qaaaq-cai";
        let canister = Principal::from_text(id).unwrap();
        let found = |raw| Some(CanisterHost { canister, raw });
        assert_eq!(parse(&format!("{id}.localhost:4944")), found(false));
        assert_eq!(parse(&format!("{}.LOCALHOST.", id.to_uppercase())), found(false));
        assert_eq!(parse(&format!("{id}.raw.localhost")), found(true));
        for other in [
            "localhost",
            "127.0.0.1:80",
            ".localhost",
            "",
            &format!("{id}.example.com"),
            &format!("a.{id}.localhost"),
            &format!("{id}localhost"),
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
        // The checksum of a principal's text is checked.
        assert_eq!(parse("bkyz2-fmaaa-aaaaa-qaaaq-cbi.localhost"), None);
    }
}
