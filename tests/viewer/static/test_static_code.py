"""The page's modules: what TypeScript says of their types, and how they depend on one another."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from actionformer.viewer.page_files import STATIC

MODULES = sorted(STATIC.glob("*.js"))
NEEDS_TSC = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("tsc") is None,
    reason="there is no `node` or no `tsc` here: `npm install --global typescript` brings the latter",
)


@NEEDS_TSC
def test_types_agree() -> None:
    checked = subprocess.run(
        ["tsc", "--project", STATIC / "jsconfig.json"], check=False, capture_output=True, text=True, timeout=120
    )
    assert (checked.returncode, checked.stdout) == (0, "")


@NEEDS_TSC
def test_a_wrong_type_is_found(tmp_path: Path) -> None:
    for file in (*MODULES, STATIC / "jsconfig.json", STATIC / "types.d.ts"):
        shutil.copy(file, tmp_path)
    with (tmp_path / "format.js").open("a") as module:
        module.write('\nclock("one");\n')
    checked = subprocess.run(
        ["tsc", "--project", tmp_path / "jsconfig.json"], check=False, capture_output=True, text=True, timeout=120
    )
    assert checked.returncode != 0
    assert "format.js" in checked.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_module_is_checked_and_holds_one_idea(module: Path) -> None:
    lines = module.read_text("utf-8").splitlines()
    assert lines[0] == "// @ts-check"
    assert len(lines) <= 350


def test_no_modules_import_one_another_in_a_circle() -> None:
    imported = {module.name: set(_imported(module)) for module in MODULES}
    while leaves := [name for name, others in imported.items() if not others]:
        imported = {name: others - set(leaves) for name, others in imported.items() if name not in leaves}
    assert imported == {}


def _imported(module: Path) -> list[str]:
    return re.findall(r"""^(?:import|}).* from "\./([^"]+)";$""", module.read_text("utf-8"), re.MULTILINE)
