"""Strings that mean something to a page, a figure, a spreadsheet, LaTeX, Markdown, a terminal or a path."""

from __future__ import annotations

import random

#: Each means something to somebody who is given a table, a figure or a page.
STRINGS: tuple[str, ...] = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</script><script>alert(1)//",
    "\" onmouseover=\"alert(1)", "' onfocus='alert(1)' autofocus='", "</td></tr></table>", "<!--", "]]>",
    "&lt;script&gt;", "javascript:alert(1)", "<svg/onload=alert(1)>", "</style><style>*{display:none}",
    "$x$", "$\\frac{1}{0}$", "$$", "$\\", "a$b$c", "\\input{/etc/passwd}", "\\write18{id}", "%", "#&_{}~^\\",
    "=HYPERLINK(\"http://example.org\",\"x\")", "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1",
    "=cmd|' /C calc'!A0", "\N{FULLWIDTH EQUALS SIGN}1+1",
    "{{7*7}}", "{% raw %}", "{0}", "%s%n", "${HOME}", "`id`", "$(id)", "; rm -rf .", "| a | b |",
    "[x](javascript:1)",
    "a,b", "a\"b", "a;b", "a\nb", "a\r\nb", "a\tb", "\x1b[2J", "\x07", "\x00", "\ufeff", "\u202e", "\u2028",
    "\ud800", "e\u0301", "\N{GRINNING FACE}", "\u0645\u0631\u062d\u0628\u0627", "\u65e5\u672c\u8a9e",
    "", " ", ".", "..", "../../x", "/etc/passwd", "C:\\x", "CON", "a" * 300, "-rf", "--help", "nan",
    "None", "NaN",
    "1e999", "0x10", "-0", "true", "null", "[]", "{}",
)  # fmt: skip


def string(draw: random.Random, *, most: int = 3, without: str = "") -> str:
    """One to ``most`` hostile strings, one behind the other, without some characters."""
    text = "".join(draw.choice(STRINGS) for _ in range(draw.randint(1, most)))
    return "".join(character for character in text if character not in without)
