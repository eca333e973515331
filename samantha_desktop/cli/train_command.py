"""`samantha train`: makes the models that Samantha ships, again or better."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from samantha_desktop.app import emotion_model_dir
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.host import folders
from samantha_desktop.models.resolve import resolve
from samantha_desktop.training.emotion.priors import TALK_SHARES

if TYPE_CHECKING:
    from samantha_desktop.training.emotion import fit
    from samantha_desktop.training.emotion.course import Course

_ENCODER = "all-minilm-l6-v2"
_VERSION = "1"

_STEPS = {
    "prepare": "read the data and say what they are",
    "fit": "train one seed; goes on where it stopped",
    "export": "average the seeds, keep 8 bits of each weight, calibrate",
    "evaluate": "measure beside simpler models; writes an HTML report",
    "install": "put the model to use, if it is better than the one there",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha train`."""
    parser = subparsers.add_parser(
        "train",
        help="train the emotion reader",
        description="Needs the extra `train`: pip install samantha-desktop[train].",
    )
    models = parser.add_subparsers(dest="model", metavar="MODEL", required=True)
    emotion = models.add_parser(
        "emotion",
        help="the reader of emotions in words",
        description="From labelled sentences to the file that is shipped, step by step.",
    )
    steps = emotion.add_subparsers(dest="step", metavar="STEP", required=True)
    for name, summary in _STEPS.items():
        step = steps.add_parser(name, help=summary, description=summary)
        step.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIR",
            help="holds goemotions/train.tsv etc.",
        )
        step.add_argument(
            "--work", type=Path, metavar="DIR", help="what is made lies here; default: the cache"
        )
        step.add_argument(
            "--encoder", type=Path, metavar="DIR", help="instead of the catalog's MiniLM"
        )
        step.add_argument(
            "--limit", type=int, metavar="N", help="only the first N sentences of each file"
        )
        step.add_argument("--threads", type=int, metavar="N", help="default: as many as cores")
        step.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
        if name == "fit":
            step.add_argument("--epochs", type=int, default=2, metavar="N", help="default: 2")
            step.add_argument("--max-minutes", type=float, metavar="M", help="default: no end")
        if name == "export":
            step.add_argument("--version", default=_VERSION, help="of the weights")
        if name == "install":
            step.add_argument("--force", action="store_true", help="even if it is no better")
        step.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Run one step. Returns 0.

    Raises:
        SettingsError: a bad argument, no such data, or a missing extra.
        ModelError: the step before was not run, or the encoder is not installed.
    """
    for name in ("limit", "threads", "epochs", "max_minutes"):
        value = getattr(args, name, None)
        if value is not None and value < 1:
            raise SettingsError(
                f"--{name.replace('_', '-')} {value} cannot be.", recovery="Give 1 or more."
            )
    course_module = _course_module()
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    course = course_module.Course(
        data_dir=args.data,
        work_dir=args.work or folders.cache_dir() / "training" / "emotion",
        encoder_dir=args.encoder or resolve(_ENCODER, "embedding").folder,
        limit=args.limit,
    )
    print(_STEP_RUNNERS[args.step](course_module, course, args))
    return 0


def _course_module() -> Any:
    """`training.emotion.course`, which needs libraries that the program does without."""
    try:
        from samantha_desktop.training.emotion import course
    except ModuleNotFoundError as error:
        raise SettingsError(
            "Training needs libraries that are not installed.",
            recovery="Install them with: pip install samantha-desktop[train]",
            detail=str(error),
        ) from error
    return course


def _prepare(module: Any, course: Course, args: argparse.Namespace) -> str:
    document = module.prepare(course)
    lines = [f"{split}: {n} sentences" for split, n in document["n_texts"].items()]
    known = document["n_known"]
    lines.append(f"in the training file already: {known['dev']} of dev, {known['test']} of test")
    return "\n".join(lines)


def _fit(module: Any, course: Course, args: argparse.Namespace) -> str:
    settings = module.finish_settings(
        module.FitSettings(seed=args.seed, n_epochs=args.epochs, max_minutes=args.max_minutes)
    )
    with Progress(
        TextColumn("seed {task.fields[seed]}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps, loss {task.fields[loss]:.4f}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task("", total=None, seed=args.seed, loss=0.0)

        def show(progress: fit.Progress) -> None:
            bar.update(task, completed=progress.n_done, total=progress.n_steps, loss=progress.loss)

        history = module.fit_run(course, settings, show)
    return "\n".join(
        f"epoch {record['epoch']:.0f}: loss {record['loss']:.4f}, on dev "
        f"{record['dev_loss']:.4f}, macro-F1 {record['dev_macro_f1']:.3f}, "
        f"{record['minutes']:.1f} min"
        for record in history
    )


def _export(module: Any, course: Course, args: argparse.Namespace) -> str:
    document = module.export_model(course, args.version, TALK_SHARES)
    return (
        f"{course.model_dir}: {document['n_bytes'] / 1e6:.1f} MB from "
        f"{', '.join(document['runs'])}; macro-F1 on dev {document['dev_macro_f1']:.3f}"
    )


def _evaluate(module: Any, course: Course, args: argparse.Namespace) -> str:
    document = module.evaluate(course, args.seed, TALK_SHARES)
    lines = []
    for name, model in document["models"].items():
        labels, groups = (model["figures"][kind]["macro_f1"] for kind in ("labels", "groups"))
        lines.append(
            f"{name}: macro-F1 {labels['value']:.3f} [{labels['low']:.3f}, {labels['high']:.3f}] "
            f"of 28 labels, {groups['value']:.3f} [{groups['low']:.3f}, {groups['high']:.3f}] "
            f"of 7 groups, {model['n_bytes'] / 1e6:.1f} MB, {model['ms_per_text']:.2f} ms a text"
        )
    return "\n".join([*lines, f"Report: {course.work_dir / 'report.html'}"])


def _install(module: Any, course: Course, args: argparse.Namespace) -> str:
    target = emotion_model_dir()
    new, old = module.install(course, target, is_forced=args.force)
    before = "" if old is None else f", {old:.3f} before"
    return f"In use from now on: macro-F1 on dev {new:.3f}{before}. {target}"


_STEP_RUNNERS = {
    "prepare": _prepare,
    "fit": _fit,
    "export": _export,
    "evaluate": _evaluate,
    "install": _install,
}
