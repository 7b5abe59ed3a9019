//! A session: profile, start region, endpoints, trust, proxies and credentials, which make a client.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::aws::client::{Client, Trace};
use crate::aws::config_file::{SharedFiles, expand_home};
use crate::aws::credential_cache::CachedCredentials;
use crate::aws::credentials::{self, Profile, ProviderConfig, ProviderContext};
use crate::aws::endpoint::{EndpointError, Endpoints};
use crate::aws::error::CredentialsError;
use crate::aws::operation::Service;
use crate::aws::retry::{CALL_LIMIT, DEFAULT_MAX_ATTEMPTS};
use crate::env::Env;
use crate::http::{
    CaBundle, HttpClient, Proxies, ProxyError, Request, Response, Settings, TransportError,
    TransportErrorKind,
};
use crate::model::{ParseNameError, Region};
use crate::options::Options;
use crate::recording::RecordingClient;
use crate::runtime::Runtime;
use crate::text::sanitize;

/// The default start region, and the region in which the checks look for AWS Config first.
pub const DEFAULT_REGION: &str = "us-east-1";

/// The services that the program calls.
const CALLED: [Service; 4] = [Service::Config, Service::Ec2, Service::Iam, Service::Sts];

/// Returns the default start region.
///
/// # Panics
/// Never: the region code is valid.
#[must_use]
pub fn default_region() -> Region {
    DEFAULT_REGION.parse().expect("a valid region code")
}

/// A client and what it was made of.
pub struct Session {
    /// The client.
    pub client: Arc<Client>,
    /// The HTTPS client below it.
    pub http: Arc<dyn HttpClient>,
    /// The region of the first calls.
    pub start_region: Region,
}

/// A setting and where its value comes from.
#[derive(Debug, Clone)]
pub struct Setting {
    key: &'static str,
    origin: Origin,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone)]
enum Origin {
    CommandLine,
    Variable(&'static str),
    Profile,
}

/// `--ca-bundle`, `AWS_CA_BUNDLE` or `the profile's ca_bundle`.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::CommandLine => write!(f, "--{}", self.key.replace('_', "-")),
            Origin::Variable(name) => f.write_str(name),
            Origin::Profile => write!(f, "the profile's {}", self.key),
        }
    }
}

/// An invalid setting, or an HTTPS client that could not be built.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// An invalid region code.
    #[error("{setting}: {error}")]
    Region {
        /// The setting.
        setting: Setting,
        /// What is wrong with it.
        error: ParseNameError,
    },
    /// An unknown retry mode.
    #[error("{0}: invalid retry mode \"{1}\"; expected standard, legacy or adaptive")]
    RetryMode(Setting, String),
    /// An invalid number of attempts.
    #[error("{0}: invalid number of attempts \"{1}\"; expected 1 or more")]
    MaxAttempts(Setting, String),
    /// A CA bundle that cannot be read.
    #[error("{name}: {source}")]
    CaBundle {
        /// The setting and the path.
        name: String,
        /// The error of the file system.
        source: Arc<io::Error>,
    },
    /// An invalid endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An invalid proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The HTTPS client could not be built.
    #[error("{0}")]
    Connect(Arc<io::Error>),
    /// The recording cannot be written.
    #[error("{0}: {1}")]
    Record(Setting, Arc<io::Error>),
}

/// The settings of the client, from the command line, the environment and the profile.
struct ClientSettings {
    region: StartRegion,
    endpoints: Endpoints,
    max_attempts: u32,
    ca_bundle: Option<CaBundle>,
    proxies: Proxies,
}

/// The region of the first calls.
struct StartRegion {
    region: Region,
    /// True if the region comes from the command line, the environment or the profile.
    configured: bool,
}

/// The parts of a session, each of which may have failed.
pub struct SessionParts<'a> {
    options: &'a Options,
    runtime: &'a Runtime,
    settings: Result<ClientSettings, SettingsError>,
    http: Result<Arc<dyn HttpClient>, SettingsError>,
    providers: ProviderConfig,
}

impl<'a> SessionParts<'a> {
    /// Reads the settings and builds the HTTPS client.
    #[must_use]
    pub fn new(options: &'a Options, runtime: &'a Runtime, trace: Option<Trace>) -> Self {
        let settings = ClientSettings::from_options(options, runtime, trace.as_ref());
        let http = match &settings {
            Ok(settings) => connect(options, runtime, settings),
            Err(error) => Err(error.clone()),
        };
        let providers = provider_config(
            options,
            runtime,
            settings.as_ref().ok(),
            http.as_ref().ok(),
            trace,
        );
        Self {
            options,
            runtime,
            settings,
            http,
            providers,
        }
    }

