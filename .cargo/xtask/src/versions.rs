//! Versions of the tools from outside the workspace. The `package-lock.json` files pin those from
//! npm.

/// Builds a Worker from a Rust crate. Must equal the version of the `worker` crate.
pub const WORKER_BUILD: &str = "0.8.7";
/// Generates JavaScript bindings of WASM. Must equal the locked `wasm-bindgen` crate.
pub const WASM_BINDGEN: &str = "0.2.129";
/// Checks licences, sources and bans of third-party crates.
pub const CARGO_DENY: &str = "0.20.2";
/// Finds dependencies that no code uses.
pub const CARGO_MACHETE: &str = "0.9.2";
/// The compilation target of everything shipped.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The oldest major version of Node that runs Miniflare.
pub const NODE_MIN: u32 = 22;
/// The Node version to install if the machine's own is missing or older. A long-term support
/// release.
pub const NODE: &str = "24.21.0";
/// Debian's compiler for WASM, and the linker behind its `rust-lld`.
pub const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
