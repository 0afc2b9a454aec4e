//! Events of audits by logs in any order, with upgrades in between: who waits stays counted, and every audit ends.

use super::{super::random_calls::Random, *};

const STEPS: u64 = 150;

impl World {
    /// What `event` does to an audit, if it can happen to it now.
    fn happen(&mut self, random: &mut Random, event: u64, audit: AuditId) {
        let record = self.record(audit);
        match (event, &record.state) {
            (0, AuditState::AwaitingLog { .. }) => {
                let lies = random.below(3) == 0;
                let log = Log::new(self, audit, |_, class| if lies { 1 - class } else { class });
                self.submit_log(audit, &log.bytes()).unwrap();
            }
            (1, AuditState::AwaitingLog { .. }) => {
                let result = self.submit_log(audit, &random.below(u64::MAX).to_le_bytes());
                assert!(
                    matches!(result, Err(Error::Invalid { .. } | Error::QuotaExceeded { .. })),
                    "{result:?}"
                );
            }
            (2, AuditState::AwaitingOpenings { openings }) => {
                // Its owner may have forgotten whether it told the truth.
                let lies = random.below(2) == 0;
                let log = Log::new(self, audit, |_, class| if lies { 1 - class } else { class });
                let made = log.openings(self.seed_of_openings(audit), *openings);
                let honest = made.root == record.log.unwrap().submitted.unwrap().root.into();
                assert_eq!(self.submit_openings(audit, &made).is_ok(), honest);
            }
            (3, AuditState::AwaitingAuditor { .. }) => {
                let agrees = random.below(2) == 0;
                self.report(AUDITOR, audit, agrees, "as it came out").unwrap();
            }
            (4, state) if state.is_open() => {
                let by = self.by(OWNER);
                let abandon = interface::AbandonAudit { id: audit, reason: "enough".to_owned() };
                self.state.abandon_audit(&by, abandon).unwrap();
            }
            (5, _) => {
                self.now_ns += random.below(4) * 86_400 * SECOND_NS;
                self.step();
            }
            (6, _) => self.upgrade(),
            _ => drop(self.step()),
        }
    }
}

#[test]
fn any_order_of_events_keeps_counts_and_ends() {
    for seed in 0..6 {
        let mut random = Random(seed);
        let mut world = World::new();
        let (public, dataset) = world.registered();
        let logged = world.register(OWNER, ArtefactKind::LoggedModel, &card().to_json().unwrap());
        world.add_key(OWNER, &key()).unwrap();
        for _ in 0..STEPS {
            let model = if random.below(2) == 0 { public } else { logged };
            if random.below(4) == 0 {
                // There may be too many open or waiting already.
                let asked = world.request_log((model, dataset), OPENED * random.below(2) as u32);
                assert!(matches!(asked, Ok(_) | Err(Error::QuotaExceeded { .. })), "{asked:?}");
            }
            let audits = world.state.audits().len();
            if audits > 0 {
                let (event, audit) = (random.below(8), 1 + random.below(audits));
                world.happen(&mut random, event, audit);
            }
            world.assert_counted();
        }
        // Nobody brings anything any more.
        for _ in 0..4 {
            world.now_ns += 8 * 86_400 * SECOND_NS;
            world.finish();
        }
        world.assert_counted();
        let kinds: std::collections::BTreeSet<_> =
            (1..=world.state.audits().len()).map(|id| world.record(id).state.kind().name()).collect();
        assert!(kinds.iter().all(|kind| ["completed", "refused", "abandoned"].contains(kind)), "{kinds:?}");
        assert!(kinds.contains("completed") && kinds.contains("abandoned"), "{kinds:?}");
        assert!(world.state.turns.len() == 0 && world.state.progress.len() == 0);
        for id in 1..=world.state.certificates().len() {
            let body = Certificate::parse(&world.state.body(id).unwrap().unwrap()).unwrap();
            audit::recompute(&body).unwrap();
        }
    }
}
