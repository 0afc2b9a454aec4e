//! Random calls by random people, checked against a model of the canister in plain maps, with upgrades in between.
//!
//! The model knows nothing of memory, blocks, trees or slices: only what each call must answer and what must be
//! readable afterwards.

use std::collections::{BTreeMap, BTreeSet};

use interface::{
    AbandonAudit, AuditState, AuditsRequest, CertificateState, CertificatesRequest, DatasetsRequest,
    ModelsRequest, RevokeCertificate, StateKind,
};

use super::*;

/// What a call must come to: done, or refused with this variant.
type Outcome = Result<(), &'static str>;

fn variant(error: &Error) -> &'static str {
    match error {
        Error::NotAllowed { .. } => "not allowed",
        Error::NotFound { .. } => "not found",
        Error::AlreadyRegistered { .. } => "already registered",
        Error::QuotaExceeded { .. } => "quota",
        Error::DigestMismatch { .. } => "mismatch",
        Error::Incomplete { .. } => "incomplete",
        Error::WrongEncoding { .. } => "encoding",
        Error::WrongState { .. } => "state",
        error => panic!("unexpected: {error}"),
    }
}

fn outcome<T>(result: Result<T, Error>) -> Outcome {
    result.map(|_| ()).map_err(|error| variant(&error))
}

/// SplitMix64, with a seed that a failure prints.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Something that can be uploaded.
struct Artefact {
    kind: ArtefactKind,
    bytes: Vec<u8>,
    key: UploadKey,
    encoding: Digest,
}

fn artefacts() -> Vec<Artefact> {
    let artefact = |kind, bytes: Vec<u8>, encoding| {
        let key = UploadKey { kind, digest: Digest::of(&bytes).into() };
        Artefact { kind, bytes, key, encoding }
    };
    let mut all = Vec::new();
    // The second needs two chunks; the third has another encoding.
    for (name, columns, rows) in [("one", 3, 20), ("two", 3, 130_000), ("three", 4, 10)] {
        let dataset = dataset_of(schema(name, columns), rows);
        all.push(artefact(ArtefactKind::Dataset, dataset.bytes().to_vec(), dataset.schema().encoding()));
    }
    let encoding = schema("one", 3).encoding();
    for name in ["a", "b"] {
        let model = Model { name: name.to_owned(), ..model(encoding) };
        all.push(artefact(ArtefactKind::Model, model.to_bytes(), encoding));
    }
    let narrow = Model { name: "narrow".to_owned(), activation_bits: 6, ..model(encoding) };
    all.push(artefact(ArtefactKind::Model, narrow.to_bytes(), encoding));
    all
}

const PEOPLE: [u8; 5] = [CONTROLLER, REGISTRAR, AUDITOR, OWNER, STRANGER];
/// Artefacts as often as they are called for: a dataset and two models that fit it more than the others.
const OFTEN: [usize; 10] = [0, 0, 0, 1, 2, 3, 3, 4, 5, 5];
const OPEN_AUDITS: usize = 2;
const UPLOADS: usize = 2;

#[derive(Default)]
struct Expected {
    roles: BTreeSet<(Role, u8)>,
    /// Chunks that were put, and whether the last one put at each place is right.
    uploads: BTreeMap<(u8, usize), BTreeMap<u32, bool>>,
    registered: BTreeMap<usize, u8>,
    audits: Vec<ExpectedAudit>,
    certificates: Vec<ExpectedCertificate>,
}

struct ExpectedAudit {
    model: usize,
    dataset: usize,
    owner: u8,
    requester: u8,
    supersedes: Option<u64>,
    state: StateKind,
}

struct ExpectedCertificate {
    owner: u8,
    dataset: usize,
    state: &'static str,
}

impl Expected {
    fn has(&self, by: u8, role: Role) -> bool {
        by == CONTROLLER || self.roles.contains(&(role, by))
    }

    fn may_upload(&self, by: u8, kind: ArtefactKind) -> Outcome {
        if kind == ArtefactKind::Dataset && !self.has(by, Role::Registrar) {
            Err("not allowed")
        } else {
            Ok(())
        }
    }

    fn open_audits(&self, by: u8) -> usize {
        let open = |audit: &&ExpectedAudit| {
            audit.requester == by && matches!(audit.state, StateKind::Requested | StateKind::Running)
        };
        self.audits.iter().filter(open).count()
    }

