/* act_join.c - several reports of one event: joined under one case, parted again, or said to be different events
 *
 * The case that is joined keeps its report, its number and its receipts; its deadlines end, and the other case goes
 * on for both. What the law counts from a receipt is counted there from the first of them: an open deadline of the
 * other case moves to the earlier anchor of the same rule. It keeps the event that told its own anchor, so that
 * parting finds its way back. A case that is parted goes on where it was, with the deadlines that it had then;
 * nothing is said of what passed in between.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

static bool same_id(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* --- the other case --- */

static ProtobufCBinaryData other_in(const struct act *act, const char **ret_path)
{
	*ret_path = "case_id";
	switch (act->order->act_case) {
	case ACT(JOIN):
		*ret_path = "join.into_case_id";
		return act->order->join->into_case_id;
	case ACT(DISMISS_DUPLICATE):
		*ret_path = "dismiss_duplicate.other_case_id";
		return act->order->dismiss_duplicate->other_case_id;
	case ACT(PART):
		if (act->found->joined_into)
			return act->found->joined_into->case_id;
		break;
	default:
		break;
	}
	return (ProtobufCBinaryData){0, NULL};
}

/* Whoever joins a report to a case has the right for that case too, and has seen it as it is. */
static int may_join_to(struct act *act)
{
	uint64_t seen = act->order->join->into_version_seen;
	int status;

	if (!act->other_pack)
		return workflow_refuse(act->ctx, AV_CLOSED, FAULT(WRONG_STATE), "join.into_case_id",
			"no rule pack covers the day the other case was received: an administrator publishes "
			"one");
	status = workflow_may_act(
		act->ctx, &act->view, act->other_pack, act->other, "join", act->other->unit, NULL);
	if (status != AV_OK || seen == act->other->version)
		return status;
	return workflow_refuse(act->ctx, AV_STALE, FAULT(STALE_VERSION), "join.into_version_seen",
		"the other case has changed since version %llu was read: read it again, the current version "
		"is "
		"%llu",
		(unsigned long long)seen, (unsigned long long)act->other->version);
}

int act_open_other(struct act *act)
{
	const char *path;
	ProtobufCBinaryData id = other_in(act, &path);
	struct av_id other_id = id_of(id);
	int status;

	if (!id.len)
		return AV_OK;
	status = case_load(act->ctx->txn, &other_id, act->ctx->arena, &act->other);
	if (status == AV_NOT_FOUND)
		return workflow_refuse(
			act->ctx, status, FAULT(UNKNOWN_REFERENCE), path, "there is no case with this id");
	if (status != AV_OK || act->order->act_case == ACT(PART)) {
		if (status == AV_OK)
			act->other_pack = workflow_pack(&act->view, act->other->rules_version);
		return status;
	}
	if (!workflow_sees_case(act->ctx, &act->view, act->other))
		return workflow_refuse(act->ctx, AV_FORBIDDEN, FAULT(NOT_ALLOWED), path,
			"this system may not act for the unit of the other case; an administrator gives it "
			"the unit in the principals file");
	act->other_pack = workflow_pack(&act->view, act->other->rules_version);
	return act->order->act_case == ACT(JOIN) ? may_join_to(act) : AV_OK;
}

static enum case_guard check_dismiss(const struct act *act)
{
	const Avvik__V1__Case *found = act->found, *other = act->other;

	if (case_has_id(found->dismissed, found->n_dismissed, other->case_id) ||
		case_has_id(other->dismissed, other->n_dismissed, found->case_id))
		return CASE_GUARD_DUPLICATE_DISMISSED;
	for (size_t i = 0; i < found->n_duplicates; i++)
		if (same_id(found->duplicates[i]->case_id, other->case_id))
			return CASE_ALLOWED;
	return CASE_GUARD_DUPLICATE_UNKNOWN;
}

int act_read_other(struct act *act)
{
	struct workflow_sights sights = {.count = 0};
	int status = AV_OK;

	if (act->order->act_case == ACT(JOIN))
		act->intent.other = case_check_join(act->found, act->other);
	if (act->order->act_case == ACT(DISMISS_DUPLICATE)) {
		status = duplicates_find(act->ctx, &act->view, act->found, DUPLICATES_LOOKED_AT, &sights);
		act->intent.other = check_dismiss(act);
	}
	return status;
}

/* What the act is to the other case. */
static struct av_id tell_other(struct act *act, ProtobufCBinaryData case_id, unsigned int number, void *body,
	const struct av_id *because)
{
	struct av_id id = id_of(case_id), trace = id_of(act->other ? act->other->trace_id : case_id);
	struct av_emit_options options = {.case_id = &id,
		.occurred_at_ms = act->acted_at_ms,
		.cause_id = because,
		.role = act->role,
		.trace_id = act->other && act->other->trace_id.len ? &trace : NULL};

	return av_emit(act->ctx, number, body, &options);
}

/* --- deadlines of both --- */

