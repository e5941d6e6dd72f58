/* takeover.c - an open case of another system is taken over: its report opens a case, what was done there is done
 * once more as acts of that time, and the facts start, meet and end its deadlines as they would have then
 *
 * All of it is told as the ordinary events, whose actor says in which system it was done, so that records, figures
 * and documents follow from them as always. But nothing speaks: notification tells nobody of them, and the rungs
 * whose time lies before the taking over are passed over, an overdue one too. A case is known by the other system
 * and its number there: what is sent again does nothing, and the same number with another content is refused.
 *
 * A trial goes the same way; what it tells is then let go.
 */
#include "takeover.h"

#include <string.h>

#include "base/macros.h"
#include "seal/receipt.h"
#include "store/content.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name

/* --- taken over before? --- */

static int tell_result(struct av_ctx *ctx, const Avvik__V1__Case *found, Avvik__V1__Deadline **deadlines,
	size_t count, Avvik__V1__TakeoverResult **ret_result)
{
	Avvik__V1__TakeoverResult *result = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_TAKEOVER_RESULT);

	if (!result)
		return AV_MEMORY;
	result->case_id = found->case_id;
	result->number = found->number;
	result->kind = found->kind;
	result->state = found->state;
	result->rules_version = found->rules_version;
	result->taken_over_at_ms = ctx->now_ms;
	result->deadlines = av_arena_alloc(ctx->arena, count * sizeof(*result->deadlines) + 1);
	if (!result->deadlines)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++) {
		if (deadlines[i]->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_SUPERSEDED)
			continue;
		deadlines[i]->overdue = deadline_overdue(deadlines[i], ctx->now_ms);
		result->deadlines[result->n_deadlines++] = deadlines[i];
	}
	*ret_result = result;
	return AV_OK;
}

/* The commitment of what opened the case was made over the whole of it, as it was sent. AV_OK: the same; AV_ERASED:
 * nobody can say any more; AV_CONFLICT. */
static int compare(struct av_ctx *ctx, const Avvik__V1__Case *found, const Avvik__V1__TakeoverCase *from)
{
	const Avvik__V1__ContentRef *ref = found->takeover ? found->takeover->content : NULL;
	struct av_bytes packed = av_message_pack(&from->base, ctx->arena), blinding;
	unsigned char commitment[AV_HASH_SIZE];
	struct av_id id;
	int status;

	if (!packed.data)
		return AV_MEMORY;
	if (!ref || ref->commitment.len != sizeof(commitment))
		return AV_DAMAGED;
	id = id_of(ref->content_id);
	status = av_content_get(ctx->txn, ctx->keys, &id, 0, ctx->arena, &blinding);
	if (status != AV_OK)
		return status;
	if (blinding.size != AV_KEY_SIZE)
		return AV_DAMAGED;
	av_commitment(blinding.data, packed, commitment);
	return memcmp(commitment, ref->commitment.data, sizeof(commitment)) == 0 ? AV_OK : AV_CONFLICT;
}

/* Nothing is told of a case that the system may not see, not even whether the content is the same. */
static int taken_before(struct av_ctx *ctx, const struct workflow_view *view, const struct av_id *case_id,
	const Avvik__V1__TakeoverCase *from)
{
	Avvik__V1__TakeoverResult *result;
	Avvik__V1__Deadline **deadlines;
	Avvik__V1__Case *found;
	char day[AV_DATE_TEXT];
	size_t count;
	int status = case_load(ctx->txn, case_id, ctx->arena, &found), same;

	if (status == AV_OK && !workflow_sees_case(ctx, view, found))
		return workflow_refuse(ctx, AV_FORBIDDEN, FAULT(NOT_ALLOWED), "case.external_id",
			"the case of this number belongs to a unit that this system may not see: correct the "
			"number, or an administrator gives it the unit in the principals file");
	if (status == AV_OK)
		status = deadlines_load(ctx->txn, case_id, ctx->arena, &deadlines, &count);
	if (status != AV_OK)
		return status;
	same = compare(ctx, found, from);
	if (same == AV_CONFLICT) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it was taken over */
		av_day_text(av_local_day(found->takeover->at_ms), day);
		return workflow_refuse(ctx, AV_CONFLICT, FAULT(CONTRADICTION), "case.external_id",
			"was taken over on %s as %s with another content: leave it out, and record what has "
			"been done since on that case",
			day, found->number);
	}
	if (same != AV_OK && same != AV_ERASED)
		return same;
	status = tell_result(ctx, found, deadlines, count, &result);
	if (status != AV_OK)
		return status;
	result->external_id = from->external_id;
	result->taken_over_at_ms = found->takeover->at_ms;
	result->before = true;
	result->erased = same == AV_ERASED;
	return AV_OK;
}

