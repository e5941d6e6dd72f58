/* deadline_rules.h - a deadline as a ledger: from a rule and an anchor to due instant, planned rungs, and how
 * it ends.
 *
 * Pure: rules, instants and ledgers in, ledgers and judgements out. The due instant follows from anchor,
 * budget and calendar (base/calendar.h) and is never edited. Met or missed is judged by the time of the act,
 * not of its recording.
 */
#ifndef AVVIK_WORKFLOW_DEADLINE_RULES_H
#define AVVIK_WORKFLOW_DEADLINE_RULES_H

#include <stdbool.h>
#include "avvik/v1/deadline.pb-c.h"
#include "base/arena.h"
#include "base/calendar.h"

#define DEADLINE_LATE_MS \
	INT64_C(3600000) /* a rung that fires more than an hour after its time is marked late */

/* What a rule pack says of local time. */
struct deadline_calendar {
	struct av_closures closures;
	struct av_office_hours hours; /* of the rule pack, or 08-17 */
};

/* From a rule pack; the closures, sorted, lie in the arena. NULL pack: none. */
struct deadline_calendar deadline_calendar_of(const Avvik__V1__RulePack *pack, struct av_arena *arena);

enum deadline_effect { DEADLINE_UNTOUCHED, DEADLINE_MET, DEADLINE_CANCELLED };

bool deadline_concerns(const Avvik__V1__DeadlineRule *rule, Avvik__V1__CaseKind kind);
/* What the fact does to a running deadline of the rule; `met_by` comes before `cancelled_by`. */
enum deadline_effect deadline_effect(const Avvik__V1__DeadlineRule *rule, Avvik__V1__Anchor fact);

/* Fills a ledger that has its ids: budget, due day and instant, rungs. A rung whose time lies before
 * `set_at_ms` is passed over, but an overdue one is to be fired at once and marked late. The recipients are
 * the rule's own (not copied); rungs lie in the arena. AV_MEMORY. */
int deadline_set(const Avvik__V1__DeadlineRule *rule, const struct deadline_calendar *calendar,
	int64_t anchor_at_ms, int64_t set_at_ms, struct av_arena *arena, Avvik__V1__Deadline *ledger);

/* Of a case that is taken over or parted: what lies before `now_ms` is passed over, an overdue rung too, and stays
 * so however the deadline is replanned, unless its time lies ahead again. */
void deadline_pass_over(Avvik__V1__Deadline *ledger, int64_t now_ms);

/* Takes over what a rule, perhaps of another rule pack, says of budget and source. */
void deadline_adopt(const Avvik__V1__DeadlineRule *rule, Avvik__V1__Deadline *ledger);
/* Due instant and rungs anew, from what the ledger says of budget and stops and for another calendar or rule:
 * what has fired stays fired. The rungs are new, in the arena. AV_MEMORY. */
int deadline_replan(const Avvik__V1__DeadlineRule *rule, const struct deadline_calendar *calendar,
	int64_t now_ms, struct av_arena *arena, Avvik__V1__Deadline *ledger);
/* Has it been said what now lies ahead again? Each rung of a deadline fires once, so another deadline takes
 * its place, in which deadline_forget_ahead() has made the rungs that lie ahead those of a new one. */
bool deadline_speaks_again(const Avvik__V1__Deadline *ledger, int64_t now_ms);
void deadline_forget_ahead(Avvik__V1__Deadline *ledger, int64_t now_ms);

/* What has ended without being met is open again, as it was: it runs, or stands still if it stood. */
void deadline_unend(Avvik__V1__Deadline *ledger);

bool deadline_running(const Avvik__V1__Deadline *ledger);
bool deadline_stopped(const Avvik__V1__Deadline *ledger);
bool deadline_open(const Avvik__V1__Deadline *ledger); /* running or stopped */

struct av_period deadline_period(const Avvik__V1__Deadline *ledger); /* extensions included */
/* The stops, in the arena; one that goes on ends at `until_ms`. Out of memory: none. */
struct av_stops deadline_stops(const Avvik__V1__Deadline *ledger, int64_t until_ms, struct av_arena *arena);

/* --- stops and extensions --- */

enum deadline_change {
	DEADLINE_MAY,
	DEADLINE_ENDED,	       /* met, cancelled or superseded */
	DEADLINE_STANDS,       /* stopped already */
	DEADLINE_RUNS,	       /* not stopped */
	DEADLINE_NOT_FOR_THAT, /* the rule does not allow to stop it for that reason */
	DEADLINE_PAST,	       /* due before it would be stopped */
	DEADLINE_TOO_EARLY,    /* before its start, or before its last stop */
	DEADLINE_TOO_LONG      /* more than the rule allows */
};
const Avvik__V1__StopRule *deadline_stop_rule(
	const Avvik__V1__DeadlineRule *rule, const char *reason); /* NULL: none */
enum deadline_change deadline_may_stop(
	const Avvik__V1__Deadline *ledger, const Avvik__V1__StopRule *stop, int64_t from_ms);
enum deadline_change deadline_may_resume(const Avvik__V1__Deadline *ledger, int64_t until_ms);
enum deadline_change deadline_may_extend(
	const Avvik__V1__Deadline *ledger, const Avvik__V1__DeadlineRule *rule, uint32_t count);
/* Changes the ledger's stops and state; due instant and rungs follow with deadline_replan(). The reason is
 * not copied. AV_MEMORY. */
int deadline_stop(Avvik__V1__Deadline *ledger, const char *reason, int64_t from_ms, struct av_arena *arena);
void deadline_resume(Avvik__V1__Deadline *ledger, int64_t until_ms);

/* The earliest rung to fire: its index and *ret_at_ms. False: none is left, or the deadline has ended. */
bool deadline_next_rung(const Avvik__V1__Deadline *ledger, size_t *ret_index, int64_t *ret_at_ms);
/* Is a rung that fires now late? */
bool deadline_rung_late(const Avvik__V1__RungPlanned *rung, int64_t now_ms);
bool deadline_overdue_fired(const Avvik__V1__Deadline *ledger);
/* Had its time passed, as far as its rungs tell: said, or passed over when the case was taken over? */
bool deadline_overdue_known(const Avvik__V1__Deadline *ledger);

struct deadline_judgement {
	bool late;	    /* the act came after the due instant */
	bool recorded_late; /* it did not, but was recorded after the overdue rung had fired: a correction */
};
struct deadline_judgement deadline_judge(const Avvik__V1__Deadline *ledger, int64_t acted_at_ms);

/* Is it overdue now? For replies alone. */
bool deadline_overdue(const Avvik__V1__Deadline *ledger, int64_t now_ms);

/* Day by day, runs of like days as one: WhyDays in the arena. */
int deadline_explain(const Avvik__V1__Deadline *ledger, const struct deadline_calendar *calendar,
	struct av_arena *arena, Avvik__V1__WhyDay ***ret_days, size_t *ret_count);
/* What of the budget is used at `now_ms` (the end, for one that has ended), in the unit that it is counted
 * by. */
Avvik__V1__Consumption deadline_consumption(const Avvik__V1__Deadline *ledger,
	const struct deadline_calendar *calendar, int64_t now_ms, struct av_arena *arena);
const char *deadline_anchor_name(Avvik__V1__Anchor anchor); /* Swedish: "rapporten kom in" */

#endif
