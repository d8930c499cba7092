"""RNN-ELM, Conv-LSTM, CTC-BLSTM: losses by enumeration, networks blind to padding, known sounds."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
import torch
from torch import nn

from serlab import features
from serlab.audio import SAMPLE_RATE
from serlab.errors import Cancelled, ParameterError, ProtocolError
from serlab.features import short_term
from serlab.methods.base import FIT_ARGUMENTS
from serlab.methods.speech_rivals import SPECS, likelihood, of_segments
from serlab.models import conv_lstm, recurrent
from serlab.models.conv_lstm import ConvLSTM
from serlab.models.ctc_blstm import CTCBLSTM, single_label_scores
from serlab.models.recurrent import BLSTM
from serlab.models.rnn_elm import ELM, FramePosteriors, random_label_scores
from serlab.samples import Labelled
from serlab.training import PLAIN, Fitting
from serlab.training.objectives.base import Batch

NETWORKS = {
    "rnn-elm": lambda: FramePosteriors(5, 3, units=4, averaged=2),
    "conv-lstm": lambda: ConvLSTM(
        5, 3, channels=(3, 4), kernels=((4, 3), (3, 2)), units=4, averaged=2, longest=16
    ),
    "ctc-blstm": lambda: CTCBLSTM(5, 3, units=4),
}
LENGTHS = (41, 23, 1, 8, 9, 2)


def network(name: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return NETWORKS[name]().eval()


def sequences(*lengths: int, t: int, d: int = 5) -> torch.Tensor:
    X = torch.randn(len(lengths), t, d, generator=torch.Generator().manual_seed(0))
    for row, length in zip(X, lengths, strict=True):
        row[length:] = torch.nan
    return X


def log_posteriors(*lengths: int, t: int, classes: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    X = sequences(*lengths, t=t, d=classes + 1).double()
    return (2 * X.nan_to_num(50.0)).log_softmax(dim=2), ~X[:, :, 0].isnan()


# --- losses ---


def paths(log_p: torch.Tensor, is_of: dict) -> dict:
    """Log of the summed probability of all labellings of the frames, by what ``is_of`` makes of them."""
    sums = dict.fromkeys(is_of, 0.0)
    for labels in itertools.product(range(log_p.shape[1]), repeat=len(log_p)):
        p = log_p[torch.arange(len(log_p)), list(labels)].sum().exp()
        for name, holds in is_of.items():
            sums[name] += float(p) * holds(labels)
    return {name: np.log(total) for name, total in sums.items()}


def collapsed(labels: tuple[int, ...], blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(labels) if label != blank]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_scores_are_sums_over_all_labellings(length):
    log_p, mask = log_posteriors(length, t=7)
    frames = log_p[0, :length]
    ctc = paths(frames, {c: lambda labels, c=c: collapsed(labels, 2) == [c] for c in (0, 1)})
    some = paths(frames, {c: lambda labels, c=c: set(labels) - {2} == {c} for c in (0, 1)})
    assert single_label_scores(log_p, mask)[0].tolist() == pytest.approx(list(ctc.values()))
    assert random_label_scores(log_p, mask)[0].tolist() == pytest.approx(list(some.values()))


def test_ctc_scores_are_torchs_loss_and_so_are_their_gradients():
    log_p, mask = log_posteriors(30, 7, 1, t=33, classes=4)
    target = torch.tensor([1, 3, 0])
    gradients = []
    for loss in (
        lambda values: -single_label_scores(values, mask)[torch.arange(3), target],
        lambda values: nn.functional.ctc_loss(
            values.transpose(0, 1), target[:, None], mask.sum(dim=1), torch.ones(3, dtype=torch.int64),
            blank=4, reduction="none",
        ),
    ):  # fmt: skip
        logits = log_p.clone().requires_grad_()
        values = loss(logits.log_softmax(dim=2))
        values.sum().backward()
        gradients.append((values.detach(), logits.grad))
    torch.testing.assert_close(*(values for values, _ in gradients))
    torch.testing.assert_close(*(gradient for _, gradient in gradients))


@pytest.mark.parametrize("scores", [single_label_scores, random_label_scores])
@pytest.mark.parametrize("scale", [0.0, 1.0, 60.0])
def test_scores_of_long_and_certain_frames_are_finite_in_single_precision(scores, scale):
    X = scale * torch.randn(2, 2000, 4, generator=torch.Generator().manual_seed(1))
    X.requires_grad_()
    found = scores(X.log_softmax(dim=2), torch.ones(2, 2000, dtype=torch.bool))
    found.sum().backward()
    assert found.isfinite().all() and (found <= 1e-3).all() and X.grad.isfinite().all()


def test_frames_that_say_nothing_but_blank_have_a_gradient():
    logits = torch.tensor([[[-90.0, 0.0]] * 5], requires_grad=True)
    score = random_label_scores(logits.log_softmax(dim=2), torch.ones(1, 5, dtype=torch.bool))
    score.sum().backward()
    assert score.isfinite().all() and logits.grad.isfinite().all()


def test_loss_is_the_weighted_mean_of_negative_scores():
    module, X, y = network("ctc-blstm"), sequences(9, 5, t=9), torch.tensor([2, 0])
    weight = torch.tensor([1.0, 2.0, 3.0])
    scores, terms = likelihood(module, Batch(X, y), nn.CrossEntropyLoss(weight=weight), 0.0)
    torch.testing.assert_close(terms["likelihood"], -(3 * scores[0, 2] + scores[1, 0]) / 4)


def test_segments_are_labelled_as_their_utterance_and_their_posteriors_averaged():
    module, X, y = network("conv-lstm"), sequences(41, 9, t=41), torch.tensor([2, 0])
    logits, terms = of_segments(module, Batch(X, y), nn.CrossEntropyLoss(), 0.0)
    parts = [module(X[:1, start:end]).exp() for start, end in ((0, 13), (13, 27), (27, 41))]
    torch.testing.assert_close(logits[0].exp(), torch.cat(parts).mean(dim=0))
    of_parts = torch.stack([part[0, 2].log() for part in parts] + [module(X[1:, :9])[0, 0]])
    torch.testing.assert_close(terms["segments"], -of_parts.mean())


@pytest.mark.parametrize(("length", "expected"), [(300, [300]), (301, [150, 151]), (901, [225] * 3 + [226])])
def test_segments_are_few_and_of_equal_length(length, expected):
    filled, mask = torch.arange(float(length))[None, :, None], torch.ones(1, length, dtype=torch.bool)
    (values, inside), owner = conv_lstm._segments(filled, mask, longest=300)
    assert inside.sum(dim=1).tolist() == expected and owner.tolist() == [0] * len(expected)
    assert values[:, :, 0][inside].tolist() == list(range(length))


# --- networks ---


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("function", ["forward", "embed"])
def test_padding_and_neighbours_have_no_influence(name, function):
    compute = getattr(network(name), function)
    X = sequences(*LENGTHS, t=60)
    whole = compute(X)
    assert whole.isfinite().all()
    torch.testing.assert_close(compute(X[:, :41]), whole)
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(compute(X[row : row + 1, :length])[0], whole[row], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_do_not_depend_on_padding_and_are_finite(name):
    loss = of_segments if name == "conv-lstm" else likelihood
    gradients = []
    for t in (31, 60):
        module = network(name)
        batch = Batch(sequences(31, 12, 1, t=60)[:, :t], torch.tensor([0, 1, 2]))
        sum(loss(module, batch, nn.CrossEntropyLoss(), 0.0)[1].values()).backward()
        gradients.append([parameter.grad for parameter in module.parameters()])
    for short, long in zip(*gradients, strict=True):
        assert torch.isfinite(short).all() and short.abs().sum() > 0
        torch.testing.assert_close(short, long)


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_have_a_row_an_utterance(name):
    module, X = network(name), sequences(31, 12, t=31)
    layers = module.layers(X)
    assert all(part.dim() == 2 and len(part) == 2 and part.isfinite().all() for part in layers.values())
    if name != "rnn-elm":
        torch.testing.assert_close(layers["output"], module(X))


def test_blstm_is_torchs_on_packed_sequences():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours = BLSTM(5, 3, n_layers=2)
    theirs = nn.LSTM(5, 3, num_layers=2, bidirectional=True, batch_first=True)
    state = {}
    for layer in range(2):
        for direction, suffix in ((ours.ahead, ""), (ours.back, "_reverse")):
            for name, value in direction[layer].state_dict().items():
                state[name.replace("_l0", f"_l{layer}{suffix}")] = value
    theirs.load_state_dict(state)
    X = sequences(9, 4, 1, t=11)
    mask = ~X[:, :, 0].isnan()
    packed = nn.utils.rnn.pack_padded_sequence(X.nan_to_num(), mask.sum(dim=1), batch_first=True)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True, total_length=11)
    torch.testing.assert_close(ours(X.nan_to_num(), mask), expected)


def test_averages_of_frames_leave_padding_out():
    values = torch.tensor([[1.0, 3.0, 5.0, 0.0, 0.0]])[:, :, None]
    mask = torch.tensor([[True, True, True, False, False]])
    found, inside = recurrent.averaged(values, mask, by=2)
    assert found[0, :, 0].tolist() == [2.0, 5.0, 0.0] and inside[0].tolist() == [True, True, False]


def test_statistics_of_frame_posteriors():
    module, X = network("rnn-elm"), sequences(12, t=12)
    steps, _ = module._steps(X)
    p = module._log_posteriors(steps).exp()[0, :, :3].detach().numpy()
    expected = np.concatenate([p.min(axis=0), p.max(axis=0), p.mean(axis=0), (p > 0.2).mean(axis=0)])
    np.testing.assert_allclose(module.statistics(X)[0].detach(), expected, rtol=1e-6)


# --- extreme learning machine ---


def test_elm_is_weighted_ridge_regression_on_its_hidden_units():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    X, T, weight = rng.normal(size=(50, 4)), rng.normal(size=(50, 2)), rng.uniform(1, 3, 50)
    found = ELM.fit(X, T, n_hidden=10, ridge=0.01, seed=1, weight=weight)
    H = found._activations(X)
    ridge = Ridge(alpha=0.01 * 50, fit_intercept=False).fit(H, T, sample_weight=weight)
    np.testing.assert_allclose(found.output, ridge.coef_.T, rtol=1e-6)
    np.testing.assert_allclose(found(X), ridge.predict(H))


def test_elm_with_enough_hidden_units_interpolates_and_takes_constant_columns():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(20, 3)), np.ones(20)])
    T = np.eye(4)[rng.integers(4, size=20)]
    found = ELM.fit(X, T, n_hidden=200, ridge=1e-12, seed=0)
    np.testing.assert_allclose(found(X), T, atol=1e-3)


# --- features ---


def harmonics(f0: float) -> np.ndarray:
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    return (0.1 * sum(np.sin(2 * np.pi * f0 * k * time_s) / k for k in range(1, 15))).astype(np.float32)


@pytest.mark.parametrize("f0", [80, 123, 220, 400])
def test_pitch_of_harmonics(f0):
    values = features.get("voice32").extract(harmonics(f0))[5:-5]
    np.testing.assert_allclose(values[:, 0], f0, rtol=0.02)
    assert (values[:, 1] > 0.95).all()


def test_noise_has_no_pitch_and_a_sine_twice_its_frequency_in_zero_crossings():
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    values = features.get("voice32").extract(noise)
    assert (values[:, 0] == 0).mean() > 0.95
    sine = np.sin(2 * np.pi * 1000 * np.arange(800) / SAMPLE_RATE + 0.3)[None]
    assert short_term.zero_crossings(sine)[0] == pytest.approx(2 * 1000 / SAMPLE_RATE, rel=0.02)


def test_spectrogram_has_a_tone_in_its_bin():
    tone = 0.5 * np.sin(2 * np.pi * 1240 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    chosen = features.get("spectrogram200")
    values = chosen.extract(tone.astype(np.float32))
    assert (values[5:-5].argmax(axis=1) == 62).all() and chosen.names[62] == "spectrum_1240hz"
    amplitude = 0.5 / 2 * np.hamming(640).sum()
    np.testing.assert_allclose(values[50, 62], 20 * np.log10(amplitude), atol=0.05)


def test_spectral_shape_of_known_spectra():
    flat, peak = np.ones(100), np.eye(100)[40]
    found = short_term.spectral_shape(np.stack([flat, peak, peak]))
    centroid, spread, bits, flux, rolloff = found.T
    np.testing.assert_allclose(centroid, [0.505, 0.41, 0.41])
    np.testing.assert_allclose(spread, [np.arange(100).std() / 100, 0, 0], atol=1e-9)
    np.testing.assert_allclose(bits, [np.log2(10), 0, 0], atol=1e-9)
    np.testing.assert_allclose(flux, [0, 99 * 0.01**2 + 0.99**2, 0], atol=1e-9)
    np.testing.assert_allclose(rolloff, [0.89, 0.4, 0.4])


def test_short_term_features_do_not_depend_on_level():
    chosen = features.get("shortterm34")
    assert len(chosen.names) == 34 and chosen.frame_shift == 0.1
    sound = harmonics(150)
    np.testing.assert_allclose(chosen.extract(sound), chosen.extract(0.25 * sound), rtol=1e-3, atol=1e-3)


# --- methods ---


def toy(n: int, *, seed: int) -> Labelled:
    """Two of three classes, each with a feature that is high in five of 12 to 25 frames."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(0, 1, (n, 25, 5)).astype(np.float32)
    for sequence, label in zip(X, y, strict=True):
        length = rng.integers(12, 26)
        start = rng.integers(length - 5)
        sequence[start : start + 5, 4 * label] += 3
        sequence[length:] = np.nan
    return Labelled(X=X, corpus=np.full(n, "a"), speaker=np.full(n, "a/1"), y=y)


