use interface::CertificateSummary;
use maud::html;

use crate::standing::{Standing, verdict_word};

/// A badge for a README: level and verdict of a certificate, or that it no longer stands.
///
/// It stands alone, so colours are in it; it says `expired` only once the canister has noticed.
pub fn badge(summary: &CertificateSummary, level: &str, standing: &Standing) -> Vec<u8> {
    let (right, colour) = match standing {
        Standing::Stands => {
            let colour = match summary.verdict {
                interface::Verdict::Pass => "#1a7f4b",
                interface::Verdict::Fail => "#b42318",
                interface::Verdict::Undefined => "#6b6f76",
            };
            (format!("{level} · {}", verdict_word(summary.verdict)), colour)
        }
        gone => (gone.word().to_owned(), "#6b6f76"),
    };
    let left = format!("assay #{}", summary.id);
    // Characters are about 6.6 units wide in this font; `textLength` makes it exact.
    let width = |text: &str| text.chars().count() as u32 * 66 / 10;
    let (left_width, right_width) = (width(&left) + 16, width(&right) + 16);
    let all = left_width + right_width;
    let label = format!("Assay certificate {}: {right}", summary.id);
    let text = |x: u32, text: &str| {
        html! { text x=(x) y="14" textLength=(width(text)) text-anchor="middle" { (text) } }
    };
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(all) height="20" role="img" aria-label=(label) {
            title { (label) }
            clipPath id="r" { rect width=(all) height="20" rx="3" {} }
            g clip-path="url(#r)" {
                rect width=(left_width) height="20" fill="#24292f" {}
                rect x=(left_width) width=(right_width) height="20" fill=(colour) {}
            }
            g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11" {
                (text(left_width / 2, &left))
                (text(left_width + right_width / 2, &right))
            }
        }
    };
    svg.into_string().into_bytes()
}
