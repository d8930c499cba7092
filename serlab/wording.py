"""Numbers of things as one says them, in messages, pages and figures."""

from __future__ import annotations

from collections.abc import Sequence


def count(n: int, thing: str, things: str = "") -> str:
    """So many of a thing; ``things`` where an "s" does not make several of it.

    Examples
    --------
    >>> count(1, "fold"), count(2, "fold"), count(2, "class of the scheme", "classes of the scheme")
    ('1 fold', '2 folds', '2 classes of the scheme')
    """
    return f"{n} {thing}" if n == 1 else f"{n} {things or f'{thing}s'}"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first of many, and how many more there are.

    Examples
    --------
    >>> some("ab"), some("abcde")
    ('a, b', 'a, b, c and 2 more')
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
