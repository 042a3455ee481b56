"""One trio JSON-RPC client for every chain: endpoints, retries, bounds, subscriptions."""

from hutong.adapters.rpc.access import AccessList, AccessUnusable, EndpointAccess, tls_context
from hutong.adapters.rpc.bounded_json import MAX_JSON_DEPTH, parse_json
from hutong.adapters.rpc.client import MOST_IN_A_BATCH, Answer, Attempt, Decoder, RpcClient, kind_of, open_rpc_client
from hutong.adapters.rpc.concurrency import CONCURRENT_READS, all_of, each_of, in_background
from hutong.adapters.rpc.endpoint import Endpoint, named_endpoints, public_name, statistics_of
from hutong.adapters.rpc.fields import Fields
from hutong.adapters.rpc.followed import FollowedChain
from hutong.adapters.rpc.heads import HeadFollower
from hutong.adapters.rpc.http_answer import AttemptFailed
from hutong.adapters.rpc.options import RpcOptions
from hutong.adapters.rpc.pacing import TokenBucket, backoff_s
from hutong.adapters.rpc.subscription import Announcements, HeadSignal
from hutong.adapters.rpc.together import Together
from hutong.adapters.rpc.transport import AnswerTooLarge

__all__ = [
    "CONCURRENT_READS",
    "MAX_JSON_DEPTH",
    "MOST_IN_A_BATCH",
    "AccessList",
    "AccessUnusable",
    "Announcements",
    "Answer",
    "AnswerTooLarge",
    "Attempt",
    "AttemptFailed",
    "Decoder",
    "Endpoint",
    "EndpointAccess",
    "Fields",
    "FollowedChain",
    "HeadFollower",
    "HeadSignal",
    "RpcClient",
    "RpcOptions",
    "Together",
    "TokenBucket",
    "all_of",
    "backoff_s",
    "each_of",
    "in_background",
    "kind_of",
    "named_endpoints",
    "open_rpc_client",
    "parse_json",
    "public_name",
    "statistics_of",
    "tls_context",
]
