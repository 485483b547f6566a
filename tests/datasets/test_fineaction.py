"""FineAction."""

import json
from pathlib import Path

from actionformer.datasets.fineaction import read


def test_ids_keep_what_the_features_are_called(tmp_path: Path) -> None:
    action = {"segment": [0.5, 2.0], "label": "wash dishes"}
    entries = {"v_00000001": {"subset": "training", "duration": 9, "annotations": [action]}}
    (tmp_path / "annotations_gt.json").write_text(json.dumps({"database": entries}))
    dataset = read(tmp_path)
    assert list(dataset.recordings) == ["v_00000001"]
    assert dataset.differences() == ["106 classes (here 1)"]
