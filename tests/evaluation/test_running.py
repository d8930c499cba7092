"""Runs hand over only what access allows; every number derives from predictions."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, metrics
from serlab.errors import Cancelled, ProtocolError, TrainingError
from serlab.evaluation import Material, Setting, running
from serlab.features import Frames
from serlab.methods.base import FIT_ARGUMENTS, MethodSpec
from serlab.progress import UNWATCHED, Watch
from serlab.protocols import SplitProtocol
from serlab.samples import Labelled, Unlabelled, statistics
from tests.toys import separable_features, utterance_table


@dataclass
class Nearest:
    """Nearest class mean over all labelled data it was given; remembers what it got."""

    n_classes: int
    seed: int
    got: dict = field(default_factory=dict)

    def fit(self, **samples):
        self.got = samples
        labelled = [part for part in samples.values() if isinstance(part, Labelled)]
        X, y = np.concatenate([p.X for p in labelled]), np.concatenate([p.y for p in labelled])
        X = X + 0.5 * np.random.default_rng(self.seed).standard_normal(X.shape)
        means = [
            X[y == c].mean(axis=0) if np.any(y == c) else np.full(X.shape[1], 9)
            for c in range(self.n_classes)
        ]
        self.means = np.stack(means)
        return self

    def predict_proba(self, X):
        distance = ((X[:, None] - self.means) ** 2).sum(axis=2)
        proba = np.exp(-distance)
        return proba / proba.sum(axis=1, keepdims=True)


def spec(access="few-shot", *, made=None, name=None, **more) -> MethodSpec:
    def build(*, n_classes, seed, preset, fitting):
        method = Nearest(n_classes, seed)
        if made is not None:
            made.append(method)
        return method

    name = name or f"nearest-{access}"
    return MethodSpec(name=name, title=name, access=access, build=build, **{"normalization": "none"} | more)


@pytest.fixture(scope="module")
def table():
    return utterance_table({"here": 4, "there": 3})


@pytest.fixture(scope="module")
def X(table):
    return separable_features(table)


@pytest.fixture(scope="module")
def splits(table):
    return SplitProtocol(name="one-subject", target="here", sources=("there",)).plan(table)[0]


def run(specs, splits, X, table, seeds=(0, 1), copies=(), watch=UNWATCHED, **more):
    material = Material(utterances=table, features={"": (X, *copies)})
    setting = Setting(seeds=tuple(seeds), preset="demo")
    return running.run(specs, splits, material=material, setting=setting, watch=watch, **more)


@pytest.mark.parametrize("access", FIT_ARGUMENTS)
def test_a_method_gets_what_its_access_allows_and_nothing_else(table, X, splits, access):
    made: list[Nearest] = []
    done = run([spec(access, made=made)], splits[:1], X, table, seeds=(0,))
    (method,) = made
    assert set(method.got) == set(FIT_ARGUMENTS[access])
    for name, part in method.got.items():
        labelled = name in ("source", "target_train")
        assert type(part) is (Labelled if labelled else Unlabelled)
        corpus = {"there"} if name == "source" else {"here"}
        assert set(part.corpus) == corpus
    expected = {
        "none": "nothing",
        "unlabelled": "unlabelled",
        "semi-supervised": "12 labelled + unlabelled",
        "target-semi-supervised": "12 labelled + unlabelled",
    }.get(access, "12 labelled")
    assert done.fits["target_seen"].tolist() == [expected]


@pytest.mark.parametrize("access", [name for name, given in FIT_ARGUMENTS.items() if "adapt" not in given])
def test_normalisation_gets_no_more_of_the_target_than_the_method(table, X, splits, access):
    """Other tested utterances change nothing, whatever the scale; without any of the target there is none."""
    asked = [spec(access, normalization="corpus")]
    if "target_train" not in FIT_ARGUMENTS[access]:
        with pytest.raises(ProtocolError, match="normalisation 'corpus' needs"):
            run(asked, splits[:1], X, table, seeds=(0,))
        return
    others = X.copy()
    others.iloc[splits[0].test[1:]] += 5
    first, second = (run(asked, splits[:1], found, table, seeds=(0,)).predictions for found in (X, others))
    pd.testing.assert_frame_equal(first.iloc[:1], second.iloc[:1])
    seeing = [spec("target-semi-supervised", normalization="corpus")]
    first, second = (run(seeing, splits[:1], found, table, seeds=(0,)).predictions for found in (X, others))
    assert not first.iloc[:1].equals(second.iloc[:1]), "and where the access gives them, they do"


@pytest.mark.parametrize("access", ["none", "unlabelled"])
def test_target_labels_cannot_change_what_does_not_see_them(table, X, splits, access):
    shuffled = table.copy()
    here = np.flatnonzero(table["corpus"] == "here")
    shuffled.iloc[here, shuffled.columns.get_loc("emotion")] = (
        table["emotion"].iloc[np.random.default_rng(0).permutation(here)].to_numpy()
    )
    one, other = (run([spec(access)], splits, X, t).predictions for t in (table, shuffled))
    columns = [column for column in one if column.startswith(("p_", "y_pred"))]
    pd.testing.assert_frame_equal(one[columns], other[columns])


def test_test_labels_cannot_change_any_prediction(table, X, splits):
    split = splits[0]
    changed = table.copy()
    column = changed.columns.get_loc("emotion")
    changed.iloc[split.test, column] = table["emotion"].iloc[np.roll(split.test, 5)].to_numpy()
    specs = [spec(access) for access in FIT_ARGUMENTS] + [spec(name="z", normalization="corpus")]
    one, other = (run(specs, [split], X, t).predictions for t in (table, changed))
    assert (one["y_pred"] == other["y_pred"]).all()
    assert (one["y_true"] != other["y_true"]).any()


def test_same_training_data_is_fitted_once(table, X, splits):
    made: list[Nearest] = []
    run([spec("none", made=made)], splits, X, table, seeds=(0,))
    assert sum(bool(method.got) for method in made) == 1


def test_deterministic_methods_run_once(table, X, splits):
    done = run([spec(stochastic=False), spec(name="random")], splits, X, table)
    assert done.predictions.groupby("method")["seed"].nunique().to_dict() == {
        "nearest-few-shot": 1,
        "random": 2,
    }


def test_resumes_where_it_stopped(table, X, splits, tmp_path):
    cancel = threading.Event()

    def stop_late(done, total, text):
        if done >= len(splits) + 1:
            cancel.set()

    specs = [spec(name="a"), spec(name="b")]
    with pytest.raises(Cancelled):
        run(specs, splits, X, table, folder=tmp_path, watch=Watch(progress=stop_late, cancel=cancel))
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["a-seed0.fits.parquet", "a-seed0.predictions.parquet"]
    made: list[Nearest] = []
    resumed = run([spec(name="a", made=made), spec(name="b")], splits, X, table, folder=tmp_path)
    assert len(made) == len(splits), "only seed 1 of method a was left to do"
    straight = run(specs, splits, X, table)
    pd.testing.assert_frame_equal(resumed.predictions, straight.predictions)


def test_resumes_within_a_method_fold_by_fold(table, X, splits, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_SAVE_EVERY", -1.0)

    def stop(done, total, text):
        if done >= 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run([spec()], splits, X, table, seeds=(0,), folder=tmp_path, watch=Watch(progress=stop))
    made: list[Nearest] = []
    resumed = run([spec(made=made)], splits, X, table, seeds=(0,), folder=tmp_path)
    assert len(made) == len(splits) - 2, "two folds were on disk"
    straight = run([spec()], splits, X, table, seeds=(0,))
    pd.testing.assert_frame_equal(resumed.predictions, straight.predictions)


def test_a_limit_on_labelled_target_utterances_is_kept_and_said(table, X, splits):
    made: list[Nearest] = []
    done = run([spec(made=made, target_limit=5)], splits, X, table)
    assert set(done.fits["target_seen"]) == {"5 labelled"} and set(done.fits["n_target"]) == {5}
    drawn = [tuple(method.got["target_train"].row) for method in made]
    assert len(set(drawn)) == len(drawn), "each fold and seed draws its own"
    for method, split in zip(made, [*splits, *splits], strict=True):
        assert set(method.got["target_train"].row) <= set(split.target_train)


def frames_of(X: pd.DataFrame) -> Frames:
    """Each vector twice, the second time plus 2, then padding."""
    values = np.stack([X.to_numpy(), X.to_numpy() + 2, np.full(X.shape, np.nan)], axis=1)
    return Frames.of_dense(values.astype(np.float32), index=X.index, columns=tuple(X), frame_shift=0.01)


def test_a_method_of_vectors_gets_the_statistics_of_frames(table, X, splits):
    made: list[Nearest] = []
    run([spec(made=made)], splits[:1], frames_of(X), table, seeds=(0,))
    source = made[0].got["source"]
    expected = np.hstack([X.iloc[source.row] + 1, np.ones_like(X.iloc[source.row])])
    np.testing.assert_allclose(source.X, expected, atol=1e-5)


def test_a_method_of_frames_refuses_vectors(table, X, splits):
    with pytest.raises(ProtocolError, match="nearest-few-shot needs frames"):
        run([spec(input="frames")], splits, X, table)


class Network(Nearest):
    """With the extras of a network."""

    def fit(self, **samples):
        return super().fit(**{name: replace(part, X=statistics(part.X)) for name, part in samples.items()})

    def predict_proba(self, X):
        return super().predict_proba(statistics(X))

    def history(self):
        return pd.DataFrame({"stage": "target", "epoch": [1, 2], "loss": [2.0, 1.0]})

    def attention(self, X):
        return np.tile([0.25, 0.75], (len(X), 1))

    def embed(self, X):
        return statistics(X)[:, :3]


def test_what_a_network_shows_is_kept_for_the_first_seed(table, X, splits, tmp_path):
    def build(*, n_classes, seed, preset, fitting):
        return Network(n_classes, seed)

    network = replace(spec(input="frames"), build=build)
    done = run([network, spec(name="plain")], splits, frames_of(X), table, folder=tmp_path)
    assert len(done.history) == 2 * len(splits) * 2 and set(done.history["method"]) == {network.name}
    rows = [splits[0].train, splits[0].target_train, splits[0].test]
    assert done.embeddings["utterance"].tolist() == list(table.index[np.concatenate(rows)]), "of one fold"
    assert [column for column in done.embeddings if column.startswith("e_")] == ["e_1", "e_2", "e_3"]
    assert set(done.attention["part"]) == {"train", "test"} and set(done.attention["seed"]) == {0}
    learned = done.attention.query("part == 'train' and fold == @splits[0].fold")["utterance"]
    assert list(learned) == list(table.index[splits[0].target_train])
    again = run([network, spec(name="plain")], splits, frames_of(X), table, folder=tmp_path)
    pd.testing.assert_frame_equal(again.attention, done.attention)
    # Or not, where nobody looks at it.
    bare = run([network, spec(name="plain")], splits, frames_of(X), table, with_details=False)
    assert bare.embeddings.empty and bare.attention.empty and bare.shift.empty
    pd.testing.assert_frame_equal(bare.predictions, done.predictions)
    pd.testing.assert_frame_equal(bare.history, done.history)


@dataclass
class Aligned(Nearest):
    """Knows by heart whom it has heard, and shows corpora of these without any difference."""

    def fit(self, **samples):
        super().fit(**samples)
        self.heard = {row.tobytes() for part in samples.values() for row in part.X}
        return self

    def layers(self, X: np.ndarray) -> dict[str, np.ndarray]:
        by_heart = np.array([row.tobytes() in self.heard for row in X])
        return {"hidden": np.where(by_heart[:, None], 0, X)}


def test_alignment_is_measured_on_speakers_who_were_not_aligned():
    table = utterance_table({"here": 8, "there": 9})
    X = separable_features(table) + 8.0 * (table["corpus"] == "here").to_numpy()[:, None]
    splits, _ = SplitProtocol(name="speaker-groups", target="here", sources=("there",), repeats=2).plan(table)

    def build(*, n_classes, seed, preset, fitting):
        return Aligned(n_classes, seed)

    done = run([replace(spec("unlabelled"), build=build)], splits, X, table)
    assert done.shift["fold"].tolist() == [splits[0].fold] and (done.shift["reason"] == "").all()
    assert done.shift["a_distance"].item() == pytest.approx(2)
    assert (done.shift["n_source_speakers"].item(), done.shift["n_target_speakers"].item()) == (3, 4)


def test_too_few_speakers_to_measure_on_are_no_number_but_a_reason(table, X, splits):
    def build(*, n_classes, seed, preset, fitting):
        return Aligned(n_classes, seed)

    done = run([replace(spec("unlabelled"), build=build)], splits, X, table)
    assert done.shift["a_distance"].isna().all() and done.shift["layer"].tolist() == ["hidden"]
    assert done.shift["reason"].str.contains("3 speakers of the source: too few").all()


def test_augmented_copies_are_learned_from_and_never_tested(table, X, splits):
    made: list[Nearest] = []
    done = run([spec(made=made)], splits[:1], X, table, seeds=(0,), copies=[X + 100])
    got = made[0].got["target_train"]
    n = len(splits[0].target_train)
    assert len(got) == 2 * n and list(got.row) == [*splits[0].target_train] * 2
    np.testing.assert_array_equal(got.X[n:], got.X[:n] + 100)
    assert len(done.predictions) == len(splits[0].test)
    assert done.fits["n_target"].tolist() == [n], "copies are not more labelled utterances"


def test_a_failed_training_names_the_files_and_the_others_go_on(table, X, splits):
    def build(*, n_classes, seed, preset, fitting):
        class Fails(Nearest):
            def fit(self, **samples):
                raise TrainingError("the loss became nan in epoch 3", rows=samples["target_train"].row[:4])

        return Fails(n_classes, seed)

    names = "here/s0-anger-0, here/s0-anger-1, here/s0-anger-2 and 1 more"
    failing = replace(spec(name="failing"), build=build)
    done = run([failing, spec(name="plain")], splits[:1], X, table, seeds=(0,))
    skipped = done.fits.set_index("method")["skipped"]
    assert skipped["failing"] == f"the loss became nan in epoch 3; the batch: {names}"
    assert skipped["plain"] == "" and set(done.predictions["method"]) == {"plain"}


def test_a_fold_that_a_method_cannot_run_is_counted(table, X, splits):
    here = table["speaker"] == "here/s0"
    kept = ~(here & (table["emotion"] == "neutral"))
    rows, features = table[kept], X[kept]
    splits = SplitProtocol(name="one-subject", target="here", sources=("there",)).plan(rows)[0]
    done = run([spec(name="neutral", normalization="neutral"), spec(name="plain")], splits, features, rows)
    skipped = done.fits[done.fits["skipped"] != ""]
    assert set(skipped["method"]) == {"neutral"} and set(skipped["fold"]) == {"here/s0"}
    results = evaluation.score(done.predictions, done.fits)
    summary = evaluation.summarise(done.predictions, results, rows["speaker"]).set_index("method")
    assert summary.loc["neutral", ["n_folds", "n_skipped"]].tolist() == [3, 1]
    compared = evaluation.paired(done.predictions, rows["speaker"], method="neutral", control="plain")
    assert compared.n_folds == 3, "only folds that both could run are compared"


def test_every_measure_derives_from_the_predictions(table, X, splits):
    done = run([spec()], splits, X, table)
    results = evaluation.score(done.predictions, done.fits)
    assert len(results) == len(splits) * 2
    part = done.predictions.query("fold == 'here/s1' and seed == 1")
    counts = metrics.confusion(part["y_true"], part["y_pred"], 4)
    row = results.query("fold == 'here/s1' and seed == 1").iloc[0]
    assert row["uar"] == pytest.approx(float(metrics.uar(counts)))
    summary = evaluation.summarise(done.predictions, results, table["speaker"]).iloc[0]
    by_seed = [
        metrics.uar(metrics.confusion(p["y_true"], p["y_pred"], 4))
        for _, p in done.predictions.groupby("seed")
    ]
    assert summary["uar"] == pytest.approx(np.mean(by_seed))
    assert summary["uar_low"] <= summary["uar"] <= summary["uar_high"]


def test_misaligned_rows_and_a_run_without_a_fold_are_refused(table, X, splits):
    with pytest.raises(ValueError, match="same rows"):
        run([spec()], splits, X.iloc[::-1], table)
    no_source = [replace(split, train=np.array([], dtype=int)) for split in splits]
    with pytest.raises(ProtocolError, match="no method could be run"):
        run([spec("none")], no_source, X, table)


# --- inductive ------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["one-subject", "loso", "speaker-groups", "k-shot"])
@pytest.mark.parametrize(("access", "scope"), [("unlabelled", "none"), ("few-shot", "corpus")])
def test_what_is_tested_is_never_heard_where_it_is_inductive(table, X, protocol, access, scope):
    """Replacing all tested utterances by noise changes nothing that was learned."""
    splits, _ = SplitProtocol(
        name=protocol, target="here", sources=("there",), shots=2, repeats=2, transductive=False
    ).plan(table)
    got = []
    for replaced in (False, True):
        made: list[Nearest] = []
        features = X.copy()
        if replaced:
            features.iloc[splits[0].test] *= -1
        done = run([spec(access, made=made, normalization=scope)], splits[:1], features, table, seeds=(0,))
        got.append(made[0].got)
        assert not done.fits["transductive"].any() and (done.fits["skipped"] == "").all()
        if access == "unlabelled":
            assert done.fits["target_seen"].tolist() == ["unlabelled, not tested"]
            heard = set(table["speaker"].iloc[made[0].got["adapt"].row])
            assert heard and not heard & set(table["speaker"].iloc[splits[0].test])
    for part, other in zip(got[0].values(), got[1].values(), strict=True):
        np.testing.assert_array_equal(part.X, other.X)


def test_other_utterances_of_tested_speakers_are_said_to_be_heard(table, X):
    """Inductive, and the split lets speakers be shared: once "not tested" was all that was said."""
    splits, _ = SplitProtocol(
        name="random", target="here", sources=("there",), repeats=3, transductive=False
    ).plan(table)
    done = run([spec("unlabelled", made=[])], splits[:1], X, table, seeds=(0,))
    assert done.fits["target_seen"].tolist() == ["unlabelled, not tested, of tested speakers"]
    assert not done.fits["transductive"].any()


def test_a_speaker_who_is_never_heard_has_no_statistics_of_their_own(table, X):
    splits, _ = SplitProtocol(name="loso", target="here", sources=("there",), transductive=False).plan(table)
    with pytest.raises(ProtocolError, match=r"no statistics of speaker .* tested.*transductive"):
        run([spec("few-shot", normalization="speaker")], splits, X, table)
