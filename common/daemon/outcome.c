/* outcome.c - what an item queues, and how it takes effect
 *
 * Handlers queue; nothing is written until the item stands. Then, in this order: sealed content, erasures,
 * and each event appended to the journal and given to apply(). Key numbers are taken from a number kept in
 * memory, so that a refused item gives them back by doing nothing; the counter is written once, at the end of
 * the attempt.
 */
#include <string.h>

#include "avvik/v1/case.pb-c.h"
#include "daemon/health.h"
#include "daemon/turn_inner.h"

#define GRANT_KEPT_MS INT64_C(86400000) /* a used grant is remembered this long after its sixty seconds */
#define GRANT_MS INT64_C(60000)

void outcome_init(struct av_outcome *out, struct av_turn *turn)
{
	*out = (struct av_outcome){.service = turn->o.service, .turn = turn, .ids = &turn->ids};
	out->tail = &out->first;
}

struct av_ctx turn_ctx(struct av_turn *turn, const struct av_item *item, struct av_outcome *out)
{
	struct av_ctx ctx = {
		.now_ms = turn->now_ms,
		.arena = turn->arena,
		.txn = turn->txn,
		.random = turn->o.random,
		.keys = turn->o.keys,
		.instance = turn->o.instance,
		.settings = turn->o.settings,
		.cache = turn->cache,
		.sign_public = turn->sign_public,
		.arrived_at_ms = item ? AV_MIN(item->arrived_at_ms, turn->now_ms) : turn->now_ms,
		.outcome = out,
	};
	av_faults_init(&ctx.faults, turn->arena);
	return ctx;
}

const struct av_service *ctx_service(const struct av_ctx *ctx)
{
	return ctx->outcome->service;
}

int binary_id(ProtobufCBinaryData data, struct av_id *ret_id)
{
	if (data.len != AV_ID_SIZE)
		return AV_NOTHING;
	memcpy(ret_id->bytes, data.data, AV_ID_SIZE);
	return AV_OK;
}

size_t av_emitted(const struct av_ctx *ctx)
{
	return ctx->outcome->count;
}

struct av_id av_ctx_id(struct av_ctx *ctx)
{
	return av_id_next(ctx->outcome->ids, ctx->now_ms, ctx->random);
}

/* "00-<32 hex>-<16 hex>-<2 hex>": the trace id in the middle. */
static int trace_parse(const char *parent, struct av_id *ret_trace)
{
	char hex[2 * AV_ID_SIZE + 1];
	struct av_id trace;
	static const struct av_id none;
	if (strlen(parent) != 55 || parent[2] != '-' || parent[35] != '-')
		return AV_INVALID;
	memcpy(hex, parent + 3, 2 * AV_ID_SIZE);
	hex[2 * AV_ID_SIZE] = '\0';
	if (av_unhex(hex, trace.bytes, AV_ID_SIZE) < 0 || memcmp(&trace, &none, sizeof none) == 0)
		return AV_INVALID;
	*ret_trace = trace;
	return AV_OK;
}

struct av_id av_ctx_trace(struct av_ctx *ctx)
{
	struct av_outcome *out = ctx->outcome;
	if (out->has_trace)
		return out->trace;
	out->has_trace = true;
	if (ctx->command && trace_parse(ctx->command->trace_parent, &out->trace) == AV_OK)
		return out->trace;
	if (ctx->event && binary_id(ctx->event->trace_id, &out->trace) == AV_OK)
		return out->trace;
	av_random_fill(ctx->random, out->trace.bytes, AV_ID_SIZE);
	return out->trace;
}

static const char *person_of(const struct av_ctx *ctx, const struct av_emit_options *options)
{
	if (options->person)
		return options->person;
	return ctx->command && ctx->command->on_behalf_of ? ctx->command->on_behalf_of : "";
}

