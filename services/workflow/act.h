/* act.h - one act on a case while it is being handled: between act_handlers.c (may it be done) and act_writers.c (what it writes) */
#ifndef AVVIK_WORKFLOW_ACT_H
#define AVVIK_WORKFLOW_ACT_H

#include "workflow.h"

struct act {
	struct av_ctx *ctx;
	const Avvik__V1__ActOnCase *order;
	Avvik__V1__Case *found;
	struct workflow_view view;
	const struct workflow_pack *pack; /* of the case; never NULL */
	struct case_intent intent;
	Avvik__V1__CaseState next; /* by the table */
	Avvik__V1__IvoState ivo;   /* after it */
	struct av_id case_id;
	int64_t acted_at_ms;
	struct ledgers ledgers;
	Avvik__V1__ActAccepted *accepted;
};

/* One row per act of ActOnCase. `check` adds faults for what is missing or unknown (it may leave them out: they are found in
 * ctx->faults); `write` emits the event and tells the ledgers. */
struct act_row {
	unsigned int number;
	const char *path; /* of the act in the order, before its fields */
	void (*check)(struct act *act);
	int (*write)(struct act *act);
};
extern const struct act_row act_rows[];
extern const size_t act_row_count;

#endif
