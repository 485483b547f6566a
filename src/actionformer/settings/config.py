"""Every number of the system: typed, frozen, with its unit and its one default.

A `Config` comes from a preset (`presets/NAME.toml`, variants inside), from a TOML file of the user's, or from Python.
What `config.toml` of a model directory holds is the whole of it.
"""

from __future__ import annotations

import ast
import inspect
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from actionformer.core.errors import InputError
from actionformer.core.files import read_toml
from actionformer.core.names import nearest

Ranges = tuple[tuple[float, float], ...]
Changes = Mapping[str, Mapping[str, Any]]
"""Section -> setting -> value."""

WIDEST = 16_384
"""Channels of any layer."""
WIDEST_WINDOW = 8191
LONGEST_LIST = 100
MOST_WEIGHTS = 500_000_000
"""Of a network; the largest published one has 120 million."""
FARTHEST = 1e9
"""Of distances in features."""

DEFAULT_RANGES: Ranges = ((0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000))


class _Settings(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        allow_inf_nan=False,
    )


@cache
def descriptions() -> dict[str, dict[str, str]]:
    """Section -> setting -> the text beneath it in this file, which is read when somebody asks."""
    tree = ast.parse(inspect.getsource(sys.modules[__name__]))
    texts = {node.name: dict(_documented(node)) for node in tree.body if isinstance(node, ast.ClassDef)}
    return {name: texts[type(section).__name__] for name, section in Config()}


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(node.body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield ast.unparse(field.target), str(text.value.value)


def _all(numbers: tuple[int, ...] | int | None) -> tuple[int, ...]:
    return numbers if isinstance(numbers, tuple) else () if numbers is None else (numbers,)


def _short_list(name: str, numbers: tuple[float, ...]) -> None:
    if len(numbers) > LONGEST_LIST:
        raise ValueError(f"{name}: expected at most {LONGEST_LIST} numbers, found {len(numbers)}")


class DataSettings(_Settings):
    """Which videos, how their features lie in time, and how training crops them."""

    train_subset: tuple[str, ...] = ("training",)
    """Subsets of the annotation file to train on."""
    test_subset: tuple[str, ...] = ("validation",)
    """Subsets to evaluate on."""
    prefix: str = ""
    """What stands before the video's id in the name of its feature file, e.g. `v_`."""
    fps: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames per second of the video that features were taken from; without it, sidecar or annotation file."""
    stride: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames between neighbouring features; without it, the sidecar."""
    num_frames: float | None = Field(None, ge=1e-6, le=1e9)
    """Frames a feature covers; without it, the sidecar."""
    resize: int | None = Field(None, ge=1, le=100_000)
    """Length every sequence is resized to, linearly (ActivityNet: 192)."""
    normalize: bool = True
    """Standardise each feature channel by its mean and deviation over the training subset."""
    crop_ratio: tuple[float, float] = (0.9, 1.0)
    """Least and largest share of a sequence within max_length that a random crop keeps; 1, 1 keeps all."""
    min_overlap: float = Field(0.5, ge=0, le=1)
    """Share of an action's length that must lie in the crop for the action to be kept."""

    @field_validator("crop_ratio")
    @classmethod
    def _shares(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] <= value[1] <= 1:
            raise ValueError("crop_ratio must be two shares above 0 and up to 1, the least first")
        return value


class ModelSettings(_Settings):
    """The network. Widths are channels; a window is counted in positions of its own level."""

    input_dim: tuple[int, ...] | int | None = None
    """Channels of a feature vector; a list where features of several sources are concatenated; from the data."""
    num_classes: int | None = Field(None, ge=1, le=100_000)
    """Number of action classes; from the data."""
    projection: tuple[int, ...] | None = None
    """Widths that the sources of a list `input_dim` are projected to before the embedding."""
    backbone: Literal["transformer", "convolution"] = "transformer"
    """Blocks of the pyramid."""
    width: int = Field(512, ge=1, le=WIDEST)
    """Channels of the embedding and the pyramid."""
    neck: Literal["identity", "fpn"] = "identity"
    """What joins pyramid and heads: a LayerNorm a level, or a top-down feature pyramid."""
    neck_width: int | None = Field(None, ge=1, le=WIDEST)
    """Channels after an fpn neck; without it, `width`."""
    head_width: int | None = Field(None, ge=1, le=WIDEST)
    """Hidden channels of the two heads; without it, `width`."""
    num_heads: int = Field(4, ge=1, le=1024)
    """Attention heads."""
    window: tuple[int, ...] | int = 19
    """Window of local attention, odd; one number, or one a level; 1 or less is global."""
    embedding_layers: int = Field(2, ge=1, le=32)
    """Convolutions of the embedding."""
    stem_blocks: int = Field(2, ge=0, le=64)
    """Blocks at full length before the pyramid halves it."""
    branch_blocks: int = Field(5, ge=0, le=16)
    """Blocks that each halve the length."""
    stem_levels: bool = False
    """Every stem block's output is a level of its own, not only the last one's."""
    embedding_kernel: int = Field(3, ge=1, le=255)
    """Kernel of the embedding's convolutions, odd."""
    head_kernel: int = Field(3, ge=1, le=255)
    """Kernel of the heads' convolutions, odd."""
    head_layers: int = Field(3, ge=1, le=32)
    """Convolutions of a head, the last one included."""
    embedding_norm: bool = True
    """LayerNorm in the embedding."""
    neck_norm: bool = True
    """LayerNorm after the neck."""
    head_norm: bool = True
    """LayerNorm in the heads."""
    position: Literal["none", "sinusoidal", "learned"] = "none"
    """Absolute position encoding."""
    relative_position: bool = False
    """Learned bias of every offset within the window."""
    max_length: int = Field(2304, ge=1, le=1_000_000)
    """Longest sequence in training, in features; positions and the published padding are built on it."""
    padding: Literal["clean", "published"] = "clean"
    """`clean`: padding never changes a result; `published`: as the released checkpoints were trained."""
    offsets: Literal["softplus", "relu"] = "softplus"
    """What makes distances positive; the published relu has no gradient at 0."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout after attention and in the MLPs."""
    feature_shift: float = Field(0.0, ge=0, le=100)
    """Training gives every sequence a random gain and shift of this size a channel, in deviations of the channel."""
    feature_noise: float = Field(0.0, ge=0, le=100)
    """Training adds noise of this size to every feature, in deviations of the channel."""
    feature_dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout of the features themselves."""
    sensor_axes: int | None = Field(None, ge=3, le=WIDEST)
    """For features that are windows of samples of 3-D sensors, axis after axis: how many axes, e.g. 6."""
    sensor_rotation: float = Field(0.0, ge=0, le=360)
    """Training turns the sensors of every sequence in space, by an angle of this deviation in degrees."""
    drop_path: float = Field(0.1, ge=0, lt=1)
    """Probability of dropping a block's branch for a sample; above 0 a learned scale a channel comes with it."""
    prior: float = Field(0.01, gt=0, lt=1)
    """Probability that a fresh classifier gives every class."""
    regression_ranges: Ranges = DEFAULT_RANGES
    """Distances to an action's ends that each level is responsible for, in features (level-0 grid steps)."""

    @field_validator("window", "input_dim")
    @classmethod
    def _one_number(cls, value: tuple[int, ...] | int | None) -> tuple[int, ...] | int | None:
        return value[0] if isinstance(value, tuple) and len(value) == 1 else value

    @field_validator("regression_ranges", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        """The command line gives numbers in a row: 0 4 4 8."""
        flat = isinstance(value, list | tuple) and value and not any(isinstance(one, list | tuple) for one in value)
        return [value[i : i + 2] for i in range(0, len(value), 2)] if flat else value

    @model_validator(mode="after")
    def _consistent(self) -> ModelSettings:
        for window in _all(self.window):
            if window > 1 and window % 2 == 0:
                raise ValueError(f"window must be odd, found {window}")
            if not -1 <= window <= WIDEST_WINDOW:
                raise ValueError(f"window must lie between -1 and {WIDEST_WINDOW}, found {_short(window)}")
        for name in ("embedding_kernel", "head_kernel"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"{name} must be odd, found {getattr(self, name)}")
        if isinstance(self.window, tuple) and len(self.window) != 1 + self.branch_blocks:
            raise ValueError(
                f"window lists {len(self.window)} numbers for {1 + self.branch_blocks} resolutions: "
                "one for the stem and one for each branch block"
            )
        if len(self.regression_ranges) != self.num_levels:
            raise ValueError(
                f"regression_ranges has {len(self.regression_ranges)} entries for {self.num_levels} levels"
            )
        self._check_ranges()
        sources = _all(self.input_dim) + _all(self.projection)
        if not all(1 <= channels <= WIDEST for channels in sources):
            raise ValueError(f"input_dim and projection count channels, from 1 on and up to {WIDEST} a source")
        _short_list("input_dim and projection", sources)
        self._check_sensors()
        if self.projection is not None:
            if not isinstance(self.input_dim, tuple) or len(self.input_dim) != len(self.projection):
                raise ValueError("projection needs a list input_dim of the same length")
            if sum(self.projection) != self.width:
                raise ValueError(f"projection widths sum to {sum(self.projection)}, width is {self.width}")
        if self.backbone == "transformer" and self.width % self.num_heads:
            raise ValueError(f"width {self.width} does not divide into {self.num_heads} attention heads")
        if self.stem_blocks == 0 and self.stem_levels:
            raise ValueError("stem_levels needs stem blocks")
        if self.neck == "identity" and self.neck_width not in (None, self.width):
            raise ValueError(f"an identity neck keeps width {self.width}, found neck_width {self.neck_width}")
        if self.rough_size > MOST_WEIGHTS:
            raise ValueError(
                f"the network would have {self.rough_size:.1e} weights, at most {MOST_WEIGHTS:.1e} are built"
            )
        return self

    def _check_ranges(self) -> None:
        before = (0.0, 0.0)
        for least, largest in self.regression_ranges:
            if not 0 <= least < largest <= FARTHEST:
                raise ValueError(
                    f"regression_ranges must each be [least, largest] from 0 on, found [{least:g}, {largest:g}]"
                )
            if least < before[0] or largest < before[1]:
                raise ValueError(f"regression_ranges must not fall from level to level, found [{least:g}, {largest:g}]")
            before = least, largest

    def _check_sensors(self) -> None:
        if self.sensor_rotation and self.sensor_axes is None:
            raise ValueError("sensor_rotation needs sensor_axes")
        if self.sensor_axes is not None and self.sensor_axes % 3:
            raise ValueError(f"sensor_axes counts axes of 3-D sensors, a multiple of 3, found {self.sensor_axes}")
        if self.sensor_axes is not None and self.input_dim is not None and self.input_width % self.sensor_axes:
            raise ValueError(f"{self.input_width} channels do not divide into {self.sensor_axes} sensor axes")

    @property
    def rough_size(self) -> float:
        """Weights of the network, nearly; what the data have yet to tell is left out."""
        width, neck = self.width, self.neck_width or self.width
        head = self.head_width or self.width
        sources = sum(_all(self.input_dim))
        embedding = self.embedding_kernel * width * (sources + width * (self.embedding_layers - 1))
        block = (12 if self.backbone == "transformer" else 13) * width**2
        biases = self.num_heads * (self.stem_blocks * self.windows[0] + sum(self.windows[1:]))
        blocks = block * (self.stem_blocks + self.branch_blocks) + biases * self.relative_position
        joined = width * neck * self.num_levels if self.neck == "fpn" else 0
        hidden = neck * head + head**2 * max(self.head_layers - 2, 0)
        heads = self.head_kernel * (2 * hidden + head * ((self.num_classes or 0) + 2))
        table = width * self.max_length if self.position != "none" else 0
        return embedding + blocks + joined + heads + table

    @property
    def windows(self) -> tuple[int, ...]:
        """The window of the stem and of every branch block."""
        return self.window if isinstance(self.window, tuple) else (self.window,) * (1 + self.branch_blocks)

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride of every level, in features."""
        stem = self.stem_blocks if self.stem_levels else 1
        return (1,) * stem + tuple(2 ** (i + 1) for i in range(self.branch_blocks))

    @property
    def level_windows(self) -> tuple[int, ...]:
        """The window of every level."""
        return (self.windows[0],) * (len(self.strides) - self.branch_blocks) + self.windows[1:]

    @property
    def num_levels(self) -> int:
        """Levels of the pyramid."""
        return len(self.strides)

    @property
    def input_width(self) -> int:
        """Channels of a feature vector, all sources together."""
        if self.input_dim is None:
            raise InputError("model.input_dim is not set: give it, or let training read it from the features")
        return sum(self.input_dim) if isinstance(self.input_dim, tuple) else self.input_dim


class TrainingSettings(_Settings):
    """Targets, losses, optimisation and the run."""

    epochs: int = Field(30, ge=1, le=100_000)
    """Epochs after the warm-up, which comes on top."""
    warmup_epochs: int = Field(5, ge=0, le=100_000)
    """Epochs over which the rate rises linearly."""
    batch_size: int = Field(2, ge=1, le=65_536)
    """Sequences in a batch."""
    batch_by_length: bool = True
    """Let sequences of like length share a batch, so that less of the arithmetic is padding; else any do."""
    accumulate: int = Field(1, ge=1, le=65_536)
    """Batches whose gradients make one step; k batches of b equal one of k * b."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """Decoupled weight decay, or Adam's own."""
    learning_rate: float = Field(1e-4, gt=0, le=100)
    """Peak rate."""
    weight_decay: float = Field(0.05, ge=0, le=100)
    """On the weights of convolutions and linear maps only."""
    gradient_clip: float = Field(1.0, ge=0, le=1e9)
    """Largest L2 norm of all gradients together; 0 is off."""
    average_decay: float = Field(0.999, ge=0, lt=1)
    """Decay of the weight average that evaluation uses; 0 evaluates the last weights."""
    average_warmup: bool = True
    """Let the decay rise as min(average_decay, (1 + step) / (10 + step)), so that short runs average too."""
    center_sampling: bool = True
    """Only moments near an action's centre are positive."""
    center_radius: float = Field(1.5, gt=0, le=1e6)
    """How near, in strides of the level."""
    regression_weight: float = Field(1.0, ge=-1e6, le=1e6)
    """Weight of the regression loss; below 0 it is scaled to the size of the classification loss."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of a class target that is spread over all classes."""
    initial_normalizer: float = Field(100.0, gt=0, le=1e9)
    """Starting value of the running mean of positives that losses are divided by."""
    empty_class_prior: bool = False
    """Start classes without a training action at probability 1e-6 (EPIC-Kitchens)."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Type of the forward pass's arithmetic."""
    workers: int | None = Field(None, ge=0, le=256)
    """Threads that read batches ahead; by default none on a CPU, which computes itself, and up to 4 for a GPU."""
    evaluate_every: int = Field(5, ge=0, le=100_000)
    """Epochs between evaluations; 0 evaluates at the end only."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of weights, order, crops and dropout."""

    @property
    def all_epochs(self) -> int:
        """Epochs of a run, warm-up included."""
        return self.warmup_epochs + self.epochs


class DecodingSettings(_Settings):
    """From scores and offsets of every moment to candidates."""

    min_probability: float = Field(0.001, ge=0, lt=1)
    """Class probabilities at or below are no candidates."""
    top_k: int = Field(2000, ge=1, le=10_000_000)
    """Best candidates kept at each level; of how much of a video, `cap_per` says."""
    cap_per: Literal["length", "video"] = "length"
    """`length`: top_k is kept of every model.max_length features; `video`: of a whole video, as published."""
    min_length: float = Field(0.05, ge=0, le=1e6)
    """Candidates of this length or shorter are dropped, in features (grid steps)."""


class SuppressionSettings(_Settings):
    """From candidates to detections."""

    method: Literal["soft", "hard", "none"] = "soft"
    """Gaussian decay of overlapping scores, removal of overlapping segments, or only the cap."""
    per_class: bool = True
    """Segments suppress those of their own class only."""
    sigma: float = Field(0.5, ge=1e-6, le=1e6)
    """Soft: scores decay by exp(-tIoU^2 / sigma)."""
    tiou_threshold: float = Field(0.1, ge=0, le=1)
    """Hard: tIoU from which a segment is removed."""
    min_score: float = Field(0.001, ge=0, le=1)
    """Scores below are dropped."""
    max_detections: int = Field(200, ge=1, le=10_000_000)
    """Most detections of a video, all classes together."""
    cap_per: Literal["length", "video"] = "length"
    """`length`: videos of more than model.max_length features may have more in proportion; `video`: as published."""
    voting_threshold: float = Field(0.0, ge=0, le=1)
    """Class-agnostic only: a kept segment becomes the weighted mean of candidates from this tIoU on; 0 is off."""


class LiveSettings(_Settings):
    """Detection in features that have no end yet; set, they mean the same in finished videos."""

    max_action_seconds: float | None = Field(None, gt=0, le=1e9)
    """Longest action; longer candidates are dropped, and suppression is cut into blocks of this length. Unset: off."""
    max_per_hour: float | None = Field(None, gt=0, le=1e9)
    """Most detections an hour, in place of suppression.max_detections; where there are blocks, each has its share."""


class EvaluationSettings(_Settings):
    """What evaluation reports."""

    tiou: tuple[float, ...] = Field((0.3, 0.4, 0.5, 0.6, 0.7), min_length=1)
    """tIoU thresholds of mean average precision."""
    recall_at: tuple[int, ...] = Field((1, 5), min_length=1)
    """The k of Recall@kx."""

    @field_validator("tiou")
    @classmethod
    def _thresholds(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < threshold <= 1 for threshold in value):
            raise ValueError("tIoU thresholds lie above 0 and up to 1")
        _short_list("tiou", value)
        return value

    @field_validator("recall_at")
    @classmethod
    def _multiples(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not all(1 <= k <= 1000 for k in value):
            raise ValueError("recall_at must be whole numbers from 1 on, up to 1000")
        _short_list("recall_at", value)
        return value


class Config(_Settings):
    """All settings of a model: what `config.toml` holds."""

    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    decoding: DecodingSettings = DecodingSettings()
    suppression: SuppressionSettings = SuppressionSettings()
    live: LiveSettings = LiveSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="before")
    @classmethod
    def _published_caps(cls, tables: Any) -> Any:
        """Published padding comes with published caps, also where a file was written before there were others."""
        model = tables.get("model") if isinstance(tables, Mapping) else None
        padding = model.get("padding") if isinstance(model, Mapping) else getattr(model, "padding", None)
        if padding != "published":
            return tables
        unsaid = [name for name in ("decoding", "suppression") if isinstance(tables.get(name, {}), Mapping)]
        return {**tables, **{name: {"cap_per": "video", **tables.get(name, {})} for name in unsaid}}

    def replace(self, **sections: Mapping[str, Any]) -> Config:
        """A copy with some settings changed: `config.replace(training={"epochs": 3})`.

        Raises:
            InputError: an unknown setting (the nearest known one is named) or a value out of range.
        """
        return _validated(_merged(self.model_dump(), sections), source="settings")

    def to_toml(self) -> str:
        """The settings as TOML, each with its description as a comment."""
        document = tomlkit.document()
        for section, settings in self:
            table = tomlkit.table()
            table.comment((type(settings).__doc__ or "").strip())
            for key, value in settings.model_dump(mode="json").items():
                text = descriptions()[section][key]
                if value is None:
                    table.add(tomlkit.comment(f"{key} is not set: {text}"))
                else:
                    item = tomlkit.item(value)
                    item.comment(text)
                    table.add(key, item)
            document.add(section, table)
        return tomlkit.dumps(document)


def preset_names() -> list[str]:
    """The names that `load_config` knows."""
    names = []
    for file in resources.files("actionformer.settings.presets").iterdir():
        if file.name.endswith(".toml"):
            stem = file.name.removesuffix(".toml")
            variants = tomllib.loads(file.read_text("utf-8")).get("variants", {})
            names += [f"{stem}_{variant}" for variant in variants] or [stem]
    return sorted(names)


def load_config(source: str | Path | Config, changes: Changes | None = None) -> Config:
    """Settings of a preset, a TOML file or a model directory, with `changes` on top.

    Args:
        source: the name of a preset, a path that ends in `.toml`, a directory with a `config.toml`, or a Config.
        changes: section -> setting -> value.

    Raises:
        InputError: no such preset or file, broken TOML (with its line), an unknown setting, a value out of range.
    """
    if isinstance(source, Config):
        return source.replace(**(changes or {}))
    path = Path(source)
    is_preset = isinstance(source, str) and source in preset_names()  # also where a folder has that name
    if path.is_dir() and not is_preset:
        path = path / "config.toml"
    if path.suffix == ".toml":
        tables = read_toml(path)
        if "preset" in tables:
            tables = _merged(_preset_tables(str(tables.pop("preset"))), tables)
    else:
        tables = _preset_tables(str(source))
    tables.pop("published", None)
    return _validated(_merged(tables, changes or {}), source=str(source))


def _preset_tables(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise InputError(
            f"no preset {name!r}{nearest(name, preset_names()) or '.'} "
            f"The presets are {', '.join(preset_names())}; or give a .toml file"
        )
    files = resources.files("actionformer.settings.presets")
    stem, variant = name, ""
    while not (files / f"{stem}.toml").is_file():
        stem, _, last = stem.rpartition("_")
        variant = f"{last}_{variant}" if variant else last
    tables = tomllib.loads((files / f"{stem}.toml").read_text("utf-8"))
    variants = tables.pop("variants", {})
    return _merged(tables, variants[variant]) if variant else tables


def published_shape(preset: str) -> dict[str, Any]:
    """`input_dim` and `num_classes` of a preset's published features, as far as its settings leave them to the data."""
    shape: dict[str, Any] = _preset_tables(preset).get("published", {})
    return shape


def _merged(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(tables)
    for key, value in changes.items():
        both_tables = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both_tables else value
    return result


SettingsT = TypeVar("SettingsT", bound=_Settings)


def _validated(tables: Mapping[str, Any], source: str) -> Config:
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise InputError(f"{source}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    name = ".".join(where[:2])
    if first["type"] == "extra_forbidden":
        known: list[str] = list(Config.model_fields)
        if len(where) > 1:
            known = list(type(getattr(Config(), where[0])).model_fields)
        return f"unknown setting {name}{nearest(where[-1], known)}"
    message = first["msg"].removeprefix("Value error, ")
    found = "" if isinstance(first["input"], Mapping) else f", found {_short(first['input'])}"
    return f"{name}: {message}{found}"


def _short(value: Any) -> str:
    """A value in a message: huge numbers and long texts are cut."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python prints
        text = f"a number of {value.bit_length()} bits"
    return text if len(text) <= 80 else f"{text[:77]}..."
