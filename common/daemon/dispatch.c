/* dispatch.c - one command: decode, rights, repetition, handler, reply
 *
 * The order must not change: a repetition is looked for after rights (a revoked sender learns nothing) and
 * before the state of the store matters (a full store still answers what it has stored before).
 */
#include <string.h>

#include "daemon/turn_inner.h"

int reply_status(int status)
{
#define IS(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name
	switch (status) { /* clang-format off */
	case AV_OK: case AV_NOTHING: return IS(DONE);
	case AV_INVALID:     return IS(INVALID);
	case AV_MALFORMED:   return IS(MALFORMED);
	case AV_TOO_LARGE:   return IS(TOO_LARGE);
	case AV_FORBIDDEN:   return IS(FORBIDDEN);
	case AV_NOT_FOUND:   return IS(NOT_FOUND);
	case AV_CONFLICT: case AV_EXISTS: return IS(CONFLICT);
	case AV_STALE:       return IS(STALE);
	case AV_CLOSED:      return IS(WRONG_STATE);
	case AV_BUSY: case AV_TIMEOUT: return IS(BUSY);
	case AV_FULL:        return IS(FULL);
	case AV_UNSUPPORTED: return IS(UNSUPPORTED);
	case AV_ERASED:      return IS(ERASED);
	case AV_CRYPTO:      return IS(INVALID);
	default:             return 0;
	} /* clang-format on */
#undef IS
}

void reply_faults(Avvik__V1__Reply *reply, const struct av_faults *faults, struct av_arena *arena)
{
	size_t listed = AV_MIN(faults->count, (size_t)AV_FAULTS_MAX), at = 0;
	if (!listed)
		return;
	Avvik__V1__Fault *all = av_arena_alloc(arena, listed * sizeof *all);
	Avvik__V1__Fault **list = av_arena_alloc(arena, listed * sizeof(Avvik__V1__Fault *));
	if (!all || !list)
		return;
	for (const struct av_fault *fault = faults->first; fault && at < listed; fault = fault->next, at++) {
		avvik__v1__fault__init(&all[at]);
		all[at].path = (char *)(uintptr_t)fault->path;
		all[at].code = (Avvik__V1__FaultCode)fault->code;
		all[at].text = (char *)(uintptr_t)fault->text;
		list[at] = &all[at];
	}
	reply->n_faults = at;
	reply->faults = list;
}

static void reply_address(Avvik__V1__Reply *reply, const Avvik__V1__Command *command)
{
	reply->reference = command->reference;
	reply->message_id = command->message_id;
}

static const char *refusal_text(int status)
{
	switch (status) { /* clang-format off */
	case AV_INVALID:   return "refused: the faults name the fields";
	case AV_FORBIDDEN: return "not allowed";
	case AV_NOT_FOUND: return "there is no such thing";
	case AV_STALE:     return "the case has changed since it was read: read it again";
	case AV_CLOSED:    return "this cannot be done in the present state";
	case AV_ERASED:    return "the content has been erased";
	case AV_FULL:      return "the store is full and nothing was stored: the administrator must make room";
	case AV_BUSY:      return "busy: send it again later";
	case AV_CRYPTO:    return "the signature or the seal does not hold";
	default:           return av_status_text(status);
	} /* clang-format on */
}

/* The answer to a command that the handler refused, from what the handler left in ctx. */
struct av_bytes reply_refusal(const Avvik__V1__Command *command, int status, struct av_ctx *ctx)
{
	Avvik__V1__Reply *reply = ctx->reply;
	reply_address(reply, command);
	reply->status = (Avvik__V1__ReplyStatus)reply_status(status);
	reply->body_case = AVVIK__V1__REPLY__BODY__NOT_SET;
	if (status == AV_BUSY && !reply->retry_after_ms)
		reply->retry_after_ms = 100;
	if (!reply->text || !reply->text[0])
		reply->text = (char *)(uintptr_t)refusal_text(status);
	reply_faults(reply, &ctx->faults, ctx->arena);
	return av_message_pack(&reply->base, ctx->arena);
}

static int refused(struct av_turn *turn, struct av_item *item, const Avvik__V1__Command *command, int status,
	struct av_ctx *ctx)
{
	turn->counts.refused++;
	item->reply = reply_refusal(command, status, ctx);
	return item->reply.data ? AV_OK : AV_MEMORY;
}

