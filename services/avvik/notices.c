/* notices.c - avvik notices: who was told what, and whether it arrived. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "names.h"
#include "subcommands.h"
#include "table.h"

#define PAGE 200

struct asked {
	struct tool *tool;
	struct names names;
	struct table *table, *unreachable;
	struct json_list list;
	struct list_limit limit;
};

static const char *receiver_text(struct asked *asked, const Avvik__V1__Notice *notice)
{
	const char *person = *notice->person ? notice->person : "the reporter";

	if (*notice->deputy_for)
		return av_arena_printf(asked->tool->arena, "%s for %s", person, notice->deputy_for);
	return person;
}

static const char *about_text(struct asked *asked, const Avvik__V1__Notice *notice)
{
	struct tool *tool = asked->tool;

	if (!*notice->deadline)
		return av_arena_printf(tool->arena, "%s (%s)", notice->event, notice->rule);
	return av_arena_printf(tool->arena, "%s: %s by %s", names_rung(notice->rung, false),
		names_deadline(&asked->names, NULL, notice->deadline, false), tool_day(tool, notice->due_on));
}

static const char *arrival_text(struct asked *asked, const Avvik__V1__Notice *notice)
{
	struct tool *tool = asked->tool;

	switch (notice->state) {
	case AVVIK__V1__NOTICE_STATE__NOTICE_STATE_DELIVERED:
		return av_arena_printf(tool->arena, "delivered %s", tool_time(tool, notice->ended_at_ms));
	case AVVIK__V1__NOTICE_STATE__NOTICE_STATE_GIVEN_UP:
		return av_arena_printf(tool->arena, "GIVEN UP %s after %u attempts: %s",
			tool_time(tool, notice->ended_at_ms), notice->attempts, notice->last_error);
	case AVVIK__V1__NOTICE_STATE__NOTICE_STATE_RETRYING:
		return av_arena_printf(tool->arena, "tried %u times (%s), next %s", notice->attempts,
			notice->last_error, tool_time(tool, notice->next_attempt_at_ms));
	default:
		return notice->not_before_ms > notice->decided_at_ms
			       ? av_arena_printf(tool->arena, "waits until %s",
					 tool_time(tool, notice->not_before_ms))
			       : "to be sent";
	}
}

static void notice_print(struct asked *asked, const Avvik__V1__Notice *notice)
{
	struct tool *tool = asked->tool;

	if (tool->json) {
		json_list_item(&asked->list, tool, &notice->base);
		return;
	}
	table_row(
		asked->table, (const char *const[]){tool_time(tool, notice->decided_at_ms), notice->number,
				      receiver_text(asked, notice), notice->role,
				      ask_words(tool, &avvik__v1__notice_kind__descriptor, (int)notice->kind),
				      about_text(asked, notice), arrival_text(asked, notice),
				      tool_id_text(tool, notice->notice_id)});
}

static void unreachable_print(struct asked *asked, const Avvik__V1__NoticeUnreachable *unreachable)
{
	int64_t at_ms = unreachable->cause_id.len == AV_ID_SIZE
				? av_id_ms((const struct av_id *)unreachable->cause_id.data)
				: 0;

	if (asked->tool->json)
		json_list_item(&asked->list, asked->tool, &unreachable->base);
	else
		table_row(asked->unreachable,
			(const char *const[]){tool_time(asked->tool, at_ms),
				*unreachable->number ? unreachable->number
						     : tool_id_text(asked->tool, unreachable->case_id),
				unreachable->rule, names_role(&asked->names, unreachable->role, false),
				names_unit(&asked->names, unreachable->unit),
				names_unreachable(unreachable->why)});
}

static int ask_pages(struct asked *asked, Avvik__V1__ListNotices *query)
{
	struct av_id after;
	int code = EXIT_DONE;

	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(asked->tool, DAEMON_NOTIFICATION, AVVIK__V1__COMMAND__BODY_LIST_NOTICES,
			    &query->base, &reply, &code))
			return code;
		const Avvik__V1__NoticesFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_NOTICES_FOUND ? reply->notices_found
										 : NULL;
		for (size_t i = 0; found && i < found->n_notices && limit_take(&asked->limit); i++)
			notice_print(asked, found->notices[i]);
		for (size_t i = 0; found && i < found->n_unreachable && !query->after_notice_id.len; i++)
			unreachable_print(asked, found->unreachable[i]);
		query->after_notice_id.len = 0;
		if (found && found->next_after_notice_id.len == AV_ID_SIZE) {
			memcpy(after.bytes, found->next_after_notice_id.data, AV_ID_SIZE);
			query->after_notice_id = ask_id_field(&after);
		}
		tool_reply_free(&reply);
	} while (query->after_notice_id.len && !asked->limit.more);
	query->after_notice_id = (ProtobufCBinaryData){0}; /* it stood here */
	return code;
}

