/* act_ivo.c - the acts between the committee and IVO: found serious, notified, handed in; what IVO asks and
 * decides
 *
 * A request of IVO has a deadline of its own, anchored at the day in IVO's letter, and is told apart by its
 * id as a measure is. It goes on when the case is closed; IVO's decision ends it.
 */
#include "act.h"

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

static void check_find_serious(struct act *act)
{
	act_need(act, act->order->find_serious->motive, "motive", "why it is found serious");
}

static int write_find_serious(struct act *act)
{
	Avvik__V1__SeriousFound *serious = ACT_NEW(act, SeriousFound, serious_found);
	int status = serious ? act_seal(act, act->order->find_serious->motive, &serious->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	serious->ivo = act->ivo;
	return act_tell(act, EVENT(SERIOUS_FOUND), serious, ANCHOR(SERIOUS), NULL);
}

static void check_lift(struct act *act)
{
	act_need(act, act->order->lift_ivo_duty->motive, "motive", "why IVO need not be notified");
}

static int write_lift(struct act *act)
{
	Avvik__V1__IvoDutyLifted *lifted = ACT_NEW(act, IvoDutyLifted, ivo_duty_lifted);
	int status = lifted ? act_seal(act, act->order->lift_ivo_duty->motive, &lifted->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	lifted->ivo = act->ivo;
	return act_tell(act, EVENT(IVO_DUTY_LIFTED), lifted, ANCHOR(IVO_DUTY_LIFTED), NULL);
}

static void check_notify(struct act *act)
{
	act_need(act, act->order->notify_ivo->registry_number, "registry_number",
		"the registry number (diarienummer)");
}

static int write_notify(struct act *act)
{
	const Avvik__V1__NotifyIvo *notify = act->order->notify_ivo;
	Avvik__V1__IvoNotified *notified = ACT_NEW(act, IvoNotified, ivo_notified);
	struct av_id id;
	int status;

	if (!notified)
		return AV_MEMORY;
	notified->registry_number = notify->registry_number;
	notified->investigation_attached = notify->investigation_attached;
	notified->form_version = notify->form_version;
	notified->receipt_number = notify->receipt_number;
	notified->attachments = notify->attachments;
	notified->ivo = act->ivo;
	id = act_emit(act, EVENT(IVO_NOTIFIED), notified);
	status = ledgers_fact(&act->ledgers, ANCHOR(NOTIFIED), act->acted_at_ms, NULL, &id);
	if (status == AV_OK && !notify->investigation_attached)
		status =
			ledgers_fact(&act->ledgers, ANCHOR(NOTIFIED_INCOMPLETE), act->acted_at_ms, NULL, &id);
	return status;
}

static int write_hand_in(struct act *act)
{
	Avvik__V1__InvestigationHandedIn *handed =
		ACT_NEW(act, InvestigationHandedIn, investigation_handed_in);

	if (!handed)
		return AV_MEMORY;
	handed->channel = act->order->hand_in_investigation->channel;
	handed->ivo = act->ivo;
	return act_tell(act, EVENT(INVESTIGATION_HANDED_IN), handed, ANCHOR(INVESTIGATION_HANDED_IN), NULL);
}

/* --- what IVO asks and decides --- */

static void check_request(struct act *act)
{
	const Avvik__V1__RecordIvoRequest *request = act->order->record_ivo_request;

	act_need(act, request->text, "text", "what IVO asks for");
	if (request->due_on == 0)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "due_on",
			"give the day in IVO's letter by which it wants the answer");
	else if (request->due_on < av_local_day(act->acted_at_ms))
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "due_on",
			"lies before the day of the request: give the day in IVO's letter, and when it came");
}

