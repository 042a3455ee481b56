"""Area ethereum, files of other bridges: datachainlab's and snowbridge's, whose headers bring no execution payload headers."""

from collections.abc import Iterator

from hutong.light_clients.ethereum import (
    BeaconBlockHeader,
    Bootstrap,
    Fork,
    Network,
    Update,
    beacon_block_root,
    execution_payload_root,
    predicates,
)
from hutong.light_clients.ethereum import beacon_json as api
from hutong.light_clients.ethereum.forks import EXECUTION_PAYLOAD_GINDEX
from hutong.light_clients.ethereum.verification import judge_signature
from hutong.light_clients.interface import VERIFY
from hutong.light_clients.proofs.ssz import uint64_chunk, verify_branch
from tests.vectors.beacon_bodies import body_root
from tests.vectors.formats_ethereum import (
    bare,
    committees_for,
    datachainlab_update,
    from_hex,
    network_of,
    no_committee,
    require,
    snowbridge_update,
    update_verification,
)
from tests.vectors.vector_registry import Entry, Group, Verification, runs

BLOCK_ROOTS_GINDEX = 37
"""`block_roots` in a BeaconState before Electra: field 5 of 32."""
SLOTS_PER_HISTORICAL_ROOT_DEPTH = 13


@runs("datachainlab-update-json")
def datachainlab(entry: Entry, group: Group) -> Iterator[Verification]:
    update = datachainlab_update(entry.json(), network_of(entry.params))
    yield update_verification(update, entry, committees_for(entry, group), whole_headers=False)


@runs("datachainlab-initial-state-json")
def datachainlab_initial(entry: Entry, group: Group) -> Iterator[Verification]:
    network, state = network_of(entry.params), entry.json()[0]
    bootstrap = Bootstrap(
        bare(api.beacon_header(state["beacon_header"])),
        api.sync_committee(state["current_sync_committee"], network.preset),
        api.branch(state["current_sync_committee_branch"], "current_sync_committee_branch"),
    )
    yield Verification("committee branch", lambda: committee_proven(bootstrap, network))


def committee_proven(bootstrap: Bootstrap, network: Network) -> None:
    predicates.current_committee_proven(bootstrap, network)
    predicates.committee_keys_valid(bootstrap.current_sync_committee)


@runs("datachainlab-consensus-update-json")
def datachainlab_consensus(entry: Entry, group: Group) -> Iterator[Verification]:
    network = network_of(entry.params)
    committees = committees_for(entry, group)
    consensus, execution = entry.json()
    update = datachainlab_update(consensus["light_client_update"], network)
    checked = update_verification(update, entry, committees, whole_headers=False)

    def run() -> None:
        checked.run()
        root = from_hex(consensus["finalized_execution_root"])
        branch = api.branch(consensus["finalized_execution_branch"], "finalized_execution_branch")
        assert update.finalized_header is not None
        verify_branch(root, branch, EXECUTION_PAYLOAD_GINDEX, update.finalized_header.beacon.body_root)
        # Fields 2 and 6 of the 16 leaves of an execution payload header.
        verify_branch(from_hex(execution["state_root"]), api.branch(execution["state_root_branch"], "branch"), 18, root)
        number = uint64_chunk(api.integer(execution["block_number"], "block_number"))
        verify_branch(number, api.branch(execution["block_number_branch"], "branch"), 22, root)

    yield Verification("update and execution root", run, unchecked=checked.unchecked)


@runs("snowbridge-checkpoint-json")
def snowbridge_checkpoint(entry: Entry, group: Group) -> Iterator[Verification]:
    network, state = network_of(entry.params), entry.json()
    header = api.beacon_header(state["header"])
    bootstrap = Bootstrap(
        bare(header),
        api.sync_committee(state["current_sync_committee"], network.preset),
        api.branch(state["current_sync_committee_branch"], "current_sync_committee_branch"),
    )

    def run() -> None:
        committee_proven(bootstrap, network)
        block_roots_proven(state, header)

    yield Verification("committee branch", run)


def block_roots_of(data: dict) -> tuple[bytes, tuple[bytes, ...]] | None:
    root, branch = (
        data.get("block_roots_root", data.get("block_roots_hash")),
        data.get("block_roots_branch", data.get("block_roots_proof")),
    )
    return None if root is None or branch is None else (from_hex(root), api.branch(branch, "block_roots_branch"))


def block_roots_proven(data: dict, header: BeaconBlockHeader) -> None:
    found = block_roots_of(data)
    if found is not None:
        verify_branch(*found, BLOCK_ROOTS_GINDEX, header.state_root, "block_roots_proven")