    /// Returns the HTTPS client.
    ///
    /// # Errors
    /// A setting is invalid, or the client could not be built.
    pub fn http(&self) -> Result<Arc<dyn HttpClient>, SettingsError> {
        self.http.clone()
    }

    /// Describes the trusted certificates and the proxies, or the recording that is replayed.
    #[must_use]
    pub fn describe_trust(&self) -> String {
        match (&self.options.replay, &self.settings) {
            (Some(directory), _) => format!("replaying {}", directory.display()),
            (None, Ok(settings)) => settings.describe_trust(),
            (None, Err(_)) => String::new(),
        }
    }

    /// Resolves the credentials.
    ///
    /// # Errors
    /// There are none, or a provider failed.
    pub fn credentials(&self) -> Result<CachedCredentials, CredentialsError> {
        let env = self.runtime.env.clone();
        let options = self.options.clone();
        let providers = self.providers.clone();
        CachedCredentials::load(Box::new(move |is_refresh| {
            let files = SharedFiles::load(&*env)?;
            let profile = choose_profile(&options, &files, &*env);
            credentials::resolve(&ProviderContext {
                env: &*env,
                files: &files,
                profile: &profile,
                net: &providers,
                is_refresh,
                log: &|line| {
                    if let Some(trace) = &providers.trace {
                        trace(&format_args!("debug: {line}"));
                    }
                },
            })
        }))
    }

    /// Returns the session; `None` if there is no HTTPS client.
    #[must_use]
    pub fn into_session(self, credentials: CachedCredentials) -> Option<Session> {
        Some(Session {
            client: Arc::new(self.providers.client(credentials)),
            http: self.http.ok()?,
            start_region: self.settings.ok()?.region.region,
        })
    }
}

impl ClientSettings {
    fn from_options(
        options: &Options,
        runtime: &Runtime,
        trace: Option<&Trace>,
    ) -> Result<Self, SettingsError> {
        let env = &*runtime.env;
        // The credentials check reports invalid files.
        let files = SharedFiles::load(env).unwrap_or_default();
        let profile = choose_profile(options, &files, env);
        let setting = |key| files.get(&profile.name, key);
        let region = StartRegion::choose(options, env, setting("region"))?;
        let url = options.endpoint_url.as_ref();
        let explicit = url.map(|url| ("--endpoint-url", url));
        let endpoints = Endpoints::new(explicit, env, &files, &profile.name)?;
        // An invalid endpoint is reported here once, not by each call.
        for service in CALLED {
            endpoints.resolve(service, &region.region)?;
        }
        let max_attempts = max_attempts(options, env, setting("max_attempts"))?;
        if let (Some(note), Some(trace)) = (retry_note(env, setting("retry_mode"))?, trace) {
            trace(&format_args!("debug: {note}"));
        }
        let (ca_bundle, proxies) = if options.replay.is_some() {
            (None, Proxies::default())
        } else {
            let ca_bundle = ca_bundle(options, env, setting("ca_bundle"))?;
            let proxies = Proxies::from_env(env)?;
            (ca_bundle, proxies)
        };
        Ok(Self {
            region,
            endpoints,
            max_attempts,
            ca_bundle,
            proxies,
        })
    }

    fn describe_trust(&self) -> String {
        let mut text = match &self.ca_bundle {
            None => "trusting the built-in Mozilla roots".to_owned(),
            Some(bundle) => format!("trusting {}", bundle.name),
        };
        for proxy in self.proxies.iter() {
            let _ = write!(text, ", proxy {proxy}");
        }
        text
    }
}

impl StartRegion {
    fn choose(
        options: &Options,
        env: &dyn Env,
        profile: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let configured = match &options.region {
            Some(region) => Some(region.clone()),
            None => find("region", &variables, env, profile)
                .map(|(setting, text)| {
                    let region = text.trim().parse();
                    region.map_err(|error| SettingsError::Region { setting, error })
                })
                .transpose()?,
        };
        Ok(Self {
            configured: configured.is_some(),
            region: configured.unwrap_or_else(default_region),
        })
    }
}

