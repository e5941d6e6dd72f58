/* deadline_rules.c - the arithmetic of deadlines
 *
 * Rungs fire when the office opens: warnings and escalations so many days from the last day, DUE on it;
 * OVERDUE the millisecond after the due instant. Rungs counted in hours are exact.
 */
#include "deadline_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/status.h"

#define HOUR_MS INT64_C(3600000)
#define MINUTE_MS 60000

#define RUNG(name) AVVIK__V1__RUNG_KIND__RUNG_KIND_##name
#define UNIT(name) AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_##name

_Static_assert((int)UNIT(HOURS) == AV_UNIT_HOURS && (int)UNIT(WORKING_HOURS) == AV_UNIT_WORKING_HOURS,
	"the units of the rule pack are those of the calendar");

static int compare_days(const void *a, const void *b)
{
	return (*(const av_day *)a > *(const av_day *)b) - (*(const av_day *)a < *(const av_day *)b);
}

struct deadline_calendar deadline_calendar_of(const Avvik__V1__RulePack *pack, struct av_arena *arena)
{
	struct deadline_calendar calendar = {.hours = {8 * 60 * MINUTE_MS, 17 * 60 * MINUTE_MS}};
	av_day *days;

	if (!pack)
		return calendar;
	if (pack->office_hours && pack->office_hours->from_minute < pack->office_hours->to_minute &&
		pack->office_hours->to_minute <= 24 * 60)
		calendar.hours = (struct av_office_hours){(int)pack->office_hours->from_minute * MINUTE_MS,
			(int)pack->office_hours->to_minute * MINUTE_MS};
	days = pack->n_closures_on
		       ? av_arena_copy(arena, pack->closures_on, pack->n_closures_on * sizeof(*days))
		       : NULL;
	if (days) {
		qsort(days, pack->n_closures_on, sizeof(*days), compare_days);
		calendar.closures = (struct av_closures){days, pack->n_closures_on};
	}
	return calendar;
}

bool deadline_concerns(const Avvik__V1__DeadlineRule *rule, Avvik__V1__CaseKind kind)
{
	for (size_t i = 0; i < rule->n_kinds; i++)
		if (rule->kinds[i] == kind)
			return true;
	return false;
}

enum deadline_effect deadline_effect(const Avvik__V1__DeadlineRule *rule, Avvik__V1__Anchor fact)
{
	for (size_t i = 0; i < rule->n_met_by; i++)
		if (rule->met_by[i] == fact)
			return DEADLINE_MET;
	for (size_t i = 0; i < rule->n_cancelled_by; i++)
		if (rule->cancelled_by[i] == fact)
			return DEADLINE_CANCELLED;
	return DEADLINE_UNTOUCHED;
}

static bool in_hours(Avvik__V1__PeriodUnit unit)
{
	return unit == UNIT(HOURS) || unit == UNIT(WORKING_HOURS);
}

struct av_period deadline_period(const Avvik__V1__Deadline *ledger)
{
	return (struct av_period){
		(int)(ledger->count + ledger->extended), (enum av_period_unit)ledger->unit, ledger->moved};
}

struct av_stops deadline_stops(const Avvik__V1__Deadline *ledger, int64_t until_ms, struct av_arena *arena)
{
	struct av_stop *stops = av_arena_alloc(arena, ledger->n_stops * sizeof(*stops) + 1);
	size_t count = 0;

	for (size_t i = 0; stops && i < ledger->n_stops; i++)
		stops[count++] = (struct av_stop){ledger->stops[i]->from_ms,
			ledger->stops[i]->until_ms ? ledger->stops[i]->until_ms : until_ms};
	return (struct av_stops){stops, count};
}

