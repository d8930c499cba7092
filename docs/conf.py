"""The site: Sphinx with the PyData theme; pages are Markdown (MyST), the API is numpydoc docstrings.

Nothing is fetched, neither while it is built nor while it is read: what would
load a script, a font or a style sheet from elsewhere is left off, and the
build fails if a page does.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]  # this checkout, installed or not

import serlab  # noqa: E402

project = "serlab"
author = "The serlab developers"
copyright = "the serlab developers"
version = release = serlab.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
    "api",
    "cards",
    "generated",
    "rendered_notebooks",
    "offline",
]

exclude_patterns = ["_build", "_ext", "_templates"]
templates_path = ["_templates"]
language = "en"
# Figures of a run are no part of the sources; nor is the time at which the site was built.
html_last_updated_fmt = None

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Notebooks begin their sections where their own text wants them.
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]

# Notebooks are shown as they were run (see rendered_notebooks); the build itself runs nothing.
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # would be loaded from elsewhere

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say them, with shapes and units
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "serlab"
html_static_path = ["_static"]
html_css_files = ["serlab.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "serlab"},
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": True,
}
html_sidebars = {name: [] for name in ("index", "results", "earlier-results", "changelog")}
copybutton_exclude = ".linenos, .gp, .go"
