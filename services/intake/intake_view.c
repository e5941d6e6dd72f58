/* intake_view.c - see intake_view.h */
#include "intake_view.h"

#include <stdlib.h>
#include <string.h>
#include "intake_store.h"

struct cache {
	struct view view;
	struct current current; /* what the copies are of */
	struct av_arena *directory_arena, *rules_arena;
};

void *view_create(void)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return NULL;
	cache->directory_arena = av_arena_create(0);
	cache->rules_arena = av_arena_create(0);
	if (!cache->directory_arena || !cache->rules_arena) {
		view_destroy(cache);
		return NULL;
	}
	return cache;
}

void view_destroy(void *view)
{
	struct cache *cache = view;
	if (!cache)
		return;
	av_arena_destroy(&cache->directory_arena);
	av_arena_destroy(&cache->rules_arena);
	free(cache);
}

static bool same(uint64_t a, const struct av_id *a_event, uint64_t b, const struct av_id *b_event)
{
	return a == b && memcmp(a_event->bytes, b_event->bytes, AV_ID_SIZE) == 0;
}

static int load_directory(struct cache *cache, struct av_txn *txn, const struct current *now)
{
	Avvik__V1__Event *event;
	int status;
	cache->current.directory_sequence = 0;
	cache->view.directory = NULL;
	cache->view.org = NULL;
	av_arena_reset(cache->directory_arena);
	if (now->directory_sequence == 0)
		return AV_OK;
	status = event_load(txn, now->directory_sequence, cache->directory_arena, &event);
	if (status < 0)
		return status;
	if (event->body_case != AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED)
		return AV_DAMAGED;
	cache->view.org = av_org_create(event->directory_published->directory, cache->directory_arena);
	if (!cache->view.org)
		return AV_MEMORY;
	cache->view.directory = event->directory_published;
	cache->current.directory_sequence = now->directory_sequence;
	cache->current.directory_event = now->directory_event;
	return AV_OK;
}

static int load_rules(struct cache *cache, struct av_txn *txn, const struct current *now)
{
	struct published *packs;
	size_t count;
	int status;
	cache->current.rules_sequence = 0;
	cache->view.rules_count = 0;
	av_arena_reset(cache->rules_arena);
	if (now->rules_sequence == 0)
		return AV_OK;
	status = rules_list(txn, cache->rules_arena, &packs, &count);
	if (status < 0)
		return status;
	cache->view.rules = av_arena_alloc(cache->rules_arena, (count + 1) * sizeof(*cache->view.rules));
	cache->view.days = av_arena_alloc(cache->rules_arena, (count + 1) * sizeof(*cache->view.days));
	if (!cache->view.rules || !cache->view.days)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++) {
		Avvik__V1__Event *event;
		status = event_load(txn, packs[i].sequence, cache->rules_arena, &event);
		if (status < 0)
			return status;
		if (event->body_case != AVVIK__V1__EVENT__BODY_RULES_PUBLISHED)
			return AV_DAMAGED;
		cache->view.rules[i] = event->rules_published->rules;
		cache->view.days[i] =
			(struct rulepack_days){cache->view.rules[i]->version, packs[i].from, packs[i].until};
	}
	cache->view.rules_count = count;
	cache->current.rules_sequence = now->rules_sequence;
	cache->current.rules_event = now->rules_event;
	return AV_OK;
}

int view_open(struct av_ctx *ctx, const struct view **ret_view)
{
	struct cache *cache = ctx->cache;
	struct current now;
	int status = AV_OK;
	current_load(ctx->txn, &now);
	if (!same(now.directory_sequence, &now.directory_event, cache->current.directory_sequence,
		    &cache->current.directory_event))
		status = load_directory(cache, ctx->txn, &now);
	if (status == AV_OK && !same(now.rules_sequence, &now.rules_event, cache->current.rules_sequence,
				       &cache->current.rules_event))
		status = load_rules(cache, ctx->txn, &now);
	if (status < 0)
		return status;
	*ret_view = &cache->view;
	return AV_OK;
}

const Avvik__V1__RulePack *view_rules(const struct view *view, av_day day)
{
	size_t at = rulepack_on(view->days, view->rules_count, day);
	return at < view->rules_count ? view->rules[at] : NULL;
}

const Avvik__V1__RulePack *view_rules_or_last(const struct view *view, av_day today)
{
	const Avvik__V1__RulePack *rules = view_rules(view, today);
	return rules || view->rules_count == 0 ? rules : view->rules[view->rules_count - 1];
}
