"""What a page leaves out of an executed notebook."""

from __future__ import annotations

import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from serlab import plotting
from serlab.reporting import cleaning


def shown(*tables: str) -> list[str]:
    outputs = [new_output("display_data", data={"text/html": text}) for text in tables]
    page = cleaning.for_page(new_notebook(cells=[new_code_cell("", outputs=outputs)]))
    return [output.data["text/html"] for output in page.cells[0].outputs]


def test_an_empty_table_is_one_line() -> None:
    empty = plotting.display_table(pd.DataFrame(columns=["a", "b"]), caption="Folds & <why>").to_html()
    full = plotting.display_table(pd.DataFrame({"a": [1]}), caption="Full").to_html()
    by_name = plotting.display_table(pd.DataFrame({}, index=["x", "y"]), caption="Names").to_html()
    found = shown(empty, full, by_name, "<p>no table</p>", empty + full)
    assert found == [
        '<p class="none">Folds &amp; &lt;why&gt;: none.</p>', full, by_name, "<p>no table</p>", empty + full,
    ]  # fmt: skip


def test_what_the_header_says_is_not_said_again() -> None:
    cells = [
        new_markdown_cell("# Title\n\nText"),
        new_code_cell(
            "", outputs=[new_output("stream", text="the headline\n"), new_output("stream", text="x")]
        ),
    ]
    notebook = new_notebook(cells=cells)
    page = cleaning.for_page(notebook, said="the headline")
    assert page.cells[0].source == "Text"
    assert [output.text for output in page.cells[1].outputs] == ["x"]
    assert len(notebook.cells[1].outputs) == 2, "the notebook itself is not changed"


def test_what_is_not_kept_is_left_out_with_its_reason() -> None:
    outputs = [
        new_output("error", ename=cleaning.LEFT_OUT, evalue="no <features>", traceback=["long"]),
        new_output("error", ename="ValueError", evalue="bad", traceback=["long"]),
    ]
    page = cleaning.for_page(new_notebook(cells=[new_code_cell("", outputs=outputs)]))
    left_out, other = page.cells[0].outputs
    assert left_out.data["text/html"] == '<p class="none">Left out here: no &lt;features&gt;.</p>'
    assert other.ename == "ValueError"


def test_what_is_said_of_a_picture_is_a_text_like_others() -> None:
    bundle = {"data": {"image/png": "secret"}, "metadata": {"image/png": {"alt": "secret 0.5"}}}
    found = cleaning.hidden(bundle, lambda text: text.replace("secret", "~"))
    assert found == {"data": {"image/png": "secret"}, "metadata": {"image/png": {"alt": "~ 0.5"}}}
