/* table.c - tables for people: libsmartcols behind one file. */
#include "table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct table {
	struct libscols_table *lines;
	size_t columns;
};

struct table *table_create(const char *const *columns)
{
	struct table *table = calloc(1, sizeof *table);

	if (!table)
		return NULL;
	table->lines = scols_new_table();
	if (!table->lines) {
		free(table);
		return NULL;
	}
	if (isatty(STDOUT_FILENO))
		scols_table_set_termforce(
			table->lines, SCOLS_TERMFORCE_ALWAYS); /* it is printed to memory first */
	else
		scols_table_set_termwidth(table->lines, 500);
	scols_table_set_column_separator(table->lines, "  "); /* headings have single spaces themselves */
	for (; columns[table->columns]; table->columns++) {
		const char *heading = columns[table->columns];
		int flags = *heading == '>'   ? SCOLS_FL_RIGHT
			    : *heading == '~' ? SCOLS_FL_TRUNC
			    : *heading == '+' ? SCOLS_FL_WRAP
					      : 0;
		scols_table_new_column(table->lines, flags ? heading + 1 : heading, 0, flags);
	}
	return table;
}

void table_row(struct table *table, const char *const *texts)
{
	struct libscols_line *line = table ? scols_table_new_line(table->lines, NULL) : NULL;

	for (size_t i = 0; line && i < table->columns; i++)
		scols_line_set_data(line, i, texts[i] ? texts[i] : "");
}

bool table_empty(const struct table *table)
{
	return !table || scols_table_get_nlines(table->lines) == 0;
}

void table_destroy(struct table **table)
{
	if (!*table)
		return;
	scols_unref_table((*table)->lines);
	free(*table);
	*table = NULL;
}

/* Without the spaces that fill the last column. */
static void lines_print(const char *text)
{
	while (*text) {
		size_t size = strcspn(text, "\n"), shown = size;
		while (shown && text[shown - 1] == ' ')
			shown--;
		printf("%.*s\n", (int)shown, text);
		text += size + (text[size] == '\n');
	}
}

void table_print(struct table **table)
{
	if (!*table)
		return;
	char *text = NULL;
	if (scols_print_table_to_string((*table)->lines, &text) == 0 && text)
		lines_print(text);
	free(text);
	table_destroy(table);
}
