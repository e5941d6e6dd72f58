/* case_deadlines.c - what of a case runs and is due, and which of many cases are overdue. */
#include <string.h>

#include "ask.h"
#include "case_tool.h"
#include "deadlines.h"
#include "names.h"
#include "table.h"

#define PAGE 200

int case_deadlines_print(struct tool *tool, struct names *names, const Avvik__V1__Case *found)
{
	static const char *const headings[] = {"due", "state", "rule", "what", NULL};
	Avvik__V1__ListDeadlines query = AVVIK__V1__LIST_DEADLINES__INIT;
	Avvik__V1__Reply *reply = NULL;
	int code;

	query.case_id = found->case_id;
	query.running_only = true;
	query.limit = PAGE;
	if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_LIST_DEADLINES, &query.base, &reply, &code))
		return code;
	const Avvik__V1__DeadlinesFound *running =
		reply->body_case == AVVIK__V1__REPLY__BODY_DEADLINES_FOUND ? reply->deadlines_found : NULL;
	struct table *table = running && running->n_deadlines ? table_create(headings) : NULL;
	for (size_t i = 0; table && i < running->n_deadlines; i++) {
		const Avvik__V1__Deadline *deadline = running->deadlines[i];
		table_row(table,
			(const char *const[]){deadline_due(tool, deadline),
				deadline_state(tool, deadline, tool_now_ms(tool)), deadline->rule,
				names_deadline(names, deadline->rules_version, deadline->rule, false)});
	}
	printf("%s", table ? "\n" : "");
	table_print(&table);
	tool_reply_free(&reply);
	return EXIT_DONE;
}

struct case_late { /* a deadline that is overdue; the oldest is last */
	struct av_id case_id;
	const char *rule;
	struct case_late *next;
};

int case_late_ask(struct tool *tool, const char *unit, struct case_late **ret_late)
{
	Avvik__V1__ListDeadlines query = AVVIK__V1__LIST_DEADLINES__INIT;
	int code = EXIT_DONE;

	query.unit = (char *)(uintptr_t)unit;
	query.due_before_ms = tool_now_ms(tool);
	query.running_only = true;
	query.limit = PAGE;
	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_LIST_DEADLINES, &query.base, &reply,
			    &code))
			return code;
		const Avvik__V1__DeadlinesFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_DEADLINES_FOUND ? reply->deadlines_found
										   : NULL;
		for (size_t i = 0; found && i < found->n_deadlines; i++) {
			const Avvik__V1__Deadline *deadline = found->deadlines[i];
			struct case_late *late = av_arena_alloc(tool->arena, sizeof *late);
			if (!late || !deadline->overdue || deadline->case_id.len != AV_ID_SIZE)
				continue;
			memcpy(late->case_id.bytes, deadline->case_id.data, AV_ID_SIZE);
			late->rule = av_arena_printf(tool->arena, "%s", deadline->rule);
			late->next = *ret_late;
			*ret_late = late;
		}
		size_t size = found ? found->next_after_key.len : 0;
		query.after_key = (ProtobufCBinaryData){
			size, size ? av_arena_copy(tool->arena, found->next_after_key.data, size) : NULL};
		tool_reply_free(&reply);
	} while (query.after_key.data);
	return code;
}

const char *case_late_text(struct tool *tool, const struct case_late *late, const Avvik__V1__Case *found)
{
	const char *text = "";

	for (; late; late = late->next)
		if (found->case_id.len == AV_ID_SIZE &&
			memcmp(late->case_id.bytes, found->case_id.data, AV_ID_SIZE) == 0)
			text = av_arena_printf(tool->arena, "%s%s%s", late->rule, *text ? ", " : "", text);
	return text;
}