static int64_t rung_at(const Avvik__V1__Rung *rung, const Avvik__V1__Deadline *ledger,
	const struct av_due *due, const struct deadline_calendar *calendar)
{
	int count = (int)AV_MIN(rung->count, 10000u), sign = rung->kind == RUNG(WARNING) ? -1 : 1;
	enum av_period_unit unit = rung->unit ? (enum av_period_unit)rung->unit : AV_UNIT_DAYS;
	int64_t at_ms;

	if (rung->kind == RUNG(OVERDUE))
		return due->instant_ms + 1;
	if (rung->kind == RUNG(DUE))
		return in_hours(ledger->unit) ? due->instant_ms
					      : av_local_instant(due->day, calendar->hours.from_ms);
	if (unit == AV_UNIT_HOURS || unit == AV_UNIT_WORKING_HOURS)
		at_ms = due->instant_ms + sign * count * HOUR_MS;
	else if (in_hours(ledger->unit) && unit == AV_UNIT_DAYS)
		at_ms = due->instant_ms + sign * count * 24 * HOUR_MS;
	else
		at_ms = av_local_instant(av_day_before(due->day, -sign * count, unit, &calendar->closures),
			calendar->hours.from_ms);
	return sign > 0 ? AV_MAX(at_ms, due->instant_ms + 1)
			: at_ms; /* an escalation never comes before the end */
}

static struct av_due due_of(
	const Avvik__V1__Deadline *ledger, const struct deadline_calendar *calendar, struct av_arena *arena)
{
	struct av_stops stops = deadline_stops(ledger, 0, arena);
	return av_due_counted(ledger->anchor_at_ms, deadline_period(ledger),
		&(struct av_counting){&calendar->closures, &calendar->hours, &stops});
}

/* One rung as it is from now on; what has fired stays fired. */
static void plan_rung(Avvik__V1__RungPlanned *planned, const Avvik__V1__Rung *rung,
	const Avvik__V1__Deadline *ledger, const struct av_due *due, const struct deadline_calendar *calendar,
	int64_t now_ms)
{
	bool past;

	planned->kind = rung->kind;
	planned->at_ms = rung_at(rung, ledger, due, calendar);
	planned->n_to = rung->n_to;
	planned->to = rung->to;
	if (planned->fired_at_ms)
		return;
	past = planned->at_ms < now_ms;
	planned->passed_over = past && (rung->kind != RUNG(OVERDUE) || planned->passed_over);
	planned->late = past && !planned->passed_over;
}

int deadline_replan(const Avvik__V1__DeadlineRule *rule, const struct deadline_calendar *calendar,
	int64_t now_ms, struct av_arena *arena, Avvik__V1__Deadline *ledger)
{
	Avvik__V1__RungPlanned *rungs = av_arena_alloc(arena, rule->n_ladder * sizeof(*rungs) + 1);
	Avvik__V1__RungPlanned **planned = av_arena_alloc(arena, rule->n_ladder * sizeof(*planned) + 1);
	struct av_due due = due_of(ledger, calendar, arena);

	if (!rungs || !planned)
		return AV_MEMORY;
	ledger->nominal_on = due.nominal;
	ledger->due_on = due.day;
	ledger->due_at_ms = due.instant_ms;
	for (size_t i = 0; i < rule->n_ladder; i++) {
		avvik__v1__rung_planned__init(&rungs[i]);
		if (i < ledger->n_rungs) {
			rungs[i].fired_at_ms = ledger->rungs[i]->fired_at_ms;
			rungs[i].late = ledger->rungs[i]->late;
			rungs[i].passed_over = ledger->rungs[i]->passed_over;
		}
		plan_rung(&rungs[i], rule->ladder[i], ledger, &due, calendar, now_ms);
		planned[i] = &rungs[i];
	}
	ledger->n_rungs = rule->n_ladder;
	ledger->rungs = planned;
	return AV_OK;
}

void deadline_adopt(const Avvik__V1__DeadlineRule *rule, Avvik__V1__Deadline *ledger)
{
	ledger->rule = rule->id;
	ledger->count = rule->count;
	ledger->unit = rule->unit;
	ledger->moved = rule->moved;
	ledger->statutory = rule->statutory;
	ledger->source = rule->source;
}

