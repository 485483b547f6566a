"""A published data set as annotations and features."""

from __future__ import annotations

from pathlib import Path

from actionformer.core.errors import InputError, warn
from actionformer.datasets.index import DatasetName, read_dataset


def convert_dataset(name: DatasetName, source: str | Path, out: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Turns a published data set into annotations and features to train on.

    `out` gets the annotations: `annotations.json`, or `annotations_split1.json` and so on of a data set with several
    splits; `out/features` a file and a sidecar for each recording. Of some data sets only the annotations are turned:
    their features are trained on as they were downloaded. A warning says in what the counts differ from the published.

    Args:
        name: which data set: hapt, salads, gtea, breakfast, thumos14, multithumos, activitynet13, hacs, fineaction,
            charades, epic100_verb, epic100_noun, ego4d or calms21.
        source: the folder of the data set as its authors publish it, unpacked.
        out: the folder to write.
        overwrite: replace files that are there.

    Returns:
        The files of annotations, in the order of the splits.

    Raises:
        InputError: a file is missing or laid out in another way (it is named, with what was expected), or files are
            there already and are not to be replaced.
    """
    source, out = Path(source), Path(out)
    if source.is_file():
        raise InputError(f"{source}: a file, expected the folder of the data set: unpack it, and give the folder")
    if not source.is_dir():
        raise InputError(f"{source}: no such folder, expected the data set as it was unpacked")
    if out.is_dir() and out.samefile(source):
        raise InputError(f"{out}: is the data set itself: choose another output")
    dataset = read_dataset(name, source)
    written = dataset.write(out, overwrite=overwrite)
    if differences := dataset.differences():
        warn(f"{source}: {name} was published with {', '.join(differences)}: see that the download is whole")
    return written
