/* query_handlers.c - what others ask of cases and deadlines: codes and times, never content */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define PAGE 50
#define PAGE_MAX 500
#define SCAN_MAX 20000 /* index entries that one page of deadlines looks at */

static int see_case(struct av_ctx *ctx, const struct av_id *id, struct workflow_view *view,
	Avvik__V1__Case **ret_found, enum workflow_sight *ret_sight)
{
	struct workflow_sights sights = {.count = 0};
	int status = case_load(ctx->txn, id, ctx->arena, ret_found);

	if (status == AV_NOT_FOUND)
		return workflow_refuse(
			ctx, status, FAULT(UNKNOWN_REFERENCE), "case_id", "there is no such case");
	if (status == AV_OK)
		status = workflow_view(ctx, view);
	if (status == AV_OK && !workflow_sees_case(ctx, view, *ret_found))
		return workflow_refuse(ctx, AV_FORBIDDEN, FAULT(NOT_ALLOWED), "case_id",
			"this system may not see the unit of the case; an administrator gives it the unit in "
			"the principals file");
	if (status != AV_OK)
		return status;
	*ret_sight = workflow_sight(ctx, view, *ret_found, &sights);
	if (*ret_sight == SIGHT_NONE)
		return workflow_refuse(ctx, AV_FORBIDDEN, FAULT(NOT_ALLOWED), "on_behalf_of",
			"the person holds no role for the unit of the case today, and sees nothing of it: "
			"somebody who holds one asks, or the directory gives the person one");
	return AV_OK;
}

static int add_acts(struct av_ctx *ctx, Avvik__V1__Case *found)
{
	const char *names[CASE_ACT_COUNT];
	size_t count = case_acts_possible(found, names);

	found->acts_possible = av_arena_alloc(ctx->arena, count * sizeof(*found->acts_possible) + 1);
	if (!found->acts_possible)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++) {
		Avvik__V1__Act *act = AV_NEW(ctx->arena, Avvik__V1__Act, avvik__v1__act);
		if (!act)
			return AV_MEMORY;
		act->name = (char *)names[i];
		found->acts_possible[i] = act;
	}
	found->n_acts_possible = count;
	return AV_OK;
}

int on_get_case(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetCase *get = (const Avvik__V1__GetCase *)body;
	Avvik__V1__CaseFound *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_CASE_FOUND);
	struct workflow_sights sights = {.count = 0};
	struct workflow_view view;
	struct av_id id = id_of(get->case_id);
	Avvik__V1__Case *found;
	enum workflow_sight sight = SIGHT_NONE;
	int status = AV_OK;

	if (!reply)
		return AV_MEMORY;
	if (get->case_id.len == 0)
		status = case_by_number(ctx->txn, get->number, &id);
	if (status == AV_NOT_FOUND)
		return workflow_refuse(ctx, status, FAULT(UNKNOWN_REFERENCE), "number",
			"there is no case with this number; give its id or its number, such as 2026-0042");
	if (status == AV_OK)
		status = see_case(ctx, &id, &view, &found, &sight);
	if (status == AV_OK && sight == SIGHT_ALL)
		status = duplicates_find(ctx, &view, found, DUPLICATES_LOOKED_AT, &sights);
	if (status == AV_OK)
		status = add_acts(ctx, found);
	if (status == AV_OK)
		reply->case_ = workflow_shown(found, sight, ctx->arena);
	return status == AV_OK && !reply->case_ ? AV_MEMORY : status;
}

/* --- deadlines --- */

static int list_of_case(
	struct av_ctx *ctx, const Avvik__V1__ListDeadlines *list, Avvik__V1__DeadlinesFound *reply)
{
	struct av_id id = id_of(list->case_id);
	struct workflow_view view;
	Avvik__V1__Case *found;
	enum workflow_sight sight = SIGHT_NONE;
	size_t count, kept = 0;
	int status = see_case(ctx, &id, &view, &found, &sight);

	if (status == AV_OK)
		status = deadlines_load(ctx->txn, &id, ctx->arena, &reply->deadlines, &count);
	if (status != AV_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		Avvik__V1__Deadline *ledger = reply->deadlines[i];
		if ((list->running_only && !deadline_open(ledger)) ||
			(list->due_before_ms && ledger->due_at_ms >= list->due_before_ms) ||
			!workflow_shows_deadline(ledger, sight))
			continue;
		ledger->overdue = deadline_overdue(ledger, ctx->now_ms);
		reply->deadlines[kept++] = ledger;
	}
	reply->n_deadlines = kept;
	return AV_OK;
}

struct unit_filter { /* of the unit that was looked at last */
	char unit[200];
	bool known, wanted;
};

