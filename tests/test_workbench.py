"""The notebooks as they are committed: form, a headless run, and the same run by clicking."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from serlab import corpora, experiment
from serlab.asr import transcripts
from serlab.asr.pretraining import pretrain
from serlab.reporting import notebooks, runs
from serlab.widgets.panel import Panel

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

#: Small enough for a test; what is left out runs in the same loop.
SMALL = {
    "target": "far",
    "sources": ["near"],
    "features": "librosa",
    "methods": ["rf-source", "rf-target", "fcnn"],
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_form(path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code), "committed with outputs"
    declared = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert all(len(cell.source.splitlines()) <= 15 for cell in code if cell not in declared), (
        "cells are short"
    )
    for cell in code:
        defined = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
        assert not any(isinstance(node, defined) for node in ast.walk(ast.parse(cell.source))), cell.source
    assert len(declared) == 1, "exactly one parameters cell"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_cell_is_the_experiments_parameters(path):
    declared = notebooks.parameters(path)
    fields = set(experiment.Parameters.names())
    # What concerns frames or adapters alone is not asked for others.
    optional = {
        "seconds", "augment", "device", "shots", "on_bad_file", "trade_off", "weights", "encoder",
        "acoustic_model", "label_sets", "padding", "pretraining", "transductive", "studies",
        "fused", "source_weights",
    }  # fmt: skip
    assert fields - optional <= set(declared) - {"run_folder"} <= fields
    defaults = {name: parameter.default for name, parameter in declared.items()}
    assert defaults["preset"] == "demo" and defaults["target"].startswith("synthetic-")
    experiment.Parameters.from_names(defaults)


@pytest.fixture(scope="module")
def batch(small_corpora, tmp_path_factory) -> Path:
    """Run folder of notebook 01, made headless."""
    return runs.run("01", SMALL, out=tmp_path_factory.mktemp("reports"), data=small_corpora)


def answers(folder: Path) -> pd.DataFrame:
    """Predictions of a run as a session gives them: kept in 16 bits, used in 32."""
    table = pd.read_parquet(folder / "predictions.parquet")
    return table.astype({name: np.float32 for name in table if name.startswith("p_")})


def spelt(predictions: pd.DataFrame) -> pd.DataFrame:
    """With text where a session has numbers of names."""
    numbered = predictions.select_dtypes("category").columns
    return predictions.astype(dict.fromkeys(numbered, str))


def test_papermill_widgets_and_python_predict_the_same(batch, small_corpora):
    headless = answers(batch)
    start = experiment.Parameters.from_names({**SMALL, "preset": "demo", "data": str(small_corpora)})
    panel = Panel(start)
    panel.start()
    assert panel.wait(120), "the panel's run did not end"
    assert panel.outcome is not None, panel.error
    clicked = panel.outcome.predictions
    steps = []
    below = experiment.Session(
        panel.session.parameters,
        folder=panel.session.folder,
        progress=lambda done, total, text: steps.append(text),
    ).run()
    assert not any("fold" in step for step in steps), "the cells below the panel find its work"
    direct = experiment.Session(start).run().predictions
    for other in (clicked, below.predictions, direct):
        pd.testing.assert_frame_equal(headless, spelt(other))


def test_the_report_shows_static_results(batch):
    html = (batch / "report.html").read_text(encoding="utf-8")
    assert html.count("data:image/png;base64") >= 7, "figures are inside the page"
    for text in (
        "Findings of the leakage auditor",
        "What does the unlabelled target add to the source alone?",
        "In what this run is not the paper",
        "near to far",
        "not run",
    ):
        assert text in html, text
    assert "application/vnd.jupyter.widget-view" not in html
    assert not list(batch.glob("parts-*")) and not (batch / "progress.json").exists()


def test_every_file_of_a_run_is_named_in_the_reference(batch):
    text = (ROOT / "docs" / "reference" / "run-folder.md").read_text(encoding="utf-8")
    for path in batch.iterdir():
        assert f"`{path.name}{'/' * path.is_dir()}`" in text, path.name


def test_within_one_corpus_the_notebook_runs_too(small_corpora, tmp_path):
    alone = {**SMALL, "sources": [], "methods": ["svm-target", "svm-target-speaker-z"], "protocol": "loso"}
    alone["baseline"] = "svm-target"
    folder = runs.run("01", alone, out=tmp_path, data=small_corpora)
    assert "no source" in (folder / "report.html").read_text(encoding="utf-8")


#: Frames: two folds of two speakers, and less of everything than the demo has.
FRAMES = {"target": "far", "sources": ["near"], "folds": 2, "device": "cpu", "jobs": 1}


def test_attentive_cnn_runs_headless_and_by_clicking(small_corpora, tmp_path):
    chosen = {**FRAMES, "methods": ["acnn-target", "acnn-finetuned"], "augment": ["specaugment"]}
    folder = runs.run("02", chosen, out=tmp_path, data=small_corpora)
    html = (folder / "report.html").read_text(encoding="utf-8")
    for text in (
        "What the source adds to few labels",
        "How peaked",
        "Table 2 of the paper",
        "specaugment",
    ):
        assert text in html, text
    assert "application/vnd.jupyter.widget-view" not in html
    assert not list(folder.rglob("parts-*")), "nothing unfinished stays"
    defaults = {name: p.default for name, p in notebooks.parameters(notebooks.find("02")).items()}
    start = experiment.Parameters.from_names({**defaults, **chosen, "data": str(small_corpora)})
    panel = Panel(start, notebook="02", groups=("neumann-vu",))
    panel.start()
    assert panel.wait(120) and panel.outcome is not None, panel.error
    pd.testing.assert_frame_equal(spelt(panel.outcome.predictions), answers(folder))


def test_encoder_decoder_runs(small_corpora, tmp_path):
    chosen = {**FRAMES, "methods": ["encdec-target", "encdec-transfer", "sae-svm"]}
    folder = runs.run("03", chosen, out=tmp_path, data=small_corpora)
    html = (folder / "report.html").read_text(encoding="utf-8")
    for text in (
        "random split: speakers are shared",
        "and two probes of the speaker",
        "Every number the paper prints",
    ):
        assert text in html, text
    assert (folder / "random-split" / "predictions.parquet").is_file()


def test_domain_adaptation_runs_headless_and_by_clicking(small_corpora, tmp_path):
    methods = ["light-target", "light-source", "light-mmd", "light-mmd-supervised"]
    chosen = {**FRAMES, "methods": methods, "trade_off": 0.5}
    del chosen["device"]
    folder = runs.run("04", chosen, out=tmp_path, data=small_corpora)
    html = (folder / "report.html").read_text(encoding="utf-8")
    for text in (
        "Shift between source and target, by feature set",
        "Light CNN, MMD, source + target labels",
        "gap to the oracle",
        "speakers are shared",
        "Target head: UAR over the classes of the target",
        "Table 4 of the paper, as printed",
        "near by itself, random split: accuracy, published and measured",
    ):
        assert text in html, text
    assert (folder / "sweep.csv").is_file() and (folder / "target-head" / "summary.csv").is_file()
    declared = {name: p.default for name, p in notebooks.parameters(notebooks.find("04")).items()}
    given = {**declared, **chosen, "data": str(small_corpora)}
    panel = Panel(experiment.Parameters.from_names(given), notebook="04")
    assert panel.parameters.options["trade_off"] == 0.5 and panel.parameters.label_sets == "shared"
    panel.controls["trade_off"].value = 2.0
    assert "-p trade_off=2.0" in panel.command and "-p label_sets=shared" in panel.command


def test_asr_transfer_runs_headless_and_by_clicking(small_corpora, tmp_path):
    heard = corpora.read_many(("near",), small_corpora)
    texts = transcripts.as_table(heard.assign(text=["ma ba", "sa ta"] * (len(heard) // 2)), left_out={})
    pretrain(texts, architecture="demo", epochs=1, n_components=4, rank=4).save(tmp_path / "model")
    methods = ["tdnn-frozen-target", "tdnn-frozen-source", "tdnn-random-source"]
    chosen = {**FRAMES, "methods": methods, "acoustic_model": str(tmp_path / "model")}
    del chosen["device"]
    folder = runs.run("05", chosen, out=tmp_path, data=small_corpora)
    html = (folder / "report.html").read_text(encoding="utf-8")
    for text in (
        "mechanism demo",
        "Word and character error rates",
        "UAR of linear probes: TDNN",
        "Speaker verification, equal error rates",
        "What do pretrained weights add to fresh ones?",
        "Table 3 of the paper, as printed",
    ):
        assert text in html, text
    assert set(pd.read_csv(folder / "probes.csv")["network"]) >= {"TDNN", "voice"}
    assert (folder / "few_shot.csv").is_file() and not list(folder.rglob("parts-*"))
    assert str(tmp_path) not in (folder / "headline.json").read_text(encoding="utf-8")
    declared = {name: p.default for name, p in notebooks.parameters(notebooks.find("05")).items()}
    start = experiment.Parameters.from_names({**declared, **chosen, "data": str(small_corpora)})
    panel = Panel(start, notebook="05", groups=("tdnn", "encoders"))
    panel.controls["encoder"].value = "no-such-encoder"
    panel.controls["acoustic_model"].value = "mine"
    assert panel.parameters.options["acoustic_model"] == "mine"
    assert "-p encoder=no-such-encoder -p acoustic_model=mine" in panel.command
