"""The pictures of docs/detectors: how data flow through each detector, drawn as SVG without any library.

    python benchmarks/flows.py [docs/detectors]

A picture is a row of panels with arrows between them. What a panel shows is a sketch, not a measurement.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

BLUE, ORANGE, GREEN, RED, GREY, DARK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#BBBBBB", "#333333"
WIDE, HIGH, GAP = 150, 100, 34
"""Of the drawing in a panel, and between two panels."""
TOP, BOTTOM, SIDE = 34, 58, 14
"""Above drawings: titles; below: captions; beside: nothing."""
LINE = 15
STYLE = f"""<style>
text {{ font-family: sans-serif; fill: {DARK} }}
.title {{ font-size: 14px; font-weight: bold; text-anchor: middle }}
.caption {{ font-size: 11px; text-anchor: middle }}
.small {{ font-size: 10px }}
</style>"""
ARROW = f"""<defs><marker id="arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto">
<path d="M 0 0 L 8 4 L 0 8 z" fill="{DARK}"/></marker></defs>"""


class Drawing:
    """Shapes in a panel, whose corner above on the left is (0, 0)."""

    def __init__(self, x: float) -> None:
        self.x = x
        self.shapes: list[str] = []

    def bar(self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 1.0) -> None:
        """A filled rectangle."""
        place = f'x="{self.x + x:.1f}" y="{TOP + y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self.shapes.append(f'<rect {place} fill="{colour}" fill-opacity="{opacity:.2f}"/>')

    def line(
        self, points: Iterable[tuple[float, float]], colour: str, width: float = 1.5, *, arrow: bool = False
    ) -> None:
        """A line through points."""
        path = " ".join(f"{self.x + x:.1f},{TOP + y:.1f}" for x, y in points)
        end = ' marker-end="url(#arrow)"' if arrow else ""
        self.shapes.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{end}/>')

    def arc(self, start: float, end: float, y: float, height: float, colour: str) -> None:
        """A bow from one place of a row to another."""
        corner = f"Q {self.x + (start + end) / 2:.1f} {TOP + y - height:.1f}"
        path = f"M {self.x + start:.1f} {TOP + y:.1f} {corner} {self.x + end:.1f} {TOP + y:.1f}"
        self.shapes.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"/>')

    def dot(self, x: float, y: float, colour: str, radius: float = 3) -> None:
        """A filled circle."""
        self.shapes.append(f'<circle cx="{self.x + x:.1f}" cy="{TOP + y:.1f}" r="{radius}" fill="{colour}"/>')

    def say(self, x: float, y: float, words: str) -> None:
        """Small words that begin at a place."""
        self.shapes.append(f'<text class="small" x="{self.x + x:.1f}" y="{TOP + y:.1f}">{escape(words)}</text>')


class Panel(NamedTuple):
    """A stage of a detector."""

    title: str
    draw: Callable[[Drawing], None]
    caption: str
    """Lines, with | between them."""


def strip(on: Drawing, y: float = 30, *, moments: int = 24, colour: str = BLUE, height: float = 40) -> None:
    """Features over time: a column each."""
    step = WIDE / moments
    for i in range(moments):
        on.bar(i * step, y, step - 1, height, colour, 0.25 + 0.7 * abs(math.sin(0.9 * i) * math.cos(0.23 * i)))


def features(on: Drawing) -> None:
    """What the user brings."""
    strip(on, colour=GREY)
    on.bar(40, 78, 46, 7, GREEN)
    on.say(40, 98, "an action")


def embedded(on: Drawing) -> None:
    """The same length, other channels."""
    strip(on)


def levels(on: Drawing) -> None:
    """Each with half of the moments of the one above."""
    for row in range(4):
        strip(on, 4 + 25 * row, moments=24 // 2**row, height=18)


def attention_levels(on: Drawing) -> None:
    """What a moment sees on its level."""
    levels(on)
    for row, (moment, reach) in enumerate(((59, 22), (62, 44), (72, 60))):
        on.line([(moment - reach, 23 + 25 * row), (moment + reach, 23 + 25 * row)], ORANGE, 3)


def scalable_levels(on: Drawing) -> None:
    """A narrow and a wide convolution, and the mean."""
    levels(on)
    for row, reach in enumerate((8, 16, 32)):
        on.line([(66 - 2.2 * reach, 23 + 25 * row), (66 + 2.2 * reach, 23 + 25 * row)], ORANGE, 1.5)
        on.line([(66 - reach, 23 + 25 * row), (66 + reach, 23 + 25 * row)], ORANGE, 4)


def pooled_levels(on: Drawing) -> None:
    """Of three moments the largest, at every second one."""
    levels(on)
    for row, step in enumerate((6.25, 12.5, 25.0)):
        for moment in range(3):
            on.line([(48 + (moment + 0.5) * step, 22 + 25 * row), (48 + 1.5 * step, 28 + 25 * row)], ORANGE)


def distances(on: Drawing) -> None:
    """What and how far, of one moment."""
    for i, worth in enumerate((0.1, 0.85, 0.2)):
        on.bar(0, 8 + 12 * i, 60 * worth, 9, RED)
        on.say(66, 16 + 12 * i, f"class {i + 1}")
    on.dot(62, 72, DARK, 4)
    on.line([(58, 72), (22, 72)], DARK, arrow=True)
    on.line([(66, 72), (122, 72)], DARK, arrow=True)
    on.say(20, 92, "start")
    on.say(112, 92, "end")


def trident(on: Drawing) -> None:
    """Ends as means over bins."""
    for side, places in ((0, (0.1, 0.2, 0.7, 1.0, 0.4)), (80, (0.2, 0.5, 1.0, 0.5, 0.1))):
        for i, worth in enumerate(places):
            on.bar(side + 12 * i, 66 - 50 * worth, 10, 50 * worth, ORANGE)
    on.dot(70, 72, DARK, 4)
    on.line([(66, 72), (36, 72)], DARK, arrow=True)
    on.line([(74, 72), (106, 72)], DARK, arrow=True)
    on.say(0, 92, "bins of the start")
    on.say(88, 92, "of the end")


def segments(on: Drawing) -> None:
    """What is left of overlapping candidates."""
    for i, (start, end, worth) in enumerate(((30, 92, 0.35), (36, 86, 0.35), (40, 86, 1.0), (112, 136, 1.0))):
        on.bar(start, 8 + 20 * i, end - start, 11, GREEN if worth == 1 else GREY, worth)
    on.line([(0, 88), (150, 88)], DARK, 1)


def boundaries(on: Drawing) -> None:
    """Probabilities of starts and ends over time."""
    for colour, centre in ((BLUE, 42), (RED, 86)):
        curve = [
            (x, 70 - 55 * math.exp(-(((x - centre) / 9) ** 2)) - 9 * abs(math.sin(x / 13))) for x in range(0, 151, 3)
        ]
        on.line(curve, colour)
    on.line([(0, 72), (150, 72)], DARK, 1)
    on.say(26, 90, "start")
    on.say(80, 90, "end")


def segment_map(on: Drawing) -> None:
    """A value for every length and first step."""
    cells = 11
    for length in range(cells):
        for first in range(cells - length):
            near = math.exp(-(((first - 3) / 1.6) ** 2) - ((length - 4) / 1.6) ** 2)
            on.bar(12 + 11.5 * first, 88 - 8 * length, 10.5, 7, BLUE, 0.12 + 0.88 * near)
    on.say(34, 104, "to the right: later")
    on.say(72, 14, "upwards: longer")


def samples(on: Drawing) -> None:
    """Samples of a segment and its surroundings."""
    strip(on, 20, height=26)
    on.bar(40, 54, 46, 7, GREEN)
    on.bar(17, 54, 23, 7, GREY)
    on.bar(86, 54, 23, 7, GREY)
    for i in range(16):
        x = 18 + i * 6.05
        on.line([(x, 62), (46 + i * 3.7, 82)], ORANGE, 0.8)
    on.bar(44, 82, 60, 9, ORANGE)


def graph(on: Drawing) -> None:
    """Neighbours in time, and by likeness."""
    for i in range(13):
        on.dot(6 + 11.5 * i, 70, BLUE)
        if i < 12:
            on.line([(9 + 11.5 * i, 70), (14.5 + 11.5 * i, 70)], BLUE, 1)
    for start, end in ((2, 7), (2, 11), (7, 11), (4, 9)):
        on.arc(6 + 11.5 * start, 6 + 11.5 * end, 66, 12 * (end - start), ORANGE)
    on.say(2, 92, "most alike, wherever they are")


def alignment(on: Drawing) -> None:
    """Bins of features and of the means of their neighbours."""
    for y, colour, words in ((10, BLUE, "features"), (52, ORANGE, "their neighbours")):
        strip(on, y, height=16, colour=colour)
        on.line([(17, y + 20), (109, y + 20)], DARK, 2)
        for i in range(9):
            on.line([(17 + 11.5 * i, y + 17), (17 + 11.5 * i, y + 23)], DARK, 1)
        on.say(17, y + 35, words)


def places(on: Drawing) -> None:
    """Few places of a window instead of all."""
    strip(on, 60, height=26)
    on.dot(70, 18, RED, 5)
    for x in (14, 52, 81, 128):
        on.line([(70, 22), (x, 58)], ORANGE)
        on.dot(x, 60, ORANGE)
    on.say(80, 16, "a feature")


def refinement(on: Drawing) -> None:
    """A query's segment from layer to layer."""
    for row, (start, end) in enumerate(((20, 130), (34, 104), (39, 90), (40, 86))):
        on.bar(start, 6 + 20 * row, end - start, 9, RED, 0.35 + 0.2 * row)
        on.say(0, 14 + 20 * row, str(row))
    on.line([(40, 88), (86, 88)], GREEN, 4)


