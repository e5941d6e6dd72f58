/* times.h - days, instants and periods as the tests write them, and as they compare them. */
#ifndef AVVIK_TESTS_TIMES_H
#define AVVIK_TESTS_TIMES_H

#include "base/calendar.h"

/* Texts as av_day_parse and its like take them; another text fails the test. */
av_day on(const char *text);
int64_t at(const char *text);
struct av_period lasting(const char *text);

void want_day(av_day got, const char *want);
void want_instant(int64_t got, const char *want);

#endif
