#!/bin/sh
# quickstart.sh - deploy/quickstart.sh --exit ends with 0, and its output tells the story: each line below must be there.
set -eu
state=$1
told=$(mktemp)
trap 'rm -f "$told"' EXIT

QUICKSTART_STATE=$state "$AVVIK_SOURCE/deploy/quickstart.sh" --exit >"$told" 2>&1 || {
  echo "got exit code $?, want 0:"
  tail -n 30 "$told"
  exit 1
}

missing=0
while IFS= read -r want; do
  tr -s ' \n' ' ' <"$told" | grep -qF -- "$want" || {
    echo "not told: $want"
    missing=$((missing + 1))
  }
done <<'END'
unit: is not in the directory: send the code of a unit, or have the report placed
is placed at Hemtjänst norr (by rut.diariesson)
is turned into a lex Sarah case, since its risk is so high (by soren.hemgren)
to hand in the investigation to IVO by Monday 22 June (moved from Friday 19 June), a statutory deadline
done in time: to hand in the investigation to IVO
done TOO LATE: to hand in the investigation to IVO
recorded late
ESCALATED to the head of administration
deputy for ordf.exempelson
the measure has had no effect: another is needed
the measure has had its effect
refused: conflict
did you mean received_at?
moved past it Midsommarafton
after filing daemon
VALID:
Sista dag: lämna in utredningen till IVO
2026-T1 52
END
if [ "$missing" -gt 0 ]; then
  echo "got a story of $(wc -l <"$told") lines that lacks $missing; want all told"
  exit 1
fi
