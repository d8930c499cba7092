from __future__ import annotations

from html.parser import HTMLParser
from types import SimpleNamespace

import matplotlib
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output

from serlab import plotting
from tests.plotting.made import comparison, few_shot, is_within_page, summary


def alts(page: str) -> list[str]:
    """Alternative texts of the pictures of a page."""
    found = []

    class Pictures(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                found.append(dict(attrs)["alt"])

    Pictures().feed(page)
    return found


def test_figures_leave_no_trace_in_pyplot_and_show_themselves():
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    figure = plotting.plot_uar(summary())
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []
    bundle, metadata = figure._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["text/plain"] == figure.alt == metadata["image/png"]["alt"]
    assert figure.alt.startswith("UAR per method. Sees nothing of the target: highest ")
    assert plotting.png(figure) == plotting.png(figure)


def test_the_alternative_text_arrives_in_the_page_of_a_report():
    figure = plotting.plot_gain(comparison().assign(title=["<b>", 'a "b"', "c & d", "e"]))
    data, metadata = figure._repr_mimebundle_()
    shown = new_output("execute_result", data={**data, "image/png": "AAAA"}, metadata=metadata)
    notebook = new_notebook(cells=[new_code_cell("", outputs=[shown])])
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    assert alts(page) == alts(plotting.img(figure)) == [figure.alt]
    assert 'same labels? Over Forest. Helps: <b> +0.10 [+0.05, +0.15]. Hurts: a "b"' in figure.alt


def test_a_browser_is_given_the_alternative_text_where_somebody_looks(monkeypatch):
    import IPython

    figure = plotting.plot_uar(summary())
    assert "text/html" not in figure._repr_mimebundle_()[0]
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    assert alts(figure._repr_mimebundle_()[0]["text/html"]) == [figure.alt]
    monkeypatch.setenv("SERLAB_FIGURES", "png")  # as in the kernel of a report
    assert "text/html" not in figure._repr_mimebundle_()[0]


def test_a_heading_is_never_wider_than_its_figure():
    figure = plotting.plot_uar(summary(), title="a long name of many words " * 8)
    assert is_within_page(figure) and figure.get_suptitle().count("\n") >= 2
    assert "\n" not in figure.alt


def test_a_legend_makes_the_figure_higher_not_its_panels_lower():
    few, many = (
        plotting.plot_few_shot(few_shot(**{f"{i} with a long name": {1: 0.5, 5: 0.6} for i in range(n)}))
        for n in (2, 30)
    )
    heights = [figure.axes[0].get_position().height * figure.get_figheight() for figure in (few, many)]
    assert heights[1] > 0.9 * heights[0]
    assert is_within_page(few) and is_within_page(many)
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in many.axes[0].lines}
    assert len(looks) == 30, "no two methods look alike"
