/* case_facts.c - what notices need to know of a case, as its events tell it. */
#include "case_facts.h"

#include <string.h>
#include "base/status.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

static Avvik__V1__CaseKnown *known_copy(const Avvik__V1__CaseKnown *before, struct av_arena *arena)
{
	Avvik__V1__CaseKnown *copy = av_arena_alloc(arena, sizeof *copy);
	if (copy && before)
		*copy = *before;
	else if (copy)
		avvik__v1__case_known__init(copy);
	return copy;
}

static int add_measure(Avvik__V1__CaseKnown *known, ProtobufCBinaryData measure_id, char *responsible,
	struct av_arena *arena)
{
	Avvik__V1__MeasureKnown **all = av_arena_alloc(arena, (known->n_measures + 1) * sizeof *all);
	Avvik__V1__MeasureKnown *measure = av_arena_alloc(arena, sizeof *measure);
	if (!all || !measure)
		return AV_MEMORY;
	avvik__v1__measure_known__init(measure);
	measure->measure_id = measure_id;
	measure->responsible = responsible;
	if (known->n_measures)
		memcpy(all, known->measures, known->n_measures * sizeof *all);
	all[known->n_measures++] = measure;
	known->measures = all;
	return AV_OK;
}

static int open_case(Avvik__V1__CaseKnown *known, const Avvik__V1__Event *event)
{
	const Avvik__V1__CaseOpened *opened = event->case_opened;

	known->case_id = event->case_id;
	known->kind = opened->kind;
	known->state = opened->state;
	known->unit = opened->unit;
	known->number = opened->number;
	known->rules_version = opened->rules_version;
	known->n_laws = opened->n_laws;
	known->laws = opened->laws;
	known->degree = opened->preliminary_degree;
	known->legal_reference = opened->legal_reference;
	return AV_OK;
}

int case_after(const Avvik__V1__CaseKnown *before, const Avvik__V1__Event *event, struct av_arena *arena,
	const Avvik__V1__CaseKnown **ret_after)
{
	if (!before && event->body_case != EVENT(CASE_OPENED))
		return AV_NOT_FOUND;
	Avvik__V1__CaseKnown *known = known_copy(before, arena);
	int status = known ? AV_OK : AV_MEMORY;
	if (status < 0)
		return status;

	switch (event->body_case) {
	case EVENT(CASE_OPENED):
		status = before ? AV_NOTHING : open_case(known, event);
		break;
	case EVENT(CASE_PLACED):
		if (event->case_placed->state == AVVIK__V1__CASE_STATE__CASE_STATE_RECEIVED)
			known->investigator = (char *)""; /* a deviation that another unit reviews anew */
		known->unit = event->case_placed->unit;
		known->state = event->case_placed->state;
		if (event->case_placed->kind) {
			known->kind = event->case_placed->kind;
			known->legal_reference = event->case_placed->legal_reference;
		}
		break;
	case EVENT(INFORMATION_REGISTERED):
		known->state = event->information_registered->state;
		break;
	case EVENT(PROVIDER_NOTIFIED):
		known->state = event->provider_notified->state;
		break;
	case EVENT(REPORTER_NAMED):
		known->state = event->reporter_named->state;
		break;
	case EVENT(CASE_ASSESSED_INITIALLY):
		known->degree = event->case_assessed_initially->preliminary_degree;
		known->investigator = event->case_assessed_initially->investigator;
		known->state = event->case_assessed_initially->state;
		break;
	case EVENT(CASE_DECIDED):
		known->degree = event->case_decided->degree;
		known->state = event->case_decided->state;
		break;
	case EVENT(MEASURE_PROPOSED):
		status = add_measure(known, event->measure_proposed->measure_id,
			event->measure_proposed->responsible, arena);
		break;
	case EVENT(PROPOSAL_DECIDED):
		known->state = event->proposal_decided->state;
		break;
	case EVENT(MEASURE_DECIDED):
		known->state = event->measure_decided->state;
		status = add_measure(known, event->measure_decided->measure_id,
			event->measure_decided->responsible, arena);
		break;
	case EVENT(DEVIATION_ASSESSED):
		known->n_laws = event->deviation_assessed->n_laws;
		known->laws = event->deviation_assessed->laws;
		known->state = event->deviation_assessed->state;
		break;
	case EVENT(CASE_TAKEN_FOR_REVIEW): /* who handles a deviation is who investigates it */
		known->investigator = event->case_taken_for_review->handler;
		known->state = event->case_taken_for_review->state;
		break;
	case EVENT(COMPLETION_REQUESTED):
		known->state = event->completion_requested->state;
		break;
	case EVENT(COMPLETION_ANSWERED):
		known->state = event->completion_answered->state;
		break;
	case EVENT(INQUIRY_BEGUN):
		known->n_laws = event->inquiry_begun->n_laws;
		known->laws = event->inquiry_begun->laws;
		known->state = event->inquiry_begun->state;
		break;
	case EVENT(INQUIRY_COMPLETED):
		known->state = event->inquiry_completed->state;
		break;
	case EVENT(CASE_TURNED_LEX_SARAH):
		known->investigator = (char *)"";
		known->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
		known->legal_reference = event->case_turned_lex_sarah->legal_reference;
		known->state = event->case_turned_lex_sarah->state;
		break;
	case EVENT(CASE_RULES_SET):
		known->rules_version = event->case_rules_set->rules_version;
		if (event->case_rules_set->legal_reference[0])
			known->legal_reference = event->case_rules_set->legal_reference;
		break;
	case EVENT(CASE_RECONSIDERED):
		known->investigator = event->case_reconsidered->investigator;
		known->state = event->case_reconsidered->state;
		break;
	case EVENT(CASE_RETURNED_TO_DEVIATION):
		known->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
		known->legal_reference = (char *)"";
		known->state = event->case_returned_to_deviation->state;
		break;
	case EVENT(CASE_REOPENED):
		known->closed = false;
		known->investigator = event->case_reopened->investigator;
		known->state = event->case_reopened->state;
		break;
	case EVENT(CASE_JOINED):
		known->state = event->case_joined->state;
		break;
	case EVENT(CASE_PARTED):
		known->state = event->case_parted->state;
		break;
	case EVENT(CASE_CLOSED):
		known->closed = true;
		known->state = AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED;
		break;
	default:
		status = AV_NOTHING;
	}
	if (status >= 0)
		*ret_after = status == AV_NOTHING ? before : known;
	return status;
}
