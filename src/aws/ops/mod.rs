//! The AWS operations that the program calls, one file each.

pub mod assume_role;
pub mod assume_role_with_web_identity;
pub mod describe_configuration_recorder_status;
pub mod describe_configuration_recorders;
pub mod describe_regions;
pub mod get_caller_identity;
pub mod get_discovered_resource_counts;
pub mod list_account_aliases;
pub mod list_accounts;
pub mod list_accounts_for_parent;
pub mod list_discovered_resources;
pub mod list_organizational_units_for_parent;
pub mod list_roots;
