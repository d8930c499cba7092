"""The command that trains a network for other methods to build on: pretrain."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from serlab.cli.command import Command, data_option, print_table, progress_lines, words
from serlab.errors import ParameterError


def _declare_pretrain(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="FOLDER", help="where the acoustic model goes")
    add("--corpora", metavar="NAMES", default="", help="whose sentences are known: ravdess,emodb")
    add(
        "--folder", dest="folders", metavar="DIR", action="append", default=[],
        help="audio with a .txt beside each file, or with transcripts.csv (file,text,speaker)",
    )  # fmt: skip
    add("--tedlium", metavar="DIR", help="TED-LIUM release 2; its dev speakers are held out")
    add("--architecture", metavar="NAME", default="quick", help="demo, quick or paper")
    add("--loss", choices=("ctc", "lf-mmi"), default="ctc", help="default: ctc")
    add("--epochs", metavar="N", type=int, default=20, help="default: 20")
    add("--seed", metavar="N", type=int, default=0, help="default: 0")
    add("--device", metavar="NAME", default="auto", help="cpu, cuda or auto (default)")
    add("--no-ivectors", action="store_true", help="features alone, no i-vector beside them")
    add("--force", action="store_true", help="replace an acoustic model that is there")
    data_option(parser)


def _pretrain(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.asr import acoustic_model, tedlium, transcripts
    from serlab.asr.pretraining import pretrain

    folder = Path(options.model)
    if folder.exists() and not options.force:
        raise ParameterError(f"{folder} is there already; choose another folder, or --force to replace it")
    acoustic_model.refuse_foreign(folder)
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
        transcribed, architecture=options.architecture, loss=options.loss, epochs=options.epochs,
        ivectors=not options.no_ivectors, held_out_speakers=held_out, seed=options.seed,
        device=options.device, checkpoints=checkpoints, progress=progress_lines,
    )  # fmt: skip
    model.save(folder)
    shutil.rmtree(checkpoints, ignore_errors=True)
    print_table(
        ("acoustic model", str(folder)), [(name, str(value)) for name, value in model.describe().items()]
    )
    print(f"\n{acoustic_model.error_table(model).to_string()}")
    return 0


COMMANDS = (
    Command(
        name="pretrain",
        help="train a network to recognise speech, for methods that build on what it learned",
        declare=_declare_pretrain,
        run=_pretrain,
    ),
)
