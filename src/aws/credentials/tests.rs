use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::resolve;
use super::provider::{Profile, ProviderContext};
use crate::aws::client::Transport;
use crate::aws::client::fake::clock;
use crate::aws::config_file::SharedFiles;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::endpoint::Endpoints;
use crate::aws::error::CredentialsError;
use crate::aws::limiter::Limits;
use crate::env::{CommandOutput, Env, SystemEnv};
use crate::http::fake::{Scripted, answer, failure};
use crate::http::{HttpClient, Request, TransportErrorKind};
use crate::interrupt::Interrupt;
use crate::recording::RecordedEnv;

/// Returns the settings of a network without any response.
fn unreachable_network() -> Transport {
    let http = Scripted::by(|_| failure(TransportErrorKind::Connection));
    Transport {
        http,
        clock: clock(),
        interrupt: Interrupt::default(),
        endpoints: Endpoints::default(),
        max_attempts: 1,
        limits: Limits {
            concurrency: 1,
            rate: None,
        },
        jitter: || 0.0,
        trace: None,
        activity: Arc::default(),
        ends: Arc::default(),
        hosts: None,
    }
}

/// Resolves with these variables and files; returns the provider and the access key ID, or the
/// error.
fn resolve_chain(
    flag: Option<&str>,
    variables: &[(&str, &str)],
    config: &str,
    credentials: &str,
) -> Result<(String, String), String> {
    let directory = tempfile::tempdir().unwrap();
    let aws = directory.path().join("home/.aws");
    std::fs::create_dir_all(&aws).unwrap();
    std::fs::write(aws.join("config"), config).unwrap();
    std::fs::write(aws.join("credentials"), credentials).unwrap();
    let to_owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let env = RecordedEnv::new(directory.path(), variables.iter().map(to_owned).collect());
    let files = SharedFiles::load(&env).map_err(|e| e.to_string())?;
    let profile = Profile::choose(flag, &env);
    let transport = unreachable_network();
    let context = ProviderContext {
        env: &env,
        files: &files,
        profile: &profile,
        transport: &transport,
        region: &"us-east-1".parse().unwrap(),
        is_refresh: false,
        log: &|_| {},
    };
    let found = resolve(&context).map_err(|e| e.to_string())?;
    let id = found.credentials.access_key_id().to_owned();
    Ok((found.provider, id))
}

const ENV_KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "from-env"),
    ("AWS_SECRET_ACCESS_KEY", "s"),
];
const PROFILES: &str = "[default]\naws_access_key_id = from-default\naws_secret_access_key = s\n\
                        [p]\naws_access_key_id = from-p\naws_secret_access_key = s\n";
const CONFIG_PROFILE: &str =
    "[profile c]\naws_access_key_id = from-config\naws_secret_access_key = s\n";

#[test]
fn chain_order_is_that_of_botocore() {
    let with_profile = |name| [&ENV_KEYS[..], &[("AWS_PROFILE", name)]].concat();
    let id = |flag, variables: &[(&str, &str)]| {
        resolve_chain(flag, variables, CONFIG_PROFILE, PROFILES).map(|(_, id)| id)
    };
    assert_eq!(id(None, &ENV_KEYS).unwrap(), "from-env");
    assert_eq!(
        id(None, &with_profile("p")).unwrap(),
        "from-env",
        "access keys take precedence over AWS_PROFILE"
    );
    assert_eq!(
        id(Some("p"), &ENV_KEYS).unwrap(),
        "from-p",
        "--profile takes precedence over access keys"
    );
    assert_eq!(id(None, &[]).unwrap(), "from-default");
    assert_eq!(id(None, &[("AWS_PROFILE", "p")]).unwrap(), "from-p");
    assert_eq!(id(None, &[("AWS_DEFAULT_PROFILE", "p")]).unwrap(), "from-p");
    assert_eq!(id(Some("c"), &[]).unwrap(), "from-config");
    assert_eq!(
        id(
            None,
            &[("AWS_ACCESS_KEY_ID", " "), ("AWS_SECRET_ACCESS_KEY", "")]
        )
        .unwrap(),
        "from-default",
        "blank counts as not set"
    );
}

