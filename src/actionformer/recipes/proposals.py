"""Where the proposals come from that a second stage judges: a file of detections, or a model that finds them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.core import ranks
from actionformer.core.errors import InputError, listed, untold, warn
from actionformer.core.hashes import hash_of
from actionformer.core.names import explained, matched
from actionformer.core.progress import counted
from actionformer.core.run_files import CONFIG, WEIGHTS
from actionformer.core.terminal import plain_console
from actionformer.core.words import part, plural
from actionformer.data.collection import FeaturedVideo, common_spec
from actionformer.data.fingerprint import proposals_hash
from actionformer.data.split import with_held_out
from actionformer.detectors.base import takes_proposals
from actionformer.features import FeatureSpec
from actionformer.formats.annotations import read_annotations
from actionformer.formats.detections import read_results
from actionformer.hub import model_folder
from actionformer.inference.annotated import detect_videos
from actionformer.inference.detector import Detector
from actionformer.inference.loading import load_proposer
from actionformer.inference.proposals import (
    MISSING,
    NOT_TAKEN,
    Seconds,
    check_proposer,
    outside_in_words,
    seconds_of,
    within,
)
from actionformer.settings.config import Config

Proposals = str | Path | Mapping[str, Any]
"""A file of detections, a model directory, or video -> detections or (N, 2) starts and ends in seconds."""


class ProposalSource(ABC):
    """Gives videos their proposals.

    Attributes:
        name: what messages call it.
        file: the file of detections, where there is one.
        model: the model directory that finds them, where there is one, which a model that learns from them keeps.
    """

    name: str
    file: str | None = None
    model: Path | None = None

    @abstractmethod
    def found(self, videos: Sequence[FeaturedVideo], prefix: str) -> dict[str, Seconds]:
        """Video -> its proposals."""

    @abstractmethod
    def hash(self, videos: Sequence[FeaturedVideo]) -> str:
        """What tells it from another source of proposals for these videos, which have theirs."""

    @abstractmethod
    def identity(self) -> str:
        """What tells it from another source, whatever the videos."""

    @abstractmethod
    def serve(self, detector: Detector) -> None:
        """Lets a detector ask it about features that it is to look at, where it can answer.

        Raises:
            InputError: it cannot look at the detector's features.
        """

    @abstractmethod
    def of(self, video: str, prefix: str) -> Seconds | None:
        """What it knows beforehand of a video; None where the detector asks.

        Raises:
            InputError: it should, and does not.
        """

    def learned(self) -> Set[str]:
        """The videos that it is known to have learned from."""
        return frozenset()

    def added(self, videos: Sequence[FeaturedVideo], prefix: str) -> list[FeaturedVideo]:
        """The videos with their proposals, cut to them; those without any, and what lies outside, are told.

        Raises:
            InputError: there are none of some videos, or none that lies in any.
        """
        found = self.found(videos, prefix)
        judged = [replace(one, proposals=within(found[one.video.id], one.end, one.grid.start)) for one in videos]
        self._tell(found, judged)
        return judged

    def tell_learned(self, evaluated: Sequence[FeaturedVideo]) -> None:
        """Tells where it has learned from videos that are evaluated: what it proposes there flatters the figures."""
        if known := self.learned() & {one.video.id for one in evaluated}:
            warn(
                f"{self.name}: has learned from {part(len(known), len(evaluated), 'videos')} that figures are of: its "
                "proposals are better there than in new videos, and figures are too good. Train it with --folds, and "
                "give --proposals the detections.json of that",
                stacklevel=4,
            )

    def _tell(self, found: Mapping[str, Seconds], judged: Sequence[FeaturedVideo]) -> None:
        left = {one.video.id: 0 if one.proposals is None else len(one.proposals) for one in judged}
        count = sum(len(found[id_]) for id_ in left)
        if judged and not any(left.values()):
            raise InputError(
                f"{self.name}: no proposal for any of {plural(len(judged), 'video')}: nothing is left to judge"
                if not count
                else f"{self.name}: no proposal lies in its video: times count in seconds, from its beginning"
            )
        outside = [id_ for id_, number in left.items() if number < len(found[id_])]
        if outside:
            lost = count - sum(left.values())
            warn(f"{self.name}: {outside_in_words(lost, count)}; videos {listed(outside, 3)}", stacklevel=5)
        if empty := [id_ for id_, number in left.items() if not number]:
            said = part(len(empty), len(left), "videos have no proposals, and nothing will be found there")
            warn(f"{self.name}: {said}: {listed(empty, 3)}", stacklevel=5)


class ProposalFile(ProposalSource):
    """Proposals that were found before: of a file of detections, or in memory."""

    def __init__(self, given: Proposals) -> None:
        self.file = None if isinstance(given, Mapping) else str(Path(given).resolve())
        self.name = "proposals" if isinstance(given, Mapping) else str(given)
        self._of: Mapping[str, Any] = given if isinstance(given, Mapping) else read_results(given)

    def found(self, videos: Sequence[FeaturedVideo], prefix: str) -> dict[str, Seconds]:
        """Those of the file."""
        return self._all([one.video.id for one in videos], prefix)

    def serve(self, detector: Detector) -> None:
        """It cannot: it knows videos by their names."""

    def of(self, video: str, prefix: str) -> Seconds:
        """Those of one video."""
        return self._all([video], prefix)[video]

    def hash(self, videos: Sequence[FeaturedVideo]) -> str:
        """Of what it says of these videos."""
        return proposals_hash(videos)

    def identity(self) -> str:
        """Of the file."""
        assert self.file is not None
        return hash_of([Path(self.file)])

    def _all(self, videos: Sequence[str], prefix: str) -> dict[str, Seconds]:
        """Those of some videos, whose names may begin with the prefix here."""
        own = matched(videos, self._of)
        longer = matched([prefix + name for name in videos if name not in own], self._of)
        own |= {name.removeprefix(prefix): known for name, known in longer.items()}
        if missing := [name for name in videos if name not in own]:
            raise InputError(
                f"{self.name}: {part(len(missing), len(videos), 'videos have no proposals')}: {listed(missing, 3)}"
                f"{explained(missing, list(self._of))}; a video in which none was found has an empty list in JSON"
            )
        return {name: self._seconds(own[name]) for name in videos}

    def _seconds(self, known: str) -> Seconds:
        try:
            return seconds_of(self._of[known])
        except InputError as error:
            raise InputError(f"{self.name}: video {known!r}: {error}") from error


class Proposer(ProposalSource):
    """A model that finds proposals; what it finds in a video is kept."""

    def __init__(self, model: str | Path, console: Console, *, device: str, other_timing: bool) -> None:
        self.model, self.name, self.console = Path(model), str(model), console
        self.detector = load_proposer(model, device=device, other_timing=other_timing)
        self.detector.tell = lambda message, stacklevel: None  # that caps cut some is no loss: nothing asks for all
        self._kept: dict[str, Seconds] = {}

    def found(self, videos: Sequence[FeaturedVideo], prefix: str) -> dict[str, Seconds]:
        """What it finds in their features."""
        self._check(common_spec(videos))
        todo = ranks.mine([one for one in videos if one.video.id not in self._kept])
        found: dict[str, Seconds] = {}
        for one in counted(todo, len(todo), self.console, "videos proposed in"):
            found[one.video.id] = detect_videos(self.detector, [one])[one.video.id].segments
        for of_process in ranks.gathered(found):
            self._kept |= of_process
        return {one.video.id: self._kept[one.video.id] for one in videos}

    def serve(self, detector: Detector) -> None:
        """It is the detector's proposer from now on."""
        self._check(replace(detector.card.features, dim=detector.config.model.input_width))
        detector.proposer = self.detector

    def of(self, video: str, prefix: str) -> None:
        """Nothing: it is asked."""

    def hash(self, videos: Sequence[FeaturedVideo]) -> str:
        """Of the model: what it finds may differ in the last digit from machine to machine."""
        return self.identity()

    def learned(self) -> Set[str]:
        """Those of its annotations' training subset, as far as they can still be read."""
        card = self.detector.card
        source = card.training.get("annotations")
        if source is None:
            return frozenset()
        try:
            with untold():  # about the annotations, which training tells
                every = with_held_out(read_annotations(source), card.held_out)
            return every.subset(card.training.get("subset", [])).videos.keys()
        except InputError:
            return frozenset()

    def identity(self) -> str:
        """Of its weights and settings."""
        assert self.model is not None
        return model_hash(self.model)

    def _check(self, features: FeatureSpec) -> None:
        """Raises an InputError if it cannot look at features of this kind."""
        other_timing = self.detector.other_timing
        check_proposer(self.detector.config, self.detector.card, features, self.name, other_timing=other_timing)


