"""`hutong verify`: files from real chains judged offline, predicate by predicate, from a root or state that the user
trusts."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, audit
from hutong.relay.cli.audit.options import TWO_WEEKS_S, File, HeaderTrust, Now, VerdictsAsJson, judged_at_ns
from hutong.relay.cli.audit.verify_proofs import eip1186_command, ics23_command
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.verdicts import report
from hutong.relay.verify.inputs import UnusableInput, parse_hex, required

if TYPE_CHECKING:
    from hutong.light_clients.bft_evm import SealRules
    from hutong.relay.verify.bitcoin import Shown
    from hutong.relay.verify.tendermint_bisection import Search
    from hutong.relay.verify.tlog import Shown as ShownLog
    from hutong.relay.verify.tlog import Trusted as TrustedLog

app = command_group("Check files from real chains offline: 0 valid, 1 invalid, 2 unusable input.")


@app.callback()
def verify() -> None:
    """Check files from real chains offline: 0 valid, 1 invalid, 2 unusable input."""


app.command("ics23")(ics23_command)
app.command("eip1186")(eip1186_command)


@dataclass(frozen=True, slots=True)
class CometTrust(HeaderTrust):
    """The same of a CometBFT chain."""

    clock_drift: Annotated[int, typer.Option(help="Seconds that a header may be ahead of now.")] = 10


@dataclass(frozen=True, slots=True)
class BeaconTrust(HeaderTrust):
    """The same of a beacon chain's block root."""

    trusting_period: Annotated[int, typer.Option(help="Seconds for which a trusted block is believed.")] = TWO_WEEKS_S
    clock_drift: Annotated[int, typer.Option(help="Seconds that a signature may be ahead of now.")] = 12


@dataclass(frozen=True, slots=True)
class TransactionOptions:
    """A Bitcoin transaction that is said to be in a block, and the message in it."""

    proof: Annotated[Path | None, typer.Option(help="A gettxoutproof answer or merkleblock.")] = None
    transaction: Annotated[Path | None, typer.Option(help="The transaction that the proof must be of.")] = None
    coinbase: Annotated[
        Path | None, typer.Option(help="The block's coinbase, where the proof matches it too: fixes the tree's depth.")
    ] = None
    funding: Annotated[
        Path | None, typer.Option(help="The transaction whose output the publisher spent: judges the hutong message.")
    ] = None
    publisher: Annotated[str | None, typer.Option(help="Output script that speaks for Bitcoin's side, hex.")] = None
    key: Annotated[str | None, typer.Option(help="ICS-24 key of the message, hex.")] = None
    value: Annotated[str | None, typer.Option(help="Its 32 bytes, hex.")] = None
    depth: Annotated[int, typer.Option(help="Blocks from the proven one to the tip, both included.")] = 6

    def read(self, headers: Path, network: str, checkpoint: Path) -> "Shown":
        """All files as they are to be judged.

        Raises:
            UnusableInput: a file or an option is none, or options lack what they go with.
        """
        from hutong.relay.verify import bitcoin as command

        if self.depth <= 0:
            raise UnusableInput("--depth must be positive")
        if self.proof is None and (self.transaction is not None or self.coinbase is not None):
            raise UnusableInput("a transaction is proven by --proof, a gettxoutproof answer")
        claim = command.read_claim(self.key, self.value, self.publisher, self.funding)
        if claim is not None and self.transaction is None:
            raise UnusableInput("a message is part of a transaction: give --transaction, and --proof of it")
        chain, trusted = command.parse_network(network), command.read_checkpoint(checkpoint)
        return command.read_shown(chain, trusted, headers, self.proof, self.transaction, self.coinbase, claim)


@app.command("tendermint")
def tendermint_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Answers of /commit and /validators (all pages), or one file that holds both; with --bisect folders too.",
        ),
    ],
    trusted: Annotated[
        Path | None,
        typer.Option(help="Checkpoint that you trust, JSON or TOML: chain, height, hash, time, validators."),
    ] = None,
    trust_level: Annotated[str, typer.Option(help="Share of the trusted power that must have signed.")] = "1/3",
    bisect: Annotated[
        bool,
        typer.Option(
            "--bisect",
            help="Each file is one height: find the fewest headers that lead to the highest, and judge each.",
        ),
    ] = False,
    to: Annotated[int | None, typer.Option(help="With --bisect: the height to reach; without it the highest.")] = None,
    *,
    trust: CometTrust,
) -> None:
    """Judge a CometBFT header, its commit and its validators from a checkpoint (light client verification)."""
    from hutong.light_clients.tendermint.verification import Options
    from hutong.relay.verify import tendermint as command
    from hutong.relay.verify import tendermint_bisection as ways

    trusted = required(trusted, "--trusted", "a checkpoint (chain, height, hash, time, validators)")
    now_ns = trust.judged_at_ns()
    options = Options(
        command.parse_trust_level(trust_level),
        trust.trusting_period * NANOSECONDS_PER_SECOND,
        trust.clock_drift * NANOSECONDS_PER_SECOND,
    )
    if to is not None and not bisect:
        raise UnusableInput("--to goes with --bisect")
    checkpoint = command.read_checkpoint(trusted)
    if bisect:
        blocks = ways.read_light_blocks(files, checkpoint)
        _report_way(files, ways.Search(checkpoint, blocks, options, now_ns), to, trust.as_json)
    served = command.read_served(files)
    subject = {"file": ", ".join(map(str, files)), **command.subject_of(served, checkpoint, now_ns)}
    report(audit(command.judge_file, served, checkpoint, options, now_ns), subject, as_json=trust.as_json)


