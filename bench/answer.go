package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
)

// readAnswer reads the body of an HTTP answer that must be 200.
func readAnswer(in *bufio.Reader) ([]byte, error) {
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %d %.200s", errStatus, answer.StatusCode, body)
	}
	return body, nil
}
