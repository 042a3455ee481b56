"""The fixed words of the report: what each finding means, what is assumed, and what the terms mean."""

from collections.abc import Mapping

from hutong.relay.audit.period.entries import EntryState
from hutong.relay.audit.period.findings import FindingKind
from hutong.relay.audit.period.supply import Conservation

FINDINGS: Mapping[FindingKind, tuple[str, str]] = {
    FindingKind.REFUSED: (
        "Evidence that does not hold",
        (
            "A rule that genuine evidence always meets is not met by this file. It was changed after it was made, was never "
            "genuine, or cannot be proven from these checkpoints at the time of judgement. It proves nothing. That a delivery "
            "did not happen does not follow either: ask for the evidence again."
        ),
    ),
    FindingKind.UNREADABLE: (
        "Evidence that cannot be read",
        "The file is listed and its content could not be obtained. Nothing can be said of the delivery.",
    ),
    FindingKind.UNJUDGED: (
        "Evidence that could not be judged",
        (
            "No checkpoint was given for a blockchain that the file is about, or the verifying program failed on it. "
            "It is neither proven nor refuted."
        ),
    ),
    FindingKind.MISSING: (
        "Deliveries without evidence",
        (
            "Every packet of a sender has the next number. Packets before and after these were presented, and these were not. "
            "Packets with these numbers were sent, for later ones exist; what became of them was not shown."
        ),
    ),
    FindingKind.DUPLICATE: (
        "The same delivery presented more than once",
        (
            "Several files are about one packet. It happened once, and is counted once in this report. Anyone who counts files "
            "would count it more often."
        ),
    ),
    FindingKind.CONTRADICTION: (
        "Evidence that contradicts itself",
        (
            "Files that hold each by itself cannot be true together. A blockchain, or those who sign for it, have shown two "
            "different histories. This is grave, and for people to judge."
        ),
    ),
    FindingKind.FIRST_LEG_ALONE: (
        "Arrived at the hub, onward way not shown",
        (
            "The hub received this packet and was to send it on. No file shows whether and where it arrived. It may have been "
            "on its way when the evidence was collected."
        ),
    ),
    FindingKind.SECOND_LEG_ALONE: (
        "Sent on by the hub, origin not shown",
        "The hub sent this packet on for somebody, and no file shows for whom.",
    ),
    FindingKind.REFUND_WITHOUT_FAILURE: (
        "A refund although the delivery succeeded",
        (
            "The sender was told that the delivery failed, which returns tokens to the sender, and the delivery succeeded at "
            "its destination. Somebody has been paid twice."
        ),
    ),
    FindingKind.MORE_HOME_THAN_SENT: (
        "More tokens came back than were ever sent",
        "Over one connection more of a token came home than all that was ever sent out over it.",
    ),
    FindingKind.EXPECTED_ABSENT: (
        "A packet of the reader's own list that is not proven",
        "The reader knows of this packet from elsewhere, and no file proves it.",
    ),
}

STATES: Mapping[EntryState, str] = {
    EntryState.PROVEN: "proven",
    EntryState.REFUSED: "does not hold",
    EntryState.UNJUDGED: "not judged",
    EntryState.UNREADABLE: "not readable",
}

CONSERVATION: Mapping[Conservation, str] = {
    Conservation.HELD: "no more came home than was sent",
    Conservation.UNDETERMINED: "cannot be said from this period alone",
    Conservation.VIOLATED: "more came home than was ever sent",
}

ASSUMPTIONS = (
    (
        "The checkpoints are genuine. Each names one block of one blockchain, and everything in this report is derived from "
        "them. Anyone who could choose a checkpoint could make this report say anything, so they must come from a source that "
        "the reader trusts, and not from whoever presented the evidence."
    ),
    (
        "Of those who sign the blocks of each blockchain, fewer than a third of the voting power is dishonest "
        "(for a chain that attestors speak for: fewer than the number of signatures that the checkpoint asks for)."
    ),
    "The cryptography holds: nobody can forge signatures, or find two texts with one fingerprint (hash).",
    "The verifying program is the one named below, unchanged, and runs on a computer that is not manipulated.",
)

SHOWN = (
    "That the sending chain committed to each packet that is counted as sent, with its exact content.",
    (
        "What the receiving chain recorded of it: that it was received, and how it was answered; or that it had not been "
        "received when its time limit had passed."
    ),
    "That the sending chain closed the packet, where it is counted as settled.",
    "Which numbers are absent between the first and the last packet of each sender.",
)

NOT_SHOWN = (
    "Balances, or what a chain held in custody before the period. The token sums are sums of packets.",
    "Packets before the first or after the last of the period. A packet that is absent at either end leaves no gap.",
    "In which order packets of different senders happened.",
    "Who stands behind an address, and what a token is worth.",
    "That a program on a blockchain did what its users were promised. Its record of what it did is what is proven.",
)

