"""Runs the snippets of a Markdown page, in order and in one directory, and compares their results.

A code block in `sh` or `python` is run. If the next block is in `text` and follows it directly, it is the expected
stdout; with UPDATE_EXPECTED=1, the stdout is written there. A block in `yaml` is a workflow of GitHub Actions, whose
`run` steps are run with the demo. A block after the comment `<!-- not run: reason -->` is not run. Any other block is
an error.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\n$")
TIMEOUT = 60
# The languages that the page must have, so that no part of it is left out by mistake.
MINIMUM = {"sh": 10, "python": 2, "yaml": 1, "not run": 2}


class Page:
    """The page, its working directory, and what was found so far."""

    def __init__(self, path: Path, directory: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.directory = directory
        self.environment = environment
        self.counts = dict.fromkeys(MINIMUM, 0)
        self.errors: list[str] = []

    def run(self) -> None:
        """Runs all blocks, and writes the page if it was updated."""
        parts: list[str] = []
        end = 0
        output: str | None = None
        for block in BLOCK.finditer(self.text):
            between = self.text[end : block.start()]
            language, content = block.groups()
            if NOT_RUN.search(between):
                self.counts["not run"] += 1
                output = None
            elif language == "text" and output is not None and not between.strip():
                content = self.compare(content, output)
                output = None
            else:
                output = self.run_block(language, content)
            parts.append(f"{between}```{language}\n{content}```")
            end = block.end()
        for kind, minimum in MINIMUM.items():
            if self.counts[kind] < minimum:
                self.errors.append(f"{self.counts[kind]} blocks of {kind}, expected at least {minimum}")
        if os.environ.get("UPDATE_EXPECTED") == "1":
            self.path.write_text("".join(parts) + self.text[end:], encoding="utf-8")

    def run_block(self, language: str, content: str) -> str | None:
        """Runs a block and returns its stdout."""
        self.counts[language] = self.counts.get(language, 0) + 1
        if language == "sh":
            return self.execute(["bash", "-euo", "pipefail", "-c", content], content)
        if language == "python":
            return self.execute(["python", "-c", content], content)
        if language == "yaml":
            self.run_workflow(content)
        else:
            self.errors.append(f"a block that is neither run nor marked as not run:\n{content}")
        return None

    def run_workflow(self, content: str) -> None:
        """Runs the `run` steps of a workflow; counts of the demo are missing, so `--strict` fails."""
        workflow = yaml.safe_load(content)
        # YAML 1.1 reads the key `on` as true.
        if not {"name", True, "permissions", "jobs"} <= workflow.keys():
            self.errors.append(f"not a workflow: {workflow.keys()}")
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        for step in steps:
            if "run" in step:
                codes = (3,) if "--strict" in step["run"] else (0,)
                self.execute(["bash", "-euo", "pipefail", "-c", step["run"]], step["run"], codes)
            elif not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]):
                self.errors.append(f"not an action with a version: {step}")
        if not (self.directory / "summary.md").read_text(encoding="utf-8").strip():
            self.errors.append("the workflow wrote no summary")

    def execute(self, command: list[str], shown: str, codes: tuple[int, ...] = (0,)) -> str:
        """Runs a command and returns its stdout; another exit code is an error."""
        result = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
        if result.returncode not in codes:
            self.errors.append(f"exit code {result.returncode} of:\n{shown}{result.stderr}")
        return result.stdout

    def compare(self, expected: str, output: str) -> str:
        """Compares the lines without trailing blanks; returns the output."""
        output = "".join(f"{line.rstrip()}\n" for line in output.strip("\n").split("\n"))
        if expected != output and os.environ.get("UPDATE_EXPECTED") != "1":
            self.errors.append(f"the page shows:\n{expected}the result is:\n{output}")
        return output


def main() -> int:
    path, program = (Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "work")
        tools = Path(name, "tools")
        for made in (directory, tools, Path(name, "home")):
            made.mkdir()
        (tools / program.name).symlink_to(program)
        setup = directory / "aws_config_setup.sh"
        setup.write_text(f'#!/bin/sh\nexec {program.name} --demo "$@"\n', encoding="utf-8")
        setup.chmod(0o755)
        path_variable = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {
            "PATH": path_variable,
            "HOME": str(Path(name, "home")),
            "LANG": "C.UTF-8",
            "GITHUB_STEP_SUMMARY": str(directory / "summary.md"),
        }
        page = Page(path, directory, environment)
        page.run()
    for error in page.errors:
        print(f"FAILED: {error}")
    ran = ", ".join(f"{count} {kind}" for kind, count in page.counts.items())
    print(f"docs/recipes.md: {ran}; {len(page.errors)} failed")
    return 1 if page.errors else 0


if __name__ == "__main__":
    sys.exit(main())
