use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::env::FolderEnv;

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
    let context = Context {
        env: &env,
        files: &files,
        profile: &profile,
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
            "aws configure export-credentials --profile s",
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
    let context = Context {
        env: &env,
        files: &files,
        profile: &Profile::choose(None, &env),
    };
    let found = resolve(&context).unwrap();
    assert_eq!(found.credentials.session_token(), Some("T"));
    assert!(found.provider.ends_with("home/mine"), "{}", found.provider);
}

fn keys(id: &str) -> Resolved {
    Resolved::new(id, "the-secret-key", Some("the-token"), "test".to_owned())
}

#[test]
fn nothing_secret_is_shown() {
    let found = keys("AKIAIOSFODNN7EXAMPLE");
    assert_eq!(found.key_end(), "****MPLE");
    assert_eq!(keys("SHORT").key_end(), "****");
    let debug = format!("{found:?}");
    let echoed = found.redact("AKIAIOSFODNN7EXAMPLE the-secret-key x the-token");
    for text in [debug.as_str(), &echoed] {
        for secret in ["AKIAIOSFODNN7", "the-secret-key", "the-token"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(echoed, "****MPLE **** x ****");
}

#[test]
fn keys_are_renewed_once_for_all_threads() {
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let loader = move || {
        Ok(keys(&format!(
            "key-{}",
            counted.fetch_add(1, Ordering::SeqCst)
        )))
    };
    let ring = Keyring::load(Box::new(loader)).unwrap();
    assert_eq!(ring.current().1, 0);
    ring.renew(0).unwrap();
    ring.renew(0).unwrap();
    assert_eq!(
        calls.load(Ordering::SeqCst),
        2,
        "the second thread finds the new ones"
    );
    assert_eq!(ring.current().1, 1);
    assert!(ring.renew(1).unwrap_err().0.contains("a second time"));

    let same = Keyring::load(Box::new(|| Ok(keys("same")))).unwrap();
    assert!(
        same.renew(0)
            .unwrap_err()
            .0
            .contains("are still the expired ones")
    );
}
