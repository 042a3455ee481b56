"""The Dataspace Protocol: messages, states and errors, as they are and changed, judged by its schemas elsewhere."""

import json
from collections.abc import Iterator

from hutong.relay.services.directory.rules.dspace.messages import (
    read_catalog_request,
    read_dataset_request,
    read_error,
    read_message,
    read_process,
)
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind
from tests.vectors.vector_registry import Entry, Group, Verification, runs

OTHERS = {
    "contract-negotiation": lambda body: read_process(body, is_transfer=False),
    "transfer-process": lambda body: read_process(body, is_transfer=True),
    "contract-negotiation-error": read_error,
    "transfer-error": read_error,
    "catalog-error": read_error,
    "catalog-request-message": read_catalog_request,
    "dataset-request-message": read_dataset_request,
}
UNREAD = ("catalog", "dataset")


@runs("dsp-message-json")
def messages(entry: Entry, group: Group) -> Iterator[Verification]:
    for case in entry.json():
        body = json.dumps(case["document"]).encode()
        schema = case["schema"].rpartition("/")[2].removesuffix("-schema.json")
        yield Verification(
            f"{case['source']} {case['mutation']}",
            lambda body=body, schema=schema: judge(schema, body),
            valid=case["expected"] == "valid",
            unchecked="catalogues of others are not read yet" if schema in UNREAD else None,
        )


def judge(schema: str, body: bytes) -> None:
    if schema not in UNREAD:
        OTHERS.get(schema, lambda one: read_message(one, *Kind))(body)
