/* join_changes.c - what joining, parting and correcting do to the record of a case */
#include "apply.h"

#include <string.h>

#include "case_rules.h"

static bool same_id(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

int change_case_joined(struct change *change, const void *body)
{
	const Avvik__V1__CaseJoined *joined = body;
	Avvik__V1__JoinedInto *into = av_arena_alloc(change->arena, sizeof(*into));

	if (!into)
		return AV_MEMORY;
	avvik__v1__joined_into__init(into);
	into->case_id = joined->into_case_id;
	into->number = joined->into_number;
	into->state_before = joined->state_before;
	into->joined_at_ms = change->event->occurred_at_ms;
	into->n_deadline_ids = joined->n_deadline_ids;
	into->deadline_ids = joined->deadline_ids;
	change->found->joined_into = into;
	change->found->state = joined->state;
	return change_keep_content(change, joined->content);
}

int change_other_joined(struct change *change, const void *body)
{
	const Avvik__V1__OtherJoined *other = body;
	Avvik__V1__JoinedCase *joined = av_arena_alloc(change->arena, sizeof(*joined));

	if (!joined)
		return AV_MEMORY;
	avvik__v1__joined_case__init(joined);
	joined->case_id = other->other_case_id;
	joined->number = other->other_number;
	joined->received_at_ms = other->received_at_ms;
	joined->joined_at_ms = change->event->occurred_at_ms;
	return change_append(change, &change->found->joined, &change->found->n_joined, joined);
}

int change_case_parted(struct change *change, const void *body)
{
	const Avvik__V1__CaseParted *parted = body;

	change->found->joined_into = NULL;
	change->found->state = parted->state;
	return change_keep_content(change, parted->content);
}

int change_other_parted(struct change *change, const void *body)
{
	const Avvik__V1__OtherParted *other = body;
	size_t kept = 0;

	for (size_t i = 0; i < change->found->n_joined; i++)
		if (!same_id(change->found->joined[i]->case_id, other->other_case_id))
			change->found->joined[kept++] = change->found->joined[i];
	change->found->n_joined = kept;
	return AV_OK;
}

int change_joined_case_closed(struct change *change, const void *body)
{
	(void)change; /* it is there to be told: the case it stands under says that it is closed */
	(void)body;
	return AV_OK;
}

int change_duplicate_dismissed(struct change *change, const void *body)
{
	const Avvik__V1__DuplicateDismissed *dismissed = body;
	ProtobufCBinaryData *ids =
		av_arena_alloc(change->arena, (change->found->n_dismissed + 1) * sizeof(*ids));

	if (!ids)
		return AV_MEMORY;
	if (change->found->n_dismissed)
		memcpy(ids, change->found->dismissed, change->found->n_dismissed * sizeof(*ids));
	ids[change->found->n_dismissed++] = dismissed->other_case_id;
	change->found->dismissed = ids;
	return AV_OK;
}

/* The reference to what was wrong stays among the contents, with its commitment; entries point to what is right. */
int change_content_corrected(struct change *change, const void *body)
{
	const Avvik__V1__ContentCorrected *corrected = body;
	Avvik__V1__Correction *correction = av_arena_alloc(change->arena, sizeof(*correction));
	int status;

	if (!correction)
		return AV_MEMORY;
	if (!corrected->content)
		return AV_MALFORMED;
	avvik__v1__correction__init(correction);
	correction->content_id = corrected->content_id;
	correction->corrected_id = corrected->content->content_id;
	correction->reason = corrected->reason;
	correction->corrected_at_ms = change->event->occurred_at_ms;
	if (change->event->actor) {
		correction->person = change->event->actor->person;
		correction->role = change->event->actor->role;
	}
	correction->commitment = corrected->commitment;
	correction->n_parts = corrected->n_parts;
	correction->parts = corrected->parts;
	correction->holder = corrected->holder;
	if (corrected->erased)
		correction->erased_at_ms = change->event->recorded_at_ms;
	for (size_t i = 0; i < change->found->n_entries; i++)
		if (same_id(change->found->entries[i]->content_id, corrected->content_id))
			change->found->entries[i]->content_id = corrected->content->content_id;
	status =
		change_append(change, &change->found->corrections, &change->found->n_corrections, correction);
	return status == AV_OK ? change_keep_content(change, corrected->content) : status;
}

int change_correction_completed(struct change *change, const void *body)
{
	const Avvik__V1__CorrectionCompleted *completed = body;
	Avvik__V1__Correction *correction = case_correction(change->found, completed->content_id);

	if (!correction)
		return AV_NOT_FOUND;
	correction->erased_at_ms = change->event->occurred_at_ms;
	return AV_OK;
}
