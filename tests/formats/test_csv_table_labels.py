"""Tables with named columns, as people write them."""

import pytest

from actionformer.core.errors import InputError
from actionformer.formats.csv_table import holds_labels, read_labels
from actionformer.formats.document import Document
from actionformer.formats.labels import LabelFile

ELAN = "Begin Time - {0}\tEnd Time - {0}\tAnnotation"


def read(text: str, encoding: str = "utf-8", **columns: str) -> LabelFile:
    document = Document("session7.csv", text.encode(encoding), columns)
    assert holds_labels(document)
    return read_labels(document)


def rows(file: LabelFile) -> list[tuple[str, float, float, str]]:
    return [(video.name, one.start, one.end, one.label) for video in file.videos for one in video.segments]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("video,label,start,end\na.mp4,jump,1.5,2.25\n", ("a.mp4", 1.5, 2.25, "jump")),
        ("label\tonset\toffset\njump\t1.5\t2.25\n", ("session7", 1.5, 2.25, "jump")),
        ("Video;Label;Start;End\r\na;jump;1,5;2,25\r\n", ("a", 1.5, 2.25, "jump")),
        ('"File Name","Behaviour","Start (s)","Duration (s)"\na,jump,1.5,0.75\n', ("a", 1.5, 2.25, "jump")),
        ("filename,class,start_time,end_time\na,jump,0:01.5,0:00:02.25\n", ("a", 1.5, 2.25, "jump")),
        ("clip,action,startMs,endMs\na,jump,1500,2250\n", ("a", 1.5, 2.25, "jump")),
        ("clip,label_id,label,start,start_frame,end,end_frame\na,3,jump,1.5,45,2.25,67\n", ("a", 1.5, 2.25, "jump")),
        ("video_id,class_id,class_name,t_start,t_end\na,3,jump,1.5,2.25\n", ("a", 1.5, 2.25, "jump")),
        ('start,end,label,notes\n"1,5","2,25",jump,"he said ""go"""\n', ("session7", 1.5, 2.25, "jump")),
        ("video,label,start,end,score\na,jump,1.5,2.25,0.9\n", ("a", 1.5, 2.25, "jump")),
        ("Labels of July\n\nvideo,label,start,end\na,jump,1.5,2.25\n", ("a", 1.5, 2.25, "jump")),
        ("time,event\n1.5,goal\n", ("session7", 1.5, 1.5, "goal")),
        (f"{ELAN.format('hh:mm:ss.ms')}\n0:00:01.5\t00:00:02.250\tjump\n", ("session7", 1.5, 2.25, "jump")),
        (f"{ELAN.format('ss.msec')}\n1.5\t2.250\tjump\n", ("session7", 1.5, 2.25, "jump")),
        (f"{ELAN.format('msec')}\n1500\t2250\tjump\n", ("session7", 1.5, 2.25, "jump")),
        ("start (hh:mm:ss.ms),stop (hh:mm:ss.ms),label\n0:01.5,0:02.25,jump\n", ("session7", 1.5, 2.25, "jump")),
        ("start ms,end ms,label\n0:01.5,2250,jump\n", ("session7", 1.5, 2.25, "jump")),  # a clock is never scaled
        ("start (min),end (min),label\n1:30,2,jump\n", ("session7", 90, 120, "jump")),
        ("start (h),end (h),label\n0.5,0.75,jump\n", ("session7", 1800, 2700, "jump")),
        ("Start (cs),End (cs),label\n150,225,jump\n", ("session7", 1.5, 2.25, "jump")),
        ("start_us,end_us,label\n1500000,2250000,jump\n", ("session7", 1.5, 2.25, "jump")),
        ("start (hh:mm),end (hh:mm),label\n0:12,0:14,jump\n", ("session7", 720, 840, "jump")),
        ("start (mm:ss),end (mm:ss),label\n0:12,0:14,jump\n", ("session7", 12, 14, "jump")),
        ("video,start,end,label\n,(ms),(ms),\na,1500,2250,jump\n", ("a", 1.5, 2.25, "jump")),
        ("video,time,,label\n,start,end,\na,1.5,2.25,jump\n", ("a", 1.5, 2.25, "jump")),  # time was a merged cell
        ("start (min),start (s),end (s),label\n1.5,90,95,jump\n", ("session7", 90, 95, "jump")),  # one time twice
        ("label,start frame,end frame,start ms,duration\njump,45,67,1500,0.75\n", ("session7", 1.5, 2.25, "jump")),
    ],
)
def test_columns_and_times(text: str, found: tuple[str, float, float, str]) -> None:
    assert rows(read(text)) == [found]
    assert read(text).videos[0].unit == "seconds"