def fitted(spec, part: Labelled, fitting: Fitting = PLAIN):
    method = spec.build(n_classes=3, seed=0, preset="demo", fitting=fitting)
    return method.fit(**dict.fromkeys(FIT_ARGUMENTS[spec.access], part))


@pytest.mark.parametrize("spec", [s for s in SPECS if s.access == "none"], ids=lambda s: s.name)
def test_an_emotion_in_some_of_the_frames_is_learned(spec):
    method, test = fitted(spec, toy(80, seed=0)), toy(40, seed=1)
    proba = method.predict_proba(test.X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba.argmax(axis=1) == test.y).mean() > 0.8
    assert list(method.history())[:3] == ["stage", "epoch", "loss"]
    assert method.attention(test.X) is None and len(method.embed(test.X)) == 40
    assert all(part.shape[0] == 40 for part in method.layers(test.X).values())


def test_a_fit_is_taken_up_from_its_checkpoint_and_can_be_cancelled(tmp_path):
    spec = next(s for s in SPECS if s.name == "ctcblstm-source")
    part, seen = toy(16, seed=0), []
    cancel = threading.Event()

    def watch(done: int, total: int, text: str) -> None:
        seen.append(done)
        if len(seen) == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        fitted(spec, part, Fitting(checkpoints=tmp_path, checkpoint_every=0, cancel=cancel, progress=watch))
    cancel.clear()
    resumed = fitted(spec, part, Fitting(checkpoints=tmp_path, progress=watch))
    assert seen[:5] == [1, 2, 3, 3, 4]
    np.testing.assert_array_equal(resumed.predict_proba(part.X), fitted(spec, part).predict_proba(part.X))


