"""recount.py - what the journals of an instance tell, counted again without the daemons: deadlines with their rungs, and figures.

Works on the events of workflow's feed, in order. It shares no code with the product but the messages.
"""

import datetime
import zoneinfo

from instance import pb

STOCKHOLM = zoneinfo.ZoneInfo("Europe/Stockholm")
MINUTE = 60000


def local_day(at_ms):
    return datetime.datetime.fromtimestamp(at_ms / 1000, STOCKHOLM).date()


def of_days(number):
    """A day as messages carry it: days since 1970-01-01."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=number)


class Deadline:
    def __init__(self, event):
        self.plans, self.fired, self.outcome = [], {}, None
        self.case_id = event.case_id
        self.plan(event, event.deadline_set.deadline)
        if any(rung.kind == pb.RUNG_KIND_OVERDUE and (rung.fired_at_ms or rung.passed_over) for rung in self.ledger.rungs):
            self.outcome = "missed"  # known when it was set: it took another's place, or was taken over

    def plan(self, event, ledger):
        """What holds from now on."""
        self.stop(event)
        self.ledger = ledger
        self.since_ms, self.until_ms = event.recorded_at_ms, None
        for place, rung in enumerate(ledger.rungs):
            if rung.fired_at_ms and place not in self.fired:  # said by the one whose place it took
                self.fired[place] = 1

    def stop(self, event):
        """What held until now: (rungs, since, until)."""
        if getattr(self, "ledger", None) is not None and self.until_ms is None:
            self.until_ms = event.recorded_at_ms
            self.plans.append((list(self.ledger.rungs), self.since_ms, self.until_ms))


def deadlines(events):
    found = {}
    for event in events:
        body = event.WhichOneof("body")
        if body == "deadline_set":
            found[event.deadline_set.deadline.deadline_id] = Deadline(event)
        elif body == "deadline_replanned":
            found[event.deadline_replanned.deadline.deadline_id].plan(event, event.deadline_replanned.deadline)
        elif body == "deadline_stopped":
            found[event.deadline_stopped.deadline_id].stop(event)
        elif body == "rung_fired":
            one = found[event.rung_fired.deadline_id]
            one.fired[event.rung_fired.rung] = one.fired.get(event.rung_fired.rung, 0) + 1
            if event.rung_fired.kind == pb.RUNG_KIND_OVERDUE:
                one.outcome = "missed"
        elif body == "deadline_met":
            one = found[event.deadline_met.deadline_id]
            one.stop(event)
            one.outcome = "missed" if event.deadline_met.late else "met"
        elif body == "deadline_cancelled":
            one = found[event.deadline_cancelled.deadline_id]
            one.stop(event)
            superseded = event.deadline_cancelled.because == pb.ANCHOR_SUPERSEDED
            one.outcome = "missed" if event.deadline_cancelled.overdue_fired and not superseded else "cancelled"
    return found


def wrong_rungs(events, now_ms):
    """Rungs that fired twice, and rungs whose time passed while they were planned and that never fired."""
    twice, missing, count = [], [], 0
    for one in deadlines(events).values():
        count += sum(one.fired.values())
        name = one.ledger.number, one.ledger.rule
        twice += [(*name, place) for place, times in one.fired.items() if times > 1]
        plans = one.plans + ([(list(one.ledger.rungs), one.since_ms, now_ms)] if one.until_ms is None else [])
        for rungs, since_ms, until_ms in plans:
            for place, rung in enumerate(rungs):
                passed = since_ms < until_ms and rung.at_ms + MINUTE < until_ms and not rung.passed_over
                if passed and place not in one.fired:
                    missing.append((*name, place, str(local_day(rung.at_ms))))
    return twice, missing, count


def _span(day):
    return f"{day.year}-T{(day.month - 1) // 4 + 1}"


def tertials(events):
    """{(tertial, measurement, kind): count} of the whole committee, from the facts as they stand at the end."""
    cases, counts = {}, {}

    def count(day, measurement, kind):
        key = _span(day), measurement, kind
        counts[key] = counts.get(key, 0) + 1

    for event in events:
        body = event.WhichOneof("body")
        day = local_day(event.occurred_at_ms)
        case = cases.get(event.case_id)
        if body == "case_opened":
            opened = event.case_opened
            cases[event.case_id] = {"kind": opened.kind, "received": (local_day(opened.received_at_ms), opened.kind), "days": []}
        elif body == "case_placed" and event.case_placed.kind:
            case["kind"] = event.case_placed.kind
        elif body == "case_turned_lex_sarah":
            case["kind"] = pb.CASE_KIND_LEX_SARAH
            case["days"].append(("turned_lex_sarah", day))
        elif body == "case_returned_to_deviation":
            case["kind"] = pb.CASE_KIND_DEVIATION
            case["days"].append(("returned_deviation", day))
        elif body == "case_reopened":
            case["days"] = [each for each in case["days"] if each[0] not in ("decided", "closed")] + [("reopened", day)]
        elif body in ("case_decided", "case_closed", "ivo_notified"):
            case["days"].append(({"ivo_notified": "notified_ivo"}.get(body, body[5:]), day))
    names = {number: name[10:].lower() for name, number in pb.CaseKind.items()}
    for case in cases.values():
        count(case["received"][0], "received", names[case["received"][1]])
        for measurement, day in case["days"]:
            count(day, measurement, names[case["kind"]])
    kind_when_set = {}
    kinds = {}
    for event in events:  # a deadline counts by the kind that its case had when it was set
        body = event.WhichOneof("body")
        if body == "case_opened":
            kinds[event.case_id] = event.case_opened.kind
        elif body == "case_placed" and event.case_placed.kind:
            kinds[event.case_id] = event.case_placed.kind
        elif body == "case_turned_lex_sarah":
            kinds[event.case_id] = pb.CASE_KIND_LEX_SARAH
        elif body == "case_returned_to_deviation":
            kinds[event.case_id] = pb.CASE_KIND_DEVIATION
        elif body == "deadline_set":
            kind_when_set[event.deadline_set.deadline.deadline_id] = kinds[event.case_id]
    for deadline_id, one in deadlines(events).items():
        if one.outcome in ("met", "missed"):
            count(of_days(one.ledger.due_on), f"deadlines_{one.outcome}", names[kind_when_set[deadline_id]])
    return counts