static bool unit_wanted(struct unit_filter *filter, const struct av_ctx *ctx,
	const struct workflow_view *view, const char *within, struct av_bytes unit)
{
	if (unit.size >= sizeof(filter->unit))
		return false;
	if (filter->known && strlen(filter->unit) == unit.size &&
		memcmp(filter->unit, unit.data, unit.size) == 0)
		return filter->wanted;
	if (unit.size)
		memcpy(filter->unit, unit.data, unit.size);
	filter->unit[unit.size] = '\0';
	filter->known = true;
	filter->wanted = workflow_principal_covers(ctx, view, filter->unit) &&
			 (!*within || (view->org && av_org_within(view->org, filter->unit, within)));
	return filter->wanted;
}

static int may_show(struct av_ctx *ctx, const struct workflow_view *view, const struct av_id *case_id,
	const Avvik__V1__Deadline *ledger, struct workflow_sights *sights, bool *ret_shows)
{
	Avvik__V1__Case *found;
	int status;

	*ret_shows = true;
	if (!*ctx->command->on_behalf_of && (!ctx->principal || !ctx->principal->roles))
		return AV_OK; /* a system with all roles sees all: no need to look at each case */
	status = case_load(ctx->txn, case_id, ctx->arena, &found);
	if (status == AV_OK)
		*ret_shows = workflow_shows_deadline(ledger, workflow_sight(ctx, view, found, sights));
	return status;
}

static int list_by_due(
	struct av_ctx *ctx, const Avvik__V1__ListDeadlines *list, Avvik__V1__DeadlinesFound *reply)
{
	size_t limit = list->limit ? AV_MIN(list->limit, PAGE_MAX) : PAGE, scanned = 0;
	struct av_bytes after = av_bytes(list->after_key.data, list->after_key.len);
	struct unit_filter filter = {0};
	struct workflow_sights sights = {.count = 0};
	struct workflow_view view;
	struct av_iter it;
	bool shows;
	int status = workflow_view(ctx, &view);

	if (status != AV_OK)
		return status;
	if (after.size != 0 && after.size != 8 + AV_ID_SIZE)
		return workflow_refuse(ctx, AV_INVALID, FAULT(MALFORMED), "after_key",
			"give the next_after_key of the page before, or nothing");
	if (*list->unit && (!view.org || !av_org_unit(view.org, list->unit)))
		return workflow_refuse(ctx, AV_INVALID, FAULT(UNKNOWN_REFERENCE), "unit",
			"the unit is not in the directory that is in force: give the code of one that is");
	reply->deadlines = av_arena_alloc(ctx->arena, limit * sizeof(*reply->deadlines));
	if (!reply->deadlines)
		return AV_MEMORY;
	it = av_iter(ctx->txn, TABLE_DUE, av_bytes(NULL, 0), after);
	while (status == AV_OK && av_iter_next(&it)) {
		struct av_id id, case_id;
		Avvik__V1__Deadline *ledger;

		if (av_bytes_equal(it.key, after))
			continue;
		if (it.key.size != 8 + AV_ID_SIZE || it.value.size < AV_ID_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		if (list->due_before_ms && av_get_u64(it.key.data) >= (uint64_t)list->due_before_ms)
			break;
		if (reply->n_deadlines == limit ||
			scanned++ ==
				SCAN_MAX) { /* the page is full: there is more after what was seen last */
			reply->next_after_key.data = av_arena_copy(ctx->arena, after.data, after.size);
			reply->next_after_key.len = reply->next_after_key.data ? after.size : 0;
			break;
		}
		after = av_bytes(av_arena_copy(ctx->arena, it.key.data, it.key.size), it.key.size);
		if (!after.data) {
			status = AV_MEMORY;
			break;
		}
		if (!unit_wanted(&filter, ctx, &view, list->unit,
			    av_bytes((const char *)it.value.data + AV_ID_SIZE, it.value.size - AV_ID_SIZE)))
			continue;
		memcpy(case_id.bytes, it.value.data, AV_ID_SIZE);
		memcpy(id.bytes, (const char *)it.key.data + 8, AV_ID_SIZE);
		status = deadline_load(ctx->txn, &case_id, &id, ctx->arena, &ledger);
		if (status == AV_OK)
			status = may_show(ctx, &view, &case_id, ledger, &sights, &shows);
		if (status != AV_OK)
			break;
		if (!shows)
			continue;
		ledger->overdue = deadline_overdue(ledger, ctx->now_ms);
		reply->deadlines[reply->n_deadlines++] = ledger;
	}
	av_iter_end(&it);
	return status;
}

int on_list_deadlines(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ListDeadlines *list = (const Avvik__V1__ListDeadlines *)body;
	Avvik__V1__DeadlinesFound *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_DEADLINES_FOUND);

	if (!reply)
		return AV_MEMORY;
	return list->case_id.len ? list_of_case(ctx, list, reply) : list_by_due(ctx, list, reply);
}

/* --- why --- */

static char *names_of(struct av_ctx *ctx, const Avvik__V1__DeadlineRule *rule)
{
	char *text = av_arena_strdup(ctx->arena, "");

	for (size_t i = 0; text && rule && i < rule->n_met_by; i++)
		text = av_arena_printf(ctx->arena, "%s%s%s", text, i ? " eller " : "",
			deadline_anchor_name(rule->met_by[i]));
	return text;
}

