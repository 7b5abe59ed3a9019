//! Every folder of `tests/credentials` asked for its credentials: the chain with nothing left out
//! but the network, the waiting and the terminal.
//!
//! A case is a folder and one line of the table below. The folder holds `env.json`, perhaps
//! `home/.aws/`, the commands in `processes.json` and the exchanges in `interactions/`; without
//! that folder nothing on the network answers. `expected.json` holds what has to come of them: the
//! key id, a part of the provider's words, whether there is a token and when the keys end, or the
//! parts of the refusal. `by` is the provider that ends the chain: all before it must have been
//! passed over, with a word why.
//!
//! What is secret in a folder has `hush` in it, and must never be shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_config_resource_count::aws::config_file::SharedFiles;
use aws_config_resource_count::aws::credentials::{Context, Net, Profile, resolve};
use aws_config_resource_count::aws::endpoint::Endpoints;
use aws_config_resource_count::aws::keyring::Resolved;
use aws_config_resource_count::aws::limit::Limits;
use aws_config_resource_count::clock::VirtualClock;
use aws_config_resource_count::env::FolderEnv;
use aws_config_resource_count::http::replay::Replay;
use aws_config_resource_count::http::{
    HttpSend, Request, Response, TransportError, TransportErrorKind,
};
use aws_config_resource_count::interrupt::Interrupt;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

/// The chain's providers, as `--debug` calls them.
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

/// A test for each line, named like the folder: `folder --profile "name" => key` or `=> error`.
macro_rules! cases {
    ($($folder:ident $(--profile $profile:literal)? => $outcome:ident)*) => {
        const CASES: &[(&str, &str)] = &[$((stringify!($folder), stringify!($outcome))),*];
        mod case {
            $(#[test] fn $folder() {
                let profile: &[&str] = &[$($profile)?];
                super::check(stringify!($folder), profile.first().copied(), stringify!($outcome));
            })*
        }
    };
}