    fn begin(&mut self, by: u8, index: usize, kind: ArtefactKind) -> Outcome {
        self.may_upload(by, kind)?;
        if self.registered.contains_key(&index) {
            return Err("already registered");
        }
        if !self.uploads.contains_key(&(by, index))
            && self.uploads.keys().filter(|(whose, _)| *whose == by).count() == UPLOADS
        {
            return Err("quota");
        }
        self.uploads.entry((by, index)).or_default();
        Ok(())
    }

    fn put(&mut self, by: u8, index: usize, kind: ArtefactKind, chunk: u32, right: bool) -> Outcome {
        self.may_upload(by, kind)?;
        self.uploads.get_mut(&(by, index)).ok_or("not found")?.insert(chunk, right);
        Ok(())
    }

    fn seal(&mut self, by: u8, index: usize, kind: ArtefactKind, chunks: usize) -> Outcome {
        self.may_upload(by, kind)?;
        let put = self.uploads.get(&(by, index)).ok_or("not found")?;
        if self.registered.contains_key(&index) {
            return Err("already registered");
        }
        if put.len() < chunks {
            return Err("incomplete");
        }
        if put.values().any(|right| !right) {
            return Err("mismatch");
        }
        self.uploads.remove(&(by, index));
        self.registered.insert(index, by);
        Ok(())
    }

    fn request(
        &mut self,
        by: u8,
        (model, dataset): (usize, usize),
        fits: bool,
        supersedes: Option<u64>,
    ) -> Outcome {
        let owner = *self.registered.get(&model).ok_or("not found")?;
        self.registered.get(&dataset).ok_or("not found")?;
        if by != owner && !self.has(by, Role::Registrar) && !self.has(by, Role::Auditor) {
            return Err("not allowed");
        }
        if !fits {
            return Err("encoding");
        }
        if let Some(id) = supersedes {
            let replaced = self.certificates.get(id as usize - 1).ok_or("not found")?;
            if (by != owner && by != CONTROLLER) || replaced.owner != owner {
                return Err("not allowed");
            }
            if replaced.dataset != dataset || replaced.state != "valid" {
                return Err("state");
            }
        }
        if self.open_audits(by) == OPEN_AUDITS {
            return Err("quota");
        }
        let state = StateKind::Requested;
        self.audits.push(ExpectedAudit { model, dataset, owner, requester: by, supersedes, state });
        Ok(())
    }

    fn abandon(&mut self, by: u8, id: u64) -> Outcome {
        let audit = self.audits.get_mut(id as usize - 1).ok_or("not found")?;
        if by != audit.owner && by != audit.requester && by != CONTROLLER {
            return Err("not allowed");
        }
        if !matches!(audit.state, StateKind::Requested | StateKind::Running) {
            return Err("state");
        }
        audit.state = StateKind::Abandoned;
        Ok(())
    }

    fn revoke(&mut self, by: u8, id: u64) -> Outcome {
        let certificate = self.certificates.get_mut(id as usize - 1).ok_or("not found")?;
        if by != certificate.owner && by != CONTROLLER {
            return Err("not allowed");
        }
        if certificate.state == "revoked" {
            return Err("state");
        }
        certificate.state = "revoked";
        Ok(())
    }

    /// An audit ended by itself: the model `narrow` leaves its tables, the others do not.
    fn end(&mut self, id: u64, narrow: usize) {
        let audit = &mut self.audits[id as usize - 1];
        if audit.model == narrow {
            audit.state = StateKind::Refused;
            return;
        }
        audit.state = StateKind::Completed;
        if let Some(replaced) = audit.supersedes {
            let replaced = &mut self.certificates[replaced as usize - 1];
            if replaced.state == "valid" {
                replaced.state = "superseded";
            }
        }
        let (owner, dataset) = (audit.owner, audit.dataset);
        self.certificates.push(ExpectedCertificate { owner, dataset, state: "valid" });
    }

