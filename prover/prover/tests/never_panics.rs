//! Whatever bytes and sizes the verifier is given, it answers; only what was proved is accepted.
//!
//! The same mutations every time. The fuzz targets `package`, `proof`, `proof_prefix` and `statement` look further.

mod common;

use audit::{Activation, Decision, Digest};
use common::{Case, Proved, setup};
use rand_chacha::{ChaCha20Rng, rand_core::Rng};
use rand_core::SeedableRng as _;
use verifier::{
    Architecture, F, LayerShape, Layout, Package, Parts, Statement, Submission, audit_proof,
    closing::CLOSING_BYTES,
    ff::{Field as _, PrimeField as _},
    group::GroupEncoding as _,
    registration::RangeLayout,
    statement::Inference,
    transcript::ELEMENT,
};

/// A seeded source of choices.
struct Choices(ChaCha20Rng);

impl Choices {
    fn new(seed: u8) -> Self {
        Self(ChaCha20Rng::from_seed([seed; 32]))
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u32() as u8
    }

    /// Small, or close to a power of two, or anything.
    fn size(&mut self) -> u32 {
        match self.below(3) {
            0 => self.below(20) as u32,
            1 => (1_u32 << self.below(32)).wrapping_add(self.below(3) as u32).wrapping_sub(1),
            _ => self.0.next_u32(),
        }
    }

    /// A canonical scalar, the identity's encoding, a generator or noise.
    fn element(&mut self) -> [u8; ELEMENT] {
        match self.below(6) {
            0 => [0; ELEMENT],
            1 => [0xff; ELEMENT],
            2 => (-F::ONE).to_repr(),
            3 => F::from(self.0.next_u64()).to_repr(),
            4 => setup().bases[self.below(512)].to_bytes(),
            _ => std::array::from_fn(|_| self.byte()),
        }
    }

    /// Changes bytes at or after `from`.
    fn mutate(&mut self, bytes: &[u8], from: usize) -> Vec<u8> {
        let mut out = bytes.to_vec();
        let at = from + self.below(bytes.len() - from);
        match self.below(8) {
            0 => out[at] ^= 1 << self.below(8),
            1 => out[at] = self.byte(),
            2 => out.truncate(at),
            3 => out.extend((0..=self.below(40)).map(|_| 0)),
            4 => {
                let value = self.size().to_le_bytes();
                out.iter_mut().skip(at).zip(value).for_each(|(out, byte)| *out = byte);
            }
            5 => out.iter_mut().skip(at).for_each(|byte| *byte = self.byte()),
            6 => out.rotate_right(self.below(bytes.len())),
            _ => {
                let value = self.element();
                out.iter_mut().skip(at / ELEMENT * ELEMENT).zip(value).for_each(|(out, byte)| *out = byte);
            }
        }
        out
    }

    /// One element replaced, by another of the proof or by a chosen one.
    fn replace_element(&mut self, proof: &[u8], from: usize) -> Vec<u8> {
        let elements = proof.len() / ELEMENT;
        let at = from + self.below(elements - from);
        let value = match self.below(2) {
            0 => {
                let other = self.below(elements) * ELEMENT;
                std::array::from_fn(|index| proof[other + index])
            }
            _ => self.element(),
        };
        let mut out = proof.to_vec();
        out[at * ELEMENT..][..ELEMENT].copy_from_slice(&value);
        out
    }
}

fn step() -> Case {
    Case::new(&[3, 3, 1], 9)
}

fn arg_max() -> Case {
    Case::new(&[4, 3, 3], 7)
}

/// With a proof, without a registration.
fn proved(case: &Case) -> Proved {
    let mut proved = case.prepare(7);
    proved.proof = proved.prove_with(1, &mut prover::sabotage::Honest);
    assert_eq!(proved.verify(&proved.proof), Ok(()));
    proved
}

