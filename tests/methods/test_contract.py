"""One contract for every method, and what each adds to it."""

from __future__ import annotations

import copy
import inspect
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import fractional_matrix_power

from serlab import methods, normalization
from serlab.errors import Cancelled, ParameterError, ProtocolError
from serlab.methods import FIT_ARGUMENTS, METHODS, acnn
from serlab.methods.base import MethodSpec
from serlab.methods.encoder import below_top
from serlab.methods.encoder_tuned import below_all
from serlab.methods.learners.alignment import coral
from serlab.methods.learners.forest import MultiTask, forest, oversample
from serlab.methods.learners.scenarios import Majority
from serlab.samples import Labelled, frames, without_labels
from serlab.training import PLAIN, Fitting, losses
from tests import remembered, toys

pytestmark = pytest.mark.usefixtures("thin_vgg16", "tiny_encoder")

N_CLASSES = 3
#: What each method answers on the data below, written down: a change of structure changes no number.
#: ``python -m tests.methods.remember --all`` writes it anew, for a change that should.
REMEMBERED = remembered.DATA / "contract_predictions.npz"
#: Trained through thirteen layers: elsewhere, rounding alone gives them other answers.
ROUNDING_DECIDES = {
    f"tdnn-{weights}-{part}" for weights in ("tuned", "scratch") for part in ("target", "source", "finetuned")
}
#: What is aligned, with lambda 0, as test_controls.py says: what holds of the one holds of the other.
UNALIGNED = {
    spec.control for spec in METHODS.values() if spec.adds == "alignment" and "trade_off" in spec.options
}
OWN = [name for name in METHODS if name not in UNALIGNED]
REAL_METHODS = [name for name in OWN if name != "majority"]


def of_access(*access: str) -> list[str]:
    return [name for name in OWN if METHODS[name].access in access]


