//! Credential providers, one file each, and the chain that loads them in botocore's order.
//!
//! The first provider that returns credentials ends the chain. A provider that is not configured is
//! skipped. A provider that is configured and fails stops the chain: the next provider might return
//! credentials of another account.
//!
//! | order | provider | file | main settings |
//! |---|---|---|---|
//! | 1 | environment | `environment.rs` | AWS_ACCESS_KEY_ID |
//! | 2 | role of the profile | `assume_role.rs` | `role_arn` |
//! | 3 | web identity | `web_identity.rs` | AWS_WEB_IDENTITY_TOKEN_FILE, `web_identity_token_file` |
//! | 4 | IAM Identity Center | `sso.rs` | `sso_account_id`, `sso_role_name` |
//! | 5 | shared credentials file | `static_profile.rs` | `aws_access_key_id` |
//! | 6 | `aws login` | `login.rs` | `login_session` |
//! | 7 | external process | `process.rs` | `credential_process` |
//! | 8 | config file | `static_profile.rs` | `aws_access_key_id` |
//! | 9 | container | `container.rs` | AWS_CONTAINER_CREDENTIALS_RELATIVE_URI |
//! | 10 | EC2 instance metadata | `imds.rs` | AWS_EC2_METADATA_DISABLED |
//!
//! Settings that all providers share:
//! - The profile: `--profile`, AWS_PROFILE, AWS_DEFAULT_PROFILE, else `default`. A named profile
//!   must exist in one of the two files.
//! - The files: AWS_CONFIG_FILE (default `~/.aws/config`) and AWS_SHARED_CREDENTIALS_FILE (default
//!   `~/.aws/credentials`). A profile key that is in both files is read from the credentials file.
//! - An empty or blank variable or profile key counts as not set.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

mod assume_role;
mod cache_file;
mod chain;
mod container;
mod dpop;
mod environment;
mod fetch;
mod imds;
mod iso_time;
mod json_credentials;
mod login;
mod portal;
mod portal_pace;
mod process;
mod provider;
mod role;
mod sign_in_token;
mod sso;
mod sso_portal;
mod sso_token;
mod static_profile;
mod web_identity;

pub use chain::resolve;
pub use provider::{Profile, ProfileSource, ProviderContext};
pub use role::role_keys;
pub use sso_portal::{PortalAccount, SsoPortal};
pub use sso_token::{recorded_token, token_file};

#[cfg(test)]
mod tests;
