//! Faults at the endpoints of the credential providers: some fail the check, others only skip the
//! provider.

use std::sync::Arc;

use serde_json::json;

use crate::assertions::{self, assert_contains, assert_equal};
use crate::fault::{Effect, FAULTS, Fault};
use crate::fault_point::LIST;
use crate::run::{When, assert_limits, faulty_server, run_with_fault};
use crate::support::{Account, Call, Outcome, Program, Reply, Responder, Server};

/// Messages may contain only the last four characters of an access key ID.
pub const ACCESS_KEY_ID: &str = "ASIAMARKEDGIVENK0WXYZ";
const SOURCE_ACCESS_KEY_ID: &str = "AKIAMARKEDSOURCE0VUTS";
const SECRET_KEY: &str = "marked+given/secret+0123456789abcdef";
const SOURCE_SECRET_KEY: &str = "marked+source/secret+0123456789abcde";
pub const SESSION_TOKEN: &str = "marked//session+token==0123456789abcdef";
const WEB_IDENTITY_TOKEN: &str = "eyJtYXJrZWQ.eyJ3ZWItaWRlbnRpdHk.c2lnbmF0dXJl";
const CONTAINER_TOKEN: &str = "marked-container-authorization-0123456789";
const INSTANCE_TOKEN: &str = "marked-instance-token-0123456789abcdef==";
const SSO_TOKEN: &str = "marked-sign-in-0123456789abcdefghij";
const REFRESHED_SSO_TOKEN: &str = "marked-refreshed-0123456789abcdefgh";
const REFRESH_TOKEN: &str = "marked-refresh-0123456789abcdefghijk";
const CLIENT_SECRET: &str = "marked-client-secret-0123456789abcd";

const ALL_SECRETS: [&str; 12] = [
    "ASIAMARKEDGIVENK",
    "AKIAMARKEDSOURCE",
    SECRET_KEY,
    SOURCE_SECRET_KEY,
    SESSION_TOKEN,
    WEB_IDENTITY_TOKEN,
    CONTAINER_TOKEN,
    INSTANCE_TOKEN,
    SSO_TOKEN,
    REFRESHED_SSO_TOKEN,
    REFRESH_TOKEN,
    CLIENT_SECRET,
];

const CHECK: &str = "AWS credentials configured";
const ROLES_PATH: &str = "/latest/meta-data/iam/security-credentials/";
const EXPIRY: &str = "2099-01-01T00:00:00Z";

/// A request of a credential provider.
pub struct ProviderRequest {
    /// The name in failure messages.
    pub name: &'static str,
    /// Returns true for this request.
    pub matches: fn(&Call) -> bool,
    /// Files in the home directory; `{soon}` is replaced by the time in ten minutes.
    files: &'static [(&'static str, &'static str)],
    /// Environment variables; `{url}` is replaced by the URL of the server, `{home}` by the home directory.
    variables: &'static [(&'static str, &'static str)],
    /// Parts of the message of a failed check.
    message_parts: &'static [&'static str],
    /// The protocol of the request.
    protocol: Protocol,
}

