//! Core module → component, for authors who build one.

use wit_component::ComponentEncoder;

/// Makes a component of a module that carries the description of its bindings.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, String> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    encoder
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("the module does not become a component: {error:#}"))
}
