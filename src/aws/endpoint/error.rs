//! Errors of the endpoint settings.

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
