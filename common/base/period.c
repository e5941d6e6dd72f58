/* period.c - when a period ends, and why; reporting spans
 *
 * Lag (1930:173) om beräkning av lagstadgad tid: 1 § the last day of weeks, months and years, 2 § the day
 * after which an act may still be done.
 */
#include "base/calendar.h"

#include "base/macros.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define COUNT_MAX 10000

static const struct av_office_hours office_hours = {8 * 3600000, 17 * 3600000};

/* clang-format off */
static const struct { const char *one, *many; bool calendar; } units[] = {
	[AV_UNIT_HOURS]         = { "hour",         "hours",         false },
	[AV_UNIT_DAYS]          = { "day",          "days",          true  },
	[AV_UNIT_WEEKS]         = { "week",         "weeks",         true  },
	[AV_UNIT_MONTHS]        = { "month",        "months",        true  },
	[AV_UNIT_YEARS]         = { "year",         "years",         true  },
	[AV_UNIT_WORKING_DAYS]  = { "working day",  "working days",  false },
	[AV_UNIT_WORKING_HOURS] = { "working hour", "working hours", false },
};
/* clang-format on */

bool av_office_hours_valid(const struct av_office_hours *hours)
{
	return hours->from_ms >= 0 && hours->to_ms <= AV_DAY_MS &&
	       (int64_t)hours->from_ms + HOUR_MS / 4 <= hours->to_ms;
}

static av_day clamp_day(int64_t day)
{
	return (av_day)AV_MAX(AV_MIN(day, AV_DAY_MAX), AV_DAY_MIN);
}

/* 1 §: the day of the same number, or the last of a month that has none */
static av_day add_months(av_day day, int64_t months)
{
	struct av_date date = av_date_of(day);
	int64_t index = (int64_t)date.year * 12 + date.month - 1 + months;

	if (index < 12)
		return AV_DAY_MIN;
	if (index >= INT64_C(10000) * 12)
		return AV_DAY_MAX;
	date.year = (int)(index / 12);
	date.month = (int)(index % 12) + 1;
	date.day = AV_MIN(date.day, av_days_in_month(date.year, date.month));
	return av_day_of(date);
}

static av_day add_calendar(av_day day, int64_t count, enum av_period_unit unit)
{
	switch (unit) {
	case AV_UNIT_DAYS:
		return clamp_day(day + count);
	case AV_UNIT_WEEKS: /* 1 §: the day of the same name */
		return clamp_day(day + count * 7);
	case AV_UNIT_MONTHS:
		return add_months(day, count);
	case AV_UNIT_YEARS:
		return add_months(day, count * 12);
	default:
		return day;
	}
}

/* --- stops --- */

/* The days of a stop that do not count, after the start day, which never does: [first, after). */
static bool stop_days(const struct av_stop *stop, av_day start, av_day *ret_first, av_day *ret_after)
{
	*ret_first = AV_MAX(av_local_day(stop->from_ms), start + 1);
	*ret_after = av_local_day(stop->until_ms);
	return *ret_first < *ret_after;
}

static bool is_stopped(av_day day, av_day start, const struct av_stops *stops)
{
	av_day first, after;
	for (size_t i = 0; stops && i < stops->count; i++)
		if (stop_days(&stops->stops[i], start, &first, &after) && day >= first && day < after)
			return true;
	return false;
}

static av_day add_stopped_days(av_day nominal, av_day start, const struct av_stops *stops)
{
	av_day first, after;
	for (size_t i = 0; stops && i < stops->count; i++)
		if (stop_days(&stops->stops[i], start, &first, &after) && first <= nominal)
			nominal = clamp_day((int64_t)nominal + after - first);
	return nominal;
}

static int64_t add_stopped_time(int64_t instant_ms, int64_t anchor_ms, const struct av_stops *stops)
{
	for (size_t i = 0; stops && i < stops->count; i++) {
		int64_t from = AV_MAX(stops->stops[i].from_ms, anchor_ms);
		if (from < instant_ms && stops->stops[i].until_ms > from)
			instant_ms += stops->stops[i].until_ms - from;
	}
	return instant_ms;
}

/* --- working time --- */

static av_day next_working_day(av_day day, const struct av_closures *closures)
{
	while (day < AV_DAY_MAX && !av_working_day(day, closures))
		day++;
	return day;
}

static av_day add_working_days(
	av_day day, int64_t count, const struct av_closures *closures, const struct av_stops *stops)
{
	av_day start = day;
	int step = count < 0 ? -1 : 1;

	while (count != 0 && day + step <= AV_DAY_MAX && day + step >= AV_DAY_MIN) {
		day += step;
		if (av_working_day(day, closures) && !is_stopped(day, start, stops))
			count -= step;
	}
	return day;
}

