"""Labels that become annotations: what is mended, left out or refused."""

from collections.abc import Sequence
from typing import Any

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.labels import LabelFile, LabelledSegment, LabelledVideo, Remark
from actionformer.labels import Choices, Imported, Recording, annotations_of

RECORDINGS = {"one": Recording("one", 25.0, 10.0), "two": Recording("two", 50.0, 20.0)}


def labelled(*segments: tuple[float, float, str], name: str = "one", **more: Any) -> LabelFile:
    found = [LabelledSegment(start, end, label, f"line {i}") for i, (start, end, label) in enumerate(segments, 1)]
    return LabelFile([LabelledVideo(name, found, **more)])


def actions(imported: Imported, video: str = "one") -> list[tuple[float, float, str]]:
    found, names = imported.annotations.videos[video], imported.annotations.class_names
    rows = zip(found.segments.tolist(), found.labels.tolist(), strict=True)
    return [(start, end, names[label]) for (start, end), label in rows]


def remarks(imported: Imported) -> list[str]:
    return [f"{one.where}: {one.what}" for one in imported.remarks]


def test_lengths_rates_and_the_subset() -> None:
    imported = annotations_of([labelled((1, 2, "b"), (0, 3, "a"))], {"one": RECORDINGS["one"]})
    video = imported.annotations.videos["one"]
    assert (video.duration, video.fps, video.subset) == (10.0, 25.0, "training")
    assert imported.annotations.class_names == ("a", "b")
    assert actions(imported) == [(0, 3, "a"), (1, 2, "b")]
    assert not imported.remarks


def test_a_group_stays_with_its_video() -> None:
    files = [labelled((1, 2, "a"), group="anna"), labelled((1, 2, "a"), name="two")]
    assert [video.group for video in annotations_of(files).annotations.videos.values()] == ["anna", None]


@pytest.mark.parametrize(
    ("fps", "stated", "recordings", "end"),
    [
        (None, None, RECORDINGS, 2.0),  # of the video
        (None, 10.0, RECORDINGS, 5.0),  # of the file
        (100.0, 10.0, RECORDINGS, 0.5),  # as asked for
        (None, 20.0, None, 2.5),
    ],
)
def test_rate_of_frames(fps: float | None, stated: float | None, recordings: Any, end: float) -> None:
    file = labelled((0, 50, "a"), unit="frames", fps=stated)
    assert actions(annotations_of([file], recordings, Choices(fps=fps))) == [(0, end, "a")]


def test_frames_of_another_rate_than_the_video_are_said() -> None:
    imported = annotations_of([labelled((0, 50, "a"), unit="frames", fps=10.0)], {"one": RECORDINGS["one"]})
    assert remarks(imported) == ["line 1: counts 10 frames a second, the video has 25: if that is meant, give --fps"]


def test_what_a_choice_settles_is_not_said() -> None:
    (video,) = labelled((0, 50, "a"), unit="frames").videos
    file = LabelFile([video], [Remark("no rate", "", settled_by="fps"), Remark("other", "")])
    assert remarks(annotations_of([file], RECORDINGS))[:2] == [": no rate", ": other"]
    assert ": no rate" not in remarks(annotations_of([file], RECORDINGS, Choices(fps=29.97)))


def test_frames_of_no_known_rate_are_refused() -> None:
    with pytest.raises(InputError, match="line 1: counts frames, and nothing says how many a second: give --videos or"):
        annotations_of([labelled((0, 50, "a"), unit="frames")])


@pytest.mark.parametrize(
    ("segment", "kept", "said"),
    [
        ((8, 12), [(8, 10)], "ends after its video is cut there"),
        ((8, 10.03), [(8, 10)], None),  # within a frame
        ((-1, 2), [(0, 2)], "starts before its video is cut there"),
        ((10, 11), [], "lies after the end of its video is left out"),
        ((-3, -2), [], "lies before the beginning of its video is left out"),
        ((5, 4), [], "ends before it starts is left out"),
        ((5, 5), [], "a moment without length is left out: --point-width"),
        ((5, 5.001), [], "a moment without length is left out: --point-width"),
        ((float("inf"), 5), [], "no number of seconds"),
    ],
)
def test_what_a_video_cannot_hold(
    segment: tuple[float, float], kept: list[tuple[float, float]], said: str | None
) -> None:
    imported = annotations_of([labelled((1, 2, "a"), (3, 4, "a"), (*segment, "b"))], {"one": RECORDINGS["one"]})
    assert [(start, end) for start, end, label in actions(imported) if label == "b"] == kept
    assert all(one.startswith("line 3: ") and (said or "") in one for one in remarks(imported))
    assert len(imported.remarks) == (said is not None)


