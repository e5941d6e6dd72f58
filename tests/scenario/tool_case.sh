#!/bin/bash
# tool_case.sh - a lex Sarah case from the report to its closing, played through the tool as handlers would.
# shellcheck disable=SC2086 # $avvik, $boss and the like are words: a command and its options
. "$(dirname "$0")/tool_lib.sh"
instance_up "2026-04-19 10:00"
sas="--as saga.samordnare" investigator="--as ulla.utredstrom" manager="--as linda.hagstrom"

cat >"$work/report.yaml" <<YAML
reference: CASE-1
report:
  type: lex_sarah
  unit: lindhaga
  occurred_from_at: 2026-04-18T20:00
  noticed_at: 2026-04-18T21:00
  received_at: 2026-04-19T09:00
  channel: e_service
  laws: [sol]
  category: UTF
  subcategory: UTF_FORSUMMELSE
  narrative: { description: En boende lämnades utan tillsyn. }
  reporter: { name: Medar Provsson, role: undersköterska, mail: medar.provsson@lindaker.example }
---
reference: CASE-2
report: { type: deviation, unit: lindhaga, received_at: 2026-04-19T09:30, narrative: { description: Ett fall. } }
---
reference: CASE-3
report: { type: lex_sarah, unit: finns-inte, narrative: { description: Okänd enhet. } }
YAML
run 0 "three reports are filed" $avvik report file "$work/report.yaml" --receipts "$work/receipts"
run 0 "rest" $avvik clock settle
run 0 "cases are listed" $avvik case list
lines 4 "three and the headings"
run 0 "no more than asked for" $avvik case list --limit 2
lines 4 "two, the headings and a last line"
says "2 shown, there are more: --limit N" "which says that there are more"
run 0 "as many as there are" $avvik case list --limit 3
says_not "there are more" "then nothing is left out"
run 0 "of the same event" $avvik case list --duplicates
says "no such cases" "none are suggested"
run 0 "deadlines, no more than asked for" $avvik deadlines --limit 2
says "2 shown, there are more: --limit N" "which says so"
run 2 "none at all" $avvik deadlines --limit 0
run 0 "those that wait" $avvik case list --state incomplete
says "2026-0003" "the report for an unknown unit waits"

# --- what is wrong is said by the tool's own words ---
run 2 "an act without a person" $avvik case remedy 2026-0001 --text x
says "--as is missing" "the remedy is named"
run 2 "an act that is none" $avvik case frobnicate 2026-0001 $sas
run 2 "one of two words is needed" $avvik case assess 2026-0001 --degree serious $sas
says "--investigate or --position" "both are named"
run 2 "a degree that is none" $avvik case decide 2026-0001 --degree grave $sas
says "none, risk, misconduct, serious_risk, serious" "the degrees are named"
run 1 "a person without the role" $avvik case assess 2026-0001 --degree risk --investigate --investigator ulla.utredstrom \
	--motive x $manager
says "forbidden" "is refused"
run 1 "an act too early" $avvik case decide 2026-0001 --degree serious --motive x $sas
says "wrong_state" "is refused"
run 1 "a case that is none" $avvik case show 2026-9999
run 1 "a version that is old" $avvik case remedy 2026-0001 --text x --version 99 $manager
says "stale" "is refused"
run 1 "a motive that is missing" $avvik case assess 2026-0001 --degree serious --investigate --investigator ulla.utredstrom $sas
says "--motive: " "is said by its word"

# --- the line of work ---
run 0 "remedied" $avvik case remedy 2026-0001 --text "Tillsyn varje timme." --at "2026-04-19 09:30" $manager
run 0 "informed" $avvik case inform 2026-0001 --informed --text "Samtal." $sas
run 0 "assessed" $avvik case assess 2026-0001 --degree serious --investigate --investigator ulla.utredstrom --motive "Allvarligt." $sas
run 0 "found serious" $avvik case serious 2026-0001 --motive "Fara för liv." $sas
run 0 "IVO is notified" $avvik case notify 2026-0001 --registry SN-2026-41 $sas
run 0 "why" $avvik why 2026-0001 D5
says "due      Monday 2026-06-22, moved from Friday 2026-06-19 by lag (1930:173) 2 §" "two months from 19 April end after Midsummer"
says "Midsommarafton" "each day is explained"
says "next: 2026-05-23 08:00, reminder, to the investigator and SAS" "and what comes next"
run 0 "why in Swedish" $avvik why 2026-0001 D5 --lang sv
says "måndag 2026-06-22" "the day in Swedish"
says "lämna in utredningen till IVO" "the deadline in Swedish"
run 1 "why of a rule that is none" $avvik why 2026-0001 D99
for item in 1 2 3 4 5 6 7 8 10; do
	echo "Punkt $item." >"$work/text"
	run 0 "item $item is documented" $avvik case entry 2026-0001 --item $item --nature fact --source Journal \
		--text "@$work/text" --happened "2026-04-18 20:00" --cause KOM --risk 2 $investigator
