#!/usr/bin/env python3
"""Prints the license texts of all crates in the program for one target.

    cd CHECKOUT && packaging/third_party_licenses.py TARGET

The crates are those that cargo links: dependencies of the package without build scripts and procedural macros. Each text
is printed once, after the names of the crates that contain it.
"""

import json
import pathlib
import subprocess
import sys

NAMES = ("LICEN", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")

MUSL = """musl as a whole is licensed under the following standard MIT license:

Copyright (c) 2005-2020 Rich Felker, et al.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def linked_packages(target):
    """Returns the packages in the program, sorted by name and version."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, open_nodes = set(), [root]
    while open_nodes:
        for dependency in nodes[open_nodes.pop()]["deps"]:
            package = packages[dependency["pkg"]]
            is_normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            is_macro = any("proc-macro" in part["kind"] for part in package["targets"])
            if is_normal and not is_macro and package["id"] not in found:
                found.add(package["id"])
                open_nodes.append(package["id"])
    return sorted((packages[i] for i in found), key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Returns the contents of the license files of a package, or its license and authors if it has none."""
    root = pathlib.Path(package["manifest_path"]).parent
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name.upper().startswith(NAMES))
    if files:
        return [path.read_text(encoding="utf-8").strip() for path in files]
    authors = ", ".join(package["authors"]) or "the authors of " + package["repository"]
    return [f"License: {package['license']}, with the terms in LICENSE-MIT or LICENSE-APACHE.\nCopyright: {authors}"]


def main():
    target = sys.argv[1]
    owners = {}
    packages = linked_packages(target)
    for package in packages:
        for text in texts(package):
            owners.setdefault(text, []).append(f"{package['name']} {package['version']}")
    if "musl" in target:
        owners[MUSL.strip()] = ["musl, the C library"]
    names = "\n".join(f"  {package['name']} {package['version']}: {package['license']}" for package in packages)
    print(f"The program contains these packages:\n\n{names}")
    for text, crates in owners.items():
        print("\n" + "=" * 80 + "\n" + "\n".join(dict.fromkeys(crates)) + "\n" + "=" * 80 + f"\n\n{text}")


main()
