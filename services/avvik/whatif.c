/* whatif.c - avvik whatif: the recorded history by another rule pack, and what would have been different */
#include <string.h>

#include "ask.h"
#include "base/date.h"
#include "base/macros.h"
#include "directory_rules.h"
#include "names.h"
#include "publish.h"
#include "rulepack_rules.h"
#include "subcommands.h"
#include "table.h"

#define RULES_MAX 100

struct total {
	const char *rule;
	uint32_t deadlines, due, now_overdue, no_longer, said, unsaid;
};

struct telling {
	struct tool *tool;
	struct names names;
	struct table *table;
	struct json_list list;
	struct total totals[RULES_MAX];
	size_t total_count;
	uint32_t cases, deadlines, overdue_before, overdue_after;
	const char *other_facts; /* rules, with commas */
	bool swedish;
};

/* A macro, so that formats stay literals that the compiler can check. */
#define IN(telling, english, swedish_text) ((telling)->swedish ? (swedish_text) : (english))

static struct total *total_of(struct telling *telling, const char *rule)
{
	for (size_t i = 0; i < telling->total_count; i++)
		if (strcmp(telling->totals[i].rule, rule) == 0)
			return &telling->totals[i];
	if (telling->total_count == RULES_MAX)
		return &telling->totals[RULES_MAX - 1];
	telling->totals[telling->total_count] =
		(struct total){.rule = av_arena_strdup(telling->tool->arena, rule)};
	return &telling->totals[telling->total_count++];
}

static const char *to_text(struct telling *telling, Avvik__V1__Recipient *const *to, size_t count,
	char *const *told, size_t told_count)
{
	struct tool *tool = telling->tool;
	const char *text = names_recipients(&telling->names, to, count, telling->swedish), *people = "";

	for (size_t i = 0; i < told_count; i++)
		people = av_arena_printf(tool->arena, "%s%s%s", people, i ? ", " : "", told[i]);
	return told_count ? av_arena_printf(tool->arena, "%s (%s)", text, people) : text;
}

static const char *rung_text(struct telling *telling, const Avvik__V1__WhatIfRung *rung)
{
	const char *name = names_rung(rung->kind, telling->swedish);
	struct tool *tool = telling->tool;

	if (!rung->at_after_ms)
		return av_arena_printf(tool->arena,
			IN(telling, "%s %s would not have been said", "%s %s hade inte skickats"), name,
			tool_time(tool, rung->at_before_ms));
	if (!rung->at_before_ms)
		return av_arena_printf(tool->arena,
			IN(telling, "%s %s would have been said", "%s %s hade skickats"), name,
			tool_time(tool, rung->at_after_ms));
	if (rung->at_before_ms == rung->at_after_ms)
		return av_arena_printf(tool->arena, IN(telling, "%s %s, to others", "%s %s, till andra"),
			name, tool_time(tool, rung->at_after_ms));
	return av_arena_printf(tool->arena, "%s %s -> %s", name, tool_time(tool, rung->at_before_ms),
		tool_time(tool, rung->at_after_ms));
}

static const char *rung_to(struct telling *telling, const Avvik__V1__WhatIfRung *rung)
{
	const char *before =
		to_text(telling, rung->to_before, rung->n_to_before, rung->told_before, rung->n_told_before);
	const char *after =
		to_text(telling, rung->to_after, rung->n_to_after, rung->told_after, rung->n_told_after);

	if (!rung->at_before_ms || !rung->at_after_ms)
		return rung->at_after_ms ? after : before;
	return strcmp(before, after) == 0 ? after
					  : av_arena_printf(telling->tool->arena, "%s -> %s", before, after);
}

static const char *due_text(struct telling *telling, const Avvik__V1__WhatIfDeadline *different)
{
	struct tool *tool = telling->tool;
	const char *overdue =
		different->overdue_before == different->overdue_after ? ""
		: different->overdue_after
			? IN(telling, "; would have been OVERDUE", "; hade varit FÖRSENAD")
			: IN(telling, "; would not have been overdue", "; hade inte varit försenad");

	if (different->due_before_on == different->due_after_on)
		return av_arena_printf(
			tool->arena, "%s%s", tool_day(tool, different->due_before_on), overdue);
	return av_arena_printf(tool->arena, "%s -> %s%s", tool_day(tool, different->due_before_on),
		tool_day(tool, different->due_after_on), overdue);
}

