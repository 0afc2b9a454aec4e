//! Laws on random input: the engine against a naive evaluation, codecs, metrics and intervals.

mod fixture;

use audit::{
    Activation, Certificate, Counts, Dataset, DatasetHeader, Decision, Engine, Fraction, Metric, Model,
    Policy, Value,
    engine::{EngineError, OutOfTable},
    metrics::{Convention, Frame, Rate, Split},
    recompute,
};
use fixture::draw::Draw;
use proptest::prelude::*;

/// The model page's formulas word for word, in 128 bits; an error is (layer, unit, value).
fn naive(model: &Model, features: &[i16]) -> Result<u8, (u8, u32, i128)> {
    let mut x: Vec<i128> = features.iter().map(|&value| value.into()).collect();
    let half = 1_i128 << (model.activation_bits - 1);
    for (number, layer) in model.layers.iter().enumerate() {
        let mut next = Vec::new();
        for unit in 0..layer.units as usize {
            let row = &layer.weights[unit * x.len()..(unit + 1) * x.len()];
            let sum: i128 = row.iter().zip(&x).map(|(&weight, value)| i128::from(weight) * value).sum();
            let rounding = 1_i128 << (layer.shift - 1);
            let q = (sum + i128::from(layer.bias[unit]) + rounding).div_euclid(1 << layer.shift);
            if !(-half..half).contains(&q) {
                return Err((number as u8 + 1, unit as u32, q));
            }
            next.push(match layer.activation {
                Activation::Identity => q,
                Activation::Relu => q.max(0),
                Activation::Step => (q > 0).into(),
                Activation::Table(index) => model.tables[index as usize].values[(q + half) as usize].into(),
            });
        }
        x = next;
    }
    Ok(match model.decision {
        Decision::Step => x[0] as u8,
        Decision::ArgMax => (0..x.len()).rev().max_by_key(|&index| x[index]).unwrap() as u8,
    })
}

/// Every prefix fails, and no changed bit makes the parser panic or accept bytes that are not those of what it read.
fn check_codec(bytes: &[u8], draw: &mut Draw, again: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    assert_eq!(again(bytes).as_deref(), Some(bytes));
    for cut in 0..bytes.len() {
        assert!(again(&bytes[..cut]).is_none(), "cut at {cut}");
    }
    let mut longer = bytes.to_vec();
    longer.push(draw.word() as u8);
    assert!(again(&longer).is_none());
    for _ in 0..200 {
        let mut changed = bytes.to_vec();
        for _ in 0..draw.between(1, 3) {
            let position = draw.between(0, bytes.len().min(400) as i64 - 1) as usize;
            changed[position] ^= 1 << draw.between(0, 7);
        }
        if let Some(written) = again(&changed) {
            assert!(written == changed);
        }
    }
}

fn dataset_again(bytes: &[u8]) -> Option<Vec<u8>> {
    let dataset = Dataset::parse(bytes.to_vec()).ok()?;
    let mut builder = audit::dataset::DatasetBuilder::new(dataset.schema().clone()).ok()?;
    for index in 0..dataset.rows() {
        let row = dataset.row(index)?;
        builder.push(&row.features().collect::<Vec<_>>(), row.label, row.groups).ok()?;
    }
    assert!(dataset.row(dataset.rows()).is_none());
    Some(builder.build().ok()?.bytes().to_vec())
}

fn random_counts(draw: &mut Draw) -> (Frame, Counts) {
    let frame = draw.schema().frame();
    let cells: usize = frame.attributes.iter().map(|attribute| attribute.groups.len()).product();
    let most = [1, 4, 300][draw.between(0, 2) as usize];
    let counters = (0..cells * frame.classes.len().pow(2)).map(|_| draw.odd(0, most) as u32).collect();
    let counts = Counts::of_frame(&frame, counters).unwrap();
    (frame, counts)
}

