/* describe.c - the state tables in words, from the tables themselves: for --describe and docs/case-tables.md */
#include "workflow.h"

#include <stdio.h>

static void describe_kind(FILE *stream, Avvik__V1__CaseKind kind, const char *title)
{
	fprintf(stream, "## %s\n\n| act | from | to | meaning |\n|---|---|---|---|\n", title);
	for (int act = 0; act < CASE_ACT_COUNT; act++)
		for (int state = 1; state < CASE_STATE_COUNT; state++) {
			Avvik__V1__CaseState next = case_next(kind, (Avvik__V1__CaseState)state, (enum case_act)act);
			if (next)
				fprintf(stream, "| %s | %s | %s | %s |\n", case_act_name((enum case_act)act),
					case_state_name((Avvik__V1__CaseState)state), case_state_name(next),
					case_act_meaning((enum case_act)act));
		}
	fprintf(stream, "\n");
}

void workflow_describe(void *stream)
{
	FILE *out = stream;

	describe_kind(out, AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH, "Lex Sarah");
	describe_kind(out, AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION, "Deviation");
	fprintf(out, "## Guards\n\n| guard | what it says |\n|---|---|\n");
	for (int guard = CASE_ALLOWED + 1; guard < CASE_GUARD_COUNT; guard++)
		fprintf(out, "| %s | %s |\n", case_guard_name((enum case_guard)guard), case_guard_text((enum case_guard)guard));
}
