/* deciding.h - from an event of a case to the notices that follow from it: inside a turn. */
#ifndef NOTIFICATION_DECIDING_H
#define NOTIFICATION_DECIDING_H

#include "daemon/service.h"
#include "known.h"

/* Done in another system, before the case was taken over from there: it becomes known, and nobody is told of it. */
bool case_event_of_the_past(const Avvik__V1__Event *event);
/* Handles a workflow event: decided now, or kept waiting until what it needs has arrived from intake.
 * AV_NOTHING: known already. AV_NOT_FOUND: of a case whose opening was never told. reporter_has_mail: not
 * NULL when the event itself brings the reporter's contact. */
int case_event_take(struct av_ctx *ctx, const Avvik__V1__Event *event, struct av_bytes packed,
	const bool *reporter_has_mail);

/* The waiting events of cases that are ready, at most one a case and `limit` in all. *ret_more: there are
 * more. AV_NOTHING: none is ready. */
int case_events_resume(struct av_ctx *ctx, unsigned int limit, bool *ret_more);

#endif
