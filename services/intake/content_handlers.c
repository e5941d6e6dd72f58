/* content_handlers.c - what is sealed here and opened again: for a person with workflow's grant, for
 * notification in the feed. */
#include <string.h>

#include "handlers.h"
#include "intake_store.h"
#include "store/content.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define CONTACT AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT
#define FILINGS_MAX 1000
#define PART_COUNT 16

struct use {
	const Avvik__V1__GrantBody *grant;
	struct av_id *case_id;
	Avvik__V1__ContentItem **items; /* of the grant, those that are held here */
	struct filing **filings;	/* of each */
	size_t count;
};

/* The items that name this holder; each must be of this case. */
static int items_here(struct av_ctx *ctx, const Avvik__V1__GrantBody *grant, struct use *ret_use)
{
	struct filing *filings = NULL;
	size_t filing_count = 0;
	struct use use = {
		.grant = grant,
		.case_id = av_arena_zalloc(ctx->arena, sizeof(*use.case_id)),
		.items = av_arena_alloc(ctx->arena, (grant->n_items + 1) * sizeof(*use.items)),
		.filings = av_arena_alloc(ctx->arena, (grant->n_items + 1) * sizeof(*use.filings)),
	};
	if (!use.case_id || !use.items || !use.filings)
		return AV_MEMORY;
	int status = id_of(grant->case_id, use.case_id) ? filing_list(ctx->txn, use.case_id, FILINGS_MAX,
								  ctx->arena, &filings, &filing_count)
							: AV_NOT_FOUND;
	if (status < 0 && status != AV_NOT_FOUND)
		return status;
	for (size_t i = 0; i < grant->n_items; i++) {
		size_t at = 0;
		if (strcmp(grant->items[i]->holder, "intake") != 0)
			continue;
		while (at < filing_count && (grant->items[i]->content_id.len != AV_ID_SIZE ||
						    memcmp(grant->items[i]->content_id.data,
							    filings[at].content_id.bytes, AV_ID_SIZE) != 0))
			at++;
		if (at == filing_count) {
			av_fault(&ctx->faults, CODE(UNKNOWN_REFERENCE), "grant",
				"names content that intake does not hold for this case: ask workflow for a "
				"new one");
			return AV_NOT_FOUND;
		}
		use.items[use.count] = grant->items[i];
		use.filings[use.count++] = &filings[at];
	}
	if (use.count == 0) {
		av_fault(&ctx->faults, CODE(CONTRADICTION), "grant",
			"names nothing that intake holds: present it to the holder it is for");
		return AV_NOT_FOUND;
	}
	*ret_use = use;
	return AV_OK;
}

/* A reporter's address is opened for notification alone; the reporter is among the parts as a person. */
static bool wanted(const Avvik__V1__ContentItem *item, int part)
{
	for (size_t i = 0; i < item->n_parts; i++)
		if ((int)item->parts[i] == part)
			return part != CONTACT;
	return item->n_parts == 0 && part != CONTACT;
}

static int open_item(struct av_ctx *ctx, const Avvik__V1__ContentItem *item, const struct filing *filing,
	Avvik__V1__OpenedItem **ret_opened)
{
	Avvik__V1__OpenedItem *opened = AV_NEW(ctx->arena, Avvik__V1__OpenedItem, avvik__v1__opened_item);
	Avvik__V1__OpenedPart *parts = av_arena_alloc(ctx->arena, PART_COUNT * sizeof(*parts));
	unsigned int bits;
	if (!opened || !parts)
		return AV_MEMORY;
	opened->content_id = item->content_id;
	opened->parts = av_arena_alloc(ctx->arena, PART_COUNT * sizeof(*opened->parts));
	if (!opened->parts)
		return AV_MEMORY;
	int status = av_content_parts(ctx->txn, &filing->content_id, &bits);
	opened->erased = status == AV_ERASED;
	for (int part = 1; status == AV_OK && part < PART_COUNT; part++) {
		struct av_bytes body;
		if (!(bits & 1u << part) || !wanted(item, part))
			continue;
		status = av_content_get(ctx->txn, ctx->keys, &filing->content_id, part, ctx->arena, &body);
		if (status < 0)
			break;
		avvik__v1__opened_part__init(&parts[opened->n_parts]);
		parts[opened->n_parts].part = (Avvik__V1__ContentPart)part;
		parts[opened->n_parts].body =
			(ProtobufCBinaryData){body.size, (uint8_t *)(uintptr_t)body.data};
		opened->parts[opened->n_parts] = &parts[opened->n_parts];
		opened->n_parts++;
	}
	if (status < 0 && status != AV_ERASED)
		return status == AV_NOT_FOUND ? AV_DAMAGED : status;
	if (status == AV_ERASED) { /* perhaps its key alone: the data come from a backup */
		opened->erased = true;
		opened->n_parts = 0;
	}
	*ret_opened = opened;
	return AV_OK;
}

