// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IMessageReceiver, Origin } from "../interfaces/IMessageReceiver.sol";
import { Identifiers } from "../libraries/Identifiers.sol";
import { Rfc6962 } from "../libraries/Rfc6962.sol";

/// @title Roots over certificates that somebody with a signed log, and without a chain, sent here by messages of the log
contract ExampleCertificates is IMessageReceiver {
    using Identifiers for string;

    address private immutable MAILBOX;
    string private _log;
    string private _issuer;

    /// @notice How many certificates are under a root; 0: the issuer has sent no such root.
    mapping(bytes32 root => uint64 count) public countOf;

    /// @notice Only the Mailbox delivers messages.
    error OnlyMailbox(address caller);
    /// @notice Only the issuer certifies.
    error NotTheIssuer(string chain, string sender);

    /// @param mailbox Mailbox of this chain
    /// @param log the issuer's log, as this chain's Mailbox calls it
    /// @param issuer the issuer's account there, in lower-case hex
    constructor(address mailbox, string memory log, string memory issuer) {
        MAILBOX = mailbox;
        _log = log;
        _issuer = issuer;
    }

    /// @inheritdoc IMessageReceiver
    function onMessage(Origin calldata origin, string calldata sender, bytes calldata payload) external returns (bytes memory) {
        require(msg.sender == MAILBOX, OnlyMailbox(msg.sender));
        require(origin.chain.equal(_log) && sender.equal(_issuer), NotTheIssuer(origin.chain, sender));
        (bytes32 root, uint64 count) = abi.decode(payload, (bytes32, uint64));
        countOf[root] = count;
        return "";
    }

    /// @notice Whether a certificate is number `index` under a root of the issuer, to which `siblings` lead (RFC 6962).
    function includes(bytes32 root, bytes calldata certificate, uint64 index, bytes32[] calldata siblings)
        external
        view
        returns (bool)
    {
        return countOf[root] != 0 && Rfc6962.rootOf(Rfc6962.leafHash(certificate), index, countOf[root], siblings) == root;
    }
}
