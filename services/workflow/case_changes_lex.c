/* case_changes_lex.c - what the events of lex Sarah beside the main line do to a case: IVO, and turns of its
 * course */
#include "apply.h"

/* --- IVO --- */

int change_serious_found(struct change *change, const void *body)
{
	const Avvik__V1__SeriousFound *serious = body;
	change->found->serious_found = true;
	if (!change->found->serious_at_ms)
		change->found->serious_at_ms = change->event->occurred_at_ms;
	change->found->ivo = serious->ivo;
	return change_keep_content(change, serious->content);
}

int change_ivo_duty_lifted(struct change *change, const void *body)
{
	const Avvik__V1__IvoDutyLifted *lifted = body;
	change->found->serious_found = false;
	change->found->serious_at_ms = 0;
	change->found->ivo = lifted->ivo;
	return change_keep_content(change, lifted->content);
}

/* A notification after IVO's decision opens a new matter there. */
int change_ivo_notified(struct change *change, const void *body)
{
	const Avvik__V1__IvoNotified *notified = body;
	Avvik__V1__Case *found = change->found;

	found->ivo = notified->ivo;
	found->registry_number = notified->registry_number;
	found->notified_at_ms = change->event->occurred_at_ms;
	found->notifications++;
	found->notified_since_reopened = true;
	if (found->ivo_decided_at_ms) {
		found->ivo_decided_at_ms = 0;
		found->ivo_outcome = AVVIK__V1__IVO_OUTCOME__IVO_OUTCOME_UNSPECIFIED;
		found->ivo_case_number = (char *)"";
	}
	return AV_OK;
}

int change_investigation_handed_in(struct change *change, const void *body)
{
	const Avvik__V1__InvestigationHandedIn *handed = body;
	change->found->ivo = handed->ivo;
	change->found->ivo_waits = false;
	return AV_OK;
}

int change_ivo_requested(struct change *change, const void *body)
{
	const Avvik__V1__IvoRequested *requested = body;
	Avvik__V1__IvoRequest *request = av_arena_alloc(change->arena, sizeof(*request));
	int status;

	if (!request)
		return AV_MEMORY;
	avvik__v1__ivo_request__init(request);
	request->request_id = requested->request_id;
	request->due_on = requested->due_on;
	request->requested_at_ms = change->event->occurred_at_ms;
	change->found->ivo_case_number = requested->ivo_case_number;
	status = change_append(change, &change->found->ivo_requests, &change->found->n_ivo_requests, request);
	return status == AV_OK ? change_keep_content(change, requested->content) : status;
}

int change_ivo_answered(struct change *change, const void *body)
{
	const Avvik__V1__IvoAnswered *answered = body;

	if (answered->request < 1 || answered->request > change->found->n_ivo_requests)
		return AV_NOT_FOUND;
	change->found->ivo_requests[answered->request - 1]->answered_at_ms = change->event->occurred_at_ms;
	return change_keep_content(change, answered->content);
}

int change_ivo_decided(struct change *change, const void *body)
{
	const Avvik__V1__IvoDecided *decided = body;
	Avvik__V1__Case *found = change->found;

	found->ivo = decided->ivo;
	found->ivo_outcome = decided->outcome;
	found->ivo_case_number = decided->ivo_case_number;
	found->ivo_decided_at_ms = change->event->occurred_at_ms;
	found->ivo_waits = decided->investigation_missing;
	for (size_t i = 0; i < found->n_ivo_requests; i++)
		found->ivo_requests[i]->lapsed |= !found->ivo_requests[i]->answered_at_ms;
	return change_keep_content(change, decided->content);
}

/* --- turns --- */

int change_case_reconsidered(struct change *change, const void *body)
{
	const Avvik__V1__CaseReconsidered *reconsidered = body;
	change->found->investigator = reconsidered->investigator;
	change->found->state = reconsidered->state;
	return change_keep_content(change, reconsidered->content);
}

/* Invariant vii, back: a deviation needs no named reporter. */
int change_case_returned_to_deviation(struct change *change, const void *body)
{
	const Avvik__V1__CaseReturnedToDeviation *returned = body;
	change->found->kind = AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	change->found->state = returned->state;
	change->found->legal_reference = (char *)"";
	change->found->was_deviation = false;
	change_end_task(change, "reporter_unnamed");
	return change_keep_content(change, returned->content);
}

/* The entries stay, and what has been decided stays in the journal; the record says what is so now. */
int change_case_reopened(struct change *change, const void *body)
{
	const Avvik__V1__CaseReopened *reopened = body;
	Avvik__V1__Case *found = change->found;

	found->state = reopened->state;
	found->investigator = reopened->investigator;
	found->proposed_degree = found->degree = AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED;
	found->decided_at_ms = found->closed_at_ms = 0;
	found->items_documented &= ~(1u << 9);
	found->serious_found = false;
	found->serious_at_ms = 0;
	found->notified_since_reopened = false;
	found->reopened++;
	found->reopened_at_ms = change->event->occurred_at_ms;
	return change_keep_content(change, reopened->content);
}

/* --- who is told --- */

static Avvik__V1__Handled handled(bool done)
{
	return done ? AVVIK__V1__HANDLED__HANDLED_DONE : AVVIK__V1__HANDLED__HANDLED_NOT;
}

int change_affected_informed(struct change *change, const void *body)
{
	const Avvik__V1__AffectedInformed *informed = body;
	change->found->affected_informed = informed->informed;
	change->found->affected = handled(informed->informed);
	return change_keep_content(change, informed->content);
}

int change_relatives_informed(struct change *change, const void *body)
{
	const Avvik__V1__RelativesInformed *informed = body;
	change->found->relatives = handled(informed->informed);
	return change_keep_content(change, informed->content);
}

int change_file_entry_confirmed(struct change *change, const void *body)
{
	const Avvik__V1__FileEntryConfirmed *confirmed = body;
	change->found->file_entry = handled(confirmed->confirmed);
	return change_keep_content(change, confirmed->content);
}

int change_police_report_decided(struct change *change, const void *body)
{
	const Avvik__V1__PoliceReportDecided *decided = body;
	change->found->police_report = decided->police_report;
	change->found->police_reported_at_ms =
		decided->police_report == AVVIK__V1__POLICE_REPORT__POLICE_REPORT_MADE
			? change->event->occurred_at_ms
			: 0;
	return change_keep_content(change, decided->content);
}

int change_registry_number_set(struct change *change, const void *body)
{
	const Avvik__V1__RegistryNumberSet *set = body;
	change->found->registry_number = set->registry_number;
	return change_keep_content(change, set->content);
}

/* --- a private provider --- */

int change_information_registered(struct change *change, const void *body)
{
	const Avvik__V1__InformationRegistered *registered = body;
	change->found->registry_number = registered->registry_number;
	change->found->state = registered->state;
	return AV_OK;
}

int change_provider_notified(struct change *change, const void *body)
{
	const Avvik__V1__ProviderNotified *notified = body;
	change->found->provider_notified_at_ms = notified->notified_at_ms;
	if (*notified->ivo_case_number)
		change->found->ivo_case_number = notified->ivo_case_number;
	change->found->state = notified->state;
	return change_keep_content(change, notified->content);
}
