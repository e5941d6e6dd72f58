/* content_grants.c - a grant for the holder of a content, and what is known of contents here */
#include "workflow.h"

#include <string.h>

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define GRANT_MS INT64_C(60000)

bool content_is_ours(struct av_ctx *ctx, const struct av_id *content_id)
{
	unsigned int bits;
	return av_content_parts(ctx->txn, content_id, &bits) != AV_NOT_FOUND;
}

const Avvik__V1__ContentRef *content_ref(const Avvik__V1__Case *found, ProtobufCBinaryData content_id)
{
	for (size_t i = 0; i < found->n_contents; i++)
		if (found->contents[i]->content_id.len == content_id.len &&
			memcmp(found->contents[i]->content_id.data, content_id.data, content_id.len) == 0)
			return found->contents[i];
	return NULL;
}

/* One grant for the items of a holder; what is granted is told, by whom, to whom and why. */
int content_grant(struct av_ctx *ctx, const struct content_grant *wanted, Avvik__V1__Grant **ret_grant)
{
	Avvik__V1__GrantBody *body = AV_NEW(ctx->arena, Avvik__V1__GrantBody, avvik__v1__grant_body);
	Avvik__V1__ContentGranted *granted =
		AV_NEW(ctx->arena, Avvik__V1__ContentGranted, avvik__v1__content_granted);
	Avvik__V1__ContentItem **items = av_arena_alloc(ctx->arena, wanted->count * sizeof(*items) + 1);
	struct av_id id, case_id = id_of(wanted->found->case_id);
	struct av_emit_options options = {.case_id = &case_id};
	size_t count = 0;
	int status;

	if (!body || !granted || !items)
		return AV_MEMORY;
	for (size_t i = 0; i < wanted->count; i++)
		if (strcmp(wanted->items[i]->holder, wanted->holder) == 0)
			items[count++] = wanted->items[i];
	if (count == 0)
		return AV_NOTHING;
	id = av_ctx_id(ctx);
	body->grant_id = id_data(&id, ctx->arena);
	body->kind = wanted->kind;
	body->case_id = wanted->found->case_id;
	body->items = items;
	body->n_items = count;
	body->principal = (char *)ctx->principal->name;
	body->person = ctx->command->on_behalf_of;
	body->purpose = wanted->purpose;
	body->expires_at_ms = ctx->now_ms + GRANT_MS;
	body->instance = (char *)ctx->instance;
	status = av_grant_sign(ctx, body, ret_grant);
	if (status != AV_OK)
		return status;
	granted->grant_id = body->grant_id;
	granted->kind = body->kind;
	granted->items = items;
	granted->n_items = count;
	granted->principal = body->principal;
	granted->person = body->person;
	granted->purpose = body->purpose;
	granted->expires_at_ms = body->expires_at_ms;
	av_emit(ctx, EVENT(CONTENT_GRANTED), granted, &options);
	return AV_OK;
}
