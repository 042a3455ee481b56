"""What a new hub begins with, as its founder wishes it: who decides, what gas costs, whose code runs, who observes; and
the homes of its first validators.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.hub.accounts import account_of, holder_of
from hutong.relay.administration.hub.keystores import KeystoreEncryption
from hutong.relay.hub.abci.initialise import initialise_members, ports_from
from hutong.relay.hub.application.admin import AdminSet
from hutong.relay.hub.application.genesis import Genesis, HubParams
from hutong.relay.hub.application.genesis_tables import OBSERVATIONS
from hutong.relay.hub.application.machine.fees import NOBODY, FeeRules
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.application.observations.writers import ObservationRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.revision.consensus_libraries import CHOSEN_SINCE, GM_LIBRARY, unfit_library
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis, initialise_home
from hutong.relay.hub.home.key_file import EncodeKey, new_secret
from hutong.relay.hub.upkeep.initialise_network import initialise_network

DEFAULT_FUNDING_WEI = 10**24
_FUND = re.compile(r"(?:0x)?([0-9a-fA-F]{40})(?:=([0-9]{1,38}))?")


@dataclass(frozen=True, slots=True)
class Government:
    """Who decides on a new hub: a set of admins, or the validators' operators."""

    admins: AdminSet | None
    operators: tuple[bytes, ...]


def government_of_validators(
    operators: Sequence[bytes], validators: int, home: Path, keystores: KeystoreEncryption
) -> Government:
    """The operators of the validators; where none is named, keystores are made in `home`.

    Args:
        operators: in the order of the validators' homes.
        validators: how many homes the hub begins with.

    Raises:
        Unusable: there are more or fewer operators than validators, or one of them twice; nothing is made.
        UnsafeFile, ValueError, OSError: as `KeystoreEncryption.make`.
    """
    if len(operators) not in (0, validators):
        raise Unusable(f"--operator: give one for each of the {validators} validators, or none")
    if len(set(operators)) != len(operators):
        raise Unusable("--operator: each validator needs an operator account of its own")
    made = keystores.make(home, "operator", 0 if operators else validators)
    return Government(None, (*operators, *made))