def queries(on: Drawing) -> None:
    """Each at most one action."""
    for row in range(4):
        on.dot(8, 14 + 22 * row, RED, 5)
        worth = (0.9, 0.08, 0.8, 0.05)[row]
        on.bar(24, 9 + 22 * row, 100 * worth, 10, GREEN if worth > 0.5 else GREY)
        on.say(28 + 100 * worth, 18 + 22 * row, "action" if worth > 0.5 else "nothing")


def boundary_pooling(on: Drawing) -> None:
    """The strongest features around both ends."""
    strip(on, 14, height=26)
    on.bar(34, 46, 58, 7, GREY)
    for x in (34, 92):
        on.bar(x - 12, 10, 24, 34, ORANGE, 0.35)
        on.line([(x, 56), (x, 74)], ORANGE, arrow=True)
    on.bar(40, 82, 46, 8, GREEN)
    on.say(96, 91, "refined")


def coarse(on: Drawing) -> None:
    """What and how far, of a moment, first guess."""
    strip(on, 14, moments=12, height=26)
    on.dot(68, 27, DARK, 4)
    on.bar(34, 56, 58, 8, GREY)
    on.say(34, 80, "coarse segment, class")


def proposals(on: Drawing) -> None:
    """Features, and segments that something else proposes."""
    strip(on, 8, colour=GREY, height=26)
    for i, (start, end) in enumerate(((32, 94), (50, 84), (8, 30), (104, 140))):
        on.bar(start, 44 + 14 * i, end - start, 8, ORANGE, 0.7)


