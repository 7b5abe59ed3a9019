//! Every fault at the endpoints that give credentials: what stops the run, and what is passed over.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::json;

use crate::fault::{FAULTS, Fault, Means};
use crate::seen::{self, equal, tells};
use crate::site::LIST;
use crate::support::{Account, Answers, Call, Outcome, Program, Reply, Server};
use crate::{When, all, bounded, faulty, timed, with_fault};

/// The last four characters of a key may be told.
const KEY: &str = "ASIAMARKEDGIVENK0WXYZ";
const SOURCE_KEY: &str = "AKIAMARKEDSOURCE0VUTS";
const SECRET: &str = "marked+given/secret+0123456789abcdef";
const SOURCE_SECRET: &str = "marked+source/secret+0123456789abcde";
const SESSION: &str = "marked//session+token==0123456789abcdef";
const IDENTITY: &str = "eyJtYXJrZWQ.eyJ3ZWItaWRlbnRpdHk.c2lnbmF0dXJl";
const CONTAINER: &str = "marked-container-authorization-0123456789";
const INSTANCE: &str = "marked-instance-token-0123456789abcdef==";
const SIGNED_IN: &str = "marked-sign-in-0123456789abcdefghij";
const REFRESHED: &str = "marked-refreshed-0123456789abcdefgh";
const REFRESH: &str = "marked-refresh-0123456789abcdefghijk";
const CLIENT: &str = "marked-client-secret-0123456789abcd";

const ALL_SECRETS: [&str; 12] = [
    "ASIAMARKEDGIVENK",
    "AKIAMARKEDSOURCE",
    SECRET,
    SOURCE_SECRET,
    SESSION,
    IDENTITY,
    CONTAINER,
    INSTANCE,
    SIGNED_IN,
    REFRESHED,
    REFRESH,
    CLIENT,
];

const CHECK: &str = "AWS credentials configured";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const END: &str = "2099-01-01T00:00:00Z";

/// A request of a provider.
struct Source {
    /// What it is called here.
    name: &'static str,
    /// Which calls are it.
    picks: fn(&Call) -> bool,
    /// Files of the home; `{soon}` in them is in ten minutes.
    files: &'static [(&'static str, &'static str)],
    /// Variables; `{url}` is the server's, and `{home}` the home.
    variables: &'static [(&'static str, &'static str)],
    /// What the reason of a failed check has to name.
    names: &'static [&'static str],
    /// How it is asked.
    asks: Asks,
}

