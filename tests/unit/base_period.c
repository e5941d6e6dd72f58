/* base_period.c - when periods end and why: vectors of the act, hours, working time, rungs */
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
#define MINUTE INT64_C(60000)

/* The days that the last day was moved past, as codes. */
struct passed {
	char text[200];
};

static void note_passed(void *context, struct av_day_info info, enum av_day_use use)
{
	struct passed *passed = context;
	size_t length = strlen(passed->text);

	if (use == AV_USE_MOVED_PAST)
		snprintf(passed->text + length, sizeof(passed->text) - length, "%s%s", length ? " " : "",
			info.kind == AV_DAY_SATURDAY ? "saturday"
			: info.kind == AV_DAY_SUNDAY ? "sunday"
						     : av_holiday_code(info.holiday));
}

/* clang-format off */
static const struct { const char *start, *period, *nominal, *want, *why; } statutory[] = {
	{ "2026-04-19", "2 months", "2026-06-19", "2026-06-22", "midsommarafton midsommardagen sunday" },
	{ "2025-12-31", "2 months", "2026-02-28", "2026-03-02", "saturday sunday" }, /* no 31 February */
	{ "2026-10-24", "2 months", "2026-12-24", "2026-12-28", "julafton juldagen annandag_jul sunday" },
	{ "2026-10-31", "2 months", "2026-12-31", "2027-01-04", "nyarsafton nyarsdagen saturday sunday" },
	{ "2025-04-06", "2 months", "2025-06-06", "2025-06-09", "nationaldagen saturday pingstdagen" },
	{ "2026-02-03", "2 months", "2026-04-03", "2026-04-07", "langfredagen saturday paskdagen annandag_pask" },
	{ "2026-11-06", "2 months", "2027-01-06", "2027-01-07", "trettondedag_jul" },
	{ "2027-01-27", "2 months", "2027-03-27", "2027-03-30", "saturday paskdagen annandag_pask" },
	{ "2027-11-30", "3 months", "2028-02-29", "2028-02-29", "" }, /* leap year, the last day */
	{ "2027-08-31", "6 months", "2028-02-29", "2028-02-29", "" },
	{ "2024-02-29", "1 year",   "2025-02-28", "2025-02-28", "" },
	{ "2024-02-29", "4 years",  "2028-02-29", "2028-02-29", "" },
	{ "2021-03-01", "5 years",  "2026-03-01", "2026-03-02", "sunday" },
	{ "2026-06-08", "2 weeks",  "2026-06-22", "2026-06-22", "" },
	{ "2026-06-05", "2 weeks",  "2026-06-19", "2026-06-22", "midsommarafton midsommardagen sunday" },
	{ "2026-05-20", "30 days",  "2026-06-19", "2026-06-22", "midsommarafton midsommardagen sunday" },
	{ "2026-05-21", "1 day",    "2026-05-22", "2026-05-22", "" },
	{ "2026-05-22", "0 days",   "2026-05-22", "2026-05-22", "" },
	{ "2026-06-20", "0 days",   "2026-06-20", "2026-06-22", "midsommardagen sunday" },
	{ "2025-12-01", "3 months", "2026-03-01", "2026-03-02", "sunday" },
};
/* clang-format on */

static void statutory_periods_end_and_move_as_the_act_says(void **state)
{
	static const int times[] = {0, 1, 12 * 3600000, 86399999};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(statutory); i++) {
		struct av_period period = lasting(statutory[i].period);
		for (size_t k = 0; k < AV_COUNT(times); k++) {
			int64_t anchor = av_local_instant(on(statutory[i].start), times[k]);
			struct av_due due = av_due(anchor, period, NULL, NULL);
			struct passed passed = {""};

			want_day(due.start, statutory[i].start);
			want_day(due.nominal, statutory[i].nominal);
			want_day(due.day, statutory[i].want);
			assert_true(due.instant_ms == av_day_end_ms(on(statutory[i].want)));
			av_due_explain(anchor, period, &(struct av_counting){NULL, NULL, NULL}, note_passed,
				&passed);
			assert_string_equal(passed.text, statutory[i].why);
		}
	}
}

