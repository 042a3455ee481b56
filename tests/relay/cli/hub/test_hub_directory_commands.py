"""Who publishes in the directory, through the command line: what cannot be decided, and admins and validators on a hub."""

from hashlib import sha256

import pytest

from hutong.adapters.hub.admin import describe_action
from hutong.relay.cli.common.refusal import Refused
from hutong.relay.cli.hub.directory import DirectoryOptions, PublisherOptions
from hutong.relay.keys import create_keystore
from tests.relay.cli.hub.test_hub_code_commands import run
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins

PUBLISHER, ACCOUNT = "11" * 32, "0x" + "22" * 20


def test_options_are_the_action_that_is_decided():
    named = PublisherOptions(account=ACCOUNT, records=9).action(PUBLISHER)
    assert describe_action(named) == f"name publisher {PUBLISHER} of the directory, {ACCOUNT}, with 9 records"
    gone = PublisherOptions(remove=True).action(PUBLISHER)
    assert describe_action(gone) == f"no longer name publisher {PUBLISHER} of the directory"
    assert describe_action(DirectoryOptions(7, 8).action()).startswith("directory: 7 operations in a call, 8 of one")
    for options in (PublisherOptions(), PublisherOptions(account=ACCOUNT, remove=True)):
        with pytest.raises(Refused):
            options.action(PUBLISHER)


@pytest.mark.parametrize(
    "words",
    [
        ("directory-publisher", "12", "--account", ACCOUNT),
        ("directory-publisher", PUBLISHER),
        ("directory-publisher", PUBLISHER, "--account", "0x12"),
        ("set-directory", "--call-operations", "513"),
    ],
)
def test_what_cannot_be_decided_of_the_directory_is_unusable(tmp_path, words):
    for number in range(2):
        create_keystore(tmp_path / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
    (tmp_path / "password").write_text("word\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "relay.toml").write_text(CONFIG.format(eth="http://127.0.0.1:9", cometbft="http://127.0.0.1:9"))
    (tmp_path / "relay.toml").chmod(0o600)
    assert run(tmp_path, *words, *admins(tmp_path)).exit_code == 2