static int read_with(struct av_ctx *ctx, const struct use *use)
{
	Avvik__V1__OpenedContent *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_OPENED_CONTENT);
	Avvik__V1__ContentRead *event = AV_NEW(ctx->arena, Avvik__V1__ContentRead, avvik__v1__content_read);
	if (!reply || !event)
		return AV_MEMORY;
	reply->items = av_arena_alloc(ctx->arena, use->count * sizeof(*reply->items));
	if (!reply->items)
		return AV_MEMORY;
	for (size_t i = 0; i < use->count; i++) {
		int status = open_item(ctx, use->items[i], use->filings[i], &reply->items[i]);
		if (status < 0)
			return status;
	}
	reply->n_items = use->count;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): nothing is read without a grant */
	event->grant_id = use->grant->grant_id;
	event->items = use->items;
	event->n_items = use->count;
	event->principal = text_of(ctx->principal->name);
	event->person = use->grant->person;
	event->purpose = use->grant->purpose;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_CONTENT_READ, event,
		&(struct av_emit_options){.case_id = use->case_id, .person = use->grant->person});
	return AV_OK;
}

static int erase_item(struct av_ctx *ctx, const struct use *use, size_t i)
{
	const struct filing *filing = use->filings[i];
	unsigned int parts;
	int status = av_content_parts(ctx->txn, &filing->content_id, &parts);
	if (status == AV_ERASED)
		return AV_NOTHING;
	if (status < 0)
		return status == AV_NOT_FOUND ? AV_DAMAGED : status;
	/* A grant that names a content twice erases it once. */
	for (size_t before = 0; before < i; before++)
		if (use->filings[before] == filing)
			return AV_OK;
	Avvik__V1__ContentErased *event =
		AV_NEW(ctx->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
	if (!event)
		return AV_MEMORY;
	event->content_id = binary_of(&filing->content_id);
	event->key_number = filing->key_number;
	event->grant_id = use->grant->grant_id;
	event->person = use->grant->person;
	event->reason = use->grant->purpose;
	av_erase_content(ctx, &filing->content_id);
	av_emit(ctx, AVVIK__V1__EVENT__BODY_CONTENT_ERASED, event,
		&(struct av_emit_options){.case_id = use->case_id, .person = use->grant->person});
	return AV_OK;
}

static int erase_with(struct av_ctx *ctx, const struct use *use)
{
	Avvik__V1__ContentErasure *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_CONTENT_ERASURE);
	unsigned char key[AV_KEY_SIZE];
	if (!reply)
		return AV_MEMORY;
	reply->content_ids = av_arena_alloc(ctx->arena, use->count * sizeof(*reply->content_ids));
	if (!reply->content_ids)
		return AV_MEMORY;
	reply->destruction_complete = true;
	for (size_t i = 0; i < use->count; i++) {
		int status = erase_item(ctx, use, i);
		if (status < 0)
			return status;
		/* Its key is destroyed after this turn; of what was erased before it may be gone already. */
		if (av_keystore_get(ctx->keys, use->filings[i]->key_number, key) != AV_ERASED)
			reply->destruction_complete = false;
		av_wipe(key, sizeof(key));
		reply->content_ids[reply->n_content_ids++] = use->items[i]->content_id;
	}
	return AV_OK;
}

int on_open_content(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	Avvik__V1__GrantBody *grant;
	struct use use = {.count = 0};
	int status = av_grant_check(ctx, ((const Avvik__V1__OpenContent *)body)->grant, &grant);
	if (status == AV_OK)
		status = items_here(ctx, grant, &use);
	if (status < 0)
		return status;
	switch (grant->kind) {
	case AVVIK__V1__GRANT_KIND__GRANT_KIND_READ:
		return read_with(ctx, &use);
	case AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE:
		return erase_with(ctx, &use);
	default:
		av_fault(&ctx->faults, CODE(UNKNOWN_VALUE), "grant",
			"is neither to read nor to erase: ask workflow for one");
		return AV_INVALID;
	}
}

static int open_contact(struct av_keystore *keys, struct av_txn *txn, const Avvik__V1__ContentRef *ref,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	Avvik__V1__OpenedPart *part = AV_NEW(arena, Avvik__V1__OpenedPart, avvik__v1__opened_part);
	struct av_bytes body;
	struct av_id id;
	if (!part)
		return AV_MEMORY;
	if (!ref || !id_of(ref->content_id, &id))
		return AV_DAMAGED;
	part->part = CONTACT;
	int status = av_content_get(txn, keys, &id, CONTACT, arena, &body);
	if (status == AV_OK)
		part->body = (ProtobufCBinaryData){body.size, (uint8_t *)(uintptr_t)body.data};
	else if (status != AV_ERASED)
		return status;
	item->parts[item->n_parts++] = part;
	return AV_OK;
}

static bool has_contact(const Avvik__V1__ContentRef *ref)
{
	for (size_t i = 0; ref && i < ref->n_parts; i++)
		if (ref->parts[i] == CONTACT)
			return true;
	return false;
}

int content_open_parts(void *keystore, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	size_t count = 0;
	int status = AV_OK;
	if (event->body_case == AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED)
		count = event->directory_published->n_contacts;
	else if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED)
		count = has_contact(event->report_filed->content);
	if (count == 0)
		return AV_OK;
	item->parts = av_arena_alloc(arena, count * sizeof(*item->parts));
	if (!item->parts)
		return AV_MEMORY;
	if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED)
		return open_contact(keystore, txn, event->report_filed->content, arena, item);
	for (size_t i = 0; i < count && status == AV_OK; i++)
		status = open_contact(
			keystore, txn, event->directory_published->contacts[i]->content, arena, item);
	return status;
}
