package main

import (
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

func hashHeader(c Case) (string, []byte, error) {
	message := new(cmtproto.Header)
	if err := message.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	header, err := cmttypes.HeaderFromProto(message)
	if err != nil {
		return "", nil, err
	}
	return "valid", header.Hash(), nil
}

func hashValidatorSet(c Case) (string, []byte, error) {
	message := new(cmtproto.ValidatorSet)
	if err := message.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	set, err := cmttypes.ValidatorSetFromProto(message)
	if err != nil {
		return "", nil, err
	}
	return "valid", set.Hash(), nil
}

func hashCommit(c Case) (string, []byte, error) {
	message := new(cmtproto.Commit)
	if err := message.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	commit, err := cmttypes.CommitFromProto(message)
	if err != nil {
		return "", nil, err
	}
	return "valid", commit.Hash(), nil
}

// hashBlock judges a whole block: its own hashes agree, it is basically valid; the value is its part set header's hash.
func hashBlock(c Case) (string, []byte, error) {
	message := new(cmtproto.Block)
	if err := message.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	block, err := cmttypes.BlockFromProto(message)
	if err != nil {
		return "", nil, err
	}
	if err := block.ValidateBasic(); err != nil {
		return "", nil, err
	}
	parts, err := block.MakePartSet(cmttypes.BlockPartSizeBytes)
	if err != nil {
		return "", nil, err
	}
	return "valid", append(block.Hash(), parts.Header().Hash...), nil
}

// hashConsensusParams: the message is HashedParams' two fields; it shows what CometBFT hashes of its parameters.
func hashConsensusParams(c Case) (string, []byte, error) {
	message := new(cmtproto.HashedParams)
	if err := message.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	params := cmttypes.DefaultConsensusParams()
	params.Block.MaxBytes, params.Block.MaxGas = message.BlockMaxBytes, message.BlockMaxGas
	return "valid", params.Hash(), nil
}

// signBytes: the message is a Vote; the chain id is the first path element.
func signBytes(c Case) (string, []byte, error) {
	message := new(cmtproto.Vote)
	if err := message.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	return "valid", cmttypes.VoteSignBytes(string(c.Path[0]), message), nil
}
