"""No command offers a completion: one command's would be written for `hutong`, and know that command alone."""

import pytest
from typer.main import get_command

from relay.cli.main import SUBCOMMANDS, app


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_parity_row_87_no_command_writes_a_completion(name):
    command = get_command(app).get_command(None, name)
    options = {option for parameter in command.params for option in getattr(parameter, "opts", ())}
    assert not {"--install-completion", "--show-completion"} & options
