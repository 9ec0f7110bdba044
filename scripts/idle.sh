#!/usr/bin/env bash
# Prints, side by side, how soon ttlchat shows its first frame and what it costs while nothing happens, next to an empty Bubble Tea
# program with a one-second clock. Needs tmux and Linux (/proc). Five runs; the table holds the medians.
#   usage: scripts/idle.sh [seconds of idling, default 10]
set -euo pipefail
cd "$(dirname "$0")/.."
idle=${1:-10}
dir=$(mktemp -d)
tmux=(tmux -L "ttlchat-idle-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
go build -o "$dir/ttlchat" .
go build -o "$dir/empty" ./scripts/empty
export TTLCHAT_TTL=24h # before the tmux server starts: its sessions have its environment
"${tmux[@]}" new-session -d -s keep -x 120 -y 40 'sleep 3600' # so that starting tmux itself is not measured

now() { date +%s%N; }
cpu() { awk '{ns += $1} END {printf "%d", ns / 1000000}' "/proc/$1"/task/*/schedstat; } # ms of all threads: finer than the ticks of stat

start() { # program, text of the first frame, keys that bring it to rest, text that says that it is there
  local start
  start=$(now)
  "${tmux[@]}" new-session -d -s "$1" -x 120 -y 40 "$dir/$1"
  until "${tmux[@]}" capture-pane -p -t "$1" 2>/dev/null | grep -q "$2"; do sleep 0.002; done
  echo $((($(now) - start) / 1000000)) >>"$dir/$1.first"
  if [ -n "$3" ]; then
    "${tmux[@]}" send-keys -t "$1" "$3"
    until "${tmux[@]}" capture-pane -p -t "$1" | grep -q "$4"; do sleep 0.05; done
  fi
}
pid() { "${tmux[@]}" list-panes -t "$1" -F '#{pane_pid}'; }

median() { sort -n "$1" | sed -n 3p; }
for _ in 1 2 3 4 5; do
  start empty 'empty [0-9]' '' ''
  start ttlchat 'Enter logs in' Enter ONLINE
  sleep 2
  # Both idle through the same seconds: on a shared machine two windows would not compare.
  for program in empty ttlchat; do cpu "$(pid $program)" >"$dir/$program.before"; done
  sleep "$idle"
  for program in empty ttlchat; do
    echo $(($(cpu "$(pid $program)") - $(cat "$dir/$program.before"))) >>"$dir/$program.idle"
    awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$(pid $program)/status" >>"$dir/$program.memory"
    "${tmux[@]}" kill-session -t "$program"
  done
done
printf '%-28s %12s %22s %10s\n' program 'first frame' "CPU in $idle s of idling" memory
for program in empty ttlchat; do
  printf '%-28s %9d ms %19d ms %7d MB\n' "$program" "$(median "$dir/$program.first")" "$(median "$dir/$program.idle")" "$(median "$dir/$program.memory")"
done
