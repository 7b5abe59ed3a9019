//! The endpoint settings of the environment and the profile.

use super::error::EndpointError;
use super::url::EndpointUrl;
use crate::aws::config_file::{FileKind, SharedFiles, nested};
use crate::aws::operation::Service;
use crate::env::Env;
use crate::redact;
use crate::text::sanitize;

/// An endpoint that the user set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomEndpoint {
    /// The variable or the key of the profile; `None` for the option of the command line.
    pub setting: Option<String>,
    /// The URL.
    pub url: EndpointUrl,
}

/// The setting that enables a variant of the endpoints; `None` if it is disabled.
pub(super) type Switch = Option<String>;

/// The sources of the settings.
pub(super) struct Configured<'a> {
    pub(super) env: &'a dyn Env,
    pub(super) files: &'a SharedFiles,
    pub(super) profile: &'a str,
}

/// The name of a setting and its value; `None` if it is not set.
type ConfiguredUrl = Option<(String, String)>;

impl Configured<'_> {
    /// Returns the endpoint of `service` from the first of the four sources that sets it.
    pub(super) fn endpoint(
        &self,
        service: Service,
    ) -> Result<Option<CustomEndpoint>, EndpointError> {
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
        let Some((setting, text)) = found else {
            return Ok(None);
        };
        match text.parse() {
            Ok(url) => {
                let setting = Some(setting);
                Ok(Some(CustomEndpoint { setting, url }))
            }
            Err(source) => Err(EndpointError::Url { setting, source }),
        }
    }

    /// Returns the setting that enables a switch; `None` if it is `false` or not set.
    ///
    /// The SDKs treat any other value as false: with `1`, requests would silently go to endpoints
    /// that are not FIPS endpoints.
    pub(super) fn switch(&self, variable: &str, key: &str) -> Result<Switch, EndpointError> {
        let Some((setting, text)) = self.variable(variable).or_else(|| self.key(key)) else {
            return Ok(None);
        };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(Some(setting)),
            "false" => Ok(None),
            _ => Err(EndpointError::Switch {
                setting,
                value: sanitize(&redact::setting(&text), 80),
            }),
        }
    }

    fn ignores_urls(&self) -> bool {
        let setting = self
            .variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .or_else(|| self.key("ignore_configured_endpoint_urls"));
        setting.is_some_and(|(_, text)| text.trim().eq_ignore_ascii_case("true"))
    }

    /// Returns the `endpoint_url` of a service's block in the profile's `services` section.
    fn services_section(&self, block: &str) -> Result<ConfiguredUrl, EndpointError> {
        let Some((setting, name)) = self.key("services") else {
            return Ok(None);
        };
        let config = &self.files.config;
        let Some(section) = config.section(FileKind::Services, name.trim()) else {
            return Err(EndpointError::NoServicesSection {
                setting,
                path: config.path.clone(),
                section: sanitize(&redact::setting(name.trim()), 80),
            });
        };
        let url = section.get(block).and_then(|text| nested(text));
        let url = url.and_then(|mut keys| keys.remove("endpoint_url"));
        let source = format!(
            "{block} in [services {}]",
            sanitize(&redact::setting(name.trim()), 80)
        );
        Ok(url
            .filter(|url| !url.trim().is_empty())
            .map(|url| (source, url)))
    }

    fn variable(&self, name: &str) -> ConfiguredUrl {
        Some((name.to_owned(), self.env.var(name)?))
    }

    fn key(&self, name: &str) -> ConfiguredUrl {
        let text = self.files.get(self.profile, name)?;
        let source = format!(
            "{name} of profile {}",
            sanitize(&redact::setting(self.profile), 80)
        );
        Some((source, text.to_owned()))
    }
}
