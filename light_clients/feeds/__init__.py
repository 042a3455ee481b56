"""Feeds: values that k of n signers report at set times, for contracts, pushers and auditors (docs/spec/feeds.md).

Pure. The contract `Feed` has the same rules.
"""

from hutong.light_clients.feeds.codec import (
    MAX_DESCRIPTION_BYTES,
    MAX_REPORT_BYTES,
    ReportDocument,
    description_document,
    parse_description,
    parse_report,
    read_description,
    read_report,
    report_document,
    text_of_value,
    value_of_text,
)
from hutong.light_clients.feeds.digest import (
    DOMAIN_SEPARATOR,
    feed_id,
    recover_signer,
    report_digest,
    report_struct,
    sign_report,
)
from hutong.light_clients.feeds.predicates import (
    MAX_CLOCK_DRIFT_S,
    description_is_of_the_feed,
    in_signer_order,
    judge_round,
    median,
    reports_are_enough,
    round_is_fresh,
    round_not_from_future,
    signed_by_signers,
)
from hutong.light_clients.feeds.storage import decode_round, encode_round, round_slot
from hutong.light_clients.feeds.types import (
    MAX_SIGNERS,
    MAX_VALUE,
    MIN_VALUE,
    FeedDescription,
    FeedRule,
    Report,
    Round,
)

__all__ = [
    "DOMAIN_SEPARATOR",
    "MAX_CLOCK_DRIFT_S",
    "MAX_DESCRIPTION_BYTES",
    "MAX_REPORT_BYTES",
    "MAX_SIGNERS",
    "MAX_VALUE",
    "MIN_VALUE",
    "FeedDescription",
    "FeedRule",
    "Report",
    "ReportDocument",
    "Round",
    "decode_round",
    "description_document",
    "description_is_of_the_feed",
    "encode_round",
    "feed_id",
    "in_signer_order",
    "judge_round",
    "median",
    "parse_description",
    "parse_report",
    "read_description",
    "read_report",
    "recover_signer",
    "report_digest",
    "report_document",
    "report_struct",
    "reports_are_enough",
    "round_is_fresh",
    "round_not_from_future",
    "round_slot",
    "sign_report",
    "signed_by_signers",
    "text_of_value",
    "value_of_text",
]
