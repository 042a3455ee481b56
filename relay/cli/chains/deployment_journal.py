"""What a deployment has set out to do, on disk before its first transaction, so that one that broke off can go on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.cli.common.refusal import UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.adapters.evm.administration.deploy import Beginning
    from hutong.adapters.evm.administration.role_plan import RolePlan

MAX_JOURNAL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Undertaking:
    """What the command line asks for, and where it began."""

    chain_id: int
    deployer: str
    forward_margin_s: int
    plan: "RolePlan"
    beginning: "Beginning"

    def asked(self) -> dict[str, Any]:
        """What the command line says, as JSON has it: without the beginning."""
        asked: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        del asked["beginning"]
        return asked


def journal_of(out: Path) -> Path:
    """The journal's path: beside the file that the deployment will write, with `.unfinished` at its end."""
    return out.with_name(f"{out.name}.unfinished")


def begun(journal: Path, undertaking: Undertaking) -> "Beginning":
    """Where an earlier run with this journal began, or where this one does, which is then on disk.

    Call it before the first transaction.

    Raises:
        Refused: code 2, the journal asks for something else, or cannot be used.
    """
    from hutong.adapters.evm.administration.deploy import Beginning

    if not journal.exists():
        _write(journal, undertaking)
        return undertaking.beginning
    try:
        with journal.open("rb") as file:
            document = json.loads(file.read(MAX_JOURNAL_BYTES))
        beginning = Beginning(**document.pop("beginning"))
        if type(beginning.nonce) is not int or type(beginning.height) is not int:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused(f"{journal} was not written by an interrupted deployment", UNUSABLE) from None
    asked = undertaking.asked()
    differing = sorted(key for key in asked.keys() | document.keys() if asked.get(key) != document.get(key))
    if differing:
        raise Refused(
            f"{journal}: the interrupted deployment had another {', '.join(differing)}; repeat its options, or start over"
            " with another --out",
            UNUSABLE,
        )
    return beginning


def _write(journal: Path, undertaking: Undertaking) -> None:
    text = json.dumps(asdict(undertaking), indent=1) + "\n"
    try:
        create_durably(journal, text.encode(), READABLE)
    except OSError as error:
        raise Refused(f"{journal}: {error.strerror or error}", UNUSABLE) from None