def test_moments_with_a_width() -> None:
    file = labelled((5, 5, "a"), (0.2, 0.2, "a"), (9.9, 9.9, "a"))
    found = actions(annotations_of([file], {"one": RECORDINGS["one"]}, Choices(point_width=1.0)))
    assert found == [(0, pytest.approx(0.7), "a"), (4.5, 5.5, "a"), (pytest.approx(9.4), 10, "a")]


def test_repeats_count_once_and_overlaps_are_said() -> None:
    imported = annotations_of([labelled((1, 2, "a"), (1, 2, "a"), (1.5, 3, "a"), (1.5, 3, "b"))])
    assert actions(imported) == [(1, 2, "a"), (1.5, 3, "a"), (1.5, 3, "b")]
    assert remarks(imported) == [
        "line 2: a segment that is there twice counts once",
        "line 3: a segment overlaps another of its label, both are kept: are they two actions?",
    ]


def test_videos_that_are_not_there_and_those_without_labels() -> None:
    files = [labelled((1, 2, "a")), labelled((1, 2, "a"), name="ones.mp4")]
    imported = annotations_of(files, RECORDINGS)
    assert list(imported.annotations.videos) == ["one"]
    said = remarks(imported)
    assert said[0].startswith(": a labelled video is not among the 2 videos: 'ones.mp4'; ")
    assert said[1] == ": videos without labels are left out (--background: nothing happens in them): two"
    background = annotations_of(files, RECORDINGS, Choices(background=True)).annotations.videos["two"]
    assert (len(background.labels), background.duration) == (0, 20.0)


def test_no_video_that_is_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"a labelled video is not among the 2 videos: 'x': none of the labels"):
        annotations_of([labelled((1, 2, "a"), name="x")], RECORDINGS)


def test_a_video_in_which_nothing_happens_is_background_and_one_whose_labels_are_lost_is_not() -> None:
    files = [
        labelled((1, 2, "a")),
        labelled(name="two"),
        labelled((5, 5, "a"), name="three"),
        labelled(name="four", complete=False),
    ]
    recordings = {name: Recording(name, 25.0, 10.0) for name in ("one", "two", "three", "four")}
    for imported in (annotations_of(files), annotations_of(files, recordings, Choices(background=True))):
        assert list(imported.annotations.videos) == ["one", "two"]
        for name in ("three", "four"):
            assert f"{name}: no label of the video is left, it is left out" in remarks(imported)


def test_a_video_that_labels_may_be_of_is_not_background() -> None:
    recordings = {name: Recording(name, 25.0, 10.0) for name in ("one", "x/two", "y/two", "three")}
    files = [labelled((1, 2, "a")), labelled((1, 2, "a"), name="two")]
    imported = annotations_of(files, recordings, Choices(background=True))
    assert list(imported.annotations.videos) == ["one", "three"]
    assert remarks(imported)[0] == "line 1: video 'two' may be x/two or y/two: left out, name its folder"


def test_folders_of_the_label_file_tell_videos_apart() -> None:
    recordings = {name: Recording(name, 25.0, 10.0) for name in ("x/two", "y/two")}
    files = [
        labelled((1, 2, "a"), name="two", source="/labels/y/two.srt"),
        labelled((3, 4, "a"), name="z/two.mp4", source="/labels/x/all.csv"),
    ]
    imported = annotations_of(files, recordings)
    assert actions(imported, "y/two") == [(1, 2, "a")]
    assert actions(imported, "x/two") == [(3, 4, "a")]
    assert not imported.remarks


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (("day1/c.mp4", "t.csv"), ("day2/c.mp4", "t.csv"), "'day1/c.mp4', 'day2/c.mp4'"),
        (("c", "/x/c.srt"), ("c", "/y/c.srt"), "'/x/c.srt', '/y/c.srt'"),
        (("upload/1/ab12cd34-c.mp4", "t"), ("upload/1/ff12cd34-c.mp4", "t"), "'upload/1/ab12cd34-c.mp4', "),
        (("day1/c.mp4", "t.csv"), (r"Day1\\c.avi", "u.csv"), None),
        (("day1/c.mp4", "t.csv"), ("c.mp4", "u.csv"), None),
        (("c", "/x/t.csv"), ("c", "/y/t.csv"), None),
        (("c", "/x/c.srt"), ("c", "/x/c.vtt"), None),
    ],
)
@pytest.mark.parametrize("recordings", [None, {"c": Recording("c", 25.0, 10.0)}])
def test_several_paths_of_one_video_are_said(
    first: tuple[str, str], second: tuple[str, str], said: str | None, recordings: dict[str, Recording] | None
) -> None:
    named = zip((first, second), (1, 5), strict=True)
    files = [labelled((at, at + 1, "a"), name=name, source=source) for (name, source), at in named]
    imported = annotations_of(files, recordings)
    assert len(actions(imported, "c")) == 2
    assert len(imported.remarks) == (said is not None)
    assert all(one.what.startswith(said or "") and "taken for one video, 'c'" in one.what for one in imported.remarks)


