.DEFAULT_GOAL := help
.PHONY: test lint race soak soakload soaksessions storms slowloris repeat performance e2e bench generate keys screens states fuzz help

FUZZTIME ?= 10s
SOAKTIME ?= 5m
TIMES ?= 20

test: ## run the tests
	go test ./...

lint: ## check format, vet and golangci-lint as CI does
	bash .ci/run format vet lint

race: ## run the tests with the race detector
	go test -race ./...

soak: ## live through 10,000 random sequences of faults, jumps, messages and people's actions
	bash .ci/run soak

e2e: ## run the official Web SDK against the emulator, in jsdom and in Chromium
	bash .ci/run e2e

bench: ## run the benchmarks
	go test -run='^$$' -bench=. -benchmem ./...

performance: ## measure the emulator beside other servers and write docs/performance.md
	go -C bench run .

soakload: ## let clients talk for five minutes and watch the emulator's memory
	go -C bench run . -soak 5m

soaksessions: ## let sessions with short tokens talk over TCP for SOAKTIME (5m) and watch memory, goroutines and descriptors
	go test ./session -run '^TestSoak$$' -soak=$(SOAKTIME) -timeout 24h -v

storms: ## a million messages through 100 storms of faults, and 10,000 clients whose tokens end at one instant
	go test ./session -run '^(TestTenThousandMessagesThroughTrouble|TestRenewalStorm)$$' -storms=100 -herd=10000 -timeout 2h -v

slowloris: ## logins over TCP while 5,000 sockets trickle
	go test ./fakeserver -run '^$$' -bench '^BenchmarkSlowLoris$$' -benchtime 1x

repeat: ## run what watches the time TIMES (20) times, with the race detector and under load
	scripts/repeat.sh $(TIMES)

generate: ## write the generated code anew
	go generate ./...

keys: ## write docs/keys.md and the table of keys in the README anew
	go test ./tui -run TestKeysDocument -update

states: ## write docs/session-states.md anew
	go test ./session -run TestStatesDocument -update

screens: ## draw the pictures of the README anew
	go run ./scripts/screens docs/screens

fuzz: ## run every fuzz target for FUZZTIME (10s)
	scripts/fuzz.sh $(FUZZTIME)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
