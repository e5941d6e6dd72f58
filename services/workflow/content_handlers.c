/* content_handlers.c - who may read or erase the content of a case, and the workflow's own content
 *
 * Only the workflow knows the case, so only it decides: role, unit and state of the case. What it signs is a
 * grant: one case, stated parts, one person, sixty seconds, one use. The report's content lies with intake,
 * the texts of the case here.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define CONTACT AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT
#define CODES_TEXT 600 /* bytes of a sentence */

static char holder_intake[] = CONTENT_HOLDER_INTAKE, holder_workflow[] = CONTENT_HOLDER_WORKFLOW;

struct wanted {
	struct av_ctx *ctx;
	Avvik__V1__Case *found;
	struct av_id case_id;
	Avvik__V1__GrantKind kind;
	char *purpose;
	Avvik__V1__ContentItem **items; /* of both holders */
	size_t count;
};

static int open_case(struct av_ctx *ctx, ProtobufCBinaryData case_id, const char *act,
	struct wanted *ret_wanted, const struct workflow_pack **ret_pack)
{
	struct workflow_view view;
	int status;

	ret_wanted->ctx = ctx;
	ret_wanted->case_id = id_of(case_id);
	status = case_load(ctx->txn, &ret_wanted->case_id, ctx->arena, &ret_wanted->found);
	if (status == AV_NOT_FOUND)
		return workflow_refuse(
			ctx, status, FAULT(UNKNOWN_REFERENCE), "case_id", "there is no case with this id");
	if (status == AV_OK)
		status = workflow_view(ctx, &view);
	if (status != AV_OK)
		return status;
	if (!workflow_sees_case(ctx, &view, ret_wanted->found))
		return workflow_refuse(ctx, AV_FORBIDDEN, FAULT(NOT_ALLOWED), "case_id",
			"this system may not act for the unit of the case; an administrator gives it the "
			"unit in the principals file");
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it was loaded */
	*ret_pack = workflow_pack(&view, ret_wanted->found->rules_version);
	if (!*ret_pack)
		return workflow_refuse(ctx, AV_CLOSED, FAULT(WRONG_STATE), "case_id",
			"no rule pack covers the day this case was received: an administrator publishes one");
	return workflow_may_act(ctx, &view, *ret_pack, ret_wanted->found, act, ret_wanted->found->unit, NULL);
}

static bool asked_for(const Avvik__V1__ContentPart *parts, size_t count, Avvik__V1__ContentPart part)
{
	for (size_t i = 0; i < count; i++)
		if (parts[i] == part)
			return true;
	return count == 0;
}

/* One item for a content of the case, with those of its parts that are asked for; none: no item. */
static int want(struct wanted *wanted, const Avvik__V1__ContentRef *ref, const Avvik__V1__ContentPart *parts,
	size_t count)
{
	Avvik__V1__ContentItem *item =
		AV_NEW(wanted->ctx->arena, Avvik__V1__ContentItem, avvik__v1__content_item);
	struct av_id id = id_of(ref->content_id);
	bool erasing = wanted->kind == AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE;

	if (!item)
		return AV_MEMORY;
	if (!erasing && case_correction(wanted->found, ref->content_id))
		return AV_OK; /* nobody reads what was wrong, also while its holder has not erased it yet */
	item->parts = av_arena_alloc(wanted->ctx->arena, ref->n_parts * sizeof(*item->parts) + 1);
	if (!item->parts)
		return AV_MEMORY;
	for (size_t i = 0; i < ref->n_parts;
		i++) /* an address is for notification; a person reads the reporter's own part */
		if (asked_for(parts, count, ref->parts[i]) && (erasing || ref->parts[i] != CONTACT))
			item->parts[item->n_parts++] = ref->parts[i];
	if (item->n_parts == 0)
		return AV_OK;
	item->content_id = ref->content_id;
	item->holder = content_is_ours(wanted->ctx, &id) ? holder_workflow : holder_intake;
	wanted->items[wanted->count++] = item;
	return AV_OK;
}

