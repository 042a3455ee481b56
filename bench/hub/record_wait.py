"""From a transaction of a native module to the proof of the record that it wrote, at a hub of processes: what a peer waits
whose message carries that proof, as the FINALIZED of a Dataspace Protocol negotiation does.

The transaction is a registration of a DID, which a member's daemon sends and whose record it shows by the same calls as
those of any module. A wait begins before the gas is estimated and ends when the bundle is judged valid from a checkpoint
that is older than the record, by the auditor's rules.
"""

import argparse
import json
import math
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import trio
from rich.console import Console
from rich.table import Table

from bench.direct_lane import command, write
from bench.hub.lane import HUB_CHAIN_ID, HUB_EVM_CHAIN_ID, start_hub
from hutong.adapters.hub import HubChain
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import ClientInfo
from hutong.light_clients.interface import ClientStatus, Height
from hutong.relay.administration.clients.finality import until_final
from hutong.relay.administration.identity.key_files import key_of_account, key_struct
from hutong.relay.administration.identity.writing import PROOF_POLL_S
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.archive.record_bundle import RecordKey, encode_record_bundle
from hutong.relay.audit.records import RecordAuditor
from hutong.relay.core.archiving.bundling.checkpoint import read_checkpoint
from hutong.relay.core.archiving.bundling.records import ANY_PERIOD, RecordExporter
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.local.config_file import hub_table
from hutong.relay.local.keys import Key, make_key
from hutong.relay.services.hub_access import open_service_hub
from hutong.relay.services.identity.rules.records.keys import did_id, did_key, hub_name

