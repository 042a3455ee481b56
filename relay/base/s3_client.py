"""The one way to an S3 engine: whose it is and whose account are said by the standard environment variables alone."""

from typing import Any, Final

from hutong.relay.base.extras import install_hint

CONNECT_TIMEOUT_S: Final = 10
READ_TIMEOUT_S: Final = 60


class S3Unusable(Exception):
    """The library is not installed, or the environment is unusable; one sentence, without any of its values."""


def open_s3_client(location: str, attempts: int, connections: int) -> Any:
    """A client of boto3, under Signature Version 4 and path style; nothing is asked of the engine yet.

    Args:
        location: for the sentence of a refusal.
        attempts: of one request, the first among them.
        connections: at one time.

    Raises:
        S3Unusable: see there.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise S3Unusable(f"s3:// needs the extra s3; {install_hint('s3')}") from None
    options = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=connections,
        # Other engines than Amazon's know neither the newer checksums nor names of buckets as host names.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"},
    )
    try:
        return boto3.Session().client("s3", config=options)
    except (BotoCoreError, ValueError) as error:
        raise S3Unusable(f"the environment does not say how to reach {location}: {kind_of(error)}") from None


def kind_of(error: Exception) -> str:
    """The kind of failure alone: its text may hold an address with a key in it."""
    return type(error).__name__
