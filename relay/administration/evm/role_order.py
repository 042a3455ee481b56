"""The roles and delays with which a chain's contracts begin, from accounts by role."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hutong.adapters.evm.administration.role_plan import Delays, RolePlan, UnsafePlan
from hutong.relay.administration.addresses import checksummed_address
from hutong.relay.administration.errors import Unusable

DEFAULT_DELAY_S = 3_600
"""Of what limiters and unpausers decide, off development chains."""


def role_plan(accounts: Mapping[str, tuple[str, ...]], delays_s: Mapping[str, int | None], deployer: str) -> RolePlan:
    """The plan, if it is one that a chain should begin with.

    Args:
        accounts: EIP-55 addresses of admin, pauser, unpauser, limiter, migrator, relayer; without a relayer everyone may
            relay.
        delays_s: of admin, migration, limiter and unpauser, in seconds; None stands for DEFAULT_DELAY_S of the last two,
            for none of the others.
        deployer: EIP-55 address of who keeps nothing.

    Raises:
        Unusable: it is not; the sentence says what to name instead.
    """
    limiter_s, unpauser_s = delays_s["limiter"], delays_s["unpauser"]
    plan = RolePlan(
        accounts["admin"][0],
        accounts["pauser"],
        accounts["unpauser"],
        accounts["limiter"],
        accounts["migrator"],
        accounts["relayer"] or None,
        Delays(
            delays_s["admin"] or 0,
            delays_s["migration"] or 0,
            DEFAULT_DELAY_S if limiter_s is None else limiter_s,
            DEFAULT_DELAY_S if unpauser_s is None else unpauser_s,
        ),
    )
    try:
        plan.check(deployer)
    except UnsafePlan as error:
        raise Unusable(f"{error.rule}: {error.remedy}") from None
    return plan


def named_roles_plan(
    named: Mapping[str, Sequence[str]], delays_s: Mapping[str, int | None], deployer: str, out: Path | None
) -> RolePlan:
    """As `role_plan`, of accounts as they were typed, each role but the relayer's with one account at least.

    Args:
        named: by role, addresses that have their checksums.
        out: the new file for what then stands, which tells who holds what.

    Raises:
        Unusable: a role, a delay or the file is missing, an address is malformed, the file is there, or as `role_plan`.
    """
    accounts = {name: tuple(checksummed_address(text, f"--{name}") for text in texts) for name, texts in named.items()}
    missing = [f"--{name}" for name, members in accounts.items() if not members and name != "relayer"]
    missing += [f"--{name}-delay-s" for name in ("admin", "migration") if delays_s[name] is None]
    missing += ["--out"] if out is None else []
    if missing:
        raise Unusable(
            f"missing: {', '.join(missing)}. The deployer keeps nothing, so each role needs an account of its own; a chain that"
            " holds nothing of value takes --development instead"
        )
    if out is not None and out.exists():
        raise Unusable(f"{out} exists; give the contracts of a new chain a new file")
    return role_plan(accounts, delays_s, deployer)
