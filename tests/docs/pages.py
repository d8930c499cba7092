"""Code blocks of the documentation, and following them: a page that is wrong fails its test.

A block with a caption is a file. In Python, CSV and so on the block is the whole file; a ``diff`` changes
a file that is there: lines that begin with a space or a minus are what stands in it, lines that begin with
a space or a plus what stands there afterwards.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?:\{code-block\} )?(?P<language>[\w-]+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its caption (a path, or empty) and its text."""

    language: str
    caption: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        text, caption = textwrap.dedent(match["text"]), ""
        if text.startswith(":caption:"):
            first, _, text = text.partition("\n")
            caption, text = first.removeprefix(":caption:").strip(), text.lstrip("\n")
        found.append(Block(match["language"], caption, text))
    return found


def follow(page: Path, root: Path) -> list[Path]:
    """Do in ``root`` what the captioned blocks of a page say; the files are returned in order."""
    done = []
    for block in blocks(page):
        if not block.caption:
            continue
        path = root / block.caption
        if block.language == "diff":
            change(path, block.text)
        else:
            assert not path.exists(), f"{page.name} writes {block.caption}, which is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        done.append(path)
    return done


def change(path: Path, diff: str) -> None:
    """Apply a diff without line numbers: its old lines must stand in the file exactly once."""
    lines = [line for line in diff.splitlines() if line]
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name} has {text.count(old)} places like\n{old}"
    path.write_text(text.replace(old, new), encoding="utf-8")
