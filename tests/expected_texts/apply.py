#!/usr/bin/env python3
"""Replaces old message texts with new ones in the expected files of the tests.

    python3 tests/expected_texts/apply.py [FILE ...]

Without a file: `fixtures/**/expected*` and `tests/credentials/*/expected.json`. The table is texts.tsv beside
this script: old text, tab, new text. The rows are applied in order, each to the result of the one before it.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def read_table() -> list[list[str]]:
    """Returns the rows of the table: old text and new text."""
    lines = (HERE / "texts.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def main() -> None:
    """Rewrites the files in place and prints the changed ones."""
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(
        [
            *ROOT.glob("fixtures/**/expected*"),
            *ROOT.glob("tests/credentials/*/expected.json"),
        ]
    )
    table = read_table()
    for file in files:
        old = file.read_bytes().decode("utf-8")
        new = old
        for before, after in table:
            new = new.replace(before, after)
        if new != old:
            file.write_bytes(new.encode("utf-8"))
            print(file)


if __name__ == "__main__":
    main()
