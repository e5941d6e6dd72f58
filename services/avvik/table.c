/* table.c - tables for people: libsmartcols behind one file. */
#include "table.h"

#include <libsmartcols.h>
#include <stdlib.h>
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
	if (!isatty(STDOUT_FILENO))
		scols_table_set_termwidth(table->lines, 500);
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

void table_print(struct table **table)
{
	if (!*table)
		return;
	scols_print_table((*table)->lines);
	table_destroy(table);
}
