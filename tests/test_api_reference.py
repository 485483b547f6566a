"""docs/api.md says what the source says: no public name, parameter, default or setting changes unseen."""

import importlib.util
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

import actionformer

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def make_api() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_api", DOCS / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "api.md").read_text("utf-8")


def test_the_reference_is_current(make_api: ModuleType, page: str) -> None:
    with ThreadPoolExecutor(1) as apart:  # where a browser is driven, Python parses wrongly (SystemError)
        assert page == apart.submit(make_api.page).result(), "run `python docs/make_api.py`"


def test_every_public_name_is_in_one_group(make_api: ModuleType) -> None:
    grouped = [name for names in make_api.GROUPS.values() for name in names]
    assert sorted([*grouped, "__version__"]) == dir(actionformer)


def test_every_link_leads_to_one_heading(make_api: ModuleType, page: str) -> None:
    headings = [make_api.anchor(heading) for heading in re.findall(r"^#+ (.*)", page, re.MULTILINE)]
    links = re.findall(r"\]\(#(.*?)\)", page)
    assert len(set(headings)) == len(headings)
    assert len(links) > 60
    assert set(links) <= set(headings)


def test_what_is_warned_of_is_no_error(page: str) -> None:
    ensemble = page.partition("### `ensemble`")[2].partition("\n### ")[0]
    _, raised, warned = re.split(r"\*\*(?:Raises|Warns)\*\*", ensemble)
    assert "\n- `InputError`: fewer than two runs" in raised
    assert "\n- `UserWarning`: a run is given twice" in warned
    assert "- ` " not in page


def test_a_signature_stands_as_it_does_in_the_source(page: str) -> None:
    assert (
        "def load_backbone(\n"
        "    name: str,\n"
        "    weights: str | Path | Sequence[str | Path] = (),\n"
        "    *,\n"
        '    device: str = "cpu",\n'
        '    precision: str = "float32",\n'
        ") -> Backbone: ..."
    ) in page
    assert "class Detector:\n    def __init__(\n        self,\n        model: Network,\n" in page
    assert "@abstractmethod\ndef encode(self, clips: Tensor) -> Tensor: ..." in page


def test_properties_are_attributes_and_setters_are_left_out(page: str) -> None:
    assert page.count("- `config: Config`: all settings") == 1
    assert "- `warnings: list[str]`: One sentence for each thing that is probably not meant." in page
    assert "setter" not in page


def test_sections_of_a_docstring_are_lists(make_api: ModuleType) -> None:
    docstring = """Finds *it* in `a*b`.

    Args:
        fps, stride: how they lie
            in time.
        name: optional: a word.

    Returns:
        Two numbers: both of them.

    Raises:
        InputError: none <here>.
    """.replace("\n    ", "\n")
    assert list(make_api.prose(docstring)) == [
        "Finds \\*it\\* in `a*b`.\n",
        "**Args**\n",
        "- `fps, stride`: how they lie in time.",
        "- `name`: optional: a word.",
        "",
        "**Returns**\n",
        "Two numbers: both of them.",
        "",
        "**Raises**\n",
        "- `InputError`: none \\<here>.",
        "",
    ]


def test_a_setting_has_its_default_bounds_and_text(page: str) -> None:
    row = "| `min_score` | `0.001` | `float`, at least 0, at most 1 | "
    assert page.count(row) == 1
    assert '| `method` | `"soft"` | `"soft"` or `"hard"` or `"none"` | ' in page