static int ledgers_of(struct act *act, const Avvik__V1__Case *found, const struct workflow_pack *pack,
	struct ledgers *ret_ledgers)
{
	*ret_ledgers = (struct ledgers){.ctx = act->ctx,
		.pack = pack,
		.case_id = id_of(found->case_id),
		.kind = found->kind,
		.unit = found->unit,
		.number = found->number};
	return ledgers_load(ret_ledgers);
}

/* The last of a rule that no other has taken the place of; NULL: the case never had one. */
static const Avvik__V1__Deadline *last_of(const struct ledgers *ledgers, const char *rule)
{
	for (size_t i = ledgers->count; i-- > 0;)
		if (strcmp(ledgers->items[i]->rule, rule) == 0 &&
			ledgers->items[i]->state != AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_SUPERSEDED)
			return ledgers->items[i];
	return NULL;
}

/* Counted from what is the same for both: the receipt, or that the event was found serious. */
static bool of_the_event(const struct ledgers *ledgers, const Avvik__V1__Deadline *ledger)
{
	const Avvik__V1__DeadlineRule *rule = ledgers_rule(ledgers, ledger->rule);

	return rule && !rule->per_measure && deadline_open(ledger) &&
	       (rule->starts == ANCHOR(RECEIVED) || rule->starts == ANCHOR(SERIOUS));
}

/* The anchor that the case had by itself: of the first in the line that was told by the same event. */
static int64_t own_anchor(const struct ledgers *ledgers, const Avvik__V1__Deadline *ledger)
{
	for (size_t i = ledgers->count; i-- > 0;) {
		const Avvik__V1__Deadline *before = ledgers->items[i];
		if (same_id(ledger->supersedes, before->deadline_id) &&
			same_id(ledger->anchor_event_id, before->anchor_event_id))
			ledger = before; /* it stands before it: ids grow */
	}
	return ledger->anchor_at_ms;
}

/* The first of the case's own anchor and those of the reports that stand under it. `joined`: the ledgers of each. */
static int take_first_anchors(
	struct ledgers *into, const struct ledgers *joined, size_t count, const struct av_id *because)
{
	size_t known = into->count; /* without those that take another's place */
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < known; i++) {
		Avvik__V1__Deadline *ledger = into->items[i];
		int64_t first;

		if (!of_the_event(into, ledger))
			continue;
		first = own_anchor(into, ledger);
		for (size_t k = 0; k < count; k++) {
			const Avvik__V1__Deadline *other = last_of(&joined[k], ledger->rule);
			first = other ? AV_MIN(first, other->anchor_at_ms) : first;
		}
		if (first != ledger->anchor_at_ms)
			status = ledgers_move(into, ledger, first, NULL, because);
	}
	return status;
}

/* The other case with those that stand under it now: all that did, with `more` or without `less`. */
static int count_from_first(
	struct act *act, const struct ledgers *more, const Avvik__V1__Case *less, const struct av_id *because)
{
	const Avvik__V1__Case *other = act->other;
	struct ledgers into,
		*joined = av_arena_alloc(act->ctx->arena, (other->n_joined + 1) * sizeof(*joined));
	size_t count = 0;
	int status = joined ? ledgers_of(act, other, act->other_pack, &into) : AV_MEMORY;

	for (size_t i = 0; status == AV_OK && i < other->n_joined; i++) {
		if (less && same_id(other->joined[i]->case_id, less->case_id))
			continue;
		joined[count] =
			(struct ledgers){.ctx = act->ctx, .case_id = id_of(other->joined[i]->case_id)};
		status = ledgers_load(&joined[count++]);
	}
	if (status == AV_OK && more)
		joined[count++] = *more;
	return status == AV_OK ? take_first_anchors(&into, joined, count, because) : status;
}

/* --- join --- */

static void check_join(struct act *act)
{
	act_need(act, act->order->join->motive, "motive", "how it is known to be the same event");
	if (act->other && act->acted_at_ms < act->other->received_at_ms)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "into_case_id",
			"the act lies before the report of the other case was received: give the time when "
			"it was done");
}

/* What ends with it, so that parting knows what is to go on. */
static int list_ending(struct act *act, Avvik__V1__CaseJoined *joined)
{
	const struct ledgers *ledgers = &act->ledgers;

	joined->deadline_ids =
		av_arena_alloc(act->ctx->arena, ledgers->count * sizeof(*joined->deadline_ids) + 1);
	if (!joined->deadline_ids)
		return AV_MEMORY;
	for (size_t i = 0; i < ledgers->count; i++) {
		const Avvik__V1__DeadlineRule *rule = ledgers_rule(ledgers, ledgers->items[i]->rule);
		if (deadline_open(ledgers->items[i]) && !(rule && rule->outlives_closing))
			joined->deadline_ids[joined->n_deadline_ids++] = ledgers->items[i]->deadline_id;
	}
	return AV_OK;
}