struct av_id av_emit(
	struct av_ctx *ctx, unsigned int number, void *body, const struct av_emit_options *options)
{
	static const struct av_emit_options defaults;
	struct av_outcome *out = ctx->outcome;
	struct emitted *entry = av_arena_zalloc(ctx->arena, sizeof *entry);
	if (!options)
		options = &defaults;
	struct av_id id = options->event_id ? *options->event_id : av_ctx_id(ctx);
	if (!entry || !body || !out->turn) {
		out->failed = !out->turn ? AV_INTERNAL : AV_MEMORY;
		return id;
	}
	Avvik__V1__Event *event = &entry->event;
	avvik__v1__event__init(event);
	avvik__v1__actor__init(&entry->actor);
	entry->id = id;
	event->event_id = id_binary(&entry->id);
	event->recorded_at_ms = ctx->now_ms;
	event->occurred_at_ms =
		options->occurred_at_ms ? AV_MIN(options->occurred_at_ms, ctx->now_ms) : ctx->now_ms;
	event->schema = 1;
	if (options->case_id)
		entry->case_id = *options->case_id;
	if (options->case_id || (ctx->event && binary_id(ctx->event->case_id, &entry->case_id) == AV_OK))
		event->case_id = id_binary(&entry->case_id);
	if (options->cause_id)
		entry->cause_id = *options->cause_id;
	if (options->cause_id || (ctx->event && binary_id(ctx->event->event_id, &entry->cause_id) == AV_OK))
		event->cause_id = id_binary(&entry->cause_id);
	entry->trace_id = options->trace_id ? *options->trace_id : av_ctx_trace(ctx);
	event->trace_id = id_binary(&entry->trace_id);
	entry->actor.principal = (char *)(uintptr_t)(ctx->principal ? ctx->principal->name : "avvik");
	entry->actor.person = (char *)(uintptr_t)person_of(ctx, options);
	if (options->role)
		entry->actor.role = (char *)(uintptr_t)options->role;
	if (options->taken_over_from)
		entry->actor.taken_over_from = (char *)(uintptr_t)options->taken_over_from;
	event->actor = &entry->actor;
	av_body_set(&event->base, number, body);
	*out->tail = entry;
	out->tail = &entry->next;
	out->last = entry;
	out->count++;
	return id;
}

uint64_t turn_next_key(struct av_turn *turn, uint64_t from)
{
	unsigned char key[AV_KEY_SIZE];
	struct av_keystore *keys = turn->o.keys;
	for (bool extended = false;;) {
		int status = av_keystore_get(keys, from, key);
		av_wipe(key, sizeof key);
		if (status == AV_OK)
			return from;
		if (status == AV_ERASED) {
			from++;
			continue;
		}
		/* More were needed in one turn than upkeep had made ahead: a whole directory, say. */
		if (status != AV_NOT_FOUND || extended ||
			av_keystore_extend(keys, from + 4 * (uint64_t)AV_KEY_BLOCK) < 0)
			return 0;
		extended = true;
	}
}

int av_seal_parts(struct av_ctx *ctx, const struct av_content_part *parts, size_t count,
	struct av_bytes committed, Avvik__V1__ContentRef **ret_ref)
{
	struct av_outcome *out = ctx->outcome;
	struct sealed *entry = av_arena_zalloc(ctx->arena, sizeof *entry);
	Avvik__V1__ContentRef *ref = AV_NEW(ctx->arena, Avvik__V1__ContentRef, avvik__v1__content_ref);
	unsigned char *hash = av_arena_alloc(ctx->arena, AV_HASH_SIZE);
	Avvik__V1__ContentPart *numbers = av_arena_alloc(ctx->arena, AV_MAX(count, 1) * sizeof *numbers);
	struct av_content_part *copies = av_arena_copy(ctx->arena, parts, AV_MAX(count, 1) * sizeof *parts);
	if (!entry || !ref || !hash || !numbers || !copies || !out->turn) {
		out->failed = !out->turn ? AV_INTERNAL : AV_MEMORY;
		return out->failed;
	}
	uint64_t number = turn_next_key(out->turn, out->next_key ? out->next_key : out->turn->key_next);
	if (number == 0)
		return AV_FULL;
	out->next_key = number + 1;
	*entry = (struct sealed){.id = av_ctx_id(ctx), .key_number = number, .parts = copies, .count = count};
	av_random_fill(ctx->random, entry->blinding, sizeof entry->blinding);
	if (ctx->packed_hash && committed.data == ctx->packed.data && committed.size == ctx->packed.size)
		av_commitment_of_hash(entry->blinding, ctx->packed_hash, hash);
	else
		av_commitment(entry->blinding, committed, hash);
	for (size_t i = 0; i < count; i++)
		numbers[i] = (Avvik__V1__ContentPart)parts[i].part;
	ref->content_id = id_binary(&entry->id);
	ref->commitment = (ProtobufCBinaryData){AV_HASH_SIZE, hash};
	ref->n_parts = count;
	ref->parts = numbers;
	ref->key_number = number;
	if (out->sealed_last)
		out->sealed_last->next = entry;
	else
		out->sealed = entry;
	out->sealed_last = entry;
	*ret_ref = ref;
	return AV_OK;
}

