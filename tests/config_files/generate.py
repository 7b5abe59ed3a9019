#!/usr/bin/env python3
"""Writes expected.json: what botocore reads in the files of cases.json.

    python3 tests/config_files/generate.py           after a case was added or changed
    python3 tests/config_files/generate.py --check   fails if expected.json is another

Needs botocore. A case is a name and a text, of the config file or of the credentials file. Where this program means to read
it otherwise than botocore, the case has that under "ours" and the reason under "why".
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import ConfigParseError

FOLDER = Path(__file__).parent
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
    cases = json.loads((FOLDER / "cases.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        table = {case["name"]: read(case, Path(folder) / "file") for case in cases}
    if len(table) != len(cases):
        sys.exit("two cases have one name")
    text = json.dumps(table, indent=1) + "\n"
    expected = FOLDER / "expected.json"
    if "--check" not in sys.argv[1:]:
        expected.write_text(text)
    elif expected.read_text() != text:
        sys.exit(f"{os.path.relpath(expected)} is not what botocore says")


if __name__ == "__main__":
    main()
