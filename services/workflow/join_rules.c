/* join_rules.c - several reports of one event: which case may stand under which, and what was corrected
 *
 * The law asks for each report to be looked into, not for each to have a case of its own: those of one event are
 * looked into together, under the case whose kind asks for most. What a report has set going must not be lost by it:
 * a duty to notify IVO stands in the case that goes on, and what IVO knows of is that case.
 */
#include "case_rules.h"

#include <string.h>

#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name
#define KIND(name) AVVIK__V1__CASE_KIND__CASE_KIND_##name
#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name

static bool same_id(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

bool case_open(Avvik__V1__CaseState state)
{
	return state != STATE(UNSPECIFIED) && state != STATE(CLOSED) && state != STATE(JOINED);
}

/* A deviation may turn out to be what a lex Sarah report tells of; nothing else changes the law it is handled by. */
static bool stands_under(Avvik__V1__CaseKind kind, Avvik__V1__CaseKind into)
{
	return kind == into || (kind == KIND(DEVIATION) && into == KIND(LEX_SARAH));
}

bool case_kinds_join(Avvik__V1__CaseKind one, Avvik__V1__CaseKind other)
{
	return stands_under(one, other) || stands_under(other, one);
}

bool case_has_id(ProtobufCBinaryData *const ids, size_t count, ProtobufCBinaryData id)
{
	for (size_t i = 0; i < count; i++)
		if (same_id(ids[i], id))
			return true;
	return false;
}

static enum case_guard check_target(const Avvik__V1__Case *into)
{
	switch (into->state) {
	case STATE(CLOSED):
		return CASE_GUARD_JOIN_CLOSED;
	case STATE(JOINED):
		return CASE_GUARD_JOIN_JOINED;
	case STATE(INCOMPLETE):
		return CASE_GUARD_JOIN_INCOMPLETE;
	default:
		return into->n_joined < CASE_JOINED_MAX ? CASE_ALLOWED : CASE_GUARD_JOIN_FULL;
	}
}

enum case_guard case_check_join(const Avvik__V1__Case *found, const Avvik__V1__Case *into)
{
	enum case_guard guard;

	if (same_id(found->case_id, into->case_id))
		return CASE_GUARD_JOIN_SELF;
	guard = check_target(into);
	if (guard != CASE_ALLOWED)
		return guard;
	if (found->n_joined)
		return CASE_GUARD_JOIN_OTHERS;
	if (!stands_under(found->kind, into->kind))
		return CASE_GUARD_JOIN_KIND;
	if (case_task(found, "unplaced"))
		return CASE_GUARD_JOIN_UNPLACED;
	if (found->notifications || found->provider_notified_at_ms ||
		(found->ivo != IVO(NOT_REQUIRED) && found->ivo != IVO(REQUIRED)))
		return CASE_GUARD_JOIN_NOTIFIED;
	return found->ivo == IVO(REQUIRED) && into->ivo == IVO(NOT_REQUIRED) ? CASE_GUARD_JOIN_SERIOUS
									     : CASE_ALLOWED;
}

Avvik__V1__Correction *case_correction(const Avvik__V1__Case *found, ProtobufCBinaryData content_id)
{
	for (size_t i = 0; i < found->n_corrections; i++)
		if (same_id(found->corrections[i]->content_id, content_id))
			return found->corrections[i];
	return NULL;
}
