#!/bin/bash
# tool_report.sh - reports are filed once however often they are sent, refused with the reason, and proved offline.
# shellcheck disable=SC2086 # $avvik, $boss and the like are words: a command and its options
. "$(dirname "$0")/tool_lib.sh"
instance_up "2026-05-29 09:00"
samples=$AVVIK_SOURCE/deploy/samples

# --- filing ---
run 0 "good reports are filed" $avvik report file "$samples/e-tjanst.yaml" --receipts "$work/receipts"
says "15 filed, receipts in" "the count of what was filed ends the output"
says "ET-003101" "each line names the reference"
run 0 "the same file again files nothing twice" $avvik report file "$samples/e-tjanst.yaml"
says "15 filed (15 of them before)" "each repetition is known"
cat >"$work/odd.yaml" <<YAML
reference: ODD-1
report: { type: deviation, unit: lindhaga, occurred_from_at: 2026-05-02T10:00, occurred_until_at: 2026-05-01T10:00, narrative: { description: Fall. } }
YAML
run 0 "a report that ends before it begins" $avvik report file "$work/odd.yaml"
says "remark: occurred_until_at: is before it began" "by the name that it was sent under"
run 0 "JSON is told by its content" bash -c "$avvik report file - < '$samples/larmsystem.json'"
run 0 "odd reports are kept" $avvik report file "$samples/e-tjanst-faulty.yaml"
says "7 filed" "all of them"
says "remark: unit: is not in the directory" "an unknown unit is a remark"
says "remark: reporter.name: is missing" "lex Sarah without a reporter is a remark"
run 1 "what cannot be read is refused" $avvik report file "$samples/e-tjanst-refused.yaml"
says "e-tjanst-refused.yaml:4:5 [0].report.type: is not a known value" "with file, line and remedy"
says "did you mean received_at?" "a misspelt key names the nearest"
says "0 filed, 3 refused" "and they are counted"
run 1 "a file that ends in the middle" $avvik report file "$samples/unreadable.json"
says "unreadable.json: refused" "is refused as a whole"
run 4 "some kept and some refused is an exit code of its own" $avvik report file "$samples/e-tjanst.yaml" "$samples/unreadable.json"
run 4 "repetitions and conflicts" $avvik report file "$samples/e-tjanst-again.yaml"
says "conflict" "another content under the same reference is a conflict"
says "2 filed (2 of them before)" "the same content is the same report"

