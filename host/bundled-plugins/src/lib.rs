//! bundled-plugins
