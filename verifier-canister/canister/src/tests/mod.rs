//! Tests of the logic over memory in a vector; "upgrade" means to open the same memory again.

mod attestations;
mod audits;
mod certificates;
mod fixtures;
mod lists;
mod logs;
mod random_calls;
mod replay;
mod roles;
mod site;
mod uploads;

use audit::{
    Activation, Attribute, Column, Dataset, Decision, Digest, Layer, Model, Schema, dataset::DatasetBuilder,
};
use candid::Principal;
use ic_stable_structures::VectorMemory;
use interface::{
    ArtefactKind, AuditId, AuditRecord, AuditRequest, BeginUpload, CHUNK_BYTES, DigestBytes, Error, PutChunk,
    Quotas, Role, RoleChange, UploadKey,
};

use crate::{
    guards::{Context, SECOND_NS},
    replay::{Next, Step},
    storage::State,
};

/// A policy that fits [`dataset`].
const POLICY: &str = r#"{"criteria":[{"attributes":["sex"],"comparator":"abs<=","metric":"aif360.statistical_parity_difference","threshold":"1/2"}],"min_group_size":1,"name":"parity"}"#;

/// The state with a clock and people: 0 is a controller, 1 a registrar, 2 an auditor, the others have no role.
struct World {
    memory: VectorMemory,
    state: State<VectorMemory>,
    now_ns: u64,
}

const CONTROLLER: u8 = 0;
const REGISTRAR: u8 = 1;
const AUDITOR: u8 = 2;
const OWNER: u8 = 3;
const STRANGER: u8 = 4;

const START_NS: u64 = 1_800_000_000 * SECOND_NS;

fn open(memory: &VectorMemory, now_ns: u64) -> State<VectorMemory> {
    State::open(memory.clone(), canister(), now_ns).unwrap()
}

fn person(number: u8) -> Principal {
    Principal::self_authenticating([number; 32])
}

impl World {
    fn new() -> Self {
        let memory = VectorMemory::default();
        let state = open(&memory, START_NS);
        let mut world = Self { memory, state, now_ns: START_NS };
        let controller = world.by(CONTROLLER);
        for (role, number) in [(Role::Registrar, REGISTRAR), (Role::Auditor, AUDITOR)] {
            world.state.add_role(&controller, RoleChange { role, principal: person(number) }).unwrap();
        }
        world
    }

    /// A call by a person, a second after the last.
    fn by(&mut self, number: u8) -> Context {
        self.now_ns += SECOND_NS;
        Context { caller: person(number), is_controller: number == CONTROLLER, now_ns: self.now_ns }
    }

    fn anonymous(&self) -> Context {
        Context { caller: Principal::anonymous(), is_controller: false, now_ns: self.now_ns }
    }

    fn upgrade(&mut self) {
        let leaves = self.state.tree().leaves();
        self.refresh();
        let pages = self.state.certified_pages();
        self.state = open(&self.memory, self.now_ns);
        assert!(self.state.tree().leaves() == leaves, "an upgrade changes nothing that is certified");
        self.refresh();
        assert!(self.state.certified_pages() == pages, "an upgrade changes no page");
        self.state.resume_all().unwrap();
    }

    /// What ends every message that changes something.
    fn refresh(&mut self) {
        self.state.expire(self.now_ns).unwrap();
        assert_eq!(self.state.refresh(&|| 0), Ok(Vec::new()));
        assert!(!self.state.is_preparing());
    }

    /// The call's error, after checking that stable memory and tree are as before.
    fn refused<T: std::fmt::Debug>(
        &mut self,
        by: Context,
        call: impl FnOnce(&mut State<VectorMemory>, &Context) -> Result<T, Error>,
    ) -> Error {
        let (memory, root) = (self.memory.borrow().clone(), self.state.tree().root());
        let error = call(&mut self.state, &by).unwrap_err();
        assert!(*self.memory.borrow() == memory, "stable memory changed in spite of: {error}");
        assert_eq!(self.state.tree().root(), root, "the tree changed in spite of: {error}");
        error
    }

    fn quotas(&mut self, change: impl FnOnce(&mut Quotas)) {
        let mut quotas = self.state.limits().unwrap().quotas;
        change(&mut quotas);
        let controller = self.by(CONTROLLER);
        self.state.set_quotas(&controller, quotas).unwrap();
    }

    fn put(&mut self, by: u8, kind: ArtefactKind, bytes: &[u8]) -> UploadKey {
        let key = UploadKey { kind, digest: Digest::of(bytes).into() };
        self.put_as(by, key, bytes);
        key
    }

