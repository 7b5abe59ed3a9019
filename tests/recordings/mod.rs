//! The recorded runs in `fixtures`.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of the module"
)]

mod case;
mod cases;
mod files;
mod overlay;

pub use case::Case;
pub use cases::{CASES, GROUPS, MANY_ACCOUNTS, ORGANIZATION};
pub use files::{assert_same_text, file_names, read_tree, text};
pub use overlay::Recording;
