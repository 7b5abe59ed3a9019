//! The client's settings, from the command line, the environment and the profile.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::{FIRST_REGION, region_literal};
use crate::aws::client::Trace;
use crate::aws::config_file::{SharedFiles, expand_home};
use crate::aws::credential_cache::{CachedCredentials, CredentialsError};
use crate::aws::credentials::{self, Context, Profile, ProviderConfig};
use crate::aws::endpoint::Endpoints;
use crate::aws::operation::Service;
use crate::aws::retry::{CALL_LIMIT, DEFAULT_MAX_ATTEMPTS};
use crate::env::Env;
use crate::http::agent::Settings;
use crate::http::proxy::Proxies;
use crate::http::record::RecordingClient;
use crate::http::{HttpClient, Request, Response, TransportError, TransportErrorKind};
use crate::model::Region;
use crate::options::Options;
use crate::runtime::Runtime;

/// The services that the program calls.
const CALLED: [Service; 4] = [Service::Config, Service::Ec2, Service::Iam, Service::Sts];

/// The settings of the client, from the command line, the environment and the profile.
pub(super) struct ClientSettings {
    pub(super) region: StartRegion,
    pub(super) endpoints: Endpoints,
    pub(super) max_attempts: u32,
    /// The `--debug` line about an unsupported retry mode.
    pub(super) retry_note: Option<String>,
    ca_bundle: Option<(String, Vec<u8>)>,
    proxies: Proxies,
}

/// The region of the first calls.
pub(super) struct StartRegion {
    pub(super) region: Region,
    /// True if the region comes from the command line, the environment or the profile.
    configured: bool,
}

impl ClientSettings {
    pub(super) fn from_options(options: &Options, runtime: &Runtime) -> Result<Self, String> {
        let env = &*runtime.env;
        // The credentials check reports invalid files.
        let files = SharedFiles::load(env).unwrap_or_default();
        let profile = choose_profile(options, &files, env);
        let setting = |key| files.get(&profile.name, key);
        let region = StartRegion::choose(options, env, setting("region"))?;
        let flag = options.endpoint_url.as_ref();
        let endpoints = Endpoints::new(flag, env, &files, &profile.name)?;
        // An invalid endpoint is reported here once, not by each call.
        for service in CALLED {
            endpoints.resolve(service, &region.region)?;
        }
        Ok(Self {
            region,
            endpoints,
            max_attempts: max_attempts(options, env, setting("max_attempts"))?,
            retry_note: retry_note(env, setting("retry_mode"))?,
            ca_bundle: match options.replay {
                Some(_) => None,
                None => ca_bundle(options, env, setting("ca_bundle"))?,
            },
            proxies: match options.replay {
                Some(_) => Proxies::default(),
                None => Proxies::from_env(env)?,
            },
        })
    }

    /// Describes the trusted certificates and the proxies.
    pub(super) fn describe_trust(&self) -> String {
        let mut text = match &self.ca_bundle {
            None => "trusting the built-in Mozilla roots".to_owned(),
            Some((name, _)) => format!("trusting {name}"),
        };
        for proxy in self.proxies.iter() {
            let _ = write!(text, ", proxy {proxy}");
        }
        text
    }
}

impl StartRegion {
    fn choose(options: &Options, env: &dyn Env, profile: Option<&str>) -> Result<Self, String> {
        let variable = |name: &str| Some((name.to_owned(), env.var(name)?));
        let configured = match &options.region {
            Some(region) => Some(region.clone()),
            None => variable("AWS_REGION")
                .or_else(|| variable("AWS_DEFAULT_REGION"))
                .or_else(|| Some(("the profile's region".to_owned(), profile?.to_owned())))
                .map(|(source, text)| text.trim().parse().map_err(|e| format!("{source}: {e}")))
                .transpose()?,
        };
        Ok(Self {
            configured: configured.is_some(),
            region: configured.unwrap_or_else(|| region_literal(FIRST_REGION)),
        })
    }
}

/// Returns the debug note about the configured retry mode. Only `standard` is supported; `legacy`
/// and `adaptive` are accepted with a note, other values are an error.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
fn retry_note(env: &dyn Env, profile: Option<&str>) -> Result<Option<String>, String> {
    let variable = env
        .var("AWS_RETRY_MODE")
        .map(|mode| ("AWS_RETRY_MODE", mode));
    let named = variable.or_else(|| Some(("the profile's retry_mode", profile?.to_owned())));
    let Some((source, mode)) = named else {
        return Ok(None);
    };
    match mode.trim().to_ascii_lowercase().as_str() {
        "standard" => Ok(None),
        mode @ ("legacy" | "adaptive") => Ok(Some(format!(
            "{source} is {mode}, which is not supported: using standard"
        ))),
        _ => Err(format!(
            "{source}: invalid retry mode \"{}\"; expected standard, legacy or adaptive",
            crate::text::sanitize(&mode, 40)
        )),
    }
}

fn max_attempts(options: &Options, env: &dyn Env, profile: Option<&str>) -> Result<u32, String> {
    let variable = env
        .var("AWS_MAX_ATTEMPTS")
        .map(|text| ("AWS_MAX_ATTEMPTS", text));
    let named = variable.or_else(|| Some(("the profile's max_attempts", profile?.to_owned())));
    match (options.max_attempts, named) {
        (Some(attempts), _) => Ok(attempts),
        (None, None) => Ok(DEFAULT_MAX_ATTEMPTS),
        (None, Some((source, text))) => match text.trim().parse() {
            Ok(attempts @ 1..) => Ok(attempts),
            _ => Err(format!(
                "{source}: invalid number of attempts \"{text}\"; expected 1 or more"
            )),
        },
    }
}

