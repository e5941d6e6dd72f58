/* date.c - civil dates and Swedish local time
 *
 * Days and dates by the era method (a year that begins in March, 400 years are 146 097 days), in 64 bits
 * inside.
 */
#include "base/date.h"

#include "base/macros.h"
#include "base/status.h"

#include <string.h>

#define HOUR_MS 3600000
#define MINUTE_MS 60000
#define WINTER_MS (1 * HOUR_MS) /* svensk normaltid, UTC+1: förordning (1979:988) */
#define SUMMER_MS (2 * HOUR_MS) /* sommartid, UTC+2: förordning (2001:127), directive 2000/84/EC */
#define CHANGE_MS HOUR_MS	/* both changes come at 01:00 UTC */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static av_day clamp_day(int64_t day)
{
	return (av_day)AV_MAX(AV_MIN(day, AV_DAY_MAX), AV_DAY_MIN);
}

static int64_t clamp_instant(int64_t instant_ms)
{
	return AV_MAX(AV_MIN(instant_ms, AV_DAY_MAX * AV_DAY_MS), (AV_DAY_MIN + 1) * AV_DAY_MS);
}

av_day av_day_of(struct av_date date)
{
	int64_t year = (int64_t)date.year - (date.month <= 2);
	int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	int64_t day = era * 146097 + day_of_era - 719468;

	return (av_day)AV_MAX(AV_MIN(day, INT32_MAX), INT32_MIN);
}

struct av_date av_date_of(av_day day)
{
	int64_t shifted = (int64_t)day + 719468;
	int64_t era = floor_div(shifted, 146097), day_of_era = shifted - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = (int)(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
	int month = (5 * day_of_year + 2) / 153; /* 0 is March */
	struct av_date date;

	date.day = day_of_year - (153 * month + 2) / 5 + 1;
	date.month = month < 10 ? month + 3 : month - 9;
	date.year = (int)(year_of_era + era * 400 + (date.month <= 2));
	return date;
}

enum av_weekday av_weekday(av_day day)
{
	int64_t since_monday = ((int64_t)day + 3) % 7; /* 1970-01-01 was a Thursday */

	return (enum av_weekday)((since_monday + 7) % 7 + 1);
}

bool av_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int av_days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month < 1 || month > 12 ? 0 : days[month - 1] + (month == 2 && av_leap_year(year));
}

bool av_date_valid(struct av_date date)
{
	return date.year >= 1 && date.year <= 9999 && date.day >= 1 &&
	       date.day <= av_days_in_month(date.year, date.month);
}

static char *put_digits(char *to, int value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + width;
}

static char *put_day(char *to, av_day day)
{
	struct av_date date = av_date_of(clamp_day(day));

	to = put_digits(to, date.year, 4);
	*to++ = '-';
	to = put_digits(to, date.month, 2);
	*to++ = '-';
	return put_digits(to, date.day, 2);
}

void av_day_text(av_day day, char ret_text[AV_DATE_TEXT])
{
	*put_day(ret_text, day) = '\0';
}

/* Readers for the parsers: each goes forward over what it read, or answers false. */
static bool read_digits(const char **at, int width, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < width; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret_value = value;
	return true;
}

static bool read_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool read_day(const char **at, av_day *ret_day)
{
	struct av_date date;

	if (!read_digits(at, 4, &date.year) || !read_char(at, '-') || !read_digits(at, 2, &date.month) ||
		!read_char(at, '-') || !read_digits(at, 2, &date.day) || !av_date_valid(date))
		return false;
	*ret_day = av_day_of(date);
	return true;
}

/* hh:mm, of a day or an offset */
static bool read_hour_minute(const char **at, int *ret_ms)
{
	int hour, minute;

	if (!read_digits(at, 2, &hour) || !read_char(at, ':') || !read_digits(at, 2, &minute) || hour > 23 ||
		minute > 59)
		return false;
	*ret_ms = hour * HOUR_MS + minute * MINUTE_MS;
	return true;
}

int av_day_parse(const char *text, av_day *ret_day)
{
	av_day day;

	if (!read_day(&text, &day) || *text != '\0')
		return AV_INVALID;
	*ret_day = day;
	return AV_OK;
}

/* When the clocks change in March or October, the two months of 31 days that count here. */
static int64_t change_instant(int year, int month)
{
	av_day last = av_day_of((struct av_date){year, month, 31});
	av_day sunday = last - (int)av_weekday(last) % 7;

	return sunday * AV_DAY_MS + CHANGE_MS;
}

