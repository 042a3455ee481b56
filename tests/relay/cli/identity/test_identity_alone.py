"""`hutong identity` judges with the extra `identity` alone: what needs a relay is imported when a command that asks for it runs."""

import ast
from pathlib import Path

import hutong.relay.cli.identity

FOLDER = Path(hutong.relay.cli.identity.__file__).parent
OF_THE_RELAY = (
    "hutong.adapters",
    "hutong.relay.administration.addresses",
    "hutong.relay.administration.bundles",
    "hutong.relay.administration.configured",
    "hutong.relay.administration.identity.proving",
    "hutong.relay.administration.identity.writing",
    "hutong.relay.cli.common.session",
    "hutong.relay.cli.common.signers",
    "hutong.relay.config",
    "hutong.relay.hub",
    "hutong.relay.keys",
)


def test_no_command_of_identity_needs_a_relay_to_be_loaded():
    files = sorted(FOLDER.glob("*.py"))
    assert len(files) > 10
    for file in files:
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                assert not node.module.startswith(OF_THE_RELAY), (file.name, node.module)
