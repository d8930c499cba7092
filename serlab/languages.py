"""Families of languages: how far two corpora are apart before a sound is heard."""

from __future__ import annotations

#: ISO 639-1 code -> branch of a family (Hammarström et al., Glottolog 5), of languages with emotional speech.
BRANCHES: dict[str, str] = {
    **dict.fromkeys(("de", "en", "nl", "da", "sv", "no", "is", "af"), "Germanic"),
    **dict.fromkeys(("fr", "it", "es", "pt", "ro", "ca"), "Romance"),
    **dict.fromkeys(("pl", "cs", "sk", "ru", "uk", "bg", "hr", "sr", "sl", "be", "mk"), "Slavic"),
    **dict.fromkeys(("lt", "lv"), "Baltic"),
    **dict.fromkeys(("ur", "hi", "bn", "mr", "gu", "pa", "ne", "as", "or", "si"), "Indo-Aryan"),
    **dict.fromkeys(("fa", "ku", "ps", "tg"), "Iranian"),
    **dict.fromkeys(("ar", "he", "am", "mt", "ti"), "Semitic"),
    **dict.fromkeys(("tr", "az", "kk", "uz", "ky"), "Turkic"),
    **dict.fromkeys(("ta", "te", "kn", "ml"), "Dravidian"),
    **dict.fromkeys(("fi", "et", "hu"), "Uralic"),
    **dict.fromkeys(("zh", "yue"), "Sinitic"),
    "el": "Greek", "ja": "Japonic", "ko": "Koreanic", "vi": "Vietic", "th": "Tai", "id": "Malayic",
    "ms": "Malayic", "sw": "Bantu", "zu": "Bantu", "eu": "Basque", "ga": "Celtic", "cy": "Celtic",
    "sq": "Albanian", "hy": "Armenian", "ka": "Kartvelian",
}  # fmt: skip


def branch(language: str) -> str:
    """Branch of a language by its code; empty where it is not known.

    Examples
    --------
    >>> branch("de"), branch("en-GB"), branch("x-a")
    ('Germanic', 'Germanic', '')
    """
    return BRANCHES.get(str(language).lower().partition("-")[0], "")
