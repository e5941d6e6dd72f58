/* base_period_laws.c - what holds for every period, its text and its explanation; reporting spans */
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

struct tally {
	int uses[6], visits;
	av_day next, last;
	enum av_day_use last_use;
	bool in_order, working, moved_past_free_day, skipped_working_day, counted_free_day, closed;
};

static void tally_day(void *context, struct av_day_info info, enum av_day_use use)
{
	struct tally *tally = context;

	if (tally->visits++ == 0)
		tally->next = info.day;
	tally->in_order &= info.day == tally->next++;
	tally->uses[use]++;
	tally->last = info.day;
	tally->last_use = use;
	tally->moved_past_free_day |= use == AV_USE_MOVED_PAST && info.kind == AV_DAY_WORKING;
	tally->closed |= info.kind == AV_DAY_CLOSED;
	tally->skipped_working_day |= use == AV_USE_SKIPPED && info.kind == AV_DAY_WORKING;
	tally->counted_free_day |= use == AV_USE_COUNTED && tally->working && info.kind != AV_DAY_WORKING;
}

static void check_explanation(int64_t anchor, struct av_period period, const struct av_closures *closures)
{
	struct av_due due = av_due(anchor, period, closures, NULL);
	bool working = period.unit == AV_UNIT_WORKING_DAYS || period.unit == AV_UNIT_WORKING_HOURS;
	struct tally tally = {.in_order = true, .working = working};
	int days = due.day - due.start;

	av_due_explain(anchor, period, &(struct av_counting){closures, NULL, NULL}, tally_day, &tally);
	assert_true(tally.in_order);
	assert_int_equal(tally.visits, days + 1);
	assert_int_equal(tally.last, due.day);
	assert_int_equal(tally.last_use, AV_USE_DUE);
	assert_int_equal(tally.uses[AV_USE_DUE], 1);
	assert_int_equal(tally.uses[AV_USE_MOVED_PAST], due.day - due.nominal);
	assert_int_equal(tally.uses[AV_USE_START], due.nominal > due.start);
	assert_false(tally.moved_past_free_day);
	assert_false(tally.skipped_working_day);
	assert_false(tally.counted_free_day);
	if (!working) {
		assert_int_equal(tally.uses[AV_USE_SKIPPED], 0);
		assert_false(tally.closed);
	}
	if (period.unit ==
		AV_UNIT_DAYS) /* the nominal day is counted too, as DUE or as the first moved past */
		assert_int_equal(tally.uses[AV_USE_COUNTED] + (period.count > 0), period.count);
	if (period.unit == AV_UNIT_WEEKS)
		assert_int_equal(tally.uses[AV_USE_COUNTED] + (period.count > 0), period.count * 7);
	if (period.unit == AV_UNIT_WORKING_DAYS)
		assert_int_equal(tally.uses[AV_USE_COUNTED] + (period.count > 0), period.count);
	if (!period.moved)
		assert_int_equal(due.day, due.nominal);
	if (period.unit != AV_UNIT_HOURS && period.unit != AV_UNIT_WORKING_HOURS)
		assert_true(due.instant_ms == av_day_end_ms(due.day));
	assert_true(due.instant_ms >= anchor);
}

static void the_explanation_agrees_with_the_due_day_for_thousands_of_periods(void **state)
{
	struct av_random random = av_random_seeded(9);
	av_day closed[60];
	struct av_closures closures = {closed, AV_COUNT(closed)};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(closed); i++)
		closed[i] = (i ? closed[i - 1] : on("2024-01-01")) + 1 + (av_day)av_random_below(&random, 60);
	for (int i = 0; i < 7000; i++) {
		struct av_period period = {
			.count = (int)av_random_below(&random, i % 10 == 0 ? 100 : 12),
			.unit = (enum av_period_unit)(AV_UNIT_HOURS + i % 7),
		};
		int64_t anchor = at("2024-01-01") + (int64_t)av_random_below(&random, 9 * 365) * AV_DAY_MS +
				 (int64_t)av_random_below(&random, 86400000);

		if (period.unit == AV_UNIT_YEARS)
			period.count %= 4;
		period.moved = period.unit >= AV_UNIT_DAYS && period.unit <= AV_UNIT_YEARS && i % 2;
		check_explanation(anchor, period, i % 3 ? &closures : NULL);
	}
}

static void months_and_years_end_on_the_same_number_or_the_last_day_for_every_start(void **state)
{
	AV_UNUSED(state);
	for (av_day day = on("2023-01-01"); day <= on("2028-12-31"); day++) {
		struct av_date from = av_date_of(day);
		for (int months = 0; months <= 40; months++) {
			struct av_due due = av_due(av_day_start_ms(day),
				(struct av_period){months, AV_UNIT_MONTHS, false}, NULL, NULL);
			struct av_date to = av_date_of(due.day);
			int length = av_days_in_month(to.year, to.month);

			assert_int_equal((to.year - from.year) * 12 + to.month - from.month, months);
			assert_int_equal(to.day, AV_MIN(from.day, length));
			if (months % 12 == 0)
				assert_int_equal(due.day,
					av_due(av_day_start_ms(day),
						(struct av_period){months / 12, AV_UNIT_YEARS, false}, NULL,
						NULL)
						.day);
		}
	}
}

