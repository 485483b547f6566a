"""A model is shared: uploaded to huggingface.co with a card that says what it is, and without what is private."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from actionformer.core.errors import InputError
from actionformer.core.files import make_folder, naming
from actionformer.core.locks import part_name
from actionformer.core.run_files import PROPOSER
from actionformer.hub import FETCHED, bars_on_terminals, explaining_errors, library
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load
from actionformer.model_directory import ModelCard, save_model
from actionformer.recipes.model_card import Figures, figures_of, front_matter, page

PLACES = ("annotations", "features", "proposals")
"""What a card says of where data lie on the machine that trained: it means nothing elsewhere."""


def push(
    run: str | Path,
    repository: str,
    *,
    private: bool = False,
    license: str | None = None,
    dataset: str | None = None,
    preview: str | Path | None = None,
) -> str:
    """Uploads a model to huggingface.co, with a card: use, classes, features, data, figures, limits.

    Uploaded are settings, weights and description. State of training, features, annotations and detections stay here,
    and so do the paths of this machine, which the description holds. The ids of the videos that were held out are part
    of it. `hf auth login` says who uploads.

    Args:
        run: a model directory.
        repository: where to: USER/MODEL. It is made if it is not there, else the model becomes its newest revision.
        private: make a repository that others cannot read; one that is there stays as it is.
        license: under which others may use the model, as the hub names it, such as mit, apache-2.0 or cc-by-nc-4.0; the
            card says that nothing is allowed where there is none.
        dataset: what it was trained on, for the card, such as the name of a data set.
        preview: write what would be uploaded into this new folder, to look at it, and upload nothing.

    Returns:
        The address of the upload's page; of a preview the folder.

    Raises:
        InputError: no model directory, no name of a repository, no network, or an account that may not write there.
    """
    detector = load(run)
    if preview is None:
        return push_detector(detector, repository, private=private, license=license, dataset=dataset)
    folder = Path(preview)
    if folder.exists():
        raise InputError(f"{folder}: already exists; choose a folder that is new")
    _write_preview(_model(detector, repository, license, dataset), folder)
    return str(folder)


def _write_preview(model: Any, folder: Path) -> None:
    """Writes what would be uploaded into a new folder, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    make_folder(folder.parent, folder)
    new = folder.with_name(part_name(folder.name, "new"))
    shutil.rmtree(new, ignore_errors=True)  # of a call that was killed
    try:
        with naming(folder):
            model.save_pretrained(new)
            new.rename(folder)
    except InputError as error:
        raise InputError(str(error).replace(str(new), str(folder))) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def push_detector(
    detector: Detector,
    repository: str,
    *,
    private: bool,
    license: str | None,
    dataset: str | None,
) -> str:
    """Uploads a detector; arguments, result and errors are those of `push`."""
    model = _model(detector, repository, license, dataset)
    with explaining_errors(f"hf://{repository}"), bars_on_terminals():
        commit = model.push_to_hub(
            repository,
            private=private or None,
            commit_message="Model and its card",
            delete_patterns=list(FETCHED),  # what the model before had, and this one has not
        )
    return str(commit).rpartition("/commit/")[0] or str(commit)


def _model(detector: Detector, repository: str, license: str | None, dataset: str | None) -> Any:
    """The detector as the hub's library wants a model: it writes its files and its card.

    The class stands in a function, as its base is imported only when something is shared. Its other half,
    `from_pretrained`, asks for a config.json, which a model directory has not: `load` fetches what it has.
    """
    if detector.precision != "float32":
        raise InputError(f"a model is shared in float32: load it without precision={detector.precision!r}")
    if repository.count("/") != 1:
        raise InputError(f"repository must be USER/MODEL, found {repository!r:.80}")
    if license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", license):
        raise InputError(f"license must be named as the hub does, such as mit or apache-2.0, found {license!r:.80}")
    hub = library("sharing a model")
    with explaining_errors(f"hf://{repository}"):
        import_module("huggingface_hub.utils").validate_repo_id(repository)
    figures = figures_of(detector)

    class SharedDetector(hub.ModelHubMixin):  # type: ignore[misc, name-defined]
        def _save_pretrained(self, save_directory: Path) -> None:
            write_shared(detector, save_directory, figures)

        def generate_model_card(self, *_: Any, **__: Any) -> Any:
            data = front_matter(detector, repository, license, dataset, figures)
            return hub.ModelCard(f"---\n{data}\n---\n\n{page(detector, repository, license, dataset, figures)}")

    return SharedDetector()


def write_shared(detector: Detector, directory: Path, figures: Figures) -> None:
    """Writes the model directory that is shared: what was said of this machine is left out.

    Args:
        detector: what is shared, with its proposer.
        directory: where to.
        figures: those of the model as it is now.
    """
    card = without_places(detector.card)
    if not figures.current:
        card = replace(card, metrics={}, calibration=None)
    save_model(directory, detector.model, detector.config, card, detector.classifier)
    if detector.proposer is not None:
        write_shared(detector.proposer, directory / PROPOSER, figures_of(detector.proposer))


def without_places(card: ModelCard) -> ModelCard:
    """The description of a model without the paths of the machine that trained it."""
    training = {name: value for name, value in card.training.items() if name not in PLACES}
    features = replace(
        card.features,
        backbone=_named(card.features.backbone),
        sources=tuple(replace(one, backbone=_named(one.backbone)) for one in card.features.sources),
    )
    return replace(card, training=_without_paths(training), features=features)


def _named(backbone: str | None) -> str | None:
    """A backbone whose weights lay in a folder, as `videomae:/home/ann/base`, by the folder's name."""
    kind, colon, place = (backbone or "").partition(":")
    return f"{kind}:{_without_paths(place)}" if colon else backbone


def _without_paths(value: Any) -> Any:
    """Of every text that is an absolute path, here or on another system, its last part."""
    if isinstance(value, str):
        for kind in (PurePosixPath, PureWindowsPath):
            if kind(value).is_absolute():
                return kind(value).name
        return value
    if isinstance(value, list | tuple):
        return [_without_paths(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_paths(one) for name, one in value.items()}
    return value
