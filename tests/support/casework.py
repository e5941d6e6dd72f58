"""casework.py - what case officers do, in the words of the tool; and what the daemons then tell of a case."""

import email
import email.policy
import os

# People of the made-up municipality (deploy/directory/lindaker.yaml), by what they do here.
SAS = "saga.samordnare"
INVESTIGATOR = "ulla.utredstrom"
MANAGER = "beata.bjorkman"          # of Björkgården; away from 2026-06-15 to 08-30
ASSISTANT = "bengt.bjorkman"        # her deputy; away from 2026-07-06 to 07-26
NEIGHBOUR = "linda.hagstrom"        # his deputy; manager of Lindhaga
MAS, MAR = "maja.masson", "marten.marsson"
HEAD_OF_DEPARTMENT = "agneta.avdelningsberg"  # away from 2026-06-15 to 07-05
HER_DEPUTY = "fredrik.avdelningsberg"


class Casework:
    def __init__(self, instance):
        self.instance = instance

    def act(self, number, act, person, *words):
        return self.instance.avvik("case", act, number, *words, "--as", person)

    def refused(self, number, act, person, *words):
        """What the tool says when it is refused."""
        done = self.instance.run(["case", act, number, *words, "--as", person], check=False)
        assert done.returncode != 0, f"{act} was not refused: {done.stdout}"
        return done.stderr

    def show(self, number):
        return self.instance.json("case", "show", number)

    def advance(self, to):
        self.instance.avvik("clock", "advance", "--to", to)

    def deadlines(self, number):
        """By rule; those of a measure by rule and the measure's place in the case."""
        measures = [m["measure_id"] for m in self.show(number).get("measures", [])]
        found = {}
        for deadline in self.instance.json("deadlines", number, "--all"):
            measure = deadline.get("measure_id")
            rule = deadline["rule"] + (f"/{measures.index(measure) + 1}" if measure else "")
            assert rule not in found, f"{number} has {rule} twice"
            found[rule] = deadline
        return found

    def notices(self, number):
        return self.instance.json("notices", number, "--limit", "500")

    def told(self, number, rule, **wanted):
        """Who was told by a row of the matrix: {(person, deputy for)}."""
        return {(n.get("person", ""), n.get("deputy_for", "")) for n in self.notices(number)
                if n["rule"] == rule and all(n.get(key) == value for key, value in wanted.items())}

    def figures(self, unit, span, period=None):
        """{(measurement, kind, degree, deadline): value} without zeros."""
        words = ["summary", "--unit", unit, "--span", span] + (["--period", period] if period else [])
        found = {}
        for figure in self.instance.json(*words):
            key = figure["key"]
            name = (key["measurement"], key.get("kind", ""), key.get("degree", ""), key.get("deadline", ""))
            if figure.get("value"):
                found[name] = figure["value"]
        return found

    def mail(self, notice):
        """The mail of a notice, as a mail program reads it."""
        path = os.path.join(self.instance.state, "mail", "new", notice["notice_id"] + ".avvik")
        with open(path, "rb") as file:
            return email.message_from_binary_file(file, policy=email.policy.default)

    def all_mails(self):
        """Every mail as text: headers and body, decoded."""
        folder = os.path.join(self.instance.state, "mail", "new")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                mail = email.message_from_binary_file(file, policy=email.policy.default)
            yield name, "\n".join(f"{key}: {value}" for key, value in mail.items()) + "\n\n" + mail.get_content()

    def rungs_fired(self):
        """Every firing in workflow's journal: [(case number, rule, place in the ladder, at, late)]."""
        events, _ = self.instance.feed("workflow")
        numbers = {e.case_id: e.case_opened.number for e in events if e.WhichOneof("body") == "case_opened"}
        return [(numbers[e.case_id], e.rung_fired.rule, e.rung_fired.measure_id, e.rung_fired.rung, e.recorded_at_ms,
                 e.rung_fired.late) for e in events if e.WhichOneof("body") == "rung_fired"]
