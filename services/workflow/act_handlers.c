/* act_handlers.c - ActOnCase: may it be done?
 *
 * In this order: the case exists, rules cover it, the person may, the version is the one that was seen, the
 * fields are there, the state table and the guards allow it. Only then does a writer make the event. Who may
 * is asked first, so that a refusal tells nothing about a case to somebody without the right.
 */
#include "act.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define CLOCK_SKEW_MS INT64_C(300000) /* other systems' clocks may be so far ahead */

const struct act_row *act_row_of(const Avvik__V1__ActOnCase *order)
{
	static const struct act_rows *const all[] = {&act_rows_inquiry, &act_rows_informing,
		&act_rows_information, &act_rows_ivo, &act_rows_course, &act_rows_measures,
		&act_rows_deviation, &act_rows_outcome, &act_rows_deadlines, &act_rows_join,
		&act_rows_correct};

	for (size_t i = 0; i < AV_COUNT(all); i++)
		for (size_t j = 0; j < all[i]->count; j++)
			if (all[i]->rows[j].number == (unsigned int)order->act_case)
				return &all[i]->rows[j];
	return NULL;
}

/* A case without a place is placed by someone who may for the unit it gets, and for the one it leaves. A
 * deviation that came to the wrong unit is sent on by the one it leaves alone: the other reviews it anew.
 * Under which law a risk is assessed says who its expert is. */
static int check_person(struct act *act, const char *name)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it was loaded */
	const char *unit = act->found->unit, *to = unit;
	int status;

	if (act->order->act_case == AVVIK__V1__ACT_ON_CASE__ACT_ASSESS_RISK)
		return workflow_may_act_under(act->ctx, &act->view, act->pack, act->found, name, unit,
			act->order->assess_risk->law, &act->role);
	if (act->order->act_case == AVVIK__V1__ACT_ON_CASE__ACT_PLACE &&
		(act->found->kind != AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION ||
			case_task(act->found, "unplaced")))
		to = act->order->place->unit;
	if (!act->view.org || !av_org_unit(act->view.org, to))
		to = unit; /* said by the check of the fields */
	status = workflow_may_act(act->ctx, &act->view, act->pack, act->found, name, to, &act->role);
	if (status == AV_OK && strcmp(to, unit) != 0 && !case_task(act->found, "unplaced"))
		status = workflow_may_act(act->ctx, &act->view, act->pack, act->found, name, unit, NULL);
	return status;
}

static int check_time(struct act *act)
{
	int64_t at_ms = act->order->acted_at_ms;

	if (at_ms == 0)
		at_ms = act->ctx->now_ms;
	if (at_ms > act->ctx->now_ms + CLOCK_SKEW_MS)
		return workflow_refuse(act->ctx, AV_INVALID, FAULT(OUT_OF_RANGE), "acted_at_ms",
			"the act lies in the future: give the time when it was done, or leave it out for "
			"now");
	if (at_ms < act->found->received_at_ms)
		return workflow_refuse(act->ctx, AV_INVALID, FAULT(CONTRADICTION), "acted_at_ms",
			"the act lies before the report was received: give the time when it was done");
	act->acted_at_ms = act->intent.acted_at_ms = AV_MIN(at_ms, act->ctx->now_ms);
	return AV_OK;
}

/* "hsl, sol": under which no risk is assessed. */
static const char *laws_missing(const struct act *act)
{
	const char *text = "";

	for (size_t i = 0; i < act->found->n_parts; i++) {
		const Avvik__V1__CasePart *part = act->found->parts[i];
		const char *longer =
			part->probability
				? text
				: av_arena_printf(act->ctx->arena, "%s%s%s", text, *text ? ", " : "",
					  av_enum_name(&avvik__v1__law__descriptor, (int)part->law));
		text = longer ? longer : text; /* without memory the turn fails by itself */
	}
	return text;
}

static int refuse_guard(struct act *act, enum case_guard guard, const char *path)
{
	int status = case_guard_status(guard);
	int code = status == AV_CLOSED	    ? FAULT(WRONG_STATE)
		   : status == AV_FORBIDDEN ? FAULT(NOT_ALLOWED)
					    : FAULT(CONTRADICTION);
	char detail[200];

	switch (guard) {
	case CASE_GUARD_STATE:
		case_states_of(act->found->kind, act->intent.act, detail, sizeof(detail));
		return workflow_refuse(act->ctx, status, code, path,
			"%s: the case is %s; %s is possible while it is %s", case_guard_name(guard),
			case_state_name(act->found->state), case_act_name(act->intent.act),
			*detail ? detail : "a case of the other kind");
	case CASE_GUARD_ITEMS_MISSING:
		case_items_missing(act->found->items_documented, detail, sizeof(detail));
		return workflow_refuse(act->ctx, status, code, path, "%s: %s; missing: %s",
			case_guard_name(guard), case_guard_text(guard), detail);
	case CASE_GUARD_RISK_MISSING:
		return workflow_refuse(act->ctx, status, code, path, "%s: %s; missing: %s",
			case_guard_name(guard), case_guard_text(guard), laws_missing(act));
	default:
		return workflow_refuse(act->ctx, status, code, path, "%s: %s", case_guard_name(guard),
			case_guard_text(guard));
	}
}