cases! {
    // The environment.
    env_keys => key
    env_with_session_token => key
    env_with_legacy_security_token => key
    env_blank_values_are_absent => key
    env_secret_missing => error
    env_secret_blank => error
    env_secret_alone_goes_on => error

    // Which profile, and what goes before what.
    flag_beats_env_keys --profile "audit" => key
    env_keys_beat_aws_profile => key
    aws_profile_chooses => key
    flag_beats_aws_profile --profile "audit" => key
    aws_profile_beats_aws_default_profile => key
    aws_profile_missing_stops_even_env_keys => error
    flag_profile_missing --profile "nobody" => error
    flag_never_falls_back_to_env_keys --profile "empty" => error
    config_section_without_profile_is_none --profile "audit" => error
    config_syntax_error => error
    credentials_syntax_error => error
    files_elsewhere => key

    // Static keys.
    static_credentials_over_config => key
    static_config_only --profile "audit" => key
    static_with_session_token => key
    static_with_legacy_security_token => key
    static_secret_missing --profile "audit" => error
    static_id_missing => error
    static_secret_blank => error
    static_config_secret_missing => error

    // Roles of a profile.
    role_with_source_profile --profile "deploy" => key
    role_of_the_default_profile => key
    role_of_a_role --profile "inner" => key
    role_names_itself_and_has_keys --profile "deploy" => key
    role_with_every_setting --profile "deploy" => key
    role_with_a_duration_that_is_no_number --profile "deploy" => key
    role_with_mfa --profile "deploy" => key
    role_from_environment_keys --profile "deploy" => key
    role_from_a_container --profile "deploy" => key
    role_from_the_instance --profile "deploy" => key
    role_source_in_another_case => key
    role_from_a_process --profile "deploy" => key
    role_throttled_and_then_given --profile "deploy" => key
    role_loop --profile "deploy" => error
    role_names_itself_without_keys --profile "deploy" => error
    role_source_profile_missing --profile "deploy" => error
    role_source_profile_without_keys --profile "deploy" => error
    role_source_profile_with_half_a_pair --profile "deploy" => error
    role_with_both_sources --profile "deploy" => error
    role_with_neither_source --profile "deploy" => error
    role_source_unknown --profile "deploy" => error
    role_source_environment_is_empty --profile "deploy" => error
    role_source_container_is_none --profile "deploy" => error
    role_source_instance_is_none --profile "deploy" => error
    role_mfa_without_a_terminal --profile "deploy" => error
    role_mfa_code_too_short --profile "deploy" => error
    role_mfa_code_with_letters --profile "deploy" => error
    role_mfa_code_refused --profile "deploy" => error
    role_access_denied --profile "deploy" => error
    role_source_keys_unknown_and_echoed --profile "deploy" => error
    role_unreadable_answer --profile "deploy" => error
    role_answer_without_an_end --profile "deploy" => error
    role_sts_out_of_reach --profile "deploy" => error
    role_of_a_role_denied --profile "deploy" => error

    // A web identity.
    web_env => key
    web_env_without_a_session_name => key
    web_profile --profile "ci" => key
    web_env_beats_profile => key
    web_flag_ignores_env --profile "audit" => key
    web_env_beats_shared_keys => key
    web_provider_out_of_reach_and_back => key
    web_role_of_a_web_identity --profile "deploy" => key
    web_file_missing => error
    web_file_empty => error
    web_without_role => error
    web_invalid_token => error
    web_token_expired => error
    web_provider_out_of_reach_to_the_end => error
    web_access_denied => error

    // IAM Identity Center.
    sso_session --profile "audit" => key
    sso_by_aws_profile => key
    sso_legacy --profile "audit" => key
    sso_same_start_url_twice --profile "audit" => key
    sso_expired_session_is_refreshed --profile "audit" => key
    sso_refreshed_before_the_end --profile "audit" => key
    sso_refresh_refused_but_the_token_lives --profile "audit" => key
    sso_throttled_and_then_answered --profile "audit" => key
    sso_portal_fails_and_then_answers --profile "audit" => key
    sso_role_on_top --profile "deploy" => key
    sso_session_alone_leaves_the_keys_beside_it --profile "audit" => key
    sso_session_alone_is_nothing --profile "audit" => error
    sso_legacy_token_expired --profile "audit" => error
    sso_refresh_refused_and_expired --profile "audit" => error
    sso_registration_expired --profile "audit" => error
    sso_refresh_lives_absurdly_long --profile "audit" => error
    sso_section_missing --profile "audit" => error
    sso_role_name_missing --profile "audit" => error
    sso_account_missing --profile "audit" => error
    sso_region_is_none --profile "audit" => error
    sso_start_urls_differ --profile "audit" => error
    sso_no_cache_file --profile "audit" => error
    sso_cache_is_not_json --profile "audit" => error
    sso_cache_without_a_token --profile "audit" => error
    sso_portal_401 --profile "audit" => error
    sso_portal_403 --profile "audit" => error
    sso_portal_404 --profile "audit" => error
    sso_portal_echoes_the_token --profile "audit" => error
    sso_portal_echoes_the_token_where_the_text_is_cut --profile "audit" => error
    sso_portal_fails_to_the_end --profile "audit" => error
    sso_portal_answers_html --profile "audit" => error

    // aws login.
    login_alive --profile "me" => key
    login_cache_elsewhere --profile "me" => key
    login_expired --profile "me" => error
    login_missing --profile "me" => error
    login_broken --profile "me" => error
    login_end_unreadable --profile "me" => error

    // credential_process.
    process --profile "tool" => key
    process_with_token_and_end --profile "tool" => key
    process_after_shared_keys --profile "tool" => key
    process_before_config_keys --profile "tool" => key
    process_version_2 --profile "tool" => error
    process_without_a_secret --profile "tool" => error
    process_without_an_id --profile "tool" => error
    process_end_unreadable --profile "tool" => error
    process_prints_no_json --profile "tool" => error
    process_fails --profile "tool" => error
    process_fails_without_a_word --profile "tool" => error
    process_cannot_be_run --profile "tool" => error

    // A container.
    container_relative => key
    container_relative_beats_full => key
    container_full_loopback => key
    container_full_localhost => key
    container_full_loopback_ipv6 => key
    container_full_https => key
    container_full_eks_ipv6 => key
    container_eks_pod_identity => key
    container_token_variable => key
    container_fails_and_then_answers => key
    container_host_forbidden => error
    container_host_behind_a_user_name => error
    container_scheme_forbidden => error
    container_full_is_no_uri => error
    container_relative_is_no_path => error
    container_token_with_a_line_break => error
    container_token_file_with_a_line_break => error
    container_token_file_missing => error
    container_fails_to_the_end => error
    container_out_of_reach => error
    container_403 => error
    container_not_json => error
    container_without_a_secret => error

    // An instance.
    imds => key
    imds_expired_keys_are_kept => key
    imds_endpoint_elsewhere => key
    imds_ipv6 => key
    imds_fails_and_then_answers => key
    imds_none_there => error
    imds_token_refused => error
    imds_disabled => error
    imds_without_a_role => error
    imds_role_is_blank => error
    imds_tried_once_by_default => error
    imds_tried_four_times_by_default => error
    imds_role_gone => error
    imds_code_is_not_success => error
    imds_keys_fail_to_the_end => error
    imds_not_json => error
    imds_timeout_is_no_number => error
    imds_attempts_are_none => error
}

