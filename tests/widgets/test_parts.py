"""What a choice leaves out is replaced by its reason; what is wrong is not."""

from __future__ import annotations

import pytest

from serlab.errors import ParameterError, TrainingError
from serlab.experiment import Parameters, Session
from serlab.widgets import LeftOut, study, where_possible

CHOSEN = Parameters(target="b", methods=("rf-target",), studies=("few-shot",))


def test_a_study_that_was_chosen_gets_the_session() -> None:
    session = Session(CHOSEN)
    with study(session, "few-shot") as given:
        assert given is session


def test_another_one_is_left_out_and_says_so(capsys) -> None:
    reached = []
    with study(Session(CHOSEN), "trade-off") as session:
        reached.append(session.parameters)
    assert reached == []
    said = capsys.readouterr().out
    assert "Left out here: lambda, chosen without target labels ('trade-off' is not among" in said


def test_a_choice_with_nothing_to_show_says_why(capsys) -> None:
    with where_possible():
        raise ParameterError("there is no <such> method")
    assert "Left out here: there is no <such> method." in capsys.readouterr().out
    assert "&lt;such&gt;" in LeftOut("no <such> method")._repr_html_()


@pytest.mark.parametrize("error", [KeyError("x"), TrainingError("no longer finite")])
def test_other_errors_end_the_notebook(error: Exception) -> None:
    with pytest.raises(type(error)), where_possible():
        raise error
