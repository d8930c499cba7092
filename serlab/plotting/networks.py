"""Figures of networks: how they learned, what they attend to, what they keep, when they pay.

As in :mod:`serlab.plotting`: tables in, figures out, and for every figure a
table that can be printed beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from serlab.errors import ParameterError
from serlab.plotting.general import (
    BLACK,
    BLUE,
    GREEN,
    LINES,
    MARKERS,
    PALETTE,
    SKY,
    VERMILLION,
    Figure,
    _count,
    _eta_squared,
    _finished,
    _known,
    _limits,
    _names,
    _note_figure,
    _number,
    _require_rows,
    _right_texts,
    _row_figure,
    _row_labels,
    _scatter,
    _styled,
    _wrapped,
)

#: Lead of the largest attention weight over the second above which Neumann & Vu call it peaked.
PEAKED = 0.5

#: Speakers beyond this number are drawn without a legend.
MOST_IN_LEGEND = 12

#: measure -> colour, hatch: what the labels of a split share with its training data.
_CONFOUNDS = ((VERMILLION, "///"), (BLUE, ""), (GREEN, "..."), (SKY, "\\\\\\"))

_TRAINING = {"training": (BLUE, "-"), "validation": (VERMILLION, "--")}


# --- training -----------------------------------------------------------------------------------


@_styled
def plot_training(history: pd.DataFrame, *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show loss and UAR over epochs, a row a method and stage.

    Thin lines are fits (fold and seed), the thick one is their mean, drawn as
    far as at least half of them were trained.

    Parameters
    ----------
    history : DataFrame
        method, fold, seed, stage, epoch, loss, uar and, where there was
        validation, validation_loss and validation_uar.
    titles : mapping, optional
        Method -> title.
    """
    if history.empty:
        return _note_figure("Training", "No method of this run is trained in epochs.")
    groups = list(history.groupby(["method", "stage"], sort=False))
    figure = Figure(figsize=(9, 1.75 * len(groups) + 1.0), layout="constrained")
    panels = figure.subplots(len(groups), 2, sharey="col", squeeze=False)
    for row, ((method, stage), part) in zip(panels, groups, strict=True):
        for axes, measure in zip(row, ("loss", "uar"), strict=True):
            _training_lines(axes, part, measure)
        name = (titles or {}).get(method, method)
        if history.loc[history["method"] == method, "stage"].nunique() > 1:
            name += f", {stage}"
        # A network of the source alone is trained once and tested in every fold.
        fits = part.pivot(index="epoch", columns=["fold", "seed"], values="loss")
        n_fits = len(fits.T.drop_duplicates())
        row[0].set_title(f"{name} ({_count(n_fits, 'fit')})")
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    panels[0, 0].set_ylim(bottom=0)
    panels[0, 1].set_ylim(*_limits(_known(history, "uar", "validation_uar"), None))
    has_validation = len(_known(history, "validation_loss")) > 0
    handles = [
        Line2D([], [], color=colour, linestyle=line, linewidth=2.2, label=name)
        for name, (colour, line) in _TRAINING.items()
        if has_validation or name == "training"
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    figure.suptitle("Training: loss and UAR by epoch", x=0.01, ha="left")
    return _finished(figure)


def _training_lines(axes, part: pd.DataFrame, measure: str) -> None:
    """Lines of one panel: every fit and their mean, of training and validation rows."""
    for name, (colour, line) in _TRAINING.items():
        column = measure if name == "training" else f"validation_{measure}"
        if column not in part:
            continue
        fits = part.pivot(index="epoch", columns=["fold", "seed"], values=column).dropna(how="all", axis=1)
        if fits.empty:
            continue
        marker = "." if len(fits) == 1 else ""
        axes.plot(fits.index, fits.to_numpy(), color=colour, linewidth=0.6, alpha=0.35, marker=marker)
        mean = fits.mean(axis=1)[fits.notna().mean(axis=1) >= 0.5]
        axes.plot(mean.index, mean, color=colour, linestyle=line, linewidth=2.2, marker=marker)
    axes.set_ylabel("UAR" if measure == "uar" else measure)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(True)


# --- attention ----------------------------------------------------------------------------------


def attention_positions(
    attention: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    part: Literal["train", "test"] = "train",
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Count which attention weight of an utterance is the largest.

    Neumann & Vu, figures 2 and 3. Short utterances have few weights, so early
    positions win often even where attention is blind: ``by_chance`` is the
    share each position would have then, 1 / (weights of the utterance).

    Parameters
    ----------
    attention : DataFrame
        method, fold, seed, utterance, part and a_1 ... a_k; NaN after the end.
    utterances : DataFrame
        For the corpus.
    part : {"train", "test"}
        The paper looks at training utterances.
    titles : mapping, optional
        Method -> title.

    Returns
    -------
    DataFrame
        method, title, corpus, position (from 1), share, by_chance,
        n_utterances, n_fits.
    """
    tables = []
    for (method, corpus), own, weights in _attended(attention, utterances, part):
        largest = np.nanargmax(weights, axis=1)
        n_valid = (~np.isnan(weights)).sum(axis=1, keepdims=True)
        position = np.arange(weights.shape[1])
        tables.append(
            pd.DataFrame(
                {
                    "method": method,
                    "title": (titles or {}).get(method, method),
                    "corpus": corpus,
                    "position": position + 1,
                    "share": np.bincount(largest, minlength=len(position)) / len(weights),
                    "by_chance": ((position < n_valid) / n_valid).mean(axis=0),
                    "n_utterances": own["utterance"].nunique(),
                    "n_fits": len(own[["fold", "seed"]].drop_duplicates()),
                }
            )
        )
    columns = ["method", "title", "corpus", "position", "share", "by_chance", "n_utterances", "n_fits"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def attention_table(
    attention: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    part: Literal["train", "test"] = "train",
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Say how peaked attention is: Neumann & Vu, section 6.

    Parameters as those of :func:`attention_positions`.

    Returns
    -------
    DataFrame
        method, title, corpus; peaked: share of utterances whose largest
        weight leads the second by more than .5; first: share whose first
        weight is the largest, first_by_chance as above; n_utterances, n_fits;
        n_single: utterances with one weight, which are not in ``peaked``;
        median_weights; median_duration (seconds).
    """
    rows = []
    for (method, corpus), own, weights in _attended(attention, utterances, part):
        n_valid = (~np.isnan(weights)).sum(axis=1)
        ordered = -np.sort(-weights, axis=1)  # NaN last
        several = n_valid > 1
        lead = ordered[several, 0] - ordered[several, 1]
        names = own["utterance"].unique()
        rows.append(
            {
                "method": method,
                "title": (titles or {}).get(method, method),
                "corpus": corpus,
                "peaked": (lead > PEAKED).mean() if several.any() else np.nan,
                "first": (np.nanargmax(weights, axis=1) == 0).mean(),
                "first_by_chance": (1 / n_valid).mean(),
                "n_utterances": len(names),
                "n_fits": len(own[["fold", "seed"]].drop_duplicates()),
                "n_single": own.loc[~several, "utterance"].nunique(),
                "median_weights": np.median(n_valid),
                "median_duration": utterances.loc[names, "duration"].median(),
            }
        )
    columns = (
        "method title corpus peaked first first_by_chance n_utterances n_fits n_single median_weights "
        "median_duration"
    )
    return pd.DataFrame(rows, columns=columns.split())


@_styled
def plot_attention_positions(
    attention: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    part: Literal["train", "test"] = "train",
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show how often each attention weight is the largest, a panel a method and corpus.

    As Neumann & Vu, figures 2 and 3, with what durations alone would give.
    The table is :func:`attention_positions`, with the same parameters.
    """
    table = attention_positions(attention, utterances, part=part, titles=titles)
    if table.empty:
        return _note_figure("Attention over time", "No method of this run has attention weights.")
    panels = list(table.groupby(["method", "corpus"], sort=False))
    columns = min(3, len(panels))
    lines = int(np.ceil(len(panels) / columns))
    figure = Figure(figsize=(max(3.0 * columns, 6.0), 2.4 * lines + 0.85), layout="constrained")
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for axes, ((_, corpus), own) in zip(grid, panels, strict=False):
        own = own[own["by_chance"] > 0]
        axes.bar(own["position"], own["share"], color=SKY, edgecolor=BLUE, linewidth=0.6, width=0.8)
        axes.step(own["position"], own["by_chance"], where="mid", color=BLACK, linestyle=":", linewidth=1.5)
        first = own.iloc[0]
        counted = _count(first["n_utterances"], "utterance") + ", " + _count(first["n_fits"], "fit")
        axes.set_title(f"{_wrapped(first['title'], 36)}\n{corpus}: {counted}", fontsize=9.5)
        axes.grid(True, axis="y")
        axes.xaxis.get_major_locator().set_params(integer=True, nbins=9)
        axes.set_xlabel("position of the largest weight")
    for axes in grid[::columns]:
        axes.set_ylabel("share")
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    handles = [
        Patch(facecolor=SKY, edgecolor=BLUE, label="share of utterances"),
        Line2D([], [], color=BLACK, linestyle=":", linewidth=1.5,
               label="if attention were blind (durations alone)"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    rows = {"train": "training", "test": "test"}[part]
    figure.suptitle(
        f"Attention over time: which weight is the largest ({rows} utterances)", x=0.01, ha="left"
    )
    return _finished(figure)


def _attended(attention: pd.DataFrame, utterances: pd.DataFrame, part: str):
    """Yield (method, corpus), rows and weights (n, steps) of the fits that have weights."""
    if attention.empty:
        return
    if part not in set(attention["part"]):
        known = ", ".join(sorted(set(attention["part"])))
        raise ParameterError(f"there is no attention of part {part!r}; there is: {known}")
    own = attention[attention["part"] == part]
    corpus = own["utterance"].map(utterances["corpus"])
    columns = numbered(attention, "a")
    for key, rows in own.groupby([own["method"], corpus], sort=False):
        weights = rows[columns].to_numpy(dtype=float)
        used = ~np.isnan(weights).all(axis=0)
        yield key, rows, weights[:, used]


def numbered(table: pd.DataFrame, letter: str) -> list[str]:
    """Columns ``<letter>_1``, ``<letter>_2`` ... in the order of their numbers."""
    names = [name for name in table if name.startswith(f"{letter}_") and name[len(letter) + 1 :].isdigit()]
    return sorted(names, key=lambda name: int(name[len(letter) + 1 :]))


# --- embeddings ---------------------------------------------------------------------------------


def embedding_coordinates(
    embeddings: pd.DataFrame, *, kind: Literal["pca", "tsne"] = "pca", seed: int = 0
) -> pd.DataFrame:
    """Two coordinates for each embedding of one fit.

    Parameters
    ----------
    embeddings : DataFrame
        One method, fold and seed: every fit has a space of its own. Columns
        utterance and e_1 ... e_h.
    kind : {"pca", "tsne"}
        First two principal components, or t-SNE (van der Maaten & Hinton
        2008) of the first 50, perplexity 30 (a third of the rows if they are
        few), started from the components. Distances between clusters of
        t-SNE mean nothing.
    seed : int
        Of t-SNE.

    Returns
    -------
    DataFrame
        Index utterance; x, y.

    Raises
    ------
    ParameterError
        If there are several fits, fewer than four rows, or the kind is unknown.
    """
    fits = embeddings[["method", "fold", "seed"]].drop_duplicates()
    if len(fits) != 1:
        raise ParameterError(f"embeddings of {len(fits)} fits do not share a space; choose one fold and seed")
    E = _embedded(embeddings)
    if len(E) < 4:
        raise ParameterError(f"{len(E)} embeddings are too few for a projection; four are needed")
    if kind not in ("pca", "tsne"):
        raise ParameterError(f"unknown projection {kind!r}; known: pca, tsne")
    points = PCA(min(50 if kind == "tsne" else 2, *E.shape), random_state=0).fit_transform(E)
    if kind == "tsne":
        perplexity = min(30.0, (len(E) - 1) / 3)
        # Its threads wait for each other in tiny steps: beside other work they take a hundred times as long.
        with threadpool_limits(1):
            points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    if points.shape[1] == 1:  # an embedding of one unit
        points = np.column_stack([points, np.zeros(len(points))])
    index = pd.Index(embeddings["utterance"], name="utterance")
    return pd.DataFrame(points[:, :2], index=index, columns=["x", "y"])


def embedding_table(embeddings: pd.DataFrame, utterances: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Say how much of an embedding's variance each grouping accounts for.

    Returns
    -------
    DataFrame
        by, n_groups, variance: eta squared over all units, and expected:
        what groups drawn at random would have, (n_groups - 1) / (n - 1).
        Groups are nested: a speaker belongs to one corpus, so that speaker is
        never below corpus.
    """
    E = _embedded(embeddings)
    E = E - E.mean(axis=0)
    rows = utterances.loc[embeddings["utterance"]]
    n_groups = [rows[name].nunique() for name in by]
    return pd.DataFrame(
        {
            "by": list(by),
            "n_groups": n_groups,
            "variance": [_eta_squared(E, rows[name].astype(str)) for name in by],
            "expected": [(n - 1) / (len(E) - 1) for n in n_groups],
        }
    )


@_styled
def plot_embedding(
    embeddings: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    method: str,
    by: Sequence[str] = ("emotion", "corpus", "speaker"),
    kind: Literal["pca", "tsne"] = "pca",
    seed: int = 0,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show the embeddings of a method's first fit, coloured by each of some columns.

    The tables are :func:`embedding_coordinates` and :func:`embedding_table`.

    Parameters
    ----------
    embeddings : DataFrame
        method, fold, seed, utterance, e_1 ... e_h.
    utterances : DataFrame
        With the columns ``by``.
    method : str
    by : sequence of str
    kind, seed
        See :func:`embedding_coordinates`.
    titles : mapping, optional
        Method -> title.
    """
    own = first_fit(embeddings, method)
    if own.empty:
        return _note_figure("Embeddings", f"No embeddings of {method} were kept.")
    points = embedding_coordinates(own, kind=kind, seed=seed)
    rows = utterances.loc[points.index]
    shares = embedding_table(own, utterances, by=by).set_index("by")
    figure = Figure(figsize=(9.5, 4.4), layout="constrained")
    panels = figure.subplots(1, len(by), sharex=True, sharey=True, squeeze=False)[0]
    for axes, column in zip(panels, by, strict=True):
        names = [name for name in _names(rows[column]) if (rows[column] == name).any()]
        handles = _scatter(axes, points["x"], points["y"], rows[column], names)
        if len(names) <= MOST_IN_LEGEND:
            axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2,
                        columnspacing=1, handletextpad=0.2)  # fmt: skip
        else:
            axes.set_xlabel(f"{len(names)} {column}s, each\na colour and marker", fontsize=9, labelpad=8)
        axes.set_title(f"by {column}: {shares.loc[column, 'variance']:.0%} of variance")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_box_aspect(1)
        axes.spines[:].set(visible=True, color="#BBBBBB")
    fold, fit_seed = own[["fold", "seed"]].iloc[0]
    name = {"pca": "principal components", "tsne": "t-SNE"}[kind]
    title = (titles or {}).get(method, method)
    figure.suptitle(f"Embeddings of {title}, fold {fold}, seed {fit_seed} ({name})", x=0.01, ha="left")
    return _finished(figure)


def first_fit(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Rows of a method's first fold and seed."""
    own = table[table["method"] == method] if "method" in table else table
    if own.empty:
        return own
    fold, seed = own[["fold", "seed"]].iloc[0]
    return own[(own["fold"] == fold) & (own["seed"] == seed)]


def _embedded(embeddings: pd.DataFrame) -> np.ndarray:
    """Embeddings, shape (n, h): methods with fewer units have NaN in the columns they lack."""
    E = embeddings[numbered(embeddings, "e")].to_numpy(dtype=float)
    return E[:, ~np.isnan(E).all(axis=0)]


# --- few-shot curves ----------------------------------------------------------------------------


@_styled
def plot_few_shot(table: pd.DataFrame, *, chance: float | None = None, title: str = "") -> Figure:
    """Show UAR against the number of labelled target utterances per class, a line a method.

    Numbers stand at equal distances, so that 0 has a place.

    Parameters
    ----------
    table : DataFrame
        method, title, shots, uar, uar_low, uar_high, n_draws.
    chance : float, optional
        Level to draw.
    title : str
        Added to the heading.
    """
    _require_rows(table)
    shots = sorted(table["shots"].unique())
    place = {number: position for position, number in enumerate(shots)}
    figure = Figure(figsize=(8, 4.3), layout="constrained")
    axes = figure.subplots()
    for number, (_, own) in enumerate(table.groupby("method", sort=False)):
        own = own.sort_values("shots")
        x, colour = own["shots"].map(place).to_numpy(), PALETTE[number % 8]
        line = {"linestyle": LINES[number % 4], "marker": MARKERS[number % 8]}
        axes.plot(x, own["uar"], color=colour, linewidth=2, markersize=7, label=own["title"].iloc[0], **line)
        axes.fill_between(x, own["uar_low"], own["uar_high"], color=colour, alpha=0.14, linewidth=0)
    if chance is not None:
        axes.axhline(chance, color=BLACK, linestyle=":", linewidth=1.3, label=f"chance, {chance:.2f}")
    axes.set_xticks(range(len(shots)), [str(number) for number in shots])
    axes.set_ylim(*_limits(_known(table, "uar", "uar_low", "uar_high"), chance))
    axes.set_xlabel("labelled target utterances per class")
    axes.set_ylabel("UAR")
    axes.grid(True)
    draws = sorted(set(table["n_draws"]))
    n_draws = f"{draws[0]}" if len(draws) == 1 else f"{draws[0]} to {draws[-1]}"
    note = f"Lines: mean of {n_draws} draws. Bands: lowest to highest."
    figure.legend(loc="outside lower left", ncols=2, title=note, title_fontsize=9, alignment="left")
    figure.suptitle("Few labelled target utterances" + (f": {title}" if title else ""), x=0.01, ha="left")
    return _finished(figure)


def break_even(table: pd.DataFrame, *, baseline: str) -> pd.DataFrame:
    """Find where the target alone is as good as with a source.

    Parameters
    ----------
    table : DataFrame
        As for :func:`plot_few_shot`.
    baseline : str
        The target-only method; every other method is taken to use a source.

    Returns
    -------
    DataFrame
        First row: the best source method at each number of shots; then one row
        a source method. method, title; break_even: the first number of shots
        at which the baseline's mean UAR is at least that of the method, NaN
        where there is none; clear_up_to: the largest number at which the
        method's whole band lies above the baseline's, NaN where there is none;
        largest_gain (UAR) and its number of shots, at_shots; says: all of it
        in words.

    Raises
    ------
    ParameterError
        If the baseline is not in the table.
    """
    if baseline not in set(table["method"]):
        known = ", ".join(dict.fromkeys(table["method"]))
        raise ParameterError(f"baseline {baseline!r} has no few-shot curve; there are: {known}")
    bands = table.set_index("shots")[["method", "title", "uar", "uar_low", "uar_high"]].sort_index()
    base, others = bands[bands["method"] == baseline], bands[bands["method"] != baseline]
    best = others.sort_values("uar", kind="stable").groupby(level="shots").tail(1).sort_index()
    curves = [("", "best with a source", best)]
    curves += [(name, own["title"].iloc[0], own) for name, own in others.groupby("method", sort=False)]
    rows = [
        {"method": method, "title": title, **_crossing(own, base)}
        for method, title, own in curves
        if len(own.index.intersection(base.index))
    ]
    columns = ["method", "title", "break_even", "clear_up_to", "largest_gain", "at_shots", "says"]
    return pd.DataFrame(rows, columns=columns)


def _crossing(own: pd.DataFrame, base: pd.DataFrame) -> dict:
    """Where ``base`` reaches ``own``; both by number of shots."""
    shots = own.index.intersection(base.index).sort_values()
    own, base = own.loc[shots], base.loc[shots]
    gain = own["uar"] - base["uar"]
    reached, clear = shots[gain <= 0], shots[own["uar_low"] > base["uar_high"]]
    if len(reached) == 0:
        says = f"beyond {shots[-1]} per class"
    elif reached[0] == shots[0] and (gain <= 0).all():
        says = "source never helps"
    else:
        says = f"{reached[0]} per class"
    return {
        "break_even": float(reached[0]) if len(reached) else np.nan,
        "clear_up_to": float(clear[-1]) if len(clear) else np.nan,
        "largest_gain": gain.max(),
        "at_shots": gain.idxmax(),
        "says": says,
    }


# --- confounds ----------------------------------------------------------------------------------


@_styled
def plot_confounds(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show bars of what a score may rest on: random split, disjoint speakers, speaker probe.

    Parameters
    ----------
    table : DataFrame
        measure (such as "random split"), metric (such as "UAR"), value, low,
        high, chance; optionally title, the method, which groups the rows.
        Probes are rows from :mod:`serlab.studies.speaker_probe`.
    title : str
        Added to the heading.
    """
    _require_rows(table)
    names = table["title"] if "title" in table else pd.Series("", index=table.index)
    names = names.fillna("")
    gap = 0.5 * (names.ne(names.shift()).cumsum().to_numpy() - 1)
    position = np.arange(len(table)) + gap
    figure, axes = _row_figure(position.max() + 1, extra=1.5)
    measures = list(dict.fromkeys(table["measure"]))
    labels = []
    for y, name, (_, row) in zip(position, names, table.iterrows(), strict=True):
        colour, hatch = _CONFOUNDS[measures.index(row["measure"]) % len(_CONFOUNDS)]
        axes.barh(y, row["value"], 0.62, color=colour, alpha=0.55, hatch=hatch, edgecolor="white")
        axes.barh(y, row["value"], 0.62, fill=False, edgecolor=colour)
        axes.plot(
            [row["low"], row["high"]], [y, y], "-", color=BLACK, linewidth=1.6, marker="|", markersize=8
        )
        axes.plot([row["chance"]] * 2, [y - 0.42, y + 0.42], color=BLACK, linestyle=":", linewidth=1.8)
        labels.append(f"{_wrapped(row['measure'])}\n{_wrapped(name)}" if name else _wrapped(row["measure"]))
    _row_labels(axes, position, labels)
    texts = [
        f"{_number(row['value'])} [{_number(row['low'])}, {_number(row['high'])}]"
        for _, row in table.iterrows()
    ]
    _right_texts(axes, position, {"value [95% CI]": texts, "measure": list(table["metric"])})
    axes.set_xlim(0, 1.02)
    handles = [
        Line2D([], [], color=BLACK, linestyle=":", linewidth=1.8, label="chance, or always the commonest")
    ]
    figure.legend(handles=handles, loc="outside lower left")
    axes.set_xlabel("share of right answers: UAR of emotions, accuracy of speakers")
    figure.suptitle("What the score rests on" + (f": {title}" if title else ""), x=0.01, ha="left")
    return _finished(figure)
