/* workflow_deadline_why.c - why a deadline falls when it does, day by day, runs of like days as one */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "base/status.h"
#include "deadline_rules.h"
#include "times.h"

static struct av_arena *arena;

static const char *told(uint32_t count, Avvik__V1__PeriodUnit unit, bool moved, const char *anchor)
{
	static const char *const uses[] = {"?", "start", "counted", "skipped", "past", "due"};
	struct deadline_calendar calendar = deadline_calendar_of(NULL, arena);
	Avvik__V1__Deadline ledger = AVVIK__V1__DEADLINE__INIT;
	Avvik__V1__WhyDay **days;
	size_t day_count;
	const char *text = "";

	ledger.count = count;
	ledger.unit = unit;
	ledger.moved = moved;
	ledger.anchor_at_ms = at(anchor);
	assert_int_equal(deadline_explain(&ledger, &calendar, arena, &days, &day_count), AV_OK);
	for (size_t i = 0; i < day_count; i++) {
		char day[AV_DATE_TEXT];
		av_day_text(days[i]->day_on, day);
		text = av_arena_printf(arena, "%s%s %s%s%s", text, day, uses[days[i]->use],
			*days[i]->reason ? " " : "", days[i]->reason);
		if (days[i]->run > 1)
			text = av_arena_printf(arena, "%s x%u", text, days[i]->run);
		text = av_arena_printf(arena, "%s\n", text);
	}
	return text;
}

static void two_months_to_midsummer_eve_are_moved_past_three_days(void **state)
{
	(void)state;
	assert_string_equal(told(2, AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_MONTHS, true, "2026-04-19 10:00"),
		"2026-04-19 start\n"
		"2026-04-20 counted x60\n"
		"2026-06-19 past Midsommarafton\n"
		"2026-06-20 past Midsommardagen\n"
		"2026-06-21 past söndag\n"
		"2026-06-22 due\n");
}

static void working_days_skip_the_weekend_and_the_holiday(void **state)
{
	(void)state;
	assert_string_equal(
		told(2, AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_WORKING_DAYS, false, "2026-04-30 10:00"),
		"2026-04-30 start\n"
		"2026-05-01 skipped Första maj\n"
		"2026-05-02 skipped lördag\n"
		"2026-05-03 skipped söndag\n"
		"2026-05-04 counted\n"
		"2026-05-05 due\n");
}

static void a_day_that_is_its_own_end_is_just_due(void **state)
{
	(void)state;
	assert_string_equal(told(0, AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_DAYS, false, "2026-09-15 00:00"),
		"2026-09-15 due\n");
}

static void every_anchor_has_a_name(void **state)
{
	(void)state;
	for (int anchor = 1; anchor <= AVVIK__V1__ANCHOR__ANCHOR_NOTICED; anchor++)
		if (!*deadline_anchor_name((Avvik__V1__Anchor)anchor))
			fail_msg("anchor %d has no name", anchor);
	assert_string_equal(deadline_anchor_name((Avvik__V1__Anchor)99), "");
	assert_string_equal(deadline_anchor_name((Avvik__V1__Anchor)-1), "");
}

static int open_arena(void **state)
{
	(void)state;
	arena = av_arena_create(0);
	return arena ? 0 : -1;
}

static int close_arena(void **state)
{
	(void)state;
	av_arena_destroy(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_months_to_midsummer_eve_are_moved_past_three_days),
		cmocka_unit_test(working_days_skip_the_weekend_and_the_holiday),
		cmocka_unit_test(a_day_that_is_its_own_end_is_just_due),
		cmocka_unit_test(every_anchor_has_a_name),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
