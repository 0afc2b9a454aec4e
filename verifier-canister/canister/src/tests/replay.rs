use audit::{Counts, Engine, Replay, draw_sample};
use interface::AuditState;

use super::*;
use crate::replay::{MAX_ATTEMPTS, MAX_DRAWS};

/// The counts of an audit, made without the canister's code.
fn counts(model: &Model, dataset: &Dataset, seed: [u8; 32], size: u32) -> Counts {
    let mut engine = Engine::new(model);
    let mut replay = Replay::new(model, dataset.schema()).unwrap();
    for row in draw_sample(&seed, dataset.rows(), size) {
        replay.step(&mut engine, row, dataset.row(row).unwrap()).unwrap();
    }
    replay.counts().clone()
}

/// A world with one dataset of this many rows, a model, and one audit whose seed is drawn.
fn running(rows: u32, sample_size: u32) -> (World, AuditId) {
    let mut world = World::new();
    let dataset = dataset(rows);
    let model = model(dataset.schema().encoding());
    let dataset = world.register(REGISTRAR, ArtefactKind::Dataset, dataset.bytes());
    let model = world.register(OWNER, ArtefactKind::Model, &model.to_bytes());
    let by = world.by(OWNER);
    let request = AuditRequest { sample_size: Some(sample_size), ..request(model, dataset) };
    let id = world.state.request_audit(&by, request).unwrap();
    assert!(world.step());
    (world, id)
}

fn reason(world: &World, id: AuditId) -> String {
    match world.record(id).state {
        AuditState::Refused { reason } => reason,
        state => panic!("{state:?}"),
    }
}

#[test]
fn slices_and_upgrades_count_every_row_once() {
    let (mut world, id) = running(600, 500);
    // Every slice ends with the first look at the counter, after about a million instructions' worth of samples.
    world.quotas(|quotas| quotas.slice_instructions = 1_000_000);
    let mut done = Vec::new();
    for upgrade in [false, true, false] {
        let Next::Do(_, step) = world.state.begin_step(world.now_ns).unwrap() else { panic!() };
        let long = std::cell::Cell::new(0);
        let count = || {
            long.set(long.get() + 2_000_000);
            long.get()
        };
        assert_eq!(step, Step::Replay);
        world.state.replay(id, world.now_ns, &count).unwrap();
        let AuditState::Running { done: now, of: 500 } = world.record(id).state else { panic!() };
        done.push(now);
        if upgrade {
            world.upgrade();
        }
    }
    assert_eq!(done, [198, 396, 500]);
    let expected = counts(&model(dataset(1).schema().encoding()), &dataset(600), [id as u8; 32], 500);
    assert_eq!(world.state.progress.get(&id).unwrap().unwrap().counters, expected.counters());
    assert!(world.step());
    assert_eq!(world.record(id).state, AuditState::Completed { certificate: 1 });
    assert_eq!(world.record(id).replay_messages, 3);
    assert!(world.record(id).replay_instructions > 0);
    assert!(!world.step(), "nothing is left to do");
}

#[test]
fn sparse_samples_are_read_right() {
    for size in [1, 7, 300] {
        let (mut world, id) = running(20_000, size);
        world.perform(id, Step::Replay);
        let model = model(dataset(1).schema().encoding());
        let expected = counts(&model, &dataset(20_000), [id as u8; 32], size);
        assert_eq!(world.state.progress.get(&id).unwrap().unwrap().counters, expected.counters());
    }
}

#[test]
fn a_value_outside_its_table_refuses_the_audit() {
    let mut world = World::new();
    let dataset = dataset(40);
    let narrow = Model { activation_bits: 6, ..model(dataset.schema().encoding()) };
    let dataset = world.register(REGISTRAR, ArtefactKind::Dataset, dataset.bytes());
    let narrow = world.register(OWNER, ArtefactKind::Model, &narrow.to_bytes());
    let id = world.request(OWNER, (narrow, dataset)).unwrap();
    world.finish();
    world.upgrade();
    let reason = reason(&world, id);
    assert!(reason.contains("layer 1") && reason.contains("outside"), "{reason}");
    assert_eq!(world.state.certificates().len(), 0);
    assert_eq!(world.state.account(person(OWNER)).unwrap().open_audits, 0);
}

