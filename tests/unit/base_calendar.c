/* base_calendar.c - holidays and working days, against tables and the words of the acts */
#include "base/calendar.h"
#include "base/macros.h"
#include "base/status.h"
#include "times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* One whole cycle of dates and weekdays. */
#define FIRST_YEAR 1900
#define LAST_YEAR 2299

/* `month_day` is "06-22". */
static av_day in_year(int year, const char *month_day)
{
	int month = (month_day[0] - '0') * 10 + month_day[1] - '0';
	int day = (month_day[3] - '0') * 10 + month_day[4] - '0';

	return av_day_of((struct av_date){year, month, day});
}

/* Gauss, with the numbers for 1900-2199 and his two exceptions. */
static av_day easter_by_gauss(int year)
{
	int m = 24, n = year < 2100 ? 5 : 6;
	int a = year % 19, b = year % 4, c = year % 7;
	int d = (19 * a + m) % 30, e = (2 * b + 4 * c + 6 * d + n) % 7;

	if (d == 29 && e == 6)
		return av_day_of((struct av_date){year, 4, 19});
	if (d == 28 && e == 6 && a > 10)
		return av_day_of((struct av_date){year, 4, 18});
	return av_day_of((struct av_date){year, 3, 22}) + d + e;
}

static void easter_is_that_of_gauss_from_1900_to_2199(void **state)
{
	int earliest = 0, latest = 0;

	AV_UNUSED(state);
	for (int year = 1900; year <= 2199; year++) {
		char got[AV_DATE_TEXT], want[AV_DATE_TEXT];
		av_day_text(av_easter(year), got);
		av_day_text(easter_by_gauss(year), want);
		assert_string_equal(got, want);
		assert_int_equal(av_weekday(av_easter(year)), AV_SUNDAY);
		earliest += av_easter(year) <= in_year(year, "03-23");
		latest += av_easter(year) == in_year(year, "04-25");
	}
	assert_true(earliest > 0 && latest > 0); /* both ends of the range were met */
}

/* The words of the act: the Sunday after the full moon on or next after 21 March, by the church's epacts. */
static void easter_is_the_sunday_after_the_paschal_full_moon_for_a_whole_cycle(void **state)
{
	AV_UNUSED(state);
	for (int year = 1583; year <= 2600; year++) {
		int century = year / 100, golden = year % 19;
		int solar = century - century / 4, lunar = (century - (century - 17) / 25) / 3;
		int moon = (19 * golden + solar - lunar + 15) % 30; /* days from 21 March to the full moon */
		av_day full, sunday;

		moon -= (moon == 29) || (moon == 28 && golden > 10);
		full = av_day_of((struct av_date){year, 3, 21}) + moon;
		for (sunday = full + 1; av_weekday(sunday) != AV_SUNDAY; sunday++)
			continue;
		if (av_easter(year) != sunday)
			fail_msg("%d: got day %d want %d", year, av_easter(year), sunday);
	}
}

/* clang-format off */
static const struct { int year; const char *easter, *good_friday, *easter_monday, *ascension, *whit, *eve, *midsummer,
		*all_saints; int working_days; } years[] = {
	{ 2024, "03-31", "03-29", "04-01", "05-09", "05-19", "06-21", "06-22", "11-02", 251 },
	{ 2025, "04-20", "04-18", "04-21", "05-29", "06-08", "06-20", "06-21", "11-01", 249 },
	{ 2026, "04-05", "04-03", "04-06", "05-14", "05-24", "06-19", "06-20", "10-31", 251 },
	{ 2027, "03-28", "03-26", "03-29", "05-06", "05-16", "06-25", "06-26", "11-06", 253 },
	{ 2028, "04-16", "04-14", "04-17", "05-25", "06-04", "06-23", "06-24", "11-04", 251 },
	{ 2029, "04-01", "03-30", "04-02", "05-10", "05-20", "06-22", "06-23", "11-03", 250 },
	{ 2030, "04-21", "04-19", "04-22", "05-30", "06-09", "06-21", "06-22", "11-02", 250 },
	{ 2031, "04-13", "04-11", "04-14", "05-22", "06-01", "06-20", "06-21", "11-01", 249 },
	{ 2032, "03-28", "03-26", "03-29", "05-06", "05-16", "06-25", "06-26", "11-06", 254 },
};
/* clang-format on */

