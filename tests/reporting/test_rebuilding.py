"""A finished run is made again from what it keeps: the same tables and page, and nothing is fitted."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from serlab import evaluation
from serlab.errors import ParameterError
from serlab.experiment import NotKept, Parameters, Session, running
from serlab.experiment.kept import Kept
from serlab.reporting import matrix, opening, rebuilding, records, results, runs
from serlab.studies import random_split

#: What a page says of a study that was not asked for: no fault of rebuilding.
NOT_CHOSEN = re.compile(r"Left out here: [^<]*is not among the studies chosen")

TABLES = ("summary", "comparison", "results", "audit", "skipped_folds", "skipped_files")


@pytest.fixture(scope="module")
def made(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run of notebook 01 on small corpora."""
    return runs.run(
        "01",
        {
            "target": "near", "sources": "far", "features": "librosa", "baseline": "rf-target",
            "methods": "rf-source,rf-target,rf-source-z",
        },
        out=tmp_path_factory.mktemp("reports"),
        data=small_corpora,
    )  # fmt: skip


@pytest.fixture
def moved(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the run keeps and nothing else, elsewhere, where there are no corpora, no features and no fits."""
    folder = tmp_path / "reports" / made.parents[1].name / made.parent.name / made.name
    rebuilding.copy_artefacts(made, folder)
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path / "no corpora"))
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "no features"))
    monkeypatch.setattr(evaluation, "run", lambda *args, **kwargs: pytest.fail("something is fitted"))
    monkeypatch.setattr(evaluation, "fit", lambda *args, **kwargs: pytest.fail("something is fitted"))
    return folder


def headline(page: str) -> str:
    return re.search(r'<p class="headline">(.*?)</p>', page, re.DOTALL)[1]


def test_tables_are_the_same(made: Path, moved: Path) -> None:
    outcome = rebuilding.tables(moved)
    for name in TABLES:
        assert (moved / f"{name}.csv").read_bytes() == (made / f"{name}.csv").read_bytes(), name
    assert outcome.classes == ("neutral", "anger", "joy", "sadness")
    assert outcome.headline == records.headline(made)


def test_tables_say_what_has_made_the_answers_not_what_made_them_again(
    moved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of a GPU is made again where there is none, by a later version."""
    monkeypatch.setattr(running, "resolve_device", lambda device: pytest.fail("this machine was asked"))
    monkeypatch.setattr(running, "versions", lambda: pytest.fail("this machine was asked"))
    Kept(moved).note(made_with={"device": "cuda", "versions": {"serlab": "0.1", "torch": "2.0"}})
    outcome = rebuilding.tables(moved)
    assert outcome.results["version"].unique().tolist() == ["0.1"]
    assert outcome.provenance.loc["torch", "value"] == "2.0"
    assert "numpy" not in outcome.provenance.index
    assert outcome.made_with.device == "cuda"


def test_the_page_is_the_same_without_corpora(made: Path, moved: Path) -> None:
    page = rebuilding.rebuild(moved).read_text(encoding="utf-8")
    before = (made / "report.html").read_text(encoding="utf-8")
    assert headline(page) == headline(before)
    assert page.count("<img") == before.count("<img") > 4
    assert page.count("<table") == before.count("<table")
    assert "Left out here" not in NOT_CHOSEN.sub("", page)
    assert "made again" in page
    for name in TABLES:
        assert (moved / f"{name}.csv").read_bytes() == (made / f"{name}.csv").read_bytes(), name
    assert [path.name for path in moved.parent.iterdir()] == [moved.name], "no unfinished folder is left"


def test_a_failing_notebook_leaves_the_folder_as_it_was(moved: Path) -> None:
    (moved / "answers" / "figure-one" / "0.parquet").unlink()
    (moved / "predictions.parquet").write_bytes(b"torn")
    before = {path.name for path in moved.iterdir()}
    with pytest.raises(runs.RunFailed, match="01_feature_transfer failed in cell"):
        rebuilding.rebuild(moved)
    assert {path.name for path in moved.iterdir()} == before
    assert [path.name for path in moved.parent.iterdir()] == [moved.name]


def test_what_is_not_kept_is_left_out_with_its_reason(moved: Path) -> None:
    shutil.rmtree(moved / "answers" / "figure-one")
    page = rebuilding.rebuild(moved).read_text(encoding="utf-8")
    assert re.search("Left out here: [0-9a-f]+ keeps no answer to 'figure-one'", page)
    assert NOT_CHOSEN.sub("", page).count("Left out here") == 1


def test_a_finished_folder_answers_for_its_own_parameters_only(moved: Path) -> None:
    parameters = Parameters.from_names(Kept(moved).facts["parameters"])
    assert Session(parameters, folder=moved).finished
    with pytest.raises(NotKept, match="has methods"):
        Session(parameters.with_values(methods=("rf-target", "svm-target")), folder=moved).run()
    with pytest.raises(NotKept, match="needs the features"):
        _ = Session(parameters, folder=moved).prepare().vectors


def test_a_finished_run_starts_no_other_one(made: Path, small_corpora: Path) -> None:
    """A notebook of today may ask for a random split that the run has not; corpora are at hand here."""
    parameters = Parameters.from_names(Kept(made).facts["parameters"]).with_values(data=str(small_corpora))
    session = Session(parameters, folder=made)
    with pytest.raises(NotKept, match="keeps no run 'random-split'"):
        random_split.run(session, methods=parameters.methods)
    assert not (made / "random-split").exists()
    other = Session(parameters.with_values(seeds=(3,)), folder=made)
    with pytest.raises(NotKept, match=r"has seeds \[0\], not \[3\]"):
        other.keep("figure-one", lambda: pytest.fail("another run's answer was to be refused"))


def test_paths_of_this_machine_are_not_kept(made: Path, small_corpora: Path) -> None:
    for pattern in rebuilding.ARTEFACTS:
        for path in made.rglob(pattern):
            if path.is_file():
                assert str(small_corpora).encode() not in path.read_bytes(), path.name


def test_runs_are_found_in_folders(moved: Path) -> None:
    reports = moved.parents[2]
    assert rebuilding.find([reports, moved]) == [moved]
    (moved / "kept.json").unlink()
    with pytest.raises(ParameterError, match="no complete run with kept predictions"):
        rebuilding.find([reports])


def test_an_unfinished_run_is_not_fitted_to_its_end(moved: Path) -> None:
    Kept(moved).note(state="running")
    with pytest.raises(ParameterError, match="keeps no complete run"):
        rebuilding.tables(moved)
    assert opening.Tables.of(moved).summary.empty


def test_a_list_reads_predictions_where_there_are_no_tables(moved: Path) -> None:
    assert not (moved / "summary.csv").exists()
    assert len(opening.Tables.of(moved).summary) == 3


def test_a_run_whose_tables_cannot_be_made_is_listed_without_numbers(moved: Path) -> None:
    """Its method has gone from serlab: every other run still ends with a list."""
    facts = Kept(moved).facts
    Kept(moved).note(parameters=facts["parameters"] | {"methods": ["gone"]})
    page = runs.index(moved.parents[2]).read_text(encoding="utf-8")
    assert "Runs: 1" in page
    assert '"methods":[]' in page


def test_pages_of_many_runs_are_made_again(moved: Path) -> None:
    reverse = moved.parents[1] / "near-to-far" / "0123"
    shutil.copytree(moved, reverse)
    record = records.read(reverse)
    record["parameters"].update(target="far", sources=["near"])
    records.write(reverse, record)
    page = matrix.rebuild(moved.parents[1])
    written = rebuilding.rebuild_all([moved.parents[2]], pages=False)
    assert page in written
    table = pd.read_csv(page.with_name("matrix.csv"))
    assert set(zip(table["source"], table["target"], strict=True)) == {("far", "near"), ("near", "far")}
    shutil.rmtree(reverse)
    with pytest.raises(ParameterError, match="needs two complete runs"):
        matrix.rebuild(moved.parents[1])


def test_results_are_the_same_page_each_time(made: Path, moved: Path) -> None:
    text = results.text(moved.parents[2])
    assert text == results.text(made.parents[2])
    assert "### far \N{RIGHTWARDS ARROW} near" in text
    summary = pd.read_csv(made / "summary.csv")
    for title in summary["title"]:
        assert f"| {title} |" in text
    assert "No finished run" in results.text(moved)
