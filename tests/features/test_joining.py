from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actionformer.core.errors import InputError
from actionformer.core.segments import TimeGrid
from actionformer.features import FeatureFolders, FeatureSpec, SourceJoiner, open_features, write_sidecar
from actionformer.features.joining import Resampling, resampling, same_grid

Floats = np.ndarray


def grid(step: float, window: float | None = None, *, start: float = 0.0) -> TimeGrid:
    return TimeGrid(fps=1.0, stride=step, num_frames=window or step, start=start)


def centres(where: TimeGrid, count: int) -> Floats:
    return where.to_seconds(np.arange(count, dtype=float))


def write(path: Path, rows: Floats, where: TimeGrid | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, rows.astype(np.float32))
    if where is not None:
        write_sidecar(path, FeatureSpec.on(where))
    return path


def pushed(grids: list[TimeGrid], sources: list[Floats], cuts: list[int]) -> Floats:
    """What a joiner gives of sources that come in pieces, one source after the other."""
    joiner, parts = SourceJoiner(grids), []
    bounds = [sorted(min(cut, len(rows)) for cut in cuts) for rows in sources]
    bounds = [[0, *own, len(rows)] for own, rows in zip(bounds, sources, strict=True)]
    for piece in range(len(cuts) + 1):
        for turn in range(len(sources)):
            now = [
                rows[own[piece] : own[piece + 1] if place == turn else own[piece]]
                for place, (own, rows) in enumerate(zip(bounds, sources, strict=True))
            ]
            parts.append(joiner.push(*now))
    return np.concatenate([*parts, joiner.finish()])


class TestResampling:
    def test_of_a_sparser_source_the_straight_line_between_its_rows_counts(self) -> None:
        way = Resampling(source=grid(2), target=grid(1))  # centres 1, 3, 5 and 0.5, 1.5, 2.5, ...
        rows = np.array([[0], [8], [4]], np.float32)
        found = way(rows, 0, slice(0, 6))
        assert found[:, 0].tolist() == [0, 2, 6, 7, 5, 4]  # beside its first and last rows it stays as it is there

    def test_of_a_denser_source_the_mean_counts_and_no_row_is_skipped(self) -> None:
        way = Resampling(source=grid(1), target=grid(4))
        rows = np.arange(8, dtype=np.float32)[:, None] ** 2
        assert way.samples == 4
        assert way(rows, 0, slice(0, 2))[:, 0].tolist() == [14 / 4, (16 + 25 + 36 + 49) / 4]

    def test_starts_and_windows_move_rows(self) -> None:
        source = TimeGrid(fps=10, stride=5, num_frames=10, start=0.25)  # centres 0.75, 1.25, ...
        target = TimeGrid(fps=4, stride=2, num_frames=2)  # centres 0.25, 0.75, ...
        rows = np.array([[1], [2], [3]], np.float32)
        assert Resampling(source, target)(rows, 0, slice(0, 4))[:, 0].tolist() == [1, 1, 2, 3]

    def test_rows_at_the_same_times_are_no_case_for_it(self) -> None:
        assert resampling(TimeGrid(30, 15, 15), TimeGrid(2, 1, 1)) is None
        assert resampling(TimeGrid(30, 15, 30), TimeGrid(2, 1, 1)) is not None

    @given(
        st.floats(0.3, 5),
        st.floats(0.3, 5),
        st.floats(0, 2),
        st.integers(1, 40),
        st.integers(0, 20),
        st.integers(1, 10),
    )
    def test_a_line_in_time_stays_a_line(
        self, step: float, other: float, start: float, length: int, first: int, count: int
    ) -> None:
        source, target = grid(step, start=start), grid(other)
        way, rows = Resampling(source, target), slice(first, first + count)
        line = centres(source, length)[:, None].astype(np.float32)
        found, wanted = way(line, 0, rows)[:, 0], target.to_seconds(np.arange(first, first + count, dtype=float))
        spread = 0.5 * other
        inside = (wanted - spread >= line[0, 0]) & (wanted + spread <= line[-1, 0])
        np.testing.assert_allclose(found[inside], wanted[inside], rtol=1e-4, atol=1e-4)
        assert (found >= line[0, 0] - 1e-3).all()
        assert (found <= line[-1, 0] + 1e-3).all()
        need = way.needed(rows, length)
        np.testing.assert_array_equal(way(line[need], need.start, rows)[:, 0], found)


class TestJoiner:
    @given(
        st.lists(st.tuples(st.floats(0.2, 4), st.floats(0, 1.5)), min_size=1, max_size=3),
        st.lists(st.integers(0, 60), min_size=1, max_size=4),
        st.integers(1, 30),
    )
    def test_gives_what_files_give_however_rows_come(
        self, tmp_path_factory: pytest.TempPathFactory, others: list[tuple[float, float]], cuts: list[int], length: int
    ) -> None:
        grids = [grid(1), *(grid(step, start=start) for step, start in others)]
        drawn = np.random.default_rng(0)
        lengths = [length, *(max(round((length - one.start) / one.step), 1) for one in grids[1:])]
        sources = [drawn.normal(size=(count, 2)).astype(np.float32) for count in lengths]
        folder = tmp_path_factory.mktemp("sources")
        files = [
            write(folder / f"{n}/v.npy", rows, where)
            for n, (rows, where) in enumerate(zip(sources, grids, strict=True))
        ]
        features = open_features(*files)
        np.testing.assert_array_equal(pushed(grids, sources, cuts), features[:])

    def test_a_row_comes_when_all_sources_reach_it(self) -> None:
        joiner = SourceJoiner([grid(1), grid(2)])
        assert joiner.push(np.zeros((4, 1)), np.zeros((1, 1)))[:].shape == (
            1,
            2,
        )  # the other one's second row is at 3 s
        assert joiner.push(np.zeros((0, 1)), np.ones((1, 1))).shape == (2, 2)
        assert joiner.finish().shape == (1, 2)

    def test_refuses_other_rows(self) -> None:
        joiner = SourceJoiner([grid(1), grid(2)])
        with pytest.raises(InputError, match="rows of 2 sources, found 1"):
            joiner.push(np.zeros((4, 1)))
        joiner.push(np.zeros((4, 1)), np.zeros((1, 3)))
        with pytest.raises(InputError, match=r"source 2: expected rows \(t, 3\), found an array of shape \(1, 2\)"):
            joiner.push(np.zeros((4, 1)), np.zeros((1, 2)))


