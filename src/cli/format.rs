//! The values of `--format`: a run, the list of accounts and a policy have different ones.

use clap::Arg;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::options::Format;

/// A value of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatArg {
    /// The format of a result.
    Result(Format),
    /// A CloudFormation template.
    CloudFormation,
}

impl FormatArg {
    /// Returns the format of a result.
    pub(super) fn result(self) -> Option<Format> {
        match self {
            Self::Result(format) => Some(format),
            Self::CloudFormation => None,
        }
    }
}

fn parser(names: &'static [&'static str]) -> impl TypedValueParser<Value = FormatArg> {
    PossibleValuesParser::new(names).map(|name| match &*name {
        "table" => FormatArg::Result(Format::Table),
        "csv" => FormatArg::Result(Format::Csv),
        "json" => FormatArg::Result(Format::Json),
        _ => FormatArg::CloudFormation,
    })
}

/// Returns the parser of a run's `--format`.
pub(super) fn format_parser() -> impl TypedValueParser<Value = FormatArg> {
    parser(&["table", "csv", "json"])
}

/// Changes the `--format` of a run to that of a policy.
pub(super) fn for_policy(format: Arg) -> Arg {
    let help = "json, cloudformation [default: json]";
    format
        .help(help)
        .long_help(help)
        .value_name("FORMAT")
        .hide_possible_values(true)
        .value_parser(parser(&["json", "cloudformation"]))
}
