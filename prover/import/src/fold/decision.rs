//! From a reading of an output to the rule that picks a class: a step on one affine row, or the largest of several.

use std::rc::Rc;

use super::{
    Chooser, Class, Ranked, Reading, Value,
    cell::{Cell, Row},
    network::Network,
};
use crate::{
    ImportError,
    function::Trend,
    graph::Node,
    tensor::{Element, Tensor},
};

/// The rule on the outputs of the last layer that was found.
#[derive(Debug, Clone)]
pub enum Rule {
    /// Outcome 1 where the row is above 0 (`inclusive`: not below), else outcome 0.
    Step {
        /// The row.
        row: Rc<Row>,
        /// Whether 0 counts as above.
        inclusive: bool,
    },
    /// The outcome of the first largest row.
    Largest(Vec<Rc<Row>>),
}

/// How the outcomes are named.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// The output is a label: its value for each outcome.
    Given(Vec<Tensor>),
    /// The output is a score or a row of scores: outcomes are numbered.
    Positions(usize),
}

/// A decision over the layers of `network`.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Layers below the rule.
    pub network: Network,
    /// The rule.
    pub rule: Rule,
    /// Outcomes.
    pub labels: Labels,
    /// The threshold on the output, when the output is one score.
    pub threshold: Option<f64>,
}

/// Largest argument that thresholds are searched at.
const FAR: f64 = 1e9;

/// Makes the decision that an output stands for; `threshold` applies where it is a single score.
pub fn decide(reading: Reading, output: &str, threshold: Option<f64>) -> Result<Decision, ImportError> {
    let mut network = reading.network;
    let place = place(output);
    match reading.value {
        Value::Class(Class { chooser, outcomes }) => {
            if outcomes.iter().any(|outcome| outcome.len() != 1) {
                return Err(none(format!("output {output:?} depends on a choice, but is not one label")));
            }
            if outcomes.windows(2).all(|pair| pair[0] == pair[1]) {
                return Err(none(format!("output {output:?} is the same label for every row")));
            }
            let rule = choose(&mut network, &place, &chooser)?;
            Ok(Decision { network, rule, labels: Labels::Given(outcomes), threshold: None })
        }
        Value::Cells { cells, .. } if cells.len() == 1 => {
            let cell = cells[0].clone();
            let threshold = threshold.unwrap_or_else(|| default_threshold(&cell));
            let rule = choose(&mut network, &place, &Chooser::Above { cell, threshold, inclusive: false })?;
            Ok(Decision { network, rule, labels: Labels::Positions(2), threshold: Some(threshold) })
        }
        Value::Cells { cells, .. } => {
            let count = cells.len();
            let rule = choose(&mut network, &place, &Chooser::Largest(cells))?;
            Ok(Decision { network, rule, labels: Labels::Positions(count), threshold: None })
        }
        Value::Ranked(Ranked { cells, labels, .. }) => {
            let count = cells.len();
            let rule = choose(&mut network, &place, &Chooser::Largest(cells))?;
            let given = |labels: Tensor| (0..count).map(|at| labels.pick(vec![1], &[at])).collect();
            let labels = labels.map_or(Labels::Positions(count), |labels| Labels::Given(given(labels)));
            Ok(Decision { network, rule, labels, threshold: None })
        }
        Value::Constant(_) => Err(none(format!("output {output:?} does not depend on the features"))),
        Value::Refused(error) => Err(error),
    }
}

/// 0.5 for a score between 0 and 1, else 0.
fn default_threshold(cell: &Cell) -> f64 {
    let (low, high) = cell.whole().map_or((f64::NEG_INFINITY, f64::INFINITY), |curve| curve.range());
    if low >= 0.0 && high <= 1.0 && cell.curve.is_some() { 0.5 } else { 0.0 }
}

fn none(cause: String) -> ImportError {
    ImportError::NoDecision { cause }
}

/// A node that stands for the output in errors about layers made for it.
fn place(output: &str) -> Node {
    Node {
        index: 0,
        name: output.to_owned(),
        operator: "output".to_owned(),
        domain: String::new(),
        opset: 0,
        inputs: vec![],
        outputs: vec![],
        attributes: Default::default(),
    }
}

fn choose(network: &mut Network, place: &Node, chooser: &Chooser) -> Result<Rule, ImportError> {
    let rule = match chooser {
        Chooser::Above { cell, threshold, inclusive } => above(network, place, cell, *threshold, *inclusive)?,
        Chooser::Largest(cells) => match cells.as_slice() {
            [first, second] => larger(network, place, first, second)?,
            cells => largest(network, place, cells)?,
        },
    };
    let constant = match &rule {
        Rule::Step { row, .. } => row.is_constant(),
        Rule::Largest(rows) => rows.iter().all(|row| row.is_constant()),
    };
    if constant {
        return Err(none("it is the same for every row, whatever the features".to_owned()));
    }
    Ok(rule)
}

