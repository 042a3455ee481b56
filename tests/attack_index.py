"""Which tests stand for which line of the attack checklist. docs/attacks.md says which lines have tests, and where.

A test belongs to a line by its name, `test_attack_<CODE>_…`, and to a column by its folder. The page names no test and counts
none, so that it changes only when a line wins its first test in a column, or loses its last.

    python -m tests.attack_index            write the page
    python -m tests.attack_index --check    exit 1 if the page is not what the tests say
    python -m tests.attack_index C32 …      print the tests of these lines
    python -m tests.attack_index --json     print every test by line and column, and every defence with its tests
"""

import ast
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from tests.defences import DEFENCES

ROOT = Path(__file__).resolve().parent.parent

PAGE = ROOT / "docs" / "attacks.md"
NAME = re.compile(r"test_attack_([A-JNRS][0-9]{0,3})_")
COLUMNS = {
    "library": ("tests/light_clients/", "tests/relay/services/identity/rules/"),
    "hub": ("tests/relay/hub/", "tests/relay/evm/"),
    "contract": ("tests/contracts/",),
    "relay": ("tests/relay/", "tests/adapters/"),
    "model": ("tests/models/",),
}
LATER = "waits for a later issue"

LINES: dict[str, tuple[str, str]] = {
    "A": ("the Poly line and other known losses: a message can never call what holds keys, roots or roles", ""),
    "B1": ("leaf prefix padded or truncated", ""),
    "B2": ("part of the key moved into the leaf prefix", ""),
    "B3": ("leaf length, prehash and hash operations exchanged", ""),
    "B4": ("inner node as leaf, leaf as inner node", ""),
    "B5": ("IAVL inner prefix: varints, lengths, both sides filled", ""),
    "B6": ("IAVL leaf with wrong size, height or trailing bytes", ""),
    "B7": ("inner suffix of a wrong length", ""),
    "B8": ("inner prefix beginning with the leaf prefix", ""),
    "B9": ("path of no, the most, one more and 10 000 steps", ""),
    "B10": ("empty or exchanged key and value", ""),
    "B11": ("wrong, empty, short, long or zero root", ""),
    "B12": ("proof list reversed, short, long, of the wrong kind", ""),
    "B13": ("proof for another store with a matching sub-root", ""),
    "B14": ("proof specs taken from the message", ""),
    "B15": ("batch, compressed, unknown or non-canonical proof messages", ""),
    "B20": ("neighbours under different roots", ""),
    "B21": ("a lone neighbour that is not the outermost", ""),
    "B22": ("neighbours with a key between, swapped, identical", ""),
    "B23": ("target present, or equal to or prefix of a neighbour", ""),
    "B24": ("no neighbours, empty paths, uneven depths", ""),
    "B25": ("SMT: raw key order, placeholder where a sibling exists", ""),
    "B26": ("neighbour padding forged to hide a sibling", ""),
    "B27": ("absence at a stale root", ""),
    "B30": ("embedded child as hash reference and reverse", ""),
    "B31": ("malformed extension and branch nodes", ""),
    "B32": ("leaf path shorter, longer or diverging", ""),
    "B33": ("value in the branch's own slot", ""),
    "B34": ("RLP: non-minimal, trailing, bombs, huge lengths", ""),
    "B35": ("absence by a proof that stops early or misses nodes", ""),
    "B36": ("empty trie; account absent, storage absent, no code", ""),
    "B37": ("proof for another address, slot or mapping", ""),
    "B38": ("zero word as member, padding, 33 bytes", ""),
    "B39": ("extra, duplicate and too many nodes", ""),
    "B40": ("storage root without an account proof", ""),
    "B45": ("short proof valid at many indices, index beyond width", ""),
    "B46": ("generalized index of another field", ""),
    "B47": ("second preimage: a 64-byte leaf", ""),
    "C1": ("exactly two thirds, exactly the trust level", ""),
    "C2": ("a validator counted twice", ""),
    "C3": ("address not derived from the key", ""),
    "C4": ("nil, absent, prevote and proposal signatures counted", ""),
    "C5": ("signature over another chain, height, round, block or time", ""),
    "C6": ("commit of another header or height", ""),
    "C7": ("validator sets not under their hashes, or swapped", ""),
    "C8": ("too little overlap, adjacent set break", ""),
    "C9": ("header time at and around its bounds", ""),
    "C10": ("trusting period at and around its end", ""),
    "C11": ("height and revision of another chain or not above", ""),
    "C12": ("powers negative, zero, overflowing; set empty, of one, of 10 000", ""),
    "C13": ("empty app hash, validator hashes", ""),
    "C14": ("ed25519 edge cases", ""),
    "C15": ("conflicting and time-warped headers freeze, equal ones do nothing", ""),
    "C16": ("evidence that proves nothing must not freeze", ""),
    "C17": ("valid evidence freezes everything until recovery", ""),
    "C18": ("recovery with an unfit substitute", ""),
    "C19": ("client upgrade", ""),
    "C20": ("client states with unfit parameters", ""),
    "C30": ("participation at two thirds, bitfields of wrong length or content", ""),
    "C31": ("signed, attested and finalized slots out of order or in the future", ""),
    "C32": ("committee of another period, unproven, exchanged or skipped", ""),
    "C33": ("finality and execution branches of another header or body; attested for finalized", ""),
    "C34": ("domain of another fork or chain, fork boundary", ""),
    "C35": ("bytes that are not BLS keys or signatures, rogue keys, wrong aggregate", ""),
    "C36": ("stale update rewinds nothing", ""),
    "C37": ("two finalized blocks of a slot freeze", ""),
    "C40": ("double signature: refused by the signer, punished by clients", ""),
    "C41": ("a proposer's two blocks", ""),
    "C42": ("votes of an older round, height or chain", ""),
    "C43": ("validator-set change at the very height of a header", ""),
    "C44": ("clock skew among validators", ""),
    "C45": ("crash at every write point never signs twice", ""),
    "C46": ("partition and heal", ""),
    "C47": ("a skip of a block signed by too few, by strangers, twice, or of another block, state or chain", ""),
    "C48": ("a skip beside votes for the executed state: by one key, or as certificate and commit", ""),
    "C50": ("reorganisation below the confirmation depth", ""),
    "C51": ("low difficulty, stretched times, retarget at a boundary", ""),
    "C52": ("two versions of one message", ""),
    "C53": ("valid work on another parent, below the median time, of an old version", ""),
    "C60": ("logs: two roots of one size, and a tree that did not grow out of a believed one, freeze", ""),
    "C61": ("logs: a checkpoint of another log, not signed by it, or cosigned by too few, one twice, strangers", ""),
    "C62": ("logs: notes, checkpoints and keys in another form", ""),
    "C63": ("logs: an entry at another index or size, a node as entry, a message of a stranger or of another log", ""),
    "C64": ("logs: smaller and older checkpoints rewind nothing, no proof leaves the largest tree out", ""),
    "D1": ("one attestor counted twice", ""),
    "D2": ("high s, other v, compact and zero signatures", ""),
    "D3": (
        "strangers, members of an earlier set, rotation and its window",
        "the contract's set changes by recovery alone",
    ),
    "D4": ("thresholds and sets that are not a quorum", ""),
    "D5": ("replay to another chain, router, client, network, fork", ""),
    "D6": ("state attested as packets and reverse", ""),
    "D7": ("attestation of another height, zero and wrong units", ""),
    "D8": ("conflicting attestations freeze", ""),
    "D9": ("packet lists: empty, repeated, huge, of another path, zero as member", ""),
    "D10": ("encodings that a lax decoder takes; parsed after verification", ""),
    "D11": ("attestor that is wrong, slow or silent", ""),
    "D12": ("attestor that disagrees with the quorum", ""),
    "E1": ("receive twice, everywhere", ""),
    "E2": ("receive and timeout at the very second", ""),
    "E3": ("timeout with an old or forged view", ""),
    "E4": ("acknowledge and timeout in every wrong order", ""),
    "E5": ("each packet field changed alone", ""),
    "E6": ("a byte moved between neighbouring fields", ""),
    "E7": ("packet at another client", ""),
    "E8": ("malformed acknowledgements", ""),
    "E9": ("second payload fails", "not offered: packets carry one payload, more are refused"),
    "E10": ("asynchronous acknowledgements", ""),
    "E11": ("re-entrancy from callbacks", ""),
    "E12": ("callbacks that run out of gas, loop or return much", ""),
    "E13": ("unfit timeouts on send", ""),
    "E14": ("send on unusable clients, register twice", ""),
    "E15": ("sequences", ""),
    "E16": ("replay after pruning", LATER + " (receipts are never pruned)"),
    "E17": ("ordered delivery", "not offered: refused"),
    "E18": ("forwarding failures and refunds", ""),
    "E19": ("rate limits and refunds", ""),
    "E20": ("pause with packets in flight", ""),
    "F1": ("supply conserved over any interleaving", ""),
    "F2": ("voucher returned through another client, traces that a hostile chain makes up", ""),
    "F3": ("malformed denominations, and those that read as another", ""),
    "F4": ("amounts that two sides read differently", ""),
    "F5": ("tokens with fees, callbacks, false answers, no code", ""),
    "F6": ("native and wrapped, token zero, decimals", ""),
    "F7": ("refund to an account that cannot receive it; refund twice", ""),
    "F8": ("sender who did not sign; receiver who cannot receive", ""),
    "F9": ("escrows and vouchers that share a key", ""),
    "F10": ("NFTs", "not offered: refused"),
    "F11": ("accounts of remote senders; direct calls", ""),
    "F12": ("system targets called from a packet", ""),
    "F13": ("a title live twice: replays, late timeouts, returns that cross", ""),
    "F14": ("a title brought home by whom it was not sent, or sent twice by a chain that lies", ""),
    "F15": ("a title under a lien sold, moved or ended; counters that go back; a retired title used again", ""),
    "F16": ("a title behind a frozen client given back or made anew", ""),
    "F17": ("one leg of a swap paid without the other, twice, or for other terms", ""),
    "F18": ("a feed's round from too few reports, from strangers, or with a signer counted twice", ""),
    "F19": ("reports of another feed, round or value used again; a feed's description changed", ""),
    "F20": ("a stale, an older or a future round of a feed acted on", ""),
    "F21": ("signers of a feed who lie", ""),
    "F22": ("an anchored entry changed, moved, put in or left out; windows that overlap, go back or end later", ""),
    "G1": ("malicious or lagging endpoints", ""),
    "G2": ("events that state does not confirm", ""),
    "G3": ("kill between the four steps", ""),
    "G4": ("nonces", ""),
    "G5": ("Redis lost, flushed, repeated", ""),
    "G6": ("poison messages", ""),
    "G7": ("another relayer wins", ""),
    "G8": ("gas and fees", ""),
    "G9": ("spam", LATER + " (filters)"),
    "G10": ("client near expiry without traffic", ""),
    "G11": ("misbehaviour watcher", ""),
    "G12": ("host clock wrong, chain halted or restarted from genesis", ""),
    "G13": ("configuration errors refused at start", ""),
    "G14": ("secrets", ""),
    "G15": ("API", ""),
    "G16": ("admin actions", LATER),
    "G17": ("upgrades keep thresholds and roots", LATER),
    "G18": ("two implementations, equal verdicts", "tests/oracle: three verdicts on every case"),
    "H": ("decoders are total, bounded and canonical", ""),
    "I1": ("model: one packet, two relayers, skew, reorganisation, one and two hops", ""),
    "I2": ("model: concurrent client updates", ""),
    "I3": (
        "model: nothing while not active",
        "in I1: the hub's client of the next chain forged upon, frozen, recovered",
    ),
    "I4": ("model: consensus with Byzantine validators", ""),
    "I5": ("model: relayer queue with a crash at every step", ""),
    "J1": ("record stale: header or source too old, or from the future", ""),
    "J2": ("record foreign: of another hub, client, key or epoch", ""),
    "J3": ("keys, values and proofs of records truncated, oversized, malleable", ""),
    "J4": ("slot of an account without code", ""),
    "J5": ("proof of another account, slot or store under the same root", ""),
    "J6": ("observation of an older height replayed, another value at the same height", ""),
    "J7": ("record of an earlier epoch, after freeze, expiry and recovery", ""),
    "J8": ("a stranger opens a key, a writer more than its limit, somebody closes another's", ""),
    "J9": ("state root of a block that is not the believed one", ""),
    "J10": ("attested for proven, a lower threshold than asked", ""),
    "J11": ("reader whose hub client is frozen, expired or replaced", ""),
    "J12": ("many records under one proof: parts unused, absence that nothing shows", ""),
    "J20": ("evidence of a case: a byte changed, another encoding, out of bounds", ""),
    "J21": ("evidence of a case: true of something else, or altered consistently by a forger without keys", ""),
    "N1": ("JSON of credentials: a repeated name at any depth", ""),
    "N2": ("JSON of credentials: numbers, text, depth and size that parsers read differently", ""),
    "N3": ("credentials: none, HMAC over a public key, a key of another curve", ""),
    "N4": ("credentials: keys that the token brings, two keys of one name, unknown crit, keys for something else", ""),
    "N5": ("certificates: anchor inside, expired, wrong purpose, no authority, broken link, another's name", ""),
    "N6": ("a second spelling of a token: base64url, signatures", ""),
    "N7": ("disclosures: a digest twice, one sent twice, one that no digest names", ""),
    "N8": ("disclosures: reserved names, over a claim, of another kind, shape or place", ""),
    "N9": ("disclosures of what protects: issuer, times, key, type, status", ""),
    "N10": ("another digest algorithm, or one below the top level", ""),
    "N11": ("key binding: stripped, not asked for, of another key, algorithm or type", ""),
    "N12": ("presentation: for another verifier or request, cut anew, moved to another credential", ""),
    "N13": ("times: of another year, at the edge, no numbers", ""),
    "N14": ("an issuer that is not trusted, another type, another audience, an unreadable status", ""),
    "N15": ("JSON forms, other kinds of token, texts that are cut otherwise", ""),
    "N16": ("credentials: size, depth and number beyond the bounds", ""),
    "N17": ("presentations changed on the wire, cut and put together from several", ""),
    "N18": ("issuing: what protects hidden, salts that can be guessed, what no verifier takes", ""),
    "N20": (
        "status lists: a stale list: expired, past its ttl, older than asked for, of an earlier epoch, good for ever",
        "",
    ),
    "N21": ("status lists: the list of another key or of another URI", ""),
    "N22": ("status lists: an index at or after the end, 2^32, negative, or not an integer", ""),
    "N23": ("status lists: the status of another index or list", ""),
    "N24": ("status lists: statuses of another width than 1, 2, 4 or 8 bits", ""),
    "N25": ("status lists: a gigabyte in a megabyte", ""),
    "N26": ("status lists: compressed bytes cut short, damaged, followed by others, or of another frame", ""),
    "N27": ("status lists: a token that is not the one whose hash is proven", ""),
    "N28": ("status lists: a node as chunk, a path of another length, a proof in another encoding", ""),
    "N29": ("status lists: an update that lowers a bit, changes nothing, or leads from another list", ""),
    "N30": ("did:webvh: a place that is an address, a private name, or a path that climbs", ""),
    "N31": ("did:webvh: an entry changed, left out or moved; a first entry of another SCID", ""),
    "N32": ("did:webvh: an entry by a key that may not update, pre-rotation evaded", ""),
    "N33": ("did:webvh: a proof of another suite, purpose or key, or that says what nobody judges", ""),
    "N34": ("did:webvh: the threshold of witnesses evaded, replayed, turned off", ""),
    "N35": ("did:webvh: moved without leave, changed after its end", ""),
    "N36": ("did:webvh: versions out of order in time, or of the future", ""),
    "N37": ("identifiers and keys: a second spelling", ""),
    "N38": ("DID documents: a key for another purpose, of another controller, two readings", ""),
    "N39": ("resolving: another version or another DID than was asked for, a document after deactivation", ""),
    "N40": ("identity records: a DID that another account registers, or registered once", ""),
    "N41": ("identity records: approvals too few, of others, twice, or of another call, DID, hub or sequence", ""),
    "N42": ("identity records: a thief of today's keys against the next policy; recovery without quorum or delay", ""),
    "N43": ("identity records: a credential dated back with a key that was retired or stolen", ""),
    "N44": ("identity records: a key of no curve, dated back, for another use, or other than was committed to", ""),
    "N45": ("identity records: a level revoked, over, of another schema or too deep; a root replaced", ""),
    "N46": ("identity records: a place of accreditation kept from others, or taken away", ""),
    "N47": ("identity records: bits that fall, chunks of another list, a list that is sealed", ""),
    "N48": ("identity records: a log cut, rewritten, or written by another; lists without a bound", ""),
    "N49": ("identity records: strangers who fill their lane, stay, or come back under old signatures", ""),
    "N50": ("identity records: malformed calls, and gas that ends inside one", ""),
    "N51": ("identity records: a schema registered twice, a log of did:webvh rolled back, a DID ended too early", ""),
    "N52": ("identity records: two operations of one sequence in one block", ""),
    "N53": ("identity records: a resolver that keeps back, adds, moves or prunes what it shows", ""),
    "N70": ("seals: presented again, to another gate, chain, caller or call, too late, by another holder", ""),
    "N71": ("seals: a claim of other value, name or salt, a node as a claim, a text as a number", ""),
    "N72": ("seals: changed, not signed by the issuer's key, or over", ""),
    "N73": ("seals: by a key that is unknown, for another use, or out of its window", ""),
    "N74": ("seals: dated back with a key that was retired or stolen; another person's index", ""),
    "N75": ("seals: a level of accreditation revoked, over, of another schema, too deep, or in a circle", ""),
    "N76": ("seals: a hub that is silent, a clock that is held back, an earlier root after a later one", ""),
    "N77": ("seals: a list of another key or schema, a status at another place, revoked, beyond the list", ""),
    "N78": ("seals: records of a past epoch", ""),
    "N79": ("seals: over a hub client that is frozen, expired or was migrated away", ""),
    "N80": ("seals: records of another issuer, forged, malformed, or proven absent without being so", ""),
    "N81": ("seals: more refills than were prescribed, a second ticket, a credential of another kind", ""),
    "N190": ("evidence of a case: a credential altered consistently, or records of its issuer left out", ""),
    "N191": ("evidence of a case: a refusal of a credential that the records do not show", ""),
    "N110": ("OpenID4VCI: a code of either flow taken twice", ""),
    "N111": ("OpenID4VCI: a transaction code guessed", ""),
    "N112": ("OpenID4VCI: key proofs under a nonce that was used, is foreign, over, or one of two", ""),
    "N113": ("OpenID4VCI: key proofs unsigned, by a hash, of another key, type, audience, client or time", ""),
    "N114": ("OpenID4VCI: DPoP proofs replayed, of another request, token, key or time, without the nonce", ""),
    "N115": ("OpenID4VCI: batches beyond their bound or an offer's copies, two proofs of one key", ""),
    "N116": ("OpenID4VCI: members and parameters that stand twice, in bodies, proofs and forms", ""),
    "N117": ("OpenID4VCI: forged attestations of keys and of wallets", ""),
    "N118": ("OpenID4VCI: the form of somebody else's page, codes that were stolen or led elsewhere", ""),
    "N119": ("issuer: indices of a status list foretold", ""),
    "N120": ("issuer: a credential handed out whose log entry is lost", ""),
    "N121": ("OpenID4VCI: a token without its key, after its end, for another type", ""),
    "N122": ("OpenID4VCI: encryption to a key or in a way that nobody offered, changed ciphertext", ""),
    "N123": ("status host: a copy of a list that is forged, another's, over, older, or not the hub's", ""),
    "N124": ("issuer: a department's door without its key, or with one for something else", ""),
    "N130": ("OpenID4VP: a presentation made for another verifier or request, or signed by another key", ""),
    "N133": ("OpenID4VP: a presentation whose holder did not sign", ""),
    "N136": ("verifier: the same answer twice, at the same time or later, to another request, too late", ""),
    "N137": ("verifier: posts that burn a request, or cross two", ""),
    "N138": (
        "OpenID4VP: an answer encrypted to another key, in another way, or with a header of the attacker's choice",
        "",
    ),
    "N139": ("OpenID4VP: a request of somebody else, an answer led astray, a request replayed to a wallet", ""),
    "N140": ("verifier: a link sent to somebody else, and an answer led back to another browser", ""),
    "N141": ("OpenID4VP: an answer to what was not asked, of another type, or without a claim", ""),
    "N142": ("verifier: a status that does not hold, is stale, of another list, or cannot be shown", ""),
    "N143": ("OpenID4VP: members or parameters that stand twice in an answer", ""),
    "N144": (
        "verifier: an issuer that the hub does not stand for, and records that are old, left out or not to be had",
        "",
    ),
    "N145": ("login: requests of no known application, to another address, without PKCE by S256", ""),
    "N146": ("login: a code taken twice, late, by another application, or without its verifier", ""),
    "N147": ("login: two applications that join what they know of a person", ""),
    "N148": ("login: another browser that ends a login, or learns of it", ""),
    "N180": ("kept headers and chains: believed after their time, under other anchors, or changed by a reader", ""),
    "N150": ("wallet: a request that nobody signed, or signed in another way", ""),
    "N151": ("wallet: a verifier that its certificate does not name, or that nobody trusts", ""),
    "N152": ("wallet: an answer that goes elsewhere, or in the clear", ""),
    "N153": ("wallet: a request that is over, replayed, or for another wallet", ""),
    "N154": ("wallet: links to addresses that others can read or change, or of two meanings", ""),
    "N155": ("wallet: metadata of another issuer or server, an issuer that points elsewhere", ""),
    "N156": ("wallet: a token that is bound to no key, a code of another request or server", ""),
    "N157": ("wallet: a credential of another key, issuer or type, a batch with a mark, another holder's seal", ""),
    "N158": ("wallet: a one-time credential that leaves twice", ""),
    "N159": ("wallet: a store that was changed, keys where nobody asked for them", ""),
    "N90": ("persons: one identifier for two, a salt or key twice, bytes of another form", ""),
    "N91": ("persons: a registration that its key did not sign, for this hub, registrar and shard", ""),
    "N92": ("persons: an edge of another tree, a batch made before another, a shard without end", ""),
    "N93": ("persons: a shared proof with siblings missing, left over or false, a node as a leaf", ""),
    "N94": ("persons: a stolen present key beside one that is committed to", ""),
    "N95": ("persons: a signature counted again, at another place, for other values", ""),
    "N96": ("persons: two operations on one leaf, in a batch or a block", ""),
    "N97": ("persons: a silent registrar, and one who keeps a registrar from landing by changes of its own", ""),
    "N98": ("persons: a recovery without its quorum, by nobody's guardians, or by a registrar that may not", ""),
    "N99": ("persons: a recovery before its delay is over, cancelled after it, or by another", ""),
    "N100": ("persons: approvals that were cancelled or have expired, shown again", ""),
    "N101": ("persons: a recovery of what a person was before it changed", ""),
    "N102": ("persons: recoveries that take the room of others, or stay for ever", ""),
    "N103": ("persons: registered by whom nobody accredited, or where persons are off", ""),
    "N104": ("persons: gas that ends inside a batch, work that is not paid for", ""),
    "N105": ("persons: a contract that changes a shard outside of a transaction's own data", ""),
    "N106": ("persons: malformed batches of drawn kinds", ""),
    "N107": ("persons: a node that keeps back or alters calls from whoever keeps the leaves", ""),
    "N181": (
        "exported lists: an issuer that is not accredited, a certificate of another key, a list that outlives it",
        "",
    ),
    "N160": ("resolver: an old key, or records of an old header", ""),
    "N161": ("resolver: a key left out", ""),
    "N162": ("resolver: another document than the records make", ""),
    "N163": ("resolver: a header that the hub's validators did not sign", ""),
    "N164": ("resolver: a level of accreditation pruned", ""),
    "N165": ("resolver: an absence that is claimed and not shown", ""),
    "N166": ("acceptances: a changed byte, in a presentation's, a seal's or a log entry's", ""),
    "N167": ("acceptances: signed by a key that the credential's list is not bound to, or out of its window", ""),
    "N168": ("acceptances: records of another header or hub, kept back, or beside what is read", ""),
    "N169": ("acceptances: a level of accreditation revoked, over, too deep, for another schema, or pruned", ""),
    "N170": ("acceptances: a revoked status, another index, list, chunk or epoch", ""),
    "N171": ("acceptances: presented to another verifier, for another nonce, by nobody, or with a claim fewer", ""),
    "N172": ("acceptances: under an ended key without its own log entry, backdated, on another person's index", ""),
    "N173": ("acceptances: eight moments of a key's life, credential and seal, online and offline", ""),
    "N174": ("acceptances: a type of no schema, another issuer's name", ""),
    "N175": ("acceptances: a certificate that the issuer's record does not name", ""),
    "N176": ("status: a token, a list or an epoch that the hub's record does not prove", ""),
    "N177": ("a period: an issuance, revocation, rotation or acceptance hidden, invented or twice", ""),
    "N179": ("resolver: bytes that are no answer, or read in two ways", ""),
    "N178": ("acceptances of seals: another issuer, holder, gate, chain, caller, nonce, call, claim or key", ""),
    "N192": ("case 5: another degree, diploma, issuer or gate, more shown than degree and year", ""),
    "N193": ("case 2: a refill dispensed twice or left out, another licence or book", ""),
    "N194": ("case 14: a mileage that goes down, a title live elsewhere, under a lien or another's", ""),
    "N195": ("case 15: a trip forged, told twice or left out, other shares, payments or licences", ""),
    "N196": ("case 21: a bill that is elsewhere, unpaid or not surrendered, another carrier, more declared", ""),
    "N182": ("portal: a proof that was changed, or that leaves out what it is offered for", ""),
    "N183": (
        "privacy: claims or their hashes in a block, state, table, file, log, list token, metric or on the wire",
        "",
    ),
    "N184": ("privacy: two one-time presentations that share a value, a hidden value that shows", ""),
    "N200": ("an issuer's offers: more of what was revoked, before or while it is issued", ""),
    "N201": ("an issuer's lists: indices used up by requests that are refused", ""),
    "N202": ("an issuer's revocations on PostgreSQL: one numbered earlier and seen later is never told", ""),
    "N203": ("mirrors: a host that sends a byte now and then holds up every other list", ""),
    "N204": ("a verifier's streams: memory left by browsers that went away", ""),
    "N206": ("a verifier's pages: one address that opens so many that nobody else can sign in", ""),
    "N207": ("a revoked credential, shown to a gate whose cache has not heard of it: how long it is accepted", ""),
    "N208": ("an issuer that leaves out the encryption that was agreed on, or answers under another key or way", ""),
    "N209": ("credentials that a department holds, asked for by another token or key, twice, or after they ended", ""),
    "N210": ("a proof of an attested wallet without a challenge of this server, or with one of another purpose", ""),
    "N211": (
        "a registrar's service: registering, reading and changing persons without their keys or an invitation",
        "",
    ),
    "N212": ("a registrar's service: persons registered twice or lost by answers that are lost and restarts", ""),
    "N214": (
        "a resolver of did:webvh made to ask its own network, or held up: names, redirects, slow and endless answers",
        "",
    ),
    "N213": ("a period's acceptances on a chain: of what was never logged, was revoked, or under an ended key", ""),
    "N205": (
        "an issuance log: the entry of a credential shown for a seal of the same key, and the other way round",
        "",
    ),
    "S1": ("packs: a body with two readings, changed, or larger than it has to be", ""),
    "S2": ("storage: an operator that holds nothing answers from its peers' shards", ""),
    "S3": ("storage: a leaf of other bytes, a neighbour's, a node as a leaf, a path of another length", ""),
    "S4": ("storage: an interval that overlaps, a gap, an entry of another batch, place or set", ""),
    "S5": ("storage: a seed that somebody chose: headers ground, secrets withheld, changed, copied, used again", ""),
    "S6": ("storage: an answer to another operator, epoch or set", ""),
    "S7": ("storage: a shard removed before its retention, under a hold, or without a record", ""),
    "S8": ("storage: a repair that writes another shard, or retains it for a shorter time", ""),
    "S9": ("storage: receipts and batches of another key, hub, operator or shard; parts left out or added", ""),
    "S10": ("manifests, DAG-CBOR and content ids: a second spelling, extents out of their packs, members too many", ""),
    "S11": ("sealed objects: records moved, left out, cut off, changed, or of another key", ""),
    "S12": (
        "audit files: of another hub, operator, epoch, set or verdict; a byte changed; answers signed and wrong",
        "",
    ),
    "S13": ("packs: shards that are rotten, another's, or coded wrongly; another key", ""),
    "S14": ("S3 requests: changed, of another key, late, for something else, with a header that is not signed", ""),
    "S20": ("storage: a batch outside of its placement group, with parts of other sizes, or an operator twice", ""),
    "S30": (
        "storage verdicts on another chain: failed, weak, stale, of another operator, epoch or hub, or no verdict",
        "",
    ),
    "S31": (
        "storage probes on another chain: forged answers and records, late, of a set made for them, without a removal",
        "",
    ),
    "S32": ("a storage escrow that pays without a passed audit, twice, or for an epoch outside its deal", ""),
    "S33": (
        "audit files offline: records of another audit, left out, or of something else; secrets that give another seed",
        "",
    ),
    "S34": (
        "a period of audits: what is missing, failed, weak, removed early, shrunk or contradictory goes unnamed",
        "",
    ),
    "S35": (
        "storage auditors: a secret shown on a node's word, by a home that did not commit, or the same for two hubs",
        "",
    ),
    "S40": ("storage operators: a receipt for bytes that are others, not durable, or not read back; kills", ""),
    "S41": ("storage operators: tokens of another operator, writer, right or time; another writer's shards", ""),
    "S42": ("storage operators: a part over shards not held or counted twice; a shard let go before its removal", ""),
    "S43": ("storage operators: rotten bytes handed on, answered with, or unnamed", ""),
    "R1": ("policies: an agreement that permits more than its offer, forbids less, or drops a duty", ""),
    "R2": ("policies: what is not known, or has no meaning, taken as fulfilled", ""),
    "R3": ("policies: one text with two meanings, one meaning with two hashes, documents without bounds", ""),
    "R4": ("documents: contexts fetched or exchanged, two meanings of one text, addresses that run, no bounds", ""),
    "R5": ("catalogues and pages: an entry hidden, invented, doubled or moved, an older head", ""),
    "R6": ("searches: a match left out, invented or doubled, a block or a term hidden, an older digest", ""),
    "R7": ("queries: operators of an engine, terms without a bound, prefixes of everything", ""),
    "R8": ("keepers of the index: a false digest, and an honest keeper accused", ""),
    "R11": ("directory: operations hidden, forged, doubled or of another facet, version, head or document", ""),
    "R12": ("directory: records, operations and pages with two spellings or without bounds", ""),
    "R13": ("directory: strangers and publishers that fill blocks or the state, take another's entry, or replay", ""),
    "R14": ("directory: restricted entries left out in silence, or told by what stands on the hub", ""),
    "R15": ("connectors: a participant that names or moves processes and agreements of others, or of another kind", ""),
    "R16": ("connectors: a participant that keeps a connector busy, ends it, or reaches others through it", ""),
    "R17": ("directory: work of the hub that grows faster than what is paid for it", ""),
    "S44": ("storage repairers: another shard than the lost one, or a part that the hub does not have", ""),
    "S45": ("storage repairers: wrong bytes of peers, a wrong key of masks, a writer that coded wrongly", ""),
    "S46": ("storage operators: strangers that ask without end, so that auditors have no answers", ""),
    "S60": ("storage gateways: an object lost with its bucket, by requests that cross or by events told twice", ""),
    "S61": ("storage gateways: words of clients that a parser takes for more, or that no answer can show", ""),
    "S62": ("storage gateways: an operator that lists what others hold, where a lost catalogue is made again", ""),
    "S63": ("storage gateways: one client's change, or what it asks again, that fails what others asked for", ""),
    "S64": (
        "storage gateways: operators that are silent and so hold up whoever reads, while others have what is needed",
        "",
    ),
    "S65": ("storage gateways: a stranger gives the hub a writer's batch with fewer signatures than it has", ""),
    "S66": ("storage gateways: a batch told as whole by an operator's word, whose shards nobody else was given", ""),
}

INCIDENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Poly Network 2021", "a message calls what holds the keys", ("A", "F12")),
    ("Qubit 2022", "transfer of a token without code succeeds", ("F5", "F6")),
    ("Wormhole 2022", "the caller brings the verifier", ("A", "B14", "D3")),
    ("Ronin 2022, 2024", "keys stolen; threshold zero after an upgrade", ("D1", "D4")),
    ("Harmony Horizon 2022", "two of five keys are enough", ("D4",)),
    ("Nomad 2022", "the default value is trusted", ("A", "B11", "C20")),
    ("BNB Bridge 2022", "a proof byte that is not hashed", ("B5", "B7")),
    ("Dragonberry 2022", "forged absence", ("B20", "B21", "B22", "B23", "B26")),
    ("Multichain 2023", "all keys under one person", ("D3", "D4")),
    ("Orbit Chain 2023", "keys stolen; nothing limits the loss", ("E19", "D4")),
    ("Huckleberry 2023", "events of what was rolled back", ("G2",)),
    ("ibc-go ASA-2024-007", "commitment deleted after the callback", ("E11", "E4")),
    ("ibc-go ISA-2025-001, ASA-2025-004", "an acknowledgement that nodes read differently", ("E8", "F4", "H")),
    ("Snowbridge 2026", "a short proof valid at many indices", ("B45",)),
    ("Union #935", "account proof of another contract", ("B37", "B40")),
    ("eureka #387, #395", "attested for finalized, another clock for timeouts", ("C33", "E2", "E3", "D7")),
)
"""Incident, what went wrong, and the lines whose tests stand for its class."""


