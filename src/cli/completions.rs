//! The completion scripts: clap's, with functions that complete the last item of a comma-separated list of regions or
//! resource types.
//!
//! Clap completes whole words only. An argument with a list gets one possible value, the name of a function, and the
//! script's way to complete that value is replaced with a call of the function.

use std::fmt::Write;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::Shell;

use crate::aws::partition::Partition;
use crate::model::ResourceType;

/// The functions, which are possible values until they are replaced.
const REGIONS: &str = "__aws_config_resource_count_regions";
const TYPES: &str = "__aws_config_resource_count_types";
const PLACES: &str = "__aws_config_resource_count_regions_and_types";

/// Returns the completion script for `shell`.
pub(super) fn script(shell: Shell, command: Command) -> String {
    let name = command.get_name().to_owned();
    let mark = |command: Command| command.mut_args(mark_list);
    let mut command = mark(command).mut_subcommands(mark);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script,
    }
}

/// Gives an argument the values that its value name says: REGION is a region, and the name of a function is the value of
/// a list of regions or types.
fn mark_list(argument: Arg) -> Arg {
    let names = argument.get_value_names().unwrap_or_default();
    if names == ["REGION"] {
        return argument.value_parser(PossibleValuesParser::new(Partition::known_regions()));
    }
    let has = |word: &str| names.iter().any(|name| name.contains(word));
    let function = match (has("REGION"), has("TYPE")) {
        (true, true) => PLACES,
        (true, false) => REGIONS,
        (false, true) => TYPES,
        (false, false) => return argument,
    };
    argument.value_parser(PossibleValuesParser::new([function]))
}

/// Returns the functions and their items, separated by spaces.
fn functions() -> [(&'static str, String); 3] {
    let regions = Partition::known_regions().collect::<Vec<_>>().join(" ");
    let types = ResourceType::known().join(" ");
    [
        (REGIONS, regions.clone()),
        (TYPES, format!("all {types}")),
        (PLACES, format!("{regions} {types}")),
    ]
}

/// Bash splits words at the characters of COMP_WORDBREAKS, such as `:` and `=`, and replaces only the last piece.
const BASH: &str = r#"
# Completes the last item of the list in "$cur" with one of the arguments.
__aws_config_resource_count_items() {
    local list="" kept=""
    case "$cur" in *,*) list="${cur%,*}," ;; esac
    case "$COMP_WORDBREAKS" in *:*) kept="${cur%"${cur##*:}"}" ;; esac
    COMPREPLY=($(compgen -P "$list" -W "$*" -- "${cur##*,}"))
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        compopt +o bashdefault +o default
    fi
}

# Calls clap's function with words that are split only at spaces, and without the name of an option and "=".
__aws_config_resource_count() {
    local line="${COMP_LINE:0:COMP_POINT}" word option
    word="${line##*[[:space:]]}"
    local -a COMP_WORDS
    read -r -a COMP_WORDS <<<"${line%"$word"}"
    local COMP_CWORD="${#COMP_WORDS[@]}"
    option="${COMP_WORDS[COMP_CWORD - 1]}"
    case "$option" in --strict) option="" ;; esac
    case "$word" in
        --*=*)
            option="${word%%=*}"
            word="${word#*=}"
            COMP_WORDS[COMP_CWORD]="$option"
            COMP_CWORD=$((COMP_CWORD + 1))
            ;;
    esac
    COMP_WORDS[COMP_CWORD]="$word"
    _aws__config__resource__count "$1" "$word" "$option"
}

"#;

fn bash(script: &str) -> String {
    // Clap writes the hyphens of the name in two ways, so that the subcommands are not found.
    let mut script = script
        .replace(
            "aws__subcmd__config__subcmd__resource__subcmd__count",
            "aws__config__resource__count",
        )
        .replace(
            "complete -F _aws__config__resource__count ",
            "complete -F __aws_config_resource_count ",
        );
    let mut prelude = String::new();
    for (function, items) in functions() {
        let by_clap = format!("COMPREPLY=($(compgen -W \"{function}\" -- \"${{cur}}\"))");
        script = script.replace(&by_clap, function);
        let _ = write!(
            prelude,
            "{function}() {{\n    __aws_config_resource_count_items {items}\n}}\n"
        );
    }
    format!("{prelude}{BASH}{script}")
}

fn zsh(script: &str) -> String {
    let mut script = script.to_owned();
    let mut prelude = String::new();
    for (function, items) in functions() {
        script = script.replace(&format!(":({function})'"), &format!(":{function}'"));
        let _ = write!(
            prelude,
            "{function}() {{\n    _sequence compadd \"$@\" - {items}\n}}\n\n"
        );
    }
    let start = "autoload -U is-at-least\n\n";
    script.replacen(start, &format!("{start}{prelude}"), 1)
}

const FISH: &str = r"
# Prints the arguments after the items of the list that are already on the command line.
function __aws_config_resource_count_items
    set -l list (commandline -ct | string replace -r '^--[^=]*=' '' | string match -r '^.*,'; or echo)
    printf '%s\t\n' $list$argv
end

";

fn fish(script: &str) -> String {
    // An option whose value is being typed has no value yet, which argparse rejects. Clap completes no positional
    // arguments.
    let parse = "    argparse -s (__fish_aws_config_resource_count_global_optspecs) -- $cmd";
    let mut script = script.replace(
        &format!("{parse} 2>/dev/null\n"),
        &format!(
            "{parse} 2>/dev/null\n    or {} '' 2>/dev/null\n",
            parse.trim_start()
        ),
    );
    script += "complete -c aws-config-resource-count -f -n \"__fish_aws_config_resource_count_using_subcommand \
               completions\" -a \"bash elvish fish powershell zsh\"\n";
    let mut prelude = String::new();
    for (function, items) in functions() {
        script = script.replace(
            &format!("\"{function}\\t''\""),
            &format!("\"({function})\""),
        );
        let _ = write!(
            prelude,
            "function {function}\n    __aws_config_resource_count_items {items}\nend\n\n"
        );
    }
    format!("{FISH}{prelude}{script}")
}