def government_of_admins(
    named: Sequence[bytes], made: int, threshold: int | None, home: Path, keystores: KeystoreEncryption
) -> Government:
    """The admins who are named, and those whose keystores are made in `home`: one where there would be nobody.

    Args:
        threshold: approvals that an act needs; None: more than half.

    Raises:
        Unusable, ValueError: the threshold does not fit the admins, or one is named twice; nothing is made.
        UnsafeFile, ValueError, OSError: as `KeystoreEncryption.make`.
    """
    making = made if made or named else 1
    count = len(named) + making
    if threshold is not None and not 1 <= threshold <= count:  # before anything is made: the command can be given again
        raise Unusable(f"--threshold: {threshold} approvals of {count} admins cannot be; it is 1 to {count}")
    AdminSet((*named, *_stand_ins(making)), 1)
    everyone = (*named, *keystores.make(home, "admin", making))
    return Government(AdminSet(everyone, len(everyone) // 2 + 1 if threshold is None else threshold), ())


def judge(hub: NewHub) -> None:
    """Refuse what genesis refuses before any key is made: the command can be given again. Nothing is written.

    Args:
        hub: as it is asked for; who decides is not looked at, since their keys may not be made yet.

    Raises:
        MalformedInput, ValueError: as `build_genesis`.
    """
    build_genesis(replace(hub, admins=AdminSet(_stand_ins(1), 1), operators=()), (validator_key(new_secret()),))


def _stand_ins(count: int) -> tuple[bytes, ...]:
    """Accounts in place of those whose keystores are made later."""
    return tuple(os.urandom(20) for _ in range(count))


def hub_params(block_interval_ms: int, proof_block_ms: int, block_max_gas: int | None) -> HubParams:
    """The hub's parameters, times in milliseconds.

    Raises:
        MalformedInput: one is out of its bounds.
    """
    return HubParams(
        block_interval_ms=block_interval_ms,
        proof_block_delay_ms=proof_block_ms,
        block_max_gas=HubParams().block_max_gas if block_max_gas is None else block_max_gas,
    )


def balance_of(text: str) -> tuple[bytes, int]:
    """(account, wei) of ADDRESS or ADDRESS=WEI.

    Raises:
        Unusable: it is neither.
    """
    match = _FUND.fullmatch(text)
    if match is None:
        raise Unusable(f"--fund {text[:64]}: give ADDRESS or ADDRESS=WEI")
    return bytes.fromhex(match[1]), DEFAULT_FUNDING_WEI if match[2] is None else int(match[2])


def fee_rules(base_fee: str | None, recipient: str | None) -> FeeRules | None:
    """The market of gas; None where it is free.

    Args:
        base_fee: the first and least price in wei, in digits.
        recipient: address of whoever gets the tips; None: nobody.

    Raises:
        Unusable: the fee is no number, or a recipient is named without it.
    """
    if base_fee is None:
        if recipient is not None:
            raise Unusable("--fee-recipient: there are tips only with --base-fee")
        return None
    if re.fullmatch(r"[0-9]{1,38}", base_fee) is None:
        raise Unusable(f"--base-fee {base_fee[:64]}: a whole number of wei")
    return FeeRules(int(base_fee), NOBODY if recipient is None else account_of(recipient, "--fee-recipient"))


def code_rules(
    is_open: bool | None, deployers: Sequence[str], contracts: Sequence[str], version: int, *, has_fees: bool
) -> CodeRules | None:
    """Who may create and call contracts. None where nothing is said: then genesis needs no word of it.

    Args:
        is_open: None: as `has_fees`.
        version: of the first block's rules.

    Raises:
        Unusable: an address is malformed, or the rules of this version know no such thing.
    """
    creating = {holder_of(text, "--deployer") for text in deployers}
    called = {account_of(text, "--contract") for text in contracts}
    if is_open is None and not creating and not called:
        return None
    if version < rules_versions.BOUNDED_EXECUTION:
        raise Unusable("--open-code, --closed-code, --deployer and --contract: from rules version 3 on")
    return CodeRules(has_fees if is_open is None else is_open, tuple(sorted(creating)), tuple(sorted(called)))


def observation_tables(is_open: bool, writers: Sequence[str], version: int) -> tuple[tuple[str, ObservationRules], ...]:
    """The table `observations` of genesis; none where nothing is said, for then genesis needs no word of it.

    Args:
        writers: each ADDRESS=KEYS, with how many keys it may have open.
        version: of the first block's rules.

    Raises:
        Unusable: a text is not ADDRESS=KEYS, or the rules of this version know no such thing.
    """
    named: dict[bytes, int] = {}
    for account, keys in map(_writer, writers):
        if account in named:
            raise Unusable(f"--writer names 0x{account.hex()} twice: give each writer once")
        named[account] = keys
    if not is_open and not named:
        return ()
    if version < rules_versions.RECORDS:
        raise Unusable("--open-observations and --writer: from rules version 4 on")
    return ((OBSERVATIONS, ObservationRules(is_open, tuple(sorted(named.items())))),)


def _writer(text: str) -> tuple[bytes, int]:
    account, _, keys = text.partition("=")
    if re.fullmatch(r"[1-9][0-9]{0,19}", keys) is None:
        raise Unusable(f"--writer {text[:80]}: give ADDRESS=KEYS")
    return holder_of(account, "--writer"), int(keys)


def make_homes(
    home: Path, hub: NewHub, validators: int, base_port: int, encode_key: EncodeKey
) -> tuple[Genesis, list[str]]:
    """Homes of nodes of the embedded engine: `home` for one validator, else a folder in it for each.

    Args:
        base_port: for the peers of the first one; ten more for each next.

    Returns:
        The genesis that all homes share, and the commands by which they run.

    Raises:
        UnusableHome, MalformedInput, ValueError, OSError: as `initialise_home` and `initialise_network`.
    """
    if validators == 1:
        return initialise_home(home, hub, encode_key=encode_key), []
    genesis, peers = initialise_network(home, hub, validators, base_port, encode_key)
    lines = []
    for one in peers:
        lines.append(f"hutong hub start --home {one.home} --port {one.eth} --cometbft-port {one.cometbft}")
        lines.append(f"peer {one.node_id}@127.0.0.1:{one.p2p}")
    return genesis, lines


def make_cometbft_homes(home: Path, hub: NewHub, validators: int, base_port: int) -> tuple[Genesis, list[str]]:
    """The same of nodes under CometBFT.

    Raises:
        UnusableHome, MalformedInput, ValueError, OSError: as `initialise_members`.
    """
    genesis, members = initialise_members(home, hub, [ports_from(base_port, index) for index in range(validators)])
    return genesis, [line for member in members for line in member.lines()]


def chosen_libraries(rules_version: int, *, gm: bool) -> tuple[str, ...]:
    """The libraries that a genesis names besides those of its rules version.

    Raises:
        ValueError: it is of an earlier rules version, or the library is not installed here as its nodes need it.
    """
    if not gm:
        return ()
    if rules_version < CHOSEN_SINCE:
        raise ValueError(f"--gm is known from rules version {CHOSEN_SINCE} on, this genesis is of {rules_version}")
    reason = unfit_library(chosen=(GM_LIBRARY,))
    if reason is not None:
        raise ValueError(reason)
    return (GM_LIBRARY,)


def rules_in_words(genesis: Genesis, operators: Sequence[bytes]) -> list[str]:
    """What a genesis says of fees, code and observations, and who decides, a sentence each.

    Args:
        operators: accounts that speak for the validators where these govern.
    """
    said = []
    if genesis.runtime.has_gm:
        version = dict(genesis.runtime.libraries)[GM_LIBRARY]
        said.append(f"FISCO BCOS chains under SM2 and SM3 are accepted: every node needs {GM_LIBRARY} {version}")
    if genesis.fees is not None:
        said.append(
            f"a unit of gas costs at least {genesis.fees.base_fee_wei} wei: anyone who sends needs a balance (--fund)"
        )
    rules = genesis.code_rules
    if genesis.rules_version >= rules_versions.BOUNDED_EXECUTION and not rules.is_open:
        named = ", ".join(f"0x{account.hex()}" for account in rules.deployers) or "nobody"
        said.append(f"code is closed: {named} may create contracts (hutong hub name-deployer)")
    observing: ObservationRules | None = dict(genesis.tables).get(OBSERVATIONS)
    if observing is not None:
        said.append("everybody opens keys of observations" if observing.is_open else "named writers open keys")
        said += [
            f"writer 0x{account.hex()} may have {keys} keys of observations open" for account, keys in observing.writers
        ]
    if genesis.admins is None:
        said += [f"operator 0x{account.hex()}" for account in operators]
        return [*said, "proposals need more than two thirds of the validators' power"]
    admins = genesis.admins
    said += [f"admin 0x{address.hex()}" for address in admins.addresses]
    return [*said, f"admin actions need {admins.threshold} of {len(admins.addresses)} approvals"]
