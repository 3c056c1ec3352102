package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"github.com/posthog/posthog-go"
)

// person is a context as the protocol writes it, in the SDK's own types.
type person struct {
	DistinctID       string
	Groups           posthog.Groups
	PersonProperties posthog.Properties
	GroupProperties  map[string]posthog.Properties
}

func read(text json.RawMessage) (person, error) {
	var written struct {
		DistinctID       string                    `json:"distinct_id"`
		Groups           map[string]any            `json:"groups"`
		PersonProperties map[string]any            `json:"person_properties"`
		GroupProperties  map[string]map[string]any `json:"group_properties"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&written); err != nil {
		return person{}, err
	}
	groups := map[string]posthog.Properties{}
	for name, properties := range written.GroupProperties {
		groups[name] = members(properties)
	}
	return person{written.DistinctID, members(written.Groups), members(written.PersonProperties), groups}, nil
}

func (person person) flag(key string) posthog.FeatureFlagPayload {
	silent := false
	return posthog.FeatureFlagPayload{
		Key:                   key,
		DistinctId:            person.DistinctID,
		Groups:                person.Groups,
		PersonProperties:      person.PersonProperties,
		GroupProperties:       person.GroupProperties,
		OnlyEvaluateLocally:   true,
		SendFeatureFlagEvents: &silent,
	}
}

func members(properties map[string]any) map[string]any {
	for name, value := range properties {
		properties[name] = native(value)
	}
	return properties
}

// native returns a value as Go code would write it: whole numbers are int, others float64.
func native(value any) any {
	switch value := value.(type) {
	case json.Number:
		return number(value)
	case []any:
		for n, member := range value {
			value[n] = native(member)
		}
		return value
	case map[string]any:
		return members(value)
	}
	return value
}

func number(text json.Number) any {
	if !strings.ContainsAny(text.String(), ".eE") {
		if whole, err := text.Int64(); err == nil && whole <= math.MaxInt && whole >= math.MinInt {
			return int(whole)
		}
	}
	fraction, _ := text.Float64()
	return fraction
}
