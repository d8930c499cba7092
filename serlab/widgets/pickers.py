"""Parameters as pickers, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import ipywidgets as w

from serlab import corpora, features, labels, methods, plotting, protocols
from serlab.errors import ParameterError
from serlab.experiment import Parameters, choices
from serlab.experiment.further import STUDIES
from serlab.methods import OPTIONS, Option

WIDE = {"description_width": "7em"}

_PRESETS = {
    "demo": "small models, seconds to a minute",
    "quick": "fewer epochs or smaller models than the paper's, minutes",
    "paper": "the paper's own settings, as far as it prints them",
}


#: Pickers that few need: folded.
RARE = (
    "transductive", "augment", *OPTIONS, "seconds", "label_sets", "device", "seeds", "on_bad_file",
)  # fmt: skip

#: What each picker is for; options of families say it themselves.
HELP = {
    "target": "the corpus whose emotions are to be recognised",
    "scheme": "which emotions are one class, and which are left out",
    "features": "what methods are fed that bring no features of their own",
    "protocol": "who is tested, and on whom the target part is trained",
    "shots": "labelled target utterances per class, for k-shot",
    "folds": "of speaker-groups and random; draws of k-shot",
    "transductive": "adaptation and normalisation may hear the tested speakers, without labels; if not, "
    "target speakers who are not tested",
    "augment": "changed copies to learn from, as in noise-20, speed-0.9, gain-6",
    "seconds": "longer utterances are cut there; 0: nothing is cut",
    "label_sets": "which classes take part where corpora have different ones",
    "device": "where networks of frames are trained",
    "seeds": "repeats of the stochastic methods, as in 0, 1, 2; none: as many as the preset has",
    "preset": "sizes, epochs and repeats",
    "on_bad_file": "what becomes of an audio file that cannot be used",
    "baseline": "what one has without any source: the one to beat, for orientation; gains are over controls",
}

_LABEL_SETS = {
    "scheme": "all classes of the scheme", "shared": "those that every corpus has",
    "any": "those that any corpus has",
}  # fmt: skip


def controls(parameters: Parameters, installed: list[str], groups: Sequence[str] = ()) -> dict[str, w.Widget]:
    """Parameter -> picker, for all but sources, methods and studies.

    Parameters
    ----------
    parameters : Parameters
        What they show first.
    installed : list of str
        Corpora that can be read.
    groups : sequence of str
        Groups of methods that are offered: of these, the target-only ones are offered to beat.
    """
    wide, known = w.Layout(width="95%"), choices()
    narrow = w.Layout(width="14em")
    kind = features.get(parameters.features).kind
    sets = [name for name, s in features.FEATURE_SETS.items() if s.kind == kind]
    options: dict[str, list] = {
        "target": list(dict.fromkeys([*installed, parameters.target])),
        "scheme": list(labels.SCHEMES),
        "features": list(dict.fromkeys([*sets, parameters.features])),
        "protocol": list(protocols.PROTOCOLS),
        "label_sets": [(_LABEL_SETS.get(name, name), name) for name in known["label_sets"]],
        "device": list(known["device"]),
        "preset": list(methods.PRESETS),
        "on_bad_file": [("skip it, and say so", "skip"), ("stop the run", "stop")],
        "baseline": [(methods.get(name).title, name) for name in _baselines(parameters, groups)],
    }
    titles = {
        "scheme": "label scheme", "label_sets": "classes", "on_bad_file": "a bad file", "baseline": "to beat",
    }  # fmt: skip

    def dropdown(name: str) -> w.Dropdown:
        return w.Dropdown(
            options=options[name], value=getattr(parameters, name), description=titles.get(name, name),
            style=WIDE, layout=wide, tooltip=HELP[name],
        )  # fmt: skip

    def number(name: str, kind: type[w.Widget], **bounds: float) -> w.Widget:
        shown = {"value": getattr(parameters, name), "description": name, "tooltip": HELP[name]}
        return kind(**shown, **bounds, style=WIDE, layout=narrow)

    def text(name: str, value: str, placeholder: str) -> w.Text:
        shown = {"value": value, "description": name, "tooltip": HELP[name], "placeholder": placeholder}
        return w.Text(**shown, style=WIDE, layout=wide)

    return {
        "target": dropdown("target"),
        "scheme": dropdown("scheme"),
        "features": dropdown("features"),
        "protocol": dropdown("protocol"),
        "shots": number("shots", w.BoundedIntText, min=1, max=1000),
        "folds": number("folds", w.BoundedIntText, min=1, max=100),
        "transductive": w.Checkbox(
            value=parameters.transductive, description="transductive", style=WIDE, layout=wide,
            tooltip=HELP["transductive"],
        ),
        "augment": text("augment", ", ".join(parameters.augment), "none"),
        **{name: _option(option, parameters.options[name]) for name, option in OPTIONS.items()},
        "seconds": number("seconds", w.BoundedFloatText, min=0, max=3600, step=0.5),
        "label_sets": dropdown("label_sets"),
        "device": dropdown("device"),
        "seeds": text("seeds", ", ".join(map(str, parameters.seeds)), "as many as the preset has"),
        "preset": dropdown("preset"),
        "on_bad_file": dropdown("on_bad_file"),
        "baseline": dropdown("baseline"),
    }  # fmt: skip


def _baselines(parameters: Parameters, groups: Sequence[str]) -> list[str]:
    """Methods of the target alone among those that are offered; all there are, without groups."""
    offered = [name for name in choices()["baseline"] if not groups or name in _offered(parameters, groups)]
    return list(dict.fromkeys([*offered, parameters.baseline]))


def _offered(parameters: Parameters, groups: Sequence[str]) -> set[str]:
    return {name for group in groups for name in methods.GROUPS[group]} | set(parameters.methods)


#: Pickers of one word, below which stands what it means.
EXPLAINED = ("scheme", "features", "protocol", "preset")


def meaning(name: str, value: str) -> str:
    """What is chosen, in words; where a list would be cut off, this is not."""
    if name == "scheme":
        return ", ".join(labels.SCHEMES[value].classes)
    if name == "features":
        return features.get(value).title
    return protocols.PROTOCOLS[value].title if name == "protocol" else _PRESETS.get(value, "")


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
    offered = _offered(parameters, groups)
    boxes = {
        name: _checkbox(spec.title, explained(name))
        for name, spec in methods.METHODS.items()
        if name in offered
    }
    for name in parameters.methods:
        boxes[name].value = True
    return boxes


def explained(name: str) -> str:
    """One line of a method: what it sees and from where, its control, who describes it."""
    spec = methods.get(name)
    said = [f"{name}: {plotting.ACCESS[spec.access][0]}"]
    if spec.control:
        said.append(f"over {methods.get(spec.control).title} it adds {spec.adds or 'something else'}")
    said.append(f"normalisation: {spec.normalization}")
    return "; ".join([*said, *([spec.reference] if spec.reference else [])])


def study_boxes(offered: Sequence[str], chosen: Sequence[str]) -> dict[str, w.Checkbox]:
    """A checkbox a study of the notebook."""
    boxes = {}
    for name in dict.fromkeys([*offered, *chosen]):
        boxes[name] = _checkbox(STUDIES[name].title, f"studies={name}: {STUDIES[name].title}")
        boxes[name].value = name in chosen
    return boxes


def _checkbox(label: str, tooltip: str) -> w.Checkbox:
    return w.Checkbox(description=label, tooltip=tooltip, indent=False, layout=w.Layout(width="auto"))


def ticked(boxes: Mapping[str, w.Checkbox], *, first: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of the boxes that are ticked; ``first`` in their order, so that the same choice is the same."""
    names = [name for name, box in boxes.items() if box.value]
    return tuple([*(name for name in first if name in names), *(name for name in names if name not in first)])


def value_of(name: str, value: object) -> object:
    """Value of a parameter from that of its picker."""
    if name == "seeds":
        return _seeds(str(value))
    return tuple(str(value).replace(",", " ").split()) if name == "augment" else value


def shown_as(name: str, value: object) -> object:
    """The other way round: what a picker shows of a JSON value."""
    return ", ".join(map(str, value)) if name in ("seeds", "augment") and isinstance(value, list) else value


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ParameterError(f"seeds: {text!r} is not a list of whole numbers such as 0, 1, 2") from None


def grid(boxes: Iterable[w.Checkbox], width: str) -> w.GridBox:
    """Boxes in as many columns of ``width`` as there is room for."""
    columns = f"repeat(auto-fill, minmax(min({width}, 100%), 1fr))"
    return w.GridBox(list(boxes), layout=w.Layout(grid_template_columns=columns, width="98%"))