/* Known: the reply it got, with its receipt made again. */
static int repeat(
	struct av_turn *turn, struct av_item *item, struct av_ctx *ctx, const struct av_reference *known)
{
	ProtobufCMessage *message;
	int status = av_message_load(&avvik__v1__reply__descriptor, known->reply, turn->arena, &message);
	if (status < 0)
		return status;
	Avvik__V1__Reply *reply = (Avvik__V1__Reply *)message;
	reply_address(reply, ctx->command);
	reply->repeated = true;
	turn->counts.repeated++;
	if (reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED && known->sequence) {
		if (known->sequence >= turn->first)
			return receipt_want(turn, item, reply, known->sequence, NULL);
		Avvik__V1__Receipt *receipt;
		status = av_receipt_rebuild(ctx, known->sequence, &receipt);
		if (status < 0)
			return status;
		reply->report_accepted->receipt = receipt;
		reply->report_accepted->erased = receipt->erased;
	}
	item->reply = av_message_pack(&reply->base, turn->arena);
	return item->reply.data ? AV_OK : AV_MEMORY;
}

/* The reply as it is kept: without receipt, reference and message id. */
static int remember(struct av_turn *turn, struct av_ctx *ctx, const unsigned char hash[AV_HASH_SIZE])
{
	Avvik__V1__Reply kept = *ctx->reply;
	struct av_outcome *out = ctx->outcome;
	struct emitted *of = out->receipt_for ? out->receipt_for : out->first;
	kept.reference = kept.message_id = (char *)(uintptr_t)protobuf_c_empty_string;
	struct av_reference entry = {.reply = av_message_pack(&kept.base, turn->arena)};
	if (!entry.reply.data)
		return AV_MEMORY;
	memcpy(entry.hash, hash, sizeof entry.hash);
	if (of) {
		entry.sequence = of->event.sequence;
		entry.case_id = of->case_id;
	}
	av_reference_store(turn->txn, ctx->principal->name, ctx->command->reference, &entry);
	return AV_MIN(av_txn_error(turn->txn), AV_OK);
}

/* The handler said yes: its events, the memory of it, and the reply. */
static int stands(struct av_turn *turn, struct av_item *item, const struct av_command_row *row,
	struct av_ctx *ctx, const unsigned char hash[AV_HASH_SIZE])
{
	struct av_outcome *out = ctx->outcome;
	Avvik__V1__Reply *reply = ctx->reply;
	turn->dirty = true;
	int status = outcome_commit(turn, ctx);
	if (status >= 0)
		status = decision_run(turn, ctx, item);
	if (status < 0)
		return status;
	reply->status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE;
	reply_faults(reply, &ctx->faults, turn->arena);
	if (row->kind == AV_ORDER) {
		status = remember(turn, ctx, hash);
		if (status < 0)
			return status;
	}
	reply_address(reply, ctx->command);
	if (out->receipt_for) {
		if (reply->body_case != AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED)
			return AV_INTERNAL;
		return receipt_want(
			turn, item, reply, out->receipt_for->event.sequence, out->receipt_blinding);
	}
	item->reply = av_message_pack(&reply->base, turn->arena);
	return item->reply.data ? AV_OK : AV_MEMORY;
}

/* What a command says: the hash of its body, which the commitment is made over too, and what a repetition, or an
 * item that ended the process, is recognised by. That is kept for good, also after erasure, so it is keyed with a
 * key of the key store: the data alone, and copies of it, do not let anyone try whether a content was this one. */
struct said {
	unsigned char packed_hash[AV_HASH_SIZE], hash[AV_HASH_SIZE];
};

static void said_make(
	const struct av_turn *turn, unsigned int number, struct av_bytes body, struct said *ret_said)
{
	unsigned char tagged[4 + AV_HASH_SIZE];
	av_hash(body, ret_said->packed_hash);
	av_put_u32(tagged, number);
	memcpy(tagged + 4, ret_said->packed_hash, AV_HASH_SIZE);
	av_hash_keyed(turn->own_key, av_bytes(tagged, sizeof tagged), ret_said->hash);
}

/* Under way from here on. false: it has ended the process twice. Whatever is answered otherwise, it was lived
 * through; if not, the transaction is gone and with it the forgetting. */
static bool may_go_on(struct av_turn *turn, const struct av_item *item, const struct said *said)
{
	mark_set(turn, AV_ITEM_COMMAND, item->principal ? item->principal->name : "", 0, said->hash);
	if (set_aside(turn, said->hash))
		return false;
	set_aside_forget(turn, said->hash);
	return true;
}

static int aside(struct av_turn *turn, struct av_item *item)
{
	turn->counts.failed++;
	item->reply = av_reply_plain(item->wire, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FAILED, 0,
		"set aside: it has ended the process twice; nothing was stored", turn->arena);
	return item->reply.data ? AV_OK : AV_MEMORY;
}

