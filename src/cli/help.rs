//! The texts of `--help` and of the man page that are not about single options.

use std::fmt::Write;

/// The entries of a section: a term and its meaning.
pub(super) type Entries = &'static [(&'static str, &'static str)];

/// The environment variables. The lines of `--help` fit 80 columns.
pub(super) const ENVIRONMENT: Entries = &[
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        "Credentials",
    ),
    ("AWS_PROFILE", "Profile"),
    (
        "AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN",
        "Role to assume with a web identity token",
    ),
    ("AWS_REGION, AWS_DEFAULT_REGION", "Start region"),
    (
        "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        "Paths of the config and credentials files",
    ),
    (
        "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CONFIG_SERVICE, ..._EC2, ..._IAM, ..._STS",
        "Endpoint URLs",
    ),
    (
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "true: ignore these and the profile's endpoints",
    ),
    (
        "AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT",
        "true: use FIPS or dual-stack endpoints",
    ),
    ("AWS_CA_BUNDLE", "PEM file of trusted certificates"),
    (
        "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        "Proxies, and hosts to bypass; lower-case names take precedence",
    ),
    (
        "AWS_MAX_ATTEMPTS, AWS_RETRY_MODE",
        "Attempts per request; only standard mode is supported",
    ),
    (
        "NO_COLOR, CLICOLOR_FORCE, TERM",
        "Color and the progress bar",
    ),
];

/// The files that a run reads and writes.
pub(super) const FILES: Entries = &[
    (
        "aws_config_resource_count_{account}[_{alias}].csv",
        "Result: one row for each region and type with resources",
    ),
    (
        "aws_config_resource_count_{account}[_{alias}]_errors.txt",
        "Error log; not written if there are no errors",
    ),
    (
        "aws_config_coverage_{account}[_{alias}].csv",
        "Status of every count (--coverage)",
    ),
    (
        "aws_config_verify_{account}[_{alias}].csv",
        "Differences (--method verify)",
    ),
    (
        "~/.aws/config, ~/.aws/credentials",
        "Profiles: credentials, region, endpoints",
    ),
];

/// The exit codes.
pub(super) const EXIT_CODES: Entries = &[
    ("0", "success; some counts may be missing"),
    (
        "1",
        "a check failed, nothing was counted, or the scan was aborted",
    ),
    ("2", "invalid usage, or an output that cannot be written"),
    (
        "3",
        "counts are stale, unverified or missing, or differ (only with --strict)",
    ),
    (
        "130",
        "interrupted (143: terminated, 129: SIGHUP, 131: SIGQUIT)",
    ),
];

/// Command lines, with their purpose.
pub(super) const EXAMPLES: Entries = &[
    (
        "aws-config-resource-count --profile audit --output-dir out",
        "Scan all enabled regions, and write the files to another directory",
    ),
    (
        "aws-config-resource-count --regions eu-west-1,eu-central-1 --strict",
        "Scan two regions; exit with 3 if a count is missing",
    ),
    (
        "aws-config-resource-count --resource-types all --method counts --coverage",
        "Count all types of the account, with few requests",
    ),
    (
        "aws-config-resource-count iam-policy --method counts",
        "Print the IAM policy for a run with these options",
    ),
    (
        "aws-config-resource-count --demo",
        "Try the program on a made-up account",
    ),
];

/// Other pages.
pub(super) const SEE_ALSO: Entries = &[
    ("AWS Config", "https://docs.aws.amazon.com/config/"),
    (
        "Config and credentials files",
        "https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html",
    ),
];

/// The end of `completions --help`.
pub(super) const INSTALL_COMPLETIONS: &str = "\
Installation:
  # Bash 4 or later, with the bash-completion package
  mkdir -p ~/.local/share/bash-completion/completions
  aws-config-resource-count completions bash > \\
    ~/.local/share/bash-completion/completions/aws-config-resource-count

  # Bash 3.2, as on macOS, or Bash without that package: this line in
  # ~/.bash_profile (source <(...) has no effect in Bash 3.2)
  eval \"$(aws-config-resource-count completions bash)\"

  # Zsh: a directory of $fpath, before compinit runs
  mkdir -p ~/.zfunc
  aws-config-resource-count completions zsh > \\
    ~/.zfunc/_aws-config-resource-count
  # and in ~/.zshrc: fpath=(~/.zfunc $fpath); autoload -U compinit; compinit

  # fish
  mkdir -p ~/.config/fish/completions
  aws-config-resource-count completions fish > \\
    ~/.config/fish/completions/aws-config-resource-count.fish";

/// The end of `man --help`.
pub(super) const INSTALL_MAN: &str = "\
Installation:
  mkdir -p ~/.local/share/man/man1
  aws-config-resource-count man > \\
    ~/.local/share/man/man1/aws-config-resource-count.1";

/// Returns the end of `--help`.
pub(super) fn after_long_help() -> String {
    let mut text = String::new();
    for (title, entries, width) in [
        ("Environment", ENVIRONMENT, 0),
        ("Files", FILES, 0),
        ("Exit codes", EXIT_CODES, 5),
    ] {
        let _ = writeln!(text, "{title}:");
        for (term, meaning) in entries {
            let _ = match width {
                0 => writeln!(text, "  {term}\n          {meaning}"),
                _ => writeln!(text, "  {term:width$}{meaning}"),
            };
        }
        text.push('\n');
    }
    text.push_str("Examples:");
    for (command, purpose) in EXAMPLES {
        let _ = write!(text, "\n  # {purpose}\n  {command}");
    }
    text
}
