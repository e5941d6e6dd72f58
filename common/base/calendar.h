/* calendar.h - the Swedish calendar: public holidays (lag 1989:253), the days that are equal to them (lag
 * 1930:173 2 §), statutory time (lag 1930:173), working days with office hours, and elapsed hours.
 *
 * Pure. The acts as in force since 2005 (the national day is a holiday, Whit Monday is not) are applied to
 * every year. Closures are days that a municipality adds by the rule pack; NULL for none.
 */
#ifndef AVVIK_BASE_CALENDAR_H
#define AVVIK_BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/date.h"

/*      name                   code                         Swedish                     kind     */
#define AV_HOLIDAY_LIST(X) /* clang-format off */ \
	X(NEW_YEARS_DAY,       "nyarsdagen",                "Nyårsdagen",               HOLIDAY) \
	X(EPIPHANY,            "trettondedag_jul",          "Trettondedag jul",         HOLIDAY) \
	X(GOOD_FRIDAY,         "langfredagen",              "Långfredagen",             HOLIDAY) \
	X(EASTER_SUNDAY,       "paskdagen",                 "Påskdagen",                HOLIDAY) \
	X(EASTER_MONDAY,       "annandag_pask",             "Annandag påsk",            HOLIDAY) \
	X(MAY_DAY,             "forsta_maj",                "Första maj",               HOLIDAY) \
	X(ASCENSION_DAY,       "kristi_himmelsfardsdag",    "Kristi himmelsfärdsdag",   HOLIDAY) \
	X(WHIT_SUNDAY,         "pingstdagen",               "Pingstdagen",              HOLIDAY) \
	X(NATIONAL_DAY,        "nationaldagen",             "Sveriges nationaldag",     HOLIDAY) \
	X(MIDSUMMER_EVE,       "midsommarafton",            "Midsommarafton",           EVE) \
	X(MIDSUMMER_DAY,       "midsommardagen",            "Midsommardagen",           HOLIDAY) \
	X(ALL_SAINTS_DAY,      "alla_helgons_dag",          "Alla helgons dag",         HOLIDAY) \
	X(CHRISTMAS_EVE,       "julafton",                  "Julafton",                 EVE) \
	X(CHRISTMAS_DAY,       "juldagen",                  "Juldagen",                 HOLIDAY) \
	X(BOXING_DAY,          "annandag_jul",              "Annandag jul",             HOLIDAY) \
	X(NEW_YEARS_EVE,       "nyarsafton",                "Nyårsafton",               EVE) /* clang-format on */

enum av_holiday { /* clang-format off */
	AV_HOLIDAY_NONE,
#define X(name, code, swedish, kind) AV_HOLIDAY_##name,
	AV_HOLIDAY_LIST(X)
#undef X
	AV_HOLIDAY_COUNT
}; /* clang-format on */

/* What a day is: HOLIDAY (one of the list, on whatever weekday) before EVE (one of the three) before SUNDAY
 * (a public holiday too) before SATURDAY before CLOSED (added by the rule pack). */
enum av_day_kind {
	AV_DAY_WORKING,
	AV_DAY_SATURDAY,
	AV_DAY_SUNDAY,
	AV_DAY_HOLIDAY,
	AV_DAY_EVE,
	AV_DAY_CLOSED
};

struct av_day_info {
	av_day day;
	enum av_day_kind kind;
	/* NONE unless HOLIDAY or EVE; of two on one day (1 May 2008) the first of the list */
	enum av_holiday holiday;
};

struct av_closures {
	/* ascending; extra non-working days for local (working-day) time only, never statutory */
	const av_day *days;
	size_t count;
};

av_day av_easter(int year); /* Meeus/Jones/Butcher */
struct av_day_info av_day_info(av_day day, const struct av_closures *closures);
const char *av_holiday_code(enum av_holiday holiday);
const char *av_holiday_name(enum av_holiday holiday); /* Swedish */
/* All holidays and eves of a year in order, `ret_days` takes 16; answers how many (15 when two share one). */
size_t av_holidays(int year, struct av_day_info ret_days[16]);
/* lag 1930:173 2 §: is the last day moved past this day? Saturdays, Sundays, holidays, the three eves. */
bool av_day_moves(av_day day);
av_day av_next_act_day(av_day day); /* the day itself or the first after it that does not move */
bool av_working_day(av_day day, const struct av_closures *closures);
int av_working_days_in_year(int year);

enum av_period_unit {
	AV_UNIT_HOURS = 1,    /* elapsed, UTC, never moved */
	AV_UNIT_DAYS,	      /* calendar days, the start day not counted */
	AV_UNIT_WEEKS,	      /* lag 1930:173 1 § */
	AV_UNIT_MONTHS,	      /* lag 1930:173 1 § */
	AV_UNIT_YEARS,	      /* lag 1930:173 1 § */
	AV_UNIT_WORKING_DAYS, /* the start day not counted; closures skipped */
	AV_UNIT_WORKING_HOURS /* office hours of working days */
};

