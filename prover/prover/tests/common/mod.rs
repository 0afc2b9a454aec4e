//! Small random models and their proofs.
#![allow(dead_code)]

pub mod cells;

use std::sync::OnceLock;

use audit::{Activation, Decision, Digest, Layer, Model, Table};
use prover::{
    ModelSecret, ProverSetup, Witness,
    audit_proof::prove_with,
    registration,
    sabotage::{Honest, Saboteur},
    witness::SlotValues,
};
use verifier::{Architecture, Layout, RegisteredModel, Statement, VerifyError};

/// One set-up for all tests of a binary.
pub fn setup() -> &'static ProverSetup {
    static SETUP: OnceLock<ProverSetup> = OnceLock::new();
    SETUP.get_or_init(|| ProverSetup::new().unwrap())
}

/// A shape to be proved.
#[derive(Debug, Clone)]
pub struct Case {
    /// Inputs, then the units of each layer.
    pub widths: Vec<u32>,
    /// N.
    pub samples: usize,
    /// B.
    pub bits: u8,
    /// Functions of the hidden layers, in turn.
    pub hidden: Vec<Activation>,
    /// w of the layers, in turn.
    pub shifts: Vec<u8>,
}

impl Case {
    /// Relu layers; one output is a step, more are an arg-max.
    pub fn new(widths: &[u32], samples: usize) -> Self {
        let hidden = vec![Activation::Relu];
        Self { widths: widths.to_vec(), samples, bits: 8, hidden, shifts: vec![9] }
    }

    /// Corner cases: N = 1, N = 2^n, one input, one unit, one layer, eight layers, every function,
    /// arg-max, shifts that differ.
    pub fn shapes() -> Vec<Self> {
        let mut shapes = vec![
            Self::new(&[1, 1], 1),
            Self::new(&[3, 1], 8),
            Self::new(&[5, 4, 1], 5),
            Self::new(&[4, 3, 2], 7),
            Self::new(&[4, 16], 9),
            Self::new(&[2, 1, 1, 3], 6),
            Self::new(&[3, 2, 3, 2, 3, 2, 3, 2, 1], 3),
            Self::new(&[9, 33, 5], 17),
        ];
        let mut functions = Self::new(&[6, 7, 5, 4, 1], 16);
        functions.hidden = vec![Activation::Table(0), Activation::Identity, Activation::Step];
        functions.shifts = vec![9, 8, 7];
        shapes.push(functions);
        shapes
    }