/// `curve(row) > threshold` as `row - z > 0`.
fn above(
    network: &mut Network,
    place: &Node,
    cell: &Cell,
    threshold: f64,
    inclusive: bool,
) -> Result<Rule, ImportError> {
    let Some(curve) = &cell.curve else {
        return Ok(Rule::Step { row: Rc::new(cell.row.affine(1.0, -threshold)), inclusive });
    };
    let one_sided = || none(format!("the score is on one side of the threshold {threshold} for every row"));
    let (low, high) = cell.whole().map_or((f64::NEG_INFINITY, f64::INFINITY), |curve| curve.range());
    // A function that only comes close to its bounds, as the exponential to 0, does not reach them.
    let strict =
        matches!(curve.trend(), Some(Trend::Rising { strict: true } | Trend::Falling { strict: true }));
    if low > threshold || high < threshold || strict && (low == threshold || high == threshold) {
        return Err(one_sided());
    }
    let rising = match curve.trend() {
        Some(Trend::Rising { .. }) => cell.gain > 0.0,
        Some(Trend::Falling { .. }) => cell.gain < 0.0,
        Some(Trend::Constant) => {
            return Err(none("it is the same for every row, whatever the features".to_owned()));
        }
        None => {
            let row = network.settle(place, cell)?;
            return Ok(Rule::Step { row: Rc::new(row.affine(1.0, -threshold)), inclusive });
        }
    };
    let holds = |x: f64| {
        let value = cell.at(if rising { x } else { -x });
        value > threshold || inclusive && value == threshold
    };
    let (mut low, mut high) = (-FAR, FAR);
    if holds(low) || !holds(high) {
        return Err(one_sided());
    }
    // `holds` changes once; halve until two neighbouring numbers are left.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    let limit = if high.abs() < 1e-12 { 0.0 } else { high };
    let sign = if rising { 1.0 } else { -1.0 };
    Ok(Rule::Step { row: Rc::new(cell.row.affine(sign, -limit)), inclusive })
}

/// The first of two cells wins a tie.
fn larger(network: &mut Network, place: &Node, first: &Cell, second: &Cell) -> Result<Rule, ImportError> {
    let step = |row: Rc<Row>| Rule::Step { row, inclusive: false };
    if let Some(sign) = common_trend(&[first.clone(), second.clone()]) {
        let rows = [first, second].map(|cell| Cell { row: cell.row.clone(), ..Cell::constant(0.0) });
        let difference = network.sum(place, &[(sign, rows[1].clone()), (-sign, rows[0].clone())])?;
        return Ok(step(difference.row));
    }
    if let Some((gain, offset)) = second.row.relate(&first.row)
        && let Some(other) = first.whole().and_then(|curve| curve.of_affine(gain, offset))
        && let Some(other) = other.then(crate::function::Function::Affine(-1.0, 0.0))
        && let Some(whole) = second.whole()
        && let Some(curve) = super::curve::Curve::join(super::curve::Join::Add, &whole, &other)
        && curve.trend().is_some()
    {
        let cell = Cell { row: second.row.clone(), curve: Some(curve), gain: 1.0, offset: 0.0 };
        return above(network, place, &cell, 0.0, false);
    }
    let difference = network.sum(place, &[(1.0, second.clone()), (-1.0, first.clone())])?;
    Ok(step(difference.row))
}

fn largest(network: &mut Network, place: &Node, cells: &[Cell]) -> Result<Rule, ImportError> {
    let rows = match common_trend(cells) {
        Some(sign) => {
            let bare = cells.iter().map(|cell| Cell { row: cell.row.clone(), ..Cell::constant(0.0) });
            let rows = network.settle_all(place, &bare.collect::<Vec<_>>())?;
            rows.into_iter()
                .map(|row| if sign > 0.0 { row } else { Rc::new(row.affine(-1.0, 0.0)) })
                .collect()
        }
        None => network.settle_all(place, cells)?,
    };
    Ok(Rule::Largest(rows))
}

/// 1 or -1 when all cells are the same strictly rising or falling function of their rows.
fn common_trend(cells: &[Cell]) -> Option<f64> {
    let first = cells.first()?;
    let same = |cell: &Cell| {
        let curves = match (&cell.curve, &first.curve) {
            (None, None) => true,
            (Some(a), Some(b)) => a.is_close(b),
            _ => false,
        };
        curves && cell.gain == first.gain && cell.offset == first.offset
    };
    if !cells.iter().all(same) {
        return None;
    }
    match first.curve.as_ref().map_or(Some(Trend::Rising { strict: true }), |curve| curve.trend()) {
        Some(Trend::Rising { strict: true }) => Some(first.gain.signum()),
        Some(Trend::Falling { strict: true }) => Some(-first.gain.signum()),
        _ => None,
    }
}

impl Labels {
    /// Number of outcomes.
    pub fn len(&self) -> usize {
        match self {
            Self::Given(outcomes) => outcomes.len(),
            Self::Positions(count) => *count,
        }
    }

    /// Outcome `at` as text.
    pub fn text(&self, at: usize) -> String {
        match self {
            Self::Given(outcomes) => outcomes.get(at).map(|outcome| outcome.label(0)).unwrap_or_default(),
            Self::Positions(_) => at.to_string(),
        }
    }

    /// Outcome `at` as an integer, unless it is a text.
    pub fn integer(&self, at: usize) -> Option<i64> {
        match self {
            Self::Given(outcomes) => {
                let outcome = outcomes.get(at).filter(|outcome| outcome.element != Element::Text)?;
                let number = *outcome.numbers()?.first()?;
                (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
            }
            Self::Positions(_) => Some(at as i64),
        }
    }
}