Tests = dict[str, dict[str, list[str]]]
"""Code -> column -> `path::test`."""


def found() -> Tests:
    """By the names of the tests and their folders."""
    tests: Tests = defaultdict(lambda: defaultdict(list))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        relative = path.relative_to(ROOT).as_posix()
        column = next((name for name, folders in COLUMNS.items() if relative.startswith(folders)), "other")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (match := NAME.match(node.name)):
                tests[match[1]][column].append(f"{relative}::{node.name}")
    return tests


def by_line() -> Tests:
    """The tests of every line of the checklist. Exits where a test names a line that is not in it."""
    tests = found()
    unknown = sorted(set(tests) - set(LINES))
    if unknown:
        raise SystemExit(f"tests named after lines that are not in the checklist: {', '.join(unknown)}")
    return tests


def page(tests: Tests) -> str:
    rows = [
        "# Attacks",
        "",
        "Each line of the attack checklist, and in which implementations tests stand for it (x). An empty cell in a line",
        "without a remark means that the line does not concern that implementation. `python -m tests.attack_index C32`",
        "prints the tests of a line, and `--json` those of all; without either it writes this page, which CI checks.",
        "",
        "| line | attack | " + " | ".join(COLUMNS) + " | remark |",
        "| --- | --- | " + " | ".join("---" for _ in COLUMNS) + " | --- |",
    ]
    open_lines = []
    for code, (title, remark) in LINES.items():
        cells = ["x" if tests[code][column] else "" for column in COLUMNS]
        note = remark
        if not any(cells) and not remark:
            note = "no test yet"
            open_lines.append(code)
        rows.append(f"| {code} | {title} | " + " | ".join(cells) + f" | {note} |")
    if open_lines:
        rows += ["", f"Lines without a test: {', '.join(open_lines)}."]
    return "\n".join([*rows, *incident_rows(), *defence_rows(), ""])