def test_paths_that_end_in_the_folders_of_an_id_are_one() -> None:
    files = [labelled((1, 2, "a"), name="/x/day1/c.mp4"), labelled((3, 4, "a"), name="/y/day1/c.mp4")]
    assert not annotations_of(files, {"day1/c": Recording("day1/c", 25.0, 10.0)}).remarks


def test_names_are_one_in_any_form_of_unicode() -> None:
    composed, apart = "w\u00e4ve", "wa\u0308ve"
    files = [
        labelled((1, 2, composed), (3, 4, apart), name=composed, subset=composed),
        labelled((5, 6, apart), name=apart, subset=apart),
        labelled((5, 6, apart), name="two", subset=apart),
    ]
    annotations = annotations_of(files).annotations
    assert annotations.class_names == (composed,)
    assert [(name, len(one.labels), one.subset) for name, one in annotations.videos.items()] == [
        (composed, 3, composed),
        ("two", 1, composed),
    ]
    renamed = annotations_of(files, None, Choices(rename={apart: "jump"})).annotations
    assert renamed.class_names == ("jump",)


def test_layers_that_are_asked_for_leave_videos_without_labels() -> None:
    file = LabelFile([LabelledVideo("one", [LabelledSegment(1, 2, "a", "", "left")]), LabelledVideo("two", [])])
    assert list(annotations_of([file], None, Choices(layers=["left"])).annotations.videos) == ["one", "two"]


def test_one_annotator_counts() -> None:
    files = [
        labelled((1, 2, "a"), annotator="ann"),
        labelled((1.1, 2, "a"), annotator="bob"),
        labelled((1, 2, "a"), name="two", annotator="bob"),
    ]
    imported = annotations_of(files)
    assert actions(imported) == [(1.1, 2, "a")]
    assert remarks(imported) == [
        "one: video labelled by 2 annotators (ann, bob): bob counts; --annotator NAME chooses another"
    ]
    assert actions(annotations_of(files, None, Choices(annotator="ann"))) == [(1, 2, "a")]
    with pytest.raises(InputError, match="no annotator 'an', did you mean 'ann'"):
        annotations_of(files, None, Choices(annotator="an"))


def test_layers_that_are_asked_for() -> None:
    segments = [LabelledSegment(1, 2, "a", "", "left"), LabelledSegment(2, 3, "b", "", "right")]
    file = LabelFile([LabelledVideo("one", segments)])
    assert actions(annotations_of([file], None, Choices(layers=["right"]))) == [(2, 3, "b")]
    both = annotations_of([file, labelled((4, 5, "c"))], None, Choices(layers=["left"]))
    assert actions(both) == [(1, 2, "a"), (4, 5, "c")]  # what has no layer stays
    with pytest.raises(InputError, match="no layer 'lef', did you mean 'left'"):
        annotations_of([file], None, Choices(layers=["lef"]))


def test_subsets() -> None:
    files = [labelled((1, 2, "a"), subset="val"), labelled((1, 2, "a"), name="two")]
    imported = annotations_of(files)
    assert [one.subset for one in imported.annotations.videos.values()] == ["validation", "training"]
    assert remarks(imported) == [": subset 'val' is called 'validation', as settings expect it"]
    chosen = annotations_of(files, None, Choices(subset="test")).annotations
    assert chosen.subset_names == ["test"]


