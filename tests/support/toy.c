/* toy.c - see toy.h */
#include "toy.h"

#include <stdlib.h>
#include <string.h>

#include "avvik/v1/common.pb-c.h"
#include "store/references.h"

bool toy_feed_refuses = true, toy_apply_fails = true, toy_directory_refuses = true;
unsigned int toy_crashes = 1;
bool toy_starves;

/* --- records --- */

static uint64_t number(struct av_txn *txn, unsigned int table, struct av_bytes key)
{
	struct av_bytes value;
	return av_get(txn, table, key, &value) == AV_OK && value.size == 8 ? av_get_u64(value.data) : 0;
}

static void count(struct av_txn *txn, unsigned int table, struct av_bytes key)
{
	unsigned char value[8];
	av_put_u64(value, number(txn, table, key) + 1);
	av_put(txn, table, key, av_bytes(value, sizeof value));
}

uint64_t toy_filed(struct av_txn *txn, const char *unit)
{
	return number(txn, TOY_UNITS, av_bytes_of(unit));
}

uint64_t toy_placed(struct av_txn *txn, const struct av_id *case_id)
{
	return number(txn, TOY_PLACED, av_bytes(case_id->bytes, AV_ID_SIZE));
}

static struct av_bytes due_key(int64_t at_ms, const unsigned char *case_id, unsigned char ret_key[24])
{
	av_put_u64(ret_key, (uint64_t)at_ms);
	memcpy(ret_key + 8, case_id, AV_ID_SIZE);
	return av_bytes(ret_key, 24);
}

static int apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	unsigned char key[24];
	AV_UNUSED(arena);
	switch (event->body_case) {
	case AVVIK__V1__EVENT__BODY_REPORT_FILED:
		if (strcmp(event->report_filed->unit, "poison") == 0) {
			count(txn, TOY_UNITS, av_bytes_of("poison"));
			return AV_INVALID;
		}
		count(txn, TOY_UNITS, av_bytes_of(event->report_filed->unit));
		if (event->report_filed->noticed_at_ms)
			av_put(txn, TOY_DUE,
				due_key(event->report_filed->noticed_at_ms, event->case_id.data, key),
				av_bytes(NULL, 0));
		return AV_OK;
	case AVVIK__V1__EVENT__BODY_CASE_PLACED:
		if (toy_apply_fails && strcmp(event->case_placed->unit, "badapply") == 0)
			return AV_INVALID;
		count(txn, TOY_PLACED, av_bytes(event->case_id.data, event->case_id.len));
		return AV_OK;
	case AVVIK__V1__EVENT__BODY_RUNG_FIRED:
		av_delete(txn, TOY_DUE, due_key(event->rung_fired->planned_at_ms, event->case_id.data, key));
		return AV_OK;
	default:
		return AV_OK;
	}
}

/* --- commands --- */

static int on_file_report(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__FileReport *order = (const Avvik__V1__FileReport *)body;
	Avvik__V1__ReportFiled *filed = AV_NEW(ctx->arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	Avvik__V1__ReportNarrative *narrative = order->narrative;
	struct av_content_part part = {AVVIK__V1__CONTENT_PART__CONTENT_PART_NARRATIVE, {0}};
	struct av_id *id = av_arena_alloc(ctx->arena, sizeof *id);
	if (!filed || !id)
		return AV_MEMORY;
	*id = av_ctx_id(ctx);
	part.body = narrative ? av_message_pack(&narrative->base, ctx->arena) : av_bytes("", 0);
	int status = av_seal_parts(ctx, &part, 1, ctx->packed, &filed->content);
	if (status < 0)
		return status;
	filed->report_id = (ProtobufCBinaryData){AV_ID_SIZE, id->bytes};
	filed->unit = order->unit;
	filed->received_at_ms = ctx->now_ms;
	filed->noticed_at_ms = order->noticed_at_ms;
	struct av_emit_options options = {.case_id = id};
	av_emit(ctx, AVVIK__V1__EVENT__BODY_REPORT_FILED, filed, &options);
	av_want_receipt(ctx, id, filed->content, ctx->now_ms);
	Avvik__V1__ReportAccepted *accepted = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED);
	if (!accepted)
		return AV_MEMORY;
	accepted->report_id = filed->report_id;
	/* Refused as late as can be: nothing of what was queued may stay. */
	if (strcmp(order->unit, "refused") == 0) {
		av_fault(&ctx->faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_REFERENCE, "unit",
			"choose a unit that exists");
		return AV_INVALID;
	}
	if (strcmp(order->unit, "crash") == 0 && toy_crashes)
		abort();
	if (strcmp(order->unit, "starved") == 0 && toy_starves)
		return AV_MEMORY;
	while (strcmp(order->unit, "hungry") == 0 && av_arena_alloc(ctx->arena, 1024 * 1024))
		;
	if (order->category[0])
		av_fault(&ctx->faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_VALUE, "category",
			"kept, though it is not known");
	return AV_OK;
}

