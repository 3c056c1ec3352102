package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/posthog/posthog-go"
)

const pollNever = 24 * time.Hour

type verdict struct {
	Status  string `json:"status"`
	Value   any    `json:"value,omitempty"`
	Payload any    `json:"payload,omitempty"`
}

// driver is one SDK client and its definitions endpoint.
type driver struct {
	definitions *definitions
	client      posthog.Client
	complaints  *complaints
	polled      chan struct{} // one for each poll that is over
}

func start() (*driver, error) {
	held := &definitions{body: []byte(`{"flags":[],"group_type_mapping":{},"cohorts":{}}`)}
	host, err := held.listen()
	if err != nil {
		return nil, err
	}
	driver := &driver{definitions: held, complaints: &complaints{}, polled: make(chan struct{}, 1)}
	driver.client, err = posthog.NewWithConfig("phc_driver", posthog.Config{
		Endpoint:       host,
		PersonalApiKey: "phx_driver",
		Logger:         driver.complaints,
		// The SDK asks when to poll next as soon as a poll is over: the only way to learn that it is.
		NextFeatureFlagsPollingTick: func() time.Duration {
			driver.polled <- struct{}{}
			return pollNever
		},
	})
	if err == nil {
		<-driver.polled // A client polls once of its own accord.
	}
	return driver, err
}

func (driver *driver) describe(request) (answer, error) {
	capabilities := []string{"local_evaluation", "payloads"}
	return answer{"name": "posthog-go", "version": posthog.Version, "capabilities": capabilities}, nil
}

func (driver *driver) load(asked request) (answer, error) {
	driver.definitions.replace(asked.Definitions)
	driver.complaints.clear()
	if err := driver.client.ReloadFeatureFlags(); err != nil {
		return nil, err
	}
	<-driver.polled
	if !driver.definitions.wasServed() {
		return nil, errors.New("the SDK did not fetch the definitions")
	}
	if first := driver.complaints.first(); first != "" {
		return nil, errors.New(first)
	}
	return answer{"ok": true}, nil
}

func (driver *driver) evaluate(asked request) (answer, error) {
	person, err := read(asked.Context)
	if err != nil {
		return nil, err
	}
	values, err := driver.values(person)
	flags := map[string]verdict{}
	for _, key := range wanted(driver.definitions.keys, asked.FlagKeys) {
		value, decided := values[key]
		switch {
		case err != nil:
			flags[key] = driver.alone(person, key)
		case decided:
			flags[key] = verdict{"value", value, driver.payload(person, key)}
		default:
			flags[key] = verdict{Status: "inconclusive"}
		}
	}
	return answer{"flags": flags}, nil
}

// values asks for all flags; what the SDK cannot decide is missing from its answer. A panic is an error here.
func (driver *driver) values(person person) (values map[string]any, err error) {
	defer recovered(&err)
	return driver.client.GetAllFlags(posthog.FeatureFlagPayloadNoKey{
		DistinctId:          person.DistinctID,
		Groups:              person.Groups,
		PersonProperties:    person.PersonProperties,
		GroupProperties:     person.GroupProperties,
		OnlyEvaluateLocally: true,
	})
}

// alone asks for one flag of a person for whom asking for all raised: `failed` is this flag's own panic. An error that the SDK
// returns is no failure: it would ask the service.
func (driver *driver) alone(person person, key string) verdict {
	value, err := driver.value(person, key)
	var panicked *panicked
	switch {
	case errors.As(err, &panicked):
		return verdict{Status: "failed"}
	case err != nil || value == nil:
		return verdict{Status: "inconclusive"}
	}
	return verdict{"value", value, driver.payload(person, key)}
}

func (driver *driver) value(person person, key string) (value any, err error) {
	defer recovered(&err)
	return driver.client.GetFeatureFlag(person.flag(key))
}

// payload returns the stored text; nil where the SDK has none, which it calls an error.
func (driver *driver) payload(person person, key string) (payload any) {
	var err error
	defer recovered(&err)
	text, err := driver.client.GetFeatureFlagPayload(person.flag(key))
	if err != nil {
		return nil
	}
	return text
}

// panicked is what an application that recovers, as Go's HTTP server does for it, would see of a panic in the SDK.
type panicked struct{ value any }

func (panicked *panicked) Error() string { return fmt.Sprint("panic: ", panicked.value) }

func recovered(err *error) {
	if value := recover(); value != nil {
		*err = &panicked{value}
	}
}

func wanted(keys []string, asked *[]string) []string {
	if asked == nil {
		return keys
	}
	named := map[string]bool{}
	for _, key := range *asked {
		named[key] = true
	}
	chosen := []string{}
	for _, key := range keys {
		if named[key] {
			chosen = append(chosen, key)
		}
	}
	return chosen
}
