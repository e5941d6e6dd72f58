#include "times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

av_day on(const char *text)
{
	av_day day;

	if (av_day_parse(text, &day) != AV_OK)
		fail_msg("\"%s\" is not a day", text);
	return day;
}

int64_t at(const char *text)
{
	int64_t instant;

	if (av_instant_parse(text, &instant) != AV_OK)
		fail_msg("\"%s\" is not an instant", text);
	return instant;
}

struct av_period lasting(const char *text)
{
	struct av_period period;

	if (av_period_parse(text, &period) != AV_OK)
		fail_msg("\"%s\" is not a period", text);
	return period;
}

void want_day(av_day got, const char *want)
{
	char text[AV_DATE_TEXT];

	av_day_text(got, text);
	assert_string_equal(text, want);
}

void want_instant(int64_t got, const char *want)
{
	char text[AV_INSTANT_TEXT];

	av_instant_text(got, text);
	assert_string_equal(text, want);
}
