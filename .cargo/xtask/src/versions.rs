//! Versions of the tools that are installed from outside the workspace. npm's stand in the `package-lock.json` files.

/// Builds a Worker from a Rust crate. Equal to the `worker` crate.
pub const WORKER_BUILD: &str = "0.8.7";
/// Makes the JavaScript around WASM. Equal to the locked `wasm-bindgen` crate.
pub const WASM_BINDGEN: &str = "0.2.129";
/// The target of everything that is shipped.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";
/// The oldest Node that runs Miniflare.
pub const NODE_MIN: u32 = 22;
/// The Node installed where the machine has none, or an older one. A long-term support release.
pub const NODE: &str = "24.21.0";
/// Debian's compiler for WASM, and the linker that its `rust-lld` stands for.
pub const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
