"""Parameters as pickers, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import ipywidgets as w

from serlab import corpora, features, labels, methods, protocols
from serlab.errors import ParameterError
from serlab.experiment import Parameters, choices
from serlab.methods import OPTIONS, Option

WIDE = {"description_width": "7em"}

_PRESETS = {
    "demo": "small models, seconds to a minute",
    "quick": "fewer epochs or smaller models than the paper's, minutes",
    "paper": "the paper's own settings, as far as it prints them",
}


def controls(parameters: Parameters, installed: list[str]) -> dict[str, w.Widget]:
    """Parameter -> picker, for all but sources and methods."""
    wide, known = w.Layout(width="95%"), choices()
    targets = list(dict.fromkeys([*installed, parameters.target]))
    schemes = [(f"{name}: {', '.join(s.classes)}", name) for name, s in labels.SCHEMES.items()]
    kind = features.get(parameters.features).kind
    sets = [(f"{name}: {s.title}", name) for name, s in features.FEATURE_SETS.items() if s.kind == kind]
    kinds = [(f"{name}: {kind.title}", name) for name, kind in protocols.PROTOCOLS.items()]
    baselines = [(spec.title, name) for name, spec in methods.METHODS.items() if not spec.uses_source]
    presets = [(f"{name}: {_PRESETS.get(name, '')}", name) for name in methods.PRESETS]
    bad_file = [("skip it, and say so", "skip"), ("stop the run", "stop")]

    def dropdown(label: str, options: list, name: str) -> w.Dropdown:
        value = getattr(parameters, name)
        return w.Dropdown(options=options, value=value, description=label, style=WIDE, layout=wide)

    return {
        "target": dropdown("target", targets, "target"),
        "scheme": dropdown("label scheme", schemes, "scheme"),
        "features": dropdown("features", sets, "features"),
        "protocol": dropdown("protocol", kinds, "protocol"),
        "shots": w.BoundedIntText(
            value=parameters.shots, min=1, max=1000, description="shots", style=WIDE,
            layout=w.Layout(width="14em"), tooltip="labelled target utterances per class, for k-shot",
        ),
        "folds": w.BoundedIntText(
            value=parameters.folds, min=1, max=100, description="folds", style=WIDE,
            layout=w.Layout(width="14em"), tooltip="of speaker-groups and random; draws of k-shot",
        ),
        "transductive": w.Checkbox(
            value=parameters.transductive, description="transductive", style=WIDE, layout=wide,
            tooltip="adaptation and normalisation may hear the tested speakers, without labels; "
            "if not, target speakers who are not tested",
        ),
        "augment": w.Text(
            value=", ".join(parameters.augment), description="augment", style=WIDE, layout=wide,
            placeholder="none", tooltip="changed copies to learn from, as in noise-20, speed-0.9, gain-6",
        ),
        **{name: _option(option, parameters.options[name]) for name, option in OPTIONS.items()},
        "seconds": w.BoundedFloatText(
            value=parameters.seconds, min=0, max=3600, step=0.5, description="seconds", style=WIDE,
            layout=w.Layout(width="14em"), tooltip="longer utterances are cut there; 0: nothing is cut",
        ),
        "label_sets": dropdown("label sets", list(known["label_sets"]), "label_sets"),
        "device": dropdown("device", list(known["device"]), "device"),
        "seeds": w.Text(
            value=", ".join(map(str, parameters.seeds)), description="seeds", style=WIDE, layout=wide,
            placeholder="as many as the preset has",
            tooltip="repeats of the stochastic methods, as in 0, 1, 2; none: as many as the preset has",
        ),
        "preset": dropdown("preset", presets, "preset"),
        "on_bad_file": dropdown("a bad file", bad_file, "on_bad_file"),
        "baseline": dropdown("baseline", baselines, "baseline"),
    }  # fmt: skip


def _option(option: Option, value: object) -> w.Widget:
    """Picker of what a family of methods asks for."""
    shown = {"value": value, "description": option.title, "tooltip": option.help, "style": WIDE}
    if option.picker == "number":
        low, high = option.bounds or (float("-inf"), float("inf"))
        return w.BoundedFloatText(**shown, min=low, max=high, step=0.1, layout=w.Layout(width="14em"))
    return w.Text(**shown, layout=w.Layout(width="95%"), placeholder=option.empty)


def source_boxes(parameters: Parameters, installed: list[str]) -> dict[str, w.Checkbox]:
    """A checkbox a corpus that is installed or chosen; the panel lists the others below."""
    boxes = {}
    for name in dict.fromkeys([*installed, *parameters.sources]):
        there = name in installed
        title = corpora.CORPORA[name].title if name in corpora.CORPORA else "your own corpus"
        boxes[name] = _checkbox(name if there else f"{name} (missing)", title)
        boxes[name].value = name in parameters.sources
    return boxes


def method_boxes(parameters: Parameters, groups: Sequence[str]) -> dict[str, w.Checkbox]:
    """A checkbox a method of the groups; the chosen ones are offered in any case."""
    offered = {name for group in groups for name in methods.GROUPS[group]} | set(parameters.methods)
    boxes = {
        name: _checkbox(spec.title, f"{name}: {spec.reference}; normalisation: {spec.normalization}")
        for name, spec in methods.METHODS.items()
        if name in offered
    }
    for name in parameters.methods:
        boxes[name].value = True
    return boxes


def _checkbox(label: str, tooltip: str) -> w.Checkbox:
    return w.Checkbox(description=label, tooltip=tooltip, indent=False, layout=w.Layout(width="auto"))


def ticked(boxes: Mapping[str, w.Checkbox]) -> tuple[str, ...]:
    """Names of the boxes that are ticked."""
    return tuple(name for name, box in boxes.items() if box.value)


def value_of(name: str, value: object) -> object:
    """Value of a parameter from that of its picker."""
    if name == "seeds":
        return _seeds(str(value))
    return tuple(str(value).replace(",", " ").split()) if name == "augment" else value


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ParameterError(f"seeds: {text!r} is not a list of whole numbers such as 0, 1, 2") from None


def grid(boxes: Iterable[w.Checkbox], width: str) -> w.GridBox:
    """Boxes in as many columns of ``width`` as there is room for."""
    columns = f"repeat(auto-fill, minmax({width}, 1fr))"
    return w.GridBox(list(boxes), layout=w.Layout(grid_template_columns=columns, width="98%"))
