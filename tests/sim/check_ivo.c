/* check_ivo.c - the duty to notify IVO, which runs beside the states of a case, as docs/case-tables.md tells it; what IVO
 * asks and decides; and that neither the investigator decides nor somebody of the unit investigates
 */
#include "check_inner.h"

#include <string.h>

#include "base/calendar.h"

#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name

#define HOLDS(t, event, condition, what)                               \
	SIM_EXPECT((t)->w, condition, "workflow: event %llu (%s): %s", \
		(unsigned long long)(event)->sequence, av_body_field(&(event)->base)->name, what)

static bool serious(Avvik__V1__Degree degree)
{
	return degree == AVVIK__V1__DEGREE__DEGREE_SERIOUS ||
	       degree == AVVIK__V1__DEGREE__DEGREE_SERIOUS_RISK;
}

static bool was_sent(const struct told_case *found)
{
	return found->ivo == IVO(NOTIFIED) || found->ivo == IVO(COMPLETE) || found->ivo == IVO(CLEARED);
}

/* A case that was opened again may be notified once more, when IVO has all that it waits for. */
static bool once_more(const struct told_case *found)
{
	return found->reopened && !found->notified && !found->ivo_waits &&
	       (found->ivo == IVO(COMPLETE) || found->ivo == IVO(CLEARED));
}

/* --- who --- */

static bool works_at(const struct world *w, const char *person, const char *unit, av_day day)
{
	for (size_t i = 0; i < w->directory->n_people; i++) {
		const Avvik__V1__Person *each = w->directory->people[i];
		for (size_t k = 0; strcmp(each->id, person) == 0 && k < each->n_roles; k++) {
			const Avvik__V1__RoleHeld *role = each->roles[k];
			if (strcmp(role->unit, unit) == 0 && role->from_on <= day &&
				(!role->until_on || day <= role->until_on))
				return true;
		}
	}
	return false;
}

static void take_investigator(
	struct told *t, struct told_case *found, const Avvik__V1__Event *event, const char *person)
{
	found->investigator = person;
	HOLDS(t, event,
		!*person || !t->w->rules->independent_investigator ||
			!works_at(t->w, person, found->unit, av_local_day(event->recorded_at_ms)),
		"somebody of the reported unit investigates it");
}

static void take_decision(struct told *t, struct told_case *found, const Avvik__V1__Event *event)
{
	found->degree = event->case_decided->degree;
	if (serious(found->degree) &&
		(found->ivo == IVO(NOT_REQUIRED) || (found->ivo == IVO(CLEARED) && once_more(found))))
		found->ivo = IVO(REQUIRED);
	HOLDS(t, event, event->case_decided->ivo == found->ivo,
		"the duty to notify IVO is not as it should be");
	HOLDS(t, event, strcmp(event->actor->person, found->investigator) != 0, "the investigator decides");
}

/* --- IVO --- */

static void take_notified(struct told *t, struct told_case *found, const Avvik__V1__Event *event)
{
	HOLDS(t, event, found->ivo == IVO(REQUIRED), "IVO is notified without the duty to");
	found->ivo = event->ivo_notified->investigation_attached ? IVO(COMPLETE) : IVO(NOTIFIED);
	found->notified = true;
	HOLDS(t, event, event->ivo_notified->ivo == found->ivo,
		"the duty to notify IVO is not as it should be");
}

static void take_request(struct told *t, struct told_case *found, const Avvik__V1__Event *event)
{
	uint32_t number = event->ivo_requested->request;
	HOLDS(t, event, found->ivo == IVO(NOTIFIED) || found->ivo == IVO(COMPLETE),
		"IVO asks in a matter that it does not have");
	HOLDS(t, event, number == found->asked + 1, "IVO's requests are not numbered in turn");
	found->asked++;
}

static void take_answer(struct told *t, struct told_case *found, const Avvik__V1__Event *event)
{
	uint32_t number = event->ivo_answered->request;
	HOLDS(t, event, number && number <= found->asked && number < 64,
		"IVO is answered without having asked");
	HOLDS(t, event, !(found->answered >> number & 1), "IVO is answered twice, or after it has decided");
	found->answered |= UINT64_C(1) << number;
}

static void take_ivo_decision(struct told *t, struct told_case *found, const Avvik__V1__Event *event)
{
	HOLDS(t, event, found->ivo == IVO(NOTIFIED) || found->ivo == IVO(COMPLETE),
		"IVO decides in a matter that it does not have");
	found->ivo_waits = found->ivo == IVO(NOTIFIED);
	found->ivo = IVO(CLEARED);
	found->answered =
		~UINT64_C(0) >> (63 - AV_MIN(found->asked, 63u)); /* what it asked is asked no more */
	HOLDS(t, event, event->ivo_decided->investigation_missing == found->ivo_waits,
		"whether the investigation is still to be handed in is told wrongly");
}

void tell_ivo(struct told *t, struct told_case *found, const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(CASE_ASSESSED_INITIALLY):
		take_investigator(t, found, event, event->case_assessed_initially->investigator);
		break;
	case EVENT(CASE_RECONSIDERED):
		take_investigator(t, found, event, event->case_reconsidered->investigator);
		break;
	case EVENT(CASE_REOPENED):
		take_investigator(t, found, event, event->case_reopened->investigator);
		found->degree = AVVIK__V1__DEGREE__DEGREE_UNSPECIFIED;
		found->reopened++;
		found->notified = false;
		break;
	case EVENT(SERIOUS_FOUND):
		HOLDS(t, event, found->ivo == IVO(NOT_REQUIRED) || once_more(found),
			"it is found serious, and the duty stands or stood already");
		found->ivo = IVO(REQUIRED);
		break;
	case EVENT(CASE_DECIDED):
		take_decision(t, found, event);
		break;
	case EVENT(IVO_DUTY_LIFTED):
		HOLDS(t, event, found->ivo == IVO(REQUIRED) && !serious(found->degree),
			"the duty to notify IVO is lifted, which cannot be");
		found->ivo = IVO(NOT_REQUIRED);
		break;
	case EVENT(IVO_NOTIFIED):
		take_notified(t, found, event);
		break;
	case EVENT(INVESTIGATION_HANDED_IN):
		HOLDS(t, event, found->ivo == IVO(NOTIFIED) || found->ivo_waits,
			"an investigation is handed in that IVO does not wait for");
		found->ivo = found->ivo == IVO(NOTIFIED) ? IVO(COMPLETE) : found->ivo;
		found->ivo_waits = false;
		break;
	case EVENT(IVO_REQUESTED):
		take_request(t, found, event);
		break;
	case EVENT(IVO_ANSWERED):
		take_answer(t, found, event);
		break;
	case EVENT(IVO_DECIDED):
		take_ivo_decision(t, found, event);
		break;
	case EVENT(CASE_TURNED_LEX_SARAH):
		found->ivo = IVO(NOT_REQUIRED);
		break;
	case EVENT(CASE_RETURNED_TO_DEVIATION):
		HOLDS(t, event, !was_sent(found), "a case that IVO knows of becomes a deviation");
		break;
	case EVENT(CASE_CLOSED):
		HOLDS(t, event,
			found->ivo != IVO(REQUIRED) && found->ivo != IVO(NOTIFIED) && !found->ivo_waits,
			"it is closed, and IVO waits");
		break;
	default:
		break;
	}
}
