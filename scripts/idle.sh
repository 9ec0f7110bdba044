#!/usr/bin/env bash
# Prints, side by side, how soon ttlchat shows its first frame and what it costs while nothing happens, next to an empty Bubble Tea
# program with a one-second clock. Needs tmux and Linux (/proc). Five runs of each, taken in turn; the table holds the medians.
#   usage: scripts/idle.sh [seconds of idling, default 10]
set -euo pipefail
cd "$(dirname "$0")/.."
idle=${1:-10}
dir=$(mktemp -d)
tmux=(tmux -L "ttlchat-idle-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
go build -o "$dir/ttlchat" .
go build -o "$dir/empty" ./scripts/empty
"${tmux[@]}" new-session -d -s keep -x 120 -y 40 'sleep 3600' # so that starting tmux itself is not measured

now() { date +%s%N; }
cpu() { awk '{print ($14 + $15) * 10}' "/proc/$1/stat"; } # ms, at the usual 100 ticks a second

measure() { # program, text of the first frame, keys that bring it to rest, text that says that it is there
  local start first pid before
  start=$(now)
  "${tmux[@]}" new-session -d -s run -x 120 -y 40 "$dir/$1"
  until "${tmux[@]}" capture-pane -p -t run 2>/dev/null | grep -q "$2"; do sleep 0.002; done
  first=$((($(now) - start) / 1000000))
  pid=$("${tmux[@]}" list-panes -t run -F '#{pane_pid}')
  if [ -n "$3" ]; then
    "${tmux[@]}" send-keys -t run "$3"
    until "${tmux[@]}" capture-pane -p -t run | grep -q "$4"; do sleep 0.05; done
  fi
  sleep 2
  before=$(cpu "$pid")
  sleep "$idle"
  echo "$first $(($(cpu "$pid") - before)) $(awk '/VmRSS/ {print $2}' "/proc/$pid/status")" >>"$dir/$1.runs"
  "${tmux[@]}" kill-session -t run
}

median() { sort -n | sed -n 3p; }
export TTLCHAT_TTL=24h
for _ in 1 2 3 4 5; do
  measure empty 'empty [0-9]' '' ''
  measure ttlchat 'Enter logs in' Enter ONLINE
done
printf '%-28s %12s %22s %10s\n' program 'first frame' "CPU in $idle s of idling" memory
for program in empty ttlchat; do
  printf '%-28s %9d ms %19d ms %7d MB\n' "$program" \
    "$(cut -d' ' -f1 "$dir/$program.runs" | median)" "$(cut -d' ' -f2 "$dir/$program.runs" | median)" \
    "$(($(cut -d' ' -f3 "$dir/$program.runs" | median) / 1024))"
done
