//! The error of parsing a name.

use thiserror::Error;

/// The error of parsing a name: the text, as one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseNameError {
    /// Not a region code.
    #[error("\"{0}\" is not a region code such as eu-west-1")]
    Region(String),
    /// Not a resource type.
    #[error("\"{0}\" is not a resource type such as AWS::EC2::Instance")]
    ResourceType(String),
    /// Not an account ID.
    #[error("\"{0}\" is not an account ID of 12 digits")]
    AccountId(String),
    /// Not the name of a role.
    #[error("\"{0}\" is not the name of a role such as audit/ReadOnly (an ARN is not expected)")]
    RoleName(String),
    /// Not an organizational unit.
    #[error(
        "\"{0}\" is not the ID of an organizational unit such as ou-ab12-11111111, or a path such as \
         /Production/Europe"
    )]
    OrganizationalUnit(String),
}