def corpus(name: str, n: int, *, seed: int, speakers: int = 3, shift: float = 0.0) -> Labelled:
    """Two well separated Gaussian classes (0 and 1 of 3) in five features."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(0, 1, (n, 5)) + 4 * y[:, None] * [1, 1, 0, 0, 0] + shift
    speaker = np.array([f"{name}/{i // 2 % speakers}" for i in range(n)])
    return Labelled(X=X.astype(np.float32), corpus=np.full(n, name), speaker=speaker, y=y)


def as_frames(part: Labelled, width: int = 5) -> Labelled:
    """The same features in each of 12 to 25 frames, with noise, and more noise; NaN after the end."""
    rng = np.random.default_rng(len(part))
    X = rng.normal(0, 0.5, (len(part), 25, width)).astype(np.float32)
    X[:, :, :5] += part.X[:, None, :]
    for sequence, length in zip(X, rng.integers(12, 26, len(part)), strict=True):
        sequence[length:] = np.nan
    return replace(part, X=X)


SOURCE = corpus("a", 64, seed=0)
TARGET_TRAIN = corpus("t", 12, seed=1, speakers=1, shift=0.3)
TEST = corpus("t", 30, seed=2, shift=0.3)
ACOUSTIC_MODEL = toys.acoustic_model(5)


def given(
    spec: MethodSpec, *, source=SOURCE, target_train=TARGET_TRAIN, test=TEST
) -> tuple[dict, np.ndarray]:
    """Arguments of ``fit`` and test features, as an experiment hands them over."""
    if spec.input == "frames":
        width = 16 if spec.features in (below_top, below_all) else 5  # of tests.tiny_encoders
        source, target_train, test = (as_frames(part, width) for part in (source, target_train, test))
    arguments = FIT_ARGUMENTS[spec.access]
    normalized = normalization.normalize(
        spec.normalization,
        source=source if "source" in arguments else None,
        target_train=target_train if "target_train" in arguments else None,
        adapt=without_labels(test),
        test=without_labels(test),
        neutral=0,
    )
    return {name: getattr(normalized, name) for name in arguments}, normalized.test.X


def build(spec: MethodSpec, *, seed: int = 0, preset: str = "demo", fitting: Fitting = PLAIN, **options):
    """As an experiment does, with an acoustic model and an encoder for those that build on one."""
    try:
        methods.require_installed(spec)
    except ParameterError as error:
        pytest.skip(str(error))
    if "acoustic_model" in spec.options:
        options["acoustic_model"] = ACOUSTIC_MODEL
    if spec.features in (below_top, below_all):
        options["encoder"] = "whisper"
    return spec.build(n_classes=N_CLASSES, seed=seed, preset=preset, fitting=fitting, **options)


def fitted(spec: MethodSpec, arguments: dict, *, seed: int = 0):
    return build(spec, seed=seed).fit(**arguments)


@pytest.mark.parametrize("name", OWN)
def test_contract(name):
    spec = METHODS[name]
    assert spec.name == name and spec.title and spec.reference
    assert spec.normalization in normalization.SCOPES
    arguments, X = given(spec)
    before = copy.deepcopy((arguments, X))
    method = fitted(spec, arguments)
    # What stands on a speech network hands all that it gets to a method of its own, which refuses the rest.
    learner = getattr(method, "method", method)
    assert tuple(inspect.signature(type(learner).fit).parameters)[1:] == FIT_ARGUMENTS[spec.access]

    proba = method.predict_proba(X)
    if name != "majority":
        assert np.mean(proba.argmax(axis=1) == TEST.y) > 0.8, "it learns what is easy"
    assert proba.shape == (len(TEST), N_CLASSES)
    assert np.isfinite(proba).all() and (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)
    with np.load(REMEMBERED) as answers:
        if name not in answers:
            pytest.fail(f"{name} is new: `python -m tests.methods.remember` writes down what it answers")
        if remembered.made_here() or name not in ROUNDING_DECIDES:
            atol = 2e-3 if remembered.made_here() else 0.05
            np.testing.assert_allclose(proba, answers[name], atol=atol, err_msg="not the numbers of before")
    assert not np.any(proba.argmax(axis=1) == 2), "a class that training lacks is never predicted"

    np.testing.assert_array_equal(fitted(spec, arguments).predict_proba(X), proba)
    assert np.array_equal(fitted(spec, arguments, seed=1).predict_proba(X), proba) != spec.stochastic

    for part, was in zip([*arguments.values(), X], [*before[0].values(), before[1]], strict=True):
        for field in ("X", "y") if isinstance(part, Labelled) else ("X",) if part is not X else ():
            np.testing.assert_array_equal(getattr(part, field), getattr(was, field))
    np.testing.assert_array_equal(X, before[1])


@pytest.mark.parametrize("name", REAL_METHODS)
def test_one_class_is_refused(name):
    one = {
        "source": replace(SOURCE, y=0 * SOURCE.y),
        "target_train": replace(TARGET_TRAIN, y=0 * TARGET_TRAIN.y),
    }
    arguments, _ = given(METHODS[name], **one)
    with pytest.raises(ProtocolError, match=r"1 class"):
        fitted(METHODS[name], arguments)


@pytest.mark.parametrize("name", of_access("none", "unlabelled"))
def test_target_labels_are_not_accepted(name):
    arguments, _ = given(METHODS[name])
    target = as_frames(TARGET_TRAIN) if METHODS[name].input == "frames" else TARGET_TRAIN
    with pytest.raises(TypeError):
        fitted(METHODS[name], {**arguments, "target_train": target})
    assert not any(isinstance(part, Labelled) for key, part in arguments.items() if key != "source")


@pytest.mark.parametrize("name", of_access("unlabelled", "few-shot", "semi-supervised"))
def test_identical_corpora_and_a_batch_of_one(name):
    """Of 33 utterances the last batch has one, if there are 32 or 16 in a batch."""
    same = corpus("a", 33, seed=0)
    arguments, X = given(METHODS[name], source=same, target_train=same, test=same)
    method = fitted(METHODS[name], arguments)
    proba = method.predict_proba(X)
    assert np.isfinite(proba).all() and (proba.argmax(axis=1) < 2).all()
    if hasattr(method, "as_source") and not name.endswith("-adabn"):  # its source has what training gathered
        np.testing.assert_allclose(method.as_source().predict_proba(X), proba, atol=1e-6)


@pytest.mark.parametrize("name", of_access("unlabelled"))
def test_a_target_of_one_utterance(name):
    spec = METHODS[name]
    arguments, X = given(spec, source=corpus("a", 24, seed=0), test=TEST.take(slice(1)))
    if spec.requires == "skada":
        with pytest.raises(ProtocolError, match="needs two or more"):
            fitted(spec, arguments)
    else:
        assert np.isfinite(fitted(spec, arguments).predict_proba(X)).all()


@pytest.mark.parametrize(
    "name", ["fcnn", "dbn", "acnn-finetuned", "encdec-transfer", "light-mmd-supervised", "light-mmd-head"]
)
def test_a_source_stage_serves_every_fold(name, tmp_path):
    """Fine-tuning on one fold leaves no trace in the next, in memory or in the folder of checkpoints."""
    spec = METHODS[name]
    arguments, X = given(spec)
    fitting = Fitting(checkpoints=tmp_path)
    method = spec.build(n_classes=N_CLASSES, seed=0, preset="demo", fitting=fitting)
    method.fit_source(source=arguments["source"])
    upside_down = replace(arguments["target_train"], y=1 - arguments["target_train"].y)
    other = copy.copy(method).fit_target(target_train=upside_down)
    before = other.predict_proba(X)
    copy.copy(method).fit_target(target_train=upside_down)
    method.fit_target(target_train=arguments["target_train"])
    np.testing.assert_array_equal(method.predict_proba(X), fitted(spec, arguments).predict_proba(X))
    np.testing.assert_array_equal(other.predict_proba(X), before)


def test_fcnn_changes_the_output_layer_only():
    arguments, _ = given(METHODS["fcnn"])
    method = fitted(METHODS["fcnn"], arguments)
    for before, after in zip(
        method.source_network[:-1].parameters(), method.network[:-1].parameters(), strict=True
    ):
        assert torch.equal(before, after)
    assert not torch.equal(method.source_network[-1].weight, method.network[-1].weight)


# --- networks on frames ------------------------------------------------------

PARTS = ("encoder", "attention", "decoder")

#: method -> parts that begin as the source left them, parts that learn from the target
TRANSFERS = {
    "encdec-transfer": (PARTS, ("encoder",)),
    "encdec-from-encoder": (("encoder",), PARTS),
    "encdec-from-encoder-attention": (("encoder", "attention"), PARTS),
    "encdec-from-decoder": (("decoder",), PARTS),
    "encdec-from-all": (PARTS, PARTS),
}


def state_of(module: torch.nn.Module, part: str) -> list[torch.Tensor]:
    return [value.detach().clone() for value in module.get_submodule(part).state_dict().values()]


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(*pair) for pair in zip(one, other, strict=True))


@pytest.mark.parametrize("name", TRANSFERS)
def test_parts_are_transferred_and_updated_by_name(name):
    start, update = TRANSFERS[name]
    arguments, _ = given(METHODS[name])
    method = METHODS[name].build(n_classes=N_CLASSES, seed=0, preset="demo", fitting=Fitting())
    method.source.settings = replace(method.source.settings, epochs=1)
    method.fit_source(source=arguments["source"])
    source = {part: state_of(method.source.module, part) for part in PARTS}
    untrained = method.source.untrained(*arguments["source"].X.shape[1:])
    begin = replace(method.on_target, epochs=0)
    for epochs in (0, 1):
        method.on_target = replace(begin, epochs=epochs)
        method.fit_target(target_train=arguments["target_train"])
        for part in PARTS:
            expected = source[part] if part in start else state_of(untrained, part)
            stays = epochs == 0 or part not in update
            assert equal(state_of(method.target.module, part), expected) == stays, part
            assert equal(state_of(method.source.module, part), source[part]), "the source stage stays"


def test_a_part_that_is_not_there_is_refused():
    arguments, _ = given(METHODS["acnn-finetuned"])
    method = METHODS["acnn-finetuned"].build(n_classes=N_CLASSES, seed=0, preset="demo", fitting=Fitting())
    method.update = ("encoder",)
    method.fit_source(source=arguments["source"])
    with pytest.raises(ParameterError, match=r"no part \['encoder'\]; it has convolution, score"):
        method.fit_target(target_train=arguments["target_train"])


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("acnn-source", {"source": 10}),
        ("acnn-finetuned", {"source": 10, "target": 10}),
        ("encdec-target", {"target": 6}),
        ("encdec-transfer", {"source": 6, "target": 6}),
    ],
)
def test_networks_leave_history_attention_and_embeddings(name, stages):
    arguments, X = given(METHODS[name])
    method = fitted(METHODS[name], arguments)
    history = method.history()
    assert list(history.columns) == ["stage", "epoch", "loss", "uar"]
    assert history["stage"].value_counts().to_dict() == stages

    attention = method.attention(X)
    frames_a_step, n_steps = (90, 8) if name.startswith("acnn") else (4, 7)
    assert attention.shape == (len(X), n_steps)
    np.testing.assert_allclose(np.nansum(attention, axis=1), 1, rtol=1e-5)
    steps = np.ceil(frames(X).sum(axis=1) / frames_a_step)
    np.testing.assert_array_equal((~np.isnan(attention)).sum(axis=1), steps)

    embedded = method.embed(X)
    network = method.target.module if hasattr(method, "target") else method.classifier.module
    with torch.inference_mode():
        logits = network.output if name.startswith("acnn") else network.decoder.output
        proba = logits(torch.from_numpy(embedded)).softmax(dim=1)
    np.testing.assert_allclose(proba, method.predict_proba(X), atol=1e-6)


def test_methods_share_a_folder_of_checkpoints(tmp_path):
    """The same training is found again, whichever method began it; another gets its own file."""
    seen = []
    fitting = Fitting(checkpoints=tmp_path, on_epoch=lambda history: seen.append(len(history)))
    for name, epochs in (("acnn-source", 10), ("acnn-finetuned", 1 + 10), ("encdec-source", 6)):
        arguments, X = given(METHODS[name])
        seen.clear()
        method = METHODS[name].build(n_classes=N_CLASSES, seed=0, preset="demo", fitting=fitting)
        method.fit(**arguments)
        assert len(seen) == epochs
        np.testing.assert_array_equal(
            method.predict_proba(X), fitted(METHODS[name], arguments).predict_proba(X)
        )
    assert len(list(tmp_path.glob("source-*.pt"))) == 2


def test_other_classifiers_have_no_history_attention_or_embeddings():
    method = fitted(METHODS["svm-source"], given(METHODS["svm-source"])[0])
    assert not any(hasattr(method, name) for name in ("history", "attention", "embed"))


@pytest.mark.parametrize("name", ["acnn-finetuned", "encdec-source", "dbn-target", "sae-svm"])
def test_a_fit_can_be_cancelled(name):
    cancel = threading.Event()
    cancel.set()
    arguments, _ = given(METHODS[name])
    method = METHODS[name].build(n_classes=2, seed=0, preset="demo", fitting=Fitting(cancel=cancel))
    with pytest.raises(Cancelled):
        method.fit(**arguments)


def test_the_acnn_is_the_papers():
    spec = METHODS["acnn-finetuned"]
    method = spec.build(n_classes=2, seed=0, preset="paper", fitting=Fitting())
    assert spec.target_limit == 100
    assert (method.source.settings.epochs, method.on_target.epochs) == (50, 10)
    for settings in (method.source.settings, method.on_target):
        assert (settings.optimizer, settings.batch_size, settings.patience) == ("adam", 32, None)
    assert not method.source.balanced
    assert method.source.untrained(751, 26).convolution.weight.shape == (200, 260)
    assert method.source.untrained(300, 26).n_steps == 8


# --- deep belief network and sparse autoencoder ------------------------------


def test_dbn_source_is_the_dbn_before_fine_tuning():
    arguments, X = given(METHODS["dbn"])
    whole = fitted(METHODS["dbn"], arguments)
    alone = fitted(METHODS["dbn-source"], {"source": arguments["source"]})
    np.testing.assert_array_equal(alone.predict_proba(X), whole.source.predict_proba(X))
    assert whole.history()["stage"].unique().tolist() == ["source", "target"]


def test_autoencoders_bring_the_source_to_the_target_class_by_class():
    """Source and target differ by a shift; class 2 is not in the target and stays as it is."""
    y = np.arange(60) % 3
    source = replace(corpus("a", 60, seed=0, shift=2.0), y=y)
    target = TARGET_TRAIN
    method = METHODS["sae-svm"].build(n_classes=3, seed=0, preset="quick", fitting=Fitting()).classifier
    moved = method.reconstructed(source, like=target)
    for value in (0, 1):
        goal = target.X[target.y == value].mean(axis=0)
        before, after = (np.linalg.norm(part.X[y == value].mean(axis=0) - goal) for part in (source, moved))
        assert after < 0.6 * before
    np.testing.assert_array_equal(moved.X[y == 2], source.X[y == 2])
    np.testing.assert_array_equal(moved.y, y)


# --- the registry ------------------------------------------------------------


def test_groups_name_methods():
    for names in methods.GROUPS.values():
        assert set(names) <= set(METHODS)
    for prefix, *groups in (
        ("acnn", "neumann-vu", "neumann-vu-sizes"), ("encdec", "durrani-arshad"), ("sae", "durrani-arshad")
    ):  # fmt: skip
        offered = {name for group in groups for name in methods.GROUPS[group]}
        assert {name for name in METHODS if name.startswith(prefix)} <= offered


@pytest.mark.parametrize(
    ("preset", "padding", "n_weights"), [("paper", "", 8), ("quick", "", 2), ("quick", "zeros", 8)]
)
def test_with_zeros_every_utterance_has_the_eight_attention_weights_of_the_paper(preset, padding, n_weights):
    recipe = acnn.RECIPES[preset]
    network = acnn._architecture(
        (200, 5), 2, n_kernels=4, of_preset=recipe.sizes["of_preset"], padding=padding
    )
    X = torch.full((1, 200, 5), torch.nan)
    X[:, :150] = 1.0  # 1.5 s: two steps of .9 s
    assert int(network.attention_weights(X).isfinite().sum()) == n_weights


def test_get_lists_what_there_is():
    assert methods.get("rf-source").access == "none"
    with pytest.raises(ParameterError, match=r"unknown method 'rf'; known: majority, rf-source"):
        methods.get("rf")


def test_an_unknown_preset_lists_what_there_is():
    for name in ("rf-source", "dbn", "sae-svm", "acnn-finetuned", "encdec-transfer"):
        with pytest.raises(ParameterError, match="demo, quick, paper"):
            METHODS[name].build(n_classes=2, seed=0, preset="fast", fitting=Fitting())


def test_the_forest_is_the_papers():
    for preset, trees in (("demo", 50), ("quick", 1000), ("paper", 1000)):
        classifier = (
            METHODS["rf-source"].build(n_classes=4, seed=0, preset=preset, fitting=Fitting()).classifier
        )
        assert (classifier.estimator.n_estimators, classifier.estimator.max_depth) == (trees, 10)


@pytest.mark.parametrize("name", ["rf-pooled", "dbn"])
def test_threads_make_no_difference(name):
    spec = METHODS[name]
    arguments, X = given(spec)
    one, two = (
        spec.build(n_classes=N_CLASSES, seed=0, preset="demo", fitting=Fitting(n_jobs=n_jobs))
        .fit(**arguments)
        .predict_proba(X)
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_majority_takes_the_first_of_equals():
    part = replace(TARGET_TRAIN, y=np.array([2, 1] * 6))
    assert (Majority(3).fit(target_train=part).predict_proba(TEST.X) == [0, 1, 0]).all()


def test_svm_probabilities_follow_its_decision():
    """With two classes and with three the largest probability is the SVM's own answer."""
    for y in (SOURCE.y, np.arange(len(SOURCE)) % 3):
        method = fitted(METHODS["svm-source"], {"source": replace(SOURCE, y=y)})
        expected = method.classifier.estimator.predict(TEST.X)
        np.testing.assert_array_equal(method.predict_proba(TEST.X).argmax(axis=1), expected)


