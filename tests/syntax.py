"""Syntax trees of sources, for tests that read them."""

from __future__ import annotations

import ast


def parsed(source: str) -> ast.Module:
    """The syntax tree of a source; CPython 3.11 now and then loses count in a parse, not in the next."""
    try:
        return ast.parse(source)
    except SystemError:  # "AST constructor recursion depth mismatch", where a collection falls into it
        return ast.parse(source)
