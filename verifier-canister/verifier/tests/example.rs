//! The worked example of `docs/proof-format.md`: every number printed there.
//!
//! 16 inputs, 32 and 16 relu units, one step unit; N = 1024 samples, B = 12, w = 8 for all layers.

use audit::{Activation, Decision, Digest};
use verifier::{
    Architecture, AuditContext, F, LayerShape, Layout, ModelCommitment, Package, Parts, Point, Setup,
    Statement, Submission, Tape,
    audit_proof::{FIRST_TAPES, proof_len},
    closing::CLOSING_BYTES,
    ff::PrimeField as _,
    halo2_proofs::transcript::{Challenge255, Transcript},
    registration::RangeLayout,
};

const SAMPLES: usize = 1024;

fn architecture() -> Architecture {
    let layer = |inputs, units, activation| LayerShape { inputs, units, shift: 8, activation };
    let architecture = Architecture {
        name: "example".to_owned(),
        encoding: Digest([1; 32]),
        classes: 2,
        activation_bits: 12,
        tables: Vec::new(),
        decision: Decision::Step,
        layers: vec![
            layer(16, 32, Activation::Relu),
            layer(32, 16, Activation::Relu),
            layer(16, 1, Activation::Step),
        ],
    };
    architecture.validate().unwrap();
    architecture
}

/// A commitment with the first generators as rows: a proof of it cannot be made, its bytes can.
fn commitment() -> ModelCommitment {
    let rows = RangeLayout::new(&architecture()).unwrap().rows(Tape::M).len();
    let bytes = &verifier::setup::GENERATORS[4..4 + 32 * rows];
    ModelCommitment::parse(architecture(), b"owner", bytes).unwrap()
}

#[test]
fn audit_layout() {
    let layout = Layout::new(&architecture(), SAMPLES).unwrap();
    assert_eq!((layout.sample_bits, layout.address_bits, layout.contraction_bits), (11, 17, 6));
    let slots: Vec<_> = layout.slots.iter().map(|slot| (slot.base, slot.unit_bits)).collect();
    assert_eq!(slots, [(0, 5), (65_536, 4), (114_688, 0)]);
    let tags: Vec<_> = layout.slots.iter().map(|slot| slot.function.tag()).collect();
    assert_eq!(tags, [2, 2, 3]);
    assert_eq!((layout.table.base, layout.table.bits, layout.table.entries), (98_304, 14, 8448));
    let model: Vec<_> = layout.model.iter().map(|slot| (slot.base, slot.row_bits, slot.mask_row())).collect();
    assert_eq!(model, [(0, 5, 18), (1024, 6, 34), (2048, 5, 18)]);
    assert_eq!(layout.rows(Tape::M), [0, 1, 2, 4, 5, 6, 8]);
    let masks = &layout.masks;
    assert_eq!(
        (masks.lookup, masks.samples, masks.contraction, masks.model, masks.len),
        (0, 69, 92, 111, 117)
    );
    let entry = |index: usize| {
        let entry = layout.entries(&architecture()).nth(index).unwrap();
        (entry.key, entry.value, entry.tag)
    };
    assert_eq!([0, 4095].map(entry), [(-2048, 0, 2), (2047, 2047, 2)]);
    assert_eq!([4096, 8191].map(entry), [(-2048, 0, 3), (2047, 1, 3)]);
    assert_eq!([8192, 8447].map(entry), [(0, 0, 72), (255, 0, 72)]);
}

#[test]
fn audit_proof_bytes() {
    let layout = Layout::new(&architecture(), SAMPLES).unwrap();
    let rows = |tape| layout.rows(tape).len();
    assert_eq!(FIRST_TAPES.map(rows), [232, 199, 199, 1]);
    assert_eq!(rows(Tape::H), 232);
    // Q, R, X, Z, C_d, C_z, H, lookups, samples, contraction, opening, closing.
    let elements = [232, 199, 199, 1, 1, 1, 232, 74, 27, 25, 35, 40];
    let mut offsets = vec![0];
    elements.iter().for_each(|count| offsets.push(offsets[offsets.len() - 1] + 32 * count));
    assert_eq!(
        offsets,
        [0, 7424, 13_792, 20_160, 20_192, 20_224, 20_256, 27_680, 30_048, 30_912, 31_712, 32_832, 34_112]
    );
    assert_eq!((proof_len(&layout), CLOSING_BYTES), (34_112, 1280));
}