/// The protocol of a request, and the attempts and results that follow from it.
#[derive(Clone, Copy)]
enum Protocol {
    /// An AWS operation with this name.
    Operation(&'static str),
    /// A plain HTTP request. The provider makes `attempts` attempts after 429, 5xx and a response that
    /// `is_response` rejects, and `connect_attempts` without a response.
    Http {
        attempts: usize,
        connect_attempts: usize,
        is_response: fn(u16, &Fault) -> bool,
        /// Returns the result for the status of the last response.
        result: fn(Option<u16>) -> ProviderResult,
    },
}

/// The result of a run with a fault at every attempt.
#[derive(Clone, Copy)]
enum ProviderResult {
    /// The check fails with this text and the message parts of the request.
    Fails(&'static str),
    /// The check fails with the HTTP status and the message parts of the request.
    FailsWithStatus,
    /// The check fails with only this text, which names a different action.
    FailsWithOnly(&'static str),
    /// The run succeeds.
    Succeeds,
}

/// No provider has credentials.
const SKIPPED: ProviderResult =
    ProviderResult::FailsWithOnly("or from a container or instance; run `aws configure`");

pub const ROLE: ProviderRequest = ProviderRequest {
    name: "role",
    matches: |call| call.operation == "AssumeRole",
    files: &[(
        ".aws/config",
        "[default]\nrole_arn = arn:aws:iam::012345678901:role/audit\nsource_profile = base\n\
         [profile base]\naws_access_key_id = AKIAMARKEDSOURCE0VUTS\n\
         aws_secret_access_key = marked+source/secret+0123456789abcde\n",
    )],
    variables: &[],
    message_parts: &["the role arn:aws:iam::012345678901:role/audit of profile default: "],
    protocol: Protocol::Operation("AssumeRole"),
};

pub const WEB_IDENTITY: ProviderRequest = ProviderRequest {
    name: "web identity",
    matches: |call| call.operation == "AssumeRoleWithWebIdentity",
    files: &[("token", WEB_IDENTITY_TOKEN)],
    variables: &[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::012345678901:role/audit"),
    ],
    message_parts: &[
        "the web identity in ",
        "role arn:aws:iam::012345678901:role/audit: ",
    ],
    protocol: Protocol::Operation("AssumeRoleWithWebIdentity"),
};

/// The instance metadata service is available too: the chain must not skip a failed container endpoint.
pub const CONTAINER: ProviderRequest = ProviderRequest {
    name: "container",
    matches: |call| call.path == "/container",
    files: &[("authorization", CONTAINER_TOKEN)],
    variables: &[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{url}/container"),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "{home}/authorization",
        ),
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{url}"),
    ],
    message_parts: &["the container endpoint"],
    protocol: Protocol::Http {
        attempts: 3,
        connect_attempts: 3,
        is_response: |status, fault| status == 200 && fault.is_json(),
        result: invalid_credentials,
    },
};

pub const INSTANCE_CREDENTIALS: ProviderRequest = ProviderRequest {
    name: "credentials of an instance",
    matches: |call| call.path.starts_with(ROLES_PATH) && call.path.len() > ROLES_PATH.len(),
    files: &[],
    variables: &[
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{url}"),
    ],
    message_parts: &["the instance metadata service"],
    protocol: Protocol::Http {
        attempts: 4,
        connect_attempts: 4,
        is_response: |_, _| true,
        result: invalid_credentials,
    },
};

/// Most machines have no instance metadata service, so that a failure only skips the provider.
pub const INSTANCE_SESSION: ProviderRequest = ProviderRequest {
    name: "token of an instance",
    matches: |call| call.path == "/latest/api/token",
    protocol: Protocol::Http {
        attempts: 4,
        connect_attempts: 1,
        is_response: |_, _| true,
        result: |_| SKIPPED,
    },
    ..INSTANCE_CREDENTIALS
};

/// Without a role, the service returns 404.
pub const INSTANCE_ROLE: ProviderRequest = ProviderRequest {
    name: "role of an instance",
    matches: |call| call.path == ROLES_PATH,
    protocol: Protocol::Http {
        attempts: 4,
        connect_attempts: 4,
        is_response: |_, _| true,
        result: |status| match status {
            None | Some(200) => ProviderResult::Fails(""),
            Some(status) if is_retried(status) => ProviderResult::FailsWithStatus,
            Some(_) => SKIPPED,
        },
    },
    ..INSTANCE_CREDENTIALS
};

const SSO_PROFILE: (&str, &str) = (
    ".aws/config",
    "[default]\nsso_session = corp\nsso_account_id = 012345678901\nsso_role_name = ReadOnly\n\
     [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n",
);
/// The token cache of the session `corp`.
const SSO_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

pub const SSO_CREDENTIALS: ProviderRequest = ProviderRequest {
    name: "credentials of IAM Identity Center",
    matches: |call| call.path.starts_with("/federation/credentials?"),
    files: &[
        SSO_PROFILE,
        (
            SSO_CACHE,
            r#"{"accessToken": "marked-sign-in-0123456789abcdefghij",
                "expiresAt": "2099-01-01T00:00:00Z"}"#,
        ),
    ],
    variables: &[],
    message_parts: &["IAM Identity Center (profile default, account 012345678901, role ReadOnly)"],
    protocol: Protocol::Http {
        attempts: 3,
        connect_attempts: 3,
        is_response: |_, _| true,
        result: |status| match status {
            Some(401) => ProviderResult::FailsWithOnly("run `aws sso login --profile default`"),
            Some(403 | 404) => ProviderResult::Fails("is not assigned to you (HTTP 40"),
            status => invalid_credentials(status),
        },
    },
};

/// The token cache of an expired sign-in that the program can refresh.
const EXPIRED_SIGN_IN: &str = r#"{"accessToken": "marked-sign-in-0123456789abcdefghij",
    "expiresAt": "2020-01-01T00:00:00Z", "clientId": "client",
    "clientSecret": "marked-client-secret-0123456789abcd",
    "registrationExpiresAt": "2099-01-01T00:00:00Z",
    "refreshToken": "marked-refresh-0123456789abcdefghijk"}"#;

