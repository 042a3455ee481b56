"""Places that break a rule of the house for a reason. A reason that no place needs any more fails the check: delete its line.

A function is `module.Class.name`, without folder and line, so that code may move and keep its line here.
"""

from collections.abc import Mapping

MOVING = "issue 15 gives it folders; the line goes with that change"
SPLITTING = "issue 15 still takes it apart; the line goes with that change"
CONTEXT = "issue 15 hands it a context value (W11); the line goes with that change"

FOLDERS: Mapping[str, str] = {
    "tests/defences": "one file a group of rules, by the name that `python -m tests.defences` prints",
    "tests/vectors": "one file a format of the shared vectors",
}

FUNCTIONS: Mapping[str, str] = {
    "growth._Measure.run": SPLITTING,
    "lane.hub_lane": SPLITTING,
    "ledger.queries": "a list of queries, one after the other",
    "document.replay_document": "the document's JSON in the order of its specification",
    "instructions.run_instructions": "the EVM's loop: a call for each instruction would cost a third of its speed",
    "metrics.Metrics.__init__": "a list of metrics, each with its help text",
}

CONSTRUCTORS: Mapping[str, str] = {
    "claim.ExistenceClaim": "a claim is its eight parts",
    "processes.Daemon": CONTEXT,
    "proxy.HostileProxy": "the kinds of fault, by keyword and with defaults",
    "execution._Executable": "py-evm's own signature of a message and its parts",
}

CIRCLES: Mapping[str, str] = {}

BEHIND_IN: Mapping[str, str] = {
    "relay/hub/application/revision/recorded_sentences.py": "the words that versions 1 and 2 recorded",
    "tests/relay/hub/application/test_recorded_sentences.py": "the words that versions 1 and 2 recorded",
    "docs/contributing.md": "quotes the wrong use",
    "tests/relay/hub/application/self_test_corpus.py": "the name of a case, which the hash of the corpus covers",
}

_IN_FRONT = (
    "ABCI address addresses app attestor certificate chain client clients CometBFT's compression door endpoint endpoints everyone "
    "front functions gate harness host hop hub hutong identifier interface line port proxies proxy router script server "
    "services signer sockets suite's way"
)

BEHIND: Mapping[str, str] = {
    r"\b(leave|leaves|left|leaving|laid)\b[^.;:]*\bbehind\b": "what stays when something goes",
    r"\b(is|are|be|was|far|further|fell|falls?|lags?|less|maybe|branch, or|unreadable,) behind\b(?! (it|them|those)\b)": (
        "a node, a clock or a record that is late"
    ),
    r"\b(blocks?|headers?|height|second|day|transactions|record|refunded\*\. ?) behind\b": "how late something is",
    r"\bbehind\b(?=( [=!+]| if known| or endpoint|, url\)|[()]))": "the name of a variable for what is late",
    r"[`\"'.]behind\b": "the word of a metric, a label, a member or a log line",
    r"\bbehind a( (nonce )?gap\b|$)": "Ethereum's word for transactions that wait for an earlier nonce",
    rf"\bbehind ([\w'`-]+ ){{0,5}}?`?({_IN_FRONT.replace(' ', '|')})\b": "what is reached through the thing in front of it",
    r"\b(stands?|put|value|API|attestor|chain) behind\b(?! them| those)": "what or who answers for something",
}
"""Pattern of a right use → what it is."""

EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "folders": FOLDERS,
    "functions": FUNCTIONS,
    "constructors": CONSTRUCTORS,
    "circles": CIRCLES,
    "behind": BEHIND_IN,
}
