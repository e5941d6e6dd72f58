/* case_facts.h - what notices need to know of a case, as its events tell it. Pure. */
#ifndef NOTIFICATION_CASE_FACTS_H
#define NOTIFICATION_CASE_FACTS_H

#include "avvik/v1/envelope.pb-c.h"
#include "base/arena.h"

/* The case after `event`, in the arena: *ret_after. `before` is NULL when nothing is known yet. AV_NOTHING:
 * the event changes none of the facts, *ret_after is `before`. AV_NOT_FOUND: the first event is not
 * CaseOpened. AV_MEMORY. */
int case_after(const Avvik__V1__CaseKnown *before, const Avvik__V1__Event *event, struct av_arena *arena,
	const Avvik__V1__CaseKnown **ret_after);

#endif