static void a_qualifying_time_is_not_moved(void **state)
{
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(statutory); i++) {
		struct av_period period = lasting(statutory[i].period);
		struct av_due due;

		assert_true(period.moved);
		period.moved = false;
		due = av_due(av_day_start_ms(on(statutory[i].start)), period, NULL, NULL);
		want_day(due.day, statutory[i].nominal);
		want_day(due.nominal, statutory[i].nominal);
	}
}

static void the_patient_safety_report_is_due_after_a_weekend_first_of_march(void **state)
{
	AV_UNUSED(state);
	want_day(av_next_act_day(on("2026-03-01")), "2026-03-02");
	want_day(av_next_act_day(on("2025-03-01")), "2025-03-03");
	want_day(av_next_act_day(on("2027-03-01")), "2027-03-01");
}

static void the_due_instant_is_the_end_of_the_local_day_also_when_the_clocks_change(void **state)
{
	struct av_period day = {1, AV_UNIT_DAYS, false};

	AV_UNUSED(state);
	want_instant(av_due(at("2026-04-19T10:00"), lasting("2 months"), NULL, NULL).instant_ms,
		"2026-06-22T23:59:59.999+02:00");
	want_instant(av_due(at("2025-12-31T10:00"), lasting("2 months"), NULL, NULL).instant_ms,
		"2026-03-02T23:59:59.999+01:00");
	want_instant(
		av_due(at("2026-03-28T12:00"), day, NULL, NULL).instant_ms, "2026-03-29T23:59:59.999+02:00");
	want_instant(
		av_due(at("2026-10-24T12:00"), day, NULL, NULL).instant_ms, "2026-10-25T23:59:59.999+01:00");
	/* Half past midnight in Stockholm is still the day before in UTC. */
	want_day(av_due(at("2026-06-30T22:30Z"), day, NULL, NULL).start, "2026-07-01");
}

static void seventy_two_hours_are_elapsed_hours_and_never_moved(void **state)
{
	/* clang-format off */
	static const struct { const char *aware, *want; } cases[] = {
		{ "2026-03-27T16:10+01:00", "2026-03-30T17:10:00+02:00" }, /* summer time starts */
		{ "2026-10-23T16:10+02:00", "2026-10-26T15:10:00+01:00" }, /* summer time ends */
		{ "2026-06-18T15:00+02:00", "2026-06-21T15:00:00+02:00" }, /* over Midsummer */
		{ "2026-12-23T23:30+01:00", "2026-12-26T23:30:00+01:00" }, /* over Christmas */
	};
	/* clang-format on */
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_due due = av_due(at(cases[i].aware), lasting("72 hours"), NULL, NULL);

		want_instant(due.instant_ms, cases[i].want);
		assert_int_equal(due.day, av_local_day(due.instant_ms));
		assert_int_equal(due.nominal, due.day);
	}
}

static void working_days_pass_over_weekends_holidays_eves_and_closures(void **state)
{
	/* clang-format off */
	static const struct { const char *start; int count; const char *want, *want_closed; } cases[] = {
		{ "2026-06-15", 0, "2026-06-15", "2026-06-15" },
		{ "2026-06-15", 1, "2026-06-16", "2026-06-16" },
		{ "2026-06-18", 1, "2026-06-22", "2026-06-23" }, /* over Midsummer; the closure is the Monday after */
		{ "2026-06-20", 0, "2026-06-22", "2026-06-23" },
		{ "2026-06-20", 1, "2026-06-22", "2026-06-23" },
		{ "2026-06-22", 0, "2026-06-22", "2026-06-23" },
		{ "2026-12-23", 1, "2026-12-28", "2026-12-28" },
		{ "2026-12-23", 4, "2027-01-04", "2027-01-04" },
		{ "2026-12-23", 6, "2027-01-07", "2027-01-07" },
		{ "2026-04-02", 10, "2026-04-20", "2026-04-20" },
		{ "2025-12-31", 251, "2026-12-30", "2027-01-04" },
	};
	/* clang-format on */
	av_day closed[] = {on("2026-06-22")};
	struct av_closures closures = {closed, 1};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_period period = {cases[i].count, AV_UNIT_WORKING_DAYS, false};
		int64_t anchor = av_local_instant(on(cases[i].start), 9 * 3600000);

		want_day(av_due(anchor, period, NULL, NULL).day, cases[i].want);
		want_day(av_due(anchor, period, &closures, NULL).day, cases[i].want_closed);
		assert_true(
			av_due(anchor, period, NULL, NULL).instant_ms == av_day_end_ms(on(cases[i].want)));
	}
}