/// How a request is made.
#[derive(Clone, Copy)]
enum Asks {
    /// As an operation of AWS.
    Operation(&'static str),
    /// As often as `tries` says while the answer is 429 or 500 and above, or no `answer`, and as
    /// `reach` says while there is none; what an answer means is the provider's own.
    Plain {
        tries: usize,
        reach: usize,
        answer: fn(u16, &Fault) -> bool,
        means: fn(Option<u16>) -> Then,
    },
}

/// What follows a fault that stays.
#[derive(Clone, Copy)]
enum Then {
    /// The check fails, and its reason tells this and who gave no keys.
    Fails(&'static str),
    /// The check fails, and its reason tells the status.
    FailsWithStatus,
    /// The check fails with this, which names another thing to do.
    Says(&'static str),
    /// The run has its keys all the same.
    Runs,
}

const PASSED: Then = Then::Says("or from a container or instance; run `aws configure`");

const ROLE: Source = Source {
    name: "a role",
    picks: |call| call.operation == "AssumeRole",
    files: &[(
        ".aws/config",
        "[default]\nrole_arn = arn:aws:iam::012345678901:role/audit\nsource_profile = base\n\
         [profile base]\naws_access_key_id = AKIAMARKEDSOURCE0VUTS\n\
         aws_secret_access_key = marked+source/secret+0123456789abcde\n",
    )],
    variables: &[],
    names: &["the role arn:aws:iam::012345678901:role/audit of profile default: "],
    asks: Asks::Operation("AssumeRole"),
};

const WEB_IDENTITY: Source = Source {
    name: "a web identity",
    picks: |call| call.operation == "AssumeRoleWithWebIdentity",
    files: &[("token", IDENTITY)],
    variables: &[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::012345678901:role/audit"),
    ],
    names: &[
        "the web identity in ",
        "role arn:aws:iam::012345678901:role/audit: ",
    ],
    asks: Asks::Operation("AssumeRoleWithWebIdentity"),
};

/// An instance is there too: a container that is broken is not passed over.
const CONTAINER_KEYS: Source = Source {
    name: "a container",
    picks: |call| call.path == "/container",
    files: &[("authorization", CONTAINER)],
    variables: &[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{url}/container"),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "{home}/authorization",
        ),
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{url}"),
    ],
    names: &["the container endpoint"],
    asks: Asks::Plain {
        tries: 3,
        reach: 3,
        answer: |status, fault| status == 200 && fault.gives_json(),
        means: keys,
    },
};

const INSTANCE_KEYS: Source = Source {
    name: "the keys of an instance",
    picks: |call| call.path.starts_with(ROLES) && call.path.len() > ROLES.len(),
    files: &[],
    variables: &[
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{url}"),
    ],
    names: &["the instance metadata service"],
    asks: Asks::Plain {
        tries: 4,
        reach: 4,
        answer: |_, _| true,
        means: keys,
    },
};

/// A machine without the service is the usual case.
const INSTANCE_TOKEN: Source = Source {
    name: "the token of an instance",
    picks: |call| call.path == "/latest/api/token",
    asks: Asks::Plain {
        tries: 4,
        reach: 1,
        answer: |_, _| true,
        means: |_| PASSED,
    },
    ..INSTANCE_KEYS
};

/// An instance without a role answers 404.
const INSTANCE_ROLE: Source = Source {
    name: "the role of an instance",
    picks: |call| call.path == ROLES,
    asks: Asks::Plain {
        tries: 4,
        reach: 4,
        answer: |_, _| true,
        means: |status| match status {
            None | Some(200) => Then::Fails(""),
            Some(status) if is_retried(status) => Then::FailsWithStatus,
            Some(_) => PASSED,
        },
    },
    ..INSTANCE_KEYS
};

const SSO_PROFILE: (&str, &str) = (
    ".aws/config",
    "[default]\nsso_session = corp\nsso_account_id = 012345678901\nsso_role_name = ReadOnly\n\
     [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n",
);
/// Of the session `corp`.
const SSO_CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

const SSO_KEYS: Source = Source {
    name: "the keys of IAM Identity Center",
    picks: |call| call.path.starts_with("/federation/credentials?"),
    files: &[
        SSO_PROFILE,
        (
            SSO_CACHE,
            r#"{"accessToken": "marked-sign-in-0123456789abcdefghij",
                "expiresAt": "2099-01-01T00:00:00Z"}"#,
        ),
    ],
    variables: &[],
    names: &["IAM Identity Center (profile default, account 012345678901, role ReadOnly)"],
    asks: Asks::Plain {
        tries: 3,
        reach: 3,
        answer: |_, _| true,
        means: |status| match status {
            Some(401) => Then::Says("run `aws sso login --profile default`"),
            Some(403 | 404) => Then::Fails("is not assigned to you (HTTP 40"),
            status => keys(status),
        },
    },
};

/// A sign-in that can be refreshed, and ends then.
macro_rules! sign_in {
    ($end:literal) => {
        concat!(
            r#"{"accessToken": "marked-sign-in-0123456789abcdefghij", "expiresAt": ""#,
            $end,
            r#"", "clientId": "client", "clientSecret": "marked-client-secret-0123456789abcd",
                "registrationExpiresAt": "2099-01-01T00:00:00Z",
                "refreshToken": "marked-refresh-0123456789abcdefghijk"}"#
        )
    };
}

const SSO_REFRESH: Source = Source {
    name: "the refresh of a sign-in that is over",
    picks: |call| call.path == "/token",
    files: &[SSO_PROFILE, (SSO_CACHE, sign_in!("2020-01-01T00:00:00Z"))],
    asks: Asks::Plain {
        tries: 3,
        reach: 3,
        answer: |_, _| true,
        means: |_| {
            Then::Says(
                "the sign-in of profile default has expired; run `aws sso login --profile default`",
            )
        },
    },
    ..SSO_KEYS
};