/// What has to come of a folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The provider that ends the chain, or `all`; none where the chain is not asked.
    by: Option<String>,
    key_id: Option<String>,
    provider: Option<String>,
    token: Option<bool>,
    expires: Option<String>,
    error: Option<Vec<String>>,
}

/// A network on which nothing answers.
struct Nowhere;

impl HttpSend for Nowhere {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        Err(TransportError {
            kind: TransportErrorKind::Connection,
            message: format!("{}: nothing answers", request.uri),
        })
    }
}

fn folders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/credentials")
}

fn check(folder: &str, flag: Option<&str>, outcome: &str) {
    let path = folders().join(folder);
    let expected = fs::read(path.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_slice(&expected).unwrap();
    let replay = path
        .join("interactions")
        .exists()
        .then(|| Arc::new(Replay::open(&path, NOW).unwrap()));
    let http: Arc<dyn HttpSend> = match &replay {
        Some(replay) => replay.clone(),
        None => Arc::new(Nowhere),
    };
    let traced = Arc::new(Mutex::new(Vec::new()));
    let into = traced.clone();
    let net = Net {
        http,
        clock: Arc::new(VirtualClock::new(NOW)),
        interrupt: Interrupt::default(),
        endpoints: Endpoints::default(),
        region: "us-east-1".parse().unwrap(),
        max_attempts: 3,
        limits: Limits {
            concurrency: 1,
            rate: None,
        },
        chance: || 0.5,
        trace: Some(Arc::new(move |line| {
            into.lock().unwrap().push(line.to_string());
        })),
    };
    let notes = Mutex::new(Vec::new());
    let found = ask(&path, flag, &net, &|line| {
        notes.lock().unwrap().push(line.to_owned());
    });
    let notes = notes.into_inner().unwrap();

    match (&found, &expected.error) {
        (Ok(found), None) => is_key(found, &expected),
        (Err(text), Some(parts)) => {
            for part in parts {
                assert!(text.contains(part.as_str()), "no \"{part}\" in: {text}");
            }
        }
        _ => panic!("{found:?} where {expected:?} was expected"),
    }
    assert_eq!(
        outcome == "error",
        found.is_err(),
        "the table says {outcome}"
    );
    let ending = if found.is_ok() {
        "has them"
    } else {
        "is broken"
    };
    told(&notes, expected.by.as_deref(), ending);
    if let Some(replay) = replay {
        assert_eq!(replay.left_over(), [""; 0], "recorded and never asked for");
        assert_ne!(traced.lock().unwrap().len(), 0, "every request is told");
    }
    let traced = traced.lock().unwrap().join("\n");
    let shown = format!("{found:?}\n{}\n{traced}", notes.join("\n"));
    assert!(!shown.contains("hush"), "{shown}");
    for secret in secrets(&path) {
        assert!(!shown.contains(&secret), "{secret} in: {shown}");
    }
}

/// Asks the chain over the folder; the text is what a user would read.
fn ask(
    folder: &Path,
    flag: Option<&str>,
    net: &Net,
    note: &dyn Fn(&str),
) -> Result<Resolved, String> {
    let env = FolderEnv::open(folder).unwrap();
    let files = SharedFiles::load(&env)?;
    let shown = format!("{files:?}");
    assert!(!shown.contains("hush"), "{shown}");
    let profile = Profile::choose(flag, &env);
    let context = Context {
        env: &env,
        files: &files,
        profile: &profile,
        net,
        again: false,
        note,
    };
    resolve(&context).map_err(|e| e.to_string())
}

fn is_key(found: &Resolved, expected: &Expected) {
    let keys = &found.credentials;
    assert_eq!(Some(keys.access_key_id()), expected.key_id.as_deref());
    assert_eq!(Some(keys.session_token().is_some()), expected.token);
    assert!(
        keys.secret_access_key().contains("hush"),
        "the secret is one of the folder"
    );
    let words = expected.provider.as_deref().unwrap();
    assert!(
        found.provider.contains(words),
        "no \"{words}\" in: {}",
        found.provider
    );
    let end = |text: &String| OffsetDateTime::parse(text, &Rfc3339).unwrap();
    assert_eq!(found.expires, expected.expires.as_ref().map(end));
}

/// Each provider before `by` has told why it was passed over, in the chain's order, and then `by`
/// what came of it; between them stand those that a role's source asks.
fn told(notes: &[String], by: Option<&str>, ending: &str) {
    let Some(by) = by else {
        assert_eq!(notes, [""; 0], "the chain is not asked");
        return;
    };
    let mut rest = notes.iter();
    let passed = ORDER.iter().take_while(|name| **name != by);
    for name in passed {
        let start = format!("credentials: {name} passed over: ");
        assert!(
            rest.any(|n| n.starts_with(&start)),
            "{name} is not told of: {notes:#?}"
        );
    }
    if by != "all" {
        assert!(ORDER.contains(&by), "there is no provider {by}");
        assert_eq!(notes.last(), Some(&format!("credentials: {by} {ending}")));
        // It comes after all of those.
        assert!(rest.len() > 0, "{notes:#?}");
    }
}

/// The names whose values are secret, in variables, in the shared files, in JSON and in XML.
const SECRETS: [&str; 14] = [
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
    "clientsecret",
    "idtoken",
    "webidentitytoken",
    "tokencode",
];

/// Every value in the folder that is named like a secret, however the file writes it.
fn secrets(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut secrets(&path));
        } else if !path.ends_with("expected.json") {
            // A value stands behind its name and `=`, `:` or `>`, perhaps in quotes.
            let text = fs::read_to_string(&path).unwrap().replace('\\', "");
            let words: Vec<&str> = text
                .split(['"', '\n', '<', '>', '=', ':', '&'])
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .collect();
            for pair in words.windows(2) {
                let named = SECRETS.contains(&pair[0].to_lowercase().as_str());
                if named && pair[1].len() >= 5 && pair[1] != "REDACTED" {
                    found.insert(pair[1].to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn every_folder_is_a_case() {
    let folders: BTreeSet<String> = fs::read_dir(folders())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let named: BTreeSet<String> = CASES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, named);
    let errors = CASES
        .iter()
        .filter(|(_, outcome)| *outcome == "error")
        .count();
    assert!(CASES.len() >= 60, "{} cases", CASES.len());
    assert!(
        errors * 2 >= CASES.len(),
        "{errors} of {} are errors",
        CASES.len()
    );
}

#[test]
fn secrets_are_found_however_they_are_written() {
    let found = secrets(&folders().join("role_with_mfa"));
    for value in ["987654", "hush-secret-of-AKIDBASE", "hush-sts-ASIADEPLOY"] {
        assert!(found.contains(value), "{value} is not in {found:?}");
    }
    assert!(secrets(&folders().join("process")).contains("hush-tool-secret"));
}
