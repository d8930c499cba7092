"""Plans as people write them, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab.errors import ParameterError
from serlab.experiment import times
from serlab.experiment.work import Done, Store
from serlab.methods import get
from serlab.reporting import estimates, plans

ROW = {"sources": ["near"], "target": "far", "preset": "demo", "features": "librosa"}


def text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


CSV = 'target,sources,seeds,methods,transductive\nurdu,"emodb,nemo","0,1",ridge-source,no\nemodb,urdu,,,\n'
YAML = """
- {target: urdu, sources: [emodb, nemo], seeds: [0, 1], methods: [ridge-source], transductive: false}
- {target: emodb, sources: urdu}
"""
PYTHON = """
def row(target, *sources, **more):
    return {"target": target, "sources": list(sources), **more}

plan = [row("urdu", "emodb", "nemo", seeds=[0, 1], methods=["ridge-source"], transductive=False)]
plan += [row("emodb", "urdu")]
"""


@pytest.mark.parametrize(
    ("name", "content"), [("p.csv", CSV), ("p.yaml", YAML), ("p.yml", YAML), ("p.py", PYTHON)]
)
def test_a_plan_is_read_from_each_kind_of_file(tmp_path, name, content):
    plan = plans.read(text(tmp_path / name, content))
    first, second = (one.parameters for one in plan.experiments)
    assert plan.name == "p" and first.sources == ("emodb", "nemo") and first.seeds == (0, 1)
    assert first.methods == ("ridge-source",) and not first.transductive
    assert second.sources == ("urdu",) and second.seeds == (0,) and second.transductive


def test_pairs_and_combinations_are_written_out(tmp_path):
    content = (
        "common: {preset: demo}\ncorpora: [emodb, urdu, nemo]\neach: {scheme: [arousal, valence]}\n"
        "rows: [{target: emodb, sources: [ravdess]}]\n"
    )
    plan = plans.read(text(tmp_path / "p.yaml", content))
    asked = {
        (one.parameters.sources, one.parameters.target, one.parameters.scheme) for one in plan.experiments
    }
    assert len(asked) == len(plan.experiments) == (6 + 1) * 2
    assert {one.parameters.preset for one in plan.experiments} == {"demo"}
    left_out = plans.pairs(["a", "b", "c"], leave_one_out=True)
    assert left_out[0] == {"sources": ["b", "c"], "target": "a"} and len(left_out) == 3


@pytest.mark.parametrize("ending", [".csv", ".yaml"])
def test_what_is_written_is_read_again(tmp_path, ending):
    rows = plans.pairs(["emodb", "urdu"], each={"scheme": ["arousal", "valence"]}, common={"seeds": [0, 1]})
    plans.write(tmp_path / f"p{ending}", rows)
    read, meant = plans.read(tmp_path / f"p{ending}"), plans.of_rows(rows)
    assert [one.parameters for one in read.experiments] == [one.parameters for one in meant.experiments]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("p.csv", "target,sede\nurdu,1\n", r"row 1: there is no parameter 'sede' \(did you mean 'seeds'\?\)"),
        ("p.csv", "target,sources\nurdu,emodb,nemo\n", "row 1 has more cells than the heading"),
        ("p.csv", "target,sources\nurdu,emodb\nurdu,urdu\n", "row 2: 'urdu' is target and source at once"),
        ("p.csv", "target,seeds\nurdu,x\n", "row 1: parameter 'seeds': expected int, got 'x'"),
        ("p.csv", "target\n", "has no rows"),
        ("p.csv", "", "has no rows"),
        ("p.yaml", "- {sources: [emodb]}", "row 1: there is no target"),
        ("p.yaml", "- 3", "row 1: a row is a mapping"),
        ("p.yaml", "[a, {", "is not YAML"),
        ("p.yaml", "corpus: [a, b]", r"no 'corpus' in a plan \(did you mean 'corpora'\?\)"),
        ("p.yaml", "corpora: emodb", "'corpora' is a list"),
        ("p.yaml", "corpora: [emodb]", "pairs need two corpora"),
        ("p.yaml", "- {target: urdu, groups: 0}", "'groups' is one or more"),
        ("p.yaml", "- {target: urdu, methods: [nope]}", "row 1: .*nope"),
        ("p.yaml", "- {target: urdu, notebook: 99}", "row 1: unknown notebook"),
        ("p.yaml", "!!python/object/apply:os.getcwd []", "is not YAML"),
        ("p.py", "plan = 3", "no list of rows into a variable 'plan'"),
        ("p.py", "1 / 0", "ZeroDivisionError"),
        ("p.txt", "", "a plan ends in"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(tmp_path, name, content, expected):
    with pytest.raises(ParameterError, match=expected):
        plans.read(text(tmp_path / name, content))


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path):
    with pytest.raises(ParameterError, match="there is no plan"):
        plans.read(tmp_path / "p.csv")
    (tmp_path / "p.csv").write_bytes(b"target\n\xff\xfe")
    with pytest.raises(ParameterError, match="is not text in UTF-8"):
        plans.read(tmp_path / "p.csv")
    with pytest.raises(ParameterError, match=r"written as \.csv or \.yaml"):
        plans.write(tmp_path / "p.py", [ROW])


def test_a_notebook_brings_its_own_defaults():
    (one,) = plans.of_rows([{**ROW, "notebook": 1}]).experiments
    assert one.notebook == "01" and len(one.parameters.methods) > 4 and one.given == ROW


def test_experiments_share_units(small_corpora):
    rows = [{**ROW, "methods": methods} for methods in (["ridge-source", "majority"], ["majority"])]
    plan = plans.of_rows(rows)
    first, second = plan.by_experiment(data=str(small_corpora))
    assert second[0] is next(unit for unit in first if unit.method == "majority")
    assert len(plan.units(data=str(small_corpora))) == len(first)


def test_estimates_are_of_what_is_most_alike(tmp_path, small_corpora):
    plan = plans.of_rows([{**ROW, "methods": ["rf-target"], "groups": 2}])
    units, store, known = plan.units(data=str(small_corpora)), Store(tmp_path), estimates.Estimates()
    alike = {**units[0].facts, "groups": 1}
    assert known.seconds(units[0]) is None
    unknown = estimates.forecast(units, store, known)
    assert unknown.unknown == ("rf-target",) and "Nothing is known yet of rf-target" in unknown.text()
    known.add(estimates.Took({**alike, "target": "elsewhere"}, 100.0, 10e6))
    assert known.seconds(units[0]) == 50.0 and known.size(units[0]) == 5e6
    for seconds in (10.0, 20.0, 90.0):
        known.add(estimates.Took(alike, seconds, 2e6))
    assert known.seconds(units[0]) == 10.0
    found = estimates.forecast(units, store, known)
    assert (found.seconds, found.size) == (20.0, 2e6)
    assert "2 units, 0 finished, 2 to do. By earlier runs about 10 s on 2 workers, and 2.0 MB." in found.text(
        workers=2
    )
    store.shelf(units[0]).folder.mkdir(parents=True)
    store.note(units[0], Done(seconds=9, preparing=0, fitting=8.0, folds=2, size=100))
    store.note_failure(units[1], "why")
    found = estimates.forecast(units, store, estimates.of(store, tmp_path / "no reports"))
    assert (found.finished, found.failed, found.seconds, found.size) == (1, 1, 8.0, 100)
    assert "1 to do (1 of them failed before)" in found.text()
    assert not found.extraction and "Features" not in found.text()


def test_features_that_a_corpus_lacks_are_made_once_for_all_units(tmp_path, small_corpora, monkeypatch):
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))
    plan = plans.of_rows([{**ROW, "methods": ["rf-target", "ridge-source"]}])
    units, store = plan.units(data=str(small_corpora)), Store(tmp_path)
    chosen = units[0].chosen
    name, has = chosen.features_of(get("rf-target")), chosen.sources[0]
    times.note(times.of_features(name, [has], made=50, seconds=25.0))
    found = estimates.forecast(units, store, estimates.Estimates(), n_utterances=lambda corpus: 240)
    assert found.extraction == pytest.approx(0.5 * 240), "of the target alone"
    assert "Features before that: about 2 min 00 s on one worker." in found.text()
