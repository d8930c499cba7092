"""What networks keep of an utterance: their representations, alone and before and after adaptation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from serlab.errors import ParameterError
from serlab.plotting.marks import scatter
from serlab.plotting.networks import numbered
from serlab.plotting.shift import eta_squared
from serlab.plotting.style import PALE, WIDEST, Figure, finished, heading, note_figure, styled
from serlab.plotting.texts import names, sentences, titled, wrapped

#: Speakers beyond this number are drawn without a legend.
MOST_IN_LEGEND = 12
#: Points of a projection.
_MOST_POINTS = 4000

_KINDS = {"pca": "principal components", "tsne": "t-SNE"}


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
        Of t-SNE, and of the draw of rows.

    Returns
    -------
    DataFrame
        Index utterance; x, y. Of more than 4000 rows that many are drawn: more cover each other,
        and t-SNE of a large corpus takes hours.

    Raises
    ------
    ParameterError
        If there are several fits, fewer than four rows, or the kind is unknown.
    """
    fits = embeddings[["method", "fold", "seed"]].drop_duplicates()
    if len(fits) != 1:
        raise ParameterError(f"embeddings of {len(fits)} fits do not share a space; choose one fold and seed")
    if len(embeddings) > _MOST_POINTS:
        embeddings = embeddings.sample(_MOST_POINTS, random_state=seed).sort_index()
    E = _embedded(embeddings)
    if len(E) < 4:
        raise ParameterError(f"{len(E)} embeddings are too few for a projection; four are needed")
    if kind not in _KINDS:
        raise ParameterError(f"unknown projection {kind!r}; known: pca, tsne")
    from sklearn.decomposition import PCA

    points = PCA(min(50 if kind == "tsne" else 2, *E.shape), random_state=0).fit_transform(E)
    if kind == "tsne":
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits

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
            "variance": [eta_squared(E, rows[name].astype(str)) for name in by],
            "expected": [(n - 1) / (len(E) - 1) for n in n_groups],
        }
    )


@styled
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
    (title,) = titled(titles, [method])
    if own.empty:
        return note_figure("Embeddings", f"No embeddings of {title} were kept.")
    points = embedding_coordinates(own, kind=kind, seed=seed)
    rows = utterances.loc[points.index]
    shares = embedding_table(own, utterances, by=by).set_index("by")["variance"]
    figure = Figure(figsize=(9.5, 9.5 / len(by) + 0.65), layout="constrained")
    panels = figure.subplots(1, len(by), sharex=True, sharey=True, squeeze=False)[0]
    below = [0.35]
    for axes, column in zip(panels, by, strict=True):
        handles = _grouped_points(axes, points, rows[column], shares[column])
        if len(handles) <= MOST_IN_LEGEND:
            below.append(_legend(axes, handles, width=9.5 / len(by)))
        else:
            axes.set_xlabel(f"{len(handles)} {column}s, each\na colour and marker", fontsize=9, labelpad=8)
    figure.set_size_inches(9.5, figure.get_figheight() + max(below))
    fold, fit_seed = own[["fold", "seed"]].iloc[0]
    heading(figure, f"Embeddings of {title}, fold {fold}, seed {fit_seed} ({_KINDS[kind]})")
    says = ", ".join(f"{column} {shares[column]:.0%}" for column in by)
    return finished(figure, f"Share of the variance that lies between groups: {says}.")


def _grouped_points(axes: Axes, points: pd.DataFrame, groups: pd.Series, share: float) -> list[Line2D]:
    """Draw a projection by the values of a column, titled with its share of the variance; gives handles."""
    present = [name for name in names(groups) if (groups.astype(str) == name).any()]
    handles = scatter(axes, points["x"], points["y"], groups, present)
    axes.set_title(f"by {groups.name}: {share:.0%} of variance")
    axes.set(xticks=[], yticks=[], box_aspect=1, anchor="N")
    axes.spines[:].set(visible=True, color=PALE)
    return handles


