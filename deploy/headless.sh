#!/bin/sh
# Starts a relay and a headless Chromium that answers its requests, and ends both together.
#
#   deploy/headless.sh               a Kolibri, from the built app in build/
#   deploy/headless.sh runtime       apps that are deployed with `kolibri relay deploy`
#
#   LISTEN     address of the relay (127.0.0.1:8090)
#   APP_PORT   port on which this computer's browser finds the app (8091)
#   PROFILE    folder of the browser's data, which are Kolibri's (~/.kolibri/headless)
#   BUILD      folder of the built app (build)
#   KOLIBRI    the command (kolibri), CHROMIUM the browser (chromium)
#   RUNTIMES   how many runtimes (1)
#   HEAP       megabytes that a page's or an app's objects may take (512)
#
# All further settings are the relay's: KOLIBRI_RELAY_CODE, KOLIBRI_RELAY_ADMIN_KEY, KOLIBRI_RELAY_DATABASE.
set -eu

what=${1:-kolibri}
listen=${LISTEN:-127.0.0.1:8090}
app_port=${APP_PORT:-8091}
profile=${PROFILE:-$HOME/.kolibri/headless}
build=${BUILD:-build}
kolibri=${KOLIBRI:-kolibri}
chromium=${CHROMIUM:-chromium}
port=${listen##*:}
relay=http://127.0.0.1:$port/

if [ -z "${KOLIBRI_RELAY_CODE:-}" ]; then
	KOLIBRI_RELAY_CODE=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	export KOLIBRI_RELAY_CODE
fi

children=
finish() {
	trap - INT TERM EXIT
	for child in $children; do kill "$child" 2>/dev/null || true; done
	wait
}
trap finish EXIT
trap 'exit 0' INT TERM

# answers URL: waits until something answers there, ten seconds at most
answers() {
	tries=0
	until curl -fsS -o /dev/null "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || { echo "nothing answers at $1" >&2; exit 1; }
		sleep 0.1
	done
}

# The browser's debugging port stays closed, its sandbox and web security stay on (root has no sandbox).
browse() {
	sandbox=
	[ "$(id -u)" != 0 ] || sandbox=--no-sandbox
	mkdir -p "$1"
	# shellcheck disable=SC2086
	"$chromium" --headless=new $sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --mute-audio --disable-dev-shm-usage \
		--disable-background-timer-throttling --disable-renderer-backgrounding --disable-backgrounding-occluded-windows \
		--js-flags="--max-old-space-size=${HEAP:-512}" --user-data-dir="$1" "$2" >/dev/null 2>&1 &
	children="$children $!"
}

"$kolibri" relay --listen "$listen" &
children="$children $!"
answers "${relay}_relay/status"

case $what in
kolibri)
	python3 -m http.server "$app_port" --bind 127.0.0.1 --directory "$build" >/dev/null 2>&1 &
	children="$children $!"
	answers "http://127.0.0.1:$app_port/"
	browse "$profile" "http://127.0.0.1:$app_port/?relay=$relay&code=$KOLIBRI_RELAY_CODE"
	;;
runtime)
	n=0
	while [ "$n" -lt "${RUNTIMES:-1}" ]; do
		browse "$profile-runtime-$n" "${relay}_relay/runtime?code=$KOLIBRI_RELAY_CODE"
		n=$((n + 1))
	done
	;;
*)
	echo "usage: $0 [kolibri|runtime]" >&2
	exit 2
	;;
esac

# whichever ends first ends all: a supervisor then starts them anew
while :; do
	for child in $children; do
		kill -0 "$child" 2>/dev/null || { echo "process $child has ended" >&2; exit 1; }
	done
	sleep 1
done