# --- multi-task --------------------------------------------------------------


def test_oversample_reaches_the_sources_counts_evenly():
    y, like = np.array([0, 0, 0, 1, 2, 2]), np.array([0] * 10 + [1] * 3 + [2])
    rows = oversample(y, like=like, seed=0)
    assert np.bincount(y[rows]).tolist() == [10, 3, 2]  # class 2 is frequent enough as it is
    times = np.bincount(rows)
    assert set(times[:3]) == {3, 4} and times[3] == 3 and (times[4:] == 1).all()


def test_multi_task_decides_within_the_targets_classes():
    """Source and target disagree about every label; the target's view wins on target rows."""
    source = replace(SOURCE, X=SOURCE.X + np.float32(50))
    target = replace(TARGET_TRAIN, y=1 - TARGET_TRAIN.y)
    method = MultiTask(forest(n_trees=50, seed=0, n_jobs=1), 2, 0).fit(source=source, target_train=target)
    proba = method.predict_proba(TEST.X)
    assert np.mean(proba.argmax(axis=1) == 1 - TEST.y) > 0.9
    both = method.estimator.predict_proba(TEST.X)
    np.testing.assert_allclose(proba, both[:, 2:] / both[:, 2:].sum(axis=1, keepdims=True))


def test_multi_task_falls_back_on_the_source():
    source = replace(SOURCE, X=SOURCE.X + np.float32(50))
    method = MultiTask(forest(n_trees=50, seed=0, n_jobs=1), 2, 0).fit(
        source=source, target_train=TARGET_TRAIN
    )
    both = method.estimator.predict_proba(source.X)
    alone = both[:, 2:].sum(axis=1) == 0
    assert alone.any()
    np.testing.assert_allclose(method.predict_proba(source.X)[alone], both[alone, :2])


