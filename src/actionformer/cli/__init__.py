"""The command line: one verb a file, each built from the function that does the work."""

from __future__ import annotations

import atexit
import gc
import signal
import sys
import warnings
from collections.abc import Callable
from keyword import iskeyword

from cyclopts import App, CycloptsError, Parameter

from actionformer.cli.declaration import read_declaration
from actionformer.cli.former import in_todays_words
from actionformer.core import ranks
from actionformer.core.errors import InputError
from actionformer.core.terminal import complain, escape_what_lacks, one_line, replace_closed

VERBS = {
    "demo": ("recipes.demo:demo",),
    "dataset": ("recipes.dataset:convert_dataset",),
    "import": ("recipes.import_labels:import_labels",),
    "extract": ("cluster.extract:extract_on_cluster", "recipes.extract:extract"),
    "doctor": ("recipes.doctor:doctor",),
    "init": ("recipes.advise:advise",),
    "train": ("recipes.folds:cross_validate", "recipes.train:train"),
    "self-train": ("recipes.self_train:self_train",),
    "compare": ("recipes.compare:compare",),
    "ablate": ("recipes.ablate:ablate",),
    "ensemble": ("recipes.ensemble:ensemble",),
    "classify": ("recipes.classify:classify",),
    "evaluate": ("recipes.evaluate:evaluate",),
    "calibrate": ("recipes.calibrate:calibrate",),
    "detect": ("cluster.detect:detect_on_cluster", "recipes.detect:detect"),
    "export": ("recipes.export_model:export",),
    "export-detections": ("recipes.export:export_detections",),
    "submission": ("recipes.submission:submission",),
    "watch": ("recipes.follow:live_output", "recipes.live:watch"),
    "serve": ("serving.start:serve",),
    "view": ("viewer.start:view",),
    "label": ("viewer.label:label",),
    "suggest": ("recipes.suggest:suggest",),
    "diagnose": ("recipes.diagnose:diagnose",),
    "score": ("evaluation.report:score",),
    "push": ("recipes.push:push",),
    "convert": ("interop.convert:convert",),
    "info": ("recipes.describe:describe",),
}
"""Verb -> the functions that do its work, whose parameters are its options; the last one's docstring is its help."""
TOGETHER = ("train", "evaluate")
"""Verbs whose work processes share that torchrun has started."""
OTHER_NAMES = {"dataset": ("data",)}
"""Verb -> what it is called besides."""


def commands(*, listed: bool) -> App:
    """The program with its verbs, which are imported when they are called; in a list each has a line."""
    app = App(
        name="actionformer",
        help="Temporal action localization: find every action in a video, when it starts, when it ends, what it is.",
        version_flags=["--version"],
        help_format="plaintext",
        default_parameter=Parameter(negative_iterable=(), consume_multiple=True),
    )
    for name, functions in VERBS.items():
        line = read_declaration(functions[-1]).text.partition("\n")[0] if listed else None
        app.command(
            f"actionformer.cli.{python_name(name)}:{python_name(name)}",
            name=[name, *OTHER_NAMES.get(name, ())],
            help=line,
        )
    return app


def python_name(verb: str) -> str:
    """The name of a verb's file and of its function."""
    return f"{verb}_" if iskeyword(verb) else verb.replace("-", "_")


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line.

    Exit codes: 0 done, 1 done in part or not well enough, 2 the call or its input was wrong.
    """
    replace_closed()
    escape_what_lacks()
    signal.signal(signal.SIGTERM, _terminated)
    atexit.register(gc.freeze)  # it would end with a search for cycles in all that torch has made
    warnings.showwarning = _said_once()
    words = in_todays_words(sys.argv[1:] if arguments is None else arguments)
    try:
        if ranks.launched() > 1 and words and words[0] not in TOGETHER:
            raise InputError(f"{words[0]} runs in one process: torchrun is for {' and '.join(TOGETHER)}")
        app = commands(listed=not VERBS.keys() & words[:1])
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 0
    except (CycloptsError, InputError, OSError) as error:
        if ranks.complains():
            complain(f"error: {one_line(error)}")
        code = 2
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what ends anyway, ends at once
    sys.exit(code if isinstance(code, int) else 0)


def _said_once() -> Callable[..., None]:
    """Prints a warning the first time that it comes, whatever Python's filters have forgotten."""
    said: set[str] = set()

    def say(message: Warning | str, *_: object, **__: object) -> None:
        line = one_line(message)
        if line not in said:
            said.add(line)
            complain(f"warning: {line}")

    return say


def _terminated(*_: object) -> None:
    """Ends the program so that what is half written is removed on the way out."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # decoding processes that end with it are no news
    sys.exit(143)
