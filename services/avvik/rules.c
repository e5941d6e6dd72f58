/* rules.c - avvik rules: check a rule pack, publish it, show what is in force. */
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "names.h"
#include "preview.h"
#include "publish.h"
#include "rulepack_rules.h"
#include "subcommands.h"
#include "table.h"

/* As intake does when it is published, but for what only intake knows: the packs before. */
static int rules_read(struct tool *tool, const char *path, struct published_file *ret_file)
{
	int status = published_open(tool, path, &avvik__v1__rule_pack__descriptor, ret_file);
	if (status < 0)
		return EXIT_REFUSED;
	struct av_fault **from = ret_file->faults.tail ? ret_file->faults.tail : &ret_file->faults.first;
	if (ret_file->message)
		rulepack_check(
			(const Avvik__V1__RulePack *)ret_file->message, tool->arena, &ret_file->faults);
	const Avvik__V1__RulePack *rules = (const Avvik__V1__RulePack *)ret_file->message;
	return published_judge(tool, ret_file, from,
		rules ? av_arena_printf(tool->arena,
				"%s is sound: rule pack %s from %s, %zu deadlines, %zu notices, %zu acts",
				path, rules->version, tool_day(tool, rules->valid_from_on),
				rules->n_deadlines, rules->n_notices, rules->n_acts)
		      : NULL);
}

static int rules_publish(struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *reason = "";
	const struct tool_option words[] = {{"reason", OPTION_TEXT, &reason}};
	Avvik__V1__PublishRules order = AVVIK__V1__PUBLISH_RULES__INIT;
	struct published_file file;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &path, 1) < 0)
		return EXIT_USAGE;
	if (!path)
		return tool_usage("rules");
	if (published_open(tool, path, &avvik__v1__rule_pack__descriptor, &file) < 0)
		return EXIT_REFUSED;
	int code = EXIT_REFUSED;
	if (!file.message) {
		code = published_judge(tool, &file, NULL, NULL);
	} else {
		order.rules = (Avvik__V1__RulePack *)file.message;
		order.reason = (char *)(uintptr_t)reason;
		code = published_send(
			tool, &file, "rules.", AVVIK__V1__COMMAND__BODY_PUBLISH_RULES, &order.base);
	}
	published_close(&file);
	return code;
}

static int rules_apply(struct tool *tool, int argc, char **argv)
{
	const char *version = NULL, *reason = "";
	const struct tool_option words[] = {{"reason", OPTION_TEXT, &reason}};
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__ApplyRules order = AVVIK__V1__APPLY_RULES__INIT;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &version, 1) < 0)
		return EXIT_USAGE;
	if (!version)
		return tool_usage("rules");
	order.version = (char *)(uintptr_t)version;
	order.reason = (char *)(uintptr_t)reason;
	command.body_case = AVVIK__V1__COMMAND__BODY_APPLY_RULES;
	command.apply_rules = &order;
	command.reference =
		(char *)(uintptr_t)ask_reference(tool, "apply", av_message_pack(&order.base, tool->arena));
	Avvik__V1__Reply *reply = tool_call(tool, DAEMON_WORKFLOW, &command);
	int code = reply ? tool_refused(tool, reply) : EXIT_AWAY;
	if (code == EXIT_DONE && tool->json)
		tool_print_json(tool, &reply->base);
	else if (code == EXIT_DONE)
		printf("open cases go over to %s%s; `avvik feed workflow --words` tells how far they have "
		       "come\n",
			version, reply->repeated ? " (ordered before: nothing was done again)" : "");
	tool_reply_free(&reply);
	return code;
}

static const char *period_text(struct tool *tool, const Avvik__V1__DeadlineRule *rule)
{
	const char *unit = ask_words(tool, &avvik__v1__period_unit__descriptor, (int)rule->unit);

	/* The units are named in the plural. */
	return av_arena_printf(tool->arena, "%u %.*s%s", rule->count, (int)strlen(unit) - (rule->count == 1),
		unit, rule->moved ? ", moved" : "");
}

