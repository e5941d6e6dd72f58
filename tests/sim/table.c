/* table.c - docs/case-tables.md read as what it is: tables of acts and states
 */
#include "table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/macros.h"

#define ROWS_MAX 200
#define LINE_MAX_BYTES 1000
#define CELLS_MAX (TABLE_STATES + 2)

struct row {
	Avvik__V1__CaseKind kind;
	char act[40], what[120];
	unsigned char to[TABLE_STATES];
};

static struct row rows[ROWS_MAX];
static size_t row_count;
static unsigned long (*played)[TABLE_STATES]; /* of each row, shared */

static const struct {
	const char *title;
	Avvik__V1__CaseKind kind;
} chapters[] = {
	{"## Lex Sarah", AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH},
	{"## Deviation", AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION},
	{"## Information from a private provider", AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION},
};

/* --- reading --- */

static void unreadable(const char *why)
{
	fprintf(stderr, "sim: %s: %s\n", SIM_TABLES, why);
	exit(2);
}

/* "measures", as the page writes CASE_STATE_MEASURES. */
static Avvik__V1__CaseState state_of(const char *name)
{
	char full[60] = "CASE_STATE_";
	size_t at = strlen(full);
	for (; *name && at + 1 < sizeof full; name++)
		full[at++] = (char)toupper((unsigned char)*name);
	full[at] = '\0';
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value_by_name(&avvik__v1__case_state__descriptor, full);
	return value ? (Avvik__V1__CaseState)value->value : AVVIK__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
}

/* "| a | b |": the cells, without the blanks around them. */
static size_t cells_of(char *line, char *ret_cells[CELLS_MAX])
{
	size_t count = 0;
	char *at = line + 1, *end;
	while (count < CELLS_MAX && (end = strchr(at, '|'))) {
		*end = '\0';
		while (*at == ' ')
			at++;
		for (char *last = end; last > at && last[-1] == ' ';)
			*--last = '\0';
		ret_cells[count++] = at;
		at = end + 1;
	}
	return count;
}

static void take_row(
	Avvik__V1__CaseKind kind, char **cells, size_t count, const Avvik__V1__CaseState *columns)
{
	struct row *row = &rows[row_count++];
	if (row_count == ROWS_MAX)
		unreadable("more rows than there is room for");
	row->kind = kind;
	snprintf(row->act, sizeof row->act, "%s", cells[0]);
	snprintf(row->what, sizeof row->what, "%s", cells[1]);
	for (size_t i = 2; i < count; i++) {
		bool stays = strcmp(cells[i], "stays") == 0;
		if (!*cells[i])
			continue;
		row->to[columns[i]] = (unsigned char)(stays ? columns[i] : state_of(cells[i]));
		if (!row->to[columns[i]])
			unreadable(cells[i]);
	}
}

static void take_columns(char **cells, size_t count, Avvik__V1__CaseState columns[CELLS_MAX])
{
	for (size_t i = 2; i < count; i++) {
		columns[i] = state_of(cells[i]);
		if (!columns[i] || columns[i] >= TABLE_STATES)
			unreadable(cells[i]);
	}
}

void table_open(void)
{
	Avvik__V1__CaseState columns[CELLS_MAX];
	Avvik__V1__CaseKind kind = AVVIK__V1__CASE_KIND__CASE_KIND_UNSPECIFIED;
	char line[LINE_MAX_BYTES], *cells[CELLS_MAX];
	FILE *file = fopen(SIM_TABLES, "re");
	if (!file)
		unreadable("it cannot be opened");
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "## ", 3) == 0)
			kind = AVVIK__V1__CASE_KIND__CASE_KIND_UNSPECIFIED;
		for (size_t i = 0; i < AV_COUNT(chapters); i++)
			if (strcmp(line, chapters[i].title) == 0)
				kind = chapters[i].kind;
		if (!kind || line[0] != '|' || line[1] == '-')
			continue;
		size_t count = cells_of(line, cells);
		if (count > 2 && strcmp(cells[0], "act") == 0)
			take_columns(cells, count, columns);
		else if (count > 2)
			take_row(kind, cells, count, columns);
	}
	fclose(file);
	if (row_count == 0)
		unreadable("it has no tables of acts");
	played = mmap(
		NULL, sizeof(*played) * ROWS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (played == MAP_FAILED)
		abort();
}

/* --- asking --- */

static size_t find(Avvik__V1__CaseKind kind, const char *act, const char *what)
{
	size_t i = 0;
	while (i < row_count &&
		(rows[i].kind != kind || strcmp(rows[i].act, act) != 0 || strcmp(rows[i].what, what) != 0))
		i++;
	return i;
}

Avvik__V1__CaseState table_next(
	Avvik__V1__CaseKind kind, const char *act, const char *what, Avvik__V1__CaseState from)
{
	size_t at = find(kind, act, what);
	return at < row_count ? (Avvik__V1__CaseState)rows[at].to[from]
			      : AVVIK__V1__CASE_STATE__CASE_STATE_UNSPECIFIED;
}

void table_played(Avvik__V1__CaseKind kind, const char *act, const char *what, Avvik__V1__CaseState from)
{
	size_t at = find(kind, act, what);
	if (at < row_count)
		__atomic_add_fetch(&played[at][from], 1, __ATOMIC_RELAXED);
}

/* --- telling --- */

struct tally {
	size_t cells, reached;
	unsigned long times;
};

static struct tally tally_of(size_t at)
{
	struct tally tally = {.cells = 0};
	for (size_t state = 0; state < TABLE_STATES; state++) {
		tally.cells += rows[at].to[state] != 0;
		tally.reached += played[at][state] != 0;
		tally.times += played[at][state];
	}
	return tally;
}

bool table_tell(const char *const *acts, size_t count)
{
	struct tally all = {.cells = 0};
	size_t rows_played = 0, missing = 0;
	for (size_t i = 0; i < row_count; i++) {
		struct tally each = tally_of(i);
		if (i == 0 || rows[i].kind != rows[i - 1].kind)
			for (size_t k = 0; k < AV_COUNT(chapters); k++)
				if (chapters[k].kind == rows[i].kind)
					printf("%-74s %8s %8s\n", chapters[k].title + 3, "states", "times");
		printf("  %-28s %-43.43s %4zu/%-3zu %8lu\n", rows[i].act, rows[i].what, each.reached,
			each.cells, each.times);
		all.cells += each.cells;
		all.reached += each.reached;
		rows_played += each.times > 0;
	}
	printf("%zu of %zu rows, %zu of %zu cells\n", rows_played, row_count, all.reached, all.cells);
	for (size_t k = 0; k < count; k++) {
		unsigned long times = 0;
		for (size_t i = 0; i < row_count; i++)
			times += strcmp(rows[i].act, acts[k]) == 0 ? tally_of(i).times : 0;
		if (times == 0)
			printf("never: %s\n", acts[k]);
		missing += times == 0;
	}
	return missing == 0;
}
