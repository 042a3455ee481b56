"""Transactions to sign, and signed ones."""

from typing import Annotated

from pydantic import Field

from hutong.light_clients.ibc.gmp import MAX_RECEIVE_GAS
from hutong.relay.api.models.base import Demand

MAX_RAW_HEX_CHARS = 2 * 128 * 1024 + 2
MAX_PAYLOAD_HEX_CHARS = 2 * 65_536 + 2
MAX_TIMEOUT_S = 86_400

ChainName = Annotated[str, Field(pattern="^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", examples=["alpha"])]
ClientName = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$", examples=["client-0"])]
Account = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        examples=["0xd8da6bf26964af9d7eed9e03e53415d37aa96045"],
        description="the account that will sign, on the source",
    ),
]
Receiver = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2_048,
        pattern=r"^[\x21-\x7e]+$",
        examples=["0xab5801a7d398351b8be11c439e05c5b3259aec9b"],
        description="an address on the destination",
    ),
]


class _Prepare(Demand):
    source: ChainName
    destination: Annotated[ChainName, Field(examples=["beta"])]
    sender: Account
    receiver: Receiver
    timeout_s: Annotated[
        int, Field(ge=1, le=MAX_TIMEOUT_S, description="from now on; over a hub more than FORWARD_MARGIN")
    ] = 3600
    via: Annotated[
        ChainName | None,
        Field(
            examples=[None],
            description="the hub to go over; null takes the way that a voucher came, else the direct one where there is one",
        ),
    ] = None
    client: Annotated[
        ClientName | None, Field(examples=[None], description="on the source, where several paths lead there")
    ] = None
    next_client: Annotated[ClientName | None, Field(examples=[None], description="the hub's, of the destination")] = (
        None
    )


class PrepareTransfer(_Prepare):
    token: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1_024,
            description="address, denomination or trace",
            examples=["0x8464135c8f25da09e49bc8782676a84730c318bc"],
        ),
    ]
    amount: Annotated[
        str, Field(pattern="^[1-9][0-9]{0,77}$", examples=["1000000000000000000"], description="smallest unit, decimal")
    ]
    memo: Annotated[str, Field(max_length=32_768)] = ""


class PrepareMessage(_Prepare):
    payload: Annotated[
        str, Field(pattern="^0x([0-9a-fA-F]{2})+$", max_length=MAX_PAYLOAD_HEX_CHARS, examples=["0x68656c6c6f"])
    ]
    receive_gas: Annotated[
        int | None,
        Field(
            ge=1,
            le=MAX_RECEIVE_GAS,
            examples=[None],
            description="gas that the receiver needs; without it the whole receive gets 1 500 000, proof included",
        ),
    ] = None


class SubmitTransaction(Demand):
    chain: ChainName
    raw: Annotated[
        str,
        Field(pattern="^0x([0-9a-fA-F]{2})+$", max_length=MAX_RAW_HEX_CHARS, examples=["0x02f8"], description="signed"),
    ]
