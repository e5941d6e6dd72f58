/* status_reach.c - which rules would find nobody: one row for a rule, a role and a time, with the units that it is so for */
#include "status_reach.h"

#include <string.h>

#include "ask.h"
#include "base/macros.h"
#include "names.h"
#include "table.h"
#include "wire/message.h"

#define GAPS_MAX 2000
#define NAMED 3 /* units */

struct row {
	const Avvik__V1__ReachGap *first;
	const char *units;
	size_t unit_count;
	uint32_t deadlines;
};

struct gaps { /* of all pages, each once */
	struct tool *tool;
	Avvik__V1__ReachGap *gap[GAPS_MAX];
	size_t count;
};

static bool same_row(const Avvik__V1__ReachGap *a, const Avvik__V1__ReachGap *b)
{
	return a->from_on == b->from_on && a->until_on == b->until_on && strcmp(a->rule, b->rule) == 0 &&
	       strcmp(a->role, b->role) == 0 && strcmp(a->rules_version, b->rules_version) == 0;
}

static void take(struct gaps *gaps, const Avvik__V1__ReachGap *told)
{
	size_t at = 0;

	while (at < gaps->count &&
		!(same_row(gaps->gap[at], told) && strcmp(gaps->gap[at]->unit_code, told->unit_code) == 0))
		at++;
	if (at < gaps->count)
		gaps->gap[at]->deadlines += told->deadlines;
	else if (at < GAPS_MAX)
		gaps->gap[gaps->count++] =
			(Avvik__V1__ReachGap *)av_message_copy(&told->base, gaps->tool->arena);
}

static bool pages(struct gaps *gaps)
{
	Avvik__V1__GetReach query = AVVIK__V1__GET_REACH__INIT;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	unsigned char after[64];

	command.body_case = AVVIK__V1__COMMAND__BODY_GET_REACH;
	command.get_reach = &query;
	for (;;) {
		Avvik__V1__Reply *reply = tool_call(gaps->tool, DAEMON_WORKFLOW, &command);
		const Avvik__V1__ReachFound *found =
			reply && reply->body_case == AVVIK__V1__REPLY__BODY_REACH_FOUND ? reply->reach_found
											: NULL;
		for (size_t i = 0; found && i < found->n_gaps; i++)
			take(gaps, found->gaps[i]);
		query.after_key.len =
			found && found->next_after_key.len <= sizeof after ? found->next_after_key.len : 0;
		query.after_key.data = after;
		if (query.after_key.len)
			memcpy(after, found->next_after_key.data, query.after_key.len);
		bool answered = found != NULL;
		tool_reply_free(&reply);
		if (!answered || !query.after_key.len)
			return answered;
	}
}

/* Those of one row stand together afterwards, whatever units they are of. Answers how many rows. */
static size_t group(struct gaps *gaps, struct names *names, struct row *rows)
{
	size_t count = 0;

	for (size_t i = 0; i < gaps->count; i++) {
		struct row *row = rows;
		while (row < rows + count && !same_row(row->first, gaps->gap[i]))
			row++;
		if (row == rows + count)
			rows[count++] = (struct row){gaps->gap[i], "", 0, 0};
		row->deadlines += gaps->gap[i]->deadlines;
		if (++row->unit_count <= NAMED)
			row->units = av_arena_printf(gaps->tool->arena, "%s%s%s", row->units,
				row->unit_count > 1 ? ", " : "", names_unit(names, gaps->gap[i]->unit_code));
	}
	return count;
}

void status_reach(struct tool *tool)
{
	static const char *const headings[] = {
		"rule", "+deadline", "role", "+unit", "from", "to", ">open deadlines", NULL};
	struct gaps *gaps = av_arena_zalloc(tool->arena, sizeof *gaps);
	struct row *rows = av_arena_zalloc(tool->arena, GAPS_MAX * sizeof *rows);
	struct names names = names_of(tool);
	struct table *table;

	if (!gaps || !rows)
		return;
	gaps->tool = tool;
	if (!pages(gaps) || !gaps->count)
		return;
	printf("\nnobody would be told:\n");
	table = table_create(headings);
	for (size_t count = group(gaps, &names, rows), i = 0; i < count; i++) {
		const Avvik__V1__ReachGap *gap = rows[i].first;
		const char *more = rows[i].unit_count > NAMED ? av_arena_printf(tool->arena, " and %zu more",
									rows[i].unit_count - NAMED)
							      : "";
		table_row(table, (const char *const[]){gap->rule,
					 names_deadline(&names, gap->rules_version, gap->rule, false),
					 gap->role, av_arena_printf(tool->arena, "%s%s", rows[i].units, more),
					 tool_day(tool, gap->from_on),
					 gap->until_on ? tool_day(tool, gap->until_on) : "no end in sight",
					 ask_number(tool, rows[i].deadlines)});
	}
	table_print(&table);
}
