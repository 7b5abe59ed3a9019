//! What a client needs to know, from the command line, the environment and the profile.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::{FIRST_REGION, known};
use crate::aws::client::Trace;
use crate::aws::config_file::{SharedFiles, expand_home};
use crate::aws::credentials::{self, Context, Net, Profile};
use crate::aws::endpoint::Endpoints;
use crate::aws::keyring::{CredentialsError, Keyring};
use crate::aws::operation::Service;
use crate::aws::retry::{CALL_LIMIT, DEFAULT_MAX_ATTEMPTS};
use crate::config::Config;
use crate::env::Env;
use crate::http::agent::Settings;
use crate::http::proxy::Proxies;
use crate::http::record::Recorder;
use crate::http::{HttpSend, Request, Response, TransportError, TransportErrorKind};
use crate::model::Region;
use crate::world::World;

/// The services that a run calls.
const CALLED: [Service; 4] = [Service::Config, Service::Ec2, Service::Iam, Service::Sts];

/// What the client needs to know, from the command line, the environment and the profile.
pub(super) struct ClientSettings {
    pub(super) region: StartRegion,
    pub(super) endpoints: Endpoints,
    pub(super) max_attempts: u32,
    /// What `--debug` tells of a retry mode that is not ours.
    pub(super) retry_note: Option<String>,
    ca_bundle: Option<(String, Vec<u8>)>,
    proxies: Proxies,
}

/// Where the first calls go.
pub(super) struct StartRegion {
    pub(super) region: Region,
    /// Whether someone named it.
    configured: bool,
}

impl ClientSettings {
    pub(super) fn gather(config: &Config, world: &World) -> Result<Self, String> {
        let env = &*world.env;
        // What is wrong with the files is told by the check of the credentials.
        let files = SharedFiles::load(env).unwrap_or_default();
        let profile = choose_profile(config, &files, env);
        let setting = |key| files.get(&profile.name, key);
        let region = StartRegion::choose(config, env, setting("region"))?;
        let explicit = config.endpoint_url.as_ref();
        let endpoints = Endpoints::new(explicit, env, &files, &profile.name)?;
        // Told once and here, not by each call of the service.
        for service in CALLED {
            endpoints.resolve(service, &region.region)?;
        }
        Ok(Self {
            region,
            endpoints,
            max_attempts: max_attempts(config, env, setting("max_attempts"))?,
            retry_note: retry_note(env, setting("retry_mode"))?,
            ca_bundle: match config.replay {
                Some(_) => None,
                None => ca_bundle(config, env, setting("ca_bundle"))?,
            },
            proxies: match config.replay {
                Some(_) => Proxies::default(),
                None => Proxies::from_env(env)?,
            },
        })
    }

    pub(super) fn trust(&self) -> String {
        let mut told = match &self.ca_bundle {
            None => "trusting the built-in Mozilla roots".to_owned(),
            Some((name, _)) => format!("trusting {name}"),
        };
        for proxy in self.proxies.iter() {
            let _ = write!(told, ", proxy {proxy}");
        }
        told
    }
}

impl StartRegion {
    fn choose(config: &Config, env: &dyn Env, profile: Option<&str>) -> Result<Self, String> {
        let named = |name: &str| Some((name.to_owned(), env.var(name)?));
        let configured = match &config.region {
            Some(region) => Some(region.clone()),
            None => named("AWS_REGION")
                .or_else(|| named("AWS_DEFAULT_REGION"))
                .or_else(|| Some(("the profile's region".to_owned(), profile?.to_owned())))
                .map(|(source, text)| text.trim().parse().map_err(|e| format!("{source}: {e}")))
                .transpose()?,
        };
        Ok(Self {
            configured: configured.is_some(),
            region: configured.unwrap_or_else(|| known(FIRST_REGION)),
        })
    }
}

/// `standard` is the mode that the program has; the others are accepted, and told in `--debug`.
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
            "{source} is {mode}: this program retries in the standard mode"
        ))),
        _ => Err(format!(
            "{source}: \"{}\" is none of standard, legacy and adaptive",
            crate::model::clean(&mode, 40)
        )),
    }
}

fn max_attempts(config: &Config, env: &dyn Env, profile: Option<&str>) -> Result<u32, String> {
    let variable = env
        .var("AWS_MAX_ATTEMPTS")
        .map(|text| ("AWS_MAX_ATTEMPTS", text));
    let named = variable.or_else(|| Some(("the profile's max_attempts", profile?.to_owned())));
    match (config.max_attempts, named) {
        (Some(attempts), _) => Ok(attempts),
        (None, None) => Ok(DEFAULT_MAX_ATTEMPTS),
        (None, Some((source, text))) => match text.trim().parse() {
            Ok(attempts @ 1..) => Ok(attempts),
            _ => Err(format!(
                "{source}: \"{text}\" is not a number of attempts, 1 or more"
            )),
        },
    }
}

