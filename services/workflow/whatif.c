/* whatif.c - what would have been different if other rules had held
 *
 * A deadline's record is its history: anchor, stops, extensions, end, the rungs that fired, and those whose place it took. It is
 * run again from the first anchor by the other pack, with the same functions that set, stop, resume and plan it when it happened,
 * and what would have fired until it ended (or until now) is held against what did. Read in the transaction of a query: nothing is written, and a page
 * looks at so many cases.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define PAGE 200
#define DIFFERENT_MAX 1000

struct whatif {
	struct av_ctx *ctx;
	const Avvik__V1__WhatIf *query;
	struct workflow_view view;
	struct workflow_pack pack;
	const struct av_org *org; /* to look in; NULL: roles alone */
	Avvik__V1__WhatIfFound *found;
	size_t room;
	bool overdue_before, overdue_after; /* of the case under way */
};

static const Avvik__V1__DeadlineRule *rule_in(const Avvik__V1__RulePack *rules, const char *id)
{
	for (size_t i = 0; rules && i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, id) == 0)
			return rules->deadlines[i];
	return NULL;
}

/* --- once more, from the anchor --- */

static void fire_until(Avvik__V1__Deadline *ledger, int64_t until_ms)
{
	int64_t at_ms;
	size_t rung;

	while (deadline_next_rung(ledger, &rung, &at_ms) && at_ms <= until_ms)
		ledger->rungs[rung]->fired_at_ms = at_ms;
}

/* A day that was spoken of and lies ahead again is spoken of again, as by the deadline that takes its place. */
static int replan(const struct whatif *whatif, const Avvik__V1__DeadlineRule *rule,
	Avvik__V1__Deadline *ledger, int64_t now_ms)
{
	int status = deadline_replan(rule, &whatif->pack.calendar, now_ms, whatif->ctx->arena, ledger);

	if (status == AV_OK && deadline_speaks_again(ledger, now_ms))
		deadline_forget_ahead(ledger, now_ms);
	return status;
}

/* Of a case that was taken over nothing is said of the past, whatever the rules. */
static bool past_is_silent(const Avvik__V1__Deadline *recorded)
{
	for (size_t i = 0; i < recorded->n_rungs; i++)
		if (recorded->rungs[i]->kind == AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE &&
			recorded->rungs[i]->passed_over)
			return true;
	return false;
}

/* A line: the deadlines of which each took the place of the one before it, the first of them first. */
struct line {
	const Avvik__V1__Deadline **items;
	size_t count;
};

static int64_t set_at(const Avvik__V1__Deadline *ledger)
{
	struct av_id id = id_of(ledger->deadline_id);
	return av_id_ms(&id);
}

static const Avvik__V1__Deadline *before(
	Avvik__V1__Deadline *const *all, size_t count, const Avvik__V1__Deadline *ledger)
{
	for (size_t i = 0; ledger->supersedes.len && i < count; i++)
		if (all[i] != ledger && all[i]->deadline_id.len == ledger->supersedes.len &&
			memcmp(all[i]->deadline_id.data, ledger->supersedes.data, ledger->supersedes.len) ==
				0)
			return all[i];
	return NULL;
}

static int line_of(struct av_arena *arena, Avvik__V1__Deadline *const *all, size_t count,
	const Avvik__V1__Deadline *last, struct line *ret_line)
{
	size_t at = count;

	ret_line->items = av_arena_alloc(arena, count * sizeof(*ret_line->items));
	if (!ret_line->items)
		return AV_MEMORY;
	for (const Avvik__V1__Deadline *ledger = last; ledger && at > 0; ledger = before(all, count, ledger))
		ret_line->items[--at] = ledger;
	ret_line->items += at;
	ret_line->count = count - at;
	return AV_OK;
}

/* Its stops and resumptions until a time. *next counts both. */
static int run_stops(const struct whatif *whatif, const Avvik__V1__DeadlineRule *rule,
	const Avvik__V1__Deadline *recorded, int64_t until_ms, size_t *next, Avvik__V1__Deadline *ledger)
{
	int status = AV_OK;

	for (; status == AV_OK && *next < 2 * recorded->n_stops; ++*next) {
		const Avvik__V1__DeadlineStop *stop = recorded->stops[*next / 2];
		bool goes_on = *next % 2;
		int64_t at_ms = goes_on ? stop->until_ms : stop->from_ms;

		if (at_ms > until_ms || (goes_on && !at_ms))
			return AV_OK;
		if (goes_on) {
			deadline_resume(ledger, at_ms);
			status = replan(whatif, rule, ledger, at_ms);
		} else {
			fire_until(ledger, at_ms);
			status = deadline_stop(ledger, stop->reason, at_ms, whatif->ctx->arena);
		}
	}
	return status;
}

