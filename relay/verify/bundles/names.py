"""How the files of exported bundles are called: after their packets, which others read back from the name."""

from collections.abc import Iterable

from hutong.relay.archive.source import BUNDLE_SUFFIX
from hutong.relay.verify.inputs import UnusableInput


def bundle_file_names(packet_ids: Iterable[str]) -> dict[str, str]:
    """The name of the file of each packet (`chain id/client/sequence`), in their order.

    Raises:
        UnusableInput: two packets would have one file.
    """
    files: dict[str, str] = {}
    taken: dict[str, str] = {}
    for packet_id in packet_ids:
        file = f"{packet_id.replace('/', '-')}{BUNDLE_SUFFIX}"
        other = taken.setdefault(file, packet_id)
        if other != packet_id:
            raise UnusableInput(f"{other} and {packet_id} would both be {file}: export them one by one, each elsewhere")
        files[packet_id] = file
    return files