class TestFiles:
    def test_slices_are_what_the_whole_has_there(self, tmp_path: Path) -> None:
        drawn = np.random.default_rng(1)
        video = write(tmp_path / "a/v.npy", drawn.normal(size=(50, 3)), grid(1, 2))
        sound = write(tmp_path / "b/v.npy", drawn.normal(size=(505, 2)), grid(0.1, 0.3))
        features = open_features(video, sound)
        whole = features[:]
        assert whole.shape == features.shape == (50, 5)
        np.testing.assert_array_equal(whole[:, :3], np.load(video))
        np.testing.assert_array_equal(features[17:29], whole[17:29])
        np.testing.assert_array_equal(
            features.blocks([slice(0, 3), slice(9, 9), slice(40, 50)]), np.r_[whole[:3], whole[40:]]
        )
        assert features[5:5].shape == (0, 5)

    def test_what_only_the_first_covers_is_cut(self, tmp_path: Path) -> None:
        video = write(tmp_path / "a/v.npy", np.zeros((50, 3)), grid(1))
        sensor = write(tmp_path / "b/v.npy", np.zeros((23, 2)), grid(2))
        assert open_features(video, sensor).shape == (48, 5)  # a window of the sensor more than its 46 s

    def test_another_time_is_refused_with_what_each_covers(self, tmp_path: Path) -> None:
        video = write(tmp_path / "a/v.npy", np.zeros((50, 3)), grid(1))
        late = write(tmp_path / "b/v.npy", np.zeros((15, 2)), grid(2, start=20))
        with pytest.raises(
            InputError, match=r"a/v.npy covers 0.00 to 50.00 s of its video, and .*b/v.npy 20.00 to 50.00 s"
        ):
            open_features(video, late)
        short = write(tmp_path / "c/v.npy", np.zeros((15, 2)), grid(2))
        with pytest.raises(InputError, match=r"c/v.npy 0.00 to 30.00 s: sources of one video are joined by time"):
            open_features(video, short)

    def test_without_a_sidecar_a_source_lies_as_the_first(self, tmp_path: Path) -> None:
        video = write(tmp_path / "a/v.npy", np.zeros((50, 3)), grid(1))
        assert open_features(video, write(tmp_path / "b/v.npy", np.zeros((48, 2)), None)).shape == (48, 5)
        with pytest.raises(InputError, match="or say in a sidecar beside each what its own are"):
            open_features(video, write(tmp_path / "c/v.npy", np.zeros((25, 2)), None))

    def test_a_model_knows_where_sources_lie_that_say_nothing(self, tmp_path: Path) -> None:
        files = [
            write(tmp_path / "a/v.npy", np.zeros((50, 3)), None),
            write(tmp_path / "b/v.npy", np.zeros((25, 2)), None),
        ]
        known = FeatureSpec(1, 1, 1, sources=(FeatureSpec(1, 1, 1), FeatureSpec(1, 2, 2)))
        assert open_features(*files, made_for=known).shape == (50, 5)

    def test_folders_say_what_each_of_their_sidecars_says(self, tmp_path: Path) -> None:
        for name, where in (("a", grid(1)), ("b", grid(2))):
            path = write(tmp_path / name / "v.npy", np.zeros((50, 3)), None)
            write_sidecar(path, FeatureSpec(where.fps, where.stride, where.num_frames, backbone=name))
        spec = FeatureFolders.at([tmp_path / "a", tmp_path / "b"]).spec("v")
        assert (spec.stride, spec.backbone) == (1, None)
        assert [(one.stride, one.backbone) for one in spec.sources] == [(1, "a"), (2, "b")]


def test_grids_that_differ_by_rounding_are_the_same() -> None:
    assert same_grid(TimeGrid(30, 15, 15), TimeGrid(30, 15, 15, start=1e-5))
    assert not same_grid(TimeGrid(30, 15, 15), TimeGrid(29.97, 15, 15))


class TestModelsOfSeveralSources:
    KNOWN = FeatureSpec(1, 1, 1, dim=5, sources=(FeatureSpec(1, 1, 1, dim=3), FeatureSpec(1, 2, 2, dim=2)))

    def test_take_their_sources_in_their_order_or_joined_already(self, tmp_path: Path) -> None:
        one, two = (
            write(tmp_path / "a/v.npy", np.zeros((50, 3)), grid(1)),
            write(tmp_path / "b/v.npy", np.zeros((25, 2)), grid(2)),
        )
        both = write(tmp_path / "c/v.npy", np.zeros((50, 5)), grid(1))
        assert (
            open_features(one, two, made_for=self.KNOWN).shape
            == open_features(both, made_for=self.KNOWN).shape
            == (50, 5)
        )
        for files, found in (((two, one), "2 and 3"), ((one,), "3")):
            with pytest.raises(
                InputError, match=f"{found} channels, but the model joins 2 sources of 3 and 2 channels"
            ):
                open_features(*files, made_for=self.KNOWN)
