"""The training loop: its numbers, its checkpoints, and what it says when it cannot go on."""

from __future__ import annotations

import copy
import io
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import recall_score
from torch import nn

from serlab import training
from serlab.errors import Cancelled, ParameterError, TrainingError
from serlab.sequences import Sequences
from serlab.training import Fitting, Settings, checkpoints
from serlab.training.devices import resolve_device


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def easy(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.arange(n) % 2
    return torch.randn(n, 3, generator=generator()) + 3 * y[:, None], y


def linear(seed: int = 0) -> nn.Module:
    with training.seeded(seed):
        return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.2), nn.Linear(4, 2))


def test_same_seed_same_weights_and_the_global_generator_is_left_alone():
    X, y = easy()
    settings = Settings(epochs=3)
    torch.manual_seed(77)
    expected = torch.rand(1)
    torch.manual_seed(77)
    networks = []
    for seed in (1, 1, 2):
        network = linear(seed)
        training.train(network, X, y, settings=settings, seed=seed)
        networks.append(network(X))
    assert torch.rand(1) == expected
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])


def test_one_full_batch_step_is_adams():
    """The first step of Adam is the learning rate times the sign of the gradient."""
    X, y = easy()
    network = nn.Linear(3, 2)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    weight = torch.tensor([1.0, 3.0])
    gradients = torch.autograd.grad(
        nn.functional.cross_entropy(network(X), y, weight=weight), network.parameters()
    )
    settings = Settings(epochs=1, batch_size=len(X), learning_rate=0.01)
    training.train(network, X, y, settings=settings, seed=0, class_weight=weight)
    for parameter, was, gradient in zip(network.parameters(), before, gradients, strict=True):
        torch.testing.assert_close(parameter, was - 0.01 * gradient.sign(), atol=1e-6, rtol=0)


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    X, y = easy()
    network = linear()
    # The validation labels are wrong on purpose: learning makes it worse.
    settings = Settings(epochs=50, learning_rate=0.01, patience=3)
    history = training.train(network, X, y, settings=settings, seed=0, validation=(X, 1 - y))
    assert len(history) < 50
    best = history["validation_loss"].min()
    assert nn.functional.cross_entropy(network(X), 1 - y).item() == pytest.approx(best, rel=1e-5)
    assert history["epoch"].iloc[-1] == history["validation_loss"].idxmin() + 1 + 3


def test_frozen_parameters_stay():
    X, y = easy()
    network = linear()
    network[0].requires_grad_(False)
    before = [layer.weight.detach().clone() for layer in (network[0], network[2])]
    training.train(network, X, y, settings=Settings(epochs=2), seed=0)
    assert torch.equal(network[0].weight, before[0])
    assert not torch.equal(network[2].weight, before[1])


def test_training_reports_stops_and_refuses():
    X, y = easy()
    seen = []
    training.train(
        linear(), X, y, settings=Settings(epochs=3), seed=0,
        fitting=Fitting(progress=lambda done, total, text: seen.append((done, total))),
    )  # fmt: skip
    assert seen == [(1, 3), (2, 3), (3, 3)]
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        training.train(linear(), X, y, settings=Settings(epochs=3), seed=0, fitting=Fitting(cancel=cancel))
    with pytest.raises(TrainingError, match="epoch 1"):
        training.train(linear(), X * torch.nan, y, settings=Settings(epochs=3), seed=0)
    with pytest.raises(ValueError, match="patience"):
        training.train(linear(), X, y, settings=Settings(epochs=3, patience=1), seed=0)


def test_balanced_weight_makes_classes_weigh_the_same():
    y = torch.tensor([0, 0, 0, 2])
    weight = training.balanced_weight(y, 4)
    torch.testing.assert_close(weight, torch.tensor([4 / 6, 0, 2, 0]))
    assert weight[y].sum() == len(y)