int av_seal_text(struct av_ctx *ctx, const Avvik__V1__CaseText *text, Avvik__V1__ContentRef **ret_ref)
{
	Avvik__V1__CaseText clean = AVVIK__V1__CASE_TEXT__INIT;
	clean.text = text && text->text ? text->text : clean.text;
	clean.source = text && text->source ? text->source : clean.source;
	clean.goal = text && text->goal ? text->goal : clean.goal;
	clean.note = text && text->note ? text->note : clean.note;
	if (!clean.text[0] && !clean.source[0] && !clean.goal[0] && !clean.note[0]) {
		*ret_ref = NULL;
		return AV_NOTHING;
	}
	struct av_content_part part = {
		AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT, av_message_pack(&clean.base, ctx->arena)};
	if (!part.body.data)
		return AV_MEMORY;
	return av_seal_parts(ctx, &part, 1, part.body, ret_ref);
}

void av_want_receipt(struct av_ctx *ctx, const struct av_id *report_id, const Avvik__V1__ContentRef *ref,
	int64_t received_at_ms)
{
	struct av_outcome *out = ctx->outcome;
	AV_UNUSED(report_id); /* the leaf is made from the event by the service's receipt_leaf(): live and
				 when rebuilt */
	AV_UNUSED(received_at_ms);
	out->receipt_for = out->last;
	for (struct sealed *entry = out->sealed; ref && entry; entry = entry->next) {
		if (ref->content_id.len == AV_ID_SIZE &&
			memcmp(entry->id.bytes, ref->content_id.data, AV_ID_SIZE) == 0)
			out->receipt_blinding = entry->blinding;
	}
	if (!out->receipt_for || !out->receipt_blinding)
		out->failed = AV_INTERNAL;
}

void av_erase_content(struct av_ctx *ctx, const struct av_id *content_id)
{
	struct erasure *entry = av_arena_alloc(ctx->arena, sizeof *entry);
	if (!entry) {
		ctx->outcome->failed = AV_MEMORY;
		return;
	}
	*entry = (struct erasure){*content_id, ctx->outcome->erasures};
	ctx->outcome->erasures = entry;
}

void *av_reply_body(struct av_ctx *ctx, unsigned int number)
{
	const ProtobufCFieldDescriptor *field =
		av_body_field_by_number(&avvik__v1__reply__descriptor, number);
	const ProtobufCMessageDescriptor *type = field ? field->descriptor : NULL;
	ProtobufCMessage *body = type ? av_arena_alloc(ctx->arena, type->sizeof_message) : NULL;
	if (!body)
		return NULL;
	protobuf_c_message_init(type, body);
	av_body_set(&ctx->reply->base, number, body);
	return body;
}

/* --- taking effect --- */

/* A used grant is remembered while it could be presented again, and a day more; the table is swept a little
 * at each use. */
