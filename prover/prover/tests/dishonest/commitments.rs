//! Commitments that hide something, and rows that are not where they belong.

use prover::{ProverSetup, sabotage::Saboteur};
use verifier::{
    Check, F, Point, Tape as Name, VerifyError,
    closing::{END, MASK_START},
    ff::Field as _,
    layout::{OPENING_DEGREE, ROW},
    sumcheck::mask_len,
};

use crate::{
    common::Proved,
    decided,
    forger::{Added, Columns, Forger, SUM, accumulate},
    recounted, step,
};

const OPEN: Result<(), VerifyError> = Err(VerifyError::Failed(Check::Closing));
const OTHER: Result<(), VerifyError> = Err(VerifyError::Failed(Check::ClosingCommitments));

/// A false statement, and the sample whose decision is lied about.
fn flipped() -> (Proved, usize) {
    let proved = step();
    let sample = decided(&proved, 0);
    (recounted(proved, sample, 0, 1), sample)
}

/// What the verifier says of a true statement and of a false one.
fn verdicts(forge: impl Fn(&mut Forger<'_>)) -> [Result<(), VerifyError>; 2] {
    let (honest, (false_statement, sample)) = (step(), flipped());
    let mut one = Forger::new(&honest);
    let mut other = Forger { false_decision: Some(sample), ..Forger::new(&false_statement) };
    [&mut one, &mut other].map(|forger| {
        forge(forger);
        forger.verdict()
    })
}

#[test]
fn a_forger_who_forges_nothing() {
    assert_eq!(verdicts(|_| ()), [Ok(()), OPEN]);
    assert_eq!(verdicts(|forger| forger.admits = false), [Ok(()), OPEN]);
}

#[test]
fn blinding_commitment_that_touches_data_cells() {
    let whole: Vec<_> = (0..ROW).map(|row| (row, F::from(7 + row as u64))).collect();
    for touched in [vec![(0, F::ONE)], vec![(ROW - 1, -F::ONE)], whole] {
        assert_eq!(verdicts(|forger| forger.blinding = touched.clone()), [OPEN, OPEN]);
    }
    let denied = |forger: &mut Forger<'_>| {
        forger.blinding = vec![(0, F::ONE)];
        forger.admits = false;
    };
    assert_eq!(verdicts(denied), [OTHER, OTHER]);
}

/// The circuit reads the combined row in rows of data only.
#[test]
fn blinding_commitment_between_data_and_reserved_rows_changes_no_claim() {
    for row in [ROW, END] {
        assert_eq!(verdicts(|forger| forger.blinding = vec![(row, F::from(9))]), [Ok(()), OPEN]);
    }
}

/// The circuit reads the mask's coefficients only, and what lies behind them has the weight zero.
#[test]
fn opening_mask_in_other_rows_changes_no_claim() {
    let behind = MASK_START + mask_len(step().layout().address_bits, OPENING_DEGREE);
    for row in [0, ROW, behind] {
        assert_eq!(verdicts(|forger| forger.mask = vec![(row, F::from(9))]), [Ok(()), OPEN]);
    }
}

/// Whoever knows what is missing can put it in any cell that is read, but not into its commitment.
#[test]
fn a_cell_changed_after_its_commitment_to_make_up_for_what_is_missing() {
    for (column, row) in [(0, 0), (0, ROW - 1), (1, MASK_START)] {
        let changed = |forger: &mut Forger<'_>| {
            forger.columns = Box::new(move |columns, weights| {
                let missing = columns[SUM][END];
                columns[column][row] -= missing * weights[row].invert().unwrap();
                accumulate(columns, weights);
                assert_eq!(columns[SUM][END], F::ZERO);
            });
        };
        assert_eq!(verdicts(changed), [Ok(()), OTHER]);
    }
}

#[test]
fn opening_mask_counted_where_the_row_is_read() {
    let counted = |forger: &mut Forger<'_>| {
        forger.mask = vec![(3, F::ONE)];
        forger.columns = Box::new(|columns, weights| {
            let by = weights[3] * columns[1][3];
            columns[SUM][4..].iter_mut().for_each(|sum| *sum += by);
        });
    };
    assert_eq!(verdicts(counted), [OPEN, OPEN]);
}

#[test]
fn an_accumulator_that_jumps() {
    let (proved, sample) = flipped();
    for from in [0, 1, ROW, MASK_START, END] {
        let columns = move |columns: &mut Columns, _: &[F]| {
            let missing = columns[SUM][END];
            columns[SUM][from..].iter_mut().for_each(|sum| *sum -= missing);
        };
        let mut forger = Forger::new(&proved);
        (forger.false_decision, forger.columns) = (Some(sample), Box::new(columns));
        assert_eq!(forger.verdict(), OPEN, "from row {from}");
    }
}

