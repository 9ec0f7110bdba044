#!/usr/bin/env bash
# Prints how much memory ttlchat has, logged in and idle, and when it has got 100,000 messages, ten seconds later and at its peak: as it
# starts by itself, with the emulator inside, and as a screen alone on the emulator of another process. Needs tmux, ss and Linux (/proc).
#   usage: scripts/memory.sh [messages, default 100000]
set -euo pipefail
cd "$(dirname "$0")/.."
messages=${1:-100000}
dir=$(mktemp -d)
tmux=(tmux -L "ttlchat-memory-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2>/dev/null || true; kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
go build -o "$dir/ttlchat" .

screen() { "${tmux[@]}" capture-pane -p -t screen; }
until_screen() { until screen | grep -q "$1"; do sleep 0.1; done; }
memory() { awk -v "what=$1" '$1 == what ":" {printf "%.0f MB", $2 / 1024}' "/proc/$pid/status"; }

# Starts the screen with the flags given and logs in.
start() {
  "${tmux[@]}" new-session -d -s screen -x 120 -y 40 "$dir/ttlchat --ttl 24h $*"
  pid=$("${tmux[@]}" list-panes -t screen -F '#{pane_pid}')
  until_screen 'Enter logs in'
  "${tmux[@]}" send-keys -t screen Enter
  until_screen ONLINE
}

# Lets bob send alice numbers, 1,500 a second, until she has the last one. Its arguments say where the service is.
feed() {
  for ((n = 1; n <= messages; n += 300)); do
    seq "$n" $((n + 299 < messages ? n + 299 : messages))
    sleep 0.2
  done | "$dir/ttlchat" --headless --user bob --peer alice --ttl 1h --for 2s "$@" >/dev/null
  "${tmux[@]}" send-keys -t screen M-Down # to the conversation with bob
  until_screen "$messages"
}

report() { # what, idle
  sleep 10
  printf '%-36s %8s %22s %8s\n' "$1" "$2" "$(memory VmRSS)" "$(memory VmHWM)"
  "${tmux[@]}" kill-session -t screen
}

printf '%-36s %8s %22s %8s\n' '' 'idle' "with $messages messages" 'peak'

"${tmux[@]}" new-session -d -s keep 'sleep 3600' # keeps the tmux server
start
sleep 10
idle=$(memory VmRSS)
# The emulator inside listens on two ports; the one that knows its health is the chat service.
for port in $(ss -ltnpH | awk -v "pid=pid=$pid," 'index($0, pid) {sub(/.*:/, "", $4); print $4}'); do
  if curl -sf -o /dev/null "http://127.0.0.1:$port/_ctl/v1/health"; then chat=$port; else tokens=$port; fi
done
feed --rest-url "http://127.0.0.1:$chat" --ws-url "ws://127.0.0.1:$chat/websocket" --token-url "http://127.0.0.1:$tokens/generate-user-token"
report 'ttlchat, with the emulator inside' "$idle"

"$dir/ttlchat" serve --json --listen 127.0.0.1:0 --token-listen 127.0.0.1:0 >"$dir/ready" &
until [ -s "$dir/ready" ]; do sleep 0.1; done
url() { head -1 "$dir/ready" | grep -o "\"$1\":\"[^\"]*" | cut -d'"' -f4; }
service=(--rest-url "$(url rest_url)" --ws-url "$(url ws_url)" --token-url "$(url token_url)")
start "${service[*]}"
sleep 10
idle=$(memory VmRSS)
feed "${service[@]}"
report 'ttlchat, the screen alone' "$idle"
