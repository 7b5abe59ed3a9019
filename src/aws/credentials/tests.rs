use std::collections::BTreeMap;

use super::*;
use crate::aws::client::fake::clock;
use crate::env::{FolderEnv, Ran, SystemEnv};
use crate::http::fake::{Scripted, answer, failure};
use crate::http::{Request, TransportErrorKind};

/// A network on which nothing answers.
fn nowhere() -> Net {
    let http = Scripted::by(|_| failure(TransportErrorKind::Connection));
    Net {
        http,
        clock: clock(),
        interrupt: Interrupt::default(),
        endpoints: Endpoints::default(),
        region: "us-east-1".parse().unwrap(),
        max_attempts: 1,
        limits: Limits {
            concurrency: 1,
            rate: None,
        },
        chance: || 0.0,
        trace: None,
    }
}

/// Resolves over variables and the two files, and tells the provider and the key id, or the error.
fn chain(
    flag: Option<&str>,
    variables: &[(&str, &str)],
    config: &str,
    credentials: &str,
) -> Result<(String, String), String> {
    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join("home/.aws");
    std::fs::create_dir_all(&aws).unwrap();
    std::fs::write(aws.join("config"), config).unwrap();
    std::fs::write(aws.join("credentials"), credentials).unwrap();
    let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    let env = FolderEnv::new(folder.path(), variables.iter().map(own).collect());
    let files = SharedFiles::load(&env)?;
    let profile = Profile::choose(flag, &env);
    let net = nowhere();
    let context = Context {
        env: &env,
        files: &files,
        profile: &profile,
        net: &net,
        again: false,
        note: &|_| {},
    };
    let found = resolve(&context).map_err(|e| e.0)?;
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
fn the_order_of_the_chain() {
    let with_profile = |name| [&ENV_KEYS[..], &[("AWS_PROFILE", name)]].concat();
    let id = |flag, variables: &[(&str, &str)]| {
        chain(flag, variables, CONFIG_PROFILE, PROFILES).map(|(_, id)| id)
    };
    assert_eq!(id(None, &ENV_KEYS).unwrap(), "from-env");
    assert_eq!(
        id(None, &with_profile("p")).unwrap(),
        "from-env",
        "keys beat AWS_PROFILE"
    );
    assert_eq!(
        id(Some("p"), &ENV_KEYS).unwrap(),
        "from-p",
        "--profile beats the keys"
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
        "blank counts as absent"
    );
}

#[test]
fn what_is_configured_and_broken_stops_the_chain() {
    let error = |flag, variables: &[(&str, &str)], config, credentials| {
        chain(flag, variables, config, credentials).unwrap_err()
    };
    for (text, part) in [
        (
            error(None, &ENV_KEYS[..1], "", PROFILES),
            "AWS_SECRET_ACCESS_KEY is not; set both",
        ),
        (
            error(Some("nope"), &ENV_KEYS, "", PROFILES),
            "the profile \"nope\" is neither in",
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
fn files_elsewhere_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("home")).unwrap();
    std::fs::write(
        folder.path().join("home/mine"),
        "[default]\naws_access_key_id=A\naws_secret_access_key=B\naws_session_token=T\n",
    )
    .unwrap();
    let variables = [(
        "AWS_SHARED_CREDENTIALS_FILE".to_owned(),
        "~/mine".to_owned(),
    )];
    let env = FolderEnv::new(folder.path(), BTreeMap::from(variables));
    let files = SharedFiles::load(&env).unwrap();
    let net = nowhere();
    let context = Context {
        env: &env,
        files: &files,
        profile: &Profile::choose(None, &env),
        net: &net,
        again: false,
        note: &|_| {},
    };
    let found = resolve(&context).unwrap();
    assert_eq!(found.credentials.session_token(), Some("T"));
    assert!(found.provider.ends_with("home/mine"), "{}", found.provider);
}

/// A home folder that is written to, as the real one is.
struct Home {
    folder: tempfile::TempDir,
    variables: BTreeMap<&'static str, &'static str>,
}

impl Home {
    fn new(files: &[(&str, &str)], variables: &[(&'static str, &'static str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let variables = variables.iter().copied().collect();
        Self { folder, variables }
    }

    /// Asks the chain, with `http` for the network.
    fn resolve(
        &self,
        flag: Option<&str>,
        http: Arc<dyn HttpSend>,
        again: bool,
    ) -> Result<Resolved, CredentialsError> {
        let net = Net { http, ..nowhere() };
        let context = Context {
            env: self,
            files: &SharedFiles::load(self).unwrap(),
            profile: &Profile::choose(flag, self),
            net: &net,
            again,
            note: &|_| {},
        };
        resolve(&context)
    }
}

impl Env for Home {
    fn var(&self, name: &str) -> Option<String> {
        let home = || self.folder.path().to_str().unwrap().to_owned();
        let own = || self.variables.get(name).map(|v| (*v).to_owned());
        (name == "HOME").then(home).or_else(own)
    }

    fn read(&self, path: &std::path::Path) -> std::io::Result<Vec<u8>> {
        SystemEnv::default().read(&self.folder.path().join(path))
    }

    fn write_private(&self, path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
        SystemEnv::default().write_private(path, bytes)
    }

    fn run(&self, command: &str) -> std::io::Result<Ran> {
        SystemEnv::default().run(command)
    }

    fn ask(&self, _: &str) -> Option<String> {
        self.var("CODE")
    }
}

fn role_answer(operation: &str) -> String {
    format!(
        "<{operation}Response><{operation}Result><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>role-token</SessionToken>\
         <Expiration>2026-11-24T13:00:00Z</Expiration></Credentials></{operation}Result>\
         </{operation}Response>"
    )
}

/// Such an answer comes from what stands before the service, and is quoted as what is no error.
#[test]
fn keys_in_an_answer_that_brings_none_are_not_shown() {
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
        let why = home.resolve(flag, http, false).unwrap_err().0;
        assert!(why.contains("REDACTED") && !why.contains("shown"), "{why}");
    }
}

/// A code is a word, as a rule.
#[test]
fn the_token_of_an_instance_is_not_shown_in_a_code() {
    let echo = r#"{"Code": "no session", "AccessKeyId": "A"}"#;
    let http = Scripted::list([answer(200, "session"), answer(200, "r"), answer(200, echo)]);
    let why = Home::new(&[], &[])
        .resolve(None, http, false)
        .unwrap_err()
        .0;
    assert!(why.ends_with("(role r) answered no ****"), "{why}");
}

fn body(request: &Request) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[test]
fn a_web_identity_is_sent_whole_and_unsigned() {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r"),
    ];
    let home = Home::new(&[("token", "header.payload.signature\n")], &variables);
    let http = Scripted::list([answer(200, role_answer("AssumeRoleWithWebIdentity"))]);
    home.resolve(None, http.clone(), false).unwrap();
    let requests = http.requests();
    assert!(body(&requests[0]).ends_with("&WebIdentityToken=header.payload.signature"));
    for name in ["authorization", "x-amz-security-token", "x-amz-date"] {
        assert_eq!(requests[0].header(name), None);
    }
}

#[test]
fn a_role_is_assumed_with_the_keys_of_its_source() {
    let config = "[profile r]\nrole_arn = r\nsource_profile = q\nmfa_serial = device\n\
                  [profile q]\nrole_arn = q\nsource_profile = base\n";
    let credentials = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n";
    let files = [(".aws/config", config), (".aws/credentials", credentials)];
    let home = Home::new(&files, &[("CODE", "987654")]);
    let answers = || [0, 1].map(|_| answer(200, role_answer("AssumeRole")));
    let http = Scripted::list(answers());
    home.resolve(Some("r"), http.clone(), false).unwrap();
    let requests = http.requests();
    let signed = |n: usize, id: &str| {
        let authorization = requests[n].header("authorization").unwrap();
        assert!(
            authorization.contains(&format!("Credential={id}/20261124/us-east-1/sts/")),
            "{authorization}"
        );
    };
    signed(0, "AKIABASE");
    assert_eq!(requests[0].header("x-amz-security-token"), None);
    signed(1, "ASIAROLE");
    assert_eq!(
        requests[1].header("x-amz-security-token"),
        Some("role-token")
    );
    assert!(body(&requests[1]).ends_with("&SerialNumber=device&TokenCode=987654"));
    // Nobody is asked for a second code in the middle of a scan.
    let again = home.resolve(Some("r"), Scripted::list(answers()), true);
    let text = again.unwrap_err().0;
    assert!(
        text.contains("a new MFA code is needed; run again"),
        "{text}"
    );
}

#[test]
fn the_metadata_services_get_their_headers() {
    let keys = r#"{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}"#;
    let variables = [
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1/credentials",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "pod-token"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one"),
    ];
    let home = Home::new(&[("pod-token", "of the pod\n")], &variables);
    let http = Scripted::list([answer(200, keys)]);
    home.resolve(None, http.clone(), false).unwrap();
    let requests = http.requests();
    assert_eq!(requests[0].header("authorization"), Some("of the pod"));

    let home = Home::new(&[], &[("AWS_METADATA_SERVICE_TIMEOUT", "3")]);
    let http = Scripted::list([answer(200, "session"), answer(200, "r"), answer(200, keys)]);
    home.resolve(None, http.clone(), false).unwrap();
    let requests = http.requests();
    let ttl = requests[0].header("x-aws-ec2-metadata-token-ttl-seconds");
    assert_eq!(ttl, Some("21600"));
    for request in &requests[1..] {
        assert_eq!(request.header("x-aws-ec2-metadata-token"), Some("session"));
        assert_eq!(request.budget.as_secs(), 3);
    }
}

#[test]
fn a_container_that_does_not_give_its_keys_yet_is_asked_three_times() {
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
        (answer(404, "not yet"), "keys: HTTP 404"),
        (answer(200, "<p>"), "keys is not the JSON that was expected"),
    ] {
        let http = Scripted::list([answer(500, ""), answer(403, ""), last, answer(200, keys)]);
        let told = home.resolve(None, http.clone(), false).unwrap_err().0;
        assert!(told.contains(why), "{told}");
        assert_eq!(http.requests().len(), 3);
    }
}

