/* rulepack_deadlines.c - the check of deadlines: what starts, meets and cancels them, and the ladder in its
 * order.
 *
 * Lengths of different units are compared roughly (a month is 30 days, five working days are a week): enough
 * to see that a warning lies before the start, or that one rung comes before another.
 */
#include <string.h>
#include "code_text.h"
#include "rulepack_rules.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define UNIT(name) AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_##name
#define RUNG(name) AVVIK__V1__RUNG_KIND__RUNG_KIND_##name

static unsigned long rough_hours(unsigned long count, Avvik__V1__PeriodUnit unit)
{
	switch (unit) {
	case UNIT(HOURS):
		return count;
	case UNIT(WORKING_HOURS):
		return count * 24 * 7 / 45; /* nine hours, five days */
	case UNIT(DAYS):
		return count * 24;
	case UNIT(WORKING_DAYS):
		return count * 24 * 7 / 5;
	case UNIT(WEEKS):
		return count * 24 * 7;
	case UNIT(MONTHS):
		return count * 24 * 30;
	case UNIT(YEARS):
		return count * 24 * 365;
	default:
		return 0;
	}
}

/* Of a part of a case, of which there may be several: a measure, or a request of IVO. */
static bool of_measure(Avvik__V1__Anchor anchor)
{
	return anchor == ANCHOR(MEASURE_PLANNED_END) || anchor == ANCHOR(MEASURE_EXECUTED) ||
	       anchor == ANCHOR(MEASURE_EVALUATED) || anchor == ANCHOR(MEASURE_REJECTED) ||
	       anchor == ANCHOR(IVO_REQUESTED) || anchor == ANCHOR(IVO_ANSWERED);
}

/* A day that was named, and is itself the due day. */
static bool is_named_day(Avvik__V1__Anchor anchor)
{
	return anchor == ANCHOR(MEASURE_PLANNED_END) || anchor == ANCHOR(IVO_REQUESTED);
}

static bool in_hours(Avvik__V1__PeriodUnit unit)
{
	return unit == UNIT(HOURS) || unit == UNIT(WORKING_HOURS);
}

static void check_anchors(const Avvik__V1__DeadlineRule *rule, size_t i, struct av_faults *faults)
{
	if (rule->starts == ANCHOR(UNSPECIFIED))
		av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].starts", i),
			"is missing: say what starts the deadline");
	if (rule->n_met_by == 0)
		av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].met_by", i),
			"is missing: say what meets the deadline");
	if (rule->per_measure != of_measure(rule->starts) && rule->starts != ANCHOR(UNSPECIFIED))
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "deadlines[%zu].per_measure", i),
			"does not agree with what starts it: true when it starts by a measure or a request "
			"of "
			"IVO, and only then");
	for (size_t m = 0; m < rule->n_met_by; m++) {
		if (rule->met_by[m] == rule->starts)
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "deadlines[%zu].met_by[%zu]", i, m),
				"is what starts it: a deadline that meets itself is none");
		if (rule->per_measure && !of_measure(rule->met_by[m]))
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "deadlines[%zu].met_by[%zu]", i, m),
				"is not of a measure or request: a deadline for each is met by that one");
	}
	for (size_t c = 0; c < rule->n_cancelled_by; c++) {
		bool meets = rule->cancelled_by[c] == rule->starts;
		for (size_t m = 0; m < rule->n_met_by; m++)
			meets |= rule->met_by[m] == rule->cancelled_by[c];
		if (meets)
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "deadlines[%zu].cancelled_by[%zu]", i, c),
				"starts or meets it too: keep one of them");
	}
}

static void check_length(const Avvik__V1__DeadlineRule *rule, size_t i, struct av_faults *faults)
{
	if (rule->unit == UNIT(UNSPECIFIED))
		av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].unit", i),
			"is missing: give hours, days, weeks, months, years, working_days or working_hours");
	if (rule->count == 0 && !is_named_day(rule->starts))
		av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].count", i),
			"is missing: a deadline has a length, unless it is a planned day itself");
	/* lag (1930:173) 2 § moves days, not hours; working days never end on a day off. */
	if (rule->moved && (in_hours(rule->unit) || rule->unit == UNIT(WORKING_DAYS)))
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "deadlines[%zu].moved", i),
			"is for days, weeks, months and years: remove it");
	if (rule->statutory && rule->unit == UNIT(WORKING_DAYS))
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "deadlines[%zu].statutory", i),
			"does not go with working days, which a municipality chooses for a target of its "
			"own: set it to false");
}

static void check_stops(const Avvik__V1__RulePack *rules, size_t i, struct av_faults *faults)
{
	const Avvik__V1__DeadlineRule *rule = rules->deadlines[i];
	for (size_t s = 0; s < rule->n_stops; s++) {
		const Avvik__V1__StopRule *stop = rule->stops[s];
		const char *path = path_of(faults, "deadlines[%zu].stops[%zu]", i, s);
		bool known = false;
		for (size_t r = 0; r < rules->n_stop_reasons; r++)
			known |= strcmp(rules->stop_reasons[r]->code, stop->reason) == 0;
		if (!known)
			av_fault(faults, CODE(UNKNOWN_REFERENCE), path_of(faults, "%s.reason", path),
				"is not among stop_reasons: give the code of one");
		for (size_t o = 0; o < s; o++)
			if (strcmp(rule->stops[o]->reason, stop->reason) == 0)
				av_fault(faults, CODE(DUPLICATE), path_of(faults, "%s.reason", path),
					"is there twice: give each reason once");
		if ((stop->from == ANCHOR(UNSPECIFIED)) != (stop->until == ANCHOR(UNSPECIFIED)))
			av_fault(faults, CODE(CONTRADICTION), path,
				"gives one of from and until: give both facts, or none when a person "
				"decides");
		else if (stop->from != ANCHOR(UNSPECIFIED) && stop->from == stop->until)
			av_fault(faults, CODE(CONTRADICTION), path,
				"begins and ends by the same fact: it would never stand still");
	}
}

