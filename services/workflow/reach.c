/* reach.c - does every rule find somebody, now and on every day until the last of each open deadline?
 *
 * First the holes: for each role that a rung speaks to, and each unit, the days on which it finds nobody (org/reach.c). They
 * follow from the directory alone, so they are looked for once per directory, rule packs and day; where there are none, that
 * is all. A hole is told when a rung of an open deadline falls in it, or when it is near and the rule is in force: then a case that
 * is received today would meet it.
 */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define ROLES_MAX 64
#define GAPS_MAX 500 /* of one answer */
#define LOOK_AT 5000
#define LOOK_AT_MAX 20000
#define AHEAD_DAYS 62	    /* two months: the longest statutory period */
#define FAR_DAYS (20 * 366) /* no open deadline ends later */

struct hole {
	const char *role, *unit;
	int level;
	struct av_org_gap days;
};

struct reach_kept {
	struct av_arena *arena;
	struct av_id directory_stamp, rules_stamp;
	av_day day; /* 0: nothing is kept */
	struct hole *holes;
	size_t count, room;
};

void reach_kept_destroy(struct reach_kept *kept)
{
	if (kept)
		av_arena_destroy(&kept->arena);
	free(kept);
}

/* --- holes --- */

struct asked {
	const char *role;
	int level;
};

static size_t add_asked(struct asked *asked, size_t count, const Avvik__V1__Recipient *to)
{
	int level = av_org_level(to->from_level);

	if (av_org_role_is_special(to->role) || count == ROLES_MAX)
		return count;
	for (size_t i = 0; i < count; i++)
		if (asked[i].level == level && strcmp(asked[i].role, to->role) == 0)
			return count;
	asked[count] = (struct asked){to->role, level};
	return count + 1;
}

static size_t roles_asked(const struct workflow_view *view, struct asked asked[ROLES_MAX])
{
	size_t count = 0;

	for (size_t p = 0; p < view->pack_count; p++)
		for (size_t i = 0; i < view->packs[p].rules->n_deadlines; i++) {
			const Avvik__V1__DeadlineRule *rule = view->packs[p].rules->deadlines[i];
			for (size_t r = 0; r < rule->n_ladder; r++)
				for (size_t t = 0; t < rule->ladder[r]->n_to; t++)
					count = add_asked(asked, count, rule->ladder[r]->to[t]);
		}
	return count;
}

static int add_hole(
	struct reach_kept *kept, const struct asked *asked, const char *unit, struct av_org_gap days)
{
	if (kept->count == kept->room) {
		size_t room = 2 * kept->room + 64;
		struct hole *holes = av_arena_alloc(kept->arena, room * sizeof(*holes));
		if (!holes)
			return AV_MEMORY;
		if (kept->count)
			memcpy(holes, kept->holes, kept->count * sizeof(*holes));
		kept->holes = holes;
		kept->room = room;
	}
	kept->holes[kept->count++] = (struct hole){asked->role, unit, asked->level, days};
	return AV_OK;
}

/* Units that cases name and the directory has not (any more): nobody is found for them at all. */
static int add_unknown_units(
	struct reach_kept *kept, struct av_txn *txn, const struct workflow_view *view, av_day today)
{
	unsigned char from[AV_KEY_MAX];
	size_t size = 0;
	int status = AV_OK;

	for (bool more = true; more && status == AV_OK;) {
		struct av_iter it = av_iter(txn, TABLE_BY_UNIT, av_bytes(NULL, 0), av_bytes(from, size));
		more = av_iter_next(&it);
		if (more) {
			char *unit = av_arena_printf(
				kept->arena, "%.*s", (int)it.key.size, (const char *)it.key.data);
			status = unit ? AV_OK : AV_MEMORY;
			size = unit ? strlen(unit) : 0;
			if (unit && !av_org_unit(view->org, unit))
				status = add_hole(
					kept, &(struct asked){NULL, 0}, unit, (struct av_org_gap){today, 0});
			memcpy(from, it.key.data, size);
			from[size++] = 1; /* behind the NUL that ends this unit */
		}
		av_iter_end(&it);
	}
	return status;
}