#[test]
fn an_instance_that_has_given_a_token_is_asked_again_where_nothing_answers() {
    let keys = r#"{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}"#;
    let lost = || failure(TransportErrorKind::Connection);
    let home = Home::new(&[], &[]);
    let http = Scripted::list([
        answer(200, "session"),
        lost(),
        lost(),
        lost(),
        answer(200, "r"),
        lost(),
        answer(200, keys),
    ]);
    home.resolve(None, http, false).unwrap();
    let first = Scripted::list([lost()]);
    assert!(home.resolve(None, first.clone(), false).is_err());
    assert_eq!(first.requests().len(), 1, "a machine without the service");
}

#[test]
fn what_answers_in_the_place_of_the_metadata_service_is_neither_a_token_nor_a_role() {
    let home = Home::new(&[], &[]);
    let long = "t".repeat(2000);
    for token in ["", " ", "<p>Please log in.</p>", "t\0", "\u{e9}", &long] {
        let http = Scripted::list([answer(200, token)]);
        let why = home.resolve(None, http, false).unwrap_err().0;
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
        let why = home.resolve(None, http, false).unwrap_err().0;
        assert!(why.contains("named a role that is none"), "{why}");
        assert!(!why.contains(role), "{why}");
    }
}

const SSO_CONFIG: &str = "[profile s]\nsso_session = corp\nsso_account_id = 123456789012\n\
    sso_role_name = R\n[sso-session corp]\nsso_start_url = https://c.example/start\n\
    sso_region = eu-west-1\n";