/* Another takes its place, from the same anchor or another. One that had ended before, with the joining of its case, said
 * nothing until then, and of that time nothing is said. */
static int take_place(const struct whatif *whatif, const Avvik__V1__DeadlineRule *rule,
	const Avvik__V1__Deadline *was, const Avvik__V1__Deadline *next, Avvik__V1__Deadline *ledger)
{
	int64_t now_ms = set_at(next);
	bool had_ended = was->ended_recorded_at_ms < now_ms && was->anchor_at_ms == next->anchor_at_ms;
	int status;

	fire_until(ledger, AV_MIN(was->ended_recorded_at_ms, now_ms));
	ledger->anchor_at_ms = next->anchor_at_ms;
	status = deadline_replan(rule, &whatif->pack.calendar, now_ms, whatif->ctx->arena, ledger);
	if (status == AV_OK && had_ended)
		deadline_pass_over(ledger, now_ms);
	if (status == AV_OK)
		deadline_forget_ahead(ledger, now_ms);
	return status;
}

static int run_again(const struct whatif *whatif, const Avvik__V1__DeadlineRule *rule,
	const struct line *line, int64_t end_ms, Avvik__V1__Deadline *ledger)
{
	const Avvik__V1__Deadline *first = line->items[0], *last = line->items[line->count - 1];
	size_t stop = 0;
	int status;

	*ledger = *last;
	ledger->n_stops = ledger->n_rungs = 0;
	status = deadline_set(
		rule, &whatif->pack.calendar, first->anchor_at_ms, set_at(first), whatif->ctx->arena, ledger);
	if (status == AV_OK && past_is_silent(first))
		deadline_pass_over(ledger, set_at(first));
	for (size_t i = 1; status == AV_OK && i < line->count; i++) {
		status = run_stops(whatif, rule, last, set_at(line->items[i]), &stop, ledger);
		if (status == AV_OK)
			status = take_place(whatif, rule, line->items[i - 1], line->items[i], ledger);
	}
	if (status == AV_OK)
		status = run_stops(whatif, rule, last, INT64_MAX, &stop, ledger);
	if (status == AV_OK)
		fire_until(ledger, end_ms);
	return status;
}

/* --- what differs --- */

static bool same_to(const Avvik__V1__RungPlanned *a, const Avvik__V1__RungPlanned *b)
{
	if (a->n_to != b->n_to)
		return false;
	for (size_t i = 0; i < a->n_to; i++)
		if (strcmp(a->to[i]->role, b->to[i]->role) != 0 ||
			strcmp(a->to[i]->from_level, b->to[i]->from_level) != 0 ||
			a->to[i]->assigned != b->to[i]->assigned)
			return false;
	return true;
}

static bool same_told(const Avvik__V1__WhatIfRung *rung)
{
	if (rung->n_told_before != rung->n_told_after)
		return false;
	for (size_t i = 0; i < rung->n_told_before; i++)
		if (strcmp(rung->told_before[i], rung->told_after[i]) != 0)
			return false;
	return true;
}

/* AV_NOTHING: no difference. */
static int compare_rung(const struct whatif *whatif, const Avvik__V1__RungPlanned *before,
	const Avvik__V1__RungPlanned *after, const Avvik__V1__Case *found, Avvik__V1__WhatIfRung **ret_rung)
{
	struct av_arena *arena = whatif->ctx->arena;
	Avvik__V1__WhatIfRung *rung = AV_NEW(arena, Avvik__V1__WhatIfRung, avvik__v1__what_if_rung);
	bool was = before && before->fired_at_ms, would = after && after->fired_at_ms, nobody = false;
	int status = rung ? AV_OK : AV_MEMORY;

	if (status != AV_OK || (!was && !would))
		return status == AV_OK ? AV_NOTHING : status;
	rung->kind = was ? before->kind : after->kind;
	if (was) {
		rung->at_before_ms = before->at_ms;
		rung->n_to_before = before->n_to;
		rung->to_before = before->to;
	}
	if (would) {
		rung->at_after_ms = after->at_ms;
		rung->n_to_after = after->n_to;
		rung->to_after = after->to;
	}
	if (was && whatif->org)
		status = workflow_told_by(arena, whatif->view.org, found, before, &rung->told_before,
			&rung->n_told_before, &nobody);
	if (status == AV_OK && would && whatif->org)
		status = workflow_told_by(
			arena, whatif->org, found, after, &rung->told_after, &rung->n_told_after, &nobody);
	*ret_rung = rung;
	if (status == AV_OK && was && would && rung->at_before_ms == rung->at_after_ms &&
		same_to(before, after) && same_told(rung))
		return AV_NOTHING;
	return status;
}