int command_run(struct av_turn *turn, struct av_item *item)
{
	const struct av_command_row *row;
	Avvik__V1__Command *command;
	struct said said;
	struct av_faults kept;
	struct av_reference known;
	struct av_outcome out;
	unsigned int number;

	/* While it is read it is known by its body as it was sent, afterwards by its canonical form: the same bytes,
	 * hashed once, from whoever packs the fields in the order of their numbers. */
	struct av_bytes sent = command_sent(item->wire, &number);
	said_make(turn, number, sent, &said);
	if (!may_go_on(turn, item, &said))
		return aside(turn, item);
	if (command_decode(turn->o.service, item->wire, item->principal, turn->arena, &command, &row, &kept,
		    &item->reply) != AV_OK) {
		turn->counts.refused++;
		return item->reply.data ? AV_OK : AV_MEMORY;
	}
	const ProtobufCMessage *body = av_body(&command->base);
	struct av_bytes packed = av_message_pack(body, turn->arena);
	if (!packed.data)
		return AV_MEMORY;
	if (!av_bytes_equal(packed, sent)) {
		said_make(turn, number, packed, &said);
		if (!may_go_on(turn, item, &said))
			return aside(turn, item);
	}

	outcome_init(&out, turn);
	struct av_ctx ctx = turn_ctx(turn, item, &out);
	ctx.principal = item->principal;
	ctx.command = command;
	ctx.packed = packed;
	ctx.packed_hash = said.packed_hash;
	ctx.kept = &kept;
	ctx.reply = AV_NEW(turn->arena, Avvik__V1__Reply, avvik__v1__reply);
	if (!ctx.reply)
		return AV_MEMORY;
	if (row->kind == AV_ORDER) {
		int status = av_reference_find(turn->txn, ctx.principal->name, command->reference, &known);
		if (status == AV_OK && memcmp(known.hash, said.hash, sizeof said.hash) == 0)
			return repeat(turn, item, &ctx, &known);
		if (status == AV_OK) {
			av_fault(&ctx.faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_CONTRADICTION, "reference",
				"this reference was used for another content: give the new one a reference "
				"of its own");
			ctx.reply->text = (char *)(uintptr_t) "the reference was used for another content";
			return refused(turn, item, command, AV_CONFLICT, &ctx);
		}
		if (status == AV_TOO_LARGE) {
			av_fault(&ctx.faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_TOO_LONG, "reference",
				"use a shorter reference");
			return refused(turn, item, command, AV_INVALID, &ctx);
		}
		if (status != AV_NOT_FOUND)
			return status;
	}
	if (row->kind != AV_QUERY && turn->full && !(row->flags & AV_AT_FULL))
		return refused(turn, item, command, AV_FULL, &ctx);

	int status = row->handler(&ctx, body);
	if (status >= 0 && out.failed < 0)
		status = out.failed;
	if (status >= 0 && (row->kind == AV_QUERY || row->kind == AV_TRIAL)) { /* queries: only in tests */
		item->reply = query_reply(command, status, &ctx);
		return item->reply.data ? AV_OK : AV_MEMORY;
	}
	if (status >= 0)
		status = stands(turn, item, row, &ctx, said.hash);
	else if (reply_status(status))
		return refused(turn, item, command, status, &ctx);
	return status;
}

/* --- queries --- */

struct av_bytes query_reply(const Avvik__V1__Command *command, int status, struct av_ctx *ctx)
{
	if (status < 0 && !reply_status(status)) {
		ctx->reply->status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_FAILED;
		ctx->reply->body_case = AVVIK__V1__REPLY__BODY__NOT_SET;
		ctx->reply->text =
			(char *)(uintptr_t) "the question could not be answered: see the daemon's health";
	} else if (status < 0) {
		return reply_refusal(command, status, ctx);
	} else {
		ctx->reply->status = AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE;
		reply_faults(ctx->reply, &ctx->faults, ctx->arena);
	}
	reply_address(ctx->reply, command);
	return av_message_pack(&ctx->reply->base, ctx->arena);
}

struct av_bytes av_query_run(
	const struct av_service *service, const Avvik__V1__Command *command, struct av_ctx *ctx)
{
	struct av_id_source ids = {0};
	struct av_outcome out = {.service = service, .ids = &ids};
	const struct av_command_row *row = command_row(service, (unsigned int)command->body_case);
	out.tail = &out.first;
	ctx->outcome = &out;
	ctx->command = command;
	ctx->reply = AV_NEW(ctx->arena, Avvik__V1__Reply, avvik__v1__reply);
	av_faults_init(&ctx->faults, ctx->arena);
	if (!ctx->reply || !row)
		return av_bytes(NULL, 0);
	int status = row->kind == AV_QUERY ? row->handler(ctx, av_body(&command->base)) : AV_UNSUPPORTED;
	struct av_bytes reply = query_reply(command, status, ctx);
	ctx->outcome = NULL;
	return reply;
}