def _report_way(files: list[Path], search: "Search", to: int | None, as_json: bool) -> NoReturn:
    from hutong.relay.verify.tendermint_bisection import subject_of

    target = max(search.blocks) if to is None else to
    height = search.checkpoint.height
    if target not in search.blocks or target <= height:
        raise UnusableInput(f"no header of height {target} above the checkpoint's {height} in the files")
    way = search.find(target)
    subject = {"files": ", ".join(map(str, files)), **subject_of(way, search, target)}
    report(audit(search.judge_way, way, target), subject, as_json=as_json)


Trusted = Annotated[
    Path | None,
    typer.Option(help="Checkpoint that you trust, JSON or TOML: chain, height, hash, time, validators (addresses)."),
]


class IbftRule(StrEnum):
    """Which IBFT sealed the header."""

    IBFT2 = "ibft2"
    ISTANBUL = "istanbul"


class Quorum(StrEnum):
    """How many of the header's own validators must have sealed it."""

    CEIL_TWO_THIRDS = "two-thirds"
    TWO_F_PLUS_ONE = "2f+1"


@app.command("qbft")
def qbft_command(file: File, trusted: Trusted = None, *, trust: HeaderTrust) -> None:
    """Judge a QBFT header with its seals from a checkpoint: an eth_getBlockByNumber answer, or header RLP in hex."""
    from hutong.light_clients.bft_evm import SealRules

    _judge_bft(file, trusted, trust, SealRules())


@app.command("ibft")
def ibft_command(
    file: File,
    trusted: Trusted = None,
    rule: Annotated[IbftRule, typer.Option(help="IBFT 2.0 (Besu), or Istanbul (GoQuorum's first).")] = IbftRule.IBFT2,
    quorum: Annotated[
        Quorum, typer.Option(help="Two thirds rounded up, or what GoQuorum asks before its ceil2Nby3Block.")
    ] = Quorum.CEIL_TWO_THIRDS,
    *,
    trust: HeaderTrust,
) -> None:
    """Judge an IBFT 2.0 or Istanbul header with its seals from a checkpoint, as `verify qbft` does."""
    from hutong.light_clients.bft_evm import Consensus, QuorumRule, SealRules

    rules = SealRules(Consensus[rule.name], QuorumRule[quorum.name])
    _judge_bft(file, trusted, trust, rules)


def _judge_bft(file: Path, trusted: Path | None, trust: HeaderTrust, rules: "SealRules") -> None:
    from hutong.light_clients.bft_evm.verification import Options
    from hutong.relay.verify import bft_evm as command
    from hutong.relay.verify.evm_files import read_served

    trusted = required(trusted, "--trusted", f"a checkpoint ({command.MEMBERS})")
    now_ns = trust.judged_at_ns()
    checkpoint = command.read_checkpoint(trusted)
    served = read_served(file)
    subject = {"file": str(file), **command.subject_of(served, checkpoint, rules.consensus, now_ns)}
    options = Options(trust.trusting_period, trust.clock_drift, rules)
    report(audit(command.judge_file, served, checkpoint, options, now_ns), subject, as_json=trust.as_json)