const SSO_EARLY_REFRESH: Source = Source {
    name: "the refresh of a sign-in that ends soon",
    files: &[SSO_PROFILE, (SSO_CACHE, sign_in!("{soon}"))],
    asks: Asks::Plain {
        tries: 3,
        reach: 3,
        answer: |_, _| true,
        means: |_| Then::Runs,
    },
    ..SSO_REFRESH
};

/// What an answer in the place of the keys means.
fn keys(status: Option<u16>) -> Then {
    match status {
        None | Some(200) => Then::Fails(""),
        Some(_) => Then::FailsWithStatus,
    }
}

fn is_retried(status: u16) -> bool {
    status == 429 || status >= 500
}

/// What the endpoints of credentials answer to those who may ask; none for all others.
fn give(call: &Call) -> Option<Reply> {
    let bears = |name: &str, value: &str| call.header(name) == Some(value);
    let refused = Reply::answer(401, "text/plain", *b"no");
    let key = json!({
        "AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": SESSION, "Expiration": END,
        "Code": "Success",
    });
    let path = call.path.split('?').next().unwrap_or_default();
    let (may, given) = match (call.operation.as_str(), path) {
        ("AssumeRole", _) => {
            let signed = call.header("authorization").unwrap_or_default();
            (signed.contains(SOURCE_KEY), role_keys(call))
        }
        ("AssumeRoleWithWebIdentity", _) => (
            call.field("WebIdentityToken") == Some(IDENTITY),
            role_keys(call),
        ),
        (_, "/container") => (bears("authorization", CONTAINER), Reply::json(&key)),
        (_, "/latest/api/token") => (true, Reply::answer(200, "text/plain", INSTANCE.as_bytes())),
        (_, ROLES) => {
            let role = Reply::answer(200, "text/plain", *b"web-server");
            (bears("x-aws-ec2-metadata-token", INSTANCE), role)
        }
        (_, path) if path.strip_prefix(ROLES) == Some("web-server") => (
            bears("x-aws-ec2-metadata-token", INSTANCE),
            Reply::json(&key),
        ),
        (_, path) if path.starts_with("/latest/") => {
            (true, Reply::answer(404, "text/html", *b"none"))
        }
        (_, "/token") => {
            let fresh = json!({"accessToken": REFRESHED, "expiresIn": 28800});
            (call.method == "POST", Reply::json(&fresh))
        }
        (_, "/federation/credentials") => {
            let bearer = call.header("x-amz-sso_bearer_token").unwrap_or_default();
            let key = json!({"roleCredentials": {
                "accessKeyId": KEY, "secretAccessKey": SECRET, "sessionToken": SESSION,
                "expiration": 4_070_908_800_000_i64,
            }});
            ([SIGNED_IN, REFRESHED].contains(&bearer), Reply::json(&key))
        }
        _ => return None,
    };
    Some(if may { given } else { refused })
}

fn role_keys(call: &Call) -> Reply {
    let name = &call.operation;
    Reply::xml(format!(
        "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>\
         <Credentials><AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>{SESSION}</SessionToken><Expiration>{END}</Expiration></Credentials>\
         </{name}Result></{name}Response>"
    ))
}

/// The answers of AWS to who has the keys that were given.
fn answer(call: &Call, answers: &Answers) -> Reply {
    let signed = call.header("authorization").unwrap_or_default();
    let own = signed.contains(KEY) && call.header("x-amz-security-token") == Some(SESSION);
    if own {
        answers.answer(call)
    } else {
        Reply::error(call, 403, "InvalidClientTokenId", "These are not the keys.")
    }
}

/// The call as one of a service whose language it speaks: nothing but a signature names one.
fn named(call: &Call) -> Call {
    let service = match call.operation.as_str() {
        "AssumeRole" | "AssumeRoleWithWebIdentity" => "sts",
        _ => "config",
    };
    Call {
        service: service.to_owned(),
        ..call.clone()
    }
}

/// What has to follow a fault.
struct Expected {
    requests: usize,
    /// What the reason of the check tells; none where the run has its keys.
    says: Option<Vec<String>>,
}