#[test]
fn failing_provider_stops_the_chain() {
    let error = |flag, variables: &[(&str, &str)], config, credentials| {
        resolve_chain(flag, variables, config, credentials).unwrap_err()
    };
    for (text, part) in [
        (
            error(None, &ENV_KEYS[..1], "", PROFILES),
            "AWS_SECRET_ACCESS_KEY is not; set both",
        ),
        (
            error(Some("nope"), &ENV_KEYS, "", PROFILES),
            "profile \"nope\" not found in",
        ),
        (
            error(
                None,
                &[&ENV_KEYS[..], &[("AWS_PROFILE", "nope")]].concat(),
                "",
                PROFILES,
            ),
            "`aws configure --profile nope`",
        ),
        (
            error(None, &[], "", "[default]\naws_access_key_id = x\n"),
            "aws_secret_access_key is missing from profile default in",
        ),
        (
            error(None, &[], "[default]\naws_secret_access_key = x\n", ""),
            "aws_access_key_id is missing from profile default in",
        ),
        (error(None, &[], "", ""), "run `aws configure`"),
        (
            error(
                Some("s"),
                &[],
                "[profile s]\nsso_session = x\nsso_role_name = r\n",
                "",
            ),
            "[sso-session x]",
        ),
        (error(None, &[], "oops", ""), ".aws/config: line 1"),
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn credentials_file_of_variable_is_read() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("home")).unwrap();
    std::fs::write(
        directory.path().join("home/mine"),
        "[default]\naws_access_key_id=A\naws_secret_access_key=B\naws_session_token=T\n",
    )
    .unwrap();
    let variables = [(
        "AWS_SHARED_CREDENTIALS_FILE".to_owned(),
        "~/mine".to_owned(),
    )];
    let env = RecordedEnv::new(directory.path(), BTreeMap::from(variables));
    let files = SharedFiles::load(&env).unwrap();
    let transport = unreachable_network();
    let context = ProviderContext {
        env: &env,
        files: &files,
        profile: &Profile::choose(None, &env),
        transport: &transport,
        region: &"us-east-1".parse().unwrap(),
        is_refresh: false,
        log: &|_| {},
    };
    let found = resolve(&context).unwrap();
    assert_eq!(found.credentials.session_token(), Some("T"));
    assert!(found.provider.ends_with("home/mine"), "{}", found.provider);
}

/// A home directory on disk that can be written to.
struct Home {
    directory: tempfile::TempDir,
    variables: BTreeMap<&'static str, &'static str>,
}

