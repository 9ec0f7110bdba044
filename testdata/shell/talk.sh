# talk.sh FLAGS [LINE EVENT]…
# runs ttlchat with these flags, types one line after the other as soon as the event has come that was due after the one before, and quits. An
# empty line is not typed, an empty event not waited for. The output is in the file life meanwhile, and printed in the end.
flags=$1
shift
rm -f in life err
mkfifo in
: >life
# shellcheck disable=SC2086 # there are several
ttlchat $flags <in >life 2>err &
client=$!
trap '' PIPE
exec 3>in
seen=0 failed=0
while test $# -gt 1; do
	test -z "$1" || echo "$1" >&3
	tries=0
	until test -z "$2" || line=$(tail -n +$((seen + 1)) life | grep -n -m 1 -e "$2"); do
		tries=$((tries + 1))
		if test $tries -gt 1200 || ! kill -0 $client 2>/dev/null; then
			echo "talk.sh: $2 did not come after $1" >&2
			failed=1
			break 2
		fi
		sleep 0.05
	done
	test -z "$2" || seen=$((seen + ${line%%:*}))
	shift 2
done
echo /quit >&3
exec 3>&-
wait $client || failed=$?
cat life
cat err >&2
exit $failed
