/* base_date.c - dates and Swedish local time, against a calendar walked day by day and the C library's zone
 * rules */
#include "base/date.h"
#include "base/macros.h"
#include "base/status.h"
#include "times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)
#define QUARTER INT64_C(900000)

/* 1601 to 2400 is two whole cycles, on both sides of 1970. */
static void every_day_of_two_400_year_cycles_goes_to_its_date_and_back(void **state)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	av_day day = -134774; /* 1601-01-01, 369 years and 89 leap days before 1970 */
	int weekday = AV_MONDAY;
	char text[AV_DATE_TEXT];

	AV_UNUSED(state);
	for (int year = 1601; year <= 2400; year++) {
		bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
		assert_int_equal(av_leap_year(year), leap);
		for (int month = 1; month <= 12; month++) {
			int length = month == 2 && leap ? 29 : lengths[month - 1];
			assert_int_equal(av_days_in_month(year, month), length);
			for (int number = 1; number <= length; number++, day++, weekday = weekday % 7 + 1) {
				struct av_date got = av_date_of(day);
				av_day back = 0;
				if (got.year != year || got.month != month || got.day != number)
					fail_msg("day %d: got %d-%d-%d want %d-%d-%d", day, got.year,
						got.month, got.day, year, month, number);
				if (av_day_of(got) != day || (int)av_weekday(day) != weekday)
					fail_msg("%d-%d-%d: got day %d, weekday %d want %d, %d", year, month,
						number, av_day_of(got), av_weekday(day), day, weekday);
				av_day_text(day, text);
				if (av_day_parse(text, &back) != AV_OK || back != day)
					fail_msg("%s: parsed as %d want %d", text, back, day);
			}
		}
	}
	assert_int_equal(day, 157420); /* 2401-01-01 */
}

static void known_days_have_their_numbers_and_weekdays(void **state)
{
	AV_UNUSED(state);
	assert_int_equal(on("1970-01-01"), 0);
	assert_int_equal(av_weekday(0), AV_THURSDAY);
	assert_int_equal(on("1969-12-31"), -1);
	assert_int_equal(on("2000-03-01"), 11017);
	assert_int_equal(on("0001-01-01"), AV_DAY_MIN);
	assert_int_equal(on("9999-12-31"), AV_DAY_MAX);
	assert_int_equal(av_weekday(on("2026-06-22")), AV_MONDAY);
}

static void days_out_of_range_saturate_in_text(void **state)
{
	char text[AV_DATE_TEXT];

	AV_UNUSED(state);
	av_day_text(INT32_MAX, text);
	assert_string_equal(text, "9999-12-31");
	av_day_text(INT32_MIN, text);
	assert_string_equal(text, "0001-01-01");
	assert_int_equal(av_day_of((struct av_date){INT32_MAX, 12, 31}), INT32_MAX);
	assert_int_equal(av_day_of((struct av_date){INT32_MIN, 1, 1}), INT32_MIN);
	for (int64_t day = INT32_MIN; day <= INT32_MAX; day += 104729) {
		if (av_day_of(av_date_of((av_day)day)) != day)
			fail_msg("day %lld does not come back", (long long)day);
	}
}

static void dates_that_do_not_exist_are_refused(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-6-22", "2026-06-2", "2026-06-222", "2026-13-01",
		"2026-00-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29", "1900-02-29",
		"2100-02-29", "0000-01-01", "20260622", "2026/06/22", " 2026-06-22", "2026-06-22 ",
		"+026-06-22", "2026-06--1", "2026-06-22T00:00"};
	av_day day = 77;

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		if (av_day_parse(bad[i], &day) != AV_INVALID || day != 77)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_int_equal(on("2000-02-29"), 11016);
	assert_false(av_date_valid((struct av_date){2026, 13, 1}));
	assert_false(av_date_valid((struct av_date){10000, 1, 1}));
	assert_int_equal(av_days_in_month(2026, 0), 0);
	assert_int_equal(av_days_in_month(2026, 13), 0);
}

