#!/usr/bin/env python3
"""Writes expected.json: the result of botocore for each case in cases.json.

    python3 tests/config_files/generate.py           after a case is added or changed
    python3 tests/config_files/generate.py --check   fails if expected.json is out of date

Needs botocore. A case has a name and the text of the config file or of the credentials file. If this program deliberately
differs from botocore, the case has the program's result under "ours" and the reason under "why".
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigParseError

DIRECTORY = Path(__file__).parent
KINDS = ("profiles", "sso_sessions", "services")


def read(case, path):
    text = case.get("config", case.get("credentials"))
    path.write_bytes(text.encode())
    try:
        if "credentials" in case:
            return raw_config_parse(str(path))
        config = load_config(str(path))
    except ConfigParseError:
        return "error"
    return {kind: config[kind] for kind in KINDS if config[kind]}


def main():
    cases = json.loads((DIRECTORY / "cases.json").read_text())
    with tempfile.TemporaryDirectory() as directory:
        table = {case["name"]: read(case, Path(directory) / "file") for case in cases}
    if len(table) != len(cases):
        sys.exit("two cases have the same name")
    text = json.dumps(table, indent=1) + "\n"
    expected = DIRECTORY / "expected.json"
    if "--check" not in sys.argv[1:]:
        expected.write_text(text)
    elif expected.read_text() != text:
        sys.exit(f"{os.path.relpath(expected)} is not the result of botocore")


if __name__ == "__main__":
    main()
