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

static struct av_period period_of(const Avvik__V1__Deadline *ledger)
{
	return (struct av_period){
		(int)(ledger->count + ledger->extended), (enum av_period_unit)ledger->unit, ledger->moved};
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

int deadline_set(const Avvik__V1__DeadlineRule *rule, const struct deadline_calendar *calendar,
	int64_t anchor_at_ms, int64_t set_at_ms, struct av_arena *arena, Avvik__V1__Deadline *ledger)
{
	Avvik__V1__RungPlanned *rungs = av_arena_alloc(arena, rule->n_ladder * sizeof(*rungs) + 1);
	struct av_due due;

	ledger->rungs = av_arena_alloc(arena, rule->n_ladder * sizeof(*ledger->rungs) + 1);
	if (!rungs || !ledger->rungs)
		return AV_MEMORY;
	ledger->rule = rule->id;
	ledger->anchor_at_ms = anchor_at_ms;
	ledger->count = rule->count;
	ledger->unit = rule->unit;
	ledger->moved = rule->moved;
	ledger->statutory = rule->statutory;
	ledger->source = rule->source;
	ledger->state = AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
	due = av_due(anchor_at_ms, period_of(ledger), &calendar->closures, &calendar->hours);
	ledger->nominal_on = due.nominal;
	ledger->due_on = due.day;
	ledger->due_at_ms = due.instant_ms;
	ledger->n_rungs = rule->n_ladder;
	for (size_t i = 0; i < rule->n_ladder; i++) {
		const Avvik__V1__Rung *rung = rule->ladder[i];
		bool past;

		avvik__v1__rung_planned__init(&rungs[i]);
		rungs[i].kind = rung->kind;
		rungs[i].at_ms = rung_at(rung, ledger, &due, calendar);
		rungs[i].n_to = rung->n_to;
		rungs[i].to = rung->to;
		past = rungs[i].at_ms < set_at_ms;
		rungs[i].passed_over = past && rung->kind != RUNG(OVERDUE);
		rungs[i].late = past && rung->kind == RUNG(OVERDUE);
		ledger->rungs[i] = &rungs[i];
	}
	return AV_OK;
}

bool deadline_running(const Avvik__V1__Deadline *ledger)
{
	return ledger->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING;
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

struct deadline_judgement deadline_judge(const Avvik__V1__Deadline *ledger, int64_t acted_at_ms)
{
	bool late = acted_at_ms > ledger->due_at_ms;
	return (struct deadline_judgement){late, !late && deadline_overdue_fired(ledger)};
}

bool deadline_overdue(const Avvik__V1__Deadline *ledger, int64_t now_ms)
{
	return deadline_running(ledger) && now_ms > ledger->due_at_ms;
}

/* --- why --- */

struct telling {
	struct av_arena *arena;
	Avvik__V1__WhyDay **days;
	size_t count, room;
	bool failed;
};

/* Only days that were not simply counted need a reason. */
static const char *day_reason(struct av_day_info info, enum av_day_use use)
{
	if (use == AV_USE_START || use == AV_USE_COUNTED)
		return "";
	switch (info.kind) {
	case AV_DAY_SATURDAY:
		return "lördag";
	case AV_DAY_SUNDAY:
		return "söndag";
	case AV_DAY_HOLIDAY:
	case AV_DAY_EVE:
		return av_holiday_name(info.holiday);
	case AV_DAY_CLOSED:
		return "stängt enligt regelpaketet";
	default:
		return "";
	}
}

static void tell_day(void *context, struct av_day_info info, enum av_day_use use)
{
	struct telling *telling = context;
	const char *reason = day_reason(info, use);
	Avvik__V1__WhyDay *last = telling->count ? telling->days[telling->count - 1] : NULL, *day;

	if (telling->failed)
		return;
	if (last && (int)last->use == (int)use + 1 && strcmp(last->reason, reason) == 0) {
		last->run++;
		return;
	}
	if (telling->count == telling->room) {
		size_t room = telling->room ? telling->room * 2 : 16;
		Avvik__V1__WhyDay **days = av_arena_alloc(telling->arena, room * sizeof(*days));
		if (!days) {
			telling->failed = true;
			return;
		}
		if (telling->count)
			memcpy(days, telling->days, telling->count * sizeof(*days));
		telling->days = days;
		telling->room = room;
	}
	day = av_arena_alloc(telling->arena, sizeof(*day));
	if (!day) {
		telling->failed = true;
		return;
	}
	avvik__v1__why_day__init(day);
	day->day_on = info.day;
	day->use = (Avvik__V1__DayUse)((int)use + 1);
	day->reason = (char *)reason;
	day->run = 1;
	telling->days[telling->count++] = day;
}

_Static_assert((int)AVVIK__V1__DAY_USE__DAY_USE_START == AV_USE_START + 1 &&
		       (int)AVVIK__V1__DAY_USE__DAY_USE_DUE == AV_USE_DUE + 1,
	"the uses of a day on the wire are those of the calendar, from 1");

int deadline_explain(const Avvik__V1__Deadline *ledger, const struct deadline_calendar *calendar,
	struct av_arena *arena, Avvik__V1__WhyDay ***ret_days, size_t *ret_count)
{
	struct telling telling = {.arena = arena};

	av_due_explain(ledger->anchor_at_ms, period_of(ledger), &calendar->closures, &calendar->hours,
		tell_day, &telling);
	if (telling.failed)
		return AV_MEMORY;
	*ret_days = telling.days;
	*ret_count = telling.count;
	return AV_OK;
}

const char *deadline_anchor_name(Avvik__V1__Anchor anchor)
{
	/* clang-format off */
	static const char *const names[] = {
		[AVVIK__V1__ANCHOR__ANCHOR_UNSPECIFIED]              = "",
		[AVVIK__V1__ANCHOR__ANCHOR_RECEIVED]                 = "rapporten kom in",
		[AVVIK__V1__ANCHOR__ANCHOR_REMEDIED]                 = "avhjälpt eller undanröjt",
		[AVVIK__V1__ANCHOR__ANCHOR_ASSESSED_INITIALLY]       = "inledande bedömning",
		[AVVIK__V1__ANCHOR__ANCHOR_SERIOUS]                  = "bedömt som allvarligt",
		[AVVIK__V1__ANCHOR__ANCHOR_NOTIFIED]                 = "anmält till IVO",
		[AVVIK__V1__ANCHOR__ANCHOR_NOTIFIED_INCOMPLETE]      = "anmält till IVO utan färdig utredning",
		[AVVIK__V1__ANCHOR__ANCHOR_INVESTIGATION_HANDED_IN]  = "utredningen inlämnad till IVO",
		[AVVIK__V1__ANCHOR__ANCHOR_MEASURE_PLANNED_END]      = "åtgärdens planerade slut",
		[AVVIK__V1__ANCHOR__ANCHOR_MEASURE_EXECUTED]         = "åtgärden genomförd",
		[AVVIK__V1__ANCHOR__ANCHOR_MEASURE_EVALUATED]        = "effekten bedömd",
		[AVVIK__V1__ANCHOR__ANCHOR_MEASURE_REJECTED]         = "åtgärden avslagen",
		[AVVIK__V1__ANCHOR__ANCHOR_DECIDED]                  = "beslutat",
		[AVVIK__V1__ANCHOR__ANCHOR_CLOSED]                   = "avslutat",
		[AVVIK__V1__ANCHOR__ANCHOR_CLOSED_AS_POSITION]       = "avslutat genom ställningstagande",
		[AVVIK__V1__ANCHOR__ANCHOR_IVO_DUTY_LIFTED]          = "anmälningsplikten upphävd",
		[AVVIK__V1__ANCHOR__ANCHOR_ASSESSED]                 = "avvikelsen bedömd",
		[AVVIK__V1__ANCHOR__ANCHOR_TURNED_LEX_SARAH]         = "övergått till lex Sarah",
		[AVVIK__V1__ANCHOR__ANCHOR_NOTICED]                  = "uppmärksammat",
	};
	/* clang-format on */
	return (size_t)anchor < AV_COUNT(names) ? names[anchor] : "";
}