static int write_request(struct act *act)
{
	const Avvik__V1__RecordIvoRequest *request = act->order->record_ivo_request;
	Avvik__V1__IvoRequested *requested = ACT_NEW(act, IvoRequested, ivo_requested);
	struct av_id request_id = av_ctx_id(act->ctx), id;
	int status = requested ? act_seal(act, request->text, &requested->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	requested->request_id = id_data(&request_id, act->ctx->arena);
	requested->request = (uint32_t)act->found->n_ivo_requests + 1;
	requested->due_on = request->due_on;
	requested->ivo_case_number =
		*request->ivo_case_number ? request->ivo_case_number : act->found->ivo_case_number;
	id = act_emit(act, EVENT(IVO_REQUESTED), requested);
	return ledgers_fact(&act->ledgers, ANCHOR(IVO_REQUESTED), av_day_start_ms(request->due_on),
		&requested->request_id, &id);
}

static int write_answer(struct act *act)
{
	const Avvik__V1__AnswerIvoRequest *answer = act->order->answer_ivo_request;
	const Avvik__V1__IvoRequest *request = case_request(act->found, answer->request);
	Avvik__V1__IvoAnswered *answered = ACT_NEW(act, IvoAnswered, ivo_answered);
	int status = answered ? act_seal(act, answer->text, &answered->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	answered->request_id = request->request_id;
	for (size_t i = 0; i < act->found->n_ivo_requests; i++)
		if (act->found->ivo_requests[i] == request)
			answered->request = (uint32_t)i + 1;
	answered->channel = answer->channel;
	return act_tell(act, EVENT(IVO_ANSWERED), answered, ANCHOR(IVO_ANSWERED), &answered->request_id);
}

static void check_decision(struct act *act)
{
	const Avvik__V1__RecordIvoDecision *decision = act->order->record_ivo_decision;

	if (decision->outcome == AVVIK__V1__IVO_OUTCOME__IVO_OUTCOME_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "outcome",
			"give what IVO decided: closed, criticism or supervision");
	if (!*act->found->ivo_case_number)
		act_need(act, decision->ivo_case_number, "ivo_case_number", "IVO's number of the matter");
}

/* What IVO asked and got no answer to is no longer asked. */
static int write_decision(struct act *act)
{
	const Avvik__V1__RecordIvoDecision *decision = act->order->record_ivo_decision;
	Avvik__V1__IvoDecided *decided = ACT_NEW(act, IvoDecided, ivo_decided);
	int status = decided ? act_seal(act, decision->text, &decided->content) : AV_MEMORY;
	struct av_id id;

	if (status != AV_OK)
		return status;
	decided->outcome = decision->outcome;
	decided->ivo_case_number =
		*decision->ivo_case_number ? decision->ivo_case_number : act->found->ivo_case_number;
	decided->ivo = act->ivo;
	decided->investigation_missing = case_ivo_waits(act->found);
	id = act_emit(act, EVENT(IVO_DECIDED), decided);
	status = ledgers_fact(&act->ledgers, ANCHOR(IVO_DECIDED), act->acted_at_ms, NULL, &id);
	for (size_t i = 0; status == AV_OK && i < act->found->n_ivo_requests; i++)
		if (case_request(act->found, (uint32_t)i + 1))
			status = ledgers_fact(&act->ledgers, ANCHOR(IVO_DECIDED), act->acted_at_ms,
				&act->found->ivo_requests[i]->request_id, &id);
	return status;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(FIND_SERIOUS),           "find_serious",           check_find_serious,     write_find_serious },
	{ ACT(LIFT_IVO_DUTY),          "lift_ivo_duty",          check_lift,             write_lift },
	{ ACT(NOTIFY_IVO),             "notify_ivo",             check_notify,           write_notify },
	{ ACT(HAND_IN_INVESTIGATION),  "hand_in_investigation",  NULL,                   write_hand_in },
	{ ACT(RECORD_IVO_REQUEST),     "record_ivo_request",     check_request,          write_request },
	{ ACT(ANSWER_IVO_REQUEST),     "answer_ivo_request",     NULL,                   write_answer },
	{ ACT(RECORD_IVO_DECISION),    "record_ivo_decision",    check_decision,         write_decision },
}; /* clang-format on */
const struct act_rows act_rows_ivo = {rows, AV_COUNT(rows)};
