//! Resolves credentials from every directory of `tests/credentials` through the whole provider chain.
//! Only the network, the waits and the terminal are replaced.
//!
//! A case is one row of [`CASES`]. Its directory holds `env.json`, optionally `home/.aws/`, the
//! commands in `processes.json`, and the recorded requests and responses in `interactions/`; without
//! `interactions` every request fails. `expected.json` holds the expected result: the access key ID, a
//! part of the provider's name, `token` (true if there is a session token) and the expiry time; or
//! parts of the error message. `by` is the provider that ends the chain; the chain must log why it
//! skipped each earlier provider.
//!
//! - One case: `CASE=sso_session cargo test --test credentials`. An unknown name fails.
//! - Rewrite the expected files: `UPDATE_EXPECTED=1 cargo test --test credentials expected_file`, also
//!   with `CASE`. It rewrites only files that no longer match, with the full text of the message.
//!
//! Every secret in a fixture contains [`SECRET_MARKER`], which no output may show.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config_resource_count::advice;
use aws_config_resource_count::aws::client::Transport;
use aws_config_resource_count::aws::config_file::SharedFiles;
use aws_config_resource_count::aws::credential_cache::ResolvedCredentials;
use aws_config_resource_count::aws::credentials::{Profile, ProviderContext, resolve};
use aws_config_resource_count::aws::endpoint::Endpoints;
use aws_config_resource_count::aws::limiter::Limits;
use aws_config_resource_count::env::{CommandOutput, Env};
use aws_config_resource_count::http::{
    HttpClient, Request, Response, TransportError, TransportErrorKind,
};
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::recording::{RecordedEnv, ReplayClient, VirtualClock};
use serde::{Deserialize, Serialize};
use table::Row;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

/// A part of every secret in the fixtures.
const SECRET_MARKER: &str = "hush";

/// The providers in the order of the chain, as `--debug` names them.
const ORDER: [&str; 10] = [
    "the environment",
    "a role of the profile",
    "a web identity",
    "IAM Identity Center",
    "the shared credentials file",
    "aws login",
    "credential_process",
    "the config file",
    "the container",
    "the instance metadata service",
];

/// The name in `expected.json` for a chain that no provider ends.
const NO_PROVIDER: &str = "all";

/// The start of every line that the chain logs.
const LOG_PREFIX: &str = "credentials: ";
/// Follows the name of a skipped provider, before the reason.
const SKIPPED: &str = " skipped: ";
/// Follows the name of the provider that returns the credentials.
const RETURNED: &str = " returned credentials";
/// Follows the name of the provider that fails.
const FAILED: &str = " failed";

/// A chain: the fixture directory, the profile of `--profile`, and the expected kind of result.
struct Case {
    directory: &'static str,
    profile: Option<&'static str>,
    is_error: bool,
}

impl Row for Case {
    fn name(&self) -> &str {
        self.directory
    }
}

/// A case that returns credentials.
const fn key(directory: &'static str, profile: Option<&'static str>) -> Case {
    Case {
        directory,
        profile,
        is_error: false,
    }
}

/// A case that returns an error.
const fn error(directory: &'static str, profile: Option<&'static str>) -> Case {
    Case {
        directory,
        profile,
        is_error: true,
    }
}

