"""Runs the files in examples/ as their systems do, as far as that is possible without AWS.

The variable PROGRAM names the program. In every test, the command aws-config-resource-count counts the made-up account
of --demo, whose missing counts cause exit code 3, and /usr/local/bin, /srv and /var/lib are in a temporary directory.
"""

import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

import botocore.session
import botocore.validate
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
COUNTS = "aws_config_resource_count_123456789012_acme-production.csv"
EXPECTED = (ROOT / "fixtures/demo/expected.csv").read_bytes()
ACCEPTED = "--accept-missing=ap-northeast-2,eu-south-1,sa-east-1"
DAY = r"20\d\d-\d\d-\d\d"
VERSION = "0.2.0"
UNITS = "aws-config-resource-count.service", "aws-config-resource-count.timer"
# The greatest accepted exposure of the service, of 10.
EXPOSURE = 2.0


class Example(unittest.TestCase):
    """A temporary directory with the program and the scripts, and a home directory."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        self.tools, self.home = self.directory / "tools", self.directory / "home"
        for made in (self.tools, self.home):
            made.mkdir()
        self.add_tool("aws-config-resource-count", f'exec {shlex.quote(os.environ["PROGRAM"])} --demo "$@"')
        shutil.copy(EXAMPLES / "count-daily.sh", self.tools)

    def add_tool(self, name: str, script: str) -> None:
        tool = self.tools / name
        tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        tool.chmod(0o755)

    def local(self, text: str) -> str:
        """Returns a text of an example with the directories of the test."""
        text = text.replace("/usr/local/bin", str(self.tools))
        return re.sub("/(srv|var/lib)/", f"{self.directory}/", text)

    def run_command(self, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a command with only these variables, and HOME and PATH."""
        environment = {"HOME": str(self.home), "PATH": f"{self.tools}:/usr/bin:/bin"} | variables
        return subprocess.run(
            command,
            cwd=self.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def assert_counted(self, root: Path, name: str) -> Path:
        """Asserts that `root` has one directory of a run, with such a name and the counts, and returns it."""
        directories = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
        self.assertEqual(len(directories), 1, directories)
        self.assertRegex(directories[0].name, rf"\A{name}\Z")
        self.assertEqual((directories[0] / COUNTS).read_bytes(), EXPECTED)
        return directories[0]


class DailyTest(Example):
    """count-daily.sh."""

    def count(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.run_command(["count-daily.sh", str(self.directory / "counts"), *options], **variables)

    def test_missing_counts_are_printed(self) -> None:
        run = self.count()
        self.assertEqual((run.returncode, run.stdout), (3, ""))
        self.assertTrue(run.stderr.endswith("Exit code 3: 28 counts missing (--strict=missing)\n"), run.stderr)
        day = self.assert_counted(self.directory / "counts", DAY)
        self.assertEqual((self.directory / "counts/latest").resolve(), day.resolve())
        report = json.loads((day / "report.json").read_text(encoding="utf-8"))
        self.assertEqual((report["exit_code"], report["cells"]["missing"]), (3, 28))

    def test_accepted_gaps_print_nothing(self) -> None:
        run = self.count(ACCEPTED)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
        self.assert_counted(self.directory / "counts", DAY)

    def test_old_days_are_removed_after_success(self) -> None:
        for name, age in {"2024-01-01": 401, "2024-02-01": 399, "other": 500, "2024-01": 500}.items():
            made = self.directory / "counts" / name
            made.mkdir(parents=True)
            (made / COUNTS).write_bytes(b"old")
            changed = time.time() - (age + 0.5) * 86400
            os.utime(made, (changed, changed))
        names = lambda: {path.name for path in (self.directory / "counts").iterdir()} - {time.strftime("%Y-%m-%d", time.gmtime())}
        everything = names()
        failed = self.count("--regions", "moon")
        self.assertEqual(failed.returncode, 2, failed.stderr)
        self.assertIn("moon", failed.stderr)
        self.assertEqual(names(), everything)
        self.assertEqual(self.count(ACCEPTED).returncode, 0)
        self.assertEqual(names(), everything - {"2024-01-01"} | {"latest"})
        self.assertEqual(self.count(ACCEPTED, KEEP_DAYS="300").returncode, 0)
        self.assertEqual(names(), {"other", "2024-01", "latest"})

    def test_organization_has_a_directory_for_each_day(self) -> None:
        replay = f"--replay {shlex.quote(str(ROOT / 'fixtures/demo-organization'))}"
        self.add_tool("aws-config-resource-count", f'exec {shlex.quote(os.environ["PROGRAM"])} {replay} "$@"')
        run = self.count("--organization")
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertTrue(run.stderr.endswith("2 accounts not counted, 1 count missing (--strict=missing)\n"), run.stderr)
        latest = self.directory / "counts/latest"
        report = json.loads((latest / "report.json").read_text(encoding="utf-8"))
        self.assertEqual((report["totals"]["is_complete"], report["cells"]["missing"]), (False, 1))
        self.assertEqual(len(list(latest.glob("aws_config_combined_coverage_o-*.csv"))), 1)

    def test_missing_directory_is_an_error(self) -> None:
        run = self.run_command(["count-daily.sh"])
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("the directory for the results is missing", run.stderr)


class CronTest(Example):
    """The crontab."""

    def test_lines_run_with_environment_of_cron(self) -> None:
        variables, jobs = {}, []
        for line in self.local((EXAMPLES / "crontab").read_text(encoding="utf-8")).splitlines():
            if assignment := re.fullmatch(r"([A-Z_]+)=(.*)", line):
                variables[assignment[1]] = assignment[2]
            elif line and not line.startswith("#"):
                jobs.append(line)
        self.assertEqual(len(jobs), 2, jobs)
        for job in jobs:
            schedule = re.fullmatch(r"((?:(?:\d+|\*) ){5})(.+)", job)
            self.assertIsNotNone(schedule, job)
            # cron ends a command at the first percent sign without a backslash.
            self.assertIsNone(re.search(r"(?<!\\)%", schedule[2]), job)
            command = schedule[2].replace("\\%", "%")
            run = self.run_command(["/bin/sh", "-c", command], SHELL="/bin/sh", LOGNAME="inventory", **variables)
            self.assertEqual((run.returncode, run.stdout), (3, ""), run.stderr)
            self.assertIn("28 counts missing", run.stderr)
        self.assert_counted(self.directory / "inventory", DAY)
        self.assert_counted(self.directory / "inventory-monthly", r"20\d\d-\d\d")


class SystemdTest(Example):
    """The service and the timer."""

    def setUp(self) -> None:
        super().setUp()
        for unit in UNITS:
            text = (EXAMPLES / "systemd" / unit).read_text(encoding="utf-8")
            (self.directory / unit).write_text(self.local(text), encoding="utf-8")
        self.service = (self.directory / UNITS[0]).read_text(encoding="utf-8")

    def verify(self) -> str:
        """Returns the findings; unknown settings do not change the exit code."""
        run = self.run_command(["systemd-analyze", "verify", "--man=no", *(str(self.directory / unit) for unit in UNITS)])
        return run.stdout + run.stderr

    def test_units_have_no_findings(self) -> None:
        self.assertEqual(self.verify(), "")

    def test_invalid_setting_is_found(self) -> None:
        (self.directory / UNITS[0]).write_text(self.service.replace("ProtectHome=", "ProtectHomes="), encoding="utf-8")
        self.assertIn("ProtectHomes", self.verify())

    def test_service_is_hardened(self) -> None:
        run = self.run_command(["systemd-analyze", "security", "--offline=yes", str(self.directory / UNITS[0])])
        exposure = re.search(r"Overall exposure level for .*: (\d+\.\d) ", run.stdout)
        self.assertIsNotNone(exposure, run.stdout + run.stderr)
        self.assertLessEqual(float(exposure[1]), EXPOSURE)

    def test_calendar_is_daily(self) -> None:
        timer = (self.directory / UNITS[1]).read_text(encoding="utf-8")
        calendar = re.search(r"^OnCalendar=(.*)$", timer, re.MULTILINE)[1]
        run = self.run_command(["systemd-analyze", "calendar", "--iterations=2", calendar], TZ="UTC")
        times = re.findall(r"\d{4}-\d\d-(\d\d) 05:00:00 UTC", run.stdout)
        self.assertEqual(len(set(times)), 2, run.stdout + run.stderr)

    def test_command_counts(self) -> None:
        command = re.search(r"^ExecStart=(.*)$", self.service, re.MULTILINE)[1]
        run = self.run_command(shlex.split(command))
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assert_counted(self.directory / "aws-config-resource-count", DAY)


class GitHubTest(Example):
    """The workflow and the trust policy of its role."""

    def setUp(self) -> None:
        super().setUp()
        workflow = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text(encoding="utf-8"))
        self.steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        self.action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        self.count = next(step for step in self.steps if step.get("id") == "count")

    def test_inputs_and_outputs_exist(self) -> None:
        self.assertLessEqual(self.count["with"].keys(), self.action["inputs"].keys())
        used = set(re.findall(r"steps\.count\.outputs\.(\w+)", json.dumps(self.steps)))
        self.assertTrue(used)
        self.assertLessEqual(used, self.action["outputs"].keys())

    def test_actions_are_pinned(self) -> None:
        uses = [step["uses"] for step in self.steps if "uses" in step]
        self.assertEqual(len(uses), 2)
        for action in uses:
            self.assertRegex(action, r"\A[\w/-]+@[0-9a-f]{40}\Z")

    def test_arguments_are_accepted(self) -> None:
        arguments = self.count["with"]["arguments"].split()
        run = self.run_command(["aws-config-resource-count", f"--strict={self.count['with']['strict']}", *arguments])
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual((self.home / COUNTS).read_bytes(), EXPECTED)

    def test_warning_has_counts(self) -> None:
        script = next(step["run"] for step in self.steps if "run" in step)
        for total, missing, expected in (("459", "28", "28 counts are missing; at least 459 resources"), ("", "", "all counts are missing; at least 0 resources")):
            run = self.run_command(["bash", "-e", "-c", script], TOTAL=total, MISSING=missing)
            self.assertEqual((run.returncode, run.stdout), (0, f"::warning::{expected}\n"))

    def test_role_trusts_one_branch(self) -> None:
        policy = json.loads((EXAMPLES / "github-trust-policy.json").read_text(encoding="utf-8"))
        (statement,) = policy["Statement"]
        self.assertEqual(statement["Action"], "sts:AssumeRoleWithWebIdentity")
        subjects = [value for key, value in statement["Condition"]["StringEquals"].items() if key.endswith(":sub")]
        self.assertRegex(subjects[0], r"\Arepo:[\w-]+/[\w-]+:ref:refs/heads/\w+\Z")


class ReleaseTest(Example):
    """Examples that download a release: a directory of releases whose program is the stand-in."""

    def setUp(self) -> None:
        super().setUp()
        stem = f"aws-config-resource-count-{VERSION}-{platform.machine()}-unknown-linux-musl"
        self.releases = self.directory / "releases"
        release = self.releases / f"v{VERSION}"
        release.mkdir(parents=True)
        self.archive = release / f"{stem}.tar.gz"
        with tarfile.open(self.archive, "w:gz") as archive:
            archive.add(self.tools / "aws-config-resource-count", f"{stem}/aws-config-resource-count")
        self.sum = hashlib.sha256(self.archive.read_bytes()).hexdigest()
        sums = release / f"aws-config-resource-count-{VERSION}-SHA256SUMS"
        sums.write_text(f"{'0' * 64}  another.tar.gz\n{self.sum}  {self.archive.name}\n", encoding="utf-8")
        # The program of the archive is the only one.
        (self.tools / "aws-config-resource-count").unlink()


class CodeBuildTest(ReleaseTest):
    """The buildspec, with a stand-in for the AWS CLI that copies into the directory bucket."""

    def build(self, **overrides: str) -> subprocess.CompletedProcess[str]:
        """Runs the phases in one shell, as version 0.2 does; `finally` runs after a failure too."""
        spec = yaml.safe_load((EXAMPLES / "buildspec.yml").read_text(encoding="utf-8"))
        self.assertEqual(spec["version"], 0.2)
        self.assertEqual(list(spec["phases"]), ["install", "build"])
        bucket = self.directory / "bucket"
        self.add_tool("aws", f'test "$1 $2 $3" = "s3 cp --recursive" && mkdir -p {bucket} && cp -R "$4" "{bucket}/$(basename "$5")"')
        install, build = (spec["phases"][name] for name in ("install", "build"))
        lines = ["set -e", *install["commands"], "trap 'status=$?; set -e; " + "; ".join(build["finally"]) + "; exit $status' EXIT", *build["commands"]]
        variables = {name: str(value) for name, value in spec["env"]["variables"].items()}
        variables |= {"RELEASES": f"file://{self.releases}", "VERSION": VERSION} | overrides
        return self.run_command([spec["env"]["shell"], "-c", "\n".join(lines)], **variables)

    def test_files_are_copied_before_failure(self) -> None:
        run = self.build(SHA256=self.sum)
        self.assertEqual(run.returncode, 3, run.stderr)
        copied = self.assert_counted(self.directory / "bucket", DAY)
        self.assertTrue((copied / "report.json").exists())

    def test_wrong_sum_ends_build(self) -> None:
        run = self.build()
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("FAILED", run.stdout)
        self.assertFalse((self.home / "program").exists())


class CloudShellTest(ReleaseTest):
    """The script for CloudShell."""

    def count(self, *options: str) -> subprocess.CompletedProcess[str]:
        releases = {"AWS_CONFIG_RESOURCE_COUNT_RELEASES": f"file://{self.releases}"}
        return self.run_command(["bash", str(EXAMPLES / "cloudshell.sh"), VERSION, *options], **releases)

    def test_second_run_needs_no_download(self) -> None:
        run = self.count("--strict")
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assert_counted(self.home / "inventory", DAY)
        self.assertTrue(run.stdout.endswith(f"{self.home}/inventory.tar.gz\n"), run.stdout)
        with tarfile.open(self.home / "inventory.tar.gz") as archive:
            names = archive.getnames()
        self.assertIn(COUNTS, [Path(name).name for name in names])
        shutil.rmtree(self.releases)
        self.assertEqual(self.count().returncode, 0)

    def test_changed_archive_is_refused(self) -> None:
        with self.archive.open("ab") as archive:
            archive.write(b"changed")
        run = self.count()
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("FAILED", run.stdout)
        self.assertEqual([path.suffix for path in self.home.iterdir() if path.is_dir()], [])


class EcsTest(Example):
    """The task definition and the schedule."""

    def setUp(self) -> None:
        super().setUp()
        self.definition, self.schedule = (json.loads((EXAMPLES / "ecs" / name).read_text(encoding="utf-8")) for name in ("task-definition.json", "schedule.json"))
        (self.container,) = self.definition["containerDefinitions"]
        self.override = json.loads(self.schedule["Target"]["Input"])

    def findings(self, service: str, operation: str, parameters: dict[str, object]) -> str:
        """Returns the differences of the parameters from the model of the API."""
        model = botocore.session.get_session().get_service_model(service)
        shape = model.operation_model(operation).input_shape
        return botocore.validate.ParamValidator().validate(parameters, shape).generate_report()

    def test_files_match_model_of_api(self) -> None:
        self.assertEqual(self.findings("ecs", "RegisterTaskDefinition", self.definition), "")
        token = {"ClientToken": "example"}
        self.assertEqual(self.findings("scheduler", "CreateSchedule", self.schedule | token), "")
        task = {"taskDefinition": self.definition["family"], "overrides": self.override}
        self.assertEqual(self.findings("ecs", "RunTask", task), "")

    def test_unknown_member_is_found(self) -> None:
        self.container["entrypoint"] = self.container.pop("command")
        self.assertIn('"entrypoint"', self.findings("ecs", "RegisterTaskDefinition", self.definition))

    def test_container_is_that_of_image(self) -> None:
        containerfile = (ROOT / "Containerfile").read_text(encoding="utf-8")
        self.assertIn(f"\nUSER {self.container['user']}\n", containerfile)
        (mount,) = self.container["mountPoints"]
        self.assertIn(f"\nWORKDIR {mount['containerPath']}\n", containerfile)
        self.assertEqual([volume["name"] for volume in self.definition["volumes"]], [mount["sourceVolume"]])

    def test_commands_count(self) -> None:
        (override,) = self.override["containerOverrides"]
        self.assertEqual(override["name"], self.container["name"])
        scheduled = [argument.replace("<aws.scheduler.scheduled-time>", "2026-11-26T05:00:00Z") for argument in override["command"]]
        for command, directory in ((self.container["command"], self.home), (scheduled, self.home / "2026-11-26T05:00:00Z")):
            run = self.run_command(["aws-config-resource-count", *command])
            self.assertEqual(run.returncode, 3, run.stderr)
            self.assertEqual((directory / COUNTS).read_bytes(), EXPECTED)
            self.assertTrue((directory / "report.json").exists())


if __name__ == "__main__":
    unittest.main()
