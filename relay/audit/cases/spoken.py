"""What one Mailbox said to another by a message: sender, receiver and payload."""

from hutong.light_clients.ibc.gmp import GMP_PORT, decode_message
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.audit.cases.statements import ShownMessage


def spoken(message: ShownMessage, name: str) -> tuple[str, str, bytes]:
    """Sender, receiver and payload of the message.

    Args:
        name: of the rule that asks.

    Raises:
        PredicateFailed: it is not between Mailboxes.
        MalformedInput: it cannot be read.
    """
    said = message.said
    if (said.source_port, said.destination_port) != (GMP_PORT, GMP_PORT):
        raise PredicateFailed(name, "is not between Mailboxes", (said.source_port, said.destination_port), GMP_PORT)
    data, _ = decode_message(said.version, said.value)
    return data.sender, data.receiver, data.payload
