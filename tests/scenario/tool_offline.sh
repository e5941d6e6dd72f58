#!/bin/bash
# tool_offline.sh - what the tool does without any daemon: help, calendar, checks of files, keys and principals.
# shellcheck disable=SC2086 # $avvik, $boss and the like are words: a command and its options
. "$(dirname "$0")/tool_lib.sh"

# --- help ---
run 0 "--help lists the subcommands" $avvik --help
names=$(sed -n 's/^  \([a-z]\+\)  .*/\1/p' "$work/out")
[ "$(echo "$names" | wc -w)" -eq 24 ] || fail "there are 24 subcommands" "got: $(echo "$names" | wc -w): $names"
for name in $names; do
	run 0 "$name --help ends well" $avvik "$name" --help
	says "usage: avvik $name" "$name --help shows the words"
	says "example: avvik $name" "$name --help has an example"
done
run 2 "no subcommand is a usage error" $avvik
run 2 "an unknown subcommand is a usage error" $avvik frobnicate
says "avvik --help" "an unknown subcommand names the remedy"
run 0 "--version" $avvik --version

# --- calendar ---
run 0 "the calendar of a year as JSON" $avvik calendar 2026 --json
is "$(/usr/bin/python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(len(d), d[0]["date"], d[0]["name"], d[0]["kind"], sorted({x["kind"] for x in d}), [x["date"] for x in d if x["kind"]=="eve"])' "$work/out")" \
	"16 2026-01-01 Nyårsdagen holiday ['eve', 'holiday'] ['2026-06-19', '2026-12-24', '2026-12-31']" \
	"the holidays and the three eves are objects with date, name and kind"
while read -r start period due; do
	run 0 "$period from $start" $avvik calendar due "$start" "${period/-/ }"
	says "due $due" "$period from $start ends on $due"
done <<VECTORS
2026-04-19 2-months Monday 2026-06-22
2025-12-31 2-months Monday 2026-03-02
2026-10-24 2-months Monday 2026-12-28
2026-10-31 2-months Monday 2027-01-04
2025-04-06 2-months Monday 2025-06-09
2026-02-03 2-months Tuesday 2026-04-07
2026-11-06 2-months Thursday 2027-01-07
2027-01-27 2-months Tuesday 2027-03-30
2027-11-30 3-months Tuesday 2028-02-29
VECTORS
run 0 "a local target is not moved" $avvik calendar due 2026-04-19 "2 months" --local
says "due Friday 2026-06-19" "a local target keeps its nominal day"
run 2 "a period that is none" $avvik calendar due 2026-04-19 "2 moons"
says "2 months" "a bad period names the remedy"
run 2 "a year before the European rule" $avvik calendar 1066

# --- files are checked with every fault ---
run 0 "the sample rule pack is sound" $avvik rules check "$AVVIK_SOURCE/deploy/rules/se-2025-07.yaml"
run 0 "the sample organisation is sound under it" $avvik directory check \
	"$AVVIK_SOURCE/deploy/directory/lindaker.yaml" --rules "$AVVIK_SOURCE/deploy/rules/se-2025-07.yaml"
cat >"$work/bad.yaml" <<YAML
version: bad
name: Nämnden
units:
  - { code: namnd, name: Nämnden, level: committee }
  - { code: boende, name: Boendet, parent: namnd, level: enhet, operation: own, laws: [sol] }
  - { code: boende, name: Boendet igen, parent: namnd, level: unit, operation: own }
  - { code: hemlost, name: Hemlöst, parent: finns-inte, level: unit, operation: own }
people:
  - id: anna
    name: Anna
    mail: anna
    rolls: []
    roles: [{ role: EC, unit: ingenstans }]
    deputies: [{ person: berit, from_on: 2026-07-01, until_on: 2026-06-01 }]
YAML
run 1 "a bad organisation is refused" $avvik directory check "$work/bad.yaml"
says "bad.yaml:5:51 units[1].level: is not a known value" "an unknown level stands with line and column"
says "did you mean roles?" "a misspelt key names the nearest"
sed -i 's/level: enhet/level: unit/; s/ *rolls: \[\]//; s/mail: anna/mail: anna@example.se/' "$work/bad.yaml"
run 1 "what disagrees is refused" $avvik directory check "$work/bad.yaml"
says "bad.yaml:6:7 units[2].code" "a code that stands twice is found with its place"
says "units[3].parent" "a parent that does not exist is found"
says "roles[0].unit" "a role at an unknown unit is found"
says "deputies[0]" "a deputy that does not exist is found"
run 1 "no such file" $avvik directory check "$work/none.yaml"
says "no such file" "a missing file is said plainly"
printf 'version: x\n  bad: [\n' >"$work/broken.yaml"
run 1 "YAML that cannot be read" $avvik rules check "$work/broken.yaml"
says "broken.yaml:2" "a syntax error stands with its line"
run 1 "faults as JSON" $avvik rules check "$work/broken.yaml" --json
/usr/bin/python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert d["sound"] is False and d["faults"]' "$work/out" ||
	fail "faults are JSON with --json" "$(cat "$work/out")"