/// The token cache of a sign-in that expires soon and that the program can refresh.
const EXPIRING_SIGN_IN: &str = r#"{"accessToken": "marked-sign-in-0123456789abcdefghij",
    "expiresAt": "{soon}", "clientId": "client",
    "clientSecret": "marked-client-secret-0123456789abcd",
    "registrationExpiresAt": "2099-01-01T00:00:00Z",
    "refreshToken": "marked-refresh-0123456789abcdefghijk"}"#;

pub const SSO_REFRESH: ProviderRequest = ProviderRequest {
    name: "refresh of an expired sign-in",
    matches: |call| call.path == "/token",
    files: &[SSO_PROFILE, (SSO_CACHE, EXPIRED_SIGN_IN)],
    protocol: Protocol::Http {
        attempts: 3,
        connect_attempts: 3,
        is_response: |_, _| true,
        result: |_| {
            ProviderResult::FailsWithOnly(
                "the SSO token of profile default has expired; run `aws sso login --profile default`",
            )
        },
    },
    ..SSO_CREDENTIALS
};

pub const SSO_EARLY_REFRESH: ProviderRequest = ProviderRequest {
    name: "refresh of an expiring sign-in",
    files: &[SSO_PROFILE, (SSO_CACHE, EXPIRING_SIGN_IN)],
    protocol: Protocol::Http {
        attempts: 3,
        connect_attempts: 3,
        is_response: |_, _| true,
        result: |_| ProviderResult::Succeeds,
    },
    ..SSO_REFRESH
};

/// All requests of credential providers.
pub const ALL: [&ProviderRequest; 9] = [
    &ROLE,
    &WEB_IDENTITY,
    &CONTAINER,
    &INSTANCE_SESSION,
    &INSTANCE_ROLE,
    &INSTANCE_CREDENTIALS,
    &SSO_CREDENTIALS,
    &SSO_REFRESH,
    &SSO_EARLY_REFRESH,
];

/// Returns the result if the response has no valid credentials.
fn invalid_credentials(status: Option<u16>) -> ProviderResult {
    match status {
        None | Some(200) => ProviderResult::Fails(""),
        Some(_) => ProviderResult::FailsWithStatus,
    }
}

fn is_retried(status: u16) -> bool {
    status == 429 || status >= 500
}

