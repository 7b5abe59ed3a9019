"""Runs the program under test and reads its output."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import Account, Credentials, Emulator

TIMEOUT_SECONDS = 60
COLUMNS = ["account", "alias", "region", "resource_type", "total"]
STEM = "aws_config_resource_count"
COVERAGE_STEM = "aws_config_coverage"

COVERAGE_COLUMNS = [*COLUMNS[:-1], "status", "class", "total", "since", "detail"]

BUCKET = "AWS::S3::Bucket"
ROLE = "AWS::IAM::Role"
USER = "AWS::IAM::User"
POLICY = "AWS::IAM::Policy"
TOPIC = "AWS::SNS::Topic"

# The default resource types.
COMMON_TYPES = [
    "AWS::EC2::Instance",
    "AWS::EC2::Volume",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPC",
    BUCKET,
    "AWS::RDS::DBInstance",
    "AWS::Lambda::Function",
    ROLE,
    USER,
    "AWS::DynamoDB::Table",
]

LIST = "config:ListDiscoveredResources"
COUNTS = "config:GetDiscoveredResourceCounts"
STATUS = "config:DescribeConfigurationRecorderStatus"
RECORDERS = "config:DescribeConfigurationRecorders"
REGIONS = "ec2:DescribeRegions"
ALIASES = "iam:ListAccountAliases"

# Permissions of a run without options; sts:GetCallerIdentity needs no permission.
ACTIONS = [STATUS, RECORDERS, LIST, REGIONS, ALIASES]

# The eight checks in order; each report line starts with a mark and one of these.
CHECKS = [
    "HTTPS client",
    "Thread pool",
    "AWS credentials",
    "IAM permission: sts:GetCallerIdentity",
    f"IAM permission: {ALIASES}",
    f"IAM permission: {REGIONS}",
    f"IAM permission: {LIST}",
    "AWS Config enabled",
]


@dataclass(frozen=True)
class Row:
    """A row of the CSV."""

    account: str
    alias: str
    region: str
    resource_type: str
    total: int


@dataclass(frozen=True)
class Cell:
    """A row of the coverage file."""

    region: str
    resource_type: str
    status: str
    category: str
    total: int | None
    since: str
    detail: str

    @property
    def known(self) -> tuple[str, int | None]:
        return self.status, self.total


@dataclass(frozen=True)
class Run:
    """The result of a run of the program."""

    exit_code: int
    stdout: str
    stderr: str
    directory: Path

    @property
    def output(self) -> str:
        """Everything that was printed, for the message of a failed assertion."""
        return f"exit {self.exit_code}\n{self.stdout}\n{self.stderr}"

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    @property
    def csv_names(self) -> list[str]:
        """The files with counts."""
        names = [name for name in self.files if name.endswith(".csv")]
        return [name for name in names if name.startswith(f"{STEM}_")]

    @property
    def csv_bytes(self) -> bytes:
        [name] = self.csv_names
        return (self.directory / name).read_bytes()

    @property
    def coverage_bytes(self) -> bytes:
        [name] = [name for name in self.files if name.startswith(COVERAGE_STEM)]
        return (self.directory / name).read_bytes()

    @property
    def cells(self) -> list[Cell]:
        rows = table(self.coverage_bytes, COVERAGE_COLUMNS)
        return [
            Cell(
                region=row["region"],
                resource_type=row["resource_type"],
                status=row["status"],
                category=row["class"],
                total=int(row["total"]) if row["total"] else None,
                since=row["since"],
                detail=row["detail"],
            )
            for row in rows
        ]

    @property
    def report(self) -> Any:
        """The report, from the file `report.json`."""
        return json.loads((self.directory / "report.json").read_text())

    @property
    def rows(self) -> list[Row]:
        return [
            Row(
                account=row["account"],
                alias=row["alias"],
                region=row["region"],
                resource_type=row["resource_type"],
                total=int(row["total"]),
            )
            for row in table(self.csv_bytes, COLUMNS)
        ]

    @property
    def log(self) -> list[str]:
        """The lines of the error log, without timestamps."""
        names = [name for name in self.files if name.endswith("_errors.txt")]
        assert len(names) <= 1, names
        text = (self.directory / names[0]).read_text() if names else ""
        return without_timestamps(text)

    @property
    def errors(self) -> list[str]:
        """The log lines on stderr, without timestamps."""
        lines = [line for line in self.stderr.splitlines() if is_log_line(line)]
        return without_timestamps("\n".join(lines))

    @property
    def checks(self) -> str:
        """The marks of the eight checks, such as ✓✓✓✓✓✗✓✓."""
        return self.marks(LIST)

    def marks(self, counting: str) -> str:
        """The marks of the eight checks of a run that counts with these actions."""
        lines = [line for line in self.stdout.splitlines() if line[:2] in ("✓ ", "✗ ")]
        assert len(lines) == len(CHECKS), self.output
        for line, check in zip(lines, CHECKS):
            assert line[2:].startswith(check.replace(LIST, counting)), self.output
        return "".join(line[0] for line in lines)

    def failure(self, check: str) -> str:
        """The line of a check in the list of failures."""
        failures = self.stdout.partition("PREREQUISITE FAILURES:\n")[2]
        lines = [line for line in failures.splitlines() if f"- {check}" in line]
        assert len(lines) == 1, self.output
        return lines[0]

    def summary(self, figure: str) -> int:
        """A figure of the summary."""
        pattern = rf"^ *{figure}: (?:at least )?([\d,]+)"
        found = re.search(pattern, self.stdout, re.MULTILINE)
        assert found, self.output
        return int(found[1].replace(",", ""))

    def requests(self, action: str, region: str) -> int:
        """The number of requests in the output of --debug."""
        pattern = rf" {action} {region} (?:AWS::\S+ )?(?:page \d+ )?attempt \d+ of \d+: (?!waits)"
        return len(re.findall(pattern, self.stderr))


# Without other credentials the program calls the instance metadata service, and the
# tests may run on an EC2 instance with a role. Only tests with their own service enable
# it.
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Program:
    """The binary and an empty home directory."""

    binary: Path
    home: Path

    def run(self, directory: Path, variables: Mapping[str, str], *options: str) -> Run:
        """Runs in `directory` with only these environment variables and HOME.

        The instance metadata service is disabled unless `variables` enables it.
        """
        directory.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [self.binary, *options],
            cwd=directory,
            env={"HOME": str(self.home), **NO_METADATA, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return Run(done.returncode, out, err, directory)

    def scan(
        self,
        emulator: Emulator,
        directory: Path,
        credentials: Credentials,
        *options: str,
    ) -> Run:
        """Runs against the emulator; `credentials` must not appear in the output."""
        variables = {**credentials.variables(), "AWS_ENDPOINT_URL": emulator.url}
        run = self.run(directory, variables, *options)
        assert_no_secret(run, credentials)
        return run


@dataclass(frozen=True)
class Runner:
    """Runs the program against the emulator, in the directory of the test."""

    program: Program
    emulator: Emulator
    directory: Path

    def __call__(self, credentials: Credentials, *options: str) -> Run:
        return self.program.scan(self.emulator, self.directory, credentials, *options)

    def into(self, name: str) -> Runner:
        """A runner in a subdirectory, without files of other runs."""
        return Runner(self.program, self.emulator, self.directory / name)


def assert_no_secret(run: Run, credentials: Credentials) -> None:
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    texts = [run.stdout, run.stderr, *(path.read_text() for path in files)]
    for secret in credentials.secrets:
        assert not any(secret in text for text in texts), "a secret was written"


def expected_rows(
    account: Account, alias: str, totals: Mapping[tuple[str, str], int]
) -> list[Row]:
    """Sorted rows without zeros for totals by region and type."""
    return [
        Row(account.id, alias, region, resource_type, total)
        for (region, resource_type), total in sorted(totals.items())
        if total > 0
    ]


def table(text: bytes, columns: list[str]) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text.decode(), newline=""))
    assert reader.fieldnames == columns
    return list(reader)


def is_log_line(line: str) -> bool:
    return re.match(r"\[\d{4}-\d\d-\d\dT[\d:.]+Z\] \[[A-Z_]+\] ", line) is not None


def without_timestamps(text: str) -> list[str]:
    lines = text.splitlines()
    assert all(is_log_line(line) for line in lines), text
    return [line.partition("] ")[2] for line in lines]