    /// Uploads bytes under a digest that need not be theirs.
    fn put_as(&mut self, by: u8, key: UploadKey, bytes: &[u8]) {
        let UploadKey { kind, digest } = key;
        let context = self.by(by);
        let begin = BeginUpload { kind, digest, size: bytes.len() as u64 };
        self.state.begin_upload(&context, begin).unwrap();
        for (index, chunk) in bytes.chunks(CHUNK_BYTES as usize).enumerate() {
            let chunk = PutChunk { kind, digest, index: index as u32, bytes: chunk.to_vec() };
            self.state.put_chunk(&context, chunk).unwrap();
        }
    }

    fn register(&mut self, by: u8, kind: ArtefactKind, bytes: &[u8]) -> DigestBytes {
        let key = self.put(by, kind, bytes);
        let context = self.by(by);
        self.state.seal_upload(&context, key).unwrap();
        key.digest
    }

    /// A registered dataset and a model of [`OWNER`] that fits it.
    fn registered(&mut self) -> (DigestBytes, DigestBytes) {
        let dataset = dataset(40);
        let model = model(dataset.schema().encoding());
        let dataset = self.register(REGISTRAR, ArtefactKind::Dataset, dataset.bytes());
        (self.register(OWNER, ArtefactKind::Model, &model.to_bytes()), dataset)
    }

    fn request(&mut self, by: u8, (model, dataset): (DigestBytes, DigestBytes)) -> Result<AuditId, Error> {
        let context = self.by(by);
        self.state.request_audit(&context, request(model, dataset))
    }

    fn record(&self, id: AuditId) -> AuditRecord {
        self.state.audits().get(&id).unwrap().unwrap().record(id)
    }

    /// Does one step; false if there is none now. Every look at the instruction counter finds a thousand more.
    fn step(&mut self) -> bool {
        let Next::Do(id, step) = self.state.begin_step(self.now_ns).unwrap() else { return false };
        self.perform(id, step);
        true
    }

    fn perform(&mut self, id: AuditId, step: Step) {
        let instructions = std::cell::Cell::new(0);
        let count = || {
            instructions.set(instructions.get() + 1_000);
            instructions.get()
        };
        match step {
            Step::Draw => self.state.draw(id, [id as u8; 32], self.now_ns).unwrap(),
            Step::Replay => self.state.replay(id, self.now_ns, &count).unwrap(),
            Step::Certify => self.state.certify(id, canister(), self.now_ns).unwrap(),
        }
    }

    fn finish(&mut self) {
        while self.step() {}
    }
}

fn canister() -> Principal {
    Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1])
}

fn request(model: DigestBytes, dataset: DigestBytes) -> AuditRequest {
    AuditRequest {
        model,
        dataset,
        sample_size: None,
        policy: POLICY.to_owned(),
        valid_for_s: None,
        supersedes: None,
        log: None,
    }
}

fn schema(name: &str, columns: usize) -> Schema {
    let column = |index| Column {
        name: format!("c{index}"),
        offset: "0".parse().unwrap(),
        scale: "1".parse().unwrap(),
    };
    Schema {
        name: name.to_owned(),
        version: "1".to_owned(),
        manifest: b"{}".to_vec(),
        columns: (0..columns).map(column).collect(),
        classes: vec!["bad".to_owned(), "good".to_owned()],
        favourable: 1,
        attributes: vec![Attribute {
            name: "sex".to_owned(),
            groups: vec!["female".to_owned(), "male".to_owned()],
            reference: Some(1),
        }],
    }
}

/// Three columns; row `i` has label and group that depend on `i`.
fn dataset(rows: u32) -> Dataset {
    dataset_of(schema("synthetic", 3), rows)
}

fn dataset_of(schema: Schema, rows: u32) -> Dataset {
    let columns = schema.columns.len();
    let mut builder = DatasetBuilder::new(schema).unwrap();
    for row in 0..rows {
        let value = |column| ((row * 37 + column * 11) % 200) as i16 - 100;
        let features: Vec<i16> = (0..columns as u32).map(value).collect();
        builder.push(&features, (row / 3 % 2) as u8, &[(row % 2) as u8]).unwrap();
    }
    builder.build().unwrap()
}

/// Three features, four units, one decision.
fn model(encoding: Digest) -> Model {
    let hidden = Layer {
        inputs: 3,
        units: 4,
        shift: 2,
        activation: Activation::Relu,
        weights: vec![1, -2, 3, -4, 5, -6, 7, -8, 9, 10, -11, 12],
        bias: vec![0, 10, -10, 20],
    };
    let last = Layer {
        inputs: 4,
        units: 1,
        shift: 4,
        activation: Activation::Step,
        weights: vec![3, -3, 2, -1],
        bias: vec![-100],
    };
    Model {
        name: "small".to_owned(),
        encoding,
        source: Digest([5; 32]),
        classes: 2,
        activation_bits: 16,
        tables: Vec::new(),
        decision: Decision::Step,
        layers: vec![hidden, last],
    }
}