static int on_get_receipt(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__GetReceipt *asked = (const Avvik__V1__GetReceipt *)body;
	struct av_reference known;
	int status = av_reference_find(ctx->txn, ctx->principal->name, asked->reference, &known);
	Avvik__V1__ReceiptFound *found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_RECEIPT_FOUND);
	Avvik__V1__Receipt **list = av_arena_alloc(ctx->arena, sizeof(Avvik__V1__Receipt *));
	if (status < 0 || !found || !list)
		return status < 0 ? status : AV_MEMORY;
	found->n_receipts = 1;
	found->receipts = list;
	return av_receipt_rebuild(ctx, known.sequence, list);
}

static int on_open_content(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__OpenContent *order = (const Avvik__V1__OpenContent *)body;
	Avvik__V1__GrantBody *grant;
	int status = av_grant_check(ctx, order->grant, &grant);
	if (status < 0)
		return status;
	struct av_id id;
	memcpy(id.bytes, grant->items[0]->content_id.data, AV_ID_SIZE);
	if (grant->kind == AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE) {
		Avvik__V1__ContentErased *erased =
			AV_NEW(ctx->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
		erased->content_id = grant->items[0]->content_id;
		erased->grant_id = grant->grant_id;
		av_emit(ctx, AVVIK__V1__EVENT__BODY_CONTENT_ERASED, erased, NULL);
		av_erase_content(ctx, &id);
		return av_reply_body(ctx, AVVIK__V1__REPLY__BODY_CONTENT_ERASURE) ? AV_OK : AV_MEMORY;
	}
	Avvik__V1__ContentRead *read = AV_NEW(ctx->arena, Avvik__V1__ContentRead, avvik__v1__content_read);
	read->grant_id = grant->grant_id;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_CONTENT_READ, read, NULL);
	return av_reply_body(ctx, AVVIK__V1__REPLY__BODY_OPENED_CONTENT) ? AV_OK : AV_MEMORY;
}

/* --- feed --- */

static int on_report_filed(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ReportFiled *filed = (const Avvik__V1__ReportFiled *)body;
	Avvik__V1__CasePlaced *placed = AV_NEW(ctx->arena, Avvik__V1__CasePlaced, avvik__v1__case_placed);
	if (!placed)
		return AV_MEMORY;
	placed->unit = filed->unit;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_CASE_PLACED, placed, NULL);
	if (strcmp(filed->unit, "badfeed") == 0 && toy_feed_refuses)
		return AV_NOT_FOUND;
	if (strcmp(filed->unit, "crash") == 0 && toy_crashes)
		abort();
	while (strcmp(filed->unit, "hungry") == 0)
		if (!av_arena_alloc(ctx->arena, 1024 * 1024))
			return AV_MEMORY;
	if (strcmp(filed->unit, "greedy") == 0)
		(void)av_arena_alloc(ctx->arena, 40 * 1024 * 1024); /* a part of what a turn has */
	return AV_OK;
}

static int on_directory_published(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	AV_UNUSED(ctx);
	AV_UNUSED(body);
	return toy_directory_refuses ? AV_CONFLICT : AV_OK;
}

/* --- time --- */

