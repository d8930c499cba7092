"""Anybody's predictions, of whatever toolkit: measured as those of serlab are.

A table (CSV, or Parquet) with a row for each answer and the columns utterance,
truth, predicted and speaker, by these or other usual names (:data:`NAMES`).
Columns fold and seed tell repeated answers to an utterance apart. What a table
lacks of truth and speaker is taken from a corpus, see :func:`complete`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serlab.corpora import texts, words
from serlab.corpora.texts import Problem
from serlab.errors import CorpusError, ParameterError
from serlab.evaluation import intervals
from serlab.evaluation.differences import Difference, paired
from serlab.evaluation.scoring import measures
from serlab.evaluation.units import units_of
from serlab.labels import LabelScheme
from serlab.protocols import FoldIs

#: What is asked of a table -> names of columns that are taken for it, in any case.
NAMES: dict[str, tuple[str, ...]] = {
    "utterance": ("utterance", "file", "path", "filename", "file_name", "audio", "wav", "id", "name"),
    "truth": ("truth", "true", "y_true", "label", "target", "reference", "gold", "emotion"),
    "predicted": ("predicted", "prediction", "predictions", "pred", "y_pred", "hypothesis", "answer"),
    "speaker": ("speaker", "speaker_id", "spk", "speakerid"),
    "fold": ("fold",),
    "seed": ("seed", "run", "repeat"),
    "start": ("start",),
    "end": ("end",),
}
_NEEDED = ("utterance", "truth", "predicted", "speaker")


@dataclass(frozen=True)
class Answers:
    """Answers of one method.

    Attributes
    ----------
    name : str
    table : DataFrame
        utterance, truth, predicted, speaker, fold, seed.
    left_out : int
        Answers to utterances that have no class in the label scheme; they are not in the table.
    """

    name: str
    table: pd.DataFrame
    left_out: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels that occur as truth or answer, sorted."""
        return tuple(sorted({*self.table["truth"], *self.table["predicted"]}))

    @property
    def speakers(self) -> pd.Series:
        """Utterance -> speaker."""
        return self.table.drop_duplicates("utterance").set_index("utterance")["speaker"]


def read(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    corpus: pd.DataFrame | None = None,
    method: str | None = None,
    scheme: LabelScheme | None = None,
) -> Answers:
    """Read predictions.

    Parameters
    ----------
    path : path
        CSV, or Parquet by its ending.
    columns : mapping of str to str, optional
        Key of :data:`NAMES` -> name of the column, where it is another one.
    corpus : DataFrame, optional
        Utterances with a column ``emotion``, for speaker and truth where the table has none.
    method : str, optional
        Whose answers, where a column ``method`` names several.
    scheme : LabelScheme, optional
        Classes that truth and answers are brought to, whoever says them. An answer that the scheme leaves
        out is a wrong one.

    Returns
    -------
    Answers
        Labels are in serlab's words where each has one of its own, else as they are.

    Raises
    ------
    CorpusError
        Naming the column that is missing, or all lines that cannot be used.
    ParameterError
        If ``columns`` names what is not there, or the scheme does not know a label of the truth.
    """
    path = Path(path).expanduser().absolute()
    sheet = _of_method(_sheet(path), method)
    chosen = _columns(path, sheet.columns, columns or {})
    lines = [line for line, _ in sheet.rows]
    table = pd.DataFrame([cells for _, cells in sheet.rows], columns=sheet.columns, dtype=object)
    found = pd.DataFrame({key: table[column] for key, column in chosen.items()}, dtype=object)
    if "utterance" in found:
        found["utterance"] = _named(found)
    found = found.drop(columns=["start", "end"], errors="ignore")
    said = "truth" in found
    if corpus is not None:
        found = complete(path, found, corpus)
    n = len(found)
    if scheme is not None and {"truth", "predicted"} <= {*found}:
        found = found.assign(
            truth=_classes(path, found["truth"], scheme, strict=said),
            predicted=_classes(path, found["predicted"], scheme, strict=False),
        )
        kept = found["truth"].notna().to_numpy()
        found, lines = found[kept], [line for line, own in zip(lines, kept, strict=True) if own]
    missing = [key for key in _NEEDED if key not in found]
    if missing:
        raise CorpusError(
            f"{path}: no column for {' and '.join(missing)} among {', '.join(sheet.columns)}; name the "
            "columns (NAME=COLUMN), or the corpus that knows (speaker and truth)"
        )
    problems = [*sheet.problems]
    for key in found:
        # What is no word or number is missing.
        empty = found[key].isna() | (found[key] == "")
        text = f"empty; give the {key} or take the line out"
        problems += [Problem(line, text, chosen.get(key, key)) for line in pd.Series(lines)[empty.to_numpy()]]
    found = found.assign(**{key: "1" for key in ("fold", "seed") if key not in found})
    again = found.duplicated(["utterance", "fold", "seed"])
    problems += [
        Problem(line, f"{name!r} once more; columns fold or seed tell repeated answers apart", "utterance")
        for line, name in zip(pd.Series(lines)[again.to_numpy()], found.loc[again, "utterance"], strict=True)
    ]
    problems += _changing(found, lines)
    texts.refuse(path, problems)
    if found.empty:
        why = f"has no answer to an utterance with a class in scheme {scheme.name!r}" if scheme and n else ""
        raise CorpusError(f"{path} {why or 'has a header but no rows'}")
    if scheme is None:
        found["truth"], found["predicted"] = _in_words(found["truth"], found["predicted"])
    table = found[[*_NEEDED, "fold", "seed"]].reset_index(drop=True)
    return Answers(method or path.stem, table, n - len(table))


