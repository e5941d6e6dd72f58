# words.sh - the verbs of the story; sourced by quickstart.sh.

followed="" # numbers of the cases that are told about, with | between them
playing=""  # is time passing?

heading() {
  [ -z "$playing" ] || tell all
  printf '\n%s\n' "$1"
  printf '%s\n' "$1" | sed 's/./-/g'
}

# Replaces the folder of an earlier quickstart, and nothing else.
fresh_state() {
  [ -e "$1" ] || return 0
  if [ ! -f "$1/quickstart" ] || ! grep -qx 'clock: stepped' "$1/avvik.yaml" 2>/dev/null ||
    grep -q '^production: true' "$1/avvik.yaml"; then
    echo "quickstart.sh: $1 was not made by it: move it away" >&2
    exit 1
  fi
  if [ -f "$1/up.pid" ] && grep -qs avvik "/proc/$(cat "$1/up.pid")/comm"; then
    echo "quickstart.sh: one is running from $1 (process $(cat "$1/up.pid")): end it first" >&2
    exit 1
  fi
  rm -rf "$1"
}

wait_ready() {
  for _ in $(seq 150); do
    ! grep -q '^all four are up' "$1" || return 0
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  cat "$1" >&2
  echo "quickstart.sh: the daemons do not come up" >&2
  exit 1
}

# A file for each report, named by the time it was received and who sends it: 2026-04-08T09:30.e-tjanst.ET-003101.yaml
sort_samples() {
  mkdir -p "$2"
  for file in journalsystem.yaml larmsystem.json e-tjanst.yaml funktionsstod.yaml hvb-tallen.yaml e-tjanst-faulty.yaml; do
    system=${file%.*}
    awk -v folder="$2" -v sender="${system%-faulty}" '
      function flush() {
        if (item == "") return
        match(item, /received_at"?: "?[0-9T:-]+/); time = substr(item, RSTART, RLENGTH); sub(/.*: "?/, "", time)
        match(item, /reference"?: "?[A-Z]+-[0-9-]+/); name = substr(item, RSTART, RLENGTH); sub(/.*: "?/, "", name)
        out = folder "/" time "." sender "." name
        printf "%s", item > out; close(out); item = ""
      }
      /^#/ || /^[][]$/ { next }
      /^- |^\{/ { flush() }
      { sub(/,$/, ""); item = item $0 "\n" }
      END { flush() }' "$1/$file"
  done
}

# What has happened since it was last told, in words (tell.awk chooses). How much happened in other cases does not stand alone: it waits for
# what comes next, unless all is to be told. What happens at one instant can still come before what was told of it.
tell() {
  touch "$state/story.log"
  avvik feed intake workflow notification --words >"$state/story.new"
  told=$(awk 'FNR == NR { told[$0]++; next } told[$0]-- > 0 { next } { print }' "$state/story.log" "$state/story.new" |
    awk -v followed="$followed" -f deploy/story/tell.awk)
  case "$told" in
  "") ;;
  " "*"(other cases: "*) [ "${1:-}" = all ] || return 0 ;;
  esac
  [ -z "$told" ] || printf '%s\n' "$told"
  mv "$state/story.new" "$state/story.log"
}

# What the reader should know, after what has happened.
say() {
  tell
  echo
  printf '%s\n' "$*" | fold -s -w 118 | sed 's/ *$//'
  echo
}

# file_report FILE SYSTEM REFERENCE
file_report() {
  reply=$(avvik report file "$1" --key "$2")
  remarks=$(echo "$reply" | sed -n 's/^ *remark: //p')
  [ -n "$remarks" ] || return 0
  tell
  echo "$(echo "$at" | tr T ' ')  $2 is told that $3 is kept, though odd:"
  echo "$remarks" | sed 's/^/                  /'
}

# Lets time pass; the reports that are received meanwhile are filed by the systems that send them.
on() {
  tell
  limit=$(echo "$1" | tr ' ' T)
  for file in "$state/inbox/"*; do
    [ -e "$file" ] || break
    name=${file##*/}
    at=${name%%.*}
    [ "$(printf '%s\n%s\n' "$at" "$limit" | sort | head -n 1)" = "$at" ] || break
    system=${name#*.}
    avvik clock advance --to "$at"
    file_report "$file" "${system%%.*}" "${system#*.}"
    rm "$file"
  done
  avvik clock advance --to "$1"
}

# The number of the case that a report opened.
case_of() {
  id=$(avvik report receipt --reference "$2" --key "$1" --json | sed -n 's/.*"report_id": "\([^"]*\)".*/\1/p' | head -n 1)
  avvik case show "$id" --json | sed -n 's/.*"number": "\([^"]*\)".*/\1/p' | head -n 1
}

follow() { followed="$followed${followed:+|}$1"; }

# act PERSON CASE ACT words: the person acts in the case system.
act() {
  person=$1 number=$2 verb=$3
  shift 3
  avvik case "$verb" "$number" "$@" --as "$person" >/dev/null
}

# What a mail is about, and what it says.
show_mail() {
  {
    tr -d '\r' <"$1" | sed -n '/^Subject:/,/^[^S ]/p' | grep -o '=?UTF-8?B?[^?]*' | while IFS='?' read -r _ _ _ word; do
      echo "$word" | base64 -d
    done
    printf '\n\n'
    tr -d '\r' <"$1" | sed '1,/^$/d' | perl -0777 -pe 's/=\n//g; s/=([0-9A-F]{2})/chr hex $1/ge'
  } | sed 's/^/  | /'
}
