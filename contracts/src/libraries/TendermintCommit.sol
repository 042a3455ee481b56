// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IHubClient } from "../interfaces/IHubClient.sol";
import { TendermintHash } from "./TendermintHash.sol";

/// @title The commit rule over secp256k1 validators
/// @notice Signatures in list order, nil and absent entries passed over, stop above the threshold; the first bad one
/// that is met refuses, later ones are not read. The digest is SHA-256 of the sign bytes; who signed is found by
/// `ecrecover` and compared with the address of the very key that the validator set commits to.
library TendermintCommit {
    uint8 private constant FLAG_ABSENT = 1;
    uint8 private constant FLAG_COMMIT = 2;
    uint8 private constant FLAG_NIL = 3;
    uint256 private constant FIELD_PRIME = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    /// @dev CometBFT's bounds: types/vote_set.go MaxVotesCount, types/validator_set.go MaxTotalVotingPower.
    uint256 private constant MAX_VALIDATORS = 10_000;
    uint256 private constant MAX_TOTAL_POWER = uint256(uint64(type(int64).max)) / 8;

    /// @notice Signatures of a commit as far as they were read.
    struct Tally {
        IHubClient.CommitSignature[] signatures;
        IHubClient.Validator[] validators;
        bytes prefix;
        bytes suffix;
        bool[] verified;
    }

    /// @notice Checks size, keys, powers of a set, and that no key stands in it twice.
    /// @return total voting power
    function checkValidators(IHubClient.Validator[] memory validators) internal pure returns (uint256 total) {
        uint256 count = validators.length;
        require(count != 0, IHubClient.InvalidValidatorSet("empty"));
        require(count <= MAX_VALIDATORS, IHubClient.InvalidValidatorSet("too many validators"));
        uint256[] memory table = new uint256[](2 * count);
        for (uint256 i = 0; i < count; ++i) {
            IHubClient.Validator memory validator = validators[i];
            require(_isOnCurve(validator.x, validator.y), IHubClient.InvalidPublicKey(i));
            require(_isNew(table, validators, i), IHubClient.InvalidValidatorSet("a key stands twice"));
            require(validator.power != 0, IHubClient.InvalidValidatorSet("zero voting power"));
            total += validator.power;
        }
        require(total <= MAX_TOTAL_POWER, IHubClient.InvalidValidatorSet("total voting power above the cap"));
    }

    /// @notice Prepares the reading of a commit.
    function open(
        IHubClient.Commit memory commit,
        IHubClient.Validator[] memory validators,
        string memory chainId
    )
        internal
        pure
        returns (Tally memory tally)
    {
        uint256 count = commit.signatures.length;
        require(count <= validators.length, IHubClient.TooManySignatures(count, validators.length));
        for (uint256 i = 0; i < count; ++i) {
            uint8 flag = commit.signatures[i].flag;
            require(flag >= FLAG_ABSENT && flag <= FLAG_NIL, IHubClient.InvalidCommitFlag(i, flag));
        }
        tally.signatures = commit.signatures;
        tally.validators = validators;
        tally.verified = new bool[](count);
        (tally.prefix, tally.suffix) = TendermintHash.voteParts(commit, chainId);
    }

    /// @notice More than two thirds of the header's own validators signed.
    function requireTwoThirds(Tally memory tally, uint256 total) internal pure {
        uint256 needed = total * 2 / 3;
        uint256 signedPower = 0;
        for (uint256 i = 0; i < tally.signatures.length; ++i) {
            if (tally.signatures[i].flag != FLAG_COMMIT) continue;
            _verify(tally, i);
            signedPower += tally.validators[i].power;
            if (signedPower > needed) return;
        }
        revert IHubClient.NotEnoughPower(signedPower, needed);
    }

    /// @notice More than the trust level of the trusted validators signed, each counted once.
    /// @param trusted validators under the trusted state's next validators hash
    function requireTrust(
        Tally memory tally,
        IHubClient.Validator[] memory trusted,
        uint256 needed
    )
        internal
        pure
    {
        bool[] memory counted = new bool[](trusted.length);
        uint256 signedPower = 0;
        for (uint256 i = 0; i < tally.signatures.length; ++i) {
            if (tally.signatures[i].flag != FLAG_COMMIT) continue;
            uint256 index = _find(trusted, tally.validators[i], i);
            if (index == trusted.length) continue;
            require(!counted[index], IHubClient.DoubleVote(i));
            counted[index] = true;
            _verify(tally, i);
            signedPower += trusted[index].power;
            if (signedPower > needed) return;
        }
        revert IHubClient.NotEnoughTrust(signedPower, needed);
    }

    /// @dev Enters validator i into an open hash table of indices (plus one), half full at most.
    function _isNew(
        uint256[] memory table,
        IHubClient.Validator[] memory validators,
        uint256 i
    )
        private
        pure
        returns (bool)
    {
        uint256 place = validators[i].x % table.length;
        while (table[place] != 0) {
            if (_sameKey(validators[table[place] - 1], validators[i])) return false;
            place = place + 1 == table.length ? 0 : place + 1;
        }
        table[place] = i + 1;
        return true;
    }

    /// @dev Verifies the signature at an index once.
    function _verify(Tally memory tally, uint256 index) private pure {
        if (tally.verified[index]) return;
        IHubClient.CommitSignature memory signature = tally.signatures[index];
        IHubClient.Validator memory validator = tally.validators[index];
        bytes32 digest = TendermintHash.voteDigest(tally.prefix, tally.suffix, signature.time);
        address signer = address(uint160(uint256(keccak256(abi.encodePacked(validator.x, validator.y)))));
        // a high s is another signature of the same vote; CometBFT refuses it
        require(
            uint256(signature.s) <= HALF_ORDER && signer != address(0)
                && (ecrecover(digest, 27, signature.r, signature.s) == signer
                    || ecrecover(digest, 28, signature.r, signature.s) == signer),
            IHubClient.InvalidSignature(index)
        );
        tally.verified[index] = true;
    }

    /// @dev Index in `trusted` of the same key, or its length. Sets seldom change, so the same place is tried first.
    function _find(
        IHubClient.Validator[] memory trusted,
        IHubClient.Validator memory validator,
        uint256 hint
    )
        private
        pure
        returns (uint256)
    {
        if (hint < trusted.length && _sameKey(trusted[hint], validator)) return hint;
        for (uint256 i = 0; i < trusted.length; ++i) {
            if (_sameKey(trusted[i], validator)) return i;
        }
        return trusted.length;
    }

    function _sameKey(IHubClient.Validator memory a, IHubClient.Validator memory b) private pure returns (bool) {
        return a.x == b.x && a.y == b.y;
    }

    /// @dev y² = x³ + 7 over the field of secp256k1, both coordinates reduced.
    function _isOnCurve(uint256 x, uint256 y) private pure returns (bool) {
        if (x >= FIELD_PRIME || y >= FIELD_PRIME) return false;
        uint256 cube = mulmod(mulmod(x, x, FIELD_PRIME), x, FIELD_PRIME);
        return mulmod(y, y, FIELD_PRIME) == addmod(cube, 7, FIELD_PRIME);
    }
}