    /// Everything that can be read says the same.
    fn compare(&self, world: &World, artefacts: &[Artefact]) {
        let state = &world.state;
        for &number in &PEOPLE {
            let by = Context { caller: person(number), is_controller: false, now_ns: world.now_ns };
            let uploads: BTreeSet<_> = state
                .uploads(&by)
                .unwrap()
                .into_iter()
                .map(|upload| (upload.digest, upload.missing.len()))
                .collect();
            let own = self.uploads.iter().filter(|((whose, _), _)| *whose == number);
            let expected = own.map(|((_, index), put)| {
                let artefact = &artefacts[*index];
                (artefact.key.digest, artefact.bytes.chunks(CHUNK_BYTES as usize).count() - put.len())
            });
            assert_eq!(uploads, expected.collect());
            assert_eq!(
                state.account(person(number)).unwrap().open_audits as usize,
                self.open_audits(number),
                "open audits of {number}"
            );
        }
        let registered = |kind| -> BTreeMap<DigestBytes, Principal> {
            let of_kind = self.registered.iter().filter(|(index, _)| artefacts[**index].kind == kind);
            of_kind.map(|(index, owner)| (artefacts[*index].key.digest, person(*owner))).collect()
        };
        let datasets = state.list_datasets(&DatasetsRequest::default()).unwrap().items;
        let datasets = datasets.into_iter().map(|dataset| (dataset.digest, dataset.owner));
        assert_eq!(datasets.collect::<BTreeMap<_, _>>(), registered(ArtefactKind::Dataset));
        let models = state.list_models(&ModelsRequest::default()).unwrap().items;
        for model in &models {
            let of_model = |audit: &&ExpectedAudit| artefacts[audit.model].key.digest == model.digest;
            assert_eq!(model.audits as usize, self.audits.iter().filter(of_model).count());
        }
        let models = models.into_iter().map(|model| (model.digest, model.owner));
        assert_eq!(models.collect::<BTreeMap<_, _>>(), registered(ArtefactKind::Model));

        let mut audits = Vec::new();
        let mut request = AuditsRequest { limit: Some(7), ..AuditsRequest::default() };
        loop {
            let page = state.list_audits(&request).unwrap();
            audits.extend(page.items);
            request.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        audits.reverse();
        assert_eq!(audits.len(), self.audits.len());
        for (record, expected) in audits.iter().zip(&self.audits) {
            let kind = match record.state.kind() {
                // The model does not know how far a replay is.
                StateKind::Running => StateKind::Requested,
                kind => kind,
            };
            assert_eq!(kind, expected.state, "audit {}", record.id);
            assert_eq!(record.owner, person(expected.owner));
            assert_eq!(record.requester, person(expected.requester));
        }
        let mut request = CertificatesRequest { limit: Some(100), ..CertificatesRequest::default() };
        let mut count = 0;
        loop {
            let page = state.list_certificates(&request, world.now_ns).unwrap();
            for found in &page.items {
                let expected = &self.certificates[found.id as usize - 1];
                let name = match &found.state {
                    CertificateState::Valid => "valid",
                    CertificateState::Superseded { .. } => "superseded",
                    CertificateState::Suspended { .. } => "suspended",
                    CertificateState::Revoked { .. } => "revoked",
                };
                assert_eq!((name, found.owner), (expected.state, person(expected.owner)));
            }
            count += page.items.len();
            request.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(count, self.certificates.len());
        let stored = state.totals.get().unwrap().stored_bytes;
        let uploads = self.uploads.keys().map(|(_, index)| index);
        let expected: usize = uploads
            .chain(self.registered.keys())
            .map(|index| artefacts[*index].bytes.len())
            .map(blocks)
            .sum();
        assert_eq!(stored, expected as u64 * u64::from(CHUNK_BYTES));
    }
}

/// Content takes whole blocks.
fn blocks(bytes: usize) -> usize {
    bytes.div_ceil(CHUNK_BYTES as usize)
}

fn run(seed: u64, calls: u32) {
    let mut random = Random(seed);
    let artefacts = artefacts();
    let narrow = artefacts.len() - 1;
    let mut world = World::new();
    world.quotas(|quotas| (quotas.uploads, quotas.open_audits) = (UPLOADS as u32, OPEN_AUDITS as u32));
    let mut expected = Expected::default();
    expected.roles.extend([(Role::Registrar, REGISTRAR), (Role::Auditor, AUDITOR)]);
    let mut traps = 0;
    for call in 0..calls {
        let by = random.of(&PEOPLE);
        let context = world.by(by);
        let index = random.of(&OFTEN);
        let Artefact { kind, bytes, key, .. } = &artefacts[index];
        let chunks: Vec<_> = bytes.chunks(CHUNK_BYTES as usize).collect();
        let state = &mut world.state;
        let (what, got, wanted) = match random.below(100) {
            0..4 => {
                let (role, who) = (random.of(&[Role::Registrar, Role::Auditor]), random.of(&PEOPLE));
                let change = RoleChange { role, principal: person(who) };
                let wanted = if by == CONTROLLER { Ok(()) } else { Err("not allowed") };
                if by == CONTROLLER {
                    expected.roles.insert((role, who));
                }
                ("add role", outcome(state.add_role(&context, change)), wanted)
            }
            4..8 => {
                let (role, who) = (random.of(&[Role::Registrar, Role::Auditor]), random.of(&PEOPLE));
                let change = RoleChange { role, principal: person(who) };
                let wanted = match by == CONTROLLER {
                    true if expected.roles.remove(&(role, who)) => Ok(()),
                    true => Err("not found"),
                    false => Err("not allowed"),
                };
                ("remove role", outcome(state.remove_role(&context, change)), wanted)
            }
            8..23 => {
                let begin = BeginUpload { kind: *kind, digest: key.digest, size: bytes.len() as u64 };
                let wanted = expected.begin(by, index, *kind);
                ("begin", outcome(state.begin_upload(&context, begin)), wanted)
            }
            23..45 => {
                let chunk = random.below(chunks.len() as u64) as u32;
                let mut put = chunks[chunk as usize].to_vec();
                let right = random.below(8) > 0;
                if !right {
                    let at = random.below(put.len() as u64) as usize;
                    put[at] ^= 1 << random.below(8);
                }
                let wanted = expected.put(by, index, *kind, chunk, right);
                let put = PutChunk { kind: *kind, digest: key.digest, index: chunk, bytes: put };
                ("put", outcome(state.put_chunk(&context, put)), wanted)
            }
            45..58 => {
                let wanted = expected.seal(by, index, *kind, chunks.len());
                ("seal", outcome(state.seal_upload(&context, *key)), wanted)
            }
            58..61 => {
                let wanted = expected.uploads.remove(&(by, index)).map(|_| ()).ok_or("not found");
                ("abort", outcome(state.abort_upload(&context, *key)), wanted)
            }
            61..75 => {
                let pair = (3 + random.below(3) as usize, random.of(&[0, 0, 1, 2]));
                let fits = artefacts[pair.0].encoding == artefacts[pair.1].encoding;
                let last = expected.certificates.len() as u64;
                let supersedes = (random.below(3) == 0).then(|| random.below(last + 1) + 1);
                let size = random.below(10) as u32 + 1;
                let asked = request(artefacts[pair.0].key.digest, artefacts[pair.1].key.digest);
                // Some rows lie within the narrow model's tables, but never all.
                let sample_size = (pair.0 != narrow).then_some(size);
                let asked = AuditRequest { sample_size, supersedes, ..asked };
                let wanted = expected.request(by, pair, fits, supersedes);
                ("request", outcome(state.request_audit(&context, asked)), wanted)
            }
            75..79 => {
                let id = random.below(expected.audits.len() as u64 + 1) + 1;
                let wanted = expected.abandon(by, id);
                let abandon = AbandonAudit { id, reason: "random".to_owned() };
                ("abandon", outcome(state.abandon_audit(&context, abandon)), wanted)
            }
            79..83 => {
                let id = random.below(expected.certificates.len() as u64 + 1) + 1;
                let wanted = expected.revoke(by, id);
                let revoke = RevokeCertificate { id, reason: "random".to_owned() };
                ("revoke", outcome(state.revoke_certificate(&context, revoke)), wanted)
            }
            83..95 => {
                if let Next::Do(id, step) = state.begin_step(context.now_ns).unwrap() {
                    // One step in eight traps, though not so often in a row that the audit is refused.
                    if traps < 3 && random.below(8) == 0 {
                        traps += 1;
                        world.now_ns += 700 * SECOND_NS;
                    } else {
                        traps = 0;
                        world.perform(id, step);
                    }
                    if !world.record(id).state.is_open() {
                        expected.end(id, narrow);
                    }
                }
                ("step", Ok(()), Ok(()))
            }
            _ => {
                world.upgrade();
                ("upgrade", Ok(()), Ok(()))
            }
        };
        assert_eq!(got, wanted, "seed {seed}, call {call}: {what} by {by} of {index}");
        if call % 16 == 0 {
            expected.compare(&world, &artefacts);
        }
    }
    world.upgrade();
    expected.compare(&world, &artefacts);
    assert!(!expected.certificates.is_empty(), "seed {seed} never came to a certificate");
    let open = world.record(1);
    assert!(!matches!(open.state, AuditState::Running { done, of } if done > of));
}

#[test]
fn random_calls_agree_with_the_model() {
    for seed in 1..=8 {
        run(seed, 2000);
    }
}
