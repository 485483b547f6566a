"""Two repositories of G-TAD (Xu et al., CVPR 2020): the authors' own, of two branches, and OpenTAD."""

from __future__ import annotations

from torch import Tensor

from actionformer.interop.last_layers import parted
from actionformer.interop.repository import Repository


def _by_channel(weights: dict[str, Tensor], name: str, like: str) -> dict[str, Tensor]:
    """The first map of a segment's bins, (O, C * R, 1, 1), as (O, C, R): C are the outputs of another weight."""
    flat, beside = weights.get(name), weights.get(like)
    if flat is None or beside is None or flat.ndim < 2 or flat.shape[1] % max(len(beside), 1):
        return weights
    return weights | {name: flat.flatten(1).unflatten(1, (len(beside), -1))}


def _of_authors(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    placed = _by_channel(weights, "localization.0.weight", "backbone2.0.tconvs.4.weight")
    return parted(placed, "localization.8", ("overlap", "classes"))


_EXTRACTOR = "roi_head.proposal_roi_extractor"


def _of_opentad(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    placed = _by_channel(weights, f"{_EXTRACTOR}.conv2d.0.weight", f"{_EXTRACTOR}.gcnext.tconvs.4.weight")
    return parted(placed, "roi_head.proposal_head.head.3", ("classes", "overlap"))


_BLOCKS = tuple(
    (rf"\.{own}\.{place}\.", f".{theirs}.{2 * place}.")
    for own, theirs in (("time", "tconvs"), ("likeness", "sconvs"))
    for place in range(3)
)
_CAPS = {"cap_per": "video"}
_AUTHORS_RENAMES = (
    (r"^base\.", "backbone1.0."),
    (r"^graph\.", "backbone1.2."),
    (r"^context\.", "backbone2.0."),
    (r"^start\.", "regu_s."),
    (r"^end\.", "regu_e."),
    (r"^(regu_.)\.graph\.", r"\1.0."),
    (r"^(regu_.)\.output\.", r"\1.1."),
    *_BLOCKS,
    (r"^align\.", "localization.0."),
    (r"^map\.narrow\.", "localization.2."),
    (r"^map\.convs\.0\.", "localization.4."),
    (r"^map\.convs\.1\.", "localization.6."),
    (r"^map\.", "localization.8."),
)


def _authors(convention: str, kernel: int, boundaries: str) -> Repository:
    """The branch of one data set, which the kernel of its map tells."""
    return Repository(
        renames=_AUTHORS_RENAMES,
        weights="state_dict",
        detector="gtad",
        own_weights=("backbone1.2.tconvs.0.weight", "localization.4.weight"),
        own_shape=("localization.4.weight", (kernel, kernel)),
        prepare=_of_authors,
        changes={
            "data": {"normalize": False},
            "model": {"convention": convention, "map_kernel": kernel},
            "decoding": _CAPS | {"min_probability": 0.0, "top_k": 100_000, "boundaries": boundaries},
            "suppression": _CAPS,
        },
    )


THUMOS14 = _authors("thumos14", 3, "all")
ACTIVITYNET = _authors("activitynet", 1, "likely")
OPENTAD = Repository(
    renames=(
        (r"^base\.", "projection.convs.0.conv."),
        (r"^graph\.", "neck."),
        (r"^context\.", f"{_EXTRACTOR}.gcnext."),
        (r"^start\.", "rpn_head.tem.0."),
        (r"^end\.", "rpn_head.tem.1."),
        (r"^(rpn_head\.tem\..)\.graph\.", r"\1.0."),
        (r"^(rpn_head\.tem\..)\.output\.", r"\1.1.conv."),
        *_BLOCKS,
        (r"^align\.", f"{_EXTRACTOR}.conv2d.0."),
        (r"^map\.convs\.(\d)\.", r"roi_head.proposal_head.head.\1.0."),
        (r"^map\.", "roi_head.proposal_head.head.3."),
    ),
    weights="state_dict",
    detector="gtad",
    own_weights=("neck.tconvs.0.weight", f"{_EXTRACTOR}.gcnext.tconvs.0.weight"),
    prepare=_of_opentad,
    changes={
        "data": {"normalize": False},
        "model": {"convention": "opentad"},
        "decoding": _CAPS | {"min_probability": 0.0, "top_k": 100_000},
        "suppression": _CAPS,
    },
)
