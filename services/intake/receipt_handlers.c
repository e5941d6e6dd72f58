/* receipt_handlers.c - GetReceipt and VerifyReceipt. */
#include <string.h>

#include "handlers.h"
#include "intake_store.h"
#include "seal/receipt.h"
#include "store/references.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define RECEIPTS_MAX 20 /* each is built again from its turn */

static int report_asked_for(
	struct av_ctx *ctx, const Avvik__V1__GetReceipt *query, struct av_id *ret_report_id)
{
	static const struct av_id none;
	struct av_reference known;
	if (id_of(query->report_id, ret_report_id))
		return AV_OK;
	if (!*query->reference) {
		av_fault(&ctx->faults, CODE(REQUIRED), "report_id",
			"is missing: send the id of the receipt, or your reference");
		return AV_INVALID;
	}
	int status = av_reference_find(ctx->txn, ctx->principal->name, query->reference, &known);
	if (status == AV_OK && memcmp(&known.case_id, &none, sizeof(none)) == 0)
		status = AV_NOT_FOUND; /* the reference of another order */
	if (status < 0) {
		av_fault(&ctx->faults, CODE(UNKNOWN_REFERENCE), "reference",
			"is not of a report that was kept: file it under this reference");
		return status == AV_TOO_LARGE ? AV_NOT_FOUND : status;
	}
	*ret_report_id = known.case_id;
	return AV_OK;
}

int on_get_receipt(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	struct av_id report_id;
	struct filing *filings;
	size_t count;
	int status = report_asked_for(ctx, (const Avvik__V1__GetReceipt *)body, &report_id);
	if (status < 0)
		return status;
	status = filing_list(ctx->txn, &report_id, RECEIPTS_MAX + 1, ctx->arena, &filings, &count);
	if (status == AV_NOT_FOUND)
		av_fault(&ctx->faults, CODE(UNKNOWN_REFERENCE), "report_id",
			"is no report here: send the id that stands in the receipt");
	if (status < 0)
		return status;
	if (strcmp(filings[0].principal, ctx->principal->name) != 0) {
		av_fault(&ctx->faults, CODE(NOT_ALLOWED), "report_id",
			"was filed by another sender, who has the receipt");
		return AV_FORBIDDEN;
	}
	Avvik__V1__ReceiptFound *found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_RECEIPT_FOUND);
	if (!found)
		return AV_MEMORY;
	found->receipts = av_arena_alloc(ctx->arena, count * sizeof(*found->receipts));
	if (!found->receipts)
		return AV_MEMORY;
	if (count > RECEIPTS_MAX) {
		count = RECEIPTS_MAX;
		ctx->reply->text = text_of("the report's receipt and those of its first supplements");
	}
	for (size_t i = 0; i < count; i++) {
		status = av_receipt_rebuild(ctx, filings[i].sequence, &found->receipts[i]);
		if (status < 0)
			return status;
	}
	found->n_receipts = count;
	return AV_OK;
}

static bool same(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return av_bytes_equal(av_bytes(a.data, a.len), av_bytes(b.data, b.len));
}

/* What this journal knows of the turn that the receipt speaks of. */
static const char *journal_text(struct av_ctx *ctx, const Avvik__V1__TurnSeal *turn)
{
	struct av_bytes packed;
	ProtobufCMessage *message;
	uint64_t last;
	if (av_journal_seal_of(ctx->txn, turn->last_sequence, &last, &packed) < 0 ||
		last != turn->last_sequence ||
		av_message_load(&avvik__v1__turn_seal__descriptor, packed, ctx->arena, &message) < 0)
		return "This instance signed it, but its journal does not hold the report: it was restored "
		       "from an "
		       "earlier backup. File the report again under the same reference.";
	const Avvik__V1__TurnSeal *stored = (const Avvik__V1__TurnSeal *)message;
	if (!same(stored->chain_hash, turn->chain_hash) || !same(stored->merkle_root, turn->merkle_root))
		return "This instance signed it, but its journal holds something else in that place: it was "
		       "restored from "
		       "an earlier backup. File the report again under the same reference.";
	return "This instance received the report then, and its journal holds it unchanged.";
}

int on_verify_receipt(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__Receipt *receipt = ((const Avvik__V1__VerifyReceipt *)body)->receipt;
	Avvik__V1__ReceiptVerified *verified = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_RECEIPT_VERIFIED);
	const char *text = "The signing key of this instance is not at hand.";
	if (!verified)
		return AV_MEMORY;
	if (strcmp(receipt->instance, ctx->instance) != 0) {
		text = "The receipt is of another instance: ask that one.";
	} else if (ctx->sign_public && av_receipt_check(receipt, ctx->sign_public, av_bytes(NULL, 0),
					       ctx->arena, &text) == AV_OK) {
		verified->valid = true;
		text = journal_text(ctx, receipt->turn);
	}
	verified->text = text_of(text);
	return AV_OK;
}