impl Home {
    fn new(files: &[(&str, &str)], variables: &[(&'static str, &'static str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let variables = variables.iter().copied().collect();
        Self {
            directory,
            variables,
        }
    }

    /// Resolves the chain with `http` as the network.
    fn resolve(
        &self,
        flag: Option<&str>,
        http: Arc<dyn HttpClient>,
        is_refresh: bool,
    ) -> Result<ResolvedCredentials, CredentialsError> {
        let transport = Transport {
            http,
            ..unreachable_network()
        };
        let context = ProviderContext {
            env: self,
            files: &SharedFiles::load(self).unwrap(),
            profile: &Profile::choose(flag, self),
            transport: &transport,
            region: &"us-east-1".parse().unwrap(),
            is_refresh,
            log: &|_| {},
        };
        resolve(&context)
    }
}

impl Env for Home {
    fn var(&self, name: &str) -> Option<String> {
        let home = || self.directory.path().to_str().unwrap().to_owned();
        let variable = self.variables.get(name).map(|v| (*v).to_owned());
        let value = variable.or_else(|| (name == "HOME").then(home));
        value.filter(|v| !v.trim().is_empty())
    }

    fn read(&self, path: &std::path::Path) -> std::io::Result<Vec<u8>> {
        SystemEnv::default().read(&self.directory.path().join(path))
    }

    fn write_private(&self, path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
        SystemEnv::default().write_private(path, bytes)
    }

    fn run(
        &self,
        command: &str,
        limit: std::time::Duration,
        elapsed: &dyn Fn() -> std::time::Duration,
    ) -> std::io::Result<CommandOutput> {
        SystemEnv::default().run(command, limit, elapsed)
    }

    fn prompt(&self, _: &str) -> Option<String> {
        self.var("CODE")
    }
}

fn assume_role_response(operation: &str) -> String {
    format!(
        "<{operation}Response><{operation}Result><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>role-token</SessionToken>\
         <Expiration>2026-11-24T13:00:00Z</Expiration></Credentials></{operation}Result>\
         </{operation}Response>"
    )
}

/// A container may have neither HOME nor a user database.
#[test]
fn missing_home_is_named() {
    let home = Home::new(&[], &[("HOME", "")]);
    for (flag, first) in [
        (None, "no credentials"),
        (Some("audit"), "profile \"audit\""),
    ] {
        let http = Scripted::by(|_| failure(TransportErrorKind::Connect));
        let why = home.resolve(flag, http, false).unwrap_err().to_string();
        assert!(why.starts_with(first), "{why}");
        for (file, variable) in [
            ("config", "AWS_CONFIG_FILE"),
            ("credentials", "AWS_SHARED_CREDENTIALS_FILE"),
        ] {
            let expected =
                format!("~/.aws/{file} (ignored: no home directory; set HOME or {variable})");
            assert!(why.contains(&expected), "{why}");
        }
    }
}

/// A proxy can return such a response; the message quotes the start of its body.
#[test]
fn credentials_in_unexpected_response_are_redacted() {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
    ];
    let role = Home::new(&[("token", "header.payload.signature\n")], &variables);
    let sso = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, SSO_TOKEN)], &[]);
    let keys = "<Credentials><SecretAccessKey>shown-secret</SecretAccessKey></Credentials>";
    let json = r#"{"roleCredentials": {"secretAccessKey": "shown-secret"}}"#;
    for (home, flag, status, body) in [
        (&role, None, 200, keys),
        (&role, None, 302, keys),
        (&sso, Some("s"), 302, json),
    ] {
        let http = Scripted::by(move |request| {
            answer(
                if request.method == "POST" && body == json {
                    400
                } else {
                    status
                },
                body,
            )
        });
        let why = home.resolve(flag, http, false).unwrap_err().to_string();
        assert!(!why.contains("shown-secret"), "{why}");
        let hides = why.contains("REDACTED") || why.contains("which may contain credentials");
        assert!(hides, "{why}");
    }
}

/// A code is usually one word; here it contains the session token.
#[test]
fn instance_token_in_code_is_redacted() {
    let echo = r#"{"Code": "no session-of-an-instance", "AccessKeyId": "A"}"#;
    let http = Scripted::list([
        answer(200, "session-of-an-instance"),
        answer(200, "r"),
        answer(200, echo),
    ]);
    let why = Home::new(&[], &[])
        .resolve(None, http, false)
        .unwrap_err()
        .to_string();
    assert!(why.ends_with("(role r) returned no ****"), "{why}");
}

fn body(request: &Request) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[test]
fn web_identity_token_is_sent_unsigned() {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
    ];
    let home = Home::new(&[("token", "header.payload.signature\n")], &variables);
    let http = Scripted::list([answer(
        200,
        assume_role_response("AssumeRoleWithWebIdentity"),
    )]);
    home.resolve(None, http.clone(), false).unwrap();
    let requests = http.requests();
    assert!(body(&requests[0]).ends_with("&WebIdentityToken=header.payload.signature"));
    for name in ["authorization", "x-amz-security-token", "x-amz-date"] {
        assert_eq!(requests[0].header(name), None);
    }
}

#[test]
fn role_is_assumed_with_source_credentials() {
    let config = "[profile r]\nrole_arn = r\nsource_profile = q\nmfa_serial = device\n\
                  [profile q]\nrole_arn = q\nsource_profile = base\n";
    let credentials = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";
    let files = [(".aws/config", config), (".aws/credentials", credentials)];
    let home = Home::new(&files, &[("CODE", "987654")]);
    let responses = || [0, 1].map(|_| answer(200, assume_role_response("AssumeRole")));
    let http = Scripted::list(responses());
    home.resolve(Some("r"), http.clone(), false).unwrap();
    let requests = http.requests();
    let assert_signed = |n: usize, id: &str| {
        let authorization = requests[n].header("authorization").unwrap();
        assert!(
            authorization.contains(&format!("Credential={id}/20261124/us-east-1/sts/")),
            "{authorization}"
        );
    };
    assert_signed(0, "AKIABASE");
    assert_eq!(requests[0].header("x-amz-security-token"), None);
    assert_signed(1, "ASIAROLE");
    assert_eq!(
        requests[1].header("x-amz-security-token"),
        Some("role-token")
    );
    assert!(body(&requests[1]).ends_with("&SerialNumber=device&TokenCode=987654"));
    // A refresh does not prompt for a second code.
    let refreshed = home.resolve(Some("r"), Scripted::list(responses()), true);
    let text = refreshed.unwrap_err().to_string();
    assert!(
        text.contains("a new MFA code is needed; run again"),
        "{text}"
    );
}

