/* check_due.c - when a deadline is due, counted again from what the journal tells: anchor, budget, each stop, each
 * extension. Of the product's calendar only what a day is, and the end of a period that was never stopped.
 */
#include "check_inner.h"

#include <string.h>

#include "base/calendar.h"

#define UNIT(name) AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_##name

void due_stopped(struct told *t, struct told_deadline *d, const Avvik__V1__Event *event)
{
	SIM_EXPECT(t->w, d->stop_count < STOPS_MAX, "a deadline is stopped too often for the recount");
	d->stops[d->stop_count++] = (struct told_stop){.from_ms = event->occurred_at_ms};
}

void due_resumed(struct told *t, struct told_deadline *d, const Avvik__V1__Event *event)
{
	SIM_EXPECT(t->w, d->stop_count && !d->stops[d->stop_count - 1].until_ms,
		"workflow: event %llu lets a deadline go on that does not stand still",
		(unsigned long long)event->sequence);
	d->stops[d->stop_count - 1].until_ms = event->occurred_at_ms;
}

/* What was said of one holds of the one that takes its place. */
void due_inherit(struct told_deadline *d, const struct told_deadline *before)
{
	memcpy(d->stops, before->stops, sizeof d->stops);
	d->stop_count = before->stop_count;
	d->extended = before->extended;
}

static av_day working_days_on(av_day day, int32_t count)
{
	while (count > 0)
		count -= av_working_day(++day, NULL);
	return day;
}

/* The last day, before lag 1930:173 2 §: each stop that begins while it runs makes it end so much later. */
static av_day last_day(const struct told_deadline *d)
{
	const Avvik__V1__Deadline *ledger = d->ledger;
	struct av_period period = {
		(int)(ledger->count + d->extended), (enum av_period_unit)ledger->unit, false};
	av_day start = av_local_day(ledger->anchor_at_ms);
	av_day day = av_due(ledger->anchor_at_ms, period, NULL, NULL).nominal;
	for (size_t i = 0; i < d->stop_count; i++) {
		av_day from = AV_MAX(av_local_day(d->stops[i].from_ms), start + 1);
		av_day until = av_local_day(d->stops[i].until_ms);
		if (from > day || until <= from)
			continue;
		if (ledger->unit != UNIT(WORKING_DAYS)) {
			day += until - from;
			continue;
		}
		int32_t stood = 0;
		for (av_day each = from; each < until; each++)
			stood += av_working_day(each, NULL);
		/* Those that it would have used up to its end are to be used after the stop. */
		day = working_days_on(day, stood);
	}
	return day;
}

static int64_t last_instant(const struct told_deadline *d)
{
	const Avvik__V1__Deadline *ledger = d->ledger;
	int64_t at_ms = ledger->anchor_at_ms + (int64_t)(ledger->count + d->extended) * INT64_C(3600000);
	for (size_t i = 0; i < d->stop_count; i++) {
		int64_t from_ms = AV_MAX(d->stops[i].from_ms, ledger->anchor_at_ms);
		if (from_ms < at_ms && d->stops[i].until_ms > from_ms)
			at_ms += d->stops[i].until_ms - from_ms;
	}
	return at_ms;
}

static bool same_stops(const struct told_deadline *d)
{
	if (d->ledger->n_stops != d->stop_count || d->ledger->extended != d->extended)
		return false;
	for (size_t i = 0; i < d->stop_count; i++)
		if (d->ledger->stops[i]->from_ms != d->stops[i].from_ms ||
			d->ledger->stops[i]->until_ms != d->stops[i].until_ms)
			return false;
	return true;
}

void due_check(struct told *t, const struct told_deadline *d)
{
	const Avvik__V1__Deadline *ledger = d->ledger;
	const char *id = sim_hex(ledger->deadline_id);
	SIM_EXPECT(t->w, same_stops(d),
		"workflow: deadline %s (%s) has other stops, or other extensions, than were told", id,
		ledger->rule);
	if (ledger->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED)
		return; /* it is due when it goes on */
	if (ledger->unit == UNIT(HOURS)) {
		SIM_EXPECT(t->w, ledger->due_at_ms == last_instant(d),
			"workflow: deadline %s (%s) is due at %lld, counted again %lld", id, ledger->rule,
			(long long)ledger->due_at_ms, (long long)last_instant(d));
	} else if (ledger->unit != UNIT(WORKING_HOURS)) {
		av_day day = last_day(d);
		day = ledger->moved ? av_next_act_day(day) : day;
		SIM_EXPECT(t->w, ledger->due_on == day,
			"workflow: deadline %s (%s) is due on day %d, counted again %d", id, ledger->rule,
			ledger->due_on, day);
	}
}