impl Source {
    /// Whether it can happen there: a text has no type.
    fn fits(&self, fault: &Fault) -> bool {
        let is_text = [INSTANCE_TOKEN.name, INSTANCE_ROLE.name].contains(&self.name);
        fault.means != Means::NoRecorder && !(is_text && fault.name == "a wrong type")
    }

    fn expected(&self, fault: &Fault, when: When) -> Expected {
        let (most, then) = match self.asks {
            Asks::Operation(_) => (
                if fault.is_retried() { 2 } else { 1 },
                Then::Fails(fault.says),
            ),
            Asks::Plain {
                tries,
                reach,
                answer,
                means,
            } => {
                let status = fault.status();
                let most = match status {
                    None => reach,
                    Some(status) if is_retried(status) || !answer(status, fault) => tries,
                    Some(_) => 1,
                };
                (most, means(status))
            }
        };
        if fault.means == Means::Fine {
            return Expected {
                requests: 1,
                says: None,
            };
        }
        if when == When::Once && most > 1 {
            return Expected {
                requests: 2,
                says: None,
            };
        }
        let mut names: Vec<String> = self.names.iter().map(|name| (*name).to_owned()).collect();
        if let Asks::Operation(name) = self.asks {
            names.push(format!("sts:{name} failed "));
        }
        let mut with = |says: &str| {
            names.push(says.to_owned());
            Some(names.clone())
        };
        // Whatever a role may be called is a role's name, and none is no role.
        let blank = matches!(fault.name, "an empty answer" | "blanks");
        let then = if self.name == INSTANCE_ROLE.name && blank {
            PASSED
        } else {
            then
        };
        let says = match then {
            Then::Fails(says) => with(says),
            Then::FailsWithStatus => with(&format!("HTTP {}", fault.status().unwrap_or_default())),
            Then::Says(says) => Some(vec![says.to_owned()]),
            Then::Runs => None,
        };
        Expected {
            requests: most,
            says,
        }
    }