done
run 0 "completed" $avvik case complete 2026-0001 --degree serious --motive "Klar." $investigator
run 1 "the investigator does not decide" $avvik case decide 2026-0001 --degree serious --motive x $investigator
run 0 "decided" $avvik case decide 2026-0001 --degree serious --motive "Beslut." $sas
run 0 "a measure" $avvik case measure 2026-0001 --description "Ny rutin" --goal "Ingen lämnas" --responsible linda.hagstrom \
	--end 2026-05-20 --horizon short $sas
run 0 "the case is shown" $avvik case show 2026-0001
says "possible now:" "with what is possible"
says "execute" "by the tool's own words"

# --- time passes ---
run 0 "deadlines before" $avvik deadlines 2026-0001
says "64 days left" "the statutory one runs"
run 0 "time passes" $avvik clock advance --to "2026-06-23 09:00"
run 0 "what is overdue" $avvik deadlines --overdue
says "OVERDUE by 1 day" "the investigation was due yesterday"
run 0 "the case tells it too" $avvik case show 2026-0001
says "OVERDUE by 1 day" "with how late it is"
run 0 "and the list of cases" $avvik case list
says "D5" "by the rule that is overdue"
run 0 "handed in, as it was done in time" $avvik case hand-in 2026-0001 --channel e_service --at "2026-06-22 16:00" $sas
run 0 "done" $avvik case execute 2026-0001 1 --text "Införd." --at "2026-05-19 12:00" $manager
run 2 "a measure that is none" $avvik case execute 2026-0001 2 --text x $manager
says "give 1 to 1" "the numbers are named"
run 0 "a measure is proposed" $avvik case propose 2026-0001 --description "Utbildning" --goal "Alla kan rutinen" \
	--responsible linda.hagstrom --end 2026-09-01 $investigator
run 1 "a rejection needs its reasons" $avvik case proposal 2026-0001 2 --rejected $manager
says "comment" "which are named by the word"
run 0 "it is rejected" $avvik case proposal 2026-0001 2 --rejected --comment "Ryms i introduktionen." $manager
run 0 "its effect, by the investigator" $avvik case evaluate 2026-0001 1 --effective --text "Inga fler." $investigator
says "the responsible manager has judged it too" "who is not alone"
run 0 "its effect, by the manager" $avvik case evaluate 2026-0001 1 --effective --text "Inga fler." $manager
run 0 "closed" $avvik case close 2026-0001 --category UTF --causes KOM,UTB --note "Klart." $sas
run 0 "rest" $avvik clock settle
run 0 "the closed case is shown" $avvik case show 2026-0001
says "D26B" "with the checks that are left"
says_not "OVERDUE" "and nothing late"
run 0 "why afterwards" $avvik why 2026-0001 D5
says "met in time, 2026-06-22 16:00 (recorded late, 2026-06-23 09:00)" "met by the time of the act"
says "said 2026-06-23 00:00" "what was said stays said"
run 0 "all deadlines of the case" $avvik deadlines 2026-0001 --all
says "met 2026-06-22 16:00" "with what met them"

# --- the other two ---
run 0 "a deviation is reviewed" $avvik case review 2026-0002 $manager
run 0 "inquired into" $avvik case inquire 2026-0002 --laws sol,hsl --category FALL --text "Fall vid förflyttning." $manager
run 0 "its risk is assessed" $avvik case risk 2026-0002 --law sol --probability 2 --severity 3 --text "Kan hända igen." $manager
run 1 "under each law" $avvik case conclude 2026-0002 --text "Halt golv." --causes OMG $manager
says "missing: hsl" "the law that is missing is named"
run 0 "the case is shown" $avvik case show 2026-0002
says "sol: probability 2, severity 3, product 6" "with the risk of each part"
run 0 "and proves to be more" $avvik case turn 2026-0002 --motive "Misstänkt missförhållande." $manager
run 0 "a rung for the manager of a unit that nobody knows" $avvik why 2026-0003 D2
says "reached nobody" "is told as one that reached nobody"
run 0 "in Swedish" $avvik why 2026-0003 D2 --lang sv
says "nådde ingen" "the same"
run 0 "the notices of the case" $avvik notices 2026-0003
says "nobody holds the role" "why nobody was reached, in words"
run 0 "it is placed" $avvik case place 2026-0003 --unit lindhaga $sas
run 0 "and its reporter named" $avvik case name-reporter 2026-0003 --name "Anna Prov" --mail anna.prov@lindaker.example $sas
run 0 "rest" $avvik clock settle
run 0 "only kinds asked for" $avvik case list --kind deviation
says "no such cases" "no deviation is left"

