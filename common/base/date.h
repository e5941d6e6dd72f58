/* date.h - civil dates and Swedish local time. Pure arithmetic, no I/O, proleptic Gregorian.
 *
 * A day is an `av_day`: days since 1970-01-01. An instant is UTC milliseconds since 1970. Local time is
 * Europe/Stockholm by the European rule (last Sunday of March 01:00 UTC to last Sunday of October 01:00 UTC),
 * valid from 1996; the rule is arithmetic here so that no result depends on a machine's zone files.
 */
#ifndef AVVIK_BASE_DATE_H
#define AVVIK_BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define AV_DATE_TEXT 11	   /* 2026-06-22 and the end */
#define AV_INSTANT_TEXT 30 /* 2026-06-22T23:59:59.999+02:00 and the end */
#define AV_DAY_MS INT64_C(86400000)

typedef int32_t av_day;

/* 0001-01-01 and 9999-12-31. Texts, local time and due days stay inside: what lies outside is read as the
 * nearest day (instants: a day nearer still, so that no offset leads out), so that a number from a peer can
 * never overflow. */
#define AV_DAY_MIN (-719162)
#define AV_DAY_MAX 2932896

struct av_date {
	int year, month, day; /* month 1..12, day 1..31 */
};

enum av_weekday { AV_MONDAY = 1, AV_TUESDAY, AV_WEDNESDAY, AV_THURSDAY, AV_FRIDAY, AV_SATURDAY, AV_SUNDAY };

av_day av_day_of(struct av_date date);
struct av_date av_date_of(av_day day);
enum av_weekday av_weekday(av_day day);
bool av_leap_year(int year);
int av_days_in_month(int year, int month);
bool av_date_valid(struct av_date date);
void av_day_text(av_day day, char ret_text[AV_DATE_TEXT]);
/* "2026-06-22"; AV_INVALID otherwise (also for days that do not exist). */
int av_day_parse(const char *text, av_day *ret_day);

/* Local time. */
int av_utc_offset_ms(int64_t instant_ms);   /* 3600000 or 7200000 */
av_day av_local_day(int64_t instant_ms);    /* the Stockholm day it is then */
int av_local_ms_of_day(int64_t instant_ms); /* since local midnight by the clock on the wall */
/* The instant of a wall-clock time, `ms_of_day` 0..AV_DAY_MS. A time that is skipped moves forward over the
 * gap (02:30 is 03:30), one that is doubled is the first. */
int64_t av_local_instant(av_day day, int ms_of_day);
int64_t av_day_start_ms(av_day day); /* local 00:00 */
int64_t av_day_end_ms(av_day day);   /* the last millisecond of the local day */
/* Local ISO 8601 with offset, milliseconds left out when zero. */
void av_instant_text(int64_t instant_ms, char ret_text[AV_INSTANT_TEXT]);
/* Local "2026-06-22 14:05", 17 bytes. */
void av_instant_minute_text(int64_t instant_ms, char ret_text[17]);
/* "2026-06-22T14:05[:06[.789]][Z|+02:00]", with ' ' for 'T' allowed; without zone it is local; a bare date is
 * its local midnight. Of the fraction (one to nine digits) milliseconds are kept. AV_INVALID otherwise. */
int av_instant_parse(const char *text, int64_t *ret_instant_ms);

#endif
