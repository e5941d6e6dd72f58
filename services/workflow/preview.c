/* preview.c - what would change for open deadlines if other rules, or another directory, held
 *
 * The same arithmetic as when it happens, on copies: nothing is written. A page looks at so many cases, so
 * that a preview of a hundred thousand deadlines is many short reads. Of a rung only who would be told on its
 * day is compared; the reporter, who acts and who is responsible for a measure do not follow from roles.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define PAGE 200
#define TOLD_MAX AV_ORG_FOUND_MAX

struct preview {
	struct av_ctx *ctx;
	struct workflow_view view;
	const struct workflow_pack *pack; /* the rules to look at; NULL: each case keeps its own */
	const struct av_org *org;	  /* the directory to look at */
	Avvik__V1__PreviewFound *found;
	size_t room;
};

/* --- who is told --- */

static bool add_told(struct av_arena *arena, char **told, size_t *count, const char *person)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(told[i], person) == 0)
			return true;
	if (*count < TOLD_MAX)
		told[(*count)++] = av_arena_strdup(arena, person);
	return *count == 0 || told[*count - 1] != NULL;
}

size_t workflow_assigned(const struct av_org *org, const Avvik__V1__Case *found,
	const Avvik__V1__Recipient *to, av_day day, struct av_org_found ret_found[AV_ORG_FOUND_MAX])
{
	if (!to->assigned || found->kind != AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH ||
		!*found->investigator)
		return 0;
	return av_org_stand_ins(org, found->investigator, day, ret_found);
}

int workflow_told_by(struct av_arena *arena, const struct av_org *org, const Avvik__V1__Case *found,
	const Avvik__V1__RungPlanned *rung, char ***ret_told, size_t *ret_count, bool *ret_nobody)
{
	char **told = av_arena_zalloc(arena, TOLD_MAX * sizeof(*told));
	struct av_org_found people[AV_ORG_FOUND_MAX];
	av_day day = av_local_day(rung->at_ms);
	bool stored = told != NULL;

	*ret_count = 0;
	for (size_t i = 0; stored && i < rung->n_to; i++) {
		const Avvik__V1__Recipient *to = rung->to[i];
		size_t count;
		if (av_org_role_is_special(to->role))
			continue;
		count = org ? workflow_assigned(org, found, to, day, people) : 0;
		if (org && count == 0)
			count = av_org_find(
				org, to->role, found->unit, av_org_level(to->from_level), day, people);
		*ret_nobody |= count == 0;
		for (size_t k = 0; stored && k < count; k++)
			stored = add_told(arena, told, ret_count, people[k].person);
	}
	*ret_told = told;
	return stored ? AV_OK : AV_MEMORY;
}

static bool same_told(const Avvik__V1__RungChange *change)
{
	if (change->n_told_before != change->n_told_after)
		return false;
	for (size_t i = 0; i < change->n_told_before; i++)
		if (strcmp(change->told_before[i], change->told_after[i]) != 0)
			return false;
	return true;
}

/* --- one deadline --- */

static bool to_come(const Avvik__V1__RungPlanned *rung)
{
	return !rung->fired_at_ms && !rung->passed_over;
}

/* AV_NOTHING: this rung stays as it is. */
static int compare_rung(struct preview *preview, const Avvik__V1__RungPlanned *before,
	const Avvik__V1__RungPlanned *after, const Avvik__V1__Case *found, Avvik__V1__RungChange **ret_change)
{
	Avvik__V1__RungChange *change =
		AV_NEW(preview->ctx->arena, Avvik__V1__RungChange, avvik__v1__rung_change);
	bool nobody_before = false, nobody = false;
	int status = change ? AV_OK : AV_MEMORY;

	if (status == AV_OK && before && to_come(before))
		status = workflow_told_by(preview->ctx->arena, preview->view.org, found, before,
			&change->told_before, &change->n_told_before, &nobody_before);
	if (status == AV_OK && after && to_come(after))
		status = workflow_told_by(preview->ctx->arena, preview->org, found, after,
			&change->told_after, &change->n_told_after, &nobody);
	if (status != AV_OK)
		return status;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): one of them is there */
	change->kind = after ? after->kind : before->kind;
	change->at_before_ms = before && to_come(before) ? before->at_ms : 0;
	change->at_after_ms = after && to_come(after) ? after->at_ms : 0;
	change->reaches_nobody = nobody;
	*ret_change = change;
	return change->at_before_ms == change->at_after_ms && same_told(change) && !nobody ? AV_NOTHING
											   : AV_OK;
}

static int compare_rungs(struct preview *preview, const Avvik__V1__Deadline *before,
	const Avvik__V1__Deadline *after, const Avvik__V1__Case *found, Avvik__V1__DeadlineChange *change)
{
	size_t count = AV_MAX(before->n_rungs, after->n_rungs);
	int status = AV_OK;

	change->rungs = av_arena_alloc(preview->ctx->arena, count * sizeof(*change->rungs) + 1);
	if (!change->rungs)
		return AV_MEMORY;
	for (size_t i = 0; status >= 0 && i < count; i++) {
		status = compare_rung(preview, i < before->n_rungs ? before->rungs[i] : NULL,
			i < after->n_rungs ? after->rungs[i] : NULL, found, &change->rungs[change->n_rungs]);
		change->n_rungs += status == AV_OK;
	}
	return status < 0 ? status : AV_OK;
}