#[test]
fn registration_proof_and_package_bytes() {
    let layout = RangeLayout::new(&architecture()).unwrap();
    assert_eq!((layout.table, layout.address_bits, layout.mask_cell), (65_536, 17, 576));
    assert_eq!((layout.model_masks, layout.z_len), (52, 58));
    let rows = [Tape::Q, Tape::Z, Tape::H, Tape::M].map(|tape| layout.rows(tape).len());
    assert_eq!(rows, [257, 1, 263, 7]);
    // Q, Z, C_d, C_z, H, range, opening, closing.
    assert_eq!(layout.proof_len(), 32 * (257 + 1 + 2 + 263 + 56 + 35 + 40));
    assert_eq!(layout.proof_len(), 20_928);
    let bytes = architecture().to_bytes();
    assert_eq!(bytes.len(), 86);
    assert_eq!(Architecture::parse(&bytes), Ok(architecture()));
    let package = Package::to_bytes(&commitment(), &vec![0; layout.proof_len()]);
    assert_eq!(package.len(), 21_256);
    let parsed = Package::parse(&package).unwrap();
    assert_eq!((parsed.owner, parsed.rows.len(), parsed.proof.len()), (&b"owner"[..], 224, 20_928));
}

#[test]
fn submission_bytes() {
    let layout = Layout::new(&architecture(), SAMPLES).unwrap();
    let proof = vec![0; proof_len(&layout)];
    let submission = Submission { part: 0, counters: vec![128; 8], proof: &proof };
    assert_eq!(submission.to_bytes().len(), 34_160);
    // Layers of 1024 units: halved from 16,384 samples to 512, the first size with at most 2^14 rows.
    let mut wide = architecture();
    wide.layers[0].units = 1024;
    wide.layers[1].inputs = 1024;
    let parts = Parts::new(&wide, 16_384).unwrap();
    assert_eq!((parts.count(), parts.range(31)), (32, Some(15_872..16_384)));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn digests_and_first_challenge() {
    let commitment = commitment();
    let architecture = architecture();
    assert_eq!(
        hex(&Digest::of(&architecture.to_bytes()).0),
        "74da320073f7586f9e2028c36e3f1330fab3a9e30cdf6ab6e60a34e0e89a507f"
    );
    assert_eq!(hex(&commitment.id().0), "a3f7e53c49a7d8aae619b7a14dc9f984a8140d22a08819e4bdbab66624595360");
    assert_eq!(
        hex(&commitment.statement_digest()),
        "f36569135f246c8f987f0538c3ea1721386c959a15d3a2ebdd7ff8ced2adc4e9"
    );

    let digest = |byte| Digest([byte; 32]);
    let audit = AuditContext {
        canister: &[1, 2, 3],
        audit: 4,
        seed: &[5; 32],
        dataset: digest(6),
        package: digest(7),
    };
    let parts = Parts::new(&architecture, SAMPLES).unwrap();
    assert_eq!(parts.count(), 1);
    let context = audit.of_part(&parts, 0);
    assert_eq!(hex(&context.0), "3de305a78695812da28a5fd26280c461b60ab6bdd368b36c9fb12d8cd7b41b57");
    let features: Vec<i16> = (0..16 * 1024).map(|i| i % 201 - 100).collect();
    let cell_of: Vec<u32> = (0..1024).map(|i| i % 4).collect();
    let counts = [200, 56, 156, 100, 128, 128, 56, 200];
    let statement = Statement {
        model: commitment.id(),
        architecture: &architecture,
        context,
        features: &features,
        cell_of: &cell_of,
        cells: 4,
        counts: &counts,
        outputs: &[],
    };
    assert_eq!(statement.check(), Ok(()));
    let digest = statement.digest();
    assert_eq!(hex(&digest), "3ef3b192237dbe583882adea7f25bcd8879dec37c961b6218a4696511b5a0c59");
    let challenge = verifier::transcript::Reader::new(&[], &digest).unwrap().challenge();
    assert_eq!(hex(&challenge.to_repr()), "e6e039be55782d11a057982fecf9fd1ec93d0b3346cb07fa8abcbc1e23ff3204");
}

/// Keeps the scalar that the closing proof's key is absorbed as.
struct Key(Option<F>);

impl Transcript<Point, Challenge255<Point>> for Key {
    fn squeeze_challenge(&mut self) -> Challenge255<Point> {
        panic!("nothing is drawn")
    }

    fn common_point(&mut self, _: Point) -> std::io::Result<()> {
        panic!("no point is absorbed")
    }

    fn common_scalar(&mut self, scalar: F) -> std::io::Result<()> {
        self.0 = Some(scalar);
        Ok(())
    }
}

#[test]
fn closing_key() {
    let mut key = Key(None);
    Setup::new().unwrap().key.hash_into(&mut key).unwrap();
    assert_eq!(
        hex(&key.0.unwrap().to_repr()),
        "258a637659e0ed700a3c797fc27a86768c15012e61fd69a7635de5aab03a5a3a"
    );
    assert_eq!(
        hex(&Digest::of(verifier::setup::GENERATORS).0),
        "b7ea13dd3cfe5db384fab28fd90c4ca7327fb20d3fde16c12eb8b3f81538cb62"
    );
}