/* Independent of date.c: the C library with the European rule as a POSIX zone string, no zone files. */
static void compare_with_the_c_library(int64_t instant)
{
	time_t seconds = (time_t)(instant / 1000);
	struct tm want;
	struct av_date got = av_date_of(av_local_day(instant));
	int second = av_local_ms_of_day(instant) / 1000;

	localtime_r(&seconds, &want);
	if (got.year != want.tm_year + 1900 || got.month != want.tm_mon + 1 || got.day != want.tm_mday ||
		second != want.tm_hour * 3600 + want.tm_min * 60 + want.tm_sec ||
		av_utc_offset_ms(instant) != want.tm_gmtoff * 1000)
		fail_msg("instant %lld: got %d-%d-%d %d s", (long long)instant, got.year, got.month, got.day,
			second);
}

static void local_time_is_that_of_the_c_library_from_1996_to_2100(void **state)
{
	int64_t from = at("1996-01-01T00:00Z"), to = at("2101-01-01T00:00Z");
	int before = 3600000, changes = 0;

	AV_UNUSED(state);
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (int64_t instant = from; instant < to; instant += 6 * HOUR) {
		compare_with_the_c_library(instant);
		if (av_utc_offset_ms(instant) != before) {
			for (int64_t near = instant - 6 * HOUR; near < instant + HOUR; near += QUARTER) {
				compare_with_the_c_library(near);
				compare_with_the_c_library(near - 1000);
			}
			before = av_utc_offset_ms(instant);
			changes++;
		}
	}
	assert_int_equal(changes, 2 * 105);
}

static void the_clocks_change_when_they_did(void **state)
{
	/* clang-format off */
	static const struct { const char *spring, *autumn; } years[] = {
		{ "1996-03-31T01:00Z", "1996-10-27T01:00Z" }, { "2000-03-26T01:00Z", "2000-10-29T01:00Z" },
		{ "2021-03-28T01:00Z", "2021-10-31T01:00Z" }, { "2024-03-31T01:00Z", "2024-10-27T01:00Z" },
		{ "2025-03-30T01:00Z", "2025-10-26T01:00Z" }, { "2026-03-29T01:00Z", "2026-10-25T01:00Z" },
		{ "2027-03-28T01:00Z", "2027-10-31T01:00Z" },
	};
	/* clang-format on */
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(years); i++) {
		assert_int_equal(av_utc_offset_ms(at(years[i].spring) - 1), 3600000);
		assert_int_equal(av_utc_offset_ms(at(years[i].spring)), 7200000);
		assert_int_equal(av_utc_offset_ms(at(years[i].autumn) - 1), 7200000);
		assert_int_equal(av_utc_offset_ms(at(years[i].autumn)), 3600000);
	}
}

static void wall_time_comes_back_across_every_change_from_1996_to_2100(void **state)
{
	int doubled = 0, days[26] = {0};

	AV_UNUSED(state);
	for (av_day day = on("1996-01-01"); day <= on("2100-12-31"); day++) {
		int64_t start = av_day_start_ms(day), end = av_day_end_ms(day);
		int64_t hours = (end + 1 - start) / HOUR;

		assert_int_equal(av_day_start_ms(day + 1), end + 1);
		assert_int_equal(av_local_day(start), day);
		assert_int_equal(av_local_day(start - 1), day - 1);
		assert_int_equal(av_local_day(end), day);
		assert_int_equal(av_local_ms_of_day(start), 0);
		assert_int_equal(av_local_ms_of_day(end), AV_DAY_MS - 1);
		assert_in_range(hours, 23, 25);
		days[hours]++;
		if (hours == 24)
			continue;
		assert_int_equal(av_weekday(day), AV_SUNDAY);
		for (int64_t instant = start - 2 * HOUR; instant < end + 2 * HOUR; instant += QUARTER) {
			int64_t back = av_local_instant(av_local_day(instant), av_local_ms_of_day(instant));
			if (back == instant - HOUR && hours == 25)
				doubled++; /* the second time round is read as the first */
			else if (back != instant)
				fail_msg("instant %lld came back as %lld", (long long)instant,
					(long long)back);
		}
		if (hours == 23) {
			for (int64_t wall = 2 * HOUR; wall < 3 * HOUR; wall += QUARTER)
				assert_int_equal(
					av_local_ms_of_day(av_local_instant(day, (int)wall)), wall + HOUR);
		}
	}
	assert_int_equal(days[23], 105);
	assert_int_equal(days[25], 105);
	assert_int_equal(doubled, 105 * 4);
}

