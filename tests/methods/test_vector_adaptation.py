"""Adapters of feature vectors through skada."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import eigh
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from serlab import features, methods, metrics
from serlab.corpora import synthetic
from serlab.corpora.synthesis import EMOTIONS, Shift
from serlab.errors import ParameterError, ProtocolError
from serlab.methods import vector_adaptation
from serlab.methods.learners.alignment import coral
from serlab.methods.learners.vector_adaptation import VectorAdaptation
from serlab.normalization import normalize
from serlab.samples import Labelled, without_labels
from serlab.training import Fitting

SPECS = {spec.name: spec for spec in vector_adaptation.SPECS}
N_CLASSES = 4


def build(name: str) -> VectorAdaptation:
    return SPECS[name].build(n_classes=N_CLASSES, seed=0, preset="demo", fitting=Fitting())


def part(n: int, *, d: int = 6, seed: int, offset: float = 0.0, scale: float = 1.0) -> Labelled:
    """Classes 0, 1 and 3; class 2 never occurs."""
    rng = np.random.default_rng(seed)
    y = np.resize([0, 1, 3], n)
    X = (rng.standard_normal((n, d)) + 3 * np.eye(N_CLASSES, d)[y]) * scale + offset
    name = np.full(n, "toy")
    return Labelled(X=X.astype(np.float32), corpus=name, speaker=name, y=y)


def z(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)


@pytest.fixture
def source() -> Labelled:
    return part(40, seed=0)


@pytest.fixture
def target() -> Labelled:
    return part(30, seed=1, offset=5.0, scale=2.0)


def fitted(name: str, source: Labelled, target: Labelled) -> VectorAdaptation:
    return build(name).fit(source=source, adapt=without_labels(target))


def mapped_source(name: str, source: Labelled, target: Labelled) -> np.ndarray:
    """What the SVM is trained on."""
    seen = {}
    method = build(name)
    fit = method.classifier.fit
    method.classifier.fit = lambda rows: (seen.update(X=rows.X), fit(rows))[1]
    method.fit(source=source, adapt=without_labels(target))
    return seen["X"]


# --- what they compute -----------------------------------------------------------------------------------


def test_coral_is_ours(source):
    """Two implementations: a shrinkage of one half, and a ridge of 1 (theirs divides by n, ours by n - 1)."""
    target = part(40, seed=1, offset=5.0, scale=2.0)
    ours = coral(z(source.X), z(target.X), ridge=40 / 39)
    assert mapped_source("svm-skada-coral", source, target) == pytest.approx(ours, abs=1e-5)


def test_subspace_alignment_is_its_formula(source):
    """Inner products, which do not depend on the signs of components; five rows span four."""
    target = part(5, seed=1, offset=5.0, scale=2.0)
    S, T = z(source.X), z(target.X)
    Ps, Pt = (np.linalg.svd(X)[2][:4].T for X in (S, T))
    expected = S @ Ps @ Ps.T @ Pt
    found = mapped_source("svm-subspace", source, target)
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=1e-4)


def test_optimal_transport_is_the_assignment_of_equally_many_rows(source):
    target = part(40, seed=1, offset=5.0, scale=2.0)
    S, T = z(source.X), z(target.X)
    assigned = linear_sum_assignment(cdist(S, T, "sqeuclidean"))[1]
    assert mapped_source("svm-ot", source, target) == pytest.approx(T[assigned], abs=1e-5)


@pytest.mark.parametrize("mu", [0.01, 1.0, 100.0])
def test_transfer_components_solve_the_generalised_eigenproblem(source, target, mu):
    from serlab.methods.learners.transfer_components import TransferComponents

    n, m, k = len(source), len(target), 5
    X = np.concatenate([z(source.X), z(target.X) + 1])
    tca = TransferComponents(kernel="rbf", n_components=k, mu=mu)
    mapped = tca.fit_transform(X, sample_domain=np.repeat([1, -2], [n, m]))
    K = np.exp(-cdist(X, X, "sqeuclidean") / X.shape[1])
    L = np.outer(*[np.repeat([1 / n, -1 / m], [n, m])] * 2)
    left, right = K @ (np.eye(n + m) - 1 / (n + m)) @ K, np.eye(n + m) + mu * K @ L @ K
    values, vectors = eigh(left, right, subset_by_index=[n + m - k, n + m - 1])
    found = tca.eigvects_
    assert left @ found == pytest.approx(right @ found * values[::-1], abs=1e-6)
    cosine = (K @ vectors[:, ::-1] * mapped).sum(axis=0) / np.linalg.norm(K @ vectors[:, ::-1], axis=0)
    assert np.abs(cosine / np.linalg.norm(mapped, axis=0)) == pytest.approx(np.ones(k))
    assert (mapped**2).sum(axis=1).mean() == pytest.approx(1)
    again = tca.transform(X[n:], sample_domain=np.full(m, -2))
    assert again == pytest.approx(mapped[n:]), "target rows are mapped alike in fit and later"


def test_transfer_components_bring_the_means_together(source, target):
    from serlab.methods.learners.transfer_components import TransferComponents

    n = len(source)
    X = np.concatenate([source.X, target.X / 2 - 1])

    def distance(mu: float) -> float:
        mapped = TransferComponents(kernel="rbf", n_components=3, mu=mu).fit_transform(
            X, sample_domain=np.repeat([1, -2], [n, len(target)])
        )
        return np.linalg.norm(mapped[:n].mean(axis=0) - mapped[n:].mean(axis=0))

    assert distance(100.0) < 0.05 * distance(1e-6)


# --- what they promise -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def channel(tmp_path_factory) -> dict[str, Labelled]:
    """A source, and other speakers in the same channel and in another."""
    folder = tmp_path_factory.mktemp("channel")
    parts = {}
    for name, seed, shift in (("source", 1, 0), ("same", 2, 0), ("other", 2, 1)):
        table = synthetic.make_corpus(
            name=name, language="x-a", n_speakers=8, n_utterances=64, seed=seed, shift=Shift(channel=shift),
            folder=folder / name,
        )  # fmt: skip
        X = features.extract(table, features="logmel26", cache=folder / "cache").X.statistics()
        speaker = table["speaker"].to_numpy(dtype=str)
        y = np.array([EMOTIONS.index(label) for label in table["native_label"]])
        parts[name] = Labelled(X=X.to_numpy(), corpus=np.full(len(y), name), speaker=speaker, y=y)
    return parts


def test_a_channel_shift_is_undone_and_no_shift_does_no_harm(channel):
    def uar(name: str, target: str) -> float:
        spec = SPECS.get(name) or methods.METHODS[name]
        rows = channel[target]
        given = {"source": channel["source"], "adapt": without_labels(rows)}
        scaled = normalize(spec.normalization, **given, target_train=None, test=without_labels(rows))
        method = spec.build(n_classes=len(EMOTIONS), seed=0, preset="demo", fitting=Fitting())
        seen = {key: getattr(scaled, key) for key in methods.FIT_ARGUMENTS[spec.access]}
        y_pred = method.fit(**seen).predict_proba(scaled.test.X).argmax(axis=1)
        return float(metrics.uar(metrics.confusion(rows.y, y_pred, len(EMOTIONS))))

    alone = {target: uar("svm-source", target) for target in ("same", "other")}
    lost = alone["same"] - alone["other"]
    assert lost > 0.2
    for name in SPECS:
        assert uar(name, "other") > alone["other"] + lost / 2, name
        assert uar(name, "same") > alone["same"] - 0.03, name


@pytest.mark.parametrize("name", SPECS)
class TestEach:
    def test_covers_all_classes_and_learns(self, name, source, target):
        proba = fitted(name, source, target).predict_proba(target.X)
        assert proba.shape == (30, N_CLASSES)
        assert proba.sum(axis=1) == pytest.approx(np.ones(30))
        assert (proba[:, 2] == 0).all()
        assert (proba.argmax(axis=1) == target.y).mean() > 0.8

    def test_new_target_rows_are_mapped_each_by_itself(self, name, source, target):
        method = fitted(name, source, target)
        new = part(12, seed=2, offset=5.0, scale=2.0)
        together = method.predict_proba(new.X)
        assert (together.argmax(axis=1) == new.y).mean() > 0.7
        assert np.concatenate([method.predict_proba(row[None]) for row in new.X]) == pytest.approx(together)

    def test_same_again_and_inputs_untouched(self, name, source, target):
        before = source.X.copy(), target.X.copy()
        first, second = (fitted(name, source, target).predict_proba(target.X) for _ in range(2))
        assert np.array_equal(first, second)
        assert np.array_equal(source.X, before[0])
        assert np.array_equal(target.X, before[1])

    def test_more_features_than_rows(self, name):
        source, target = part(30, d=200, seed=0), part(20, d=200, seed=1, offset=1.0)
        proba = fitted(name, source, target).predict_proba(target.X)
        assert np.isfinite(proba).all()
        assert proba.sum(axis=1) == pytest.approx(np.ones(20))

    def test_constant_feature_and_identical_corpora(self, name, source):
        source.X[:, 5] = 7.0
        proba = fitted(name, source, source).predict_proba(source.X)
        assert (proba.argmax(axis=1) == source.y).mean() > 0.9

    def test_two_target_rows_are_enough_and_one_is_not(self, name, source, target):
        proba = fitted(name, source, target.take(slice(2))).predict_proba(target.X[:2])
        assert np.isfinite(proba).all()
        with pytest.raises(ProtocolError, match=r"1 unlabelled target utterance;"):
            fitted(name, source, target.take(slice(1)))

    def test_one_class_is_refused(self, name, source, target):
        with pytest.raises(ProtocolError, match="training data has 1 class"):
            fitted(name, replace(source, y=np.zeros_like(source.y)), target)

    def test_without_skada_the_remedy_is_named(self, name, monkeypatch):
        monkeypatch.setitem(sys.modules, "skada", None)
        with pytest.raises(ParameterError, match=r"pip install 'serlab\[adaptation\]'"):
            build(name)
