//! Compares the documentation with the program.
//!
//! `docs/options.md` is generated from the clap definition, the examples of `README.md` and
//! `docs/output.md` from `fixtures/demo`, and the list of cases in `fixtures/README.md` from the
//! table of cases. To rewrite them:
//!
//! ```sh
//! UPDATE_EXPECTED=1 cargo test --locked --test docs
//! ```

mod recordings;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Component, Path, PathBuf};

use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::commands::Exit;
use aws_config_resource_count::coverage::Status;
use aws_config_resource_count::error_log::ErrorType;
use aws_config_resource_count::model::ResourceType;
use clap::builder::PossibleValue;

use recordings::{CASES, Case, GROUPS, MANY_ACCOUNTS, ORGANIZATION};

const PROGRAM: &str = "aws-config-resource-count";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Returns every Markdown file of the repository, by its path from the root.
fn markdown() -> BTreeMap<PathBuf, String> {
    fn walk(directory: &Path, files: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                let generated = name == "target" || path.join("pyvenv.cfg").exists();
                if name != ".git" && !generated {
                    walk(&path, files);
                }
            } else if path.extension().is_some_and(|e| e == "md") {
                let text = fs::read_to_string(&path).unwrap();
                files.insert(path.strip_prefix(root()).unwrap().to_owned(), text);
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(root(), &mut files);
    assert!(files.len() > 8, "{:?}", files.keys());
    files
}

/// Compares `text` with the file at `path`, or writes it there if `UPDATE_EXPECTED` is 1.
fn assert_file(path: &str, text: &str) {
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        fs::write(root().join(path), text).unwrap();
    }
    assert!(
        read(path) == text,
        "{path} is out of date: run UPDATE_EXPECTED=1 cargo test --locked --test docs"
    );
}

/// Returns the fenced code blocks of a text: language and content, in order.
fn code_blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => open = Some((language, String::new())),
            (None, Some((_, content))) => content.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block is not closed: {open:?}");
    blocks
}

/// Returns the lines outside of fenced code blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut inside = false;
    let outside = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    };
    text.lines().filter(outside).collect()
}

/// Replaces the content of the code block that starts with `start`.
fn with_block(text: &str, start: &str, content: &str) -> String {
    assert_eq!(text.matches(start).count(), 1, "{start}");
    let at = text.find(start).unwrap();
    let fence_end = at + text[at..].find('\n').unwrap() + 1;
    let end = fence_end + text[fence_end..].find("```").unwrap();
    format!("{}{content}{}", &text[..fence_end], &text[end..])
}

/// Removes inline code, which may contain brackets.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts.filter(|(n, _)| n % 2 == 0).map(|(_, p)| p).collect()
}

/// Returns the link targets of a text: `[text](target)`, `[name]: target` and `<target>`.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(text) {
        let line = without_code(line);
        for rest in line.split("](").skip(1) {
            targets.push(rest.split([')', ' ']).next().unwrap().to_owned());
        }
        if line.starts_with('[')
            && let Some((_, target)) = line.split_once("]: ")
        {
            targets.push(target.trim().to_owned());
        }
        for rest in line.split('<').skip(1) {
            let target = rest.split('>').next().unwrap();
            if target.contains("://") {
                targets.push(target.to_owned());
            }
        }
    }
    targets
}

/// Returns the anchors of a text, made from its headings like on GitHub.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text) {
        let title = line.trim_start_matches('#');
        if !line.starts_with('#') || !title.starts_with(' ') {
            continue;
        }
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        let title = title.trim().to_lowercase();
        let slug: String = title.chars().filter(kept).collect();
        let slug = slug.replace(' ', "-");
        let repeated = (1..).map(|n| format!("{slug}-{n}"));
        let free = std::iter::once(slug.clone())
            .chain(repeated)
            .find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