@app.command("clique")
def clique_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="eth_getBlockByNumber answers, one or a list a file, or header RLP in hex: every block from the "
            "checkpoint's child on, in any order. The checkpoint's own block alone is judged by its seal.",
        ),
    ],
    trusted: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint that you trust, JSON or TOML: chain, height, hash, time, signers, period, epoch; and recents "
            "(who sealed the last blocks, oldest first) and votes (candidate, signer), as far as you know them."
        ),
    ] = None,
    confirmations: Annotated[int, typer.Option(help="Blocks that must stand on top of the believed one.")] = 12,
    height: Annotated[
        int | None, typer.Option(help="The block to believe; without it the highest that is deep enough.")
    ] = None,
    *,
    trust: HeaderTrust,
) -> None:
    """Judge a branch of Clique headers from a checkpoint: links, signers, turns, votes, epochs, confirmations."""
    from hutong.relay.verify import clique as command

    trusted = required(trusted, "--trusted", f"a checkpoint ({command.MEMBERS})")
    now_ns = trust.judged_at_ns()
    if not 0 < confirmations <= command.MAX_CONFIRMATIONS:
        raise UnusableInput(f"--confirmations must be 1 to {command.MAX_CONFIRMATIONS}")
    checkpoint = command.read_checkpoint(trusted)
    blocks = command.read_blocks(files)
    options = checkpoint.options(confirmations, trust.trusting_period, trust.clock_drift)
    subject = {"file": ", ".join(map(str, files)), **command.subject_of(blocks, checkpoint, now_ns)}
    report(audit(command.judge_file, blocks, checkpoint, options, height, now_ns), subject, as_json=trust.as_json)


@app.command("ethereum")
def ethereum_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Answers of /eth/v1/beacon/light_client: bootstrap first, then updates in order; JSON, SSZ or .ssz_snappy.",
        ),
    ],
    root: Annotated[
        str | None, typer.Option(help="Trusted block root, hex: of a finalized block that you know from elsewhere.")
    ] = None,
    network: Annotated[
        str, typer.Option(help="mainnet, sepolia, hoodi, or a JSON file with a node's spec and genesis.")
    ] = "mainnet",
    fork: Annotated[
        str | None, typer.Option(help="Fork of the containers in SSZ files, and in JSON that names no version.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes at most for many updates; as many as there are processors.", min=1)
    ] = None,
    *,
    trust: BeaconTrust,
) -> None:
    """Judge a beacon chain's light client objects from a trusted block root (sync-committee protocol)."""
    from hutong.relay.acceleration.machine import usable_cores
    from hutong.relay.verify import ethereum as command
    from hutong.relay.verify.ethereum_runs import verdicts_of

    trusted = parse_hex(required(root, "--root", "the root of a finalized block"), "--root", 32)
    now_ns = trust.judged_at_ns()
    chain_rules = command.read_network(network)
    root_trust = command.Trust(chain_rules, trusted, trust.trusting_period, trust.clock_drift)
    served = command.read_served(files, chain_rules, None if fork is None else command.fork_option(fork))
    subject = {"files": ", ".join(map(str, files)), **command.subject_of(served, root_trust, now_ns)}
    report(verdicts_of(served, root_trust, now_ns, jobs or usable_cores()), subject, as_json=trust.as_json)


@app.command("bitcoin")
def bitcoin_command(
    file: Annotated[
        Path,
        typer.Argument(metavar="HEADERS", help="Consecutive block headers of 80 bytes: raw, hex, or a node's JSON."),
    ],
    trusted: Annotated[
        Path | None, typer.Option(help="Checkpoint that you trust, JSON or TOML: height and hash of a block.")
    ] = None,
    network: Annotated[str, typer.Option(help="mainnet, testnet4, testnet3 or regtest.")] = "mainnet",
    now: Now = None,
    as_json: VerdictsAsJson = False,
    *,
    shown: TransactionOptions,
) -> None:
    """Judge Bitcoin headers by work and rules from a checkpoint, and a transaction's inclusion in a block among them."""
    from hutong.relay.verify import bitcoin as command

    trusted = required(trusted, "--trusted", "a checkpoint (height, hash)")
    now_ns = judged_at_ns(now)
    judged = shown.read(file, network, trusted)
    subject = {"file": str(file), **command.subject_of(judged)}
    report(audit(command.judge_file, judged, shown.depth, now_ns), subject, as_json=as_json)


@app.command("fisco")
def fisco_command(
    file: File,
    trusted: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint that you trust, JSON or TOML: chain, height, hash, time, sealers, in 3.x weights."
        ),
    ] = None,
    transaction: Annotated[
        Path | None, typer.Option(help="Answer with a transaction and its Merkle path, to be found in the block.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(help="Answer with a receipt and its Merkle path, to be found in the block.")
    ] = None,
    *,
    trust: HeaderTrust,
) -> None:
    """Judge a FISCO BCOS block (2.x or 3.x) with its signatures from a checkpoint, and what is said to be in it."""
    from hutong.relay.verify import fisco_bcos as command

    trusted = required(trusted, "--trusted", "a checkpoint (chain, height, hash, time, sealers)")
    now_ns = trust.judged_at_ns()
    checkpoint = command.read_checkpoint(trusted)
    served = command.read_served(file, transaction, receipt)
    subject = {"file": str(file), **command.subject_of(served, checkpoint, now_ns)}
    bounds = command.Bounds(trust.trusting_period, trust.clock_drift)
    report(audit(command.judge_file, served, checkpoint, bounds, now_ns), subject, as_json=trust.as_json)


