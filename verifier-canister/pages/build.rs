//! Takes in the checker for browsers, where it was built before: `cargo xtask build-canister` says where, in
//! `ASSAY_WEB_ASSETS`. Otherwise, as in native tests, pages are the same and have no script.

use std::{env, fs, path::Path};

/// Files, and their media types; one whose name ends in `.gz` is served gzipped under the rest of its name.
const SCRIPTS: [(&str, &str); 5] = [
    ("page.js", "text/javascript; charset=utf-8"),
    ("worker.js", "text/javascript; charset=utf-8"),
    ("verify.js", "text/javascript; charset=utf-8"),
    ("module.js", "text/javascript; charset=utf-8"),
    ("verify.wasm.gz", "application/wasm"),
];

fn main() {
    println!("cargo::rerun-if-env-changed=ASSAY_WEB_ASSETS");
    println!("cargo::rerun-if-changed=build.rs");
    let mut list = "[STYLE_SHEET, ICON,".to_owned();
    if let Some(folder) = env::var_os("ASSAY_WEB_ASSETS") {
        for (name, content_type) in SCRIPTS {
            let file = Path::new(&folder).join(name);
            println!("cargo::rerun-if-changed={}", file.display());
            let (path, gzipped) = name.strip_suffix(".gz").map_or((name, false), |path| (path, true));
            list.push_str(&format!(
                "Asset {{ path: \"/assets/{path}\", content_type: {content_type:?}, \
                 bytes: include_bytes!({:?}), gzipped: {gzipped} }},",
                file.display().to_string()
            ));
        }
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("assets.rs"), list + "]").expect("OUT_DIR can be written");
}
