// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../src/interfaces/IHubClient.sol";
import { TendermintCommit } from "../src/libraries/TendermintCommit.sol";
import { TendermintHash } from "../src/libraries/TendermintHash.sol";
import { TestBase, Vm } from "./TestBase.t.sol";

/// @notice Makes the libraries' functions callable, so that their reverts can be expected.
contract CommitReader {
    function twoThirds(IHubClient.Commit memory commit, IHubClient.Validator[] memory validators) external pure {
        uint256 total = TendermintCommit.checkValidators(validators);
        TendermintCommit.requireTwoThirds(TendermintCommit.open(commit, validators, "hutong-1"), total);
    }

    function trust(IHubClient.Commit memory commit, IHubClient.Validator[] memory validators, IHubClient.Validator[] memory trusted) external pure {
        TendermintCommit.checkValidators(validators);
        uint256 total = TendermintCommit.checkValidators(trusted);
        TendermintCommit.requireTrust(TendermintCommit.open(commit, validators, "hutong-1"), trusted, total / 3);
    }

    function checkValidators(IHubClient.Validator[] memory validators) external pure returns (uint256) {
        return TendermintCommit.checkValidators(validators);
    }
}

contract TendermintCommitTest is TestBase {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    CommitReader private reader = new CommitReader();

    function set(uint256 seed, uint256 count) private returns (IHubClient.Validator[] memory validators, uint256[] memory keys) {
        validators = new IHubClient.Validator[](count);
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = 1 + uint256(keccak256(abi.encode(seed, i))) % (ORDER - 1);
            Vm.Wallet memory wallet = vm.createWallet(keys[i]);
            validators[i] = IHubClient.Validator(wallet.publicKeyX, wallet.publicKeyY, uint64(1 + keys[i] % 1000));
        }
    }

    function signed(uint256[] memory keys, uint256 absent) private pure returns (IHubClient.Commit memory commit) {
        commit.height = 7;
        commit.round = uint32(keys[0] % 3);
        commit.blockId = IHubClient.BlockId(bytes32(keys[0]), 1, keccak256("parts"));
        commit.signatures = new IHubClient.CommitSignature[](keys.length);
        (bytes memory prefix, bytes memory suffix) = TendermintHash.voteParts(commit, "hutong-1");
        for (uint256 i = 0; i < keys.length; ++i) {
            IHubClient.CommitSignature memory entry = commit.signatures[i];
            if ((absent >> i) & 1 == 1) {
                entry.flag = 1;
                continue;
            }
            entry.flag = 2;
            entry.time = IHubClient.Timestamp(uint64(1_700_000_000 + i), uint32(keys[i] % 1_000_000_000));
            (, entry.r, entry.s) = vm.sign(keys[i], TendermintHash.voteDigest(prefix, suffix, entry.time));
        }
    }

    function test_fuzz_thresholdIsTwoThirdsOfThePower(uint256 seed, uint256 count, uint256 absent) external {
        count = within(count, 1, 9);
        (IHubClient.Validator[] memory validators, uint256[] memory keys) = set(seed, count);
        uint256 total = 0;
        uint256 power = 0;
        for (uint256 i = 0; i < count; ++i) {
            total += validators[i].power;
            if ((absent >> i) & 1 == 0) power += validators[i].power;
        }
        IHubClient.Commit memory commit = signed(keys, absent);
        if (power * 3 > total * 2) {
            reader.twoThirds(commit, validators);
        } else {
            vm.expectRevert();
            reader.twoThirds(commit, validators);
        }
    }

    function test_fuzz_changedSignatureIsRefused(uint256 seed, uint256 place, uint256 bit) external {
        (IHubClient.Validator[] memory validators, uint256[] memory keys) = set(seed, 4);
        IHubClient.Commit memory commit = signed(keys, 0);
        IHubClient.CommitSignature memory entry = commit.signatures[0];
        bit = within(bit, 0, 255);
        if (place % 3 == 0) entry.r ^= bytes32(1 << bit);
        else if (place % 3 == 1) entry.s ^= bytes32(1 << bit);
        else entry.time.secs ^= uint64(1 << (bit % 30));
        vm.expectPartialRevert(IHubClient.InvalidSignature.selector);
        reader.twoThirds(commit, validators);
    }

    function test_fuzz_highSIsRefused(uint256 seed) external {
        (IHubClient.Validator[] memory validators, uint256[] memory keys) = set(seed, 4);
        IHubClient.Commit memory commit = signed(keys, 0);
        commit.signatures[0].s = bytes32(ORDER - uint256(commit.signatures[0].s));
        vm.expectPartialRevert(IHubClient.InvalidSignature.selector);
        reader.twoThirds(commit, validators);
    }

    function test_fuzz_signaturesOfOthersAreRefused(uint256 seed, uint256 other) external {
        vm.assume(seed != other);
        (IHubClient.Validator[] memory validators,) = set(seed, 4);
        (, uint256[] memory keys) = set(other, 4);
        IHubClient.Commit memory commit = signed(keys, 0);
        vm.expectPartialRevert(IHubClient.InvalidSignature.selector);
        reader.twoThirds(commit, validators);
    }

    function test_fuzz_trustCountsTheTrustedOnly(uint256 seed, uint256 kept) external {
        kept = within(kept, 0, 4);
        (IHubClient.Validator[] memory trusted, uint256[] memory keys) = set(seed, 4);
        (IHubClient.Validator[] memory validators, uint256[] memory newKeys) = set(seed ^ 1, 5);
        uint256 power = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < 4; ++i) {
            total += trusted[i].power;
            if (i >= kept) continue;
            power += trusted[i].power;
            validators[i + 1] = trusted[i];
            newKeys[i + 1] = keys[i];
        }
        IHubClient.Commit memory commit = signed(newKeys, 0);
        if (power <= total / 3) vm.expectPartialRevert(IHubClient.NotEnoughTrust.selector);
        reader.trust(commit, validators, trusted);
    }

    function test_fuzz_pointsOffTheCurveAreRefused(uint256 x, uint256 y, uint256 seed) external {
        (IHubClient.Validator[] memory validators,) = set(seed, 3);
        uint256 prime = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
        bool onCurve = x < prime && y < prime
            && mulmod(y, y, prime) == addmod(mulmod(mulmod(x, x, prime), x, prime), 7, prime);
        validators[1] = IHubClient.Validator(x, y, 5);
        if (!onCurve) vm.expectPartialRevert(IHubClient.InvalidPublicKey.selector);
        reader.checkValidators(validators);
    }

    function test_fuzz_keyTwiceIsRefused(uint256 seed, uint256 count, uint256 first, uint256 second) external {
        count = within(count, 2, 12);
        (IHubClient.Validator[] memory validators,) = set(seed, count);
        reader.checkValidators(validators);
        first %= count;
        second %= count;
        vm.assume(first != second);
        validators[first] = IHubClient.Validator(validators[second].x, validators[second].y, 3);
        vm.expectPartialRevert(IHubClient.InvalidValidatorSet.selector);
        reader.checkValidators(validators);
    }

    function test_fuzz_merkleRootSplitsAtThePowerOfTwo(bytes32[] memory leaves) external pure {
        vm.assume(leaves.length != 0 && leaves.length < 70);
        bytes32 expected = split(leaves, 0, leaves.length);
        check(TendermintHash.root(leaves) == expected, "root");
    }

    /// @dev RFC 6962 as it is written: recursive, split at the largest power of two below the count.
    function split(bytes32[] memory leaves, uint256 start, uint256 count) private pure returns (bytes32) {
        if (count == 1) return leaves[start];
        uint256 half = 1;
        while (half * 2 < count) half *= 2;
        return sha256(abi.encodePacked(uint8(1), split(leaves, start, half), split(leaves, start + half, count - half)));
    }
}
