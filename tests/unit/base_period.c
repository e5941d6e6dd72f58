/* base_period.c - when periods end and why, rungs, texts, reporting spans */
#include "base/calendar.h"
#include "base/macros.h"
#include "base/random.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)
#define MINUTE INT64_C(60000)

static av_day on(const char *text)
{
	av_day day;

	if (av_day_parse(text, &day) != AV_OK)
		fail_msg("\"%s\" is not a day", text);
	return day;
}

static int64_t at(const char *text)
{
	int64_t instant;

	if (av_instant_parse(text, &instant) != AV_OK)
		fail_msg("\"%s\" is not an instant", text);
	return instant;
}

static struct av_period lasting(const char *text)
{
	struct av_period period;

	if (av_period_parse(text, &period) != AV_OK)
		fail_msg("\"%s\" is not a period", text);
	return period;
}

static void want_day(av_day got, const char *want)
{
	char text[AV_DATE_TEXT];

	av_day_text(got, text);
	assert_string_equal(text, want);
}

static void want_instant(int64_t got, const char *want)
{
	char text[AV_INSTANT_TEXT];

	av_instant_text(got, text);
	assert_string_equal(text, want);
}

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
			av_due_explain(anchor, period, NULL, NULL, note_passed, &passed);
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

struct tally {
	int uses[5], visits;
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

	av_due_explain(anchor, period, closures, NULL, tally_day, &tally);
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
		cmocka_unit_test(statutory_periods_end_and_move_as_the_act_says),
		cmocka_unit_test(a_qualifying_time_is_not_moved),
		cmocka_unit_test(the_patient_safety_report_is_due_after_a_weekend_first_of_march),
		cmocka_unit_test(the_due_instant_is_the_end_of_the_local_day_also_when_the_clocks_change),
		cmocka_unit_test(seventy_two_hours_are_elapsed_hours_and_never_moved),
		cmocka_unit_test(working_days_pass_over_weekends_holidays_eves_and_closures),
		cmocka_unit_test(closures_never_change_a_statutory_time),
		cmocka_unit_test(working_hours_count_office_hours_of_working_days),
		cmocka_unit_test(working_hours_are_those_found_minute_by_minute),
		cmocka_unit_test(the_explanation_agrees_with_the_due_day_for_thousands_of_periods),
		cmocka_unit_test(months_and_years_end_on_the_same_number_or_the_last_day_for_every_start),
		cmocka_unit_test(a_later_start_is_never_due_earlier),
		cmocka_unit_test(numbers_out_of_range_saturate),
		cmocka_unit_test(rungs_stand_before_and_after_the_last_day),
		cmocka_unit_test(going_before_and_after_again_comes_back),
		cmocka_unit_test(periods_read_and_write),
		cmocka_unit_test(every_day_stands_in_spans_that_meet_without_gap),
		cmocka_unit_test(spans_have_their_keys_and_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
