/* receipts.c - the last act of a turn: one signature over the root of its receipts
 *
 * The leaves of a turn are the events for which the service's receipt_leaf() answers true, in the order of
 * the journal: so the tree can be built again from the journal alone, for GetReceipt, for a repetition and
 * for verify. A reply that carries a receipt is packed here, since its path is known only now, and before the
 * commit, so that nothing can fail after it.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/turn_inner.h"

static int leaf_of(const struct av_service *service, const Avvik__V1__Event *event, struct av_arena *arena,
	const Avvik__V1__ReceiptLeaf **ret_leaf, unsigned char ret_hash[AV_HASH_SIZE])
{
	Avvik__V1__ReceiptLeaf made = AVVIK__V1__RECEIPT_LEAF__INIT;
	if (!service->receipt_leaf || !service->receipt_leaf(event, &made))
		return AV_NOTHING;
	made.sequence = event->sequence;
	made.recorded_at_ms = event->recorded_at_ms;
	*ret_leaf = av_arena_copy(arena, &made, sizeof made);
	return *ret_leaf ? av_receipt_leaf_hash(&made, arena, ret_hash) : AV_MEMORY;
}

int leaves_add(struct av_turn *turn, const Avvik__V1__Event *event)
{
	struct leaves *leaves = &turn->leaves;
	if (leaves->count == leaves->room) {
		size_t room = leaves->room ? 2 * leaves->room : 64;
		void *hashes = realloc(leaves->hashes, room * AV_HASH_SIZE);
		leaves->hashes = hashes ? hashes : leaves->hashes;
		void *leaf = realloc(leaves->leaf, room * sizeof(Avvik__V1__ReceiptLeaf *));
		leaves->leaf = leaf ? leaf : leaves->leaf;
		if (!hashes || !leaf)
			return AV_MEMORY;
		leaves->room = room;
	}
	int status = leaf_of(turn->o.service, event, turn->arena, &leaves->leaf[leaves->count],
		leaves->hashes[leaves->count]);
	if (status == AV_OK)
		leaves->count++;
	return AV_MIN(status, AV_OK);
}

const Avvik__V1__ContentRef *event_content(const Avvik__V1__Event *event)
{
	const ProtobufCMessage *body = av_body(&event->base);
	for (unsigned int i = 0; body && i < body->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &body->descriptor->fields[i];
		if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED &&
			field->descriptor == &avvik__v1__content_ref__descriptor)
			return *(Avvik__V1__ContentRef *const *)(const void *)((const char *)body +
									       field->offset);
	}
	return NULL;
}

/* The blinding of an event's content, into the receipt; erased content has none any more. */
static int blinding_get(struct av_txn *txn, struct av_keystore *keys, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__Receipt *receipt)
{
	const Avvik__V1__ContentRef *ref = event_content(event);
	struct av_bytes blinding;
	struct av_id id;
	if (!ref || binary_id(ref->content_id, &id) != AV_OK)
		return AV_OK;
	int status = av_content_get(txn, keys, &id, 0, arena, &blinding);
	if (status == AV_OK)
		receipt->blinding = (ProtobufCBinaryData){blinding.size, (uint8_t *)(uintptr_t)blinding.data};
	else if (status == AV_ERASED)
		receipt->erased = true;
	else
		return status == AV_NOT_FOUND ? AV_DAMAGED : status;
	return AV_OK;
}

static int event_load(
	struct av_txn *txn, uint64_t sequence, struct av_arena *arena, Avvik__V1__Event **ret_event)
{
	struct av_bytes packed;
	ProtobufCMessage *message;
	int status = av_journal_read(txn, sequence, &packed, NULL);
	if (status == AV_OK)
		status = av_message_load(&avvik__v1__event__descriptor, packed, arena, &message);
	if (status == AV_OK)
		*ret_event = (Avvik__V1__Event *)message;
	return status;
}