int av_utc_offset_ms(int64_t instant_ms)
{
	int year;

	instant_ms = clamp_instant(instant_ms);
	year = av_date_of((av_day)floor_div(instant_ms, AV_DAY_MS)).year;
	return instant_ms >= change_instant(year, 3) && instant_ms < change_instant(year, 10) ? SUMMER_MS
											      : WINTER_MS;
}

av_day av_local_day(int64_t instant_ms)
{
	instant_ms = clamp_instant(instant_ms);
	return (av_day)floor_div(instant_ms + av_utc_offset_ms(instant_ms), AV_DAY_MS);
}

int av_local_ms_of_day(int64_t instant_ms)
{
	int64_t local;

	instant_ms = clamp_instant(instant_ms);
	local = instant_ms + av_utc_offset_ms(instant_ms);
	return (int)(local - floor_div(local, AV_DAY_MS) * AV_DAY_MS);
}

int64_t av_local_instant(av_day day, int ms_of_day)
{
	int64_t wall = day * AV_DAY_MS + ms_of_day;

	/* Summer time first: of a doubled hour it is the first. In the gap neither reading agrees with
	 * itself, and the winter one is the one that has moved forward. */
	if (av_utc_offset_ms(wall - SUMMER_MS) == SUMMER_MS)
		return wall - SUMMER_MS;
	return wall - WINTER_MS;
}

int64_t av_day_start_ms(av_day day)
{
	return av_local_instant(day, 0);
}

int64_t av_day_end_ms(av_day day)
{
	return av_local_instant(day, (int)AV_DAY_MS) - 1;
}

void av_instant_text(int64_t instant_ms, char ret_text[AV_INSTANT_TEXT])
{
	int ms = av_local_ms_of_day(instant_ms);
	char *to = put_day(ret_text, av_local_day(instant_ms));

	*to++ = 'T';
	to = put_digits(to, ms / HOUR_MS, 2);
	*to++ = ':';
	to = put_digits(to, ms / MINUTE_MS % 60, 2);
	*to++ = ':';
	to = put_digits(to, ms / 1000 % 60, 2);
	if (ms % 1000 != 0) {
		*to++ = '.';
		to = put_digits(to, ms % 1000, 3);
	}
	memcpy(to, av_utc_offset_ms(instant_ms) == SUMMER_MS ? "+02:00" : "+01:00", 7);
}

void av_instant_minute_text(int64_t instant_ms, char ret_text[17])
{
	int ms = av_local_ms_of_day(instant_ms);
	char *to = put_day(ret_text, av_local_day(instant_ms));

	*to++ = ' ';
	to = put_digits(to, ms / HOUR_MS, 2);
	*to++ = ':';
	to = put_digits(to, ms / MINUTE_MS % 60, 2);
	*to = '\0';
}

/* .7 is 700 ms, .789012 is 789 ms */
static bool read_fraction(const char **at, int *ret_ms)
{
	int ms = 0, digits = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++, digits++) {
		if (digits < 3)
			ms = ms * 10 + (**at - '0');
	}
	for (int i = digits; i < 3; i++)
		ms *= 10;
	*ret_ms = ms;
	return digits >= 1 && digits <= 9;
}

int av_instant_parse(const char *text, int64_t *ret_instant_ms)
{
	av_day day;
	int ms, second, fraction, offset;
	bool east;

	if (!read_day(&text, &day))
		return AV_INVALID;
	if (*text == '\0') {
		*ret_instant_ms = av_day_start_ms(day);
		return AV_OK;
	}
	if ((!read_char(&text, 'T') && !read_char(&text, ' ')) || !read_hour_minute(&text, &ms))
		return AV_INVALID;
	if (read_char(&text, ':')) {
		if (!read_digits(&text, 2, &second) || second > 59)
			return AV_INVALID;
		ms += second * 1000;
		if (read_char(&text, '.')) {
			if (!read_fraction(&text, &fraction))
				return AV_INVALID;
			ms += fraction;
		}
	}
	if (*text == '\0') {
		*ret_instant_ms = av_local_instant(day, ms);
		return AV_OK;
	}
	east = *text == '+';
	if (read_char(&text, 'Z')) {
		offset = 0;
	} else if (!read_char(&text, east ? '+' : '-') || !read_hour_minute(&text, &offset)) {
		return AV_INVALID;
	}
	if (*text != '\0')
		return AV_INVALID;
	*ret_instant_ms = day * AV_DAY_MS + ms - (east ? offset : -offset);
	return AV_OK;
}
