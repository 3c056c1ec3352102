package main

import "runtime/debug"

// The version that the module was built with; the SDK keeps its own to itself.
func version() string {
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range built.Deps {
		if module.Path == "github.com/posthog/posthog-go" {
			return module.Version[1:]
		}
	}
	return ""
}
