// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20, SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IStorageAudit } from "../interfaces/IStorageAudit.sol";
import { Height } from "../types/Client.sol";
import { Record, RecordProof } from "../types/Record.sol";
import { AuditTerms, ProbeAnswers, ProbeCount } from "../types/Storage.sol";

/// @title Pays a storage operator for each epoch whose audit it passed, and for no other
/// @notice Nobody has rights here. Anyone may bring a proof: the payee alone gets the money, once an epoch. What is not earned by
/// the end goes back to whoever paid it in.
contract ExampleStorageEscrow {
    using SafeERC20 for IERC20;

    /// @param payer who paid it in, and gets back what is left
    /// @param payee who is paid
    /// @param operator id on the hub of whoever is audited
    /// @param firstEpoch that is paid for
    /// @param epochs how many, 1 to 256
    /// @param price of one epoch, smallest units
    /// @param end Unix seconds: from then on the rest goes back
    /// @param terms of an audit that counts
    struct Deal {
        address payer;
        address payee;
        bytes32 operator;
        uint64 firstEpoch;
        uint16 epochs;
        uint256 price;
        uint64 end;
        AuditTerms terms;
    }

    uint256 private constant MAX_EPOCHS = 256;
    IStorageAudit private immutable AUDIT;
    IERC20 private immutable TOKEN;
    mapping(uint256 id => Deal deal) private _deals;
    mapping(uint256 id => uint256 bits) private _paid;
    uint256 private _count;

    /// @notice A deal was opened and paid in.
    event Opened(uint256 indexed id, bytes32 indexed operator, address payer, address payee);
    /// @notice An epoch was paid for.
    event Paid(uint256 indexed id, uint64 indexed epoch, uint256 amount);
    /// @notice What was not earned went back.
    event Refunded(uint256 indexed id, uint256 amount);

    /// @notice There is no such deal, or it is over.
    error NoDeal(uint256 id);
    /// @notice No or too many epochs, terms that take weak seeds, or an end that has passed.
    error BadDeal();
    /// @notice The deal is not about this epoch.
    error EpochNotInDeal(uint64 epoch);
    /// @notice The epoch was paid for.
    error AlreadyPaid(uint64 epoch);
    /// @notice The answers are not those to all probes of the epoch.
    error NotAllProbes(uint256 answered, uint32 probes);
    /// @notice The deal has not ended.
    error NotOver(uint64 end);

    /// @param audit of this chain
    /// @param token in which operators are paid
    constructor(IStorageAudit audit, IERC20 token) {
        (AUDIT, TOKEN) = (audit, token);
    }

    /// @notice Opens a deal and takes its whole price from the caller, who is the payer whatever `deal` says.
    /// @return id of the deal
    function open(Deal calldata deal) external returns (uint256 id) {
        require(
            deal.epochs != 0 && deal.epochs <= MAX_EPOCHS && deal.terms.minReveals != 0 && deal.end > block.timestamp,
            BadDeal()
        );
        id = _count++;
        _deals[id] = deal;
        _deals[id].payer = msg.sender;
        emit Opened(id, deal.operator, msg.sender, deal.payee);
        TOKEN.safeTransferFrom(msg.sender, address(this), deal.price * deal.epochs);
    }

    /// @notice Pays for an epoch by the hub's verdict.
    /// @param value of the verdict's record
    function claim(
        uint256 id,
        uint64 epoch,
        bytes calldata value,
        RecordProof calldata proof,
        Height calldata height
    )
        external
    {
        Deal memory deal = _deal(id);
        AUDIT.requirePassed(deal.operator, epoch, value, proof, height, deal.terms);
        _pay(id, deal, epoch);
    }

    /// @notice Pays for an epoch by answers to all its probes, which are judged on this chain.
    /// @param records the operator's set, the epoch's seed, and removals that answers name
    function claimByProbes(
        uint256 id,
        uint64 epoch,
        Record[] calldata records,
        RecordProof calldata proof,
        Height calldata height,
        ProbeAnswers calldata shown
    )
        external
    {
        Deal memory deal = _deal(id);
        ProbeCount memory count =
            AUDIT.probe(deal.operator, epoch, records, proof, height, shown, deal.terms);
        require(
            shown.first == 0 && shown.count == count.probes, NotAllProbes(shown.count, count.probes)
        );
        _pay(id, deal, epoch);
    }

    /// @notice Gives the payer what was not earned. Open to everyone once the deal has ended.
    function refund(uint256 id) external {
        Deal memory deal = _deal(id);
        require(block.timestamp >= deal.end, NotOver(deal.end));
        uint256 left = deal.epochs;
        for (uint256 bits = _paid[id]; bits != 0; bits &= bits - 1) {
            --left;
        }
        delete _deals[id];
        emit Refunded(id, left * deal.price);
        TOKEN.safeTransfer(deal.payer, left * deal.price);
    }

    /// @notice Which epochs of a deal were paid for, bit i for `firstEpoch` + i.
    function paidEpochs(uint256 id) external view returns (uint256) {
        return _paid[id];
    }

    function _deal(uint256 id) private view returns (Deal memory deal) {
        deal = _deals[id];
        require(deal.payer != address(0), NoDeal(id));
    }

    function _pay(uint256 id, Deal memory deal, uint64 epoch) private {
        require(epoch >= deal.firstEpoch && epoch - deal.firstEpoch < deal.epochs, EpochNotInDeal(epoch));
        uint256 bit = 1 << (epoch - deal.firstEpoch);
        require(_paid[id] & bit == 0, AlreadyPaid(epoch));
        _paid[id] |= bit;
        emit Paid(id, epoch, deal.price);
        TOKEN.safeTransfer(deal.payee, deal.price);
    }
}
