/* directory.c - avvik directory: check the organisation's file, publish it, show what is in force. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/status.h"
#include "directory_rules.h"
#include "names.h"
#include "preview.h"
#include "org/org.h"
#include "publish.h"
#include "subcommands.h"
#include "table.h"

/* --- check and publish --- */

static int directory_judge(struct tool *tool, const char *path, const char *rules_path)
{
	struct published_file file, rules = {0};
	struct av_clock clock = av_clock_real();
	int code = EXIT_REFUSED;

	if (rules_path && (published_open(tool, rules_path, &avvik__v1__rule_pack__descriptor, &rules) < 0 ||
				  !rules.message)) {
		if (rules.faults.count)
			published_judge(tool, &rules, NULL, NULL);
		published_close(&rules);
		return EXIT_REFUSED;
	}
	if (published_open(tool, path, &avvik__v1__directory__descriptor, &file) == AV_OK) {
		struct av_fault **from = file.faults.tail ? file.faults.tail : &file.faults.first;
		const Avvik__V1__Directory *directory = (const Avvik__V1__Directory *)file.message;
		if (directory)
			directory_check(directory, (const Avvik__V1__RulePack *)rules.message,
				av_local_day(av_clock_now_ms(&clock)), tool->arena, &file.faults);
		code = published_judge(tool, &file, from,
			directory
				? av_arena_printf(tool->arena,
					  "%s is sound: directory %s, %zu units, %zu people%s", path,
					  directory->version, directory->n_units, directory->n_people,
					  rules_path
						  ? ""
						  : "; with --rules FILE it is also held against a rule pack")
				: NULL);
	}
	published_close(&file);
	published_close(&rules);
	return code;
}

static int directory_check_file(struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *rules = NULL;
	const struct tool_option words[] = {{"rules", OPTION_TEXT, &rules}};

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &path, 1) < 0)
		return EXIT_USAGE;
	return path ? directory_judge(tool, path, rules) : tool_usage("directory");
}

static int directory_publish(struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *reason = "";
	const struct tool_option words[] = {{"reason", OPTION_TEXT, &reason}};
	Avvik__V1__PublishDirectory order = AVVIK__V1__PUBLISH_DIRECTORY__INIT;
	struct published_file file;
	int code = EXIT_REFUSED;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &path, 1) < 0)
		return EXIT_USAGE;
	if (!path)
		return tool_usage("directory");
	if (published_open(tool, path, &avvik__v1__directory__descriptor, &file) == AV_OK) {
		order.directory = (Avvik__V1__Directory *)file.message;
		order.reason = (char *)(uintptr_t)reason;
		code = file.message ? published_send(tool, &file, "directory.",
					      AVVIK__V1__COMMAND__BODY_PUBLISH_DIRECTORY, &order.base)
				    : published_judge(tool, &file, NULL, NULL);
	}
	published_close(&file);
	return code;
}

/* --- show --- */

static const char *laws_text(struct tool *tool, const Avvik__V1__Unit *unit)
{
	const char *text = "";

	for (size_t i = 0; i < unit->n_laws; i++)
		text = av_arena_printf(tool->arena, "%s%s%s", text, i ? " " : "",
			av_enum_name(&avvik__v1__law__descriptor, (int)unit->laws[i]));
	return text;
}

/* Those who hold a role at this very unit today: "EC: karin.strand, BITR_EC: omar.haddad". */
static const char *holders_text(
	struct tool *tool, const Avvik__V1__Directory *directory, const char *unit, av_day today)
{
	const char *text = "";

	for (size_t p = 0; p < directory->n_people; p++) {
		const Avvik__V1__Person *person = directory->people[p];
		for (size_t r = 0; r < person->n_roles; r++) {
			const Avvik__V1__RoleHeld *held = person->roles[r];
			if (strcmp(held->unit, unit) != 0 || (held->from_on && held->from_on > today) ||
				(held->until_on && held->until_on < today))
				continue;
			text = av_arena_printf(
				tool->arena, "%s%s%s %s", text, *text ? ", " : "", held->role, person->id);
		}
	}
	return text;
}

struct showing {
	struct tool *tool;
	const Avvik__V1__Directory *directory;
	struct table *table;
	bool people;
	av_day today;
};

static bool last_child(const Avvik__V1__Directory *directory, size_t at)
{
	for (size_t i = at + 1; i < directory->n_units; i++)
		if (strcmp(directory->units[i]->parent, directory->units[at]->parent) == 0)
			return false;
	return true;
}

/* `before` stands before the name of the children: the lines of the levels above. */
static void unit_show(const struct showing *showing, size_t at, const char *before, const char *branch)
{
	const Avvik__V1__Unit *unit = showing->directory->units[at];
	struct tool *tool = showing->tool;

	table_row(showing->table,
		(const char *const[]){av_arena_printf(tool->arena, "%s%s%s", before, branch, unit->name),
			unit->code, ask_words(tool, &avvik__v1__unit_level__descriptor, (int)unit->level),
			ask_words(tool, &avvik__v1__operation__descriptor, (int)unit->operation),
			laws_text(tool, unit), unit->activity,
			showing->people ? holders_text(tool, showing->directory, unit->code, showing->today)
					: ""});
	if (*branch)
		before = av_arena_printf(
			tool->arena, "%s%s", before, last_child(showing->directory, at) ? "   " : "│  ");
	for (size_t i = 0; i < showing->directory->n_units; i++)
		if (strcmp(showing->directory->units[i]->parent, unit->code) == 0)
			unit_show(showing, i, before, last_child(showing->directory, i) ? "└─ " : "├─ ");
}

