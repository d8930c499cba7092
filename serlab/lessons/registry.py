"""All lessons, in the order of teaching."""

from __future__ import annotations

from serlab.lessons import listen, shift
from serlab.lessons.base import Plan

LESSONS: tuple[Plan, ...] = (listen.LESSON, shift.LESSON)
