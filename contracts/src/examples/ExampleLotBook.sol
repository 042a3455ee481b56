// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ExampleCertificates } from "./ExampleCertificates.sol";

/// @title A processor's book of lots: harvested ones with the farm's certificate, made ones out of what is left of others
contract ExampleLotBook {
    struct Lot {
        uint128 amount;
        uint128 left;
    }

    ExampleCertificates private immutable CERTIFICATES;
    address private immutable PROCESSOR;
    /// @notice Slot 0: `keccak256(head ‖ keccak256(record))` over all records in their order, from zero on.
    bytes32 public head;
    /// @notice How much a lot had, and has left.
    mapping(bytes32 id => Lot lot) public lots;

    /// @notice Only the processor writes into its book.
    error OnlyProcessor(address caller);
    /// @notice The farm has sent no such certificate.
    error NotCertified(bytes32 lot);
    /// @notice The lot is there already, or would have nothing in it.
    error InvalidLot(bytes32 lot, uint128 amount);
    /// @notice More would come out of it than is in it.
    error TooMuch(bytes32 lot, uint256 asked, uint256 available);

    /// @param certificates where the farm's are, `abi.encode(lot, amount)`
    constructor(ExampleCertificates certificates) {
        (CERTIFICATES, PROCESSOR) = (certificates, msg.sender);
    }

    /// @notice A lot from the field. `index` and `siblings` lead to its certificate under the farm's `root`.
    function harvest(bytes32 lot, uint128 amount, bytes32 root, uint64 index, bytes32[] calldata siblings) external {
        require(CERTIFICATES.includes(root, abi.encode(lot, amount), index, siblings), NotCertified(lot));
        _add(lot, amount, new bytes32[](0), new uint128[](0));
    }

    /// @notice A lot of `amounts` out of `inputs`: no more comes out than goes in.
    function make(bytes32 lot, uint128 amount, bytes32[] calldata inputs, uint128[] calldata amounts) external {
        uint256 total = 0;
        for (uint256 i = 0; i < inputs.length; ++i) {
            Lot storage input = lots[inputs[i]];
            require(amounts[i] <= input.left, TooMuch(inputs[i], amounts[i], input.left));
            input.left -= amounts[i];
            total += amounts[i];
        }
        require(amount <= total, TooMuch(lot, amount, total));
        _add(lot, amount, inputs, amounts);
    }

    function _add(bytes32 lot, uint128 amount, bytes32[] memory inputs, uint128[] memory amounts) private {
        require(msg.sender == PROCESSOR, OnlyProcessor(msg.sender));
        require(amount != 0 && lots[lot].amount == 0 && inputs.length == amounts.length, InvalidLot(lot, amount));
        lots[lot] = Lot(amount, amount);
        head = keccak256(abi.encode(head, keccak256(abi.encode(lot, amount, inputs, amounts))));
    }
}