def data(tests: Tests) -> str:
    """Every test by line and column, and every defence with the tests that notice when it is off; one name a line."""
    lines = {code: {column: tests[code][column] for column in COLUMNS if tests[code][column]} for code in LINES}
    defences = {
        group: {defence.name: {"file": defence.file, "tests": list(defence.tests)} for defence in listed}
        for group, listed in DEFENCES.items()
    }
    return json.dumps({"lines": lines, "defences": defences}, indent=1, ensure_ascii=False) + "\n"


def incident_rows() -> list[str]:
    """Line A: one row an incident."""
    rows = ["", "## Line A: known losses", "", "| incident | what went wrong | lines |", "| --- | --- | --- |"]
    return [*rows, *(f"| {incident} | {wrong} | {', '.join(codes)} |" for incident, wrong, codes in INCIDENTS)]


def defence_rows() -> list[str]:
    """What `python -m tests.defences` turns off, by group."""
    return [
        "",
        "## Defences turned off",
        "",
        "`python -m tests.defences` turns each rule off in a copy of the source and demands that the tests which stand for it",
        "fail there; `.ci/whole` runs it. The rules are of:",
        "",
        *(f"- {group}" for group in DEFENCES),
    ]


def main() -> int:
    tests = by_line()
    words = sys.argv[1:]
    if "--json" in words:
        print(data(tests), end="")
        return 0
    if "--check" in words:
        if PAGE.is_file() and PAGE.read_text() == page(tests):
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not what the tests say: run `python -m tests.attack_index`")
        return 1
    if unknown := [code for code in words if code not in LINES]:
        print(f"the checklist has no line {', '.join(unknown)}")
        return 2
    for name in (name for code in words for names in tests[code].values() for name in names):
        print(name)
    if not words:
        PAGE.write_text(page(tests))
    return 0


if __name__ == "__main__":
    sys.exit(main())