int deadline_set(const Avvik__V1__DeadlineRule *rule, const struct deadline_calendar *calendar,
	int64_t anchor_at_ms, int64_t set_at_ms, struct av_arena *arena, Avvik__V1__Deadline *ledger)
{
	deadline_adopt(rule, ledger);
	ledger->anchor_at_ms = anchor_at_ms;
	ledger->state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
	return deadline_replan(rule, calendar, set_at_ms, arena, ledger);
}

void deadline_pass_over(Avvik__V1__Deadline *ledger, int64_t now_ms)
{
	for (size_t i = 0; i < ledger->n_rungs; i++)
		if (!ledger->rungs[i]->fired_at_ms && ledger->rungs[i]->at_ms < now_ms) {
			ledger->rungs[i]->passed_over = true;
			ledger->rungs[i]->late = false;
		}
}

bool deadline_speaks_again(const Avvik__V1__Deadline *ledger, int64_t now_ms)
{
	for (size_t i = 0; i < ledger->n_rungs; i++)
		if (ledger->rungs[i]->fired_at_ms && ledger->rungs[i]->at_ms > now_ms)
			return true;
	return false;
}

void deadline_forget_ahead(Avvik__V1__Deadline *ledger, int64_t now_ms)
{
	for (size_t i = 0; i < ledger->n_rungs; i++)
		if (ledger->rungs[i]->at_ms > now_ms) {
			ledger->rungs[i]->fired_at_ms = 0;
			ledger->rungs[i]->late = false;
		}
}

void deadline_unend(Avvik__V1__Deadline *ledger)
{
	Avvik__V1__DeadlineStop *last = ledger->n_stops ? ledger->stops[ledger->n_stops - 1] : NULL;
	bool stood = last && last->until_ms == ledger->ended_at_ms;

	if (stood)
		last->until_ms = 0;
	ledger->state = stood ? AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED
			      : AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
	ledger->ended_at_ms = ledger->ended_recorded_at_ms = 0;
	ledger->superseded_by = (ProtobufCBinaryData){0, NULL};
}

bool deadline_running(const Avvik__V1__Deadline *ledger)
{
	return ledger->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
}

bool deadline_open(const Avvik__V1__Deadline *ledger)
{
	return deadline_running(ledger) || deadline_stopped(ledger);
}

bool deadline_stopped(const Avvik__V1__Deadline *ledger)
{
	return ledger->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED;
}

const Avvik__V1__StopRule *deadline_stop_rule(const Avvik__V1__DeadlineRule *rule, const char *reason)
{
	for (size_t i = 0; i < rule->n_stops; i++)
		if (strcmp(rule->stops[i]->reason, reason) == 0)
			return rule->stops[i];
	return NULL;
}

/* The last thing that the ledger tells of its own course: a stop lies after it. */
static int64_t last_change_ms(const Avvik__V1__Deadline *ledger)
{
	const Avvik__V1__DeadlineStop *last = ledger->n_stops ? ledger->stops[ledger->n_stops - 1] : NULL;
	return !last ? ledger->anchor_at_ms : last->until_ms ? last->until_ms : last->from_ms;
}

enum deadline_change deadline_may_stop(
	const Avvik__V1__Deadline *ledger, const Avvik__V1__StopRule *stop, int64_t from_ms)
{
	if (!deadline_open(ledger))
		return DEADLINE_ENDED;
	if (deadline_stopped(ledger))
		return DEADLINE_STANDS;
	if (!stop)
		return DEADLINE_NOT_FOR_THAT;
	if (from_ms > ledger->due_at_ms)
		return DEADLINE_PAST;
	return from_ms >= last_change_ms(ledger) ? DEADLINE_MAY : DEADLINE_TOO_EARLY;
}