static void closures_never_change_a_statutory_time(void **state)
{
	av_day closed[] = {on("2026-06-22"), on("2026-06-23")};
	struct av_closures closures = {closed, 2};

	AV_UNUSED(state);
	want_day(av_due(at("2026-04-19"), lasting("2 months"), &closures, NULL).day, "2026-06-22");
	want_day(av_due(at("2026-05-20"), lasting("30 days"), &closures, NULL).day, "2026-06-22");
}

static void working_hours_count_office_hours_of_working_days(void **state)
{
	static const struct av_office_hours short_day = {9 * 3600000, 15 * 3600000}, whole = {0, 86400000};
	static const struct av_office_hours bad = {17 * 3600000, 8 * 3600000};
	/* clang-format off */
	static const struct { const char *anchor; int count; const struct av_office_hours *hours; const char *want; } cases[] = {
		{ "2026-06-15T10:20", 2,  NULL,       "2026-06-15T12:20:00+02:00" },
		{ "2026-06-15T15:30", 2,  NULL,       "2026-06-16T08:30:00+02:00" },
		{ "2026-06-15T15:00", 2,  NULL,       "2026-06-15T17:00:00+02:00" }, /* just closing time */
		{ "2026-06-15T06:00", 2,  NULL,       "2026-06-15T10:00:00+02:00" },
		{ "2026-06-15T19:00", 2,  NULL,       "2026-06-16T10:00:00+02:00" },
		{ "2026-06-18T16:00", 2,  NULL,       "2026-06-22T09:00:00+02:00" }, /* over Midsummer */
		{ "2026-06-20T12:00", 1,  NULL,       "2026-06-22T09:00:00+02:00" },
		{ "2026-03-27T16:00", 2,  NULL,       "2026-03-30T09:00:00+02:00" }, /* summer time starts between */
		{ "2026-10-23T16:00", 2,  NULL,       "2026-10-26T09:00:00+01:00" },
		{ "2026-06-15T08:00", 27, NULL,       "2026-06-17T17:00:00+02:00" },
		{ "2026-06-15T08:00", 28, NULL,       "2026-06-18T09:00:00+02:00" },
		{ "2026-06-15T10:20", 0,  NULL,       "2026-06-15T10:20:00+02:00" },
		{ "2026-06-15T17:00", 0,  NULL,       "2026-06-16T08:00:00+02:00" },
		{ "2026-06-20T12:00", 0,  NULL,       "2026-06-22T08:00:00+02:00" },
		{ "2026-06-15T14:30", 1,  &short_day, "2026-06-16T09:30:00+02:00" },
		{ "2026-06-18T12:00", 12, &whole,     "2026-06-19T00:00:00+02:00" }, /* the end of Thursday */
		{ "2026-06-18T12:00", 13, &whole,     "2026-06-22T01:00:00+02:00" },
		{ "2026-06-15T15:30", 2,  &bad,       "2026-06-16T08:30:00+02:00" }, /* read as 08-17 */
	};
	/* clang-format on */
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		struct av_period period = {cases[i].count, AV_UNIT_WORKING_HOURS, false};
		struct av_due due = av_due(at(cases[i].anchor), period, NULL, cases[i].hours);

		want_instant(due.instant_ms, cases[i].want);
		assert_true(av_working_day(due.day, NULL));
	}
	assert_true(av_office_hours_valid(&whole));
	assert_false(av_office_hours_valid(&bad));
	assert_false(av_office_hours_valid(&(struct av_office_hours){-1, 3600000}));
	assert_false(av_office_hours_valid(&(struct av_office_hours){0, 86400001}));
	assert_false(av_office_hours_valid(&(struct av_office_hours){INT32_MAX, INT32_MIN}));
	assert_false(av_office_hours_valid(&(struct av_office_hours){3600000, 3600000 + 899999}));
}

