/* case_ivo.c - the region that runs beside the states of a case: the duty to notify IVO, what IVO asks, what
 * it decides
 *
 * A case may be notified once for each time it is investigated: one that was opened again may be found
 * serious anew, and is then notified anew.
 */
#include "case_rules.h"

#include "base/status.h"

#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name

bool case_ivo_waits(const Avvik__V1__Case *found)
{
	return found->ivo == IVO(NOTIFIED) || found->ivo_waits;
}

static bool sent(const Avvik__V1__Case *found)
{
	return found->ivo != IVO(NOT_REQUIRED) && found->ivo != IVO(REQUIRED);
}

/* Opened again since IVO was notified, and IVO has all it waits for: the next notification is a new one. */
static bool may_come_again(const Avvik__V1__Case *found)
{
	return (found->ivo == IVO(COMPLETE) || found->ivo == IVO(CLEARED)) && found->reopened &&
	       !found->notified_since_reopened && !found->ivo_waits;
}

static bool is_open(const Avvik__V1__IvoRequest *request)
{
	return !request->answered_at_ms && !request->lapsed;
}

size_t case_requests_open(const Avvik__V1__Case *found)
{
	size_t count = 0;
	for (size_t i = 0; i < found->n_ivo_requests; i++)
		count += is_open(found->ivo_requests[i]);
	return count;
}

const Avvik__V1__IvoRequest *case_request(const Avvik__V1__Case *found, uint32_t number)
{
	if (number == 0 && case_requests_open(found) != 1)
		return NULL;
	for (size_t i = 0; i < found->n_ivo_requests; i++)
		if (is_open(found->ivo_requests[i]) && (number == 0 || number == i + 1))
			return found->ivo_requests[i];
	return NULL;
}

static enum case_guard check_lift(const Avvik__V1__Case *found)
{
	if (sent(found))
		return CASE_GUARD_IVO_SENT;
	if (found->ivo == IVO(NOT_REQUIRED))
		return CASE_GUARD_IVO_NOT_REQUIRED;
	return case_is_serious(found->degree) ? CASE_GUARD_DECIDED_SERIOUS : CASE_ALLOWED;
}

static enum case_guard check_notify(const Avvik__V1__Case *found, bool attached)
{
	if (found->ivo == IVO(NOT_REQUIRED))
		return CASE_GUARD_IVO_NOT_REQUIRED;
	if (found->ivo != IVO(REQUIRED))
		return CASE_GUARD_IVO_NOTIFIED;
	return attached && !case_investigation_completed(found) ? CASE_GUARD_NOT_COMPLETED : CASE_ALLOWED;
}

enum case_guard case_check_ivo(const Avvik__V1__Case *found, const struct case_intent *intent)
{
	switch (intent->act) {
	case CASE_ACT_FIND_SERIOUS:
		return found->ivo == IVO(NOT_REQUIRED) || may_come_again(found) ? CASE_ALLOWED
										: CASE_GUARD_SERIOUS_BEFORE;
	case CASE_ACT_LIFT_DUTY:
		return check_lift(found);
	case CASE_ACT_NOTIFY_IVO:
		return check_notify(found, intent->investigation_attached);
	case CASE_ACT_HAND_IN:
		if (!case_ivo_waits(found))
			return CASE_GUARD_IVO_NOT_WAITING;
		return case_investigation_completed(found) ? CASE_ALLOWED : CASE_GUARD_NOT_COMPLETED;
	case CASE_ACT_IVO_REQUEST:
	case CASE_ACT_IVO_DECISION:
		if (!sent(found))
			return CASE_GUARD_IVO_NOT_NOTIFIED;
		return found->ivo == IVO(CLEARED) ? CASE_GUARD_IVO_DECIDED : CASE_ALLOWED;
	case CASE_ACT_IVO_ANSWER:
		if (case_request(found, intent->request))
			return CASE_ALLOWED;
		return intent->request == 0 && case_requests_open(found) > 1 ? CASE_GUARD_REQUEST_WHICH
									     : CASE_GUARD_REQUEST_UNKNOWN;
	default:
		return CASE_ALLOWED;
	}
}

/* A notification sent early stands, whatever the degree. What IVO had decided in before the case was opened
 * again is a matter that has ended: found serious once more, it is notified once more. */
static Avvik__V1__IvoState after_decision(const Avvik__V1__Case *found, Avvik__V1__Degree degree)
{
	bool ended = found->ivo == IVO(CLEARED) && may_come_again(found);
	return case_is_serious(degree) && (found->ivo == IVO(NOT_REQUIRED) || ended) ? IVO(REQUIRED)
										     : found->ivo;
}

Avvik__V1__IvoState case_ivo_after(const Avvik__V1__Case *found, const struct case_intent *intent)
{
	switch (intent->act) {
	case CASE_ACT_FIND_SERIOUS:
		return IVO(REQUIRED);
	case CASE_ACT_DECIDE:
		return after_decision(found, intent->degree);
	case CASE_ACT_NOTIFY_IVO:
		return intent->investigation_attached ? IVO(COMPLETE) : IVO(NOTIFIED);
	case CASE_ACT_HAND_IN: /* IVO may have decided without it */
		return found->ivo == IVO(CLEARED) ? IVO(CLEARED) : IVO(COMPLETE);
	case CASE_ACT_IVO_DECISION:
		return IVO(CLEARED);
	case CASE_ACT_LIFT_DUTY:
	case CASE_ACT_TURN:
	case CASE_ACT_ASSESS_RISK_TURNS:
		return IVO(NOT_REQUIRED);
	default:
		return found->ivo;
	}
}