#[test]
fn metadata_requests_have_their_headers() {
    let keys = r#"{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}"#;
    let variables = [
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1/credentials",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "pod-token"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other token"),
    ];
    let home = Home::new(&[("pod-token", "pod token\n")], &variables);
    let http = Scripted::list([answer(200, keys)]);
    home.resolve(None, http.clone(), false).unwrap();
    let requests = http.requests();
    assert_eq!(requests[0].header("authorization"), Some("pod token"));

    let home = Home::new(&[], &[("AWS_METADATA_SERVICE_TIMEOUT", "3")]);
    let http = Scripted::list([
        answer(200, "session-of-an-instance"),
        answer(200, "r"),
        answer(200, keys),
    ]);
    home.resolve(None, http.clone(), false).unwrap();
    let requests = http.requests();
    let ttl = requests[0].header("x-aws-ec2-metadata-token-ttl-seconds");
    assert_eq!(ttl, Some("21600"));
    for request in &requests[1..] {
        assert_eq!(
            request.header("x-aws-ec2-metadata-token"),
            Some("session-of-an-instance")
        );
        assert_eq!(request.budget.as_secs(), 3);
    }
}

#[test]
fn container_not_ready_is_tried_three_times() {
    let keys = r#"{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}"#;
    let uri = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/keys");
    let home = Home::new(&[], &[uri]);
    let http = Scripted::list([
        answer(404, "not yet"),
        answer(200, "<p>Starting</p>"),
        answer(200, keys),
    ]);
    home.resolve(None, http, false).unwrap();
    for (last, why) in [
        (answer(404, "not yet"), "170.2: HTTP 404"),
        (answer(200, "<p>"), "169.254.170.2 is not the expected JSON"),
    ] {
        let http = Scripted::list([answer(500, ""), answer(403, ""), last, answer(200, keys)]);
        let message = home
            .resolve(None, http.clone(), false)
            .unwrap_err()
            .to_string();
        assert!(message.contains(why), "{message}");
        assert_eq!(http.requests().len(), 3);
    }
}

#[test]
fn instance_with_token_is_retried_without_response() {
    let keys = r#"{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}"#;
    let no_response = || failure(TransportErrorKind::Connection);
    let home = Home::new(&[], &[]);
    let http = Scripted::list([
        answer(200, "session"),
        no_response(),
        no_response(),
        no_response(),
        answer(200, "r"),
        no_response(),
        answer(200, keys),
    ]);
    home.resolve(None, http, false).unwrap();
    let first = Scripted::list([no_response()]);
    assert!(home.resolve(None, first.clone(), false).is_err());
    assert_eq!(first.requests().len(), 1, "a machine without the service");
}

#[test]
fn captive_portal_is_not_taken_for_imds() {
    let home = Home::new(&[], &[]);
    let long = "t".repeat(2000);
    for token in ["", " ", "<p>Please log in.</p>", "t\0", "\u{e9}", &long] {
        let http = Scripted::list([answer(200, token)]);
        let why = home.resolve(None, http, false).unwrap_err().to_string();
        assert!(why.starts_with("no credentials in"), "{token}: {why}");
    }
    let long = "r".repeat(65);
    for role in [
        "<p>Please log in.</p>",
        "../token",
        "a b",
        "r?x",
        "\u{1b}[31m",
        &long,
    ] {
        let http = Scripted::list([answer(200, "session"), answer(200, role)]);
        let why = home.resolve(None, http, false).unwrap_err().to_string();
        assert!(why.contains("returned an invalid role name"), "{why}");
        assert!(!why.contains(role), "{why}");
    }
}

const SSO_CONFIG: &str = "[profile s]\nsso_session = corp\nsso_account_id = 123456789012\n\
    sso_role_name = R\n[sso-session corp]\nsso_start_url = https://c.example/start\n\
    sso_region = eu-west-1\n";
