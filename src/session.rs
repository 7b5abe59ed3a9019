//! A session: profile, start region, endpoints, trust, proxies and credentials, which make a client.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
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
pub enum Setting {
    /// An option of the command line, by its key.
    CommandLine(&'static str),
    /// An environment variable.
    Variable(&'static str),
    /// A key of the profile.
    Profile(&'static str),
}

/// `--ca-bundle`, `AWS_CA_BUNDLE` or `the profile's ca_bundle`.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine(key) => write!(f, "--{}", key.replace('_', "-")),
            Self::Variable(name) => f.write_str(name),
            Self::Profile(key) => write!(f, "the profile's {key}"),
        }
    }
}

/// An invalid setting, or an HTTPS client that could not be built.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingsError {
    /// An invalid region code.
    #[error("{0}: {1}")]
    Region(Setting, ParseNameError),
    /// An invalid value: the setting, what it is, the value, and what was expected.
    #[error("{0}: invalid {1} \"{2}\"; expected {3}")]
    Value(Setting, &'static str, String, &'static str),
    /// A file or directory that cannot be read or written.
    #[error("{0}: {1}")]
    Io(String, Arc<io::Error>),
    /// An invalid endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An invalid proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The HTTPS client could not be built.
    #[error("{0}")]
    Connect(Arc<io::Error>),
}

/// Where settings are looked up.
struct Lookup<'a> {
    options: &'a Options,
    env: &'a dyn Env,
    files: SharedFiles,
    profile: String,
}

/// The settings of the client, from the command line, the environment and the profile.
struct ClientSettings {
    /// The region of the first calls.
    region: Region,
    /// True if the region comes from the command line, the environment or the profile.
    is_region_configured: bool,
    endpoints: Endpoints,
    max_attempts: u32,
    ca_bundle: Option<CaBundle>,
    proxies: Proxies,
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
        let settings = ClientSettings::new(options, runtime, trace.as_ref());
        let http = match &settings {
            Ok(settings) => connect(options, runtime, settings),
            Err(error) => Err(error.clone()),
        };
        let known = settings.as_ref().ok();
        let providers = ProviderConfig {
            http: http.clone().unwrap_or_else(|_| Arc::new(NoHttp)),
            clock: runtime.clock.clone(),
            interrupt: runtime.interrupt.clone(),
            endpoints: known.map_or_else(Endpoints::default, |s| s.endpoints.clone()),
            region: known.map_or_else(default_region, |s| s.region.clone()),
            max_attempts: known.map_or(DEFAULT_MAX_ATTEMPTS, |s| s.max_attempts),
            limits: options.limits,
            jitter: runtime.jitter,
            trace,
        };
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
        let (directory, Ok(settings)) = (&self.options.replay, &self.settings) else {
            return String::new();
        };
        if let Some(directory) = directory {
            return format!("replaying {}", directory.display());
        }
        let bundle = settings.ca_bundle.as_ref();
        let trusted = bundle.map_or("the built-in Mozilla roots", |bundle| &bundle.name);
        let proxies = settings.proxies.iter().map(|p| format!(", proxy {p}"));
        format!("trusting {trusted}{}", proxies.collect::<String>())
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
            start_region: self.settings.ok()?.region,
        })
    }
}

