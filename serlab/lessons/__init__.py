"""Lessons for a class: predictions that are written down first, exercises that check themselves.

>>> from serlab import lessons
>>> lesson = lessons.open("1")  # doctest: +SKIP
>>> lesson.predict("uar", "Which UAR will you reach?")  # doctest: +SKIP
>>> lesson.check("chance", 0.25, 4)  # doctest: +SKIP
"""

from serlab.lessons.base import Check, Plan
from serlab.lessons.collecting import collect, collect_predictions
from serlab.lessons.lesson import Lesson, Wrong
from serlab.lessons.lesson import open_lesson as open
from serlab.lessons.registry import LESSONS

__all__ = ["LESSONS", "Check", "Lesson", "Plan", "Wrong", "collect", "collect_predictions", "open"]