enum deadline_change deadline_may_resume(const Avvik__V1__Deadline *ledger, int64_t until_ms)
{
	if (!deadline_open(ledger))
		return DEADLINE_ENDED;
	if (!deadline_stopped(ledger))
		return DEADLINE_RUNS;
	return until_ms >= last_change_ms(ledger) ? DEADLINE_MAY : DEADLINE_TOO_EARLY;
}

enum deadline_change deadline_may_extend(
	const Avvik__V1__Deadline *ledger, const Avvik__V1__DeadlineRule *rule, uint32_t count)
{
	if (!deadline_open(ledger))
		return DEADLINE_ENDED;
	if (deadline_stopped(ledger))
		return DEADLINE_STANDS;
	return ledger->extended + (uint64_t)count <= rule->extendable ? DEADLINE_MAY : DEADLINE_TOO_LONG;
}

int deadline_stop(Avvik__V1__Deadline *ledger, const char *reason, int64_t from_ms, struct av_arena *arena)
{
	Avvik__V1__DeadlineStop **stops = av_arena_alloc(arena, (ledger->n_stops + 1) * sizeof(*stops));
	Avvik__V1__DeadlineStop *stop = av_arena_alloc(arena, sizeof(*stop));

	if (!stops || !stop)
		return AV_MEMORY;
	if (ledger->n_stops)
		memcpy(stops, ledger->stops, ledger->n_stops * sizeof(*stops));
	avvik__v1__deadline_stop__init(stop);
	stop->from_ms = from_ms;
	stop->reason = (char *)reason;
	stops[ledger->n_stops++] = stop;
	ledger->stops = stops;
	ledger->state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED;
	return AV_OK;
}

void deadline_resume(Avvik__V1__Deadline *ledger, int64_t until_ms)
{
	if (ledger->n_stops)
		ledger->stops[ledger->n_stops - 1]->until_ms = until_ms;
	ledger->state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
}

bool deadline_next_rung(const Avvik__V1__Deadline *ledger, size_t *ret_index, int64_t *ret_at_ms)
{
	bool found = false;

	if (!deadline_running(ledger))
		return false;
	for (size_t i = 0; i < ledger->n_rungs; i++) {
		const Avvik__V1__RungPlanned *rung = ledger->rungs[i];
		if (rung->fired_at_ms || rung->passed_over || (found && rung->at_ms >= *ret_at_ms))
			continue;
		found = true;
		*ret_index = i;
		*ret_at_ms = rung->at_ms;
	}
	return found;
}

bool deadline_rung_late(const Avvik__V1__RungPlanned *rung, int64_t now_ms)
{
	return rung->late || now_ms - rung->at_ms > DEADLINE_LATE_MS;
}

bool deadline_overdue_fired(const Avvik__V1__Deadline *ledger)
{
	for (size_t i = 0; i < ledger->n_rungs; i++)
		if (ledger->rungs[i]->kind == RUNG(OVERDUE) && ledger->rungs[i]->fired_at_ms)
			return true;
	return false;
}

bool deadline_overdue_known(const Avvik__V1__Deadline *ledger)
{
	for (size_t i = 0; i < ledger->n_rungs; i++)
		if (ledger->rungs[i]->kind == RUNG(OVERDUE) && ledger->rungs[i]->passed_over)
			return true;
	return deadline_overdue_fired(ledger);
}

struct deadline_judgement deadline_judge(const Avvik__V1__Deadline *ledger, int64_t acted_at_ms)
{
	bool late = !deadline_stopped(ledger) && acted_at_ms > ledger->due_at_ms;
	return (struct deadline_judgement){late, !late && deadline_overdue_fired(ledger)};
}

bool deadline_overdue(const Avvik__V1__Deadline *ledger, int64_t now_ms)
{
	return deadline_running(ledger) && now_ms > ledger->due_at_ms;
}
