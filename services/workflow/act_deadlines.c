/* act_deadlines.c - the acts on one deadline of a case: it stands still, goes on, gets more time
 *
 * What the rule allows is decided by deadline_rules.c; here the deadline is found, and its motive is sealed.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

static const ProtobufCBinaryData *id_in(const Avvik__V1__ActOnCase *order)
{
	switch (order->act_case) {
	case ACT(STOP_DEADLINE):
		return &order->stop_deadline->deadline_id;
	case ACT(RESUME_DEADLINE):
		return &order->resume_deadline->deadline_id;
	case ACT(EXTEND_DEADLINE):
		return &order->extend_deadline->deadline_id;
	default:
		return NULL;
	}
}

static enum deadline_change may(const struct act *act)
{
	const Avvik__V1__ActOnCase *order = act->order;
	const Avvik__V1__DeadlineRule *rule = ledgers_rule(&act->ledgers, act->deadline->rule);

	switch (order->act_case) {
	case ACT(STOP_DEADLINE):
		return deadline_may_stop(act->deadline,
			rule ? deadline_stop_rule(rule, order->stop_deadline->reason) : NULL,
			act->acted_at_ms);
	case ACT(RESUME_DEADLINE):
		return deadline_may_resume(act->deadline, act->acted_at_ms);
	default:
		return rule ? deadline_may_extend(act->deadline, rule, order->extend_deadline->count)
			    : DEADLINE_TOO_LONG;
	}
}

void act_find_deadline(struct act *act)
{
	static const enum case_guard guards[] = {
		[DEADLINE_MAY] = CASE_ALLOWED,
		[DEADLINE_ENDED] = CASE_GUARD_DEADLINE_ENDED,
		[DEADLINE_STANDS] = CASE_GUARD_DEADLINE_STANDS,
		[DEADLINE_RUNS] = CASE_GUARD_DEADLINE_RUNS,
		[DEADLINE_NOT_FOR_THAT] = CASE_GUARD_DEADLINE_FIXED,
		[DEADLINE_PAST] = CASE_GUARD_DEADLINE_PAST,
		[DEADLINE_TOO_EARLY] = CASE_GUARD_DEADLINE_EARLY,
		[DEADLINE_TOO_LONG] = CASE_GUARD_DEADLINE_LONG,
	};
	const ProtobufCBinaryData *id = id_in(act->order);

	for (size_t i = 0; id && i < act->ledgers.count && !act->deadline; i++)
		if (act->ledgers.items[i]->deadline_id.len == id->len &&
			memcmp(act->ledgers.items[i]->deadline_id.data, id->data, id->len) == 0)
			act->deadline = act->ledgers.items[i];
	if (id)
		act->intent.deadline = act->deadline ? guards[may(act)] : CASE_GUARD_DEADLINE_UNKNOWN;
}

static void check_stop(struct act *act)
{
	const Avvik__V1__StopDeadline *stop = act->order->stop_deadline;
	const Avvik__V1__RulePack *rules = act->pack->rules;

	act_need_code(
		act, rules->stop_reasons, rules->n_stop_reasons, stop->reason, "reason", "stop reasons");
}

static int write_stop(struct act *act)
{
	const Avvik__V1__StopDeadline *stop = act->order->stop_deadline;
	Avvik__V1__ContentRef *content;
	int status = act_seal(act, stop->motive, &content);

	return status == AV_OK ? ledgers_stop(&act->ledgers, act->deadline, stop->reason, act->acted_at_ms,
					 content, NULL)
			       : status;
}

static int write_resume(struct act *act)
{
	Avvik__V1__ContentRef *content;
	int status = act_seal(act, act->order->resume_deadline->motive, &content);

	return status == AV_OK ? ledgers_resume(&act->ledgers, act->deadline, act->acted_at_ms, content, NULL)
			       : status;
}

static int write_extend(struct act *act)
{
	const Avvik__V1__ExtendDeadline *extend = act->order->extend_deadline;
	Avvik__V1__ContentRef *content;
	int status = act_seal(act, extend->motive, &content);

	return status == AV_OK ? ledgers_extend(&act->ledgers, act->deadline, extend->count, content,
					 act->acted_at_ms)
			       : status;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(STOP_DEADLINE),   "stop_deadline",   check_stop,   write_stop },
	{ ACT(RESUME_DEADLINE), "resume_deadline", NULL,         write_resume },
	{ ACT(EXTEND_DEADLINE), "extend_deadline", NULL,         write_extend },
}; /* clang-format on */
const struct act_rows act_rows_deadlines = {rows, AV_COUNT(rows)};