@runs("snowbridge-update-json")
def snowbridge_updates(entry: Entry, group: Group) -> Iterator[Verification]:
    network, data = network_of(entry.params), entry.json()
    committees = committees_for(entry, group)
    update = snowbridge_update(data, network)
    checked = update_verification(update, entry, committees, whole_headers=False)

    def run() -> None:
        checked.run()
        assert update.finalized_header is not None
        block_roots_proven(data, update.finalized_header.beacon)

    yield Verification("update and block roots", run, unchecked=checked.unchecked)


def descendant(entry: Entry, group: Group) -> dict:
    """The update whose finalized state lists the roots of earlier blocks."""
    wanted = entry.params["ancestor_of"]
    return next(e for e in group.entries if e.file == wanted).json()


def ancestry_proven(header: BeaconBlockHeader, branch: tuple[bytes, ...], root: bytes, update: dict) -> None:
    """The header's root is in the finalized state's list of block roots, and `root` is that finalized block's."""
    found = block_roots_of(update)
    assert found is not None
    width = 1 << SLOTS_PER_HISTORICAL_ROOT_DEPTH
    verify_branch(beacon_block_root(header), branch, width + header.slot % width, found[0], "ancestry_proven")
    finalized = api.beacon_header(update["finalized_header"])
    require(beacon_block_root(finalized) == root, "ancestry_proven", "another finalized block is named")


class SignedHeader:
    """A header with a sync aggregate of its own, where the file has one."""

    def __init__(self, header: BeaconBlockHeader, data: dict, entry: Entry, group: Group) -> None:
        self._signed = None
        self.unchecked: str | None = None
        if data.get("sync_aggregate") is None:
            return
        network = network_of(entry.params)
        slot = api.integer(data["signature_slot"], "signature_slot")
        update = Update(bare(header), api.sync_aggregate(data["sync_aggregate"], network.preset), slot)
        period = network.period_at(slot)
        committee = committees_for(entry, group).get(period)
        if committee is None:
            self.unchecked = no_committee(period)
        else:
            self._signed = update, committee, network

    def run(self) -> None:
        if self._signed is not None:
            judge_signature(VERIFY, *self._signed)


def first_of(data: dict, *names: str):
    """The value under the first of the names that the layout of this file has."""
    return next(data[name] for name in names if data.get(name) is not None)


@runs("snowbridge-header-update-json")
def snowbridge_header(entry: Entry, group: Group) -> Iterator[Verification]:
    data = entry.json()
    fork = Fork[entry.params["fork"].upper()]
    header = api.beacon_header(first_of(data, "beacon_header", "attested_header", "header"))
    if data.get("versioned_execution_header") is not None:
        ((name, raw),) = data["versioned_execution_header"].items()
        fork = Fork[name.upper()]
    else:
        raw = data["execution_header"]
    execution = api.execution_payload_header(raw, fork)
    flat = data | {f"ancestry_{name}": value for name, value in (data.get("ancestry_proof") or {}).items()}
    branch = first_of(flat, "block_root_branch", "block_roots_branch", "ancestry_header_branch")
    root = first_of(flat, "block_root_branch_header_root", "block_roots_root", "ancestry_finalized_block_root")
    signed = SignedHeader(header, data, entry, group)

    def run() -> None:
        verify_branch(
            execution_payload_root(execution, fork),
            api.branch(data["execution_branch"], "execution_branch"),
            EXECUTION_PAYLOAD_GINDEX,
            header.body_root,
        )
        ancestry_proven(header, api.branch(branch, "branch"), from_hex(root), descendant(entry, group))
        signed.run()

    yield Verification("execution header and ancestry", run, unchecked=signed.unchecked)


@runs("snowbridge-block-update-json")
def snowbridge_block(entry: Entry, group: Group) -> Iterator[Verification]:
    """The body's root is the library's, signature and ancestry are ours."""
    data = entry.json()
    block = data["block"]
    root = body_root(block["body"], entry.params["fork"], entry.params["preset"])
    header = api.beacon_header(block | {"body_root": root.hex()})

    signed = SignedHeader(header, data, entry, group)

    def run() -> None:
        signed.run()
        ancestry_proven(
            header,
            api.branch(data["block_root_proof"], "block_root_proof"),
            from_hex(data["block_root_proof_finalized_header"]),
            descendant(entry, group),
        )

    yield Verification("block", run, library="remerkleable", unchecked=signed.unchecked)
