/* calendar.c - avvik calendar: the Swedish days off, and when a time ends, each day explained. Needs no
 * instance. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/status.h"
#include "subcommands.h"
#include "table.h"

static const char *const weekdays[] = {
	"", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static void json_print(json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	puts(text ? text : "null");
	free(text);
	json_decref(json);
}

static int year_show(struct tool *tool, int year)
{
	static const char *const headings[] = {"date", "weekday", "name", "kind", NULL};
	struct av_day_info days[16];
	size_t count = av_holidays(year, days);
	struct table *table = tool->json ? NULL : table_create(headings);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		char date[AV_DATE_TEXT];
		const char *kind = days[i].kind == AV_DAY_EVE ? "eve" : "holiday";
		av_day_text(days[i].day, date);
		json_array_append_new(list, json_pack("{ssssss}", "date", date, "name",
						    av_holiday_name(days[i].holiday), "kind", kind));
		table_row(table, (const char *const[]){date, weekdays[av_weekday(days[i].day)],
					 av_holiday_name(days[i].holiday), kind});
	}
	if (tool->json) {
		json_print(list);
		return EXIT_DONE;
	}
	json_decref(list);
	table_print(&table);
	printf("\n%d working days. Holidays by lag (1989:253); the three eves and Saturdays count as "
	       "holidays where the last\n"
	       "day for an act is moved, lag (1930:173) 2 §.\n",
		av_working_days_in_year(year));
	return EXIT_DONE;
}

/* --- due --- */

struct explained {
	json_t *days;
	struct table *table;
	struct av_day_info first, last; /* of the run that is being gathered */
	enum av_day_use use;
	int run;
};

static const char *use_text(enum av_day_use use)
{
	switch (use) {
	case AV_USE_START:
		return "start, not counted";
	case AV_USE_COUNTED:
		return "counted";
	case AV_USE_SKIPPED:
		return "skipped";
	case AV_USE_MOVED_PAST:
		return "the last day is moved past it";
	case AV_USE_DUE:
		return "due";
	case AV_USE_STOPPED:
		return "stopped, not counted";
	}
	return "";
}

static const char *use_code(enum av_day_use use)
{
	static const char *const codes[] = {"start", "counted", "skipped", "moved_past", "due", "stopped"};
	return codes[use];
}

static const char *day_reason(struct av_day_info info)
{
	switch (info.kind) {
	case AV_DAY_WORKING:
		return "";
	case AV_DAY_SATURDAY:
		return "Saturday";
	case AV_DAY_SUNDAY:
		return "Sunday";
	case AV_DAY_CLOSED:
		return "closed";
	case AV_DAY_HOLIDAY:
	case AV_DAY_EVE:
		return av_holiday_name(info.holiday);
	}
	return "";
}

static void run_end(struct explained *explained)
{
	char from[AV_DATE_TEXT], until[AV_DATE_TEXT], days[64], count[24];

	if (!explained->run)
		return;
	av_day_text(explained->first.day, from);
	av_day_text(explained->last.day, until);
	snprintf(days, sizeof days, explained->run > 1 ? "%s to %s" : "%s", from, until);
	snprintf(count, sizeof count, "%d", explained->run);
	table_row(explained->table,
		(const char *const[]){days,
			explained->run > 1 ? "" : weekdays[av_weekday(explained->first.day)], count,
			use_text(explained->use),
			explained->run > 1 && explained->use == AV_USE_COUNTED
				? ""
				: day_reason(explained->first)});
	explained->run = 0;
}

static void on_day(void *context, struct av_day_info info, enum av_day_use use)
{
	struct explained *explained = context;
	char date[AV_DATE_TEXT];

	av_day_text(info.day, date);
	json_array_append_new(explained->days,
		json_pack("{ssssss}", "date", date, "use", use_code(use), "reason", day_reason(info)));
	if (!explained->table)
		return;
	bool same = explained->run && explained->use == use && use == AV_USE_COUNTED;
	if (!same)
		run_end(explained);
	if (!explained->run)
		explained->first = info;
	explained->last = info;
	explained->use = use;
	explained->run++;
}

static int due_show(struct tool *tool, const char *start, const char *text, bool local)
{
	static const char *const headings[] = {"day", "weekday", ">count", "counts as", "reason", NULL};
	struct av_period period;
	struct explained explained = {.days = NULL};
	int64_t anchor;
	char nominal[AV_DATE_TEXT], due_day[AV_DATE_TEXT], period_text[40], instant[AV_INSTANT_TEXT];

	if (tool_parse_time(tool, NULL, start, &anchor) != AV_OK)
		return EXIT_USAGE;
	if (av_period_parse(text, &period) != AV_OK)
		return tool_fail(EXIT_USAGE,
			"\"%s\" is no period: write \"2 months\", \"30 days\", \"1 working day\" or \"72 "
			"hours\"",
			text);
	explained.days = json_array();
	if (local)
		period.moved = false;
	struct av_due due = av_due(anchor, period, NULL, NULL);
	if (!tool->json)
		explained.table = table_create(headings);
	av_due_explain(anchor, period, &(struct av_counting){NULL, NULL, NULL}, on_day, &explained);
	run_end(&explained);
	av_day_text(due.nominal, nominal);
	av_day_text(due.day, due_day);
	av_period_text(period, period_text);
	av_instant_text(due.instant_ms, instant);
	if (tool->json) {
		json_print(json_pack("{ssssssssssso}", "start", start, "period", period_text, "nominal",
			nominal, "due", due_day, "due_at", instant, "days", explained.days));
		return EXIT_DONE;
	}
	json_decref(explained.days);
	printf("%s from %s: due %s %s", period_text, start, weekdays[av_weekday(due.day)], due_day);
	if (period.unit == AV_UNIT_HOURS || period.unit == AV_UNIT_WORKING_HOURS)
		printf(", at %s", instant);
	else if (due.day != due.nominal)
		printf(" (moved from %s %s, lag (1930:173) 2 §)", weekdays[av_weekday(due.nominal)], nominal);
	printf("\n\n");
	table_print(&explained.table);
	return EXIT_DONE;
}

int command_calendar(struct tool *tool, int argc, char **argv)
{
	const char *words[3] = {NULL};
	bool local = false;
	const struct tool_option options[] = {{"local", OPTION_FLAG, &local}};
	char *end;

	int count = tool_options(tool, argc, argv, options, AV_COUNT(options), words, 3);
	if (count < 0)
		return EXIT_USAGE;
	if (count == 3 && strcmp(words[0], "due") == 0)
		return due_show(tool, words[1], words[2], local);
	if (count != 1)
		return tool_usage("calendar");
	long year = strtol(words[0], &end, 10);
	if (*end || end == words[0] || year < 1996 || year > 9999)
		return tool_fail(EXIT_USAGE, "\"%s\" is no year from 1996 on", words[0]);
	return year_show(tool, (int)year);
}
