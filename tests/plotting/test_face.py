"""What holds for every figure."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib.text import Text

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting import made
from tests.plotting.made import FIGURES, Names, is_within_page, loss_terms, scored, texts, utterances, width

#: Every function that draws -> the one that gives its table, or why it has none.
TABLES = {
    "plot_counts": plotting.counts_table,
    "plot_feature_distribution": plotting.feature_distribution_table,
    "plot_shift": plotting.shift_table,
    "plot_shift_change": plotting.shift_change_table,
    "plot_uar": "summary",
    "plot_folds": "results",
    "plot_confounds": "table",
    "plot_published": "table",
    "plot_gain": "comparison",
    "plot_groups": plotting.groups_table,
    "plot_reliability": plotting.reliability_table,
    "plot_robustness": plotting.robustness_table,
    "plot_confusions": plotting.confusion_table,
    "plot_mean_confusions": plotting.mean_confusion_table,
    "plot_matrix": "table",
    "plot_methods_by_run": "table",
    "plot_ranks": "table",
    "plot_few_shot": "table",
    "plot_few_shot_gains": "table",
    "plot_sweep": plotting.selector_table,
    "plot_source_sets": "table",
    "plot_source_worth": "table",
    "plot_left_out": "table",
    "plot_left_out_curve": "table",
    "plot_helping": "table",
    "plot_known_before": "table",
    "plot_estimates": "table",
    "plot_label_plans": "table",
    "plot_over_time": "table",
    "plot_probes": "table",
    "plot_layer_weights": plotting.layer_weight_table,
    "plot_training": "history",
    "plot_loss_terms": "history",
    "plot_attention_positions": plotting.attention_positions,
    "plot_embedding": plotting.embedding_table,
    "plot_before_after": plotting.before_after_table,
    "plot_utterance": "samples",  # a signal: the picture is its table
    "plot_heard": plotting.heard_table,
    "plot_among": "table",
}

HOSTILE = Names(
    methods=("$m$ $\\bad{$ one", "_<b>two</b> & 100 %", "x" * 60 + " \\three"),
    corpora=("$em$o", "_ur\\du"),
    classes=("$neutral$", "_anger", "joy & {fear}"),
    speaker="$s$",
    word="$w$ _0",
)
LONG = Names(
    methods=tuple(f"TDNN random, frozen, {i}th layer, source only, per-corpus z" for i in range(9)),
    corpora=("emodb", "ravdess", "urdu", "iemocap"),
    classes=made.SEVEN,
    word="prefinal",
)
PLAIN = Names()


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("audio") / "tone.wav"
    soundfile.write(path, 0.3 * np.sin(np.arange(16000) / 10), 16000)
    return str(path)


def plots() -> list[str]:
    return [name for name in plotting.__all__ if name.startswith("plot_")]


# --- the face ---


def test_every_figure_has_its_table_and_is_drawn_here():
    assert list(TABLES) == plots(), "in the order of the face"
    assert set(FIGURES) == {*plots(), "explain"}
    for name, table in TABLES.items():
        parameters = list(inspect.signature(getattr(plotting, name)).parameters)
        assert table == parameters[0] if isinstance(table, str) else table.__name__ in plotting.__all__


def test_every_figure_is_called_by_a_test_of_its_subject():
    for name in plots():
        subject = getattr(plotting, name).__module__.rpartition(".")[2]
        tree = ast.parse(Path(__file__).with_name(f"test_{subject}.py").read_text(encoding="utf-8"))
        called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert name in called, f"test_{subject}.py does not call {name}"


def test_the_face_only_passes_on():
    source = Path(plotting.__file__).read_text(encoding="utf-8")
    kinds = {type(node) for node in ast.parse(source).body}
    assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}
    assert len(set(plotting.__all__)) == len(plotting.__all__)
    for name in plotting.__all__:
        assert hasattr(plotting, name)


def test_the_level_of_intervals_is_said_elsewhere():
    for path in Path(plotting.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\b95 ?%|(?<!\d)0?\.95\b", source), f"{path.name} says 95 %"


# --- every figure ---


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_is_to_be_seen(name, tone):
    figure = FIGURES[name](PLAIN, tone)
    assert isinstance(figure, plotting.Figure) and is_within_page(figure)
    assert figure.finding.endswith(".") and any(character.isdigit() for character in figure.finding)
    assert figure.alt == f"{' '.join(figure.get_suptitle().split())}. {figure.finding}"


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.filterwarnings("error")
def test_names_are_written_as_they_are(name, tone):
    figure = FIGURES[name](HOSTILE, tone)
    assert plotting.png(figure).startswith(b"\x89PNG")
    given = [*HOSTILE.methods, *HOSTILE.corpora, *HOSTILE.classes, HOSTILE.speaker, HOSTILE.word]
    written = "".join(texts(figure).split())
    assert any("".join(name.split()) in written for name in given), "a name is drawn, dollar signs and all"
    assert not any(text.get_parse_math() for text in figure.findobj(Text) if "$" in text.get_text())


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"plot_attention_positions", "plot_training"}))
def test_many_long_names_stay_on_the_page(name, tone):
    figure = FIGURES[name](LONG, tone)
    assert is_within_page(figure) and width(figure) <= 1104, "what a page of a report shows at full size"
    assert len(figure.alt) < 1000, "to be heard in a minute"


# --- nothing to show ---


def test_empty_tables():
    for plot in (plotting.plot_uar, plotting.plot_folds, plotting.plot_few_shot, plotting.plot_confounds):
        with pytest.raises(ParameterError, match="no rows"):
            plot(pd.DataFrame())
    # These two are empty in good runs, so they say so instead.
    assert "Nothing to compare" in texts(plotting.plot_gain(pd.DataFrame()))
    assert "Nothing published" in texts(plotting.plot_published(pd.DataFrame()))
    assert "Skipped: none" in plotting.display_table(pd.DataFrame(columns=["fold"]), "Skipped").to_html()


def test_without_networks_figures_say_so():
    nothing = pd.DataFrame()
    table = utterances({"a": 1})
    assert "No method" in texts(plotting.plot_training(nothing))
    assert "No method" in texts(plotting.plot_attention_positions(nothing, table))
    assert "No embeddings of m" in texts(plotting.plot_embedding(nothing, table, method="m"))
    assert plotting.attention_table(nothing, table).empty
    assert "No method" in plotting.plot_training(nothing).alt


def test_without_terms_or_layers_figures_say_so():
    assert "No method" in texts(plotting.plot_loss_terms(pd.DataFrame()))
    plain = loss_terms(a=()).assign(loss_alignment=np.nan)
    assert "No method" in texts(plotting.plot_loss_terms(plain))
    assert "No method" in texts(plotting.plot_shift_change(pd.DataFrame(), scored("a")))