static int add_different(struct whatif *whatif, Avvik__V1__WhatIfDeadline *different)
{
	Avvik__V1__WhatIfFound *found = whatif->found;

	if (found->n_differences == whatif->room) {
		size_t room = AV_MAX(2 * whatif->room, 64u);
		Avvik__V1__WhatIfDeadline **more = av_arena_alloc(whatif->ctx->arena, room * sizeof(*more));
		if (!more)
			return AV_MEMORY;
		if (found->n_differences)
			memcpy(more, found->differences, found->n_differences * sizeof(*more));
		found->differences = more;
		whatif->room = room;
	}
	found->differences[found->n_differences++] = different;
	return AV_OK;
}

static int compare(struct whatif *whatif, const Avvik__V1__Case *found, const Avvik__V1__Deadline *before,
	const Avvik__V1__Deadline *after, int64_t end_ms)
{
	struct av_arena *arena = whatif->ctx->arena;
	Avvik__V1__WhatIfDeadline *different =
		AV_NEW(arena, Avvik__V1__WhatIfDeadline, avvik__v1__what_if_deadline);
	size_t count = AV_MAX(before->n_rungs, after->n_rungs);
	int64_t acted_ms = before->ended_at_ms ? before->ended_at_ms : end_ms;
	int status = AV_OK;

	if (!different || !(different->rungs = av_arena_alloc(arena, count * sizeof(*different->rungs) + 1)))
		return AV_MEMORY;
	for (size_t i = 0; status >= 0 && i < count; i++) {
		status = compare_rung(whatif, i < before->n_rungs ? before->rungs[i] : NULL,
			i < after->n_rungs ? after->rungs[i] : NULL, found,
			&different->rungs[different->n_rungs]);
		different->n_rungs += status == AV_OK;
	}
	if (status < 0)
		return status;
	different->number = before->number;
	different->rule = before->rule;
	different->unit_code = before->unit_code;
	different->deadline_id = before->deadline_id;
	different->rules_before = before->rules_version;
	different->due_before_on = before->due_on;
	different->due_after_on = after->due_on;
	different->overdue_before = deadline_judge(before, acted_ms).late;
	different->overdue_after = deadline_judge(after, acted_ms).late;
	whatif->overdue_before |= different->overdue_before;
	whatif->overdue_after |= different->overdue_after;
	return different->n_rungs || different->due_before_on != different->due_after_on ||
			       different->overdue_before != different->overdue_after
		       ? add_different(whatif, different)
		       : AV_OK;
}

/* --- by other facts --- */