static void deadlines_print(struct tool *tool, const Avvik__V1__RulePack *rules)
{
	static const char *const headings[] = {
		"id", "deadline", "length", "starts when", "statutory", ">rungs", "+source", NULL};
	struct table *table = table_create(headings);

	for (size_t i = 0; i < rules->n_deadlines; i++) {
		const Avvik__V1__DeadlineRule *rule = rules->deadlines[i];
		table_row(table, (const char *const[]){rule->id, *rule->name_en ? rule->name_en : rule->name,
					 period_text(tool, rule), names_anchor(rule->starts, false),
					 rule->statutory ? "yes" : "local target",
					 ask_number(tool, (int64_t)rule->n_ladder), rule->source});
	}
	table_print(&table);
}

static void notices_print(struct tool *tool, const Avvik__V1__RulePack *rules, struct names *names)
{
	static const char *const headings[] = {"id", "when", "who is told", "as", "template", NULL};
	struct table *table = table_create(headings);

	for (size_t i = 0; i < rules->n_notices; i++) {
		const Avvik__V1__NoticeRule *rule = rules->notices[i];
		table_row(table,
			(const char *const[]){rule->id,
				*rule->deadline
					? av_arena_printf(tool->arena, "%s %s", rule->event, rule->deadline)
					: rule->event,
				rule->n_to ? names_recipients(names, rule->to, rule->n_to, false)
					   : "as the rung says",
				ask_words(tool, &avvik__v1__notice_kind__descriptor, (int)rule->kind),
				rule->template_});
	}
	table_print(&table);
}

static void codes_print(const char *what, Avvik__V1__Code *const *codes, size_t count)
{
	static const char *const headings[] = {"code", "name", "under", NULL};
	struct table *table = table_create(headings);

	printf("\n%s\n", what);
	for (size_t i = 0; i < count; i++)
		table_row(table, (const char *const[]){codes[i]->code, codes[i]->name, codes[i]->parent});
	table_print(&table);
}

static int rules_show(struct tool *tool, const char *version)
{
	Avvik__V1__GetRules query = AVVIK__V1__GET_RULES__INIT;
	Avvik__V1__Reply *reply = NULL;
	int code;

	query.version = (char *)(uintptr_t)(version ? version : "");
	if (!ask(tool, DAEMON_INTAKE, AVVIK__V1__COMMAND__BODY_GET_RULES, &query.base, &reply, &code))
		return code;
	const Avvik__V1__RulePack *rules =
		reply->body_case == AVVIK__V1__REPLY__BODY_RULES_FOUND ? reply->rules_found->rules : NULL;
	if (rules && tool->json) {
		tool_print_json(tool, &rules->base);
	} else if (rules) {
		struct names names = names_of(tool);
		printf("rule pack %s, for reports received from %s%s%s\n%s\n\n", rules->version,
			tool_day(tool, rules->valid_from_on), rules->valid_until_on ? " until " : "",
			tool_day(tool, rules->valid_until_on), rules->title);
		deadlines_print(tool, rules);
		printf("\n");
		notices_print(tool, rules, &names);
		codes_print("categories", rules->categories, rules->n_categories);
		codes_print("cause areas", rules->cause_areas, rules->n_cause_areas);
		codes_print("purposes of reading content", rules->purposes, rules->n_purposes);
		codes_print("reasons to erase", rules->erasure_reasons, rules->n_erasure_reasons);
	}
	tool_reply_free(&reply);
	return EXIT_DONE;
}

int command_rules(struct tool *tool, int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "check") == 0) {
		struct published_file file;
		int code = rules_read(tool, argv[2], &file);
		published_close(&file);
		return code;
	}
	if (argc >= 3 && strcmp(argv[1], "publish") == 0)
		return rules_publish(tool, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "preview") == 0)
		return rules_preview(tool, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "apply") == 0)
		return rules_apply(tool, argc - 1, argv + 1);
	if (argc <= 3 && argc > 1 && strcmp(argv[1], "show") == 0)
		return rules_show(tool, argv[2]);
	return tool_usage("rules");
}
