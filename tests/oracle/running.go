package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/cosmos/ibc-go/v10/modules/core/exported"
	tendermint "github.com/cosmos/ibc-go/v10/modules/light-clients/07-tendermint"
)

// running holds the clients that this pass of the program opened, by the case's first path element.
var running = map[string]*stockClient{}

func clientName(c Case) (string, error) {
	if len(c.Path) != 1 {
		return "", errors.New("a running client is named by one path element")
	}
	return string(c.Path[0]), nil
}

// openClient creates a client that lives until the program ends.
func openClient(c Case) (string, []byte, error) {
	name, err := clientName(c)
	if err != nil {
		return "", nil, err
	}
	client, err := newStockClient(c.NowNs)
	if err != nil {
		return "", nil, err
	}
	if err := client.module.Initialize(client.ctx, clientID, c.ClientState, c.ConsensusStates[0].State); err != nil {
		return "", nil, err
	}
	running[name] = client
	return "valid", nil, nil
}

// advanceClient does with a header what 02-client's UpdateClient does, and keeps what came of it.
func advanceClient(c Case) (string, []byte, error) {
	name, err := clientName(c)
	if err != nil {
		return "", nil, err
	}
	client, known := running[name]
	if !known {
		return "", nil, fmt.Errorf("no client %s was opened", name)
	}
	ctx := client.ctx.WithBlockTime(time.Unix(0, c.NowNs).UTC())
	if status := client.module.Status(ctx, clientID); status != exported.Active {
		return "", nil, fmt.Errorf("status is %s", status)
	}
	header := new(tendermint.Header)
	if err := header.Unmarshal(c.Message); err != nil {
		return "", nil, err
	}
	if err := header.ValidateBasic(); err != nil {
		return "", nil, err
	}
	if err := client.module.VerifyClientMessage(ctx, clientID, header); err != nil {
		return "", nil, err
	}
	if client.module.CheckForMisbehaviour(ctx, clientID, header) {
		client.module.UpdateStateOnMisbehaviour(ctx, clientID, header)
		return "misbehaviour", nil, nil
	}
	heights := client.module.UpdateState(ctx, clientID, header)
	return "valid", []byte(heights[0].String()), nil
}