static void a_later_start_is_never_due_earlier(void **state)
{
	AV_UNUSED(state);
	for (int unit = AV_UNIT_HOURS; unit <= AV_UNIT_WORKING_HOURS; unit++) {
		for (int count = 0; count <= 12; count += 3) {
			struct av_period period = {count, (enum av_period_unit)unit,
				unit >= AV_UNIT_DAYS && unit <= AV_UNIT_YEARS};
			int64_t before = INT64_MIN;
			for (int64_t anchor = at("2026-01-01"); anchor < at("2027-01-01");
				anchor += 7 * HOUR) {
				int64_t due = av_due(anchor, period, NULL, NULL).instant_ms;
				if (due < before)
					fail_msg("unit %d count %d anchor %lld goes back", unit, count,
						(long long)anchor);
				before = due;
			}
		}
	}
}

static void numbers_out_of_range_saturate(void **state)
{
	static const int64_t anchors[] = {INT64_MIN, 0, INT64_MAX};
	static const int counts[] = {INT32_MIN, -1, 0, 10000, INT32_MAX};

	AV_UNUSED(state);
	for (int unit = 0; unit <= AV_UNIT_WORKING_HOURS + 1; unit++) {
		for (size_t a = 0; a < AV_COUNT(anchors); a++) {
			for (size_t c = 0; c < AV_COUNT(counts); c++) {
				struct av_period period = {counts[c], (enum av_period_unit)unit, true};
				struct av_due due = av_due(anchors[a], period, NULL, NULL);

				assert_true(due.start >= AV_DAY_MIN && due.day >= due.nominal);
				assert_true(due.nominal >= due.start && due.nominal <= AV_DAY_MAX + 1);
				av_day_before(due.day, counts[c], (enum av_period_unit)unit, NULL);
			}
		}
	}
	want_day(av_due(0, (struct av_period){-5, AV_UNIT_DAYS, false}, NULL, NULL).day, "1970-01-01");
	want_day(av_due(0, (struct av_period){10000, AV_UNIT_YEARS, false}, NULL, NULL).day, "9999-12-31");
}

static void going_before_and_after_again_comes_back(void **state)
{
	AV_UNUSED(state);
	for (av_day day = on("2024-01-01"); day <= on("2028-12-31"); day += 5) {
		bool working = av_working_day(day, NULL);
		for (int count = -40; count <= 40; count += 3) {
			for (int unit = AV_UNIT_DAYS; unit <= AV_UNIT_WORKING_DAYS; unit++) {
				av_day there = av_day_before(day, count, (enum av_period_unit)unit, NULL);
				av_day back = av_day_before(there, -count, (enum av_period_unit)unit, NULL);
				int number = av_date_of(day).day;
				bool exact = unit == AV_UNIT_WORKING_DAYS ? working
					     : unit >= AV_UNIT_MONTHS	  ? number <= 28
									  : true;

				if (exact && back != day)
					fail_msg("unit %d count %d day %d came back as %d", unit, count, day,
						back);
				if (unit == AV_UNIT_MONTHS || unit == AV_UNIT_YEARS)
					assert_in_range(day - back, 0, 3);
				if (count > 0 && unit == AV_UNIT_WORKING_DAYS)
					assert_true(there < day && av_working_day(there, NULL));
				if (count < 0)
					assert_int_equal(
						there, av_due(av_day_start_ms(day),
							       (struct av_period){-count,
								       (enum av_period_unit)unit, false},
							       NULL, NULL)
							       .day);
			}
		}
	}
}