static int grant_for(struct wanted *wanted, const char *holder, Avvik__V1__GrantIssued *issued)
{
	struct content_grant grant = {
		wanted->found, wanted->kind, wanted->purpose, wanted->items, wanted->count, holder};
	int status = content_grant(wanted->ctx, &grant, &issued->grants[issued->n_grants]);

	issued->n_grants += status == AV_OK;
	return status == AV_NOTHING ? AV_OK : status;
}

static int issue(struct wanted *wanted)
{
	Avvik__V1__GrantIssued *issued = av_reply_body(wanted->ctx, AVVIK__V1__REPLY__BODY_GRANT_ISSUED);
	int status;

	if (wanted->count == 0)
		return workflow_refuse(wanted->ctx, AV_NOT_FOUND, FAULT(UNKNOWN_REFERENCE), "parts",
			"the case holds no such content");
	if (!issued)
		return AV_MEMORY;
	issued->grants = av_arena_alloc(wanted->ctx->arena, 2 * sizeof(*issued->grants));
	if (!issued->grants)
		return AV_MEMORY;
	status = grant_for(wanted, holder_intake, issued);
	return status == AV_OK ? grant_for(wanted, holder_workflow, issued) : status;
}

static int make_room(struct wanted *wanted)
{
	wanted->items =
		av_arena_alloc(wanted->ctx->arena, wanted->found->n_contents * sizeof(*wanted->items) + 1);
	return wanted->items ? AV_OK : AV_MEMORY;
}

/* "granskning, utredning": what may be given, as far as a sentence holds. */
static const char *codes_text(struct av_ctx *ctx, Avvik__V1__Code *const *codes, size_t count)
{
	const char *text = "";

	for (size_t i = 0; i < count && strlen(text) < CODES_TEXT; i++)
		text = av_arena_printf(ctx->arena, "%s%s%s", text, i ? ", " : "", codes[i]->code);
	return text;
}

int on_read_content(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ReadContent *read = (const Avvik__V1__ReadContent *)body;
	struct wanted wanted = {.kind = AVVIK__V1__GRANT_KIND__GRANT_KIND_READ, .purpose = read->purpose};
	const struct workflow_pack *pack;
	int status = open_case(ctx, read->case_id, "read_content", &wanted, &pack);

	if (status != AV_OK)
		return status;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): open_case() set it */
	if (!workflow_code(pack->rules->purposes, pack->rules->n_purposes, read->purpose))
		return workflow_refuse(ctx, AV_INVALID, FAULT(UNKNOWN_VALUE), "purpose",
			"the purpose is not in the rule pack %s: give one of its purposes: %s",
			pack->rules->version,
			codes_text(ctx, pack->rules->purposes, pack->rules->n_purposes));
	status = make_room(&wanted);
	for (size_t i = 0; status == AV_OK && i < wanted.found->n_contents; i++)
		status = want(&wanted, wanted.found->contents[i], read->parts, read->n_parts);
	return status == AV_OK ? issue(&wanted) : status;
}

int on_erase_content(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__EraseContent *erase = (const Avvik__V1__EraseContent *)body;
	struct wanted wanted = {.kind = AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE, .purpose = erase->reason};
	const struct workflow_pack *pack;
	int status = open_case(ctx, erase->case_id, "erase_content", &wanted, &pack);

	if (status != AV_OK)
		return status;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): open_case() set it */
	if (!workflow_code(pack->rules->erasure_reasons, pack->rules->n_erasure_reasons, erase->reason))
		return workflow_refuse(ctx, AV_INVALID, FAULT(UNKNOWN_VALUE), "reason",
			"the reason is not in the rule pack %s: give one of its erasure_reasons: %s",
			pack->rules->version,
			codes_text(ctx, pack->rules->erasure_reasons, pack->rules->n_erasure_reasons));
	status = make_room(&wanted);
	for (size_t i = 0; status == AV_OK && i < wanted.found->n_contents; i++) {
		const Avvik__V1__ContentRef *ref = wanted.found->contents[i];
		bool named = erase->n_content_ids == 0;
		for (size_t k = 0; !named && k < erase->n_content_ids; k++)
			named = ref == content_ref(wanted.found, erase->content_ids[k]);
		if (named)
			status = want(&wanted, ref, NULL, 0);
	}
	for (size_t k = 0; status == AV_OK && k < erase->n_content_ids; k++)
		if (!content_ref(wanted.found, erase->content_ids[k]))
			return workflow_refuse(ctx, AV_INVALID, FAULT(UNKNOWN_REFERENCE), "content_ids",
				"the case holds no such content: read the case and give ids of its contents, "
				"or none for all");
	return status == AV_OK ? issue(&wanted) : status;
}