@pytest.mark.parametrize(
    ("header", "row", "parts"),
    [
        ("start min,start sec,end min,end sec", "1,23,1,30", "start min, start sec"),
        ("start hour,start minute,start second,end", "0,1,23,90", "start hour, start minute, start second"),
        ("start (s),start (ms),end (s)", "4,10,5", r"start \(s\), start \(ms\)"),
        ("start,duration min,duration s", "5,1,20", "duration min, duration s"),
    ],
)
def test_times_in_parts_are_refused(header: str, row: str, parts: str) -> None:
    with pytest.raises(InputError, match=f"{parts} are parts of a time: join them"):
        read(f"{header},label\n{row},jump\n")


@pytest.mark.parametrize(
    "header",
    [
        "Video;Start;Ende;Aktion",
        "Videodatei;Startzeit (s);Endzeit (s);Verhalten",
        "Datei;Von;Bis;Klasse",
        "Vidéo;Début;Fin;Étiquette",
        "Nom de fichier;Heure de début;Heure de fin;Comportement",
        "Archivo;Inicio;Final;Conducta",
        "Arquivo;Início;Término;Rótulo",
        "Video;Inizio;Fine;Azione",
        "Bestand;Begin;Einde;Gedrag",
        "動画;開始;終了;行動",
        "動画ファイル名;開始時刻(秒);終了時刻(秒);動作ラベル",
        "视频;开始时间;结束时间;标签",
        "파일;시작 시간;종료 시간;행동",
        "Видео;Начало;Конец;Действие",
    ],
)
def test_languages(header: str) -> None:
    found = read(f"{header}\na.mp4;1,5;2,25;jump\n")
    assert rows(found) == [("a.mp4", 1.5, 2.25, "jump")]
    assert found.remarks == []


def test_words_of_other_languages_that_mean_something_in_english() -> None:
    assert rows(read("video,fine label,start,end\na,jump,1.5,2.25\n")) == [("a", 1.5, 2.25, "jump")]
    assert rows(read("Vídeo;Ação;Início;Duração (s)\na;salto;1,5;0,75\n")) == [("a", 1.5, 2.25, "salto")]
    assert rows(read("動作,開始フレーム,終了フレーム\njump,45,67\n")) == [("session7", 45, 67, "jump")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.mp4,1.2,3.4,jump\nb.mp4,0,1,run\n", [("a.mp4", 1.2, 3.4, "jump"), ("b.mp4", 0, 1, "run")]),
        ("1,2;3,4;jump\n0;1;run\n", [("session7", 1.2, 3.4, "jump"), ("session7", 0, 1, "run")]),
        ("jump\t0:01.2\t0:03.4\tC:\\clips\\a.avi\n", [("C:\\clips\\a.avi", 1.2, 3.4, "jump")]),
    ],
)
def test_tables_without_names_of_columns(text: str, found: list[tuple[str, float, float, str]]) -> None:
    file = read(text)
    assert rows(file) == found
    (remark,) = file.remarks
    assert remark.what.startswith("no names of columns: read as ")


@pytest.mark.parametrize(
    "text",
    [
        "a,1.2,3.4,jump\nb,0,1,run\n",  # either text may be the label
        "a.mp4,3.4,1.2,jump\n",  # ends before it starts: a duration?
        "a.mp4,1,2,3,jump\n",
        "a.mp4,1,2\n",
        "a.mp4,1,2,jump\nb.mp4,1,2\n",
    ],
)
def test_tables_whose_columns_are_not_sure(text: str) -> None:
    assert not holds_labels(Document("a.csv", text.encode()))


def test_columns_that_the_user_names() -> None:
    text = "Clip;Alku;Loppu;Laji;Action\na;1,5;2,25;jump;x\n"
    told = {"start": "ALKU", "end": "Loppu", "label": "Laji"}
    assert rows(read(text, **told)) == [("a", 1.5, 2.25, "jump")]
    assert rows(read("a,1.5,0.75,jump\n", video="1", start="2", duration="3", label="4")) == [("a", 1.5, 2.25, "jump")]
    assert rows(read("x,y,z\n1.5,2.25,jump\n", start="1", end="y", label="3")) == [("session7", 1.5, 2.25, "jump")]