@app.command("attestation")
def attestation_command(
    file: File,
    trusted: Annotated[
        Path | None,
        typer.Option(help="What you trust, JSON or TOML: client_state and consensus_state of a client, hex."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The file is a packet proof of this ICS-24 key, hex; without it an update.")
    ] = None,
    value: Annotated[
        str | None, typer.Option(help="Commitment under --key, hex; without it nothing is claimed to be there.")
    ] = None,
    now: Now = None,
    as_json: VerdictsAsJson = False,
) -> None:
    """Judge what attestors signed: a state, a rotation of their set, or with --key a packet proof (raw, hex or base64)."""
    from hutong.relay.verify import attestation as command

    trusted = required(trusted, "--trusted", "client_state and consensus_state of a client")
    if key is None and value is not None:
        raise UnusableInput("--value goes with --key")
    now_ns = judged_at_ns(now)
    claim = None
    if key is not None:
        claim = command.Claim(parse_hex(key, "--key"), None if value is None else parse_hex(value, "--value", 32))
    states = command.read_trusted(trusted)
    attested = command.read_attested(file)
    subject = {"file": str(file), **command.subject_of(attested, states, claim, now_ns)}
    report(audit(command.judge_file, attested, states, claim, now_ns), subject, as_json=as_json)


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is shown of a log beside its checkpoint, and where a client's first states go."""

    tiles: Annotated[
        Path | None, typer.Option(help="Folder with the log's tiles (tile/…), for growth and entries.")
    ] = None
    index: Annotated[int | None, typer.Option(help="Of an entry, from 0: with --entry.")] = None
    entry: Annotated[Path | None, typer.Option(help="File with the entry that is said to stand at --index.")] = None
    states: Annotated[
        Path | None,
        typer.Option(help="Folder to write client.hex and consensus.hex to, for `hutong client create`, if all holds."),
    ] = None
    conflicting: Annotated[
        Path | None,
        typer.Option(help="Another checkpoint: judged is that log and quorum signed both and one tree left the other."),
    ] = None
    evidence: Annotated[
        Path | None,
        typer.Option(
            help="With --conflicting: file to write evidence to, for `hutong client misbehaviour`, if all holds."
        ),
    ] = None


@app.command("tlog")
def tlog_command(
    file: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="The signed note that the log serves.")],
    trusted: Annotated[
        Path | None,
        typer.Option(
            help="Whom you trust, JSON or TOML: origin, log_key, witnesses, quorum; with size and root of a tree too."
        ),
    ] = None,
    *,
    trust: HeaderTrust,
    shown: LogOptions,
) -> None:
    """Judge a signed log's checkpoint and its cosignatures, that it only grew, and that an entry stands in it."""
    from hutong.relay.verify import tlog as command

    trusted = required(trusted, "--trusted", f"a file of {command.MEMBERS}")
    now_ns = trust.judged_at_ns()
    believed = command.read_trusted(trusted)
    periods = command.periods_of(believed, trust.trusting_period, trust.clock_drift)
    tiles = None if shown.tiles is None else command.Tiles(shown.tiles)
    judged = command.Shown(command.read_checkpoint(file), tiles, command.read_claim(shown.index, shown.entry))
    if shown.conflicting is None and shown.evidence is not None:
        raise UnusableInput("--evidence goes with --conflicting")
    if shown.conflicting is not None:
        _report_conflict(judged, believed, shown, str(file), trust.as_json)
    verdicts = audit(command.judge_file, judged, believed, periods, now_ns)
    if shown.states is not None and all(verdict.held for verdict in verdicts):
        command.write_states(shown.states, *command.states_of(judged, believed, periods))
    report(verdicts, {"file": str(file), **command.subject_of(judged, believed, now_ns)}, as_json=trust.as_json)


def _report_conflict(
    judged: "ShownLog", believed: "TrustedLog", options: LogOptions, file: str, as_json: bool
) -> NoReturn:
    from hutong.relay.verify import tlog as command

    conflict = command.read_conflict(judged, required(options.conflicting, "--conflicting", "another checkpoint"))
    verdicts = audit(command.judge_conflict, conflict, believed)
    if options.evidence is not None and all(verdict.held for verdict in verdicts):
        command.write_evidence(options.evidence, conflict)
    report(verdicts, {"file": file, "conflicting": str(options.conflicting)}, as_json=as_json)
