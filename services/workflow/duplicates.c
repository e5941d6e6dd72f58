/* duplicates.c - what may be the same event, for a person to decide
 *
 * Open cases of the same unit, day by day away from the day of the event, as far as the rule pack says; none of
 * another category, none that a person has dismissed. Look-ups in an index, a bounded number, on request: nothing
 * is stored, and nothing is joined by itself.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define DAYS_MAX 31

struct search {
	struct av_ctx *ctx;
	const struct workflow_view *view;
	Avvik__V1__Case *found;
	struct workflow_sights *sights;
	struct av_id id;
	size_t left; /* cases that may still be looked at */
};

static bool other_category(const Avvik__V1__Case *one, const Avvik__V1__Case *other)
{
	return *one->category && *other->category && strcmp(one->category, other->category) != 0;
}

static bool dismissed(const Avvik__V1__Case *one, const Avvik__V1__Case *other)
{
	return case_has_id(one->dismissed, one->n_dismissed, other->case_id) ||
	       case_has_id(other->dismissed, other->n_dismissed, one->case_id);
}

static int suggest(struct search *search, const Avvik__V1__Case *other)
{
	Avvik__V1__LikelyDuplicate *likely =
		AV_NEW(search->ctx->arena, Avvik__V1__LikelyDuplicate, avvik__v1__likely_duplicate);

	if (!likely)
		return AV_MEMORY;
	likely->case_id = other->case_id;
	likely->number = other->number;
	likely->kind = other->kind;
	likely->state = other->state;
	likely->occurred_at_ms = case_happened_ms(other);
	likely->same_category = *other->category && strcmp(search->found->category, other->category) == 0;
	search->found->duplicates[search->found->n_duplicates++] = likely;
	return AV_OK;
}

static int look_at(struct search *search, const struct av_id *id)
{
	Avvik__V1__Case *other;
	int status = case_load(search->ctx->txn, id, search->ctx->arena, &other);

	search->left--;
	if (status != AV_OK)
		return status == AV_NOT_FOUND ? AV_DAMAGED : status;
	if (!case_kinds_join(search->found->kind, other->kind) || other_category(search->found, other) ||
		dismissed(search->found, other) ||
		workflow_sight(search->ctx, search->view, other, search->sights) == SIGHT_NONE)
		return AV_OK;
	return suggest(search, other);
}

static bool more_wanted(const struct search *search)
{
	return search->left > 0 && search->found->n_duplicates < DUPLICATES_MAX;
}

static int look_on(struct search *search, av_day day)
{
	unsigned char key[NEAR_KEY_MAX];
	struct av_iter it = av_iter(search->ctx->txn, TABLE_NEAR,
		av_bytes(key, near_key(key, search->found->unit, day, NULL)), av_bytes(NULL, 0));
	int status = AV_OK;

	while (status == AV_OK && more_wanted(search) && av_iter_next(&it)) {
		struct av_id id;

		if (it.key.size < AV_ID_SIZE) {
			status = AV_DAMAGED;
			break;
		}
		memcpy(id.bytes, (const char *)it.key.data + it.key.size - AV_ID_SIZE, AV_ID_SIZE);
		if (memcmp(&id, &search->id, sizeof(id)) != 0)
			status = look_at(search, &id);
	}
	av_iter_end(&it);
	return status;
}

int duplicates_find(struct av_ctx *ctx, const struct workflow_view *view, Avvik__V1__Case *found,
	size_t looked_at_max, struct workflow_sights *sights)
{
	const struct workflow_pack *pack = workflow_pack(view, found->rules_version);
	struct search search = {ctx, view, found, sights, id_of(found->case_id), looked_at_max};
	int64_t happened_ms = case_happened_ms(found);
	int days = pack ? (int)AV_MIN(pack->rules->duplicate_days, DAYS_MAX) : 0;
	av_day day = av_local_day(happened_ms);
	int status = AV_OK;

	found->n_duplicates = 0;
	if (!days || happened_ms <= 0 || !case_open(found->state))
		return AV_OK;
	found->duplicates = av_arena_alloc(ctx->arena, DUPLICATES_MAX * sizeof(*found->duplicates));
	if (!found->duplicates)
		return AV_MEMORY;
	for (int away = 0; status == AV_OK && away <= days && more_wanted(&search); away++) {
		status = look_on(&search, day - away);
		if (status == AV_OK && away)
			status = look_on(&search, day + away);
	}
	return status;
}
