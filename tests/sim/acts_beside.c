/* acts_beside.c - what an act says that stands beside the course of a lex Sarah case: who is told, the police, the
 * registry number, IVO, a case taken up again, deadlines that stand still or get more time, private providers
 */
#include "people_inner.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)

static const ProtobufCBinaryData none;

/* --- who is told, and where it is entered --- */

WRITER(act_inform_relatives)
{
	Avvik__V1__InformRelatives *act = NEW(w, InformRelatives, inform_relatives);
	AV_UNUSED(found);
	act->informed = chance(w, 2);
	act->whom = (Avvik__V1__Capacity)(1 + chance(w, 3));
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_file_entry)
{
	Avvik__V1__ConfirmFileEntry *act = NEW(w, ConfirmFileEntry, confirm_file_entry);
	AV_UNUSED(found);
	act->confirmed = chance(w, 2);
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_police)
{
	Avvik__V1__DecidePoliceReport *act = NEW(w, DecidePoliceReport, decide_police_report);
	if (found->police_report == AVVIK__V1__POLICE_REPORT__POLICE_REPORT_MADE)
		return NULL;
	act->police_report = (Avvik__V1__PoliceReport)(1 + chance(w, 3));
	act->motive = TEXT(secret(w));
	if (act->police_report == AVVIK__V1__POLICE_REPORT__POLICE_REPORT_MADE)
		act->police_number = TEXT("5000-K1-26");
	return &act->base;
}

WRITER(act_registry)
{
	Avvik__V1__SetRegistryNumber *act = NEW(w, SetRegistryNumber, set_registry_number);
	if (*found->registry_number && chance(w, 6))
		return NULL;
	act->registry_number = av_arena_printf(w->arena, "SN 2026/%u", (unsigned int)chance(w, 1000));
	act->motive = TEXT(secret(w));
	return &act->base;
}

/* --- IVO --- */

WRITER(act_lift)
{
	Avvik__V1__LiftIvoDuty *act = NEW(w, LiftIvoDuty, lift_ivo_duty);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_ivo_request)
{
	Avvik__V1__RecordIvoRequest *act = NEW(w, RecordIvoRequest, record_ivo_request);
	AV_UNUSED(found);
	act->due_on = av_local_day(w->now_ms) + (int32_t)chance(w, 40) - 2;
	act->text = TEXT(secret(w));
	act->ivo_case_number = TEXT("8.7-4711/2026");
	return &act->base;
}

WRITER(act_ivo_answer)
{
	Avvik__V1__AnswerIvoRequest *act = NEW(w, AnswerIvoRequest, answer_ivo_request);
	size_t asked = 0;
	for (size_t i = 0; i < found->n_ivo_requests; i++)
		if (!found->ivo_requests[i]->answered_at_ms && !found->ivo_requests[i]->lapsed &&
			chance(w, ++asked) == 0)
			act->request = (uint32_t)i + 1;
	if (asked == 1 && chance(w, 2))
		act->request = 0; /* the one that is open */
	act->channel = AVVIK__V1__CHANNEL__CHANNEL_E_SERVICE;
	act->text = TEXT(secret(w));
	return &act->base;
}

WRITER(act_ivo_decision)
{
	Avvik__V1__RecordIvoDecision *act = NEW(w, RecordIvoDecision, record_ivo_decision);
	AV_UNUSED(found);
	act->outcome = (Avvik__V1__IvoOutcome)(1 + chance(w, 3));
	act->ivo_case_number = TEXT("8.7-4711/2026");
	act->text = TEXT(secret(w));
	return &act->base;
}

/* --- taken up again --- */

WRITER(act_reconsider)
{
	Avvik__V1__Reconsider *act = NEW(w, Reconsider, reconsider);
	act->motive = TEXT(secret(w));
	act->investigator = TEXT(people_with(w, "LEX_UTR", found->unit));
	return &act->base;
}

WRITER(act_return)
{
	Avvik__V1__ReturnToDeviation *act = NEW(w, ReturnToDeviation, return_to_deviation);
	AV_UNUSED(found);
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_reopen)
{
	Avvik__V1__ReopenCase *act = NEW(w, ReopenCase, reopen_case);
	act->motive = TEXT(secret(w));
	if (chance(w, 4))
		act->investigator = TEXT(people_with(w, "LEX_UTR", found->unit));
	return &act->base;
}

