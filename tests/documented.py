"""The commands that README and docs tell a reader to type: lines of plain fences, and code within sentences."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "config/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
COMMENT = re.compile(r"(?:^|\s)#.*$")


def fenced(page: str) -> list[str]:
    """The lines of the fences that name no language, without comments; a line that goes on is one with the next."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", "")
    blocks = [block for language, block in FENCE.findall(text) if not language]
    lines = [COMMENT.sub("", line).strip() for block in blocks for line in block.splitlines()]
    return [" ".join(line.split()) for line in lines if line]


def inline(page: str) -> list[str]:
    """All code within sentences, commands or not, each on one line."""
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    return [" ".join(code.split()) for code in CODE.findall(text)]
