"""Outcomes of a few numbers, for checks: nothing is fitted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd


def utterances(*, speakers: int = 4, per_emotion: int = 2) -> pd.DataFrame:
    """A target named "here": each speaker says each of three emotions so often."""
    rows = [
        {"corpus": "here", "speaker": f"here/s{s}", "emotion": emotion, "text_id": f"t{i}"}
        for s in range(speakers)
        for emotion in ("neutral", "anger", "joy")
        for i in range(per_emotion)
    ]
    table = pd.DataFrame(rows)
    table["emotion"] = pd.Categorical(table["emotion"], categories=["neutral", "anger", "joy", "sadness"])
    return table.rename_axis("utterance")


def outcome(
    uar: dict[str, float],
    *,
    chosen: tuple[str, ...] | None = None,
    gains: tuple[tuple, ...] = (),
    **values: Any,
) -> Any:
    """An outcome with a summary (method, title, uar ...) and comparisons (method, control, low, high)."""
    summary = pd.DataFrame(
        [
            {
                "method": name,
                "title": name,
                "uar": value,
                "uar_low": value - 0.1,
                "uar_high": value + 0.1,
                "accuracy": value,
            }
            for name, value in uar.items()
        ]
    )
    comparison = pd.DataFrame(
        [
            {
                "method": m,
                "control": c,
                "gain": (low + high) / 2,
                "gain_low": low,
                "gain_high": high,
                "n_speakers": n,
            }
            for m, c, low, high, n in gains
        ]
    )
    parameters = SimpleNamespace(
        methods=chosen or tuple(uar),
        target="here",
        sources=("there",),
        protocol=values.pop("protocol", "random"),
    )
    return SimpleNamespace(
        summary=summary, comparison=comparison, parameters=parameters, utterances=utterances(), **values
    )


def hint(plan: Any, name: str, *answer: Any) -> str:
    """What a check says."""
    return plan.check(name).hint(*answer)
