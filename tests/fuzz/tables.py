"""Damaged tables and trees of label files, for every reader of text."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from serlab import corpora, data
from serlab.asr import tedlium, transcripts
from serlab.corpora import emodb, emozionalmente, exchange, iemocap, nemo, recola, split_lists
from serlab.corpora.exchange import base as exchange_base
from tests.corpora import trees
from tests.fuzz import Target, damaged

TABLE = """path,speaker,label,emotion,sex,language,text_id,session,start,end,arousal,arousal_threshold
a.wav,anna,wütend,anger,female,de,t1,s1,0,0.05,4.5,3
a.wav,anna,Freude,joy,female,de,t2,s1,0.05,,2,3
b ü.flac,bo,,,male,,,,,,2,3
"""
TOML = """name = "Mine"
language = "de"
license = "CC0"
channel = "mix"
annotators = "majority"
[labels]
"Freude" = "joy"
[scale]
arousal = [1, 5]
"""
HEADER = """name: emo
languages: [deu]
schemes:
  arousal: {dtype: float, minimum: 1, maximum: 5}
  speaker: {dtype: str, labels: speaker}
splits:
  train: {type: train}
tables:
  files: {type: filewise, columns: {speaker: {scheme_id: speaker}}}
  emotion: {type: segmented, split_id: train, columns: {emotion: {}, arousal: {scheme_id: arousal}}}
misc_tables:
  speaker: {levels: {speaker: str}, columns: {gender: {}}}
