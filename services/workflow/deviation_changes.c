/* deviation_changes.c - what the events of a deviation do to its record */
#include "apply.h"

#include "case_rules.h"

int change_case_taken_for_review(struct change *change, const void *body)
{
	const Avvik__V1__CaseTakenForReview *taken = body;
	change->found->handler = taken->handler;
	change->found->state = taken->state;
	return AV_OK;
}

int change_completion_requested(struct change *change, const void *body)
{
	const Avvik__V1__CompletionRequested *requested = body;
	change->found->state = requested->state;
	return change_keep_content(change, requested->content);
}

int change_completion_answered(struct change *change, const void *body)
{
	const Avvik__V1__CompletionAnswered *answered = body;
	change->found->state = answered->state;
	return change_keep_content(change, answered->content);
}

int change_inquiry_begun(struct change *change, const void *body)
{
	const Avvik__V1__InquiryBegun *begun = body;

	change->found->n_laws = begun->n_laws;
	change->found->laws = begun->laws;
	change->found->category = begun->category;
	change->found->subcategory = begun->subcategory;
	change->found->state = begun->state;
	change->found->n_parts = 0;
	for (size_t i = 0; i < begun->n_laws; i++) {
		Avvik__V1__CasePart *part = av_arena_alloc(change->arena, sizeof(*part));
		if (!part ||
			change_append(change, &change->found->parts, &change->found->n_parts, part) != AV_OK)
			return AV_MEMORY;
		avvik__v1__case_part__init(part);
		part->law = begun->laws[i];
	}
	return change_keep_content(change, begun->content);
}

int change_risk_assessed(struct change *change, const void *body)
{
	const Avvik__V1__RiskAssessed *assessed = body;
	Avvik__V1__CasePart *part = case_part(change->found, assessed->law);

	if (!part)
		return AV_NOT_FOUND;
	part->probability = assessed->probability;
	part->severity = assessed->severity;
	part->high = assessed->high;
	part->assessed_at_ms = change->event->occurred_at_ms;
	part->assessed_by = change->event->actor ? change->event->actor->person : (char *)"";
	return change_keep_content(change, assessed->content);
}

int change_high_risk_found(struct change *change, const void *body)
{
	(void)change; /* what it says is in the part already; it is there to be told */
	(void)body;
	return AV_OK;
}

int change_inquiry_completed(struct change *change, const void *body)
{
	const Avvik__V1__InquiryCompleted *completed = body;
	change->found->state = completed->state;
	return change_keep_content(change, completed->content);
}

/* From journals of before 0.2, when a deviation was assessed in one act. */
int change_deviation_assessed(struct change *change, const void *body)
{
	const Avvik__V1__DeviationAssessed *assessed = body;
	change->found->n_laws = assessed->n_laws;
	change->found->laws = assessed->laws;
	change->found->category = assessed->category;
	change->found->subcategory = assessed->subcategory;
	change->found->probability = assessed->probability;
	change->found->severity = assessed->severity;
	change->found->state = assessed->state;
	return change_keep_content(change, assessed->content);
}

/* Invariant vii: kind, state and with them who may see what change in one write. */
int change_case_turned_lex_sarah(struct change *change, const void *body)
{
	const Avvik__V1__CaseTurnedLexSarah *turned = body;
	int status = AV_OK;

	change->found->kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	change->found->state = turned->state;
	change->found->legal_reference = turned->legal_reference;
	change->found->was_deviation = true;
	change->found->handler = (char *)"";
	if (!change->found->reporter_named && !change_is_taken_over(change))
		status = change_add_task(change, "reporter_unnamed");
	return status == AV_OK ? change_keep_content(change, turned->content) : status;
}