def test_an_end_that_is_not_known_is_said() -> None:
    found = read("Video;Start;Slut;Aktion\na;1,5;2,25;hop\n")
    assert rows(found) == [("a", 1.5, 1.5, "hop")]
    assert [one.what for one in found.remarks] == [
        "no column is known to be an end or a duration, so that rows are moments; 'Slut' is not read: if it is the "
        "end, give --columns end=Slut"
    ]
    assert read("Video;Start;Sure;Aktion\na;1,5;0,25;hop\n").remarks == [], "it would come before the start"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_bytes(encoding: str) -> None:
    assert rows(read("video;label;start;end\nä;Öffnen;1;2\n", encoding)) == [("ä", 1, 2, "Öffnen")]


def test_frames_with_a_rate() -> None:
    found = read("video,label,start frame,end frame,fps\na,jump,45,67,30\n")
    (video,) = found.videos
    assert (video.unit, video.fps) == ("frames", 30)
    assert rows(found) == [("a", 45, 67, "jump")]
    assert [one.what for one in found.remarks] == [
        "frames are counted from 0, and the end frame is not part of an action: if it is, correct the ends"
    ]


def test_what_belongs_to_a_video() -> None:
    text = "video,subset,coder,animal,video duration,label,start,end\n"
    found = read(text + "a,test,ann,m1,60,dig,1,2\na,test,bob,m2,60,dig,1,3\nb,train,ann,,50,,,\n")
    assert [(one.name, one.subset, one.annotator, one.duration, len(one.segments)) for one in found.videos] == [
        ("a", "test", "ann", 60, 1),
        ("a", "test", "bob", 60, 1),
        ("b", "train", "ann", 50, 0),
    ]
    assert [one.layer for video in found.videos for one in video.segments] == ["m1", "m2"]
    assert found.remarks == []


@pytest.mark.parametrize(
    ("header", "groups"),
    [
        ("subject", ["p1", ""]),  # of one person, and of several: those are layers of the video
        ("participant", ["p1", ""]),
        ("group", ["p1", "p1"]),
        ("individual", ["", ""]),
    ],
)
def test_whom_videos_are_of(header: str, groups: list[str]) -> None:
    found = read(f"video,{header},label,start,end\na,p1,dig,1,2\na,p1,dig,3,4\nb,p1,dig,1,2\nb,p2,dig,1,2\n")
    assert [video.group for video in found.videos] == groups
    layers = ["p1", "p1", "p1", "p2"] if header != "group" else [""] * 4
    assert [one.layer for video in found.videos for one in video.segments] == layers


def test_rows_that_cannot_be_read_are_said() -> None:
    found = read("video,label,start,end\na,,1,2\na,jump,,\na,jump,soon,2\na,jump,1,2:x\na,jump,1,2\n")
    assert len(rows(found)) == 1
    assert [(one.where, one.what.partition(" is left out")[0]) for one in found.remarks] == [
        ("session7.csv: line 2", "a segment without a label"),
        ("session7.csv: line 3", "a label without a time"),
        ("session7.csv: line 4", "a time that cannot be read"),
        ("session7.csv: line 5", "a time that cannot be read"),
    ]


@pytest.mark.parametrize("text", ["who,what\n1,2\n", "x,y,z\n1,2,3\n", "label,weight\njump,2\n"])
def test_other_tables_are_none(text: str) -> None:
    assert not holds_labels(Document("a.csv", text.encode()))


def test_several_columns_of_one_time_say_the_same() -> None:
    kinds = ("hh:mm:ss.ms", "ss.msec", "msec")
    header = "\t".join(f"{what} - {kind}" for what in ("Begin Time", "End Time", "Duration") for kind in kinds)
    row = "00:00:03.000\t3.0\t3000\t00:00:06.500\t6.5\t6500\t00:00:03.500\t3.5\t3500"
    assert rows(read(f"Tier\t{header}\tAnnotation\nbeh\t{row}\twave\n")) == [("session7", 3.0, 6.5, "wave")]


