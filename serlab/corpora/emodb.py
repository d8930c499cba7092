"""EmoDB, the Berlin Database of Emotional Speech: acted German, ten sentences.

Ten actors spoke ten everyday sentences in seven emotions in an anechoic
chamber. File names hold everything: ``03a01Fa`` is speaker 03, text a01,
emotion F (Freude), version a. ``erkennung.txt`` lists how many percent of 20
listeners recognised the emotion, and how many found it natural, for all 816
recordings, of which 535 were published.

The ten sentences are shared by all speakers: whatever is held out, the
sentence has been heard in training.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from serlab.corpora import files, texts, walking
from serlab.corpora.base import Corpus, Download
from serlab.corpora.terms import creative_commons
from serlab.errors import CorpusError

CITATION = (
    "F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier, B. Weiss: A Database of German Emotional "
    "Speech. Interspeech 2005."
)
LICENSE = (
    "Free to use with citation; the re-release by its first author (EmoDB 2.0) is CC BY 4.0. "
    "Check the terms that came with your copy."
)
HOW_TO_GET = (
    "Download http://emodb.bilderbar.info/download/download.zip (40 MB) and unpack it so that "
    "<data>/emodb/wav/03a01Fa.wav and <data>/emodb/erkennung.txt exist."
)

DOWNLOAD = Download(
    # The publisher states no checksum, so the user must: see serlab.corpora.downloading.
    files={"download.zip": ("http://emodb.bilderbar.info/download/download.zip", "")},
    note="40 MB; the publisher states no checksum, so pass the hash of a copy you trust",
)

#: German initials, the third character from the end of the file name.
LABELS: dict[str, str] = {
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "joy", "T": "sadness",
    "N": "neutral",
}  # fmt: skip

SENTENCES: dict[str, str] = {
    "emodb/a01": "Der Lappen liegt auf dem Eisschrank",
    "emodb/a02": "Das will sie am Mittwoch abgeben",
    "emodb/a04": "Heute abend könnte ich es ihm sagen",
    "emodb/a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück",
    "emodb/a07": "In sieben Stunden wird es soweit sein",
    "emodb/b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen",
    "emodb/b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter",
    "emodb/b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht",
    "emodb/b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen",
    "emodb/b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen",
}

#: Native label -> published utterances (535 in all).
EXPECTED: dict[str, int] = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}

SEX: dict[str, str] = {
    "03": "male", "10": "male", "11": "male", "12": "male", "15": "male",
    "08": "female", "09": "female", "13": "female", "14": "female", "16": "female",
}  # fmt: skip

# Not below Oréau's folders (sessj): some of its names would be names of EmoDB.
_NAME = re.compile(
    r"(?:^|(?<!/sess[a-z])/)(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[WLEAFTN])(?P<version>[a-z])"
)


def read(folder: Path) -> pd.DataFrame:
    """Read file names, headers and the listening test.

    Returns
    -------
    DataFrame
        Further columns: ``version`` (letter), ``recognised`` and ``natural``
        (percent of listeners; NaN without ``erkennung.txt``).

    Raises
    ------
    CorpusError
        If a speaker is unknown, or ``erkennung.txt`` is malformed.
    """
    rows = []
    for path, name in files.matching(folder, _NAME):
        if name["speaker"] not in SEX:
            raise CorpusError(
                f"{path}: EmoDB has no speaker {name['speaker']!r}, only {', '.join(sorted(SEX))}; "
                "move files of other corpora out of this folder"
            )
        rows.append(
            {
                "utterance": f"emodb/{path.stem}",
                "corpus": "emodb",
                "path": str(path),
                "speaker": f"emodb/{name['speaker']}",
                "sex": SEX[name["speaker"]],
                "language": "de",
                "native_label": name["emotion"],
                "text_id": f"emodb/{name['text']}",
                "duration": files.duration(path),
                "version": name["version"],
            }
        )
    table = pd.DataFrame(files.unique(rows))
    if table.empty:
        return table
    return table.join(listening_test(folder), on="utterance")


def listening_test(folder: Path) -> pd.DataFrame:
    """Percentages of ``erkennung.txt``, indexed by utterance.

    Returns
    -------
    DataFrame
        Columns ``recognised`` and ``natural``; no rows without the file.

    Raises
    ------
    CorpusError
        Naming the line that cannot be read.
    """
    table: dict[str, tuple[float, float]] = {}
    for path in walking.glob(folder, "**/erkennung.txt"):
        # Latin-1 with no-break spaces as padding and decimal commas.
        for number, line in texts.lines(path, encoding="latin-1"):
            cells = [cell.replace("\xa0", " ").strip() for cell in line.split("\t")]
            if number == 1 or not any(cells):
                continue
            try:
                _, wav, recognised, natural = cells[:4]
                percent = float(recognised.replace(",", ".")), float(natural.replace(",", "."))
            except ValueError:  # too few cells, or no number
                raise CorpusError(
                    f"{path}, line {number}: expected number, file, recognised and natural separated by "
                    f"tabs, found {line!r}; restore the file from the publisher's archive"
                ) from None
            table[f"emodb/{Path(wav).stem}"] = percent
    return pd.DataFrame.from_dict(table, orient="index", columns=["recognised", "natural"])


CORPUS = Corpus(
    name="emodb",
    title="Berlin Database of Emotional Speech (EmoDB)",
    language="de",
    citation=CITATION,
    license=LICENSE,
    terms=creative_commons("BY"),
    speech="acted",
    scripted=True,
    expected_texts=len(SENTENCES),
    how_to_get=HOW_TO_GET,
    layout="wav/03a01Fa.wav",
    labels=LABELS,
    sentences=SENTENCES,
    expected=EXPECTED,
    expected_speakers=10,
    reader=read,
    sampling_rates=(16_000,),
    channels=(1,),
    seconds=(1.23, 8.98),
    download=DOWNLOAD,
    caveats=("Ten fixed sentences: speakers and sentences repeat across any random split.",),
)
