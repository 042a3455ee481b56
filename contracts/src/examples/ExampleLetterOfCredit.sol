// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IIdentityCache } from "../interfaces/IIdentityCache.sol";
import { ITitle } from "../interfaces/ITitle.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import { CredentialGate } from "../services/CredentialGate.sol";
import { Acceptance } from "../types/Identity.sol";
import { TitleDocument } from "../types/Title.sol";

/// @title A bank pays an exporter for a bill of lading: a title of a licensed carrier over its cargo, given to this contract
contract ExampleLetterOfCredit is CredentialGate {
    /// @dev `cargo` is the content of the bill, `deadline` the last second in which it is presented.
    struct Terms {
        address bank;
        address exporter;
        IERC20 token;
        uint256 amount;
        bytes32 cargo;
        uint64 deadline;
    }

    ITitle private immutable TITLE;
    bytes32 private immutable LICENCE;
    /// @notice Slot 1: the bill that was paid; all ones where the money went back. The terms follow.
    bytes32 public paidFor;
    Terms public terms;

    /// @notice Of another carrier than the licence, or over another cargo.
    error OtherBill(bytes32 bill);
    /// @notice The bill was not given to this contract.
    error BillNotHere(bytes32 bill, address holder);
    /// @notice Too late to be paid, or too early to be given back; or it is paid or given back already.
    error NotNow(bytes32 paidFor, uint64 deadline);

    constructor(IIdentityCache cache, uint64 maxAge, ITitle title, bytes32 licence, Terms memory terms_) CredentialGate(cache, maxAge) {
        (TITLE, LICENCE, terms) = (title, licence, terms_);
    }

    /// @notice Pays for a bill, which the bank has from then on. Its carrier shows the licence: the holder of the one issued the other.
    function present(Acceptance calldata licence, bytes32 bill) external {
        _accept(licence, LICENCE, abi.encode(bill));
        require(paidFor == 0 && block.timestamp <= terms.deadline, NotNow(paidFor, terms.deadline));
        TitleDocument memory title = TITLE.titleOf(bill);
        require(title.content == terms.cargo && Identifiers.equal(title.issuer, Identifiers.toHex(licence.seal.holder)), OtherBill(bill));
        require(TITLE.holderOf(bill) == address(this), BillNotHere(bill, title.holder));
        paidFor = bill;
        TITLE.transfer(bill, terms.bank);
        require(terms.token.transfer(terms.exporter, terms.amount));
    }

    /// @notice After the deadline: the money to the bank, and the bill, if it is here, to the exporter.
    function giveBack(bytes32 bill) external {
        require(paidFor == 0 && block.timestamp > terms.deadline, NotNow(paidFor, terms.deadline));
        paidFor = bytes32(type(uint256).max);
        if (TITLE.titleOf(bill).holder == address(this)) TITLE.transfer(bill, terms.exporter);
        require(terms.token.transfer(terms.bank, terms.amount));
    }
}
