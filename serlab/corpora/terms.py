"""What the licence of a corpus allows: to pass it on, to sell, to change; and so, to publish a run.

This is no legal advice: it says what the licence named by the publisher says,
and "unknown" where none is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a licence allows.

    Attributes
    ----------
    redistribution : {"yes", "no", "unknown"}
        Whether the recordings may be passed on.
    derivatives : {"yes", "no", "unknown"}
        Whether what is made from them (features, a trained network) may be.
    commercial : {"yes", "no", "unknown"}
        Whether either may be used to earn money.
    share_alike : {"yes", "no", "unknown"}
        Whether what is made from them has to carry the same licence.
    """

    redistribution: Answer = "unknown"
    derivatives: Answer = "unknown"
    commercial: Answer = "unknown"
    share_alike: Answer = "unknown"

    @property
    def publishable(self) -> str:
        """Whether a run may be published.

        Returns
        -------
        {"yes", "scores only", "ask"}
            "yes": with the features and networks it keeps; "scores only":
            scores and predictions, which hold none of the recordings, but no
            features or networks; "ask": no terms are known, so whoever
            publishes has to ask.

        Examples
        --------
        >>> creative_commons("BY-NC-SA").publishable
        'yes'
        >>> creative_commons("BY-NC-ND").publishable
        'scores only'
        >>> Terms().publishable
        'ask'
        """
        if "unknown" in (self.redistribution, self.derivatives):
            return "ask"
        return "yes" if self.derivatives == "yes" else "scores only"

    @property
    def conditions(self) -> tuple[str, ...]:
        """What a publication has to keep to, besides the citation."""
        return (
            *(("not commercial",) if self.commercial == "no" else ()),
            *(("under the same licence",) if self.share_alike == "yes" else ()),
        )


#: No licence is stated.
UNKNOWN = Terms()
#: Research licences that one signs: scores are what they are for, passing on is not.
AGREEMENT = Terms(redistribution="no", derivatives="no", commercial="no", share_alike="no")
#: Open Database License: whoever shares a database made of it does so under the same licence.
OPEN_DATABASE = Terms(redistribution="yes", derivatives="yes", commercial="yes", share_alike="yes")
#: No conditions at all (CC0, public domain).
PUBLIC_DOMAIN = Terms(redistribution="yes", derivatives="yes", commercial="yes", share_alike="no")


def creative_commons(letters: str) -> Terms:
    """Terms of a Creative Commons licence.

    Parameters
    ----------
    letters : str
        Such as "BY" or "BY-NC-SA".

    Examples
    --------
    >>> creative_commons("BY-NC-SA").conditions
    ('not commercial', 'under the same licence')
    """
    marks = letters.split("-")
    return Terms(
        redistribution="yes",
        derivatives="no" if "ND" in marks else "yes",
        commercial="no" if "NC" in marks else "yes",
        share_alike="yes" if "SA" in marks else "no",
    )


def of(text: str) -> Terms:
    """Terms of a licence by its name.

    Parameters
    ----------
    text : str
        Such as "CC BY-NC-SA 4.0", "cc-by-4.0", "CC0" or "ODbL".

    Returns
    -------
    Terms
        :data:`UNKNOWN` where the whole text is no such name: what somebody wrote is not interpreted.

    Examples
    --------
    >>> of("cc-by-nc-4.0").commercial
    'no'
    >>> of("ask me") == UNKNOWN
    True
    """
    name = text.strip().upper()
    if re.fullmatch(r"CC[ -]?0([ -]1\.0)?|PUBLIC DOMAIN", name):
        return PUBLIC_DOMAIN
    if re.fullmatch(r"ODBL([ -]1\.0)?", name):
        return OPEN_DATABASE
    found = re.fullmatch(r"CC[ -](BY(?:-NC)?(?:-SA|-ND)?)(?:[ -]\d\.\d)?", name)
    return creative_commons(found[1]) if found else UNKNOWN