fn ca_bundle(
    options: &Options,
    env: &dyn Env,
    profile: Option<&str>,
) -> Result<Option<(String, Vec<u8>)>, String> {
    let flag = options.ca_bundle.clone().map(|path| ("--ca-bundle", path));
    let variable = env.var("AWS_CA_BUNDLE").map(|v| ("AWS_CA_BUNDLE", v));
    let profile = profile.filter(|path| !path.is_empty());
    let named = variable.or_else(|| Some(("the profile's ca_bundle", profile?.to_owned())));
    let named = named.map(|(source, path)| (source, expand_home(env, &path)));
    let Some((source, path)) = flag.or(named) else {
        return Ok(None);
    };
    let name = format!("{source} {}", path.display());
    let pem = env.read(&path).map_err(|e| format!("{name}: {e}"))?;
    Ok(Some((name, pem)))
}

pub(super) fn connect(
    options: &Options,
    runtime: &Runtime,
    settings: &ClientSettings,
) -> Result<Arc<dyn HttpClient>, String> {
    let version = env!("CARGO_PKG_VERSION");
    let sender = (runtime.connect)(
        &Settings {
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            exchange_limit: CALL_LIMIT,
            ca_bundle: settings.ca_bundle.clone(),
            proxies: settings.proxies.clone(),
            user_agent: format!("{}/{version}", env!("CARGO_PKG_NAME")),
        },
        &runtime.interrupt,
    );
    let sender = sender.map_err(|e| e.to_string())?;
    let Some(directory) = &options.record else {
        return Ok(sender);
    };
    let account = options.record_account_id.as_ref().map(ToString::to_string);
    let variables = recorded_variables(settings);
    let clock = runtime.clock.clone();
    let recorder = RecordingClient::new(sender, clock, directory, variables, account);
    Ok(Arc::new(recorder.map_err(|e| format!("--record: {e}"))?))
}

/// Returns the environment for a replay of the same requests, with the example credentials of the
/// AWS documentation.
fn recorded_variables(settings: &ClientSettings) -> BTreeMap<String, String> {
    let mut variables = settings.endpoints.variables();
    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    set(
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    );
    if settings.region.configured {
        set("AWS_REGION", settings.region.region.as_str());
    }
    variables
}

/// Resolves the credentials; `net` configures the network access of the credential providers.
pub(super) fn credentials(
    options: &Options,
    runtime: &Runtime,
    net: ProviderConfig,
) -> Result<CachedCredentials, CredentialsError> {
    let env = runtime.env.clone();
    let options = options.clone();
    CachedCredentials::load(Box::new(move |is_refresh| {
        let files = SharedFiles::load(&*env).map_err(CredentialsError)?;
        let profile = choose_profile(&options, &files, &*env);
        credentials::resolve(&Context {
            env: &*env,
            files: &files,
            profile: &profile,
            net: &net,
            is_refresh,
            log: &|line| {
                if let Some(trace) = &net.trace {
                    trace(&format_args!("debug: {line}"));
                }
            },
        })
    }))
}

/// Returns the network configuration of the credential providers. Without an HTTPS client, their
/// requests fail with a message that names check 1.
pub(super) fn provider_config(
    options: &Options,
    runtime: &Runtime,
    settings: Option<&ClientSettings>,
    http: Option<&Arc<dyn HttpClient>>,
    trace: Option<Trace>,
) -> ProviderConfig {
    let http = http.cloned().unwrap_or_else(|| Arc::new(NoHttp));
    ProviderConfig {
        http,
        clock: runtime.clock.clone(),
        interrupt: runtime.interrupt.clone(),
        endpoints: settings.map_or_else(Endpoints::default, |s| s.endpoints.clone()),
        region: settings.map_or_else(|| region_literal(FIRST_REGION), |s| s.region.region.clone()),
        max_attempts: settings.map_or(DEFAULT_MAX_ATTEMPTS, |s| s.max_attempts),
        limits: options.limits,
        jitter: runtime.jitter,
        trace,
    }
}

/// Replaces the HTTPS client if it could not be built; every request fails.
struct NoHttp;

impl HttpClient for NoHttp {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        Err(TransportError {
            kind: TransportErrorKind::NotRecorded,
            message: "the HTTPS client could not be built (check 1)".to_owned(),
        })
    }
}

/// Chooses the profile. A recording has its own credentials: `--profile` is ignored in a replay
/// unless the recording has that profile.
fn choose_profile(options: &Options, files: &SharedFiles, env: &dyn Env) -> Profile {
    let applies = |name: &&str| options.replay.is_none() || files.has_profile(name);
    Profile::choose(options.profile.as_deref().filter(applies), env)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::env::FolderEnv;

    fn env(name: &str, value: &str) -> FolderEnv {
        let variables = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        FolderEnv::new(Path::new("none"), variables)
    }

    #[test]
    fn unsupported_retry_mode_is_noted() {
        let note = |value: &str, profile| retry_note(&env("AWS_RETRY_MODE", value), profile);
        assert_eq!(note("", None), Ok(None));
        assert_eq!(
            note("Standard", Some("legacy")),
            Ok(None),
            "the variable wins"
        );
        for mode in ["legacy", "adaptive"] {
            let text = note(mode, None).unwrap().unwrap();
            assert!(
                text.starts_with(&format!("AWS_RETRY_MODE is {mode}, ")),
                "{text}"
            );
            let text = note("", Some(mode)).unwrap().unwrap();
            assert!(
                text.starts_with(&format!("the profile's retry_mode is {mode}, ")),
                "{text}"
            );
        }
        let error = note("fast", None).unwrap_err();
        assert_eq!(
            error,
            "AWS_RETRY_MODE: invalid retry mode \"fast\"; expected standard, legacy or adaptive"
        );
    }
}