#[test]
fn changed_packages_are_refused() {
    let model = step().model();
    let secret = prover::ModelSecret::new([7; 32]);
    let commitment = secret.commit(setup(), &model, b"owner");
    let proof = prover::registration::prove(setup(), &model, &secret, &commitment, &[1; 32]).unwrap();
    let package = Package::to_bytes(&commitment, &proof);
    let verify = |bytes: &[u8]| {
        let parsed = Package::parse(bytes)?;
        let architecture = parsed.architecture.to_bytes();
        assert!(bytes.windows(architecture.len()).any(|part| part == architecture), "one encoding");
        parsed.verify(&setup().verifier)
    };
    assert!(verify(&package).is_ok());

    let mut choices = Choices::new(1);
    // Owner, architecture and rows are a small part of the bytes, and the closing proof another.
    let head = package.len() - proof.len();
    for round in 0..400 {
        let changed = match round % 4 {
            0 => {
                let start = choices.mutate(&package[..head], 0);
                [&start, &package[head..]].concat()
            }
            1 => choices.mutate(&package, head),
            2 => choices.mutate(&package, package.len() - CLOSING_BYTES),
            _ => choices.mutate(&package, 0),
        };
        if changed != package {
            assert!(verify(&changed).is_err(), "round {round}");
        }
    }
}

#[test]
fn changed_proofs_are_refused() {
    for (seed, case) in [step(), arg_max()].iter().enumerate() {
        let proved = proved(case);
        let proof = &proved.proof;
        let mut choices = Choices::new(seed as u8 + 2);
        let elements = proof.len() / ELEMENT;
        for round in 0..400 {
            let from = match round % 3 {
                0 => 0,
                // From the lookup sumcheck on, and in the closing proof.
                1 => proved.layout().sent_rows() + 2,
                _ => elements - CLOSING_BYTES / ELEMENT,
            };
            let changed = match round % 2 {
                0 => choices.mutate(proof, from * ELEMENT),
                _ => choices.replace_element(proof, from),
            };
            if &changed != proof {
                assert!(proved.verify(&changed).is_err(), "round {round}");
            }
        }
    }
}

#[test]
fn other_statements_are_refused() {
    let proved = proved(&step());
    let mut choices = Choices::new(4);
    for round in 0..1000 {
        let mut other = proved.clone();
        match choices.below(8) {
            0 => other.features.truncate(choices.below(other.features.len())),
            1 => other.features.extend(vec![0; choices.below(9)]),
            2 => other.cell_of.truncate(choices.below(other.cell_of.len())),
            3 => other.cell_of.extend(vec![0; choices.below(9)]),
            4 => other.counts.truncate(choices.below(other.counts.len())),
            5 => other.counts.extend(vec![0; choices.below(9)]),
            6 => other.outputs = vec![0; choices.below(12)],
            _ => other.context.0[choices.below(32)] ^= 1,
        }
        for _ in 0..choices.below(3) {
            let (features, cells, counts) = (other.features.len(), other.cell_of.len(), other.counts.len());
            match choices.below(3) {
                0 if features > 0 => other.features[choices.below(features)] = choices.size() as i16,
                1 if cells > 0 => other.cell_of[choices.below(cells)] = choices.size(),
                _ if counts > 0 => other.counts[choices.below(counts)] = choices.size(),
                _ => {}
            }
        }
        let _ = other.statement().digest();
        let result = other.verify(&proved.proof);
        let same = other.features == proved.features
            && other.cell_of == proved.cell_of
            && other.counts == proved.counts
            && other.context == proved.context
            && other.outputs == proved.outputs;
        assert_eq!(result.is_ok(), same, "round {round}");
    }
}

