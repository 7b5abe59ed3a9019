//! The home directory of a recording: what a replay reads of the profiles or the session of a run, without secrets.
//!
//! - A profile keeps its region and, if they are replayed, the settings of its role or permission set. The recording adds
//!   access keys of its own to a profile whose credentials have another source, such as a process.
//! - A role is assumed with the credentials of the recording, so that no other profile is needed.
//! - A start URL is replaced. A token has no secret, and expires only if it had expired.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::accounts::select;
use crate::aws::config_file::{FileKind, SharedFiles, expand_home};
use crate::aws::credentials::{recorded_token, token_file};
use crate::env::Env;
use crate::options::AccountSource;
use crate::recording::CREDENTIALS_FILE;

/// The path of the file of sessions in a recording.
const CONFIG_FILE: &str = "home/.aws/config";

/// The start URL of a session in a recording.
const START_URL: &str = "https://example.awsapps.com/start";

/// Returns the files of the home directory by their path in the recording; `region` is that of profiles without one.
pub(super) fn home_files(
    source: &AccountSource,
    region: Option<&str>,
    env: &dyn Env,
    now: OffsetDateTime,
) -> BTreeMap<String, String> {
    let files = &SharedFiles::load(env).unwrap_or_default();
    let mut home = Home {
        files,
        env,
        now,
        written: BTreeMap::new(),
    };
    match source {
        AccountSource::Sso { session, .. } => home.add_session(session, None),
        AccountSource::Profiles(patterns) => {
            let mut credentials = String::new();
            for name in select(patterns, files).unwrap_or_default() {
                credentials += &home.profile(name, region);
            }
            home.written
                .insert(CREDENTIALS_FILE.to_owned(), credentials);
        }
        AccountSource::Organization | AccountSource::Named => {}
    }
    home.written
}

/// The home directory, as far as it is written.
struct Home<'a> {
    files: &'a SharedFiles,
    env: &'a dyn Env,
    now: OffsetDateTime,
    written: BTreeMap<String, String>,
}

impl Home<'_> {
    /// Returns the section of a profile, and adds what it refers to.
    fn profile(&mut self, name: &str, region: Option<&str>) -> String {
        let files = self.files;
        let get = |key| files.get(name, key);
        let keep = |key| line(key, get(key));
        let header = format!("[{name}]\n");
        let region = line("region", get("region").or(region));
        let role = keep("role_arn");
        if !role.is_empty() && get("web_identity_token_file").is_none() {
            return format!("{header}{region}{role}credential_source=Environment\n");
        }
        let role = keep("sso_account_id") + &keep("sso_role_name");
        if role.is_empty() {
            return header + &region;
        }
        let mut session = keep("sso_session");
        if let Some(name_of_session) = get("sso_session") {
            self.add_session(name_of_session, Some(name));
        } else {
            session = keep("sso_region");
            if let Some(url) = get("sso_start_url") {
                // Each profile has a token of its own.
                let recorded = format!("{START_URL}/{name}");
                session += &line("sso_start_url", Some(&recorded));
                self.add_token(url, &recorded);
            }
        }
        header + &region + &role + &session
    }

    /// Adds a session and its token; a `profile` may have its settings.
    fn add_session(&mut self, name: &str, profile: Option<&str>) {
        let files = self.files;
        let Some(section) = files.config.section(FileKind::SsoSession, name) else {
            return;
        };
        let get = |key: &str| {
            let of_session = section.get(key).map(String::as_str);
            of_session.or_else(|| files.get(profile?, key))
        };
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let header = format!("[sso-session \"{quoted}\"]\n");
        let config = self.written.entry(CONFIG_FILE.to_owned()).or_default();
        if config.contains(&header) {
            return;
        }
        let url = get("sso_start_url").map(|_| START_URL);
        *config += &(header + &line("sso_region", get("sso_region")) + &line("sso_start_url", url));
        self.add_token(name, name);
    }

    /// Adds the token of a session or start URL `key`, as the one of `recorded`.
    fn add_token(&mut self, key: &str, recorded: &str) {
        let path = expand_home(self.env, &token_file(key));
        if let Ok(file) = self.env.read_regular(&path) {
            let token = recorded_token(&file, self.now);
            let path = token_file(recorded).replacen('~', "home", 1);
            self.written.insert(path, token);
        }
    }
}

