"""An installed hutong has one name: `hutong` (docs/adr/0019-one-import-name.md)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT, modules

FOLDERS = ("adapters", "contracts", "light_clients", "relay")
GENERIC = re.compile(rf"^\s*(?:from|import) (?:{'|'.join(FOLDERS)})\b[^\n]*", re.MULTILINE)
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_module_imports_a_folder_by_a_name_that_others_may_have():
    for module in modules():
        generic = GENERIC.findall(module.text)
        assert not generic, f"{module.path}: {generic}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_of_the_tree_is_a_package_of_hutong(folder):
    link = ROOT / "hutong" / folder
    assert link.readlink() == Path("..") / folder and (link / "__init__.py").is_file()


@pytest.mark.long
def test_a_users_own_folders_of_such_names_stay_theirs(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("MINE = True\n")
    program = (
        f"import {', '.join(FOLDERS)}; from hutong.sdk import Hutong; print(relay.MINE, adapters.MINE, Hutong.__name__)"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.split() == ["True", "True", "Hutong"], done.stderr


def test_the_sdk_has_one_list_of_names():
    import hutong.sdk
    from hutong.relay import sdk
    from hutong.relay.sdk import hub_reader as own
    from hutong.sdk import hub_reader

    assert hutong.sdk.__all__ == sdk.__all__ and hutong.sdk.Hutong is sdk.Hutong
    assert hub_reader.__all__ == own.__all__ and hub_reader.encode_read is own.encode_read


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_import_the_sdk_by_its_final_name(example):
    names = {name for name in _imported(ast.parse(example.read_text())) if name.startswith("hutong")}
    assert names <= {"hutong.sdk", "hutong.contracts.artifacts"}
