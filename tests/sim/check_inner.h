/* check_inner.h - what workflow's journal tells, shared by check_cases.c (deadlines) and check_states.c (states) */
#ifndef AVVIK_SIM_CHECK_INNER_H
#define AVVIK_SIM_CHECK_INNER_H

#include "sim.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

struct told_case {
	struct av_id id;
	Avvik__V1__CaseKind kind;
	Avvik__V1__CaseState state;
	Avvik__V1__IvoState ivo;
	bool ivo_waits; /* IVO has decided, and the investigation is still to be handed in */
	bool notified;	/* since it was opened, or opened again */
	unsigned int reopened, asked, to_execute;
	bool wants_measure; /* one was without effect, and nothing has been decided since */
	uint64_t answered;  /* a bit for each request of IVO, from 1 */
	Avvik__V1__Degree degree;
	const char *unit, *investigator;
};

#define STOPS_MAX 40

struct told_stop {
	int64_t from_ms, until_ms; /* until 0: it still stands */
};

struct told_deadline {
	const Avvik__V1__Deadline *ledger;
	int64_t set_at_ms, ended_at_ms, stopped_at_ms; /* recorded */
	bool overdue_fired, joined;		       /* its case was joined to another: it ended by that */
	unsigned int fired[16];
	struct told_stop stops[STOPS_MAX];
	size_t stop_count;
	unsigned int extended;
	uint64_t ended_by;
};

struct told {
	struct world *w;
	bool end;
	struct told_case *cases;
	size_t case_count;
	struct told_deadline *deadlines;
	size_t deadline_count;
};

struct told_case *told_case_of(struct told *t, const Avvik__V1__Event *event);
void tell_opened(struct told *t, const Avvik__V1__Event *event);
void tell_state(struct told *t, const Avvik__V1__Event *event); /* any other event of a case */
/* check_due.c */
void due_stopped(struct told *t, struct told_deadline *d, const Avvik__V1__Event *event);
void due_resumed(struct told *t, struct told_deadline *d, const Avvik__V1__Event *event);
void due_inherit(struct told_deadline *d, const struct told_deadline *before);
void due_check(struct told *t, const struct told_deadline *d); /* set, or planned anew */
/* check_ivo.c: before the state has changed */
void tell_ivo(struct told *t, struct told_case *found, const Avvik__V1__Event *event);

#endif
