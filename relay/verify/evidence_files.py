"""Evidence of a chain's misbehaviour, as files give it: the client's own message, or two conflicting headers."""

from collections.abc import Sequence
from pathlib import Path

from hutong.light_clients.interface import MAX_CLIENT_MESSAGE_BYTES, VerificationError
from hutong.light_clients.tendermint import rpc_json
from hutong.relay.core.clients.evidence import ConflictingHeader
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.proof_files import protobuf_bytes
from hutong.relay.verify.tendermint import read_served

_JSON = (b"{", b"[")


def read_evidence(files: Sequence[Path]) -> bytes | tuple[ConflictingHeader, ConflictingHeader]:
    """Encoded evidence of one file, or two headers of two files to make it of. None of it is judged here.

    Raises:
        UnusableInput: there are other than one or two files, or one is not what its number says.
    """
    if len(files) == 1:
        data = read_file(files[0], 2 * MAX_CLIENT_MESSAGE_BYTES + 2)
        if data.lstrip()[:1] in _JSON:
            raise UnusableInput(f"{files[0]} is JSON: give --evidence twice, once for each of two conflicting headers")
        return protobuf_bytes(data, str(files[0]))[0]
    if len(files) != 2:
        raise UnusableInput(f"--evidence is given once or twice, not {len(files)} times")
    first, second = (_header(file) for file in files)
    return first, second


def _header(file: Path) -> ConflictingHeader:
    served = read_served([file])
    listed = {"validators": served.validators, "proposer": served.proposer}
    try:
        return ConflictingHeader(
            rpc_json.signed_header_from_rpc(served.signed_headers[0]),
            rpc_json.validator_set_from_rpc(listed) if served.validators else None,
        )
    except VerificationError as error:
        raise UnusableInput(f"{file}: {error}") from error