    /// A run with this source of credentials and no other.
    fn program(&self, server: &Server) -> Program {
        let mut program = Program::new(server)
            .args(LIST.args)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "");
        let home = program.folder().join("home");
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

/// Runs each fault at `source`, once and always; fails with all that was not as it should be.
fn every_fault_at(source: &Source) {
    let can_be_once = |fault: &&Fault| source.expected(fault, When::Always).requests > 1;
    let once = FAULTS.iter().filter(can_be_once);
    let once = once.map(|fault| (fault, When::Once));
    let always = FAULTS.iter().map(|fault| (fault, When::Always));
    let mut runs: Vec<_> = once
        .chain(always)
        .filter(|(fault, _)| source.fits(fault))
        .collect();
    runs.sort_by_key(|(fault, _)| !fault.is_slow());
    assert!(runs.len() > 90, "{}", runs.len());
    let account = LIST.account();
    let answers = Arc::new(account.answers());
    all(&runs, |(fault, when)| {
        run(source, fault, *when, &account, &answers)
    });
}

/// One run with one fault; what is wrong with it.
fn run(
    source: &Source,
    fault: &'static Fault,
    when: When,
    account: &Account,
    answers: &Arc<Answers>,
) -> Result<(), String> {
    let answers = answers.clone();
    let right = move |call: &Call| give(call).unwrap_or_else(|| answer(call, &answers));
    let server = faulty(source.picks, when, right, |call, right| {
        fault.happen(&named(call), right)
    });
    let (outcome, took) = timed(with_fault(source.program(&server), fault, when));
    let wrong = compare(
        source,
        &source.expected(fault, when),
        account,
        &server,
        &outcome,
    )
    .and_then(|()| seen::clean(&outcome))
    .and_then(|()| secret(&outcome))
    .and_then(|()| bounded(&outcome, took));
    wrong.map_err(|why| {
        let told = outcome.told();
        format!(
            "=== {} at {}, {when:?}: {why}\n{told}",
            fault.name, source.name
        )
    })
}

/// Holds a run to what has to follow; says what differs.
fn compare(
    source: &Source,
    expected: &Expected,
    account: &Account,
    server: &Server,
    run: &Outcome,
) -> Result<(), String> {
    let requests = server.count(|call| (source.picks)(call));
    equal("requests", &requests, &expected.requests)?;
    let log = seen::log(run)?;
    let Some(says) = &expected.says else {
        equal("exit code", &run.code, &Some(0))?;
        equal("the log", run.errors().as_str(), "")?;
        return equal("the CSV", &run.csv(), &account.csv());
    };
    equal("exit code", &run.code, &Some(1))?;
    tells("stdout", &run.stdout, &[format!("\u{2717} {CHECK}")])?;
    equal("lines of the log", &log.len(), &6)?;
    equal(
        "lines",
        &log.iter().all(|(l, _)| l.error_type == "PREREQUISITE"),
        &true,
    )?;
    let (_, reason) = &log[0];
    let of_check = format!("{CHECK}: ");
    equal("the first check", &reason.starts_with(&of_check), &true)?;
    tells("the log", reason, says)?;
    for (_, message) in &log[1..] {
        tells(
            "the log",
            message,
            &["not tried, because check 3 failed".to_owned()],
        )?;
    }
    equal("a short log", &(run.errors().len() < 5000), &true)?;
    let written = run.files();
    let mut written = written.iter().filter(|file| !file.starts_with("home"));
    equal("files", &written.all(|file| seen::is_log(file)), &true)?;
    let others = |call: &Call| call.operation == "GetCallerIdentity";
    equal("calls without keys", &server.count(others), &0)?;
    let is_of_instance = |call: &Call| call.path.starts_with("/latest/");
    let passed_on = source.name == CONTAINER_KEYS.name && server.count(is_of_instance) > 0;
    equal("that the instance was asked", &passed_on, &false)
}

/// Whether nothing that a run wrote outside its home holds a half of a secret; says where one is.
fn secret(run: &Outcome) -> Result<(), String> {
    let mut places = vec![
        ("stdout".to_owned(), run.stdout.clone()),
        ("stderr".to_owned(), run.stderr.clone()),
    ];
    let files = run.files();
    for file in files.iter().filter(|file| !file.starts_with("home")) {
        let bytes = std::fs::read(run.folder().join(file)).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        places.push((file.display().to_string(), text));
        places.push(("a file's name".to_owned(), file.display().to_string()));
    }
    for (place, text) in places {
        for whole in ALL_SECRETS {
            let (one, other) = whole.split_at(whole.len() / 2);
            // The first halves of some are alike, and none of these says anything.
            let half = [one, other].into_iter().find(|half| text.contains(half));
            if let Some(half) = half {
                return Err(format!("{half} in {place}:\n{text}"));
            }
        }
    }
    Ok(())
}

const SOURCES: [&Source; 9] = [
    &ROLE,
    &WEB_IDENTITY,
    &CONTAINER_KEYS,
    &INSTANCE_TOKEN,
    &INSTANCE_ROLE,
    &INSTANCE_KEYS,
    &SSO_KEYS,
    &SSO_REFRESH,
    &SSO_EARLY_REFRESH,
];

/// A run of which everything is told, whose request at `source` is answered by `reply`, made of the
/// call and the right answer to it.
fn told(source: &Source, reply: fn(&Call, &Reply) -> Reply) -> Outcome {
    let (picks, answers) = (source.picks, LIST.account().answers());
    let server = Server::new(move |call| {
        let right = give(call).unwrap_or_else(|| answer(call, &answers));
        if picks(call) {
            reply(&named(call), &right)
        } else {
            right
        }
    });
    let program = source.program(&server);
    let recording = program.folder().join("out/recording");
    program
        .args([
            "--debug",
            "--max-attempts",
            "1",
            "--report",
            "report.json",
            "--record",
        ])
        .arg(recording)
        .run()
}

/// All that an endpoint could say of a request.
fn echo(call: &Call) -> String {
    let mut text = String::new();
    for (name, value) in &call.headers {
        let _ = write!(text, "{name}: {value} ");
    }
    text + &String::from_utf8_lossy(&call.body)
}

/// Errors of every shape, and answers that are none; the last ones are the keys themselves.
const ECHOES: [fn(&Call, &Reply) -> Reply; 9] = [
    |call, _| Reply::error(call, 403, "AccessDenied", &echo(call)),
    |call, _| Reply::error(call, 400, &echo(call), "no"),
    |call, _| Reply::answer(400, "text/plain", echo(call).into_bytes()),
    |call, _| Reply::answer(200, "text/plain", echo(call).into_bytes()),
    |call, _| Reply::json(&json!({"Code": echo(call), "AccessKeyId": 7})),
    |call, _| Reply::json(&json!({"Code": echo(call)})),
    |_, right| Reply::answer(302, "text/plain", right.body()),
    |_, right| Reply::answer(418, "text/plain", [b"<", right.body()].concat()),
    |_, right| Reply::answer(200, "text/plain", [right.body(), right.body()].concat()),
];

#[test]
fn no_secret_in_what_is_told_of_an_endpoint_that_repeats_it() {
    let runs: Vec<_> = SOURCES
        .iter()
        .flat_map(|source| ECHOES.iter().enumerate().map(move |echo| (source, echo)))
        .collect();
    all(&runs, |(source, (n, echo))| {
        let run = told(source, **echo);
        let wrong = equal("an exit code", &run.code.is_some(), &true)
            .and_then(|()| seen::clean(&run))
            .and_then(|()| secret(&run));
        wrong.map_err(|why| format!("=== {n} at {}: {why}\n{}", source.name, run.told()))
    });
}

/// Each part of the keys with what no header bears and a terminal would act on, or as long as an
/// answer may be.
const ODD_KEYS: [fn(&Call, &Reply) -> Reply; 4] = [
    |_, right| with(right, KEY, "ASIA0123456789ABCDEF\\u001b[2J"),
    |_, right| with(right, KEY, "ASIA0123456789ABCDEF/../../a b,c=\u{e9}"),
    |_, right| with(right, SESSION, "token\\r\\nx-evil: yes\\u0000"),
    |_, right| with(right, SESSION, &"t".repeat(500_000)),
];

/// The right answer with `new` in the place of `old`; in XML JSON's escapes are references.
fn with(right: &Reply, old: &str, new: &str) -> Reply {
    let body = str::from_utf8(right.body()).unwrap();
    let new = if body.starts_with('<') {
        new.replace("\\u001b", "\u{1b}")
            .replace("\\r\\n", "&#13;&#10;")
            .replace("\\u0000", "\u{1}")
    } else {
        new.to_owned()
    };
    Reply::answer(200, "text/plain", body.replace(old, &new).into_bytes())
}

#[test]
fn keys_that_no_request_can_bear_fail_a_check() {
    let gives = |source: &&&Source| give_keys(source);
    let runs: Vec<_> = SOURCES
        .iter()
        .filter(gives)
        .flat_map(|source| ODD_KEYS.iter().enumerate().map(move |keys| (source, keys)))
        .collect();
    all(&runs, |(source, (n, keys))| {
        let run = told(source, **keys);
        let wrong = equal("exit code", &run.code, &Some(1))
            .and_then(|()| seen::clean(&run))
            .and_then(|()| secret(&run))
            .and_then(|()| equal("a short log", &(run.errors().len() < 10_000), &true));
        wrong.map_err(|why| format!("=== {n} at {}: {why}\n{}", source.name, run.told()))
    });
}

/// Whether the answer has the keys in it.
fn give_keys(source: &Source) -> bool {
    [
        &ROLE,
        &WEB_IDENTITY,
        &CONTAINER_KEYS,
        &INSTANCE_KEYS,
        &SSO_KEYS,
    ]
    .iter()
    .any(|other| other.name == source.name)
}

/// A test for each source.
macro_rules! sources {
    ($($test:ident: $source:ident),* $(,)?) => {
        $(#[test] fn $test() {
            every_fault_at(&$source);
        })*
    };
}

sources! {
    a_role: ROLE,
    a_web_identity: WEB_IDENTITY,
    a_container: CONTAINER_KEYS,
    the_token_of_an_instance: INSTANCE_TOKEN,
    the_role_of_an_instance: INSTANCE_ROLE,
    the_keys_of_an_instance: INSTANCE_KEYS,
    the_keys_of_a_sign_in: SSO_KEYS,
    the_refresh_of_a_sign_in_that_is_over: SSO_REFRESH,
    the_refresh_of_a_sign_in_that_ends_soon: SSO_EARLY_REFRESH,
}
