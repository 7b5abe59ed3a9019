//! The settings of a client, from the command line, the environment and the profile.

use crate::aws::client::{Trace, trace_line};
use crate::aws::config_file::{SharedFiles, expand_home};
use crate::aws::credentials::Profile;
use crate::aws::endpoint::{EndpointError, Endpoints};
use crate::aws::partition::Partition;
use crate::aws::retry::DEFAULT_MAX_ATTEMPTS;
use crate::env::Env;
use crate::http::{CaBundle, InvalidBundle, Proxies, ProxyError};
use crate::model::{ParseNameError, Region};
use crate::options::Options;
use crate::redact;
use crate::runtime::Runtime;
use crate::text::{did_you_mean, near_matches, sanitize};
use std::io;
use std::sync::Arc;

/// The default start region, and the region in which the checks look for AWS Config first.
pub const DEFAULT_REGION: &str = "us-east-1";

/// The variables with the region, the first of which takes precedence.
pub(super) const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Returns the default start region.
///
/// # Panics
/// Never: the region code is valid.
#[must_use]
pub fn default_region() -> Region {
    DEFAULT_REGION.parse().expect("a valid region code")
}

/// Returns the option of the command line with the key `key`, for messages.
pub(super) fn option(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// A setting, such as `AWS_CA_BUNDLE` or `the profile's ca_bundle`, and its value.
type FoundSetting = (String, String);

/// An invalid setting, or an HTTPS client that could not be built.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// An invalid region code, with its near matches as a question.
    #[error("{0}: {1}{2}")]
    Region(String, ParseNameError, String),
    /// An invalid value: the setting, what it is, the value, and what was expected.
    #[error("{0}: invalid {1} \"{2}\"; expected {3}")]
    Value(String, &'static str, String, &'static str),
    /// A file or directory that cannot be read or written.
    #[error("{0}: {1}")]
    Io(String, Arc<io::Error>),
    /// An invalid endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An invalid proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// A CA bundle without a usable certificate.
    #[error(transparent)]
    CaBundle(#[from] InvalidBundle),
    /// The HTTPS client could not be built.
    #[error("{0}")]
    Connect(Arc<io::Error>),
}

/// The sources of settings.
struct Lookup<'a> {
    options: &'a Options,
    env: &'a dyn Env,
    files: SharedFiles,
    profile: String,
}

/// The settings of the client, from the command line, the environment and the profile.
pub(super) struct ClientSettings {
    /// The region of the first calls.
    pub(super) region: Region,
    /// True if the region comes from the command line, the environment or the profile.
    pub(super) is_region_configured: bool,
    pub(super) endpoints: Endpoints,
    pub(super) max_attempts: u32,
    pub(super) ca_bundle: Option<CaBundle>,
    pub(super) proxies: Proxies,
}

impl ClientSettings {
    pub(super) fn new(
        options: &Options,
        runtime: &Runtime,
        trace: Option<&Trace>,
    ) -> Result<Self, SettingsError> {
        let env = &*runtime.env;
        // The credentials check reports invalid files.
        let files = SharedFiles::load(env).unwrap_or_default();
        if let Some(trace) = trace {
            for file in files.unusable() {
                trace_line(trace, &*runtime.clock, &file);
            }
        }
        let profile = choose_profile(options, &files, env).name;
        let lookup = Lookup {
            options,
            env,
            files,
            profile,
        };
        let configured = lookup.region()?;
        let is_region_configured = configured.is_some();
        let region = configured.unwrap_or_else(default_region);
        let explicit = options.endpoint_url.as_ref();
        let endpoints = Endpoints::new(explicit, env, &lookup.files, &lookup.profile)?;
        let (region, endpoints) = regular(region, endpoints);
        let max_attempts = lookup.max_attempts()?;
        if let (Some(note), Some(trace)) = (
            retry_note(lookup.find("retry_mode", &["AWS_RETRY_MODE"]))?,
            trace,
        ) {
            trace_line(trace, &*runtime.clock, &note);
        }
        let is_replay = options.replay.is_some();
        let ca_bundle = if is_replay { None } else { lookup.ca_bundle()? };
        let proxies = (!is_replay).then(|| Proxies::from_env(env)).transpose()?;
        Ok(Self {
            region,
            is_region_configured,
            endpoints,
            max_attempts,
            ca_bundle,
            proxies: proxies.unwrap_or_default(),
        })
    }
}