static void want_holiday(av_day day, enum av_holiday want)
{
	struct av_day_info got = av_day_info(day, NULL);
	bool eve = want == AV_HOLIDAY_MIDSUMMER_EVE || want == AV_HOLIDAY_CHRISTMAS_EVE ||
		   want == AV_HOLIDAY_NEW_YEARS_EVE;

	assert_string_equal(av_holiday_code(got.holiday), av_holiday_code(want));
	assert_int_equal(got.kind, eve ? AV_DAY_EVE : AV_DAY_HOLIDAY);
	assert_int_equal(got.day, day);
}

static void the_years_2024_to_2032_have_their_holidays_and_working_days(void **state)
{
	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(years); i++) {
		int year = years[i].year;

		want_holiday(in_year(year, "01-01"), AV_HOLIDAY_NEW_YEARS_DAY);
		want_holiday(in_year(year, "01-06"), AV_HOLIDAY_EPIPHANY);
		want_holiday(in_year(year, years[i].good_friday), AV_HOLIDAY_GOOD_FRIDAY);
		want_holiday(in_year(year, years[i].easter), AV_HOLIDAY_EASTER_SUNDAY);
		want_holiday(in_year(year, years[i].easter_monday), AV_HOLIDAY_EASTER_MONDAY);
		want_holiday(in_year(year, "05-01"), AV_HOLIDAY_MAY_DAY);
		want_holiday(in_year(year, years[i].ascension), AV_HOLIDAY_ASCENSION_DAY);
		want_holiday(in_year(year, years[i].whit), AV_HOLIDAY_WHIT_SUNDAY);
		want_holiday(in_year(year, "06-06"), AV_HOLIDAY_NATIONAL_DAY);
		want_holiday(in_year(year, years[i].eve), AV_HOLIDAY_MIDSUMMER_EVE);
		want_holiday(in_year(year, years[i].midsummer), AV_HOLIDAY_MIDSUMMER_DAY);
		want_holiday(in_year(year, years[i].all_saints), AV_HOLIDAY_ALL_SAINTS_DAY);
		want_holiday(in_year(year, "12-24"), AV_HOLIDAY_CHRISTMAS_EVE);
		want_holiday(in_year(year, "12-25"), AV_HOLIDAY_CHRISTMAS_DAY);
		want_holiday(in_year(year, "12-26"), AV_HOLIDAY_BOXING_DAY);
		want_holiday(in_year(year, "12-31"), AV_HOLIDAY_NEW_YEARS_EVE);
		assert_int_equal(av_working_days_in_year(year), years[i].working_days);
	}
}

/* Thursdays before, squeezed days, the evenings and eves that the act does not name, Whit Monday. */
static void days_that_only_feel_like_holidays_are_working_days(void **state)
{
	static const char *const days[] = {"2026-01-05", "2026-04-02", "2026-04-30", "2026-05-15",
		"2026-05-25", "2026-06-05", "2026-06-18", "2026-10-30", "2026-12-23", "2026-12-30",
		"2027-01-04", "2025-06-05", "2028-06-05"};

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(days); i++) {
		if (!av_working_day(on(days[i]), NULL) || av_day_moves(on(days[i])))
			fail_msg("%s is not a working day", days[i]);
	}
	assert_int_equal(av_day_info(on("2026-04-04"), NULL).kind, AV_DAY_SATURDAY); /* påskafton */
	assert_int_equal(av_day_info(on("2026-04-12"), NULL).kind, AV_DAY_SUNDAY);
}

