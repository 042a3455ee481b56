"""The official test kit of the Dataspace Protocol against `hutong directory serve`."""

from pathlib import Path

import pytest

from tests.nodes import provision
from tests.nodes.directory.kit_run import judged

pytestmark = [
    pytest.mark.nodes,
    pytest.mark.skipif(not provision.dsp_kit_path().is_dir(), reason="python tests/nodes/provision.py dsp-kit"),
]
WAIT_S = 60
"""How long the kit waits for a message: for a busy machine. `kit_run` has the acceptance's 7."""


def test_the_protocols_own_test_kit_passes(tmp_path: Path) -> None:
    outcome, said, refused = judged(tmp_path, WAIT_S, 1_500)
    print(said)
    assert outcome.failures == (), (outcome, refused)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (65, 0, 2)
