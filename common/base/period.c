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

static av_day next_working_day(av_day day, const struct av_closures *closures)
{
	while (day < AV_DAY_MAX && !av_working_day(day, closures))
		day++;
	return day;
}

static av_day add_working_days(av_day day, int64_t count, const struct av_closures *closures)
{
	int step = count < 0 ? -1 : 1;

	while (count != 0 && day + step <= AV_DAY_MAX && day + step >= AV_DAY_MIN) {
		day += step;
		if (av_working_day(day, closures))
			count -= step;
	}
	return day;
}

/* Hours that reach exactly to closing time end there and not when the next day opens. */
static int64_t add_working_hours(int64_t anchor_ms, int count, const struct av_closures *closures,
	const struct av_office_hours *hours, av_day *ret_day)
{
	int64_t left = count * HOUR_MS;
	av_day day = av_local_day(anchor_ms);

	for (; day < AV_DAY_MAX; day++) {
		int64_t from, to;
		if (!av_working_day(day, closures))
			continue;
		from = AV_MAX(av_local_instant(day, hours->from_ms), anchor_ms);
		to = av_local_instant(day, hours->to_ms);
		if (from >= to)
			continue;
		if (left <= to - from) {
			*ret_day = day;
			return from + left;
		}
		left -= to - from;
	}
	*ret_day = day;
	return av_day_end_ms(day);
}

struct av_due av_due(int64_t anchor_ms, struct av_period period, const struct av_closures *closures,
	const struct av_office_hours *hours)
{
	int count = AV_MAX(AV_MIN(period.count, COUNT_MAX), 0);
	struct av_due due;

	anchor_ms = AV_MAX(AV_MIN(anchor_ms, AV_DAY_MAX * AV_DAY_MS), AV_DAY_MIN * AV_DAY_MS);
	due.start = av_local_day(anchor_ms);
	switch (period.unit) {
	case AV_UNIT_HOURS:
		due.instant_ms = anchor_ms + count * HOUR_MS;
		due.nominal = due.day = av_local_day(due.instant_ms);
		return due;
	case AV_UNIT_WORKING_HOURS:
		if (!hours || !av_office_hours_valid(hours))
			hours = &office_hours;
		due.instant_ms = add_working_hours(anchor_ms, count, closures, hours, &due.day);
		due.nominal = due.day;
		return due;
	case AV_UNIT_WORKING_DAYS:
		due.nominal = due.day = count == 0 ? next_working_day(due.start, closures)
						   : add_working_days(due.start, count, closures);
		break;
	default:
		due.nominal = add_calendar(due.start, count, period.unit);
		due.day = period.moved ? av_next_act_day(due.nominal) : due.nominal;
		break;
	}
	due.instant_ms = av_day_end_ms(due.day);
	return due;
}

av_day av_day_before(av_day day, int count, enum av_period_unit unit, const struct av_closures *closures)
{
	if (unit == AV_UNIT_WORKING_DAYS)
		return add_working_days(day, -(int64_t)count, closures);
	return add_calendar(day, -(int64_t)count, unit);
}

void av_due_explain(int64_t anchor_ms, struct av_period period, const struct av_closures *closures,
	const struct av_office_hours *hours, av_due_visitor *visit, void *context)
{
	struct av_due due = av_due(anchor_ms, period, closures, hours);
	bool working = period.unit == AV_UNIT_WORKING_DAYS || period.unit == AV_UNIT_WORKING_HOURS;

	for (av_day day = due.start; day <= due.day; day++) {
		struct av_day_info info = av_day_info(day, working ? closures : NULL);
		enum av_day_use use = AV_USE_COUNTED;

		if (day == due.day)
			use = AV_USE_DUE;
		else if (day >= due.nominal)
			use = AV_USE_MOVED_PAST;
		else if (day == due.start)
			use = AV_USE_START;
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
