/* references.c - what makes commands safe to repeat.
 *
 *	key   "careplan" 00 "2026-117"
 *	value 01 <hash 32> <sequence u64> <case id 16> <packed Reply>
 */
#include "store/references.h"

enum { VERSION = 1, HEAD_SIZE = 1 + 32 + 8 + AV_ID_SIZE };

static int make_key(const char *principal, const char *reference, unsigned char ret_key[AV_KEY_MAX],
	struct av_bytes *ret_bytes)
{
	size_t first = strlen(principal), second = strlen(reference);
	if (first + 1 + second > AV_KEY_MAX)
		return AV_TOO_LARGE;
	memcpy(ret_key, principal, first + 1);
	memcpy(ret_key + first + 1, reference, second);
	*ret_bytes = av_bytes(ret_key, first + 1 + second);
	return AV_OK;
}

int av_reference_find(
	struct av_txn *txn, const char *principal, const char *reference, struct av_reference *ret_found)
{
	unsigned char room[AV_KEY_MAX];
	struct av_bytes key, value;
	int status = make_key(principal, reference, room, &key);
	if (status == AV_OK)
		status = av_get(txn, AV_TABLE_REFERENCES, key, &value);
	if (status != AV_OK)
		return status;
	const unsigned char *from = value.data;
	if (value.size < HEAD_SIZE || from[0] != VERSION) {
		av_txn_fail(txn, AV_DAMAGED);
		return av_txn_error(txn);
	}
	memcpy(ret_found->hash, from + 1, 32);
	ret_found->sequence = av_get_u64(from + 33);
	memcpy(ret_found->case_id.bytes, from + 41, AV_ID_SIZE);
	ret_found->reply = av_bytes(from + HEAD_SIZE, value.size - HEAD_SIZE);
	return AV_OK;
}

void av_reference_store(
	struct av_txn *txn, const char *principal, const char *reference, const struct av_reference *entry)
{
	unsigned char room[AV_KEY_MAX];
	struct av_bytes key;
	int status = make_key(principal, reference, room, &key);
	if (status != AV_OK) {
		av_txn_fail(txn, status);
		return;
	}
	unsigned char *to = av_put_room(txn, AV_TABLE_REFERENCES, key, HEAD_SIZE + entry->reply.size);
	if (!to)
		return;
	to[0] = VERSION;
	memcpy(to + 1, entry->hash, 32);
	av_put_u64(to + 33, entry->sequence);
	memcpy(to + 41, entry->case_id.bytes, AV_ID_SIZE);
	if (entry->reply.size)
		memcpy(to + HEAD_SIZE, entry->reply.data, entry->reply.size);
}