static void periods_read_and_write(void **state)
{
	/* clang-format off */
	static const struct { const char *text; struct av_period want; const char *canonical; } cases[] = {
		{ "2 months",         { 2, AV_UNIT_MONTHS, true },            "2 months" },
		{ "1 months",         { 1, AV_UNIT_MONTHS, true },            "1 month" },
		{ "30 days",          { 30, AV_UNIT_DAYS, true },             "30 days" },
		{ "0 days",           { 0, AV_UNIT_DAYS, true },              "0 days" },
		{ "1 week",           { 1, AV_UNIT_WEEKS, true },             "1 week" },
		{ "5 years",          { 5, AV_UNIT_YEARS, true },             "5 years" },
		{ "1 working day",    { 1, AV_UNIT_WORKING_DAYS, false },     "1 working day" },
		{ "10 working days",  { 10, AV_UNIT_WORKING_DAYS, false },    "10 working days" },
		{ "72 hours",         { 72, AV_UNIT_HOURS, false },           "72 hours" },
		{ "10000 working hours", { 10000, AV_UNIT_WORKING_HOURS, false }, "10000 working hours" },
	};
	static const char *const bad[] = { "", "2", "months", "2months", "2  months", " 2 months", "2 months ", "-2 days",
		"+2 days", "02 days", "00 days", "10001 days", "99999999999999999999 days", "2 Months", "2 month s",
		"2.5 days", "2 fortnights", "two days", "1 working", "1 workingday" };
	/* clang-format on */
	struct av_period period = {77, AV_UNIT_DAYS, true};
	char text[AV_PERIOD_TEXT];

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		if (av_period_parse(bad[i], &period) != AV_INVALID || period.count != 77)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		period = lasting(cases[i].text);
		assert_int_equal(period.count, cases[i].want.count);
		assert_int_equal(period.unit, cases[i].want.unit);
		assert_int_equal(period.moved, cases[i].want.moved);
		av_period_text(period, text);
		assert_string_equal(text, cases[i].canonical);
	}
	for (int unit = AV_UNIT_HOURS; unit <= AV_UNIT_WORKING_HOURS; unit++) {
		for (int count = 0; count <= 10000; count += 7) {
			av_period_text((struct av_period){count, (enum av_period_unit)unit, false}, text);
			period = lasting(text);
			assert_int_equal(period.count, count);
			assert_int_equal(period.unit, unit);
		}
	}
	av_period_text((struct av_period){INT32_MIN, (enum av_period_unit)99, false}, text);
	assert_string_equal(text, "-2147483648 ?");
}

static void every_day_stands_in_spans_that_meet_without_gap(void **state)
{
	static const int want_changes[AV_SPAN_COUNT] = {146097, 4800, 1200, 400};
	char text[AV_SPAN_TEXT], other[AV_SPAN_TEXT];

	AV_UNUSED(state);
	for (int span = 0; span < AV_SPAN_COUNT; span++) {
		av_day day = on("2000-01-01"), first, last;
		int changes = 0;

		for (; day <= on("2399-12-31"); day = last + 1, changes++) {
			av_span_days((enum av_span)span, day, &first, &last);
			assert_int_equal(first, day);
			assert_true(last >= first);
			av_span_text((enum av_span)span, first, text);
			av_span_text((enum av_span)span, last, other);
			assert_string_equal(text, other);
			av_span_text((enum av_span)span, last + 1, other);
			assert_true(strcmp(text, other) < 0);
			av_span_days((enum av_span)span, first + (last - first) / 2, &first, &last);
			assert_int_equal(first, day);
		}
		assert_int_equal(changes, want_changes[span]);
	}
}

static void spans_have_their_keys_and_ends(void **state)
{
	/* clang-format off */
	static const struct { enum av_span span; const char *day, *text, *first, *last; } cases[] = {
		{ AV_SPAN_DAY,     "2026-04-07", "2026-04-07", "2026-04-07", "2026-04-07" },
		{ AV_SPAN_MONTH,   "2026-04-07", "2026-04",    "2026-04-01", "2026-04-30" },
		{ AV_SPAN_MONTH,   "2028-02-07", "2028-02",    "2028-02-01", "2028-02-29" },
		{ AV_SPAN_TERTIAL, "2026-04-30", "2026-T1",    "2026-01-01", "2026-04-30" },
		{ AV_SPAN_TERTIAL, "2026-05-01", "2026-T2",    "2026-05-01", "2026-08-31" },
		{ AV_SPAN_TERTIAL, "2026-12-31", "2026-T3",    "2026-09-01", "2026-12-31" },
		{ AV_SPAN_YEAR,    "2026-12-31", "2026",       "2026-01-01", "2026-12-31" },
	};
	/* clang-format on */
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		char text[AV_SPAN_TEXT];
		av_day first, last;

		av_span_text(cases[i].span, on(cases[i].day), text);
		assert_string_equal(text, cases[i].text);
		av_span_days(cases[i].span, on(cases[i].day), &first, &last);
		want_day(first, cases[i].first);
		want_day(last, cases[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_explanation_agrees_with_the_due_day_for_thousands_of_periods),
		cmocka_unit_test(months_and_years_end_on_the_same_number_or_the_last_day_for_every_start),
		cmocka_unit_test(a_later_start_is_never_due_earlier),
		cmocka_unit_test(numbers_out_of_range_saturate),
		cmocka_unit_test(going_before_and_after_again_comes_back),
		cmocka_unit_test(periods_read_and_write),
		cmocka_unit_test(every_day_stands_in_spans_that_meet_without_gap),
		cmocka_unit_test(spans_have_their_keys_and_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