static int add_change(struct preview *preview, Avvik__V1__DeadlineChange *change)
{
	Avvik__V1__PreviewFound *found = preview->found;

	if (found->n_changes == preview->room) {
		size_t room = AV_MAX(2 * preview->room, 64u);
		Avvik__V1__DeadlineChange **more = av_arena_alloc(preview->ctx->arena, room * sizeof(*more));
		if (!more)
			return AV_MEMORY;
		if (found->n_changes)
			memcpy(more, found->changes, found->n_changes * sizeof(*more));
		found->changes = more;
		preview->room = room;
	}
	found->changes[found->n_changes++] = change;
	return AV_OK;
}

static const Avvik__V1__DeadlineRule *rule_in(const struct workflow_pack *pack, const char *id)
{
	for (size_t i = 0; pack && i < pack->rules->n_deadlines; i++)
		if (strcmp(pack->rules->deadlines[i]->id, id) == 0)
			return pack->rules->deadlines[i];
	return NULL;
}

static int compare_deadline(struct preview *preview, const Avvik__V1__Case *found,
	const Avvik__V1__Deadline *before, const struct workflow_pack *pack)
{
	struct av_arena *arena = preview->ctx->arena;
	Avvik__V1__DeadlineChange *change =
		AV_NEW(arena, Avvik__V1__DeadlineChange, avvik__v1__deadline_change);
	Avvik__V1__Deadline *after = av_arena_copy(arena, before, sizeof(*before));
	const Avvik__V1__DeadlineRule *rule = rule_in(pack, before->rule);
	int status = change && after ? AV_OK : AV_MEMORY;

	if (status == AV_OK && pack && rule) {
		deadline_adopt(rule, after);
		status = deadline_replan(rule, &pack->calendar, preview->ctx->now_ms, arena, after);
	}
	if (status == AV_OK && pack && rule)
		deadline_forget_ahead(
			after, preview->ctx->now_ms); /* said again, by one that takes its place */
	if (status == AV_OK)
		status = compare_rungs(preview, before, after, found, change);
	if (status != AV_OK)
		return status;
	change->number = before->number;
	change->rule = before->rule;
	change->unit_code = before->unit_code;
	change->deadline_id = before->deadline_id;
	change->due_before_on = before->due_on;
	change->due_after_on = after->due_on;
	change->rules_before = before->rules_version;
	change->rules_after = pack && rule ? pack->rules->version : before->rules_version;
	change->rule_missing = pack && !rule;
	return change->n_rungs || change->due_before_on != change->due_after_on || change->rule_missing
		       ? add_change(preview, change)
		       : AV_OK;
}

/* --- the cases --- */

bool workflow_goes_over(const Avvik__V1__Case *found, const Avvik__V1__RulePack *rules)
{
	av_day day = av_local_day(found->received_at_ms);

	return found->state != AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED && rules->valid_from_on <= day &&
	       (!rules->valid_until_on || rules->valid_until_on >= day) &&
	       strcmp(found->rules_version, rules->version) != 0;
}

static int look_at(struct preview *preview, const struct av_id *id)
{
	const struct workflow_pack *pack = preview->pack;
	Avvik__V1__Deadline **deadlines;
	Avvik__V1__Case *found;
	size_t count;
	bool concerned;
	int status = case_load(preview->ctx->txn, id, preview->ctx->arena, &found);

	if (status != AV_OK || (pack && !workflow_goes_over(found, pack->rules)))
		return status;
	concerned = found->state != AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED; /* or by what outlives it */
	status = deadlines_load(preview->ctx->txn, id, preview->ctx->arena, &deadlines, &count);
	for (size_t i = 0; status == AV_OK && i < count; i++) {
		if (!deadline_running(deadlines[i]))
			continue; /* one that stands still is planned when it goes on */
		concerned = true;
		preview->found->deadlines++;
		status = compare_deadline(preview, found, deadlines[i], pack);
	}
	preview->found->cases += concerned;
	return status;
}

static int look(struct preview *preview, ProtobufCBinaryData after, uint32_t limit)
{
	struct av_iter it =
		av_iter(preview->ctx->txn, TABLE_CASES, av_bytes(NULL, 0), av_bytes(after.data, after.len));
	size_t left = limit ? limit : PAGE;
	struct av_id id = {0};
	int status = AV_OK;

	while (status == AV_OK && av_iter_next(&it)) {
		if (it.key.size != AV_ID_SIZE)
			status = AV_DAMAGED;
		else if (after.len == AV_ID_SIZE && memcmp(it.key.data, after.data, AV_ID_SIZE) == 0)
			continue;
		else if (left-- == 0)
			break;
		if (status != AV_OK)
			break;
		memcpy(id.bytes, it.key.data, AV_ID_SIZE);
		status = look_at(preview, &id);
		if (status == AV_OK && left == 0)
			preview->found->next_after_case_id = id_data(&id, preview->ctx->arena);
	}
	av_iter_end(&it);
	return status;
}

int on_preview_rules(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__PreviewRules *query = (const Avvik__V1__PreviewRules *)body;
	struct workflow_pack pack = {
		.rules = query->rules, .calendar = deadline_calendar_of(query->rules, ctx->arena)};
	struct preview preview = {
		.ctx = ctx, .pack = &pack, .found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_PREVIEW_FOUND)};
	int status = preview.found ? workflow_view(ctx, &preview.view) : AV_MEMORY;

	preview.org = preview.view.org;
	return status == AV_OK ? look(&preview, query->after_case_id, query->limit) : status;
}

int on_preview_directory(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__PreviewDirectory *query = (const Avvik__V1__PreviewDirectory *)body;
	struct preview preview = {.ctx = ctx,
		.org = av_org_create(query->directory, ctx->arena),
		.found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_PREVIEW_FOUND)};
	int status = preview.found && preview.org ? workflow_view(ctx, &preview.view) : AV_MEMORY;

	return status == AV_OK ? look(&preview, query->after_case_id, query->limit) : status;
}