/* --- private providers --- */

WRITER(act_register)
{
	Avvik__V1__RegisterInformation *act = NEW(w, RegisterInformation, register_information);
	AV_UNUSED(found);
	act->registry_number = av_arena_printf(w->arena, "SN 2026/%u", (unsigned int)chance(w, 1000));
	return &act->base;
}

WRITER(act_provider_notified)
{
	Avvik__V1__RecordProviderNotification *act =
		NEW(w, RecordProviderNotification, record_provider_notification);
	act->notified_at_ms = AV_MAX(people_ago(w, 3 * DAY_MS), found->received_at_ms);
	act->ivo_case_number = TEXT("8.7-4712/2026");
	act->text = TEXT(secret(w));
	return &act->base;
}

/* --- deadlines --- */

static const Avvik__V1__DeadlineRule *rule_of(struct world *w, const Avvik__V1__Deadline *deadline)
{
	for (size_t i = 0; i < w->rules->n_deadlines; i++)
		if (strcmp(w->rules->deadlines[i]->id, deadline->rule) == 0)
			return w->rules->deadlines[i];
	return NULL;
}

static bool can_stop(const Avvik__V1__Deadline *deadline, const Avvik__V1__DeadlineRule *rule)
{
	return deadline->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING && rule->n_stops > 0;
}

static bool can_resume(const Avvik__V1__Deadline *deadline, const Avvik__V1__DeadlineRule *rule)
{
	AV_UNUSED(rule);
	return deadline->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_STOPPED;
}

static bool can_extend(const Avvik__V1__Deadline *deadline, const Avvik__V1__DeadlineRule *rule)
{
	return deadline->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING && rule->extendable > 0;
}

/* One of the case with which it can be done; now and then any. NULL: none. */
static const Avvik__V1__Deadline *some_deadline(struct world *w, const Avvik__V1__Case *found,
	bool (*can)(const Avvik__V1__Deadline *deadline, const Avvik__V1__DeadlineRule *rule))
{
	Avvik__V1__ListDeadlines list = AVVIK__V1__LIST_DEADLINES__INIT;
	const Avvik__V1__Deadline *chosen = NULL;
	bool any = percent(w, 500);
	unsigned int seen = 0;
	list.case_id = found->case_id;
	const Avvik__V1__Reply *reply =
		node_ask(&w->nodes[WORKFLOW], CASES, COMMAND(LIST_DEADLINES), &list.base);
	for (size_t i = 0; reply && reply->deadlines_found && i < reply->deadlines_found->n_deadlines; i++) {
		const Avvik__V1__Deadline *each = reply->deadlines_found->deadlines[i];
		const Avvik__V1__DeadlineRule *rule = rule_of(w, each);
		if (rule && (any || can(each, rule)) && chance(w, ++seen) == 0)
			chosen = each;
	}
	return chosen;
}

WRITER(act_stop)
{
	Avvik__V1__StopDeadline *act = NEW(w, StopDeadline, stop_deadline);
	const Avvik__V1__Deadline *deadline = some_deadline(w, found, can_stop);
	if (!deadline)
		return NULL;
	const Avvik__V1__DeadlineRule *rule = rule_of(w, deadline);
	act->deadline_id = people_copy(w, deadline->deadline_id);
	act->reason = rule->n_stops ? rule->stops[chance(w, rule->n_stops)]->reason
				    : w->rules->stop_reasons[0]->code;
	act->motive = TEXT(secret(w));
	return &act->base;
}

WRITER(act_resume)
{
	Avvik__V1__ResumeDeadline *act = NEW(w, ResumeDeadline, resume_deadline);
	const Avvik__V1__Deadline *deadline = some_deadline(w, found, can_resume);
	act->deadline_id = deadline ? people_copy(w, deadline->deadline_id) : none;
	act->motive = TEXT(secret(w));
	return deadline ? &act->base : NULL;
}

WRITER(act_extend)
{
	Avvik__V1__ExtendDeadline *act = NEW(w, ExtendDeadline, extend_deadline);
	const Avvik__V1__Deadline *deadline = some_deadline(w, found, can_extend);
	act->deadline_id = deadline ? people_copy(w, deadline->deadline_id) : none;
	act->count = (uint32_t)(1 + chance(w, 12));
	act->motive = TEXT(secret(w));
	return deadline ? &act->base : NULL;
}