def folded(on: Drawing) -> None:
    """Taps with gaps, of a sequence that is folded into rows."""
    for row in range(3):
        for i in range(9):
            tap = i in (3, 4, 5)
            colour = RED if (row, i) == (1, 4) else ORANGE if tap else GREY
            on.bar(10 + 14.5 * i, 12 + 26 * row, 12, 16, colour, 1.0 if tap else 0.5)
    on.say(10, 98, "rows of 3, 6 or 9 features")


def regions(on: Drawing) -> None:
    """Eight bins of a proposal and its surroundings."""
    strip(on, 8, height=26)
    on.bar(40, 42, 46, 8, ORANGE)
    for i in range(8):
        x = 17 + 11.5 * i
        inside = 2 <= i < 6
        on.line([(x + 5, 52), (x + 5, 66)], GREY, 1)
        on.bar(x, 68, 10, 14, GREEN if inside else GREY, 1.0 if inside else 0.7)
    on.say(17, 98, "before, proposal, after")


def judged(on: Drawing) -> None:
    """Three heads on a proposal."""
    for i, (words, worth) in enumerate((("class", 0.8), ("whole", 0.6))):
        on.bar(0, 8 + 18 * i, 70 * worth, 11, RED)
        on.say(76, 18 + 18 * i, words)
    on.bar(32, 52, 62, 8, ORANGE, 0.7)
    on.bar(40, 74, 46, 8, GREEN)
    on.line([(32, 61), (39, 72)], DARK, 1, arrow=True)
    on.line([(94, 61), (87, 72)], DARK, 1, arrow=True)