/// Returns the response of a credential endpoint, 401 without the right token, and `None` for all other
/// requests.
pub fn provider_response(call: &Call) -> Option<Reply> {
    let has_header = |name: &str, value: &str| call.header(name) == Some(value);
    let refused = Reply::response(401, "text/plain", *b"no");
    let key = json!({
        "AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_KEY, "Token": SESSION_TOKEN,
        "Expiration": EXPIRY,
        "Code": "Success",
    });
    let path = call.path.split('?').next().unwrap_or_default();
    let (is_authorized, response) = match (call.operation.as_str(), path) {
        ("AssumeRole", _) => {
            let signed = call.header("authorization").unwrap_or_default();
            (signed.contains(SOURCE_ACCESS_KEY_ID), role_keys(call))
        }
        ("AssumeRoleWithWebIdentity", _) => (
            call.field("WebIdentityToken") == Some(WEB_IDENTITY_TOKEN),
            role_keys(call),
        ),
        (_, "/container") => (
            has_header("authorization", CONTAINER_TOKEN),
            Reply::json(&key),
        ),
        (_, "/latest/api/token") => (
            true,
            Reply::response(200, "text/plain", INSTANCE_TOKEN.as_bytes()),
        ),
        (_, ROLES_PATH) => {
            let role = Reply::response(200, "text/plain", *b"web-server");
            (has_header("x-aws-ec2-metadata-token", INSTANCE_TOKEN), role)
        }
        (_, path) if path.strip_prefix(ROLES_PATH) == Some("web-server") => (
            has_header("x-aws-ec2-metadata-token", INSTANCE_TOKEN),
            Reply::json(&key),
        ),
        (_, path) if path.starts_with("/latest/") => {
            (true, Reply::response(404, "text/html", *b"none"))
        }
        (_, "/token") => {
            let fresh = json!({"accessToken": REFRESHED_SSO_TOKEN, "expiresIn": 28800});
            (call.method == "POST", Reply::json(&fresh))
        }
        (_, "/federation/credentials") => {
            let bearer = call.header("x-amz-sso_bearer_token").unwrap_or_default();
            let key = json!({"roleCredentials": {
                "accessKeyId": ACCESS_KEY_ID, "secretAccessKey": SECRET_KEY, "sessionToken": SESSION_TOKEN,
                "expiration": 4_070_908_800_000_i64,
            }});
            (
                [SSO_TOKEN, REFRESHED_SSO_TOKEN].contains(&bearer),
                Reply::json(&key),
            )
        }
        _ => return None,
    };
    Some(if is_authorized { response } else { refused })
}

fn role_keys(call: &Call) -> Reply {
    let name = &call.operation;
    Reply::xml(format!(
        "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>\
         <Credentials><AccessKeyId>{ACCESS_KEY_ID}</AccessKeyId>\
         <SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
         <SessionToken>{SESSION_TOKEN}</SessionToken><Expiration>{EXPIRY}</Expiration></Credentials>\
         </{name}Result></{name}Response>"
    ))
}

/// Returns the response of an AWS service, or an error if the request is not signed with the
/// credentials of a provider.
pub fn service_response(call: &Call, responder: &Responder) -> Reply {
    let signed = call.header("authorization").unwrap_or_default();
    let is_valid = signed.contains(ACCESS_KEY_ID)
        && call.header("x-amz-security-token") == Some(SESSION_TOKEN);
    if is_valid {
        responder.respond(call)
    } else {
        Reply::error(call, 403, "InvalidClientTokenId", "unknown credentials")
    }
}

/// Returns the call with a service of the same protocol; only signed requests name a service.
pub fn with_service(call: &Call) -> Call {
    let service = match call.operation.as_str() {
        "AssumeRole" | "AssumeRoleWithWebIdentity" => "sts",
        _ => "config",
    };
    Call {
        service: service.to_owned(),
        ..call.clone()
    }
}

/// The expected result of a run with a fault.
struct Expected {
    requests: usize,
    /// Parts of the message of the failed check; `None` if the run succeeds.
    message_parts: Option<Vec<String>>,
}

