"""`hutong wallet present-contract`: a seal for one call to one contract, as JSON for the transaction's sender."""

import json
import re
from typing import Annotated

import typer

from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.wallet.holding import Name
from hutong.relay.cli.wallet.opening import WalletOptions

MAX_WINDOW_S = 86_400
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_CALL = re.compile(r"0x([0-9a-fA-F]{2}){4,65536}")


def present_contract(
    name: Name,
    wallet: WalletOptions,
    gate: Annotated[str, typer.Option(metavar="ADDRESS", help="The contract that accepts the seal.")],
    chain_id: Annotated[int, typer.Option(min=1, help="EIP-155 id of its chain.")],
    caller: Annotated[str, typer.Option(metavar="ADDRESS", help="The account that will send the transaction.")],
    call: Annotated[
        str,
        typer.Option(
            metavar="HEX",
            help="Selector, and the ABI encoding of the arguments that follow the acceptance in the call.",
        ),
    ],
    claims: Annotated[
        list[str] | None, typer.Option("--claim", help="A claim to disclose; repeatable. All others stay hidden.")
    ] = None,
    within: Annotated[int, typer.Option(min=1, max=MAX_WINDOW_S, help="Seconds in which it is accepted.")] = 600,
    nonce: Annotated[
        int | None, typer.Option(min=0, help="Unused by this holder at this contract; without it a random one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
) -> None:
    """Sign a seal for one call to one contract, and print what the sender needs. Nothing is sent.

    What a contract is shown is public for good: anyone reads the disclosed claims on its chain.
    """
    from hutong.relay.services.identity.rules.seals.presentation import Gate
    from hutong.relay.services.identity.wallet import ContractCall

    if _CALL.fullmatch(call) is None:
        raise Refused("--call is 0x, a selector of 4 bytes, and the encoded arguments", UNUSABLE)
    data = bytes.fromhex(call[2:])
    with wallet.opened() as opened:
        holding = opened.holding(name)
        typer.echo(f"contract: {gate} on chain {chain_id}, called by {caller}", err=True)
        typer.echo(f"discloses, in public: {printable(', '.join(claims or ())) or 'no claim'}", err=True)
        if not yes and not typer.confirm("Sign this?", err=True):
            raise Refused("nothing was signed", REFUSED)
        what = ContractCall(Gate(chain_id, _address(gate, "--gate")), _address(caller, "--caller"), data[:4], data[4:])
        answer = opened.present_to_contract(holding, what, claims or (), within, nonce)
    typer.echo(json.dumps(answer.fields(), indent=1))


def _address(text: str, option: str) -> bytes:
    if _ADDRESS.fullmatch(text) is None:
        raise Refused(f"{option} is an address: 0x and 40 hex digits", UNUSABLE)
    return bytes.fromhex(text[2:])