def complete(path: Path, table: pd.DataFrame, corpus: pd.DataFrame) -> pd.DataFrame:
    """Add speaker and truth of a corpus to answers, where they have none.

    An utterance is found by its name in serlab, by its path, or by the end of
    either (folders, suffix and the corpus' name may be missing), if only one fits.

    Raises
    ------
    CorpusError
        Naming an utterance that is not found, or that several fit.
    """
    if "utterance" not in table:
        raise CorpusError(f"{path}: no column for utterance; it is needed to find them in the corpus")
    ends: dict[str, set[str]] = {}
    for name, row in zip(corpus.index, corpus[["path", "start"]].itertuples(index=False), strict=True):
        for whole in {name, *(() if pd.notna(row.start) else (_stem(str(row.path)),))}:
            parts = whole.split("/")
            for first in range(len(parts)):
                ends.setdefault("/".join(parts[first:]), set()).add(name)
    found: list[str] = []
    for asked in table["utterance"]:
        fits = ends.get(asked) or ends.get(_stem(asked)) or set()
        # A path of another machine: as much of its end as fits one only.
        parts = _stem(asked).split("/")
        while not fits and len(parts) > 1:
            parts = parts[1:]
            fits = ends.get("/".join(parts), set())
        if len(fits) != 1:
            why = "is none of the corpus" if not fits else f"may be any of {', '.join(sorted(fits)[:3])}"
            raise CorpusError(f"{path}: utterance {asked!r} {why}; use its names, see the corpus' table")
        found.extend(fits)
    table = table.assign(utterance=found)
    own = corpus.loc[found]
    if "speaker" not in table:
        table = table.assign(speaker=own["speaker"].to_list())
    if "truth" not in table:
        table = table.assign(truth=own["emotion"].astype(object).to_list())
    return table


def measure(answers: Answers, *, level: float = intervals.LEVEL) -> pd.DataFrame:
    """UAR, accuracy, macro F1 and recall of each class, with intervals clustered by speaker.

    Returns
    -------
    DataFrame
        measure, value, low, high, n (answers it is of); a class that is never true has no row.
    """
    table, classes = _numbered(answers, answers.classes), answers.classes
    kinds = units_of(table, answers.speakers, fold_is=fold_is(answers))
    n = answers.table["truth"].value_counts()
    rows = []
    for name, value, low, high in measures(table, kinds, classes, level):
        own = name.removeprefix("recall_") if name.startswith("recall_") else None
        if own is None or own in n:
            rows.append((name, value, low, high, int(n[own]) if own else len(table)))
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high", "n"])