int receipt_want(struct av_turn *turn, struct av_item *item, Avvik__V1__Reply *reply, uint64_t sequence,
	const unsigned char *blinding)
{
	size_t leaf = turn->leaves.count;
	while (leaf > 0 && turn->leaves.leaf[leaf - 1]->sequence > sequence)
		leaf--;
	if (leaf == 0 || turn->leaves.leaf[leaf - 1]->sequence != sequence)
		return AV_INTERNAL; /* the service wants a receipt for an event of which it says that it has
				       none */
	struct wanted *wanted = av_arena_zalloc(turn->arena, sizeof *wanted);
	Avvik__V1__Receipt *receipt = AV_NEW(turn->arena, Avvik__V1__Receipt, avvik__v1__receipt);
	if (!wanted || !receipt)
		return AV_MEMORY;
	if (blinding) {
		receipt->blinding = (ProtobufCBinaryData){AV_KEY_SIZE, (uint8_t *)(uintptr_t)blinding};
	} else {
		Avvik__V1__Event *event = NULL;
		int status = event_load(turn->txn, sequence, turn->arena, &event);
		if (status == AV_OK)
			status = blinding_get(turn->txn, turn->o.keys, event, turn->arena, receipt);
		if (status < 0)
			return status;
	}
	*wanted = (struct wanted){.item = item, .reply = reply, .receipt = receipt, .leaf = leaf - 1};
	*turn->wanted_tail = wanted;
	turn->wanted_tail = &wanted->next;
	return AV_OK;
}

static int receipt_fill(Avvik__V1__Receipt *receipt, const char *instance, Avvik__V1__TurnSeal *seal,
	const struct av_merkle *tree, size_t index, size_t count, const Avvik__V1__ReceiptLeaf *leaf,
	struct av_arena *arena)
{
	unsigned char path[AV_MERKLE_DEPTH][AV_HASH_SIZE];
	size_t length = av_merkle_tree_path(tree, index, path);
	unsigned char *hashes = av_arena_copy(arena, path, AV_MAX(length, 1) * AV_HASH_SIZE);
	ProtobufCBinaryData *list = av_arena_alloc(arena, AV_MAX(length, 1) * sizeof *list);
	if (!hashes || !list)
		return AV_MEMORY;
	for (size_t i = 0; i < length; i++)
		list[i] = (ProtobufCBinaryData){AV_HASH_SIZE, hashes + i * AV_HASH_SIZE};
	receipt->instance = (char *)(uintptr_t)instance;
	receipt->leaf = (Avvik__V1__ReceiptLeaf *)(uintptr_t)leaf;
	receipt->n_path = length;
	receipt->path = list;
	receipt->index = (uint32_t)index;
	receipt->count = (uint32_t)count;
	receipt->turn = seal;
	return AV_OK;
}

static void merkle_free(struct av_merkle **tree)
{
	if (*tree)
		av_merkle_destroy(tree);
}

static int replies_pack(struct av_turn *turn, Avvik__V1__TurnSeal *seal, const struct av_merkle *tree)
{
	for (struct wanted *wanted = turn->wanted; wanted; wanted = wanted->next) {
		int status = receipt_fill(wanted->receipt, turn->o.instance, seal, tree, wanted->leaf,
			turn->leaves.count, turn->leaves.leaf[wanted->leaf], turn->arena);
		if (status < 0)
			return status;
		wanted->reply->report_accepted->receipt = wanted->receipt;
		wanted->reply->report_accepted->erased = wanted->receipt->erased;
		wanted->item->reply = av_message_pack(&wanted->reply->base, turn->arena);
		if (!wanted->item->reply.data)
			return AV_MEMORY;
	}
	return AV_OK;
}

