/* preview.c - avvik rules preview, avvik directory preview: each open deadline that would change, before and
 * after. */
#include "preview.h"

#include <string.h>

#include "ask.h"
#include "base/date.h"
#include "base/macros.h"
#include "names.h"
#include "publish.h"
#include "table.h"

struct telling {
	struct tool *tool;
	struct names names;
	struct table *table;
	struct json_list list;
	uint32_t cases, deadlines, moved, nobody, missing;
};

static const char *people_text(struct tool *tool, char *const *people, size_t count)
{
	const char *text = "";
	for (size_t i = 0; i < count; i++)
		text = av_arena_printf(tool->arena, "%s%s%s", text, i ? ", " : "", people[i]);
	return count ? text : "nobody";
}

static bool same_people(const Avvik__V1__RungChange *rung)
{
	if (rung->n_told_before != rung->n_told_after)
		return false;
	for (size_t i = 0; i < rung->n_told_before; i++)
		if (strcmp(rung->told_before[i], rung->told_after[i]) != 0)
			return false;
	return true;
}

/* "escalation 2026-05-15 08:00 -> 2026-05-18 08:00" */
static const char *rung_text(struct tool *tool, const Avvik__V1__RungChange *rung)
{
	const char *kind = names_rung(rung->kind, false);
	if (rung->at_before_ms == rung->at_after_ms)
		return av_arena_printf(tool->arena, "%s %s", kind, tool_time(tool, rung->at_before_ms));
	return av_arena_printf(tool->arena, "%s %s -> %s", kind,
		rung->at_before_ms ? tool_time(tool, rung->at_before_ms) : "not to come",
		rung->at_after_ms ? tool_time(tool, rung->at_after_ms) : "not to come");
}

static const char *told_text(struct tool *tool, const Avvik__V1__RungChange *rung)
{
	const char *after = people_text(tool, rung->told_after, rung->n_told_after);
	const char *warning = rung->reaches_nobody && rung->n_told_after ? "; a role REACHES NOBODY"
			      : rung->reaches_nobody			 ? ": REACHES NOBODY"
									 : "";
	if (same_people(rung))
		return av_arena_printf(tool->arena, "%s%s", after, warning);
	return av_arena_printf(tool->arena, "%s -> %s%s",
		people_text(tool, rung->told_before, rung->n_told_before), after, warning);
}

static const char *due_text(struct tool *tool, const Avvik__V1__DeadlineChange *change)
{
	if (change->rule_missing)
		return "stays: the rules have no such deadline";
	if (change->due_before_on == change->due_after_on)
		return ask_weekday(tool, change->due_before_on);
	return av_arena_printf(tool->arena, "%s -> %s", ask_weekday(tool, change->due_before_on),
		ask_weekday(tool, change->due_after_on));
}

static void change_print(struct telling *telling, const Avvik__V1__DeadlineChange *change)
{
	struct tool *tool = telling->tool;

	telling->moved += change->due_before_on != change->due_after_on;
	telling->missing += change->rule_missing;
	for (size_t i = 0; i < change->n_rungs; i++)
		telling->nobody += change->rungs[i]->reaches_nobody;
	if (tool->json) {
		json_list_item(&telling->list, tool, &change->base);
		return;
	}
	const char *first[] = {change->number, change->rule, names_unit(&telling->names, change->unit_code),
		due_text(tool, change)};
	for (size_t i = 0; i < AV_MAX(change->n_rungs, (size_t)1); i++) {
		const Avvik__V1__RungChange *rung = i < change->n_rungs ? change->rungs[i] : NULL;
		table_row(telling->table,
			(const char *const[]){i ? "" : first[0], i ? "" : first[1], i ? "" : first[2],
				i ? "" : first[3], rung ? rung_text(tool, rung) : "",
				rung ? told_text(tool, rung) : ""});
	}
}

static int pages_ask(
	struct telling *telling, unsigned int number, ProtobufCMessage *query, ProtobufCBinaryData *after)
{
	struct av_id last;
	int code = EXIT_DONE;

	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(telling->tool, DAEMON_WORKFLOW, number, query, &reply, &code))
			return code;
		const Avvik__V1__PreviewFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_PREVIEW_FOUND ? reply->preview_found
										 : NULL;
		for (size_t i = 0; found && i < found->n_changes; i++)
			change_print(telling, found->changes[i]);
		after->len = 0;
		if (found) {
			telling->cases += found->cases;
			telling->deadlines += found->deadlines;
		}
		if (found && found->next_after_case_id.len == AV_ID_SIZE) {
			memcpy(last.bytes, found->next_after_case_id.data, AV_ID_SIZE);
			*after = ask_id_field(&last);
		}
		tool_reply_free(&reply);
	} while (after->len);
	return code;
}

static int preview(struct tool *tool, struct published_file *file, unsigned int number,
	ProtobufCMessage *query, ProtobufCBinaryData *after, const char *next)
{
	static const char *const headings[] = {"case", "rule", "unit", "due", "reminder", "+to", NULL};
	struct telling telling = {.tool = tool, .names = names_of(tool)};

	if (!file->message)
		return published_judge(tool, file, NULL, NULL);
	if (!tool->json)
		telling.table = table_create(headings);
	int code = pages_ask(&telling, number, query, after);
	if (tool->json) {
		json_list_end(&telling.list);
		return code;
	}
	bool changes = !table_empty(telling.table);
	table_print(&telling.table);
	if (code != EXIT_DONE)
		return code;
	printf("%s%u open cases with %u running deadlines looked at: %u would be due on another day, %u "
	       "reminders would reach "
	       "nobody%s\n",
		changes ? "\n" : "", telling.cases, telling.deadlines, telling.moved, telling.nobody,
		telling.missing ? "; the rules lack deadlines that are running, so they cannot be applied"
				: "");
	printf("%s\n", next);
	return EXIT_DONE;
}

int rules_preview(struct tool *tool, int argc, char **argv)
{
	Avvik__V1__PreviewRules query = AVVIK__V1__PREVIEW_RULES__INIT;
	struct published_file file;

	if (argc != 2)
		return tool_usage("rules");
	if (published_open(tool, argv[1], &avvik__v1__rule_pack__descriptor, &file) < 0)
		return EXIT_REFUSED;
	query.rules = (Avvik__V1__RulePack *)file.message;
	int code = preview(tool, &file, AVVIK__V1__COMMAND__BODY_PREVIEW_RULES, &query.base,
		&query.after_case_id,
		"Nothing has changed. New cases get a pack by `avvik rules publish FILE`; open ones keep "
		"theirs until\n"
		"`avvik rules apply VERSION --reason TEXT`.");
	published_close(&file);
	return code;
}

int directory_preview(struct tool *tool, int argc, char **argv)
{
	Avvik__V1__PreviewDirectory query = AVVIK__V1__PREVIEW_DIRECTORY__INIT;
	struct published_file file;

	if (argc != 2)
		return tool_usage("directory");
	if (published_open(tool, argv[1], &avvik__v1__directory__descriptor, &file) < 0)
		return EXIT_REFUSED;
	query.directory = (Avvik__V1__Directory *)file.message;
	int code = preview(tool, &file, AVVIK__V1__COMMAND__BODY_PREVIEW_DIRECTORY, &query.base,
		&query.after_case_id,
		"Nothing has changed. It takes effect by `avvik directory publish FILE --reason TEXT`.");
	published_close(&file);
	return code;
}
