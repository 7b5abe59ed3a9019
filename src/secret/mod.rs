//! Secrets, and how they are found in text: known secrets in any encoding, and text in the form of a key.

pub(crate) mod decode;
mod redactor;
pub(crate) mod shape;
mod value;

pub use redactor::Redactor;
pub use value::Secret;
