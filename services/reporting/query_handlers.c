/* query_handlers.c - the snapshot: the figures of one unit as they stand, page by page. */
#include <string.h>

#include "handlers.h"
#include "reporting_store.h"
#include "scope.h"

#define PAGE_DEFAULT 1000
#define PAGE_MAX 2000

static Avvik__V1__FigureKey *key_copy(struct av_ctx *ctx, const Avvik__V1__FigureKey *key)
{
	return (Avvik__V1__FigureKey *)av_message_copy(&key->base, ctx->arena);
}

static Avvik__V1__Figure *figure_copy(struct av_ctx *ctx, const Avvik__V1__FigureKey *key, int64_t value)
{
	Avvik__V1__Figure *figure = AV_NEW(ctx->arena, Avvik__V1__Figure, avvik__v1__figure);
	if (!figure)
		return NULL;
	figure->key = key_copy(ctx, key);
	figure->value = value;
	return figure->key ? figure : NULL;
}

static bool unit_known(struct av_ctx *ctx, const char *unit)
{
	struct av_bytes value;
	return av_get(ctx->txn, TABLE_LEVELS, av_bytes_of(unit), &value) == AV_OK && *unit != '*' &&
	       *unit != '?';
}

int on_get_summary(struct av_ctx *ctx, const ProtobufCMessage *message)
{
	const Avvik__V1__GetSummary *query = (const Avvik__V1__GetSummary *)message;
	unsigned char prefix[FIGURE_KEY_MAX], from[FIGURE_KEY_MAX];
	size_t limit = query->limit ? AV_MIN(query->limit, PAGE_MAX) : PAGE_DEFAULT, from_size = 0;
	size_t prefix_size = strlen(query->unit) + 1;
	struct av_position head;

	if (!unit_known(ctx, query->unit)) {
		av_fault(&ctx->faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_REFERENCE, "unit",
			"no such unit in the directory: `avvik directory show` lists the codes");
		return AV_NOT_FOUND;
	}
	if (!scope_unit(ctx->txn, ctx->principal, query->unit)) {
		av_fault(&ctx->faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED, "unit",
			"the figures of this unit are not among those you may see: ask for the unit in "
			"principals.yaml");
		return AV_FORBIDDEN;
	}
	memcpy(prefix, query->unit, prefix_size);
	if (query->span)
		prefix[prefix_size++] = (unsigned char)query->span;
	if (query->span && *query->period && prefix_size + strlen(query->period) + 1 < sizeof prefix) {
		memcpy(prefix + prefix_size, query->period, strlen(query->period) + 1);
		prefix_size += strlen(query->period) + 1;
	}
	if (query->after) {
		query->after->unit = query->unit;
		from_size = figure_key(query->after, from);
	}

	Avvik__V1__SummaryFound *found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_SUMMARY_FOUND);
	if (!found || av_journal_head(ctx->txn, &head) != AV_OK)
		return AV_MEMORY;
	found->unit = query->unit;
	found->epoch_id.data = av_arena_copy(ctx->arena, head.epoch.bytes, AV_ID_SIZE);
	found->epoch_id.len = AV_ID_SIZE;
	found->sequence = unit_sequence(ctx->txn, query->unit);
	found->figures = av_arena_alloc(ctx->arena, limit * sizeof *found->figures);
	if (!found->figures)
		return AV_MEMORY;

	struct av_iter it =
		av_iter(ctx->txn, TABLE_FIGURES, av_bytes(prefix, prefix_size), av_bytes(from, from_size));
	while (av_iter_next(&it)) {
		Avvik__V1__FigureKey key;
		if (from_size && av_bytes_equal(it.key, av_bytes(from, from_size)))
			continue; /* the page before ended with it */
		if (figure_key_read(it.key, &key) != AV_OK || it.value.size != 8)
			continue;
		if (!query->span && *query->period && strcmp(query->period, key.period) != 0)
			continue;
		if (found->n_figures == limit) {
			found->next_after = key_copy(ctx, found->figures[limit - 1]->key);
			break;
		}
		Avvik__V1__Figure *figure = figure_copy(ctx, &key, (int64_t)av_get_u64(it.value.data));
		if (!figure) {
			av_iter_end(&it);
			return AV_MEMORY;
		}
		found->figures[found->n_figures++] = figure;
	}
	av_iter_end(&it);
	return AV_OK;
}
