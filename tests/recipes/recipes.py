"""Runs the snippets of Markdown pages, those of a page in order and in one directory, and compares their results.

    recipes.py PROGRAM

A code block in `sh` or `python` is run. If the next block is in `text` and follows it directly, it is the expected
stdout; with UPDATE_EXPECTED=1, the stdout is written there. A block after the comment `<!-- not run: reason -->` is not
run. Any other block is an error.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\n$")
TIMEOUT = 60
ROOT = Path(__file__).parents[2]
# The pages, with the blocks that each must have, so that no part of it is left out by mistake.
PAGES = {
    "docs/recipes.md": {"sh": 9, "python": 2, "not run": 1},
    "docs/automation.md": {"sh": 2, "not run": 5},
}


class Page:
    """The page, its working directory, and what was found so far."""

    def __init__(self, path: Path, minimum: dict[str, int], directory: Path, environment: dict[str, str]) -> None:
        self.path = path
        self.minimum = minimum
        self.text = path.read_text(encoding="utf-8")
        self.directory = directory
        self.environment = environment
        self.counts = dict.fromkeys(minimum, 0)
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
        for kind, minimum in self.minimum.items():
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
        self.errors.append(f"a block that is neither run nor marked as not run:\n{content}")
        return None

    def execute(self, command: list[str], shown: str) -> str:
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
        if result.returncode != 0:
            self.errors.append(f"exit code {result.returncode} of:\n{shown}{result.stderr}")
        return result.stdout

    def compare(self, expected: str, output: str) -> str:
        """Compares the lines without trailing blanks; returns the output."""
        output = "".join(f"{line.rstrip()}\n" for line in output.strip("\n").split("\n"))
        if expected != output and os.environ.get("UPDATE_EXPECTED") != "1":
            self.errors.append(f"the page shows:\n{expected}the result is:\n{output}")
        return output


def run_page(name: str, program: Path) -> bool:
    """Runs the blocks of a page, and returns true if there was no error."""
    with tempfile.TemporaryDirectory() as temporary:
        directory, tools, home = (Path(temporary, part) for part in ("work", "tools", "home"))
        for made in (directory, tools, home):
            made.mkdir()
        for tool in (program, *ROOT.glob("examples/*.sh")):
            (tools / tool.name).symlink_to(tool)
        environment = {
            "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
        }
        page = Page(ROOT / name, PAGES[name], directory, environment)
        page.run()
    for error in page.errors:
        print(f"FAILED: {error}")
    ran = ", ".join(f"{count} {kind}" for kind, count in page.counts.items())
    print(f"{name}: {ran}; {len(page.errors)} failed")
    return not page.errors


def main() -> int:
    program = Path(sys.argv[1]).resolve()
    return 0 if all([run_page(name, program) for name in PAGES]) else 1


if __name__ == "__main__":
    sys.exit(main())