/* What the acts say of each day of the list, tested from the day and not from the rule that made it. */
static bool agrees_with_the_acts(struct av_day_info info)
{
	struct av_date date = av_date_of(info.day);
	enum av_weekday weekday = av_weekday(info.day);
	int month_day = date.month * 100 + date.day, from_easter = info.day - av_easter(date.year);

	switch (info.holiday) {
	case AV_HOLIDAY_NONE:
		return true;
	case AV_HOLIDAY_NEW_YEARS_DAY:
		return month_day == 101;
	case AV_HOLIDAY_EPIPHANY:
		return month_day == 106;
	case AV_HOLIDAY_GOOD_FRIDAY:
		return weekday == AV_FRIDAY && from_easter < 0 && from_easter > -7;
	case AV_HOLIDAY_EASTER_SUNDAY:
		return weekday == AV_SUNDAY && month_day >= 322 && month_day <= 425;
	case AV_HOLIDAY_EASTER_MONDAY:
		return weekday == AV_MONDAY && from_easter == 1;
	case AV_HOLIDAY_MAY_DAY:
		return month_day == 501;
	case AV_HOLIDAY_ASCENSION_DAY: /* the sixth Thursday after Easter */
		return weekday == AV_THURSDAY && from_easter > 5 * 7 && from_easter < 6 * 7;
	case AV_HOLIDAY_WHIT_SUNDAY: /* the seventh Sunday after Easter */
		return weekday == AV_SUNDAY && from_easter == 7 * 7;
	case AV_HOLIDAY_NATIONAL_DAY:
		return month_day == 606;
	case AV_HOLIDAY_MIDSUMMER_EVE:
		return weekday == AV_FRIDAY && month_day >= 619 && month_day <= 625;
	case AV_HOLIDAY_MIDSUMMER_DAY:
		return weekday == AV_SATURDAY && month_day >= 620 && month_day <= 626;
	case AV_HOLIDAY_ALL_SAINTS_DAY:
		return weekday == AV_SATURDAY &&
		       (month_day == 1031 || (month_day >= 1101 && month_day <= 1106));
	case AV_HOLIDAY_CHRISTMAS_EVE:
		return month_day == 1224;
	case AV_HOLIDAY_CHRISTMAS_DAY:
		return month_day == 1225;
	case AV_HOLIDAY_BOXING_DAY:
		return month_day == 1226;
	case AV_HOLIDAY_NEW_YEARS_EVE:
		return month_day == 1231;
	default:
		return false;
	}
}

static enum av_day_kind want_kind(struct av_day_info info)
{
	enum av_weekday weekday = av_weekday(info.day);

	if (info.holiday == AV_HOLIDAY_MIDSUMMER_EVE || info.holiday == AV_HOLIDAY_CHRISTMAS_EVE ||
		info.holiday == AV_HOLIDAY_NEW_YEARS_EVE)
		return AV_DAY_EVE;
	if (info.holiday != AV_HOLIDAY_NONE)
		return AV_DAY_HOLIDAY;
	return weekday == AV_SUNDAY	? AV_DAY_SUNDAY
	       : weekday == AV_SATURDAY ? AV_DAY_SATURDAY
					: AV_DAY_WORKING;
}

static void every_day_of_400_years_is_what_the_acts_say(void **state)
{
	AV_UNUSED(state);
	for (int year = FIRST_YEAR; year <= LAST_YEAR; year++) {
		struct av_day_info listed[16];
		size_t count = av_holidays(year, listed), at = 0;
		int seen[AV_HOLIDAY_COUNT] = {0}, working = 0;

		for (av_day day = in_year(year, "01-01"); day <= in_year(year, "12-31"); day++) {
			struct av_day_info info = av_day_info(day, NULL);
			bool is_working = info.kind == AV_DAY_WORKING;

			if (!agrees_with_the_acts(info) || info.kind != want_kind(info))
				fail_msg("day %d of %d: got %s, kind %d", day, year,
					av_holiday_code(info.holiday), info.kind);
			if (av_day_moves(day) == is_working || av_working_day(day, NULL) != is_working)
				fail_msg("day %d of %d: moves, working and kind disagree", day, year);
			seen[info.holiday]++;
			working += is_working;
			if (info.holiday == AV_HOLIDAY_NONE)
				continue;
			assert_true(at < count);
			assert_int_equal(listed[at].day, day);
			assert_int_equal(listed[at].kind, info.kind);
			assert_int_equal(listed[at].holiday, info.holiday);
			at++;
		}
		assert_int_equal(at, count);
		assert_int_equal(av_working_days_in_year(year), working);
		for (int i = 1; i < AV_HOLIDAY_COUNT; i++) {
			bool hidden = count == 15 &&
				      (i == AV_HOLIDAY_ASCENSION_DAY || i == AV_HOLIDAY_NATIONAL_DAY);
			if (seen[i] != 1 && !(hidden && seen[i] == 0))
				fail_msg("%d: %s comes %d times", year, av_holiday_code(i), seen[i]);
		}
		assert_in_range(count, 15, 16);
	}
}

