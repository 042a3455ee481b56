// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a title is, as this chain knows it. Live on one chain at most.
/// @dev None: never here. Live: here, with a holder. Leaving: sent, not settled. Away: in the custody of the route that
/// it was sent by. Returned: gone home by the route that it came by. Retired: ended for good.
enum TitleState {
    None,
    Live,
    Leaving,
    Away,
    Returned,
    Retired
}

/// @notice A number of a title that only goes on: up, or down if falling (such as refills left).
struct TitleCounter {
    bytes32 name;
    bool falling;
    uint128 value;
}

/// @notice What this chain knows of a title.
/// @param state where it is
/// @param holder who holds it; zero unless it is live here, or was when it was retired
/// @param sequence packet that it leaves with; zero unless leaving
/// @param lienHolder who must release it before it is sold, moved or retired; zero without a lien
/// @param recorder who may advance its counters beside the holder; zero for nobody
/// @param content hash of the document; the issuer says of what
/// @param localId the issuer's name for it
/// @param issuer text of the address that minted it on its own chain
/// @param trace routes that it came by, the last first; empty on its own chain
/// @param route where it was sent: a client, or `hub client>hub's client`; empty unless leaving, away or returned
/// @param counters in order of name
struct TitleDocument {
    TitleState state;
    address holder;
    uint64 sequence;
    address lienHolder;
    address recorder;
    bytes32 content;
    bytes32 localId;
    string issuer;
    string trace;
    string route;
    TitleCounter[] counters;
}
