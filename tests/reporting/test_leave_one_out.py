"""Every corpus left out in turn: the runs, their tables and the page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab.errors import ParameterError, SerlabError
from serlab.experiment import Parameters, Session
from serlab.experiment.kept import Kept
from serlab.plotting import tables
from serlab.reporting import leave_one_out, matrix, runs
from serlab.studies import leave_one_out as study
from serlab.studies import source_choice

CORPORA = ("near", "far", "synthetic-a")


def test_each_corpus_is_the_target_once():
    cells = leave_one_out.cells(["a", "b", "c", "a"])
    assert [cell.parameters for cell in cells] == [
        {"sources": ["b", "c"], "target": "a"},
        {"sources": ["a", "c"], "target": "b"},
        {"sources": ["a", "b"], "target": "c"},
    ]
    assert cells[0].name == "b + c to a"
    with pytest.raises(ParameterError, match=r"three are needed, not 2; .*--corpora"):
        leave_one_out.cells(["a", "b", "b"])


def test_who_would_spoil_every_run_does_not_take_part(small_corpora, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_corpora, data)
    table = pd.read_csv(data / "near" / "corpus.csv")
    for name, labels in (("one", "anger"), ("none", "boredom")):
        shutil.copytree(data / "near", data / name)
        table.assign(label=labels).to_csv(data / name / "corpus.csv", index=False)
    shutil.copytree(data / "near", data / "broken")
    (data / "broken" / "corpus.csv").write_text("path,nothing\n", encoding="utf-8")
    names, left_out = leave_one_out.installed(data)
    assert set(names) == {"near", "far"}, "synthetic corpora are no evidence"
    assert set(left_out) == {"one", "none", "broken"}
    assert "1 class of the label scheme 'four'" in left_out["one"] and "broken" in left_out["broken"]
    page = leave_one_out.write(tmp_path / "out", [], left_out=left_out)
    assert "<b>one</b>: it has 1 class" in page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def finished(small_corpora, tmp_path_factory) -> dict[str, Path]:
    """Target -> folder of a run as notebook 06 leaves it."""
    out = tmp_path_factory.mktemp("reports") / "06_compare"
    folders = {}
    for cell in leave_one_out.cells(CORPORA):
        target = cell.parameters["target"]
        chosen = Parameters(
            target=target, sources=tuple(cell.parameters["sources"]),
            features="librosa", methods=("ridge-target", "ridge-source-z", "ridge-nested"),
            baseline="ridge-target", protocol="speaker-groups", folds=2, preset="demo", jobs=1,
            data=str(small_corpora),
        )  # fmt: skip
        folder = out / f"{target}" / "0"
        session = Session(chosen, folder=folder)
        outcome = session.run(with_details=False)
        note = outcome.summary.set_index("method").loc["ridge-nested", "note"]
        assert "chosen on sources left out: " in note and len(tables.choices_table(outcome)) == 5
        answers = source_choice.learned(session)
        source_choice.before_table(session, source_choice.worth_table(session, answers))
        Kept(folder).note(state="complete")
        record = {
            "state": "complete", "notebook": "06_compare", "title": "X", "digest": target, "synthetic": True,
            "headline": "", "error": None, "started": "2026-01-01T00:00:00.000Z", "seconds": 1.0,
            "parameters": chosen.as_dict(), "provenance": {},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
        folders[target] = folder
    return folders


def test_the_page_is_made_of_what_runs_have_kept(finished):
    notebook = finished["near"].parents[1]
    (page,) = leave_one_out.rebuild(notebook)
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64") == 4, "UAR, curve, what helps, what was known"
    assert "Runs: 3 of 3" in text and "Which source helps which target?" in text
    reached = pd.read_csv(notebook / "leave-one-out.csv").set_index(["method", "target"])["uar"]
    assert reached["ridge-source-z", study.MEAN] == pytest.approx(
        reached["ridge-source-z"][list(CORPORA)].mean()
    )
    sets = pd.read_csv(notebook / "leave-one-out-sets.csv")
    assert len(sets) == 2 * 3 * 3, "methods, targets and sets"
    everything = sets[sets["n_sources"] == 2].set_index(["method", "target"])["uar"]
    for key, uar in everything.items():
        assert uar == pytest.approx(reached[key])
    chosen = pd.read_csv(notebook / "leave-one-out-choices.csv")
    assert (chosen.groupby("target")["chosen"].sum() == 1).all() and len(chosen) == 3 * 5
    assert "What was chosen on the sources?" in text
    before = pd.read_csv(notebook / "leave-one-out-before.csv")
    assert len(before) == 6 and before["same_speech"].eq(1).any() and before["mmd2"].gt(0).all()
    assert "leave-one-out.html" in runs.index(notebook.parent).read_text(encoding="utf-8")


def test_other_parameters_have_a_page_of_their_own(finished, tmp_path):
    notebook = tmp_path / "06"
    for target, folder in finished.items():
        shutil.copytree(folder, notebook / target / "first")
        later = shutil.copytree(folder, notebook / target / "later")
        record = json.loads((later / "run.json").read_text(encoding="utf-8"))
        record["started"] = record["started"].replace("2026", "2027")
        record["parameters"]["shots"] = 3
        (later / "run.json").write_text(json.dumps(record), encoding="utf-8")
    pages = leave_one_out.rebuild(notebook)
    assert [page.name for page in pages] == ["leave-one-out.html", "leave-one-out-2.html"]
    assert (notebook / "leave-one-out-2-gains.csv").is_file()
    shutil.rmtree(notebook / "near" / "later")
    assert len(leave_one_out.rebuild(notebook)) == 1, "no page has runs of two kinds"


def test_failed_runs_are_named_holes(tmp_path):
    done = [(cell, SerlabError("no <speakers>")) for cell in leave_one_out.cells(CORPORA)]
    page = leave_one_out.write(tmp_path, done)
    text = page.read_text(encoding="utf-8")
    assert "Runs: 0 of 3" in text and "near + synthetic-a to far</b>: no &lt;speakers&gt;" in text
    with pytest.raises(matrix.MatrixIncomplete, match="3 of 3 runs failed"):
        matrix.require_all(done, page)
    with pytest.raises(ParameterError, match="no complete runs of three corpora"):
        leave_one_out.rebuild(tmp_path)


# --- tables ----------------------------------------------------------------------


def test_a_mean_is_of_methods_that_all_targets_have():
    row = {"title": "T", "target_seen": "nothing", "uar_low": 0.1, "uar_high": 0.9}
    summaries = {
        name: pd.DataFrame(
            [{"method": "m", "uar": uar, **row}, *([{"method": "n", "uar": 1.0, **row}] * some)]
        )
        for name, uar, some in (("a", 0.3, 1), ("b", 0.5, 0), ("c", 0.7, 1))
    }
    table = study.reached(summaries)
    means = table[table["target"] == study.MEAN]
    assert means["method"].tolist() == ["m"] and means["uar"].item() == pytest.approx(0.5)
    # t with 2 degrees of freedom is 4.303, the standard error .2 / sqrt(3).
    assert means["uar_low"].item() == pytest.approx(max(0.0, 0.5 - 4.3027 * 0.2 / np.sqrt(3)), abs=1e-4)
    assert study.reached({}).empty


def test_a_curve_has_a_mean_where_all_targets_have_sets():
    sets = pd.DataFrame(
        [("m", "T", t, n, u) for t, n, u in (("a", 1, 0.4), ("a", 1, 0.6), ("a", 2, 0.7), ("b", 1, 0.3))],
        columns=["method", "title", "target", "n_sources", "uar"],
    )
    found = study.curve(sets)
    assert found[found["target"] == study.MEAN][["n_sources", "sets", "uar"]].values.tolist() == [[1, 3, 0.4]]
    assert study.curve(pd.DataFrame()).empty


def test_agreement_is_within_targets():
    before = pd.DataFrame(
        {
            "target": ["a"] * 3 + ["b"] * 3 + ["c"] * 2,
            "a_distance": [1, 2, 3, 11, 12, 13, 0, 1],
            "utterances": 5,
            "alone": [0.3, 0.2, 0.1, 0.4, 0.9, 0.8, 0.1, 0.2],
            "adds": 0.0,
        }
    )
    found = study.agreement(before).set_index(["known", "of"])
    row = found.loc[("a_distance", "alone")]
    assert row["targets"] == 2 and row["rho"] == pytest.approx((-1 + 0.5) / 2)
    assert (row["least"], row["greatest"]) == (pytest.approx(-1), pytest.approx(0.5))
    assert found.loc[("utterances", "alone"), "targets"] == 0 and ("mmd2", "alone") not in found.index


# --- command ---------------------------------------------------------------------


def test_the_command_leaves_each_out(small_corpora, tmp_path, monkeypatch, capsys):
    from serlab.cli import main
    from serlab.reporting import workers

    asked = []

    def here(function, tasks, *, at_once, on_end):
        for number, (_, parameters, *_rest) in enumerate(tasks):
            asked.append((parameters["target"], parameters["sources"], parameters["methods"]))
            on_end(number, SerlabError("not here"))

    monkeypatch.setattr(workers, "run_all", here)
    code = main(
        ["leave-one-out", "--corpora", ",".join(CORPORA), "-p", "methods=ridge-target,ridge-nested",
         "-p", "features=librosa", "--data", str(small_corpora), "--out", str(tmp_path)]
    )  # fmt: skip
    assert code == 1 and "3 of 3 runs failed" in capsys.readouterr().err
    assert [target for target, *_ in asked] == list(CORPORA)
    assert asked[0][1] == ["far", "synthetic-a"]
    assert main(["leave-one-out", "--corpora", "near,far", "--data", str(small_corpora)]) == 2