static int open_act(struct act *act)
{
	struct av_ctx *ctx = act->ctx;
	int status;

	act->case_id = id_of(act->order->case_id);
	status = case_load(ctx->txn, &act->case_id, ctx->arena, &act->found);
	if (status == AV_NOT_FOUND)
		return workflow_refuse(
			ctx, status, FAULT(UNKNOWN_REFERENCE), "case_id", "there is no case with this id");
	if (status == AV_OK)
		status = workflow_view(ctx, &act->view);
	if (status != AV_OK)
		return status;
	if (!workflow_sees_case(ctx, &act->view, act->found))
		return workflow_refuse(ctx, AV_FORBIDDEN, FAULT(NOT_ALLOWED), "case_id",
			"this system may not act for the unit of the case; an administrator gives it the "
			"unit in the principals file");
	act->pack = workflow_pack(&act->view, act->found->rules_version);
	if (!act->pack)
		return workflow_refuse(ctx, AV_CLOSED, FAULT(WRONG_STATE), "case_id",
			"no rule pack covers the day this case was received: an administrator publishes one");
	return AV_OK;
}

static int check_version(struct act *act)
{
	if (act->order->version_seen == act->found->version)
		return AV_OK;
	return workflow_refuse(act->ctx, AV_STALE, FAULT(STALE_VERSION), "version_seen",
		"the case has changed since version %llu was read: read it again, the current version is "
		"%llu",
		(unsigned long long)act->order->version_seen, (unsigned long long)act->found->version);
}

void act_read_intent(struct act *act, const char *person)
{
	const Avvik__V1__ActOnCase *order = act->order;
	struct case_intent *intent = &act->intent;
	ProtobufCBinaryData measure = {0, NULL};

	intent->act = case_resolve(act->found, order);
	intent->person = person;
	switch (order->act_case) {
	case AVVIK__V1__ACT_ON_CASE__ACT_ASSESS_INITIALLY:
		intent->degree = order->assess_initially->preliminary_degree;
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE:
		intent->degree = order->decide->degree;
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_NOTIFY_IVO:
		intent->investigation_attached = order->notify_ivo->investigation_attached;
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_DECIDE_PROPOSAL:
		measure = order->decide_proposal->measure_id;
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_EXECUTE_MEASURE:
		measure = order->execute_measure->measure_id;
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_EVALUATE_MEASURE:
		measure = order->evaluate_measure->measure_id;
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_CLOSE:
		intent->category_given = *order->close->category != '\0';
		break;
	case AVVIK__V1__ACT_ON_CASE__ACT_ANSWER_IVO_REQUEST:
		intent->request = order->answer_ivo_request->request;
		break;
	default:
		break;
	}
	if (measure.len)
		intent->measure = case_measure(act->found, measure.data, measure.len);
	if (order->act_case == AVVIK__V1__ACT_ON_CASE__ACT_EVALUATE_MEASURE)
		act_read_effect(act);
	if (order->act_case == AVVIK__V1__ACT_ON_CASE__ACT_ASSESS_RISK)
		act_read_risk(act);
	if (order->act_case == AVVIK__V1__ACT_ON_CASE__ACT_CORRECT_CONTENT)
		act_read_correction(act);
}

int act_check_case(struct act *act, const struct act_row *row)
{
	enum case_guard guard = case_check(act->found, &act->intent, &act->next);

	if (guard != CASE_ALLOWED)
		return refuse_guard(act, guard, act->path ? act->path : row->path);
	act->ivo = case_ivo_after(act->found, &act->intent);
	return AV_OK;
}

int act_check_fields(struct act *act, const struct act_row *row)
{
	size_t before = act->ctx->faults.count;

	act->ctx->faults.prefix = av_arena_printf(act->ctx->arena, "%s.", act->path ? act->path : row->path);
	if (row->check)
		row->check(act);
	act->ctx->faults.prefix = NULL;
	return act->ctx->faults.count == before ? AV_OK : AV_INVALID;
}

static int open_ledgers(struct act *act)
{
	int status;

	act->ledgers = (struct ledgers){.ctx = act->ctx,
		.pack = act->pack,
		.case_id = act->case_id,
		.kind = act->found->kind,
		.unit = act->found->unit,
		.number = act->found->number};
	status = ledgers_load(&act->ledgers);
	if (status == AV_OK)
		act_find_deadline(act);
	return status;
}

int on_act_on_case(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	struct act act = {.ctx = ctx, .order = (const Avvik__V1__ActOnCase *)body};
	const struct act_row *row = act_row_of(act.order);
	int status;

	if (!row)
		return workflow_refuse(
			ctx, AV_INVALID, FAULT(REQUIRED), "act", "say what is to be done: one of the acts");
	status = open_act(&act);
	if (status == AV_OK) {
		act_read_intent(&act, ctx->command->on_behalf_of);
		status = check_person(&act, case_act_name(act.intent.act));
	}
	if (status == AV_OK)
		status = check_version(&act);
	if (status == AV_OK)
		status = act_open_other(&act);
	if (status == AV_OK)
		status = check_time(&act);
	if (status == AV_OK)
		status = open_ledgers(&act);
	if (status == AV_OK) /* the state before the fields: what cannot be done needs no better words */
		status = case_next(act.found->kind, act.found->state, act.intent.act)
				 ? act_check_fields(&act, row)
				 : AV_OK;
	if (status == AV_OK)
		status = act_read_other(&act);
	if (status == AV_OK)
		status = act_check_case(&act, row);
	if (status != AV_OK)
		return status;
	act.accepted = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_ACT_ACCEPTED);
	if (!act.accepted)
		return AV_MEMORY;
	act.accepted->case_id = act.found->case_id;
	act.accepted->state = act.next;
	status = row->write(&act);
	/* Itself, and a deadline that it stops or lets go on: each an event of the case. */
	act.accepted->version = act.found->version + act.events + act.ledgers.case_events;
	return status;
}
