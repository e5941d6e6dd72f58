/* figure_rules.c - what facts contribute to the figures.
 *
 *	case      RECEIVED on the day of receipt, by the kind it was received as, degree unspecified;
 *	          DECIDED, CLOSED, NOTIFIED_IVO, TURNED_LEX_SARAH, RETURNED_DEVIATION, REOPENED on their days,
 *	          by kind and degree: each notification and each reopening counts;
 *	          JOINED on its day, until it is parted; OPEN (a level) while it is neither closed nor joined
 *	deadline  MET or MISSED on its due day, by kind and rule; running and cancelled ones nothing
 *	measure   one level: proposed, approved, executed, effective, without effect, or rejected
 *
 * What was received is not counted again by degree when it is decided: volumes go by the day of receipt,
 * degrees by the days of decision and closing.
 */
#include "figure_rules.h"

#include <string.h>
#include "base/macros.h"

static bool same(const struct count *a, const struct count *b)
{
	return a->measurement == b->measurement && a->kind == b->kind && a->degree == b->degree &&
	       a->on == b->on && strcmp(a->unit, b->unit) == 0 && strcmp(a->deadline, b->deadline) == 0;
}

/* Equal keys are one count, and one that has come to zero is none: what is left is the difference. */
static void add(struct counts *counts, struct count count)
{
	for (size_t i = 0; i < counts->count; i++) {
		if (!same(&counts->at[i], &count))
			continue;
		counts->at[i].change += count.change;
		if (counts->at[i].change == 0)
			counts->at[i] = counts->at[--counts->count];
		return;
	}
	if (counts->count < FIGURE_COUNTS_MAX)
		counts->at[counts->count++] = count;
}

static void add_days(struct counts *counts, struct count count, Avvik__V1__Measurement measurement,
	const int32_t *days, size_t n_days)
{
	count.measurement = measurement;
	for (size_t i = 0; i < n_days; i++) {
		count.on = days[i];
		add(counts, count);
	}
}

void counts_of_case(struct counts *counts, const Avvik__V1__CaseFact *fact, int sign)
{
	if (!fact)
		return;
	const struct {
		Avvik__V1__Measurement measurement;
		av_day on;
	} days[] = {
		{AVVIK__V1__MEASUREMENT__MEASUREMENT_DECIDED, fact->decided_on},
		{AVVIK__V1__MEASUREMENT__MEASUREMENT_CLOSED, fact->closed_on},
		{AVVIK__V1__MEASUREMENT__MEASUREMENT_NOTIFIED_IVO, fact->notified_on},
		{AVVIK__V1__MEASUREMENT__MEASUREMENT_TURNED_LEX_SARAH, fact->turned_on},
		{AVVIK__V1__MEASUREMENT__MEASUREMENT_RETURNED_DEVIATION, fact->returned_on},
		{AVVIK__V1__MEASUREMENT__MEASUREMENT_JOINED, fact->joined_on},
	};
	struct count count = {.unit = fact->unit, .deadline = "", .change = sign};

	count.measurement = AVVIK__V1__MEASUREMENT__MEASUREMENT_RECEIVED;
	count.kind = fact->kind_received;
	count.on = fact->received_on;
	add(counts, count);

	count.kind = fact->kind;
	count.degree = fact->degree;
	for (size_t i = 0; i < AV_COUNT(days); i++) {
		if (days[i].on == 0)
			continue;
		count.measurement = days[i].measurement;
		count.on = days[i].on;
		add(counts, count);
	}
	add_days(counts, count, AVVIK__V1__MEASUREMENT__MEASUREMENT_NOTIFIED_IVO, fact->notified_before_on,
		fact->n_notified_before_on);
	add_days(counts, count, AVVIK__V1__MEASUREMENT__MEASUREMENT_REOPENED, fact->reopened_on,
		fact->n_reopened_on);
	if (fact->closed_on == 0 && fact->joined_on == 0) {
		count.measurement = AVVIK__V1__MEASUREMENT__MEASUREMENT_OPEN;
		count.on = 0;
		add(counts, count);
	}
}

void counts_of_deadline(struct counts *counts, const Avvik__V1__DeadlineFact *fact, int sign)
{
	if (!fact)
		return;
	struct count count = {.unit = fact->unit,
		.kind = fact->kind,
		.deadline = fact->rule,
		.on = fact->due_on,
		.change = sign};

	if (fact->outcome == AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MET)
		count.measurement = AVVIK__V1__MEASUREMENT__MEASUREMENT_DEADLINES_MET;
	else if (fact->outcome == AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MISSED)
		count.measurement = AVVIK__V1__MEASUREMENT__MEASUREMENT_DEADLINES_MISSED;
	else
		return;
	add(counts, count);
}

void counts_of_measure(struct counts *counts, const Avvik__V1__MeasureFact *fact, int sign)
{
	if (!fact)
		return;
	add(counts, (struct count){.unit = fact->unit,
			    .kind = fact->kind,
			    .measurement = fact->measurement,
			    .deadline = "",
			    .change = sign});
}

size_t figure_spans(av_day on, struct figure_span ret_spans[4])
{
	static const struct {
		enum av_span span;
		Avvik__V1__Span name;
	} spans[] = {
		{AV_SPAN_DAY, AVVIK__V1__SPAN__SPAN_DAY},
		{AV_SPAN_MONTH, AVVIK__V1__SPAN__SPAN_MONTH},
		{AV_SPAN_TERTIAL, AVVIK__V1__SPAN__SPAN_TERTIAL},
		{AV_SPAN_YEAR, AVVIK__V1__SPAN__SPAN_YEAR},
	};
	if (on == 0) {
		ret_spans[0] = (struct figure_span){.span = AVVIK__V1__SPAN__SPAN_NOW};
		return 1;
	}
	for (size_t i = 0; i < AV_COUNT(spans); i++) {
		ret_spans[i].span = spans[i].name;
		av_span_text(spans[i].span, on, ret_spans[i].period);
	}
	return AV_COUNT(spans);
}

Avvik__V1__DeadlineOutcome deadline_outcome_met(bool late)
{
	return late ? AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MISSED
		    : AVVIK__V1__DEADLINE_OUTCOME__DEADLINE_OUTCOME_MET;
}