int turn_seal(struct av_turn *turn)
{
	static const unsigned char no_root[AV_HASH_SIZE];
	const struct leaves *leaves = &turn->leaves;
	AV_CLEANUP(merkle_free)
	struct av_merkle *tree = NULL;
	Avvik__V1__TurnSeal seal = AVVIK__V1__TURN_SEAL__INIT;
	struct av_position head;
	int status = av_journal_head(turn->txn, &head);
	if (status < 0)
		return status;
	if (leaves->count > 0) {
		tree = av_merkle_create(leaves->hashes[0], leaves->count);
		if (!tree)
			return AV_MEMORY;
	}
	seal.instance = (char *)(uintptr_t)turn->o.instance;
	seal.epoch_id = id_binary(&head.epoch);
	seal.first_sequence = turn->first;
	seal.last_sequence = head.sequence;
	seal.chain_hash = (ProtobufCBinaryData){AV_CHAIN_SIZE, head.hash};
	seal.merkle_root = (ProtobufCBinaryData){
		AV_HASH_SIZE, (uint8_t *)(uintptr_t)(tree ? av_merkle_tree_root(tree) : no_root)};
	seal.leaves = (uint32_t)leaves->count;
	seal.sealed_at_ms = turn->now_ms;
	status = av_turn_sign(&seal, turn->o.sign_secret, turn->arena);
	if (status < 0)
		return status;
	struct av_bytes packed = av_message_pack(&seal.base, turn->arena);
	if (!packed.data)
		return AV_MEMORY;
	av_journal_seal(turn->txn, packed);
	status = replies_pack(turn, &seal, tree);
	return status < 0 ? status : AV_MIN(av_txn_error(turn->txn), AV_OK);
}

/* --- from the journal --- */

static int seal_load(
	struct av_txn *txn, uint64_t sequence, struct av_arena *arena, Avvik__V1__TurnSeal **ret_seal)
{
	struct av_bytes packed;
	ProtobufCMessage *message;
	uint64_t last;
	int status = av_journal_seal_of(txn, sequence, &last, &packed);
	if (status == AV_OK)
		status = av_message_load(&avvik__v1__turn_seal__descriptor, packed, arena, &message);
	else if (status == AV_NOT_FOUND)
		status = AV_DAMAGED;
	if (status == AV_OK)
		*ret_seal = (Avvik__V1__TurnSeal *)message;
	return status;
}

int av_receipt_rebuild(struct av_ctx *ctx, uint64_t sequence, Avvik__V1__Receipt **ret_receipt)
{
	AV_CLEANUP(merkle_free)
	struct av_merkle *tree = NULL;
	const Avvik__V1__ReceiptLeaf *leaf, *wanted = NULL;
	const Avvik__V1__Event *of = NULL;
	Avvik__V1__TurnSeal *seal = NULL;
	size_t count = 0, index = 0;
	int status = seal_load(ctx->txn, sequence, ctx->arena, &seal);
	if (status != AV_OK)
		return status;
	if (seal->first_sequence > sequence || seal->leaves == 0)
		return AV_NOT_FOUND;
	unsigned char(*hashes)[AV_HASH_SIZE] =
		av_arena_alloc(ctx->arena, (size_t)seal->leaves * AV_HASH_SIZE);
	Avvik__V1__Receipt *receipt = AV_NEW(ctx->arena, Avvik__V1__Receipt, avvik__v1__receipt);
	if (!hashes || !receipt)
		return AV_MEMORY;
	for (uint64_t at = seal->first_sequence; at <= seal->last_sequence; at++) {
		Avvik__V1__Event *event = NULL;
		status = event_load(ctx->txn, at, ctx->arena, &event);
		if (status != AV_OK)
			return AV_DAMAGED;
		unsigned char hash[AV_HASH_SIZE];
		status = leaf_of(ctx->outcome->service, event, ctx->arena, &leaf, hash);
		if (status < 0)
			return status;
		if (status == AV_NOTHING)
			continue;
		if (count == seal->leaves)
			return AV_DAMAGED;
		if (at == sequence) {
			of = event;
			wanted = leaf;
			index = count;
		}
		memcpy(hashes[count++], hash, AV_HASH_SIZE);
	}
	if (!of)
		return AV_NOT_FOUND;
	if (count != seal->leaves)
		return AV_DAMAGED;
	tree = av_merkle_create(hashes[0], count);
	if (!tree)
		return AV_MEMORY;
	status = receipt_fill(receipt, ctx->instance, seal, tree, index, count, wanted, ctx->arena);
	if (status == AV_OK)
		status = blinding_get(ctx->txn, ctx->keys, of, ctx->arena, receipt);
	if (status == AV_OK)
		*ret_receipt = receipt;
	return status;
}