static void grant_used(struct av_txn *txn, ProtobufCBinaryData grant_id, int64_t now_ms)
{
	unsigned char expiry[8];
	if (grant_id.len != AV_ID_SIZE)
		return;
	struct av_iter it = av_iter(txn, AV_TABLE_GRANTS, av_bytes(NULL, 0), av_bytes(NULL, 0));
	for (int i = 0; i < 2 && av_iter_next(&it) && it.value.size == 8; i++) {
		if ((int64_t)av_get_u64(it.value.data) + GRANT_KEPT_MS >= now_ms)
			break;
		av_iter_delete(&it);
	}
	av_iter_end(&it);
	av_put_u64(expiry, (uint64_t)(now_ms + GRANT_MS));
	av_put(txn, AV_TABLE_GRANTS, av_bytes(grant_id.data, grant_id.len), av_bytes(expiry, sizeof expiry));
}

int apply_event(const struct av_service *service, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena)
{
	if (event->body_case == AVVIK__V1__EVENT__BODY_CONTENT_READ)
		grant_used(txn, event->content_read->grant_id, event->recorded_at_ms);
	else if (event->body_case == AVVIK__V1__EVENT__BODY_CONTENT_ERASED)
		grant_used(txn, event->content_erased->grant_id, event->recorded_at_ms);
	int status = service->apply ? service->apply(txn, event, arena) : AV_OK;
	/* What the service keeps of the event there stands already. */
	if (status >= 0 && event->case_id.len == AV_ID_SIZE) {
		unsigned char key[AV_ID_SIZE + 8];
		memcpy(key, event->case_id.data, AV_ID_SIZE);
		av_put_u64(key + AV_ID_SIZE, event->sequence);
		av_put_new(txn, AV_TABLE_BY_CASE, av_bytes(key, sizeof key), av_bytes(NULL, 0));
	}
	return status < 0 ? status : AV_MIN(av_txn_error(txn), AV_OK);
}

static int content_commit(struct av_turn *turn, struct av_outcome *out)
{
	for (struct sealed *entry = out->sealed; entry; entry = entry->next) {
		int status = av_content_put(turn->txn, turn->o.keys, &entry->id, entry->key_number,
			entry->blinding, entry->parts, entry->count, turn->o.random, turn->arena);
		if (status < 0)
			return status;
	}
	for (struct erasure *entry = out->erasures; entry; entry = entry->next) {
		uint64_t number;
		int status = av_content_erase(turn->txn, &entry->id, &number);
		if (status < 0)
			return status;
		turn->doomed = true;
	}
	if (out->next_key) {
		turn->key_next = out->next_key;
		turn->dirty = true;
	}
	return AV_OK;
}

int outcome_commit(struct av_turn *turn, struct av_ctx *ctx)
{
	struct av_outcome *out = ctx->outcome;
	if (out->failed < 0)
		return out->failed;
	int status = content_commit(turn, out);
	for (struct emitted *entry = out->first; entry && status >= 0; entry = entry->next) {
		uint64_t sequence;
		Avvik__V1__Event *event = &entry->event;
		event->sequence = turn->head.sequence + 1;
		struct av_bytes packed = av_message_pack(&event->base, turn->arena);
		if (!packed.data)
			return AV_MEMORY;
		turn->dirty = true;
		av_journal_append(turn->txn, packed, &sequence);
		if (av_txn_error(turn->txn) < 0)
			return av_txn_error(turn->txn);
		turn->head.sequence = sequence;
		status = apply_event(turn->o.service, turn->txn, event, turn->arena);
		if (status >= 0)
			status = leaves_add(turn, event);
	}
	if (status >= 0 && av_arena_failed(turn->arena))
		status = AV_MEMORY;
	return status < 0 ? status : AV_MIN(av_txn_error(turn->txn), AV_OK);
}

int turn_emit_own(struct av_turn *turn, unsigned int number, void *body)
{
	struct av_outcome out;
	outcome_init(&out, turn);
	struct av_ctx ctx = turn_ctx(turn, NULL, &out);
	av_emit(&ctx, number, body, NULL);
	return outcome_commit(turn, &ctx);
}