struct av_period {
	int count; /* 0..10000; 0 days is the same day */
	enum av_period_unit unit;
	/* DAYS..YEARS: lag 1930:173 2 § applies (an act); false for a qualifying time or a local target */
	bool moved;
};

struct av_office_hours {
	int from_ms, to_ms; /* of the local day; 08:00 to 17:00 by default */
};

/* Inside the day and a quarter of an hour or more: what the rule pack's checker asks. */
bool av_office_hours_valid(const struct av_office_hours *hours);

struct av_due {
	av_day start;	    /* the local day of the anchor */
	av_day nominal;	    /* before 2 § */
	av_day day;	    /* the last day */
	int64_t instant_ms; /* the end of `day`; for hours the exact instant */
};

/* Time that does not count, ascending and apart. The unit says what that means: of hours the time itself; of
 * days those from the day of the stop up to the day before it went on. The day on which it goes on counts. */
struct av_stop {
	int64_t from_ms, until_ms;
};
struct av_stops {
	const struct av_stop *stops;
	size_t count;
};

/* What time is counted by: each NULL for none (hours: 08-17). */
struct av_counting {
	const struct av_closures *closures;
	const struct av_office_hours *hours;
	const struct av_stops *stops;
};

/* When a period that starts at `anchor_ms` ends. `hours` NULL or not valid: 08-17. Cannot fail: a count out
 * of range is read as the nearest bound, and nothing is due after AV_DAY_MAX (but for 2 §). No working days:
 * the day itself when it is one, otherwise the next. No working hours: the anchor when it is in office hours
 * (the closing instant is not), otherwise the next opening. */
struct av_due av_due(int64_t anchor_ms, struct av_period period, const struct av_closures *closures,
	const struct av_office_hours *hours);
/* The same with stops: each one that begins while the period runs makes it end so much later. */
struct av_due av_due_counted(int64_t anchor_ms, struct av_period period, const struct av_counting *counting);
/* What of a period's unit lies between two instants: whole hours or working hours, working days, or (for
 * weeks, months and years too) days. The start day does not count, the last one does. */
int64_t av_time_used(
	int64_t anchor_ms, int64_t until_ms, enum av_period_unit unit, const struct av_counting *counting);
enum av_period_unit av_unit_counted(enum av_period_unit unit); /* in which av_time_used() tells */
/* The day `count` units before or (negative) after `day` in the unit, for rungs: DAYS..YEARS, WORKING_DAYS.
 * Nothing is moved; 0 is the day itself in every unit, and so is any count of hours. */
av_day av_day_before(av_day day, int count, enum av_period_unit unit, const struct av_closures *closures);

/* How each day from start to due was treated, for `why`: the visitor gets every day once, in order. The last
 * is always DUE, even when it is also the start; MOVED_PAST goes before START, START before STOPPED. So n
 * DAYS are n visits after the start up to the nominal day that are not STOPPED, and n WORKING_DAYS (n > 0)
 * are n - 1 COUNTED and one DUE. Closures are shown for working time only. Of hours a day is STOPPED when no
 * time of it counts. */
enum av_day_use {
	AV_USE_START,
	AV_USE_COUNTED,
	AV_USE_SKIPPED,
	AV_USE_MOVED_PAST,
	AV_USE_DUE,
	AV_USE_STOPPED
};
typedef void av_due_visitor(void *context, struct av_day_info info, enum av_day_use use);
void av_due_explain(int64_t anchor_ms, struct av_period period, const struct av_counting *counting,
	av_due_visitor *visit, void *context);

/* Reporting periods, as text keys: day 2026-04-07, month 2026-04, tertial 2026-T1, year 2026. */
enum av_span { AV_SPAN_DAY, AV_SPAN_MONTH, AV_SPAN_TERTIAL, AV_SPAN_YEAR, AV_SPAN_COUNT };
#define AV_SPAN_TEXT 11
void av_span_text(enum av_span span, av_day day, char ret_text[AV_SPAN_TEXT]);
/* The first and last day of the span that holds `day`. */
void av_span_days(enum av_span span, av_day day, av_day *ret_first, av_day *ret_last);

/* "2 months", "30 days", "1 working day", "72 hours": ret_period->moved is set for DAYS..YEARS.
 * AV_INVALID for all else, leading zeros and counts above 10000 included. */
int av_period_parse(const char *text, struct av_period *ret_period);
#define AV_PERIOD_TEXT 40
void av_period_text(struct av_period period, char ret_text[AV_PERIOD_TEXT]);

#endif
