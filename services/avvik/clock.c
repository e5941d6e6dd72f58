/* clock.c - avvik clock: the stepped clock of a development instance. */
#include <string.h>

#include "base/calendar.h"
#include "base/status.h"
#include "health.h"
#include "subcommands.h"

static int clock_show(struct tool *tool)
{
	int64_t now = tool_now_ms(tool);
	char text[AV_INSTANT_TEXT];

	av_instant_text(now, text);
	if (tool->json)
		printf("{\"now\": \"%s\", \"clock\": \"%s\"}\n", text, tool->settings->clock);
	else
		printf("%s (%s clock)\n", tool_time(tool, now), tool->settings->clock);
	return EXIT_DONE;
}

/* "3 days", "2 months": by the calendar, at the same time of day. */
static int clock_ahead(struct tool *tool, const char *text, int64_t *ret_ms)
{
	struct av_period period;
	int64_t now = tool_now_ms(tool);

	if (av_period_parse(text, &period) != AV_OK) {
		tool_fail(0, "--by: \"%s\" is no time: write \"3 days\", \"2 months\" or \"6 hours\"", text);
		return AV_INVALID;
	}
	period.moved = false;
	struct av_due due = av_due(now, period, NULL, NULL);
	*ret_ms = period.unit == AV_UNIT_HOURS || period.unit == AV_UNIT_WORKING_HOURS
			  ? due.instant_ms
			  : av_local_instant(due.day, av_local_ms_of_day(now));
	return AV_OK;
}

int command_clock(struct tool *tool, int argc, char **argv)
{
	const char *word = NULL, *by = NULL;
	int64_t to = 0, pause = 0, steps;
	const struct tool_option words[] = {
		{"to", OPTION_TIME, &to}, {"by", OPTION_TEXT, &by}, {"pause", OPTION_NUMBER, &pause}};

	if (!tool_settings(tool))
		return EXIT_USAGE;
	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &word, 1) < 0)
		return EXIT_USAGE;
	if (!word || strcmp(word, "show") == 0)
		return clock_show(tool);
	if (strcmp(tool->settings->clock, "stepped") != 0)
		return tool_fail(EXIT_REFUSED,
			"this instance runs on the real clock: only a development instance "
			"(`avvik keys init DIR --stepped 2026-04-01`) can be moved in time");
	if (strcmp(word, "settle") == 0)
		to = tool_now_ms(tool);
	else if (strcmp(word, "advance") != 0 || (!to && !by) || (to && by))
		return tool_usage("clock");
	if (by && clock_ahead(tool, by, &to) != AV_OK)
		return EXIT_USAGE;
	int status = clock_run(tool, to, (int)pause, &steps);
	if (status == AV_CLOSED)
		return EXIT_AWAY;
	if (status < 0)
		return EXIT_REFUSED;
	return tool->json ? clock_show(tool) : EXIT_DONE;
}
