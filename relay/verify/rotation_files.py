"""Files in which attestors sign their next set, as `hutong attest rotate` writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hutong.relay.verify.inputs import UnusableInput, parse_hex, parse_json, read_file

MAX_FILE_BYTES = 64 * 1024


def read_signed_rotation(files: Sequence[Path], client: str) -> tuple[bytes, tuple[bytes, ...]]:
    """The data, which all files share, and their signatures, in the order of the files.

    Neither is judged here.

    Args:
        files: at least one, of `hutong attest rotate`.

    Raises:
        UnusableInput: a file is none of these, is for another client, or signs another rotation.
    """
    found: list[tuple[bytes, bytes]] = []
    for file in files:
        document = parse_json(read_file(file, MAX_FILE_BYTES), str(file))
        if not isinstance(document, Mapping) or not {"client", "data", "signature"} <= set(document):
            raise UnusableInput(
                f"{file} is not a file of `hutong attest rotate`: client, data and signature are expected"
            )
        if document["client"] != client:
            raise UnusableInput(f"{file} is for client {str(document['client'])[:80]}, not for {client}")
        data = parse_hex(str(document["data"]), f"data in {file}")
        signature = parse_hex(str(document["signature"]), f"signature in {file}", 65)
        if found and data != found[0][0]:
            raise UnusableInput(f"{file} and {files[0]} sign different rotations: all must name the same block and set")
        found.append((data, signature))
    return found[0][0], tuple(signature for _, signature in found)