const CASES: &[Case] = &[
    // The environment.
    key("env_keys", None),
    key("env_with_session_token", None),
    key("env_with_legacy_security_token", None),
    key("env_blank_values_are_absent", None),
    error("env_secret_missing", None),
    error("env_secret_blank", None),
    error("env_secret_only_goes_on", None),
    // Selection and precedence of profiles.
    key("flag_beats_env_keys", Some("audit")),
    key("env_keys_beat_aws_profile", None),
    key("aws_profile_chooses", None),
    key("flag_beats_aws_profile", Some("audit")),
    key("aws_profile_beats_aws_default_profile", None),
    error("aws_profile_missing_stops_even_env_keys", None),
    error("flag_profile_missing", Some("missing")),
    error("flag_never_falls_back_to_env_keys", Some("empty")),
    error("config_section_without_profile_is_none", Some("audit")),
    error("config_syntax_error", None),
    error("credentials_syntax_error", None),
    key("files_elsewhere", None),
    // Static credentials.
    key("static_credentials_over_config", None),
    key("static_config_only", Some("audit")),
    key("static_with_session_token", None),
    key("static_with_legacy_security_token", None),
    error("static_secret_missing", Some("audit")),
    error("static_id_missing", None),
    error("static_secret_blank", None),
    error("static_config_secret_missing", None),
    // Roles of a profile.
    key("role_with_source_profile", Some("deploy")),
    key("role_of_the_default_profile", None),
    key("role_of_a_role", Some("inner")),
    key("role_names_itself_and_has_keys", Some("deploy")),
    key("role_with_every_setting", Some("deploy")),
    key("role_with_a_duration_that_is_no_number", Some("deploy")),
    key("role_with_mfa", Some("deploy")),
    key("role_from_environment_keys", Some("deploy")),
    key("role_from_a_container", Some("deploy")),
    key("role_from_the_instance", Some("deploy")),
    key("role_source_in_another_case", None),
    key("role_from_a_process", Some("deploy")),
    key("role_throttled_and_then_given", Some("deploy")),
    error("role_loop", Some("deploy")),
    error("role_names_itself_without_keys", Some("deploy")),
    error("role_source_profile_missing", Some("deploy")),
    error("role_source_profile_without_keys", Some("deploy")),
    error("role_source_profile_with_half_a_pair", Some("deploy")),
    error("role_with_both_sources", Some("deploy")),
    error("role_with_neither_source", Some("deploy")),
    error("role_source_unknown", Some("deploy")),
    error("role_source_environment_is_empty", Some("deploy")),
    error("role_source_container_is_none", Some("deploy")),
    error("role_source_instance_is_none", Some("deploy")),
    error("role_mfa_without_a_terminal", Some("deploy")),
    error("role_mfa_code_too_short", Some("deploy")),
    error("role_mfa_code_with_letters", Some("deploy")),
    error("role_mfa_code_refused", Some("deploy")),
    error("role_access_denied", Some("deploy")),
    error("role_source_keys_unknown_and_echoed", Some("deploy")),
    error("role_unreadable_answer", Some("deploy")),
    error("role_answer_without_an_end", Some("deploy")),
    error("role_sts_out_of_reach", Some("deploy")),
    error("role_of_a_role_denied", Some("deploy")),
    // A web identity.
    key("web_env", None),
    key("web_env_without_a_session_name", None),
    key("web_profile", Some("ci")),
    key("web_env_beats_profile", None),
    key("web_flag_ignores_env", Some("audit")),
    key("web_env_beats_shared_keys", None),
    key("web_provider_out_of_reach_and_back", None),
    key("web_role_of_a_web_identity", Some("deploy")),
    error("web_file_missing", None),
    error("web_file_empty", None),
    error("web_without_role", None),
    error("web_invalid_token", None),
    error("web_token_expired", None),
    error("web_provider_out_of_reach_to_the_end", None),
    error("web_access_denied", None),
    // IAM Identity Center.
    key("sso_session", Some("audit")),
    key("sso_by_aws_profile", None),
    key("sso_legacy", Some("audit")),
    key("sso_same_start_url_twice", Some("audit")),
    key("sso_expired_session_is_refreshed", Some("audit")),
    key("sso_refreshed_before_the_end", Some("audit")),
    key("sso_ends_with_short_offsets", Some("audit")),
    key("sso_refresh_refused_but_the_token_lives", Some("audit")),
    key("sso_throttled_and_then_answered", Some("audit")),
    key("sso_portal_fails_and_then_answers", Some("audit")),
    key("sso_role_on_top", Some("deploy")),
    key("sso_session_only_leaves_other_keys", Some("audit")),
    error("sso_session_only_is_not_configured", Some("audit")),
    error("sso_legacy_token_expired", Some("audit")),
    error("sso_refresh_refused_and_expired", Some("audit")),
    error("sso_registration_expired", Some("audit")),
    error("sso_refresh_lives_absurdly_long", Some("audit")),
    error("sso_section_missing", Some("audit")),
    error("sso_role_name_missing", Some("audit")),
    error("sso_account_missing", Some("audit")),
    error("sso_region_is_none", Some("audit")),
    error("sso_start_urls_differ", Some("audit")),
    error("sso_no_cache_file", Some("audit")),
    error("sso_cache_is_not_json", Some("audit")),
    error("sso_cache_without_a_token", Some("audit")),
    error("sso_portal_401", Some("audit")),
    error("sso_portal_403", Some("audit")),
    error("sso_portal_404", Some("audit")),
    error("sso_portal_echoes_the_token", Some("audit")),
    error(
        "sso_portal_echoes_the_token_where_the_text_is_cut",
        Some("audit"),
    ),
    error("sso_portal_fails_to_the_end", Some("audit")),
    error("sso_portal_answers_html", Some("audit")),
    // aws login.
    key("login_alive", Some("me")),
    key("login_end_without_seconds", Some("me")),
    key("login_cache_elsewhere", Some("me")),
    key("login_refreshed", Some("me")),
    error("login_expired", Some("me")),
    error("login_missing", Some("me")),
    error("login_broken", Some("me")),
    error("login_end_unreadable", Some("me")),
    error("login_expired_in_a_read_only_file", Some("me")),
    error("login_key_unreadable", Some("me")),
    // credential_process.
    key("process", Some("tool")),
    key("process_with_token_and_end", Some("tool")),
    key("process_end_with_a_short_offset", Some("tool")),
    key("process_end_in_the_basic_format", Some("tool")),
    key("process_with_end_in_utc", Some("tool")),
    key("process_with_blank_in_end", Some("tool")),
    key("process_with_fraction_in_end", Some("tool")),
    key("process_after_shared_keys", Some("tool")),
    key("process_before_config_keys", Some("tool")),
    error("process_version_2", Some("tool")),
    error("process_without_a_secret", Some("tool")),
    error("process_without_an_id", Some("tool")),
    error("process_end_unreadable", Some("tool")),
    error("process_prints_no_json", Some("tool")),
    error("process_fails", Some("tool")),
    error("process_fails_silently", Some("tool")),
    error("process_cannot_be_run", Some("tool")),
    // A container.
    key("container_relative", None),
    key("container_relative_beats_full", None),
    key("container_full_loopback", None),
    key("container_full_localhost", None),
    key("container_full_loopback_ipv6", None),
    key("container_full_https", None),
    key("container_full_eks_ipv6", None),
    key("container_eks_pod_identity", None),
    key("container_token_variable", None),
    key("container_fails_and_then_answers", None),
    error("container_host_forbidden", None),
    error("container_host_behind_a_user_name", None),
    error("container_scheme_forbidden", None),
    error("container_full_is_no_uri", None),
    error("container_relative_is_no_path", None),
    error("container_token_with_a_line_break", None),
    error("container_token_file_with_a_line_break", None),
    error("container_token_file_missing", None),
    error("container_fails_to_the_end", None),
    error("container_out_of_reach", None),
    error("container_403", None),
    error("container_not_json", None),
    error("container_without_a_secret", None),
    // An instance.
    key("imds", None),
    key("imds_expired_keys_are_kept", None),
    key("imds_endpoint_elsewhere", None),
    key("imds_ipv6", None),
    key("imds_end_with_a_comma", None),
    key("imds_endpoint_of_the_profile", None),
    key("imds_mode_of_the_profile", None),
    key("imds_variable_beats_profile", None),
    key("imds_fails_and_then_answers", None),
    error("imds_none_there", None),
    error("imds_token_refused", None),
    error("imds_disabled", None),
    error("imds_without_a_role", None),
    error("imds_role_is_blank", None),
    error("imds_tried_once_by_default", None),
    error("imds_tried_four_times_by_default", None),
    error("imds_role_gone", None),
    error("imds_code_is_not_success", None),
    error("imds_keys_fail_to_the_end", None),
    error("imds_not_json", None),
    error("imds_timeout_is_no_number", None),
    error("imds_attempts_are_none", None),
    error("imds_attempts_of_the_profile", None),
    error("imds_mode_is_unknown", None),
    error("imds_endpoint_is_no_url", None),
];

