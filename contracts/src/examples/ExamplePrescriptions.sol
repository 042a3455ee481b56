// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { IMessageReceiver, Origin } from "../interfaces/IMessageReceiver.sol";
import { ITitle } from "../interfaces/ITitle.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";
import { TitleCounter } from "../types/Title.sol";

/// @title Prescriptions of licensed doctors, each a title that this contract holds; pharmacies on other chains dispense on them
contract ExamplePrescriptions is CredentialGate, IMessageReceiver {
    bytes32 private constant REFILLS = "refills";
    address private immutable MAILBOX;
    ITitle private immutable TITLE;
    bytes32 private immutable LICENCE;
    /// @notice Slot 1: digest of the seal of the doctor's licence.
    mapping(bytes32 prescription => bytes32 licence) public prescribedUnder;
    /// @notice Slot 2: how often it may be dispensed on still.
    mapping(bytes32 prescription => uint256 left) public left;
    /// @notice Slot 3: who dispenses, by `keccak256(abi.encode(chain, sender))` of its messages.
    mapping(bytes32 source => bool) public isPharmacy;

    /// @notice Only the Mailbox delivers messages.
    error OnlyMailbox(address caller);
    /// @notice Only the pharmacies that this contract was made with dispense.
    error NotAPharmacy(string chain, string sender);
    /// @notice This number was dispensed, or comes later, or there never was so much.
    error Spent(bytes32 prescription, uint256 asked, uint256 left);

    /// @param licence schema of a doctor's licence
    /// @param pharmacies who dispenses, as `isPharmacy` has them
    constructor(
        IIdentityCache cache,
        uint64 maxAge,
        address mailbox,
        ITitle title,
        bytes32 licence,
        bytes32[] memory pharmacies
    )
        CredentialGate(cache, maxAge)
    {
        (MAILBOX, TITLE, LICENCE) = (mailbox, title, licence);
        for (uint256 i = 0; i < pharmacies.length; ++i) isPharmacy[pharmacies[i]] = true;
    }

    /// @notice A doctor prescribes: a new title, with a counter that falls.
    /// @param prescription the doctor's name for it
    /// @param content hash of what is prescribed, to whom
    function prescribe(Acceptance calldata licence, bytes32 prescription, bytes32 content, uint128 refills) external {
        prescribedUnder[prescription] = _accept(licence, LICENCE, abi.encode(prescription, content, refills));
        left[prescription] = refills;
        TitleCounter[] memory counters = new TitleCounter[](1);
        counters[0] = TitleCounter(REFILLS, true, refills);
        TITLE.mint(prescription, address(this), content, counters);
    }

    /// @inheritdoc IMessageReceiver
    /// @dev A pharmacy dispenses: the prescription, and how many it leaves. The first of two who leave as many is the one.
    function onMessage(Origin calldata origin, string calldata sender, bytes calldata payload) external returns (bytes memory) {
        require(msg.sender == MAILBOX, OnlyMailbox(msg.sender));
        require(isPharmacy[keccak256(abi.encode(origin.chain, sender))], NotAPharmacy(origin.chain, sender));
        (bytes32 prescription, uint128 leaves) = abi.decode(payload, (bytes32, uint128));
        uint256 now_ = left[prescription];
        require(now_ != 0 && leaves == now_ - 1, Spent(prescription, leaves, now_));
        left[prescription] = leaves;
        TITLE.advance(TITLE.idOf("", Identifiers.toHex(address(this)), prescription), REFILLS, leaves);
        return "";
    }
}