static int notices_list(struct tool *tool, int argc, char **argv)
{
	static const char *const headings[] = {
		"decided", "case", "to", "as", "kind", "about", "arrival", "id", NULL};
	static const char *const nobody[] = {
		"decided", "case", "rule that reached nobody", "role", "unit", "+why", NULL};
	const char *number = NULL, *state = NULL, *person = "";
	struct asked asked = {.tool = tool, .names = names_of(tool), .limit.left = LIMIT_DEFAULT};
	const struct tool_option words[] = {{"state", OPTION_TEXT, &state}, {"person", OPTION_TEXT, &person},
		{"limit", OPTION_NUMBER, &asked.limit.left}};
	Avvik__V1__ListNotices query = AVVIK__V1__LIST_NOTICES__INIT;
	struct av_id case_id;
	int value = 0;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &number, 1) < 0 ||
		!limit_sound(&asked.limit) || !tool_settings(tool))
		return EXIT_USAGE;
	if (state && ask_enum(tool, "--state", &avvik__v1__notice_state__descriptor, state, &value) != AV_OK)
		return EXIT_USAGE;
	if (number && tool_case_id(tool, number, &case_id) != AV_OK)
		return EXIT_REFUSED;
	if (number)
		query.case_id = ask_id_field(&case_id);
	query.state = (Avvik__V1__NoticeState)value;
	query.person = (char *)(uintptr_t)person;
	query.limit = PAGE;
	asked.table = tool->json ? NULL : table_create(headings);
	asked.unreachable = tool->json ? NULL : table_create(nobody);
	int code = ask_pages(&asked, &query);
	if (tool->json) {
		json_list_end(&asked.list);
		return code;
	}
	if (asked.limit.shown)
		table_print(&asked.table);
	else if (code == EXIT_DONE)
		printf("no such notices\n");
	if (!table_empty(asked.unreachable)) {
		printf("\n");
		table_print(&asked.unreachable);
	}
	limit_tell(tool, &asked.limit);
	table_destroy(&asked.table);
	table_destroy(&asked.unreachable);
	return code;
}

static int notices_retry(struct tool *tool, int argc, char **argv)
{
	const char *text = NULL, *reason = "";
	const struct tool_option words[] = {{"reason", OPTION_TEXT, &reason}};
	Avvik__V1__RetryNotice order = AVVIK__V1__RETRY_NOTICE__INIT;
	Avvik__V1__Reply *reply = NULL;
	struct av_id id;
	int code;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &text, 1) < 0)
		return EXIT_USAGE;
	if (!text)
		return tool_usage("notices");
	if (!*reason)
		return tool_fail(EXIT_USAGE, "--reason is missing: say why; it is kept in the journal");
	if (ask_id(text, &id) != AV_OK)
		return EXIT_USAGE;
	order.notice_id = ask_id_field(&id);
	order.reason = (char *)(uintptr_t)reason;
	if (!ask(tool, DAEMON_NOTIFICATION, AVVIK__V1__COMMAND__BODY_RETRY_NOTICE, &order.base, &reply,
		    &code))
		return code;
	if (tool->json)
		tool_print_json(tool, &reply->base);
	else
		printf("%s is tried again\n", text);
	tool_reply_free(&reply);
	return EXIT_DONE;
}

int command_notices(struct tool *tool, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "retry") == 0)
		return notices_retry(tool, argc - 1, argv + 1);
	return notices_list(tool, argc, argv);
}
