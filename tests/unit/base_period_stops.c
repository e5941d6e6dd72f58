/* base_period_stops.c - time that stands still: what it moves, and that no time is lost or counted twice */
#include "base/calendar.h"
#include "base/macros.h"
#include "base/random.h"
#include "base/status.h"
#include "times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)

static void stops_move_the_due_day(void **state)
{
	static const struct {
		const char *anchor, *period, *from, *until, *want_nominal, *want_due;
	} cases[] = {
		/* ten days' stop of a statutory period: the end moves ten days, then 2 § applies */
		{"2026-04-19T10:00:00+02:00", "2 months", "2026-05-04T09:00:00+02:00",
			"2026-05-14T15:00:00+02:00", "2026-06-29", "2026-06-29"},
		{"2026-04-19T10:00:00+02:00", "2 months", "2026-05-04T09:00:00+02:00",
			"2026-05-09T15:00:00+02:00", "2026-06-24", "2026-06-24"},
		{"2026-04-14T10:00:00+02:00", "2 months", "2026-05-04T09:00:00+02:00",
			"2026-05-09T15:00:00+02:00", "2026-06-19", "2026-06-22"},
		/* stopped and let go on the same day: nothing is lost */
		{"2026-04-19T10:00:00+02:00", "30 days", "2026-05-04T09:00:00+02:00",
			"2026-05-04T15:00:00+02:00", "2026-05-19", "2026-05-19"},
		/* from the first day on: the day on which it goes on is the first that counts */
		{"2026-04-20T10:00:00+02:00", "1 day", "2026-04-20T11:00:00+02:00",
			"2026-04-27T08:00:00+02:00", "2026-04-27", "2026-04-27"},
		/* on its last day: so much of it is left */
		{"2026-04-20T10:00:00+02:00", "1 day", "2026-04-21T11:00:00+02:00",
			"2026-04-27T08:00:00+02:00", "2026-04-27", "2026-04-27"},
		/* after its last day: too late to move anything */
		{"2026-04-20T10:00:00+02:00", "1 day", "2026-04-22T11:00:00+02:00",
			"2026-04-27T08:00:00+02:00", "2026-04-21", "2026-04-21"},
		/* working days: Thursday and Friday stand still, the week-end counts for nobody */
		{"2026-04-20T10:00:00+02:00", "5 working days", "2026-04-23T09:00:00+02:00",
			"2026-04-27T08:00:00+02:00", "2026-04-29", "2026-04-29"},
	};

	(void)state;
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_stop stop = {at(cases[i].from), at(cases[i].until)};
		struct av_stops stops = {&stop, 1};
		struct av_period period;
		struct av_due due;
		char got[AV_DATE_TEXT];

		assert_int_equal(av_period_parse(cases[i].period, &period), AV_OK);
		due = av_due_counted(at(cases[i].anchor), period, &(struct av_counting){NULL, NULL, &stops});
		av_day_text(due.nominal, got);
		assert_string_equal(got, cases[i].want_nominal);
		av_day_text(due.day, got);
		assert_string_equal(got, cases[i].want_due);
	}
}

static void hours_stand_still_to_the_millisecond(void **state)
{
	struct av_stop stop = {at("2026-04-20T12:00:00+02:00"), at("2026-04-21T13:30:00+02:00")};
	struct av_stops stops = {&stop, 1};
	struct av_counting counting = {NULL, NULL, &stops};
	int64_t anchor = at("2026-04-20T10:00:00+02:00");
	struct av_due due = av_due_counted(anchor, (struct av_period){72, AV_UNIT_HOURS, false}, &counting);

	(void)state;
	assert_true(due.instant_ms == anchor + 72 * HOUR + 25 * HOUR + HOUR / 2);
	due = av_due_counted(anchor, (struct av_period){8, AV_UNIT_WORKING_HOURS, false}, &counting);
	/* Two hours on Monday; on Tuesday three and a half from 13:30; the rest on Wednesday. */
	assert_true(due.instant_ms == at("2026-04-22T10:30:00+02:00"));
}

