/* act_information.c - the acts on a private provider's lex Sarah report, and the provider's own word of its
 * notification
 *
 * The provider investigates and notifies IVO itself; the committee registers what it is told and tells the
 * orderer. What the committee's people record and what the provider's system tells is one and the same event.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

static void check_register(struct act *act)
{
	act_need(act, act->order->register_information->registry_number, "registry_number",
		"the registry number (diarienummer)");
}

static int write_register(struct act *act)
{
	Avvik__V1__InformationRegistered *registered =
		ACT_NEW(act, InformationRegistered, information_registered);

	if (!registered)
		return AV_MEMORY;
	registered->registry_number = act->order->register_information->registry_number;
	registered->state = act->next;
	return act_tell(act, EVENT(INFORMATION_REGISTERED), registered, ANCHOR(INFORMATION_REGISTERED), NULL);
}

/* Between the provider's receipt of the report and the time it is told. NULL: it can be. */
static const char *time_fault(const Avvik__V1__Case *found, int64_t notified_at_ms, int64_t told_at_ms)
{
	if (notified_at_ms <= 0)
		return "give when the provider notified IVO";
	if (notified_at_ms > told_at_ms)
		return "lies after the time it was told: give when the provider notified IVO";
	return notified_at_ms < found->received_at_ms
		       ? "lies before the report was received: give when the provider notified IVO"
		       : NULL;
}

static void check_notification(struct act *act)
{
	const char *fault = time_fault(
		act->found, act->order->record_provider_notification->notified_at_ms, act->acted_at_ms);

	if (fault)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "notified_at_ms", "%s", fault);
}

/* D7 runs from the notification until the committee is told. */
static int tell_facts(
	struct ledgers *ledgers, int64_t notified_at_ms, int64_t told_at_ms, const struct av_id *id)
{
	int status = ledgers_fact(ledgers, ANCHOR(NOTIFIED), notified_at_ms, NULL, id);
	return status == AV_OK ? ledgers_fact(ledgers, ANCHOR(COMMITTEE_TOLD), told_at_ms, NULL, id) : status;
}

static int write_notification(struct act *act)
{
	const Avvik__V1__RecordProviderNotification *record = act->order->record_provider_notification;
	Avvik__V1__ProviderNotified *notified = ACT_NEW(act, ProviderNotified, provider_notified);
	int status = notified ? act_seal(act, record->text, &notified->content) : AV_MEMORY;
	struct av_id id;

	if (status != AV_OK)
		return status;
	notified->notified_at_ms = record->notified_at_ms;
	notified->ivo_case_number = record->ivo_case_number;
	notified->state = act->next;
	id = act_emit(act, EVENT(PROVIDER_NOTIFIED), notified);
	return tell_facts(&act->ledgers, record->notified_at_ms, act->acted_at_ms, &id);
}

/* Kind and with it who may see change in one write; the committee's own deadlines end. */
int act_becomes_information(struct act *act, Avvik__V1__CasePlaced *placed, int64_t received_at_ms)
{
	workflow_make_information(act->pack, act->found, placed);
	act->accepted->state = placed->state;
	struct av_id id = act_emit(act, AVVIK__V1__EVENT__BODY_CASE_PLACED, placed);
	return ledgers_become_information(&act->ledgers, received_at_ms, &id);
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(REGISTER_INFORMATION),   "register_information",   check_register,         write_register },
	{ ACT(RECORD_PROVIDER_NOTIFICATION), "record_provider_notification", check_notification, write_notification },
}; /* clang-format on */
const struct act_rows act_rows_information = {rows, AV_COUNT(rows)};

/* --- the provider's own system --- */

/* Others' reports are answered as if they were not there. */
static int own_case(struct av_ctx *ctx, const struct av_id *id, Avvik__V1__Case **ret_found)
{
	int status = case_load(ctx->txn, id, ctx->arena, ret_found);

	if (status == AV_NOT_FOUND ||
		(status == AV_OK && strcmp((*ret_found)->principal, ctx->principal->name) != 0))
		return workflow_refuse(ctx, AV_NOT_FOUND, FAULT(UNKNOWN_REFERENCE), "report_id",
			"this system has sent no report with this id, or it has not reached the workflow "
			"yet");
	return status;
}

int on_tell_notification(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__TellNotification *tell = (const Avvik__V1__TellNotification *)body;
	struct case_intent intent = {.act = CASE_ACT_PROVIDER_NOTIFIED};
	struct av_id case_id = id_of(tell->report_id), id;
	struct av_emit_options options = {.case_id = &case_id};
	Avvik__V1__ProviderNotified *notified =
		AV_NEW(ctx->arena, Avvik__V1__ProviderNotified, avvik__v1__provider_notified);
	Avvik__V1__NotificationKept *reply;
	Avvik__V1__CaseState next;
	Avvik__V1__Case *found;
	struct workflow_view view;
	enum case_guard guard;
	const char *fault;
	int status = own_case(ctx, &case_id, &found);

	if (status == AV_OK)
		status = workflow_view(ctx, &view);
	if (status != AV_OK)
		return status;
	if (found->kind != AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION)
		return workflow_refuse(ctx, AV_CLOSED, FAULT(WRONG_STATE), "report_id",
			"the committee handles this report itself, and notifies IVO itself");
	fault = time_fault(found, tell->notified_at_ms, ctx->now_ms);
	if (fault)
		return workflow_refuse(ctx, AV_INVALID, FAULT(CONTRADICTION), "notified_at_ms", "%s", fault);
	guard = case_check(found, &intent, &next);
	if (guard != CASE_ALLOWED)
		return workflow_refuse(ctx, case_guard_status(guard), FAULT(WRONG_STATE), "report_id",
			"%s: %s", case_guard_name(guard), case_guard_text(guard));
	reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_NOTIFICATION_KEPT);
	if (!notified || !reply)
		return AV_MEMORY;
	notified->notified_at_ms = tell->notified_at_ms;
	notified->ivo_case_number = tell->ivo_case_number;
	notified->state = next;
	notified->by_provider = true;
	id = av_emit(ctx, EVENT(PROVIDER_NOTIFIED), notified, &options);
	struct ledgers ledgers = {.ctx = ctx,
		.pack = workflow_pack(&view, found->rules_version),
		.case_id = case_id,
		.kind = found->kind,
		.unit = found->unit,
		.number = found->number};
	status = ledgers_load(&ledgers);
	reply->report_id = found->case_id;
	reply->number = found->number;
	reply->state = next;
	return status == AV_OK ? tell_facts(&ledgers, tell->notified_at_ms, ctx->now_ms, &id) : status;
}