impl ProviderRequest {
    /// Returns true if the fault can occur at this request: a plain text has no JSON type.
    fn accepts(&self, fault: &Fault) -> bool {
        let is_text = [INSTANCE_SESSION.name, INSTANCE_ROLE.name].contains(&self.name);
        fault.effect != Effect::NoRecorder && !(is_text && fault.name == "wrong type")
    }

    /// Returns true if the provider makes another attempt after the fault.
    fn retries(&self, fault: &Fault) -> bool {
        self.expected(fault, When::Always).requests > 1
    }

    fn expected(&self, fault: &Fault, when: When) -> Expected {
        let (attempts, result) = match self.protocol {
            Protocol::Operation(_) => (
                if fault.is_retried() { 2 } else { 1 },
                ProviderResult::Fails(fault.message_part),
            ),
            Protocol::Http {
                attempts,
                connect_attempts,
                is_response,
                result,
            } => {
                let status = fault.status();
                let attempts = match status {
                    None => connect_attempts,
                    Some(status) if is_retried(status) || !is_response(status, fault) => attempts,
                    Some(_) => 1,
                };
                (attempts, result(status))
            }
        };
        if fault.effect == Effect::None {
            return Expected {
                requests: 1,
                message_parts: None,
            };
        }
        if when == When::Once && attempts > 1 {
            return Expected {
                requests: 2,
                message_parts: None,
            };
        }
        // Every text but a blank one is the name of a role.
        let is_blank = matches!(fault.name, "empty body" | "blank body");
        let result = if self.name == INSTANCE_ROLE.name && is_blank {
            SKIPPED
        } else {
            result
        };
        let message_parts = match result {
            ProviderResult::Fails(part) => Some(self.message_parts_with(part)),
            ProviderResult::FailsWithStatus => {
                let status = fault.status().unwrap_or_default();
                Some(self.message_parts_with(&format!("HTTP {status}")))
            }
            ProviderResult::FailsWithOnly(part) => Some(vec![part.to_owned()]),
            ProviderResult::Succeeds => None,
        };
        Expected {
            requests: attempts,
            message_parts,
        }
    }

    fn message_parts_with(&self, part: &str) -> Vec<String> {
        let own = self.message_parts.iter().map(|part| (*part).to_owned());
        let operation = match self.protocol {
            Protocol::Operation(name) => Some(format!("sts:{name} failed ")),
            Protocol::Http { .. } => None,
        };
        own.chain(operation).chain([part.to_owned()]).collect()
    }

    /// Returns a run with only this source of credentials.
    pub fn program(&self, server: &Server) -> Program {
        let mut program = Program::new(server)
            .args(LIST.args)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "");
        let home = program.directory().join("home");
        let soon = time::OffsetDateTime::now_utc() + time::Duration::minutes(10);
        let soon = soon.format(&time::format_description::well_known::Rfc3339);
        let soon = soon.unwrap();
        for (name, text) in self.files {
            let path = home.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.replace("{soon}", &soon)).unwrap();
        }
        for (name, value) in self.variables {
            let value = value.replace("{url}", &server.url());
            program = program.env(name, value.replace("{home}", home.to_str().unwrap()));
        }
        program
    }
}

/// Returns every fault that can occur at `request`, once and always.
pub fn faults_at(request: &ProviderRequest) -> Vec<(&'static Fault, When)> {
    let can_occur_once = |fault: &&Fault| request.retries(fault);
    let once = FAULTS.iter().filter(can_occur_once);
    let once = once.map(|fault| (fault, When::Once));
    let always = FAULTS.iter().map(|fault| (fault, When::Always));
    let all = once.chain(always);
    all.filter(|(fault, _)| request.accepts(fault)).collect()
}

