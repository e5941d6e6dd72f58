/* describe.c - the state tables in words, from the tables themselves: for --describe and docs/case-tables.md
 */
#include "workflow.h"

#include <stdio.h>

/* States that no act of the kind leads from or to have no column. */
static bool concerns(Avvik__V1__CaseKind kind, int state)
{
	for (int act = 0; act < CASE_ACT_COUNT; act++)
		for (int from = 1; from < CASE_STATE_COUNT; from++) {
			int to = (int)case_next(kind, (Avvik__V1__CaseState)from, (enum case_act)act);
			if (to && (from == state || to == state))
				return true;
		}
	return false;
}

static bool possible(Avvik__V1__CaseKind kind, enum case_act act)
{
	for (int state = 1; state < CASE_STATE_COUNT; state++)
		if (case_next(kind, (Avvik__V1__CaseState)state, act))
			return true;
	return false;
}

static void describe_act(FILE *stream, Avvik__V1__CaseKind kind, enum case_act act)
{
	fprintf(stream, "| %s | %s |", case_act_name(act), case_act_meaning(act));
	for (int state = 1; state < CASE_STATE_COUNT; state++) {
		int next = (int)case_next(kind, (Avvik__V1__CaseState)state, act);
		if (!concerns(kind, state))
			continue;
		fprintf(stream, " %s |",
			!next		? ""
			: next == state ? "stays"
					: case_state_name((Avvik__V1__CaseState)next));
	}
	fprintf(stream, "\n");
}

static void describe_kind(FILE *stream, Avvik__V1__CaseKind kind, const char *title)
{
	fprintf(stream, "## %s\n\n| act | what is done |", title);
	for (int state = 1; state < CASE_STATE_COUNT; state++)
		if (concerns(kind, state))
			fprintf(stream, " %s |", case_state_name((Avvik__V1__CaseState)state));
	fprintf(stream, "\n|---|---|");
	for (int state = 1; state < CASE_STATE_COUNT; state++)
		if (concerns(kind, state))
			fprintf(stream, "---|");
	fprintf(stream, "\n");
	for (int act = 0; act < CASE_ACT_COUNT; act++)
		if (possible(kind, (enum case_act)act))
			describe_act(stream, kind, (enum case_act)act);
	fprintf(stream, "\n");
}

void workflow_describe(void *stream)
{
	FILE *out = stream;

	describe_kind(out, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH, "Lex Sarah");
	describe_kind(out, AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION, "Deviation");
	describe_kind(
		out, AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION, "Information from a private provider");
	fprintf(out, "## Guards\n\n| guard | what it says |\n|---|---|\n");
	for (int guard = CASE_ALLOWED + 1; guard < CASE_GUARD_COUNT; guard++)
		fprintf(out, "| %s | %s |\n", case_guard_name((enum case_guard)guard),
			case_guard_text((enum case_guard)guard));
}