static Avvik__V1__Why *explain(
	struct av_ctx *ctx, const struct workflow_view *view, Avvik__V1__Deadline *ledger)
{
	Avvik__V1__Why *why = AV_NEW(ctx->arena, Avvik__V1__Why, avvik__v1__why);
	const struct workflow_pack *pack = workflow_pack(view, ledger->rules_version);
	struct deadline_calendar calendar = deadline_calendar_of(pack ? pack->rules : NULL, ctx->arena);
	const Avvik__V1__DeadlineRule *rule = NULL;

	if (!why)
		return NULL;
	for (size_t i = 0; pack && i < pack->rules->n_deadlines; i++)
		if (strcmp(pack->rules->deadlines[i]->id, ledger->rule) == 0)
			rule = pack->rules->deadlines[i];
	ledger->overdue = deadline_overdue(ledger, ctx->now_ms);
	why->deadline = ledger;
	if (rule) {
		why->name = rule->name;
		why->name_en = rule->name_en;
		why->anchor = (char *)deadline_anchor_name(rule->starts);
	}
	why->consumption = AV_NEW(ctx->arena, Avvik__V1__Consumption, avvik__v1__consumption);
	if (!why->consumption)
		return NULL;
	*why->consumption = deadline_consumption(ledger, &calendar, ctx->now_ms, ctx->arena);
	why->met_by = names_of(ctx, rule);
	if (!why->met_by ||
		deadline_explain(ledger, &calendar, ctx->arena, &why->days, &why->n_days) != AV_OK)
		return NULL;
	return why;
}

int on_get_why(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetWhy *get = (const Avvik__V1__GetWhy *)body;
	Avvik__V1__WhyFound *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_WHY_FOUND);
	struct av_id id = id_of(get->case_id);
	Avvik__V1__Deadline **ledgers;
	struct workflow_view view;
	Avvik__V1__Case *found;
	enum workflow_sight sight = SIGHT_NONE;
	size_t count;
	int status = see_case(ctx, &id, &view, &found, &sight);

	if (!reply)
		return AV_MEMORY;
	if (status == AV_OK)
		status = deadlines_load(ctx->txn, &id, ctx->arena, &ledgers, &count);
	if (status != AV_OK)
		return status;
	reply->number = found->number;
	reply->takeover = sight == SIGHT_ALL ? found->takeover : NULL;
	reply->whys = av_arena_alloc(ctx->arena, count * sizeof(*reply->whys) + 1);
	if (!reply->whys)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++) {
		if ((*get->rule && strcmp(get->rule, ledgers[i]->rule) != 0) ||
			!workflow_shows_deadline(ledgers[i], sight))
			continue;
		reply->whys[reply->n_whys] = explain(ctx, &view, ledgers[i]);
		if (!reply->whys[reply->n_whys++])
			return AV_MEMORY;
	}
	if (*get->rule && reply->n_whys == 0)
		return workflow_refuse(ctx, AV_NOT_FOUND, FAULT(UNKNOWN_REFERENCE), "rule",
			"the case has no deadline of this rule; leave the rule out to see all");
	return AV_OK;
}

/* --- publishers --- */

/* How far the report has come is how far the case has come that it stands under. */
static int follow_joined(
	struct av_ctx *ctx, const Avvik__V1__JoinedInto *into, Avvik__V1__ReportStatusFound *reply)
{
	struct av_id id = id_of(into->case_id);
	Avvik__V1__Case *other;
	int status = case_load(ctx->txn, &id, ctx->arena, &other);

	if (status != AV_OK)
		return status == AV_NOT_FOUND ? AV_DAMAGED : status;
	reply->joined_into = into->number;
	reply->closed = other->state == STATE(CLOSED);
	return AV_OK;
}

/* Others' reports are answered as if they were not there. */
int on_get_report_status(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetReportStatus *get = (const Avvik__V1__GetReportStatus *)body;
	Avvik__V1__ReportStatusFound *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_REPORT_STATUS_FOUND);
	struct av_id id = id_of(get->report_id);
	Avvik__V1__Case *found;
	int status = case_load(ctx->txn, &id, ctx->arena, &found);

	if (!reply)
		return AV_MEMORY;
	if (status == AV_NOT_FOUND ||
		(status == AV_OK && strcmp(found->principal, ctx->principal->name) != 0))
		return workflow_refuse(ctx, AV_NOT_FOUND, FAULT(UNKNOWN_REFERENCE), "report_id",
			"this system has sent no report with this id, or it has not reached the workflow "
			"yet");
	if (status != AV_OK)
		return status;
	reply->report_id = found->case_id;
	reply->number = found->number;
	reply->kind = found->kind;
	reply->state = found->state;
	reply->changed_at_ms = found->changed_at_ms;
	reply->closed = found->state == STATE(CLOSED);
	return found->joined_into ? follow_joined(ctx, found->joined_into, reply) : AV_OK;
}
