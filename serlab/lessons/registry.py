"""All lessons, in the order of teaching."""

from __future__ import annotations

from serlab.lessons import adaptation, believe, leakage, listen, shift, transfer, voice
from serlab.lessons.base import Plan

LESSONS: tuple[Plan, ...] = (
    listen.LESSON,
    voice.LESSON,
    shift.LESSON,
    transfer.LESSON,
    leakage.LESSON,
    adaptation.LESSON,
    believe.LESSON,
)
