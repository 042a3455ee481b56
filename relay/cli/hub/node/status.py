"""`hutong hub status`: what a node of the hub's network says of itself."""

import json
from typing import Annotated, Any

import typer

from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

ANSWER_LIMIT_S = 10.0
MAX_ANSWER_BYTES = 1024 * 1024
ANSWERED_BY = {"hutong_network": "whyNoBlock", "hutong_database": "usedBytes"}
"""A member of each method's answer, by which a hub node is told from another server."""


def status(
    rpc: Annotated[str, typer.Option(metavar="URL", help="The node's eth_* port.")] = "http://127.0.0.1:8545",
    as_json: Annotated[bool, typer.Option("--json", help="Print the node's answer as it is.")] = False,
) -> None:
    """Print height, validators, peers with height and score, and why there are no blocks where there are none.

    Exit codes: 0 blocks come, 1 they do not, 2 the node does not answer or has no peers.
    """
    report = _ask(rpc, "hutong_network")
    report["database"] = _ask(rpc, "hutong_database")
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _print(report)
    if report["whyNoBlock"] is not None:
        raise typer.Exit(REFUSED)


def _ask(rpc: str, method: str) -> dict[str, Any]:
    import httpx

    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}
    try:
        answer = httpx.post(rpc, json=request, timeout=ANSWER_LIMIT_S)
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise ValueError("its answer is too long")
        document = answer.json()
        if "error" in document:
            raise ValueError(f"{document['error']['message']}: is it a hub node with a network.toml?")
        report = document["result"]
        if not isinstance(report, dict) or ANSWERED_BY[method] not in report:
            raise ValueError("its answer is not a hub node's")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise Refused(f"{rpc}: {error}", UNUSABLE) from None
    return report


def _print(report: dict[str, Any]) -> None:
    typer.echo(
        f"hub {report['chainId']} at height {report['height']}, {report['sinceLastBlockMs'] / 1000:.1f} s ago;"
        f" round {report['round']}, {report['step']}"
    )
    typer.echo(f"node {report['nodeId']}")
    for validator in report["validators"]:
        where = "this node" if validator["isThisNode"] else f"peer {validator['peer']}" if validator["peer"] else "away"
        typer.echo(f"validator {validator['address']} power {validator['power']}: {where}")
    if (signer := report.get("signer")) is not None:
        standing = "connected" if signer["connected"] else f"away, nothing is signed: {signer['reason']}"
        typer.echo(f"signer {signer['id']}@{signer['address']}: {standing}")
    for peer in report["peers"]:
        if peer["connected"]:
            standing = f"height {peer['height']}, {peer['points']} points"
        elif peer["sentAwayForMs"]:
            standing = f"sent away for {peer['sentAwayForMs'] / 1000:.0f} s: {peer['reason']}"
        else:
            standing = f"not connected{': ' + peer['reason'] if peer['reason'] else ''}"
        typer.echo(f"peer {peer['id']}@{peer['address']}: {standing}")
    used, most = (int(report["database"][name], 16) for name in ("usedBytes", "mostBytes"))
    alarm = ": it fills up (docs/member/pruning.md)" if report["database"]["alarm"] else ""
    typer.echo(f"database {used / 1024**3:.2f} of {most / 1024**3:.2f} GiB{alarm}")
    typer.echo(report["whyNoBlock"] or "blocks come")