/* What was done for the event in the one case is not recorded in the other by itself. */
static int warn_of_work(struct act *act)
{
	const Avvik__V1__Case *found = act->found, *other = act->other;
	int status = AV_OK;

	if (found->remedied && !other->remedied)
		status = act_warn(act, "join.into_case_id",
			"this case was remedied and the other one was not: record the remedy there too");
	if (status == AV_OK && found->affected && !other->affected)
		status = act_warn(act, "join.into_case_id",
			"who is affected was informed in this case: record it in the other one too");
	if (status == AV_OK && (found->n_entries || found->n_measures))
		status = act_warn(act, "join.into_case_id",
			"an investigation had begun in this case: what is to count is recorded in the other "
			"one, and the document shows both reports");
	return status;
}

static int write_join(struct act *act)
{
	Avvik__V1__CaseJoined *joined = ACT_NEW(act, CaseJoined, case_joined);
	Avvik__V1__OtherJoined *other = ACT_NEW(act, OtherJoined, other_joined);
	int status = joined && other ? act_seal(act, act->order->join->motive, &joined->content) : AV_MEMORY;
	struct av_id id, other_event;

	if (status == AV_OK)
		status = list_ending(act, joined);
	if (status != AV_OK)
		return status;
	joined->into_case_id = act->other->case_id;
	joined->into_number = act->other->number;
	joined->state_before = act->found->state;
	joined->state = act->next;
	id = act_emit(act, EVENT(CASE_JOINED), joined);
	other->other_case_id = act->found->case_id;
	other->other_number = act->found->number;
	other->received_at_ms = act->found->received_at_ms;
	other_event = tell_other(act, act->other->case_id, EVENT(OTHER_JOINED), other, &id);
	status = ledgers_cancel(&act->ledgers, false, ANCHOR(JOINED), &id);
	if (status == AV_OK)
		status = count_from_first(act, &act->ledgers, NULL, &other_event);
	return status == AV_OK ? warn_of_work(act) : status;
}

/* --- part --- */

static void check_part(struct act *act)
{
	act_need(act, act->order->part->motive, "motive", "why it was not the same event");
}

static int go_on(struct act *act, const struct av_id *because)
{
	const Avvik__V1__JoinedInto *into = act->found->joined_into;
	struct ledgers *ledgers = &act->ledgers;
	size_t known = ledgers->count;
	int status = AV_OK;

	for (size_t i = 0; status == AV_OK && i < known; i++) {
		Avvik__V1__Deadline *ledger = ledgers->items[i];
		if (case_has_id(into->deadline_ids, into->n_deadline_ids, ledger->deadline_id) &&
			ledger->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_CANCELLED &&
			ledgers_rule(ledgers, ledger->rule))
			status = ledgers_again(ledgers, ledger, because);
	}
	return status;
}

static int write_part(struct act *act)
{
	Avvik__V1__CaseParted *parted = ACT_NEW(act, CaseParted, case_parted);
	Avvik__V1__OtherParted *other = ACT_NEW(act, OtherParted, other_parted);
	int status = parted && other ? act_seal(act, act->order->part->motive, &parted->content) : AV_MEMORY;
	struct av_id id, other_event;

	if (status != AV_OK)
		return status;
	parted->from_case_id = act->other->case_id;
	parted->from_number = act->other->number;
	parted->state = act->next;
	id = act_emit(act, EVENT(CASE_PARTED), parted);
	status = go_on(act, &id);
	if (status != AV_OK)
		return status;
	other->other_case_id = act->found->case_id;
	other->other_number = act->found->number;
	other_event = tell_other(act, act->other->case_id, EVENT(OTHER_PARTED), other, &id);
	return count_from_first(act, NULL, act->found, &other_event);
}

/* --- dismissed; closed --- */

static int write_dismiss(struct act *act)
{
	Avvik__V1__DuplicateDismissed *dismissed = ACT_NEW(act, DuplicateDismissed, duplicate_dismissed);

	if (!dismissed)
		return AV_MEMORY;
	dismissed->other_case_id = act->other->case_id;
	dismissed->other_number = act->other->number;
	return act_tell(act, EVENT(DUPLICATE_DISMISSED), dismissed, 0, NULL);
}

int act_close_joined(struct act *act, const struct av_id *because)
{
	for (size_t i = 0; i < act->found->n_joined; i++) {
		Avvik__V1__JoinedCaseClosed *closed = ACT_NEW(act, JoinedCaseClosed, joined_case_closed);
		if (!closed)
			return AV_MEMORY;
		closed->into_case_id = act->found->case_id;
		closed->into_number = act->found->number;
		tell_other(act, act->found->joined[i]->case_id, EVENT(JOINED_CASE_CLOSED), closed, because);
	}
	return AV_OK;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(JOIN),              "join",              check_join, write_join },
	{ ACT(PART),              "part",              check_part, write_part },
	{ ACT(DISMISS_DUPLICATE), "dismiss_duplicate", NULL,       write_dismiss },
}; /* clang-format on */
const struct act_rows act_rows_join = {rows, AV_COUNT(rows)};
