#!/usr/bin/env bash
# Runs the tests that watch the time, again and again with the race detector, while every core has other work to do: fault test R20.
#
#   scripts/repeat.sh [TIMES [PACKAGE...]]    TIMES is 20 unless given; a release wants 500
#
# Goroutines that are left behind fail these tests as well, because nearly all of them live in a synctest bubble.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

times=${1:-20}
[[ $times =~ ^[1-9][0-9]*$ ]] || { echo "usage: scripts/repeat.sh [TIMES [PACKAGE...]]" >&2; exit 2; }
packages=("${@:2}")
((${#packages[@]})) || packages=(./internal/clock ./internal/eventlog ./session/chat ./tokenclient ./fakeserver ./fakeserver/fakeservertest ./session ./scenario)

busy=()
trap 'kill "${busy[@]}" 2>/dev/null || true' EXIT
for ((core = 0; core < $(nproc); core++)); do
	while :; do :; done &
	busy+=($!)
done

# What is not about time takes longest: the storms of messages, and the random lives.
CGO_ENABLED=1 go test -race -count="$times" -timeout 12h \
	-skip '^(Fuzz.*|TestTenThousandMessagesThroughTrouble|TestRenewalStorm|TestAnything|TestMalformedProtobuf|TestSlowLoris)$' "${packages[@]}"
