from pathlib import Path

import pytest
from judged import annotations_of, detections_of

from actionformer.core.errors import InputError
from actionformer.core.terminal import rendered
from actionformer.data.groups import Groups, groups_of
from actionformer.evaluation.calibration import calibrate
from actionformer.evaluation.overview import Overview, overview, read_overview
from actionformer.evaluation.overview_table import overview_lines, overview_table
from actionformer.evaluation.report import score

TRUTH = {f"v{i}": [(10.0 * k, 10.0 * k + 4, k % 2) for k in range(6)] for i in range(5)}
FOUND = {
    name: [(start, end, label, 0.9) for start, end, label in rows[:5]] + [(70.0, 74.0, 0, 0.1)]
    for name, rows in TRUTH.items()
}


def made(*, calibrated: bool = True, fresh: bool = True, groups: Groups | None = None) -> Overview:
    """Of 30 actions in five videos 25 are found with 0.9; five false alarms have 0.1."""
    truth, found = annotations_of(TRUTH, ("jump", "run")), detections_of(FOUND, ("jump", "run"))
    return overview(
        truth,
        found,
        score(truth, found),
        calibrate(truth, found) if calibrated else None,
        groups or groups_of(truth),
        fresh=fresh,
        learned={"jump": 40, "run": 9},
        course=[(10, 0.95), (20, 0.9)],
        epochs=15,
        stride=4,
    )


def test_figures_worked_by_hand() -> None:
    found = made()
    assert (found.videos, found.actions, found.epoch, found.best_epoch) == (5, 30, 20, 10)
    assert [(one.name, one.learned, one.actions) for one in found.classes] == [("run", 9, 15), ("jump", 40, 15)]
    run, jump = found.classes
    assert (jump.ap, run.ap) == (1.0, pytest.approx(10 / 15))
    assert found.map == pytest.approx((1 + 10 / 15) / 2)
    assert found.operating is not None
    assert (found.operating.precision, found.operating.recall) == (1.0, pytest.approx(25 / 30))
    assert run.operating is not None
    assert run.operating.recall == pytest.approx(10 / 15)
    assert found.limits[0].what.startswith("The model was better before: mAP 95.0 at epoch 10")


def test_a_file_holds_all_of_it(tmp_path: Path) -> None:
    for found in (made(), made(calibrated=False)):
        found.to_json(tmp_path / "overview.json")
        assert read_overview(tmp_path / "overview.json") == found
    (tmp_path / "overview.json").write_text('{"videos": "many"}', "utf-8")
    with pytest.raises(InputError, match=r"overview.json: not the overview of a training"):
        read_overview(tmp_path / "overview.json")


def test_what_people_read() -> None:
    text = rendered(overview_table(made()), 200)
    assert "5 videos not learned from, 30 actions; in percent" in text
    assert any(line.split() == ["run", "9", "15", "66.7", "~100.0", "~66.7", "~80.0"] for line in text.splitlines())
    assert any(line.split() == ["all", "49", "30", "83.3", "~100.0", "~83.3", "~90.9"] for line in text.splitlines())
    assert "certain to 13 points of all classes" in text
    first, *_, last = overview_lines(made(), "runs/mine")
    assert first == (
        "The last model, which `detect runs/mine` uses, has mAP 83.3 (epoch 20); "
        "runs/mine/best has 95.0 (epoch 10), chosen on these videos."
    )
    assert last.startswith("Next: actionformer detect runs/mine")


def test_groups_are_those_of_all_videos() -> None:
    people = Groups({f"v{i}": f"person {i // 2}" for i in range(9)}, "their names")  # three of them among the five
    text = rendered(overview_table(made(groups=people)), 200)
    assert "at tIoU 0.5, thresholds from other groups:" in text
    assert "may differ by more" not in text
    one = Groups({f"v{i}": f"v{i}" for i in range(5)}, None, one=True)
    text = rendered(overview_table(made(groups=one)), 200)
    assert "thresholds from other videos:" in text
    assert "these are of 1 group: videos of other groups may differ by more" in text


def test_why_there_are_no_thresholds() -> None:
    assert "LEARNED FROM, so figures are too good" in rendered(overview_table(made(fresh=False)), 200)
    text = rendered(overview_table(made(calibrated=False, fresh=False)), 200)
    assert "no thresholds: the videos were learned from" in text
    assert "precision" not in text, "no column without a figure"
    assert made(calibrated=False).without == "no detection is right"
