"""What a recogniser writes: characters, or phones by way of a lexicon."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from serlab.errors import CorpusError, ParameterError

#: The unit between two words, of characters and of phones alike; it also stands for silence.
SEPARATOR = " "


@dataclass(frozen=True)
class Units:
    """The inventory of units; a unit's number is its position.

    Make them with :func:`characters` or :func:`phones`, or give the symbols.

    Attributes
    ----------
    symbols : tuple of str
        Without the blank of CTC, which is one more output after the last unit.
    lexicon : mapping of str to tuple of str, optional
        Phones of each word, one pronunciation a word; None for characters.

    Raises
    ------
    ParameterError
        If symbols repeat, are more than one character long (of characters), or
        do not include the separator or the lexicon's phones.
    """

    symbols: tuple[str, ...]
    lexicon: Mapping[str, tuple[str, ...]] | None = None

    def __post_init__(self) -> None:
        repeated = [symbol for symbol, n in Counter(self.symbols).items() if n > 1]
        if repeated:
            raise ParameterError(f"each unit may be there once; there are several {repeated}")
        if SEPARATOR not in self.symbols:
            raise ParameterError("the units need the separator of words, a space")
        if self.lexicon is None:
            long = [symbol for symbol in self.symbols if len(symbol) != 1]
            if long:
                raise ParameterError(f"units of characters are one character each, not {long}")
            return
        for word, pronunciation in self.lexicon.items():
            unknown = sorted({*pronunciation} - {*self.symbols})
            if unknown or not pronunciation or SEPARATOR in pronunciation:
                raise ParameterError(
                    f"the lexicon has {list(pronunciation)} for '{word}'; one phone at least is needed, "
                    f"all of them among the units ({' '.join(self.symbols).strip()})"
                )

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def separator(self) -> int:
        """Number of the separator of words."""
        return self.symbols.index(SEPARATOR)

    @property
    def blank(self) -> int:
        """Output of CTC that stands for no unit."""
        return len(self.symbols)

    def encode(self, text: str, utterance: str = "") -> tuple[int, ...]:
        """Numbers of the units of a transcript.

        Parameters
        ----------
        text : str
            It is normalised first, see :func:`normalize`.
        utterance : str
            For the error's text.

        Raises
        ------
        CorpusError
            If no word is in the transcript, a character is not among the units
            or a word is not in the lexicon.
        """
        numbers, _ = self._encode(text, utterance, replacement=None)
        return numbers

    def encode_all(self, texts: Mapping[str, str], *, replacement: str | None = None) -> Encoded:
        """Numbers of the units of several transcripts.

        Parameters
        ----------
        texts : mapping or Series of str to str
            Utterances and their transcripts.
        replacement : str, optional
            Unit for a character outside the units or a word outside the
            lexicon, "" to leave it out. It is an error if not given.

        Raises
        ------
        CorpusError
            As :meth:`encode`; also if nothing of a transcript is left.
        ParameterError
            If the replacement is not a unit.
        """
        if replacement and replacement not in self.symbols:
            raise ParameterError(f"the replacement {replacement!r} is not among the units")
        targets, replaced = {}, Counter()
        for utterance, text in texts.items():
            targets[utterance], outside = self._encode(text, utterance, replacement)
            replaced.update(outside)
        return Encoded(targets, dict(replaced))

    def decode(self, numbers: Iterable[int]) -> str:
        """Text of a sequence of units, separators at its ends removed.

        Of phones, what lies between two separators becomes the first word of
        the lexicon that sounds like it; if none does, the phones stay, joined by hyphens.
        """
        symbols = [self.symbols[number] for number in numbers]
        if self.lexicon is None:
            return " ".join("".join(symbols).split())
        words: list[list[str]] = [[]]
        for symbol in symbols:
            if symbol == SEPARATOR:
                words.append([])
            else:
                words[-1].append(symbol)
        return " ".join(self._sounds.get(tuple(word), "-".join(word)) for word in words if word)

    def to_json(self) -> str:
        """Text of a JSON file; :meth:`from_json` reads it."""
        values = {"symbols": self.symbols, "lexicon": self.lexicon and dict(self.lexicon)}
        return json.dumps(values, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Units:
        """Units from what :meth:`to_json` gave.

        Raises
        ------
        ParameterError
            If the text is of another form.
        """
        try:
            values = json.loads(text)
            symbols, lexicon = tuple(values["symbols"]), values["lexicon"]
            return cls(symbols, lexicon and {word: tuple(sounds) for word, sounds in lexicon.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ParameterError(f"this is no inventory of units saved by serlab: {error!r}") from error

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    @cached_property
    def _sounds(self) -> dict[tuple[str, ...], str]:
        # In reverse, so that the first of several words with the same sound stays.
        return {phones: word for word, phones in reversed(self.lexicon.items())}

    def _encode(
        self, text: str, utterance: str, replacement: str | None
    ) -> tuple[tuple[int, ...], list[str]]:
        """Numbers, and what was replaced."""
        symbols, outside = [], []
        for position, word in enumerate(normalize(text).split()):
            pieces, missing = self._spell(word)
            if missing and replacement is None:
                raise CorpusError(self._complaint(missing[0], text, utterance))
            outside += missing
            spelled = [symbol for piece in pieces for symbol in (piece or (replacement,))]
            symbols += [SEPARATOR] * (position > 0) + spelled
        # A word of which nothing is left leaves two separators behind.
        written = self._collapse(symbols)
        if not written:
            raise CorpusError(
                f"the transcript {text!r} of utterance '{utterance}' has no word; leave the utterance out"
            )
        return tuple(self._numbers[symbol] for symbol in written), outside

    def _spell(self, word: str) -> tuple[list[tuple[str, ...]], list[str]]:
        """Units of each piece of a word, none where it is missing; the missing pieces."""
        if self.lexicon is not None:
            return [self.lexicon.get(word, ())], [] if word in self.lexicon else [word]
        pieces = [(letter,) if letter in self._numbers else () for letter in word]
        return pieces, [letter for letter, piece in zip(word, pieces, strict=True) if not piece]

    @staticmethod
    def _collapse(symbols: Sequence[str]) -> list[str]:
        written: list[str] = []
        for symbol in symbols:
            if symbol and (symbol != SEPARATOR or (written and written[-1] != SEPARATOR)):
                written.append(symbol)
        return written[:-1] if written and written[-1] == SEPARATOR else written

    def _complaint(self, missing: str, text: str, utterance: str) -> str:
        what = (
            f"the character {missing!r} (U+{ord(missing):04X}) is not among the {len(self)} units"
            if self.lexicon is None
            else f"the word {missing!r} is not in the lexicon"
        )
        return (
            f"utterance '{utterance}': {what}; its transcript is {text!r}. "
            "Correct the transcript, add it to the units, or give a replacement"
        )


@dataclass(frozen=True)
class Encoded:
    """Transcripts as units.

    Attributes
    ----------
    targets : dict of str to tuple of int
        Units of each utterance.
    replaced : dict of str to int
        How often each character (of phones: word) outside the units was replaced.
    """

    targets: dict[str, tuple[int, ...]]
    replaced: dict[str, int]


def characters(texts: Iterable[str]) -> Units:
    """All characters of transcripts, normalised, and the separator.

    Raises
    ------
    CorpusError
        If no character is there.
    """
    found = {letter for text in texts for letter in normalize(text)} - {SEPARATOR}
    if not found:
        raise CorpusError("the transcripts are empty: there is no character to recognise")
    return Units((SEPARATOR, *sorted(found)))


def phones(lexicon: Mapping[str, str | Sequence[str]]) -> Units:
    """The phones of a lexicon, and the separator.

    Parameters
    ----------
    lexicon : mapping of str to str or sequence of str
        Phones of each word, such as ``{"door": "D AO R"}``. Words are
        normalised as transcripts are.
    """
    pronunciations = {
        normalize(word): tuple(sounds.split() if isinstance(sounds, str) else sounds)
        for word, sounds in lexicon.items()
    }
    symbols = sorted({phone for sounds in pronunciations.values() for phone in sounds})
    return Units((SEPARATOR, *symbols), pronunciations)


def normalize(text: str) -> str:
    """Lower case, Unicode NFC, one space between words; punctuation but the apostrophe is a space."""
    text = unicodedata.normalize("NFC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    kept = (" " if unicodedata.category(c)[0] == "P" and c != "'" else c for c in text)
    return " ".join("".join(kept).split())
