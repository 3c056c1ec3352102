package main

import (
	"fmt"
	"sync"
)

// complaints is the SDK's logger: it keeps errors, which is how the SDK reports definitions that it cannot take.
type complaints struct {
	mutex sync.Mutex
	texts []string
}

func (kept *complaints) Logf(string, ...any) {}

func (kept *complaints) Errorf(format string, values ...any) {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	if len(kept.texts) == 0 { // Every flag that is declined is an error to the SDK; the first since a load is enough.
		kept.texts = append(kept.texts, fmt.Sprintf(format, values...))
	}
}

func (kept *complaints) clear() {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	kept.texts = nil
}

func (kept *complaints) first() string {
	kept.mutex.Lock()
	defer kept.mutex.Unlock()
	if len(kept.texts) == 0 {
		return ""
	}
	return kept.texts[0]
}