/// The path of the token's file; the name is the SHA-1 of `corp`.
const SSO_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const SSO_TOKEN: &str = r#"{"startUrl": "https://c.example/start", "accessToken": "old-access",
    "expiresAt": "2026-11-24T12:05:00Z", "clientId": "client", "clientSecret": "client-secret",
    "registrationExpiresAt": "2027-01-01T00:00:00Z", "refreshToken": "old-refresh", "new": [1]}"#;

/// Returns the portal's response with credentials.
fn role_credentials() -> crate::http::fake::FakeResponse {
    let keys = r#"{"roleCredentials": {"accessKeyId": "A", "secretAccessKey": "s",
        "sessionToken": "t", "expiration": 1795525200000}}"#;
    answer(200, keys)
}

#[test]
fn portal_expiration_out_of_range_is_ignored() {
    let signed_in = SSO_TOKEN.replace("12:05:00Z", "13:00:00Z");
    let home = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, &signed_in)], &[]);
    for expiration in [i128::MAX, i128::MIN, i128::from(i64::MAX)] {
        let keys = serde_json::json!({"accessKeyId": "A", "secretAccessKey": "s",
            "sessionToken": "t", "expiration": 7});
        let body = serde_json::json!({"roleCredentials": keys}).to_string();
        let http = Scripted::list([answer(200, body.replace(":7", &format!(":{expiration}")))]);
        let found = home.resolve(Some("s"), http, false).unwrap();
        assert_eq!(found.expires, None, "{expiration}");
    }
}

#[test]
fn refreshed_sso_token_is_saved_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, SSO_TOKEN)], &[]);
    let fresh =
        r#"{"accessToken": "new-access", "expiresIn": 3600, "refreshToken": "new-refresh"}"#;
    let http = Scripted::list([answer(200, fresh), role_credentials()]);
    home.resolve(Some("s"), http.clone(), false).unwrap();
    let requests = http.requests();
    assert_eq!(
        body(&requests[0]),
        r#"{"clientId":"client","clientSecret":"client-secret","grantType":"refresh_token","refreshToken":"old-refresh"}"#
    );
    let bearer = requests[1].header("x-amz-sso_bearer_token");
    assert_eq!(bearer, Some("new-access"));
    for request in &requests {
        assert_eq!(request.header("authorization"), None, "unsigned");
    }
    let path = home.directory.path().join(SSO_CACHE);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(
        written,
        serde_json::json!({
            "startUrl": "https://c.example/start",
            "accessToken": "new-access",
            "expiresAt": "2026-11-24T13:00:00Z",
            "clientId": "client",
            "clientSecret": "client-secret",
            "registrationExpiresAt": "2027-01-01T00:00:00Z",
            "refreshToken": "new-refresh",
            "new": [1],
        }),
        "unknown members are kept"
    );
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(files.count(), 1, "no temporary file is left");
    // The next run uses it.
    let http = Scripted::list([role_credentials()]);
    home.resolve(Some("s"), http.clone(), false).unwrap();
    let bearer = http.requests()[0]
        .header("x-amz-sso_bearer_token")
        .map(str::to_owned);
    assert_eq!(bearer.as_deref(), Some("new-access"));
}

#[test]
fn refused_refresh_keeps_the_cached_token() {
    let home = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, SSO_TOKEN)], &[]);
    let http = Scripted::list([
        answer(400, r#"{"error": "invalid_grant"}"#),
        role_credentials(),
    ]);
    home.resolve(Some("s"), http.clone(), false).unwrap();
    let bearer = http.requests()[1]
        .header("x-amz-sso_bearer_token")
        .map(str::to_owned);
    assert_eq!(bearer.as_deref(), Some("old-access"));
    let text = std::fs::read_to_string(home.directory.path().join(SSO_CACHE)).unwrap();
    assert_eq!(text, SSO_TOKEN);
}

#[test]
fn process_with_a_pipe_is_run() {
    let config = "[profile p]\ncredential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"xid\", \
                  \"SecretAccessKey\": \"s\"}' | sed s/xid/AKIAPIPE/\n";
    let home = Home::new(&[(".aws/config", config)], &[]);
    let found = home
        .resolve(Some("p"), unreachable_network().http, false)
        .unwrap();
    assert_eq!(found.credentials.access_key_id(), "AKIAPIPE");
}
