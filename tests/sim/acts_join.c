/* acts_join.c - what an act says of several reports of one event: joined under one case, parted, not the same
 */
#include "people_inner.h"

#include <string.h>

static const Avvik__V1__Case *case_now(struct world *w, ProtobufCBinaryData id)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	get.case_id = id;
	const Avvik__V1__Reply *reply = node_ask(&w->nodes[WORKFLOW], CASES, COMMAND(GET_CASE), &get.base);
	return reply && reply->case_found ? reply->case_found->case_ : NULL;
}

/* One of the same unit, mostly; what they take for the same event is theirs to say. */
WRITER(act_join)
{
	const Avvik__V1__Case *into = NULL;
	for (int i = 0; i < 20; i++) {
		struct order *report = people_report(w);
		if (!report || memcmp(report->case_id.bytes, found->case_id.data, AV_ID_SIZE) == 0)
			continue;
		into = case_now(w, (ProtobufCBinaryData){AV_ID_SIZE, report->case_id.bytes});
		if (into && into->kind == found->kind && strcmp(into->unit, found->unit) == 0)
			break;
	}
	if (!into)
		return NULL;
	Avvik__V1__JoinCase *act = NEW(w, JoinCase, join_case);
	act->into_case_id = people_copy(w, into->case_id);
	act->into_version_seen = into->version;
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_part)
{
	Avvik__V1__PartCase *act = NEW(w, PartCase, part_case);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_dismiss)
{
	Avvik__V1__DismissDuplicate *act = NEW(w, DismissDuplicate, dismiss_duplicate);
	if (found->n_duplicates == 0 && chance(w, 20))
		return NULL;
	struct order *any = people_report(w); /* now and then one that is not suggested */
	if (found->n_duplicates)
		act->other_case_id =
			people_copy(w, found->duplicates[chance(w, found->n_duplicates)]->case_id);
	else if (any)
		act->other_case_id = people_copy(w, (ProtobufCBinaryData){AV_ID_SIZE, any->case_id.bytes});
	return &act->base;
}