    /// A model whose values stay in the tables.
    pub fn model(&self) -> Model {
        let mut state = 88172645463325252_u64;
        let mut next = move |below: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % (2 * below as u64 + 1)) as i64 - below
        };
        let half = 1_i32 << (self.bits - 1);
        let count = self.widths.len() - 1;
        let classes = self.widths[count];
        let layers: Vec<Layer> = (0..count)
            .map(|index| {
                let (inputs, units) = (self.widths[index], self.widths[index + 1]);
                let last = index + 1 == count;
                let activation = match (last, classes) {
                    (true, 1) => Activation::Step,
                    (true, _) => Activation::Identity,
                    _ => self.hidden[index % self.hidden.len()],
                };
                Layer {
                    inputs,
                    units,
                    shift: self.shifts[index % self.shifts.len()],
                    activation,
                    weights: (0..inputs * units)
                        .map(|_| next(200 / i64::from(inputs).max(1) + 3) as i16)
                        .collect(),
                    bias: (0..units).map(|_| next(9000) as i32).collect(),
                }
            })
            .collect();
        let table = Table {
            name: "triangle".to_owned(),
            values: (-half..half).map(|q| (half / 2 - q.abs()) as i16).collect(),
        };
        let mut model = Model {
            name: "case".to_owned(),
            encoding: Digest([1; 32]),
            source: Digest([2; 32]),
            classes: classes.max(2) as u8,
            activation_bits: self.bits,
            tables: vec![table],
            decision: if classes == 1 { Decision::Step } else { Decision::ArgMax },
            layers,
        };
        self.centre(&mut model);
        model.validate().unwrap();
        model
    }

    /// Moves biases so that the middle one of each unit's values over the samples is 0: no unit is dead, and no class
    /// gets all samples.
    fn centre(&self, model: &mut Model) {
        for index in 0..model.layers.len() {
            let slots = Witness::new(model, &self.features()).unwrap().slots;
            let SlotValues { units, q, .. } = &slots[index];
            let layer = &mut model.layers[index];
            for (unit, bias) in layer.bias.iter_mut().enumerate() {
                let mut outputs: Vec<i32> = q.iter().skip(unit).step_by(*units).copied().collect();
                outputs.sort_unstable();
                outputs.dedup();
                *bias -= outputs[(outputs.len() - 1) / 2] << layer.shift;
            }
        }
    }

    /// Random features.
    pub fn features(&self) -> Vec<i16> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let count = self.samples * self.widths[0] as usize;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 40) as i16 % 100
            })
            .collect()
    }

    /// Registers with a range proof, then proves with the same seed.
    pub fn prove(&self, seed: u8) -> Proved {
        let mut proved = self.prepare(seed);
        let commitment = proved.registered.commitment().clone();
        let proof =
            registration::prove(setup(), &proved.model, &proved.secret, &commitment, &[seed; 32]).unwrap();
        proved.registered = verifier::registration::verify(&setup().verifier, commitment, &proof).unwrap();
        proved.registration = proof;
        proved.proof = proved.prove_with(seed, &mut Honest);
        proved
    }

    /// A true statement about a model that counts as registered, without proofs.
    pub fn prepare(&self, seed: u8) -> Proved {
        self.prepare_model(self.model(), seed)
    }

    /// [`Case::prepare`] with weights of one's own.
    pub fn prepare_model(&self, model: Model, seed: u8) -> Proved {
        let secret = ModelSecret::new([seed; 32]);
        let registered = RegisteredModel::trusted(secret.commit(setup(), &model, b"owner"));
        let cell_of: Vec<u32> = (0..self.samples as u32).map(|sample| sample % 3).collect();
        let features = self.features();
        let counts = Witness::new(&model, &features).unwrap().counts(&cell_of, 3, model.classes.into());
        Proved {
            architecture: Architecture::of(&model),
            registered,
            context: Digest([3; 32]),
            features,
            cell_of,
            cells: 3,
            counts,
            outputs: Vec::new(),
            proof: Vec::new(),
            registration: Vec::new(),
            model,
            secret,
        }
    }
}

/// A statement with its proof.
#[derive(Debug, Clone)]
pub struct Proved {
    pub architecture: Architecture,
    pub registered: RegisteredModel,
    pub context: Digest,
    pub features: Vec<i16>,
    pub cell_of: Vec<u32>,
    pub cells: usize,
    pub counts: Vec<u32>,
    pub outputs: Vec<i16>,
    pub proof: Vec<u8>,
    pub registration: Vec<u8>,
    pub model: Model,
    pub secret: ModelSecret,
}

impl Proved {
    pub fn statement(&self) -> Statement<'_> {
        Statement {
            model: self.registered.id(),
            architecture: &self.architecture,
            context: self.context,
            features: &self.features,
            cell_of: &self.cell_of,
            cells: self.cells,
            counts: &self.counts,
            outputs: &self.outputs,
        }
    }

    /// A proof by this prover, whatever it is worth.
    pub fn prove_with(&self, seed: u8, saboteur: &mut dyn Saboteur) -> Vec<u8> {
        let (setup, statement, seed) = (setup(), self.statement(), [seed; 32]);
        let (model, secret, registered) = (&self.model, &self.secret, &self.registered);
        prove_with(setup, model, secret, registered, &statement, &seed, saboteur).unwrap().0
    }

    /// What the verifier says.
    pub fn verify(&self, proof: &[u8]) -> Result<(), VerifyError> {
        verifier::audit_proof::verify(&setup().verifier, &self.registered, &self.statement(), proof)
    }

    pub fn layout(&self) -> Layout {
        Layout::new(&self.architecture, self.cell_of.len()).unwrap()
    }
}
