package main

import (
	"fmt"

	clienttypes "github.com/cosmos/ibc-go/v10/modules/core/02-client/types"
	host "github.com/cosmos/ibc-go/v10/modules/core/24-host"
	"github.com/cosmos/ibc-go/v10/modules/core/exported"
	tendermint "github.com/cosmos/ibc-go/v10/modules/light-clients/07-tendermint"
)

// judgeUpgrade takes client state, consensus state and their proofs in Path, and answers the client and consensus states
// that the module has stored, one after the other.
func judgeUpgrade(c Case) (string, []byte, error) {
	client, _, err := load(c)
	if err != nil {
		return "", nil, err
	}
	if status := client.module.Status(client.ctx, clientID); status != exported.Active {
		return "", nil, fmt.Errorf("status is %s", status)
	}
	if len(c.Path) != 4 {
		return "", nil, fmt.Errorf("%d parts of an upgrade", len(c.Path))
	}
	err = client.module.VerifyUpgradeAndUpdateState(client.ctx, clientID, c.Path[0], c.Path[1], c.Path[2], c.Path[3])
	if err != nil {
		return "", nil, err
	}
	stored := clienttypes.MustUnmarshalClientState(client.cdc, client.store.Get(host.ClientStateKey()))
	state, ok := stored.(*tendermint.ClientState)
	if !ok {
		return "", nil, fmt.Errorf("stored is a %T", stored)
	}
	consensus, found := tendermint.GetConsensusState(client.store, client.cdc, state.LatestHeight)
	if !found {
		return "", nil, fmt.Errorf("no consensus state at %s", state.LatestHeight)
	}
	stateBytes, err := state.Marshal()
	if err != nil {
		return "", nil, err
	}
	consensusBytes, err := consensus.Marshal()
	return "valid", append(stateBytes, consensusBytes...), err
}
