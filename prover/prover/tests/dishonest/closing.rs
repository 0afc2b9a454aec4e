//! Closing proofs of something else, and models that are not the registered one.

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner},
    plonk::{Circuit, ConstraintSystem, Error, keygen_pk, keygen_vk},
    poly::Rotation,
};
use prover::{
    ProveError, ProverSetup, Randomness, Witness,
    closing::{Blinding, Combined, prove_circuit},
    registration::model_cells,
    sabotage::{Factors, Opening, Saboteur},
    transcript::Writer,
};
use verifier::{
    Check, F, VerifyError,
    closing::{CLOSING_BYTES, ClosingCircuit, END, weights},
    ff::Field as _,
};

use crate::{
    common::{Proved, setup},
    decided,
    forger::{Columns, Filled, accumulate},
    recounted, step,
};

type Close<'c> = dyn Fn(&mut Writer, Combined<'_>, &mut Randomness) -> Result<(), ProveError> + 'c;

/// Makes the closing proof in its own way; `lies` about masks before.
struct Closes<'c> {
    lies: bool,
    close: &'c Close<'c>,
}

impl Saboteur for Closes<'_> {
    fn lies_about_masks(&self) -> bool {
        self.lies
    }

    fn close(
        &mut self,
        _: &ProverSetup,
        writer: &mut Writer,
        combined: Combined<'_>,
        _: Factors<'_>,
        randomness: &mut Randomness,
    ) -> Result<(), ProveError> {
        (self.close)(writer, combined, randomness)
    }
}

#[track_caller]
fn closes(proved: &Proved, check: Option<Check>, close: &Close<'_>) {
    let expected = check.map_or(Ok(()), |check| Err(VerifyError::Failed(check)));
    let proof = proved.prove_with(1, &mut Closes { lies: true, close });
    assert_eq!(proved.verify(&proof), expected);
}

/// A statement whose false count only the closing proof can refuse.
fn false_statement() -> Proved {
    let proved = step();
    let sample = decided(&proved, 0);
    recounted(proved, sample, 0, 1)
}

#[test]
fn closing_proof_with_other_blinding_values() {
    for factor in [false, true] {
        closes(&step(), Some(Check::ClosingCommitments), &|writer, mut combined, randomness| {
            let Blinding { rows, factor: own } = &mut combined.row_blinding;
            *if factor { own } else { &mut rows[2] } += F::ONE;
            prover::closing::prove(setup(), writer, combined, randomness)
        });
    }
}

#[test]
fn closing_proof_of_a_true_opening_of_nothing() {
    let nothing = |combined: &mut Combined<'_>| {
        combined.row.fill(F::ZERO);
        combined.mask = &[];
    };
    closes(&false_statement(), Some(Check::ClosingCommitments), &|writer, mut combined, randomness| {
        nothing(&mut combined);
        prover::closing::prove(setup(), writer, combined, randomness)
    });
}

#[test]
fn closing_proof_for_another_value_or_other_weights() {
    let proved = false_statement();
    for row in [0, verifier::layout::ROW, verifier::closing::MASK_START] {
        closes(&proved, Some(Check::Closing), &|writer, combined, randomness| {
            // Any weight but the right one makes the accumulator end at zero.
            let mut weights = weights(combined.reduced);
            let circuit =
                ClosingCircuit { row: combined.row.clone(), mask: combined.mask.to_vec(), weights: vec![] };
            let Filled(mut columns) = filled(&circuit);
            accumulate(&mut columns, &weights);
            let read = match row {
                verifier::layout::ROW => -F::ONE,
                _ if row < verifier::layout::ROW => columns[0][row],
                _ => columns[1][row],
            };
            weights[row] -= columns[2][END] * read.invert().unwrap();
            accumulate(&mut columns, &weights);
            assert_eq!(columns[2][END], F::ZERO);
            let blindings = [&combined.row_blinding, combined.mask_blinding];
            prove_circuit(setup(), writer, &Filled(columns), &weights, blindings, randomness)
        });
    }
}

fn filled(circuit: &ClosingCircuit) -> Filled {
    let mut columns: Columns = std::array::from_fn(|_| vec![F::ZERO; END + 1]);
    columns[0][..circuit.row.len()].copy_from_slice(&circuit.row);
    columns[1][verifier::closing::MASK_START..][..circuit.mask.len()].copy_from_slice(&circuit.mask);
    Filled(columns)
}

/// The closing circuit without the gate for the accumulator's ends.
#[derive(Debug, Clone, Default)]
struct Endless(ClosingCircuit);

