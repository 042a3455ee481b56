"""A logged operation as `--json` shows it."""

from typing import Any

from hutong.relay.services.directory.rules.log.operations import LoggedOperation


def operation_fields(one: LoggedOperation) -> dict[str, Any]:
    """Hashes and codes in hexadecimal; times in Unix seconds."""
    content = one.content
    return {
        "entry": one.entry.hex(),
        "live": one.is_live,
        "kind": one.kind.name.lower(),
        "sequence": one.sequence,
        "version": one.version,
        "publisher": one.publisher.hex(),
        "account": f"0x{one.account.hex()}",
        "document_hash": content.document.hex(),
        "policy_hash": content.policies.hex(),
        "restricted": content.is_restricted,
        "valid_until": content.valid_until_s,
        "themes": [code.hex() for code in content.themes],
        "formats": [code.hex() for code in content.formats],
        "height": one.height,
        "time": one.time_s,
    }
