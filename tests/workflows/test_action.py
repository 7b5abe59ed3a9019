"""Runs the steps of action.yml with the debug build in a local archive, as GitHub's runner would."""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ["PROGRAM"])
PACKAGE = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
VERSION = PACKAGE["version"]
REPOSITORY = PACKAGE.get("repository", "").removeprefix("https://github.com/")
TARGET = "x86_64-unknown-linux-musl"
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
# The commands of the scripts, without gh.
COMMANDS = ["bash", "awk", "cat", "chmod", "curl", "cut", "dirname", "gzip", "head", "jq", "mktemp", "od", "rm", "sed", "tar", "tee", "tr"]
# It writes its arguments to a file and exits with the code in the variable GH_STATUS.
GH = '#!/bin/sh\nprintf "%s\\n" "$@" >gh-arguments\nexit "$GH_STATUS"\n'
HOSTILE = ["$(touch pwned)", "`touch pwned`", "; touch pwned", '"; touch pwned; "', "'; touch pwned; '", "a\ntotal=7", "${{ github.token }}", "--version"]


class Result:
    """The result of all steps."""

    def __init__(self) -> None:
        self.status = 0
        self.stdout = ""
        self.outputs: dict[str, str] = {}
        self.summary = ""
        self.uploaded: list[str] | None = None