KIT_WAIT_S = 7.0
"""`dataspacetck.dsp.default.wait` of the acceptance run: what the kit gives each message."""
STRANGERS = 4_096
FAR_S = 2**33
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds: until the transaction stood in a block, until a header could prove it, and until the proof was judged."""

    included_s: float
    provable_s: float
    proven_s: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=60, help="registrations of each setting")
    parser.add_argument("--validators", type=int, nargs="*", default=[1, 4], help="of the hub, a process each")
    parser.add_argument("--together", type=int, nargs="*", default=[1, 16], help="accounts that wait at the same time")


def main(console: Console, arguments: argparse.Namespace) -> None:
    table = Table(title=f"seconds from a transaction to its judged record, of {arguments.runs} each")
    for name in (
        "validators",
        "together",
        "in a block p50",
        "p99",
        "provable p50",
        "p99",
        "judged p50",
        "p99",
        "worst",
    ):
        table.add_column(name, justify="right")
    for validators in arguments.validators:
        for together, waits in _measured(validators, arguments.together, arguments.runs).items():
            included = _shares([one.included_s for one in waits])
            provable, proven = _shares([one.provable_s for one in waits]), _shares([one.proven_s for one in waits])
            figures = (*included[:2], *provable[:2], *proven)
            table.add_row(str(validators), str(together), *(f"{figure:.2f}" for figure in figures))
            fits = sum(one.proven_s <= KIT_WAIT_S for one in waits)
            said = {"validators": validators, "together": together, "runs": len(waits), "within_7_s": fits}
            rounded = {"p50_s": round(proven[0], 3), "p99_s": round(proven[1], 3), "worst_s": round(proven[2], 3)}
            print(json.dumps(said | rounded | {"load": round(os.getloadavg()[0], 1)}), flush=True)
    console.print(table)


def _shares(seconds: list[float]) -> tuple[float, float, float]:
    """The median, the 99th percentile (of fewer than 100 the worst one), and the worst."""
    ascending = sorted(seconds)
    return tuple(ascending[math.ceil(share * len(ascending)) - 1] for share in (0.5, 0.99, 1.0))  # type: ignore[return-value]


def _measured(validators: int, settings: list[int], runs: int) -> dict[int, list[Wait]]:
    with tempfile.TemporaryDirectory(prefix="hutong-bench-") as directory, ExitStack() as stack:
        home = Path(directory)
        admin = make_key(home, "admin")
        hub = start_hub(stack, home, admin, 0, validators, None)
        config = home / "relay.toml"
        table = hub_table(HUB_CHAIN_ID, hub.ethereum_ports, hub.cometbft_ports, admin)
        write(config, f'[relay]\nhome = "{home / "relay"}"\n{table}')
        admins = ["--hub-admin", str(admin.keystore), "--hub-admin-password-file", str(admin.password_file)]
        places = ["--organisations", "--strangers", str(STRANGERS), "--stranger-life", "86400"]
        command(["hub", "set-identity", *places, "--config", str(config), *admins])
        rpc = tuple(f"http://127.0.0.1:{port}" for port in hub.ethereum_ports)
        consensus = tuple(f"http://127.0.0.1:{port}" for port in hub.cometbft_ports)
        accounts = [make_key(home, f"member-{number}") for number in range(max(settings))]
        return trio.run(_all_settings, rpc, consensus, accounts, settings, runs)


async def _all_settings(
    rpc: tuple[str, ...], consensus: tuple[str, ...], accounts: list[Key], settings: list[int], runs: int
) -> dict[int, list[Wait]]:
    found: dict[int, list[Wait]] = {}
    async with open_service_hub(HUB_CHAIN_ID, rpc, consensus) as chain:
        await chain.check_identity()
        member = _Member(chain, await _checkpoint(chain), await RecordExporter.of_hub(chain))
        for account in accounts[:WARM_UP]:
            await member.wait(Transactor(chain.execution, HUB_EVM_CHAIN_ID, account.signer()))
        for together in settings:
            waits: list[Wait] = []
            async with trio.open_nursery() as nursery:
                for account in accounts[:together]:
                    nursery.start_soon(member.waits, account, math.ceil(runs / together), waits)
            found[together] = waits
    return found


async def _checkpoint(chain: HubChain) -> Checkpoint:
    """As a client of the hub with the usual periods would begin now."""
    made = await chain.initial_states(ChainKind.TENDERMINT.value, ANY_PERIOD)
    period_ns = ANY_PERIOD.trusting_period_s * 10**9
    told = (ClientStatus.ACTIVE, Height(0, 0), 0, period_ns, None, chain.merkle_prefix, made.client_state)
    return await read_checkpoint(chain, [], [ClientInfo("tendermint-0", ChainKind.TENDERMINT.value, *told)], None)


@dataclass(frozen=True, slots=True)
class _Member:
    """A daemon at one hub, and a reader with a checkpoint of it."""

    chain: HubChain
    checkpoint: Checkpoint
    exporter: RecordExporter

    async def waits(self, account: Key, runs: int, found: list[Wait]) -> None:
        """One after another, by an account."""
        transactor = Transactor(self.chain.execution, HUB_EVM_CHAIN_ID, account.signer())
        found.extend([await self.wait(transactor) for _ in range(runs)])

    async def wait(self, transactor: Transactor) -> Wait:
        """One registration, and the record of it proven to the reader."""
        sender, salt = bytes.fromhex(transactor.signer.address[2:]), os.urandom(32)
        policy: tuple[object, ...] = (1, [sender], bytes(32), 0, [], 0)
        key = key_struct(key_of_account(transactor.signer.public_key), ("log",), (0, FAR_S, bytes(32)))
        call = interface.REGISTER.call(salt, policy, bytes(32), [key])
        record = RecordKey(did_key(did_id(hub_name(HUB_CHAIN_ID), sender, salt)))
        began = time.monotonic()
        receipt = await transactor.send(IDENTITY_ADDRESS, call)
        included = time.monotonic()
        await until_final(self.chain, receipt.height + 1, "the block after the change", poll_s=PROOF_POLL_S)
        provable = time.monotonic()
        bundle = await self.exporter.export([record])
        report = RecordAuditor(self.checkpoint, time.time_ns()).audit(encode_record_bundle(bundle))
        if not report.is_valid or bundle.statements[0].value is None:
            raise RuntimeError(f"the record is not proven: {report.failure}")
        return Wait(included - began, provable - began, time.monotonic() - began)