/* --- the report --- */

static void check_time(struct takeover *takeover, int64_t at_ms, const char *path)
{
	if (at_ms > takeover->received_at_ms)
		av_fault(&takeover->ctx->faults, FAULT(CONTRADICTION), path,
			"lies after the report was received: correct one of the two");
}

static void check_times(struct takeover *takeover, const Avvik__V1__FileReport *report)
{
	struct av_ctx *ctx = takeover->ctx;

	if (report->received_at_ms <= 0)
		av_fault(&ctx->faults, FAULT(REQUIRED), "received_at",
			"give when the report was received: deadlines are counted from it");
	else if (report->received_at_ms > ctx->now_ms)
		av_fault(&ctx->faults, FAULT(OUT_OF_RANGE), "received_at",
			"lies in the future: give when the report was received");
	check_time(takeover, report->noticed_at_ms, "noticed_at");
	check_time(takeover, report->occurred_from_at_ms, "occurred_from_at");
	if (report->occurred_until_at_ms && report->occurred_until_at_ms < report->occurred_from_at_ms)
		av_fault(&ctx->faults, FAULT(CONTRADICTION), "occurred_until_at",
			"lies before occurred_from_at: correct one of the two");
}

static void check_report(struct takeover *takeover, const Avvik__V1__FileReport *report)
{
	struct act *act = &takeover->act;
	struct av_ctx *ctx = takeover->ctx;
	const Avvik__V1__Unit *unit = act->view.org ? av_org_unit(act->view.org, report->unit) : NULL;
	char day[AV_DATE_TEXT];

	check_times(takeover, report);
	if (!unit || !av_org_leaf(act->view.org, unit))
		av_fault(&ctx->faults, FAULT(UNKNOWN_REFERENCE), "unit",
			"is no leaf of the directory that is in force: give the code of the unit that has "
			"the case now");
	else if (!workflow_principal_covers(ctx, &act->view, report->unit))
		av_fault(&ctx->faults, FAULT(NOT_ALLOWED), "unit",
			"this system may not act for the unit; an administrator gives it the unit in the "
			"principals file");
	if (!report->narrative || !*report->narrative->description)
		av_fault(&ctx->faults, FAULT(REQUIRED), "narrative.description", "give what happened");
	av_day_text(av_local_day(report->received_at_ms), day);
	if (act->pack)
		act_need_categories(act, report->category, report->subcategory);
	else if (report->received_at_ms > 0)
		av_fault(&ctx->faults, FAULT(UNKNOWN_REFERENCE), "received_at",
			"no rule pack covers %s: publish one that does, with `avvik rules publish FILE` "
			"(those that come with Avvik lie in deploy/rules)",
			day);
}

static int seal_report(
	struct takeover *takeover, const Avvik__V1__FileReport *report, Avvik__V1__ContentRef **ret_ref)
{
	struct av_arena *arena = takeover->ctx->arena;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	struct av_bytes whole = av_message_pack(&takeover->from->base, arena);
	struct av_content_part parts[3];
	size_t count = 0;

	if (report->narrative)
		narrative = *report->narrative;
	narrative.attachment_references =
		av_arena_alloc(arena, report->n_attachments * sizeof(*narrative.attachment_references) + 1);
	narrative.n_attachment_references = 0;
	if (!narrative.attachment_references || !whole.data)
		return AV_MEMORY;
	for (size_t i = 0; i < report->n_attachments; i++)
		if (*report->attachments[i]->reference)
			narrative.attachment_references[narrative.n_attachment_references++] =
				report->attachments[i]->reference;
	parts[count++] = (struct av_content_part){PART(NARRATIVE), av_message_pack(&narrative.base, arena)};
	if (report->persons)
		parts[count++] = (struct av_content_part){
			PART(PERSONS), av_message_pack(&report->persons->base, arena)};
	if (report->reporter) /* not as CONTACT: nobody writes to who reported to another system */
		parts[count++] = (struct av_content_part){
			PART(REPORTER), av_message_pack(&report->reporter->base, arena)};
	for (size_t i = 0; i < count; i++)
		if (!parts[i].body.data)
			return AV_MEMORY;
	return av_seal_parts(takeover->ctx, parts, count, whole, ret_ref);
}