impl Circuit<F> for Endless {
    type Config = verifier::closing::Columns;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self::default()
    }

    fn configure(system: &mut ConstraintSystem<F>) -> Self::Config {
        let mut own = ConstraintSystem::default();
        let columns = ClosingCircuit::configure(&mut own);
        // Columns are numbered in order, so these are the same ones, under gates that say nothing.
        let advice = [system.advice_column(), system.advice_column(), system.advice_column()];
        let instance = system.instance_column();
        let fixed: [_; 4] = std::array::from_fn(|_| system.fixed_column());
        system.create_gate("anything", |cells| {
            let [row, mask, sum] = advice.map(|column| cells.query_advice(column, Rotation::cur()));
            let next = cells.query_advice(advice[2], Rotation::next());
            let weight = cells.query_instance(instance, Rotation::cur());
            let [a, b, c, d] = fixed.map(|column| cells.query_fixed(column));
            let zero = halo2_proofs::plonk::Expression::Constant(F::ZERO);
            [zero * (row * weight * a + mask * b + sum * c + next * d)]
        });
        columns
    }

    fn synthesize(&self, columns: Self::Config, layouter: impl Layouter<F>) -> Result<(), Error> {
        self.0.synthesize(columns, layouter)
    }
}

#[test]
fn closing_proof_of_another_circuit() {
    let mut other = ProverSetup::new().unwrap();
    let circuit = Endless::default();
    let key = keygen_vk(&other.verifier.params, &circuit).unwrap();
    other.key = keygen_pk(&other.verifier.params, key, &circuit).unwrap();
    closes(&false_statement(), Some(Check::Closing), &|writer, combined, randomness| {
        let weights = weights(combined.reduced);
        let blindings = [&combined.row_blinding, combined.mask_blinding];
        let own =
            ClosingCircuit { row: combined.row, mask: combined.mask.to_vec(), weights: weights.clone() };
        prove_circuit(&other, writer, &Endless(own), &weights, blindings, randomness)
    });
}

#[test]
fn closing_proof_of_another_proof_of_the_same_statement() {
    let proved = step();
    let [one, other] = [1, 2].map(|seed| proved.prove_with(seed, &mut prover::sabotage::Honest));
    let end = one.len() - CLOSING_BYTES;
    let spliced = [&one[..end], &other[end..]].concat();
    assert_eq!(proved.verify(&spliced), Err(VerifyError::Failed(Check::ClosingCommitments)));
    // The two right commitments in front of the other proof.
    let spliced = [&one[..end + 64], &other[end + 64..]].concat();
    assert_eq!(proved.verify(&spliced), Err(VerifyError::Failed(Check::Closing)));
}

/// Opens the model's commitment to these weights, with these blinding factors.
struct Opens(Option<Opening>, bool);

impl Saboteur for Opens {
    fn opened_model(&self) -> Option<Opening> {
        self.0.clone()
    }

    fn lies_about_masks(&self) -> bool {
        self.1
    }
}

#[test]
fn a_weight_changed_after_registration() {
    let registered = step();
    let cells = model_cells(&registered.layout().model, &registered.model).1;
    let own = (cells, registered.secret.blinds(&registered.model, b"owner"));
    for (layer, weight) in [(0, 0), (0, 8), (1, 2)] {
        let mut proved = registered.clone();
        proved.model.layers[layer].weights[weight] += 1;
        let decided = Witness::new(&proved.model, &proved.features).unwrap();
        proved.counts = decided.counts(&proved.cell_of, 3, 2);
        let verdict = |mut opens| proved.verify(&proved.prove_with(1, &mut opens));
        for lies in [false, true] {
            let run = verdict(Opens(None, lies));
            assert_eq!(run, Err(VerifyError::Failed(Check::ClosingCommitments)), "opened to what was run");
            let run = verdict(Opens(Some(own.clone()), lies));
            assert_eq!(run, Err(VerifyError::Failed(Check::Closing)), "opened to what was registered");
        }
    }
    // Nothing but the opening is changed.
    let mut changed = own.clone();
    changed.0[0] += 1;
    let proof = registered.prove_with(1, &mut Opens(Some(changed), false));
    assert_eq!(registered.verify(&proof), Err(VerifyError::Failed(Check::ClosingCommitments)));
    let proof = registered.prove_with(1, &mut Opens(Some(own), false));
    assert_eq!(registered.verify(&proof), Ok(()));
}
