"""What a node of the hub's network says of itself over its eth_* port."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from hutong.relay.administration.errors import Unusable
from hutong.relay.config import HubChainConfig

ANSWER_LIMIT_S = 10.0
MAX_ANSWER_BYTES = 1024 * 1024
ANSWERED_BY = {"hutong_network": "whyNoBlock", "hutong_database": "usedBytes"}
"""A member of each method's answer, by which a hub node is told from another server."""

REMEDY = (
    "give the eth_* port (8545 by default, not CometBFT's 26657) of a node with a network.toml:"
    " a hub of one validator without peers has no such report"
)


def urls_of(hub: HubChainConfig) -> tuple[str, ...]:
    """The eth_* ports of a configured hub.

    Raises:
        Unusable: they want headers or certificates.
    """
    if hub.access:
        raise Unusable(
            f"not supported: hub status sends no headers or certificates, and {hub.name} has an access; give --rpc with a"
            " port of the node that wants none"
        )
    return hub.rpc


def ask_first(urls: Sequence[str]) -> dict[str, Any]:
    """As `ask_node`, of the first that answers.

    Raises:
        Unusable: none does; a line for each.
    """
    refusals = []
    for url in urls:
        try:
            return ask_node(url)
        except Unusable as error:
            refusals.append(str(error))
    raise Unusable("\n".join(refusals))


def ask_node(rpc: str) -> dict[str, Any]:
    """The answer to `hutong_network`, with that to `hutong_database` as its member `database`.

    Args:
        rpc: URL of the node's eth_* port.

    Raises:
        Unusable: the node does not answer in ANSWER_LIMIT_S each, has no network, or is not a hub node.
    """
    return _ask(rpc, "hutong_network") | {"database": _ask(rpc, "hutong_database")}


def report_in_words(report: Mapping[str, Any]) -> Iterator[str]:
    """What `ask_node` returned, for a person, in lines."""
    yield (
        f"hub {report['chainId']} at height {report['height']}, {report['sinceLastBlockMs'] / 1000:.1f} s ago;"
        f" round {report['round']}, {report['step']}"
    )
    yield f"node {report['nodeId']}"
    for validator in report["validators"]:
        where = "this node" if validator["isThisNode"] else f"peer {validator['peer']}" if validator["peer"] else "away"
        yield f"validator {validator['address']} power {validator['power']}: {where}"
    if (signer := report.get("signer")) is not None:
        standing = "connected" if signer["connected"] else f"away, nothing is signed: {signer['reason']}"
        place = f"{signer['id']}@{signer['address']}" if signer["address"] else signer["id"]
        yield f"signer {place}: {standing}"
    for peer in report["peers"]:
        if peer["connected"]:
            standing = f"height {peer['height']}, {peer['points']} points"
        elif peer["sentAwayForMs"]:
            standing = f"sent away for {peer['sentAwayForMs'] / 1000:.0f} s: {peer['reason']}"
        else:
            standing = f"not connected{': ' + peer['reason'] if peer['reason'] else ''}"
        yield f"peer {peer['id']}@{peer['address']}: {standing}"
    used, most = (int(report["database"][name], 16) for name in ("usedBytes", "mostBytes"))
    alarm = ": it fills up (docs/member/pruning.md)" if report["database"]["alarm"] else ""
    yield f"database {used / 1024**3:.2f} of {most / 1024**3:.2f} GiB{alarm}"
    yield report["whyNoBlock"] or "blocks come"


def _ask(rpc: str, method: str) -> dict[str, Any]:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}
    try:
        answer = httpx.post(rpc, json=request, timeout=ANSWER_LIMIT_S)
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise ValueError("its answer is too long")
        document = answer.json()
        if "error" in document:
            raise ValueError(f"it was asked {method} and says {document['error']['message']!r}; {REMEDY}")
        report = document["result"]
        if not isinstance(report, dict) or ANSWERED_BY[method] not in report:
            raise ValueError("its answer is not a hub node's")
    except httpx.ConnectError as error:
        raise Unusable(
            f"{rpc}: no node answers there ({error}); start it with hutong hub start, or name another one"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise Unusable(f"{rpc}: {error}") from None
    return report
