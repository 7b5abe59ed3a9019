//! A session: profile, start region, endpoints, trust, proxies and credentials, which make a client.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::recorded_home::home_files;
use super::settings::{
    ClientSettings, REGION_VARIABLES, SettingsError, choose_profile, default_region, option,
    region_of_profile, regular,
};
use crate::accounts::identity_call;
use crate::advice;
use crate::aws::client::{Activity, Client, Trace, Transport};
use crate::aws::config_file::SharedFiles;
use crate::aws::credential_cache::{CachedCredentials, IdentityCall};
use crate::aws::credentials::{self, Profile, ProviderContext, SsoPortal};
use crate::aws::endpoint::Endpoints;
use crate::aws::error::CredentialsError;
use crate::aws::partition::Partition;
use crate::aws::retry::DEFAULT_MAX_ATTEMPTS;
use crate::http::{
    CaBundle, HttpClient, Request, Response, Settings, TransportError, TransportErrorKind,
};
use crate::model::Region;
use crate::options::{AccountSource, Options};
use crate::recording::RecordingClient;
use crate::runtime::Runtime;

/// The time limit of a call that verifies credentials: other threads may wait for it.
const VERIFICATION_LIMIT: Duration = Duration::from_secs(30);

/// A client and what it was made of.
pub struct Session {
    /// The client.
    pub client: Arc<Client>,
    /// The settings of its requests.
    pub transport: Transport,
    /// The HTTPS client below it.
    pub http: Arc<dyn HttpClient>,
    /// The region of the first calls.
    pub start_region: Region,
}

/// The parts of a session, each of which may have failed.
pub struct SessionParts<'a> {
    options: &'a Options,
    runtime: &'a Runtime,
    settings: Result<ClientSettings, SettingsError>,
    http: Result<Arc<dyn HttpClient>, SettingsError>,
    transport: Transport,
    region: Region,
}

impl<'a> SessionParts<'a> {
    /// Reads the settings and builds the HTTPS client.
    #[must_use]
    pub fn new(
        options: &'a Options,
        runtime: &'a Runtime,
        trace: Option<Trace>,
        activity: Arc<Activity>,
    ) -> Self {
        let settings = ClientSettings::new(options, runtime, trace.as_ref());
        let http = match &settings {
            Ok(settings) => connect(options, runtime, settings),
            Err(error) => Err(error.clone()),
        };
        let known = settings.as_ref().ok();
        let transport = Transport {
            http: http.clone().unwrap_or_else(|_| Arc::new(NoHttp)),
            clock: runtime.clock.clone(),
            interrupt: runtime.interrupt.clone(),
            endpoints: known.map_or_else(Endpoints::default, |s| s.endpoints.clone()),
            max_attempts: known.map_or(DEFAULT_MAX_ATTEMPTS, |s| s.max_attempts),
            limits: options.limits,
            jitter: runtime.jitter,
            trace,
            activity,
            ends: Arc::new(options.run_ends().map(OnceLock::from).unwrap_or_default()),
            hosts: options.accounts.is_some().then(Arc::default),
        };
        let parts = Self {
            options,
            runtime,
            region: known.map_or_else(default_region, |s| s.region.clone()),
            settings,
            http,
            transport,
        };
        parts.log_settings();
        parts
    }

    fn log_settings(&self) {
        let (region, max) = (&self.region, self.transport.max_attempts);
        let trust = self.describe_trust();
        let separator = if trust.is_empty() { "" } else { ", " };
        self.transport.log(&format_args!(
            "settings: start region {region}, at most {max} attempts{separator}{trust}"
        ));
    }

    /// Returns the region of the first calls.
    #[must_use]
    pub fn start_region(&self) -> &Region {
        &self.region
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
        let (replayed, Ok(settings)) = (&self.options.replay, &self.settings) else {
            return String::new();
        };
        if let Some(source) = replayed {
            return format!("replaying {source}");
        }
        let bundle = settings.ca_bundle.as_ref();
        let trusted = bundle.map_or("the built-in Mozilla roots", |bundle| &bundle.name);
        let proxies = settings.proxies.iter().map(|p| format!(", proxy {p}"));
        let ignored = bundle.and_then(CaBundle::describe_ignored);
        let ignored = ignored.map_or_else(String::new, |ignored| format!(", ignoring {ignored}"));
        format!("trusting {trusted}{ignored}{}", proxies.collect::<String>())
    }

    /// Resolves the credentials.
    ///
    /// # Errors
    /// There are none, or a provider failed.
    pub fn credentials(&self) -> Result<CachedCredentials, CredentialsError> {
        let (env, options) = (self.runtime.env.clone(), self.options.clone());
        let choose = move |files: &SharedFiles| choose_profile(&options, files, &*env);
        self.load(&self.transport, &self.region, choose)
    }

    /// Returns the start region of a client of the profile `name`: that of the profile, else that of the run.
    ///
    /// # Errors
    /// The profile's region is invalid.
    pub fn region_of_profile(&self, name: &str) -> Result<Region, SettingsError> {
        let env = &*self.runtime.env;
        let files = SharedFiles::load(env).unwrap_or_default();
        let region = region_of_profile(self.options, env, files, name)?;
        Ok(region.unwrap_or_else(|| self.region.clone()))
    }