/* --- the holder: content of this daemon --- */

static int open_item(
	struct av_ctx *ctx, const Avvik__V1__ContentItem *item, Avvik__V1__OpenedItem **ret_opened)
{
	Avvik__V1__OpenedItem *opened = AV_NEW(ctx->arena, Avvik__V1__OpenedItem, avvik__v1__opened_item);
	struct av_id id = id_of(item->content_id);

	if (!opened)
		return AV_MEMORY;
	opened->content_id = item->content_id;
	opened->parts = av_arena_alloc(ctx->arena, item->n_parts * sizeof(*opened->parts) + 1);
	if (!opened->parts)
		return AV_MEMORY;
	for (size_t i = 0; i < item->n_parts; i++) {
		Avvik__V1__OpenedPart *part =
			AV_NEW(ctx->arena, Avvik__V1__OpenedPart, avvik__v1__opened_part);
		struct av_bytes body;
		int status = part ? av_content_get(
					    ctx->txn, ctx->keys, &id, (int)item->parts[i], ctx->arena, &body)
				  : AV_MEMORY;

		if (status == AV_ERASED) {
			opened->erased = true;
			opened->n_parts = 0;
			break;
		}
		if (status == AV_NOT_FOUND) /* a content without this part */
			continue;
		if (status != AV_OK)
			return status;
		part->part = item->parts[i];
		part->body = (ProtobufCBinaryData){body.size, (uint8_t *)(uintptr_t)body.data};
		opened->parts[opened->n_parts++] = part;
	}
	*ret_opened = opened;
	return AV_OK;
}

static int read_granted(
	struct av_ctx *ctx, const Avvik__V1__GrantBody *grant, Avvik__V1__ContentItem **items, size_t count)
{
	Avvik__V1__OpenedContent *content = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_OPENED_CONTENT);
	Avvik__V1__ContentRead *told = AV_NEW(ctx->arena, Avvik__V1__ContentRead, avvik__v1__content_read);
	struct av_id case_id = id_of(grant->case_id);
	struct av_emit_options options = {.case_id = &case_id, .person = grant->person};
	int status = AV_OK;

	if (!content || !told)
		return AV_MEMORY;
	content->items = av_arena_alloc(ctx->arena, count * sizeof(*content->items) + 1);
	if (!content->items)
		return AV_MEMORY;
	for (size_t i = 0; status == AV_OK && i < count; i++) {
		status = open_item(ctx, items[i], &content->items[i]);
		content->n_items += status == AV_OK;
	}
	if (status != AV_OK)
		return status;
	told->grant_id = grant->grant_id;
	told->items = items;
	told->n_items = count;
	told->principal = grant->principal;
	told->person = grant->person;
	told->purpose = grant->purpose;
	av_emit(ctx, EVENT(CONTENT_READ), told, &options);
	return AV_OK;
}

