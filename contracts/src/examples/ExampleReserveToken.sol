// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { IFeed } from "../interfaces/IFeed.sol";
import { IHubReader } from "../interfaces/IHubReader.sol";
import { Answer, Presence } from "../types/Record.sol";
import { RecordedAmounts } from "./RecordedAmounts.sol";

/// @title Token of several chains: of all of them together never more than custodians report to hold
contract ExampleReserveToken is ERC20 {
    /// @notice What exists here or is promised: slot 5, which the other chains read by records of the hub.
    uint256 public committed;
    IFeed private immutable FEED;
    bytes32 private immutable RESERVE;
    IHubReader private immutable READER;
    address private immutable ISSUER;
    uint64 private immutable MAX_AGE;
    uint256 private _promisedAt;
    bytes[] private _elsewhere;

    error OnlyIssuer();
    error AlreadyTold();
    error NotTold();
    /// @notice No record yet of a block there that is later than the promise here.
    error NotSeenElsewhere(uint256 sourceTime, uint256 promisedAt);
    error PastReserves(uint256 committed, int128 reserve);

    modifier onlyIssuer() {
        require(msg.sender == ISSUER, OnlyIssuer());
        _;
    }

    constructor(IFeed feed, bytes32 reserve, IHubReader reader, uint64 maxAge) ERC20("Reserve", "RES") {
        (FEED, RESERVE, READER, ISSUER, MAX_AGE) = (feed, reserve, reader, msg.sender, maxAge);
    }

    /// @notice Names the other chains' tokens once: keys of the records of what is committed there (on a Cosmos chain: what exists),
    /// ascending by their hashes.
    function tell(bytes[] calldata keys) external onlyIssuer {
        require(_elsewhere.length == 0, AlreadyTold());
        _elsewhere = keys;
    }

    /// @notice Promises an amount; 0 takes it back. Of two chains that promise at once, one sees the other before it mints.
    function commit(uint256 amount) external onlyIssuer {
        (committed, _promisedAt) = (totalSupply() + amount, block.timestamp);
    }

    /// @notice Makes what was promised, if the youngest reports and all chains together, which were named before, allow it.
    function mint(address to) external onlyIssuer {
        require(_elsewhere.length != 0, NotTold());
        int128 reserve = FEED.read(RESERVE, MAX_AGE).value;
        Answer[] memory answers = READER.readManyCached(_elsewhere, MAX_AGE, 1);
        uint256 all = committed;
        for (uint256 i = 0; i < answers.length; ++i) {
            require(answers[i].sourceTime > _promisedAt, NotSeenElsewhere(answers[i].sourceTime, _promisedAt));
            if (answers[i].presence == Presence.Present) all += RecordedAmounts.amountIn(answers[i].value, _elsewhere[i]);
        }
        require(reserve >= 0 && all <= uint128(reserve), PastReserves(all, reserve));
        _mint(to, committed - totalSupply());
    }
}