static int look_for_holes(
	struct reach_kept *kept, struct av_txn *txn, const struct workflow_view *view, av_day today)
{
	const Avvik__V1__Directory *directory = av_org_directory(view->org);
	struct asked asked[ROLES_MAX];
	size_t count = roles_asked(view, asked);
	int status = AV_OK;

	for (size_t i = 0; i < count; i++) {
		av_day turns[AV_ORG_TURNS_MAX];
		size_t turn_count = av_org_turns(view->org, asked[i].role, today, today + FAR_DAYS, turns);

		for (size_t u = 0; status == AV_OK && u < directory->n_units; u++) {
			const Avvik__V1__Unit *unit = directory->units[u];
			struct av_org_gap gaps[AV_ORG_TURNS_MAX];
			size_t gap_count = av_org_gaps(view->org, asked[i].role, unit->code, asked[i].level,
				turns, turn_count, gaps);
			for (size_t g = 0; status == AV_OK && g < gap_count; g++)
				status = add_hole(kept, &asked[i], unit->code, gaps[g]);
		}
	}
	return status == AV_OK ? add_unknown_units(kept, txn, view, today) : status;
}

/* Those of this directory, these packs and this day. */
static int holes_of(
	struct av_ctx *ctx, const struct workflow_view *view, av_day today, struct reach_kept **ret_kept)
{
	struct cache *cache = ctx->cache;
	struct reach_kept *kept = cache->reach;
	int status;

	if (!kept) {
		kept = cache->reach = calloc(1, sizeof(*kept));
		if (!kept || !(kept->arena = av_arena_create(0)))
			return AV_MEMORY;
	}
	*ret_kept = kept;
	if (kept->day == today && memcmp(&kept->directory_stamp, &cache->directory_stamp, AV_ID_SIZE) == 0 &&
		memcmp(&kept->rules_stamp, &cache->rules_stamp, AV_ID_SIZE) == 0)
		return AV_OK;
	av_arena_reset(kept->arena);
	kept->holes = NULL;
	kept->count = kept->room = 0;
	kept->day = 0;
	status = look_for_holes(kept, ctx->txn, view, today);
	if (status != AV_OK)
		return status;
	kept->day = today;
	kept->directory_stamp = cache->directory_stamp;
	kept->rules_stamp = cache->rules_stamp;
	return AV_OK;
}

/* --- what they mean --- */

struct reach {
	struct av_ctx *ctx;
	struct workflow_view view;
	const struct reach_kept *kept;
	av_day today;
	Avvik__V1__ReachFound *found;
	const Avvik__V1__Deadline *counted[GAPS_MAX]; /* the deadline that each gap has counted last */
};

static bool same_gap(const Avvik__V1__ReachGap *gap, const char *version, const char *rule, const char *role,
	const struct hole *hole)
{
	return gap->from_on == hole->days.from && strcmp(gap->unit_code, hole->unit) == 0 &&
	       strcmp(gap->role, role) == 0 && strcmp(gap->rule, rule) == 0 &&
	       strcmp(gap->rules_version, version) == 0;
}

/* `deadline` NULL: of none. Nothing more when the answer is full. */
static int tell(struct reach *reach, const char *version, const char *rule, const char *role,
	const struct hole *hole, const Avvik__V1__Deadline *deadline)
{
	Avvik__V1__ReachFound *found = reach->found;
	size_t at = 0;

	while (at < found->n_gaps && !same_gap(found->gaps[at], version, rule, role, hole))
		at++;
	if (at == GAPS_MAX)
		return AV_OK;
	if (at == found->n_gaps) {
		Avvik__V1__ReachGap *gap =
			AV_NEW(reach->ctx->arena, Avvik__V1__ReachGap, avvik__v1__reach_gap);
		if (!gap)
			return AV_MEMORY;
		gap->rule = (char *)rule;
		gap->rules_version = (char *)version;
		gap->role = (char *)role;
		gap->unit_code = (char *)hole->unit;
		gap->from_on = hole->days.from;
		gap->until_on = hole->days.until;
		found->gaps[found->n_gaps++] = gap;
	}
	if (deadline && reach->counted[at] != deadline) {
		found->gaps[at]->deadlines++;
		reach->counted[at] = deadline;
	}
	return AV_OK;
}