static int on_due(struct av_ctx *ctx, unsigned int limit, bool *ret_more)
{
	struct av_iter it = av_iter(ctx->txn, TOY_DUE, av_bytes(NULL, 0), av_bytes(NULL, 0));
	unsigned int fired = 0;
	while (av_iter_next(&it)) {
		int64_t at_ms = (int64_t)av_get_u64(it.key.data);
		if (at_ms > ctx->now_ms)
			break;
		if (toy_crashes == 2)
			abort();
		if (fired++ == limit) {
			*ret_more = true;
			break;
		}
		struct av_id id;
		struct av_emit_options options = {.case_id = &id};
		Avvik__V1__RungFired *rung = AV_NEW(ctx->arena, Avvik__V1__RungFired, avvik__v1__rung_fired);
		memcpy(id.bytes, (const unsigned char *)it.key.data + 8, AV_ID_SIZE);
		rung->planned_at_ms = at_ms;
		av_emit(ctx, AVVIK__V1__EVENT__BODY_RUNG_FIRED, rung, &options);
	}
	av_iter_end(&it);
	return fired ? AV_OK : AV_NOTHING;
}

static int64_t next_due(struct av_txn *txn)
{
	struct av_iter it = av_iter(txn, TOY_DUE, av_bytes(NULL, 0), av_bytes(NULL, 0));
	int64_t at_ms = av_iter_next(&it) ? (int64_t)av_get_u64(it.key.data) : 0;
	av_iter_end(&it);
	return at_ms;
}

static int on_inner(struct av_ctx *ctx, unsigned int kind, struct av_bytes data)
{
	AV_UNUSED(data);
	if (kind == 2 && toy_crashes)
		abort();
	if (kind != 1 && kind != 2)
		return AV_INVALID;
	Avvik__V1__CasePlaced *placed = AV_NEW(ctx->arena, Avvik__V1__CasePlaced, avvik__v1__case_placed);
	struct av_id id = av_ctx_id(ctx);
	struct av_emit_options options = {.case_id = &id};
	av_emit(ctx, AVVIK__V1__EVENT__BODY_CASE_PLACED, placed, &options);
	return AV_OK;
}

static bool receipt_leaf(const Avvik__V1__Event *event, Avvik__V1__ReceiptLeaf *ret_leaf)
{
	if (event->body_case != AVVIK__V1__EVENT__BODY_REPORT_FILED)
		return false;
	ret_leaf->report_id = event->report_filed->report_id;
	ret_leaf->commitment = event->report_filed->content->commitment;
	ret_leaf->received_at_ms = event->report_filed->received_at_ms;
	return true;
}

/* clang-format off */
static const struct av_table_decl tables[] = {
	{ "toy_units",  AV_PROJECTION },
	{ "toy_placed", AV_PROJECTION },
	{ "toy_due",    AV_PROJECTION },
};

static const struct av_command_row commands[] = {
	{ AVVIK__V1__COMMAND__BODY_FILE_REPORT,  AV_ORDER, AV_MAY_PUBLISH, 0,          on_file_report,  "ReportFiled" },
	{ AVVIK__V1__COMMAND__BODY_GET_RECEIPT,  AV_QUERY, AV_MAY_PUBLISH, 0,          on_get_receipt,  "" },
	{ AVVIK__V1__COMMAND__BODY_OPEN_CONTENT, AV_ONCE,  AV_MAY_CONTENT, AV_AT_FULL, on_open_content, "ContentRead, ContentErased" },
};

static const struct av_event_row events[] = {
	{ TOY_FEED, AVVIK__V1__EVENT__BODY_REPORT_FILED,        on_report_filed,        "CasePlaced" },
	{ TOY_FEED, AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED, on_directory_published, "" },
};

const struct av_service toy_service = {
	.name = "toy",
	.purpose = "shows what the skeleton promises",
	.tables = tables,     .table_count = AV_COUNT(tables),
	.commands = commands, .command_count = AV_COUNT(commands),
	.events = events,     .event_count = AV_COUNT(events),
	.apply = apply,
	.on_due = on_due,
	.next_due = next_due,
	.on_inner = on_inner,
	.receipt_leaf = receipt_leaf,
}; /* clang-format on */
