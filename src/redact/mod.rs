//! Removes secrets that the program does not know from text: from the fields of JSON, XML, forms and other text, and
//! by their form.

mod fields;
mod text;

pub use fields::{REDACTED, fields, is_secret_field, secrets_in};
pub use text::{is_clear_url, message, setting, source, url};
