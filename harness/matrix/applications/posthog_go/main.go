// An application that uses posthog-go: carries out one JSON line after the other. Only the host is ours to choose.
// Times are those of the SDK's call alone; no events are sent, so that every request is about flags.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/posthog/posthog-go"
)

const pollNever = 24 * time.Hour

type person struct {
	DistinctID string             `json:"distinct_id"`
	Properties posthog.Properties `json:"person_properties"`
}

type request struct {
	Op     string `json:"op"`
	Name   string `json:"name"`
	Host   string `json:"host"`
	Token  string `json:"token"`
	Key    string `json:"key"`
	Flag   string `json:"flag"`
	Person person `json:"person"`
	Local  bool   `json:"local"`
}

// The SDK asks for its next tick whenever a fetch of definitions is over, whatever came of it: that is how we know.
type application struct {
	client   posthog.Client
	polled   chan struct{}
	isLoaded bool
}

type silent struct{}

func (silent) Debugf(string, ...interface{}) {}
func (silent) Logf(string, ...interface{})   {}
func (silent) Warnf(string, ...interface{})  {}
func (silent) Errorf(string, ...interface{}) {}

var (
	applications = map[string]*application{}
	noEvents     = false
)

func start(asked request) map[string]any {
	app := &application{polled: make(chan struct{}, 64)}
	// A transport of its own: a fresh client has fresh connections.
	config := posthog.Config{Endpoint: asked.Host, PersonalApiKey: asked.Key, Logger: silent{}, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	config.NextFeatureFlagsPollingTick = func() time.Duration {
		app.polled <- struct{}{}
		return pollNever
	}
	client, err := posthog.NewWithConfig(asked.Token, config)
	if err != nil {
		return map[string]any{"raised": "error"}
	}
	app.client = client
	applications[asked.Name] = app
	return map[string]any{}
}

func one(asked request) map[string]any {
	value, err := applications[asked.Name].client.GetFeatureFlag(posthog.FeatureFlagPayload{
		Key: asked.Flag, DistinctId: asked.Person.DistinctID, PersonProperties: asked.Person.Properties, SendFeatureFlagEvents: &noEvents,
	})
	if err != nil {
		return map[string]any{"value": value, "raised": "error"}
	}
	return map[string]any{"value": value}
}

func all(asked request) map[string]any {
	flags, err := applications[asked.Name].client.GetAllFlags(posthog.FeatureFlagPayloadNoKey{
		DistinctId: asked.Person.DistinctID, PersonProperties: asked.Person.Properties, OnlyEvaluateLocally: asked.Local, SendFeatureFlagEvents: &noEvents,
	})
	if err != nil {
		return map[string]any{"flags": flags, "raised": "error"}
	}
	return map[string]any{"flags": flags}
}

// Fetches the definitions now, and waits until that is done.
func poll(asked request) map[string]any {
	app := applications[asked.Name]
	if !app.isLoaded { // the fetch that every client begins with
		<-app.polled
		app.isLoaded = true
	}
	if err := app.client.ReloadFeatureFlags(); err != nil {
		return map[string]any{"raised": "error"}
	}
	<-app.polled
	return map[string]any{}
}

func describe(request) map[string]any {
	return map[string]any{"version": version()}
}

func guarded(operation func(request) map[string]any, asked request) (answer map[string]any) {
	defer func() {
		if recover() != nil {
			answer = map[string]any{"raised": "panic"}
		}
	}()
	return operation(asked)
}

func main() {
	operations := map[string]func(request) map[string]any{"start": start, "one": one, "all": all, "poll": poll, "describe": describe}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		began := time.Now()
		answer := guarded(operations[asked.Op], asked)
		answer["seconds"] = time.Since(began).Seconds()
		told, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(told))
	}
}
