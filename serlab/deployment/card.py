"""The card of a kept model: what it was made of, how it did where it was left alone, what it must not do.

Every sentence comes from the run; nothing is filled in by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from serlab import metrics
from serlab.deployment.classifiers import Learner
from serlab.deployment.evidence import proba_of
from serlab.deployment.families import FAMILIES, FORMS
from serlab.deployment.model import Model, Source
from serlab.deployment.unlabelled import errors_table
from serlab.evaluation import intervals
from serlab.evaluation.calibration import Calibration, Temperature
from serlab.wording import count

#: Where a model of this kind does harm, or where the law forbids it.
MUST_NOT: tuple[str, ...] = (
    "It hears how speech sounds, not what a person feels. Most of what it learned from is acted.",
    "It must not decide, or help to decide, about a person: hiring, schooling, credit, insurance, policing, "
    "health.",
    "It must not be used on people who do not know of it and have not agreed. In the European Union, to "
    "infer emotions at work or in education is prohibited (Regulation 2024/1689, article 5), but for medical "
    "or safety reasons.",
    "Answers for one recording are guesses; report shares over many, with the error measured below.",
)
#: How a model is asked, by form.
ASKED = {
    "as-is": "one by one",
    "adapted": "`--adapt FOLDER`",
    "voices": "`--adapt FOLDER --speakers ...`",
}


def terms(sources: Sequence[Source]) -> list[str]:
    """What the licences of the corpora say of a model that is made from them, a sentence each."""
    found = []
    for source in sources:
        if source.speech == "synthetic":
            found.append(f"{source.title} is synthetic: what is learned from it says nothing of real speech.")
        elif source.derivatives == "no":
            found.append(
                f"The licence of {source.title} ({source.licence}) does not allow to pass on what is "
                "made from it: keep this model to yourself."
            )
        elif source.derivatives == "unknown":
            found.append(
                f"The licence of {source.title} ({source.licence or 'none stated'}) does not say whether a "
                "model made from it may be passed on: ask its publisher before you do."
            )
        if source.commercial == "no":
            found.append(f"Not for commercial use: {source.title} ({source.licence}).")
        if source.share_alike == "yes" and source.derivatives == "yes":
            found.append(f"If passed on, then under the same licence: {source.title} ({source.licence}).")
    return found


def values(
    model: Model,
    *,
    labels: pd.DataFrame,
    unusable: pd.Series,
    by_corpus: pd.DataFrame,
    by_sex: pd.DataFrame,
    calibration: pd.DataFrame,
    abstention: pd.DataFrame,
    choices: pd.DataFrame,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """The card as JSON values."""

    def records(table: pd.DataFrame) -> list[dict[str, Any]]:
        return table.astype(object).where(table.notna(), None).to_dict("records")

    return {
        "name": model.name,
        "method": {form: own.method for form, own in model.forms.items()},
        "features": model.features,
        "features_licence": model.features_licence,
        "scheme": model.scheme,
        "classes": list(model.classes),
        "created": model.created,
        "serlab": model.serlab,
        "settings": dict(settings),
        "sources": [{**asdict(source), "languages": list(source.languages)} for source in model.sources],
        "labels": records(labels.reset_index(names="corpus")),
        "notes": notes(labels, unusable),
        "terms": terms(model.sources),
        "must_not": list(MUST_NOT),
        "left_out_are": model.left_out_are,
        "uar": records(by_corpus),
        "uar_by_sex": records(by_sex),
        "calibration": records(calibration),
        "abstention": records(abstention),
        "choices": records(choices),
        "estimates": records(errors_table(model.estimates)),
    }


def markdown(
    model: Model, *, labels: pd.DataFrame, unusable: pd.Series, by_corpus: pd.DataFrame,
    by_sex: pd.DataFrame, calibration: pd.DataFrame, abstention: pd.DataFrame, choices: pd.DataFrame,
) -> str:  # fmt: skip
    """The card as Markdown."""
    family = FAMILIES[model.family]
    left_out = (
        "a corpus that it never heard" if model.left_out_are == "corpora" else "speakers that it never heard"
    )
    parts = [
        f"# {_escaped(model.name)}: emotions in speech, {', '.join(model.classes)}",
        f"Kept by serlab {model.serlab} on {model.created}. Method: {family.title}. Features: "
        f"`{model.features}` ({model.features_licence}). Label scheme: {model.scheme}.",
        headline(model),
        "## What it must not be used for",
        _bullets(MUST_NOT),
        "## What it was learned from",
        _table(
            ("corpus", "language", "speech", "utterances", "speakers", "licence", "fingerprint"),
            [
                (
                    s.title,
                    ", ".join(s.languages),
                    s.speech,
                    s.utterances,
                    s.speakers,
                    s.licence,
                    s.fingerprint,
                )
                for s in model.sources
            ],
        ),
        _table(("corpus", *labels), [(name, *own) for name, own in labels.T.items()]),
        _bullets(notes(labels, unusable)),
        _bullets(terms(model.sources)) or "The licences named allow a model to be made and passed on.",
        f"## How it does on {left_out}",
        f"UAR with its {intervals.PERCENT} interval over speakers; chance is {1 / len(model.classes):.2f}. "
        + (
            "Each row is of a model that was learned from all the other corpora."
            if model.left_out_are == "corpora"
            else "Each row is of a model that was learned from all other speakers of the same corpus. **That "
            "says nothing of other recordings or languages: add a second corpus to find out.**"
        ),
        _uar(by_corpus, "corpus"),
        _bullets([f"{ASKED[form]}: it needs {FORMS[form]}." for form in model.forms]),
        "### By sex",
        _uar(by_sex, "sex") if len(by_sex) else "The corpora do not say who is a woman and who a man.",
        _choices(choices, model),
        "## Whether its probabilities mean what they say",
        _calibration(calibration, model),
        _abstention(abstention),
        "## How well its own estimates do",
        _estimates(model),
        "## Sources to cite",
        _bullets([f"{source.title}: {source.citation}" for source in model.sources]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def notes(labels: pd.DataFrame, unusable: pd.Series) -> list[str]:
    """Corpora without some of the classes, and recordings that could not be learned from, a sentence each.

    Parameters
    ----------
    labels : DataFrame
        Utterances learned from, corpora by classes.
    unusable : Series
        Corpora and numbers of their recordings that could not be used.
    """
    lacking = [
        f"{name} has no {' or '.join(own.index[own == 0])}: its UAR below is of its other classes, and the "
        "model, which may answer with any, was wrong where it answered with these."
        for name, own in labels.iterrows()
        if (own == 0).any()
    ]
    # No name of a file: where recordings lie is nobody's business who gets the model.
    unused = [
        f"{count(n, 'recording')} of {name} could not be used: `serlab validate {name}` says why."
        for name, n in unusable.items()
    ]
    return [*lacking, *unused]


def uar_by_corpus(model: Model) -> dict[str, dict[str, float]]:
    """UAR of each form on each corpus that was left out."""
    return {
        form: {name: _uar_of(part) for name, part in model.of_form(form).groupby("corpus", sort=False)}
        for form in model.forms
    }


def headline(model: Model) -> str:
    """Mean UAR on what was left out, by what is known of the recordings."""
    says = []
    for form, by_corpus in uar_by_corpus(model).items():
        own = pd.Series(by_corpus)
        says.append(f"{own.mean():.2f} ({own.min():.2f} to {own.max():.2f}) {ASKED[form]}")
    return f"**Mean UAR on {model.left_out_are} left out: {'; '.join(says)}.**"


def _uar_of(answers: pd.DataFrame) -> float:
    proba = proba_of(answers)
    return float(metrics.uar(metrics.confusion(answers["y_true"], proba.argmax(axis=1), proba.shape[1])))


def _uar(table: pd.DataFrame, by: str) -> str:
    forms = list(dict.fromkeys(table["form"]))
    keys = ["corpus"] if by == "corpus" else ["corpus", by]
    rows = []
    for key, own in table.groupby(keys, sort=False):
        own = own.set_index("form")
        cells = [
            intervals.text(*own.loc[form, ["uar", "uar_low", "uar_high"]]) if form in own.index else ""
            for form in forms
        ]
        first = own.iloc[0]
        rows.append((*key, first["utterances"], first["speakers"], *cells))
    heads = [f"{ASKED[form]}" for form in forms]
    return _table((*keys, "utterances", "speakers", *heads), rows)


def _choices(table: pd.DataFrame, model: Model) -> str:
    """What was chosen on sources left out, and what is kept for it."""
    learners = [name for name, form in model.forms.items() if isinstance(form.classifier, Learner)]
    if not learners:
        return ""
    kept = (
        "## How it learns from the recordings it adapts to\n\nWith `--adapt` it learns from these, "
        f"beside the features of all {sum(source.utterances for source in model.sources)} utterances of its "
        "sources, which are in this folder (no audio)."
    )
    if table.empty:
        return kept
    sources = [name for name in table if name.startswith("UAR on ")]
    rows = [
        (ASKED[row["form"]], row["way"] + (" (chosen)" if row["chosen"] else ""), f"{row['penalty']:g}",
         f"{row['uar']:.2f}", *(f"{row[name]:.2f}" for name in sources))
        for row in table.to_dict("records")
    ]  # fmt: skip
    return (
        f"{kept} Each source was left out in turn and taken for a target without labels; the way with the "
        "highest mean UAR there is used:\n\n"
        + _table(("asked", "way", "penalty", "mean UAR", *sources), rows)
    )


def _calibration(table: pd.DataFrame, model: Model) -> str:
    if table.empty:
        return "With one part left out there is nothing to judge its calibration by."
    means = table.groupby(["form", "how"], sort=False)["ece"].mean().unstack("how", sort=False)
    rows = [
        (
            ASKED[str(form)],
            *(f"{means.loc[form, how]:.3f}" for how in means),
            _kind(model.forms[str(form)].calibration),
        )
        for form in means.index
    ]
    return (
        "Mean distance of confidence and share of right answers (expected calibration error) on what was "
        "left out, with probabilities as they are and calibrated by the others, and what this model does:\n\n"
        + _table(("asked", *("as they are" if how == "none" else how for how in means), "here"), rows)
    )


def _kind(calibration: Calibration) -> str:
    if isinstance(calibration, Temperature):
        return "as they are" if calibration.value == 1 else f"temperature {calibration.value:.2f}"
    return "isotonic"


def _abstention(table: pd.DataFrame) -> str:
    if table.empty:
        return ""
    rows = []
    for (form, risk), own in table.groupby(["form", "risk"], sort=False):
        given = own["wrong"].dropna()
        wrong = f"{given.mean():.0%} ({given.min():.0%} to {given.max():.0%})" if len(given) else "no answer"
        rows.append((ASKED[form], f"{risk:.0%}", wrong, f"{own['answered'].mean():.0%}"))
    return (
        "Asked for a risk (`--risk`), it abstains where it is not sure enough. What came of it where the "
        "threshold was set by the others:\n\n"
        + _table(("asked", "risk asked for", "wrong among its answers (least to most)", "answered"), rows)
    )


def _estimates(model: Model) -> str:
    errors = errors_table(model.estimates)
    if errors.empty:
        return "It takes three corpora to judge an estimate without labels; this model has fewer."
    rows = [
        (ASKED[row.form], row.estimate, f"{row.uar_error:.3f}", f"{row.uar_worst:.3f}")
        for row in errors.sort_values(["form", "uar_error"], key=_in_order, kind="stable").itertuples()
    ]
    return (
        "`serlab predict --estimate` says which UAR to expect on recordings without labels. On the corpora "
        "that were left out it was off by:\n\n"
        + _table(("asked", "estimate", "mean error", "largest error"), rows)
    )


def _in_order(column: pd.Series) -> pd.Series:
    return column.map(list(FORMS).index) if column.name == "form" else column


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_escaped(str(cell)) for cell in line) + " |" for line in lines)


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {_escaped(sentence)}" for sentence in sentences)


def _escaped(text: str) -> str:
    """Names of corpora are somebody's text: no table is broken by them, no page has its tags."""
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;").replace("](", "]\\(")