static void check_rung(const Avvik__V1__RulePack *rules, size_t i, size_t r, struct av_faults *faults)
{
	const Avvik__V1__DeadlineRule *rule = rules->deadlines[i];
	const Avvik__V1__Rung *rung = rule->ladder[r];
	bool counted = rung->kind == RUNG(WARNING) || rung->kind == RUNG(ESCALATION);
	const char *path = path_of(faults, "deadlines[%zu].ladder[%zu]", i, r);
	if (counted && rung->count == 0)
		av_fault(faults, CODE(REQUIRED), path_of(faults, "%s.count", path),
			"is missing: say how long before or after the due day");
	else if (!counted && rung->count != 0)
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "%s.count", path),
			"is for warnings and escalations: remove it");
	else if (counted && rung->unit != UNIT(DAYS) && rung->unit != UNIT(WORKING_DAYS) &&
		 !(rung->unit == UNIT(HOURS) && in_hours(rule->unit)))
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "%s.unit", path),
			"is not a unit for this rung: give days or working_days, or hours when the deadline "
			"is in hours");
	/* A named day lies ahead, so that a warning may come long before it. */
	if (rung->kind == RUNG(WARNING) && !is_named_day(rule->starts) && rule->count != 0 &&
		rough_hours(rung->count, rung->unit) >= rough_hours(rule->count, rule->unit))
		av_fault(faults, CODE(CONTRADICTION), path_of(faults, "%s.count", path),
			"is as long as the deadline: warn after its start");
	if (rung->n_to == 0)
		av_fault(faults, CODE(REQUIRED), path_of(faults, "%s.to", path),
			"is missing: name at least one recipient");
	for (size_t t = 0; t < rung->n_to; t++)
		rulepack_check_recipient(rules, rung->to[t], rule->per_measure,
			path_of(faults, "%s.to[%zu]", path, t), faults);
}

/* When a rung comes, on a line on which 0 is the due instant. */
static long place_of_rung(const Avvik__V1__Rung *rung)
{
	long hours = (long)rough_hours(rung->count, rung->unit);
	switch (rung->kind) {
	case RUNG(WARNING):
		return -1 - hours;
	case RUNG(OVERDUE):
		return 1;
	case RUNG(ESCALATION):
		return 2 + hours;
	default:
		return 0;
	}
}

static bool tells(const Avvik__V1__NoticeRule *notice, const char *deadline, Avvik__V1__RungKind kind)
{
	if (strcmp(notice->event, "RungFired") != 0 ||
		(*notice->deadline && strcmp(notice->deadline, deadline) != 0))
		return false;
	for (size_t i = 0; i < notice->n_rungs; i++)
		if (notice->rungs[i] == kind)
			return true;
	return notice->n_rungs == 0;
}

static void check_told(const Avvik__V1__RulePack *rules, size_t i, size_t r, struct av_faults *faults)
{
	for (size_t n = 0; n < rules->n_notices; n++)
		if (tells(rules->notices[n], rules->deadlines[i]->id, rules->deadlines[i]->ladder[r]->kind))
			return;
	av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].ladder[%zu]", i, r),
		"is told by no row of `notices`: add one for RungFired of this deadline and kind");
}

static void check_ladder(const Avvik__V1__RulePack *rules, size_t i, struct av_faults *faults)
{
	const Avvik__V1__DeadlineRule *rule = rules->deadlines[i];
	for (size_t r = 0; r < rule->n_ladder; r++) {
		check_rung(rules, i, r, faults);
		check_told(rules, i, r, faults);
		if (r > 0 && place_of_rung(rule->ladder[r]) <= place_of_rung(rule->ladder[r - 1]))
			av_fault(faults, CODE(CONTRADICTION),
				path_of(faults, "deadlines[%zu].ladder[%zu]", i, r),
				"does not come after the rung above it: warnings from the earliest, then "
				"due, overdue, "
				"and escalations");
	}
}

void rulepack_check_deadlines(
	const Avvik__V1__RulePack *rules, struct av_arena *arena, struct av_faults *faults)
{
	struct text_set seen = text_set_create(rules->n_deadlines, arena);
	for (size_t i = 0; seen.texts && i < rules->n_deadlines; i++) {
		const Avvik__V1__DeadlineRule *rule = rules->deadlines[i];
		if (!text_set_add(&seen, rule->id))
			av_fault(faults, CODE(DUPLICATE), path_of(faults, "deadlines[%zu].id", i),
				"is there twice: give each deadline an id of its own");
		if (text_is_blank(rule->name))
			av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].name", i),
				"is missing: give the name that mails say");
		if (text_is_blank(rule->source))
			av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].source", i),
				"is missing: give law and paragraph, or who set the target");
		if (rule->n_kinds == 0)
			av_fault(faults, CODE(REQUIRED), path_of(faults, "deadlines[%zu].kinds", i),
				"are missing: say for which cases it holds");
		check_anchors(rule, i, faults);
		check_length(rule, i, faults);
		check_stops(rules, i, faults);
		check_ladder(rules, i, faults);
	}
}