#[test]
fn any_submission_is_read_back_or_refused() {
    let proved = proved(&step());
    let submission = Submission { part: 0, counters: proved.counts.clone(), proof: &proved.proof };
    let bytes = submission.to_bytes();
    let head = bytes.len() - proved.proof.len();
    let mut choices = Choices::new(7);
    for _ in 0..2000 {
        let changed = [&choices.mutate(&bytes[..head], 0), &bytes[head..]].concat();
        if let Ok(submission) = Submission::parse(&changed) {
            assert_eq!(submission.to_bytes(), changed);
        }
    }
}

/// Any sizes, valid or not.
fn architecture(choices: &mut Choices) -> Architecture {
    let mut inputs = choices.size() % 5000;
    let count = choices.below(9);
    let layers = (0..count).map(|_| {
        let units = choices.size() % 5000;
        let activation = match choices.below(4) {
            0 => Activation::Relu,
            1 => Activation::Step,
            2 => Activation::Identity,
            _ => Activation::Table(choices.byte()),
        };
        let layer = LayerShape { inputs, units, shift: (choices.size() % 18) as u8, activation };
        inputs = units;
        layer
    });
    let mut layers: Vec<_> = layers.collect();
    let step = choices.below(2) == 0;
    let classes = if step { 2 } else { 2 + choices.below(63) as u8 };
    if let Some(last) = layers.last_mut() {
        last.units = if step { 1 } else { classes.into() };
        last.activation = if step { Activation::Step } else { Activation::Identity };
    }
    Architecture {
        name: "any".to_owned(),
        encoding: Digest([0; 32]),
        classes,
        activation_bits: 2 + (choices.size() % 16) as u8,
        tables: Vec::new(),
        decision: if step { Decision::Step } else { Decision::ArgMax },
        layers,
    }
}

#[test]
fn any_architecture_has_a_layout_or_is_refused() {
    let mut choices = Choices::new(5);
    let mut laid_out = 0;
    for round in 0..2400 {
        let architecture = architecture(&mut choices);
        let bytes = architecture.to_bytes();
        let parsed = Architecture::parse(&bytes);
        assert_eq!(parsed.is_ok(), architecture.validate().is_ok());
        let Ok(architecture) = parsed else { continue };
        assert_eq!(architecture.to_bytes(), bytes);
        let _ = RangeLayout::new(&architecture).map(|layout| layout.model_masks);
        // It lays out many sizes, so only some are tried.
        if round % 16 == 0
            && let Ok(parts) = Parts::new(&architecture, choices.size() as usize)
        {
            assert!(parts.range(0).is_some_and(|first| first.start == 0 && !first.is_empty()));
            assert!(parts.range(parts.count() - 1).is_some_and(|last| !last.is_empty()));
            assert_eq!(parts.range(parts.count()), None);
        }
        let Ok(layout) = Layout::new(&architecture, choices.size() as usize) else { continue };
        // The number of rows is bounded by the address bits; counting all of them here would be slow.
        if layout.address_bits <= 20 {
            assert_eq!(audit_proof::proof_len(&layout) % ELEMENT, 0);
        }
        assert!(layout.masks.len <= 256);
        laid_out += 1;
    }
    assert!(laid_out > 20, "{laid_out}");
}

#[test]
fn any_prediction_has_a_statement_or_is_refused() {
    let proved = proved(&arg_max());
    let mut choices = Choices::new(6);
    for _ in 0..300 {
        let classes: Vec<u8> = (0..choices.below(12)).map(|_| choices.byte() % 5).collect();
        let features: Vec<i16> = (0..choices.below(12) * 4).map(|_| choices.size() as i16).collect();
        let outputs: Vec<i16> =
            (0..choices.below(2) * classes.len() * 3).map(|_| choices.size() as i16).collect();
        let inference = Inference::new(&proved.registered, Digest([9; 32]), &features, &classes, &outputs);
        let Ok(inference) = inference else { continue };
        let statement: Statement<'_> = inference.statement();
        let result = audit_proof::verify(&setup().verifier, &proved.registered, &statement, &proved.proof);
        assert!(result.is_err());
    }
}
