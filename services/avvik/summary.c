/* summary.c - avvik summary: the figures of a unit as a table, as CSV, as JSON. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "names.h"
#include "subcommands.h"
#include "table.h"

#define M(name) AVVIK__V1__MEASUREMENT__MEASUREMENT_##name
#define ROWS_MAX 20000
#define COLUMNS_MAX 10

/* What is counted by period, and what is a level now. */
static const struct column {
	Avvik__V1__Measurement measurement;
	const char *heading;
} of_periods[] = {{M(RECEIVED), ">received"}, {M(DECIDED), ">decided"}, {M(CLOSED), ">closed"},
	{M(NOTIFIED_IVO), ">notified to IVO"}, {M(TURNED_LEX_SARAH), ">turned lex Sarah"},
	{M(DEADLINES_MET), ">deadlines met"}, {M(DEADLINES_MISSED), ">missed"}},
  of_now[] = {{M(OPEN), ">open"}, {M(MEASURES_PROPOSED), ">measures proposed"},
	  {M(MEASURES_APPROVED), ">approved"}, {M(MEASURES_EXECUTED), ">executed"},
	  {M(MEASURES_EFFECTIVE), ">effective"}, {M(MEASURES_WITHOUT_EFFECT), ">without effect"},
	  {M(MEASURES_REJECTED), ">rejected"}};

enum by { BY_NOTHING, BY_KIND, BY_DEGREE, BY_DEADLINE };

struct row {
	const char *period, *group;
	int64_t values[COLUMNS_MAX];
};

struct figures {
	struct tool *tool;
	const char *unit;
	enum by by;
	const Avvik__V1__Figure **all;
	size_t count, room;
	struct row *rows;
	size_t row_count;
	uint64_t sequence;
};

static int figures_ask(struct figures *figures, Avvik__V1__GetSummary *query)
{
	int code = EXIT_DONE;

	do {
		Avvik__V1__Reply *reply = NULL;
		if (!ask(figures->tool, DAEMON_REPORTING, AVVIK__V1__COMMAND__BODY_GET_SUMMARY, &query->base,
			    &reply, &code))
			return code;
		const Avvik__V1__SummaryFound *found =
			reply->body_case == AVVIK__V1__REPLY__BODY_SUMMARY_FOUND
				? (const Avvik__V1__SummaryFound *)av_message_copy(
					  &reply->summary_found->base, figures->tool->arena)
				: NULL;
		tool_reply_free(&reply);
		query->after = found ? found->next_after : NULL;
		figures->sequence = found ? found->sequence : 0;
		for (size_t i = 0; found && i < found->n_figures; i++) {
			if (figures->count == figures->room) {
				size_t room = figures->room ? figures->room * 2 : 256;
				const Avvik__V1__Figure **all = realloc(figures->all, room * sizeof *all);
				if (!all)
					return tool_fail(EXIT_REFUSED, "out of memory");
				figures->all = all;
				figures->room = room;
			}
			figures->all[figures->count++] = found->figures[i];
		}
	} while (query->after);
	return code;
}

static const char *group_of(const struct figures *figures, const Avvik__V1__FigureKey *key)
{
	switch (figures->by) {
	case BY_KIND:
		return ask_words(figures->tool, &avvik__v1__case_kind__descriptor, (int)key->kind);
	case BY_DEGREE:
		return key->degree
			       ? ask_words(figures->tool, &avvik__v1__degree__descriptor, (int)key->degree)
			       : "not decided";
	case BY_DEADLINE:
		return key->deadline;
	case BY_NOTHING:
		break;
	}
	return "";
}

static struct row *row_of(struct figures *figures, const char *period, const char *group)
{
	for (size_t i = figures->row_count; i-- > 0;) {
		struct row *row = &figures->rows[i];
		if (strcmp(row->period, period) == 0 && strcmp(row->group, group) == 0)
			return row;
	}
	if (figures->row_count == ROWS_MAX)
		return NULL;
	figures->rows[figures->row_count] = (struct row){.period = period, .group = group};
	return &figures->rows[figures->row_count++];
}

static int by_period(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->period, y->period);
	return order ? order : strcmp(x->group, y->group);
}

static void table_of_span(struct figures *figures, Avvik__V1__Span span)
{
	bool now = span == AVVIK__V1__SPAN__SPAN_NOW;
	const struct column *columns = now ? of_now : of_periods;
	size_t column_count = now ? AV_COUNT(of_now) : AV_COUNT(of_periods), at = 0;
	const char *headings[COLUMNS_MAX + 3], *texts[COLUMNS_MAX + 3];
	struct tool *tool = figures->tool;

	figures->row_count = 0;
	for (size_t i = 0; i < figures->count; i++) {
		const Avvik__V1__FigureKey *key = figures->all[i]->key;
		if (!key || key->span != span)
			continue;
		struct row *row = NULL;
		for (size_t c = 0; c < column_count; c++) {
			if (columns[c].measurement != key->measurement)
				continue;
			row = row_of(figures, now ? "now" : key->period, group_of(figures, key));
			if (row)
				row->values[c] += figures->all[i]->value;
		}
	}
	if (!figures->row_count)
		return;
	qsort(figures->rows, figures->row_count, sizeof *figures->rows, by_period);
	headings[at++] = av_enum_name(&avvik__v1__span__descriptor, (int)span);
	if (figures->by)
		headings[at++] = figures->by == BY_KIND	    ? "kind"
				 : figures->by == BY_DEGREE ? "degree"
							    : "deadline";
	for (size_t c = 0; c < column_count; c++)
		headings[at + c] = columns[c].heading;
	headings[at + column_count] = NULL;
	struct table *table = table_create(headings);
	for (size_t i = 0; i < figures->row_count; i++) {
		const struct row *row = &figures->rows[i];
		texts[0] = row->period;
		texts[1] = row->group;
		for (size_t c = 0; c < column_count; c++)
			texts[at + c] = row->values[c] ? ask_number(tool, row->values[c]) : "-";
		table_row(table, texts);
	}
	printf("\n");
	table_print(&table);
}

