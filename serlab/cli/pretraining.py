"""Commands for networks that other methods build on: pretrain, convert-encoder."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from serlab.cli.command import Command, data_option, print_table, progress_lines, words
from serlab.errors import ParameterError

if TYPE_CHECKING:
    from serlab.asr.settings import Pretraining

#: Settings that have an option of their own, as those who type a command look for them.
_SHORT: tuple[str, ...] = ("architecture", "loss", "epochs")


def _declare_pretrain(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="FOLDER", help="where the acoustic model goes")
    add("--corpora", metavar="NAMES", default="", help="whose sentences are known: ravdess,emodb")
    add(
        "--folder", dest="folders", metavar="DIR", action="append", default=[],
        help="audio with a .txt beside each file, or with transcripts.csv (file,text,speaker)",
    )  # fmt: skip
    add("--tedlium", metavar="DIR", help="TED-LIUM release 2; its dev speakers are held out")
    add("--preset", metavar="NAME", default="quick", help="settings of demo, quick (default) or paper")
    add(
        "-s",
        "--set",
        dest="settings",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a setting that is otherwise: -s speed=0.9,1.1 -s leaky=0.1; a wrong name lists all",
    )
    add("--architecture", metavar="NAME", help="short for -s architecture=NAME: demo, quick or paper")
    add("--loss", metavar="NAME", help="short for -s loss=NAME: ctc or lf-mmi")
    add("--epochs", metavar="N", help="short for -s epochs=N")
    add("--seed", metavar="N", type=int, default=0, help="default: 0")
    add("--device", metavar="NAME", default="auto", help="cpu, cuda or auto (default)")
    add("--no-ivectors", action="store_true", help="short for -s ivectors=no: features alone")
    add("--force", action="store_true", help="replace an acoustic model that is there")
    data_option(parser)


def settings_of(options: argparse.Namespace) -> Pretraining:
    """What preset, ``-s`` and its short forms ask for.

    Raises
    ------
    ParameterError
    """
    from serlab.asr import settings

    asked = [f"{name}={getattr(options, name)}" for name in _SHORT if getattr(options, name) is not None]
    asked += ["ivectors=no"] * options.no_ivectors
    return settings.of_preset(options.preset).with_text(" ".join([*asked, *options.settings]))


def _pretrain(options: argparse.Namespace) -> int:
    from serlab import corpora, files
    from serlab.asr import acoustic_model, tedlium, transcripts
    from serlab.asr.pretraining import pretrain

    chosen = settings_of(options)
    folder = Path(options.model)
    if folder.exists() and not options.force:
        raise ParameterError(f"{folder} is there already; choose another folder, or --force to replace it")
    acoustic_model.refuse_foreign(folder)
    files.require_writable(folder.parent)
    names = words(options.corpora)
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
        transcribed, settings=chosen, held_out_speakers=held_out, seed=options.seed, device=options.device,
        checkpoints=checkpoints, progress=progress_lines,
    )  # fmt: skip
    model.save(folder)
    shutil.rmtree(checkpoints, ignore_errors=True)
    print_table(
        ("acoustic model", str(folder)), [(name, str(value)) for name, value in model.describe().items()]
    )
    print(f"\n{acoustic_model.error_table(model).to_string()}")
    return 0


def _declare_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="FOLDER", help="as published: emotion2vec of FunASR, or a model with .bin weights"
    )


def _convert(options: argparse.Namespace) -> int:
    from serlab.pretrained import conversion, encoders

    folder = encoders.find_folder(options.folder) or Path(options.folder)
    written = conversion.convert(folder)
    found = encoders.look(folder)
    title = f"{encoders.FAMILIES[found.family]}, {found.n_layers} blocks of width {found.width}"
    print_table((title, str(folder)), [(path.name, "written") for path in written])
    return 0


COMMANDS = (
    Command(
        name="pretrain",
        help="train a network to recognise speech, for methods that build on what it learned",
        declare=_declare_pretrain,
        run=_pretrain,
    ),
    Command(
        name="convert-encoder",
        help="write the pickled weights of an encoder as safetensors, which are what is read",
        declare=_declare_convert,
        run=_convert,
    ),
)