/// Returns the line of a setting; none for a value of several lines, which is not valid.
fn line(key: &str, value: Option<&str>) -> String {
    let value = value.filter(|value| !value.contains('\n'));
    value.map_or(String::new(), |value| format!("{key}={value}\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use time::macros::datetime;

    use super::*;
    use crate::recording::RecordedEnv;

    const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

    /// Returns the files of `source` for a config file and a token of `key`.
    fn files(source: &AccountSource, config: &str, key: &str) -> BTreeMap<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        let token = home.join(token_file(key).trim_start_matches("~/"));
        fs::create_dir_all(token.parent().unwrap()).unwrap();
        fs::write(
            token,
            r#"{"accessToken": "s3", "expiresAt": "2026-11-24T20:00:00Z"}"#,
        )
        .unwrap();
        fs::write(home.join(".aws/config"), config).unwrap();
        let env = RecordedEnv::new(directory.path(), BTreeMap::new());
        home_files(source, Some("eu-west-1"), &env, NOW)
    }

    #[test]
    fn legacy_profile_has_token_of_its_own() {
        let config = "[profile a]\nsso_account_id = 111111111111\nsso_role_name = Audit\nregion = us-east-2\n\
                      sso_region = eu-west-1\nsso_start_url = https://corp.example\n[profile b]\nsso_role_name = Audit\n";
        let source = AccountSource::Profiles(vec!["*".to_owned()]);
        let files = files(&source, config, "https://corp.example");
        let url = "https://example.awsapps.com/start/a";
        assert_eq!(
            files[CREDENTIALS_FILE],
            format!(
                "[a]\nregion=us-east-2\nsso_account_id=111111111111\nsso_role_name=Audit\nsso_region=eu-west-1\n\
                 sso_start_url={url}\n[b]\nregion=eu-west-1\nsso_role_name=Audit\n"
            )
        );
        let token = &files[&token_file(url).replacen('~', "home", 1)];
        let expected = r#"{"accessToken":"REDACTED","expiresAt":"9999-12-31T23:59:59Z"}"#;
        assert_eq!((token.as_str(), files.len()), (expected, 2));
    }

    #[test]
    fn only_settings_of_roles_and_sessions_are_kept() {
        let config = "[profile web]\nrole_arn = arn:aws:iam::1:role/a\nweb_identity_token_file = /secret\n\
                      [profile role]\nrole_arn = arn:aws:iam::1:role/b\nexternal_id = s3\nmfa_serial = s3\n\
                      [profile keys]\naws_access_key_id = s3\naws_secret_access_key = s3\nregion = x\n  s3\n\
                      [profile process]\ncredential_process = s3\n[profile other]\naws_access_key_id = s3\n";
        let patterns = ["web", "role", "keys", "process"].map(str::to_owned);
        let files = files(&AccountSource::Profiles(patterns.to_vec()), config, "none");
        let expected = "[web]\nregion=eu-west-1\n\
                        [role]\nregion=eu-west-1\nrole_arn=arn:aws:iam::1:role/b\ncredential_source=Environment\n\
                        [keys]\n[process]\nregion=eu-west-1\n";
        assert_eq!(files[CREDENTIALS_FILE], expected);
    }

    #[test]
    fn session_name_may_have_quotes_and_blanks() {
        let name = r#"a "b" c"#;
        let config = "[sso-session 'a \"b\" c']\nsso_region = eu-west-1\nsso_start_url = https://corp.example\n";
        let source = AccountSource::Sso {
            session: name.to_owned(),
            role: None,
        };
        let files = files(&source, config, name);
        assert_eq!(files.len(), 2);
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("home/.aws")).unwrap();
        fs::write(directory.path().join(CONFIG_FILE), &files[CONFIG_FILE]).unwrap();
        let env = RecordedEnv::new(directory.path(), BTreeMap::new());
        let again = SharedFiles::load(&env).unwrap();
        let session = again.config.section(FileKind::SsoSession, name).unwrap();
        assert_eq!(session["sso_start_url"], START_URL);
    }
}