/// Returns the first of the variables that is set, else the value of the profile.
fn find(
    key: &'static str,
    variables: &[&'static str],
    env: &dyn Env,
    profile: Option<&str>,
) -> Option<(Setting, String)> {
    let variable = |name: &&'static str| {
        let origin = Origin::Variable(name);
        Some((Setting { key, origin }, env.var(name)?))
    };
    variables.iter().find_map(variable).or_else(|| {
        let origin = Origin::Profile;
        Some((Setting { key, origin }, profile?.to_owned()))
    })
}

/// Returns the debug note about the configured retry mode. Only `standard` is supported; `legacy`
/// and `adaptive` are accepted with a note, other values are an error.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
fn retry_note(env: &dyn Env, profile: Option<&str>) -> Result<Option<String>, SettingsError> {
    let Some((setting, mode)) = find("retry_mode", &["AWS_RETRY_MODE"], env, profile) else {
        return Ok(None);
    };
    match mode.trim().to_ascii_lowercase().as_str() {
        "standard" => Ok(None),
        mode @ ("legacy" | "adaptive") => Ok(Some(format!(
            "{setting} is {mode}, which is not supported: using standard"
        ))),
        _ => Err(SettingsError::RetryMode(setting, sanitize(&mode, 40))),
    }
}

fn max_attempts(
    options: &Options,
    env: &dyn Env,
    profile: Option<&str>,
) -> Result<u32, SettingsError> {
    if let Some(attempts) = options.max_attempts {
        return Ok(attempts);
    }
    match find("max_attempts", &["AWS_MAX_ATTEMPTS"], env, profile) {
        None => Ok(DEFAULT_MAX_ATTEMPTS),
        Some((setting, text)) => match text.trim().parse() {
            Ok(attempts @ 1..) => Ok(attempts),
            _ => Err(SettingsError::MaxAttempts(setting, text)),
        },
    }
}

fn ca_bundle(
    options: &Options,
    env: &dyn Env,
    profile: Option<&str>,
) -> Result<Option<CaBundle>, SettingsError> {
    let key = "ca_bundle";
    let profile = profile.filter(|path| !path.is_empty());
    let found: Option<(Setting, PathBuf)> = match &options.ca_bundle {
        Some(path) => {
            let origin = Origin::CommandLine;
            Some((Setting { key, origin }, path.clone()))
        }
        None => find(key, &["AWS_CA_BUNDLE"], env, profile)
            .map(|(setting, path)| (setting, expand_home(env, &path))),
    };
    let Some((setting, path)) = found else {
        return Ok(None);
    };
    let name = format!("{setting} {}", path.display());
    match env.read(&path) {
        Ok(pem) => Ok(Some(CaBundle { name, pem })),
        Err(e) => {
            let source = Arc::new(e);
            Err(SettingsError::CaBundle { name, source })
        }
    }
}

fn connect(
    options: &Options,
    runtime: &Runtime,
    settings: &ClientSettings,
) -> Result<Arc<dyn HttpClient>, SettingsError> {
    let version = env!("CARGO_PKG_VERSION");
    let client = (runtime.connect)(
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
    let client = client.map_err(|e| SettingsError::Connect(Arc::new(e)))?;
    let Some(directory) = &options.record else {
        return Ok(client);
    };
    let account = options.record_account_id.as_ref().map(ToString::to_string);
    let variables = recorded_variables(settings);
    let clock = runtime.clock.clone();
    match RecordingClient::new(client, clock, directory, variables, account) {
        Ok(recording) => Ok(Arc::new(recording)),
        Err(e) => {
            let (key, origin) = ("record", Origin::CommandLine);
            Err(SettingsError::Record(Setting { key, origin }, Arc::new(e)))
        }
    }
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

/// Returns the network configuration of the credential providers. Without an HTTPS client, their
/// requests fail with a message that names check 1.
fn provider_config(
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
        region: settings.map_or_else(default_region, |s| s.region.region.clone()),
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
    use crate::recording::RecordedEnv;

    fn env(name: &str, value: &str) -> RecordedEnv {
        let variables = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        RecordedEnv::new(Path::new("none"), variables)
    }

    #[test]
    fn unsupported_retry_mode_is_noted() {
        let note = |value: &str, profile| {
            retry_note(&env("AWS_RETRY_MODE", value), profile).map_err(|e| e.to_string())
        };
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