"""
CELLS = (
    "", "a.wav", "b ü.flac", "bu\u0308.flac", "..", "/", "\\", "nan", "inf", "-1", "1e400", "0", "-0", '"',
    "=1+1", "joy", "xxx", "\u0661", "\u202e", "😀", "a" * 300, "../" * 90, "sep=;", "\ufeff", "\ttab",
    "label", "path", "\0",
)  # fmt: skip


def sounds(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(trees.noise(path.suffix))


def cells_damaged(text: str, draw: random.Random, separator: str = ",") -> str:
    """A table in which cells, lines or columns were changed, as people and spreadsheets do."""
    rows = [line.split(separator) for line in text.splitlines()]
    for _ in range(draw.randint(1, 4)):
        row = draw.choice(rows)
        what = draw.randrange(6)
        if what < 3 and row:
            row[draw.randrange(len(row))] = draw.choice(CELLS)
        elif what == 3:
            rows.insert(draw.randrange(len(rows)), list(draw.choice(rows)))
        elif what == 4 and row:
            del row[draw.randrange(len(row))]
        else:
            row.insert(draw.randint(0, len(row)), draw.choice(CELLS))
    ending, between = draw.choice(("\n", "\r\n", "\r")), draw.choice((separator, separator, separator, ";"))
    return ending.join(between.join(row) for row in rows) + ending


def damage(folder: Path, draw: random.Random, *, patterns: tuple[str, ...], separator: str = ",") -> str:
    """Damage one of the text files, or what lies in its place."""
    path = draw.choice(sorted(p for pattern in patterns for p in folder.glob(pattern)))
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    what = draw.random()
    if what < 0.45:
        content, told = damaged(path.read_bytes(), draw)
        path.write_bytes(content)
    elif what < 0.85:
        path.write_bytes(cells_damaged(text, draw, separator).encode("utf-8", "surrogateescape"))
        told = "cells changed"
    elif what < 0.9:
        encoding = draw.choice(("utf-16", "cp1252", "cp037"))
        path.write_bytes(text.encode(encoding, "ignore"))
        told = encoding
    elif what < 0.95:
        path.write_bytes(b"a," * 300_000 + b"\n" + path.read_bytes())
        told = "a very long line"
    else:
        told = draw.choice(tuple(OTHERS))
        path.unlink()
        OTHERS[told](path)
    return f"{path.name}: {told}"


#: What may lie where a file should.
OTHERS: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a named pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "nothing": lambda path: None,
}


def check(table: pd.DataFrame) -> None:
    """What every table of utterances has: unique names, speakers, and the columns."""
    assert table.index.is_unique and len(table)
    assert set(data.COLUMNS) <= set(table.columns)
    assert table["speaker"].notna().all()
    assert not ((table["end"] <= table["start"]) | (table["start"] < 0)).any()


def _write_csv(folder: Path) -> None:
    sounds(folder, "a.wav", "b ü.flac")
    (folder / "corpus.csv").write_text(TABLE, encoding="utf-8")
    (folder / "corpus.toml").write_text(TOML, encoding="utf-8")


def _write_emodb(folder: Path) -> None:
    names = ("03a01Fa", "03a01Nc", "08b02Wb")
    sounds(folder, *(f"wav/{name}.wav" for name in names))
    rows = [f"{n}\xa0\xa0\t{name}.wav\t9{n},00\xa0\t90,48\xa0" for n, name in enumerate(names)]
    (folder / "erkennung.txt").write_text("\n".join(["Nr.\tSatz", *rows]), encoding="latin-1")


def _write_iemocap(folder: Path) -> None:
    root, dialogue = folder / "Session1", "Ses01F_impro01"
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    for n, label in enumerate(("ang", "xxx", "neu")):
        turn = f"{dialogue}_F00{n}"
        lines += [f"[{n}.0000 - {n}.9456]\t{turn}\t{label}\t[2.5000, 2.6667, 3.0000]", "C-E2:\tNeutral;\t()"]
        sounds(root / "sentences/wav" / dialogue, f"{turn}.wav")
    (root / "dialog/EmoEvaluation").mkdir(parents=True)
    (root / "dialog/EmoEvaluation" / f"{dialogue}.txt").write_text("\n".join(lines) + "\n")


def _write_recola(folder: Path) -> None:
    sounds(folder / "RECOLA-Audio-recordings", "P16.wav")
    rows = [f"{0.04 * n:.2f};{';'.join(['0.1'] * 6)}" for n in range(5)]
    text = "\n".join(["time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3", *rows]) + "\n"
    for dimension in recola.DIMENSIONS:
        path = folder / "RECOLA-Annotation/emotional_behaviour" / dimension / "P16.csv"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    (folder / "turns.csv").write_text("speaker,start,end,sex\nP16,0,0.05,male\nP16,0.05,0.1,male\n")


def _write_timings(folder: Path) -> None:
    _write_recola(folder)
    (folder / "turns.csv").unlink()
    (folder / "RECOLA-Audio_timings").mkdir()
    (folder / "RECOLA-Audio_timings/P16.csv").write_text("start;stop\n0;0.05\n0.05;0.1\n")


def _write_tedlium(folder: Path) -> None:
    (folder / "train/stm").mkdir(parents=True)
    (folder / "train/sph").mkdir()
    lines = [
        ";; a comment",
        *(f"AlGore 1 AlGore {n}.25 {n + 1}.00 <o,f0,male> thank you(2) it 's" for n in range(3)),
    ]
    (folder / "train/stm/AlGore.stm").write_text("\n".join(lines) + "\n")
    header = "NIST_1A\n   1024\nsample_count -i 64000\nsample_n_bytes -i 2\nsample_coding -s3 pcm\nend_head\n"
    (folder / "train/sph/AlGore.sph").write_bytes(header.encode().ljust(1024) + bytes(128_000))


def _write_transcripts(folder: Path) -> None:
    sounds(folder, "a.wav", "b ü.flac")
    (folder / "transcripts.csv").write_text("file,text,speaker\na.wav,one two,anna\nb ü.flac,three,bo\n")


def _write_beside(folder: Path) -> None:
    sounds(folder, "anna/a.wav", "bo/b.wav")
    for name in ("anna/a.txt", "bo/b.txt"):
        (folder / name).write_text("eins zwei ü\n", encoding="utf-8")


def _write_emozionalmente(folder: Path) -> None:
    sounds(folder / "audio", "1.wav", "2.wav", "3.wav")
    rows = {
        "samples": "file_name,actor,emotion_expressed,sentence\n"
        "1.wav,anna,joy,Ciao\n2.wav,anna,fear,Ciao\n3.wav,bo,neutrality,Che ora è?\n",
        "users": "username,gender,age\nanna,f,30\nbo,m,40\n",
        "train": "file_name\n1.wav\n2.wav\n",
        "test": "file_name\n3.wav\n",
    }
    for name, text in rows.items():
        (folder / f"{name}.csv").write_text(text)


def _write_nemo(folder: Path) -> None:
    names = ("EB0_anger_1.wav", "MP0_neutral_90.wav")
    sounds(folder / "samples", *names)
    (folder / "data.tsv").write_text(
        "\n".join(["file_id\temotion", *(f"{name}\tx" for name in names)]) + "\n"
    )


def _nemo(folder: Path) -> pd.DataFrame:
    assert nemo.expected_names(folder) is not None
    return _corpus(folder, nemo.CORPUS)


def _write_splits(folder: Path) -> None:
    sounds(folder, "a.wav", "b ü.flac")
    (folder / "corpus.csv").write_text("path,speaker,label\na.wav,anna,joy\nb ü.flac,bo,joy\n", "utf-8")
    (folder / "one.csv").write_text("path,fold,split\na.wav,1,train\nb ü.wav,1,test\n", "utf-8")
    (folder / "two.json").write_text('{"fold_1": {"train": ["a"], "test": ["b ü"]}}', "utf-8")
    lines = (
        '{"wav": "x/a.wav", "set": "dev"}', '{"wav": "b ü.wav", "set": "train"}',
        '{"key": "a", "set": "test"}',
    )  # fmt: skip
    (folder / "three.jsonl").write_text("\n".join(lines), "utf-8")


def _splits(folder: Path) -> pd.DataFrame:
    table = corpora.from_csv(folder / "corpus.csv")
    for name in ("one.csv", "two.json", "three.jsonl"):
        listed = split_lists.listed(table, folder / name)
    return listed.table


def _write_audformat(folder: Path) -> None:
    (folder / "db.yaml").write_text(HEADER)
    sounds(folder, "a.wav", "b.wav")
    (folder / "db.files.csv").write_text("file,speaker\na.wav,1\nb.wav,2\n")
    (folder / "db.emotion.csv").write_text(
        "file,start,end,emotion,arousal\na.wav,0 days,0 days 00:00:00.05,anger,1.5\n"
        "a.wav,0 days 00:00:00.05,,,2\n"
    )
    (folder / "db.speaker.csv").write_text("speaker,gender\n1,female\n2,male\n")


def _write_audiofolder(folder: Path) -> None:
    sounds(folder, "train/a.wav", "test/b.wav")
    (folder / "train/metadata.csv").write_text("file_name,label,speaker,text\na.wav,joy,1,one\n")
    (folder / "test/metadata.jsonl").write_text('{"file_name": "b.wav", "label": "sad", "speaker": 2}\n')
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\nlanguage: [de]\n---\n# A\n")


def _write_parquet(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    sound = {"bytes": trees.noise(".wav"), "path": "x.wav"}
    table = pa.table({"audio": [sound] * 2, "label": [1, 0], "speaker": ["7", "8"]})
    info = '{"info": {"features": {"label": {"names": ["sad", "happy"]}}}}'
    parquet.write_table(table.replace_schema_metadata({"huggingface": info}), folder / "train.parquet")


def _imported(folder: Path, form: str) -> pd.DataFrame:
    read = exchange.FORMATS[form].read(folder, into=folder / "mine")
    return corpora.from_csv(exchange_base.write_corpus(read, folder / "mine"))


def _corpus(folder: Path, corpus: corpora.Corpus) -> pd.DataFrame:
    table = corpus.reader(folder)
    return corpus.labelled(data.utterances(table)) if not table.empty else corpora.get("emodb").read(folder)


def _speech(table: pd.DataFrame) -> None:
    assert table.index.is_unique and len(table) and table["text"].notna().all()


TARGETS: tuple[Target, ...] = (
    Target(
        name="corpus.csv", write=_write_csv, damage=partial(damage, patterns=("corpus.csv",)),
        read=lambda folder: corpora.from_csv(folder / "corpus.csv"), check=check,
    ),
    Target(
        name="corpus.toml", write=_write_csv,
        damage=partial(damage, patterns=("corpus.toml",), separator=" "),
        read=lambda folder: corpora.from_csv(folder / "corpus.csv"), check=check,
    ),
    Target(
        name="audformat", write=_write_audformat,
        damage=partial(damage, patterns=("db.*",)),
        read=partial(_imported, form="audformat"), check=check,
    ),
    Target(
        name="audiofolder", write=_write_audiofolder,
        damage=partial(damage, patterns=("*/metadata.*", "README.md")),
        read=partial(_imported, form="huggingface"), check=check,
    ),
    Target(
        name="parquet", write=_write_parquet, damage=partial(damage, patterns=("train.parquet",)),
        read=partial(_imported, form="huggingface"), check=check,
    ),
    Target(
        name="emodb", write=_write_emodb, damage=partial(damage, patterns=("*.txt",), separator="\t"),
        read=partial(_corpus, corpus=emodb.CORPUS), check=check,
    ),
    Target(
        name="iemocap", write=_write_iemocap,
        damage=partial(damage, patterns=("**/Ses*.txt",), separator="\t"),
        read=partial(_corpus, corpus=iemocap.CORPUS), check=check,
    ),
    Target(
        name="recola, turns.csv", write=_write_recola,
        damage=partial(damage, patterns=("turns.csv", "**/P16.csv"), separator=";"),
        read=partial(_corpus, corpus=recola.CORPUS), check=check,
    ),
    Target(
        name="recola, timings", write=_write_timings,
        damage=partial(damage, patterns=("**/P16.csv",), separator=";"),
        read=partial(_corpus, corpus=recola.CORPUS), check=check,
    ),
    Target(
        name="emozionalmente", write=_write_emozionalmente,
        damage=partial(damage, patterns=("*.csv",)),
        read=partial(_corpus, corpus=emozionalmente.CORPUS), check=check,
    ),
    Target(
        name="nemo", write=_write_nemo, damage=partial(damage, patterns=("data.tsv",), separator="\t"),
        read=_nemo, check=check,
    ),
    Target(
        name="split lists", write=_write_splits,
        damage=partial(damage, patterns=("one.csv", "two.json", "three.jsonl")), read=_splits, check=check,
    ),
    Target(
        name="tedlium", write=_write_tedlium,
        damage=partial(damage, patterns=("**/*.stm", "**/*.sph"), separator=" "),
        read=tedlium.read, check=_speech,
    ),
    Target(
        name="transcripts.csv", write=_write_transcripts,
        damage=partial(damage, patterns=("transcripts.csv",)), read=transcripts.from_folder, check=_speech,
    ),
    Target(
        name="transcripts beside", write=_write_beside, damage=partial(damage, patterns=("*/*.txt",)),
        read=transcripts.from_folder, check=_speech,
    ),
)  # fmt: skip
