//! Advice: what the user can do about an error or a missing count.

mod accounts;
mod errors;
mod rejected;
mod summary;

pub use accounts::{
    FOR_DENIED_ROLES, FOR_DISABLED_REGIONS, FOR_NOT_ASSIGNED, for_access, for_denied_calls,
    for_list, for_not_found, for_other_account,
};
pub use errors::{
    FOR_UNTRUSTED_CA, NAMED, NOT_TRIED_IN_TIME, OUT_OF_TIME, action_for_global_types, for_call,
    for_count, for_credentials, for_start_region, for_unknown_type, for_unlogged,
};
pub use summary::{action, action_for_unknown_type, exclude_regions, iam_policy_command, reason};
