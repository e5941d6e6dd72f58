/* act.h - one act on a case while it is being handled: between act_handlers.c (may it be
 * done) and the writers (act_inquiry.c, act_outcome.c, act_deadlines.c: what is written) */
#ifndef AVVIK_WORKFLOW_ACT_H
#define AVVIK_WORKFLOW_ACT_H

#include "workflow.h"

/* A body for an event, in the arena:  ACT_NEW(act, CaseDecided, case_decided) */
#define ACT_NEW(act, type, lower) AV_NEW((act)->ctx->arena, Avvik__V1__##type, avvik__v1__##lower)

struct act {
	struct av_ctx *ctx;
	const Avvik__V1__ActOnCase *order;
	Avvik__V1__Case *found;
	Avvik__V1__Case *other;			/* that the act is with; NULL: none */
	const struct workflow_pack *other_pack; /* of that case */
	struct workflow_view view;
	const struct workflow_pack *pack; /* of the case; never NULL */
	struct case_intent intent;
	Avvik__V1__CaseState next; /* by the table */
	Avvik__V1__IvoState ivo;   /* after it */
	struct av_id case_id;
	int64_t acted_at_ms;
	const char *role; /* in which the person acts */
	struct ledgers ledgers;
	Avvik__V1__Deadline *deadline; /* of the ledgers: the one that the act is on; NULL: none */
	Avvik__V1__ActAccepted *accepted;
	unsigned int events; /* of the case, so far */
	/* Of a case that is taken over (ledgers.taken_over_from): where the order stands, in place of the row's
	 * path; and what was told, for the case that is put together (takeover.c). */
	const char *path, *done_by; /* NULL: not told */
	struct act_told *told, **told_end;
};
struct act_told {
	unsigned int number;
	void *body;
	struct act_told *next;
};

/* One row per act of ActOnCase. `check` adds faults for what is missing or unknown (it may leave them out:
 * they are found in ctx->faults); `write` emits the event and tells the ledgers. */
struct act_row {
	unsigned int number;
	const char *path; /* of the act in the order, before its fields */
	void (*check)(struct act *act);
	int (*write)(struct act *act);
};
struct act_rows {
	const struct act_row *rows;
	size_t count;
};
extern const struct act_rows act_rows_inquiry, act_rows_informing, act_rows_information, act_rows_ivo,
	act_rows_course, act_rows_measures, act_rows_deviation, act_rows_outcome, act_rows_deadlines,
	act_rows_join, act_rows_correct;

/* The steps of handling one, as ActOnCase and taking over share them (act_handlers.c). */
const struct act_row *act_row_of(const Avvik__V1__ActOnCase *order); /* NULL: there is no such act */
void act_read_intent(struct act *act, const char *person);
int act_check_fields(struct act *act, const struct act_row *row); /* AV_OK, AV_INVALID with faults */
int act_check_case(struct act *act, const struct act_row *row);	  /* the table and the guards: a refusal */

/* The deadline of an act on one, and what the ledger says of it (act_deadlines.c). */
void act_find_deadline(struct act *act);

/* EVALUATE: what the person's answer would make of which check, and so the row (act_measures.c). */
void act_read_effect(struct act *act);
/* ASSESS_RISK: does it reach the thresholds of the rule pack (act_deviation.c)? */
void act_read_risk(struct act *act);

/* JOIN, PART, DISMISS: the other case, and whether the person may and has seen it (act_join.c). Then what the two
 * say of the act. */
int act_open_other(struct act *act);
int act_read_other(struct act *act);
/* Each report that stands under the case has come to its end with it. */
int act_close_joined(struct act *act, const struct av_id *because);
/* CORRECT: what the content itself says of it (act_correct.c). */
void act_read_correction(struct act *act);
/* The case is a private provider's (act_information.c): emits `placed`, whose unit and motive are set. As the
 * committee's information it is received at `received_at_ms`. */
int act_becomes_information(struct act *act, Avvik__V1__CasePlaced *placed, int64_t received_at_ms);

/* For the writers (act_parts.c). */
struct av_id act_emit(struct act *act, unsigned int number, void *body);
int act_tell(struct act *act, unsigned int number, void *body, Avvik__V1__Anchor fact,
	const ProtobufCBinaryData *measure_id);
int act_seal(struct act *act, char *text, Avvik__V1__ContentRef **ret_ref);
void act_need(struct act *act, const char *value, const char *field, const char *what);
void act_need_code(struct act *act, Avvik__V1__Code *const *codes, size_t count, const char *code,
	const char *field, const char *list);
void act_need_categories(struct act *act, const char *category, const char *subcategory);
/* With a name, and an address that mail can go to, or none: a report is kept whatever its address is, a person is told. */
void act_need_reporter(struct act *act, const Avvik__V1__Reporter *reporter);
void act_need_person(struct act *act, const char *person, const char *field);
/* Somebody who may investigate this case: in the directory, with a role that records entries for its unit. */
void act_need_investigator(struct act *act, const char *person);
/* Told with the acceptance: what the law or good order asks for, and nothing refuses. */
int act_warn(struct act *act, const char *path, const char *text);
int act_warn_unfinished(struct act *act); /* of a lex Sarah case that is closed (act_informing.c) */

#endif
