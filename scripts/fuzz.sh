#!/usr/bin/env bash
# Runs every fuzz target there is, one after the other: fault test R16. It goes on after a failure, and fails in the end if there was one; what
# failed is kept by Go under testdata/fuzz.
#
#   scripts/fuzz.sh [TIME]    TIME is for each target, 10s unless given; a release wants 10m and more
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:-10s}
list=$(go list ./...)
targets=0 failed=()
for package in $list; do
	found=$(go test -list='^Fuzz' "$package")
	for target in $(grep '^Fuzz' <<<"$found" || true); do
		printf '== %s %s\n' "$package" "$target"
		targets=$((targets + 1))
		go test -run='^$' -fuzz="^$target\$" -fuzztime="$time" "$package" || failed+=("$package $target")
	done
done
printf '%d targets, %s each, %d failed\n' "$targets" "$time" "${#failed[@]}"
((${#failed[@]} == 0)) || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