/// Data and mask cells of every tape that is sent.
fn some_cells(proved: &Proved) -> Vec<(Name, usize)> {
    let layout = proved.layout();
    let (slot, last) = (&layout.slots[0], &layout.slots[1]);
    let mut cells = Vec::new();
    for tape in [Name::Q, Name::R, Name::X, Name::H] {
        cells.extend([slot.base, last.base, layout.mask_cells(slot).start].map(|cell| (tape, cell)));
    }
    cells.extend([Name::Q, Name::H].map(|tape| (tape, layout.table.base + layout.table.entries - 1)));
    let masks = &layout.masks;
    let starts = [masks.lookup, masks.samples, masks.contraction, masks.model, masks.len - 1];
    cells.extend(starts.map(|cell| (Name::Z, cell)));
    cells
}

#[test]
fn a_committed_cell_that_is_not_the_one_of_the_claims() {
    let proved = step();
    let mut seen = Vec::new();
    for (tape, cell) in some_cells(&proved) {
        let added = Added { tape, row: cell / ROW, column: cell % ROW, value: F::ONE };
        let verdict = |admits| Forger { added: vec![added], admits, ..Forger::new(&proved) }.verdict();
        assert_eq!(verdict(true), OPEN, "{tape:?} {cell}");
        if !seen.contains(&tape) {
            assert_eq!(verdict(false), OTHER, "{tape:?} {cell}");
            seen.push(tape);
        }
    }
}

#[test]
fn a_value_moved_to_the_same_column_of_another_row() {
    let proved = step();
    let rows = proved.layout().rows(Name::Q);
    let at = |row, value| Added { tape: Name::Q, row, column: 0, value };
    let added = vec![at(rows[0], -F::from(5)), at(rows[1], F::from(5))];
    assert_eq!(Forger { added, ..Forger::new(&proved) }.verdict(), OPEN);
}

/// A row's commitment has no cells there, so what it holds there belongs to nothing.
#[test]
fn rows_that_reach_beyond_their_width_change_no_claim() {
    for column in [ROW, MASK_START] {
        let reach = |forger: &mut Forger<'_>| {
            let row = forger.proved.layout().rows(Name::X)[0];
            forger.added = vec![Added { tape: Name::X, row, column, value: F::from(11) }];
        };
        assert_eq!(verdicts(reach), [Ok(()), OPEN]);
    }
}

/// Sends other commitments than it made, as a prover would that mixes up its rows.
struct Rows<Change>(Name, Change);

impl<Change: FnMut(&ProverSetup, &mut [Point])> Saboteur for Rows<Change> {
    fn commitments(&mut self, setup: &ProverSetup, tape: Name, rows: &mut [Point]) {
        if tape == self.0 {
            self.1(setup, rows);
        }
    }
}

#[test]
fn rows_exchanged_moved_doubled_or_left_out() {
    let proved = step();
    let verdict = |mut rows: Rows<_>| proved.verify(&proved.prove_with(1, &mut rows));
    let changes: [fn(&ProverSetup, &mut [Point]); 5] = [
        |_, rows| rows.swap(0, 1),
        |_, rows| rows.rotate_left(1),
        |_, rows| rows[1] = rows[0],
        |setup, rows| rows[1] = setup.blinding,
        |_, rows| rows[0] = -rows[0],
    ];
    for tape in [Name::Q, Name::H] {
        for change in changes {
            assert_eq!(verdict(Rows(tape, change)), OTHER, "{tape:?}");
        }
    }
    for tape in [Name::R, Name::X, Name::Z] {
        // These have one row here: only what it holds can be left out.
        assert_eq!(verdict(Rows(tape, |setup, rows| rows[0] = setup.blinding)), OTHER, "{tape:?}");
    }
}

/// Sends its X rows as R rows and the other way round.
#[derive(Default)]
struct Exchanged(Vec<Point>);

impl Saboteur for Exchanged {
    fn commitments(&mut self, _: &ProverSetup, tape: Name, rows: &mut [Point]) {
        match tape {
            Name::R => self.0 = rows.to_vec(),
            Name::X => rows.copy_from_slice(&self.0),
            _ => (),
        }
    }
}

#[test]
fn rows_of_another_tape() {
    let proved = step();
    assert_eq!(proved.verify(&proved.prove_with(1, &mut Exchanged::default())), OTHER);
}