#[test]
fn a_step_that_always_traps_refuses_the_audit() {
    let (mut world, id) = running(40, 40);
    for _ in 0..MAX_ATTEMPTS {
        // The step is begun; doing it traps, so nothing of it is kept.
        assert_eq!(world.state.begin_step(world.now_ns), Ok(Next::Do(id, Step::Replay)));
        assert!(matches!(world.state.begin_step(world.now_ns), Ok(Next::Wait { .. })), "not twice at once");
        world.now_ns += 61 * SECOND_NS;
        world.state = open(&world.memory, world.now_ns);
    }
    assert_eq!(world.state.begin_step(world.now_ns), Ok(Next::Idle));
    assert_eq!(reason(&world, id), "the replay failed again and again at the same place");
}

#[test]
fn a_step_that_succeeds_forgives_earlier_traps() {
    let (mut world, id) = running(40, 40);
    for _ in 0..MAX_ATTEMPTS - 1 {
        world.state.begin_step(world.now_ns).unwrap();
        world.now_ns += 61 * SECOND_NS;
    }
    world.finish();
    assert_eq!(world.record(id).state, AuditState::Completed { certificate: 1 });
}

#[test]
fn randomness_that_never_comes_refuses_the_audit() {
    let mut world = World::new();
    let pair = world.registered();
    let id = world.request(OWNER, pair).unwrap();
    let mut waits = Vec::new();
    for _ in 0..MAX_DRAWS {
        assert_eq!(world.state.begin_step(world.now_ns), Ok(Next::Do(id, Step::Draw)));
        let Ok(Next::Wait { until_ns }) = world.state.begin_step(world.now_ns) else { panic!() };
        waits.push((until_ns - world.now_ns) / SECOND_NS);
        world.now_ns = until_ns;
        assert_eq!(world.record(id).state, AuditState::Requested, "the request is not lost");
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600, 600]);
    assert_eq!(world.state.begin_step(world.now_ns), Ok(Next::Idle));
    assert_eq!(reason(&world, id), "the subnet gave no randomness");
    // An answer that comes after all changes nothing.
    world.state.draw(id, [1; 32], world.now_ns).unwrap();
    assert_eq!(world.record(id).seed, None);
}

#[test]
fn the_first_seed_stays() {
    let (mut world, id) = running(40, 10);
    world.state.draw(id, [77; 32], world.now_ns).unwrap();
    assert_eq!(world.record(id).seed, Some(DigestBytes([id as u8; 32])));
}

#[test]
fn steps_out_of_order_change_nothing() {
    let mut world = World::new();
    let pair = world.registered();
    let id = world.request(OWNER, pair).unwrap();
    world.perform(id, Step::Replay);
    world.perform(id, Step::Certify);
    assert_eq!(world.record(id).state, AuditState::Requested);
    world.perform(id, Step::Draw);
    world.perform(id, Step::Certify);
    assert_eq!(world.record(id).state, AuditState::Running { done: 0, of: 40 });
    world.finish();
    let done = world.record(id);
    for step in [Step::Draw, Step::Replay, Step::Certify] {
        world.perform(id, step);
    }
    assert_eq!(world.record(id), done);
}

#[test]
fn open_audits_take_turns() {
    let mut world = World::new();
    let pair = world.registered();
    let ids = [OWNER, AUDITOR, REGISTRAR].map(|number| world.request(number, pair).unwrap());
    let mut turns = Vec::new();
    for _ in 0..9 {
        let Ok(Next::Do(id, step)) = world.state.begin_step(world.now_ns) else { panic!() };
        world.perform(id, step);
        turns.push(id);
        // The order survives an upgrade.
        world.upgrade();
    }
    assert_eq!(turns, [ids, ids, ids].concat());
    assert_eq!(world.state.begin_step(world.now_ns), Ok(Next::Idle));
}
