/* deadline_why.c - a deadline explained: day by day, what is used of it, and what its facts are called */
#include "deadline_rules.h"

#include <string.h>

#include "base/macros.h"
#include "base/status.h"

struct telling {
	struct av_arena *arena;
	const Avvik__V1__Deadline *ledger;
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

/* The reason of the stop that holds a day. */
static const char *stop_reason(const Avvik__V1__Deadline *ledger, av_day day)
{
	for (size_t i = 0; i < ledger->n_stops; i++)
		if (day >= av_local_day(ledger->stops[i]->from_ms) &&
			(!ledger->stops[i]->until_ms || day <= av_local_day(ledger->stops[i]->until_ms)))
			return ledger->stops[i]->reason;
	return "";
}

static void tell_day(void *context, struct av_day_info info, enum av_day_use use)
{
	struct telling *telling = context;
	const char *reason =
		use == AV_USE_STOPPED ? stop_reason(telling->ledger, info.day) : day_reason(info, use);
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
		       (int)AVVIK__V1__DAY_USE__DAY_USE_STOPPED == AV_USE_STOPPED + 1,
	"the uses of a day on the wire are those of the calendar, from 1");

int deadline_explain(const Avvik__V1__Deadline *ledger, const struct deadline_calendar *calendar,
	struct av_arena *arena, Avvik__V1__WhyDay ***ret_days, size_t *ret_count)
{
	struct telling telling = {.arena = arena, .ledger = ledger};
	struct av_stops stops = deadline_stops(ledger, 0, arena);

	av_due_explain(ledger->anchor_at_ms, deadline_period(ledger),
		&(struct av_counting){&calendar->closures, &calendar->hours, &stops}, tell_day, &telling);
	if (telling.failed)
		return AV_MEMORY;
	*ret_days = telling.days;
	*ret_count = telling.count;
	return AV_OK;
}

/* --- consumption --- */

Avvik__V1__Consumption deadline_consumption(const Avvik__V1__Deadline *ledger,
	const struct deadline_calendar *calendar, int64_t now_ms, struct av_arena *arena)
{
	Avvik__V1__Consumption told = AVVIK__V1__CONSUMPTION__INIT;
	int64_t until_ms = ledger->ended_at_ms ? ledger->ended_at_ms : now_ms;
	struct av_stops ended = deadline_stops(ledger, 0, arena),
			stops = deadline_stops(
				ledger, until_ms + AV_DAY_MS, arena); /* nor does a day that stands still */
	struct av_counting counting = {&calendar->closures, &calendar->hours, &ended};
	struct av_period period = deadline_period(ledger);
	struct av_due due;

	period.moved = false; /* 2 § moves the last day; it adds nothing to the budget */
	due = av_due_counted(ledger->anchor_at_ms, period, &counting);
	told.budget = (uint32_t)av_time_used(ledger->anchor_at_ms, due.instant_ms, period.unit, &counting);
	counting.stops = &stops;
	told.used = AV_MIN(
		told.budget, (uint32_t)av_time_used(ledger->anchor_at_ms, until_ms, period.unit, &counting));
	told.unit = (Avvik__V1__PeriodUnit)av_unit_counted(period.unit);
	return told;
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
		[AVVIK__V1__ANCHOR__ANCHOR_MEASURE_WITHOUT_EFFECT]   = "åtgärden utan avsedd effekt",
		[AVVIK__V1__ANCHOR__ANCHOR_REVIEW_BEGUN]             = "tagen för granskning",
		[AVVIK__V1__ANCHOR__ANCHOR_COMPLETION_REQUESTED]     = "komplettering begärd",
		[AVVIK__V1__ANCHOR__ANCHOR_COMPLETION_ANSWERED]      = "kompletteringen inkommen",
		[AVVIK__V1__ANCHOR__ANCHOR_INQUIRY_BEGUN]            = "utredning av avvikelsen inledd",
		[AVVIK__V1__ANCHOR__ANCHOR_INQUIRY_COMPLETED]        = "utredningen av avvikelsen klar",
		[AVVIK__V1__ANCHOR__ANCHOR_SUPERSEDED]               = "en annan frist gäller i stället",
		[AVVIK__V1__ANCHOR__ANCHOR_IVO_REQUESTED]            = "dagen i IVO:s begäran",
		[AVVIK__V1__ANCHOR__ANCHOR_IVO_ANSWERED]             = "IVO:s begäran besvarad",
		[AVVIK__V1__ANCHOR__ANCHOR_IVO_DECIDED]              = "IVO har beslutat",
		[AVVIK__V1__ANCHOR__ANCHOR_RECONSIDERED]             = "ställningstagandet omprövat",
		[AVVIK__V1__ANCHOR__ANCHOR_RETURNED_TO_DEVIATION]    = "återfört som avvikelse",
		[AVVIK__V1__ANCHOR__ANCHOR_REOPENED]                 = "återöppnat",
		[AVVIK__V1__ANCHOR__ANCHOR_AFFECTED_INFORMED]        = "den enskilde informerad",
		[AVVIK__V1__ANCHOR__ANCHOR_POLICE_REPORTED]          = "polisanmält",
		[AVVIK__V1__ANCHOR__ANCHOR_INFORMATION_REGISTERED]   = "informationen diarieförd",
		[AVVIK__V1__ANCHOR__ANCHOR_COMMITTEE_TOLD]           = "nämnden underrättad om anmälan",
		[AVVIK__V1__ANCHOR__ANCHOR_JOINED]                   = "sammanfört med ett annat ärende",
		[AVVIK__V1__ANCHOR__ANCHOR_PLACED_AT_PROVIDER]       = "ärendet visade sig gälla en enskild utförare",
	};
	/* clang-format on */
	return (size_t)anchor < AV_COUNT(names) && names[anchor] ? names[anchor] : "";
}
