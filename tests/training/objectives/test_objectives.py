"""What is minimised: terms by hand, who sees which labels, and training with them."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from serlab import training
from serlab.errors import ParameterError
from serlab.training import Settings, losses
from serlab.training.objectives import OBJECTIVES as REGISTERED
from serlab.training.objectives.adversarial import DomainAdversarial
from serlab.training.objectives.base import Batch, Joint, LossOf, Objective, WithHead, ramp
from serlab.training.objectives.distance import DISTANCES, Distance
from serlab.training.objectives.mmd import JointMMD, LocalMMD
from tests.training.objectives.test_adversarial import Perceptron, learns

N_CLASSES = 3
PROGRESS = 0.3
OBJECTIVES = {
    **{
        f"distance: {name}": (lambda name=name, **more: Distance(distance=name, **more)) for name in DISTANCES
    },
    "local mmd": LocalMMD,
    "joint mmd": JointMMD,
    "domain-adversarial": DomainAdversarial,
}


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        yield


def batch(n: int = 7, m: int = 5, *, labelled: bool = False) -> Batch:
    y = torch.arange(n) % N_CLASSES
    return Batch(torch.randn(n, 4), y, torch.randn(m, 4) + 1, torch.arange(m) % 3 if labelled else None)


def computed(objective: Objective, of: Batch, *, progress: float = PROGRESS):
    """Network, companions and terms; the logits are checked."""
    network = Perceptron()
    companions = objective.companions(6, N_CLASSES)
    logits, terms = objective(network, companions, of, cross_entropy, progress)
    torch.testing.assert_close(logits, network(of.source))
    torch.testing.assert_close(terms["classification"], cross_entropy(logits, of.y))
    return network, companions, terms


# --- values --------------------------------------------------------------------


def kernels(X: np.ndarray, bandwidth: float, factors: tuple[float, ...] = losses.FACTORS) -> np.ndarray:
    """Explicit, in double precision."""
    squared = ((X[:, None] - X) ** 2).sum(axis=2)
    return np.mean([np.exp(-squared / (2 * (f * bandwidth) ** 2)) for f in factors], axis=0)


def median(X: np.ndarray) -> float:
    distance = np.sqrt(((X[:, None] - X) ** 2).sum(axis=2))
    return np.sort(distance[distance > 1e-9])[(np.sum(distance > 1e-9) - 1) // 2]


def hidden(network: nn.Module, of: Batch) -> np.ndarray:
    """Of source and target together."""
    return network.hidden(torch.cat([of.source, of.target])).detach().double().numpy()


def quadratic(k: np.ndarray, weight: np.ndarray) -> float:
    return float(weight @ k @ weight)


def equal_weights(n: int, m: int) -> np.ndarray:
    return np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])


@pytest.mark.parametrize(("name", "factors"), [("mmd", (1.0,)), ("multi-kernel mmd", losses.FACTORS)])
def test_distance_is_the_double_sum_of_equation_2(name, factors):
    of = batch()
    network, companions, terms = computed(Distance(distance=name, scale=2.0, trade_off=0.5), of)
    H = hidden(network, of)
    expected = quadratic(kernels(H, median(H), factors), equal_weights(7, 5))
    assert terms["alignment"].item() == pytest.approx(2.0 * 0.5 * ramp(PROGRESS) * expected, rel=1e-4)
    assert set(terms) == {"classification", "alignment"} and not len(companions)
    as_written = Distance(distance=name, scale=2.0, trade_off=0.5, rises=False)
    _, constant = as_written(network, companions, of, cross_entropy, PROGRESS)
    assert constant["alignment"].item() == pytest.approx(2.0 * 0.5 * expected, rel=1e-4)


def test_coral_is_the_difference_of_covariances():
    of = batch()
    network, _, terms = computed(Distance(distance="coral", scale=3.0), of)
    H = hidden(network, of)
    difference = np.cov(H[:7].T) - np.cov(H[7:].T)
    expected = 3.0 * ramp(PROGRESS) * (difference**2).sum() / (4 * H.shape[1] ** 2)
    assert terms["alignment"].item() == pytest.approx(expected, rel=1e-4)


def test_local_mmd_is_the_mean_over_classes():
    of = batch()
    network, _, terms = computed(LocalMMD(trade_off=2.0), of)
    H = hidden(network, of)
    k = kernels(H, median(H))
    known = one_hot(of.y, N_CLASSES).double().numpy()
    belief = network(of.target).softmax(dim=1).detach().double().numpy()
    by_class = [
        quadratic(k, np.concatenate([known[:, c] / known[:, c].sum(), -belief[:, c] / belief[:, c].sum()]))
        for c in range(N_CLASSES)
    ]
    assert terms["alignment"].item() == pytest.approx(2.0 * ramp(PROGRESS) * np.mean(by_class), rel=1e-4)


def test_local_mmd_takes_labels_of_the_target_for_its_beliefs():
    of = batch(labelled=True)
    network, _, terms = computed(LocalMMD(), of)
    H = hidden(network, of)
    k = kernels(H, median(H))
    shares = [one_hot(y, N_CLASSES).double().numpy() for y in (of.y, of.target_y)]
    source, target = (share / share.sum(axis=0) for share in shares)
    by_class = [quadratic(k, np.concatenate([source[:, c], -target[:, c]])) for c in range(N_CLASSES)]
    assert terms["alignment"].item() == pytest.approx(ramp(PROGRESS) * np.mean(by_class), rel=1e-4)


def test_joint_mmd_multiplies_the_kernels_of_hidden_layer_and_output():
    of = batch()
    network, _, terms = computed(JointMMD(), of)
    H = hidden(network, of)
    P = network(torch.cat([of.source, of.target])).softmax(dim=1).detach().double().numpy()
    k = kernels(H, median(H)) * kernels(P, median(P))
    expected = ramp(PROGRESS) * quadratic(k, equal_weights(7, 5))
    assert terms["alignment"].item() == pytest.approx(expected, rel=1e-4)


def test_domain_adversarial_is_binary_cross_entropy_of_both_corpora():
    of = batch()
    network, companions, terms = computed(DomainAdversarial(), of)
    verdict = companions["discriminator"](network.hidden(torch.cat([of.source, of.target])))
    sigmoid = verdict.detach().double().sigmoid().numpy().ravel()
    expected = (-np.log(1 - sigmoid[:7]).mean() - np.log(sigmoid[7:]).mean()) / 2
    assert terms["discriminator"].item() == pytest.approx(expected, rel=1e-5)


def test_the_ramp_is_ganins():
    assert [ramp(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0, math.tanh(2.5), math.tanh(5)])


# --- who learns from what ------------------------------------------------------


def gradient(term: Tensor, module: nn.Module) -> Tensor:
    parts = torch.autograd.grad(term, list(module.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


def test_discriminator_descends_and_encoder_ascends_the_same_loss():
    of = batch()
    objective = DomainAdversarial(trade_off=0.7)
    network, companions, terms = computed(objective, of)
    discriminator = companions["discriminator"]
    plain = losses.domain_adversarial(
        *(discriminator(network.hidden(part)) for part in (of.source, of.target))
    )
    term = terms["discriminator"]
    torch.testing.assert_close(gradient(term, discriminator), gradient(plain, discriminator))
    strength = 0.7 * ramp(PROGRESS)
    torch.testing.assert_close(
        gradient(term, network.dense), -strength * gradient(plain, network.dense), rtol=1e-4, atol=1e-7
    )
    assert not learns(network.output, term)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_alignment_teaches_the_encoder_and_classification_the_classifier(name):
    network, _, terms = computed(OBJECTIVES[name](), batch())
    (alignment,) = [term for key, term in terms.items() if key != "classification"]
    assert learns(network.dense, alignment)
    # Only the joint distribution has predictions in it.
    assert learns(network.output, alignment) == (name == "joint mmd")
    assert learns(network.dense, terms["classification"]) and learns(network.output, terms["classification"])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_without_a_trade_off_the_encoder_learns_to_classify_only(name):
    network, _, terms = computed(OBJECTIVES[name](trade_off=0.0), batch(), progress=1.0)
    (alignment,) = [term for key, term in terms.items() if key != "classification"]
    assert not learns(network, alignment)
    if name != "domain-adversarial":  # whose discriminator goes on
        assert alignment.item() == 0


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_negative_trade_off_is_refused(name):
    for value in (-0.1, float("nan")):
        with pytest.raises(ParameterError, match=r"trade-off \(lambda\) is (-0.1|nan)"):
            OBJECTIVES[name](trade_off=value)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize(("n", "m"), [(7, 1), (1, 5), (1, 1)])
def test_batches_of_one(name, n, m):
    network, _, terms = computed(OBJECTIVES[name](), batch(n, m), progress=1.0)
    total = sum(terms.values())
    assert total.isfinite() and gradient(total, network).isfinite().all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_identical_batches_are_finite_and_at_distance_zero(name):
    X, y = torch.randn(6, 4), torch.arange(6) % N_CLASSES
    network, _, terms = computed(OBJECTIVES[name](), Batch(X, y, X), progress=1.0)
    total = sum(terms.values())
    assert gradient(total, network).isfinite().all()
    if name not in ("local mmd", "domain-adversarial"):
        assert terms["alignment"].item() == pytest.approx(0, abs=1e-6)


def test_classes_of_which_a_batch_has_nothing_are_no_obstacle():
    X = torch.randn(6, 4)
    network, _, terms = computed(LocalMMD(), Batch(X, torch.zeros(6, dtype=torch.int64), X + 1))
    assert gradient(sum(terms.values()), network).isfinite().all()


# --- labels of the target ------------------------------------------------------


@pytest.mark.parametrize("spec", REGISTERED, ids=lambda spec: spec.name)
def test_every_objective_learns_from_labels_of_the_target_where_it_is_given_them(spec):
    of = batch(labelled=True)
    network, _, terms = computed(spec.build(), of)
    torch.testing.assert_close(terms["target"], cross_entropy(network(of.target), of.target_y))
    assert "target" not in computed(spec.build(), batch())[2]


def test_a_target_head_classifies_the_target_and_only_the_target():
    of = batch(labelled=True)
    network, companions, terms = computed(Distance(target_head=True), of)
    head = companions["head"]
    torch.testing.assert_close(terms["target"], cross_entropy(head(network.hidden(of.target)), of.target_y))
    assert learns(head, terms["target"]) and not learns(network.output, terms["target"])
    assert not learns(head, terms["classification"] + terms["alignment"])
    assert learns(network.dense, terms["target"])


def test_with_head_has_the_layers_of_the_network_and_the_answers_of_the_head():
    class Layered(Perceptron):
        def layers(self, X: Tensor) -> dict[str, Tensor]:
            return {"dense": self.hidden(X), "output": self(X)}

    network, head, X = Layered(), nn.Linear(6, 5), torch.randn(4, 4)
    both = WithHead(network, head)
    expected = head(network.hidden(X))
    torch.testing.assert_close(both(X), expected)
    torch.testing.assert_close(both.classify(both.hidden(X)), expected)
    torch.testing.assert_close(both.layers(X)["output"], expected)
    torch.testing.assert_close(both.layers(X)["dense"], network.hidden(X))
    torch.testing.assert_close(both.embed(X), network.hidden(X))
    assert list(both.layers(X)) == ["dense", "output"]


# --- in the training loop ------------------------------------------------------


def toy(n: int = 40, *, seed: int = 0, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % N_CLASSES
    return torch.randn(n, 4, generator=rng) + 3 * torch.eye(4)[y] + shift, y


def trained(objective: Objective, *, epochs: int = 3, **target: Tensor):
    X, y = toy()
    with training.seeded(0):
        network = Perceptron()
        joint = Joint(network, objective.companions(6, N_CLASSES))
    settings = Settings(epochs=epochs, batch_size=16, learning_rate=0.01)
    history = training.train(joint, X, y, settings=settings, seed=0, loss=LossOf(objective), **target)
    return network, history


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_trade_off_of_zero_is_plain_training_on_the_same_batches(name):
    """By hand: the same order of rows, cross-entropy alone, Adam."""
    of_target, _ = toy(21, seed=5, shift=2.0)
    network, _ = trained(OBJECTIVES[name](trade_off=0.0), target=of_target)
    with training.seeded(0):
        plain = Perceptron()
    X, y = toy()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01, fused=True)
    for _ in range(3):
        order = torch.randperm(40, generator=generator).split(16)
        # 3 batches of 16 target rows out of 21: three rounds.
        for _ in range(math.ceil(3 * 16 / 21)):
            torch.randperm(21, generator=generator)
        for rows in order:
            optimizer.zero_grad()
            cross_entropy(plain(X[rows]), y[rows]).backward()
            optimizer.step()
    for name_, value in plain.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name_], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_history_has_a_column_a_term_and_they_sum_to_the_loss(name):
    _, history = trained(OBJECTIVES[name](), target=toy(21, seed=5, shift=2.0)[0])
    columns = [column for column in history if column.startswith("loss_")]
    other = "discriminator" if name == "domain-adversarial" else "alignment"
    assert columns == ["loss_classification", f"loss_{other}"]
    np.testing.assert_allclose(history[columns].sum(axis=1), history["loss"], rtol=1e-5)


def test_labels_of_the_target_reach_the_loss_with_their_rows():
    """A target whose labels say the opposite of the source's, far away: both are learned."""
    X, y = toy(30, seed=5, shift=8.0)
    seen = []

    class Spy(Distance):
        def __call__(self, network, companions, batch, cross_entropy, progress):
            seen.append((batch.target, batch.target_y, progress))
            return super().__call__(network, companions, batch, cross_entropy, progress)

    trained(Spy(), epochs=2, target=X, target_y=y)
    for target, target_y, _ in seen:
        rows = (target[:, None] == X).all(dim=2).int().argmax(dim=1)
        assert torch.equal(y[rows], target_y)
    progress = [value for _, _, value in seen]
    np.testing.assert_allclose(progress, np.arange(6) / 6, err_msg="of two epochs of three batches")


@pytest.mark.parametrize("m", [1, 2, 16, 100])
def test_every_target_row_is_seen_as_often_as_any_other(m):
    X, _ = toy(m, seed=5)
    seen = []

    class Spy(Distance):
        def __call__(self, network, companions, batch, cross_entropy, progress):
            seen.append(batch.target)
            return super().__call__(network, companions, batch, cross_entropy, progress)

    trained(Spy(), epochs=1, target=X)
    assert [len(part) for part in seen] == [min(m, 16)] * 3
    times = (torch.cat(seen)[:, None] == X).all(dim=2).sum(dim=0)
    assert times.max() - times.min() <= 1


def test_what_is_trained_beside_the_network_learns_too():
    objective = DomainAdversarial()
    X, y = toy()
    joint = Joint(Perceptron(), objective.companions(6, N_CLASSES))
    before = copy.deepcopy(joint.companions)
    settings = Settings(epochs=1, batch_size=16)
    training.train(joint, X, y, settings=settings, seed=0, loss=LossOf(objective), target=X + 3)
    for name, value in joint.companions.named_parameters():
        assert not torch.equal(value, before.get_parameter(name)), name