GLOSSARY = (
    (
        "acknowledgement",
        "The answer of the receiving chain to a packet: a success, or an error.",
    ),
    (
        "attested",
        (
            "Blocks believed because enough attestors signed what the chain holds. No consensus of the chain "
            "stands behind it."
        ),
    ),
    (
        "attestor",
        "Somebody whose signature is taken for what a chain holds, where the chain itself offers no proof.",
    ),
    (
        "backward",
        (
            "Blocks older than the checkpoint, believed because each newer block names the hash of the one "
            "before. Nobody can make another past for a hash, so this holds at any time."
        ),
    ),
    (
        "block",
        "A numbered list of changes to a blockchain. Its number is called height.",
    ),
    (
        "bundle",
        (
            "A file with all the evidence of one delivery: the packet, signed blocks, and proofs that lead from "
            "them to it."
        ),
    ),
    (
        "checkpoint",
        "A block that the reader trusts, from which everything else is derived.",
    ),
    (
        "client",
        "A chain's record of another chain, over which packets are sent and received; here the name of a connection.",
    ),
    (
        "delivery",
        "One message or payment from its first sender to its last receiver; over a hub it is two packets, two legs.",
    ),
    (
        "denomination",
        "The name of a token on one chain. It lists the connections over which the token came.",
    ),
    (
        "forward",
        (
            "Blocks newer than the checkpoint, believed because those whom the checkpoint leads to have signed "
            "them. This holds within the checkpoint's trusting period."
        ),
    ),
    (
        "hash",
        "A fingerprint of data. Two different texts with one hash are not known, and nobody knows how to make them.",
    ),
    (
        "hub",
        "A chain that receives packets of one chain and sends them on to another.",
    ),
    (
        "leg",
        "The part of a delivery from one chain to the next.",
    ),
    (
        "packet",
        (
            "What one chain sends another. Its id is chain / connection / number. A chain is named as its checkpoint names it, "
            "often by a number; its operators may call it otherwise."
        ),
    ),
    (
        "predicate",
        "One rule that evidence must meet. A file is proven if all of its predicates hold.",
    ),
    (
        "refund",
        "The return of tokens to their sender after an error or a passed time limit.",
    ),
    (
        "settled",
        "The sending chain has closed the packet, after its acknowledgement or its time limit.",
    ),
    (
        "time limit",
        "The moment from which on a packet may not be received any more.",
    ),
    (
        "trusting period",
        "For how long a checkpoint vouches for later blocks.",
    ),
)

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 11pt/1.5 Georgia, 'DejaVu Serif', 'Times New Roman', serif; color: #1a1a1a; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.9em; line-height: 1.2; margin: 0 0 .2em; }
h2 { font-size: 1.3em; margin: 2em 0 .5em; padding-bottom: .2em; border-bottom: 1px solid #999; }
h3 { font-size: 1.05em; margin: 1.3em 0 .3em; }
p, li { max-width: 44rem; }
.under { color: #555; margin: 0 0 1.5em; }
.verdict { border: 2px solid; border-radius: 4px; padding: .8em 1.2em; margin: 1.5em 0; }
.verdict p { margin: .3em 0; }
.verdict strong { font-size: 1.25em; }
.good { border-color: #1b6e3c; background: #f1f8f3; }
.bad { border-color: #9c1c1c; background: #fbf2f2; }
table { border-collapse: collapse; width: 100%; margin: .8em 0 1.2em; font-size: .88em; }
caption { text-align: left; font-weight: bold; padding: .3em 0; }
th, td { text-align: left; vertical-align: top; padding: .35em .6em .35em 0; border-bottom: 1px solid #ddd; }
thead th { border-bottom: 1.5px solid #555; }
td.number, th.number { text-align: right; padding: .35em 0 .35em .8em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.name { white-space: nowrap; }
code, .mono { font: .88em/1.4 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { font: .85em/1.5 'DejaVu Sans Mono', Menlo, Consolas, monospace; background: #f5f5f3; border: 1px solid #ddd;
  padding: .8em 1em; white-space: pre-wrap; overflow-wrap: anywhere; }
.finding { border-left: 4px solid #9c1c1c; padding: .1em 0 .1em 1em; margin: 1em 0; break-inside: avoid; }
.finding dl { display: grid; grid-template-columns: 8rem 1fr; gap: .15em 1em; margin: .4em 0; }
.finding dt { color: #555; } .finding dd { margin: 0; overflow-wrap: anywhere; }
dl.glossary dt { font-weight: bold; margin-top: .6em; } dl.glossary dd { margin: 0 0 0 1.2em; max-width: 44rem; }
nav ol { columns: 2; padding-left: 1.4em; }
a { color: inherit; }
@media print {
  @page { size: A4; margin: 20mm 18mm; @bottom-right { content: counter(page) ' / ' counter(pages); font-size: 8pt; } }
  body { font-size: 9.5pt; max-width: none; margin: 0; padding: 0; }
  h2, h3, caption { break-after: avoid; } tr, table.short { break-inside: avoid; } thead { display: table-header-group; }
  .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