/// The expected result of a case.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The provider that ends the chain, or [`NO_PROVIDER`]; absent if the chain does not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Parts of the error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Vec<String>>,
}

/// The result of a case: the credentials or the error message, and the lines that the chain logs.
struct Outcome {
    resolved: Result<ResolvedCredentials, String>,
    log: Vec<String>,
}

/// The environment of a case: `env.json`, the files of the directory, the outputs of commands in
/// `processes.json`, and a terminal on which the user enters the variable TEST_MFA_CODE.
struct CaseEnv {
    recorded: RecordedEnv,
    outputs: BTreeMap<String, Output>,
}

/// The output of a command.
#[derive(Deserialize)]
#[serde(default)]
struct Output {
    ok: bool,
    stdout: String,
    stderr: String,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            ok: true,
            stdout: String::new(),
            stderr: String::new(),
        }
    }
}

impl CaseEnv {
    fn open(directory: &Path) -> Self {
        let outputs = fs::read(directory.join("processes.json"));
        Self {
            recorded: RecordedEnv::open(directory).unwrap(),
            outputs: outputs.map_or_else(
                |_| BTreeMap::new(),
                |text| serde_json::from_slice(&text).unwrap(),
            ),
        }
    }
}

impl Env for CaseEnv {
    fn var(&self, name: &str) -> Option<String> {
        self.recorded.var(name)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.recorded.read(path)
    }

    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        match self.var("TEST_READ_ONLY") {
            Some(_) => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            None => Ok(()),
        }
    }

    fn run(
        &self,
        command: &str,
        _: Duration,
        _: &dyn Fn() -> Duration,
    ) -> io::Result<CommandOutput> {
        let output = self.outputs.get(command).ok_or(io::ErrorKind::NotFound)?;
        Ok(CommandOutput {
            ok: output.ok,
            stdout: output.stdout.clone().into(),
            stderr: output.stderr.clone(),
        })
    }

    fn prompt(&self, _: &str) -> Option<String> {
        self.var("TEST_MFA_CODE")
    }
}