class Runner:
    """A made-up runner with a workspace, and a directory of releases to install from."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.workspace = directory / "workspace"
        self.releases = directory / "releases" / f"v{VERSION}"
        self.sums = self.releases / f"aws-config-resource-count-{VERSION}-SHA256SUMS"
        self.bin = directory / "bin"
        for path in (self.workspace, self.releases, self.bin):
            path.mkdir(parents=True)
        for command in [*COMMANDS, "sha256sum"]:
            (self.bin / command).symlink_to(shutil.which(command))
        self.environment = {"RUNNER_OS": "Linux", "RUNNER_ARCH": "X64"}

    def publish(self, archive: Path, target: str = TARGET) -> None:
        """Adds an archive and its sum to the release."""
        name = f"aws-config-resource-count-{VERSION}-{target}.tar.gz"
        shutil.copyfile(archive, self.releases / name)
        with self.sums.open("a") as sums:
            sums.write(f"{sha256(archive)}  {name}\n")

    def run(self, **inputs: str) -> Result:
        """Runs the steps of the action; the sum of the file of sums is its input, unless it is given."""
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        values = {name: item.get("default", "") for name, item in action["inputs"].items()}
        values["sha256"] = sha256(self.sums) if self.sums.exists() else ""
        for name, value in inputs.items():
            name = name.replace("_", "-")
            assert name in values, name
            values[name] = value
        result, steps = Result(), {}
        for step in action["runs"]["steps"]:
            condition = step.get("if", "${{ success() }}")
            if not eval(self.python(EXPRESSION.fullmatch(condition)[1], values, steps, result)):
                continue
            if "run" in step:
                steps[step["id"]] = self.run_step(step, values, steps, result)
            else:
                path = self.replace(step["with"]["path"], values, steps)
                found = [found for pattern in path.split() for found in self.workspace.glob(pattern)]
                result.uploaded = sorted(found.name for found in found)
        for name, item in action["outputs"].items():
            result.outputs[name] = self.replace(item["value"], values, steps)
        return result

    def run_step(self, step: dict, values: dict, steps: dict, result: Result) -> dict[str, str]:
        assert step["shell"] == "bash"
        files = {name: self.directory / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        temporary = self.directory / "temporary"
        temporary.mkdir(exist_ok=True)
        environment = {
            **self.environment,
            **{name: str(file) for name, file in files.items()},
            **{name: self.replace(value, values, steps) for name, value in step["env"].items()},
            "PATH": str(self.bin),
            "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(temporary),
            "AWS_CONFIG_RESOURCE_COUNT_RELEASES": self.releases.parent.as_uri(),
        }
        done = subprocess.run(
            [self.bin / "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        result.stdout += done.stdout
        result.status = result.status or done.returncode
        result.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        return dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())

    def value(self, name: str, values: dict, steps: dict) -> str:
        parts = name.split(".")
        if parts[0] == "inputs":
            return values[parts[1]]
        if parts[0] == "steps":
            return steps.get(parts[1], {}).get(parts[3], "")
        assert name == "github.token", name
        return "token"

    def replace(self, text: str, values: dict, steps: dict) -> str:
        return EXPRESSION.sub(lambda found: self.value(found[1], values, steps), text)

    def python(self, condition: str, values: dict, steps: dict, result: Result) -> str:
        """Translates a condition of a step."""
        condition = condition.replace("always()", "True").replace("success()", str(result.status == 0)).replace("&&", "and")
        return re.sub(r"(inputs|steps)\.[\w.-]+", lambda found: repr(self.value(found[0], values, steps)), condition)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def stem(target: str = TARGET) -> str:
    return f"aws-config-resource-count-{VERSION}-{target}"


class ActionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.shared.cleanup)
        cls.archive = Path(cls.shared.name) / "archive"
        cls.make_archive(cls.archive, f"{stem()}/aws-config-resource-count", PROGRAM)

    @staticmethod
    def make_archive(archive: Path, name: str, program: Path) -> None:
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(program, name)

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.runner = Runner(Path(directory.name))

    def published(self) -> Runner:
        self.runner.publish(self.archive)
        return self.runner

    def publish_script(self, script: str, target: str = TARGET) -> None:
        """Publishes a script in place of the program."""
        program, archive = self.runner.directory / "program", self.runner.directory / "archive"
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(0o755)
        self.make_archive(archive, f"{stem(target)}/aws-config-resource-count", program)
        self.runner.publish(archive, target)

    def assert_outputs(self, result: Result, complete: str, total: str, missing: str) -> None:
        self.assertEqual(result.outputs, {"complete": complete, "total": total, "missing": missing}, result.stdout)

    def assert_refused(self, result: Result, text: str) -> None:
        """Installing fails with a text, and nothing is counted."""
        self.assertEqual(result.status, 1, result.stdout)
        self.assertIn(f"::error title=aws-config-resource-count::{text}", result.stdout)
        self.assert_outputs(result, "", "", "")
        self.assertIsNone(result.uploaded)
        self.assertEqual(list(self.runner.workspace.glob("aws*")), [])


class CountTest(ActionTest):
    def test_complete_run(self) -> None:
        result = self.published().run(regions="us-east-1,eu-west-1", arguments="--demo")
        self.assertEqual(result.status, 0, result.stdout)
        self.assert_outputs(result, "true", "300", "0")
        self.assertIn("| true | 300 | 0 |\n\n    Summary\n      Regions scanned: 2", result.summary)
        self.assertEqual(result.uploaded, ["aws_config_resource_count_123456789012_acme-production.csv", "report.json"])

    def test_missing_counts(self) -> None:
        self.published()
        for strict, status in {"": 0, "false": 0, "true": 3, "missing": 3}.items():
            with self.subTest(strict=strict):
                result = self.runner.run(strict=strict, arguments="--demo")
                self.assertEqual(result.status, status, result.stdout)
                self.assert_outputs(result, "false", "459", "28")
                self.assertIn("    Incomplete: 28 counts are missing\n", result.summary)
                self.assertEqual(len(result.uploaded), 3)

    def test_stale_counts(self) -> None:
        self.published()
        for strict, status in {"missing": 0, "true": 3}.items():
            result = self.runner.run(regions="us-east-1,us-west-1", strict=strict, arguments="--demo")
            self.assertEqual(result.status, status, result.stdout)
            self.assertEqual((result.outputs["complete"], result.outputs["missing"]), ("false", "0"))

    def test_organization(self) -> None:
        arguments = f"--replay={ROOT}/fixtures/demo-organization\n\n--organization\n"
        result = self.published().run(arguments=arguments, strict="true", output_dir="out")
        self.assertEqual(result.status, 3, result.stdout)
        self.assert_outputs(result, "false", "97", "1")
        self.assertIn("    1 account without access", result.summary)
        self.assertIn("aws_config_combined_count_o-a1b2c3d4e5.csv", result.uploaded)

    def test_account_without_access_is_not_complete(self) -> None:
        arguments = f"--replay={ROOT}/fixtures/demo-organization\n--organization\n--exclude-accounts=100000000001"
        result = self.published().run(arguments=arguments)
        self.assert_outputs(result, "false", "32", "0")

    def test_failed_run_is_not_complete(self) -> None:
        """All counts are known, but the CSV could not be written, for example because the disk is full."""
        report = '{"exit_code": 1, "cells": {"total": 10, "known": 10, "missing": 0}, "totals": {"iam_once": 5}}'
        self.publish_script(f"[[ $2 == --report=* ]] || exit 0\necho '{report}' >\"${{2#--report=}}\"\nexit 1")
        result = self.runner.run(output_dir=".")
        self.assertEqual(result.status, 1, result.stdout)
        self.assert_outputs(result, "false", "5", "0")

    def test_no_count_is_not_zero(self) -> None:
        result = self.published().run(regions="ap-northeast-2", arguments="--demo")
        self.assertEqual(result.status, 1, result.stdout)
        self.assert_outputs(result, "false", "", "10")

    def test_earlier_report_is_not_used(self) -> None:
        runner = self.published()
        self.assertEqual(runner.run(arguments="--demo").status, 0)
        result = runner.run(arguments="--demo\n--no-such-option")
        self.assertEqual(result.status, 2, result.stdout)
        self.assert_outputs(result, "false", "", "")

    def test_resource_types_and_artifact(self) -> None:
        result = self.published().run(resource_types="AWS::S3::Bucket", regions="us-east-1", arguments="--demo", artifact="")
        self.assert_outputs(result, "true", "14", "0")
        self.assertIsNone(result.uploaded)

    def test_other_files_are_not_uploaded(self) -> None:
        runner = self.published()
        (runner.workspace / "secret").write_text("")
        result = runner.run(regions="us-east-1", arguments="--demo", output_dir=".")
        self.assertEqual(len(result.uploaded), 2)

    def test_hostile_inputs_are_not_executed(self) -> None:
        self.publish_script('for argument; do echo "<$argument>"; done')
        options = {"regions": "--regions=", "resource_types": "--resource-types=", "output_dir": "--output-dir=", "arguments": ""}
        for name in (*options, "version", "sha256", "strict"):
            for value in HOSTILE:
                with self.subTest(name=name, value=value):
                    result = self.runner.run(**{name: value})
                    self.assertFalse(self.pwned(), result.stdout)
                    self.assertEqual(result.outputs["total"], "")
                    if name in options:
                        value = value.replace("\n", ">\n<") if name == "arguments" else value
                        self.assertIn(f"<{options[name]}{value}>\n", result.stdout)
                    else:
                        self.assertIn("::error title=", result.stdout)

    def pwned(self) -> bool:
        return any(path.name == "pwned" for path in self.runner.directory.rglob("pwned"))

    def test_output_is_no_workflow_command(self) -> None:
        self.publish_script("echo ::add-mask::a")
        tokens = set()
        for _ in range(2):
            # The first line is the version.
            stdout = self.runner.run().stdout
            found = re.fullmatch(r"::add-mask::a\n::stop-commands::([0-9a-f]{32})\n::add-mask::a\n::\1::\n", stdout)
            self.assertIsNotNone(found, stdout)
            tokens.add(found[1])
        self.assertEqual(len(tokens), 2)

    def test_long_summary_is_cut(self) -> None:
        self.publish_script("echo Summary\nfor ((i = 0; i < 20000; i++)); do printf '%080d\\n' 1; done")
        result = self.runner.run()
        self.assertEqual(result.status, 0)
        self.assertTrue(400_000 < len(result.summary) < 1_000_000)


class InstallTest(ActionTest):
    def test_archive_with_another_sum_is_refused(self) -> None:
        self.published()
        with (self.runner.releases / f"{stem()}.tar.gz").open("ab") as archive:
            archive.write(b"\0")
        self.assert_refused(self.runner.run(), f"the SHA-256 sum of {stem()}.tar.gz is not the one in")

    def test_sums_with_another_sum_are_refused(self) -> None:
        for sum in ("0" * 64, sha256(self.archive), "x"):
            result = self.published().run(sha256=sum)
            self.assert_refused(result, f"the SHA-256 sum of {self.runner.sums.name} is not the input sha256")

    def test_archive_without_a_sum_is_refused(self) -> None:
        self.published()
        self.runner.sums.write_text(f"{'0' * 64}  other.tar.gz\n")
        self.assert_refused(self.runner.run(), f"the SHA-256 sum of {stem()}.tar.gz is not the one in")

    def test_missing_release_is_refused(self) -> None:
        self.assert_refused(self.runner.run(), f"{self.runner.sums.name} of version {VERSION} could not be downloaded")
        self.assert_refused(self.published().run(version="9.9.9"), "aws-config-resource-count-9.9.9-SHA256SUMS of version 9.9.9 could not")

    def test_attestation_is_verified_without_a_sum(self) -> None:
        self.published()
        gh = self.runner.bin / "gh"
        gh.write_text(GH)
        gh.chmod(0o755)
        self.runner.environment["GH_STATUS"] = "1"
        self.assert_refused(self.runner.run(sha256=""), f"the attestation of {self.runner.sums.name} could not be verified")
        self.runner.environment["GH_STATUS"] = "0"
        result = self.runner.run(sha256="", regions="us-east-1", arguments="--demo")
        self.assertEqual(result.status, 0, result.stdout)
        arguments = next(self.runner.directory.rglob("gh-arguments")).read_text().split()
        self.assertEqual(arguments[:3], ["attestation", "verify", self.runner.sums.name])
        self.assertIn(f"refs/tags/v{VERSION}", arguments)
        self.assertIn(f"{REPOSITORY}/.github/workflows/release.yml", arguments)

    def test_attestation_without_gh_is_refused(self) -> None:
        self.assert_refused(self.published().run(sha256=""), "the runner has no gh to verify the attestation; set the input sha256")

    def test_other_layout_is_refused(self) -> None:
        link = self.runner.directory / "link"
        link.symlink_to("/bin/sh")
        layouts = {
            "aws-config-resource-count": PROGRAM,
            "aws-config-resource-count-0.0.1/aws-config-resource-count": PROGRAM,
            f"{stem()}/bin/aws-config-resource-count": PROGRAM,
            f"{stem()}/aws-config-resource-count": link,
        }
        for name, program in layouts.items():
            with self.subTest(name=name):
                archive = self.archive.with_name("layout")
                self.make_archive(archive, name, program)
                self.runner.sums.unlink(missing_ok=True)
                self.runner.publish(archive)
                self.assert_refused(self.runner.run(), f"{stem()}.tar.gz does not contain {stem()}/aws-config-resource-count")

    def test_each_runner_gets_its_archive(self) -> None:
        targets = {
            ("Linux", "X64"): "x86_64-unknown-linux-musl",
            ("Linux", "ARM64"): "aarch64-unknown-linux-musl",
            ("macOS", "X64"): "x86_64-apple-darwin",
            ("macOS", "ARM64"): "aarch64-apple-darwin",
        }
        for (system, processor), target in targets.items():
            self.publish_script(f"echo this is {target}", target)
            self.runner.environment |= {"RUNNER_OS": system, "RUNNER_ARCH": processor}
            self.assertIn(f"this is {target}\n", self.runner.run(version=f"v{VERSION}").stdout)
        self.runner.environment |= {"RUNNER_OS": "Windows"}
        self.assert_refused(self.runner.run(), "there is no binary for this runner (Windows ARM64)")

    def test_shasum_replaces_sha256sum(self) -> None:
        (self.runner.bin / "sha256sum").unlink()
        (self.runner.bin / "shasum").symlink_to(shutil.which("shasum"))
        (self.runner.bin / "perl").symlink_to(shutil.which("perl"))
        self.assertEqual(self.published().run(regions="us-east-1", arguments="--demo").status, 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
