#!/usr/bin/env bash
# Prints, side by side, how soon ttlchat shows its first frame and what it costs while nothing happens, next to an empty Bubble Tea
# program with a one-second clock. Needs tmux and Linux (/proc). The table holds the medians of 25 first frames and of five idle times.
#   usage: scripts/idle.sh [seconds of idling, default 10]
set -euo pipefail
cd "$(dirname "$0")/.."
idle=${1:-10}
dir=$(mktemp -d)
tmux=(tmux -L "ttlchat-idle-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
go build -o "$dir/ttlchat" .
go build -o "$dir/empty" ./scripts/empty
go build -o "$dir/firstframe" ./scripts/firstframe
export TTLCHAT_TTL=24h # before the tmux server starts: its sessions have its environment
"${tmux[@]}" new-session -d -s keep -x 120 -y 40 'sleep 3600' # so that starting tmux itself is not measured

cpu() { awk '{ns += $1} END {printf "%d", ns / 1000000}' "/proc/$1"/task/*/schedstat; } # ms of all threads: finer than the ticks of stat

until_screen() { until "${tmux[@]}" capture-pane -p -t "$1" 2>/dev/null | grep -q "$2"; do sleep 0.05; done; } # program, text
pid() { "${tmux[@]}" list-panes -t "$1" -F '#{pane_pid}'; }

"$dir/firstframe" 25 "$dir/empty" empty "$dir/ttlchat" 'logs in' >"$dir/first"
median() { sort -n "$1" | sed -n 3p; }
for _ in 1 2 3 4 5; do
  for program in empty ttlchat; do "${tmux[@]}" new-session -d -s $program -x 120 -y 40 "$dir/$program"; done
  until_screen ttlchat 'Enter logs in'
  "${tmux[@]}" send-keys -t ttlchat Enter
  until_screen ttlchat ONLINE
  sleep 7 # until what the start has left is given back, five seconds after it
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
  read -r first _
  printf '%-28s %9d ms %19d ms %7d MB\n' "$program" "$first" "$(median "$dir/$program.idle")" "$(median "$dir/$program.memory")"
done <"$dir/first"

