//! What certificates of language models show that their answers add up to: all of it, and undefined rather than 0.

use audit::{Certificate, Digest, certificate::Predicate};
use interface::{CertificateState, CertificateSummary, Verdict};
use pages::{Check, Report, Site, Standing};

fn of_kind(kind: &str) -> Certificate {
    let path = format!("{}/../audit/tests/golden/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    Certificate::parse(&std::fs::read(path).unwrap()).unwrap()
}

fn page(certificate: &Certificate) -> String {
    let Predicate { certificate: id, audit, model, dataset, policy, policy_digest, sample, .. } =
        &certificate.predicate;
    let summary = CertificateSummary {
        id: *id,
        audit: *audit,
        model: model.digest.into(),
        model_name: model.name.clone(),
        owner: candid::Principal::anonymous(),
        dataset: dataset.digest.into(),
        dataset_name: dataset.name.clone(),
        dataset_version: dataset.version.clone(),
        policy_name: policy.name.clone(),
        policy: (*policy_digest).into(),
        verdict: Verdict::Fail,
        state: CertificateState::Valid,
        sample_size: sample.size,
        issued_at_ns: 0,
        valid_until_ns: None,
        supersedes: None,
        body_digest: Digest([0; 32]).into(),
    };
    let site = Site { canister: "rrkah-fqaaa-aaaaa-aaaaq-cai".to_owned(), version: "test".to_owned() };
    String::from_utf8(pages::certificate(&site, &summary, certificate, &Standing::Stands, &[])).unwrap()
}

fn document(certificate: &Certificate) -> String {
    let check = Check {
        steps: vec![],
        at_ns: 0,
        signed_at_ns: 0,
        standing: "it stands".to_owned(),
        root_key: String::new(),
        root_key_of: "a test's",
        program: "test".to_owned(),
        file: Digest([0; 32]),
    };
    let body = Digest([0; 32]);
    let report = Report { certificate, body, standing: &Standing::Stands, check, inequality: vec![] };
    String::from_utf8(pages::report(&report)).unwrap()
}

/// The section's text: a line for each heading, paragraph and row, cells apart from each other.
fn lines(html: &str) -> Vec<String> {
    let Some((_, section)) = html.split_once(r#"<section aria-labelledby="answers">"#) else {
        return Vec::new();
    };
    let mut section = section.split_once("</section>").unwrap().0.to_owned();
    for (end, text) in [("</tr>", "\n"), ("</h2>", "\n"), ("</h3>", "\n"), ("</p>", "\n"), ("</th>", " | ")] {
        section = section.replace(end, text);
    }
    section = section.replace("</td>", " | ");
    let mut text = String::new();
    let mut tag = false;
    for c in section.chars() {
        match c {
            '<' => tag = true,
            '>' => tag = false,
            _ if !tag => text.push(c),
            _ => {}
        }
    }
    text.lines().map(|line| line.trim_matches([' ', '|']).to_owned()).collect()
}

/// Headings and rows without what is always the same.
fn rows(kind: &str) -> String {
    let lines = lines(&page(&of_kind(kind)));
    let text = |line: &String| !line.ends_with('.') && !line.starts_with("Items | ");
    lines.into_iter().skip(1).filter(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn choices_by_language() {
    let expected = "\
Coverage coverage
All | 0.454545 | 5 of 11 | 0.212712 … 0.719909
group=en | 0.400000 | 4 of 10 | 0.168180 … 0.687327
group=de | 1.000000 | 1 of 1 | 0.206549 … 1.000000
group=fr | undefined: no item was asked (group=fr)
Failures failure_rate
All | 0.181818 | 2 of 11 | 0.051367 … 0.476981
group=en | 0.200000 | 2 of 10 | 0.056682 … 0.509838
group=de | 0.000000 | 0 of 1 | 0.000000 … 0.793451
group=fr | undefined: no item was asked (group=fr)
Format errors format_error_rate
All | 0.444444 | 4 of 9 | 0.188778 … 0.733349
group=en | 0.500000 | 4 of 8 | 0.215216 … 0.784784
group=de | 0.000000 | 0 of 1 | 0.000000 … 0.793451
group=fr | undefined: no item was answered (group=fr)
Right answers accuracy
All | 0.363636 | 4 of 11 | 0.151664 … 0.646199
group=en | 0.300000 | 3 of 10 | 0.107791 … 0.603222
group=de | 1.000000 | 1 of 1 | 0.206549 … 1.000000
group=fr | undefined: no item was asked (group=fr)
Right among valid answers accuracy_of_valid
All | 0.800000 | 4 of 5 | 0.375534 … 0.963776
group=en | 0.750000 | 3 of 4 | 0.300641 … 0.954413
group=de | 1.000000 | 1 of 1 | 0.206549 … 1.000000
group=fr | undefined: no answer is one of the options (group=fr)";
    assert_eq!(rows("language-choice"), expected);
}

#[test]
fn stereotypes_by_group_and_as_means() {
    let expected = "\
Coverage coverage
All | 0.875000 | 14 of 16 | 0.639771 … 0.965023
group=gender | 1.000000 | 10 of 10 | 0.722467 … 1.000000
group=race | 0.666667 | 4 of 6 | 0.299993 … 0.903229
group=religion | undefined: no item was asked (group=religion)
Failures failure_rate
All | 0.062500 | 1 of 16 | 0.011119 … 0.283288
group=gender | 0.000000 | 0 of 10 | 0.000000 … 0.277533
group=race | 0.166667 | 1 of 6 | 0.030053 … 0.563503
group=religion | undefined: no item was asked (group=religion)
Format errors format_error_rate
All | 0.066667 | 1 of 15 | 0.011866 … 0.298166
group=gender | 0.000000 | 0 of 10 | 0.000000 … 0.277533
group=race | 0.200000 | 1 of 5 | 0.036224 … 0.624466
group=religion | undefined: no item was answered (group=religion)
Language model score stereoset.lms.letter_choice
All | 0.857143 | 12 of 14 | 0.600586 … 0.959907
group=gender | 0.800000 | 8 of 10 | 0.490162 … 0.943318
group=race | 1.000000 | 4 of 4 | 0.510109 … 1.000000
group=religion | undefined: no answer is one of the options (group=religion)
mean over group | undefined: no answer is one of the options (group=religion)
Stereotype score stereoset.ss.letter_choice
All | 0.583333 | 7 of 12 | 0.319511 … 0.806740
group=gender | 0.750000 | 6 of 8 | 0.409275 … 0.928521
group=race | 0.250000 | 1 of 4 | 0.045587 … 0.699359
group=religion | undefined: no answer is a stereotype or an anti-stereotype (group=religion)
mean over group | undefined: no answer is a stereotype or an anti-stereotype (group=religion)
Idealized CAT score stereoset.icat.letter_choice
All | 0.714286 | – | –
group=gender | 0.400000 | – | –
group=race | 0.500000 | – | –
group=religion | undefined: no answer is one of the options (group=religion)
mean over group | undefined: no answer is one of the options (group=religion)";
    assert_eq!(rows("language-context-association"), expected);
}

#[test]
fn changed_answers_by_recorded_group() {
    let expected = "\
Coverage coverage
All | 0.476190 | 10 of 21 | 0.283440 … 0.676305
group=male | 0.588235 | 10 of 17 | 0.360054 … 0.783890
group=female | 0.000000 | 0 of 4 | 0.000000 … 0.489891
Failures failure_rate
All | 0.190476 | 4 of 21 | 0.076675 … 0.400006
group=male | 0.000000 | 0 of 17 | 0.000000 … 0.184319
group=female | 1.000000 | 4 of 4 | 0.510109 … 1.000000
Format errors format_error_rate
All | 0.411765 | 7 of 17 | 0.216110 … 0.639946
group=male | 0.411765 | 7 of 17 | 0.216110 … 0.639946
group=female | undefined: no item was answered (group=female)
Changed answers change_rate
All | 0.200000 | 2 of 10 | 0.056682 … 0.509838
group=male | 0.200000 | 2 of 10 | 0.056682 … 0.509838
group=female | undefined: no answer is one of the options (group=female)";
    assert_eq!(rows("language-counterfactual"), expected);
}

#[test]
fn the_section_says_what_it_is_and_where_it_comes_from() {
    let certificate = of_kind("language-choice");
    let shown = lines(&page(&certificate));
    assert_eq!(shown[0], "What the answers add up to");
    for said in
        ["follow from the counts that are certified", "The policy's verdict does not use them", "not 0"]
    {
        assert!(shown[1].contains(said), "{said}: {}", shown[1]);
    }
    assert_eq!(shown[4], "Items | Value | Counted | 95 % interval | Picture");
    // A report has the same.
    assert_eq!(lines(&document(&certificate)), shown);
}

#[test]
fn every_figure_of_every_kind_has_a_name() {
    for kind in ["language-choice", "language-context-association", "language-counterfactual"] {
        let certificate = of_kind(kind);
        let html = page(&certificate);
        for measure in certificate.predicate.language_measures().unwrap() {
            let unnamed = format!("<h3>{} <code>", measure.id);
            assert!(html.contains(&format!("<code>{}</code></h3>", measure.id)), "{}", measure.id);
            assert!(!html.contains(&unnamed), "{}", measure.id);
        }
    }
}

#[test]
fn a_certificate_of_another_model_has_no_such_section() {
    let certificate = of_kind("certificate");
    assert_eq!((lines(&page(&certificate)), lines(&document(&certificate))), (vec![], vec![]));
}

#[test]
fn counters_that_do_not_fit_are_said_not_to_and_names_stay_text() {
    let mut certificate = of_kind("language-counterfactual");
    certificate.predicate.attributes[0].groups[1] = "<b>".to_owned();
    let html = page(&certificate);
    assert!(html.contains("group=&lt;b&gt;") && !html.contains("<b>"));
    certificate.predicate.counters.pop();
    let shown = lines(&page(&certificate));
    assert_eq!(shown.len(), 2);
    assert!(shown[1].starts_with("This cannot be told: "), "{}", shown[1]);
}

/// An answer to a query holds 3 MiB: as many groups as the counters of a dataset can have take a small part of it.
#[test]
fn as_many_groups_as_there_can_be_fit_on_a_page() {
    let mut certificate = of_kind("language-context-association");
    let predicate = &mut certificate.predicate;
    let (cells, square) = (64 * 40, predicate.classes.len().pow(2));
    assert!((cells * square) as u64 <= audit::schema::MAX_COUNTERS && 64 == audit::schema::MAX_GROUPS);
    predicate.counters = vec![1; cells * square];
    let groups = |count| (0..count).map(|group| format!("{group:0>64}")).collect();
    let mut other = predicate.attributes[0].clone();
    other.name = "other".to_owned();
    other.groups = groups(40);
    predicate.attributes[0].groups = groups(64);
    predicate.attributes.push(other);
    let html = page(&certificate);
    let shown = lines(&html).iter().filter(|line| line.starts_with("other=")).count();
    assert_eq!(shown, 6 * 40);
    let (_, section) = html.split_once(r#"<section aria-labelledby="answers">"#).unwrap();
    let size = section.split_once("</section>").unwrap().0.len();
    assert!(size < 512 << 10, "{size}");
}
