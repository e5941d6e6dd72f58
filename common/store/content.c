/* content.c - sealed content in the data store.
 *
 * Two parts, the blinding and a narrative of 5 bytes, under key 7:
 *
 *	key   <content id 16>
 *	value 01 01 0000000000000007 02
 *	      00 00000048 <nonce 24> <ciphertext 32> <tag 16>
 *	      01 0000002d <nonce 24> <ciphertext 5> <tag 16>
 *	erased: 01 02 0000000000000007
 *
 * The size of a part is that of its sealed bytes. Each seal is bound to the content id and the part's number,
 *so that no part can take another's place.
 */
#include "store/content.h"

#include "base/macros.h"

enum {
	VERSION = 1,
	SEALED = 1,
	ERASED = 2,
	HEAD_ERASED = 10,
	HEAD_SEALED = 11,
	PART_HEAD = 5,
	PARTS_MAX = 15
};
#define BOUND_SIZE (AV_ID_SIZE + 1)
#define NEXT_KEY "next_key"

/* A record that was read and found sound. */
struct record {
	int state;
	uint64_t key_number;
	unsigned int count;
	const unsigned char *parts;
	size_t parts_size;
};

static struct av_bytes key_of(const struct av_id *content_id)
{
	return av_bytes(content_id->bytes, AV_ID_SIZE);
}

static void bind_part(const struct av_id *content_id, int part, unsigned char ret_bound[BOUND_SIZE])
{
	memcpy(ret_bound, content_id->bytes, AV_ID_SIZE);
	ret_bound[AV_ID_SIZE] = (unsigned char)part;
}

static int damaged(struct av_txn *txn)
{
	av_txn_fail(txn, AV_DAMAGED);
	return AV_DAMAGED;
}

static int load(struct av_txn *txn, const struct av_id *content_id, struct record *ret_record)
{
	struct av_bytes value;
	int status = av_get(txn, AV_TABLE_CONTENT, key_of(content_id), &value);
	if (status != AV_OK)
		return status;
	const unsigned char *from = value.data;
	if (value.size < HEAD_ERASED || from[0] != VERSION)
		return damaged(txn);
	struct record record = {.state = from[1], .key_number = av_get_u64(from + 2)};
	if (record.state == SEALED && value.size >= HEAD_SEALED) {
		record.count = from[HEAD_ERASED];
		record.parts = from + HEAD_SEALED;
		record.parts_size = value.size - HEAD_SEALED;
	} else if (record.state != ERASED || value.size != HEAD_ERASED) {
		return damaged(txn);
	}
	*ret_record = record;
	return AV_OK;
}

/* The next part; false at the end, or when the record is cut off. */
static bool next_part(struct record *record, int *ret_part, struct av_bytes *ret_sealed)
{
	if (record->count == 0 || record->parts_size < PART_HEAD)
		return false;
	uint32_t size = av_get_u32(record->parts + 1);
	if (size < AV_SEAL_EXTRA || size > record->parts_size - PART_HEAD)
		return false;
	*ret_part = record->parts[0];
	*ret_sealed = av_bytes(record->parts + PART_HEAD, size);
	record->parts += PART_HEAD + size;
	record->parts_size -= PART_HEAD + size;
	record->count--;
	return true;
}

static unsigned char *put_part(unsigned char *to, const struct av_id *content_id,
	const unsigned char key[AV_KEY_SIZE], int part, struct av_bytes body, struct av_random *random)
{
	unsigned char bound[BOUND_SIZE];
	size_t size = body.size + AV_SEAL_EXTRA;
	to[0] = (unsigned char)part;
	av_put_u32(to + 1, (uint32_t)size);
	bind_part(content_id, part, bound);
	av_seal(key, av_bytes(bound, sizeof bound), body, random, to + PART_HEAD);
	return to + PART_HEAD + size;
}

/* What the record takes; 0: it cannot be (a part twice, or out of range, or too much). */
static size_t size_of(const struct av_content_part *parts, size_t count)
{
	size_t size = HEAD_SEALED + PART_HEAD + AV_KEY_SIZE + AV_SEAL_EXTRA;
	unsigned int seen = 0;
	if (count > PARTS_MAX)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].part < 1 || parts[i].part > PARTS_MAX || seen & 1u << parts[i].part)
			return 0;
		if (parts[i].body.size > UINT32_MAX / 32)
			return 0;
		seen |= 1u << parts[i].part;
		size += PART_HEAD + parts[i].body.size + AV_SEAL_EXTRA;
	}
	return size;
}