static Avvik__V1__Reply *directory_found(struct tool *tool, int *ret_code)
{
	Avvik__V1__GetDirectory query = AVVIK__V1__GET_DIRECTORY__INIT;
	Avvik__V1__Reply *reply = NULL;

	if (!ask(tool, DAEMON_INTAKE, AVVIK__V1__COMMAND__BODY_GET_DIRECTORY, &query.base, &reply, ret_code))
		return NULL;
	if (reply->body_case == AVVIK__V1__REPLY__BODY_DIRECTORY_FOUND && reply->directory_found->directory)
		return reply;
	tool_reply_free(&reply);
	*ret_code = EXIT_REFUSED;
	return NULL;
}

static int directory_show(struct tool *tool, int argc, char **argv)
{
	static const char *const with_people[] = {
		"unit", "code", "level", "operation", "laws", "activity", "+people today", NULL};
	static const char *const without[] = {"unit", "code", "level", "operation", "laws", "activity", NULL};
	const char *only = "";
	struct showing showing = {.tool = tool};
	const struct tool_option words[] = {
		{"unit", OPTION_TEXT, &only}, {"people", OPTION_FLAG, &showing.people}};
	int code;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), NULL, 0) < 0)
		return EXIT_USAGE;
	Avvik__V1__Reply *reply = directory_found(tool, &code);
	if (!reply)
		return code;
	showing.directory = reply->directory_found->directory;
	if (tool->json) {
		tool_print_json(tool, &showing.directory->base);
		tool_reply_free(&reply);
		return EXIT_DONE;
	}
	showing.today = av_local_day(tool_now_ms(tool));
	showing.table = table_create(showing.people ? with_people : without);
	for (size_t i = 0; i < showing.directory->n_units; i++) {
		const Avvik__V1__Unit *unit = showing.directory->units[i];
		if (*only ? strcmp(unit->code, only) == 0 : !*unit->parent)
			unit_show(&showing, i, "", "");
	}
	if (table_empty(showing.table)) {
		code = tool_fail(
			EXIT_REFUSED, "no unit has the code \"%s\": `avvik directory show` lists them", only);
	} else {
		printf("%s, directory %s\n\n", showing.directory->name, showing.directory->version);
		code = EXIT_DONE;
	}
	table_print(&showing.table);
	tool_reply_free(&reply);
	return code;
}

/* --- people --- */

static const char *dates(struct tool *tool, int32_t from_on, int32_t until_on)
{
	if (!from_on && !until_on)
		return "";
	return av_arena_printf(tool->arena, " (%s%s%s%s)", from_on ? "from " : "", tool_day(tool, from_on),
		!until_on ? ""
		: from_on ? " until "
			  : "until ",
		tool_day(tool, until_on));
}

/* NULL: not one of those asked for. */
static const char *roles_text(struct tool *tool, const struct av_org *org, const Avvik__V1__Person *person,
	const char *unit, const char *role)
{
	const char *text = "";
	bool wanted = false;

	for (size_t i = 0; i < person->n_roles; i++) {
		const Avvik__V1__RoleHeld *held = person->roles[i];
		wanted |= (!*role || strcmp(held->role, role) == 0) &&
			  (!*unit || av_org_within(org, held->unit, unit));
		text = av_arena_printf(tool->arena, "%s%s%s of %s%s", text, i ? ", " : "", held->role,
			held->unit, dates(tool, held->from_on, held->until_on));
	}
	return wanted || (!*role && !*unit) ? text : NULL;
}

static int directory_people(struct tool *tool, int argc, char **argv)
{
	static const char *const headings[] = {"person", "+roles", "+deputies", NULL};
	const char *unit = "", *role = "";
	const struct tool_option words[] = {{"unit", OPTION_TEXT, &unit}, {"role", OPTION_TEXT, &role}};
	int code;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), NULL, 0) < 0)
		return EXIT_USAGE;
	Avvik__V1__Reply *reply = directory_found(tool, &code);
	if (!reply)
		return code;
	const Avvik__V1__Directory *directory = reply->directory_found->directory;
	const struct av_org *org = av_org_create(directory, tool->arena);
	struct table *table = tool->json ? NULL : table_create(headings);
	struct json_list list = {0};
	for (size_t i = 0; org && i < directory->n_people; i++) {
		const Avvik__V1__Person *person = directory->people[i];
		const char *roles = roles_text(tool, org, person, unit, role), *deputies = "";
		if (!roles)
			continue;
		for (size_t d = 0; d < person->n_deputies; d++)
			deputies = av_arena_printf(tool->arena, "%s%s%s%s", deputies, d ? ", " : "",
				person->deputies[d]->person,
				dates(tool, person->deputies[d]->from_on, person->deputies[d]->until_on));
		if (tool->json)
			json_list_item(&list, tool, &person->base);
		table_row(table, (const char *const[]){person->id, roles, deputies});
	}
	if (tool->json)
		json_list_end(&list);
	table_print(&table);
	tool_reply_free(&reply);
	return EXIT_DONE;
}

int command_directory(struct tool *tool, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct tool *tool, int argc, char **argv);
	} words[] = {{"check", directory_check_file}, {"preview", directory_preview},
		{"publish", directory_publish}, {"show", directory_show}, {"people", directory_people}};

	for (size_t i = 0; argc > 1 && i < AV_COUNT(words); i++)
		if (strcmp(argv[1], words[i].name) == 0)
			return words[i].run(tool, argc - 1, argv + 1);
	return tool_usage("directory");
}