# --- keys and principals ---
run 0 "an instance is made" $avvik keys init "$work/state" --stepped 2026-04-01
run 1 "an instance is not made twice" $avvik keys init "$work/state"
says "holds an instance already" "the remedy is named"
export AVVIK_SETTINGS=$work/state/avvik.yaml
run 0 "the principals of a new instance are sound" $avvik principals check
run 0 "a principal is added" $avvik principals add larm --kind publisher --rights publish,status --units lindhaga
run 1 "not twice" $avvik principals add larm --kind publisher --rights publish
run 1 "an unknown right is refused" $avvik principals add mal --kind publisher --rights publih
says "publish, act, query" "and the rights are named"
run 0 "nothing was changed by the refusal" $avvik principals
says_not "mal " "a refused principal is not listed"
[ ! -e "$work/state/keys/mal.curve" ] || fail "a refused principal leaves no key" "mal.curve is there"
run 0 "a key pair is made first" $avvik keys new egen
public=$(cat "$work/state/keys/egen.curve.pub")
run 1 "what is refused" $avvik principals add egen --kind publisher --rights publih
run 0 "then the principal" $avvik principals add egen --kind publisher --rights publish
says "which was there" "takes the key that was there"
is "$(cat "$work/state/keys/egen.curve.pub")" "$public" "the key is the same"
run 0 "and lists it" $avvik principals
says "${public:0:8}... in force" "with that key"
cp "$work/state/keys/egen.curve" "$work/state/keys/annan.curve"
run 1 "a key of another" $avvik principals add annan --kind publisher --rights publish
says 'that of the principal "egen"' "is not given to two"
rm "$work/state/keys/annan.curve"
run 2 "AVVIK_SETTINGS that is empty is as if it were not set" env AVVIK_SETTINGS= bash -c "cd '$work' && rm -rf none && mkdir none && cd none && $avvik principals"
says "no settings found" "so places are looked in"
before=$(sed -n 's/^public //p' "$work/state/keys/larm.curve")
run 0 "a key is rotated" $avvik principals rotate larm --overlap "7 days"
run 0 "after a rotation" $avvik principals
says "${before:0:8}... until 2026-04-08 00:00" "the key before holds for the overlap"
says "in force" "the new key is in force"
run 0 "the principals are sound after a rotation" $avvik principals check
run 0 "a principal is revoked" $avvik principals revoke larm
run 0 "after a revocation" $avvik principals --json
says_not '"larm"' "a revoked principal is gone"
run 1 "who is not there cannot be revoked" $avvik principals revoke larm
run 0 "keys are listed" $avvik keys
chmod 644 "$work/state/keys/master.key"
run 1 "a secret that others can read is told" $avvik keys
says "chmod 600" "with the remedy"
chmod 600 "$work/state/keys/master.key"

# --- names become file names ---
run 2 "a key cannot be made outside the keys folder" $avvik keys new ../stray
says "letters, digits" "the remedy is named"
[ ! -e "$work/state/stray.curve" ] || fail "nothing is written outside the keys folder" "stray.curve is there"
run 1 "nor a principal with such a name" $avvik principals add ../stray --kind publisher --rights publish
[ ! -e "$work/state/stray.curve" ] || fail "nothing is written outside the keys folder" "stray.curve is there"
run 2 "a key is a name, not a path" $avvik --key ../../etc/passwd status
says "is no name of a principal" "and that is said"
run 1 "an instance with a name that its settings would not take" $avvik keys init "$work/badname" --name "BAD NAME"
says "a-z, 0-9 and -" "is refused with the rule"
[ ! -e "$work/badname" ] || fail "and nothing is made" "$(ls "$work/badname")"

# --- what is damaged is told without its words ---
printf '{"report": {"type": "deviation",\n "persons": {"affected" "19121212-1212"}}}\n' >"$work/damaged.json"
run 1 "a damaged receipt" $avvik report verify "$work/damaged.json"
says "damaged.json:2:" "stands with line and column"
says_not "19121212" "a personal number is not printed"
echo '{"receipt": {"nothing": 1}}' >"$work/noreceipt.json"
run 1 "what is no receipt" $avvik report verify "$work/noreceipt.json"
says "noreceipt.json is no receipt" "is named"

# --- nobody is there ---
run 3 "daemons that are away have an exit code of their own" timeout 60 $avvik clock settle
run 2 "settings that do not exist" $avvik --settings "$work/none.yaml" principals
sed -i 's/^clock: .*/clok: stepped/' "$work/state/avvik.yaml"
run 2 "settings with a fault" $avvik principals
says "avvik.yaml:4:1 clok" "are told with their place"
end