# --- the story, the trace, the mails, the figures ---
run 0 "the story" $avvik feed intake workflow notification --words
says "A lex Sarah report arrives from publisher, about Lindhaga" "the report arrives"
says "Case 2026-0001 (lex Sarah, Lindhaga): to hand in the investigation to IVO by Monday 22 June (moved from Friday 19 June), a statutory deadline" "the deadline is set"
says "Case 2026-0001 (lex Sarah, Lindhaga): reminder to hand in the investigation to IVO by Monday 22 June, to the investigator and SAS" "reminders are told"
says "OVERDUE since Monday 22 June" "what is overdue is told"
says "NOBODY was told by rule N101: the unit manager at" "and when nobody was told"
says ": nobody holds the role" "with the reason in words"
says_not "no_holder" "and not by its code"
says "done in time, though recorded late: to hand in the investigation to IVO" "and corrected"
says "Case 2026-0001 (lex Sarah, Lindhaga) is closed" "the end is told"
opened=$(grep -n "2026-0001.*is opened" "$work/out" | cut -d: -f1)
arrived=$(grep -n "A lex Sarah report arrives" "$work/out" | head -1 | cut -d: -f1)
mailed=$(grep -n "2026-0001.*: mail to" "$work/out" | head -1 | cut -d: -f1)
# shellcheck disable=SC2015 # both must hold, or it has failed
[ "$arrived" -lt "$opened" ] && [ "$opened" -lt "$mailed" ] ||
	fail "no effect stands before its cause" "arrived $arrived, opened $opened, mailed $mailed"
says_not "Tillsyn varje timme" "no text of a case is in a feed"
says_not "Provsson" "no name of a reporter is in a feed"
run 0 "the trace" $avvik trace 2026-0001 --json
is "$(/usr/bin/python3 -c '
import json, sys
events = json.load(open(sys.argv[1]))
print(sorted({e["daemon"] for e in events}), "report_filed" in events[0], len(events) > 40)' "$work/out")" \
	"['intake', 'notification', 'reporting', 'workflow'] True True" "the trace goes through all four daemons, from the report on"
run 0 "the mails of the case" $avvik notices 2026-0001
says "delivered" "arrived"
run 0 "mails, no more than asked for" $avvik notices --limit 3
says "3 shown, there are more: --limit N" "which says so"
is "$(grep -c ' $' "$work/out")" 0 "no line of a table ends with spaces"
[ "$(find "$work/state/mail" -type f | wc -l)" -gt 20 ] || fail "mails lie in the mail folder" "$(find "$work/state/mail" -type f | wc -l)"
run 0 "the figures" $avvik summary --span year --json
is "$(/usr/bin/python3 -c '
import json, sys
figures = json.load(open(sys.argv[1]))
count = lambda m: sum(f["value"] for f in figures if f["key"]["measurement"] == m)
print(count("received"), count("decided"), count("closed"), count("notified_ivo"), count("turned_lex_sarah"))' "$work/out")" \
	"3 1 1 1 1" "received, decided, closed, notified, turned"
run 0 "the figures as CSV" $avvik summary --csv --span tertial --unit lindhaga
says "lindhaga,tertial,2026-T1,received,lex_sarah,,,2" "one figure a line"
run 0 "the figures as a table" $avvik summary --span month --by kind
says "2026-06" "a row for each month"

# --- content ---
run 1 "a purpose that is none" $avvik content read 2026-0001 --purpose nyfikenhet $sas
run 1 "a manager while it is investigated by another" $avvik content read 2026-0001 --purpose utredning $manager
run 0 "content is read for a purpose" $avvik content read 2026-0001 --purpose uppfoljning $sas
says "En boende lämnades utan tillsyn." "the narrative, of intake"
says "Tillsyn varje timme." "the texts, of workflow"
run 0 "a part of it" $avvik content read 2026-0001 --purpose uppfoljning --part reporter $sas
says "Medar Provsson" "the reporter"
says_not "utan tillsyn" "and nothing else"
run 0 "it is erased" $avvik content erase 2026-0001 --reason gallring $sas
run 0 "rest" $avvik clock settle
run 0 "read afterwards" $avvik content read 2026-0001 --purpose uppfoljning $sas
says_not "tillsyn" "nothing is left"
says "erased" "and it says so"

# --- health, quarantine, the stores ---
run 0 "quarantine is empty" $avvik quarantine
says "nothing is in quarantine" "and says so"
run 1 "nothing to retry" $avvik quarantine retry workflow 5 --reason x
run 0 "metrics" $avvik status --metrics
says 'avvik_up{daemon="reporting"} 1' "are Prometheus text"
kill "$up" && wait "$up" 2>/dev/null
up=
run 0 "the stores are verified, replayed and compared" $avvik verify
run 0 "backed up" $avvik backup "$work/backup"
run 0 "and restored" $avvik restore "$work/backup"
end
