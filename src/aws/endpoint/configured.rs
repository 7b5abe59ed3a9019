//! What the environment and the profile say about endpoints.

use super::{Custom, EndpointUrl, Switch};
use crate::aws::config_file::{Kind, SharedFiles, nested};
use crate::aws::operation::Service;
use crate::env::Env;
use crate::model::{Invalid, clean};

/// Where the settings are looked for.
pub(super) struct Configured<'a> {
    pub(super) env: &'a dyn Env,
    pub(super) files: &'a SharedFiles,
    pub(super) profile: &'a str,
}

/// Who gave a setting, and its text.
type Found = Option<(String, String)>;

impl Configured<'_> {
    /// The endpoint of `service` that the first of the four places names.
    pub(super) fn endpoint(&self, service: Service) -> Result<Option<Custom>, String> {
        if self.ignores_urls() {
            return Ok(None);
        }
        let token = service.endpoint_token();
        let mut found = self
            .variable(&format!("AWS_ENDPOINT_URL_{token}"))
            .or_else(|| self.variable("AWS_ENDPOINT_URL"));
        if found.is_none() {
            found = self.services_section(&token.to_lowercase())?;
        }
        let found = found.or_else(|| self.key("endpoint_url"));
        let Some((named_by, text)) = found else {
            return Ok(None);
        };
        let url: EndpointUrl = text
            .parse()
            .map_err(|e: Invalid| format!("{named_by}: {e}"))?;
        let uri = url.0;
        Ok(Some(Custom { uri, named_by }))
    }

    /// A switch that is `true` or `false`, or off where nobody gave it.
    ///
    /// The SDKs take anything else for false. Requests of someone who wrote `1` would go to
    /// endpoints that are not FIPS ones, without a word.
    pub(super) fn switch(&self, variable: &str, key: &str) -> Result<Switch, String> {
        let Some((source, text)) = self.variable(variable).or_else(|| self.key(key)) else {
            return Ok(None);
        };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(Some(source)),
            "false" => Ok(None),
            _ => Err(format!(
                "{source}: \"{}\" is neither true nor false",
                clean(&text, 80)
            )),
        }
    }

    fn ignores_urls(&self) -> bool {
        let setting = self
            .variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .or_else(|| self.key("ignore_configured_endpoint_urls"));
        setting.is_some_and(|(_, text)| text.trim().eq_ignore_ascii_case("true"))
    }

    /// The `endpoint_url` of a service's block in the section that the profile's `services` names.
    fn services_section(&self, block: &str) -> Result<Found, String> {
        let Some((source, name)) = self.key("services") else {
            return Ok(None);
        };
        let section = self
            .files
            .config
            .section(Kind::Services, name.trim())
            .ok_or_else(|| {
                format!(
                    "{source}: {} has no section [services {}]",
                    self.files.config.path.display(),
                    clean(name.trim(), 80)
                )
            })?;
        let url = section.get(block).and_then(|text| nested(text));
        let url = url.and_then(|mut keys| keys.remove("endpoint_url"));
        let source = format!("{block} in [services {}]", clean(name.trim(), 80));
        Ok(url
            .filter(|url| !url.trim().is_empty())
            .map(|url| (source, url)))
    }

    fn variable(&self, name: &str) -> Found {
        Some((name.to_owned(), self.env.var(name)?))
    }

    fn key(&self, name: &str) -> Found {
        let text = self.files.get(self.profile, name)?;
        let source = format!("{name} of profile {}", clean(self.profile, 80));
        Some((source, text.to_owned()))
    }
}
