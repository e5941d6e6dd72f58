/* list_cases.c - pages of cases by unit, kind and state
 *
 * A page is a merge of index ranges, one for each kind, state and unit that is asked for; each step of a
 * range is one look-up, so a page costs what it shows and not what is stored.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define PAGE 50
#define PAGE_MAX 500
#define PASSED_OVER_MAX 5000 /* cases of one page that the person may not see */

struct range {
	unsigned int table;
	const char *unit; /* NULL: by state alone */
	unsigned char kind, state;
	struct av_id next;
};

struct ranges {
	struct range *items; /* a heap by `next` */
	size_t count, room;
};

static int compare_ids(const struct av_id *a, const struct av_id *b)
{
	return memcmp(a->bytes, b->bytes, AV_ID_SIZE);
}

/* The first case of the range after one. */
static bool range_advance(struct av_txn *txn, struct range *range, const struct av_id *after)
{
	unsigned char key[AV_KEY_MAX];
	struct av_iter it;
	size_t size = 0;
	bool found = false;

	if (range->unit) {
		size = strnlen(range->unit, 200);
		memcpy(key, range->unit, size);
		key[size++] = '\0';
	}
	key[size++] = range->kind;
	key[size++] = range->state;
	memcpy(key + size, after->bytes, AV_ID_SIZE);
	it = av_iter(txn, range->table, av_bytes(key, size), av_bytes(key, size + AV_ID_SIZE));
	while (!found && av_iter_next(&it)) {
		if (it.key.size != size + AV_ID_SIZE ||
			memcmp((const char *)it.key.data + size, after->bytes, AV_ID_SIZE) == 0)
			continue;
		memcpy(range->next.bytes, (const char *)it.key.data + size, AV_ID_SIZE);
		found = true;
	}
	av_iter_end(&it);
	return found;
}

static void sift_down(struct ranges *ranges, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;
		struct range swapped;

		for (size_t i = child; i < child + 2 && i < ranges->count; i++)
			if (compare_ids(&ranges->items[i].next, &ranges->items[least].next) < 0)
				least = i;
		if (least == at)
			return;
		swapped = ranges->items[at];
		ranges->items[at] = ranges->items[least];
		ranges->items[least] = swapped;
		at = least;
	}
}

static int add_ranges(struct av_ctx *ctx, const Avvik__V1__ListCases *list, const char *unit,
	const struct av_id *after, struct ranges *ranges)
{
	for (int kind = 1; kind < CASE_KIND_COUNT; kind++)
		for (int state = 1; state < CASE_STATE_COUNT; state++) {
			struct range range = {unit ? TABLE_BY_UNIT : TABLE_BY_STATE, unit,
				(unsigned char)kind, (unsigned char)state, *after};

			if (!case_has_state((Avvik__V1__CaseKind)kind, (Avvik__V1__CaseState)state) ||
				(list->kind && (int)list->kind != kind) ||
				(list->state && (int)list->state != state) ||
				(list->open_only && !case_open((Avvik__V1__CaseState)state)))
				continue;
			if (!range_advance(ctx->txn, &range, after))
				continue;
			if (ranges->count == ranges->room) {
				size_t room = ranges->room * 2 + 16;
				struct range *items = av_arena_alloc(ctx->arena, room * sizeof(*items));
				if (!items)
					return AV_MEMORY;
				if (ranges->count)
					memcpy(items, ranges->items, ranges->count * sizeof(*items));
				ranges->items = items;
				ranges->room = room;
			}
			ranges->items[ranges->count++] = range;
		}
	return AV_OK;
}

static bool is_root(const struct workflow_view *view, const char *unit)
{
	const Avvik__V1__Unit *known = view->org ? av_org_unit(view->org, unit) : NULL;
	return known && !*known->parent;
}

static int collect_ranges(struct av_ctx *ctx, const Avvik__V1__ListCases *list,
	const struct workflow_view *view, const struct av_id *after, struct ranges *ranges)
{
	const Avvik__V1__Directory *directory = view->org ? av_org_directory(view->org) : NULL;
	int status = AV_OK;

	if ((!*list->unit || is_root(view, list->unit)) && workflow_principal_covers(ctx, view, ""))
		return add_ranges(ctx, list, NULL, after, ranges);
	if (*list->unit && (!view->org || !av_org_unit(view->org, list->unit)))
		return workflow_refuse(ctx, AV_INVALID, FAULT(UNKNOWN_REFERENCE), "unit",
			"the unit is not in the directory that is in force: give the code of one that is");
	for (size_t i = 0; status == AV_OK && directory && i < directory->n_units; i++) {
		const char *code = directory->units[i]->code;
		if (*list->unit && !av_org_within(view->org, code, list->unit))
			continue;
		if (workflow_principal_covers(ctx, view, code))
			status = add_ranges(ctx, list, code, after, ranges);
	}
	return status;
}

int on_list_cases(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ListCases *list = (const Avvik__V1__ListCases *)body;
	Avvik__V1__CasesFound *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_CASES_FOUND);
	size_t limit = list->limit ? AV_MIN(list->limit, PAGE_MAX) : PAGE;
	struct av_id after = id_of(list->after_case_id);
	struct ranges ranges = {0};
	struct workflow_sights sights = {.count = 0};
	struct workflow_view view;
	enum workflow_sight sight;
	size_t passed_over = 0;
	int status = workflow_view(ctx, &view);

	if (!reply)
		return AV_MEMORY;
	if (status == AV_OK)
		status = collect_ranges(ctx, list, &view, &after, &ranges);
	if (status != AV_OK)
		return status;
	reply->cases = av_arena_alloc(ctx->arena, limit * sizeof(*reply->cases));
	if (!reply->cases)
		return AV_MEMORY;
	for (size_t i = ranges.count; i-- > 0;)
		sift_down(&ranges, i);
	while (ranges.count > 0 && reply->n_cases < limit) {
		struct range *first = &ranges.items[0];
		Avvik__V1__Case *found;

		status = case_load(ctx->txn, &first->next, ctx->arena, &found);
		if (status != AV_OK)
			return status;
		found->n_measures = found->n_contents = found->n_acts_possible = 0;
		found->n_entries = found->n_ivo_requests = found->n_corrections = 0;
		sight = workflow_sight(ctx, &view, found, &sights);
		if (list->with_duplicates && sight == SIGHT_ALL)
			status = duplicates_find(ctx, &view, found, DUPLICATES_LOOKED_AT_LIST, &sights);
		if (status != AV_OK)
			return status;
		if (sight != SIGHT_NONE && !(found = workflow_shown(found, sight, ctx->arena)))
			return AV_MEMORY;
		if (sight != SIGHT_NONE)
			reply->cases[reply->n_cases++] = found;
		else if (++passed_over == PASSED_OVER_MAX)
			limit = reply->n_cases; /* the page ends here; there may be more after it */
		after = first->next;
		if (!range_advance(ctx->txn, first, &after))
			*first = ranges.items[--ranges.count];
		sift_down(&ranges, 0);
	}
	if (ranges.count > 0)
		reply->next_after_case_id = id_data(&after, ctx->arena);
	return AV_OK;
}
