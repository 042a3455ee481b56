"""Messages of the city's signed log: somebody without a chain says something to a contract, over the hub (docs/spec/forward.md)."""

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.chain import CaseChain
from hutong.relay.cases.city_file import City

PORT, VERSION, ENCODING = "gmpport", "ics27-2", "application/x-solidity-abi"
FORWARD_PORT, FORWARD_VERSION = "forward", "hutong-forward-1"
MESSAGE = "(string,string,bytes,bytes,string)"
REQUEST = "(string,string,string,string,uint64,bytes)"
PACKET = "(uint64,string,string,uint64,(string,string,string,string,bytes)[])"
TIMEOUT_S, MARGIN_S = 3_600, 600


def log_packet(city: City, chain: CaseChain, message: bytes, sequence: int) -> bytes:
    """The packet that carries a message to the Mailbox of a chain, as ABI encodes it; its publisher commits its hash.

    Args:
        sequence: each once: the place of an entry in the log, and one more, is a number that nobody has used.
    """
    log, until_s = city.document["log"], chain.time_s() + TIMEOUT_S
    asked = encode([REQUEST], [(chain.hub_client, PORT, VERSION, ENCODING, until_s, message)])
    payload = (PORT, FORWARD_PORT, FORWARD_VERSION, ENCODING, asked)
    return encode([PACKET], [(sequence, log["client_of_hub"], log["hub_client"], until_s - MARGIN_S, [payload])])


def log_message(sender: LocalAccount, receiver: str, payload: bytes) -> bytes:
    """What one Mailbox says to another: of a log the publisher vouches for the sender."""
    return encode([MESSAGE], [(sender.address.lower(), receiver.lower(), b"", payload, "")])


def send_from_log(run: CaseRun, city: City, chain: CaseChain, message: bytes, sequence: int) -> str:
    """Have the log's publisher commit a message, and somebody deliver it to the hub, which sends it on. The packet's id.

    Args:
        sequence: as of `log_packet`.
    """
    city.operator.deliver_from_log(log_packet(city, chain, message, sequence))
    run.messages += 1
    log = city.document["log"]
    return f"{log['name']}/{log['client_of_hub']}/{sequence}"
