# tell.awk - from everything that happened, what a reader can follow: the followed cases with their mails, lex Sarah cases when they are
# late, and of the rest how much. Input: the sentences of `avvik feed --words`; -v followed="2026-0011|2026-0027".

# Words after a time or an indentation, folded.
function fold(lead, text,   words, n, i, line) {
  n = split(text, words, " ")
  line = lead
  for (i = 1; i <= n; i++) {
    if (length(line) + length(words[i]) > 118 && line != lead && line != indent) { print line; line = indent "  " }
    line = line (line == lead || line == indent "  " ? "" : " ") words[i]
  }
  print line
}

# Everything of one instant, case by case.
function flush_instant(   i, c, lead, n, s, sentences) {
  for (i = 1; i <= case_count; i++) {
    c = cases[i]
    if (said[c] == "") continue
    lead = time "  "
    n = split(said[c], sentences, "\n")
    for (s = 1; s < n; s++) { fold(lead, sentences[s]); lead = indent }
  }
  case_count = 0
  split("", seen); split("", shown); split("", said); split("", last_item)
}

BEGIN { indent = "                  " }

{
  if (substr($0, 1, 16) != time) { flush_instant(); time = substr($0, 1, 16) }
  text = substr($0, 19)
  number = ""
  if (match(text, /^Case [0-9]+-[0-9]+/)) number = substr(text, 6, RLENGTH - 5)
  if (number == "") {
    if (text !~ /report.* arrives from/) { fold(time "  ", text) }
    next
  }
  head = text
  sub(/\).*/, ")", head)
  rest = substr(text, length(head) + 1)
  if (!(number in seen)) { cases[++case_count] = number; seen[number] = 1 }
  is_late = rest ~ /OVERDUE|ESCALATED|GIVEN UP|NOBODY/
  if ((followed != "" && number ~ "^(" followed ")$") || (is_late && head ~ /lex Sarah/)) shown[number] = 1
  if (!(number in shown)) {
    if (rest ~ /^ is opened/) opened++
    if (rest ~ /^ is assessed/) assessed++
    if (rest ~ /^ is closed/) closed++
    if (rest ~ /: reminder /) reminded++
    if (rest ~ /OVERDUE/) overdue++
    if (rest ~ /ESCALATED/) escalated++
    next
  }
  # The items of an investigation as one sentence: "documents item 1 (fact), 2 (fact) (by ...)"
  if (rest ~ /^: the investigation documents item /) {
    item = rest
    sub(/^: the investigation documents item /, "", item); sub(/ .*/, "", item)
    if (number in last_item) {
      sub(/documents item /, "documents items ", said[number])
      sub(" [(]by [^)]*[)]\n$", ", " item substr(rest, match(rest, / \(by /)) "\n", said[number])
      next
    }
    last_item[number] = item
    sub(/ \((fact|assessment)\)/, "", rest)
  }
  bare = rest
  sub(/^(: | )/, "", bare)
  said[number] = said[number] (said[number] == "" ? head rest : bare) "\n"
}

END {
  flush_instant()
  line = ""
  if (opened) line = line ", " opened " opened"
  if (assessed) line = line ", " assessed " assessed"
  if (closed) line = line ", " closed " closed"
  if (reminded) line = line ", " reminded " with a reminder"
  if (overdue) line = line ", " overdue " overdue"
  if (escalated) line = line ", " escalated " escalated"
  if (line != "") print indent "(other cases: " substr(line, 3) ")"
}