static bool same_facts(const Avvik__V1__Anchor *a, size_t a_count, const Avvik__V1__Anchor *b, size_t b_count)
{
	return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

static int note_facts(
	struct whatif *whatif, const Avvik__V1__Deadline *ledger, const Avvik__V1__DeadlineRule *rule)
{
	const struct workflow_pack *own = workflow_pack(&whatif->view, ledger->rules_version);
	const Avvik__V1__DeadlineRule *was = rule_in(own ? own->rules : NULL, ledger->rule);
	Avvik__V1__WhatIfFound *found = whatif->found;

	if (!was || (was->starts == rule->starts &&
			    same_facts(was->met_by, was->n_met_by, rule->met_by, rule->n_met_by) &&
			    same_facts(was->cancelled_by, was->n_cancelled_by, rule->cancelled_by,
				    rule->n_cancelled_by)))
		return AV_OK;
	for (size_t i = 0; i < found->n_by_other_facts; i++)
		if (strcmp(found->by_other_facts[i], rule->id) == 0)
			return AV_OK;
	if (!found->by_other_facts)
		found->by_other_facts = av_arena_alloc(whatif->ctx->arena,
			whatif->pack.rules->n_deadlines * sizeof(*found->by_other_facts) + 1);
	if (!found->by_other_facts)
		return AV_MEMORY;
	found->by_other_facts[found->n_by_other_facts++] = rule->id;
	return AV_OK;
}

/* --- the cases --- */

static int look_at(struct whatif *whatif, const struct av_id *id)
{
	const Avvik__V1__WhatIf *query = whatif->query;
	struct av_arena *arena = whatif->ctx->arena;
	Avvik__V1__Deadline **ledgers;
	Avvik__V1__Case *found;
	size_t count;
	int status = case_load(whatif->ctx->txn, id, arena, &found);
	av_day day = status == AV_OK ? av_local_day(found->received_at_ms) : 0;

	if (status != AV_OK || day < query->from_on || (query->until_on && day > query->until_on))
		return status;
	whatif->found->cases++;
	whatif->overdue_before = whatif->overdue_after = false;
	status = deadlines_load(whatif->ctx->txn, id, arena, &ledgers, &count);
	for (size_t i = 0; status == AV_OK && i < count; i++) {
		const Avvik__V1__DeadlineRule *rule = rule_in(whatif->pack.rules, ledgers[i]->rule);
		Avvik__V1__Deadline *after = AV_NEW(arena, Avvik__V1__Deadline, avvik__v1__deadline);
		int64_t end_ms = ledgers[i]->ended_recorded_at_ms ? ledgers[i]->ended_recorded_at_ms
								  : whatif->ctx->now_ms;
		struct line line;

		if (ledgers[i]->superseded_by.len) /* the one that took its place tells the whole */
			continue;
		whatif->found->deadlines++;
		if (!rule)
			return workflow_refuse(whatif->ctx, AV_INVALID,
				AVVIK__V1__FAULT_CODE__FAULT_CODE_CONTRADICTION, "rules.deadlines",
				"rule_missing: the case %s has the deadline %s of the rule pack %s, which "
				"this pack "
				"does not have: add it",
				found->number, ledgers[i]->rule, ledgers[i]->rules_version);
		if (!after)
			return AV_MEMORY;
		status = line_of(arena, ledgers, count, ledgers[i], &line);
		if (status == AV_OK)
			status = run_again(whatif, rule, &line, end_ms, after);
		if (status == AV_OK)
			status = note_facts(whatif, ledgers[i], rule);
		if (status == AV_OK) {
			after->state = ledgers[i]->state;
			status = compare(whatif, found, ledgers[i], after, end_ms);
		}
	}
	whatif->found->overdue_before += whatif->overdue_before;
	whatif->found->overdue_after += whatif->overdue_after;
	return status;
}

static int look(struct whatif *whatif)
{
	ProtobufCBinaryData after = whatif->query->after_case_id;
	struct av_iter it =
		av_iter(whatif->ctx->txn, TABLE_CASES, av_bytes(NULL, 0), av_bytes(after.data, after.len));
	size_t left = whatif->query->limit ? whatif->query->limit : PAGE;
	struct av_id id = {0};
	int status = AV_OK;

	while (status == AV_OK && av_iter_next(&it)) {
		if (it.key.size != AV_ID_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		if (after.len == AV_ID_SIZE && memcmp(it.key.data, after.data, AV_ID_SIZE) == 0)
			continue;
		if (left-- == 0 || whatif->found->n_differences >= DIFFERENT_MAX) {
			whatif->found->next_after_case_id = id_data(&id, whatif->ctx->arena);
			break;
		}
		memcpy(id.bytes, it.key.data, AV_ID_SIZE);
		status = look_at(whatif, &id);
	}
	av_iter_end(&it);
	return status;
}

int on_what_if(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__WhatIf *query = (const Avvik__V1__WhatIf *)body;
	struct whatif whatif = {.ctx = ctx,
		.query = query,
		.pack = {.rules = query->rules, .calendar = deadline_calendar_of(query->rules, ctx->arena)},
		.found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_WHAT_IF_FOUND)};
	int status = whatif.found ? workflow_view(ctx, &whatif.view) : AV_MEMORY;

	if (status == AV_OK && query->directory &&
		!(whatif.org = av_org_create(query->directory, ctx->arena)))
		status = AV_MEMORY;
	return status == AV_OK ? look(&whatif) : status;
}
