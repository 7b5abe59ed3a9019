//! The recorded runs in `fixtures`.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of the module"
)]

mod cases;

pub use cases::{CASES, Case};
