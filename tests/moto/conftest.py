"""Fixtures: the emulator, its accounts and the program."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import Scanned, big_account, small_account
from emulator import Account, Emulator
from program import Program, Runner

BINARY = "AWS_CONFIG_RESOURCE_COUNT_BIN"


def pytest_configure() -> None:
    path = os.environ.get(BINARY, "")
    if not (Path(path).is_file() and os.access(path, os.X_OK)):
        raise pytest.UsageError(
            f"{BINARY} must be the path of the built program, not {path or 'empty'}"
        )
    unset_aws_variables()


def unset_aws_variables() -> None:
    """Hides the caller's AWS settings from boto3 and from the server."""
    for name in list(os.environ):
        if name.startswith("AWS_") and name != BINARY:
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.devnull
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fails the session if a test was skipped or if no test ran."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not reporter or exitstatus != pytest.ExitCode.OK:
        return
    if session.config.option.collectonly:
        return
    stats = reporter.stats
    if stats.get("skipped") or stats.get("xfailed") or not stats.get("passed"):
        reporter.write_line("failed: a test was skipped, or no test ran")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running
    assert running.server_errors() == []


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    binary = Path(os.environ[BINARY]).resolve()
    return Program(binary, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def new_account(emulator: Emulator) -> Callable[[], Account]:
    """Creates accounts, each with its own account ID."""
    numbers = itertools.count(700000000001)
    return lambda: emulator.open_account(str(next(numbers)))


@pytest.fixture(scope="session")
def big(emulator: Emulator) -> Scanned:
    return big_account(emulator)


@pytest.fixture(scope="session")
def small(emulator: Emulator) -> Scanned:
    return small_account(emulator)


@pytest.fixture
def runner(program: Program, emulator: Emulator, tmp_path: Path) -> Runner:
    return Runner(program, emulator, tmp_path)
