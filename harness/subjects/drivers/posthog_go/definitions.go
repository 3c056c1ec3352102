package main

import (
	"encoding/json"
	"net"
	"net/http"
	"sync"
)

// definitions is the endpoint that the SDK polls, on loopback.
type definitions struct {
	mutex  sync.Mutex
	body   []byte
	keys   []string // of the flags, in the document's order
	served bool     // whether the SDK has fetched this document
}

func (held *definitions) ServeHTTP(response http.ResponseWriter, _ *http.Request) {
	held.mutex.Lock()
	defer held.mutex.Unlock()
	held.served = true
	response.Header().Set("Content-Type", "application/json")
	response.Write(held.body)
}

// replace puts another document in place; keys that cannot be read are none, for the SDK to judge.
func (held *definitions) replace(body []byte) {
	var document struct {
		Flags []struct {
			Key string `json:"key"`
		} `json:"flags"`
	}
	json.Unmarshal(body, &document)
	held.mutex.Lock()
	defer held.mutex.Unlock()
	held.body, held.served, held.keys = body, false, nil
	for _, flag := range document.Flags {
		held.keys = append(held.keys, flag.Key)
	}
}

func (held *definitions) wasServed() bool {
	held.mutex.Lock()
	defer held.mutex.Unlock()
	return held.served
}

// listen serves the document on an ephemeral port and returns its address.
func (held *definitions) listen() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(listener, held)
	return "http://" + listener.Addr().String(), nil
}