FEATURES = Panel("Features", features, "a row for every|clip of the video")
EMBEDDING = Panel("Embedding", embedded, "two convolutions")
SUPPRESSION = Panel("Suppression", segments, "of segments that overlap|the best stays")

FLOWS: dict[str, Sequence[Panel]] = {
    "actionformer": (
        FEATURES,
        EMBEDDING,
        Panel("Pyramid", attention_levels, "each moment looks at a|window of its level (orange)"),
        Panel("Heads", distances, "of every moment: what goes|on, and how far its ends are"),
        SUPPRESSION,
    ),
    "tridet": (
        FEATURES,
        EMBEDDING,
        Panel("Pyramid", scalable_levels, "a narrow and a wide|convolution, and the mean"),
        Panel("Trident head", trident, "each end is the mean of|bins beside the moment"),
        SUPPRESSION,
    ),
    "temporalmaxer": (
        FEATURES,
        EMBEDDING,
        Panel("Pyramid", pooled_levels, "the largest of three|moments; nothing to learn"),
        Panel("Heads", distances, "of every moment: what goes|on, and how far its ends are"),
        SUPPRESSION,
    ),
    "bmn": (
        FEATURES,
        Panel("Starts and ends", boundaries, "how likely each step|is one"),
        Panel("Samples", samples, "32 of every segment and|of half its length around it"),
        Panel("Map of segments", segment_map, "of every segment: how much it|overlaps an action, and which"),
        SUPPRESSION,
    ),
    "gtad": (
        FEATURES,
        Panel("Graph", graph, "each feature sees those beside|it and those most like it"),
        Panel("Alignment", alignment, "a segment in bins of features|and of their neighbours"),
        Panel("Map of segments", segment_map, "of every segment: how much it|overlaps an action, and which"),
        SUPPRESSION,
    ),
    "tadtr": (
        Panel("Window", features, "features of one length"),
        Panel("Encoder", places, "each feature looks at|four places, which it learns"),
        Panel("Decoder", refinement, "each layer moves the|segment of every query"),
        Panel("Queries", queries, "each finds one action|or nothing: no suppression"),
    ),
    "afsd": (
        FEATURES,
        Panel("Pyramid", levels, "convolutions halve the|moments from level to level"),
        Panel("Coarse heads", coarse, "of every moment: class|and distances to both ends"),
        Panel("Boundary pooling", boundary_pooling, "the strongest features around|each end move it once more"),
        SUPPRESSION,
    ),
    "muses": (
        Panel("Features, proposals", proposals, "segments of any other|detector (orange)"),
        Panel("Aggregation", folded, "a feature (red) sees those near|it, and some further away"),
        Panel("Regions", regions, "eight bins: the proposal|and its surroundings"),
        Panel("Heads", judged, "class, whether it is whole,|and where its ends are"),
        SUPPRESSION,
    ),
}


def picture(name: str, panels: Sequence[Panel]) -> str:
    """An SVG."""
    width = 2 * SIDE + len(panels) * WIDE + (len(panels) - 1) * GAP
    height = TOP + HIGH + BOTTOM
    shapes: list[str] = []
    for number, panel in enumerate(panels):
        x = SIDE + number * (WIDE + GAP)
        on = Drawing(x)
        panel.draw(on)
        middle = x + WIDE / 2
        shapes += [f'<text class="title" x="{middle}" y="20">{escape(panel.title)}</text>', *on.shapes]
        for row, line in enumerate(panel.caption.split("|")):
            y = TOP + HIGH + 24 + LINE * row
            shapes.append(f'<text class="caption" x="{middle}" y="{y}">{escape(line)}</text>')
        if number:
            level = TOP + HIGH // 2
            points = f"{x - GAP + 6},{level} {x - 10},{level}"
            arrow = f'stroke="{DARK}" stroke-width="2" marker-end="url(#arrow)"'
            shapes.append(f'<polyline points="{points}" fill="none" {arrow}/>')
    said = f"How data flow through {name}: {', then '.join(panel.title.lower() for panel in panels)}"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<title>{escape(said)}</title>",
        STYLE,
        ARROW,
        f'<rect width="{width}" height="{height}" fill="white"/>',
    )
    return "\n".join((*head, *shapes, "</svg>\n"))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "detectors")
    folder.mkdir(parents=True, exist_ok=True)
    for name, panels in FLOWS.items():
        (folder / f"{name}.svg").write_text(picture(name, panels), "utf-8")


if __name__ == "__main__":
    main()
