/* calendar.c - the Swedish calendar
 *
 * Each day of the list has one rule: a fixed date, a distance from Easter, or the first such weekday from a
 * date on. Lag (1989:253) om allmänna helgdagar names the holidays; lag (1930:173) om beräkning av lagstadgad
 * tid 2 § puts Saturdays, midsommarafton, julafton and nyårsafton beside them when the last day for an act is
 * counted.
 */
#include "base/calendar.h"

#include "base/macros.h"

/* The longest run of days that 2 § passes over is five (Wednesday 24 December to Sunday 28 December). */
#define RUN_BOUND 8

enum rule_kind { FIXED, EASTER, WEEKDAY };

/* clang-format off */
static const struct { enum rule_kind kind; int month, day, offset; enum av_weekday weekday; } rules[AV_HOLIDAY_COUNT] = {
	/* lag 1989:253, in the order of the header                              */
	[AV_HOLIDAY_NEW_YEARS_DAY]  = { .kind = FIXED,   .month = 1,  .day = 1  },
	[AV_HOLIDAY_EPIPHANY]       = { .kind = FIXED,   .month = 1,  .day = 6  },
	[AV_HOLIDAY_GOOD_FRIDAY]    = { .kind = EASTER,  .offset = -2 }, /* fredagen närmast före påskdagen */
	[AV_HOLIDAY_EASTER_SUNDAY]  = { .kind = EASTER,  .offset = 0  },
	[AV_HOLIDAY_EASTER_MONDAY]  = { .kind = EASTER,  .offset = 1  },
	[AV_HOLIDAY_MAY_DAY]        = { .kind = FIXED,   .month = 5,  .day = 1  },
	[AV_HOLIDAY_ASCENSION_DAY]  = { .kind = EASTER,  .offset = 39 }, /* sjätte torsdagen efter påskdagen */
	[AV_HOLIDAY_WHIT_SUNDAY]    = { .kind = EASTER,  .offset = 49 }, /* sjunde söndagen efter påskdagen */
	[AV_HOLIDAY_NATIONAL_DAY]   = { .kind = FIXED,   .month = 6,  .day = 6  }, /* since 2005 */
	[AV_HOLIDAY_MIDSUMMER_EVE]  = { .kind = WEEKDAY, .month = 6,  .day = 19, .weekday = AV_FRIDAY   }, /* 1930:173 2 § */
	[AV_HOLIDAY_MIDSUMMER_DAY]  = { .kind = WEEKDAY, .month = 6,  .day = 20, .weekday = AV_SATURDAY }, /* 20-26 June */
	[AV_HOLIDAY_ALL_SAINTS_DAY] = { .kind = WEEKDAY, .month = 10, .day = 31, .weekday = AV_SATURDAY }, /* 31 Oct-6 Nov */
	[AV_HOLIDAY_CHRISTMAS_EVE]  = { .kind = FIXED,   .month = 12, .day = 24 }, /* 1930:173 2 § */
	[AV_HOLIDAY_CHRISTMAS_DAY]  = { .kind = FIXED,   .month = 12, .day = 25 },
	[AV_HOLIDAY_BOXING_DAY]     = { .kind = FIXED,   .month = 12, .day = 26 },
	[AV_HOLIDAY_NEW_YEARS_EVE]  = { .kind = FIXED,   .month = 12, .day = 31 }, /* 1930:173 2 § */
};

#define AV_HOLIDAY_KIND_HOLIDAY AV_DAY_HOLIDAY
#define AV_HOLIDAY_KIND_EVE     AV_DAY_EVE
static const struct { const char *code, *name; enum av_day_kind kind; } holidays[AV_HOLIDAY_COUNT] = {
	[AV_HOLIDAY_NONE] = { "", "", AV_DAY_WORKING },
#define X(name, code, swedish, kind) [AV_HOLIDAY_##name] = { code, swedish, AV_HOLIDAY_KIND_##kind },
	AV_HOLIDAY_LIST(X)
#undef X
};
/* clang-format on */

av_day av_easter(int year)
{
	int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4, f = (b + 8) / 25;
	int g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4;
	int l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
	int n = h + l - 7 * m + 114;

	return av_day_of((struct av_date){year, n / 31, n % 31 + 1});
}

