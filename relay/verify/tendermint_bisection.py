"""`hutong verify tendermint --bisect`: the fewest headers of a folder that lead from a checkpoint to a height, each
judged.

What a relay does against a node (`hutong.adapters.cometbft`), offline: the schedule of
`hutong.light_clients.tendermint.bisection` over the headers that there are. A header's own validators stand in its
file, or are those of a set in another file or the checkpoint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hutong.light_clients.interface import (
    VERIFY,
    InsufficientTrust,
    Judge,
    PredicateFailed,
    VerificationError,
    rule,
)
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.bisection import Bisection
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash
from hutong.light_clients.tendermint.types import LightBlock, SignedHeader, ValidatorSet
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_update
from hutong.relay.verify.inputs import UnusableInput
from hutong.relay.verify.tendermint import SPEC, Checkpoint, follows_checkpoint, judge_checkpoint, read_served

MAX_HEADERS = 4_096
"""In one folder; each file is bounded by itself."""


@dataclass(frozen=True, slots=True)
class Way:
    """What the schedule found: `blocks` to be believed one after the other; `missing`: why it ends before the
    target."""

    blocks: tuple[LightBlock, ...]
    verdicts: int
    missing: str | None = None


def _paths(given: Sequence[Path]) -> list[Path]:
    """Files as they are, folders by their `.json` files."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(inner for inner in path.iterdir() if inner.suffix == ".json" and inner.is_file())
        else:
            found.append(path)
        if len(found) > MAX_HEADERS:
            raise UnusableInput(f"more than {MAX_HEADERS} files: name the folder of a shorter way")
    if not found:
        raise UnusableInput("no .json file there: expected answers of /commit with their validators, one height a file")
    return found


def read_light_blocks(given: Sequence[Path], checkpoint: Checkpoint) -> dict[int, LightBlock]:
    """What the files hold, by height, ascending: at most MAX_HEADERS files, one header each.

    Args:
        given: files, and folders, of which the `.json` files are read.

    Raises:
        UnusableInput: a file holds no header, lacks its validators, or contradicts another file.
    """
    headers: dict[int, tuple[SignedHeader, Path, ValidatorSet | None]] = {}
    sets = {validator_set_hash(checkpoint.validators): checkpoint.validators}
    for path in _paths(given):
        served = read_served([path])
        own = None
        try:
            signed_header = rpc_json.signed_header_from_rpc(served.signed_headers[0])
            if served.validators:
                listed = {"validators": served.validators, "proposer": served.proposer}
                own = rpc_json.validator_set_from_rpc(listed, "validators")
                sets.setdefault(validator_set_hash(own), own)
        except VerificationError as error:
            raise UnusableInput(f"{path}: {error}") from error
        height = signed_header.header.height
        before = headers.setdefault(height, (signed_header, path, own))
        if _hash_of(before[0]) != _hash_of(signed_header):
            raise UnusableInput(f"{before[1]} and {path} hold two headers of height {height}")
    blocks: dict[int, LightBlock] = {}
    for height, (signed_header, path, own) in sorted(headers.items()):
        validators = own or sets.get(signed_header.header.validators_hash)
        if validators is None:
            raise UnusableInput(f"{path}: the validators of height {height} are not in any of the files")
        blocks[height] = LightBlock(signed_header, validators)
    return blocks


def _hash_of(signed_header: SignedHeader) -> bytes:
    # One without validators has none; such a header is unusable in any case.
    return header_hash(signed_header.header) if signed_header.header.validators_hash else b""


