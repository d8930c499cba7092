"""Sessions share what they fit, where and only where it is the same."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from serlab import methods, provenance
from serlab.experiment import Session, sharing
from serlab.methods.base import MethodSpec
from tests.test_floors import FLOORS


@pytest.fixture
def units(tmp_path, monkeypatch):
    monkeypatch.setenv(sharing.VARIABLE, str(tmp_path / "units"))
    return tmp_path / "units"


@pytest.fixture(scope="module")
def cheap(parameters):
    return parameters.with_values(methods=("majority", "ridge-source"), seeds=(0,))


def steps(session: Session) -> list[str]:
    texts: list[str] = []
    Session(session.parameters, folder=session.folder, progress=lambda d, t, text: texts.append(text)).run()
    return texts


def test_one_session_finds_what_another_one_has_fitted(cheap, units, tmp_path):
    first = Session(cheap).run()
    texts = steps(Session(cheap.with_values(methods=("ridge-source",), jobs=2), folder=tmp_path / "run"))
    assert any("found" in text for text in texts) and not any("fold 1 of" in text for text in texts)
    again = Session(cheap).run()
    pd.testing.assert_frame_equal(again.predictions, first.predictions)


def test_nothing_is_shared_where_it_is_switched_off_or_data_were_handed_in(cheap, tmp_path, monkeypatch):
    monkeypatch.setenv(sharing.VARIABLE, sharing.OFF)
    assert Session(cheap).units_folder is None
    monkeypatch.setenv(sharing.VARIABLE, str(tmp_path))
    assert Session(cheap).units_folder == tmp_path
    prepared = Session(cheap).prepare()
    assert Session(cheap, prepared=prepared).units_folder is None
    assert Session(cheap, prepared=prepared, units=tmp_path).units_folder == tmp_path
    assert Session(cheap).beside("x", preset="quick").units_folder == tmp_path


def test_a_method_of_other_code_is_not_shared():
    assert sharing.of_package(methods.get("rf-source"))
    mine = MethodSpec(name="rf-source", title="", access="none", build=lambda **_: None)
    assert not sharing.of_package(mine)


def address(parameters, *, fingerprint="data", method="vgg16-mmd", seed=0) -> str:
    common = sharing.basis(parameters, fingerprint=fingerprint)
    return sharing.address(common, parameters, methods.get(method), seed)


@pytest.mark.parametrize(
    "values",
    [
        {"target": "near", "sources": ("far",)},
        {"scheme": "arousal"},
        {"preset": "quick"},
        {"seconds": 3.0},
        {"augment": ("noise-20",)},
        {"label_sets": "shared"},
        {"on_bad_file": "stop"},
        {"device": "cpu"},
        {"seeds": (1, 0)},
        {"trade_off": 0.123},
    ],
    ids=str,
)
def test_what_may_change_an_answer_changes_the_address(parameters, values):
    asked = parameters.with_values(features="librosa")
    assert address(asked.with_values(**values)) != address(asked)


@pytest.mark.parametrize(
    "values",
    [
        {"jobs": 2},
        {"data": "elsewhere"},
        {"methods": ("majority",)},
        {"baseline": "majority"},
        {"protocol": "k-shot"},
        {"seeds": (0, 5)},
    ],
    ids=str,
)
def test_what_changes_no_answer_on_a_split_does_not(parameters, values):
    assert address(parameters.with_values(**values)) == address(parameters)


def test_corpora_code_method_and_seed_are_in_the_address(parameters, monkeypatch):
    asked = {address(parameters), address(parameters, fingerprint="other"), address(parameters, seed=1)}
    asked |= {address(parameters, method="rf-source"), address(parameters, method="rf-target")}
    monkeypatch.setattr(sharing, "fitting_digest", lambda: "other code")
    assert len(asked | {address(parameters)}) == 6
    assert address(parameters, method="majority", seed=3) == address(parameters, method="majority")


def test_code_that_no_fit_depends_on_is_that_above_experiments():
    above = FLOORS[FLOORS.index("experiment") + 1 :]
    assert set(provenance._ABOVE_FITS) == set(above)


def test_a_file_that_an_option_names_counts_by_what_it_holds(parameters, tmp_path):
    option = next(name for name, option in methods.OPTIONS.items() if option.is_path and name == "weights")
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("one")
    (tmp_path / "c").write_text("two")
    digests = [
        sharing.given(replace(parameters, options={option: str(tmp_path / name)}))[option]
        for name in ("a", "b", "c")
    ]
    assert digests[0] != digests[2]


def test_a_study_is_answered_once_for_all_who_ask_the_same(cheap, units, tmp_path):
    asked: list[str] = []

    def answer(parameters, also, name="study") -> dict[str, pd.DataFrame]:
        def compute() -> dict[str, pd.DataFrame]:
            asked.append(name)
            return {"a, b": pd.DataFrame({"uar": [0.5]}), "none": pd.DataFrame({"uar": [0.25, 0.75]})}

        folder = tmp_path / f"run {len(list(tmp_path.iterdir()))}"
        return Session(parameters, folder=folder).keep_all(name, compute, also=also)

    first = answer(cheap, also=["x"])
    again = answer(cheap.with_values(jobs=2), also=["x"])
    assert len(asked) == 1 and list(again) == ["a, b", "none"]
    pd.testing.assert_frame_equal(again["none"], first["none"])
    (kept,) = units.glob("*/*/study.zip")
    kept.write_bytes(kept.read_bytes()[:40])
    with pytest.warns(UserWarning, match="of a study, which is made again"):
        answer(cheap, also=["x"])
    answer(cheap, also=["y"])
    answer(cheap, also=["x"], name="other")
    answer(cheap.with_values(scheme="arousal"), also=["x"])
    answer(cheap.with_values(seeds=(1,)), also=["x"])
    assert len(asked) == 6
    for _ in range(2):  # not told what else it depends on: never shared
        answer(cheap, also=None)
    assert len(asked) == 8
