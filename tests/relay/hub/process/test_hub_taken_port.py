"""`hutong hub start` where another process has one of its ports: which one, and what to do."""

import socket
import subprocess

import pytest

from hutong.relay.base.child_processes import HUTONG
from tests.relay.hub.hub_process import new_home


@pytest.mark.parametrize(
    ("option", "other"),
    [("--port", "--cometbft-port"), pytest.param("--cometbft-port", "--port", marks=pytest.mark.long)],
)
@pytest.mark.long
def test_trial_T16_a_taken_port_of_a_hub_is_named_and_exit_code_2(option, other, tmp_path):
    """CI takes the other port too (`long`)."""
    home = new_home(tmp_path / "hub")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*HUTONG, "hub", "start", "--home", home, option, str(port), other, "0"],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        f"{option} {port} cannot be used on 127.0.0.1: Address already in use; stop what listens there or give another port"
    )
    assert "Traceback" not in done.stderr and "halted" not in done.stderr