def fold_is(answers: Answers) -> FoldIs:
    """Whether folds are training subjects: they are named after speakers, who are not tested in their own.

    Then intervals speak of other training subjects, too, as those of a run do.
    """
    table = answers.table
    fold, speaker = table["fold"].astype(str), table["speaker"].astype(str)
    named = fold.nunique() > 1 and set(fold) <= set(speaker)
    return "subject" if named and (fold != speaker).all() else "part"


def confusion(answers: Answers) -> pd.DataFrame:
    """Answers by truth (rows) and answer (columns)."""
    classes = list(answers.classes)
    counts = pd.crosstab(answers.table["truth"], answers.table["predicted"])
    return counts.reindex(index=classes, columns=classes, fill_value=0)


def difference(one: Answers, other: Answers, *, level: float = intervals.LEVEL) -> Difference:
    """UAR of one minus that of the other, paired by speaker, over the cells that both answered.

    Raises
    ------
    CorpusError
        If they take different labels for the truth, or have no utterance in common.
    """
    truth, truth_other = (
        a.table.drop_duplicates("utterance").set_index("utterance")["truth"] for a in (one, other)
    )
    common = truth.index.intersection(truth_other.index)
    if common.empty:
        raise CorpusError(f"{one.name} and {other.name} have no utterance in common; name them alike in both")
    off = common[(truth[common] != truth_other[common]).to_numpy()]
    if len(off):
        raise CorpusError(
            f"{one.name} and {other.name} differ in the truth of {len(off)} utterances, the first is "
            f"{off[0]!r}: {truth[off[0]]} and {truth_other[off[0]]}; score both against one truth"
        )
    classes = tuple(sorted({*one.classes, *other.classes}))
    both = pd.concat(
        [_numbered(a, classes).assign(method=name) for a, name in ((one, "one"), (other, "other"))],
        ignore_index=True,
    )
    return paired(both, one.speakers, method="one", control="other", fold_is=fold_is(one), level=level)


def _sheet(path: Path) -> texts.Sheet:
    """CSV or Parquet as cells of text."""
    if path.suffix.lower() != ".parquet":
        return texts.sheet(path)
    import pyarrow
    from pyarrow import parquet

    try:
        if not path.is_file():
            raise CorpusError(f"no such file: {path}")
        table = parquet.read_table(path).to_pandas().reset_index(drop=True)
    except (OSError, pyarrow.ArrowException) as error:
        raise CorpusError(f"{path} is no Parquet file ({error}); write it again, or as CSV") from None
    columns = tuple(map(str, table.columns))
    table.columns = pd.Index(columns)
    table = _of_serlab(table)
    cells = table.astype(object).where(table.notna(), "").astype(str)
    rows = tuple((number, row) for number, row in enumerate(cells.to_dict("records"), start=1))
    return texts.Sheet(path=path, columns=columns, rows=rows)


def _of_method(sheet: texts.Sheet, method: str | None) -> texts.Sheet:
    """Rows of one method."""
    names = dict.fromkeys(cells["method"] for _, cells in sheet.rows) if "method" in sheet.columns else {}
    if method is None and len(names) < 2:
        return sheet
    if method not in names:
        asked = "several methods" if method is None else f"no method {method!r}"
        raise ParameterError(f"{sheet.path} has {asked}; choose one of {', '.join(names) or '(none)'}")
    rows = tuple(row for row in sheet.rows if row[1]["method"] == method)
    return texts.Sheet(sheet.path, sheet.columns, rows, sheet.notes, sheet.problems)