printf '{"reference": "D-1", "report": {"type": "deviation",\n "persons": {"affected" "19121212-1212"}}}\n' >"$work/damaged.json"
run 1 "a damaged report" $avvik report file "$work/damaged.json"
says "damaged.json:2:" "is told with file, line and column"
says_not "19121212" "and without the personal number that stands there"
run 1 "a damaged supplement" $avvik report supplement 019805a2-7c00-7000-8000-000000000000 "$work/damaged.json"
says_not "19121212" "neither"
run 1 "a file that is not there" $avvik report file "$work/nope.json"
is "$(cat "$work/out" "$work/err" | grep -c "No such file")" 1 "is said once"
echo >"$work/plain"
run 1 "receipts for a file that is no folder" $avvik report file "$samples/e-tjanst.yaml" --receipts "$work/plain"
says "plain is no folder" "are refused before a report is sent"
says_not "filed" "none was"
mkdir -p "$work/blocked/$(basename "$(ls "$work/receipts"/* | head -1)")"
run 1 "a receipt that cannot be written" $avvik report file "$samples/e-tjanst.yaml" --receipts "$work/blocked" --window 1
says "a receipt could not be written" "is told as that"
says_not "does not answer" "and not as a daemon that is away"
timeout 30 $avvik up "$work/state" >"$work/again.log" 2>&1
is $? 1 "an instance that runs already is not started again and again"
grep -q "is the instance running already" "$work/again.log" || fail "and it is said why" "$(tail -5 "$work/again.log")"

# --- a bare report, a reference that follows from the content, JSON lines ---
cat >"$work/one.json" <<JSON
{"type": "deviation", "unit": "lindhaga", "narrative": {"description": "Dosetten låg kvar."}, "reporter": {"name": "Prov"}}
JSON
run 0 "a bare report without reference" $avvik report file "$work/one.json" --json
one=$(/usr/bin/python3 -c 'import json,sys; d=json.loads(open(sys.argv[1]).readline()); print(d["report_id"], d["status"], d["reference"][:8])' "$work/out")
is "${one#* }" "done content-" "a reference follows from the content"
run 0 "filed again" $avvik report file "$work/one.json" --json
is "$(/usr/bin/python3 -c 'import json,sys; d=json.loads(open(sys.argv[1]).readline()); print(d["report_id"], d["repeated"])' "$work/out")" \
	"${one%% *} True" "the same content is the same report"
for i in $(seq 1 1500); do
	printf '{"reference": "LINE-%d", "report": {"type": "deviation", "unit": "lindhaga", "narrative": {"description": "Nr %d"}}}\n' $i $i
done >"$work/many.jsonl"
run 0 "a report a line, more than are under way at once" $avvik report file "$work/many.jsonl"
says "1500 filed" "all of them"
run 0 "again with another window" $avvik report file "$work/many.jsonl" --window 3
says "1500 filed (1500 of them before)" "none twice"
run 4 "a line that is no report does not stop the others" bash -c "(head -2 '$work/many.jsonl'; echo '{\"reference\": 7}'; tail -1 '$work/many.jsonl') | $avvik report file -"
says "3 filed (3 of them before), 1 refused" "they are all looked at"

# --- receipts ---
receipt=$work/receipts/$(ls "$work/receipts" | head -1)
is "$(ls "$work/receipts" | wc -l)" 15 "a receipt for each"
id=$(basename "$receipt" .json)
run 0 "a receipt is proved" $avvik report verify "$receipt"
says "VALID" "and says so"
says "with exactly this content" "the content was held against it"
run 0 "a receipt is proved, as JSON" $avvik report verify "$receipt" --json
says "\"valid\": true" "for programs"
cp "$work/state/keys/intake.sign.pub" "$work/public"
run 0 "offline, with the public key alone" env -u AVVIK_SETTINGS $avvik --settings /nonexistent report verify "$receipt" --public "$work/public"
sed 's/"packed": "\(..\)/"packed": "\1ff/' "$receipt" >"$work/changed.json"
run 1 "a report that was changed" $avvik report verify "$work/changed.json" --public "$work/public"
says "NOT VALID" "is found out"
sed 's/"sequence": \([0-9]*\)/"sequence": 1\1/' "$receipt" >"$work/changed.json"
run 1 "a receipt that was changed" $avvik report verify "$work/changed.json"
run 1 "another instance's key" $avvik report verify "$receipt" --public "$work/state/keys/workflow.sign.pub"
run 0 "a receipt is fetched by reference" $avvik report receipt --reference ET-003101 --save "$work/fetched.json"
run 0 "and proved" $avvik report verify "$work/fetched.json"
run 1 "a reference that is none" $avvik report receipt --reference ET-none

# --- afterwards ---
run 0 "the daemons come to rest" $avvik clock settle
run 0 "the sender asks how it went" $avvik report status "$id"
says "received since" "and is told the state"
cat >"$work/more.yaml" <<YAML
narrative: { description: Mer har framkommit. }
YAML
run 0 "later facts are added" $avvik report supplement "$id" "$work/more.yaml" --receipts "$work/receipts"
run 0 "once" $avvik report supplement "$id" "$work/more.yaml"
says "it was before" "a repetition is known"
run 0 "the receipts of report and supplement" $avvik report receipt "$id" --save "$work/both.json"
says "supplement" "are both there"
run 0 "and are proved" $avvik report verify "$work/both.json"
lines 6 "each by its own lines"
run 1 "a supplement without a description" bash -c "echo 'persons: {}' | $avvik report supplement $id -"
run 3 "a key that is nobody's" bash -c "$avvik keys new nobody >/dev/null; $avvik --key nobody report file '$work/one.json'"
says "principals.yaml" "the remedy is named"
run 1 "a key without the right" $avvik --key statistics report file "$work/one.json"
says "forbidden" "is refused"
end
