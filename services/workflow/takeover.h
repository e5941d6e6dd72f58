/* takeover.h - a case of another system while it is being taken over: takeover.c (the report, the end),
 * takeover_steps.c (what was done there) */
#ifndef AVVIK_WORKFLOW_TAKEOVER_H
#define AVVIK_WORKFLOW_TAKEOVER_H

#include "act.h"

/* One thing that was done there, as an act. */
struct takeover_step {
	int64_t at_ms;
	const char *path; /* of its fields, for faults: "case.acts[3].remedy" */
	const char *done_by;
	Avvik__V1__ActOnCase order;
	size_t measure; /* which of the measures, from 1; 0: none */
	size_t number;	/* as they stand in the file: the order of those of the same time */
};

struct takeover {
	struct av_ctx *ctx;
	const char *system;
	const Avvik__V1__TakeoverCase *from;
	int64_t received_at_ms;
	struct act act; /* the one under way: its case is the one that is put together, in memory */
	struct takeover_step *steps;
	size_t step_count;
	ProtobufCBinaryData *measure_ids; /* as they are decided */
	bool broken; /* a step was refused: what comes after it cannot be judged, but for its fields */
};

/* The steps in the order of their times; faults for times that cannot be. AV_MEMORY. */
int takeover_read_steps(struct takeover *takeover);
/* Each as an act on the case: the same rows, guards and writers. Faults for what is refused. AV_MEMORY, AV_FULL. */
int takeover_walk(struct takeover *takeover);
/* "2025-05-13 remedy: Anna Andersson, enhetschef", a line for each whose author is given; "" for none. In the arena. */
char *takeover_authors(const struct takeover *takeover);

/* An event of that time (the last one, CaseTakenOver, is of now and of here), told and done to the case in memory. */
int takeover_tell(struct takeover *takeover, unsigned int number, void *body, int64_t occurred_at_ms,
	struct av_id *ret_id);

#endif