    /// Resolves the credentials of the profile `name`. Returns a client with them and the region of its first calls.
    ///
    /// # Errors
    /// There are none, or a provider failed.
    pub fn client_of_profile(
        &self,
        name: &str,
        region: Region,
    ) -> Result<(Arc<Client>, Region), CredentialsError> {
        let (region, endpoints) = regular(region, self.transport.endpoints.clone());
        let transport = Transport {
            endpoints,
            ..self.transport.clone()
        };
        let profile = Profile::named(name);
        let credentials = self.load(&transport, &region, move |_| profile.clone())?;
        Ok((Arc::new(Client::new(transport, credentials)), region))
    }

    /// Opens the portal of IAM Identity Center with the cached token of the session `name`.
    ///
    /// # Errors
    /// There is no such session or no valid token.
    pub fn sso_portal(&self, name: &str) -> Result<SsoPortal, CredentialsError> {
        SsoPortal::open(name, self.runtime.env.clone(), self.transport.clone())
    }

    /// Returns the settings of the requests.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Loads the credentials of the profile that `choose` returns, now and for each refresh.
    fn load(
        &self,
        transport: &Transport,
        region: &Region,
        choose: impl Fn(&SharedFiles) -> Profile + Send + Sync + 'static,
    ) -> Result<CachedCredentials, CredentialsError> {
        let env = self.runtime.env.clone();
        let identifier = identifier(transport, region);
        let (transport, region) = (transport.clone(), region.clone());
        let loader = move |is_refresh| {
            if is_refresh && transport.interrupt.signal().is_some() {
                return Err(CredentialsError::Interrupted);
            }
            let files = SharedFiles::load(&*env)?;
            let profile = choose(&files);
            let resolved = credentials::resolve(&ProviderContext {
                env: &*env,
                files: &files,
                profile: &profile,
                transport: &transport,
                region: &region,
                is_refresh,
                log: &|line| transport.log(&line),
            })?;
            let keys = &resolved.credentials;
            let has_token = keys.session_token().is_some();
            let http = &transport.http;
            http.note_profile(&profile.name, keys.access_key_id(), has_token);
            Ok(resolved)
        };
        CachedCredentials::load(Box::new(loader), identifier)
    }

    /// Returns the session; `None` if there is no HTTPS client.
    #[must_use]
    pub fn into_session(self, credentials: CachedCredentials) -> Option<Session> {
        Some(Session {
            client: Arc::new(Client::new(self.transport.clone(), credentials)),
            transport: self.transport,
            http: self.http.ok()?,
            start_region: self.settings.ok()?.region,
        })
    }
}

/// Returns the call that verifies the account of refreshed credentials.
fn identifier(transport: &Transport, region: &Region) -> IdentityCall {
    // STS has no host in some pseudo regions, such as `aws-cn-global`.
    let partition = Partition::of_pseudo_region(region);
    let region = partition.map_or_else(|| region.clone(), Partition::global_region);
    identity_call(transport.clone(), region, VERIFICATION_LIMIT)
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
            ca_bundle: settings.ca_bundle.clone(),
            proxies: settings.proxies.clone(),
            ca_advice: advice::FOR_UNTRUSTED_CA,
            max_connections: options.max_connections,
            user_agent: format!("{}/{version}", env!("CARGO_PKG_NAME")),
        },
        &runtime.interrupt,
    );
    let client = client.map_err(|e| SettingsError::Connect(Arc::new(e)))?;
    let Some(directory) = &options.record else {
        return Ok(client);
    };
    let account = options.record_account_id.as_ref().map(ToString::to_string);
    let environment = recorded_environment(options, runtime, settings);
    let clock = runtime.clock.clone();
    match RecordingClient::new(client, clock, directory, environment, account) {
        Ok(recording) if options.accounts.is_some() => Ok(Arc::new(recording.of_many_accounts())),
        Ok(recording) => Ok(Arc::new(recording)),
        Err(e) => {
            let name = option("record");
            Err(SettingsError::Io(name, Arc::new(e)))
        }
    }
}

/// Returns the environment for a replay of the same requests: the variables, with the example credentials of the AWS
/// documentation, and the files of the home directory.
fn recorded_environment(
    options: &Options,
    runtime: &Runtime,
    settings: &ClientSettings,
) -> BTreeMap<String, String> {
    let mut environment = settings.endpoints.variables();
    let mut set = |name: &str, value: &str| environment.insert(name.to_owned(), value.to_owned());
    set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    set(
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    );
    let source = options.accounts.as_ref().map(|accounts| &accounts.source);
    let of_profiles = matches!(source, Some(AccountSource::Profiles(_)));
    if of_profiles {
        // The recorded profiles have keys of their own.
        set("AWS_EC2_METADATA_DISABLED", "true");
    }
    let env = &*runtime.env;
    let is_variable = |name: &&str| env.var(name).is_some();
    let is_of_all = options.region.is_some() || REGION_VARIABLES.iter().any(is_variable);
    let configured = settings.is_region_configured;
    let region = configured.then_some(settings.region.as_str());
    // The variable takes precedence over the regions of profiles.
    if let Some(region) = region.filter(|_| is_of_all || !of_profiles) {
        set("AWS_REGION", region);
    }
    if let Some(source) = source {
        environment.extend(home_files(source, region, env, runtime.clock.now()));
    }
    environment
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