/// SHA-1 of `corp`.
const SSO_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const SSO_TOKEN: &str = r#"{"startUrl": "https://c.example/start", "accessToken": "old-access",
    "expiresAt": "2026-11-24T12:05:00Z", "clientId": "client", "clientSecret": "client-secret",
    "registrationExpiresAt": "2027-01-01T00:00:00Z", "refreshToken": "old-refresh", "new": [1]}"#;

fn portal() -> crate::http::fake::Answer {
    let keys = r#"{"roleCredentials": {"accessKeyId": "A", "secretAccessKey": "s",
        "sessionToken": "t", "expiration": 1795525200000}}"#;
    answer(200, keys)
}

#[test]
fn keys_of_the_portal_whose_end_is_no_time_have_none() {
    let signed_in = SSO_TOKEN.replace("12:05:00Z", "13:00:00Z");
    let home = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, &signed_in)], &[]);
    for end in [i128::MAX, i128::MIN, i128::from(i64::MAX)] {
        let keys = serde_json::json!({"accessKeyId": "A", "secretAccessKey": "s",
            "sessionToken": "t", "expiration": 7});
        let body = serde_json::json!({"roleCredentials": keys}).to_string();
        let http = Scripted::list([answer(200, body.replace(":7", &format!(":{end}")))]);
        let found = home.resolve(Some("s"), http, false).unwrap();
        assert_eq!(found.expires, None, "{end}");
    }
}

#[test]
fn a_refreshed_sign_in_is_written_back_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, SSO_TOKEN)], &[]);
    let fresh =
        r#"{"accessToken": "new-access", "expiresIn": 3600, "refreshToken": "new-refresh"}"#;
    let http = Scripted::list([answer(200, fresh), portal()]);
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
    let path = home.folder.path().join(SSO_CACHE);
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
        "what is not known of stays"
    );
    let beside = std::fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1, "no temporary file is left");
    // The next run finds it.
    let http = Scripted::list([portal()]);
    home.resolve(Some("s"), http.clone(), false).unwrap();
    let bearer = http.requests()[0]
        .header("x-amz-sso_bearer_token")
        .map(str::to_owned);
    assert_eq!(bearer.as_deref(), Some("new-access"));
}

#[test]
fn a_refused_refresh_leaves_the_sign_in_as_it_is() {
    let home = Home::new(&[(".aws/config", SSO_CONFIG), (SSO_CACHE, SSO_TOKEN)], &[]);
    let http = Scripted::list([answer(400, r#"{"error": "invalid_grant"}"#), portal()]);
    home.resolve(Some("s"), http.clone(), false).unwrap();
    let bearer = http.requests()[1]
        .header("x-amz-sso_bearer_token")
        .map(str::to_owned);
    assert_eq!(bearer.as_deref(), Some("old-access"));
    let text = std::fs::read_to_string(home.folder.path().join(SSO_CACHE)).unwrap();
    assert_eq!(text, SSO_TOKEN);
}

#[test]
fn a_process_is_run_with_its_pipes() {
    let config = "[profile p]\ncredential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"xid\", \
                  \"SecretAccessKey\": \"s\"}' | sed s/xid/AKIAPIPE/\n";
    let home = Home::new(&[(".aws/config", config)], &[]);
    let found = home.resolve(Some("p"), nowhere().http, false).unwrap();
    assert_eq!(found.credentials.access_key_id(), "AKIAPIPE");
}
