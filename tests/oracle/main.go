// Command oracle judges files of cases with stock code: ibc-go's 07-tendermint client and transfer packets, ics23 and CometBFT's types.
//
// Standard input: one JSON case a line. Standard output: one JSON verdict a line, in order.
// It holds no rule of its own; docs/spec/strictness.md lists where hutong is stricter than what it says.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

const maxLineBytes = 64 << 20

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(make([]byte, 1<<20), maxLineBytes)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for input.Scan() {
		var c Case
		if err := json.Unmarshal(input.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, "oracle: not a case:", err)
			os.Exit(2)
		}
		if err := encoder.Encode(judge(c)); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
	}
	if err := input.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(2)
	}
}