def test_specs_name_their_features_and_refuse_what_cannot_be_trained():
    names = [spec.name for spec in SPECS]
    assert len(set(names)) == 9 and {name.rpartition("-")[2] for name in names} == {
        "target", "source", "pooled",
    }  # fmt: skip
    for spec in SPECS:
        assert features.get(spec.features).kind == spec.input == "frames"
        with pytest.raises(ParameterError, match="unknown preset 'slow'"):
            spec.build(n_classes=3, seed=0, preset="slow", fitting=Fitting())
    part = toy(8, seed=0)
    with pytest.raises(ProtocolError, match=r"1 class"):
        fitted(SPECS[0], Labelled(X=part.X, corpus=part.corpus, speaker=part.speaker, y=0 * part.y))


@pytest.mark.parametrize("preset", ["quick", "paper"])
@pytest.mark.parametrize("spec", [s for s in SPECS if s.access == "none"], ids=lambda s: s.name)
def test_every_preset_makes_a_network_for_its_features(spec, preset):
    method = spec.build(n_classes=4, seed=0, preset=preset, fitting=Fitting()).classifier
    network = getattr(method, "network", method)
    module = network.untrained(40, len(features.get(spec.features).names)).eval()
    X = torch.zeros(1, 40, len(features.get(spec.features).names))
    assert module(X).shape == (1, 4)