def test_frames_and_times_are_not_mixed() -> None:
    file = read("label,start frame,end frame,start\njump,45,67,1.5\n")
    assert (file.videos[0].unit, rows(file)) == ("frames", [("session7", 45, 67, "jump")])
    assert rows(read("label,start frame,end frame\njump,0:45,0:57.5\n")) == [("session7", 45, 57.5, "jump")]
    mixed = read("label,start frame,end frame\njump,45,0:57\n")
    assert not rows(mixed)
    assert any("a time that cannot be read is left out" in one.what for one in mixed.remarks)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("00:00:01:15", "a timecode whose last number counts frames is left out: write it as seconds, as 0:00:01.5"),
        ("00:00:01;15", "a timecode whose last number counts frames"),
        ("00;00;01;15", "a timecode whose last number counts frames"),
        ("2026-01-02T10:00:01", "a date is left out: write seconds since the beginning of the recording"),
        ("2.1.2026 10:00:01", "a date is left out"),
        ("1/2/26 10:00:01", "a date is left out"),
        ("soon", "a time that cannot be read is left out"),
    ],
)
def test_times_that_cannot_be_read_are_told_with_what_to_do(start: str, told: str) -> None:
    file = read(f"label,start,end\njump,{start},{start}\n")
    assert not rows(file)
    assert [one.what.startswith(told) for one in file.remarks] == [True]


@pytest.mark.parametrize(
    ("form", "start", "told"),
    [
        ("mm:ss:ff", "01:12:05", "a timecode"),
        ("mm.ss", "1.12", "a time that cannot be read"),
        ("min:sec", "1.12", "a time that cannot"),
    ],
)
def test_times_whose_form_the_name_says(form: str, start: str, told: str) -> None:
    file = read(f"label,start ({form}),end ({form})\njump,{start},{start}\n")
    assert not rows(file)
    assert [one.what.startswith(told) for one in file.remarks] == [True]


@pytest.mark.parametrize("kinds", [("START", "STOP"), ("begin", "end"), ("on", "off")])
def test_starts_and_stops_in_rows_of_their_own_are_no_moments(kinds: tuple[str, str]) -> None:
    text = "time,behavior,kind\n" + "".join(f"{time},jump,{kind}\n" for time, kind in enumerate(kinds))
    with pytest.raises(InputError, match="its column 'kind' says where actions start and stop: write a row per action"):
        read(text)
    assert len(rows(read("time,behavior,kind\n1,jump,start\n2,jump,start\n"))) == 2


@pytest.mark.parametrize(("end", "told"), [("0.001041667", True), ("0.25", False), ("0.000960648", False)])
def test_days_of_spreadsheets_are_said(end: str, told: bool) -> None:
    remarks = read(f"start,end,label\n0.000960648,{end},jump\n").remarks
    assert [one.what.startswith("all actions are shorter than 0.01 s: if these are") for one in remarks] == [
        True
    ] * told


def test_the_unit_of_the_length_of_a_video() -> None:
    assert read("start,end,label,video duration (min)\n1,2,jump,0.5\n").videos[0].duration == 30.0
    assert read("start,end,label,video length frames\n1,2,jump,750\n").videos[0].duration is None


def test_a_row_without_a_video_is_of_the_one_above() -> None:
    file = read("video,start,end,label\n,1,2,run\na,3,6,wave\n,12,16,jump\n,,,\nb,1,2,run\n,3,4,run\n")
    assert rows(file) == [("a", 3, 6, "wave"), ("a", 12, 16, "jump"), ("b", 1, 2, "run"), ("b", 3, 4, "run")]
    assert [(one.what, one.where[-6:]) for one in file.remarks] == [
        ("a row that names no video, nor does one above, is left out: name its video", "line 2"),
        ("a row that names no video is taken to be of the video of the row above", "line 4"),
        ("a row that names no video is taken to be of the video of the row above", "line 7"),
    ]


def test_a_column_of_videos_without_any_names_the_file() -> None:
    assert rows(read("video,start,end,label\n,1,2,run\n")) == [("session7", 1, 2, "run")]


@pytest.mark.parametrize("row", ["b,5.x,9,jump", "b,,,jump", "b,3,6,", "b,,9,jump"])
def test_a_video_of_which_a_row_is_left_out_is_not_complete(row: str) -> None:
    file = read(f"video,start,end,label\na,1,2,run\n{row}\nc,,,\n")
    assert [(one.name, one.complete) for one in file.videos] == [("a", True), ("b", False), ("c", True)]
    assert len(file.remarks) == 1


def test_advice_for_what_elan_exports_without_names_is_of_its_columns() -> None:
    text = "default\t\t00:00:01.000\t1.0\t00:00:02.500\t2.5\t00:00:01.500\t1.5\t1500\twalk\n" * 2
    with pytest.raises(InputError, match=r"--columns layer=1 start=3 end=5 label=10$"):
        read_labels(Document("session7.csv", text.encode()))
    assert rows(read(text.replace("default", ""))) == [("session7", 1, 2.5, "walk")] * 2