/// Returns why a link of the file at `from` is broken.
fn link_error(files: &BTreeMap<PathBuf, String>, from: &Path, target: &str) -> Option<String> {
    if target.contains("://") {
        let valid = target.starts_with("https://") && !target.contains(' ');
        return (!valid).then(|| "absolute links must be https".to_owned());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let mut file = match path {
        "" => from.to_owned(),
        _ => from.parent().unwrap().to_owned(),
    };
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => file.push(name),
            Component::CurDir => {}
            Component::ParentDir if file.pop() => {}
            _ => return Some("the path leaves the repository".to_owned()),
        }
    }
    if !root().join(&file).exists() {
        return Some(format!("{} does not exist", file.display()));
    }
    let found = anchor.is_empty()
        || files
            .get(&file)
            .is_some_and(|t| anchors(t).contains(anchor));
    (!found).then(|| format!("no heading #{anchor} in {}", file.display()))
}

#[test]
fn links_and_anchors_resolve() {
    let files = markdown();
    let mut checked = 0;
    let mut errors = Vec::new();
    for (path, text) in &files {
        for target in links(text) {
            checked += 1;
            if let Some(error) = link_error(&files, path, &target) {
                errors.push(format!("{}: {target}: {error}", path.display()));
            }
        }
    }
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(checked > 20, "{checked} links");
}

#[test]
fn link_errors_are_found() {
    let text = "# A `b` c: d\n\n## A\n## A\n\n[x](#a-1) `[no](none)`\n```text\n# not [a](b)\n```\n";
    let anchors: Vec<String> = anchors(text).into_iter().collect();
    assert_eq!(anchors, ["a", "a-1", "a-b-c-d"]);
    assert_eq!(links(text), ["#a-1"]);
    let more = "[y]: docs/z.md\n<https://example.com> ![i](i.png \"title\")";
    assert_eq!(links(more), ["docs/z.md", "i.png", "https://example.com"]);

    let files = BTreeMap::from([(PathBuf::from("README.md"), text.to_owned())]);
    for (from, target, valid) in [
        ("README.md", "#a-1", true),
        ("README.md", "#a-2", false),
        ("docs/output.md", "../README.md#a", true),
        ("docs/output.md", "README.md", false),
        ("docs/output.md", "../../README.md", false),
        ("README.md", "docs/none.md", false),
        ("README.md", "https://example.com", true),
        ("README.md", "http://example.com", false),
    ] {
        let error = link_error(&files, Path::new(from), target);
        assert_eq!(error.is_none(), valid, "{from} {target}: {error:?}");
    }
}

/// The start of `docs/options.md`.
const OPTIONS_START: &str = "\
<!-- Generated from the clap definition: UPDATE_EXPECTED=1 cargo test --locked --test docs -->

# Options

`aws-config-resource-count [OPTIONS]` scans an account. `--help` prints the same reference, `-h` the
most used options; `--version` prints the version, the commit and the target of the build, `-V` only the version. For details, see
[How resources are counted](counting.md), [Credentials](credentials.md), [Network](network.md), [Output](output.md) and
[Recordings](recording.md).
";

/// Renders the part of `docs/options.md` that installs completions and the man page, from their help.
fn install_section(command: &clap::Command) -> String {
    let mut text = "### Install shell completions and the man page\n\n```sh\n".to_owned();
    for (name, title) in [("completions", ""), ("man", "\n# man page\n")] {
        let subcommand = command.find_subcommand(name).unwrap();
        let help = subcommand.get_after_long_help().unwrap().to_string();
        let lines = help.strip_prefix("Installation:\n").unwrap().lines();
        let lines = lines.map(|line| line.strip_prefix("  ").unwrap_or(line));
        text += title;
        text.extend(lines.flat_map(|line| [line, "\n"]));
    }
    text + "```\n"
}

