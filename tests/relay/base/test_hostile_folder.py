"""No command imports anything from the folder that it is started in, and neither does a process that it starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hutong.relay.cli.main import SUBCOMMANDS
from tests.relay.base.command_tree import commands, fill
from tests.relay.base.hostile_folder import HostileFolder, module_names
from tests.relay.base.many_commands import LEADS_THERE, all_modules, run_each

SCRIPT = (str(Path(sys.executable).with_name("hutong")),)
MODULE = (sys.executable, "-m", "hutong.relay.cli")
NAME = (sys.executable, "-m", "hutong")
RECORDED = Path(__file__).parents[1] / "audit" / "recorded"
MUCH_IMPORTED = {"api", "audit", "demo", "hub", "relay", "verify"}
"""Between them these import nearly all of hutong; of the other commands CI asks (`long`)."""
EVERY_WAY = bool(os.environ.get("HUTONG_EVERY_WAY"))
"""By `-m` too what the script shows in each run: a row of `.ci/whole.toml`."""
SHARES = 3
"""Of the commands, for as many workers."""
BUNDLES = 130
"""More than two processes of 64 each are worth."""


@pytest.fixture(
    params=[SCRIPT, pytest.param(MODULE, marks=pytest.mark.long), pytest.param(NAME, marks=pytest.mark.long)],
    ids=["hutong", "python -m hutong.relay.cli", "python -m hutong"],
)
def program(request):
    return request.param


def by_turns(program, *, unless=False):
    """Each run sees the script, and of `-m` what is asked for `unless`."""
    if program is not SCRIPT and not unless and not EVERY_WAY:
        pytest.skip("by turns: HUTONG_EVERY_WAY")


@pytest.fixture
def hostile(tmp_path, program):
    """A folder with a package `relay` too, but for `-m`: there it would be the program itself that is another."""
    return HostileFolder(tmp_path, own_packages=program is SCRIPT)


def test_the_folder_tells_on_itself(tmp_path):
    """What the other tests rely on: an import from there leaves its mark, whichever module it is."""
    folder = HostileFolder(tmp_path, own_packages=True)
    assert {"struct", "typer", "relay", "trio", "coincurve"} <= set(module_names())
    folder.run((sys.executable, "-c"), "import struct, relay")
    assert "struct" in folder.told and "relay" in folder.told


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [name if name in MUCH_IMPORTED else pytest.param(name, marks=pytest.mark.long) for name in sorted(SUBCOMMANDS)],
)
def test_trial_T1_no_command_is_read_from_where_it_stands(command, hostile, program):
    by_turns(program, unless=command in MUCH_IMPORTED)
    asked = hostile.run(program, command, "--help")
    assert asked.returncode == 0 and f" {command} " in asked.stdout, asked.stderr
    assert hostile.told == ""


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_trial_T1_no_command_imports_from_where_it_stands(share, tmp_path):
    """Each one for real, as far as it comes with files that say nothing and endpoints that nobody serves.

    By the script: what `-m` does otherwise is over when a command is chosen, which the test above asks of each group.
    """
    jobs = {}
    for number, (command, arguments) in enumerate(commands()[share::SHARES]):
        place = tmp_path / str(number)
        place.mkdir()
        hostile = HostileFolder(place, own_packages=True)
        fill(hostile.path)
        jobs[hostile] = (*command, *arguments)
    stands = HostileFolder(tmp_path, own_packages=True)
    ended = run_each(jobs, stands, all_modules())
    assert len(ended) > 50 and stands.told == ""
    assert {jobs[folder]: folder.told for folder in jobs if folder.told} == {}
    assert {jobs[folder]: one.said for folder, one in ended.items() if "Traceback" in one.said} == {}
    assert {jobs[folder] for folder, one in ended.items() if one.code == LEADS_THERE} == set()


@pytest.mark.long
def test_commands_that_share_a_process_tell_of_an_import_and_of_a_path(tmp_path):
    """What the test above relies on: with its folder on the path a command imports from there, or says that it could."""
    (tmp_path / "1").mkdir()
    hostile, stands = [HostileFolder(place, own_packages=False) for place in (tmp_path / "1", tmp_path)]
    (one,) = run_each({hostile: ("config", "check", "none.toml")}, stands, [], "sys.path.insert(0, '')").values()
    assert hostile.told and one.code != 2 and stands.told == ""
    for module in hostile.path.glob("*.py"):
        module.unlink()
    shutil.rmtree(tmp_path / "bin")
    (one,) = run_each({hostile: ("config", "check", "none.toml")}, stands, [], "sys.path.insert(0, '')").values()
    assert one.code == LEADS_THERE and "none.toml" in one.said
    shutil.rmtree(tmp_path / "bin")
    (one,) = run_each({hostile: ("config", "check", "none.toml")}, stands, []).values()
    assert one.code == 2 and "none.toml" in one.said


def test_trial_T1_a_path_from_the_environment_does_not_lead_there(tmp_path):
    """`PYTHONPATH=$PYTHONPATH:/elsewhere` begins with an empty entry, which is the current folder."""
    folder = HostileFolder(tmp_path, own_packages=False)
    start = (sys.executable, "-I", "-c", "import re, sys; print(*sys.modules)")
    loaded = subprocess.run(start, capture_output=True, text=True).stdout.split()
    for name in (*loaded, "sitecustomize", "usercustomize", "nt", "_winapi"):  # asked for before any line of hutong
        (folder.path / f"{name}.py").unlink(missing_ok=True)
    ran = folder.run(SCRIPT, "config", "check", "none.toml", PYTHONPATH=":/elsewhere")
    assert ran.returncode == 2 and "none.toml" in ran.stderr, ran.stderr
    assert folder.told == ""


def forged(folder: Path) -> None:
    """The same delivery many times, each with one byte of a proof changed."""
    whole = (RECORDED / "message-delivered.bundle.json").read_bytes()
    changed = bytearray(whole)
    changed[-500] ^= 1
    for number in range(BUNDLES):
        (folder / f"{number:03}.bundle.json").write_bytes(changed)
    for chain in ("1001", "1002", "hutong-1"):
        shutil.copy(RECORDED / f"before-{chain}.checkpoint.json", folder.parent)


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        ("replay", "."),
        pytest.param(("diff", ".", "."), marks=pytest.mark.long),
        pytest.param(("explain", ".", "--html", "../page.html"), marks=pytest.mark.long),
    ],
)
def test_trial_T1_forged_bundles_stay_refused_in_their_own_folder(command, hostile, program):
    """By the commands that judge in several processes; by all of them in CI (`long`)."""
    by_turns(program, unless=command[0] == "replay")
    forged(hostile.path)
    roots = [word for file in sorted(hostile.path.parent.glob("*.checkpoint.json")) for word in ("--checkpoint", file)]
    ran = hostile.run(program, "audit", *command, *roots, "--now", "2026-11-24T19:10:00Z", "--jobs", "2", limit_s=300)
    assert hostile.told == ""
    assert ran.returncode == (0 if command[0] == "diff" else 1), ran.stderr
    if command[0] == "replay":
        assert f"0 of {BUNDLES} entries proven" in ran.stdout


@pytest.mark.long
def test_trial_T1_the_demo_runs_in_a_hostile_folder(hostile, program):
    """Hub, chains, relay, embedded queue, checker: processes of their own, each started in that folder."""
    by_turns(program)
    ran = hostile.run(program, "demo", "--messages", "5", "--home", hostile.path.parent / "demo", limit_s=400)
    assert hostile.told == ""
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