@dataclass(frozen=True, slots=True)
class Search:
    """A checkpoint, headers above it, and how far trust reaches."""

    checkpoint: Checkpoint
    blocks: Mapping[int, LightBlock]
    options: Options
    now_ns: int

    def judge_step(self, judge: Judge, trusted: int, height: int) -> None:
        """Every rule of the header at `height`, from a height that is believed: the checkpoint's or one of the files.

        Args:
            trusted: the believed height, below `height`.

        Raises:
            InsufficientTrust: too few of the believed validators signed it: a header in between may help.
            VerificationError: of any other rule that does not hold.
        """
        block, believed = self.blocks[height], self.blocks.get(trusted)
        if believed is None:
            state = TrustedState(
                trusted,
                self.checkpoint.time_ns,
                validator_set_hash(self.checkpoint.validators),
                self.checkpoint.announced,
            )
            validators = self.checkpoint.validators
            if height == trusted + 1:
                judge(follows_checkpoint, block.signed_header, self.checkpoint)
        else:
            header = believed.signed_header.header
            if height == trusted + 1:
                # Announced by hash: whoever has it is believed to be that set.
                state, validators = TrustedState(trusted, header.time_ns, header.next_validators_hash), block.validators
            else:
                state = TrustedState(trusted, header.time_ns, header.validators_hash, announces_next=False)
                validators = believed.validators
        judge_update(
            judge,
            self.checkpoint.chain_id,
            block,
            state,
            validators,
            self.options,
            self.now_ns,
        )

    def judge_first(self, judge: Judge) -> None:
        """Judge the checkpoint's own block, where a file has it: then it also says who signs next.

        Raises:
            VerificationError: of the first rule that does not hold.
        """
        block = self.blocks.get(self.checkpoint.height)
        if block is not None:
            judge_checkpoint(judge, block.signed_header, block.validators, self.checkpoint)

    def find(self, target: int) -> Way:
        """The way to `target`, with as few headers as the schedule of a relay would fetch.

        A step that fails by anything but too little trust ends the way there, to be printed. Does not raise: what is
        missing is said in the way.
        """
        heights = [self.checkpoint.height, *(at for at in self.blocks if self.checkpoint.height < at <= target)]
        places = Bisection.between(0, len(heights) - 1)
        try:
            self.judge_first(VERIFY)
            while (place := places.next_height) is not None:
                trusted, height = heights[places.trusted], heights[place]
                try:
                    self.judge_step(VERIFY, trusted, height)
                except InsufficientTrust as error:
                    if place == places.trusted + 1:
                        steps = (*places.steps, place)
                        why = f"no header between {trusted} and {height} is here: {error}"
                        return Way(self._at(heights, steps), places.verdicts + 1, why)
                    places = places.not_enough_trust()
                else:
                    places = places.believed()
        except VerificationError as error:
            tried = places.next_height
            steps = places.steps if tried is None else (*places.steps, tried)
            return Way(self._at(heights, steps), places.verdicts, str(error))
        return Way(self._at(heights, places.steps), places.verdicts)

    def _at(self, heights: Sequence[int], places: Sequence[int]) -> tuple[LightBlock, ...]:
        return tuple(self.blocks[heights[place]] for place in places)

    def judge_way(self, judge: Judge, way: Way, target: int) -> None:
        """Every rule of every step, each under the height that it makes believed; last, that it ends at the target.

        Raises:
            VerificationError: of the first rule that does not hold.
        """
        self.judge_first(judge.under(f"{self.checkpoint.height}."))
        trusted = self.checkpoint.height
        for block in way.blocks:
            self.judge_step(judge.under(f"{block.height}."), trusted, block.height)
            trusted = block.height
        judge(target_is_reached, way, trusted, target)


@rule(SPEC)
def target_is_reached(way: Way, reached: int, target: int) -> None:
    """The way leads to the height that was asked for.

    Args:
        reached: the last believed height.

    Raises:
        PredicateFailed: it ends before; the reason is the way's.
    """
    if way.missing is not None or reached != target:
        raise PredicateFailed("target_is_reached", way.missing or "the way ends before", reached, target)


def subject_of(way: Way, search: Search, target: int) -> dict[str, str]:
    """What is judged; the way as the schedule found it. There must be a header in the files."""
    checkpoint = search.checkpoint
    heights = (checkpoint.height, *(block.height for block in way.blocks))
    return {
        "headers": f"{len(search.blocks)} of {checkpoint.chain_id}, {min(search.blocks)} to {max(search.blocks)}"[:200],
        "checkpoint": f"{checkpoint.chain_id} {checkpoint.height} {checkpoint.hash.hex()}",
        "checkpoint time": rpc_json.format_time(checkpoint.time_ns),
        "now": rpc_json.format_time(search.now_ns),
        "target": str(target),
        "way": f"{' > '.join(map(str, heights))} ({way.verdicts} verdicts to find it)",
    }
