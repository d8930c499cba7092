"""The command ``serlab``.

Exit codes: 0 done, 1 it could not be done (a failed run, a corpus with
errors), 2 wrong usage, 130 interrupted. Errors are one message; ``--debug``
shows the traceback.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import textwrap
from collections.abc import Sequence

import serlab
from serlab.errors import ParameterError, SerlabError

# Audio, learning and notebook libraries take seconds to import: each command
# imports what it needs, so that `serlab --help` answers at once.

DEMO = {"target": "synthetic-b", "sources": "synthetic-a", "preset": "demo"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is returned."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except ParameterError as error:
        if options.debug:
            raise
        return _complain(error, code=2)
    except SerlabError as error:
        if options.debug:
            raise
        return _complain(error, code=1)
    except KeyboardInterrupt:
        return _complain("interrupted", code=130)
    except BrokenPipeError:  # `serlab methods | head`
        sys.stderr.close()
        return 0


def _complain(error: object, *, code: int) -> int:
    print(f"serlab: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serlab",
        description="Cross-lingual speech emotion recognition: does data in another language help here, "
        "how much, and can I believe it?",
    )
    parser.add_argument("--version", action="version", version=f"serlab {serlab.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, function, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    def data_option(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--data",
            metavar="DIR",
            help="folder with one folder per corpus (default: SERLAB_DATA, or ./data)",
        )

    def out_option(added: argparse.ArgumentParser) -> None:
        added.add_argument("--out", metavar="DIR", default="reports", help="default: reports")

    def run_options(added: argparse.ArgumentParser) -> None:
        out_option(added)
        added.add_argument("--force", action="store_true", help="repeat a run that is complete")

    run = command("run", _run, "run a notebook into a report; the same command resumes an unfinished run")
    run.add_argument("notebook", metavar="NOTEBOOK", help='"01", "01_feature_transfer" or a path')
    run.add_argument(
        "-p", dest="parameters", metavar="NAME=VALUE", action="append", default=[], type=_assignment,
        help="a parameter of the notebook, lists with commas: -p sources=emodb,ravdess",
    )  # fmt: skip
    run.add_argument("--preset", metavar="NAME", help="demo, quick or paper; short for -p preset=NAME")
    data_option(run)
    run_options(run)

    matrix = command("matrix", _matrix, "run a notebook on every ordered pair of corpora, into one page")
    matrix.add_argument("notebook", metavar="NOTEBOOK", help='"02", "02_attentive_cnn" or a path')
    matrix.add_argument("--corpora", metavar="NAMES", required=True, help="as in emodb,ravdess,urdu")
    matrix.add_argument(
        "--each", metavar="NAME=VALUES", action="append", default=[], type=_assignment,
        help="a parameter to vary: --each scheme=arousal,valence",
    )  # fmt: skip
    matrix.add_argument(
        "-p", dest="parameters", metavar="NAME=VALUE", action="append", default=[], type=_assignment,
        help="a parameter of all runs",
    )  # fmt: skip
    matrix.add_argument("--preset", metavar="NAME", help="demo, quick or paper; short for -p preset=NAME")
    matrix.add_argument(
        "--at-once", metavar="N", type=int, default=1, help="runs beside each other; default: 1"
    )
    data_option(matrix)
    out_option(matrix)

    run_options(command("demo", _demo, "a report on synthetic corpora in under a minute"))
    out_option(command("index", _index, "write the page that lists all reports"))

    data_option(command("corpora", _corpora, "list corpora, and which are installed"))
    validate = command("validate", _validate, "compare an installed corpus with what its publisher says")
    validate.add_argument("name", metavar="CORPUS")
    validate.add_argument("--json", action="store_true", help="print findings as JSON")
    data_option(validate)
    download = command("download", _download, "fetch a corpus that has an open address")
    download.add_argument("name", metavar="CORPUS")
    download.add_argument(
        "--hash", metavar="HASH", help="sha256:... of a copy you trust, where the publisher states none"
    )
    data_option(download)

    pretrain = command(
        "pretrain",
        _pretrain,
        "train a network to recognise speech, for methods that build on what it learned",
    )
    pretrain.add_argument("model", metavar="FOLDER", help="where the acoustic model goes")
    pretrain.add_argument(
        "--corpora", metavar="NAMES", default="", help="whose sentences are known: ravdess,emodb"
    )
    pretrain.add_argument(
        "--folder", dest="folders", metavar="DIR", action="append", default=[],
        help="audio with a .txt beside each file, or with transcripts.csv (file,text,speaker)",
    )  # fmt: skip
    pretrain.add_argument(
        "--tedlium", metavar="DIR", help="TED-LIUM release 2; its dev speakers are held out"
    )
    pretrain.add_argument("--architecture", metavar="NAME", default="quick", help="demo, quick or paper")
    pretrain.add_argument("--loss", choices=("ctc", "lf-mmi"), default="ctc", help="default: ctc")
    pretrain.add_argument("--epochs", metavar="N", type=int, default=20, help="default: 20")
    pretrain.add_argument("--seed", metavar="N", type=int, default=0, help="default: 0")
    pretrain.add_argument("--device", metavar="NAME", default="auto", help="cpu, cuda or auto (default)")
    pretrain.add_argument(
        "--no-ivectors", action="store_true", help="features alone, no i-vector beside them"
    )
    pretrain.add_argument("--force", action="store_true", help="replace an acoustic model that is there")
    data_option(pretrain)

    command("methods", _methods, "list methods, and what each sees of the target")
    command("features", _features, "list feature sets")
    command("schemes", _schemes, "list label schemes")
    return parser


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value


def _given(options: argparse.Namespace) -> dict[str, str]:
    """Parameters of -p and --preset.

    Raises
    ------
    ParameterError
        If one is given twice with different values.
    """
    parameters: dict[str, str] = {}
    for name, value in [*options.parameters, *([("preset", options.preset)] if options.preset else [])]:
        if parameters.setdefault(name, value) != value:
            raise ParameterError(f"parameter {name!r} is given twice: {parameters[name]!r} and {value!r}")
    return parameters


def _run(options: argparse.Namespace) -> int:
    return _report(options, options.notebook, _given(options), data=options.data)


def _matrix(options: argparse.Namespace) -> int:
    from serlab.reporting import matrix

    page = matrix.run(
        options.notebook,
        corpora=_words(options.corpora),
        each={name: _words(values) for name, values in options.each},
        parameters=_given(options),
        out=options.out,
        data=options.data,
        at_once=options.at_once,
        progress=_progress,
    )
    print(page)
    return 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _demo(options: argparse.Namespace) -> int:
    return _report(options, "01", DEMO, data=None)


def _report(
    options: argparse.Namespace, notebook: str, parameters: dict[str, str], *, data: str | None
) -> int:
    from serlab.reporting import runs

    # A batch system ends a job with SIGTERM: note it in run.json as for Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        folder = runs.run(
            notebook, parameters, out=options.out, data=data, force=options.force, progress=_progress
        )
    finally:
        signal.signal(signal.SIGTERM, before)
    print(folder / "report.html")
    return 0


def _progress(done: int, total: int, text: str) -> None:
    print(f"[{done:>{len(str(total))}}/{total}] {text}", file=sys.stderr, flush=True)


def _index(options: argparse.Namespace) -> int:
    from serlab.reporting import runs

    print(runs.index(options.out))
    return 0


def _corpora(options: argparse.Namespace) -> int:
    from serlab import corpora, data

    table = corpora.overview(options.data)
    _table(list(table.columns), table.to_numpy().tolist())
    print(f"\nData root: {data.data_root(options.data)}. Each corpus lives in a folder of its name.")
    return 0


def _validate(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.corpora import validation

    corpus = corpora.get(options.name, options.data)
    report = validation.validate(corpus, options.data, progress=_progress_line())
    print(json.dumps(report.as_dict(), indent=1, ensure_ascii=False) if options.json else report.text())
    return 0 if report.ok else 1


def _download(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.corpora import downloading

    corpus = corpora.get(options.name, options.data)
    folder = downloading.download(corpus, options.data, known_hash=options.hash, progress=_progress_line())
    print(folder)
    return 0


def _progress_line():
    """Progress on one line of a terminal; silent in a file."""
    if not sys.stderr.isatty():
        return None

    def progress(done: int, total: int, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        line = f"{done / max(total, 1):4.0%} {text}"[:width]
        print(f"\r{line:<{width}}", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return progress


def _pretrain(options: argparse.Namespace) -> int:
    from pathlib import Path

    from serlab import corpora
    from serlab.asr import acoustic_model, tedlium, transcripts
    from serlab.asr.pretraining import pretrain

    folder = Path(options.model)
    if folder.exists() and not options.force:
        raise ParameterError(f"{folder} is there already; choose another folder, or --force to replace it")
    acoustic_model.refuse_foreign(folder)
    names = _words(options.corpora)
    tables = [transcripts.of_corpus(corpora.read_many(names, options.data))] if names else []
    tables += [transcripts.from_folder(root) for root in options.folders]
    held_out = None
    if options.tedlium:
        tables += [tedlium.read(options.tedlium, part) for part in ("train", "dev")]
        held_out = sorted(tables[-1]["speaker"].unique())
    if not tables:
        raise ParameterError("nothing to learn from; give --corpora, --folder or --tedlium")
    transcribed = transcripts.concatenate(tables)
    # Beside the model, so that the same command goes on after a kill.
    checkpoints = folder.with_name(f".{folder.name}-checkpoints")
    model = pretrain(
        transcribed, architecture=options.architecture, loss=options.loss, epochs=options.epochs,
        ivectors=not options.no_ivectors, held_out_speakers=held_out, seed=options.seed,
        device=options.device, checkpoints=checkpoints, progress=_progress,
    )  # fmt: skip
    model.save(folder)
    shutil.rmtree(checkpoints, ignore_errors=True)
    _table(("acoustic model", str(folder)), [(name, str(value)) for name, value in model.describe().items()])
    print(f"\n{acoustic_model.error_table(model).to_string()}")
    return 0


def _methods(options: argparse.Namespace) -> int:
    from serlab.methods import METHODS

    rows = [(m.name, m.title, m.access, m.normalization, m.reference) for m in METHODS.values()]
    _table(("name", "title", "sees of the target", "normalisation", "reference"), rows)
    return 0


def _features(options: argparse.Namespace) -> int:
    from serlab.features import FEATURE_SETS

    rows = [(f.name, f.kind, str(len(f.names)), f.title, f.license) for f in FEATURE_SETS.values()]
    _table(("name", "gives", "features", "title", "licence"), rows)
    return 0


def _schemes(options: argparse.Namespace) -> int:
    from serlab.labels import SCHEMES

    rows = [
        (s.name, ", ".join(s.classes), f"{s.source}. Left out: {', '.join(s.left_out)}")
        for s in SCHEMES.values()
    ]
    _table(("name", "classes", "source"), rows)
    return 0


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns; the last one wraps at the width of the terminal."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header) - 1)]
    indent = sum(widths) + 2 * len(widths)
    width = max(shutil.get_terminal_size((120, 24)).columns, indent + 30)
    for row in [header, ["-" * width for width in [*widths, len(header[-1])]], *rows]:
        start = "".join(f"{cell:<{widths[i]}}  " for i, cell in enumerate(row[:-1]))
        print(textwrap.fill(row[-1], width, initial_indent=start, subsequent_indent=" " * indent).rstrip())
