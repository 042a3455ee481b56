// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { IFeed } from "../interfaces/IFeed.sol";
import { ITitle } from "../interfaces/ITitle.sol";
import { FeedRound } from "../types/Feed.sol";
import { TitleCounter } from "../types/Title.sol";

/// @title Green energy: a token of kWh, no more of it than meters and grid have reported together, and certificates made of it
contract ExampleGreenRegistry is ERC20 {
    /// @notice Slot 5, after those of the token: kWh of all certificates so far, retired ones too. They are tokens no more.
    uint256 public certified;
    IFeed private immutable FEED;
    bytes32 private immutable ID;
    ITitle private immutable TITLE;
    uint64 private immutable MAX_AGE;
    address private immutable GRID;

    /// @notice Only the grid mints.
    error OnlyGrid(address caller);
    /// @notice A certificate is of some energy.
    error NoEnergy();
    /// @notice More than was metered since the beginning.
    error MoreThanMetered(uint256 minted, int128 metered);

    /// @param id of a feed of all kWh since the beginning
    /// @param maxAge seconds after which a reading is too old to mint on
    constructor(IFeed feed, bytes32 id, ITitle title, uint64 maxAge, address grid) ERC20("Green kWh", "kWh") {
        (FEED, ID, TITLE, MAX_AGE, GRID) = (feed, id, title, maxAge, grid);
    }

    /// @notice Makes tokens, one a kWh.
    function mint(address to, uint256 kwh) external {
        require(msg.sender == GRID, OnlyGrid(msg.sender));
        FeedRound memory round = FEED.read(ID, MAX_AGE);
        _mint(to, kwh);
        uint256 all = minted();
        require(round.value >= 0 && all <= uint128(round.value), MoreThanMetered(all, round.value));
    }

    /// @notice Makes a certificate of the caller's tokens, which are burnt: a title whose content is its kWh, for ever.
    /// @param localId the registry's own name for it, each once
    function certify(bytes32 localId, uint128 kwh) external returns (bytes32 id) {
        require(kwh != 0, NoEnergy());
        _burn(msg.sender, kwh);
        certified += kwh;
        return TITLE.mint(localId, msg.sender, bytes32(uint256(kwh)), new TitleCounter[](0));
    }

    /// @notice kWh that were made so far, as tokens and as certificates.
    function minted() public view returns (uint256) {
        return totalSupply() + certified;
    }
}
