package main

import (
	"errors"
	"fmt"
	"time"

	"cosmossdk.io/log"
	"cosmossdk.io/store"
	"cosmossdk.io/store/metrics"
	storetypes "cosmossdk.io/store/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	sdk "github.com/cosmos/cosmos-sdk/types"
	clienttypes "github.com/cosmos/ibc-go/v10/modules/core/02-client/types"
	commitmenttypes "github.com/cosmos/ibc-go/v10/modules/core/23-commitment/types"
	commitmenttypesv2 "github.com/cosmos/ibc-go/v10/modules/core/23-commitment/types/v2"
	host "github.com/cosmos/ibc-go/v10/modules/core/24-host"
	"github.com/cosmos/ibc-go/v10/modules/core/exported"
	tendermint "github.com/cosmos/ibc-go/v10/modules/light-clients/07-tendermint"
)

const clientID = "07-tendermint-0"

type stockClient struct {
	ctx    sdk.Context
	cdc    codec.BinaryCodec
	module tendermint.LightClientModule
	store  storetypes.KVStore
}

// newStockClient is a light client module over an empty store at the case's time.
func newStockClient(nowNs int64) (*stockClient, error) {
	key := storetypes.NewKVStoreKey(exported.StoreKey)
	multi := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger(), metrics.NewNoOpMetrics())
	multi.MountStoreWithDB(key, storetypes.StoreTypeDB, nil)
	if err := multi.LoadLatestVersion(); err != nil {
		return nil, err
	}
	header := cmtproto.Header{ChainID: "oracle-1", Height: 1, Time: time.Unix(0, nowNs).UTC()}
	ctx := sdk.NewContext(multi, header, false, log.NewNopLogger())
	registry := codectypes.NewInterfaceRegistry()
	clienttypes.RegisterInterfaces(registry)
	commitmenttypes.RegisterInterfaces(registry)
	tendermint.RegisterInterfaces(registry)
	cdc := codec.NewProtoCodec(registry)
	provider := clienttypes.NewStoreProvider(runtime.NewKVStoreService(key))
	return &stockClient{
		ctx: ctx, cdc: cdc,
		module: tendermint.NewLightClientModule(cdc, provider),
		store:  provider.ClientStore(ctx, clientID),
	}, nil
}

// load writes the case's states as the module itself would have.
func load(c Case) (*stockClient, *tendermint.ClientState, error) {
	client, err := newStockClient(c.NowNs)
	if err != nil {
		return nil, nil, err
	}
	state := new(tendermint.ClientState)
	if err := state.Unmarshal(c.ClientState); err != nil {
		return nil, nil, fmt.Errorf("client state: %w", err)
	}
	client.store.Set(host.ClientStateKey(), clienttypes.MustMarshalClientState(client.cdc, state))
	for _, stored := range c.ConsensusStates {
		consensus := new(tendermint.ConsensusState)
		if err := consensus.Unmarshal(stored.State); err != nil {
			return nil, nil, fmt.Errorf("consensus state: %w", err)
		}
		height := clienttypes.NewHeight(stored.RevisionNumber, stored.RevisionHeight)
		client.store.Set(host.ConsensusStateKey(height), clienttypes.MustMarshalConsensusState(client.cdc, consensus))
		tendermint.SetIterationKey(client.store, height)
		tendermint.SetProcessedTime(client.store, height, 1)
		tendermint.SetProcessedHeight(client.store, height, clienttypes.NewHeight(1, 1))
	}
	return client, state, nil
}

func judgeCreate(c Case) (string, []byte, error) {
	client, err := newStockClient(c.NowNs)
	if err != nil {
		return "", nil, err
	}
	state := new(tendermint.ClientState)
	if err := state.Unmarshal(c.ClientState); err != nil {
		return "", nil, err
	}
	consensus := new(tendermint.ConsensusState)
	if err := consensus.Unmarshal(c.ConsensusStates[0].State); err != nil {
		return "", nil, err
	}
	if err := consensus.ValidateBasic(); err != nil {
		return "", nil, err
	}
	if err := client.module.Initialize(client.ctx, clientID, c.ClientState, c.ConsensusStates[0].State); err != nil {
		return "", nil, err
	}
	if status := client.module.Status(client.ctx, clientID); status != exported.Active {
		return "", nil, fmt.Errorf("status is %s", status)
	}
	return "valid", nil, nil
}

// deliver is what 02-client does with a client message: status, basic validation, verification, misbehaviour check.
func deliver(c Case, message exported.ClientMessage) (string, []byte, error) {
	client, _, err := load(c)
	if err != nil {
		return "", nil, err
	}
	if status := client.module.Status(client.ctx, clientID); status != exported.Active {
		return "", nil, fmt.Errorf("status is %s", status)
	}
	if err := message.ValidateBasic(); err != nil {
		return "", nil, err
	}
	if err := client.module.VerifyClientMessage(client.ctx, clientID, message); err != nil {
		return "", nil, err
	}
	if client.module.CheckForMisbehaviour(client.ctx, clientID, message) {
		return "misbehaviour", nil, nil
	}
	return "valid", nil, nil
}

func judgeHeader(c Case) (string, []byte, error) {
	header := new(tendermint.Header)
	if err := header.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	return deliver(c, header)
}

func judgeMisbehaviour(c Case) (string, []byte, error) {
	misbehaviour := new(tendermint.Misbehaviour)
	if err := misbehaviour.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	verdict, _, err := deliver(c, misbehaviour)
	if err == nil && verdict != "misbehaviour" {
		return "", nil, errors.New("the headers do not contradict each other")
	}
	return verdict, nil, err
}

func merklePath(c Case) commitmenttypesv2.MerklePath {
	path := make([][]byte, len(c.Path))
	for i, element := range c.Path {
		path[i] = element
	}
	return commitmenttypesv2.NewMerklePath(path...)
}

func judgeMembership(c Case) (string, []byte, error) {
	client, _, err := load(c)
	if err != nil {
		return "", nil, err
	}
	if status := client.module.Status(client.ctx, clientID); status != exported.Active {
		return "", nil, fmt.Errorf("status is %s", status)
	}
	height := clienttypes.NewHeight(c.RevisionNumber, c.RevisionHeight)
	err = client.module.VerifyMembership(client.ctx, clientID, height, 0, 0, c.Message, merklePath(c), c.Value)
	return "valid", nil, err
}

func judgeNonMembership(c Case) (string, []byte, error) {
	client, _, err := load(c)
	if err != nil {
		return "", nil, err
	}
	if status := client.module.Status(client.ctx, clientID); status != exported.Active {
		return "", nil, fmt.Errorf("status is %s", status)
	}
	height := clienttypes.NewHeight(c.RevisionNumber, c.RevisionHeight)
	err = client.module.VerifyNonMembership(client.ctx, clientID, height, 0, 0, c.Message, merklePath(c))
	return "valid", nil, err
}