fn exact(metric: Metric, split: &Split<'_>, class: u8, group: Option<usize>) -> Option<Fraction> {
    match metric.estimate(split, class, group).value {
        Value::Exact(value) => Some(value),
        Value::SignedRoot(square) => Some(square),
        Value::Undefined(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_equals_a_naive_evaluation(seed: u64) {
        let mut draw = Draw(seed);
        let model = draw.model();
        model.validate().unwrap();
        let mut engine = Engine::new(&model);
        for _ in 0..20 {
            let features = draw.features(model.inputs() as usize);
            let got = engine.decide(features.iter().copied()).map_err(|error| match error {
                EngineError::OutOfTable(OutOfTable { layer, unit, value }) => (layer, unit, i128::from(value)),
                EngineError::WrongWidth { .. } => unreachable!("as many features as inputs"),
            });
            prop_assert_eq!(got, naive(&model, &features));
        }
        let short = draw.features(model.inputs() as usize - 1);
        let refused = matches!(engine.decide(short.into_iter()), Err(EngineError::WrongWidth { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn model_bytes_have_one_reading_and_one_writing(seed: u64) {
        let mut draw = Draw(seed);
        let mut model = draw.model();
        // Large tables would make every cut slow.
        model.activation_bits = model.activation_bits.min(5);
        let half = 1_i16 << (model.activation_bits - 1);
        for table in &mut model.tables {
            table.values.truncate(2 * half as usize);
            table.values.iter_mut().for_each(|value| *value = (*value).clamp(-half, half - 1));
        }
        model.layers.iter_mut().for_each(|layer| {
            layer.weights.iter_mut().for_each(|weight| *weight /= 2);
        });
        check_codec(&model.to_bytes(), &mut draw, |bytes| Model::parse(bytes).ok().map(|model| model.to_bytes()));
    }

    #[test]
    fn dataset_bytes_have_one_reading_and_one_writing(seed: u64) {
        let mut draw = Draw(seed);
        let dataset = draw.dataset();
        check_codec(dataset.bytes(), &mut draw, dataset_again);
        let header = DatasetHeader::parse(dataset.bytes()).unwrap();
        prop_assert_eq!(&header, dataset.header());
        prop_assert_eq!(DatasetHeader::parse(&dataset.bytes()[..header.len as usize]).unwrap(), header);
    }

    #[test]
    fn noise_is_refused_without_panic(bytes: Vec<u8>, magic in 0..3_usize) {
        let magics: [&[u8]; 3] = [b"ASSAYDS\x01", b"ASSAYMD\x01", b"{\"name\":"];
        let bytes = [magics[magic], &bytes].concat();
        prop_assert!(Dataset::parse(bytes.clone()).is_err());
        prop_assert!(Model::parse(&bytes).is_err());
        prop_assert!(Policy::from_json(&bytes).is_err());
        prop_assert!(Certificate::parse(&bytes).is_err());
    }

    #[test]
    fn a_changed_certificate_never_panics(position: prop::sample::Index, byte in 0x20..0x7f_u8) {
        let mut json = include_bytes!("golden/certificate.json").to_vec();
        let position = position.index(json.len());
        json[position] = byte;
        if let Ok(certificate) = Certificate::parse(&json) {
            let _ = recompute(&certificate);
        }
    }

    #[test]
    fn rates_of_random_counts_keep_their_laws(seed: u64) {
        let mut draw = Draw(seed);
        let (frame, counts) = random_counts(&mut draw);
        let attributes: Vec<u8> = (0..frame.attributes.len() as u8).collect();
        let split = Split::new(&frame, &counts, &attributes).unwrap();
        let whole = Split::new(&frame, &counts, &[]).unwrap();
        let total: u64 = (0..split.len()).map(|group| split.size(group)).sum();
        prop_assert_eq!((total, whole.size(0)), (counts.total(), counts.total()));
        let (zero, one) = (Fraction::whole(0), Fraction::whole(1));
        let class = frame.favourable;
        for group in 0..split.len() {
            for rate in Rate::ALL {
                let estimate = Metric::Rate(rate).estimate(&split, class, Some(group));
                let Value::Exact(value) = &estimate.value else { continue };
                prop_assert!(&zero <= value && value <= &one);
                if let Some(interval) = estimate.interval() {
                    let [lower, upper] = [interval.lower, interval.upper].map(|limit| limit.to_string().parse().unwrap());
                    prop_assert!(zero <= lower && &lower <= value && value <= &upper && upper <= one);
                }
            }
            let rate = |rate| exact(Metric::Rate(rate), &split, class, Some(group));
            for (left, right) in [
                (Rate::Accuracy, Rate::ErrorRate),
                (Rate::Recall, Rate::FalseNegativeRate),
                (Rate::Specificity, Rate::FalsePositiveRate),
                (Rate::Precision, Rate::FalseDiscoveryRate),
                (Rate::NegativePredictiveValue, Rate::FalseOmissionRate),
            ] {
                let sum = rate(left).zip(rate(right)).map(|(left, right)| &left + &right);
                prop_assert_eq!((rate(left).is_some(), sum.unwrap_or(one.clone())), (rate(right).is_some(), one.clone()));
            }
            let correlation = exact(Metric::MatthewsCorrelation, &split, class, Some(group));
            prop_assert!(correlation.is_none_or(|square| square.abs() <= one));
        }
    }

    #[test]
    fn comparisons_of_random_counts_keep_their_laws(seed: u64) {
        let mut draw = Draw(seed);
        let (frame, counts) = random_counts(&mut draw);
        prop_assume!(!frame.attributes.is_empty());
        let split = Split::new(&frame, &counts, &[0]).unwrap();
        let class = frame.favourable;
        for rate in Rate::ALL {
            let of = |convention| exact(Metric::Compare(convention, rate), &split, class, None);
            let groups: Option<Vec<Fraction>> =
                (0..split.len()).map(|group| exact(Metric::Rate(rate), &split, class, Some(group))).collect();
            let (smallest, largest) = match &groups {
                Some(rates) => (rates.iter().min().cloned(), rates.iter().max().cloned()),
                None => (None, None),
            };
            prop_assert_eq!(of(Convention::Smallest), smallest.clone());
            prop_assert_eq!(of(Convention::Largest), largest.clone());
            let gap = smallest.as_ref().zip(largest.as_ref()).map(|(smallest, largest)| largest - smallest);
            prop_assert_eq!(of(Convention::Gap), gap.clone());
            let ratio = smallest.as_ref().zip(largest.as_ref()).and_then(|(smallest, largest)| smallest.checked_div(largest));
            prop_assert_eq!(of(Convention::GapRatio), ratio);
            if let (Some(gap), Some(reference)) = (gap, split.reference()) {
                for group in (0..split.len()).filter(|&group| group != reference) {
                    let signed = Metric::Compare(Convention::SignedDifference, rate);
                    prop_assert!(exact(signed, &split, class, Some(group)).unwrap().abs() <= gap);
                }
            }
        }
        for metric in Metric::all() {
            let estimate = metric.estimate(&split, class, None);
            let Some(interval) = estimate.interval() else { continue };
            let Value::Exact(value) = &estimate.value else { panic!("an interval of no fraction") };
            let [lower, upper]: [Fraction; 2] = [interval.lower, interval.upper].map(|limit| limit.to_string().parse().unwrap());
            prop_assert!(lower <= *value && *value <= upper, "{}: {} not in {:?}", metric, value, interval);
        }
    }
}