static void instants_from_a_peer_cannot_overflow(void **state)
{
	static const int64_t wild[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
		AV_DAY_MAX * AV_DAY_MS, (AV_DAY_MIN + 1) * AV_DAY_MS};
	char text[AV_INSTANT_TEXT], minute[17];

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(wild); i++) {
		assert_in_range(av_local_day(wild[i]) - AV_DAY_MIN, 0, AV_DAY_MAX - AV_DAY_MIN);
		assert_in_range(av_local_ms_of_day(wild[i]), 0, AV_DAY_MS - 1);
		av_instant_text(wild[i], text);
		av_instant_minute_text(wild[i], minute);
		assert_int_equal(strlen(minute), 16);
	}
	av_instant_text(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T01:00:00+01:00");
	av_instant_text(INT64_MIN, text);
	assert_string_equal(text, "0001-01-02T01:00:00+01:00");
	av_day_end_ms(INT32_MAX);
	av_day_start_ms(INT32_MIN);
}

static void instants_read_and_write_as_local_iso_8601(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *want; } cases[] = {
		{ "2026-06-22T23:59:59.999+02:00", "2026-06-22T23:59:59.999+02:00" },
		{ "2026-06-22T21:59:59.999Z",      "2026-06-22T23:59:59.999+02:00" },
		{ "2026-06-22T14:05",              "2026-06-22T14:05:00+02:00" },
		{ "2026-06-22 14:05:06",           "2026-06-22T14:05:06+02:00" },
		{ "2026-01-22 14:05:06.7",         "2026-01-22T14:05:06.700+01:00" },
		{ "2026-01-22T14:05:06.007009",    "2026-01-22T14:05:06.007+01:00" },
		{ "2026-01-22",                    "2026-01-22T00:00:00+01:00" },
		{ "2026-06-22",                    "2026-06-22T00:00:00+02:00" },
		{ "2026-06-22T00:30-03:30",        "2026-06-22T06:00:00+02:00" },
		{ "2026-03-29T02:30",              "2026-03-29T03:30:00+02:00" }, /* skipped */
		{ "2026-10-25T02:30",              "2026-10-25T02:30:00+02:00" }, /* doubled: the first */
		{ "2026-10-25T02:30+01:00",        "2026-10-25T02:30:00+01:00" },
		{ "1969-12-31T23:59:59.001Z",      "1970-01-01T00:59:59.001+01:00" },
	};
	/* clang-format on */
	char got[AV_INSTANT_TEXT], minute[17];

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(cases); i++) {
		int64_t instant = at(cases[i].text);
		av_instant_text(instant, got);
		assert_string_equal(got, cases[i].want);
		assert_int_equal(at(got), instant);
		av_instant_minute_text(instant, minute);
		memcpy(got, cases[i].want, 16);
		got[10] = ' ';
		got[16] = '\0';
		assert_string_equal(minute, got);
	}
	assert_true(at("2026-04-01T00:00Z") == INT64_C(1775001600000));
}

static void what_is_no_instant_is_refused(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-06-22T", "2026-06-22X14:05", "2026-06-22T24:00",
		"2026-06-22T14:60", "2026-06-22T14:05:60", "2026-06-22T14:05:", "2026-06-22T14:05:06.",
		"2026-06-22T14:05:06.1234567890", "2026-06-22T14:05.5", "2026-06-22T14:05z",
		"2026-06-22T14:05Z ", "2026-06-22T14:05+0200", "2026-06-22T14:05+02",
		"2026-06-22T14:05+24:00", "2026-06-22T14:05+02:60", "2026-02-30T14:05", "2026-06-22T4:05",
		"2026-06-22Z", "2026-06-22  14:05"};
	int64_t instant = 77;

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(bad); i++) {
		if (av_instant_parse(bad[i], &instant) != AV_INVALID || instant != 77)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_of_two_400_year_cycles_goes_to_its_date_and_back),
		cmocka_unit_test(known_days_have_their_numbers_and_weekdays),
		cmocka_unit_test(days_out_of_range_saturate_in_text),
		cmocka_unit_test(dates_that_do_not_exist_are_refused),
		cmocka_unit_test(local_time_is_that_of_the_c_library_from_1996_to_2100),
		cmocka_unit_test(the_clocks_change_when_they_did),
		cmocka_unit_test(wall_time_comes_back_across_every_change_from_1996_to_2100),
		cmocka_unit_test(instants_from_a_peer_cannot_overflow),
		cmocka_unit_test(instants_read_and_write_as_local_iso_8601),
		cmocka_unit_test(what_is_no_instant_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