def test_threads_are_restored():
    before = torch.get_num_threads()
    with training.threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_probabilities_are_the_softmax():
    network = linear().eval()
    X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    proba = training.predict_proba(network, X)
    logits = network(torch.from_numpy(X)).detach().double().numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, expected, rtol=1e-6)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)


# --- what it does beside a plain loop ----------------------------------------


class MeanOfFrames(nn.Module):
    """Linear classifier of the mean frame; keeps the lengths of the batches it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(3, 2)
        self.seen: list[int] = []

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self.seen.append(X.shape[1])
        return self.output(X.nanmean(dim=1))

    def attention(self, X: torch.Tensor) -> torch.Tensor:
        inside = ~X[:, :, 0].isnan()
        return torch.where(inside, 1 / inside.sum(dim=1, keepdim=True), torch.nan)


def sequences(n: int = 40, longest: int = 20) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sequences, labels, lengths; one has a single frame."""
    y = torch.arange(n) % 2
    lengths = torch.randint(1, longest + 1, (n,), generator=generator())
    lengths[:2] = torch.tensor([1, longest])
    X = torch.randn(n, longest, 3, generator=generator()) + y[:, None, None]
    X[torch.arange(longest) >= lengths[:, None]] = torch.nan
    return X, y, lengths


def same(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_weights_are_those_of_the_textbook_loop(optimizer):
    X, y = easy(70)
    settings = Settings(
        epochs=2, optimizer=optimizer, learning_rate=0.01, weight_decay=0.1, clip=0.5, batch_size=32
    )
    network = nn.Linear(3, 2)
    expected = copy.deepcopy(network)
    training.train(network, X, y, settings=settings, seed=3)

    plain = {
        "adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.1, momentum=0.9),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, weight_decay=0.1),
    }[optimizer](expected.parameters())
    order = generator(3)
    for _ in range(2):
        for rows in torch.randperm(70, generator=order).split(32):
            plain.zero_grad()
            nn.functional.cross_entropy(expected(X[rows]), y[rows]).backward()
            norm = torch.cat([parameter.grad.flatten() for parameter in expected.parameters()]).norm()
            for parameter in expected.parameters():
                parameter.grad *= min(1.0, 0.5 / norm)
            plain.step()
    for ours, theirs in zip(network.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_clipping_is_torchs():
    X, y = easy()
    network = linear().eval()
    expected = copy.deepcopy(network)
    nn.functional.cross_entropy(expected(X), y).backward()
    assert nn.utils.clip_grad_norm_(expected.parameters(), 0.01) > 0.01
    network[1].p = 0.0
    settings = Settings(epochs=1, batch_size=len(X), optimizer="sgd", learning_rate=1.0, clip=0.01)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    training.train(network, X, y, settings=settings, seed=0)
    for was, now, reference in zip(before, network.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(was - now, reference.grad, rtol=1e-3, atol=1e-6)


def test_loss_and_uar_are_those_of_every_row():
    """With a learning rate of 0 each epoch measures the same network."""
    X, y = easy(51)
    y = y + (torch.arange(51) % 5 == 0)  # three classes, unequal
    network = nn.Linear(3, 4)  # of the scheme's four classes one never occurs
    logits = network(X)
    settings = Settings(epochs=1, learning_rate=0.0, batch_size=10)
    absent = y < 2
    history = training.train(network, X, y, settings=settings, seed=0, validation=(X[absent], y[absent]))
    answers = logits.argmax(dim=1)

    def uar(rows: torch.Tensor) -> float:
        return recall_score(y[rows], answers[rows], labels=y[rows].unique(), average="macro")

    row = history.iloc[0]
    assert list(history) == ["epoch", "loss", "uar", "validation_loss", "validation_uar"]
    assert row["loss"] == pytest.approx(nn.functional.cross_entropy(logits, y).item(), rel=1e-5)
    assert row["uar"] == pytest.approx(uar(torch.ones(51, dtype=bool)))
    expected = nn.functional.cross_entropy(logits[absent], y[absent]).item()
    assert row["validation_loss"] == pytest.approx(expected, rel=1e-5)
    assert row["validation_uar"] == pytest.approx(uar(absent))


def test_batches_are_cut_at_their_longest_utterance():
    X, y, lengths = sequences()
    network, padded = MeanOfFrames(), MeanOfFrames()
    padded.load_state_dict(network.state_dict())
    settings = Settings(epochs=2, batch_size=4, learning_rate=0.01)
    training.train(network, X, y, settings=settings, seed=1)
    order = generator(1)
    rows = [rows for _ in range(2) for rows in torch.randperm(40, generator=order).split(4)]
    assert network.seen == [lengths[batch].max() for batch in rows]
    assert min(network.seen) < 20

    longer = torch.cat([X, torch.full((40, 30, 3), torch.nan)], dim=1)
    training.train(padded, longer, y, settings=settings, seed=1)
    torch.testing.assert_close(network.output.weight, padded.output.weight)


@pytest.mark.parametrize(("n", "batch_size"), [(33, 32), (3, 1), (1, 32)])
def test_a_batch_of_one(n, batch_size):
    settings = Settings(epochs=2, batch_size=batch_size)
    for network, X in ((linear(), easy(n)[0]), (MeanOfFrames(), sequences(40)[0][:n])):
        history = training.train(network, X, torch.arange(n) % 2, settings=settings, seed=0)
        assert np.isfinite(history["loss"]).all()


def test_augmentation_meets_training_batches_only_and_follows_the_seed():
    X, y = easy()
    met = []

    def noise(X: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        met.append(len(X))
        return X + torch.randn(X.shape, generator=generator)

    networks = []
    for seed, augment in ((1, noise), (1, noise), (2, noise), (1, None)):
        networks.append(linear())
        training.train(
            networks[-1], X, y, settings=Settings(epochs=2), seed=seed, validation=(X, y), augment=augment
        )
    assert met == [32, 28] * 6
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2]) and not same(networks[0], networks[3])


def test_mixed_precision_has_no_effect_on_a_cpu():
    X, y = easy()
    networks = linear(), linear()
    for network, mixed in zip(networks, (True, False), strict=True):
        training.train(network, X, y, settings=Settings(epochs=2, mixed_precision=mixed), seed=0)
    assert same(*networks)


def test_predictions_keep_the_order_of_rows():
    X, _, lengths = sequences()
    network = MeanOfFrames()
    logits = training.predict(network, X.numpy(), batch_size=7)
    np.testing.assert_allclose(logits, network(X).detach(), atol=1e-6)
    attention = training.predict(network, X.numpy(), function=network.attention, batch_size=7)
    assert attention.shape == (40, 20)
    np.testing.assert_array_equal((~np.isnan(attention)).sum(axis=1), lengths)
    np.testing.assert_allclose(np.nansum(attention, axis=1), 1, atol=1e-6)


# --- checkpoints -------------------------------------------------------------

STOPPING = Settings(epochs=12, batch_size=16, learning_rate=0.05, patience=3, clip=1.0)


def jitter(X: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    return X + 0.1 * torch.randn(X.shape, generator=generator)


def fit(fitting: Fitting = training.PLAIN, **changed) -> tuple[nn.Module, pd.DataFrame]:
    """With all that has a state: dropout, augmentation, Adam, early stopping."""
    X, y = easy()
    given = {"settings": STOPPING, "seed": 5, "augment": jitter, "validation": (X, 1 - y)}
    network = linear()
    history = training.train(network, X, y, fitting=fitting, **{**given, **changed})
    return network, history


class Killed(Exception):
    pass


def killed_after(epochs: int) -> Fitting:
    def on_epoch(history: pd.DataFrame) -> None:
        if len(history) == epochs:
            raise Killed

    return Fitting(on_epoch=on_epoch, checkpoint_every=0)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_a_killed_training_goes_on_to_the_same_numbers(tmp_path, optimizer):
    settings = replace(STOPPING, optimizer=optimizer)
    network, history = fit(settings=settings)
    assert 4 <= len(history) < settings.epochs, "early stopping is part of the test"
    for epochs in (1, 3):  # killed twice
        with pytest.raises(Killed):
            fit(replace(killed_after(epochs), checkpoints=tmp_path), settings=settings)
    seen = []
    resumed, again = fit(Fitting(checkpoints=tmp_path, on_epoch=seen.append), settings=settings)
    assert same(resumed, network)
    pd.testing.assert_frame_equal(again, history, check_exact=True)
    assert [len(part) for part in seen] == list(range(3, len(history) + 1))
    X = easy()[0].numpy()
    np.testing.assert_array_equal(training.predict_proba(resumed, X), training.predict_proba(network, X))
    assert [path.name for path in tmp_path.iterdir()] == ["fit.pt"]


def test_a_finished_training_is_not_done_again(tmp_path):
    network, history = fit(Fitting(checkpoints=tmp_path))
    cancel = threading.Event()
    cancel.set()  # the first batch would raise
    found, again = fit(Fitting(checkpoints=tmp_path, cancel=cancel))
    assert same(found, network) and not found.training
    pd.testing.assert_frame_equal(again, history, check_exact=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 6},
        {"settings": replace(STOPPING, learning_rate=0.04)},
        {"validation": easy(50)},
        {"class_weight": torch.tensor([1.0, 2.0])},
        {"augment": None},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_an_earlier_training_left_is_not_taken_up(tmp_path, changed):
    with pytest.raises(Killed):
        fit(replace(killed_after(2), checkpoints=tmp_path))
    assert same(fit(Fitting(checkpoints=tmp_path), **changed)[0], fit(**changed)[0])


def test_other_start_weights_are_another_training(tmp_path):
    X, y = easy()
    for seed in (0, 1):
        network, expected = linear(seed), linear(seed)
        for one, fitting in ((network, Fitting(checkpoints=tmp_path)), (expected, training.PLAIN)):
            training.train(one, X, y, settings=Settings(epochs=1), seed=0, fitting=fitting)
        assert same(network, expected)


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path):
    fit(Fitting(checkpoints=tmp_path))
    X, y = easy()
    others = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.2), nn.Linear(5, 2)), linear()
    others[1][1].p = 0.3  # no parameter shows it
    for other, found in zip(others, ("out_features=", "p=0.2"), strict=True):
        with pytest.raises(TrainingError, match=rf"fit\.pt is of another architecture .*{found}.*delete it"):
            training.train(
                other, X, y, settings=STOPPING, seed=5, validation=(X, y),
                fitting=Fitting(checkpoints=tmp_path),
            )  # fmt: skip