/// A network on which every request fails.
struct NoNetwork;

impl HttpClient for NoNetwork {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        Err(TransportError {
            kind: TransportErrorKind::Connection,
            message: format!("{}: no network", request.uri),
        })
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/credentials")
}

#[test]
fn resolved_credentials_match_expected_file() {
    table::check_rows(CASES, check_case);
}

fn check_case(case: &Case) {
    let path = fixtures().join(case.directory);
    let replay = path
        .join("interactions")
        .exists()
        .then(|| Arc::new(ReplayClient::open(&path, NOW).unwrap()));
    let http: Arc<dyn HttpClient> = match &replay {
        Some(replay) => replay.clone(),
        None => Arc::new(NoNetwork),
    };
    let requests = Arc::new(Mutex::new(Vec::new()));
    let log = requests.clone();
    let transport = Transport {
        http,
        clock: Arc::new(VirtualClock::new(NOW)),
        interrupt: Interrupt::default(),
        endpoints: Endpoints::default(),
        max_attempts: 3,
        limits: Limits {
            concurrency: 1,
            rate: None,
        },
        jitter: || 0.5,
        trace: Some(Arc::new(move |line| {
            log.lock().unwrap().push(line.to_string());
        })),
        activity: Arc::default(),
        ends: Arc::default(),
        hosts: None,
    };
    let lines = Mutex::new(Vec::new());
    let resolved = resolve_from(&path, case.profile, &transport, &|line| {
        lines.lock().unwrap().push(line.to_owned());
    });
    let outcome = Outcome {
        resolved,
        log: lines.into_inner().unwrap(),
    };

    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        outcome.update_expected(&path);
    }
    outcome.assert_matches(&Expected::read(&path));
    let is_error = outcome.resolved.is_err();
    assert_eq!(case.is_error, is_error, "kind of result in the table");
    let requests = requests.lock().unwrap();
    if let Some(replay) = replay {
        assert_eq!(
            replay.left_over(),
            [""; 0],
            "recorded responses without a request"
        );
        assert_ne!(requests.len(), 0, "every request is logged");
    }
    let lines = outcome.log.join("\n");
    let shown = format!("{:?}\n{lines}\n{}", outcome.resolved, requests.join("\n"));
    assert!(!shown.contains(SECRET_MARKER), "{shown}");
    for secret in secrets(&path) {
        assert!(!shown.contains(&secret), "{secret} in: {shown}");
    }
}