static av_day day_of_rule(enum av_holiday holiday, int year, av_day easter)
{
	av_day from;

	if (rules[holiday].kind == EASTER)
		return easter + rules[holiday].offset;
	from = av_day_of((struct av_date){year, rules[holiday].month, rules[holiday].day});
	if (rules[holiday].kind == FIXED)
		return from;
	return from + ((int)rules[holiday].weekday - (int)av_weekday(from) + 7) % 7;
}

/* Whether a look at month and weekday is enough to say that the rule does not mean this day. */
static bool is_elsewhere(enum av_holiday holiday, int month, enum av_weekday weekday)
{
	switch (rules[holiday].kind) {
	case FIXED:
		return rules[holiday].month != month;
	case WEEKDAY:
		return rules[holiday].weekday != weekday || month < 6;
	default:
		return month < 3 || month > 6;
	}
}

static enum av_holiday holiday_of(av_day day)
{
	struct av_date date = av_date_of(day);
	enum av_weekday weekday = av_weekday(day);
	av_day easter = av_easter(date.year);

	for (int i = AV_HOLIDAY_NONE + 1; i < AV_HOLIDAY_COUNT; i++) {
		enum av_holiday holiday = (enum av_holiday)i;
		if (!is_elsewhere(holiday, date.month, weekday) &&
			day_of_rule(holiday, date.year, easter) == day)
			return holiday;
	}
	return AV_HOLIDAY_NONE;
}

static bool is_closed(av_day day, const struct av_closures *closures)
{
	size_t from = 0, to = closures ? closures->count : 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (closures->days[middle] == day)
			return true;
		if (closures->days[middle] < day)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

struct av_day_info av_day_info(av_day day, const struct av_closures *closures)
{
	struct av_day_info info = {.day = day, .holiday = holiday_of(day)};
	enum av_weekday weekday = av_weekday(day);

	if (info.holiday != AV_HOLIDAY_NONE)
		info.kind = holidays[info.holiday].kind;
	else if (weekday == AV_SUNDAY)
		info.kind = AV_DAY_SUNDAY;
	else if (weekday == AV_SATURDAY)
		info.kind = AV_DAY_SATURDAY;
	else
		info.kind = is_closed(day, closures) ? AV_DAY_CLOSED : AV_DAY_WORKING;
	return info;
}

const char *av_holiday_code(enum av_holiday holiday)
{
	return (unsigned)holiday < AV_HOLIDAY_COUNT ? holidays[holiday].code : "";
}

const char *av_holiday_name(enum av_holiday holiday)
{
	return (unsigned)holiday < AV_HOLIDAY_COUNT ? holidays[holiday].name : "";
}

size_t av_holidays(int year, struct av_day_info ret_days[16])
{
	av_day easter = av_easter(year);
	size_t count = 0;

	for (int i = AV_HOLIDAY_NONE + 1; i < AV_HOLIDAY_COUNT; i++) {
		av_day day = day_of_rule((enum av_holiday)i, year, easter);
		size_t at = count;

		while (at > 0 && ret_days[at - 1].day > day)
			at--;
		if (at > 0 && ret_days[at - 1].day == day)
			continue; /* the first of the list stands */
		for (size_t k = count; k > at; k--)
			ret_days[k] = ret_days[k - 1];
		ret_days[at] = (struct av_day_info){day, holidays[i].kind, (enum av_holiday)i};
		count++;
	}
	return count;
}

bool av_day_moves(av_day day)
{
	/* Lag 1930:173 2 §: "söndag, annan allmän helgdag, lördag, midsommarafton, julafton eller nyårsafton"
	 */
	return av_day_info(day, NULL).kind != AV_DAY_WORKING;
}

av_day av_next_act_day(av_day day)
{
	for (int i = 0; i < RUN_BOUND && av_day_moves(day); i++)
		day++;
	return day;
}

bool av_working_day(av_day day, const struct av_closures *closures)
{
	return av_weekday(day) < AV_SATURDAY && av_day_info(day, closures).kind == AV_DAY_WORKING;
}

int av_working_days_in_year(int year)
{
	av_day first = av_day_of((struct av_date){year, 1, 1}),
	       after = av_day_of((struct av_date){year + 1, 1, 1});
	int count = 0;

	for (av_day day = first; day < after; day++)
		count += av_working_day(day, NULL);
	return count;
}
