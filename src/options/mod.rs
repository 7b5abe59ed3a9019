//! The options of a run: what it is asked to do, typed.

mod accounts;
mod actions;
mod run;

pub use accounts::{AccountOptions, AccountSource, AccountTask, Resume, Selection};
pub use actions::{actions, organization_actions};
pub use run::{Format, Options, Strict};
