"""The specification as a plain asyncio script, for comparison in the benchmark.

It implements the part that `scan.rs` measures: the eight checks one after another, a task
per region that lists its types one after another, botocore's standard retries, and a CSV
written through a temporary file. It has no progress bar and no error log.
"""

import asyncio
import csv
import os
import sys
import tempfile

import aioboto3
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TYPES = [
    "AWS::EC2::Instance",
    "AWS::EC2::Volume",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPC",
    "AWS::S3::Bucket",
    "AWS::RDS::DBInstance",
    "AWS::Lambda::Function",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::DynamoDB::Table",
]
RETRIES = Config(retries={"mode": "standard", "max_attempts": 10})
COLUMNS = ["account", "alias", "region", "resource_type", "total"]


def checks() -> tuple[str, str, list[str]]:
    def client(service: str):
        return boto3.client(service, region_name="us-east-1", config=RETRIES)

    account = client("sts").get_caller_identity()["Account"]
    aliases = client("iam").list_account_aliases()["AccountAliases"]
    response = client("ec2").describe_regions()
    regions = sorted(region["RegionName"] for region in response["Regions"])
    config = client("config")
    config.list_discovered_resources(resourceType=TYPES[0], limit=1)
    config.describe_configuration_recorder_status()
    return account, aliases[0] if aliases else "", regions


async def scan(session: aioboto3.Session, region: str) -> list[tuple[str, str, int]]:
    rows = []
    async with session.client("config", region_name=region, config=RETRIES) as config:
        paginator = config.get_paginator("list_discovered_resources")
        for resource_type in TYPES:
            total = 0
            try:
                async for page in paginator.paginate(resourceType=resource_type):
                    total += len(page["resourceIdentifiers"])
            except ClientError as error:
                print(region, resource_type, error, file=sys.stderr)
                continue
            if total:
                rows.append((region, resource_type, total))
    return rows


async def scan_all(regions: list[str]) -> list[tuple[str, str, int]]:
    session = aioboto3.Session()
    found = await asyncio.gather(*(scan(session, region) for region in regions))
    return sorted(row for rows in found for row in rows)


def write(account: str, alias: str, rows: list[tuple[str, str, int]]) -> None:
    name = "_".join(filter(None, ["aws_config_resource_count", account, alias])) + ".csv"
    handle, temporary = tempfile.mkstemp(dir=".")
    with os.fdopen(handle, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(dict(zip(COLUMNS, (account, alias, *row))))
    os.replace(temporary, name)


def main() -> None:
    account, alias, regions = checks()
    write(account, alias, asyncio.run(scan_all(regions)))


if __name__ == "__main__":
    main()
