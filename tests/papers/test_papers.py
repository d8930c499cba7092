"""One contract for all papers; their numbers, copied out once more by hand; and what is set beside them."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serlab import experiment, labels, methods, papers, plotting
from serlab.asr.settings import PRESETS
from serlab.corpora import iemocap
from serlab.errors import ParameterError
from serlab.normalization import SCOPES
from serlab.papers import andova_lustrek, baklouti, base, durrani_arshad, emobox, neumann_vu, zhou_beigi

ALL = pytest.mark.parametrize("paper", papers.PAPERS.values(), ids=papers.PAPERS)
ROOT = Path(__file__).parents[2]
#: Metrics that are not shares between 0 and 1.
NOT_SHARES = {"count", "number of class", "least", "highest low", "greatest"}


def outcome(
    *,
    counts: dict[str, int] | None = None,
    n_classes: int = 4,
    duration: float = 2.0,
    measured: dict[str, float] | None = None,
    acoustic_model: dict[str, object] | None = None,
    not_run: int = 0,
    **chosen,
) -> SimpleNamespace:
    """What a paper asks of an experiment; every method has UAR .6 and accuracy .7."""
    parameters = experiment.Parameters.from_names(chosen)
    names = (parameters.target, *parameters.sources)
    corpus = np.concatenate([[name] * (counts or {}).get(name, 40) for name in names])
    emotion = pd.Categorical.from_codes(np.arange(len(corpus)) % n_classes, list("abcdefgh")[:n_classes])
    utterances = pd.DataFrame({"corpus": corpus, "emotion": emotion, "duration": duration})
    summary = pd.DataFrame({"method": parameters.methods})
    summary["title"] = [methods.get(name).title for name in parameters.methods]
    for name, value in {"uar": 0.6, "accuracy": 0.7}.items():
        summary[name], summary[f"{name}_low"], summary[f"{name}_high"] = value, value - 0.05, value + 0.05
    summary["accuracy_fold_mean"] = 0.65
    return SimpleNamespace(
        parameters=parameters,
        utterances=utterances,
        summary=summary,
        skipped_folds=pd.DataFrame({"method": ["all"] * not_run}),
        facts={} if acoustic_model is None else {"acoustic_model": acoustic_model},
    )


def tdnn(corpora: list[str], hours: float, *, ivectors: bool = True, **changed) -> dict[str, object]:
    settings = PRESETS["paper"].as_dict() | changed
    return {"corpora": corpora, "training_hours": hours, "ivectors": ivectors, "settings": settings}


#: Key -> a run as the paper printed it, as far as serlab can.
AS_PRINTED: dict[str, dict] = {
    "andova-lustrek": {
        "target": "savee", "sources": ("emodb",), "methods": ("rf-source", "rf-target"), "preset": "paper",
        "protocol": "one-subject", "counts": {"savee": 300, "emodb": 339},
    },
    "neumann-vu": {
        "target": "recola", "sources": ("iemocap",), "scheme": "arousal", "features": "logmel26",
        "methods": ("acnn-target", "acnn-source"), "baseline": "acnn-target", "protocol": "speaker-groups",
        "seeds": range(5), "preset": "paper", "counts": {"recola": 1308, "iemocap": 10039}, "n_classes": 2,
    },
    "durrani-arshad": {
        "target": "urdu", "sources": ("iemocap",), "features": "harmonic", "methods": ("encdec-transfer",),
        "baseline": "encdec-target", "protocol": "random", "folds": 3, "preset": "paper", "seconds": 0.0,
        "counts": {"urdu": 400, "iemocap": 5531},
    },
    "baklouti": {
        "target": "emodb", "sources": ("ravdess",), "scheme": "baklouti", "methods": ("vgg16-mmd",),
        "features": "logmel64", "protocol": "random", "seeds": range(10), "preset": "paper",
        "weights": "download", "seconds": 0.0, "counts": {"emodb": 535, "ravdess": 1248}, "n_classes": 7,
    },
    "zhou-beigi": {
        "target": "iemocap", "scheme": "four-excited", "features": "mfcc40", "preset": "paper",
        "methods": ("tdnn-frozen-target",), "baseline": "tdnn-frozen-target", "protocol": "session-groups",
        "seconds": 0.0, "counts": {"iemocap": 4936}, "acoustic_model": tdnn(["tedlium"], 207),
    },
}  # fmt: skip

#: Key -> what always departs.
ALWAYS: dict[str, set[str]] = {
    "andova-lustrek": set(),
    "neumann-vu": {"normalisation"},
    "durrani-arshad": {"normalisation"},
    "baklouti": set(),
    "zhou-beigi": {"optimiser of the pretraining", "units of the pretraining"},
}


# --- the contract of a paper ---------------------------------------------------


def test_every_folder_is_registered():
    here = Path(papers.__file__).parent
    folders = {path.parent.name for path in here.glob("*/__init__.py")}
    assert folders == {key.replace("-", "_") for key in papers.PAPERS}
    assert all(paper.key == key and papers.get(key) is paper for key, paper in papers.PAPERS.items())
    with pytest.raises(ParameterError, match="known: andova-lustrek, neumann-vu"):
        papers.get("neumann")


@ALL
def test_record_names_what_there_is(paper):
    (notebook,) = (ROOT / "notebooks").glob(f"{paper.notebook}_*.ipynb")
    assert f'papers.get(\\"{paper.key}\\")' in notebook.read_text(encoding="utf-8"), (
        "its notebook asks for it"
    )
    assert str(paper.year) in paper.citation and paper.title in paper.citation
    assert set(paper.methods) <= set(methods.METHODS)
    assert set(paper.nearest.values()) <= set(paper.rows)
    for by_method in (paper.rebuilt, paper.weighed, paper.normalized, paper.changed):
        assert set(by_method) <= set(paper.methods)
    assert all(paper.rebuilt.values()), "what it rests on"
    assert set(paper.protocol.schemes) <= set(labels.SCHEMES)
    for by_row in (paper.protocol.features, paper.protocol.splits):
        assert set(by_row) <= {"", *paper.rows}
    order = [paper.rows[row] for row in dict.fromkeys(paper.nearest.values())]
    assert len(order) == len(set(order))


@ALL
def test_published_rows_have_the_common_columns(paper):
    cells = paper.published
    assert set(base.PUBLISHED) <= set(cells)
    assert (cells[["where", "target", "metric"]] != "").all(axis=None)
    assert cells["where"].str.match(r"(table|section|footnote) \d|abstract|single-corpus").all()
    shares = cells[~cells["metric"].isin(NOT_SHARES)]["value"]
    assert shares.dropna().between(0, 1).all()
    assert (cells["value"].isna() == (cells["note"] == "printed as NA")).all()
    assert not cells.duplicated([name for name in cells if name not in ("value", "deviation", "note")]).any()
    compared = cells[cells["method"].isin(paper.rows)]
    assert set(paper.measures) <= set(compared["metric"])


@ALL
def test_its_tables_are_for_a_reader(paper):
    tables = paper.tables()
    assert tables and all(caption and len(table) for caption, table in tables.items())
    for table in tables.values():
        table["mine"] = 0
    assert not any("mine" in table for table in paper.tables().values()), "nobody changes what others read"


@ALL
def test_contradictions_and_choices_say_where(paper):
    found = paper.contradictions
    assert list(found) == list(base.CONTRADICTIONS)
    assert (found[["subject", "says", "where", "our_reading"]] != "").all(axis=None)
    assert found["subject"].is_unique
    open_points = paper.choices
    assert list(open_points) == list(base.CHOICES)
    assert (open_points[["open", "printed", "where", "serlab"]] != "").all(axis=None)
    assert open_points["open"].is_unique


@ALL
def test_what_can_be_run_follows_from_the_corpora(paper):
    needed = {name for pair in paper.protocol.pairs for name in pair[1:] if name}
    status = paper.not_run(sorted(needed))
    assert (status["status"] == "can be run").all()
    assert not status.duplicated(["experiment", "source", "target"]).any()
    without = paper.not_run([])["status"]
    assert without.str.startswith("not run: ").all() and without.str.endswith(" not installed").all()
    for pair in paper.protocol.pairs:
        printed = paper.published.query("source == @pair.source and target == @pair.target")
        assert len(printed) or pair.experiment == "cross-corpus", "of that it shows bars only"


@ALL
def test_counts_of_utterances_are_those_of_the_tables(paper):
    cells = paper.published.query("metric == 'count' and emotion != 'all'")
    cells = cells[cells.get("session", pd.Series("total", cells.index)) == "total"]
    dimensions = cells["dimension"].nunique() if "dimension" in cells else 1
    totals = (cells.groupby("target")["value"].sum() / dimensions).astype(int)
    assert totals.to_dict() == dict(paper.protocol.utterances)


@ALL
def test_beside_gives_one_row_a_method(paper):
    names = paper.methods or ("svm-target",)
    frames = any(methods.get(name).input == "frames" for name in names)
    ours = outcome(
        target="urdu", sources=("emodb",), methods=names, features="logmel26" if frames else "is10"
    )
    for metric in (None, *paper.measures):
        table = paper.beside(ours, metric=metric)
        assert table["method"].tolist() == list(paper.methods)
        assert (table["difference"] != "").all() and (table["row"] != "").all()
        assert table["measured"].notna().all()
        badged = table["badge"] == base.REBUILT
        assert table["method"][badged].tolist() == [name for name in paper.methods if name in paper.rebuilt]
        compared = table["published"].notna()
        for name, difference in zip(table["method"][compared], table["difference"][compared], strict=True):
            alone = not methods.get(name).uses_source
            expected = "urdu alone" if alone else "emodb to urdu"
            assert difference.startswith(f"other corpora: ours is {expected}, ") or (
                paper.key == "durrani-arshad" and "same " in difference.partition(";")[0]
            )
        assert (table["difference"][~compared] == "no number was published").all()
        figure = plotting.plot_published(table)
        named = [
            label.get_text().replace("\n", " ")
            for axes in figure.axes[:1]
            for label in axes.get_yticklabels()
        ]
        assert sum(f"[{base.REBUILT}]" in name for name in named) == badged.sum(), "also in the figure"
    with pytest.raises(ParameterError, match="do not print 'F0'"):
        paper.beside(ours, metric="F0")


@ALL
def test_what_was_not_run_has_no_number_and_stands_there_once(paper):
    table = paper.beside(outcome(target="urdu", sources=("emodb",), methods=("majority", "svm-target")))
    ran = table["method"].isin(["majority", "svm-target"])
    assert table["row"].tolist() == [paper.rows[row] for row in dict.fromkeys(paper.nearest.values())]
    assert table["measured"].notna().tolist() == ran.tolist()
    assert list(table) == [name for name in base.BESIDE if name in table]


# --- departures, case by case ----------------------------------------------------


def departures(key: str, **changed) -> dict[str, tuple[str, str, str]]:
    found = papers.get(key).departures(outcome(**AS_PRINTED[key] | changed))
    assert list(found) == ["what", "printed", "here", "methods"]
    return {row["what"]: (row["printed"], row["here"], row["methods"]) for row in found.to_dict("records")}


@pytest.mark.parametrize("key", AS_PRINTED)
def test_as_printed_nothing_departs_but_what_always_does(key):
    assert set(departures(key)) == ALWAYS[key]


def test_same_corpora_and_protocol_is_said_only_where_it_is_so():
    paper = papers.get("andova-lustrek")
    printed = paper.beside(outcome(**AS_PRINTED["andova-lustrek"])).set_index("method")
    assert printed.loc["rf-target", "difference"] == "same corpora and protocol"
    quick = paper.beside(outcome(**AS_PRINTED["andova-lustrek"] | {"features": "librosa"}))
    assert "same corpora; features: is10 there, librosa here" in quick["difference"].tolist()


_ACNN = "ACNN, source only"
CASES = [
    ("andova-lustrek", {"features": "librosa"}, {"features": ("is10", "librosa", "all")}),
    ("andova-lustrek", {"scheme": "seven"}, {"label scheme": ("four", "seven", "all")}),
    ("andova-lustrek", {"n_classes": 2}, {"classes": ("4 (chance 0.25)", "2 (chance 0.50)", "all")}),
    ("andova-lustrek", {"preset": "quick"}, {"settings": ("the paper's", "preset quick", "all")}),
    (
        "andova-lustrek",
        {"protocol": "loso"},
        {"split": ("one target subject trains, all others test", "loso", "all")},
    ),
    (
        "andova-lustrek",
        {"counts": {"savee": 300, "emodb": 300}},
        {"utterances of emodb": ("339", "300", "RF, source only")},
    ),
    (
        "andova-lustrek",
        {"counts": {"savee": 99, "emodb": 339}},
        {"utterances of savee": ("300", "99", "all")},
    ),
    (
        "andova-lustrek",
        {"sources": ("urdu",)},
        {"corpora": ("emodb to savee, emovo to savee, iemocap to savee", "urdu to savee", "RF, source only")},
    ),
    (
        "andova-lustrek",
        {"methods": ("rf-distribution", "majority")},
        {"bins": ("of each emotion by itself", "common to all emotions", "RF, distribution normalisation")},
    ),
    ("andova-lustrek", {"methods": ("majority",), "preset": "quick"}, {}),
    (
        "andova-lustrek",
        {"methods": ("dbn", "rf-target")},
        {
            "method": (
                "the original",
                "rebuilt from its description (Latif et al. 2018: abstract, and sizes as reported)",
                "DBN, fine-tuned",
            ),
        },
    ),
    (
        "andova-lustrek",
        {"methods": ("fcnn", "rf-target"), "preset": "quick"},
        {
            "normalisation": ("none mentioned", SCOPES["source"], "FCNN, output layer fine-tuned"),
            "class weights": (
                "none mentioned", "every class weighs the same", "FCNN, output layer fine-tuned"
            ),
            "settings": ("the paper's", "preset quick", "all"),
        },
    ),
    ("neumann-vu", {"padding": "masked"}, {"padding": ("zeros that are not masked", "masked", "all")}),
    (
        "neumann-vu",
        {"preset": "quick"},
        {
            "padding": ("zeros that are not masked", "masked", "all"),
            "settings": ("the paper's", "preset quick", "all"),
        },
    ),
    ("neumann-vu", {"seeds": (0,)}, {"repeats": ("5", "1", "all")}),
    ("neumann-vu", {"folds": 3}, {"folds": ("5", "3", "ACNN, target only")}),
    (
        "neumann-vu",
        {"protocol": "loso"},
        {"split": ("five folds of whole speakers", "loso", "ACNN, target only")},
    ),
    (
        "neumann-vu",
        {"protocol": "k-shot"},
        {"split": ("the whole target is tested", "k-shot", _ACNN)},
    ),
    ("neumann-vu", {"seconds": 3.0, "duration": 5.0}, {"cut at": ("7.5 s", "3 s", "all")}),
    ("neumann-vu", {"seconds": 3.0, "duration": np.nan}, {"cut at": ("7.5 s", "3 s", "all")}),
    ("neumann-vu", {"seconds": 3.0, "duration": 2.0}, {}),
    ("neumann-vu", {"features": "logmel40"}, {"features": ("26 log-mel bands", "logmel40", "all")}),
    ("neumann-vu", {"scheme": "four"}, {"label scheme": ("arousal or valence", "four", "all")}),
    ("neumann-vu", {"augment": ("noise-20",)}, {"augmentation": ("none mentioned", "noise-20", "all")}),
    ("durrani-arshad", {"methods": ("encdec-pooled",), "protocol": "joint"}, {}),
    ("durrani-arshad", {"protocol": "joint", "folds": 5}, {"folds": ("3", "5", "all")}),
    (
        "durrani-arshad",
        {"seconds": 3.0, "duration": 5.0},
        {"length": ("no cut mentioned", "cut at 3 s, 100% of the utterances are longer", "all")},
    ),
    (
        "durrani-arshad",
        {"preset": "quick"},
        {
            "class weights": ("none mentioned", "every class weighs the same", "all"),
            "settings": ("the paper's", "preset quick", "all"),
        },
    ),
    ("neumann-vu", {"seconds": 0.0, "duration": 9.0}, {"cut at": ("7.5 s", "nothing is cut", "all")}),
    ("neumann-vu", {"seconds": 0.0, "duration": 6.0}, {}),
    ("durrani-arshad", {"folds": 5}, {"folds": ("3", "5", "all")}),
    (
        "durrani-arshad",
        {"protocol": "speaker-groups"},
        {"split": ("three folds, speakers not mentioned", "speaker-groups", "all")},
    ),
    (
        "durrani-arshad",
        {"target": "savee", "counts": {"savee": 240, "iemocap": 5531}},
        {
            "utterances of savee": ("480", "240", "all"),
            "classes": ("7 (chance 0.14)", "4 (chance 0.25)", "all"),
        },
    ),
    (
        "baklouti",
        {"trade_off": 0.3, "preset": "quick"},
        {
            "lambda": (
                "the same throughout (equation 1)", "rising from 0 to 0.3 over the training", "all"
            ),
            "settings": ("the paper's", "preset quick", "all"),
        },
    ),
    ("baklouti", {"weights": ""}, {"first weights": ("learned from images", "random", "all")}),
    ("baklouti", {"seeds": (1, 2)}, {"repeats": ("10", "2", "all")}),
    (
        "baklouti",
        {"duration": 9.0, "seconds": 3.0},
        {"length": ("no cut mentioned", "cut at 3 s, 100% of the utterances are longer", "all")},
    ),
    ("baklouti", {"duration": np.nan, "seconds": 0.0}, {}),
    ("baklouti", {"duration": 9.0, "seconds": 0.0}, {}),
    (
        "baklouti",
        {"duration": np.nan, "seconds": 7.5},
        {"length": ("no cut mentioned", "cut at 7.5 s", "all")},
    ),
    (
        "baklouti",
        {"methods": ("light-mmd",), "features": "speechmel40"},
        {
            "network": ("VGG16", "the light network", "all"),
            "lambda": (
                "the same throughout (equation 1)", "rising from 0 to 1 over the training", "all"
            ),
            "normalisation": ("none mentioned", SCOPES["source"], "all"),
            "features": ("images of log-mel spectrograms", "speechmel40", "all"),
        },
    ),
    ("baklouti", {"target": "urdu", "counts": {"ravdess": 1248}},
     {"corpora": (
        "iemocap to emodb, emodb to iemocap, ravdess to emodb, emodb to ravdess", "ravdess to urdu", "all"
    )}),
    ("zhou-beigi", {"scheme": "four-merged"}, {"label scheme": ("four-excited", "four-merged", "all")}),
    ("zhou-beigi", {"protocol": "loso"}, {"split": ("leave one session out", "loso", "all")}),
    (
        "zhou-beigi",
        {"acoustic_model": tdnn(["ravdess"], 0.8, ivectors=False)},
        {
            "pretrained on": ("TED-LIUM 2, 207 h", "ravdess, 0.8 h", "all"),
            "i-vectors": ("appended to each frame", "none", "all"),
        },
    ),
    (
        "zhou-beigi",
        {
            "acoustic_model": tdnn(
                ["tedlium"], 207, loss="ctc", epochs=20, speed=[], n_components=64, leaky=None
            )
        },
        {
            "objective of the pretraining": ("lf-mmi", "ctc", "all"),
            "epochs of the pretraining": ("6", "20", "all"),
            "further speeds of the pretraining speech": ("0.9, 1.1", "none", "all"),
            "Gaussians of the i-vectors": ("512", "64", "all"),
            "leak of the denominator": ("0.1", "none", "all"),
        },
    ),
    ("zhou-beigi", {"protocol": "speaker-groups"}, {}),
    ("neumann-vu", {"target": "iemocap", "sources": ("recola",), "protocol": "session-groups"}, {}),
    (
        "andova-lustrek",
        {"not_run": 26},
        {"folds that could not be run": ("none mentioned", "26", "all")},
    ),
    ("zhou-beigi", {"counts": {"iemocap": 5531}}, {"utterances of iemocap": ("4936", "5531", "all")}),
    (
        "zhou-beigi",
        {"target": "ravdess", "counts": {}},
        {"corpora": ("iemocap alone", "ravdess alone", "all")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "changed", "expected"), CASES)
def test_each_departure_is_named(key, changed, expected):
    found = departures(key, **changed)
    assert {what: texts for what, texts in found.items() if what not in ALWAYS[key]} == {
        what: texts for what, texts in expected.items() if what not in ALWAYS[key]
    }
    # What departs is also said in the rows that it is true of, where the paper has a number.
    table = papers.get(key).beside(outcome(**AS_PRINTED[key] | changed)).set_index("title")
    for what, (printed, here, of) in expected.items():
        for title in papers_titles(key, changed) if of == "all" else [of]:
            difference = table.loc[title, "difference"]
            if what != "corpora" and difference != "no number was published":
                assert f"{what}: {printed} there, {here} here" in difference


def papers_titles(key: str, changed: dict) -> list[str]:
    chosen = AS_PRINTED[key] | changed
    return [methods.get(name).title for name in chosen["methods"]]


# --- whether classes weigh the same here is what the networks do -------------------------


@ALL
def test_networks_that_are_said_to_weigh_classes_do(paper):
    weighs = {}
    for name in paper.methods:
        found = set(_balanced(_built(name, "demo")))
        if found:
            weighs[name] = True in found
    assert all(weight == (name in paper.weighed) for name, weight in weighs.items()), weighs
    as_printed = {name: set(_balanced(_built(name, "paper"))) for name in weighs}
    assert all(found == {False} for found in as_printed.values()), "no paper mentions weights of its classes"


def _built(name: str, preset: str):
    from serlab.training import Fitting

    spec = methods.get(name)
    options = {
        option: value
        for option, value in {"trade_off": 1.0, "weights": None, "encoder": "", "padding": ""}.items()
        if option in spec.options
    }
    if "acoustic_model" in spec.options:
        return None
    return spec.build(n_classes=4, seed=0, preset=preset, fitting=Fitting(), **options)


def _balanced(thing: object, depth: int = 0):
    """Settings of networks and support vector machines inside a method."""
    if depth > 4 or not hasattr(thing, "__dict__"):
        return
    for name, value in vars(thing).items():
        if name == "balanced":
            yield bool(value)
        elif name == "class_weight":
            yield value == "balanced"
        else:
            yield from _balanced(value, depth + 1)


# --- Andova & Lustrek ---


def test_andova_lustrek_tables_are_whole():
    cells = andova_lustrek.PAPER.published
    assert cells.groupby("where").size().to_dict() == {"table 1": 16, "table 2": 24, "table 3": 30}
    counts = cells[(cells["where"] == "table 1") & (cells["target"] == "emodb")]
    assert counts["value"].tolist() == [79, 127, 71, 62]
    assert counts["emotion"].tolist() == ["neutral", "anger", "joy", "sadness"]
    assert andova_lustrek.published_accuracies().shape == (9, 7)
    assert andova_lustrek.PAPER.methods == methods.GROUPS["andova-lustrek"]


def test_andova_lustrek_contradictions_hold_in_the_tables():
    said = andova_lustrek.PAPER.contradictions.set_index("subject")
    wide = andova_lustrek.published_accuracies().set_index("title")
    reached = wide.columns[wide.loc["scenario 1"] >= wide.loc["majority"]]
    named = {"emovo to savee": "EMOVO to SAVEE", "emodb to iemocap": "EmoDB to IEMOCAP",
             "emovo to iemocap": "EMOVO to IEMOCAP"}  # fmt: skip
    assert set(reached) == set(named), "all cells of which the text is not true are named"
    for pair, words in named.items():
        cells = wide.loc[["scenario 1", "majority"], pair]
        assert said.loc[f"scenario 1, {words}", "against"].startswith(
            f"{cells.iloc[0]:.2f} against {cells.iloc[1]:.2f}"
        )
    noted = andova_lustrek.PAPER.published.query("note != ''")
    assert len(noted) == 7 and (noted.query("where == 'table 2'")["method"] == "rf-source").all()
    native = {iemocap.LABELS[label]: n for label, n in iemocap.EXPECTED.items()}
    four = [native[name] for name in ("neutral", "anger", "joy", "sadness")]
    against = said.loc["utterances of IEMOCAP", "against"]
    assert f"{sum(four)}: {', '.join(map(str, four))}" in against


def test_andova_lustrek_beside_ours():
    paper, chosen = andova_lustrek.PAPER, AS_PRINTED["andova-lustrek"]
    far = paper.beside(outcome(**chosen | {"target": "far", "sources": ("near",)})).set_index("method")
    alone = far.index.isin(["majority", "rf-target"])
    start = "other corpora: ours is near to far, published is the mean of the paper's 6 pairs"
    assert far["difference"][~alone].str.startswith(start).all()
    start = "other corpora: ours is far alone, published is the mean of the paper's 2 corpora"
    assert far["difference"][alone].str.startswith(start).all()
    assert np.isnan(far.loc["dbn", "measured"]), "what was not run has no number"
    assert far.loc["dbn", "published"] == pytest.approx((0.2 + 0.3 + 0.2 + 0.33 + 0.3 + 0.27) / 6)
    assert far.loc["dbn", "published_range"] == "0.20 to 0.33"
    same = paper.beside(outcome(**chosen)).set_index("method")
    assert same.loc["rf-source", ["published", "measured"]].tolist() == [0.29, 0.65], "mean of the folds"
    assert "low" not in same, "the mean of folds has no interval"
    status = paper.not_run(["emodb", "savee"])[["source", "target", "status"]]
    assert status.iloc[0].tolist() == ["emodb", "savee", "can be run"]
    assert status.iloc[1]["status"] == "not run: emovo not installed" and len(status) == 6


def test_figure_one_shows_loudness():
    assert (
        andova_lustrek.figure_one_feature(["a", "pcm_loudness_sma_amean", "level"])
        == "pcm_loudness_sma_amean"
    )
    assert andova_lustrek.figure_one_feature(["a", "band.level", "energy"]) == "band.level"
    assert andova_lustrek.figure_one_feature(["a", "b"]) == "a"


# --- Neumann & Vu ---


def test_neumann_vu_table_2_is_whole():
    table = neumann_vu.published_table().set_index("method")
    expected = [
        [0.6809, 0.6233, 0.6077, 0.5230],
        [0.7006, 0.6173, 0.6251, 0.4933],
        [0.5932, 0.4908, 0.6127, 0.4752],
        [0.6703, 0.5042, 0.6307, 0.4981],
    ]
    columns = ["iemocap arousal", "iemocap valence", "recola arousal", "recola valence"]
    np.testing.assert_array_equal(table[columns].to_numpy(), expected)
    assert list(table.index) == ["acnn-target", "acnn-pooled", "acnn-source", "acnn-finetuned"]


def test_neumann_vu_counts_add_up_to_the_corpora():
    counts = neumann_vu.PAPER.published.query("metric == 'count'")
    totals = counts.groupby(["target", "dimension"])["value"].sum()
    assert totals["iemocap"].tolist() == [10039, 10039]
    assert totals["recola"].tolist() == [1308, 1308]


def test_neumann_vu_below_chance_is_noted_exactly_where_it_is():
    cells = neumann_vu.PAPER.published.query("where == 'table 2'")
    assert (cells["note"].eq("below chance") == (cells["value"] < 0.5)).all()


def test_neumann_vu_numbers_of_the_text():
    text = neumann_vu.PAPER.published.query("where in ['section 5', 'section 6']")
    assert text["value"].tolist() == [0.6820, 0.5877, 0.731, 0.05, 0.312]


def test_neumann_vu_beside_ours():
    chosen = AS_PRINTED["neumann-vu"] | {"methods": ("acnn-target", "acnn-source")}
    same = neumann_vu.PAPER.beside(outcome(**chosen)).set_index("method")
    assert same["published"].tolist() == pytest.approx([0.6077, 0.6251, 0.6127, 0.6307, 0.682])
    assert same.loc["acnn-target-1308", "difference"].startswith("other corpora: ours is recola alone")
    same = same.drop(index="acnn-target-1308")
    assert same["difference"].str.startswith("same corpora").all()
    assert same["difference"].str.contains("not printed: RECOLA's five groups of speakers").all()
    assert same.loc["acnn-target", ["measured", "low", "high"]].tolist() == pytest.approx([0.6, 0.55, 0.65])
    assert same["measured"].isna().tolist() == [False, True, False, True]
    assert same.loc["acnn-pooled", "title"] == "multilingual", "the paper's name, where there is none of ours"
    chosen |= {"target": "urdu", "sources": ("emodb",), "scheme": "valence", "counts": {}}
    other = neumann_vu.PAPER.beside(outcome(**chosen))
    row = other.set_index("method").loc["acnn-source"]
    assert row["published"] == pytest.approx((0.4908 + 0.4752) / 2)
    assert row["published_range"] == "0.48 to 0.49"
    assert (
        "other corpora: ours is emodb to urdu, published is the mean of the paper's 2 pairs"
        in row["difference"]
    )
    assert "below chance" not in row["difference"], "a note on a cell that is not shown"
    assert isinstance(plotting.plot_published(other, metric="UAR", chance=0.5), plotting.Figure)


def test_without_source_the_mono_lingual_cell_is_the_same_corpora():
    chosen = AS_PRINTED["neumann-vu"] | {"target": "iemocap", "sources": (), "methods": ("acnn-target",)}
    table = neumann_vu.PAPER.beside(outcome(**chosen))
    assert table.loc[0, "published"] == 0.6809
    assert table.loc[0, "published_range"] == ""


def test_neumann_vu_prints_nothing_for_named_emotions():
    chosen = AS_PRINTED["neumann-vu"] | {"scheme": "four", "n_classes": 4}
    table = neumann_vu.PAPER.beside(outcome(**chosen))
    assert table["published"].isna().all() and (table["difference"] == "no number was published").all()


# --- Durrani & Arshad ---


def test_durrani_arshad_numbers_with_where_each_stands():
    cells = durrani_arshad.PAPER.published
    found = {(c["where"], c["target"], c["metric"]): c["value"] for c in cells.to_dict("records")}
    assert found == {
        ("table 1", "savee", "count"): 480,
        ("table 1", "emovo", "count"): 588,
        ("table 1", "urdu", "count"): 400,
        ("table 1", "iemocap", "count"): 5531,
        ("abstract", "savee", "accuracy"): 0.6045,
        ("abstract", "emovo", "accuracy"): 0.6805,
        ("abstract", "urdu", "accuracy"): 0.8034,
        ("abstract", "iemocap", "accuracy"): 0.5658,
        ("abstract", "urdu", "UAR"): 0.6932,
        ("abstract", "emovo", "UAR"): 0.682,
        ("table 2", "savee", "UAR"): 0.6852,
        ("table 2", "emovo", "UAR"): 0.7041,
        ("table 2", "urdu", "UAR"): 0.6932,
        ("section 4.4", "urdu", "UAR"): 0.6932,
        ("section 4.4", "savee", "UAR"): 0.6852,
        ("section 4.4", "emovo", "UAR"): 0.6852,
    }
    wide = durrani_arshad.published_table().set_index("target")
    emovo = wide.loc["emovo"].dropna().tolist()
    assert sorted(emovo) == [0.6805, 0.682, 0.6852, 0.7041]


def test_durrani_arshad_beside_ours():
    paper, chosen = durrani_arshad.PAPER, AS_PRINTED["durrani-arshad"]
    chosen = chosen | {"methods": ("encdec-target", "encdec-transfer", "dbn-target")}
    uar = paper.beside(outcome(**chosen)).set_index("method")
    assert uar.loc["encdec-transfer", ["published", "measured"]].tolist() == [0.6932, 0.6]
    assert np.isnan(uar.loc["dbn-target", "published"]), "figures without numbers are not guessed"
    assert uar.loc["dbn-target", "difference"] == "no number was published"
    other = paper.beside(outcome(**chosen | {"sources": ("emodb",)})).set_index("method")
    assert other.loc["encdec-transfer", "published"] == 0.6932
    assert (
        "another source: ours is emodb to urdu, the paper's source is iemocap"
        in other.loc["encdec-transfer", "difference"]
    )
    alone = {"sources": (), "methods": ("encdec-target", "dbn-target")}
    within = paper.beside(outcome(**chosen | alone), metric="accuracy")
    assert within.set_index("method").loc["encdec-target", ["published", "measured"]].tolist() == [
        0.8034,
        0.7,
    ]
    assert isinstance(plotting.plot_published(within), plotting.Figure)
    status = paper.not_run(["urdu", "emovo"]).set_index(["experiment", "source", "target"])["status"]
    assert status["same corpus", "", "urdu"] == "can be run"
    assert status["cross-corpus", "emovo", "urdu"] == "can be run"
    assert status["transfer", "iemocap", "urdu"] == "not run: iemocap not installed"


def test_what_was_tried_is_one_row_a_network():
    tried = durrani_arshad.tuning()
    assert list(tried.columns[:4]) == ["corpus", "units", "learning rate", "10 epochs"]
    assert set(tried["corpus"]) == {"emodb", "ravdess"} and not tried.isna().any(axis=None)
    assert "urdu" not in set(tried["corpus"]), "the target of the paper's transfer is never looked at"
    best = tried.loc[tried["50 epochs"].idxmax()]
    assert tried.select_dtypes("number").drop(columns="units").le(1).all(axis=None) and best["units"] in (
        32,
        64,
    )


def test_durrani_arshad_figures_without_numbers():
    figures = durrani_arshad.figures_without_numbers()
    assert figures["figure"].tolist() == ["figure 3", "figure 4", "figure 5", "figure 6"]
    assert (figures["status"] == "bars without numbers").all()


# --- Baklouti et al. ---


def cell(table: int, task: int, method: str, metric: str = "UAR") -> float:
    """In points of percent."""
    found = baklouti.PAPER.published.set_index(["where", "task", "method", "metric"])["value"]
    return 100 * found.loc[(f"table {table}", str(task), method, metric)].item()


def test_baklouti_tables_are_whole():
    cells = baklouti.PAPER.published
    sizes = {1: 24, 2: 7, 3: 63, 4: 40, 5: 84, 6: 8}
    assert cells.groupby("where").size().to_dict() == {f"table {n}": size for n, size in sizes.items()}
    keys = ["where", "task", "source", "target", "method", "metric", "emotion"]
    assert not cells.duplicated(keys).any()
    tasks = cells[cells["task"] != ""][["task", "source", "target"]].drop_duplicates()
    assert {int(t): (s, g) for t, s, g in tasks.to_numpy()} == baklouti.TASKS


def test_baklouti_table_4():
    table = baklouti.published_table(4).set_index(["task", "method"])
    assert list(table) == ["UAR", "UAR deviation", "accuracy", "accuracy deviation"]
    own = table.xs(baklouti.ROWS["da-tl"], level="method").to_numpy()
    nan = np.nan
    expected = [
        [0.501, 0.008, 0.5074, 0.003],
        [0.5, 0.005, 0.5002, 0.004],
        [0.58, nan, 0.57, nan],
        [0.5, nan, 0.5, nan],
    ]
    np.testing.assert_array_equal(own, expected)
    first = table.loc["1: iemocap to emodb"]
    assert first["UAR"].tolist() == [0.421, 0.425, 0.432, 0.443, 0.461, 0.483, 0.501]
    assert first["UAR deviation"].tolist() == [0.018, 0.021, 0.023, 0.017, 0.016, 0.015, 0.008]
    assert first["accuracy"].dropna().tolist() == [0.4199, 0.5074]
    second = table.loc["2: emodb to iemocap"]
    assert second["UAR"].tolist() == [0.389, 0.395, 0.401, 0.403, 0.412, 0.448, 0.5]
    for task, uar, accuracy in (
        (3, [0.42, 0.48, 0.58], [0.45, 0.48, 0.57]),
        (4, [0.44, 0.46, 0.5], [0.41, 0.44, 0.5]),
    ):
        part = table.loc[f"{task}: {' to '.join(baklouti.TASKS[task])}"]
        assert (part["UAR"].tolist(), part["accuracy"].tolist()) == (uar, accuracy)


def test_baklouti_tables_2_3_5_and_6():
    second = baklouti.published_table(2)
    assert second["accuracy"].tolist() == [0.77, 0.8194, 0.8224, 0.63, 0.785, 0.75, 0.8317]
    third = baklouti.published_table(3).set_index(["corpus", "metric"])
    recall = third.loc[("iemocap", "recall"), ["anger", "joy", "excitement", "sadness", "frustration"]]
    assert recall.tolist() == [0.85, 0.83, 0.5, 0.73, 0.58]
    assert third.loc[("emodb", "precision"), "disgust"] == third.loc[("ravdess", "precision"), "fear"] == 1
    sixth = baklouti.published_table(6)[["accuracy", "UAR"]].to_numpy()
    np.testing.assert_array_equal(
        sixth, [[0.458, 0.4473], [0.5074, 0.501], [0.5047, 0.5065], [0.5347, 0.5801]]
    )
    fifth = baklouti.published_table(5).set_index(["task", "method", "metric"])
    last = fifth.loc[("3: ravdess to emodb", baklouti.ROWS["tl"])]
    assert last.loc["recall"].tolist() == [0.57, 0.42, 0.5, 0.44, 0.27, 0.83, 0.42]
    assert fifth.loc[("1: iemocap to emodb", baklouti.ROWS["da-tl"], "recall"), "boredom"] == 0.55


def test_baklouti_f1_follows_from_precision_and_recall_but_for_the_cell_that_is_noted():
    cells = baklouti.PAPER.published.query("where in ['table 3', 'table 5']")
    wide = cells.pivot(
        index=["where", "task", "target", "method", "emotion"], columns="metric", values="value"
    )
    f1 = 2 * wide["precision"] * wide["recall"] / (wide["precision"] + wide["recall"])
    wrong = wide.index[(f1 - wide["F1"]).abs() > 0.011]  # three roundings
    assert list(wrong) == [("table 5", "3", "emodb", "tl", "neutral")]
    assert f1[wrong[0]] == pytest.approx(0.329, abs=5e-4)
    noted = cells[cells["note"].str.contains("by the printed precision")]
    assert noted[["task", "method", "metric", "emotion"]].to_numpy().tolist() == [
        ["3", "tl", "F1", "neutral"]
    ]


def test_baklouti_contradictions_hold_in_the_tables():
    table = baklouti.PAPER.contradictions.set_index("subject")
    text = table["says"] + " / " + table["against"]

    def said(subject: str, *numbers: float) -> bool:
        return all(
            f"{number:.{2 if number < 10 else 1}f}".rstrip("0").rstrip(".") in text[subject]
            for number in numbers
        )

    rows = [
        ("lead over sADDi (UAR)", "saddi"),
        ("lead over GAN (UAR)", "gan"),
        ("lead over CNN-LSTM (UAR)", "cnn-lstm"),
    ]
    for subject, method in rows:
        leads = [cell(4, task, "da-tl") - cell(4, task, method) for task in (1, 2)]
        assert said(subject, *np.round(leads, 1)), (subject, leads)
    lead = cell(4, 1, "da-tl", "accuracy") - cell(4, 1, "cnn-lstm", "accuracy")
    assert said("lead over CNN-LSTM (accuracy, task 1)", round(lead, 2))
    for task in (1, 3):
        gains = [
            cell(6, task, "da-tl", metric) - cell(6, task, "tl", metric) for metric in ("accuracy", "UAR")
        ]
        assert said(f"gain of adaptation, task {task}", *np.round(gains, 2)), gains
    cells = baklouti.PAPER.published.query("where == 'table 5' and metric == 'recall'")
    means = cells.groupby(["task", "method"])["value"].mean().round(3)
    assert means.to_dict() == {
        ("1", "da-tl"): 0.456, ("1", "tl"): 0.421, ("3", "da-tl"): 0.623, ("3", "tl"): 0.493
    }  # fmt: skip
    assert all(str(mean) in " ".join(table["against"]) for mean in means)


def test_baklouti_counts_against_the_releases():
    counts = baklouti.PAPER.published.query("metric == 'count'").set_index("target")["value"]
    emotions = (
        baklouti.PAPER.published.query("metric == 'number of class'").groupby("target")["emotion"].agg(set)
    )
    native = iemocap.EXPECTED
    named = sum(n for label, n in native.items() if iemocap.LABELS[label] in emotions["iemocap"])
    assert named == 7420 and sum(native.values()) == 10039
    left_out = (itertools.combinations(native.values(), n) for n in range(len(native)))
    assert 10039 - counts["iemocap"] not in {sum(some) for of_size in left_out for some in of_size}
    assert counts["ravdess"] == 1440 - 192 and counts["emodb"] == 535
    assert not [n for n in range(108) if round(n / 107, 4) == 0.5347] and round(54 / 101, 4) == 0.5347
    assert not [n for n in range(1071) if round(n / 1070, 4) == 0.5347]


def test_baklouti_beside_ours_names_the_difference():
    paper, chosen = baklouti.PAPER, AS_PRINTED["baklouti"]
    chosen = chosen | {"methods": ("vgg16-mmd", "light-mmd"), "protocol": "speaker-groups", "n_classes": 4}
    same = paper.beside(outcome(**chosen)).set_index("method")
    assert same.loc[["vgg16-finetuned", "vgg16-mmd", "light-mmd"], "published"].tolist() == [
        0.5065,
        0.58,
        0.58,
    ]
    assert same["measured"].notna().tolist() == [name in chosen["methods"] for name in same.index]
    difference = same.loc["vgg16-mmd", "difference"]
    for part in (
        "same corpora",
        "classes: 7 (chance 0.14) there, 4 (chance 0.25) here",
        "split: 80/20 at random there, speaker-groups here",
        "not printed: how classes that the source lacks are mapped",
        "table 6 prints 0.58",
    ):
        assert part in difference
    accuracy = paper.beside(outcome(**chosen), metric="accuracy").set_index("method")
    assert accuracy.loc[["vgg16-finetuned", "vgg16-mmd"], "published"].tolist() == [0.5047, 0.57]
    assert "table 6 prints 0.5347" in accuracy.loc["light-mmd", "difference"]
    other = paper.beside(outcome(**chosen | {"target": "urdu", "sources": ("emodb",)}))
    compared = other["published"].notna()
    assert other["difference"][compared].str.startswith("other corpora: ours is emodb to urdu").all()
    assert isinstance(plotting.plot_published(same.reset_index(), metric="UAR"), plotting.Figure)


def test_baklouti_methods_that_stand_beside_the_tables():
    ours = outcome(**AS_PRINTED["baklouti"] | {"methods": ("light-mmd", "light-source")})
    found = baklouti.PAPER.beside(ours).set_index("method")
    assert "light-source" not in found.index and "light-mmd-supervised" not in found.index
    assert found.loc["light-gan", "title"] == baklouti.ROWS["gan"] and np.isnan(
        found.loc["light-gan", "measured"]
    )
    assert found.loc["light-gan", "badge"] == "", "what is published there is the original's"
    assert found.loc["light-mmd", ["title", "row", "published", "measured"]].tolist() == [
        "Light CNN, MMD", "adapted with MMD (the paper's own)", 0.58, 0.6
    ]  # fmt: skip
    assert "vgg16-finetuned" in found.index and "light-finetuned" not in found.index, "once, if not run"


def test_baklouti_source_model_stands_beside_table_2():
    chosen = AS_PRINTED["baklouti"] | {
        "target": "ravdess", "sources": (), "methods": ("vgg16-target",), "baseline": "vgg16-target",
        "counts": {"ravdess": 1248},
    }  # fmt: skip
    found = baklouti.PAPER.beside(outcome(**chosen), metric="accuracy").set_index("method")
    row = found.loc["vgg16-target"]
    assert row[["published", "measured"]].tolist() == [0.8224, 0.7]
    assert row["difference"].startswith("same corpora;") and "there" not in row["difference"]
    light = outcome(**chosen | {"methods": ("light-target",), "baseline": "light-target"})
    said = (
        baklouti.PAPER.beside(light, metric="accuracy").set_index("method").loc["light-target", "difference"]
    )
    assert "network: VGG16 there, the light network here" in said


def test_baklouti_tasks_without_iemocap():
    found = baklouti.PAPER.not_run(["emodb", "ravdess"]).set_index("experiment")["status"]
    assert found.tolist() == ["not run: iemocap not installed"] * 2 + ["can be run"] * 2
    assert found.index.tolist() == ["task 1", "task 2", "task 3", "task 4"]


# --- Zhou & Beigi ---


def test_zhou_beigi_table_1_adds_up_and_is_the_releases():
    table = zhou_beigi.published_table(1).set_index("session")
    expected = [
        [229, 143, 384, 194, 950],
        [137, 210, 362, 197, 906],
        [240, 151, 320, 305, 1016],
        [327, 238, 258, 143, 966],
        [170, 299, 384, 245, 1098],
        [1103, 1041, 1708, 1084, 4936],
    ]
    columns = ["anger", "joy", "neutral", "sadness"]
    np.testing.assert_array_equal(table[[*columns, "all"]].to_numpy(), expected)
    assert (table[columns].sum(axis=1) == table["all"]).all()
    assert (table.iloc[:5].sum() == table.loc["total"]).all()
    recipe = iemocap.RECIPES["iemocap-4936"]
    assert (recipe.scheme,) == zhou_beigi.PAPER.protocol.schemes and len(
        labels.scheme(recipe.scheme).classes
    ) == 4
    of_class = {iemocap.LABELS[native]: n for native, n in recipe.native.items()}
    assert of_class == {
        "anger": 1103, "excitement": 1041, "neutral": 1708, "sadness": 1084
    }  # fmt: skip
    assert list(recipe.sessions.values()) == table["all"].tolist()[:5]
    assert iemocap.EXPECTED["hap"] == 595, "happy, as the text says, would be other counts"


def test_zhou_beigi_tables_2_and_3():
    layers = zhou_beigi.published_table(2)
    assert layers["accuracy"].tolist() == [0.634, 0.693, 0.667]
    assert layers["layer"].tolist() == ["prefinal", "13th TDNN layer", "12th TDNN layer"]
    third = zhou_beigi.published_table(3).set_index("system")
    own = third.loc[zhou_beigi.ROWS["asr-transfer"]]
    assert own.tolist() == [0.717, 0.653, 0.789, 0.711, 0.739, 0.693]
    assert third["mean"].tolist() == [0.717, 0.639, 0.688, 0.54]
    assert third.drop(index=own.name).filter(like="session").isna().all(axis=None)


def test_zhou_beigi_contradictions_hold_in_the_tables():
    said = zhou_beigi.PAPER.contradictions.set_index("subject")
    layers = zhou_beigi.PAPER.published.query("where == 'table 2'").set_index("method")["value"]
    sessions = zhou_beigi.published_table(3).filter(like="session").iloc[0]
    assert layers.idxmax() == "tdnn13" and "12th has the best" in said.loc["best layer", "says"]
    assert layers.idxmin() == "prefinal", "so far the text is right"
    assert sessions.iloc[4] == layers["tdnn13"] and round(100 * sessions.mean(), 1) == 71.7
    with_12th = round(100 * (sessions.sum() - sessions.iloc[4] + layers["tdnn12"]) / 5, 1)
    assert f"it is {with_12th}" in said.loc["mean of table 3", "against"]
    assert with_12th == 71.2


def test_zhou_beigi_beside_ours():
    paper, chosen = zhou_beigi.PAPER, AS_PRINTED["zhou-beigi"]
    ours = outcome(**chosen | {"methods": ("tdnn-frozen-target", "rnnelm-target")})
    found = paper.beside(ours).set_index("method")
    assert found["published"].tolist() == [0.717, 0.639, 0.688, 0.54]
    assert found["measured"].isna().tolist() == [False, False, True, True]
    frozen = found.loc["tdnn-frozen-target"]
    always = "; ".join(map(str, zhou_beigi.ALWAYS))
    assert frozen["title"].startswith("TDNN frozen") and frozen["difference"] == f"same corpora; {always}"
    assert "whose UAR is .594" in found.loc["convlstm-target", "difference"]
    assert found.loc["rnnelm-target", "badge"] == "rebuilt from its description"
    assert "rebuilt from its description (Lee & Tashev 2015" in found.loc["rnnelm-target", "difference"]
    other = {"target": "ravdess", "n_classes": 8, "scheme": "eight", "protocol": "loso", "counts": {}}
    abroad = paper.beside(outcome(**chosen | other))
    assert abroad["difference"].str.startswith("other corpora: ours is ravdess alone").all()
    assert abroad["difference"].str.contains("whose UAR is .594").sum() == 1, "a single cell keeps its note"
    difference = abroad.loc[0, "difference"]
    assert "8 (chance 0.12) here" in difference and "leave one session out there, loso here" in difference
    with_source = paper.beside(outcome(**chosen | {"sources": ("ravdess",)}))
    assert with_source.loc[0, "difference"] == f"same corpora; {always}", "it sees the target alone"
    assert isinstance(plotting.plot_published(found.reset_index(), metric="UAR"), plotting.Figure)


def test_zhou_beigi_layers_beside_table_2():
    chosen = AS_PRINTED["zhou-beigi"] | {
        "methods": ("tdnn-frozen-13-target", "tdnn-frozen-target", "rnnelm-target")
    }
    layers = zhou_beigi.compared_layers(outcome(**chosen))
    assert layers["published"].tolist() == [0.693, 0.667]
    assert layers["uar"].tolist() == [0.6, 0.6] and len(layers.columns) == 5
    assert set(zhou_beigi.LAYER_METHODS) <= set(methods.METHODS)
    assert set(zhou_beigi.LAYER_METHODS.values()) == set(zhou_beigi.LAYERS)


# --- EmoBox ---


def test_emobox_figures_of_frozen_encoders_on_ravdess():
    cells = emobox.PAPER.published
    assert cells[["target", "method", "value"]].to_numpy().tolist() == [
        ["ravdess", "whisper-large-v3", 0.753],
        ["ravdess", "wavlm-large", 0.72],
    ]
    assert set(cells["method"]) == set(emobox.ENCODERS)