def _of_serlab(table: pd.DataFrame) -> pd.DataFrame:
    """Names of classes instead of their numbers, where the probabilities name them."""
    classes = [column[2:] for column in table.columns if column.startswith("p_")]
    if not classes or not {"y_true", "y_pred"} <= {*table.columns}:
        return table
    names = dict(enumerate(classes))
    return table.assign(**{key: table[key].map(names) for key in ("y_true", "y_pred")})


def _columns(path: Path, there: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Key of NAMES -> column."""
    for key, column in asked.items():
        if key not in NAMES:
            raise ParameterError(f"{key!r} is none of {', '.join(NAMES)}")
        if column not in there:
            raise ParameterError(f"{path} has no column {column!r}; it has {', '.join(there)}")
    chosen = dict(asked)
    for key, names in NAMES.items():
        if key in chosen:
            continue
        fits = [column for column in there if column.lower() in names and column not in chosen.values()]
        # The first of the usual names that is there; the same name in two cases is not guessed about.
        fits.sort(key=lambda column: names.index(column.lower()))
        if len(fits) > 1 and fits[0].lower() == fits[1].lower():
            raise ParameterError(f"{path}: columns {fits[0]!r} and {fits[1]!r} may both be {key}; name one")
        if fits:
            chosen[key] = fits[0]
    return chosen


def _named(found: pd.DataFrame) -> pd.Series:
    """Utterances by name; parts of one file by their times, too."""
    names = found["utterance"]
    if not {"start", "end"} <= {*found.columns}:
        return names
    return names + [f"@{a}-{b}" if a or b else "" for a, b in zip(found["start"], found["end"], strict=True)]


def _stem(text: str) -> str:
    name = text.replace("\\", "/").strip("/")
    return posixpath.splitext(name)[0]


def _changing(table: pd.DataFrame, lines: Sequence[int]) -> list[Problem]:
    """Utterances whose truth or speaker is not the same in all lines."""
    problems = []
    for key in ("truth", "speaker"):
        first = table.groupby("utterance", sort=False)[key].transform("first")
        off = (table[key] != first) & table[key].notna() & first.notna()
        for line, name in zip(pd.Series(lines)[off.to_numpy()], table.loc[off, "utterance"], strict=True):
            problems.append(Problem(line, f"another {key} of {name!r} than above; an utterance has one", key))
    return problems


def _in_words(truth: pd.Series, predicted: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Labels in serlab's words, unless two of the truth have the same: then they are classes apart.

    One that has no word stays as it is.
    """
    known = {
        label: words.find(label, words.EMOTIONS_BY_WORD) or label
        for label in {*truth.unique(), *predicted.unique()}
    }
    apart = [known[label] for label in truth.unique()]
    if len(set(apart)) < len(apart):
        return truth, predicted
    return truth.map(known), predicted.map(known)


def _classes(path: Path, said: pd.Series, scheme: LabelScheme, *, strict: bool) -> pd.Series:
    """Classes of a scheme for labels; missing where it leaves one out, of the truth.

    What is empty stays so. A label that the scheme does not know is refused where ``strict``, else it
    stays: it is no right answer.
    """
    known: dict[str, str | None] = {}
    for label in said.dropna().unique():
        word = words.find(str(label), words.EMOTIONS_BY_WORD) or str(label)
        if word in scheme.classes or not label:
            known[label] = word
        elif word in scheme.mapping:
            known[label] = scheme.mapping[word] or (None if strict else word)
        elif strict:
            raise ParameterError(
                f"{path}: scheme {scheme.name!r} does not know the truth {label!r}; it has the classes "
                f"{', '.join(scheme.classes)}. Choose another scheme, or leave it out"
            )
        else:
            known[label] = word
    return said.map(known).astype(object)


def _numbered(answers: Answers, classes: Sequence[str]) -> pd.DataFrame:
    number = {name: position for position, name in enumerate(classes)}
    table = answers.table
    return table.assign(y_true=table["truth"].map(number), y_pred=table["predicted"].map(number))