static void two_holidays_share_a_day_in_exactly_the_known_years(void **state)
{
	/* Ascension on May Day needs Easter on 23 March, Whit Sunday on the national day Easter on 18 April.
	 */
	static const int ascension[] = {1913, 2008, 2160}, whit[] = {2049, 2055, 2060};
	size_t a = 0, w = 0;

	AV_UNUSED(state);
	for (int year = 1900; year <= 2199; year++) {
		struct av_day_info days[16];
		bool shares = av_easter(year) + 39 == in_year(year, "05-01");

		if (shares) {
			assert_true(a < AV_COUNT(ascension));
			assert_int_equal(year, ascension[a++]);
			assert_int_equal(av_holidays(year, days), 15);
			want_holiday(in_year(year, "05-01"), AV_HOLIDAY_MAY_DAY);
		}
		if (year >= 2005 && year <= 2100 && av_easter(year) + 49 == in_year(year, "06-06")) {
			assert_true(w < AV_COUNT(whit));
			assert_int_equal(year, whit[w++]);
			assert_int_equal(av_holidays(year, days), 15);
			want_holiday(in_year(year, "06-06"), AV_HOLIDAY_WHIT_SUNDAY);
		}
	}
	assert_int_equal(a, AV_COUNT(ascension));
	assert_int_equal(w, AV_COUNT(whit));
}

static void the_next_day_for_an_act_is_the_first_that_does_not_move_and_at_most_five_away(void **state)
{
	av_day first = in_year(FIRST_YEAR, "01-01"), last = in_year(LAST_YEAR, "12-31");
	int run = 0, longest = 0;

	AV_UNUSED(state);
	for (av_day day = first; day <= last; day++) {
		av_day next = av_next_act_day(day);

		run = av_day_moves(day) ? run + 1 : 0;
		longest = AV_MAX(longest, run);
		assert_in_range(next - day, 0, 5);
		assert_false(av_day_moves(next));
		for (av_day between = day; between < next; between++)
			assert_true(av_day_moves(between));
	}
	assert_int_equal(longest, 5);
}

static void closures_close_working_days_only_and_never_statutory_ones(void **state)
{
	av_day days[] = {
		on("2026-04-05"), on("2026-04-11"), on("2026-05-15"), on("2026-06-05"), on("2026-12-24")};
	struct av_closures closures = {days, AV_COUNT(days)}, none = {NULL, 0};

	AV_UNUSED(state);
	assert_int_equal(av_day_info(days[0], &closures).kind, AV_DAY_HOLIDAY);
	assert_int_equal(av_day_info(days[1], &closures).kind, AV_DAY_SATURDAY);
	assert_int_equal(av_day_info(days[2], &closures).kind, AV_DAY_CLOSED);
	assert_int_equal(av_day_info(days[3], &closures).kind, AV_DAY_CLOSED);
	assert_int_equal(av_day_info(days[4], &closures).kind, AV_DAY_EVE);
	assert_false(av_working_day(days[2], &closures));
	assert_true(av_working_day(days[2], NULL));
	assert_true(av_working_day(days[2], &none));
	assert_true(av_working_day(on("2026-05-18"), &closures));
	assert_false(av_day_moves(days[2]));
	assert_int_equal(av_next_act_day(days[2]), days[2]);
}

static void each_holiday_has_a_code_and_a_name_of_its_own(void **state)
{
	AV_UNUSED(state);
	for (int i = 1; i < AV_HOLIDAY_COUNT; i++) {
		assert_true(strlen(av_holiday_code(i)) > 0 && strlen(av_holiday_name(i)) > 0);
		for (const char *c = av_holiday_code(i); *c; c++)
			assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
		for (int k = 1; k < i; k++) {
			assert_string_not_equal(av_holiday_code(i), av_holiday_code(k));
			assert_string_not_equal(av_holiday_name(i), av_holiday_name(k));
		}
	}
	assert_string_equal(av_holiday_name(AV_HOLIDAY_ASCENSION_DAY), "Kristi himmelsfärdsdag");
	assert_string_equal(av_holiday_code(AV_HOLIDAY_NONE), "");
	assert_string_equal(av_holiday_code(AV_HOLIDAY_COUNT), "");
	assert_string_equal(av_holiday_name((enum av_holiday)1000), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(easter_is_that_of_gauss_from_1900_to_2199),
		cmocka_unit_test(easter_is_the_sunday_after_the_paschal_full_moon_for_a_whole_cycle),
		cmocka_unit_test(the_years_2024_to_2032_have_their_holidays_and_working_days),
		cmocka_unit_test(days_that_only_feel_like_holidays_are_working_days),
		cmocka_unit_test(every_day_of_400_years_is_what_the_acts_say),
		cmocka_unit_test(two_holidays_share_a_day_in_exactly_the_known_years),
		cmocka_unit_test(
			the_next_day_for_an_act_is_the_first_that_does_not_move_and_at_most_five_away),
		cmocka_unit_test(closures_close_working_days_only_and_never_statutory_ones),
		cmocka_unit_test(each_holiday_has_a_code_and_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