fn ca_bundle(
    config: &Config,
    env: &dyn Env,
    profile: Option<&str>,
) -> Result<Option<(String, Vec<u8>)>, String> {
    let flag = config.ca_bundle.clone().map(|path| ("--ca-bundle", path));
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
    config: &Config,
    world: &World,
    settings: &ClientSettings,
) -> Result<Arc<dyn HttpSend>, String> {
    let version = env!("CARGO_PKG_VERSION");
    let sender = (world.connect)(
        &Settings {
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
            exchange_limit: CALL_LIMIT,
            ca_bundle: settings.ca_bundle.clone(),
            proxies: settings.proxies.clone(),
            user_agent: format!("{}/{version}", env!("CARGO_PKG_NAME")),
        },
        &world.interrupt,
    );
    let sender = sender.map_err(|e| e.to_string())?;
    let Some(folder) = &config.record else {
        return Ok(sender);
    };
    let account = config.record_account_id.as_ref().map(ToString::to_string);
    let variables = recorded_variables(settings);
    let clock = world.clock.clone();
    let recorder = Recorder::new(sender, clock, folder, variables, account);
    Ok(Arc::new(recorder.map_err(|e| format!("--record: {e}"))?))
}

/// The environment that steers the same requests, with the documentation's example keys.
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

/// The credentials, from the chain; `net` is how its providers reach the network.
pub(super) fn keyring(
    config: &Config,
    world: &World,
    net: Net,
) -> Result<Keyring, CredentialsError> {
    let env = world.env.clone();
    let config = config.clone();
    Keyring::load(Box::new(move |again| {
        let files = SharedFiles::load(&*env).map_err(CredentialsError)?;
        let profile = choose_profile(&config, &files, &*env);
        credentials::resolve(&Context {
            env: &*env,
            files: &files,
            profile: &profile,
            net: &net,
            again,
            note: &|line| {
                if let Some(trace) = &net.trace {
                    trace(&format_args!("debug: {line}"));
                }
            },
        })
    }))
}

/// How the chain reaches the network; where there is none, what needs it says so.
pub(super) fn net(
    config: &Config,
    world: &World,
    settings: Option<&ClientSettings>,
    http: Option<&Arc<dyn HttpSend>>,
    trace: Option<Trace>,
) -> Net {
    let http = http.cloned().unwrap_or_else(|| Arc::new(NoHttp));
    Net {
        http,
        clock: world.clock.clone(),
        interrupt: world.interrupt.clone(),
        endpoints: settings.map_or_else(Endpoints::default, |s| s.endpoints.clone()),
        region: settings.map_or_else(|| known(FIRST_REGION), |s| s.region.region.clone()),
        max_attempts: settings.map_or(DEFAULT_MAX_ATTEMPTS, |s| s.max_attempts),
        limits: config.limits,
        chance: world.chance,
        trace,
    }
}

/// Stands where the HTTPS client could not be built.
struct NoHttp;

impl HttpSend for NoHttp {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        Err(TransportError {
            kind: TransportErrorKind::NotRecorded,
            message: "the HTTPS client could not be built (check 1)".to_owned(),
        })
    }
}

/// A recording has its own keys: there `--profile` counts only where it holds that profile.
fn choose_profile(config: &Config, files: &SharedFiles, env: &dyn Env) -> Profile {
    let here = |name: &&str| config.replay.is_none() || files.has_profile(name);
    Profile::choose(config.profile.as_deref().filter(here), env)
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
    fn a_retry_mode_that_is_not_ours_gets_a_word() {
        let note = |value: &str, profile| retry_note(&env("AWS_RETRY_MODE", value), profile);
        assert_eq!(note("", None), Ok(None));
        assert_eq!(
            note("Standard", Some("legacy")),
            Ok(None),
            "the variable wins"
        );
        for mode in ["legacy", "adaptive"] {
            let told = note(mode, None).unwrap().unwrap();
            assert!(
                told.starts_with(&format!("AWS_RETRY_MODE is {mode}: ")),
                "{told}"
            );
            let told = note("", Some(mode)).unwrap().unwrap();
            assert!(
                told.starts_with(&format!("the profile's retry_mode is {mode}: ")),
                "{told}"
            );
        }
        let error = note("fast", None).unwrap_err();
        assert_eq!(
            error,
            "AWS_RETRY_MODE: \"fast\" is none of standard, legacy and adaptive"
        );
    }
}