/* Some stops in order, within `days` of the anchor. */
static size_t some_stops(struct av_random *random, int64_t anchor, int64_t days, struct av_stop stops[3])
{
	size_t count = av_random_below(random, 4);
	int64_t from = anchor;

	for (size_t i = 0; i < count; i++) {
		from += (int64_t)av_random_below(random, (uint64_t)(days * 24)) * HOUR / 3;
		stops[i].from_ms = from;
		from += (int64_t)av_random_below(random, (uint64_t)(days * 24)) * HOUR / 2;
		stops[i].until_ms = from;
	}
	return count;
}

struct tally {
	int counted, stopped, due, moved;
};

static void tally_day(void *context, struct av_day_info info, enum av_day_use use)
{
	struct tally *tally = context;

	(void)info;
	tally->counted += use == AV_USE_COUNTED;
	tally->stopped += use == AV_USE_STOPPED;
	tally->due += use == AV_USE_DUE;
	tally->moved += use == AV_USE_MOVED_PAST;
}

/* However it was stopped: what is used at the end is the budget, and a millisecond earlier it is not all. */
static void no_time_is_lost_or_counted_twice(void **state)
{
	static const enum av_period_unit units[] = {
		AV_UNIT_HOURS, AV_UNIT_DAYS, AV_UNIT_WORKING_DAYS, AV_UNIT_WORKING_HOURS};
	struct av_random random = av_random_seeded(7);
	int moved = 0;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		int64_t anchor =
			at("2024-01-01T00:00:00+01:00") + (int64_t)av_random_below(&random, 24 * 1500) * HOUR;
		struct av_period period = {1 + (int)av_random_below(&random, 40), units[i % 4], false};
		struct av_stop list[3];
		struct av_stops stops = {list, some_stops(&random, anchor, 20, list)};
		struct av_counting counting = {NULL, NULL, &stops};
		struct av_due due = av_due_counted(anchor, period, &counting),
			      plain = av_due(anchor, period, NULL, NULL);
		struct tally tally = {0};

		assert_int_equal(av_time_used(anchor, due.instant_ms, period.unit, &counting), period.count);
		assert_true(due.instant_ms >= plain.instant_ms);
		moved += due.instant_ms > plain.instant_ms;
		av_due_explain(anchor, period, &counting, tally_day, &tally);
		assert_int_equal(tally.due, 1);
		if (period.unit == AV_UNIT_DAYS || period.unit == AV_UNIT_WORKING_DAYS)
			assert_int_equal(tally.counted + tally.due, period.count);
		if (period.unit == AV_UNIT_DAYS)
			assert_int_equal(tally.stopped, due.day - plain.day);
		if (period.unit == AV_UNIT_HOURS || period.unit == AV_UNIT_WORKING_HOURS)
			assert_int_equal(av_time_used(anchor, due.instant_ms - 1, period.unit, &counting),
				period.count - 1);
	}
	assert_in_range(moved, 1000, 3900);
}

static void one_that_stands_still_longer_is_never_due_earlier(void **state)
{
	struct av_random random = av_random_seeded(11);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		int64_t anchor =
			at("2024-01-01T00:00:00+01:00") + (int64_t)av_random_below(&random, 24 * 1500) * HOUR;
		struct av_period period = {1 + (int)av_random_below(&random, 30),
			(enum av_period_unit)(1 + av_random_below(&random, 7)), false};
		struct av_stop stop = {anchor + (int64_t)av_random_below(&random, 24 * 20) * HOUR, 0};
		struct av_stops stops = {&stop, 1};
		struct av_counting counting = {NULL, NULL, &stops};
		int64_t before = INT64_MIN;

		for (int hours = 0; hours < 24 * 10; hours += 7) {
			stop.until_ms = stop.from_ms + hours * HOUR;
			int64_t due = av_due_counted(anchor, period, &counting).instant_ms;
			assert_true(due >= before);
			before = due;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_move_the_due_day),
		cmocka_unit_test(hours_stand_still_to_the_millisecond),
		cmocka_unit_test(no_time_is_lost_or_counted_twice),
		cmocka_unit_test(one_that_stands_still_longer_is_never_due_earlier),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
