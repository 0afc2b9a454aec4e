use maud::html;

use crate::{
    Site,
    shell::{page, wide},
};

/// What a certificate proves, and what not.
pub fn about(site: &Site) -> Vec<u8> {
    page(
        site,
        "What a certificate proves",
        html! {
            h1 { "What a certificate proves" }
            p class="lead" {
                "That exactly this model, fixed before anyone knew the sample, makes exactly these decisions on exactly these "
                "rows: at the first two levels below that is shown, at the others the model's owner has signed it. Every rate, "
                "comparison and verdict follows from those counts by exact arithmetic."
            }
            section aria-labelledby="levels" {
                h2 id="levels" { "How far it is checked" }
                (wide("Assurance levels", html! {
                    table {
                        thead { tr { th scope="col" { "Level" } th scope="col" { "Who checked the counts" } th scope="col" { "Whom you trust" } } }
                        tbody {
                            tr {
                                th scope="row" { span class="tag proved" { "proved" } }
                                td { "The canister verified a zero-knowledge proof about a private model." }
                                td { "The subnet, who controls the canister's code, and the hardness of discrete logarithms on the Pasta curves. Verify the proof again, and subnet and code answer only for the seed, the times and the dataset." }
                            }
                            tr {
                                th scope="row" { span class="tag replayed" { "replayed" } }
                                td { "The canister ran the public model on every row of the sample." }
                                td { "The subnet and who controls the canister's code. Run it again, and they answer only for the seed, the times and the dataset." }
                            }
                            tr {
                                th scope="row" { span class="tag spot-checked" { "spot-checked" } }
                                td { "The owner signed every prediction; the canister counted them, then drew some, which it or an auditor ran again." }
                                td { "As above, and the owner for what was not drawn: the certificate gives the odds. Where an auditor ran the openings, the auditor too." }
                            }
                            tr {
                                th scope="row" { span class="tag attested" { "attested" } }
                                td { "The owner signed every prediction; the canister counted them." }
                                td { "As above, and the owner for every prediction. The signature makes a lie provable by whoever has the model." }
                            }
                        }
                    }
                }))
                p { "Labels, protected groups and the favourable outcome belong to the dataset that the canister holds. The sample comes from the subnet's randomness, drawn after model, dataset and policy were fixed." }
            }
            section aria-labelledby="not" {
                h2 id="not" { "What it does not prove" }
                ul {
                    li { "That the model is fair, lawful or good. It states figures under named conventions, with intervals." }
                    li { "That the model was not trained on the public dataset. The times at which both were fixed are shown, and how often was audited." }
                    li { "That nobody rehearsed in private before asking. Every audit that was requested is listed, failed ones too." }
                    li { "That an ONNX file and the integer model made from it always agree. Whoever has the file can import it again and compare." }
                }
            }
            section aria-labelledby="read" {
                h2 id="read" { "How to read the numbers" }
                ul {
                    li { "A metric's name says whose convention it follows (AIF360, Fairlearn), since tools disagree." }
                    li { strong { "Undefined" } " means that a denominator is zero: nothing is shown as 0 or as fair for lack of data." }
                    li { strong { "Small" } " marks groups with fewer samples than the policy's minimum; no verdict rests on them." }
                    li { "Intervals are at 95 %, one by one; with many figures some miss." }
                }
            }
            section aria-labelledby="pages" {
                h2 id="pages" { "Why you can believe this page" }
                p {
                    "The canister put the hash of this page's bytes into its certified state, which the subnet's nodes sign together. A gateway that "
                    "verifies shows only that. A gateway that does not, or lies, can show anything, scripts and the button "
                    em { "verify" } " included: if you doubt it, check the certificate with the command line or the JavaScript package, which came another way. "
                    "Searches and files come from another address, where one node answers by itself; files prove themselves."
                }
                p {
                    "The canister's controllers can replace its code. Who they are, and the hash of the code, is public: compare the hash with a build of your own."
                }
            }
        },
    )
}