/* Uses up what is left in one stretch of office hours. True: it ends there, at *ret_instant. */
static bool spend(int64_t from, int64_t to, const struct av_stops *stops, int64_t *left, int64_t *ret_instant)
{
	for (size_t i = 0; stops && i <= stops->count && from < to; i++) {
		bool last = i == stops->count;
		int64_t until = last ? to : AV_MAX(AV_MIN(stops->stops[i].from_ms, to), from);
		if (*left <= until - from && (until > from || *left == 0)) {
			*ret_instant = from + *left;
			return true;
		}
		*left -= until - from;
		from = last ? to : AV_MAX(stops->stops[i].until_ms, until);
	}
	return false;
}

/* Hours that reach exactly to closing time end there and not when the next day opens. */
static int64_t add_working_hours(int64_t anchor_ms, int count, const struct av_counting *counting,
	const struct av_office_hours *hours, av_day *ret_day)
{
	static const struct av_stops none = {NULL, 0};
	const struct av_stops *stops = counting->stops ? counting->stops : &none;
	int64_t left = count * HOUR_MS, instant;
	av_day day = av_local_day(anchor_ms);

	for (; day < AV_DAY_MAX; day++) {
		if (av_working_day(day, counting->closures) &&
			spend(AV_MAX(av_local_instant(day, hours->from_ms), anchor_ms),
				av_local_instant(day, hours->to_ms), stops, &left, &instant)) {
			*ret_day = day;
			return instant;
		}
	}
	*ret_day = day;
	return av_day_end_ms(day);
}

struct av_due av_due_counted(int64_t anchor_ms, struct av_period period, const struct av_counting *counting)
{
	const struct av_office_hours *hours = counting->hours;
	int count = AV_MAX(AV_MIN(period.count, COUNT_MAX), 0);
	struct av_due due;

	anchor_ms = AV_MAX(AV_MIN(anchor_ms, AV_DAY_MAX * AV_DAY_MS), AV_DAY_MIN * AV_DAY_MS);
	due.start = av_local_day(anchor_ms);
	switch (period.unit) {
	case AV_UNIT_HOURS:
		due.instant_ms = add_stopped_time(anchor_ms + count * HOUR_MS, anchor_ms, counting->stops);
		due.nominal = due.day = av_local_day(due.instant_ms);
		return due;
	case AV_UNIT_WORKING_HOURS:
		if (!hours || !av_office_hours_valid(hours))
			hours = &office_hours;
		due.instant_ms = add_working_hours(anchor_ms, count, counting, hours, &due.day);
		due.nominal = due.day;
		return due;
	case AV_UNIT_WORKING_DAYS:
		due.nominal = due.day =
			count == 0 ? next_working_day(due.start, counting->closures)
				   : add_working_days(due.start, count, counting->closures, counting->stops);
		break;
	default:
		due.nominal = add_stopped_days(
			add_calendar(due.start, count, period.unit), due.start, counting->stops);
		due.day = period.moved ? av_next_act_day(due.nominal) : due.nominal;
		break;
	}
	due.instant_ms = av_day_end_ms(due.day);
	return due;
}

struct av_due av_due(int64_t anchor_ms, struct av_period period, const struct av_closures *closures,
	const struct av_office_hours *hours)
{
	return av_due_counted(anchor_ms, period, &(struct av_counting){closures, hours, NULL});
}

enum av_period_unit av_unit_counted(enum av_period_unit unit)
{
	return units[unit].calendar ? AV_UNIT_DAYS : unit;
}

static int64_t working_ms(int64_t anchor_ms, int64_t until_ms, const struct av_counting *counting)
{
	const struct av_office_hours *hours = counting->hours;
	int64_t used = 0;

	if (!hours || !av_office_hours_valid(hours))
		hours = &office_hours;
	for (av_day day = av_local_day(anchor_ms); day <= av_local_day(until_ms); day++) {
		int64_t from = AV_MAX(av_local_instant(day, hours->from_ms), anchor_ms);
		int64_t to = AV_MIN(av_local_instant(day, hours->to_ms), until_ms);
		if (!av_working_day(day, counting->closures) || from >= to)
			continue;
		used += to - from;
		for (size_t i = 0; counting->stops && i < counting->stops->count; i++) {
			const struct av_stop *stop = &counting->stops->stops[i];
			used -= AV_MAX(AV_MIN(stop->until_ms, to) - AV_MAX(stop->from_ms, from), 0);
		}
	}
	return used;
}

int64_t av_time_used(
	int64_t anchor_ms, int64_t until_ms, enum av_period_unit unit, const struct av_counting *counting)
{
	av_day start = av_local_day(anchor_ms), last = av_local_day(until_ms);
	int64_t used = 0;

	if (until_ms <= anchor_ms)
		return 0;
	switch (unit) {
	case AV_UNIT_HOURS:
		used = until_ms - anchor_ms;
		for (size_t i = 0; counting->stops && i < counting->stops->count; i++)
			used -= AV_MAX(AV_MIN(counting->stops->stops[i].until_ms, until_ms) -
					       AV_MAX(counting->stops->stops[i].from_ms, anchor_ms),
				0);
		return used / HOUR_MS;
	case AV_UNIT_WORKING_HOURS:
		return working_ms(anchor_ms, until_ms, counting) / HOUR_MS;
	default:
		for (av_day day = start + 1; day <= last; day++)
			used += (unit != AV_UNIT_WORKING_DAYS || av_working_day(day, counting->closures)) &&
				!is_stopped(day, start, counting->stops);
		return used;
	}
}

