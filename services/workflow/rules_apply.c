/* rules_apply.c - open cases go over to another rule pack
 *
 * In portions, in the order of the cases' ids: what is left is one record, and each portion tells how far it
 * came, so that after a crash it goes on there. A case keeps the legal reference it was received under.
 * Deadlines whose rule the pack does not have would lose it: such a pack is refused.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

static bool has_rule(const Avvik__V1__RulePack *rules, const char *id)
{
	for (size_t i = 0; i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, id) == 0)
			return true;
	return false;
}

static bool overlap(const Avvik__V1__RulePack *a, const Avvik__V1__RulePack *b)
{
	return (!a->valid_until_on || b->valid_from_on <= a->valid_until_on) &&
	       (!b->valid_until_on || a->valid_from_on <= b->valid_until_on);
}

static int check_rules(struct av_ctx *ctx, const struct workflow_view *view, const Avvik__V1__RulePack *rules)
{
	for (size_t i = 0; i < view->pack_count; i++)
		for (size_t k = 0; k < view->packs[i].rules->n_deadlines; k++) {
			const char *id = view->packs[i].rules->deadlines[k]->id;
			if (overlap(view->packs[i].rules, rules) && !has_rule(rules, id))
				return workflow_refuse(ctx, AV_INVALID, FAULT(CONTRADICTION), "version",
					"rule_missing: open cases may have the deadline %s of the rule pack "
					"%s, which this "
					"pack does not have: add it, and publish the pack under another "
					"version",
					id, view->packs[i].rules->version);
		}
	return AV_OK;
}

int on_apply_rules(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ApplyRules *order = (const Avvik__V1__ApplyRules *)body;
	Avvik__V1__RulesApplied *applied =
		AV_NEW(ctx->arena, Avvik__V1__RulesApplied, avvik__v1__rules_applied);
	Avvik__V1__ReasonGiven *reason = AV_NEW(ctx->arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
	Avvik__V1__RulesApplying *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_RULES_APPLYING);
	const struct workflow_pack *pack;
	struct workflow_view view;
	int status = applied && reason && reply ? workflow_view(ctx, &view) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	pack = workflow_pack(&view, order->version);
	if (!pack)
		return workflow_refuse(ctx, AV_NOT_FOUND, FAULT(UNKNOWN_REFERENCE), "version",
			"no rule pack of this version has reached the workflow: publish it first");
	if (av_table_count(ctx->txn, TABLE_APPLYING) > 0)
		return workflow_refuse(ctx, AV_CLOSED, FAULT(WRONG_STATE), "version",
			"open cases are going over to a rule pack already: wait until that is done");
	status = check_rules(ctx, &view, pack->rules);
	if (status != AV_OK)
		return status;
	reason->text = order->reason;
	applied->version = order->version;
	applied->reason = reason;
	reply->version = order->version;
	av_emit(ctx, EVENT(RULES_APPLIED), applied, NULL);
	return AV_OK;
}

/* --- a portion --- */

static int go_over(struct av_ctx *ctx, const struct workflow_pack *pack, const Avvik__V1__Case *found,
	const struct av_id *case_id, uint32_t *deadlines)
{
	Avvik__V1__CaseRulesSet *set = AV_NEW(ctx->arena, Avvik__V1__CaseRulesSet, avvik__v1__case_rules_set);
	struct ledgers ledgers = {.ctx = ctx,
		.pack = pack,
		.case_id = *case_id,
		.kind = found->kind,
		.unit = found->unit,
		.number = found->number};
	struct av_emit_options options = {.case_id = case_id};
	size_t count;
	struct av_id id;
	int status;

	if (!set)
		return AV_MEMORY;
	set->rules_version = pack->rules->version;
	set->legal_reference = found->legal_reference;
	id = av_emit(ctx, EVENT(CASE_RULES_SET), set, &options);
	status = ledgers_load(&ledgers);
	count = ledgers.count;
	for (size_t i = 0; status == AV_OK && i < count; i++) {
		Avvik__V1__Deadline *ledger = ledgers.items[i];
		const Avvik__V1__DeadlineRule *rule = ledgers_rule(&ledgers, ledger->rule);
		if (!rule || !deadline_running(ledger))
			continue;
		deadline_adopt(rule, ledger);
		status = ledgers_replan(&ledgers, ledger, ledger->due_at_ms, &id);
		++*deadlines;
	}
	return status;
}

static int tell_portion(struct av_ctx *ctx, Avvik__V1__RulesApplied *applied)
{
	Avvik__V1__RulesApplied *told = av_arena_copy(ctx->arena, applied, sizeof(*applied));
	if (!told)
		return AV_MEMORY;
	av_emit(ctx, EVENT(RULES_APPLIED), told, NULL);
	return AV_OK;
}

/* The next case to look at. */
static bool next_case(struct av_iter *it, const Avvik__V1__RulesApplied *left, struct av_id *ret_id)
{
	bool more = av_iter_next(it);

	if (more && left->through_case_id.len == AV_ID_SIZE && it->key.size == AV_ID_SIZE &&
		memcmp(it->key.data, left->through_case_id.data, AV_ID_SIZE) == 0)
		more = av_iter_next(it);
	if (more && it->key.size == AV_ID_SIZE)
		memcpy(ret_id->bytes, it->key.data, AV_ID_SIZE);
	else if (more)
		av_txn_fail(it->txn, AV_DAMAGED);
	return more && it->key.size == AV_ID_SIZE;
}

int workflow_apply_rules(struct av_ctx *ctx, unsigned int limit, bool *ret_worked)
{
	Avvik__V1__RulesApplied applied = AVVIK__V1__RULES_APPLIED__INIT, *left;
	const struct workflow_pack *pack;
	struct workflow_view view;
	struct av_id id = {0};
	struct av_iter it;
	int status = applying_load(ctx->txn, ctx->arena, &left);

	*ret_worked = status != AV_NOT_FOUND;
	if (status == AV_NOT_FOUND)
		return AV_OK;
	if (status == AV_OK)
		status = workflow_view(ctx, &view);
	if (status != AV_OK)
		return status;
	pack = workflow_pack(&view, left->version);
	if (!pack)
		return AV_DAMAGED;
	id = id_of(left->through_case_id);
	it = av_iter(ctx->txn, TABLE_CASES, av_bytes(NULL, 0),
		av_bytes(left->through_case_id.data, left->through_case_id.len));
	while (status == AV_OK && !applied.done && av_emitted(ctx) + ctx->let_be < limit) {
		Avvik__V1__Case *found;
		applied.done = !next_case(&it, left, &id);
		if (applied.done)
			break;
		status = case_load(ctx->txn, &id, ctx->arena, &found);
		if (status != AV_OK || !workflow_goes_over(found, pack->rules)) {
			ctx->let_be++;
			continue;
		}
		applied.cases++;
		status = go_over(ctx, pack, found, &id, &applied.deadlines);
	}
	av_iter_end(&it);
	if (status == AV_OK)
		status = AV_MIN(av_txn_error(ctx->txn), AV_OK);
	if (status != AV_OK)
		return status;
	applied.version = left->version;
	applied.through_case_id = id_data(&id, ctx->arena);
	return tell_portion(ctx, &applied);
}
