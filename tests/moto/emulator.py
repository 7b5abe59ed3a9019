"""moto's server with IAM authentication enabled, and its accounts."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

START_ATTEMPTS = 3
START_SECONDS = 30
STOP_SECONDS = 5

# Creating an administrator takes three actions: user, policy, access key.
ADMINISTRATOR_ACTIONS = 3

# The recording group with all resource types.
EVERYTHING = {"allSupported": True, "includeGlobalResourceTypes": True}


@dataclass(frozen=True)
class Credentials:
    """Credentials that sign requests."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    @property
    def secrets(self) -> list[str]:
        """The values that must not appear in any output."""
        return [s for s in (self.secret_access_key, self.session_token) if s]

    def variables(self) -> dict[str, str]:
        """The environment variables with these credentials."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }
        if self.session_token:
            variables["AWS_SESSION_TOKEN"] = self.session_token
        return variables


class Emulator:
    """A process of server.py, stopped at the end of the `with` block."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "moto_server.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Emulator:
        # Another process can take the port before the server uses it.
        for _ in range(START_ATTEMPTS):
            self.start()
            try:
                if self.is_ready():
                    return self
            except BaseException:
                self.stop()
                raise
            self.stop()
        raise RuntimeError(f"moto_server did not start:\n{self.log.read_text()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self.port = free_port()
        env = {
            "PATH": os.environ.get("PATH", ""),
            # Every action needs a signature; see `allow_unsigned`.
            "INITIAL_NO_AUTH_ACTION_COUNT": "0",
            # Otherwise the first EC2 request in each account takes 0.2 s.
            "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
            # moto uses boto3, which must not read the caller's files.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        server = [sys.executable, str(Path(__file__).parent / "server.py")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*server, "-H", "127.0.0.1", "-p", str(self.port)],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def is_ready(self) -> bool:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process and self.process.poll() is None:
            try:
                self.allow_unsigned(0)
                return True
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        return False

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def server_errors(self) -> list[str]:
        """The log lines of requests with a 5xx response."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if re.search(r'" 5\d\d -$', line)]

    def allow_unsigned(self, actions: int) -> None:
        """Disables authentication and authorization for the next `actions` actions."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/moto-api/reset-auth", str(actions))
            status = connection.getresponse().status
            if status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"reset-auth: HTTP {status}")
        finally:
            connection.close()

    def assumed_roles(self) -> list[Credentials]:
        """The temporary credentials of all assumed roles."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/moto-api/data.json")
            data = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return [
            Credentials(
                made["access_key_id"], made["secret_access_key"], made["session_token"]
            )
            for made in data.get("sts", {}).get("AssumedRole", [])
        ]

    def open_account(self, account_id: str) -> Account:
        """Creates an account with an administrator, who signs all later requests."""
        self.allow_unsigned(ADMINISTRATOR_ACTIONS)
        unused = Credentials("AKIAIOSFODNN7EXAMPLE", "none")
        iam = self.client("iam", unused)

        def into_account(params: dict[str, Any], **_: object) -> None:
            params["headers"]["x-moto-account-id"] = account_id

        iam.meta.events.register("before-call.iam", into_account)
        credentials = create_user(iam, "administrator", policy(allow("*")))
        return Account(self, account_id, credentials)

    def client(
        self, service: str, credentials: Credentials, region: str = "us-east-1"
    ) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )


class Account:
    """An account of the emulator, used by its administrator."""

    def __init__(
        self, emulator: Emulator, account_id: str, credentials: Credentials
    ) -> None:
        self.emulator = emulator
        self.id = account_id
        self.credentials = credentials
        self.names = 0
        self.clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """The administrator's client, cached because creating one is slow."""
        if (service, region) not in self.clients:
            made = self.emulator.client(service, self.credentials, region)
            self.clients[service, region] = made
        return self.clients[service, region]

    @property
    def iam(self) -> Any:
        return self.client("iam")

    @cached_property
    def regions(self) -> list[str]:
        """The regions that DescribeRegions returns.

        moto returns the regions of all partitions, enabled or not. AWS returns the
        enabled regions of the caller's partition.
        """
        response = self.client("ec2").describe_regions()
        return sorted(region["RegionName"] for region in response["Regions"])

    @property
    def foreign_regions(self) -> list[str]:
        """Regions of other partitions, where moto rejects the account's credentials.

        AWS rejects credentials in the same way if a region is not enabled.
        """
        return [r for r in self.regions if r.startswith(("cn-", "us-gov-"))]

    @property
    def own_regions(self) -> list[str]:
        return [r for r in self.regions if r not in self.foreign_regions]

    def listed(self, region: str, resource_type: str) -> int:
        """The number of resources that boto3's paginator lists."""
        paginator = self.client("config", region).get_paginator(
            "list_discovered_resources"
        )
        pages = paginator.paginate(resourceType=resource_type)
        return sum(len(page["resourceIdentifiers"]) for page in pages)

    def name(self, kind: str) -> str:
        """A name that is unique in the emulator."""
        self.names += 1
        return f"{kind}-{self.id}-{self.names:04}"

    def user(self, *statements: dict[str, Any]) -> Credentials:
        """Creates a user with a policy of these statements."""
        return self.user_with(policy(*statements))

    def user_with(self, document: str) -> Credentials:
        """Creates a user with this policy document."""
        return create_user(self.iam, self.name("user"), document)

    def role(self, **more: Any) -> str:
        """Creates a role that every user of the account may assume; returns its ARN.

        `more` adds elements to the trust policy, such as a Condition.
        """
        everyone = {"Effect": "Allow", "Principal": {"AWS": "*"}}
        trust = policy({**everyone, "Action": "sts:AssumeRole", **more})
        role = self.iam.create_role(
            RoleName=self.name("role"), AssumeRolePolicyDocument=trust
        )
        return role["Role"]["Arn"]

    def bucket(self, region: str) -> str:
        """Creates a bucket and returns its name."""
        name = self.name("bucket")
        # us-east-1 must not be given as a LocationConstraint.
        constraint = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        options = {} if region == "us-east-1" else constraint
        self.client("s3", region).create_bucket(Bucket=name, **options)
        return name

    def buckets(self, region: str, number: int) -> list[str]:
        return [self.bucket(region) for _ in range(number)]

    def roles(self, number: int) -> list[str]:
        return [self.role() for _ in range(number)]

    def topic(self, region: str) -> None:
        self.client("sns", region).create_topic(Name=self.name("topic"))

    def managed_policy(self) -> None:
        self.iam.create_policy(
            PolicyName=self.name("policy"), PolicyDocument=policy(allow("s3:GetObject"))
        )

    def alias(self, alias: str) -> None:
        self.iam.create_account_alias(AccountAlias=alias)

    def recorder(
        self,
        region: str,
        role: str,
        bucket: str,
        started: bool = True,
        group: dict[str, Any] = EVERYTHING,
    ) -> None:
        """Turns on AWS Config in `region` with the recording group `group`."""
        config = self.client("config", region)
        recorder = {"name": "default", "roleARN": role, "recordingGroup": group}
        config.put_configuration_recorder(ConfigurationRecorder=recorder)
        config.put_delivery_channel(
            DeliveryChannel={"name": "default", "s3BucketName": bucket}
        )
        if started:
            config.start_configuration_recorder(ConfigurationRecorderName="default")

    def recorders(self, role: str, bucket: str) -> None:
        """Turns on AWS Config in every region of the account, for all types."""
        for region in self.own_regions:
            self.recorder(region, role, bucket)

    def grant(self, role: str, *statements: dict[str, Any]) -> None:
        """Sets the policy of `role` to these statements."""
        self.iam.put_role_policy(
            RoleName=role.rsplit("/", 1)[-1],
            PolicyName="inline",
            PolicyDocument=policy(*statements),
        )

    def session(self, role: str, *statements: dict[str, Any]) -> Credentials:
        """Temporary credentials of `role`, with a policy of these statements."""
        self.grant(role, *statements)
        response = self.client("sts").assume_role(
            RoleArn=role, RoleSessionName="counting"
        )
        made = response["Credentials"]
        return Credentials(
            made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]
        )


def create_user(iam: Any, name: str, document: str) -> Credentials:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def allow(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def deny(*actions: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
