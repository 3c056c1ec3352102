// posthog-go's own local evaluator behind the JSON lines protocol: one JSON object a line in, one a line out, in order.
//
// Definitions reach the SDK as they do in an application, by polling: the driver serves the loaded document on loopback and
// asks the SDK to poll. `python -m tools.sdks posthog-go@VERSION` compiles it against that version.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
)

type request struct {
	ID          json.RawMessage `json:"id"`
	Op          string          `json:"op"`
	Definitions json.RawMessage `json:"definitions"`
	Context     json.RawMessage `json:"context"`
	FlagKeys    *[]string       `json:"flag_keys"`
}

type answer map[string]any

func main() {
	driver, err := start()
	if err != nil {
		log.Fatal(err)
	}
	input, output := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		text, err := json.Marshal(driver.answered(line))
		if err != nil {
			log.Fatal(err)
		}
		output.Write(append(text, '\n'))
		output.Flush()
	}
}

// answered carries out one line and never fails: the protocol wants an answer to every line.
func (driver *driver) answered(line []byte) answer {
	asked := request{ID: json.RawMessage("null")}
	if err := json.Unmarshal(line, &asked); err != nil {
		return refusal(asked.ID, "bad_json", err)
	}
	operations := map[string]func(request) (answer, error){
		"describe": driver.describe, "load": driver.load, "evaluate": driver.evaluate,
	}
	operation, known := operations[asked.Op]
	if !known {
		return refusal(asked.ID, "bad_request", fmt.Errorf("op must be describe, load or evaluate"))
	}
	result, err := operation(asked)
	if err != nil {
		return refusal(asked.ID, "refused", err)
	}
	result["id"] = asked.ID
	return result
}

func refusal(id json.RawMessage, kind string, err error) answer {
	return answer{"id": id, "error": answer{"kind": kind, "message": err.Error()}}
}