static int erase_granted(
	struct av_ctx *ctx, const Avvik__V1__GrantBody *grant, Avvik__V1__ContentItem **items, size_t count)
{
	Avvik__V1__ContentErasure *erasure = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_CONTENT_ERASURE);
	struct av_id case_id = id_of(grant->case_id);
	struct av_emit_options options = {.case_id = &case_id, .person = grant->person};
	Avvik__V1__Case *found;
	int status = case_load(ctx->txn, &case_id, ctx->arena, &found);

	if (status != AV_OK)
		return status;
	if (!erasure)
		return AV_MEMORY;
	erasure->content_ids = av_arena_alloc(ctx->arena, count * sizeof(*erasure->content_ids) + 1);
	if (!erasure->content_ids)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++) {
		Avvik__V1__ContentErased *told =
			AV_NEW(ctx->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
		const Avvik__V1__ContentRef *ref = content_ref(found, items[i]->content_id);
		struct av_id id = id_of(items[i]->content_id);
		unsigned int bits;

		if (!told)
			return AV_MEMORY;
		erasure->content_ids[erasure->n_content_ids++] = items[i]->content_id;
		if (av_content_parts(ctx->txn, &id, &bits) == AV_ERASED)
			continue;
		told->content_id = items[i]->content_id;
		told->key_number = ref ? ref->key_number : 0;
		told->grant_id = grant->grant_id;
		told->person = grant->person;
		told->reason = grant->purpose;
		av_emit(ctx, EVENT(CONTENT_ERASED), told, &options);
		av_erase_content(ctx, &id);
	}
	return AV_OK; /* the keys are destroyed after the commit: destruction_complete stays false */
}

int on_open_content(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__OpenContent *open = (const Avvik__V1__OpenContent *)body;
	Avvik__V1__GrantBody *grant;
	Avvik__V1__ContentItem **items;
	size_t count = 0;
	int status;

	if (!open->grant)
		return workflow_refuse(
			ctx, AV_INVALID, FAULT(REQUIRED), "grant", "give the grant that workflow issued");
	status = av_grant_check(ctx, open->grant, &grant);
	if (status != AV_OK)
		return status;
	items = av_arena_alloc(ctx->arena, grant->n_items * sizeof(*items) + 1);
	if (!items)
		return AV_MEMORY;
	for (size_t i = 0; i < grant->n_items; i++)
		if (strcmp(grant->items[i]->holder, holder_workflow) == 0)
			items[count++] = grant->items[i];
	if (count == 0)
		return workflow_refuse(ctx, AV_INVALID, FAULT(CONTRADICTION), "grant",
			"the grant is for another holder: present it there");
	return grant->kind == AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE
		       ? erase_granted(ctx, grant, items, count)
		       : read_granted(ctx, grant, items, count);
}

/* Which content of an event holds a reporter's address. */
static const Avvik__V1__ContentRef *with_address(const Avvik__V1__Event *event)
{
	switch (event->body_case) {
	case EVENT(REPORTER_NAMED):
		return event->reporter_named->content;
	case EVENT(CONTENT_CORRECTED):
		return event->content_corrected->content;
	default:
		return NULL;
	}
}

/* The name and address of a reporter who was named later, or corrected, for notification alone. */
int workflow_open_parts(void *keystore, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item)
{
	const Avvik__V1__ContentRef *ref = with_address(event);
	Avvik__V1__OpenedPart *part;
	struct av_bytes body = {NULL, 0};
	struct av_id id;
	int status;

	if (!ref || !asked_for(ref->parts, ref->n_parts, CONTACT))
		return AV_OK;
	id = id_of(ref->content_id);
	status = av_content_get(txn, keystore, &id, CONTACT, arena, &body);
	if (status != AV_OK && status != AV_ERASED && status != AV_NOT_FOUND)
		return status;
	part = AV_NEW(arena, Avvik__V1__OpenedPart, avvik__v1__opened_part);
	item->parts = av_arena_alloc(arena, sizeof(*item->parts));
	if (!part || !item->parts)
		return AV_MEMORY;
	part->part = CONTACT;
	if (status == AV_OK)
		part->body = (ProtobufCBinaryData){body.size, (uint8_t *)(uintptr_t)body.data};
	item->parts[0] = part;
	item->n_parts = 1;
	return AV_OK;
}