av_day av_day_before(av_day day, int count, enum av_period_unit unit, const struct av_closures *closures)
{
	if (unit == AV_UNIT_WORKING_DAYS)
		return add_working_days(day, -(int64_t)count, closures, NULL);
	return add_calendar(day, -(int64_t)count, unit);
}

/* Of hours, a day between the two days of a stop: on those some time may count. */
static bool is_stopped_whole(av_day day, const struct av_stops *stops)
{
	for (size_t i = 0; stops && i < stops->count; i++)
		if (day > av_local_day(stops->stops[i].from_ms) &&
			day < av_local_day(stops->stops[i].until_ms))
			return true;
	return false;
}

void av_due_explain(int64_t anchor_ms, struct av_period period, const struct av_counting *counting,
	av_due_visitor *visit, void *context)
{
	struct av_due due = av_due_counted(anchor_ms, period, counting);
	bool hours = period.unit == AV_UNIT_HOURS || period.unit == AV_UNIT_WORKING_HOURS;
	bool working = period.unit == AV_UNIT_WORKING_DAYS || period.unit == AV_UNIT_WORKING_HOURS;

	for (av_day day = due.start; day <= due.day; day++) {
		struct av_day_info info = av_day_info(day, working ? counting->closures : NULL);
		enum av_day_use use = AV_USE_COUNTED;

		if (day == due.day)
			use = AV_USE_DUE;
		else if (day >= due.nominal)
			use = AV_USE_MOVED_PAST;
		else if (day == due.start)
			use = AV_USE_START;
		else if (hours ? is_stopped_whole(day, counting->stops)
			       : is_stopped(day, due.start, counting->stops))
			use = AV_USE_STOPPED;
		else if (working && info.kind != AV_DAY_WORKING)
			use = AV_USE_SKIPPED;
		visit(context, info, use);
	}
}

void av_span_text(enum av_span span, av_day day, char ret_text[AV_SPAN_TEXT])
{
	char month;

	av_day_text(day, ret_text);
	switch (span) {
	case AV_SPAN_MONTH:
		ret_text[7] = '\0';
		break;
	case AV_SPAN_TERTIAL: /* January-April, May-August, September-December */
		month = (char)((ret_text[5] - '0') * 10 + ret_text[6] - '0');
		ret_text[5] = 'T';
		ret_text[6] = (char)('1' + (month - 1) / 4);
		ret_text[7] = '\0';
		break;
	case AV_SPAN_YEAR:
		ret_text[4] = '\0';
		break;
	default:
		break;
	}
}

void av_span_days(enum av_span span, av_day day, av_day *ret_first, av_day *ret_last)
{
	static const int months_of[] = {[AV_SPAN_MONTH] = 1, [AV_SPAN_TERTIAL] = 4, [AV_SPAN_YEAR] = 12};
	struct av_date date = av_date_of(day);
	int months = span > AV_SPAN_DAY && span < AV_SPAN_COUNT ? months_of[span] : 0;
	int last;

	if (months == 0) {
		*ret_first = *ret_last = day;
		return;
	}
	date.month -= (date.month - 1) % months;
	last = date.month + months - 1;
	*ret_first = av_day_of((struct av_date){date.year, date.month, 1});
	*ret_last = av_day_of((struct av_date){date.year, last, av_days_in_month(date.year, last)});
}

int av_period_parse(const char *text, struct av_period *ret_period)
{
	int count = 0, digits = 0;

	for (; *text >= '0' && *text <= '9'; text++, digits++) {
		if (digits > 0 && count == 0)
			return AV_INVALID; /* no leading zero: one text for one count */
		count = count * 10 + (*text - '0');
		if (count > COUNT_MAX)
			return AV_INVALID;
	}
	if (digits == 0 || *text++ != ' ')
		return AV_INVALID;
	for (int unit = AV_UNIT_HOURS; unit <= AV_UNIT_WORKING_HOURS; unit++) {
		if (strcmp(text, units[unit].one) == 0 || strcmp(text, units[unit].many) == 0) {
			*ret_period =
				(struct av_period){count, (enum av_period_unit)unit, units[unit].calendar};
			return AV_OK;
		}
	}
	return AV_INVALID;
}

void av_period_text(struct av_period period, char ret_text[AV_PERIOD_TEXT])
{
	bool known = period.unit >= AV_UNIT_HOURS && period.unit <= AV_UNIT_WORKING_HOURS;
	const char *unit = !known	       ? "?"
			   : period.count == 1 ? units[period.unit].one
					       : units[period.unit].many;

	snprintf(ret_text, AV_PERIOD_TEXT, "%d %s", period.count, unit);
}
