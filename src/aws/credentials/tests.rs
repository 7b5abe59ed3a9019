use std::collections::BTreeMap;

use super::*;
use crate::aws::client::fake::clock;
use crate::env::FolderEnv;
use crate::http::TransportErrorKind;
use crate::http::fake::{Scripted, failure};

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
        chance: || 0.0,
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
            error(Some("s"), &[], "[profile s]\nsso_session = x\n", ""),
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