impl ClientSettings {
    fn new(
        options: &Options,
        runtime: &Runtime,
        trace: Option<&Trace>,
    ) -> Result<Self, SettingsError> {
        let env = &*runtime.env;
        // The credentials check reports invalid files.
        let files = SharedFiles::load(env).unwrap_or_default();
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
        let endpoints = lookup.endpoints(&region)?;
        let max_attempts = lookup.max_attempts()?;
        if let (Some(note), Some(trace)) = (
            retry_note(lookup.find("retry_mode", &["AWS_RETRY_MODE"]))?,
            trace,
        ) {
            trace(&format_args!("debug: {note}"));
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
    fn find(&self, key: &'static str, variables: &[&'static str]) -> Option<(Setting, String)> {
        let variable = |name: &&'static str| Some((Setting::Variable(name), self.env.var(name)?));
        variables.iter().find_map(variable).or_else(|| {
            let value = self.files.get(&self.profile, key)?;
            Some((Setting::Profile(key), value.to_owned()))
        })
    }

    fn region(&self) -> Result<Option<Region>, SettingsError> {
        if let Some(region) = &self.options.region {
            return Ok(Some(region.clone()));
        }
        let found = self.find("region", &["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let parse = |(setting, text): (Setting, String)| {
            let region = text.trim().parse();
            region.map_err(|error| SettingsError::Region(setting, error))
        };
        found.map(parse).transpose()
    }

    fn endpoints(&self, region: &Region) -> Result<Endpoints, SettingsError> {
        let url = self.options.endpoint_url.as_ref();
        let explicit = url.map(|url| ("--endpoint-url", url));
        let endpoints = Endpoints::new(explicit, self.env, &self.files, &self.profile)?;
        // An invalid endpoint is reported here once, not by each call.
        for service in CALLED {
            endpoints.resolve(service, region)?;
        }
        Ok(endpoints)
    }

    fn max_attempts(&self) -> Result<u32, SettingsError> {
        if let Some(attempts) = self.options.max_attempts {
            return Ok(attempts);
        }
        let Some((setting, text)) = self.find("max_attempts", &["AWS_MAX_ATTEMPTS"]) else {
            return Ok(DEFAULT_MAX_ATTEMPTS);
        };
        let parsed = text.trim().parse().ok().filter(|attempts| *attempts > 0);
        let what = "number of attempts";
        parsed.ok_or(SettingsError::Value(setting, what, text, "1 or more"))
    }

    fn ca_bundle(&self) -> Result<Option<CaBundle>, SettingsError> {
        let key = "ca_bundle";
        let found = match &self.options.ca_bundle {
            Some(path) => Some((Setting::CommandLine(key), path.clone())),
            None => self
                .find(key, &["AWS_CA_BUNDLE"])
                .filter(|(_, path)| !path.is_empty())
                .map(|(setting, path)| (setting, expand_home(self.env, &path))),
        };
        let Some((setting, path)) = found else {
            return Ok(None);
        };
        let name = format!("{setting} {}", path.display());
        match self.env.read(&path) {
            Ok(pem) => Ok(Some(CaBundle { name, pem })),
            Err(e) => Err(SettingsError::Io(name, Arc::new(e))),
        }
    }
}

/// Returns the debug note about the configured retry mode. Only `standard` is supported; `legacy`
/// and `adaptive` are accepted with a note, other values are an error.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
fn retry_note(found: Option<(Setting, String)>) -> Result<Option<String>, SettingsError> {
    let Some((setting, mode)) = found else {
        return Ok(None);
    };
    match mode.trim().to_ascii_lowercase().as_str() {
        "standard" => Ok(None),
        mode @ ("legacy" | "adaptive") => Ok(Some(format!(
            "{setting} is {mode}, which is not supported: using standard"
        ))),
        _ => {
            let (mode, expected) = (sanitize(&mode, 40), "standard, legacy or adaptive");
            Err(SettingsError::Value(setting, "retry mode", mode, expected))
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
            let name = Setting::CommandLine("record").to_string();
            Err(SettingsError::Io(name, Arc::new(e)))
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
    if settings.is_region_configured {
        set("AWS_REGION", settings.region.as_str());
    }
    variables
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
    use super::*;

    #[test]
    fn unsupported_retry_mode_is_noted() {
        let settings = [
            (Setting::Variable("AWS_RETRY_MODE"), "AWS_RETRY_MODE"),
            (Setting::Profile("retry_mode"), "the profile's retry_mode"),
        ];
        let note = |setting: &Setting, mode: &str| {
            let found = Some((setting.clone(), mode.to_owned()));
            retry_note(found).map_err(|e| e.to_string())
        };
        assert_eq!(retry_note(None).unwrap(), None);
        for (setting, name) in settings {
            assert_eq!(note(&setting, "Standard"), Ok(None));
            for mode in ["legacy", "adaptive"] {
                let text = note(&setting, mode).unwrap().unwrap();
                assert!(text.starts_with(&format!("{name} is {mode}, ")), "{text}");
            }
            assert_eq!(
                note(&setting, "fast").unwrap_err(),
                format!(
                    "{name}: invalid retry mode \"fast\"; expected standard, legacy or adaptive"
                )
            );
        }
    }
}
