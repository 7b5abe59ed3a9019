"""moto's server with IAM authentication on, and the accounts inside it."""

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

# An administrator takes three actions: a user, its policy, its access key.
ADMINISTRATOR_ACTIONS = 3

# The recording group that leaves nothing out.
EVERYTHING = {"allSupported": True, "includeGlobalResourceTypes": True}


@dataclass(frozen=True)
class Keys:
    """What signs a request."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    @property
    def secrets(self) -> list[str]:
        """Whatever must never show up anywhere."""
        return [s for s in (self.secret_access_key, self.session_token) if s]

    def variables(self) -> dict[str, str]:
        """The environment variables that hand the keys on."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }
        if self.session_token:
            variables["AWS_SESSION_TOKEN"] = self.session_token
        return variables


class Emulator:
    """A moto_server process; it ends with the `with` block."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "moto_server.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Emulator:
        # Somebody else may take the port between its choice and its use.
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
            # Not one action goes without a signature: see `allow_unsigned`.
            "INITIAL_NO_AUTH_ACTION_COUNT": "0",
            # moto uses boto3, which must not read the files of whoever runs the tests.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        # By this interpreter, whatever the script's first line says.
        server = [sys.executable, str(Path(sys.executable).parent / "moto_server")]
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
        """The requests that moto itself failed at."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if re.search(r'" 5\d\d -$', line)]

    def allow_unsigned(self, actions: int) -> None:
        """The next so many actions are neither authenticated nor authorized."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/moto-api/reset-auth", str(actions))
            status = connection.getresponse().status
            if status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"reset-auth: HTTP {status}")
        finally:
            connection.close()

    def assumed(self) -> list[Keys]:
        """The temporary keys of all roles that were assumed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/moto-api/data.json")
            data = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return [
            Keys(
                made["access_key_id"], made["secret_access_key"], made["session_token"]
            )
            for made in data.get("sts", {}).get("AssumedRole", [])
        ]

    def open_account(self, account_id: str) -> Account:
        """A new account with an administrator, who signs every later request."""
        self.allow_unsigned(ADMINISTRATOR_ACTIONS)
        nobody = Keys("AKIAIOSFODNN7EXAMPLE", "none")
        iam = self.client("iam", nobody)

        def into_account(params: dict[str, Any], **_: object) -> None:
            params["headers"]["x-moto-account-id"] = account_id

        iam.meta.events.register("before-call.iam", into_account)
        keys = create_user(iam, "administrator", policy(allow("*")))
        return Account(self, account_id, keys)

    def client(self, service: str, keys: Keys, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            aws_session_token=keys.session_token,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )


class Account:
    """An account of the emulator, seen by its administrator."""

    def __init__(self, emulator: Emulator, account_id: str, keys: Keys) -> None:
        self.emulator = emulator
        self.id = account_id
        self.keys = keys
        self.names = 0
        self.clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """The administrator's client; the same one each time, for making one is slow."""
        if (service, region) not in self.clients:
            made = self.emulator.client(service, self.keys, region)
            self.clients[service, region] = made
        return self.clients[service, region]

    @property
    def iam(self) -> Any:
        return self.client("iam")

    @cached_property
    def regions(self) -> list[str]:
        """What DescribeRegions names.

        In moto these are the regions of all partitions, enabled or not. AWS names the
        enabled ones of the caller's own partition.
        """
        answer = self.client("ec2").describe_regions()
        return sorted(region["RegionName"] for region in answer["Regions"])

    @property
    def foreign_regions(self) -> list[str]:
        """Those of other partitions, where moto does not know the account's keys.

        AWS refuses keys in the same way where a region is not enabled.
        """
        return [r for r in self.regions if r.startswith(("cn-", "us-gov-"))]

    @property
    def own_regions(self) -> list[str]:
        return [r for r in self.regions if r not in self.foreign_regions]

    def listed(self, region: str, resource_type: str) -> int:
        """How many resources AWS Config lists there, counted by boto3's paginator."""
        paginator = self.client("config", region).get_paginator(
            "list_discovered_resources"
        )
        pages = paginator.paginate(resourceType=resource_type)
        return sum(len(page["resourceIdentifiers"]) for page in pages)

    def name(self, kind: str) -> str:
        """A name that nothing else in the emulator bears."""
        self.names += 1
        return f"{kind}-{self.id}-{self.names:04}"

    def user(self, *statements: dict[str, Any]) -> Keys:
        """The keys of a new user whose policy is these statements."""
        return self.user_with(policy(*statements))

    def user_with(self, document: str) -> Keys:
        """The keys of a new user whose policy is this text."""
        return create_user(self.iam, self.name("user"), document)

    def role(self, **more: Any) -> str:
        """The ARN of a new role that anybody in the account may assume.

        `more` is what else its trust says, such as a Condition.
        """
        anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}}
        trust = policy({**anybody, "Action": "sts:AssumeRole", **more})
        role = self.iam.create_role(
            RoleName=self.name("role"), AssumeRolePolicyDocument=trust
        )
        return role["Role"]["Arn"]

    def bucket(self, region: str) -> str:
        """The name of a new bucket."""
        name = self.name("bucket")
        # us-east-1 is the one region that must not be named.
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        options = {} if region == "us-east-1" else place
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
        """AWS Config in `region`, as a person would turn it on, for what `group` names."""
        config = self.client("config", region)
        recorder = {"name": "default", "roleARN": role, "recordingGroup": group}
        config.put_configuration_recorder(ConfigurationRecorder=recorder)
        config.put_delivery_channel(
            DeliveryChannel={"name": "default", "s3BucketName": bucket}
        )
        if started:
            config.start_configuration_recorder(ConfigurationRecorderName="default")

    def recorders(self, role: str, bucket: str) -> None:
        """AWS Config in every region of the account's own, for everything."""
        for region in self.own_regions:
            self.recorder(region, role, bucket)

    def grant(self, role: str, *statements: dict[str, Any]) -> None:
        """These statements become the policy of `role`."""
        self.iam.put_role_policy(
            RoleName=role.rsplit("/", 1)[-1],
            PolicyName="inline",
            PolicyDocument=policy(*statements),
        )

    def session(self, role: str, *statements: dict[str, Any]) -> Keys:
        """Temporary keys of `role`, whose policy is these statements."""
        self.grant(role, *statements)
        answer = self.client("sts").assume_role(
            RoleArn=role, RoleSessionName="counting"
        )
        made = answer["Credentials"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def create_user(iam: Any, name: str, document: str) -> Keys:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Keys(key["AccessKeyId"], key["SecretAccessKey"])


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
