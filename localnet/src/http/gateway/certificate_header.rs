//! The `IC-Certificate` and `IC-CertificateExpression` headers, bounded before the verifying library reads them.
//!
//! The library allocates what a CBOR map claims to hold and descends as deep as brackets are nested, so a few bytes
//! of a canister's answer would end the node. What passes here is well-formed: its lengths are those of bytes that
//! are there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value;

/// Deepest nesting of an expression; the deepest that certifies anything has seven.
const MAX_NESTING: usize = 16;
/// Longest expression.
const MAX_EXPRESSION: usize = 8192;

/// Reads the value of `IC-Certificate` and writes it again, with well-formed CBOR in each part.
///
/// # Errors
///
/// What is wrong with the header.
pub(super) fn bounded_certificate(header: &str) -> Result<String, String> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for field in header.split(',') {
        let field = field.trim().split_once('=');
        let (name, value) = field.ok_or("a field of the certificate header has no value")?;
        if fields.iter().any(|(other, _)| *other == name) {
            return Err(format!("the certificate header has {name} twice"));
        }
        fields.push((name, value));
    }
    let mut written = Vec::new();
    for name in ["certificate", "tree", "expr_path", "version"] {
        let found = fields.iter().find(|(other, _)| *other == name);
        let (_, value) = found.ok_or_else(|| format!("the certificate header has no {name}"))?;
        if name == "version" {
            let version: u8 = value.parse().map_err(|_| "the version is not a small number")?;
            written.push(format!("version={version}"));
            continue;
        }
        let text = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
        let bytes = STANDARD.decode(text.ok_or_else(|| format!("{name} does not stand between colons"))?);
        let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
        let value = crate::cbor::decode(&bytes).map_err(|error| format!("{name}: {error}"))?;
        if name == "certificate" {
            check_certificate(&value)?;
        }
        written.push(format!("{name}=:{}:", STANDARD.encode(bytes)));
    }
    Ok(written.join(", "))
}

/// A certificate of the only subnet has no delegation, in which further bytes would be read.
fn check_certificate(value: &Value) -> Result<(), String> {
    match value {
        Value::Map(fields) if fields.iter().all(|(key, _)| key.as_text() != Some("delegation")) => Ok(()),
        Value::Map(_) => Err("the certificate has a delegation, but this network has one subnet".into()),
        _ => Err("the certificate is not a map".into()),
    }
}

/// Checks the value of `IC-CertificateExpression`.
///
/// # Errors
///
/// That it is too long or too deep.
pub(super) fn check_expression(header: &str) -> Result<(), String> {
    if header.len() > MAX_EXPRESSION {
        return Err(format!(
            "the certificate expression has {} bytes, at most {MAX_EXPRESSION}",
            header.len()
        ));
    }
    let mut depth = 0usize;
    for character in header.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(format!("the certificate expression is nested deeper than {MAX_NESTING}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(certificate: &[u8]) -> String {
        let part = STANDARD.encode(certificate);
        format!("certificate=:{part}:, tree=:gQA=:, expr_path=:gGJ4eA==:, version=2")
    }

    #[test]
    fn a_map_that_claims_more_than_it_holds_is_refused() {
        // A map of no entries, and one that claims 2^40.
        assert!(bounded_certificate(&header(&[0xa0])).is_err(), "the expression path has bytes after it");
        let good = header(&[0xa0]).replace("gGJ4eA==", "gWF4");
        assert_eq!(bounded_certificate(&good), Ok(good.clone()));
        let claims = header(&[0xbb, 0, 0, 1, 0, 0, 0, 0, 0]).replace("gGJ4eA==", "gWF4");
        assert!(bounded_certificate(&claims).unwrap_err().starts_with("certificate: "));
        let nested = header(&[0x81; 5000]).replace("gGJ4eA==", "gWF4");
        assert!(bounded_certificate(&nested).is_err());
        let delegation = [&[0xa1, 0x6a], &b"delegation"[..], &[0x40]].concat();
        let delegated = header(&delegation).replace("gGJ4eA==", "gWF4");
        assert!(bounded_certificate(&delegated).unwrap_err().contains("one subnet"));
        for broken in
            ["", "certificate", "version=2", &good.replace(":oA==:", "oA=="), &format!("{good}, version=2")]
        {
            assert!(bounded_certificate(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_deep_or_long_expression_is_refused() {
        assert_eq!(
            check_expression("default_certification(ValidationArgs{no_certification: Empty{}})"),
            Ok(())
        );
        assert_eq!(check_expression(&"[]".repeat(100)), Ok(()));
        assert!(check_expression(&"[".repeat(17)).unwrap_err().contains("deeper"));
        assert!(check_expression(&"a".repeat(8193)).unwrap_err().contains("8193 bytes"));
    }
}
