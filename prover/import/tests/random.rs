//! Random dense networks: the integer model must decide like the float model, and be the same every time.

mod support;

use audit::{Decimal, Model};
use import::{Options, Runtime, import};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed},
};
use support::onnx::{self, Message};

/// A network with its rows.
#[derive(Debug, Clone)]
struct Network {
    columns: usize,
    /// Units and activation of each hidden layer.
    hidden: Vec<(usize, &'static str)>,
    classes: usize,
    /// How its last layer becomes a decision.
    end: &'static str,
    seed: u64,
    /// Sizes of units within a layer differ by up to 10 to this power.
    spread: i32,
}

fn network() -> impl Strategy<Value = Network> {
    let activation = prop::sample::select(vec![
        "Relu",
        "Tanh",
        "Sigmoid",
        "LeakyRelu",
        "Elu",
        "Softplus",
        "HardSigmoid",
        "Selu",
    ]);
    let hidden = prop::collection::vec((1_usize..12, activation), 0..4);
    let end = prop::sample::select(vec!["ArgMax", "Softmax", "Sigmoid", "logit"]);
    (1_usize..10, hidden, 2_usize..5, end, any::<u64>(), 0..3).prop_map(
        |(columns, hidden, classes, end, seed, spread)| Network {
            columns,
            hidden,
            classes,
            end,
            seed,
            spread,
        },
    )
}

/// Reproducible numbers between -1 and 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 / f64::from(1_u32 << 30) - 1.0) as f32
    }
}

impl Network {
    fn onnx(&self) -> Vec<u8> {
        let mut random = Random(self.seed);
        let (mut nodes, mut tensors): (Vec<Message>, Vec<Message>) = (vec![], vec![]);
        let (mut from, mut width) = ("x".to_owned(), self.columns);
        let single = matches!(self.end, "Sigmoid" | "logit");
        let last = if single { 1 } else { self.classes };
        for (at, (units, activation)) in self.hidden.iter().copied().chain([(last, "")]).enumerate() {
            let sizes: Vec<f32> =
                (0..units).map(|_| 10_f32.powf(random.next() * self.spread as f32)).collect();
            let size = (1.0 / width as f32).sqrt() * 1.7;
            let is_last = activation.is_empty();
            let weight = |random: &mut Random, unit: usize| {
                random.next() * size * if is_last { 1.0 } else { sizes[unit] }
            };
            let weights: Vec<f32> = (0..width * units).map(|k| weight(&mut random, k % units)).collect();
            let bias: Vec<f32> = (0..units).map(|unit| weight(&mut random, unit)).collect();
            let (pre, post) = (format!("z{at}"), format!("a{at}"));
            let (layer, parameters) = onnx::dense(&from, &pre, width, &weights, &bias);
            nodes.extend(layer);
            tensors.extend(parameters);
            if is_last {
                match self.end {
                    "logit" => nodes.push(onnx::node("Identity", &[&pre], &["y"], &[])),
                    "ArgMax" => {
                        nodes.push(onnx::node("ArgMax", &[&pre], &["y"], &[onnx::int_attribute("axis", 1)]));
                    }
                    end => nodes.push(onnx::node(end, &[&pre], &["y"], &[])),
                }
            } else {
                nodes.push(onnx::node(activation, &[&pre], &[&post], &[]));
            }
            (from, width) = (post, units);
        }
        onnx::model(self.columns, &nodes, &tensors, &["y"])
    }

    fn dataset(&self) -> (audit::Schema, audit::Dataset) {
        let classes = if matches!(self.end, "Sigmoid" | "logit") { 2 } else { self.classes };
        let scales = vec![Decimal(4096 * Decimal::ONE); self.columns];
        let schema = support::schema(&vec![Decimal(0); self.columns], &scales, classes);
        let mut random = Random(!self.seed);
        let rows: Vec<Vec<i16>> = (0..400)
            .map(|_| (0..self.columns).map(|_| (random.next() * 12_000.0) as i16).collect())
            .collect();
        let dataset = support::dataset(&schema, &rows, &vec![0; rows.len()]);
        (schema, dataset)
    }
}

/// A network may well decide the same for every row; that is refused, and is not what is tested here.
fn imported(network: &Network, options: &Options) -> Option<import::Imported> {
    let (schema, dataset) = network.dataset();
    match import(&network.onnx(), &schema, &dataset, options) {
        Ok(imported) => Some(imported),
        Err(import::ImportError::NoDecision { .. }) => None,
        Err(error) => panic!("{network:?}: {error}"),
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 128,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_122),
        ..Config::default()
    })]

    /// Units whose sizes differ by a factor of ten thousand share one table badly: the bound is lower there.
    #[test]
    fn integer_and_float_decide_alike(network in network()) {
        let options = Options { bound: if network.spread < 2 { 0.99 } else { 0.95 }, ..Options::default() };
        let Some(found) = imported(&network, &options) else { return Ok(()) };
        // Its softplus overflows where single precision does.
        if network.hidden.iter().all(|(_, activation)| *activation != "Softplus") {
            prop_assert_eq!(&found.report.runtime, &Runtime::Tract);
        }
        prop_assert_eq!(found.report.out_of_table, 0);
        let again = imported(&network, &options).unwrap();
        let bytes = found.model.to_bytes();
        prop_assert_eq!(&bytes, &again.model.to_bytes());
        prop_assert_eq!(Model::parse(&bytes).unwrap(), found.model);
    }

    #[test]
    fn twelve_bits_come_close(network in network()) {
        let bound = [0.97, 0.9, 0.0][network.spread as usize];
        let options = Options { activation_bits: 12, bound, ..Options::default() };
        let Some(found) = imported(&network, &options) else { return Ok(()) };
        prop_assert_eq!(found.model.activation_bits, 12);
        prop_assert_eq!(found.report.out_of_table, 0);
    }
}