# --- CORAL -------------------------------------------------------------------


def correlated(n: int, *, seed: int, d: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def test_coral_gives_the_source_the_targets_mean_and_covariance():
    source, target = correlated(300, seed=0), correlated(200, seed=1)
    aligned = coral(source, target, ridge=1e-9).astype(float)
    np.testing.assert_allclose(aligned.mean(axis=0), target.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(np.cov(aligned.T), np.cov(target.T), rtol=1e-4, atol=1e-4)


def test_coral_against_matrix_square_roots():
    for n in (50, 4):  # more and fewer rows than features
        source, target = correlated(n, seed=0), correlated(n + 1, seed=1)
        ridge = 0.5 * np.eye(6)
        whiten = fractional_matrix_power(np.cov(source.T) + ridge, -0.5)
        colour = fractional_matrix_power(np.cov(target.T) + ridge, 0.5)
        expected = (source - source.mean(axis=0)) @ whiten @ colour + target.mean(axis=0)
        np.testing.assert_allclose(coral(source, target, ridge=0.5), expected, rtol=1e-4, atol=1e-4)


def test_coral_of_equal_corpora_is_the_identity():
    source = correlated(50, seed=0)
    np.testing.assert_allclose(coral(source, source), source, rtol=1e-4, atol=1e-4)


def test_coral_lowers_the_discrepancy():
    source, target = correlated(200, seed=0), correlated(200, seed=1)
    before, after, goal = (
        torch.from_numpy(X.astype(np.float32)) for X in (source, coral(source, target, ridge=1e-6), target)
    )
    bandwidth = losses.median_bandwidth(before, goal)
    assert losses.mmd2(after, goal, bandwidth) < 0.1 * losses.mmd2(before, goal, bandwidth)
    assert losses.coral(after, goal) < 0.01 * losses.coral(before, goal)