/// Renders one row of a table of options.
fn option_row(argument: &clap::Arg) -> String {
    let mut names: Vec<String> = Vec::new();
    names.extend(argument.get_long().map(|long| format!("`--{long}`")));
    names.extend(argument.get_short().map(|short| format!("`-{short}`")));
    let takes_value = argument.get_action().takes_values();
    let value = match argument.get_value_names() {
        Some([name]) if takes_value => format!("`{}`", name.replace('|', "\\|")),
        _ => String::new(),
    };
    let help = argument.get_help().unwrap().to_string();
    let (meaning, named_default) = match help.split_once(" [default: ") {
        Some((meaning, default)) => (meaning, Some(default.strip_suffix(']').unwrap())),
        None => (&*help, None),
    };
    let mut meaning = meaning.to_owned();
    if let Some(long) = argument.get_long_help()
        && let Some(details) = long.to_string().strip_prefix(&format!("{help}\n\n"))
    {
        meaning = format!(
            "{meaning}. {}",
            details.trim_end_matches('.').replace("\n\n", " ")
        );
    }
    let values = argument.get_default_values().iter();
    let values: Vec<_> = values
        .filter(|_| takes_value)
        .map(|value| format!("`{}`", value.display()))
        .collect();
    let default = named_default.map_or_else(|| values.join(", "), str::to_owned);
    let possible: Vec<_> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let names = names.join(", ");
    let possible = possible.join(", ");
    format!("| {names} | {value} | {meaning} | {default} | {possible} |\n")
}

/// Renders the options of a subcommand that the program does not have, or that have another meaning.
fn own_options(command: &clap::Command, subcommand: &clap::Command) -> String {
    let common: BTreeSet<String> = command.get_arguments().map(option_row).collect();
    let own = subcommand
        .get_arguments()
        .filter(|a| a.get_long().is_some());
    let own: Vec<String> = own
        .map(option_row)
        .filter(|row| !common.contains(row))
        .collect();
    if own.is_empty() {
        return String::new();
    }
    format!(
        "\n### Options of `{}`\n\nThose of a run, and:\n\n| option | value | meaning | default | possible values |\n\
         |---|---|---|---|---|\n{}",
        subcommand.get_name(),
        own.concat()
    )
}

