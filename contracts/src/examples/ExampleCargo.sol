// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ITitle } from "../interfaces/ITitle.sol";

/// @title A carrier's warehouse: a cargo is released once, against its bill, which is retired
contract ExampleCargo {
    ITitle private immutable TITLE;
    /// @notice Slot 0: who got the cargo, by its bill's name on this chain.
    mapping(bytes32 bill => address receiver) public releasedTo;

    /// @notice The cargo was handed out.
    event Released(bytes32 indexed bill, address indexed receiver);

    /// @notice The bill was not surrendered to this contract.
    error NotSurrendered(bytes32 bill, address holder);

    /// @param title of this chain
    constructor(ITitle title) {
        TITLE = title;
    }

    /// @notice Hands the cargo out to the caller. Which bills are the carrier's, their names say, which are hashes over issuer and
    /// routes: of another's there is no cargo here.
    function release(bytes32 bill) external {
        address holder = TITLE.holderOf(bill);
        require(holder == address(this), NotSurrendered(bill, holder));
        releasedTo[bill] = msg.sender;
        TITLE.retire(bill);
        emit Released(bill, msg.sender);
    }
}