static void different_print(struct telling *telling, const Avvik__V1__WhatIfDeadline *different)
{
	struct total *total = total_of(telling, different->rule);

	total->deadlines++;
	total->due += different->due_before_on != different->due_after_on;
	total->now_overdue += different->overdue_after && !different->overdue_before;
	total->no_longer += different->overdue_before && !different->overdue_after;
	for (size_t i = 0; i < different->n_rungs; i++) {
		total->said += !different->rungs[i]->at_before_ms;
		total->unsaid += !different->rungs[i]->at_after_ms;
	}
	if (telling->tool->json) {
		json_list_item(&telling->list, telling->tool, &different->base);
		return;
	}
	for (size_t i = 0; i < AV_MAX(different->n_rungs, (size_t)1); i++) {
		const Avvik__V1__WhatIfRung *rung = i < different->n_rungs ? different->rungs[i] : NULL;
		table_row(telling->table,
			(const char *const[]){i ? "" : different->number, i ? "" : different->rule,
				i ? "" : names_unit(&telling->names, different->unit_code),
				i ? "" : due_text(telling, different), rung ? rung_text(telling, rung) : "",
				rung ? rung_to(telling, rung) : ""});
	}
}

static void take(struct telling *telling, const Avvik__V1__WhatIfFound *found)
{
	for (size_t i = 0; i < found->n_differences; i++)
		different_print(telling, found->differences[i]);
	telling->cases += found->cases;
	telling->deadlines += found->deadlines;
	telling->overdue_before += found->overdue_before;
	telling->overdue_after += found->overdue_after;
	for (size_t i = 0; i < found->n_by_other_facts; i++)
		if (!strstr(telling->other_facts, found->by_other_facts[i]))
			telling->other_facts =
				av_arena_printf(telling->tool->arena, "%s%s%s", telling->other_facts,
					*telling->other_facts ? ", " : "", found->by_other_facts[i]);
}

static int pages(struct telling *telling, Avvik__V1__WhatIf *query)
{
	struct av_id last;
	int code = EXIT_DONE;

	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(telling->tool, DAEMON_WORKFLOW, AVVIK__V1__COMMAND__BODY_WHAT_IF, &query->base,
			    &reply, &code))
			return code;
		const Avvik__V1__WhatIfFound *found = reply->body_case == AVVIK__V1__REPLY__BODY_WHAT_IF_FOUND
							      ? reply->what_if_found
							      : NULL;
		query->after_case_id.len = 0;
		if (found) {
			take(telling, found);
			if (found->next_after_case_id.len == AV_ID_SIZE) {
				memcpy(last.bytes, found->next_after_case_id.data, AV_ID_SIZE);
				query->after_case_id = ask_id_field(&last);
			}
		}
		tool_reply_free(&reply);
	} while (query->after_case_id.len);
	return code;
}

static void totals_print(struct telling *telling)
{
	const char *const headings[] = {IN(telling, "rule", "regel"), IN(telling, ">deadlines", ">frister"),
		IN(telling, ">another last day", ">annan sista dag"), IN(telling, ">overdue", ">försenade"),
		IN(telling, ">no longer overdue", ">inte längre försenade"),
		IN(telling, ">said", ">tillkommer"), IN(telling, ">not said", ">bortfaller"), NULL};
	struct table *table = table_create(headings);

	for (size_t i = 0; i < telling->total_count; i++) {
		const struct total *total = &telling->totals[i];
		table_row(
			table, (const char *const[]){total->rule, ask_number(telling->tool, total->deadlines),
				       ask_number(telling->tool, total->due),
				       ask_number(telling->tool, total->now_overdue),
				       ask_number(telling->tool, total->no_longer),
				       ask_number(telling->tool, total->said),
				       ask_number(telling->tool, total->unsaid)});
	}
	if (telling->total_count)
		printf("\n");
	table_print(&table);
}