/* As intake would have told it, but without a contact. */
static Avvik__V1__ReportFiled *filed_of(struct takeover *takeover, const Avvik__V1__FileReport *report)
{
	struct av_arena *arena = takeover->ctx->arena;
	Avvik__V1__ReportFiled *filed = AV_NEW(arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	size_t count = report->narrative ? report->narrative->n_immediate_measures : 0;

	if (!filed)
		return NULL;
	filed->type = report->type;
	filed->unit = report->unit;
	filed->concerns = report->concerns;
	filed->occurred_from_at_ms = report->occurred_from_at_ms;
	filed->noticed_at_ms = report->noticed_at_ms;
	filed->n_laws = report->n_laws;
	filed->laws = report->laws;
	filed->category = report->category;
	filed->subcategory = report->subcategory;
	filed->preliminary_degree = report->preliminary_degree;
	filed->protected_identity = report->protected_identity;
	filed->registry_number = report->registry_number;
	filed->reporter_named = report->reporter && *report->reporter->name;
	filed->remedied_at_ms = av_arena_alloc(arena, count * sizeof(*filed->remedied_at_ms) + 1);
	if (!filed->remedied_at_ms)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (report->narrative->immediate_measures[i]->taken_at_ms > 0)
			filed->remedied_at_ms[filed->n_remedied_at_ms++] =
				report->narrative->immediate_measures[i]->taken_at_ms;
	return filed;
}

static int open_ledgers(struct takeover *takeover, const Avvik__V1__CaseOpened *opened,
	const Avvik__V1__ReportFiled *filed, const struct av_id *opened_id)
{
	struct ledgers *ledgers = &takeover->act.ledgers;
	Avvik__V1__CaseRemedied *remedied =
		AV_NEW(takeover->ctx->arena, Avvik__V1__CaseRemedied, avvik__v1__case_remedied);
	int64_t first = workflow_remedied_at(filed, takeover->received_at_ms, takeover->ctx->now_ms);
	struct av_id id;
	int status;

	*ledgers = (struct ledgers){.ctx = takeover->ctx,
		.pack = takeover->act.pack,
		.case_id = takeover->act.case_id,
		.kind = opened->kind,
		.unit = opened->unit,
		.number = opened->number,
		.taken_over_from = takeover->system};
	status = ledgers_fact(
		ledgers, AVVIK__V1__ANCHOR__ANCHOR_RECEIVED, takeover->received_at_ms, NULL, opened_id);
	if (status != AV_OK || !first || !remedied)
		return remedied ? status : AV_MEMORY;
	remedied->by_report = true;
	status = takeover_tell(takeover, EVENT(CASE_REMEDIED), remedied, first, &id);
	return status == AV_OK ? ledgers_fact(ledgers, AVVIK__V1__ANCHOR__ANCHOR_REMEDIED, first, NULL, &id)
			       : status;
}

static int open_case(struct takeover *takeover, const Avvik__V1__FileReport *report)
{
	Avvik__V1__ReportFiled *filed = filed_of(takeover, report);
	Avvik__V1__CaseOpened *opened = filed ? workflow_open_case(takeover->ctx, &takeover->act.view,
							takeover->act.pack, filed, takeover->received_at_ms)
					      : NULL;
	struct av_id id;
	int status = opened ? seal_report(takeover, report, &opened->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	opened->state = AVVIK__V1__CASE_STATE__CASE_STATE_RECEIVED; /* whoever reported was known there */
	opened->principal = (char *)"";
	opened->reported_by = (char *)"";
	takeover->act.case_id = av_ctx_id(takeover->ctx);
	status = takeover_tell(takeover, EVENT(CASE_OPENED), opened, takeover->received_at_ms, &id);
	return status == AV_OK ? open_ledgers(takeover, opened, filed, &id) : status;
}

/* --- the end --- */

static void check_state(struct takeover *takeover)
{
	Avvik__V1__CaseState said = takeover->from->state, led = takeover->act.found->state;

	if (said == AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED)
		av_fault(&takeover->ctx->faults, FAULT(CONTRADICTION), "case.state",
			"is closed: open cases are taken over, and what is closed stays where it is");
	else if (!takeover->broken && said != led)
		av_fault(&takeover->ctx->faults, FAULT(CONTRADICTION), "case.state",
			"is %s, but what was done leads to %s: add what was done to come there, or correct "
			"the state",
			case_state_name(said), case_state_name(led));
}

static int tell_end(struct takeover *takeover, const char *reason)
{
	struct av_arena *arena = takeover->ctx->arena;
	Avvik__V1__CaseTakenOver *taken = AV_NEW(arena, Avvik__V1__CaseTakenOver, avvik__v1__case_taken_over);
	Avvik__V1__ReasonGiven *given = AV_NEW(arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
	char *authors = takeover_authors(takeover);
	struct av_id id;
	int status =
		taken && given && authors ? act_seal(&takeover->act, authors, &taken->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	given->text = (char *)(uintptr_t)reason;
	taken->reason = given;
	taken->system = (char *)(uintptr_t)takeover->system;
	taken->external_id = takeover->from->external_id;
	taken->state = takeover->act.found->state;
	return takeover_tell(takeover, EVENT(CASE_TAKEN_OVER), taken, takeover->ctx->now_ms, &id);
}

static int refuse(struct av_ctx *ctx)
{
	if (ctx->reply)
		ctx->reply->text = av_arena_printf(ctx->arena, "the case is not taken over: %zu fault%s",
			ctx->faults.count, ctx->faults.count == 1 ? "" : "s");
	return AV_INVALID;
}

static int take_over(struct av_ctx *ctx, const char *system, const Avvik__V1__TakeoverCase *from,
	const char *reason, Avvik__V1__TakeoverResult **ret_result)
{
	struct takeover takeover = {.ctx = ctx, .system = system, .from = from, .act = {.ctx = ctx}};
	const struct ledgers *ledgers = &takeover.act.ledgers;
	struct av_id known;
	int status = workflow_view(ctx, &takeover.act.view);

	if (status == AV_OK)
		status = case_by_external(ctx->txn, system, from->external_id, &known);
	if (status == AV_OK)
		return taken_before(ctx, &takeover.act.view, &known, from);
	if (status != AV_NOT_FOUND)
		return status;
	takeover.received_at_ms = from->report->received_at_ms;
	takeover.act.pack = workflow_pack_on(&takeover.act.view, av_local_day(takeover.received_at_ms));
	ctx->faults.prefix = "case.report.";
	check_report(&takeover, from->report);
	ctx->faults.prefix = NULL;
	status = takeover_read_steps(&takeover);
	if (status == AV_OK && ctx->faults.count)
		return refuse(ctx);
	if (status == AV_OK)
		status = open_case(&takeover, from->report);
	if (status == AV_OK)
		status = takeover_walk(&takeover);
	if (status != AV_OK)
		return status;
	check_state(&takeover);
	if (ctx->faults.count)
		return refuse(ctx);
	status = tell_end(&takeover, reason);
	if (status == AV_OK)
		status = tell_result(ctx, takeover.act.found, ledgers->items, ledgers->count, ret_result);
	if (status == AV_OK)
		(*ret_result)->external_id = from->external_id;
	return status;
}

/* --- handlers --- */

int on_take_over_case(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__TakeOverCase *order = (const Avvik__V1__TakeOverCase *)body;
	Avvik__V1__TakeoverResult *result;

	return take_over(ctx, order->system, order->case_, order->reason, &result);
}

/* Numbers and ids would be others by then. */
int on_check_takeover(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__CheckTakeover *check = (const Avvik__V1__CheckTakeover *)body;
	static const ProtobufCBinaryData none;
	Avvik__V1__TakeoverResult *result = NULL;
	int status = take_over(ctx, check->system, check->case_, "", &result);

	if (status != AV_OK || !result) /* refused, or taken over before */
		return status;
	result->case_id = none;
	result->number = (char *)"";
	for (size_t i = 0; i < result->n_deadlines; i++) {
		Avvik__V1__Deadline *deadline = result->deadlines[i];
		deadline->deadline_id = deadline->case_id = deadline->measure_id = deadline->anchor_event_id =
			none;
		deadline->number = (char *)"";
	}
	return AV_OK;
}
