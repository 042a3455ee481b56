"""A command that runs within this process: what it prints and how it ends, and no word of it on the terminal."""

import json

import pytest
import trio
from typer.main import get_command

from hutong.relay.cli.main import app
from hutong.relay.cli.operator.inner_command import InnerCommands
from hutong.relay.local.processes import DemoFailed, run_command

run_within = InnerCommands(get_command(app)).run
BOTH = pytest.mark.parametrize(
    "run", [run_within, pytest.param(run_command, marks=pytest.mark.long)], ids=["within", "another process"]
)


@BOTH
async def test_it_prints_what_another_process_prints(run, capfd):
    assert "tendermint" in await run(["verify", "--help"])
    assert capfd.readouterr() == ("", "")


@BOTH
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("audit", "case", "nowhere.json"), "hutong audit case failed with exit code 2:"),
        (("city", "nothing"), "hutong city nothing failed with exit code 2:"),
        (("identity", "resolve", "did:key:nothing"), "hutong identity resolve failed with exit code"),
    ],
)
async def test_a_command_that_fails_says_why_as_another_process_would(run, arguments, said):
    with pytest.raises(DemoFailed) as caught:
        await run(arguments)
    assert said in str(caught.value)


@pytest.mark.long
async def test_a_command_may_run_a_loop_and_the_next_one_too(tmp_path):
    """Two after another, of which the second finds what the first wrote."""
    password, keystore = tmp_path / "password", tmp_path / "key.json"
    password.write_text("a long enough password\n")
    password.chmod(0o600)
    made = ("keys", "add", str(keystore), "--password-file", str(password))
    with trio.fail_after(60):
        await run_within(made)
        assert json.loads(keystore.read_text())["version"] == 3
        with pytest.raises(DemoFailed, match="exit code"):
            await run_within(made)
