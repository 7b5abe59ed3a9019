//! Errors of the endpoint settings.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::url::ParseUrlError;

/// The reason why the endpoint of a service is unknown. The text names the setting.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// A setting is not the URL of an endpoint.
    #[error("{setting}: {source}")]
    Url {
        /// The name of the setting.
        setting: String,
        /// The reason.
        source: ParseUrlError,
    },
    /// The setting of a variant is neither true nor false.
    #[error("{setting}: \"{value}\" is neither true nor false")]
    Switch {
        /// The name of the setting.
        setting: String,
        /// The value, as one line.
        value: String,
    },
    /// The config file does not have the profile's `services` section.
    #[error("{setting}: {path} has no section [services {section}]")]
    NoServicesSection {
        /// The name of the setting.
        setting: String,
        /// The config file.
        path: PathBuf,
        /// The name of the section, as one line.
        section: String,
    },
    /// A variant is enabled for a custom endpoint, whose variants are unknown.
    #[error(
        "{enabled_by} enables {variant} endpoints, but {custom} sets a custom endpoint for \
         {service}: they cannot be combined; set {variable}=false, or {}",
        custom.alternative()
    )]
    VariantOfCustom {
        /// The setting that enables the variant.
        enabled_by: String,
        /// `FIPS` or `dual-stack`.
        variant: &'static str,
        /// The variable that disables the variant.
        variable: &'static str,
        /// The setting of the custom endpoint.
        custom: UrlSource,
        /// The name of the service.
        service: &'static str,
    },
    /// The partition has no such variant of the service.
    #[error(
        "{service} has no {variants} endpoint in the partition {partition} (required by \
         {enabled_by}); set {variables}"
    )]
    NoVariant {
        /// The name of the service.
        service: &'static str,
        /// `FIPS`, `dual-stack`, or both.
        variants: String,
        /// The ID of the partition.
        partition: &'static str,
        /// The settings that enable the variants.
        enabled_by: String,
        /// The variables that disable the variants, with the value.
        variables: String,
    },
}

/// The source of a custom endpoint; `Display` is its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlSource {
    /// The caller: the name of its option.
    Explicit(&'static str),
    /// The environment or the profile: the name of the setting.
    Configured(String),
}

impl UrlSource {
    fn alternative(&self) -> String {
        match self {
            Self::Explicit(option) => format!("omit {option}"),
            Self::Configured(_) => "set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true".to_owned(),
        }
    }
}

impl fmt::Display for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit(name) => f.write_str(name),
            Self::Configured(name) => f.write_str(name),
        }
    }
}
