"""`samantha models`: list, install, verify, remove, import, where."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samantha_desktop.cli.progress import ProgressDisplay
from samantha_desktop.core.errors import Cancelled, ModelError, SettingsError
from samantha_desktop.models.catalog import CatalogModel
from samantha_desktop.models.gguf_file import check_chat_model, read_gguf
from samantha_desktop.models.imported import ImportedModel, ImportedModels
from samantha_desktop.models.install import Installer
from samantha_desktop.models.local_caches import LocalModel, find_local_models
from samantha_desktop.models.store import ModelState, ModelStore


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the program's parser; its function is `args.handler`."""
    parser = subparsers.add_parser(
        "models", help="the models: list, install, verify, remove, import, where"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="what there is, and what is installed")
    listing.add_argument("--local", action="store_true", help="also what other programs have here")

    install = actions.add_parser("install", help="download, verify and install models")
    install.add_argument("ids", nargs="*", metavar="ID")
    install.add_argument("--starter", action="store_true", help="the set to begin with")
    install.add_argument("--offline", action="store_true", help="never open a connection")
    install.add_argument(
        "--from", dest="folder", type=Path, metavar="FOLDER", help="look for the files here first"
    )

    verify = actions.add_parser("verify", help="compute every hash anew")
    verify.add_argument("ids", nargs="*", metavar="ID", help="default: all that are installed")

    remove = actions.add_parser("remove", help="delete a model, or forget an imported one")
    remove.add_argument("id", metavar="ID")

    importing = actions.add_parser("import", help="give a GGUF file of your own a name")
    importing.add_argument("file", type=Path, metavar="FILE.gguf")
    importing.add_argument("--name", default="", help="default: the file's name")
    importing.add_argument("--copy", action="store_true", help="copy it into the models folder")

    where = actions.add_parser("where", help="the models folder, or where a model lies")
    where.add_argument("id", nargs="?", metavar="ID")

    for action in actions.choices.values():
        action.add_argument("--json", action="store_true", help="print one JSON document")
        action.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Run one action. Returns the exit code; errors are raised as SamanthaError."""
    actions = {
        "list": _list,
        "install": _install,
        "verify": _verify,
        "remove": _remove,
        "import": _import,
        "where": _where,
    }
    actions[args.action](args, ModelStore())
    return 0


def _list(args: argparse.Namespace, store: ModelStore) -> None:
    catalog = [(model, store.state(model)) for model in store.catalog.models]
    imported = ImportedModels(store).all()
    local = find_local_models() if args.local else []
    if args.json:
        document: dict[str, Any] = {
            "folder": str(store.folder),
            "catalog": [_catalog_document(model, state) for model, state in catalog],
            "imported": [_imported_document(model) for model in imported],
        }
        if args.local:
            document["local"] = [_local_document(model) for model in local]
        _print_json(document)
        return
    rows = [_catalog_row(model, state) for model, state in catalog]
    _print_table(("ID", "KIND", "SIZE", "STATE", "LICENCE", "WHAT IT IS"), rows)
    if any(not model.is_verified for model, _ in catalog):
        print("\n* size and hash are from public records; nobody here has run it yet")
    if imported:
        print("\nImported:")
        _print_table(("NAME", "FILE"), [(model.name, str(model.path)) for model in imported])
    if args.local:
        print(
            "\nOn this machine, from other programs:" if local else "\nNo other program's models."
        )
        _print_table(
            ("CHOOSE IT AS", "PROGRAM", "SIZE"),
            [(model.name, model.program, _size(model.n_bytes)) for model in local],
        )


def _install(args: argparse.Namespace, store: ModelStore) -> None:
    models = [store.catalog.get(model_id) for model_id in args.ids]
    if args.starter:
        models += [model for model in store.catalog.starter() if model not in models]
    if not models:
        raise SettingsError(
            "No model was named.", recovery="Name some, or use --starter for the set to begin with."
        )
    try:
        with ProgressDisplay(is_quiet=args.json) as display:
            installer = Installer(
                store,
                is_offline=args.offline,
                extra_folder=args.folder,
                report=display.report,
                notify=display.say,
            )
            changed = installer.install(models)
    except KeyboardInterrupt as error:
        raise Cancelled(
            "Stopped.", recovery="Run the same command again to go on: what has arrived is kept."
        ) from error
    if args.json:
        _print_json(
            {
                "installed": [model.id for model in changed],
                "unchanged": [model.id for model in models if model not in changed],
            }
        )
        return
    for model in models:
        print(f"{model.id}: {'installed' if model in changed else 'already installed'}")


def _verify(args: argparse.Namespace, store: ModelStore) -> None:
    if args.ids:
        models = [store.catalog.get(model_id) for model_id in args.ids]
    else:
        models = [m for m in store.catalog.models if store.state(m) is not ModelState.MISSING]
    errors: dict[str, ModelError] = {}
    with ProgressDisplay(is_quiet=args.json) as display:
        for model in models:
            try:
                store.verify(model, display.report)
            except ModelError as error:
                errors[model.id] = error
    if args.json:
        _print_json(
            {
                "right": [model.id for model in models if model.id not in errors],
                "wrong": {model_id: error.user_message for model_id, error in errors.items()},
            }
        )
    else:
        for model in models:
            error_or_none = errors.get(model.id)
            print(f"{model.id}: {error_or_none.user_message if error_or_none else 'right'}")
    if errors:
        damaged = " ".join(errors)
        raise ModelError(
            f"{len(errors)} of {len(models)} models are not right.",
            recovery=f"Run `samantha models install {damaged}` to mend them.",
            detail="\n".join(error.detail for error in errors.values()),
        )


def _remove(args: argparse.Namespace, store: ModelStore) -> None:
    model = store.catalog.find(args.id)
    with store.locked(_say):
        if model is None and ImportedModels(store).find(args.id):
            imported = ImportedModels(store).remove(args.id)
            kept = "" if imported.is_copy else f" (the file {imported.path} stays)"
            result, sentence = {"removed": args.id}, f"{args.id}: forgotten{kept}"
        else:
            n_bytes = store.remove(store.catalog.get(args.id))
            result = {"removed": args.id}
            sentence = f"{args.id}: removed, {_size(n_bytes)} freed"
    if args.json:
        _print_json(result)
    else:
        print(sentence)


def _import(args: argparse.Namespace, store: ModelStore) -> None:
    with ProgressDisplay(is_quiet=args.json) as display:
        model = ImportedModels(store).add(
            args.file,
            name=args.name,
            is_copy=args.copy,
            report=display.report,
            notify=display.say,
        )
    metadata = read_gguf(model.path)
    if args.json:
        _print_json(_imported_document(model))
        return
    print(
        f"{model.name}: {metadata.architecture}, {metadata.n_parameters / 1e9:.2f} billion "
        f"parameters, {metadata.quantization or 'unknown quantization'}, {_size(metadata.n_bytes)}"
    )
    if not metadata.has_chat_template:
        print("It brings no chat template: a plain one will be used.")


def _where(args: argparse.Namespace, store: ModelStore) -> None:
    if args.id is None:
        path = store.folder
    elif imported := ImportedModels(store).find(args.id):
        path = imported.path
    else:
        path = store.folder_of(store.catalog.get(args.id))
    if args.json:
        _print_json({"path": str(path)})
    else:
        print(path)


# ----------------------------------------------------------------------- output


def _catalog_document(model: CatalogModel, state: ModelState) -> dict[str, Any]:
    return {
        "id": model.id,
        "kind": model.kind,
        "title": model.title,
        "licence": model.licence,
        "bytes": model.n_bytes,
        "state": str(state),
        "is_starter": model.is_starter,
        "is_verified": model.is_verified,
        "memory_gb": model.memory_gb,
        "sources": [str(source) for source in model.sources],
    }


def _imported_document(model: ImportedModel) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": model.name,
        "path": str(model.path),
        "is_copy": model.is_copy,
    }
    return document | _gguf_document(model.path)


def _local_document(model: LocalModel) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": model.name,
        "program": model.program,
        "path": str(model.path),
        "bytes": model.n_bytes,
    }
    return document | _gguf_document(model.path)


def _gguf_document(path: Path) -> dict[str, Any]:
    try:
        metadata = read_gguf(path)
        check_chat_model(metadata)
    except ModelError as error:
        return {"problem": error.user_message}
    return {
        "architecture": metadata.architecture,
        "parameters": metadata.n_parameters,
        "quantization": metadata.quantization,
        "context_tokens": metadata.context_tokens,
        "has_chat_template": metadata.has_chat_template,
    }


def _catalog_row(model: CatalogModel, state: ModelState) -> tuple[str, ...]:
    state_word = "-" if state is ModelState.MISSING else str(state)
    title = model.title if model.is_verified else f"{model.title} *"
    return (model.id, model.kind, _size(model.n_bytes), state_word, model.licence, title)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"


def _print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
