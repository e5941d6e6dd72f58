/* deadlines.c - avvik deadlines: what is due, and when. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/date.h"
#include "base/status.h"
#include "deadlines.h"
#include "names.h"
#include "subcommands.h"
#include "table.h"

#define PAGE 200

struct asked {
	struct tool *tool;
	struct names names;
	struct table *table;
	struct json_list list;
	bool all, overdue;
	int64_t now_ms;
	struct list_limit limit;
};

const char *deadline_due(struct tool *tool, const Avvik__V1__Deadline *deadline)
{
	bool hours = deadline->unit == AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_HOURS ||
		     deadline->unit == AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_WORKING_HOURS;

	return hours ? tool_time(tool, deadline->due_at_ms) : ask_weekday(tool, deadline->due_on);
}

const char *deadline_state(struct tool *tool, const Avvik__V1__Deadline *deadline, int64_t now_ms)
{
	int32_t days = deadline->due_on - av_local_day(now_ms);

	switch (deadline->state) {
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING:
		if (deadline->overdue)
			return days < 0 ? av_arena_printf(tool->arena, "OVERDUE by %d day%s", -days,
						  days == -1 ? "" : "s")
					: "OVERDUE";
		return days > 0 ? av_arena_printf(tool->arena, "%d day%s left", days, days == 1 ? "" : "s")
				: "due today";
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET:
		return av_arena_printf(tool->arena, "met %s", tool_time(tool, deadline->ended_at_ms));
	case AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_MET_LATE:
		return av_arena_printf(tool->arena, "met LATE %s", tool_time(tool, deadline->ended_at_ms));
	default:
		return ask_words(tool, &avvik__v1__deadline_state__descriptor, (int)deadline->state);
	}
}

static void deadline_print(struct asked *asked, const Avvik__V1__Deadline *deadline)
{
	struct tool *tool = asked->tool;

	if (tool->json) {
		json_list_item(&asked->list, tool, &deadline->base);
		return;
	}
	table_row(asked->table,
		(const char *const[]){deadline_due(tool, deadline),
			deadline_state(tool, deadline, asked->now_ms), deadline->number, deadline->rule,
			names_deadline(&asked->names, deadline->rules_version, deadline->rule, false),
			names_unit(&asked->names, deadline->unit_code),
			deadline->statutory ? "statutory" : "local target"});
}

/* Pages until there is no more, or enough. */
static int ask_pages(struct asked *asked, Avvik__V1__ListDeadlines *query)
{
	unsigned char after[400];
	int code = EXIT_DONE;

	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(asked->tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_LIST_DEADLINES, &query->base,
			    &reply, &code))
			return code;
		const Avvik__V1__DeadlinesFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_DEADLINES_FOUND ? reply->deadlines_found
										   : NULL;
		for (size_t i = 0; found && i < found->n_deadlines && !asked->limit.more; i++) {
			if (asked->overdue && !found->deadlines[i]->overdue)
				continue;
			if (limit_take(&asked->limit))
				deadline_print(asked, found->deadlines[i]);
		}
		query->after_key.len =
			found && found->next_after_key.len <= sizeof after ? found->next_after_key.len : 0;
		if (query->after_key.len)
			memcpy(after, found->next_after_key.data, query->after_key.len);
		query->after_key.data = after;
		tool_reply_free(&reply);
	} while (query->after_key.len && !asked->limit.more);
	query->after_key = (ProtobufCBinaryData){0}; /* it stood here */
	return code;
}

int command_deadlines(struct tool *tool, int argc, char **argv)
{
	static const char *const headings[] = {"due", "state", "case", "rule", "what", "unit", "kind", NULL};
	const char *number = NULL, *unit = "";
	int32_t before = 0;
	struct asked asked = {.tool = tool, .names = names_of(tool), .limit.left = LIMIT_DEFAULT};
	const struct tool_option words[] = {{"unit", OPTION_TEXT, &unit}, {"before", OPTION_DAY, &before},
		{"overdue", OPTION_FLAG, &asked.overdue}, {"all", OPTION_FLAG, &asked.all},
		{"limit", OPTION_NUMBER, &asked.limit.left}};
	Avvik__V1__ListDeadlines query = AVVIK__V1__LIST_DEADLINES__INIT;
	struct av_id case_id;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &number, 1) < 0 ||
		!limit_sound(&asked.limit) || !tool_settings(tool))
		return EXIT_USAGE;
	if (number && tool_case_id(tool, number, &case_id) != AV_OK)
		return EXIT_REFUSED;
	if (number)
		query.case_id = ask_id_field(&case_id);
	query.unit = (char *)(uintptr_t)unit;
	query.due_before_ms = before ? av_day_start_ms(before) : 0;
	query.running_only = !asked.all;
	query.limit = PAGE;
	asked.now_ms = tool_now_ms(tool);
	asked.table = tool->json ? NULL : table_create(headings);
	int code = ask_pages(&asked, &query);
	if (tool->json)
		json_list_end(&asked.list);
	else if (code == EXIT_DONE && table_empty(asked.table))
		printf("nothing is due\n");
	else
		table_print(&asked.table);
	table_destroy(&asked.table);
	limit_tell(tool, &asked.limit);
	return code;
}