def _legend(axes: Axes, handles: list[Line2D], *, width: float) -> float:
    """Draw it below a panel of this width; gives its height (inches)."""
    longest = max(len(handle.get_label()) for handle in handles)
    ncols = max(1, min(3, int(width / (0.07 * longest + 0.35))))
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.02), columnspacing=1,
                handletextpad=0.2, ncols=ncols)  # fmt: skip
    return 0.207 * -(-len(handles) // ncols) + 0.1


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


def before_after_table(
    embeddings: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    before: str,
    after: str,
    colour_by: Sequence[str] = ("emotion", "corpus"),
    titles: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Say how much of the representation's variance emotion and corpus account for, before and after.

    Parameters as those of :func:`plot_before_after`.

    Returns
    -------
    DataFrame
        method, title, by, n_groups, variance (eta squared) and expected; see
        :func:`embedding_table`.
    """
    tables = [
        embedding_table(fit, utterances, by=colour_by).assign(
            method=method, title=titled(titles, [method])[0]
        )
        for method, fit in _same_fit(embeddings, before, after).items()
    ]
    return pd.concat(tables, ignore_index=True)[["method", "title", "by", "n_groups", "variance", "expected"]]


@styled
def plot_before_after(
    embeddings: pd.DataFrame,
    utterances: pd.DataFrame,
    *,
    before: str,
    after: str,
    colour_by: Sequence[str] = ("emotion", "corpus"),
    kind: Literal["pca", "tsne"] = "tsne",
    seed: int = 0,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show representations without and with adaptation, coloured by emotion and by corpus.

    As Baklouti et al., figure 4, who colour by emotion alone. Each row is a
    projection of its own. The table is :func:`before_after_table`.

    Parameters
    ----------
    embeddings : DataFrame
        method, fold, seed, utterance, e_1 ... e_h.
    utterances : DataFrame
        With the columns ``colour_by``.
    before, after : str
        Methods; the first fold and seed that both have is shown.
    colour_by : sequence of str
    kind, seed
        See :func:`embedding_coordinates`.
    titles : mapping, optional
        Method -> title.

    Raises
    ------
    ParameterError
        If a method has no embeddings, or they have no fold and seed in common.
    """
    fits = _same_fit(embeddings, before, after)
    shares = before_after_table(embeddings, utterances, before=before, after=after, colour_by=colour_by)
    shares = shares.set_index(["method", "by"])["variance"]
    wide = min(4.3, WIDEST / len(colour_by))
    figure = Figure(figsize=(max(wide * len(colour_by), 4.5), 2 * wide + 0.8), layout="constrained")
    panels = figure.subplots(2, len(colour_by), squeeze=False)
    below = [0.0]
    shown = dict(zip(fits, titled(titles, list(fits)), strict=True))
    for row, (method, fit), when in zip(panels, fits.items(), ("before", "after"), strict=True):
        points = embedding_coordinates(fit, kind=kind, seed=seed)
        for axes, column in zip(row, colour_by, strict=True):
            groups = utterances.loc[points.index, column]
            handles = _grouped_points(axes, points, groups, shares[method, column])
            if when == "after" and len(handles) <= 2 * MOST_IN_LEGEND:
                below.append(_legend(axes, handles, width=wide))
        row[0].set_ylabel(f"{when}\n{wrapped(shown[method], 44)}", labelpad=6)
    figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + max(below))
    fold, fit_seed = fits[before][["fold", "seed"]].iloc[0]
    heading(figure, f"Before and after adaptation ({_KINDS[kind]}; fold {fold}, seed {fit_seed})")
    finding = sentences(
        *(
            f"Between groups by {column} lie {shares[before, column]:.0%} of the variance before "
            f"({shown[before]}) and {shares[after, column]:.0%} after ({shown[after]})"
            for column in colour_by
        )
    )
    return finished(figure, finding)


def _same_fit(embeddings: pd.DataFrame, before: str, after: str) -> dict[str, pd.DataFrame]:
    """Rows of the first fold and seed that both methods have."""
    if before == after:
        raise ParameterError(f"before and after are both {before!r}; choose two methods")
    kept = embeddings["method"].unique() if "method" in embeddings else []
    for method in (before, after):
        if method not in kept:
            raise ParameterError(
                f"no embeddings of {method!r} were kept; there are those of: {', '.join(kept) or 'none'}"
            )
    own = {method: embeddings[embeddings["method"] == method] for method in (before, after)}
    keys = [part[["fold", "seed"]].drop_duplicates() for part in own.values()]
    both = keys[0].merge(keys[1], on=["fold", "seed"]).head(1)
    if both.empty:
        raise ParameterError(f"{before!r} and {after!r} have no fold and seed in common")
    return {method: first_fit(part.merge(both, on=["fold", "seed"]), method) for method, part in own.items()}