int av_content_put(struct av_txn *txn, struct av_keystore *keys, const struct av_id *content_id,
	uint64_t key_number, const unsigned char blinding[AV_KEY_SIZE], const struct av_content_part *parts,
	size_t count, struct av_random *random, struct av_arena *arena)
{
	unsigned char key[AV_KEY_SIZE];
	struct av_bytes there;
	size_t size = size_of(parts, count);
	AV_UNUSED(arena); /* sealed straight into the page */
	if (size == 0)
		return AV_INVALID;
	int status = av_get(txn, AV_TABLE_CONTENT, key_of(content_id), &there);
	if (status != AV_NOT_FOUND)
		return status == AV_OK ? AV_EXISTS : status;
	status = av_keystore_get(keys, key_number, key);
	if (status != AV_OK)
		return status;
	unsigned char *to = av_put_room(txn, AV_TABLE_CONTENT, key_of(content_id), size);
	if (to) {
		to[0] = VERSION;
		to[1] = SEALED;
		av_put_u64(to + 2, key_number);
		to[HEAD_ERASED] = (unsigned char)(count + 1);
		to = put_part(to + HEAD_SEALED, content_id, key, 0, av_bytes(blinding, AV_KEY_SIZE), random);
		for (size_t i = 0; i < count; i++)
			to = put_part(to, content_id, key, parts[i].part, parts[i].body, random);
	}
	av_wipe(key, sizeof key);
	return to ? AV_OK : av_txn_error(txn);
}

int av_content_get(struct av_txn *txn, struct av_keystore *keys, const struct av_id *content_id, int part,
	struct av_arena *arena, struct av_bytes *ret_body)
{
	unsigned char key[AV_KEY_SIZE], bound[BOUND_SIZE];
	struct record record;
	struct av_bytes sealed;
	int found = -1;
	int status = load(txn, content_id, &record);
	if (status != AV_OK)
		return status;
	if (record.state == ERASED)
		return AV_ERASED;
	while (record.count > 0 && found != part)
		if (!next_part(&record, &found, &sealed))
			return damaged(txn);
	if (found != part)
		return AV_NOT_FOUND;
	unsigned char *body =
		av_arena_alloc(arena, sealed.size - AV_SEAL_EXTRA + 1); /* an empty body has a place too */
	if (!body)
		return AV_MEMORY;
	status = av_keystore_get(keys, record.key_number, key);
	if (status == AV_NOT_FOUND)
		return AV_CRYPTO; /* a key store that is older than the data */
	if (status != AV_OK)
		return status;
	bind_part(content_id, part, bound);
	status = av_unseal(key, av_bytes(bound, sizeof bound), sealed, body);
	av_wipe(key, sizeof key);
	if (status == AV_OK)
		*ret_body = av_bytes(body, sealed.size - AV_SEAL_EXTRA);
	return status;
}

int av_content_parts(struct av_txn *txn, const struct av_id *content_id, unsigned int *ret_bits)
{
	struct record record;
	struct av_bytes sealed;
	unsigned int bits = 0;
	int part;
	int status = load(txn, content_id, &record);
	if (status != AV_OK)
		return status;
	if (record.state == ERASED)
		return AV_ERASED;
	while (record.count > 0) {
		if (!next_part(&record, &part, &sealed) || part > PARTS_MAX)
			return damaged(txn);
		bits |= 1u << part;
	}
	*ret_bits = bits;
	return AV_OK;
}

int av_content_erase(struct av_txn *txn, const struct av_id *content_id, uint64_t *ret_key_number)
{
	unsigned char value[HEAD_ERASED], doomed[8];
	struct record record;
	int status = load(txn, content_id, &record);
	if (status != AV_OK)
		return status;
	if (record.state == SEALED) {
		value[0] = VERSION;
		value[1] = ERASED;
		av_put_u64(value + 2, record.key_number);
		av_put_u64(doomed, record.key_number);
		av_put(txn, AV_TABLE_CONTENT, key_of(content_id), av_bytes(value, sizeof value));
		av_put(txn, AV_TABLE_DOOMED, av_bytes(doomed, sizeof doomed), av_bytes("", 0));
		if (av_txn_error(txn) != AV_OK)
			return av_txn_error(txn);
	}
	*ret_key_number = record.key_number;
	return record.state == SEALED ? AV_OK : AV_NOTHING;
}

size_t av_content_doomed(struct av_txn *txn, uint64_t *ret_numbers, size_t max)
{
	struct av_bytes all = av_bytes("", 0);
	struct av_iter it = av_iter(txn, AV_TABLE_DOOMED, all, all);
	size_t count = 0;
	while (count < max && av_iter_next(&it))
		if (it.key.size == 8)
			ret_numbers[count++] = av_get_u64(it.key.data);
	av_iter_end(&it);
	return count;
}

void av_content_destroyed(struct av_txn *txn, const uint64_t *numbers, size_t count)
{
	unsigned char key[8];
	for (size_t i = 0; i < count; i++) {
		av_put_u64(key, numbers[i]);
		av_delete(txn, AV_TABLE_DOOMED, av_bytes(key, sizeof key));
	}
}

int av_content_next_key(struct av_txn *txn, struct av_keystore *keys, uint64_t *ret_number)
{
	unsigned char key[AV_KEY_SIZE];
	uint64_t number = AV_MAX(av_counter(txn, NEXT_KEY), 1);
	int status = av_txn_error(txn);
	if (status != AV_OK)
		return status;
	while ((status = av_keystore_get(keys, number, key)) == AV_ERASED)
		number++;
	av_wipe(key, sizeof key);
	if (status != AV_OK)
		return status == AV_NOT_FOUND ? AV_FULL : status;
	av_counter_set(txn, NEXT_KEY, number + 1);
	if (av_txn_error(txn) != AV_OK)
		return av_txn_error(txn);
	*ret_number = number;
	return AV_OK;
}