static void summary_print(struct telling *telling)
{
	totals_print(telling);
	printf(IN(telling,
		       "%s%u cases with %u deadlines run again; overdue at some time: %u cases, and by these "
		       "rules %u\n",
		       "%s%u ärenden med %u frister räknade på nytt; någon gång försenade: %u ärenden, och "
		       "med dessa regler %u\n"),
		telling->total_count ? "\n" : "", telling->cases, telling->deadlines, telling->overdue_before,
		telling->overdue_after);
	if (*telling->other_facts)
		printf(IN(telling,
			       "by these rules %s start or end by other facts; they were run by those that "
			       "were recorded\n",
			       "med dessa regler börjar eller slutar %s av andra händelser; de räknades "
			       "efter dem som antecknats\n"),
			telling->other_facts);
	if (!telling->total_count)
		printf("%s\n", IN(telling, "No deadline would differ.", "Ingen frist hade blivit en annan."));
	printf("%s\n", IN(telling, "This was a trial: nothing in the instance was changed.",
			       "Detta är en beräkning; inget i ärendena är ändrat."));
}

/* A file that is sound by the same rules as when it is published; the code of what is told when it is not. */
static int read_files(struct tool *tool, const char *rules_path, const char *directory_path,
	struct published_file *rules, struct published_file *directory)
{
	if (published_open(tool, rules_path, &avvik__v1__rule_pack__descriptor, rules) < 0)
		return EXIT_REFUSED;
	struct av_fault **from = rules->faults.tail ? rules->faults.tail : &rules->faults.first;
	if (rules->message)
		rulepack_check((const Avvik__V1__RulePack *)rules->message, tool->arena, &rules->faults);
	if (!rules->message || rules->faults.count)
		return published_judge(tool, rules, from, NULL);
	if (!directory_path)
		return EXIT_DONE;
	if (published_open(tool, directory_path, &avvik__v1__directory__descriptor, directory) < 0)
		return EXIT_REFUSED;
	from = directory->faults.tail ? directory->faults.tail : &directory->faults.first;
	if (directory->message)
		directory_check((const Avvik__V1__Directory *)directory->message,
			(const Avvik__V1__RulePack *)rules->message, av_local_day(tool_now_ms(tool)),
			tool->arena, &directory->faults);
	return directory->message && !directory->faults.count ? EXIT_DONE
							      : published_judge(tool, directory, from, NULL);
}

int command_whatif(struct tool *tool, int argc, char **argv)
{
	const char *rules_path = NULL, *directory_path = NULL, *language = "en";
	Avvik__V1__WhatIf query = AVVIK__V1__WHAT_IF__INIT;
	const struct tool_option words[] = {{"rules", OPTION_TEXT, &rules_path},
		{"directory", OPTION_TEXT, &directory_path}, {"from", OPTION_DAY, &query.from_on},
		{"to", OPTION_DAY, &query.until_on}, {"lang", OPTION_TEXT, &language}};
	struct published_file rules = {0}, directory = {0};
	struct telling telling = {.tool = tool, .names = names_of(tool), .other_facts = ""};

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), NULL, 0) < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	if (!rules_path || !query.from_on || !query.until_on)
		return tool_usage("whatif");
	if (strcmp(language, "en") != 0 && strcmp(language, "sv") != 0)
		return tool_fail(EXIT_USAGE, "--lang: \"%s\" is none of en, sv", language);
	telling.swedish = strcmp(language, "sv") == 0;
	const char *const headings[] = {IN(&telling, "case", "ärende"), IN(&telling, "rule", "regel"),
		IN(&telling, "unit", "enhet"), IN(&telling, "due", "sista dag"), IN(&telling, "what", "vad"),
		IN(&telling, "+to", "+till"), NULL};
	int code = read_files(tool, rules_path, directory_path, &rules, &directory);
	if (code == EXIT_DONE) {
		query.rules = (Avvik__V1__RulePack *)rules.message;
		query.directory = (Avvik__V1__Directory *)directory.message;
		if (!tool->json)
			telling.table = table_create(headings);
		code = pages(&telling, &query);
		if (tool->json)
			json_list_end(&telling.list);
		else if (code == EXIT_DONE)
			table_print(&telling.table);
		if (code == EXIT_DONE && !tool->json)
			summary_print(&telling);
		table_destroy(&telling.table);
	}
	published_close(&rules);
	published_close(&directory);
	return code;
}
