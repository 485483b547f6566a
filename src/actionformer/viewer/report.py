"""The page as one file: style, modules, Plotly and the answers to what it asks, for reading without a server."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from actionformer.core.errors import InputError
from actionformer.core.files import write_whole
from actionformer.core.terminal import say
from actionformer.viewer.evaluation import checked_tiou
from actionformer.viewer.page_files import PLOTLY, escaped_id, static_files
from actionformer.viewer.project import UnavailableError
from actionformer.viewer.services import Services
from actionformer.viewer.values import Answer

STYLE = '<link rel="stylesheet" href="static/viewer.css">'
SCRIPT = '<script type="module" src="static/main.js"></script>'
CHARSET = '<meta charset="utf-8">'
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
POINTS = 2000
MOST_JUDGED = 100_000
"""Detections times thresholds up to which they are kept for every tIoU."""
MOST_SCORES = 20_000_000
"""Bytes of scores that are kept; videos after that are kept without."""
NEEDS_SERVER = {
    "videos": "a saved report holds no video",
    "candidates": "a saved report computes nothing: run `actionformer view`",
    "corrections": "a saved report saves nothing: run `actionformer view`",
}


def save_report(services: Services, path: Path, console: Console) -> None:
    """Writes the report, whole or not at all.

    Args:
        services: what can be asked about the project.
        path: the HTML file.
        console: where progress is told.

    Raises:
        InputError: it is no name of an HTML file, or cannot be written.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path}: a report is an HTML file, give it a name that ends in .html")
    write_whole(path, page({"made": _now(), "answers": kept_answers(services, console)}))
    say(console, f"saved: {path}")


def page(report: dict[str, Any]) -> str:
    """The whole page with a report in it."""
    files = static_files()
    text = files["index.html"].read_text("utf-8")
    modules = {name: file.read_text("utf-8") for name, file in files.items() if name.endswith(".js") and name != PLOTLY}
    imports = {f"viewer/{name}": _as_address(module) for name, module in modules.items()}
    scripts = [
        f'<script type="application/json" id="report">{escaped(report)}</script>',
        f'<script type="text/plain" id="plotly">{_inside_script(files[PLOTLY].read_text("utf-8"))}</script>',
        f'<script type="importmap">{escaped({"imports": imports})}</script>',
        '<script type="module">import "viewer/main.js";</script>',
    ]
    parts = {
        CHARSET: f'{CHARSET}\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        STYLE: f"<style>{files['viewer.css'].read_text('utf-8')}</style>",
        SCRIPT: "\n".join(scripts),
    }
    for place, part in parts.items():
        before, found, after = text.partition(place)
        assert found, f"index.html lacks {place}"
        text = before + part + after
    return text


def escaped(value: Any) -> str:
    """JSON that means the same inside of a script element, whatever its texts hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # in ASCII
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _inside_script(code: str) -> str:
    """Code in which nothing ends the script element, or begins a comment of HTML."""
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _as_address(module: str) -> str:
    """A module as an address that holds it; as such it finds the others by the names of the import map alone."""
    for word in ("from", "import"):
        module = module.replace(f'{word} "./', f'{word} "viewer/')
    return "data:text/javascript;base64," + base64.b64encode(module.encode()).decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def kept_answers(services: Services, console: Console) -> dict[str, Answer]:
    """What the page would ask -> the answer; of large projects for one tIoU, and scores as far as they have room."""
    project = services.project
    counted = sum(len(found) for found in project.detections.values()) * len(project.thresholds)
    thresholds = project.thresholds if counted <= MOST_JUDGED else (checked_tiou(None, project.thresholds),)
    kept: dict[str, Answer] = {
        "api/project": _facts(services, thresholds),
        "api/precision": services.evaluation.precision(),
    }
    kept |= {f"api/run?tiou={tiou}": services.evaluation.run(tiou) for tiou in thresholds}
    kept |= {
        f"{address(video)}?tiou={tiou}": _video(services, video, tiou) for video in project.ids for tiou in thresholds
    }
    if not {"compare", "annotations"} & project.why_not.keys():
        kept["api/compare"] = services.evaluation.compare()
    if project.computes:
        kept |= _scores(services, console)
    return kept


def address(video: str) -> str:
    """What the page asks for a video, escaped as a browser does it."""
    return "api/videos/" + escaped_id(video)


def _facts(services: Services, thresholds: tuple[float, ...]) -> Answer:
    facts = services.facts.all()
    why_not = facts["why_not"] | NEEDS_SERVER
    has = {part: part not in why_not for part in facts["has"]}
    return facts | {"has": has, "why_not": why_not, "tiou": list(thresholds)}


def _video(services: Services, video: str, tiou: float) -> Answer:
    without = {"playable": False, "why_not_playable": NEEDS_SERVER["videos"], "conversion": None, "corrected": False}
    return services.videos.of(video, tiou) | without


def _scores(services: Services, console: Console) -> dict[str, Answer]:
    kept: dict[str, Answer] = {}
    room = MOST_SCORES
    for number, video in enumerate(services.project.ids, 1):
        try:
            scores = services.network().scores(video, POINTS, None, None)
        except UnavailableError:
            continue
        room -= len(json.dumps(scores))
        if room < 0:
            say(console, f"scores of {number - 1} of {len(services.project.ids)} videos fit into the report")
            break
        kept[f"{address(video)}/scores?points={POINTS}"] = scores
    return kept