impl Lookup<'_> {
    /// Returns the first of the variables that is set, else the value of the profile.
    fn find(&self, key: &str, variables: &[&str]) -> Option<FoundSetting> {
        let variable = |name: &&str| Some(((*name).to_owned(), self.env.var(name)?));
        variables.iter().find_map(variable).or_else(|| {
            let value = self.files.get(&self.profile, key)?;
            Some((format!("the profile's {key}"), value.to_owned()))
        })
    }

    fn region(&self) -> Result<Option<Region>, SettingsError> {
        if let Some(region) = &self.options.region {
            return Ok(Some(region.clone()));
        }
        let found = self.find("region", &REGION_VARIABLES);
        let parse = |(setting, text): FoundSetting| {
            let region = text.trim().parse();
            region.map_err(|error| {
                let near = near_matches(&text, Partition::known_regions());
                SettingsError::Region(setting, error, did_you_mean(&near))
            })
        };
        found.map(parse).transpose()
    }

    fn max_attempts(&self) -> Result<u32, SettingsError> {
        if let Some(attempts) = self.options.max_attempts {
            return Ok(attempts);
        }
        let Some((setting, text)) = self.find("max_attempts", &["AWS_MAX_ATTEMPTS"]) else {
            return Ok(DEFAULT_MAX_ATTEMPTS);
        };
        let parsed = text.trim().parse().ok().filter(|attempts| *attempts > 0);
        let (what, text) = ("number of attempts", sanitize(&redact::setting(&text), 40));
        parsed.ok_or(SettingsError::Value(setting, what, text, "1 or more"))
    }

    fn ca_bundle(&self) -> Result<Option<CaBundle>, SettingsError> {
        let key = "ca_bundle";
        let found = match &self.options.ca_bundle {
            Some(path) => Some((option(key), path.clone())),
            None => self
                .find(key, &["AWS_CA_BUNDLE"])
                .filter(|(_, path)| !path.is_empty())
                .map(|(setting, path)| (setting, expand_home(self.env, &path))),
        };
        let Some((setting, path)) = found else {
            return Ok(None);
        };
        let shown = redact::setting(&path.display().to_string());
        let name = format!("{setting} {shown}");
        match self.env.read(&path) {
            Ok(content) => Ok(Some(CaBundle::parse(name, &content)?)),
            Err(e) => Err(SettingsError::Io(name, Arc::new(e))),
        }
    }
}

/// Returns the region that the command line, the environment or the profile sets, if any.
///
/// # Errors
/// It is not a region code.
pub(super) fn region_of_profile(
    options: &Options,
    env: &dyn Env,
    files: SharedFiles,
    profile: &str,
) -> Result<Option<Region>, SettingsError> {
    let profile = profile.to_owned();
    let lookup = Lookup {
        options,
        env,
        files,
        profile,
    };
    lookup.region()
}

/// Replaces a FIPS pseudo region by its region, and the endpoints by those of FIPS.
pub(super) fn regular(region: Region, endpoints: Endpoints) -> (Region, Endpoints) {
    match without_fips(&region) {
        Some(real) => (real, endpoints.with_fips(format!("the region {region}"))),
        None => (region, endpoints),
    }
}

/// Returns the region of a FIPS pseudo region, such as `fips-us-east-1` or `us-east-1-fips`, as botocore does; `None`
/// for another region.
fn without_fips(region: &Region) -> Option<Region> {
    let name = region.as_str().replace("fips-", "").replace("-fips", "");
    let real = name.parse().ok();
    real.filter(|real| real != region)
}

/// Returns the debug note about the configured retry mode. Only `standard` is supported; `legacy`
/// and `adaptive` are accepted with a note, other values are an error.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
fn retry_note(found: Option<FoundSetting>) -> Result<Option<String>, SettingsError> {
    let Some((setting, mode)) = found else {
        return Ok(None);
    };
    match mode.trim().to_ascii_lowercase().as_str() {
        "standard" => Ok(None),
        mode @ ("legacy" | "adaptive") => Ok(Some(format!(
            "{setting} is {mode}, which is not supported: using standard"
        ))),
        _ => {
            let (mode, expected) = (
                sanitize(&redact::setting(&mode), 40),
                "standard, legacy or adaptive",
            );
            Err(SettingsError::Value(setting, "retry mode", mode, expected))
        }
    }
}

/// Chooses the profile. A recording has its own credentials: `--profile` is ignored in a replay
/// unless the recording has that profile.
pub(super) fn choose_profile(options: &Options, files: &SharedFiles, env: &dyn Env) -> Profile {
    let applies = |name: &&str| options.replay.is_none() || files.has_profile(name);
    Profile::choose(options.profile.as_deref().filter(applies), env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_pseudo_regions_are_recognized() {
        for (name, expected) in [
            ("fips-us-east-1", Some("us-east-1")),
            ("us-gov-west-1-fips", Some("us-gov-west-1")),
            ("fips-aws-global", Some("aws-global")),
            ("us-east-1", None),
            ("aws-global", None),
            ("fips", None),
        ] {
            let real = without_fips(&name.parse().unwrap());
            assert_eq!(real.as_ref().map(Region::as_str), expected, "{name}");
        }
    }

    #[test]
    fn unsupported_retry_mode_is_noted() {
        let name = "AWS_RETRY_MODE";
        let note = |mode: &str| {
            let found = Some((name.to_owned(), mode.to_owned()));
            retry_note(found).map_err(|e| e.to_string())
        };
        assert_eq!(retry_note(None).unwrap(), None);
        assert_eq!(note("Standard"), Ok(None));
        for mode in ["legacy", "adaptive"] {
            let text = note(mode).unwrap().unwrap();
            assert!(text.starts_with(&format!("{name} is {mode}, ")), "{text}");
        }
        assert_eq!(
            note("fast").unwrap_err(),
            format!("{name}: invalid retry mode \"fast\"; expected standard, legacy or adaptive")
        );
    }
}
