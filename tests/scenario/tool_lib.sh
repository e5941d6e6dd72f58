# tool_lib.sh - for the scenarios of the tool: an instance of one's own, and checks that show got and want.
#
# $AVVIK_BIN holds the programs, $AVVIK_SOURCE the sources. Sourced by tool_*.sh.
set -u
avvik=$AVVIK_BIN/avvik
work=$(mktemp -d "${TMPDIR:-/tmp}/avvik-tool.XXXXXX")
failed=0
up=

tidy() {
	[ -n "$up" ] && kill "$up" 2>/dev/null && wait "$up" 2>/dev/null
	rm -rf "$work"
}
trap tidy EXIT
trap 'exit 1' INT TERM

fail() {
	failed=$((failed + 1))
	printf 'FAILED: %s\n' "$1" >&2
	shift
	for line in "$@"; do printf '  %s\n' "$line" >&2; done
}

# run CODE "the sentence it proves" command... : the exit code must be CODE; output is kept in $work/out and $work/err
run() {
	want=$1 sentence=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ $got -eq "$want" ] ||
		fail "$sentence" "got exit code $got, want $want: $*" "$(head -20 "$work/out" "$work/err")"
}

# says TEXT "sentence": the last run said it, on either output
says() {
	cat "$work/out" "$work/err" | grep -qF -- "$1" ||
		fail "$2" "want: $1" "got: $(cat "$work/out" "$work/err" | head -40)"
}

says_not() {
	! cat "$work/out" "$work/err" | grep -qF -- "$1" || fail "$2" "got, and should not: $1"
}

# lines N "sentence": the last run's standard output has so many lines
lines() {
	got=$(wc -l <"$work/out")
	[ "$got" -eq "$1" ] || fail "$2" "got $got lines, want $1" "$(head -40 "$work/out")"
}

# is GOT WANT "sentence"
is() {
	[ "$1" = "$2" ] || fail "$3" "got:  $1" "want: $2"
}

# A development instance at an instant, with all four daemons up, organisation and rules published.
instance_up() {
	AVVIK_SETTINGS=$work/state/avvik.yaml
	export AVVIK_SETTINGS
	$avvik keys init "$work/state" --stepped "$1" --templates "$AVVIK_SOURCE/deploy/templates" >/dev/null || exit 1
	$avvik up "$work/state" >"$work/up.log" 2>&1 &
	up=$!
	for _ in $(seq 1 150); do
		grep -q "all four are up" "$work/up.log" && break
		kill -0 "$up" 2>/dev/null || { cat "$work/up.log" >&2; exit 1; }
		sleep 0.1
	done
	grep -q "all four are up" "$work/up.log" || { cat "$work/up.log" >&2; exit 1; }
	run 0 "the organisation is published" $avvik directory publish "$AVVIK_SOURCE/deploy/directory/lindaker.yaml"
	run 0 "the rule pack is published" $avvik rules publish "$AVVIK_SOURCE/deploy/rules/se-2025-07.yaml" --reason "first"
	run 0 "the daemons come to rest" $avvik clock settle
}

end() {
	if [ $failed -ne 0 ]; then
		[ -f "$work/up.log" ] && grep "level=[ew]" "$work/up.log" | tail -20 >&2
		echo "$failed checks failed" >&2
		exit 1
	fi
}
