use super::Level;

/// What the numbers do not say, in plain words; the same for every certificate of a level.
pub(super) fn caveats(level: Level) -> Vec<String> {
    let about_model = match level {
        Level::Attested => ATTESTED_CAVEAT,
        Level::SpotChecked => SPOT_CHECKED_CAVEAT,
        Level::Replayed => REPLAYED_CAVEAT,
        Level::Proved => PROVED_CAVEAT,
    };
    [about_model].into_iter().chain(CAVEATS).map(str::to_owned).collect()
}

const ATTESTED_CAVEAT: &str = "The predictions are the owner's word. The owner signed all of them at once, and the canister counted each \
     against its own labels and groups; nobody has shown that the model makes them.";

const SPOT_CHECKED_CAVEAT: &str = "The owner signed all predictions at once, and the canister counted each against its own labels and groups. \
     Only those drawn afterwards were run again; a lie that was not drawn was not seen. The probabilities are those of \
     one draw: an owner who ends audits whose draw went against him has more than one, and how many there were is \
     given. Where an auditor ran them, it is the auditor's word, and numbers may round otherwise elsewhere.";

const REPLAYED_CAVEAT: &str = "The figures are those of the integer model with the digest given here. That it was made from the file with \
     the source digest is its owner's statement; importing that file again checks it.";

const PROVED_CAVEAT: &str = "The figures are those of the model whose weights are committed to in the package with the digest given here. \
     The weights are private: a zero-knowledge proof, not a rerun, shows that they make these counts. Which \
     predictions a service really gives is shown only by proofs of those predictions.";

const CAVEATS: [&str; 5] = [
    "The audit data are public, so the model may have been trained on them. Compare when dataset and model were \
     fixed, and how many audits were requested of this model and by this owner.",
    "An interval speaks about the population that the dataset's rows stand for, if they were drawn from it at \
     random. Nothing here says that the people a model will meet are of that population.",
    "Each interval is at its level by itself; with many figures some miss. An interval of groups that were chosen \
     for their rates (\"extreme\" in the method's name) covers less often than its level.",
    "A criterion compares the value with the threshold exactly; it does not look at the interval.",
    "Labels are taken from the dataset as they are. Where they carry a bias, a model that repeats it looks right.",
];