/// Renders the clap definition as `docs/options.md`.
fn options_page() -> String {
    let mut command = cli::command();
    command.build();
    let mut headings: Vec<&str> = Vec::new();
    for argument in command.get_arguments() {
        let heading = argument.get_help_heading().unwrap_or("Most used");
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    let mut page = OPTIONS_START.to_owned();
    for heading in headings {
        let _ = write!(
            page,
            "\n## {heading}\n\n| option | value | meaning | default | possible values |\n\
             |---|---|---|---|---|\n"
        );
        let in_section = |a: &&clap::Arg| {
            a.get_help_heading().unwrap_or("Most used") == heading && !a.is_hide_set()
        };
        page.extend(command.get_arguments().filter(in_section).map(option_row));
    }
    page += "\n## Subcommands\n\n| subcommand | meaning |\n|---|---|\n";
    for subcommand in command.get_subcommands() {
        if subcommand.get_name() == "help" {
            continue;
        }
        let positional: Vec<String> = subcommand
            .get_positionals()
            .map(|argument| {
                let values = argument.get_possible_values();
                let values: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
                format!(" {}", values.join("\\|"))
            })
            .collect();
        let options = subcommand.get_arguments().any(|a| a.get_id() == "profile");
        let _ = writeln!(
            page,
            "| `{}{}{}` | {} |",
            subcommand.get_name(),
            if options { " [OPTIONS]" } else { "" },
            positional.concat(),
            subcommand.get_about().unwrap()
        );
    }
    for subcommand in command.get_subcommands() {
        page += &own_options(&command, subcommand);
    }
    let _ = write!(page, "\n{}", install_section(&command));
    let after = command.get_after_long_help().unwrap().to_string();
    for section in after.split("\n\n") {
        let (title, lines) = section.split_once(":\n").unwrap();
        let title = if title == "Environment" {
            "Environment variables"
        } else {
            title
        };
        let lines: String = lines
            .lines()
            .flat_map(|line| [line.strip_prefix("  ").unwrap(), "\n"])
            .collect();
        let _ = write!(page, "\n## {title}\n\n```text\n{lines}```\n");
    }
    page
}

#[test]
fn options_page_is_generated_from_clap() {
    let page = options_page();
    assert_file("docs/options.md", &page);
    for argument in cli::command().get_arguments() {
        let long = format!("| `--{}`", argument.get_long().unwrap());
        let (of_run, _) = page.split_once("\n## Subcommands\n").unwrap();
        assert_eq!(of_run.matches(&long).count(), 1, "{long}");
    }
    for resource_type in ResourceType::common() {
        assert!(page.contains(resource_type.as_str()), "{resource_type}");
    }
    for row in page.lines().filter(|line| line.starts_with("| `--")) {
        let columns = row.replace("\\|", "").matches('|').count();
        assert_eq!(columns, 6, "{row}");
    }
}

/// The variables of `--help` are explained in the pages that are written by hand.
#[test]
fn variables_of_help_are_documented() {
    let pages = ["credentials", "network", "output"].map(|name| read(&format!("docs/{name}.md")));
    let pages = pages.concat();
    let help = cli::command().get_after_long_help().unwrap().to_string();
    let words = help.split([' ', ',', '\n', ':']);
    let variables: BTreeSet<&str> = words
        .filter(|w| w.starts_with("AWS_") || w.ends_with("_PROXY") || w.contains("COLOR"))
        .collect();
    assert!(variables.len() > 20, "{variables:?}");
    for variable in variables {
        assert!(pages.contains(variable), "{variable}");
    }
}

#[test]
fn readme_is_short_and_names_default_types() {
    let readme = read("README.md");
    assert!(readme.len() <= 11_264, "{} bytes", readme.len());
    let counting = read("docs/counting.md");
    let types = ResourceType::common();
    assert_eq!(types.len(), 10);
    for resource_type in types {
        let name = format!("`{resource_type}`");
        assert!(readme.contains(&name), "README.md: {name}");
        assert!(counting.contains(&name), "docs/counting.md: {name}");
    }
    let (_, first) = &code_blocks(&readme)[0];
    let commands: Vec<&str> = first
        .lines()
        .map(|line| line.split('#').next().unwrap().trim())
        .collect();
    assert_eq!(commands, ["./aws_config_setup.sh --demo"]);
}

/// Returns the first cells of the rows of the table that has this first column.
fn first_column(text: &str, title: &str) -> Vec<String> {
    let rows = text.lines().skip_while(|line| {
        let cell = line.split(" | ").next().unwrap_or_default();
        cell != format!("| {title}")
    });
    let rows = rows.skip(2).take_while(|line| line.starts_with("| "));
    let cell = |line: &str| line[2..].split(" | ").next().unwrap().replace('`', "");
    rows.map(cell).collect()
}

/// Every test that `docs/testing.md` names exists.
#[test]
fn testing_page_names_tests_that_exist() {
    let page = read("docs/testing.md");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && *line != "| inputs | test |");
    let named: BTreeSet<&str> = rows
        .flat_map(|row| {
            row.rsplit(" | ")
                .next()
                .unwrap()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .map(|name| name.rsplit("::").next().unwrap())
        .collect();
    let mut sources = String::new();
    for directory in ["src", "tests"] {
        read_tests(&root().join(directory), &mut sources);
    }
    let missing: Vec<_> = named
        .into_iter()
        .filter(|name| {
            let definitions = [
                format!("fn {name}("),
                format!("def {name}("),
                format!("\n{name}() {{"),
            ];
            !definitions.iter().any(|d| sources.contains(d))
        })
        .collect();
    assert_eq!(missing, [""; 0], "tests that do not exist");
}

/// Every rule of `docs/testing.md` names at least one test.
#[test]
fn every_rule_has_a_test() {
    let page = read("docs/testing.md");
    let rules: Vec<&str> = page.split("\n### ").skip(1).collect();
    assert!(rules.len() > 35, "{}", rules.len());
    for rule in rules {
        let title = rule.lines().next().unwrap();
        let rows = rule.lines().filter(|line| line.ends_with("` |"));
        assert!(rows.count() > 0, "{title}");
    }
}

/// Appends the content of all test and source files under `directory`.
fn read_tests(directory: &Path, sources: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(|e| e.to_str());
        if path.is_dir() {
            read_tests(&path, sources);
        } else if matches!(extension, Some("rs" | "py")) || path.ends_with("run") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_status_is_documented() {
    let documented = first_column(&read("docs/counting.md"), "status");
    assert_eq!(documented, Status::ALL.map(|status| status.to_string()));
}

#[test]
fn every_error_type_is_documented() {
    let documented = first_column(&read("docs/output.md"), "type");
    assert_eq!(documented, ErrorType::ALL.map(|t| t.to_string()));
}

#[test]
fn every_exit_code_is_documented() {
    let (sighup, sigint, sigquit, sigterm) = (1, 2, 3, 15);
    let codes: Vec<String> = [
        Exit::Done.code(),
        Exit::Failed.code(),
        2,
        Exit::Partial.code(),
        Exit::Interrupted(sigint).code(),
        Exit::Interrupted(sigterm).code(),
        Exit::Interrupted(sighup).code(),
        Exit::Interrupted(sigquit).code(),
    ]
    .iter()
    .map(u8::to_string)
    .collect();
    for path in ["README.md", "docs/output.md"] {
        let documented = first_column(&read(path), "exit code").join(", ");
        assert_eq!(documented, codes.join(", "), "{path}");
    }
    let help = cli::command().get_after_long_help().unwrap().to_string();
    let (_, listed) = help.split_once("Exit codes:\n").unwrap();
    let (listed, _) = listed.split_once("\n\n").unwrap();
    for code in codes {
        assert!(listed.contains(&code), "--help: {code}");
    }
}

/// Returns a line of the list of cases.
fn list_item(case: &Case) -> String {
    let complete = if case.base.is_none() {
        " (complete)"
    } else {
        ""
    };
    format!("- `{}`{complete}: {}\n", case.name, case.description())
}

#[test]
fn fixtures_page_lists_every_case() {
    let page = read("fixtures/README.md");
    let (text, _) = page.split_once("## Cases\n").unwrap();
    let mut expected = format!("{text}## Cases\n\n");
    expected += &list_item(Case::named("demo"));
    expected += &list_item(&ORGANIZATION);
    for (group, title) in GROUPS {
        let _ = write!(expected, "\n### {title}\n\n");
        let is_in_group = |case: &&Case| case.name.split('/').next() == Some(group);
        let cases = CASES.iter().chain(MANY_ACCOUNTS);
        expected.extend(cases.filter(is_in_group).map(list_item));
    }
    assert_file("fixtures/README.md", &expected);
}

/// Returns the first line of the first expected file of this name.
fn header_of(file: &str) -> String {
    let text = CASES.iter().find_map(|case| case.expected(file)).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().next().unwrap().to_owned()
}

#[test]
fn columns_of_csv_files_are_documented() {
    let page = read("docs/output.md");
    for file in [
        "expected.csv",
        "expected_coverage.csv",
        "expected_verify.csv",
    ] {
        let columns = format!("Columns: `{}`.", header_of(file));
        assert!(page.contains(&columns), "{file}: {columns}");
    }
}

/// Runs the arguments of a command line in the documentation; `None` if another program is called.
fn parsed(line: &str) -> Option<Result<Command, clap::Error>> {
    let command = line.split(['#', '>', '|']).next().unwrap();
    let mut words = command.split_whitespace();
    let first = words.next()?;
    if first != PROGRAM {
        return None;
    }
    Some(cli::parse(
        std::iter::once(first).chain(words).map(Into::into),
    ))
}

#[test]
fn documented_commands_are_valid() {
    let mut checked = 0;
    for (path, text) in markdown() {
        for (_, block) in code_blocks(&text).iter().filter(|(l, _)| *l == "sh") {
            for line in block.lines() {
                if let Some(result) = parsed(line) {
                    assert!(result.is_ok(), "{}: {line}", path.display());
                    checked += 1;
                }
            }
        }
    }
    let help = cli::command().get_after_long_help().unwrap().to_string();
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    for line in examples.lines().filter(|line| !line.starts_with("  # ")) {
        assert!(parsed(line).unwrap().is_ok(), "--help: {line}");
        checked += 1;
    }
    assert!(checked > 15, "{checked} commands");
}

/// Each policy in the documentation is what the command before it prints.
#[test]
fn documented_policies_are_what_is_printed() {
    let (mut compared, mut documented) = (0, 0);
    for (path, text) in markdown() {
        documented += text.matches("\"2012-10-17\"").count();
        for pair in code_blocks(&text).windows(2) {
            let [("sh", command), ("json", policy)] = pair else {
                continue;
            };
            let Some(Ok(Command::Print(printed))) = parsed(command) else {
                continue;
            };
            let printed = String::from_utf8(printed).unwrap();
            assert_eq!(printed, *policy, "{}: {command}", path.display());
            compared += 1;
        }
    }
    assert_eq!(compared, documented, "a policy is not compared");
    assert!(compared >= 2);
}

/// Returns the first `lines` lines of the demo's CSV, without its carriage returns.
fn demo_csv(lines: usize) -> String {
    let csv = read("fixtures/demo/expected.csv");
    csv.lines()
        .take(lines)
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn readme_shows_demo_output() {
    let command = format!("$ {PROGRAM} --demo\n");
    let bar = format!("Progress: [{}] 17/17\n", "█".repeat(50));
    let stdout = read("fixtures/demo/expected_stdout.txt")
        .replace("out/", "")
        .replace("replaying fixtures/demo", "replaying the built-in demo");
    let written = stdout.find("Results written").unwrap();
    let (before, after) = stdout.split_at(written);
    let readme = read("README.md");
    let expected = with_block(
        &readme,
        &format!("```text\n{command}"),
        &format!("{command}{before}{bar}{after}"),
    );
    let expected = with_block(&expected, "```csv\n", &demo_csv(4));
    assert_file("README.md", &expected);
}

#[test]
fn readme_shows_organization() {
    let command = format!("$ {PROGRAM} --replay fixtures/demo-organization --organization\n");
    let stdout = read("fixtures/demo-organization/expected_stdout.txt").replace("out/", "");
    let (_, shown) = stdout.split_once("\nScanning ").unwrap();
    // The messages of AWS are too long for the page.
    let lines = shown.split_inclusive('\n');
    let lines: String = lines.filter(|line| line.chars().count() <= 120).collect();
    let readme = read("README.md");
    let block = format!("{command}Scanning {lines}");
    let expected = with_block(&readme, &format!("```text\n{command}"), &block);
    assert_file("README.md", &expected);
}

#[test]
fn output_page_shows_demo_files() {
    let log = read("fixtures/demo/expected_errors.txt");
    let mut shown = String::new();
    for error_type in ["CONFIG_DISABLED", "REGION_DISABLED", "PERMISSION"] {
        let tag = format!("] [{error_type}] ");
        let line = log.lines().find(|line| line.contains(&tag)).unwrap();
        let _ = writeln!(shown, "{line}");
    }
    let page = with_block(&read("docs/output.md"), "```csv\n", &demo_csv(6));
    let page = with_block(&page, "```text\n[2026-", &shown);
    assert_file("docs/output.md", &page);
}