/* CSV: one figure a line, codes as they are; no field holds a comma or a quote. */
static void csv_print(const struct figures *figures)
{
	printf("unit,span,period,measurement,kind,degree,deadline,value\n");
	for (size_t i = 0; i < figures->count; i++) {
		const Avvik__V1__FigureKey *key = figures->all[i]->key;
		if (key)
			printf("%s,%s,%s,%s,%s,%s,%s,%lld\n", figures->unit,
				av_enum_name(&avvik__v1__span__descriptor, (int)key->span), key->period,
				av_enum_name(&avvik__v1__measurement__descriptor, (int)key->measurement),
				key->kind ? av_enum_name(&avvik__v1__case_kind__descriptor, (int)key->kind)
					  : "",
				key->degree ? av_enum_name(&avvik__v1__degree__descriptor, (int)key->degree)
					    : "",
				key->deadline, (long long)figures->all[i]->value);
	}
}

static void figures_print(struct figures *figures, const char *unit_name, bool csv)
{
	static const Avvik__V1__Span spans[] = {AVVIK__V1__SPAN__SPAN_YEAR, AVVIK__V1__SPAN__SPAN_TERTIAL,
		AVVIK__V1__SPAN__SPAN_MONTH, AVVIK__V1__SPAN__SPAN_DAY, AVVIK__V1__SPAN__SPAN_NOW};
	struct json_list list = {0};

	if (figures->tool->json) {
		for (size_t i = 0; i < figures->count; i++)
			json_list_item(&list, figures->tool, &figures->all[i]->base);
		json_list_end(&list);
		return;
	}
	if (csv) {
		csv_print(figures);
		return;
	}
	printf("%s (%s), %s\n", unit_name, figures->unit,
		tool_time(figures->tool, tool_now_ms(figures->tool)));
	for (size_t i = 0; i < AV_COUNT(spans); i++)
		table_of_span(figures, spans[i]);
	if (!figures->count)
		printf("\nno figures yet\n");
}

static int by_parse(const char *text, enum by *ret_by)
{
	static const char *const names[] = {"", "kind", "degree", "deadline"};

	for (size_t i = 0; i < AV_COUNT(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret_by = (enum by)i;
			return AV_OK;
		}
	}
	tool_fail(0, "--by: \"%s\" is none of kind, degree, deadline", text);
	return AV_INVALID;
}

/* The committee: the unit without a parent. */
static const char *root_unit(struct names *names)
{
	const Avvik__V1__Directory *directory = names_directory(names);

	for (size_t i = 0; directory && i < directory->n_units; i++)
		if (!*directory->units[i]->parent)
			return directory->units[i]->code;
	tool_fail(0, "which unit? Give --unit CODE: no directory is in force, or intake is away");
	return NULL;
}

int command_summary(struct tool *tool, int argc, char **argv)
{
	const char *span = NULL, *period = "", *by = "";
	bool csv = false;
	struct figures figures = {.tool = tool};
	struct names names = names_of(tool);
	const struct tool_option words[] = {{"unit", OPTION_TEXT, &figures.unit},
		{"span", OPTION_TEXT, &span}, {"period", OPTION_TEXT, &period}, {"by", OPTION_TEXT, &by},
		{"csv", OPTION_FLAG, &csv}};
	Avvik__V1__GetSummary query = AVVIK__V1__GET_SUMMARY__INIT;
	int value = 0;

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), NULL, 0) < 0 || !tool_settings(tool))
		return EXIT_USAGE;
	if ((span && ask_enum(tool, "--span", &avvik__v1__span__descriptor, span, &value) != AV_OK) ||
		by_parse(by, &figures.by) != AV_OK)
		return EXIT_USAGE;
	if (!figures.unit && !(figures.unit = root_unit(&names)))
		return EXIT_REFUSED;
	figures.rows = calloc(ROWS_MAX, sizeof *figures.rows);
	if (!figures.rows)
		return tool_fail(EXIT_REFUSED, "out of memory");
	query.unit = (char *)(uintptr_t)figures.unit;
	query.span = (Avvik__V1__Span)value;
	query.period = (char *)(uintptr_t)period;
	int code = figures_ask(&figures, &query);
	if (code == EXIT_DONE)
		figures_print(&figures, tool->json || csv ? "" : names_unit(&names, figures.unit), csv);
	free(figures.all);
	free(figures.rows);
	return code;
}