/* The hole that a recipient of a unit falls into on a day; NULL: none. */
static const struct hole *hole_for(
	const struct reach *reach, const Avvik__V1__Recipient *to, const char *unit, av_day day)
{
	int level = av_org_level(to->from_level);

	for (size_t i = 0; !av_org_role_is_special(to->role) && i < reach->kept->count; i++) {
		const struct hole *hole = &reach->kept->holes[i];
		if (strcmp(hole->unit, unit) == 0 && hole->days.from <= day &&
			(!hole->days.until || day <= hole->days.until) &&
			(!hole->role || (hole->level == level && strcmp(hole->role, to->role) == 0)))
			return hole;
	}
	return NULL;
}

/* Of the pack in force: holes that a case received today would meet soon. */
static int tell_near(struct reach *reach, const struct workflow_pack *pack,
	const Avvik__V1__DeadlineRule *rule, const Avvik__V1__Recipient *to)
{
	int status = AV_OK, level = av_org_level(to->from_level);

	for (size_t i = 0; status == AV_OK && i < reach->kept->count; i++) {
		const struct hole *hole = &reach->kept->holes[i];
		const Avvik__V1__Unit *unit = av_org_unit(reach->view.org, hole->unit);
		bool information, concerned = false;

		if (!hole->role || !unit || !av_org_leaf(reach->view.org, unit) || hole->level != level ||
			strcmp(hole->role, to->role) != 0 || hole->days.from > reach->today + AHEAD_DAYS)
			continue;
		information = workflow_is_information(&reach->view, pack, hole->unit);
		for (size_t k = 0; k < rule->n_kinds; k++)
			concerned |= rule->kinds[k] == AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION ||
				     (rule->kinds[k] == AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION) ==
					     information;
		if (concerned)
			status = tell(reach, pack->rules->version, rule->id, to->role, hole, NULL);
	}
	return status;
}

static int look_at_rules(struct reach *reach)
{
	const struct workflow_pack *pack = workflow_pack_on(&reach->view, reach->today);
	int status = AV_OK;

	for (size_t i = 0; pack && i < pack->rules->n_deadlines; i++)
		for (size_t r = 0; r < pack->rules->deadlines[i]->n_ladder; r++)
			for (size_t t = 0; status == AV_OK && t < pack->rules->deadlines[i]->ladder[r]->n_to;
				t++)
				status = tell_near(reach, pack, pack->rules->deadlines[i],
					pack->rules->deadlines[i]->ladder[r]->to[t]);
	return status;
}

static int look_at_deadline(struct reach *reach, const struct av_id *case_id, const struct av_id *id)
{
	Avvik__V1__Case *found = NULL;
	Avvik__V1__Deadline *ledger;
	int status = deadline_load(reach->ctx->txn, case_id, id, reach->ctx->arena, &ledger);

	for (size_t r = 0; status == AV_OK && r < ledger->n_rungs; r++) {
		const Avvik__V1__RungPlanned *rung = ledger->rungs[r];
		av_day day = AV_MAX(av_local_day(rung->at_ms), reach->today);

		for (size_t t = 0;
			status == AV_OK && t < rung->n_to && !rung->fired_at_ms && !rung->passed_over; t++) {
			const struct hole *hole = hole_for(reach, rung->to[t], ledger->unit_code, day);
			struct av_org_found people[AV_ORG_FOUND_MAX];
			if (hole && rung->to[t]->assigned && !found)
				status = case_load(reach->ctx->txn, case_id, reach->ctx->arena, &found);
			if (status == AV_OK && hole && found &&
				workflow_assigned(reach->view.org, found, rung->to[t], day, people) > 0)
				hole = NULL;
			if (status == AV_OK && hole)
				status = tell(reach, ledger->rules_version, ledger->rule, rung->to[t]->role,
					hole, ledger);
		}
	}
	return status;
}

static bool has_hole(const struct reach *reach, const char *unit, size_t size)
{
	for (size_t i = 0; i < reach->kept->count; i++)
		if (strlen(reach->kept->holes[i].unit) == size &&
			memcmp(reach->kept->holes[i].unit, unit, size) == 0)
			return true;
	return false;
}