@pytest.mark.parametrize(
    ("times", "advice"),
    [
        ([(1000, 2000), (9000, 9500)], "counted in ms they would not: give --unit ms"),
        ([(100, 200), (225, 249)], "counted in frames they would not: give --unit frames"),
        ([(1e6, 2e6)], "are they of these videos?"),
    ],
)
def test_times_in_another_unit_are_refused(times: Sequence[tuple[float, float]], advice: str) -> None:
    file = labelled(*((start, end, "a") for start, end in times))
    with pytest.raises(InputError) as refused:
        annotations_of([file], {"one": RECORDINGS["one"]})
    lie, whose = ("lies", "its") if len(times) == 1 else ("lie", "their")
    assert str(refused.value) == f"{len(times)} of {len(times)} labels {lie} after the end of {whose} video; {advice}"


def test_times_in_milliseconds_if_asked_for() -> None:
    assert actions(annotations_of([labelled((1500, 2000, "a"))], None, Choices(unit="ms"))) == [(1.5, 2, "a")]


def test_the_unit_of_a_clock_is_not_chosen() -> None:
    clock = LabelFile([LabelledVideo("one", [LabelledSegment(3, 6, "a", "", sure=True)])])
    assert actions(annotations_of([clock, labelled((7000, 8000, "a"))], None, Choices(unit="ms"))) == [
        (3, 6, "a"),
        (7, 8, "a"),
    ]
    assert actions(annotations_of([clock], None, Choices(unit="frames"))) == [(3, 6, "a")]
    late = LabelFile([LabelledVideo("one", [LabelledSegment(180, 192, "a", "", sure=True)])])
    with pytest.raises(InputError) as refused:
        annotations_of([late], {"one": RECORDINGS["one"]}, Choices(unit="frames"))
    assert str(refused.value) == (
        "1 of 1 labels lies after the end of its video; are they of these videos? 00:03:12 is 3 minutes and 12 "
        "seconds: if it is meant as 3 seconds and 12 frames, write it as seconds"
    )


def test_labels_that_are_nearly_the_same() -> None:
    file = labelled((1, 2, "Jump"), (2, 3, "jump"), (3, 4, "jmup"), (4, 5, "jump"), (5, 6, "jab"), (6, 7, "jam"))
    assert remarks(annotations_of([file])) == [
        ": labels 'Jump' (1) and 'jump' (2) differ by case or signs alone: if they are one, give --rename Jump=jump",
        ": labels 'jmup' (1) and 'jump' (2) differ by one letter: if they are one, give --rename jmup=jump",
        ": labels 'jmup' (1) and 'Jump' (1) differ by one letter: if they are one, give --rename jmup=Jump",
    ]
    renamed = annotations_of([file], None, Choices(rename={"Jump": "jump", "jmup": "jump"}))
    assert renamed.annotations.class_names == ("jab", "jam", "jump")


def test_labels_that_programs_write_for_none_are_told() -> None:
    file = labelled((1, 2, "nan"), (2, 3, "run"), (3, 4, "nan"), (4, 5, "banana"))
    (remark,) = remarks(annotations_of([file]))
    assert remark.startswith(": label 'nan' (2) is what programs write where there is none: it became a class")


def test_no_action_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="no action is left of the labels: line 1: a moment without length"):
        annotations_of([labelled((1, 1, "a"))])


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_widths_and_rates_that_cannot_be(value: float) -> None:
    with pytest.raises(InputError, match="point width must be a positive number"):
        Choices(point_width=value)


class Uneven(Recording):
    """A recording whose pictures do not lie where its rate has them."""

    uneven_by = 2.0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unit": "frames"}, True),
        ({"unit": "frames", "fps": 25.0}, True),
        ({"unit": "frames", "fps": 25.0, "counts_time": True}, False),
        ({}, False),
    ],
)
def test_numbers_of_pictures_that_do_not_come_steadily_are_said(more: dict[str, Any], said: bool) -> None:
    recordings = {"one": Uneven("one", 25.0, 10.0), "two": Recording("two", 25.0, 10.0)}
    files = [labelled((0, 5, "a"), name=name, **more) for name in ("one", "two")]
    found = [one for one in remarks(annotations_of(files, recordings)) if "frame numbers" in one]
    assert len(found) == said
    assert all("pictures lie elsewhere in one (up to 2.00 s), as the rate varies" in one for one in found)
    assert not annotations_of(files, recordings, Choices(unit="frames", fps=20.0)).remarks