@pytest.mark.parametrize("damage", ["empty", "truncated", "one byte", "foreign", "pickle"])
def test_a_damaged_checkpoint_is_set_aside_and_the_training_begins_again(tmp_path, damage):
    network, _ = fit(Fitting(checkpoints=tmp_path))
    path = tmp_path / "fit.pt"
    content = path.read_bytes()
    if damage in ("empty", "truncated"):
        path.write_bytes(content[: 1000 if damage == "truncated" else 0])
    elif damage == "one byte":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "foreign":
        torch.save([1, 2], path)
    else:
        torch.save({"state": threading.Event}, path)
    with pytest.warns(
        UserWarning, match=r"fit\.pt is not a whole checkpoint .*set aside as fit\.pt\.damaged"
    ):
        again, _ = fit(Fitting(checkpoints=tmp_path))
    assert same(again, network)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["fit.pt", "fit.pt.damaged"]


def test_checkpoints_are_written_now_and_then_and_at_the_end(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(checkpoints.Checkpoint, "write", lambda self, state: written.append(state))
    fit(Fitting(checkpoints=tmp_path))
    assert len(written) == 1, "the state of a large network is gigabytes"


def test_a_checkpoint_is_whole_or_not_there(tmp_path, monkeypatch):
    checkpoint = checkpoints.Checkpoint(path=tmp_path / "a.pt", architecture="", training="")
    checkpoint.write({"epoch": 1})

    def full(_, path):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no space"):
        checkpoint.write({"epoch": 2})
    assert checkpoint.read() == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_cancelled_and_taken_up(tmp_path):
    cancel = threading.Event()
    stop = Fitting(
        checkpoints=tmp_path,
        checkpoint_every=0,
        cancel=cancel,
        progress=lambda done, *_: done == 2 and cancel.set(),
    )
    with pytest.raises(Cancelled, match="epoch 3"):
        fit(stop)
    assert same(fit(Fitting(checkpoints=tmp_path))[0], fit()[0])


# --- what cannot be trained --------------------------------------------------


def test_a_broken_row_is_named():
    X, y = easy()
    X[17] = torch.inf
    rows = np.arange(60) + 1000
    with pytest.raises(TrainingError, match=r"epoch 1, at 1 training row \(17\); look at") as raised:
        training.train(linear(), X, y, settings=Settings(epochs=2), seed=0, rows=rows)
    assert raised.value.rows == [1017]


def test_a_loss_that_is_no_number_leaves_the_last_good_epoch(tmp_path):
    X, y = easy()
    batch = iter(range(100))

    def fails_in_epoch_3(X: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        return X * (torch.nan if next(batch) == 5 else 1)

    network, expected = linear(), linear()
    with pytest.raises(TrainingError, match=r"became nan in epoch 3, .*\(0.001\)") as raised:
        training.train(
            network, X, y, settings=Settings(epochs=4), seed=0, augment=fails_in_epoch_3,
            fitting=Fitting(checkpoints=tmp_path, checkpoint_every=0), rows=range(60),
        )  # fmt: skip
    order = generator()
    in_epoch_3 = [torch.randperm(60, generator=order) for _ in range(3)][-1]
    assert raised.value.rows == in_epoch_3[32:].tolist()
    training.train(expected, X, y, settings=Settings(epochs=2), seed=0)
    assert same(network, expected)
    body = (tmp_path / "fit.pt").read_bytes()[:-32]  # and its hash
    kept = torch.load(io.BytesIO(body), weights_only=True)["state"]
    assert len(kept["history"]) == 2
    assert all(torch.equal(kept["module"][name], value) for name, value in expected.state_dict().items())


class Norm(nn.Module):
    """Its gradient at 0 is 0 / 0 while its value is fine."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(3, 2, bias=False)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.output(X).square().cumsum(dim=1).sqrt()


@pytest.mark.parametrize("batch_size", [10, 60])
def test_a_gradient_that_is_no_number_is_found_too(batch_size):
    """In the batch after it, or at the end of the epoch."""
    X, y = easy()
    X[17] = 0.0
    network = Norm()
    before = copy.deepcopy(network)
    with pytest.raises(TrainingError, match="epoch 1") as raised:
        training.train(
            network, X, y, settings=Settings(epochs=2, batch_size=batch_size), seed=0, rows=range(60)
        )
    assert 17 in raised.value.rows
    assert same(network, before)


def test_a_validation_loss_that_is_no_number():
    X, y = easy()
    network = linear()
    before = copy.deepcopy(network)
    with pytest.raises(TrainingError, match="validation loss became nan in epoch 1"):
        training.train(network, X, y, settings=Settings(epochs=2), seed=0, validation=(X * torch.nan, y))
    assert same(network, before)


class Greedy(nn.Module):
    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.output = nn.Linear(3, 2)
        self.error = error

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.error is not None:
            raise self.error
        return self.output(torch.empty(10**15))


@pytest.mark.parametrize(
    "error", [None, torch.cuda.OutOfMemoryError("CUDA out of memory"), MemoryError()], ids=str
)
def test_out_of_memory_names_the_knob(error):
    X, y, _ = sequences()
    settings = Settings(epochs=1, batch_size=16)
    with pytest.raises(TrainingError, match=r"memory: lower batch_size \(16\), or the length .*20 frames"):
        training.train(Greedy(error), X, y, settings=settings, seed=0)
    with pytest.raises(TrainingError, match=r"lower batch_size \(256\)$"):
        training.predict(Greedy(error), X[:, 0].numpy())


def test_other_runtime_errors_stay_as_they_are():
    X, y = easy()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        training.train(nn.Linear(4, 2), X, y, settings=Settings(epochs=1), seed=0)


def test_devices():
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ParameterError, match="unknown device 'gpu'; known: auto, cpu, cuda"):
        resolve_device("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there():
    X, y = easy()
    with pytest.raises(ParameterError, match='no GPU here; use device="auto"'):
        training.train(linear(), X, y, settings=Settings(epochs=1), seed=0, fitting=Fitting(device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("mixed", [True, False])
def test_on_a_gpu(mixed, tmp_path):
    X, y, _ = sequences()
    network = MeanOfFrames()
    settings = Settings(epochs=20, learning_rate=0.05, mixed_precision=mixed, clip=1.0)
    fitting = Fitting(device="cuda", checkpoints=tmp_path)
    history = training.train(network, X, y, settings=settings, seed=0, validation=(X, y), fitting=fitting)
    assert history["validation_uar"].iloc[-1] > 0.8
    on_gpu = training.predict_proba(network, X.numpy(), fitting=fitting)
    np.testing.assert_allclose(on_gpu, training.predict_proba(network, X.numpy()), atol=1e-5)


def test_an_unknown_optimizer_lists_what_there_is():
    with pytest.raises(ParameterError, match="unknown optimizer 'lion'; known: adam, adamw, sgd, rmsprop"):
        Settings(epochs=1, optimizer="lion")


def test_sequences_are_trained_on_as_a_dense_array_to_the_last_bit():
    X, y, _ = sequences(60)
    dense = (X - 0.1) * 1.5
    ragged = Sequences.of_dense(X.numpy()).scaled(np.full(3, 0.1), np.full(3, 1.5))
    start, fits = MeanOfFrames(), []
    for values in (dense, ragged):
        network = copy.deepcopy(start)
        history = training.train(
            network, values[:40], y[:40], settings=Settings(epochs=3, batch_size=8), seed=0,
            validation=(values[40:50], y[40:50]), target=values[50:], augment=jitter,
        )  # fmt: skip
        answers = training.predict_proba(network, values.numpy() if values is dense else values)
        fits.append((network, history, answers))
    assert same(fits[0][0], fits[1][0])
    pd.testing.assert_frame_equal(fits[0][1], fits[1][1], check_exact=True)
    np.testing.assert_array_equal(fits[0][2], fits[1][2])


def test_a_batch_in_parts_takes_the_step_of_the_whole():
    """Of a network no layer of which looks at other rows; the rows of a batch of 8 in 3 parts."""
    rng = torch.Generator().manual_seed(0)
    X, y = torch.randn(16, 4, generator=rng), torch.arange(16) % 2
    weights = []
    for accumulate in (1, 3):
        with training.seeded(0):
            module = torch.nn.Linear(4, 2)
        settings = Settings(epochs=2, batch_size=8, learning_rate=0.1, accumulate=accumulate)
        training.train(module, X, y, settings=settings, seed=0)
        weights.append(module.weight.detach())
    torch.testing.assert_close(*weights)
    with pytest.raises(ParameterError, match="accumulate is 9"):
        Settings(epochs=1, batch_size=8, accumulate=9)