/// Resolves credentials from the directory; the error is the text that a user reads.
fn resolve_from(
    directory: &Path,
    profile: Option<&str>,
    transport: &Transport,
    note: &dyn Fn(&str),
) -> Result<ResolvedCredentials, String> {
    let env = CaseEnv::open(directory);
    let files = SharedFiles::load(&env).map_err(|e| e.to_string())?;
    let shown = format!("{files:?}");
    assert!(!shown.contains(SECRET_MARKER), "{shown}");
    let profile = Profile::choose(profile, &env);
    let context = ProviderContext {
        env: &env,
        files: &files,
        profile: &profile,
        transport,
        region: &"us-east-1".parse().unwrap(),
        is_refresh: false,
        log: note,
    };
    resolve(&context).map_err(|e| advice::for_credentials(&e))
}

impl Expected {
    fn read(directory: &Path) -> Self {
        let text = fs::read(directory.join("expected.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

impl Outcome {
    fn assert_matches(&self, expected: &Expected) {
        match (&self.resolved, &expected.error) {
            (Ok(found), None) => assert_credentials_match(found, expected),
            (Err(text), Some(parts)) => {
                for part in parts {
                    assert!(text.contains(part.as_str()), "no \"{part}\" in: {text}");
                }
            }
            _ => panic!("{:?}, expected {expected:?}", self.resolved),
        }
        let suffix = if self.resolved.is_ok() {
            RETURNED
        } else {
            FAILED
        };
        assert_log_matches(&self.log, expected.by.as_deref(), suffix);
    }

    /// Rewrites `expected.json` if it does not match.
    fn update_expected(&self, directory: &Path) {
        let expected = Expected::read(directory);
        if catch_unwind(AssertUnwindSafe(|| self.assert_matches(&expected))).is_ok() {
            return;
        }
        let by = self.log.last().map(|line| {
            let line = line.strip_prefix(LOG_PREFIX).unwrap_or(line);
            let end = line.strip_suffix(RETURNED).or(line.strip_suffix(FAILED));
            end.unwrap_or(NO_PROVIDER).to_owned()
        });
        let new = match &self.resolved {
            Ok(found) => Expected {
                by,
                key_id: Some(found.credentials.access_key_id().to_owned()),
                provider: Some(found.provider.clone()),
                token: Some(found.credentials.session_token().is_some()),
                expires: found.expires.map(|time| time.format(&Rfc3339).unwrap()),
                error: None,
            },
            Err(text) => Expected {
                by,
                // The path of this checkout is not part of the expected text.
                error: Some(
                    text.split(directory.to_str().unwrap())
                        .filter(|part| !part.is_empty())
                        .map(str::to_owned)
                        .collect(),
                ),
                ..Expected::default()
            },
        };
        let json = serde_json::to_string_pretty(&new).unwrap() + "\n";
        fs::write(directory.join("expected.json"), json).unwrap();
    }
}

fn assert_credentials_match(found: &ResolvedCredentials, expected: &Expected) {
    let keys = &found.credentials;
    assert_eq!(Some(keys.access_key_id()), expected.key_id.as_deref());
    assert_eq!(Some(keys.session_token().is_some()), expected.token);
    assert!(
        keys.secret_access_key().contains(SECRET_MARKER),
        "the secret is not from the fixture"
    );
    let name = expected.provider.as_deref().unwrap();
    assert!(
        found.provider.contains(name),
        "no \"{name}\" in: {}",
        found.provider
    );
    let parse = |text: &String| OffsetDateTime::parse(text, &Rfc3339).unwrap();
    assert_eq!(found.expires, expected.expires.as_ref().map(parse));
}

/// Asserts that the chain logs why it skipped each provider before `by`, in order, and then the result
/// of `by`. Between them are the lines of the providers that a role's source uses.
fn assert_log_matches(log: &[String], by: Option<&str>, suffix: &str) {
    let Some(by) = by else {
        assert_eq!(log, [""; 0], "the chain must not start");
        return;
    };
    let mut lines = log.iter();
    for name in ORDER.iter().take_while(|name| **name != by) {
        let start = format!("{LOG_PREFIX}{name}{SKIPPED}");
        assert!(
            lines.any(|line| line.starts_with(&start)),
            "no line about {name}: {log:#?}"
        );
    }
    if by != NO_PROVIDER {
        assert!(ORDER.contains(&by), "{by} is not a provider");
        assert_eq!(log.last(), Some(&format!("{LOG_PREFIX}{by}{suffix}")));
        // This line comes after all of those.
        assert!(lines.len() > 0, "{log:#?}");
    }
}

/// The names of secret values: variables, keys of the shared files, JSON members and XML elements.
const SECRET_NAMES: [&str; 15] = [
    "aws_secret_access_key",
    "aws_session_token",
    "aws_security_token",
    "aws_container_authorization_token",
    "test_mfa_code",
    "secretaccesskey",
    "sessiontoken",
    "token",
    "accesstoken",
    "refreshtoken",
    "dpopkey",
    "clientsecret",
    "idtoken",
    "webidentitytoken",
    "tokencode",
];

/// Returns every value in the directory with one of [`SECRET_NAMES`], in any file format.
fn secrets(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut secrets(&path));
        } else if !path.ends_with("expected.json") {
            // A value follows its name and `=`, `:` or `>`, with or without quotes.
            let text = fs::read_to_string(&path).unwrap().replace('\\', "");
            let words: Vec<&str> = text
                .split(['"', '\n', '<', '>', '=', ':', '&'])
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .collect();
            for pair in words.windows(2) {
                let named = SECRET_NAMES.contains(&pair[0].to_lowercase().as_str());
                if named && pair[1].len() >= 5 && pair[1] != "REDACTED" {
                    found.insert(pair[1].to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn fixture_directories_match_cases() {
    let directories: BTreeSet<String> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let cases: BTreeSet<String> = CASES.iter().map(|c| c.directory.to_owned()).collect();
    assert_eq!(directories, cases);
    let errors = CASES.iter().filter(|case| case.is_error).count();
    assert!(CASES.len() >= 60, "{} cases", CASES.len());
    assert!(
        errors * 2 >= CASES.len(),
        "{errors} of {} are errors",
        CASES.len()
    );
}

#[test]
fn secrets_in_any_format_are_found() {
    let found = secrets(&fixtures().join("role_with_mfa"));
    for value in ["987654", "hush-secret-of-AKIDBASE", "hush-sts-ASIADEPLOY"] {
        assert!(found.contains(value), "{value} is not in {found:?}");
    }
    assert!(secrets(&fixtures().join("process")).contains("hush-tool-secret"));
}
