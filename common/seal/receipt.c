/* receipt.c - receipts: from the report to the signature, and back without the daemon.
 *
 *	packed report --hash--> --keyed hash--> commitment --in--> packed leaf
 *	packed leaf --0x00 hash--> path --> root --in--> signed TurnSeal
 *
 * Packed means protobuf with the fields in number order, as av_message_pack() writes it. Fields that a newer
 * version added are kept when a message is unpacked, so they are verified here too.
 */
#include "seal/receipt.h"

#include "base/ids.h"

void av_commitment(const unsigned char blinding[AV_KEY_SIZE], struct av_bytes packed,
	unsigned char ret_hash[AV_HASH_SIZE])
{
	unsigned char hash[AV_HASH_SIZE];
	av_hash(packed, hash);
	av_commitment_of_hash(blinding, hash, ret_hash);
}

void av_commitment_of_hash(const unsigned char blinding[AV_KEY_SIZE], const unsigned char hash[AV_HASH_SIZE],
	unsigned char ret_hash[AV_HASH_SIZE])
{
	av_hash_keyed(blinding, av_bytes(hash, AV_HASH_SIZE), ret_hash);
}

int av_receipt_leaf_hash(
	const Avvik__V1__ReceiptLeaf *leaf, struct av_arena *arena, unsigned char ret_hash[AV_HASH_SIZE])
{
	struct av_bytes packed = av_message_pack(&leaf->base, arena);
	if (!packed.data)
		return AV_MEMORY;
	av_merkle_leaf(packed, ret_hash);
	return AV_OK;
}

static struct av_bytes pack_unsigned(const Avvik__V1__TurnSeal *seal, struct av_arena *arena)
{
	Avvik__V1__TurnSeal bare = *seal;
	bare.signature = (ProtobufCBinaryData){0, NULL};
	return av_message_pack(&bare.base, arena);
}

int av_turn_sign(
	Avvik__V1__TurnSeal *seal, const unsigned char secret[AV_SIGN_SECRET_SIZE], struct av_arena *arena)
{
	struct av_bytes packed = pack_unsigned(seal, arena);
	unsigned char *signature = av_arena_alloc(arena, AV_SIGNATURE_SIZE);
	if (!packed.data || !signature)
		return AV_MEMORY;
	av_sign(secret, AV_TURN_CONTEXT, packed, signature);
	seal->signature = (ProtobufCBinaryData){AV_SIGNATURE_SIZE, signature};
	return AV_OK;
}

int av_turn_check(const Avvik__V1__TurnSeal *seal, const unsigned char public_key[AV_SIGN_PUBLIC_SIZE],
	struct av_arena *arena)
{
	if (seal->signature.len != AV_SIGNATURE_SIZE)
		return AV_CRYPTO;
	struct av_bytes packed = pack_unsigned(seal, arena);
	if (!packed.data)
		return AV_MEMORY;
	return av_sign_check(public_key, AV_TURN_CONTEXT, packed, seal->signature.data);
}

static int say(const char **ret_text, int status, const char *text)
{
	*ret_text = text;
	return status;
}

/* All parts are there and have their sizes, so that the proof below can rely on them. */
static bool is_complete(const Avvik__V1__Receipt *receipt)
{
	const Avvik__V1__ReceiptLeaf *leaf = receipt->leaf;
	const Avvik__V1__TurnSeal *turn = receipt->turn;
	if (!leaf || !turn || !receipt->instance || !turn->instance || receipt->n_path > AV_MERKLE_DEPTH)
		return false;
	for (size_t i = 0; i < receipt->n_path; i++)
		if (receipt->path[i].len != AV_HASH_SIZE)
			return false;
	return leaf->report_id.len == AV_ID_SIZE && leaf->commitment.len == AV_HASH_SIZE &&
	       turn->epoch_id.len == AV_ID_SIZE && turn->chain_hash.len == AV_HASH_SIZE &&
	       turn->merkle_root.len == AV_HASH_SIZE && turn->signature.len == AV_SIGNATURE_SIZE;
}

static bool leaf_is_in_turn(const Avvik__V1__Receipt *receipt, const unsigned char hash[AV_HASH_SIZE])
{
	unsigned char path[AV_MERKLE_DEPTH][AV_HASH_SIZE];
	for (size_t i = 0; i < receipt->n_path; i++)
		memcpy(path[i], receipt->path[i].data, AV_HASH_SIZE);
	return receipt->count == receipt->turn->leaves &&
	       av_merkle_check(hash, receipt->index, receipt->count,
		       (const unsigned char(*)[AV_HASH_SIZE])path, receipt->n_path,
		       receipt->turn->merkle_root.data) == AV_OK;
}

int av_receipt_check(const Avvik__V1__Receipt *receipt, const unsigned char public_key[AV_SIGN_PUBLIC_SIZE],
	struct av_bytes packed_report, struct av_arena *arena, const char **ret_text)
{
	unsigned char hash[AV_HASH_SIZE];
	if (!is_complete(receipt))
		return say(ret_text, AV_INVALID,
			"The receipt is incomplete: ask the sender of the report for all of it.");
	const Avvik__V1__ReceiptLeaf *leaf = receipt->leaf;
	const Avvik__V1__TurnSeal *turn = receipt->turn;

	int status = av_turn_check(turn, public_key, arena);
	if (status == AV_MEMORY)
		return say(ret_text, AV_MEMORY, "Out of memory.");
	if (status != AV_OK)
		return say(ret_text, AV_CRYPTO,
			"The signature does not hold: the turn was changed, or this is the public key of "
			"another instance.");
	if (strcmp(receipt->instance, turn->instance) != 0)
		return say(ret_text, AV_CRYPTO,
			"The receipt names another instance than the one that signed it.");
	if (av_receipt_leaf_hash(leaf, arena, hash) != AV_OK)
		return say(ret_text, AV_MEMORY, "Out of memory.");
	if (!leaf_is_in_turn(receipt, hash))
		return say(ret_text, AV_CRYPTO,
			"The report is not among those that the signed turn received: report, time, "
			"commitment or path was "
			"changed.");
	if (leaf->sequence < turn->first_sequence || leaf->sequence > turn->last_sequence)
		return say(ret_text, AV_CRYPTO, "The report's sequence does not lie within the signed turn.");
	if (packed_report.size == 0)
		return say(ret_text, AV_OK,
			"The report was received as the receipt says. Its content was not held against the "
			"receipt.");
	if (receipt->blinding.len != AV_KEY_SIZE)
		return say(ret_text, AV_INVALID,
			"The content cannot be checked: the receipt lacks the blinding that only the sender "
			"was given.");
	av_commitment(receipt->blinding.data, packed_report, hash);
	if (!av_same_secret(hash, leaf->commitment.data, AV_HASH_SIZE))
		return say(ret_text, AV_CRYPTO,
			"The content is not what was received, or the blinding was changed.");
	return say(
		ret_text, AV_OK, "The report was received as the receipt says, with exactly this content.");
}