def model_hash(model: Path) -> str:
    """What tells a model from another: its weights and settings."""
    return hash_of([model / CONFIG, model / WEIGHTS])


def source_of(
    given: Proposals | None, *, device: str = "cpu", other_timing: bool = False, console: Console | None = None
) -> ProposalSource | None:
    """The source that a call names, None where it names none.

    Args:
        given: what it names.
        device: where a model computes.
        other_timing: let it look at features of another timing than its own.
        console: where progress is shown; by default nowhere.

    Raises:
        InputError: neither a file of detections nor a model directory, or a broken one.
    """
    if given is None or isinstance(given, Mapping):
        return None if given is None else ProposalFile(given)
    given = model_folder(given)
    if given.is_dir():
        return Proposer(given, console or plain_console(quiet=True), device=device, other_timing=other_timing)
    if not given.exists():
        raise InputError(f"{given}: is not there: give --proposals a file of detections, or the model that finds them")
    return ProposalFile(given)


def check_taken(config: Config, proposals: Any) -> None:
    """Checks that there are proposals where a detector judges some, and none where it does not.

    Raises:
        InputError: otherwise.
    """
    takes = takes_proposals(config)
    if takes and proposals is None:
        raise InputError(MISSING)
    if proposals is not None and not takes:
        raise InputError(f"{config.model.detector}: {NOT_TAKEN}")


def with_proposals(
    detector: Detector, videos: Sequence[FeaturedVideo], source: ProposalSource | None
) -> list[FeaturedVideo]:
    """Videos with what a second stage judges: by a source, else those that its own proposer finds when it looks, else
    those of the file that it was trained with. Those of any other detector stay as they are.

    Raises:
        InputError: nobody gives any.
    """
    if not detector.second_stage or (source is None and detector.proposer is not None):
        return list(videos)
    source = source or source_of(detector.card.training.get("proposals"))
    if source is None:
        raise InputError(MISSING)
    return source.added(videos, detector.config.data.prefix)
