/* content.c - sealed content in the data store.
 *
 * Two parts, the blinding and a narrative of 5 bytes, under key 7:
 *
 *	key   <content id 16>
 *	value 01 01 0000000000000007 02
 *	      00 00000020
 *	      01 00000005
 *	      <nonce 24> <ciphertext 37> <tag 16>
 *	erased: 01 02 0000000000000007
 *
 * The parts of a record have one key, so they are sealed as one: their bodies behind each other, in the order
 * of the list. The seal is bound to the content id and to all that stands before it, so that no record, part
 * or size can take another's place.
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
	PARTS_MAX = 15,
	HEAD_MAX = HEAD_SEALED + PART_HEAD * (PARTS_MAX + 1)
};
#define NEXT_KEY "next_key"

/* A record that was read and found sound. */
struct record {
	int state;
	uint64_t key_number;
	unsigned int count;
	const unsigned char *parts; /* the list */
	struct av_bytes head, sealed;
};

static struct av_bytes key_of(const struct av_id *content_id)
{
	return av_bytes(content_id->bytes, AV_ID_SIZE);
}

/* What the seal is bound to. */
static struct av_bytes bind(
	const struct av_id *content_id, struct av_bytes head, unsigned char room[AV_ID_SIZE + HEAD_MAX])
{
	memcpy(room, content_id->bytes, AV_ID_SIZE);
	memcpy(room + AV_ID_SIZE, head.data, head.size);
	return av_bytes(room, AV_ID_SIZE + head.size);
}

static int damaged(struct av_txn *txn)
{
	av_txn_fail(txn, AV_DAMAGED);
	return AV_DAMAGED;
}

/* The list of parts gives their sizes; together they are what is sealed. */
static bool sealed_is_whole(struct av_bytes value, struct record *record)
{
	size_t head = HEAD_SEALED, size = AV_SEAL_EXTRA;
	const unsigned char *from = value.data;
	record->count = from[HEAD_ERASED];
	record->parts = from + HEAD_SEALED;
	head += record->count * (size_t)PART_HEAD;
	if (record->count > PARTS_MAX + 1 || value.size < head)
		return false;
	for (unsigned int i = 0; i < record->count; i++) {
		if (record->parts[i * PART_HEAD] > PARTS_MAX)
			return false;
		size += av_get_u32(record->parts + i * PART_HEAD + 1);
	}
	record->head = av_bytes(from, head);
	record->sealed = av_bytes(from + head, value.size - head);
	return record->sealed.size == size;
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
	bool whole = record.state == SEALED ? value.size >= HEAD_SEALED && sealed_is_whole(value, &record)
					    : record.state == ERASED && value.size == HEAD_ERASED;
	if (!whole)
		return damaged(txn);
	*ret_record = record;
	return AV_OK;
}

/* Where the part lies in what is sealed. false: there is none. */
static bool find_part(const struct record *record, int part, size_t *ret_at, size_t *ret_size)
{
	size_t at = 0;
	for (unsigned int i = 0; i < record->count; i++) {
		size_t size = av_get_u32(record->parts + i * PART_HEAD + 1);
		if (record->parts[i * PART_HEAD] == part) {
			*ret_at = at;
			*ret_size = size;
			return true;
		}
		at += size;
	}
	return false;
}

static unsigned char *list_part(unsigned char *to, int part, size_t size)
{
	to[0] = (unsigned char)part;
	av_put_u32(to + 1, (uint32_t)size);
	return to + PART_HEAD;
}

/* What the record takes; 0: it cannot be (a part twice, or out of range, or too much). */
static size_t size_of(const struct av_content_part *parts, size_t count)
{
	size_t size = HEAD_SEALED + PART_HEAD + AV_KEY_SIZE + AV_SEAL_EXTRA; /* with the blinding */
	unsigned int seen = 0;
	if (count > PARTS_MAX)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].part < 1 || parts[i].part > PARTS_MAX || seen & 1u << parts[i].part)
			return 0;
		if (parts[i].body.size > UINT32_MAX / 32)
			return 0;
		seen |= 1u << parts[i].part;
		size += PART_HEAD + parts[i].body.size;
	}
	return size;
}

/* Laid out in the page and sealed in place. */
static void put_sealed(unsigned char *record, size_t size, const struct av_id *content_id,
	uint64_t key_number, const unsigned char key[AV_KEY_SIZE], const unsigned char blinding[AV_KEY_SIZE],
	const struct av_content_part *parts, size_t count, struct av_random *random)
{
	unsigned char bound[AV_ID_SIZE + HEAD_MAX], *to = record + HEAD_SEALED;
	record[0] = VERSION;
	record[1] = SEALED;
	av_put_u64(record + 2, key_number);
	record[HEAD_ERASED] = (unsigned char)(count + 1);
	to = list_part(to, 0, AV_KEY_SIZE);
	for (size_t i = 0; i < count; i++)
		to = list_part(to, parts[i].part, parts[i].body.size);
	struct av_bytes head = av_bytes(record, (size_t)(to - record));
	unsigned char *sealed = to, *body = sealed + AV_SEAL_NONCE;
	memcpy(body, blinding, AV_KEY_SIZE);
	to = body + AV_KEY_SIZE;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].body.size)
			memcpy(to, parts[i].body.data, parts[i].body.size);
		to += parts[i].body.size;
	}
	av_seal(key, bind(content_id, head, bound), av_bytes(body, size - head.size - AV_SEAL_EXTRA), random,
		sealed);
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
	if (to)
		put_sealed(to, size, content_id, key_number, key, blinding, parts, count, random);
	av_wipe(key, sizeof key);
	return to ? AV_OK : av_txn_error(txn);
}

int av_content_get(struct av_txn *txn, struct av_keystore *keys, const struct av_id *content_id, int part,
	struct av_arena *arena, struct av_bytes *ret_body)
{
	unsigned char key[AV_KEY_SIZE], bound[AV_ID_SIZE + HEAD_MAX];
	struct record record;
	size_t at, size;
	int status = load(txn, content_id, &record);
	if (status != AV_OK)
		return status;
	if (record.state == ERASED)
		return AV_ERASED;
	if (!find_part(&record, part, &at, &size))
		return AV_NOT_FOUND;
	unsigned char *all = av_arena_alloc(
		arena, record.sealed.size - AV_SEAL_EXTRA + 1); /* an empty body has a place too */
	if (!all)
		return AV_MEMORY;
	status = av_keystore_get(keys, record.key_number, key);
	if (status == AV_NOT_FOUND)
		return AV_CRYPTO; /* a key store that is older than the data */
	if (status != AV_OK)
		return status;
	status = av_unseal(key, bind(content_id, record.head, bound), record.sealed, all);
	av_wipe(key, sizeof key);
	if (status == AV_OK)
		*ret_body = av_bytes(all + at, size);
	return status;
}

int av_content_parts(struct av_txn *txn, const struct av_id *content_id, unsigned int *ret_bits)
{
	struct record record;
	unsigned int bits = 0;
	int status = load(txn, content_id, &record);
	if (status != AV_OK)
		return status;
	if (record.state == ERASED)
		return AV_ERASED;
	for (unsigned int i = 0; i < record.count; i++)
		bits |= 1u << record.parts[i * PART_HEAD];
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
