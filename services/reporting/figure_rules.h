/* figure_rules.h - what facts contribute to the figures. Pure: no store, no clock.
 *
 * Every figure is a sum over facts (cases, deadlines, measures). A fact contributes a handful of counts at
 * its own unit; what an event changes is what the fact contributes afterwards less what it contributed
 * before. So figures can be recounted from the facts alone, and a duplicate changes nothing.
 */
#ifndef REPORTING_FIGURE_RULES_H
#define REPORTING_FIGURE_RULES_H

#include <stdbool.h>
#include "avvik/v1/summary.pb-c.h"
#include "base/calendar.h"

#define FIGURE_COUNTS_MAX 96 /* of one fact, before and after together */
#define FIGURE_DAYS_MAX 16   /* of what may happen to a case again and again: the last ones count */

struct count {
	const char *unit; /* borrowed from the fact */
	Avvik__V1__Measurement measurement;
	Avvik__V1__CaseKind kind;
	Avvik__V1__Degree degree;
	const char *deadline; /* the rule, "" when it is not about a deadline */
	av_day on;	      /* 0: a level, not a count of a period */
	int64_t change;
};

struct counts {
	struct count at[FIGURE_COUNTS_MAX];
	size_t count;
};

/* Adds what the fact contributes, `sign` times (+1 or -1). Counts that cancel out are dropped. NULL
 * contributes nothing. */
void counts_of_case(struct counts *counts, const Avvik__V1__CaseFact *fact, int sign);
void counts_of_deadline(struct counts *counts, const Avvik__V1__DeadlineFact *fact, int sign);
void counts_of_measure(struct counts *counts, const Avvik__V1__MeasureFact *fact, int sign);

/* The spans that a count tells in: for a period day, month, tertial and year; for a level NOW alone. Answers
 * how many. */
struct figure_span {
	Avvik__V1__Span span;
	char period[AV_SPAN_TEXT]; /* "" for NOW */
};
size_t figure_spans(av_day on, struct figure_span ret_spans[4]);

/* How a deadline's fact changes. `late`: the act came after the due instant. */
Avvik__V1__DeadlineOutcome deadline_outcome_met(bool late);

#endif
