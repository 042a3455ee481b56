"""`hutong city test` where there is nothing to test."""

import pytest

from tests.relay.cli.audit.without_network import within_this_process


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "hutong city up --home"),
        (("nothing",), "no case is called nothing; there are 2 prescriptions, 3 cold-chain, 5 diploma-abroad"),
    ],
)
def test_without_a_city_or_a_case_it_is_unusable(tmp_path, arguments, said):
    done = within_this_process("city", "test", *arguments, "--home", tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr and "Errno" not in done.stderr
