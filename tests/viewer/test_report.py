import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import Command, Refused
from rich.console import Console
from starlette.testclient import TestClient

from actionformer.core.detections import Detections
from actionformer.formats.detections import write_results
from actionformer.viewer import report as report_module
from actionformer.viewer.application import application
from actionformer.viewer.opening import open_project
from actionformer.viewer.options import ViewerOptions
from actionformer.viewer.page_files import PLOTLY, static_files
from actionformer.viewer.report import address, escaped, save_report
from actionformer.viewer.services import Services
from actionformer.viewer.start import services_for

HOSTILE = "</script><img src=x onerror=alert(1)> & \u2028 <!-- 'é/?#%"


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the texts of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts[-1] += data


def saved(tmp_path: Path, given: ViewerOptions) -> tuple[Elements, dict[str, Any], Services]:
    services = services_for(open_project(given))
    save_report(services, tmp_path / "report.html", Console(quiet=True))
    page = Elements((tmp_path / "report.html").read_text("utf-8"))
    (content,) = (
        text
        for (_, attributes), text in zip(
            [one for one in page.elements if one[0] == "script"], page.scripts, strict=True
        )
        if attributes.get("id") == "report"
    )
    return page, json.loads(content), services


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    found = Detections([[0.0, 1.0], [2.0, 3.0]], [0.5, 0.25], [0, 0], (HOSTILE,))
    write_results(tmp_path / "found.json", {HOSTILE: found})
    return tmp_path / "found.json"


def test_a_report_is_one_file_that_asks_for_nothing(tmp_path: Path, hostile: Path) -> None:
    page, _, services = saved(tmp_path, ViewerOptions(hostile))
    services.close()
    for tag, attributes in page.elements:
        for name in ("src", "href"):
            if name in attributes:
                assert str(attributes[name]).startswith(("data:", "#")), (tag, attributes)
    assert [tag for tag, _ in page.elements].count("script") == 4
    assert "img" not in [tag for tag, _ in page.elements]
    policy = next(one["content"] for tag, one in page.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")
    assert "http" not in str(policy)


def test_its_modules_are_those_of_the_page_and_find_one_another(tmp_path: Path, hostile: Path) -> None:
    page, _, services = saved(tmp_path, ViewerOptions(hostile))
    services.close()
    imports = json.loads(page.scripts[2])["imports"]
    names = {name for name in static_files() if name.endswith(".js") and name != PLOTLY}
    assert imports.keys() == {f"viewer/{name}" for name in names}
    for module in imports.values():
        text = base64.b64decode(module.partition(",")[2]).decode()
        wanted = re.findall(r"""^(?:import|\} from|import .* from) ["']([^"']+)["'];""", text, re.MULTILINE)
        assert set(wanted) <= imports.keys()
        assert "./" not in "".join(
            line for line in text.splitlines() if line.startswith(("import", "} from", "export {"))
        )
    assert page.scripts[1].strip() == static_files()[PLOTLY].read_text("utf-8").strip()


def test_answers_are_those_of_the_server(tmp_path: Path, hostile: Path) -> None:
    _, report, services = saved(tmp_path, ViewerOptions(hostile))
    asked = TestClient(application(services), base_url="http://127.0.0.1")
    kept = report["answers"]
    project = kept["api/project"]
    assert project["videos"] == asked.get("/api/project").json()["videos"]
    assert kept["api/precision"] == asked.get("/api/precision").json()
    assert project["has"]["corrections"] is False
    assert "saves nothing" in project["why_not"]["corrections"]
    for tiou in project["tiou"]:
        one = kept[f"{address(HOSTILE)}?tiou={tiou}"]
        expected = asked.get(f"/{address(HOSTILE)}?tiou={tiou}").json()
        assert one == expected | {"why_not_playable": "a saved report holds no video"}
        assert kept[f"api/run?tiou={tiou}"] == asked.get(f"/api/run?tiou={tiou}").json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", report["made"])
    services.close()


def test_text_in_a_script_element_stays_text() -> None:
    text = escaped({HOSTILE: [HOSTILE]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {HOSTILE: [HOSTILE]}


def test_addresses_are_escaped_as_browsers_do(tmp_path: Path) -> None:
    assert address("a b/é'(x)*!~-_.?#%&+") == "api/videos/a~20b~2F~C3~A9'(x)*!~7E-_~2E~3F~23~25~26~2B"


def test_a_run_keeps_scores_as_far_as_they_have_room(
    tmp_path: Path, evaluated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, report, services = saved(tmp_path, ViewerOptions(evaluated))
    services.close()
    scores = [one for one in report["answers"] if "/scores" in one]
    assert scores == [f"api/videos/clip{i}/scores?points=2000" for i in range(3)]
    room = len(json.dumps(report["answers"][scores[0]]))
    monkeypatch.setattr(report_module, "MOST_SCORES", round(1.5 * room))
    monkeypatch.setattr(report_module, "MOST_JUDGED", 1)
    _, report, services = saved(tmp_path, ViewerOptions(evaluated))
    services.close()
    assert [one for one in report["answers"] if "/scores" in one] == scores[:1]
    assert report["answers"]["api/project"]["tiou"] == [0.5]
    assert "api/videos/clip0?tiou=0.5" in report["answers"]


def test_the_command_line_saves_a_report(call: Command, refused: Refused, tmp_path: Path, hostile: Path) -> None:
    result = call("view", hostile, "--save", tmp_path / "report.html")
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "report.html").stat().st_size > static_files()[PLOTLY].stat().st_size
    assert "ends in .html" in refused("view", hostile, "--save", tmp_path / "report.json")
    assert "not there" in refused("view", tmp_path / "none", "--save", tmp_path / "new.html")
    assert "report.html: exists; --overwrite replaces it" in refused(
        "view", hostile, "--save", tmp_path / "report.html"
    )
    lines = [
        {"video": "a", "detections": [{"label": "run", "score": 0.5, "segment": [0, 1]}]},
        {"video": "b", "detections": []},
    ]
    (tmp_path / "found.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert call("view", tmp_path / "found.jsonl", "--save", tmp_path / "report.html", "--overwrite").code == 0
    assert "no such folder of videos" in refused("view", hostile, "--videos", tmp_path / "none", "--no-browser")


def test_without_its_packages_the_viewer_says_what_to_install(
    refused: Refused, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actionformer.viewer.start.find_spec", lambda name: None if name == "plotly" else object())
    assert "pip install 'actionformer-tal[view]'" in refused("view", hostile, "--no-browser")
