"""One file a packet, and one packet a file."""

import pytest

from hutong.relay.verify.bundles.names import bundle_file_names
from hutong.relay.verify.inputs import UnusableInput


def test_files_are_called_after_their_packets():
    assert bundle_file_names(["1001/client-0/7"]) == {"1001/client-0/7": "1001-client-0-7.bundle.json"}
    assert bundle_file_names(["1/client-0/1", "1/client-0/1"]) == {"1/client-0/1": "1-client-0-1.bundle.json"}


def test_refused_two_packets_of_one_file():
    with pytest.raises(UnusableInput, match="x/y-client-0/1 and x-y/client-0/1 would both be x-y-client-0-1"):
        bundle_file_names(["x/y-client-0/1", "x/other-0/1", "x-y/client-0/1"])