/* Independent: walks minute by minute and looks at the wall clock. */
static int64_t working_hours_by_the_minute(int64_t anchor, int count, const struct av_closures *closures)
{
	int left = count * 60;

	for (int64_t now = anchor;; now += MINUTE) {
		int wall = av_local_ms_of_day(now);
		if (wall < 8 * HOUR || wall >= 17 * HOUR || !av_working_day(av_local_day(now), closures))
			continue;
		if (left-- == 0)
			return now;
		if (left == 0)
			return now + MINUTE;
	}
}

static void working_hours_are_those_found_minute_by_minute(void **state)
{
	struct av_random random = av_random_seeded(72);
	av_day closed[] = {on("2026-06-22"), on("2026-12-28"), on("2026-12-29")};
	struct av_closures closures = {closed, 3};

	AV_UNUSED(state);
	for (int i = 0; i < 60; i++) {
		int64_t anchor = at("2026-01-01") + (int64_t)av_random_below(&random, 365 * 1440) * MINUTE;
		struct av_period period = {(int)av_random_below(&random, 20), AV_UNIT_WORKING_HOURS, false};
		int64_t got = av_due(anchor, period, &closures, NULL).instant_ms;
		int64_t want = working_hours_by_the_minute(anchor, period.count, &closures);

		if (got != want)
			fail_msg("%d hours from %lld: got %lld want %lld", period.count, (long long)anchor,
				(long long)got, (long long)want);
	}
}

static void rungs_stand_before_and_after_the_last_day(void **state)
{
	av_day due = on("2026-06-22");
	av_day closed[] = {on("2026-06-18")};
	struct av_closures closures = {closed, 1};

	AV_UNUSED(state);
	want_day(av_day_before(due, 30, AV_UNIT_DAYS, NULL), "2026-05-23");
	want_day(av_day_before(due, 14, AV_UNIT_DAYS, NULL), "2026-06-08");
	want_day(av_day_before(due, 3, AV_UNIT_DAYS, NULL), "2026-06-19");
	want_day(av_day_before(due, -1, AV_UNIT_DAYS, NULL), "2026-06-23");
	want_day(av_day_before(due, 2, AV_UNIT_WEEKS, NULL), "2026-06-08");
	want_day(av_day_before(due, 1, AV_UNIT_MONTHS, NULL), "2026-05-22");
	want_day(av_day_before(on("2026-03-31"), 1, AV_UNIT_MONTHS, NULL), "2026-02-28");
	want_day(av_day_before(on("2024-02-29"), 1, AV_UNIT_YEARS, NULL), "2023-02-28");
	want_day(av_day_before(due, 1, AV_UNIT_WORKING_DAYS, NULL), "2026-06-18");
	want_day(av_day_before(due, 1, AV_UNIT_WORKING_DAYS, &closures), "2026-06-17");
	want_day(av_day_before(on("2026-06-18"), -1, AV_UNIT_WORKING_DAYS, NULL), "2026-06-22");
	want_day(av_day_before(on("2026-06-20"), 0, AV_UNIT_WORKING_DAYS, NULL), "2026-06-20");
	want_day(av_day_before(due, 5, AV_UNIT_HOURS, NULL), "2026-06-22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statutory_periods_end_and_move_as_the_act_says),
		cmocka_unit_test(a_qualifying_time_is_not_moved),
		cmocka_unit_test(the_patient_safety_report_is_due_after_a_weekend_first_of_march),
		cmocka_unit_test(the_due_instant_is_the_end_of_the_local_day_also_when_the_clocks_change),
		cmocka_unit_test(seventy_two_hours_are_elapsed_hours_and_never_moved),
		cmocka_unit_test(working_days_pass_over_weekends_holidays_eves_and_closures),
		cmocka_unit_test(closures_never_change_a_statutory_time),
		cmocka_unit_test(working_hours_count_office_hours_of_working_days),
		cmocka_unit_test(working_hours_are_those_found_minute_by_minute),
		cmocka_unit_test(rungs_stand_before_and_after_the_last_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