/* The open deadlines of units with holes, soonest due first. */
static int look_at_deadlines(struct reach *reach, struct av_bytes after, size_t limit)
{
	struct av_iter it = av_iter(reach->ctx->txn, TABLE_DUE, av_bytes(NULL, 0), after);
	int status = AV_OK;

	while (status == AV_OK && av_iter_next(&it)) {
		struct av_id case_id, id;

		if (av_bytes_equal(it.key, after))
			continue;
		if (it.key.size != 8 + AV_ID_SIZE || it.value.size < AV_ID_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		if (reach->found->looked_at == limit) {
			reach->found->next_after_key.data =
				av_arena_copy(reach->ctx->arena, after.data, after.size);
			reach->found->next_after_key.len = after.size;
			break;
		}
		reach->found->looked_at++;
		after = it.key;
		if (!has_hole(reach, (const char *)it.value.data + AV_ID_SIZE, it.value.size - AV_ID_SIZE))
			continue;
		memcpy(id.bytes, (const char *)it.key.data + 8, AV_ID_SIZE);
		memcpy(case_id.bytes, it.value.data, AV_ID_SIZE);
		status = look_at_deadline(reach, &case_id, &id);
	}
	av_iter_end(&it);
	return status;
}

static int look(struct av_ctx *ctx, struct av_bytes after, size_t limit, Avvik__V1__ReachFound *found)
{
	struct reach reach = {.ctx = ctx, .found = found, .today = av_local_day(ctx->now_ms)};
	struct reach_kept *kept;
	int status = workflow_view(ctx, &reach.view);

	if (status != AV_OK || !reach.view.org)
		return status;
	status = holes_of(ctx, &reach.view, reach.today, &kept);
	if (status != AV_OK || !kept->count)
		return status;
	reach.kept = kept;
	found->gaps = av_arena_alloc(ctx->arena, GAPS_MAX * sizeof(*found->gaps));
	if (!found->gaps)
		return AV_MEMORY;
	status = look_at_rules(&reach);
	return status == AV_OK ? look_at_deadlines(&reach, after, limit) : status;
}

int on_get_reach(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetReach *get = (const Avvik__V1__GetReach *)body;
	Avvik__V1__ReachFound *found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_REACH_FOUND);
	struct av_bytes after = av_bytes(get->after_key.data, get->after_key.len);

	if (!found)
		return AV_MEMORY;
	if (after.size != 0 && after.size != 8 + AV_ID_SIZE)
		return workflow_refuse(ctx, AV_INVALID, AVVIK__V1__FAULT_CODE__FAULT_CODE_MALFORMED,
			"after_key", "give the next_after_key of the page before, or nothing");
	return look(ctx, after, get->limit ? AV_MIN(get->limit, LOOK_AT_MAX) : LOOK_AT, found);
}

/* --- health --- */

void workflow_reach_health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	Avvik__V1__ReachFound found = AVVIK__V1__REACH_FOUND__INIT;
	struct av_ctx ctx = {.txn = txn,
		.arena = arena,
		.now_ms = av_daemon_now_ms(daemon),
		.cache = av_daemon_user(daemon)};
	char from[AV_DATE_TEXT], until[AV_DATE_TEXT];
	const Avvik__V1__ReachGap *first;
	struct workflow_view view;

	if (!ctx.cache || workflow_view(&ctx, &view) != AV_OK ||
		look(&ctx, av_bytes(NULL, 0), LOOK_AT, &found) != AV_OK || !found.n_gaps)
		return;
	first = found.gaps[0];
	for (size_t i = 1; i < found.n_gaps; i++) /* the one that matters most */
		if (found.gaps[i]->deadlines > first->deadlines)
			first = found.gaps[i];
	av_day_text(first->from_on, from);
	av_day_text(first->until_on, until);
	av_health(daemon, "deadline_reaches_nobody", false,
		"rule %s: nobody holds the role %s for the unit %s from %s%s%s, and %s%u open deadlines "
		"would tell nobody then: %s (of %zu such gaps, which `avvik status` lists)",
		first->rule, first->role, first->unit_code, from, first->until_on ? " to " : " on",
		first->until_on ? until : "", found.next_after_key.len ? "at least " : "", first->deadlines,
		view.org && !av_org_unit(view.org, first->unit_code)
			? "the directory has no such unit: place its cases, or publish a directory that has "
			  "it"
			: "give it to someone in the directory",
		found.n_gaps);
}