/// Runs the program with one fault; returns the difference from the expected result.
pub fn run_fault(
    request: &ProviderRequest,
    fault: &'static Fault,
    when: When,
    account: &Account,
    responder: &Arc<Responder>,
) -> Result<(), String> {
    let responder = responder.clone();
    let reply = move |call: &Call| {
        provider_response(call).unwrap_or_else(|| service_response(call, &responder))
    };
    let server = faulty_server(request.matches, when, reply, |call, reply| {
        fault.reply(&with_service(call), reply)
    });
    let (outcome, duration) = run_with_fault(
        request.program(&server),
        fault,
        when,
        request.retries(fault),
    );
    let expected = request.expected(fault, when);
    let result = assert_expected(request, &expected, account, &server, &outcome)
        .and_then(|()| assertions::assert_printable(&outcome))
        .and_then(|()| assert_no_secret(&outcome))
        .and_then(|()| assert_limits(&outcome, duration));
    result.map_err(|error| {
        let output = outcome.describe();
        format!(
            "=== {} at {}, {when:?}: {error}\n{output}",
            fault.name, request.name
        )
    })
}

/// Compares a run with the expected result.
fn assert_expected(
    request: &ProviderRequest,
    expected: &Expected,
    account: &Account,
    server: &Server,
    run: &Outcome,
) -> Result<(), String> {
    let requests = server.count(|call| (request.matches)(call));
    assert_equal("requests", &requests, &expected.requests)?;
    let log = assertions::parse_log(run)?;
    let Some(message_parts) = &expected.message_parts else {
        assert_equal("exit code", &run.code, &Some(0))?;
        assert_equal("the log", run.errors().as_str(), "")?;
        return assert_equal("the CSV", &run.csv(), &account.csv());
    };
    assert_equal("exit code", &run.code, &Some(1))?;
    assert_contains("stdout", &run.stdout, &[format!("\u{2717} {CHECK}")])?;
    assert_equal("lines of the log", &log.len(), &6)?;
    assert_equal(
        "lines",
        &log.iter().all(|(l, _)| l.error_type == "PREREQUISITE"),
        &true,
    )?;
    let (_, message) = &log[0];
    let check = format!("{CHECK}: ");
    assert_equal("the first check", &message.starts_with(&check), &true)?;
    assert_contains("the log", message, message_parts)?;
    for (_, message) in &log[1..] {
        assert_contains("the log", message, &["skipped: check 3 failed".to_owned()])?;
    }
    assert_equal("a short log", &(run.errors().len() < 5000), &true)?;
    let files = run.files();
    let mut files = files.iter().filter(|file| !file.starts_with("home"));
    assert_equal(
        "files",
        &files.all(|file| assertions::is_error_log(file)),
        &true,
    )?;
    let is_identity = |call: &Call| call.operation == "GetCallerIdentity";
    assert_equal(
        "requests without credentials",
        &server.count(is_identity),
        &0,
    )?;
    let is_metadata = |call: &Call| call.path.starts_with("/latest/");
    let is_skipped = request.name == CONTAINER.name && server.count(is_metadata) > 0;
    assert_equal("that the container is skipped", &is_skipped, &false)
}

/// Fails if half of a secret is in the output, or in a file or a file name outside the home directory.
pub fn assert_no_secret(run: &Outcome) -> Result<(), String> {
    let mut texts = vec![
        ("stdout".to_owned(), run.stdout.clone()),
        ("stderr".to_owned(), run.stderr.clone()),
    ];
    let files = run.files();
    for file in files.iter().filter(|file| !file.starts_with("home")) {
        let bytes = std::fs::read(run.directory().join(file)).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        texts.push((file.display().to_string(), text));
        texts.push(("a file name".to_owned(), file.display().to_string()));
    }
    for (name, text) in texts {
        for secret in ALL_SECRETS {
            let (first, second) = secret.split_at(secret.len() / 2);
            // Some secrets have the same first half; the texts contain no other use of it.
            let half = [first, second].into_iter().find(|half| text.contains(half));
            if let Some(half) = half {
                return Err(format!("{half} in {name}:\n{text}"));
            }
        }
    }
    Ok(())
}
