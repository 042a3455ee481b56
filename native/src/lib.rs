//! The extension module of hutong: Rust libraries behind functions of bytes.
//!
//! Glue alone: sizes are bounded, bytes parsed, a library asked with the interpreter's lock released. Nothing here computes.

use pyo3::prelude::*;

mod sharing;

/// Rust libraries that hutong asks, by name and version, for what prints its engines.
const LIBRARIES: [(&str, &str); 1] = [("frost-ristretto255", "3.0.0")];

#[pymodule]
fn hutong_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LIBRARIES", LIBRARIES)?;
    sharing::register(module)
}
